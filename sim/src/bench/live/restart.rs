//! The server is taken away from under its screens by `kill -9` and comes back: when they have everything again, what
//! that costs, and whether anything is missing.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::ensure;
use domain::wire::Topic;

use super::super::door::Door;
use super::super::screen::{Screen, Seen, Stand};
use super::super::used::Gauge;
use super::super::{Row, Server, percentile};
use super::walk::Walk;
use super::{Load, cases};

/// Longest wait for the screens.
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// Hashes come every ten seconds, and a screen compares only when it stands at their version.
const HASHES_WITHIN: Duration = Duration::from_secs(45);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Cases come before and after.
const STREAM: Duration = Duration::from_secs(3);
/// Topics with a hash, each with a snapshot.
const HASHED: usize = 5;

pub type Stands = Vec<Arc<Mutex<Stand>>>;

pub async fn measure(server: &mut Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let seen = Arc::new(Seen::default());
    let walk = Walk::begin(door, load.inspectors).await?;
    drop(walk);
    let mut stands: Stands = Vec::with_capacity(load.screens);
    let mut following = Vec::with_capacity(load.screens);
    for _ in 0..load.screens {
        let (screen, stand) = Screen::new(door.clone(), seen.clone());
        stands.push(stand);
        following.push(tokio::spawn(screen.follow()));
    }
    all(&stands, BACK_WITHIN, "connect", |stand| stand.whole.is_some()).await?;
    let stream = cases::stream(door).await?;
    tokio::time::sleep(STREAM).await;
    server.kill();
    stream.stop().await?;
    tokio::time::sleep(Duration::from_secs(load.outage_seconds)).await;
    ensure!(
        stands.iter().all(|stand| read(stand).whole.is_none()),
        "a screen did not notice that its server is gone"
    );
    let [bytes, snapshots] = [&seen.bytes, &seen.snapshots].map(|count| count.load(Ordering::Relaxed));
    let restarted = Instant::now();
    let listened = server.restart().await?;
    let gauge = Gauge::begin(server)?;
    all(&stands, BACK_WITHIN, "come back", |stand| stand.whole.is_some()).await?;
    let used = gauge.end(server)?;
    let (cpu, _) = server.usage()?;
    let mut waits: Vec<f64> = stands
        .iter()
        .filter_map(|stand| Some(read(stand).whole?.saturating_duration_since(listened).as_secs_f64()))
        .collect();
    let snapshots = seen.snapshots.load(Ordering::Relaxed) - snapshots;
    let frames = seen.bytes.load(Ordering::Relaxed) - bytes;
    let mut weight = 0;
    for topic in [Topic::TALLY, Topic::OVERDUE, Topic::OPEN, Topic::WHISTLE, Topic::WHO] {
        weight += door.snapshot_weight(&topic)?;
    }
    // Each screen that takes snapshots takes the five keyed ones.
    let all_bytes = frames as f64 + snapshots as f64 / HASHED as f64 * weight as f64;
    let made = door.metric("gridhall_live_snapshots_made_total").await?;
    let reads = door.metric("gridhall_live_store_reads_total").await?;
    // The stream goes on where it was: nothing may be missing, and every screen must agree.
    let stream = cases::stream(door).await?;
    tokio::time::sleep(STREAM).await;
    ensure!(stream.stop().await? > 0, "the server that came back takes no cases");
    let agreed = all(&stands, HASHES_WITHIN, "agree", |stand| stand.agreed == HASHED).await.is_ok();
    let agreed_count = stands.iter().filter(|stand| read(stand).agreed == HASHED).count();
    let events: Vec<u64> = stands.iter().map(|stand| read(stand).event).collect();
    let level = events.iter().all(|event| Some(event) == events.first());
    following.iter().for_each(tokio::task::JoinHandle::abort);
    let missing = seen.gaps.load(Ordering::Relaxed) + u64::from(!level);
    let screens = load.screens as f64;
    let measure = format!("restart under {} screens, {} s away", load.screens, load.outage_seconds);
    Ok(vec![
        Row::plain(format!("{measure}: start to listen"), (listened - restarted).as_secs_f64(), "s"),
        Row::at_most("the same: all whole again after listen", percentile(&mut waits, 1.0), "s", 2.0)
            .under(&used),
        // On this machine all screens share the cores that each of them has for itself in a hall.
        Row::plain("the same: processor time of a screen", used.load / screens * 1_000.0, "ms"),
        Row::plain("the same: half of them whole after", percentile(&mut waits, 0.5), "s"),
        Row::at_most("the same: gaps in what screens hold", missing as f64, "gaps", 0.0),
        Row {
            holds: Some(agreed && seen.divergences.load(Ordering::Relaxed) == 0),
            ..Row::at_least("the same: screens whose hashes agree", agreed_count as f64, "screens", screens)
        },
        Row::at_most("the same: store queries for all screens together", reads, "queries", 8.0),
        Row::plain("the same: snapshots taken by screens", snapshots as f64, "requests"),
        Row::plain("the same: snapshots made by the server", made, "snapshots"),
        Row::plain("the same: sent to each screen", all_bytes / screens / 1_000.0, "KB"),
        Row::plain("the same: server's processor time, start included", cpu, "s"),
    ])
}

fn read(stand: &Mutex<Stand>) -> Stand {
    *stand.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits until `holds` for every screen.
pub async fn all(
    stands: &Stands,
    within: Duration,
    what: &str,
    holds: impl Fn(&Stand) -> bool,
) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let missing = stands.iter().filter(|stand| !holds(&read(stand))).count();
        if missing == 0 {
            return Ok(());
        }
        ensure!(began.elapsed() < within, "{missing} of {} screens did not {what}", stands.len());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
