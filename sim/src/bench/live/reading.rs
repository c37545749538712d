//! Somebody reads everything while others work: tallies, all cases, all events and backups in a loop, and how long a
//! command takes meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::super::door::Door;
use super::super::server::Backup;
use super::super::used::Gauge;
use super::super::{Row, Server, percentile};
use super::{Load, cases};

/// Commands a second, one after the other, as seats of a busy hall send them together.
const COMMANDS_PER_SECOND: u64 = 20;
/// How often a backup under way is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Rows in one page, the most that is given.
const PAGE: usize = 500;

pub async fn measure(server: &Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let mut alone = answers(door, load.seconds.div_ceil(2)).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let until = || Until { stop: stop.clone(), rounds: Arc::default() };
    let all = [until(), until(), until(), until()];
    let [one, two, three, four] = all.clone();
    let (cases, events) = (format!("/api/v1/cases?limit={PAGE}"), format!("/api/v1/events?limit={PAGE}"));
    let reading = [
        tokio::spawn(tallies(door.clone(), one)),
        tokio::spawn(pages(door.clone(), cases, next_cases, two)),
        tokio::spawn(pages(door.clone(), events, next_events, three)),
        tokio::spawn(backups(server.backup()?, four)),
    ];
    let gauge = Gauge::begin(server)?;
    let meanwhile = answers(door, load.seconds).await;
    let used = gauge.end(server)?;
    stop.store(true, Ordering::Relaxed);
    for task in reading {
        task.await?.context("somebody who read everything ended early")?;
    }
    let mut meanwhile = meanwhile?;
    let measure = "command answered while somebody reads everything";
    let mut rows = vec![
        Row::plain("command answered, nobody reads, p99", percentile(&mut alone, 0.99), "ms"),
        Row::plain(format!("{measure}, p50"), percentile(&mut meanwhile, 0.5), "ms"),
        Row::at_most(format!("{measure}, p99"), percentile(&mut meanwhile, 0.99), "ms", 30.0).under(&used),
    ];
    let whats = ["tallies read", "walks through all cases", "walks through all events", "backups made"];
    for (what, until) in whats.into_iter().zip(all) {
        let rounds = until.rounds.load(Ordering::Relaxed) as f64;
        rows.push(Row::plain(format!("the same: {what}"), rounds, "times"));
    }
    Ok(rows)
}

/// Milliseconds until each of the commands of so many seconds was answered.
async fn answers(door: &Arc<Door>, seconds: u64) -> anyhow::Result<Vec<f64>> {
    let report = cases::report(door).await?;
    let mut beats = tokio::time::interval(Duration::from_millis(1_000 / COMMANDS_PER_SECOND));
    let mut times = Vec::new();
    for _ in 0..seconds * COMMANDS_PER_SECOND {
        beats.tick().await;
        let began = Instant::now();
        let body = json!({"key": uuid::Uuid::now_v7(), "command": {"report_case": {"report": report}}});
        door.post("/api/v1/commands", body).await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(times)
}

/// Asks again and again until told to stop.
async fn tallies(door: Arc<Door>, until: Until) -> anyhow::Result<()> {
    while !until.stopped() {
        door.get("/api/v1/tally").await?;
        until.round();
    }
    Ok(())
}

/// All pages of a list, again and again. `next` names the following page's address, none after the last.
async fn pages(
    door: Arc<Door>,
    first: String,
    next: fn(&Value) -> Option<String>,
    until: Until,
) -> anyhow::Result<()> {
    let mut path = first.clone();
    while !until.stopped() {
        let page: Value = serde_json::from_str(&door.get(&path).await?)?;
        path = next(&page).unwrap_or_else(|| {
            until.round();
            first.clone()
        });
    }
    Ok(())
}

fn next_cases(page: &Value) -> Option<String> {
    Some(format!("/api/v1/cases?limit={PAGE}&cursor={}", page["next"].as_str()?))
}

fn next_events(page: &Value) -> Option<String> {
    Some(format!("/api/v1/events?limit={PAGE}&after={}", page["next"].as_u64()?))
}

/// One backup after the other, by the command an operator gives; one under way at the end is taken away.
async fn backups(mut backup: Backup, until: Until) -> anyhow::Result<()> {
    while !until.stopped() {
        let mut running = backup.start()?;
        let ended = loop {
            if let Some(status) = running.try_wait()? {
                break status;
            }
            if until.stopped() {
                running.kill()?;
                running.wait()?;
                return backup.forget();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        ensure!(ended.success(), "a backup ended with {ended}");
        backup.forget()?;
        until.round();
    }
    Ok(())
}

/// When a reader ends, and how often it came to the end of what it reads.
#[derive(Clone)]
struct Until {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
}

impl Until {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn round(&self) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }
}
