//! A store of three years beside one of a month: both are made, measured by the same programs, and laid side by side.
//!
//! What should be here: the two stores and how their rows stand together. What should not: making stores (the server's
//! example `history`), measuring (`sim bench history`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Limit, Name, Row, example, rows_of, simulator};
use crate::process;
use crate::repo::{Profile, Repo};

pub(super) const DAYS: u64 = 1_096;
const MONTH_DAYS: u64 = 30;
/// What the store of so many cases may take at most.
const CASES: u64 = 8_000_000;
const MADE_SECONDS: f64 = 1_800.0;
const MADE_GIGABYTES: f64 = 50.0;
/// A row of the long store may be worse than that of the short one by so much.
const WORSE_MAX: f64 = 1.2;

pub fn measure(repo: &Repo, cases: u64, keep: Option<&Path>) -> Result<Vec<Row>> {
    let folder = keep.map_or_else(|| repo.target.join("bench-history"), Path::to_path_buf);
    let mut month = one(repo, &folder.join("month"), (cases * MONTH_DAYS).div_ceil(DAYS), MONTH_DAYS)?;
    let mut years = one(repo, &folder.join("years"), cases, DAYS)?;
    if keep.is_none() {
        // Last of all: nothing but a build to come opens a store afterwards.
        month.extend(upgraded(repo, &folder.join("month"))?);
        years.extend(upgraded(repo, &folder.join("years"))?);
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(side_by_side(years, &month))
}

/// Each row with the one of its name at a month, "the same" taken for the row it refers to.
fn side_by_side(years: Vec<Row>, month: &[Row]) -> Vec<Row> {
    let heads = heads(&years);
    let known = heads_of(month);
    let rows = years.into_iter().zip(heads);
    rows.map(|(row, head)| match known.get(&(head, row.measure.clone())) {
        Some(other) => beside(row, *other),
        None => row,
    })
    .collect()
}

/// For each row the measure it belongs to: its own, or the one before that "the same" refers to.
fn heads(rows: &[Row]) -> Vec<String> {
    let mut head = String::new();
    rows.iter()
        .map(|row| {
            if !row.measure.starts_with("the same") {
                head.clone_from(&row.measure);
            }
            head.clone()
        })
        .collect()
}

fn heads_of(rows: &[Row]) -> BTreeMap<(String, String), f64> {
    let named = rows.iter().zip(heads(rows));
    named.filter_map(|(row, head)| Some(((head, row.measure.clone()), row.value.as_f64()?))).collect()
}

/// Makes a store, unless it is there, and measures it.
fn one(repo: &Repo, folder: &Path, cases: u64, days: u64) -> Result<Vec<Row>> {
    println!("-- a store of {cases} cases over {days} days in {}", folder.display());
    let began = Instant::now();
    make(repo, folder, cases, days)?;
    let mut rows = vec![
        within("store made in", began.elapsed().as_secs_f64(), "s", MADE_SECONDS, cases),
        within("the same: on disk", folder_bytes(folder)? as f64 / 1e9, "GB", MADE_GIGABYTES, cases),
    ];
    rows.extend(rows_of(example(repo, "run", "history").args(["--", "measure"]).arg(folder))?);
    rows.extend(rows_of(simulator(repo, Name::History).arg("--store").arg(folder))?);
    Ok(rows)
}

/// Makes a store, unless the same is there.
pub(super) fn make(repo: &Repo, folder: &Path, cases: u64, days: u64) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut make = example(repo, "run", "history");
    make.args(["--", "make"]).arg(folder);
    process::run(make.args(["--cases", &cases.to_string(), "--days", &days.to_string()]))
}

/// What 8 million cases may take, and fewer in proportion.
fn within(measure: &str, value: f64, unit: &str, most: f64, cases: u64) -> Row {
    let most = most * cases as f64 / CASES as f64;
    let target = Value::from(format!("≤ {most:.1}"));
    Row { target, holds: Some(value <= most), ..Row::plain(measure, value, unit) }
}

/// Bytes of all files below a folder.
fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot look into {}", folder.display()))? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { folder_bytes(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}

/// The store as a build to come opens it.
fn upgraded(repo: &Repo, folder: &Path) -> Result<Vec<Row>> {
    let mut history = example(repo, "run", "history");
    history.args(["--", "upgrade"]).arg(folder);
    rows_of(history.arg("--older").arg(repo.binary("gridhall", Profile::Release)))
}

/// The row with its value at a month as its limit. It holds by its own target, or when it is no worse than at a month by
/// more than a fifth.
fn beside(row: Row, month: f64) -> Row {
    let target = row.target.as_str().unwrap_or_default();
    let more_is_better = target.starts_with('≥');
    let (share, near) = match row.value.as_f64() {
        Some(own) if more_is_better => (format!("≥ {:.2}", 1.0 / WORSE_MAX), own * WORSE_MAX >= month),
        Some(own) => (format!("≤ {WORSE_MAX}"), own <= month * WORSE_MAX),
        None => return row,
    };
    let holds = row.holds.map(|holds| holds || near);
    Row { holds, limit: Some(Limit { what: "at one month".to_owned(), value: month, share }), ..row }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(measure: &str, value: f64, target: &str, holds: bool) -> Row {
        Row { target: Value::from(target), holds: Some(holds), ..Row::plain(measure, value, "ms") }
    }

    #[test]
    fn a_row_of_years_holds_by_its_target_or_by_being_near_the_month() {
        let list = |value: f64, own: bool| beside(row("list", value, "≤ 100", own), 90.0).holds;
        assert_eq!([list(99.0, true), list(107.0, false), list(109.0, false)], [true, true, false].map(Some));
        let streams = |value: f64| beside(row("streams", value, "≥ 1000", false), 800.0).holds;
        assert_eq!([streams(700.0), streams(600.0)], [true, false].map(Some));
    }

    #[test]
    fn the_same_is_compared_with_what_it_belongs_to() {
        let month = [
            row("backup", 1.0, "≤ 60", true),
            row("the same: memory", 20.0, "≤ 256", true),
            row("check", 2.0, "", true),
            row("the same: memory", 50.0, "≤ 256", true),
        ];
        let years = vec![
            row("check", 9.0, "", true),
            row("the same: memory", 55.0, "≤ 256", true),
            row("only at years", 1.0, "≤ 2", true),
        ];
        let limits: Vec<Option<f64>> = side_by_side(years, &month)
            .iter()
            .map(|row| row.limit.as_ref().map(|limit| limit.value))
            .collect();
        assert_eq!(limits, [Some(2.0), Some(50.0), None]);
    }
}
