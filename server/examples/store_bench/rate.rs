//! Durable events a second and their latency with 64 commands in flight, one event each; then the start on that store.
//!
//! Cases are driven round the whole loop, so that reports, steps, clocks, tallies, keys and lists all take part.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::case::Step;
use domain::code::CaseId;
use domain::command::Command;
use domain::event::By;
use domain::policy::Policy;
use domain::state::State;
use server::clock::Clock;
use server::events::Newest;
use server::writer::store::Store;
use server::writer::{self, Answer, Committed, Envelope, Publisher, Writer};
use uuid::Uuid;

use super::{Row, at_least, at_most, plain, raw, report, threads};

const IN_FLIGHT: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);

/// Names the threads that send.
const SENDERS: &str = "senders";
/// The log's file in its folder.
const LOG: &str = "gridhall.db";

/// How many events each group of the writer held.
#[derive(Clone, Default)]
struct Groups(Arc<Mutex<Vec<u64>>>);

impl Publisher for Groups {
    fn start(&mut self, _: u64, _: &State, _: Option<Newest>) {}

    fn publish(&mut self, _: &State, committed: &[Committed]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(committed.len() as u64);
    }
}

pub fn measure(folder: &Path, length: Duration) -> anyhow::Result<Vec<Row>> {
    let policy = super::policy()?;
    let (store, state) = Store::open(&folder.join("store"), &policy)?;
    let policy = Arc::new(policy);
    let groups = Groups::default();
    let writer = writer::spawn_with(store, state, Box::new(groups.clone()), Clock::machine());
    let counting = Arc::new(AtomicBool::new(false));
    let ended = Arc::new(AtomicBool::new(false));
    let events = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(SENDERS)
        .enable_time()
        .build()?;
    let (mut latencies, sending): (Vec<u64>, f64) = runtime.block_on(async {
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
        let before = threads::seconds(SENDERS)?;
        tokio::time::sleep(length).await;
        let sending = threads::seconds(SENDERS)? - before;
        counting.store(false, Ordering::Relaxed);
        ended.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.context("a sender panicked")?);
        }
        anyhow::Ok((all, sending))
    })?;
    writer.stop();
    latencies.sort_unstable();
    let at =
        |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or(0) as f64 / 1e3;
    let rate = events.load(Ordering::Relaxed) as f64 / length.as_secs_f64();
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let began = Instant::now();
    let (store, state) = Store::open(&folder.join("store"), &policy)?;
    let start = began.elapsed().as_secs_f64();
    let recount = store.reader().recount()?;
    let differing = state.tally.iter().filter(|(key, value)| recount.cells.get(*key) != Some(value)).count()
        + recount.cells.len().abs_diff(state.tally.iter().count());
    drop(store);
    let groups = std::mem::take(&mut *groups.0.lock().unwrap_or_else(PoisonError::into_inner));
    let limit = raw::events_per_second(&folder.join("store").join(LOG), &folder.join("raw"), &groups)?;
    let durable = at_least("durable events, 64 in flight", rate.round(), "1/s", 30_000.0);
    Ok(vec![
        Row {
            generators: Some(sending / length.as_secs_f64() / cores),
            ..durable.beside("raw SQLite inserts of the same rows in the same groups", limit.round(), 0.5)
        },
        plain("the same: events in a group, mean", mean(&groups), "events"),
        plain("durable events, p50", at(50), "ms"),
        at_most("durable events, p99", at(99), "ms", 20.0),
        plain("start of the store after that", start, "s"),
        at_most("tally oracle (SQL recount), divergences", differing as f64, "cells", 0.0),
    ])
}

fn mean(groups: &[u64]) -> f64 {
    groups.iter().sum::<u64>() as f64 / groups.len().max(1) as f64
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
            Step::ACCEPT.take(case),
            Step::FILE.take(case),
            Step::DISPATCH.take_for(case, department),
            Step::DISPOSE.take_with(case, "已处置"),
            Step::FEEDBACK.take_with(case, &note),
            Step::CHECK.take_with(case, &note),
            Step::CLOSE.take_with(case, &note),
        ]
    }

    async fn send(&mut self, command: Command) -> Option<Answer> {
        let counting = self.counting.load(Ordering::Relaxed);
        let began = Instant::now();
        let envelope = Envelope {
            world: server::world::Live,
            key: Uuid::now_v7(),
            by: By::named("bench"),
            department: None,
            scope: domain::scope::Scope::All,
            seen: None,
            command,
        };
        let answer = self.writer.send(envelope).await.ok()?;
        if counting {
            self.latencies_us.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            self.events.fetch_add(answer.last_seq + 1 - answer.first_seq, Ordering::Relaxed);
        }
        Some(answer)
    }
}
