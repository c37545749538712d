//! Screens on a quiet night: they follow everything, and nothing happens.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::door::Door;
use super::super::screen::{Screen, Seen};
use super::super::used::Gauge;
use super::super::{Row, Server};
use super::{Load, all};

/// Times the screens of the other measurements.
const TIMES: usize = 4;
/// Longest wait until every screen is whole.
const OPEN_WITHIN: Duration = Duration::from_secs(120);
/// What arrives after that, such as the words of the case in focus, has arrived.
const SETTLE: Duration = Duration::from_secs(12);

pub async fn measure(server: &Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let (count, seen) = (TIMES * load.screens, Arc::new(Seen::default()));
    let (mut stands, mut following) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        let (screen, stand) = Screen::new(door.clone(), seen.clone());
        stands.push(stand);
        following.push(tokio::spawn(screen.follow()));
    }
    all(&stands, OPEN_WITHIN, "open", |stand| stand.whole.is_some()).await?;
    tokio::time::sleep(SETTLE).await;
    let bytes = seen.bytes.load(Ordering::Relaxed);
    let gauge = Gauge::begin(server)?;
    tokio::time::sleep(Duration::from_secs(load.seconds)).await;
    let used = gauge.end(server)?;
    let each = (seen.bytes.load(Ordering::Relaxed) - bytes) as f64 / used.seconds / count as f64;
    following.iter().for_each(tokio::task::JoinHandle::abort);
    let measure = format!("{count} idle screens");
    Ok(vec![
        Row::at_most(format!("{measure}: server"), used.server_percent(), "% of a core", 3.0).under(&used),
        Row::plain("the same: each screen", each, "B/s"),
    ])
}
