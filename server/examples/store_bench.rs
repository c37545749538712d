//! Measures the store: durable events per second and latency with 64 commands in flight, one event each.
//!
//! `cargo run --release -p server --example store_bench [-- SECONDS [FOLDER]]` prints JSON rows
//! `{measure, value, unit, target, holds}`. Cases are driven round the whole loop, so that reports, steps, clocks,
//! tallies, keys and lists all take part; the folder should lie on the disk that is to be measured.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::case::Report;
use domain::code::CaseId;
use domain::command::Command;
use domain::policy::Policy;
use server::store::Store;
use server::writer::{self, Answer, Envelope, Writer};
use uuid::Uuid;

const IN_FLIGHT: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = match arguments.next() {
        Some(text) => text.parse().with_context(|| format!("`{text}` is not a number of seconds"))?,
        None => 10,
    };
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join(format!("gridhall-store-bench-{}", std::process::id()));
    let rows = measure(&folder, Duration::from_secs(seconds));
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&rows?)?)?;
    Ok(())
}

fn measure(folder: &std::path::Path, length: Duration) -> anyhow::Result<Vec<serde_json::Value>> {
    let policy: Policy = toml::from_str(include_str!("../../config/policy.toml"))?;
    let (store, state) = Store::open(folder, &policy)?;
    let policy = Arc::new(policy);
    let writer = writer::spawn(store, state, policy.clone(), Box::new(()));
    let counting = Arc::new(AtomicBool::new(false));
    let ended = Arc::new(AtomicBool::new(false));
    let events = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build()?;
    let mut latencies: Vec<u64> = runtime.block_on(async {
        let tasks: Vec<_> = (0..IN_FLIGHT)
            .map(|index| {
                let sender = Sender {
                    writer: writer.clone(),
                    policy: policy.clone(),
                    index,
                    counting: counting.clone(),
                    ended: ended.clone(),
                    events: events.clone(),
                    latencies_us: Vec::new(),
                };
                tokio::spawn(sender.run())
            })
            .collect();
        tokio::time::sleep(WARM_UP).await;
        counting.store(true, Ordering::Relaxed);
        tokio::time::sleep(length).await;
        counting.store(false, Ordering::Relaxed);
        ended.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.expect("a sender does not panic"));
        }
        all
    });
    writer.stop();
    latencies.sort_unstable();
    let at =
        |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or(0) as f64 / 1e3;
    let rate = events.load(Ordering::Relaxed) as f64 / length.as_secs_f64();
    let began = Instant::now();
    let (store, state) = Store::open(folder, &policy)?;
    let start = began.elapsed().as_secs_f64();
    let recount = store.reader().recount()?;
    let differing = state.tally.iter().filter(|(key, value)| recount.cells.get(*key) != Some(value)).count()
        + recount.cells.len().abs_diff(state.tally.iter().count());
    let row = |measure: &str, value: f64, unit: &str, target: &str, holds: bool| serde_json::json!({"measure": measure, "value": value, "unit": unit, "target": target, "holds": holds});
    Ok(vec![
        row("durable events, 64 in flight", rate.round(), "1/s", "≥ 15000", rate >= 15_000.0),
        row("durable events, p50", at(50), "ms", "", true),
        row("durable events, p99", at(99), "ms", "≤ 20", at(99) <= 20.0),
        row("start of the store", start, "s", "", true),
        row("tally oracle, divergences", differing as f64, "cells", "0", differing == 0),
    ])
}

struct Sender {
    writer: Writer,
    policy: Arc<Policy>,
    index: usize,
    counting: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
    events: Arc<AtomicU64>,
    latencies_us: Vec<u64>,
}

impl Sender {
    async fn run(mut self) -> Vec<u64> {
        let mut round = self.index;
        while !self.ended.load(Ordering::Relaxed) {
            let Some(case) = self.send(self.report(round)).await.and_then(|answer| answer.case) else {
                break;
            };
            for command in self.steps(case, round) {
                if self.send(command).await.is_none() || self.ended.load(Ordering::Relaxed) {
                    return self.latencies_us;
                }
            }
            round += IN_FLIGHT;
        }
        self.latencies_us
    }

    fn report(&self, round: usize) -> Command {
        let pick = |length: usize| (round * 7 + self.index) % length;
        let report = Report {
            source: self.policy.sources[pick(self.policy.sources.len())].code.clone(),
            class: self.policy.classes[pick(self.policy.classes.len())].code.clone(),
            area: self.policy.areas[pick(self.policy.areas.len())].code.clone(),
            condition: None,
            address: format!("拓东路 {round} 号"),
            description: "人行道雨水箅子缺失，已放置警示标志".to_owned(),
            place: domain::place::Point::from_degrees(25.04, 102.72),
            priority: domain::case::Priority::Ordinary,
            base_count: 1,
            reporter: None,
            external: None,
        };
        Command::ReportCase { report, at: None }
    }

    fn steps(&self, case: CaseId, round: usize) -> [Command; 8] {
        let department = self.policy.departments[round % self.policy.departments.len()].code.clone();
        let note = String::new();
        [
            Command::ClaimCase { case },
            Command::AcceptCase { case },
            Command::FileCase { case },
            Command::DispatchCase { case, department, limit: None },
            Command::FinishDisposal { case, note: "已处置".to_owned() },
            Command::GiveFeedback { case, note: note.clone() },
            Command::PassCheck { case, note: note.clone() },
            Command::CloseCase { case, note },
        ]
    }

    async fn send(&mut self, command: Command) -> Option<Answer> {
        let counting = self.counting.load(Ordering::Relaxed);
        let began = Instant::now();
        let envelope = Envelope { key: Uuid::now_v7(), actor: "bench".to_owned(), command };
        let answer = self.writer.send(envelope).await.ok()?;
        if counting {
            self.latencies_us.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            self.events.fetch_add(answer.last_seq + 1 - answer.first_seq, Ordering::Relaxed);
        }
        Some(answer)
    }
}
