//! What only the server's own library can be asked about a store, as rows: any past instant of the hall, rebuilt; the store
//! opened by a build to come.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::policy::Policy;
use serde::Serialize;
use server::log::Read;
use server::log::sqlite::SqliteReader;

use super::instant::at;
use super::upgrade::Upgraded;

/// Instants that are rebuilt, spread over the whole log; each lies somewhere between two snapshots.
const INSTANTS: u64 = 60;
const MEBIBYTE: f64 = 1_048_576.0;

/// One measured number and what it should be.
#[derive(Debug, Serialize)]
pub struct Row {
    measure: String,
    value: f64,
    unit: &'static str,
    target: Option<String>,
    holds: Option<bool>,
}

impl Row {
    fn plain(measure: &str, value: f64, unit: &'static str) -> Self {
        Self { measure: measure.to_owned(), value, unit, target: None, holds: None }
    }

    fn at_most(measure: &str, value: f64, unit: &'static str, target: f64) -> Self {
        let (target, holds) = (Some(format!("≤ {target}")), Some(value <= target));
        Self { target, holds, ..Self::plain(measure, value, unit) }
    }
}

pub fn measure(dir: &Path, policy: &Policy) -> anyhow::Result<Vec<Row>> {
    let log = SqliteReader::open(dir).context("cannot open the log")?;
    let head = log.head()?.seq;
    ensure!(head > INSTANTS, "the log has {head} events");
    let mut times = Vec::new();
    let mut replayed = 0;
    for instant in 1..=INSTANTS {
        let began = Instant::now();
        let (state, events) = at(&log, dir, policy, head * instant / INSTANTS)?;
        times.push(began.elapsed());
        replayed = replayed.max(events);
        ensure!(state.seq == head * instant / INSTANTS, "the hall was rebuilt for event {}", state.seq);
    }
    Ok(vec![
        Row::plain("events in the log", head as f64, "events"),
        Row::plain("any past instant rebuilt, p50", share(&mut times, 0.5).as_secs_f64(), "s"),
        Row::at_most("any past instant rebuilt, the slowest", share(&mut times, 1.0).as_secs_f64(), "s", 3.0),
        Row::plain("the same: most events replayed for one", replayed as f64, "events"),
    ])
}

/// A store that a build to come has opened.
pub fn upgraded(seen: Upgraded) -> Vec<Row> {
    let Upgraded { guessed, serving, rebuilt, mut commands, mut pages, wal_bytes, events, closings, .. } =
        seen;
    let ms = |times: &mut [Duration]| share(times, 0.99).as_secs_f64() * 1_000.0;
    let start = "start of a release with other state, steps and lists";
    vec![
        Row::at_most(&format!("{start}: to a serving hall"), serving.as_secs_f64(), "s", 5.0),
        Row::plain(
            "the same: open cases whose added field was no more than a guess",
            guessed as f64,
            "cases",
        ),
        Row::plain("the same: until all lists were laid out anew", rebuilt.as_secs_f64(), "s"),
        Row::at_most("the same: commands meanwhile, p99", ms(&mut commands), "ms", 30.0),
        Row::at_most("the same: a page of closed cases meanwhile, p99", ms(&mut pages), "ms", 100.0),
        Row::at_most("the same: longest write-ahead log", wal_bytes as f64 / MEBIBYTE, "MiB", 128.0),
        Row::plain("the same: events of a replay that came to the same state", events as f64, "events"),
        Row::plain(
            "the same: closings that stand in the lists as in the replay",
            closings as f64,
            "closings",
        ),
    ]
}

/// The time that so much of them are no longer than.
fn share(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}
