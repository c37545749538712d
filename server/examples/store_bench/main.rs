//! Measures the store: durable events a second, and a million open deadlines.
//!
//! `cargo run --release -p server --example store_bench [-- SECONDS [FOLDER [DEADLINES]]]` prints JSON rows
//! `{measure, value, unit, target, holds, limit, generators}`. The folder should lie on the disk that is to be measured.
//!
//! What should be here: arguments, rows, the cases that are reported. What should not: the measurements (`rate` with its
//! limit `raw`, `deadlines`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use domain::case::Report;
use domain::policy::Policy;
use serde::{Deserialize, Serialize};

mod rate;
mod raw;
mod threads;
mod deadlines;

const DEADLINES: usize = 1_000_000;

/// One measured number and what it should be.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    measure: String,
    value: f64,
    unit: String,
    target: Option<String>,
    holds: Option<bool>,
    /// What this machine can do of the same kind, where the measure depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    /// Share of the whole machine that the load took for itself while this was measured, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generators: Option<f64>,
}

/// A bare stand-in for the product doing the same work, measured in the same run in the row's own unit.
#[derive(Debug, Serialize, Deserialize)]
struct Limit {
    what: String,
    value: f64,
    /// The share of it that is asked for, in words.
    share: String,
}

impl Row {
    /// Holds when it reaches `least` of what the machine can do; the absolute target then only informs.
    fn beside(self, what: &str, value: f64, least: f64) -> Self {
        let limit = Limit { what: what.to_owned(), value, share: format!("≥ {least}") };
        Self { holds: Some(self.value >= least * value), limit: Some(limit), ..self }
    }
}

fn plain(measure: impl Into<String>, value: f64, unit: &str) -> Row {
    let (measure, unit) = (measure.into(), unit.to_owned());
    Row { measure, value, unit, target: None, holds: None, limit: None, generators: None }
}

fn at_most(measure: impl Into<String>, value: f64, unit: &str, most: f64) -> Row {
    Row { target: Some(format!("≤ {most}")), holds: Some(value <= most), ..plain(measure, value, unit) }
}

fn at_least(measure: impl Into<String>, value: f64, unit: &str, least: f64) -> Row {
    Row { target: Some(format!("≥ {least}")), holds: Some(value >= least), ..plain(measure, value, unit) }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| match arguments.get(at) {
        Some(text) => text.parse::<usize>().with_context(|| format!("`{text}` is not a number")),
        None => Ok(default),
    };
    if arguments.first().is_some_and(|first| first == deadlines::FILL) {
        let folder = arguments.get(1).context("no folder to fill")?;
        return deadlines::fill(Path::new(folder), number(2, DEADLINES)?);
    }
    let parent = arguments.get(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let mut rows = in_folder(&parent, "rate", |folder| {
        rate::measure(folder, Duration::from_secs(number(0, 10)? as u64))
    })?;
    rows.extend(in_folder(&parent, "deadlines", |folder| deadlines::measure(folder, number(2, DEADLINES)?))?);
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&rows)?)?;
    Ok(())
}

/// Runs `measure` in a new folder of `parent`, which goes afterwards.
fn in_folder(
    parent: &Path,
    name: &str,
    measure: impl FnOnce(&Path) -> anyhow::Result<Vec<Row>>,
) -> anyhow::Result<Vec<Row>> {
    let folder = parent.join(format!("gridhall-store-bench-{}-{name}", std::process::id()));
    let rows = measure(&folder);
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    rows
}

fn policy() -> anyhow::Result<Policy> {
    Ok(toml::from_str(include_str!("../../../config/policy.toml"))?)
}

/// A case as reported, another one for each `round`.
fn report(policy: &Policy, round: usize) -> Report {
    let pick = |length: usize| (round * 7 + round / 64) % length;
    Report {
        source: policy.sources[pick(policy.sources.len())].code.clone(),
        class: policy.classes[pick(policy.classes.len())].code.clone(),
        area: policy.areas[pick(policy.areas.len())].code.clone(),
        condition: None,
        address: format!("拓东路 {round} 号"),
        description: "人行道雨水箅子缺失，已放置警示标志".to_owned(),
        place: domain::place::Point::from_degrees(25.04, 102.72),
        priority: domain::case::Priority::Ordinary,
        base_count: 1,
        reporter: None,
        external: None,
    }
}
