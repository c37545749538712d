//! What only the server's own library can be asked about a store: any past instant of the hall, rebuilt.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use domain::policy::Policy;
use serde::Serialize;
use server::log::Read;
use server::log::sqlite::SqliteReader;

use super::instant::at;

/// Instants that are rebuilt, spread over the whole log; each lies somewhere between two snapshots.
const INSTANTS: u64 = 60;

/// One measured number and what it should be.
#[derive(Debug, Serialize)]
pub struct Row {
    measure: String,
    value: f64,
    unit: &'static str,
    target: Option<String>,
    holds: Option<bool>,
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
        times.push(began.elapsed().as_secs_f64());
        replayed = replayed.max(events);
        ensure!(state.seq == head * instant / INSTANTS, "the hall was rebuilt for event {}", state.seq);
    }
    times.sort_by(f64::total_cmp);
    let plain = |measure: &str, value, unit| Row {
        measure: measure.to_owned(),
        value,
        unit,
        target: None,
        holds: None,
    };
    let slowest = times[times.len() - 1];
    Ok(vec![
        plain("events in the log", head as f64, "events"),
        plain("any past instant rebuilt, p50", times[times.len() / 2], "s"),
        Row {
            target: Some("≤ 3".to_owned()),
            holds: Some(slowest <= 3.0),
            ..plain("any past instant rebuilt, the slowest", slowest, "s")
        },
        plain("the same: most events replayed for one", replayed as f64, "events"),
    ])
}
