//! `gridhall check`: whether a store is whole, and whether everything derived from its events agrees with them.
//!
//! Reads only and in pages, so it may run beside a server. Rows are read once in order, and once more for a replay that
//! snapshots and views are held against, in memory that does not grow with the history. Counting all tallies anew needs the
//! whole history at once and is a check of its own ([`recounted`]). Every finding is listed; none stops the others.

use std::collections::BTreeMap;
use std::path::Path;

use domain::case::CaseEvent;
use domain::event::{Event, HallEvent, Recorded};
use domain::policy::Policy;
use domain::tally::{Count, TallyKey};
use domain::whistle::WhistleEvent;
use rusqlite::Connection;
use serde::Serialize;

use crate::events::{genesis, replay};
use crate::folder::{self, BESIDE, DATABASE, LOCK, StoreError, WORLDS};
use crate::log::Read;
use crate::log::check::LISTED_MAX;
use crate::log::sqlite::{SqliteReader, file};
use crate::stored::cameras;
use crate::stored::policy::Genesis;
use crate::views::check::Against;
use crate::views::pool::Written;
use crate::views::{Belongs, ViewsError};

mod files;
mod recount;
mod snapshots;

pub use recount::Recount;

use files::Held;
use snapshots::Snapshots;

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
    /// Files of cases that events name and that lie there whole, and those that lie there without an event.
    pub files: u64,
    pub unnamed_files: u64,
    /// What the views hold, each compared with the event that closed it; none where there are none.
    pub laid_out: Option<LaidOut>,
    /// Files beside the events that are not there: a store that was only imported has none.
    pub missing: Vec<String>,
    /// What was not looked at, and why.
    pub unproved: Vec<String>,
    /// What is wrong; empty for a sound store.
    pub problems: Vec<String>,
}

/// Closed cases and calls in the views, and the runs whose columns were made anew from their rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LaidOut {
    pub cases: u64,
    pub whistles: u64,
    pub runs: u64,
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
            "epoch {}  events {}  head {}  keys {}  persons {}  cases {}  whistles {}  tally cells {cells}  snapshots {}  files {}\n",
            self.epoch,
            self.events,
            self.head,
            self.commands,
            self.persons,
            self.cases,
            self.whistles,
            self.snapshots,
            self.files
        );
        if let Some(LaidOut { cases, whistles, runs }) = self.laid_out {
            text.push_str(&format!(
                "lists: {cases} closed cases in {runs} runs, {whistles} closed whistles\n"
            ));
        }
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
    whole(dir, policy, false)
}

/// As [`check`], and counts all tallies anew from the events by SQL. Memory and time are those of the whole history, and
/// one read goes on for all of it: for a stopped server or a restored backup.
pub fn recounted(dir: &Path, policy: &Policy) -> Result<Report, StoreError> {
    whole(dir, policy, true)
}

fn whole(dir: &Path, policy: &Policy, recount: bool) -> Result<Report, StoreError> {
    let path = dir.join(DATABASE);
    let log = reader(dir)?;
    let genesis = genesis::read_or(&log, dir, policy)?;
    let conn = open(dir, &path)?;
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
    let usable = Snapshots::of(dir, &log, &genesis, &mut report)?;
    if sound {
        replayed(dir, (&log, &genesis), usable, recount, &mut report)?;
    }
    for name in BESIDE {
        beside(dir, name, &mut report);
    }
    let drills = folder::drills(dir);
    if drills > 0 {
        report.unproved.push(format!(
            "{drills} drills in {WORLDS}/, each a store of its own: `gridhall check --data-dir` with its folder looks at one"
        ));
    }
    Ok(report)
}

/// Follows the log from its first event and holds against the replay whatever was derived from it: every snapshot at its
/// event, every closing in the views, every file that an event names, and the tallies where they are counted anew. Memory is that of
/// what is open, and 40 bytes for each file.
fn replayed(
    dir: &Path,
    (log, genesis): (&SqliteReader, &Genesis),
    mut snapshots: Snapshots,
    recount: bool,
    report: &mut Report,
) -> Result<(), StoreError> {
    let path = dir.join(DATABASE);
    let mut held = Held::of(dir)?;
    let mut views = views(dir, (log, genesis), report);
    let counted = recount.then(|| recount::recount(&path, genesis.policy.utc_offset_minutes)).transpose()?;
    let head = counted.as_ref().map_or(log.head()?.seq, |counted| counted.seq);
    let mut state = genesis.state();
    replay::each(log, &path, 0, |recorded| {
        // A server may go on meanwhile.
        if recorded.seq > head {
            return Ok(());
        }
        let changes = state.apply(&recorded);
        list_is_there(&recorded, log, report);
        held.compare(&recorded, report);
        report.cases += u64::from(matches!(
            recorded.event,
            Event::Case(_, CaseEvent::Reported { .. } | CaseEvent::TakenOver { .. })
        ));
        report.whistles +=
            u64::from(matches!(recorded.event, Event::Whistle(_, WhistleEvent::Raised { .. })));
        snapshots.compare((log, genesis), &state, report);
        if let Some(against) = &mut views
            && let Err(error) = against.note(&recorded, &changes)
        {
            report.problems.push(format!("views: {error}"));
            views = None;
        }
        Ok(())
    })?;
    snapshots.say_what_is_unproved(report);
    held.say_what_is_not_named(report);
    if let Some(against) = views {
        compared(against, head, report);
    }
    if let Some(counted) = counted {
        let kept: BTreeMap<&TallyKey, Count> = state.tally.iter().collect();
        report.tally_cells = Some(kept.len() as u64);
        let differences = differences(&kept, &counted.cells);
        report.problems.extend(differences.into_iter().map(|difference| format!("tally: {difference}")));
    }
    Ok(())
}

/// A list of cameras that was adopted must be there and open with the store's secret: no event needs it to be read.
fn list_is_there(recorded: &Recorded, log: &SqliteReader, report: &mut Report) {
    let Event::Hall(HallEvent::CamerasAdopted(adopted)) = &recorded.event else { return };
    let read: &dyn Read = log;
    if let Err(error) = cameras::adopted(&adopted.hash, &log.secret(), &read) {
        report.problems.push(format!("event {}: {error}", recorded.seq));
    }
}

/// The views of this version, with their runs made anew from their rows; none where there is nothing to be compared.
fn views(dir: &Path, (log, genesis): (&SqliteReader, &Genesis), report: &mut Report) -> Option<Against> {
    let offset = genesis.policy.utc_offset_minutes;
    let belongs = Belongs { epoch: log.epoch(), offset, version: crate::views::sql::VERSION };
    let mut opened = Against::open(dir, belongs, Written::Meanwhile);
    if opened.as_ref().is_err_and(ViewsError::is_out_of_reach) && !is_in_use(dir) {
        opened = Against::open(dir, belongs, Written::ByNobody);
    }
    let against = match opened {
        Ok(Some(Ok(against))) => against,
        Ok(Some(Err(what))) => {
            report.unproved.push(thrown_away(&what));
            return None;
        }
        Ok(None) => {
            let why = "no views are here; the server lays them out from the log";
            report.unproved.push(format!("lists of closed cases: {why}"));
            return None;
        }
        Err(error) if error.is_out_of_reach() => {
            report.unproved.push(format!("lists of closed cases: {OUT_OF_REACH}"));
            return None;
        }
        Err(error) => {
            report.problems.push(format!("views: {error}"));
            return None;
        }
    };
    match log.head() {
        Ok(head) if against.newest() > head.seq => {
            let (newest, head) = (against.newest(), head.seq);
            report.unproved.push(thrown_away(&format!("they know event {newest}, the log ends at {head}")));
            None
        }
        Ok(_) => Some(against),
        Err(error) => {
            report.problems.push(error.chain());
            None
        }
    }
}

/// A file that was not finished, or belongs to another past, is no harm: no server answers from it.
fn thrown_away(what: &str) -> String {
    format!("lists of closed cases: {what}; the server throws these views away and lays them out anew")
}

/// What the views had to say at the end of the log.
fn compared(against: Against, head: u64, report: &mut Report) {
    let laid_out = against.events(head);
    if laid_out < head {
        let why = "the server lays the others out from the log";
        report
            .unproved
            .push(format!("lists of closed cases: {laid_out} of {head} events are laid out; {why}"));
    }
    let found = against.finish();
    report.laid_out = Some(LaidOut { cases: found.cases, whistles: found.whistles, runs: found.runs });
    let more = found.differences.len().saturating_sub(LISTED_MAX);
    let listed = found.differences.into_iter().take(LISTED_MAX);
    report.problems.extend(listed.map(|difference| format!("views: {difference}")));
    if more > 0 {
        report.problems.push(format!("… and {more} more rows of views that differ from the events"));
    }
}

/// What is said of a file that may be whole. A folder that nobody may write is checked as one at rest; where a server has it all
/// the same, that would be a guess.
const OUT_OF_REACH: &str =
    "the file cannot be opened in a folder that may not be written; stop the server, or check a copy";

/// The log of a folder that a server may have, or of one at rest that may not be written.
fn reader(dir: &Path) -> Result<SqliteReader, StoreError> {
    let opened = SqliteReader::open(dir);
    if opened.as_ref().is_err_and(file::was_out_of_reach) && !is_in_use(dir) {
        return Ok(SqliteReader::open_at_rest(dir)?);
    }
    Ok(opened?)
}

/// Opens a file for reading alone, in the same way.
fn open(dir: &Path, path: &Path) -> Result<Connection, StoreError> {
    let opened = file::open_for_reading(path);
    if opened.as_ref().is_err_and(file::was_out_of_reach) && !is_in_use(dir) {
        return Ok(file::open_at_rest(path)?);
    }
    Ok(opened?)
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
    match open(dir, &path).and_then(|conn| pages(&conn, dir, &path, name, report)) {
        Ok(()) => {}
        Err(error) if error.is_out_of_reach() => {
            report.unproved.push(format!("pages of {name}: {OUT_OF_REACH}"));
        }
        Err(error) => report.problems.push(format!("{name}: {}", error.chain())),
    }
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
