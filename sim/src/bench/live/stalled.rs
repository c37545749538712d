//! Clients that stop reading in the middle of a full feed: what the server holds for each, when it lets go, and what
//! the others notice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::wire::Topic;
use futures_util::StreamExt;

use super::super::door::{Door, Socket};
use super::super::{Row, Server, percentile};
use super::walk::Walk;
use super::{CASES, latencies};

/// Clients that stall at one time: enough for one's share to show in the server's memory.
const CLIENTS: usize = 100;
/// They read for this long first.
const READ_SECONDS: u64 = 4;
/// Longest wait for their end.
const WAIT_SECONDS: u64 = 40;
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What was seen while they stood still.
#[derive(Default)]
struct Watched {
    resident_max: f64,
    /// Most bytes the kernel held for one of them.
    unsent_max: u64,
    /// Seconds until the first and the last was closed.
    first: Option<f64>,
    last: Option<f64>,
}

pub async fn measure(server: &Server, door: &Arc<Door>, inspectors: usize) -> anyhow::Result<Vec<Row>> {
    let mut walk = Walk::begin(door, inspectors).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = connections(door).await?;
    let mut reading = Vec::with_capacity(CLIENTS);
    let mut ports = Vec::with_capacity(CLIENTS);
    let (stop, stopped) = tokio::sync::watch::channel(());
    for _ in 0..CLIENTS {
        let (mut socket, port) = door.narrow_screen(&[Topic::POSITIONS, Topic::TALLY]).await?;
        ports.push(port);
        let mut stopped = stopped.clone();
        reading.push(tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = stopped.changed() => return socket,
                    message = socket.next() => if !matches!(message, Some(Ok(_))) { return socket },
                }
            }
        }));
    }
    let walking =
        tokio::spawn(async move { walk.go(Duration::from_secs(READ_SECONDS + WAIT_SECONDS)).await });
    tokio::time::sleep(Duration::from_secs(READ_SECONDS)).await;
    // Their answers to pings end here as well: the library answers only while it reads.
    let _ = stop.send(());
    let mut silent: Vec<Socket> = Vec::with_capacity(CLIENTS);
    for task in reading {
        silent.push(task.await?);
    }
    let (_, resident) = server.usage()?;
    let others = tokio::spawn({
        let door = door.clone();
        async move { latencies(&door, CASES).await }
    });
    let watched = watch(server, door, before, &ports).await?;
    let mut times = others.await??;
    walking.abort();
    drop(silent);
    let held = (watched.resident_max - resident).max(0.0) / CLIENTS as f64 + watched.unsent_max as f64;
    let measure = format!("one stalled client of {CLIENTS}, full feed");
    Ok(vec![
        Row::at_most(format!("{measure}: memory and socket buffer"), held / 1_024.0, "KiB", 256.0),
        Row::plain("the same: of it in the socket buffer", watched.unsent_max as f64 / 1_024.0, "KiB"),
        Row::plain("the same: first closed after", watched.first.unwrap_or(f64::NAN), "s"),
        Row::at_most("the same: last closed after", watched.last.unwrap_or(f64::INFINITY), "s", 20.0),
        Row::at_most(
            "the same: case on another screen meanwhile, p99",
            percentile(&mut times, 0.99),
            "ms",
            30.0,
        ),
    ])
}

async fn watch(server: &Server, door: &Arc<Door>, before: f64, ports: &[u16]) -> anyhow::Result<Watched> {
    let began = Instant::now();
    let mut watched = Watched::default();
    // The screen that measures the others comes and goes; the kernel's table says which of ours are still served.
    while began.elapsed() < Duration::from_secs(WAIT_SECONDS) {
        let (_, resident) = server.usage()?;
        watched.resident_max = watched.resident_max.max(resident);
        let unsent: BTreeMap<u16, u64> = server.unsent()?.into_iter().collect();
        let ours = ports.iter().filter_map(|port| unsent.get(port));
        watched.unsent_max = ours.copied().max().unwrap_or(0).max(watched.unsent_max);
        let left = connections(door).await? - before;
        if left < CLIENTS as f64 && watched.first.is_none() {
            watched.first = Some(began.elapsed().as_secs_f64());
        }
        // One more may be the screen that measures the others.
        if left <= 1.0 {
            watched.last = Some(began.elapsed().as_secs_f64());
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(watched)
}

async fn connections(door: &Arc<Door>) -> anyhow::Result<f64> {
    door.metric("gridhall_live_connections").await
}
