//! Durable events a second and their latency with 64 commands in flight, one event each; then the start on that store.
//!
//! Cases are driven round the whole loop, so that reports, steps, clocks, tallies, keys and lists all take part.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::code::CaseId;
use domain::command::Command;
use domain::policy::Policy;
use server::store::Store;
use server::writer::{self, Answer, Envelope, Writer};
use uuid::Uuid;

use super::{Row, at_least, at_most, plain, report};

const IN_FLIGHT: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);

pub fn measure(folder: &Path, length: Duration) -> anyhow::Result<Vec<Row>> {
    let policy = super::policy()?;
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
    Ok(vec![
        at_least("durable events, 64 in flight", rate.round(), "1/s", 15_000.0),
        plain("durable events, p50", at(50), "ms"),
        at_most("durable events, p99", at(99), "ms", 20.0),
        plain("start of the store after that", start, "s"),
        at_most("tally oracle (SQL recount), divergences", differing as f64, "cells", 0.0),
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
            let Some(case) = self
                .send(Command::ReportCase { report: report(&self.policy, round), at: None })
                .await
                .and_then(|answer| answer.case)
            else {
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
        let envelope = Envelope { key: Uuid::now_v7(), actor: "bench".to_owned(), department: None, command };
        let answer = self.writer.send(envelope).await.ok()?;
        if counting {
            self.latencies_us.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            self.events.fetch_add(answer.last_seq + 1 - answer.first_seq, Ordering::Relaxed);
        }
        Some(answer)
    }
}
