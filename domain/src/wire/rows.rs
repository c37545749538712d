//! Rows of the feed: what a screen shows of a case, an event or an inspector.

use serde::{Deserialize, Serialize};

use crate::case::{Case, CaseEvent, Priority, Stage};
use crate::clock::{Clock, ClockOf, Limit, Phase, Subject};
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode, WhistleId};
use crate::event::{DeadlineEvent, Event, Recorded};
use crate::moment::UtcMillis;
use crate::place::Point;
use crate::whistle::WhistleEvent;

/// A case on the overdue-dispatch board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OverdueRow {
    pub case: CaseId,
    pub number: String,
    pub class: ClassCode,
    pub condition: Option<String>,
    /// Finest first.
    pub area_path: Vec<AreaCode>,
    pub address: String,
    pub place: Option<Point>,
    pub priority: Priority,
    pub started: UtcMillis,
    pub due: UtcMillis,
    pub limit: Option<Limit>,
    pub phase: Phase,
    /// The due time lies beyond the days the calendar knows, and may still move.
    #[serde(default)]
    pub provisional: bool,
    /// Who has taken it in hand (认领); nobody yet when none.
    pub claimed_by: Option<String>,
}

impl OverdueRow {
    /// The row of a case that waits for dispatch and is overdue or about to be; none for every other case.
    #[must_use]
    pub fn of(case: &Case) -> Option<Self> {
        let clock = case.leading_clock()?;
        if clock.of != ClockOf::Dispatch || clock.phase == Phase::Running {
            return None;
        }
        Some(Self {
            case: case.id,
            number: case.number.clone(),
            class: case.report.class.clone(),
            condition: case.report.condition.clone(),
            area_path: case.area_path.clone(),
            address: case.report.address.clone(),
            place: case.report.place,
            priority: case.report.priority,
            started: clock.started,
            due: clock.due,
            limit: clock.limit,
            phase: clock.phase,
            provisional: clock.provisional,
            claimed_by: case.claimed_by.clone(),
        })
    }
}

/// One event with what a screen needs to show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EventLine {
    pub seq: u64,
    pub at: UtcMillis,
    pub actor: String,
    /// [`Event::name`].
    pub name: String,
    /// The case as it stands after the event.
    pub case: Option<CaseLine>,
    pub whistle: Option<WhistleId>,
    pub department: Option<DepartmentCode>,
    pub note: String,
    /// The clock it is about: that passed, or began.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub of: Option<ClockOf>,
    /// When that clock runs out, or ran out; an alarm counts at this time, whenever it was recorded.
    #[serde(default)]
    pub due: Option<UtcMillis>,
    /// When it ran out before, where it was replanned.
    #[serde(default)]
    pub was: Option<UtcMillis>,
}

/// A case in a list or on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CaseLine {
    pub id: CaseId,
    pub number: String,
    pub class: ClassCode,
    pub condition: Option<String>,
    pub area_path: Vec<AreaCode>,
    pub address: String,
    pub place: Option<Point>,
    pub priority: Priority,
    pub stage: Stage,
    pub stage_since: UtcMillis,
    pub reported: UtcMillis,
    pub closed: Option<UtcMillis>,
    /// Clock that runs now.
    pub started: Option<UtcMillis>,
    pub due: Option<UtcMillis>,
    /// With its extensions: more time than it says between start and due is time for which the clock stood still.
    pub limit: Option<Limit>,
    pub phase: Phase,
    /// The due time lies beyond the days the calendar knows, and may still move.
    #[serde(default)]
    pub provisional: bool,
    pub claimed_by: Option<String>,
    pub department: Option<DepartmentCode>,
    /// Which time round the loop it is, from 1: a case that came back (返工) is at its second.
    #[serde(default = "first_round")]
    pub round: u16,
    pub version: u64,
}

fn first_round() -> u16 {
    1
}

impl From<&Case> for CaseLine {
    fn from(case: &Case) -> Self {
        let clock = case.leading_clock();
        Self {
            id: case.id,
            number: case.number.clone(),
            class: case.report.class.clone(),
            condition: case.report.condition.clone(),
            area_path: case.area_path.clone(),
            address: case.report.address.clone(),
            place: case.report.place,
            priority: case.report.priority,
            stage: case.stage,
            stage_since: case.stage_since,
            reported: case.reported,
            closed: case.closed,
            started: clock.map(|clock| clock.started),
            due: clock.map(|clock| clock.due),
            limit: clock.and_then(Clock::whole),
            phase: clock.map_or(Phase::Running, |clock| clock.phase),
            provisional: clock.is_some_and(|clock| clock.provisional),
            claimed_by: case.claimed_by.clone(),
            department: case.department.clone(),
            round: case.round,
            version: case.version,
        }
    }
}

impl EventLine {
    /// The line for one recorded event and the case as it stands after it.
    #[must_use]
    pub fn of(recorded: &Recorded, case: Option<&Case>) -> Self {
        let said = Said::of(&recorded.event);
        Self {
            seq: recorded.seq,
            at: recorded.at,
            actor: recorded.by.name.clone(),
            name: recorded.event.name().to_owned(),
            case: case.map(CaseLine::from),
            whistle: recorded.event.whistle(),
            department: said.department.cloned(),
            note: said.note.to_owned(),
            of: said.clock.map(|(of, _)| of),
            due: said.clock.map(|(_, due)| due),
            was: said.was,
        }
    }
}

/// What an event says beyond its name and what it is about.
#[derive(Default)]
struct Said<'a> {
    department: Option<&'a DepartmentCode>,
    note: &'a str,
    clock: Option<(ClockOf, UtcMillis)>,
    was: Option<UtcMillis>,
}

impl<'a> Said<'a> {
    fn of(event: &'a Event) -> Self {
        match event {
            Event::Case(_, event) => Self::of_case(event),
            Event::Whistle(_, event) => match event {
                WhistleEvent::Raised { call, due, .. } => {
                    Self { note: &call.title, clock: Some((ClockOf::Response, *due)), ..Self::default() }
                }
                WhistleEvent::Answered { department } => {
                    Self { department: Some(department), ..Self::default() }
                }
                WhistleEvent::Closed { note } => Self { note, ..Self::default() },
                WhistleEvent::Moved { .. } => Self::default(),
            },
            Event::Deadline(DeadlineEvent { of, subject, due, .. }) => Self {
                department: match subject {
                    Subject::Case(_) => None,
                    Subject::Whistle(_, department) => Some(department),
                },
                clock: Some((*of, *due)),
                ..Self::default()
            },
            Event::Policy(_) | Event::Hall(_) => Self::default(),
        }
    }

    fn of_case(event: &'a CaseEvent) -> Self {
        match event {
            CaseEvent::Stepped(stepped) => Self {
                department: stepped.department.as_ref(),
                note: &stepped.note,
                // The last one is the whole of the work; milestones come before it.
                clock: stepped.started.last().map(|clock| (clock.of, clock.due)),
                was: None,
            },
            CaseEvent::Noted { text } => Self { note: text, ..Self::default() },
            CaseEvent::FileAttached(file) => Self { note: &file.name, ..Self::default() },
            CaseEvent::Replanned { clocks, .. } => {
                let last = clocks.last();
                let was = last.map(|clock| clock.was);
                Self { clock: last.map(|clock| (clock.of, clock.due)), was, ..Self::default() }
            }
            CaseEvent::Reported { .. }
            | CaseEvent::TakenOver { .. }
            | CaseEvent::Claimed
            | CaseEvent::Moved { .. } => Self::default(),
        }
    }
}

/// One inspector's newest position in the JSON feed and in `GET /api/v1/positions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PositionRow {
    /// Number in packed frames, stable while the server runs.
    pub index: u32,
    pub inspector: crate::code::InspectorCode,
    /// None when the inspector has left the cell.
    pub place: Option<Point>,
    pub fixed: UtcMillis,
    pub moving: bool,
    /// Degrees clockwise from north.
    pub heading_deg: f32,
}
