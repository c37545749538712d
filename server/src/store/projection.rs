//! Cases and whistles as rows for lists and pages: derived from the events, written in the same transaction.
//!
//! The bodies are postcard of the domain's types. They are no archive: a start with another [`PROJECTION`] or another
//! offset from UTC writes them anew from the events.

use std::collections::BTreeMap;

use domain::case::{Case, CaseEvent};
use domain::clock::Phase;
use domain::code::{CaseId, WhistleId};
use domain::event::{Event, Recorded};
use domain::moment::{UtcMillis, UtcOffset};
use domain::state::Changes;
use domain::tally::Measure;
use domain::whistle::{Whistle, WhistleEvent};
use rusqlite::{Connection, params};

use super::{int, schema};

/// Version of the derived tables. Raise it when `Case`, `Whistle` or a derived column changes; the test
/// `bodies_keep_their_bytes` says when.
pub const PROJECTION: u32 = 2;

/// Due time of a case whose clock does not run: after all others.
pub(super) const NEVER: i64 = i64::MAX;
/// What a group of events changed, each case and whistle once, as it stands after the group.
#[derive(Debug, Default)]
pub struct Projection {
    cases: BTreeMap<CaseId, (Case, Steps)>,
    whistles: BTreeMap<WhistleId, (Whistle, bool)>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Steps {
    entered: bool,
    /// Filed, dispatched or closed within the group, so that the indexed days change.
    days: bool,
}

impl Projection {
    /// Takes in what one event changed.
    pub fn note(&mut self, recorded: &Recorded, changes: &Changes) {
        if let Some(case) = &changes.case {
            let steps = steps_of(&recorded.event);
            let slot = self.cases.entry(case.id).or_insert_with(|| (case.clone(), steps));
            slot.1 = Steps { entered: slot.1.entered || steps.entered, days: slot.1.days || steps.days };
            slot.0.clone_from(case);
        }
        if let Some(whistle) = &changes.whistle {
            let raised = matches!(recorded.event, Event::Whistle(_, WhistleEvent::Raised { .. }));
            let slot = self.whistles.entry(whistle.id).or_insert_with(|| (whistle.clone(), raised));
            slot.1 |= raised;
            slot.0.clone_from(whistle);
        }
    }

    /// Takes in what came later.
    pub(super) fn merge(&mut self, later: Self) {
        for (id, (case, steps)) in later.cases {
            let entered = self.cases.get(&id).map_or(steps, |(_, before)| Steps {
                entered: before.entered || steps.entered,
                days: before.days || steps.days,
            });
            self.cases.insert(id, (case, entered));
        }
        for (id, (whistle, raised)) in later.whistles {
            let raised = raised || self.whistles.get(&id).is_some_and(|(_, raised)| *raised);
            self.whistles.insert(id, (whistle, raised));
        }
    }

    /// Leaves rows of one kind.
    pub(super) fn keep(&mut self, kind: Kind) {
        match kind {
            Kind::Cases => self.whistles.clear(),
            Kind::Whistles => self.cases.clear(),
        }
    }

    /// How many rows it changes.
    pub(super) fn len(&self) -> usize {
        self.cases.len() + self.whistles.len()
    }

    /// A case changed within this group.
    #[must_use]
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        self.cases.get(&id).map(|(case, _)| case)
    }
}

fn steps_of(event: &Event) -> Steps {
    match event {
        Event::Case(_, CaseEvent::Reported { .. } | CaseEvent::TakenOver { .. }) => {
            Steps { entered: true, days: true }
        }
        Event::Case(_, CaseEvent::Stepped(stepped)) => {
            let step = stepped.step;
            Steps { entered: false, days: step.to.is_none() || !step.counts.is_empty() }
        }
        Event::Case(_, CaseEvent::Claimed | CaseEvent::Noted { .. })
        | Event::Whistle(..)
        | Event::Deadline(_)
        | Event::Policy(_)
        | Event::Hall(_) => Steps::default(),
    }
}

/// The local day of an instant as 20261121.
fn day(at: UtcMillis, offset: UtcOffset) -> i64 {
    i64::from(at.local(offset).date.number())
}

/// 0 no clock runs, 1 running, 2 nearing, 3 overdue.
pub(super) fn phase_and_due(case: &Case) -> (i64, i64) {
    case.leading_clock().map_or((0, NEVER), |clock| {
        let phase = match clock.phase {
            Phase::Running => 1,
            Phase::Nearing => 2,
            Phase::Overdue => 3,
        };
        (phase, clock.due.0)
    })
}

/// Dispatched last, and later than its limit allowed.
fn dispatched_late(case: &Case) -> bool {
    let sent = case.steps.iter().rev().find(|taken| taken.step.counts.contains(&Measure::Dispatched));
    sent.is_some_and(|taken| taken.late)
}

fn bytes<T: serde::Serialize>(of: &T) -> Vec<u8> {
    postcard::to_allocvec(of).expect("domain types have sized collections only, which postcard can write")
}

pub(super) fn write(conn: &Connection, changed: &Projection, offset: UtcOffset) -> rusqlite::Result<()> {
    for (case, steps) in changed.cases.values() {
        if steps.entered {
            insert_case(conn, case, offset)?;
        } else {
            update_case(conn, case, steps.days, offset)?;
        }
    }
    for (whistle, raised) in changed.whistles.values() {
        write_whistle(conn, whistle, *raised, offset)?;
    }
    Ok(())
}

fn insert_case(conn: &Connection, case: &Case, offset: UtcOffset) -> rusqlite::Result<()> {
    let (phase, due) = phase_and_due(case);
    let sql = "INSERT INTO cases VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
               ?17, ?18, ?19)";
    conn.prepare_cached(sql)?.execute(params![
        int(case.id.0),
        case.number,
        case.report.class.as_str(),
        case.report.source.as_str(),
        case.report.address,
        case.report.place.is_some(),
        day(case.reported, offset),
        case.stage as i64,
        phase,
        due,
        case.is_open(),
        case.filed.map(|at| day(at, offset)),
        case.dispatched.map(|at| day(at, offset)),
        case.closed.map(|at| day(at, offset)),
        dispatched_late(case),
        case.department.as_ref().map(ToString::to_string),
        case.claimed_by,
        int(case.version),
        bytes(case),
    ])?;
    let mut areas = conn.prepare_cached("INSERT OR IGNORE INTO case_areas VALUES(?1, ?2)")?;
    for area in &case.area_path {
        areas.execute(params![area.as_str(), int(case.id.0)])?;
    }
    Ok(())
}

fn update_case(conn: &Connection, case: &Case, days: bool, offset: UtcOffset) -> rusqlite::Result<()> {
    let (phase, due) = phase_and_due(case);
    let sql = "UPDATE cases SET stage = ?2, phase = ?3, due = ?4, open = ?5, department = ?6, claimed_by = ?7, \
               version = ?8, body = ?9 WHERE id = ?1";
    conn.prepare_cached(sql)?.execute(params![
        int(case.id.0),
        case.stage as i64,
        phase,
        due,
        case.is_open(),
        case.department.as_ref().map(ToString::to_string),
        case.claimed_by,
        int(case.version),
        bytes(case),
    ])?;
    if days {
        let sql = "UPDATE cases SET filed_day = ?2, dispatched_day = ?3, closed_day = ?4, dispatched_late = ?5 \
                   WHERE id = ?1";
        conn.prepare_cached(sql)?.execute(params![
            int(case.id.0),
            case.filed.map(|at| day(at, offset)),
            case.dispatched.map(|at| day(at, offset)),
            case.closed.map(|at| day(at, offset)),
            dispatched_late(case),
        ])?;
    }
    Ok(())
}

fn write_whistle(
    conn: &Connection,
    whistle: &Whistle,
    raised: bool,
    offset: UtcOffset,
) -> rusqlite::Result<()> {
    if !raised {
        let sql = "UPDATE whistles SET open = ?2, version = ?3, body = ?4 WHERE id = ?1";
        return conn
            .prepare_cached(sql)?
            .execute(params![
                int(whistle.id.0),
                whistle.closed.is_none(),
                int(whistle.version),
                bytes(whistle)
            ])
            .map(|_| ());
    }
    let path: Vec<&str> = whistle.area_path.iter().map(domain::code::AreaCode::as_str).collect();
    let sql = "INSERT INTO whistles VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    conn.prepare_cached(sql)?
        .execute(params![
            int(whistle.id.0),
            whistle.call.level as i64,
            whistle.closed.is_none(),
            day(whistle.raised, offset),
            format!("|{}|", path.join("|")),
            int(whistle.version),
            bytes(whistle)
        ])
        .map(|_| ())
}

/// Empties the tables.
pub(super) const EMPTY: &str = "DELETE FROM cases; DELETE FROM case_areas; DELETE FROM whistles;";

/// The columns of a row, for a comparison with the events.
type Columns = Vec<rusqlite::types::Value>;

/// Rows of one kind with ids from `from` to `to`, both included.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Cases,
    Whistles,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Cases => "case",
            Self::Whistles => "whistle",
        }
    }

    /// The column of events that names its ids.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Cases => "case_id",
            Self::Whistles => "whistle_id",
        }
    }

    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::Whistles => "whistles",
        }
    }

    fn rows(self, conn: &Connection, ids: (i64, i64)) -> rusqlite::Result<BTreeMap<i64, Columns>> {
        let sql = match self {
            Self::Cases => {
                "SELECT id, number, class, source, address, has_place, reported_day, stage, phase, due, open, \
                 filed_day, dispatched_day, closed_day, dispatched_late, department, claimed_by, version, body, \
                 (SELECT group_concat(area, '|' ORDER BY area) FROM case_areas WHERE case_id = id) \
                 FROM cases WHERE id BETWEEN ?1 AND ?2"
            }
            Self::Whistles => {
                "SELECT id, level, open, raised_day, area_path, version, body FROM whistles WHERE id BETWEEN ?1 AND ?2"
            }
        };
        let mut statement = conn.prepare_cached(sql)?;
        let columns = statement.column_count();
        let read = statement.query_map([ids.0, ids.1], |row| {
            let values: rusqlite::Result<Columns> = (1..columns).map(|column| row.get(column)).collect();
            Ok((row.get(0)?, values?))
        })?;
        read.collect()
    }
}

/// Tells of every row of a kind, within a range of ids, that is not what the events make; gives how many rows there are.
/// Method: the expected rows are written to a database in memory by the same statements and read back.
pub(super) fn differences(
    conn: &Connection,
    kind: Kind,
    ids: (i64, i64),
    newest: &Projection,
    offset: UtcOffset,
    differ: &mut impl FnMut(String),
) -> rusqlite::Result<u64> {
    let present = kind.rows(conn, ids)?;
    let memory = Connection::open_in_memory()?;
    memory.execute_batch(schema::LISTS)?;
    write(&memory, newest, offset)?;
    let expected = kind.rows(&memory, ids)?;
    let word = kind.word();
    for id in expected.keys().filter(|id| !present.contains_key(id)) {
        differ(format!("{word} {id}: is in the events and has no row"));
    }
    for (id, row) in &present {
        match expected.get(id) {
            None => differ(format!("{word} {id}: has a row and is not in the events")),
            Some(wanted) if wanted != row => differ(format!("{word} {id}: row differs from the events")),
            Some(_) => {}
        }
    }
    Ok(present.len() as u64)
}
