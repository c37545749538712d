//! `gridhall check`: whether a store is whole, and whether everything derived from its events agrees with them.
//!
//! Reads only, so it may run beside a server. Every finding is listed; none stops the others.

use std::collections::BTreeMap;
use std::path::Path;

use domain::policy::Policy;
use domain::state::State;
use domain::tally::{Count, TallyKey};
use rusqlite::Connection;
use serde::Serialize;

use super::{
    BESIDE, DATABASE, Projection, StoreError, int, natural, projection, reader, recount, replay, schema,
    snapshot,
};

/// Findings of one kind listed one by one.
const LISTED_MAX: usize = 20;

/// What was looked at and what was found.
#[must_use = "a report that nobody asks is no check"]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub epoch: String,
    /// Last sequence number.
    pub head: u64,
    pub events: u64,
    pub cases: u64,
    pub whistles: u64,
    pub tally_cells: u64,
    pub snapshots: u64,
    /// Files beside the events that are not there: a store that was only imported has none.
    pub missing: Vec<String>,
    /// What is wrong; empty for a sound store.
    pub problems: Vec<String>,
}

impl Report {
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "epoch {}  events {}  head {}  cases {}  whistles {}  tally cells {}  snapshots {}\n",
            self.epoch, self.events, self.head, self.cases, self.whistles, self.tally_cells, self.snapshots
        );
        if !self.missing.is_empty() {
            text.push_str(&format!(
                "not here: {} (accounts and tokens; positions and tracks)\n",
                self.missing.join(", ")
            ));
        }
        for problem in &self.problems {
            text.push_str(&format!("problem: {problem}\n"));
        }
        text.push_str(if self.is_sound() { "sound\n" } else { "NOT SOUND\n" });
        text
    }
}

/// Checks the store in `dir`. The policy decides the offset from UTC by which days are counted.
pub fn check(dir: &Path, policy: &Policy) -> Result<Report, StoreError> {
    let path = dir.join(DATABASE);
    match schema::probe(dir)? {
        schema::Found::Nothing => return Err(StoreError::Missing { path: dir.to_owned() }),
        schema::Found::Store => {}
    }
    let conn = reader::open(&path)?;
    let failed = |source| StoreError::sql(&path, "read", source);
    // One transaction: a server may go on writing.
    conn.execute_batch("BEGIN").map_err(failed)?;
    let mut report = Report::default();
    integrity(&conn, &path, "database", &mut report)?;
    let epoch = schema::epoch(&conn, &path)?;
    report.epoch = format!("{epoch:016x}");
    report.head = replay::head(&conn, &path)?;
    let state = replayed(&conn, &path, policy, &mut report)?;
    if let Some(state) = &state {
        tallies(&conn, &path, policy, state, &mut report)?;
        keys(&conn, &path, &mut report)?;
    }
    snapshots(dir, epoch, policy, state.as_ref(), &mut report);
    conn.execute_batch("COMMIT").map_err(failed)?;
    for name in BESIDE {
        if let Err(error) = beside(dir, name, &mut report) {
            report.problems.push(format!("{name}: {}", error.chain()));
        }
    }
    Ok(report)
}

/// A file beside the events: its pages, which is all that can be held against it.
fn beside(dir: &Path, name: &str, report: &mut Report) -> Result<(), StoreError> {
    let path = dir.join(name);
    if !path.exists() {
        report.missing.push(name.to_owned());
        return Ok(());
    }
    integrity(&reader::open(&path)?, &path, name, report)
}

fn integrity(conn: &Connection, path: &Path, name: &str, report: &mut Report) -> Result<(), StoreError> {
    let failed = |source| StoreError::sql(path, "check", source);
    let mut statement = conn.prepare("PRAGMA integrity_check(20)").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let said: String = row.get(0).map_err(failed)?;
        if said != "ok" {
            report.problems.push(format!("{name}: {}", said.replace('\n', "; ")));
        }
    }
    Ok(())
}

/// Replays every event, which verifies checksums and the sequence, and holds cases and whistles against their rows.
fn replayed(
    conn: &Connection,
    path: &Path,
    policy: &Policy,
    report: &mut Report,
) -> Result<Option<State>, StoreError> {
    let mut state = State::new(policy);
    let mut newest = Projection::default();
    let mut events = 0;
    let read = replay::each(conn, path, 0, |recorded| {
        events += 1;
        let changes = state.apply(&recorded);
        newest.note(&recorded, &changes);
        Ok(())
    });
    report.events = events;
    if let Err(error) = read {
        report.problems.push(format!("events: {}", error.chain()));
        return Ok(None);
    }
    let mut listed = 0;
    let mut differ = |what: String| {
        listed += 1;
        if listed <= LISTED_MAX {
            report.problems.push(what);
        }
    };
    let rows = projection::Rows::read(conn).map_err(|source| StoreError::sql(path, "read", source))?;
    projection::differences(&rows, &newest, policy.utc_offset_minutes, &mut differ);
    if listed > LISTED_MAX {
        report.problems.push(format!("… and {} more rows that differ from the events", listed - LISTED_MAX));
    }
    report.cases = rows.cases.len() as u64;
    report.whistles = rows.whistles.len() as u64;
    Ok(Some(state))
}

fn tallies(
    conn: &Connection,
    path: &Path,
    policy: &Policy,
    state: &State,
    report: &mut Report,
) -> Result<(), StoreError> {
    let counted = recount::recount(conn, path, policy.utc_offset_minutes)?;
    let kept: BTreeMap<&TallyKey, Count> = state.tally.iter().collect();
    report.tally_cells = kept.len() as u64;
    for difference in differences(&kept, &counted.cells) {
        report.problems.push(format!("tally: {difference}"));
    }
    Ok(())
}

/// Cells that are not the same on both sides, the first of them in words.
fn differences(kept: &BTreeMap<&TallyKey, Count>, counted: &BTreeMap<TallyKey, Count>) -> Vec<String> {
    let missing = counted.iter().filter(|(key, _)| !kept.contains_key(key));
    let missing =
        missing.map(|(key, value)| format!("{key} is not kept, the events count {}", words(*value)));
    let other = kept.iter().filter_map(|(key, value)| match counted.get(*key) {
        Some(counted) if counted == value => None,
        Some(counted) => {
            Some(format!("{key} is kept as {}, the events count {}", words(*value), words(*counted)))
        }
        None => Some(format!("{key} is kept as {}, the events count none", words(*value))),
    });
    missing.chain(other).take(LISTED_MAX).collect()
}

fn words(count: Count) -> String {
    format!("{} ({} by weight)", count.cases, count.base)
}

/// Every key must point at events that exist, and every event must have its key.
fn keys(conn: &Connection, path: &Path, report: &mut Report) -> Result<(), StoreError> {
    let count = |sql: &str| -> Result<u64, StoreError> {
        conn.query_row(sql, [int(report.head)], |row| row.get(0))
            .map(natural)
            .map_err(|source| StoreError::sql(path, "read the keys of", source))
    };
    let beyond = count("SELECT count(*) FROM keys WHERE last_seq > ?1")?;
    let without = count(
        "SELECT count(*) FROM events WHERE seq <= ?1 AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.key = events.key)",
    )?;
    if beyond > 0 {
        report.problems.push(format!("keys: {beyond} point beyond the last event"));
    }
    if without > 0 {
        report.problems.push(format!("keys: {without} events have none"));
    }
    Ok(())
}

/// Every snapshot must be usable; one at the head must equal the replayed state.
fn snapshots(dir: &Path, epoch: u64, policy: &Policy, state: Option<&State>, report: &mut Report) {
    for path in snapshot::list(dir) {
        report.snapshots += 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                report.problems.push(format!("snapshot {name}: cannot be read: {error}"));
                continue;
            }
        };
        match snapshot::decode(&bytes, epoch, policy.utc_offset_minutes, u64::MAX) {
            // A snapshot written while this check runs may be ahead of what it sees.
            Ok(kept) => {
                let same = state.filter(|state| state.seq == kept.seq);
                if same.is_some_and(|state| state.tally != kept.tally || state.cases != kept.cases) {
                    report.problems.push(format!("snapshot {name}: differs from its events"));
                }
            }
            Err(why @ (snapshot::Unusable::Version | snapshot::Unusable::Offset)) => {
                tracing::info!(name, %why, "snapshot not used by this version or policy");
            }
            Err(why) => report.problems.push(format!("snapshot {name}: {why}")),
        }
    }
}
