//! Screens on a quiet night: they follow everything, and nothing happens.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::door::Door;
use super::super::screen::{Screen, Seen};
use super::super::used::Gauge;
use super::super::{Row, Server};
use super::Load;

/// Times the screens of the other measurements.
const TIMES: usize = 4;
/// What arrives with the opening has arrived.
const SETTLE: Duration = Duration::from_secs(12);

pub async fn measure(server: &Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let (count, seen) = (TIMES * load.screens, Arc::new(Seen::default()));
    let following: Vec<_> =
        (0..count).map(|_| tokio::spawn(Screen::new(door.clone(), seen.clone()).0.follow())).collect();
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
