//! `gridhall check`: whether a store is whole, and whether everything derived from its events agrees with them.
//!
//! Reads only and in pages, so it may run beside a server and needs the same memory at any size: rows are read once in
//! order, and lists are held against the events of a few cases at a time. Counting all tallies anew needs the whole
//! history at once and is a check of its own ([`recounted`]). Every finding is listed; none stops the others.

use std::collections::BTreeMap;
use std::path::Path;

use domain::policy::Policy;
use domain::state::State;
use domain::tally::{Count, TallyKey};
use rusqlite::Connection;
use serde::Serialize;

use super::projection::{self, Kind};
use super::{BESIDE, DATABASE, LOCK, Projection, StoreError, int, reader, recount, replay};
use crate::log::check::LISTED_MAX;
use crate::log::sqlite::{SqliteReader, file, schema};
use crate::log::{READ_ROWS_MAX, Read, shelf, sqlite};
use crate::stored::state;

/// Cases or whistles held against their rows at a time.
const IDS: i64 = 100;

/// What was looked at and what was found.
#[must_use = "a report that nobody asks is no check"]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub epoch: String,
    /// Last sequence number.
    pub head: u64,
    pub events: u64,
    pub commands: u64,
    pub persons: u64,
    pub cases: u64,
    pub whistles: u64,
    /// Counted anew; none unless that was asked for.
    pub tally_cells: Option<u64>,
    pub snapshots: u64,
    /// Files beside the events that are not there: a store that was only imported has none.
    pub missing: Vec<String>,
    /// What was not looked at, and why.
    pub unproved: Vec<String>,
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
        let cells = self.tally_cells.map_or_else(|| "not counted anew".to_owned(), |cells| cells.to_string());
        let mut text = format!(
            "epoch {}  events {}  head {}  keys {}  persons {}  cases {}  whistles {}  tally cells {cells}  snapshots {}\n",
            self.epoch,
            self.events,
            self.head,
            self.commands,
            self.persons,
            self.cases,
            self.whistles,
            self.snapshots
        );
        if !self.missing.is_empty() {
            text.push_str(&format!(
                "not here: {} (accounts and tokens; positions and tracks)\n",
                self.missing.join(", ")
            ));
        }
        for unproved in &self.unproved {
            text.push_str(&format!("not proved: {unproved}\n"));
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
    let log = SqliteReader::open(dir)?;
    let conn = reader::open(&path)?;
    let mut report = Report { epoch: format!("{:016x}", log.epoch()), ..Report::default() };
    pages(&conn, dir, &path, DATABASE, &mut report)?;
    let found = crate::log::check::check(&log)?;
    report.head = found.head.seq;
    (report.events, report.commands, report.persons) = (found.events, found.commands, found.persons);
    let sound = found.problems.is_empty();
    report.problems.extend(found.problems);
    if found.unlisted > 0 {
        report.problems.push(format!("… and {} more findings in the log", found.unlisted));
    }
    if sound {
        lists(&conn, &path, policy, &mut report)?;
    }
    snapshots(dir, log.epoch(), &mut report);
    for name in BESIDE {
        beside(dir, name, &mut report);
    }
    Ok(report)
}

/// As [`check`], and counts all tallies anew from the events by SQL, and holds every snapshot against a replay. Memory and
/// time are those of the whole history, and one read goes on for all of it: for a stopped server or a restored backup.
pub fn recounted(dir: &Path, policy: &Policy) -> Result<Report, StoreError> {
    let mut report = check(dir, policy)?;
    if !report.is_sound() {
        return Ok(report);
    }
    let path = dir.join(DATABASE);
    let (log, conn) = (SqliteReader::open(dir)?, reader::open(&path)?);
    let failed = |source| StoreError::sql(&path, "read", source);
    conn.execute_batch("BEGIN").map_err(failed)?;
    let counted = recount::recount(&conn, &path, policy.utc_offset_minutes)?;
    conn.execute_batch("COMMIT").map_err(failed)?;
    let mut state = State::new(policy);
    let snapshots: BTreeMap<u64, shelf::Kept> =
        shelf::list(dir).into_iter().map(|kept| (kept.seq, kept)).collect();
    replay::each(&log, &path, 0, |recorded| {
        if recorded.seq > counted.seq {
            return Ok(());
        }
        state.apply(&recorded);
        if let Some(kept) = snapshots.get(&recorded.seq) {
            same_as_replayed(kept, log.epoch(), &state, &mut report);
        }
        Ok(())
    })?;
    let kept: BTreeMap<&TallyKey, Count> = state.tally.iter().collect();
    report.tally_cells = Some(kept.len() as u64);
    for difference in differences(&kept, &counted.cells) {
        report.problems.push(format!("tally: {difference}"));
    }
    Ok(report)
}

/// Whether a server has the folder.
fn is_in_use(dir: &Path) -> bool {
    let lock = std::fs::File::open(dir.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

/// Walks the pages, unless that would hold a running server's write-ahead log for long.
fn pages(
    conn: &Connection,
    dir: &Path,
    path: &Path,
    name: &str,
    report: &mut Report,
) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
    if bytes > file::QUICK_CHECK_BYTES_MAX && is_in_use(dir) {
        let why = "the server is running; ask again when it is stopped, or check a restored backup";
        report.unproved.push(format!("pages of {name}: {why}"));
        return Ok(());
    }
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

/// A file beside the events: its pages, which is all that can be held against it.
fn beside(dir: &Path, name: &str, report: &mut Report) {
    let path = dir.join(name);
    if !path.exists() {
        report.missing.push(name.to_owned());
        return;
    }
    let walked = reader::open(&path).and_then(|conn| pages(&conn, dir, &path, name, report));
    if let Err(error) = walked {
        report.problems.push(format!("{name}: {}", error.chain()));
    }
}

/// Holds the tables of lists against the events, a few cases and whistles at a time.
fn lists(conn: &Connection, path: &Path, policy: &Policy, report: &mut Report) -> Result<(), StoreError> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('cases', 'case_areas', 'whistles')";
    let tables: i64 =
        conn.query_row(sql, [], |row| row.get(0)).map_err(|source| StoreError::sql(path, "read", source))?;
    if tables < 3 {
        report.unproved.push("lists: a restored store makes them at its first start".to_owned());
        return Ok(());
    }
    let mut listed = 0;
    let mut found = Vec::new();
    let mut differ = |what: String| {
        listed += 1;
        if listed <= LISTED_MAX {
            found.push(what);
        }
    };
    report.cases = rows_of(conn, path, policy, Kind::Cases, &mut differ)?;
    report.whistles = rows_of(conn, path, policy, Kind::Whistles, &mut differ)?;
    report.problems.append(&mut found);
    if listed > LISTED_MAX {
        report.problems.push(format!("… and {} more rows that differ from the events", listed - LISTED_MAX));
    }
    Ok(())
}

fn rows_of(
    conn: &Connection,
    path: &Path,
    policy: &Policy,
    kind: Kind,
    differ: &mut impl FnMut(String),
) -> Result<u64, StoreError> {
    let failed = |source| StoreError::sql(path, "read the lists of", source);
    let (column, table) = (kind.column(), kind.table());
    let last = format!(
        "SELECT max(coalesce((SELECT max({column}) FROM events), 0), coalesce((SELECT max(id) FROM {table}), 0))"
    );
    let last: i64 = conn.query_row(&last, [], |row| row.get(0)).map_err(failed)?;
    let (mut from, mut rows) = (1, 0);
    while from <= last {
        let ids = (from, from + IDS - 1);
        // One transaction for these few: a server may go on writing.
        conn.execute_batch("BEGIN").map_err(failed)?;
        let newest = folded(conn, path, policy, kind, ids)?;
        let offset = policy.utc_offset_minutes;
        rows += projection::differences(conn, kind, ids, &newest, offset, differ).map_err(failed)?;
        conn.execute_batch("COMMIT").map_err(failed)?;
        from += IDS;
    }
    Ok(rows)
}

/// What the events of these cases or whistles make of them, as far as the lists have come.
fn folded(
    conn: &Connection,
    path: &Path,
    policy: &Policy,
    kind: Kind,
    ids: (i64, i64),
) -> Result<Projection, StoreError> {
    let covered = schema::meta(conn, path, super::lists::COVERED)?.and_then(|text| text.parse().ok());
    let covered: i64 = covered.unwrap_or(i64::MAX);
    let column = kind.column();
    let which = format!("{column} BETWEEN ?1 AND ?2 AND seq > ?3 AND seq <= ?4 ORDER BY seq LIMIT ?5");
    let mut state = State::new(policy);
    let mut newest = Projection::default();
    let mut after = 0;
    loop {
        let values = [ids.0, ids.1, int(after), covered, READ_ROWS_MAX as i64];
        let page = sqlite::events_where(conn, path, &which, values, READ_ROWS_MAX)?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for row in &page {
            let recorded = replay::recorded(row, path)?;
            // Their own events are enough for what they are; what they are not about is not looked at.
            state.seq = recorded.seq - 1;
            let changes = state.apply(&recorded);
            newest.note(&recorded, &changes);
        }
    }
    newest.keep(kind);
    Ok(newest)
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

/// Every snapshot must be usable by this version, or be of another one.
fn snapshots(dir: &Path, epoch: u64, report: &mut Report) {
    use crate::log::container::Unusable;
    let known = state::known(&state::SECTIONS);
    for kept in shelf::list(dir) {
        report.snapshots += 1;
        let name = shelf::name(kept.seq, kept.day);
        let opened = shelf::open(&kept.path, epoch, u64::MAX, &known);
        match opened.and_then(|container| state::decode(&container, &state::SECTIONS)) {
            Ok(_) => {}
            Err(why @ (Unusable::Layout(_) | Unusable::Unknown(_) | Unusable::Newer { .. })) => {
                tracing::info!(name, %why, "snapshot not used by this version");
            }
            Err(why) => report.problems.push(format!("snapshot {name}: {why}")),
        }
    }
}

/// A snapshot must equal the replayed state, but for codes of the policy that holds today.
fn same_as_replayed(kept: &shelf::Kept, epoch: u64, replayed: &State, report: &mut Report) {
    let known = state::known(&state::SECTIONS);
    let opened = shelf::open(&kept.path, epoch, u64::MAX, &known);
    let Ok(loaded) = opened.and_then(|container| state::decode(&container, &state::SECTIONS)) else { return };
    let same = loaded.guessed != state::Guessed::default()
        || (loaded.state.tally == replayed.tally
            && loaded.state.cases == replayed.cases
            && loaded.state.whistles == replayed.whistles
            && loaded.state.deadlines == replayed.deadlines);
    if !same {
        let name = shelf::name(kept.seq, kept.day);
        report.problems.push(format!("snapshot {name}: differs from its events"));
    }
}
