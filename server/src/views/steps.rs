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

/// What happened to a case, in its order: the report, every step with its time, and the closing of a case that another
/// system closed. A step of which nobody knows when it was taken is no row, as it is in no count.
pub fn of(case: &Case) -> impl Iterator<Item = StepRow<'_>> {
    let entered = StepRow {
        step: Flow::Reported.key(),
        at: case.reported,
        area_path: &case.area_path,
        class: &case.report.class,
        source: &case.report.source,
        department: case.department.as_ref(),
        level: case.report.priority,
        late: false,
        round: 1,
        weight: case.report.base_count,
        seq: case.version,
    };
    let taken = case.steps.iter().map(move |taken| StepRow {
        step: taken.step.0.name,
        at: taken.at,
        department: taken.department.as_ref(),
        late: taken.late,
        round: taken.round,
        seq: taken.seq,
        ..entered
    });
    let closes = case.steps.iter().any(|taken| taken.step.to.is_none());
    let elsewhere = case.closed.filter(|_| !closes);
    let closed =
        elsewhere.map(move |at| StepRow { step: Flow::Closed.key(), at, round: case.round, ..entered });
    std::iter::once(entered).chain(taken).chain(closed)
}

/// Whether the case was ever dispatched after its limit.
#[must_use]
pub fn dispatched_late(case: &Case) -> bool {
    of(case).any(|step| step.step == Flow::Dispatched.key() && step.late)
}

#[cfg(test)]
mod tests {
    use domain::case::STEPS;
    use domain::tally::Measure;

    use super::Flow;

    /// Numbers and the lists behind them are about the same steps.
    #[test]
    fn a_flow_is_the_step_that_counts_it() {
        for (flow, measure) in [
            (Flow::Filed, Measure::Filed),
            (Flow::Dispatched, Measure::Dispatched),
            (Flow::Closed, Measure::Closed),
        ] {
            let counting: Vec<&str> =
                STEPS.iter().filter(|row| row.counts.contains(&measure)).map(|row| row.name).collect();
            assert_eq!(counting, [flow.key()]);
        }
    }
}
