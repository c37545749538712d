//! The steps a case took, as rows: what each was counted by when it was taken.
//!
//! What should be here: from a case to its steps. What should not: how they are packed (`run`), who asks.

use domain::case::{Case, Priority};
use domain::code::{AreaCode, ClassCode, DepartmentCode, SourceCode};
use domain::moment::UtcMillis;

/// A step that numbers of a day or month are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// 上报
    Reported,
    /// 立案
    Filed,
    /// 派遣
    Dispatched,
    /// 结案
    Closed,
}

impl Flow {
    pub const ALL: [Self; 4] = [Self::Reported, Self::Filed, Self::Dispatched, Self::Closed];

    /// The step's name in a run's dictionary.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Reported => "report",
            Self::Filed => "file",
            Self::Dispatched => "dispatch",
            Self::Closed => "close",
        }
    }
}

/// One step with the dimensions it was counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRow<'a> {
    pub step: &'a str,
    pub at: UtcMillis,
    pub area_path: &'a [AreaCode],
    pub class: &'a ClassCode,
    pub source: &'a SourceCode,
    pub department: Option<&'a DepartmentCode>,
    pub level: Priority,
    pub late: bool,
    /// Which time round the loop, from 1.
    pub round: u16,
    /// 基本案件数
    pub weight: u16,
    pub seq: u64,
}

/// The steps of a case in their order.
pub fn of(case: &Case) -> impl Iterator<Item = StepRow<'_>> {
    let late = case.dispatched.zip(case.dispatch_clock).is_some_and(|(at, clock)| at > clock.due);
    let taken = [
        (Flow::Reported, Some(case.reported), false),
        (Flow::Filed, case.filed, false),
        (Flow::Dispatched, case.dispatched, late),
        (Flow::Closed, case.closed, false),
    ];
    taken.into_iter().filter_map(|(flow, at, late)| {
        Some(StepRow {
            step: flow.key(),
            at: at?,
            area_path: &case.area_path,
            class: &case.report.class,
            source: &case.report.source,
            department: case.department.as_ref(),
            level: case.report.priority,
            late,
            round: 1,
            weight: case.report.base_count,
            seq: case.version,
        })
    })
}

/// Whether the case was ever dispatched after its limit.
#[must_use]
pub fn dispatched_late(case: &Case) -> bool {
    of(case).any(|step| step.step == Flow::Dispatched.key() && step.late)
}
