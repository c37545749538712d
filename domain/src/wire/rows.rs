//! Rows of the feed: what a screen shows of a case, an event or an inspector.

use serde::{Deserialize, Serialize};

use crate::calendar::Limit;
use crate::case::{Case, Phase, Priority, Stage};
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode, WhistleId};
use crate::command::Event;
use crate::moment::UtcMillis;
use crate::place::Point;

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
    /// Who has taken it in hand (认领); nobody yet when none.
    pub claimed_by: Option<String>,
}

impl OverdueRow {
    /// The row of a case that waits for dispatch and is overdue or about to be; none for every other case.
    #[must_use]
    pub fn of(case: &Case) -> Option<Self> {
        let (stage, clock) = case.running_clock()?;
        if stage != Stage::Dispatch || clock.phase == Phase::Running {
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
    pub limit: Option<Limit>,
    pub phase: Phase,
    pub claimed_by: Option<String>,
    pub department: Option<DepartmentCode>,
    pub version: u64,
}

impl From<&Case> for CaseLine {
    fn from(case: &Case) -> Self {
        let clock = case.running_clock().map(|(_, clock)| *clock);
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
            limit: clock.and_then(|clock| clock.limit),
            phase: clock.map_or(Phase::Running, |clock| clock.phase),
            claimed_by: case.claimed_by.clone(),
            department: case.department.clone(),
            version: case.version,
        }
    }
}

impl EventLine {
    /// The line for one recorded event and the case as it stands after it.
    #[must_use]
    pub fn of(recorded: &crate::command::Recorded, case: Option<&Case>) -> Self {
        let department = match &recorded.event {
            Event::CaseDispatched { department, .. } | Event::WhistleAnswered { department, .. } => {
                Some(department.clone())
            }
            _ => None,
        };
        let note = match &recorded.event {
            Event::DisposalFinished { note, .. }
            | Event::FeedbackGiven { note, .. }
            | Event::CheckPassed { note, .. }
            | Event::CaseClosed { note, .. }
            | Event::WhistleClosed { note, .. } => note.clone(),
            Event::CaseNoted { text, .. } => text.clone(),
            Event::WhistleRaised { call, .. } => call.title.clone(),
            _ => String::new(),
        };
        Self {
            seq: recorded.seq,
            at: recorded.at,
            actor: recorded.actor.clone(),
            name: recorded.event.name().to_owned(),
            case: case.map(CaseLine::from),
            whistle: recorded.event.whistle(),
            department,
            note,
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
