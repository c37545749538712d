//! A server on a store that has a history: starts, lists, walls, backups, and everything that a young store is measured
//! on as well.
//!
//! What should be here: what only a history makes hard. What should not: making one (the server's example `history`), the
//! rows of a young store (`live`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::door::Door;
use super::live::{self, Load};
use super::screen::{Screen, Seen};
use super::used::Gauge;
use super::{Row, Server};

mod lists;
mod past;
mod upkeep;

/// Longest wait for walls that open.
const OPEN_WITHIN: Duration = Duration::from_secs(120);

/// Measures servers on the store in `data`, which is left changed: cases come in as they do anywhere else.
pub async fn run(data: PathBuf, load: Load) -> anyhow::Result<Vec<Row>> {
    let environment = [live::room_for(load)];
    let mut server = Server::on(&data, &environment).await?;
    let mut rows = told(starts(&mut server).await?);
    let door = Arc::new(Door::new(&server)?);
    tracing::info!("lists");
    rows.extend(told(lists::measure(&server, &door, load.seconds).await?));
    tracing::info!("the past shown again");
    rows.extend(told(past::measure(&server).await?));
    tracing::info!("walls");
    rows.extend(told(walls(&server, &door, load.screens).await?));
    tracing::info!("everything that a young store is measured on");
    rows.extend(told(live::measure(&mut server, &door, load).await?));
    tracing::info!("backup, check, a release with other lists");
    rows.extend(told(upkeep::measure(&mut server, &door, &data).await?));
    Ok(rows)
}

/// Measures the past shown again alone, on the store in `data`.
pub async fn replay(data: &Path) -> anyhow::Result<Vec<Row>> {
    let server = Server::on(data, &[]).await?;
    Ok(told(past::measure(&server).await?))
}

/// Says what a part has measured: the whole takes hours on a long store, and what is known is not lost with what is not.
fn told(rows: Vec<Row>) -> Vec<Row> {
    for Row { measure, value, unit, .. } in &rows {
        tracing::info!("{measure}: {value:.3} {unit}");
    }
    rows
}

/// The server is killed and starts on what the crash left.
async fn starts(server: &mut Server) -> anyhow::Result<Vec<Row>> {
    server.kill();
    let began = Instant::now();
    let listened = server.restart().await?;
    let serving = began.elapsed().as_secs_f64();
    let (_, resident) = server.usage()?;
    let measure = "start after a crash";
    Ok(vec![
        Row::plain(format!("{measure}: to listen"), (listened - began).as_secs_f64(), "s"),
        Row::at_most(format!("{measure}: to a serving hall"), serving, "s", 5.0),
        Row::plain("the same: server, resident", resident / 1_048_576.0, "MiB"),
    ])
}

/// Every wall of the hall is switched on at one time.
async fn walls(server: &Server, door: &Arc<Door>, count: usize) -> anyhow::Result<Vec<Row>> {
    let reads_before = door.metric("gridhall_live_store_reads_total").await?;
    let seen = Arc::new(Seen::default());
    let gauge = Gauge::begin(server)?;
    let began = Instant::now();
    let (mut stands, mut following) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        let (screen, stand) = Screen::new(door.clone(), seen.clone());
        stands.push(stand);
        following.push(tokio::spawn(screen.follow()));
    }
    let whole = live::all(&stands, OPEN_WITHIN, "open", |stand| stand.whole.is_some()).await;
    let took = began.elapsed().as_secs_f64();
    let used = gauge.end(server)?;
    following.iter().for_each(tokio::task::JoinHandle::abort);
    whole?;
    let reads = door.metric("gridhall_live_store_reads_total").await? - reads_before;
    let sent = seen.bytes.load(Ordering::Relaxed) as f64 / count as f64 / 1_000.0;
    let measure = format!("{count} walls opened at once");
    Ok(vec![
        Row::at_most(format!("{measure}: all whole"), took, "s", 5.0).under(&used),
        Row::at_most("the same: store queries for all of them together", reads, "queries", 8.0),
        Row::plain("the same: messages to each", sent, "KB"),
        Row::plain("the same: server's processor time", used.server, "s"),
    ])
}

/// Bytes of all files below a folder.
fn folder_bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { folder_bytes(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}
