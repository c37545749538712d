//! The steps a case took, as rows: what each was counted by when it was taken.
//!
//! What should be here: from a case to its steps. What should not: how they are packed (`run`), who asks.

use domain::case::{Case, Priority, Step, Taken};
use domain::code::{AreaCode, ClassCode, DepartmentCode, SourceCode};
use domain::moment::UtcMillis;
use domain::tally::Measure;

/// What numbers of a day or month are counted by: the report, or the steps whose rows count it. A list of a flow holds what the
/// number counts, whatever steps there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow(Measure);

/// A measure that counts no step and no report, so that no list is behind it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` counts no step; of {known} there are lists", known = known().join(", "))]
pub struct NoFlow(String);

impl Flow {
    /// 上报
    pub const REPORTED: Self = Self(Measure::Reported);
    /// 立案
    pub const FILED: Self = Self(Measure::Filed);
    /// 派遣
    pub const DISPATCHED: Self = Self(Measure::Dispatched);
    /// 超时派遣
    pub const DISPATCHED_LATE: Self = Self(Measure::DispatchedLate);
    /// 结案
    pub const CLOSED: Self = Self(Measure::Closed);

    /// The flow of a measure by its key.
    pub fn named(key: &str) -> Result<Self, NoFlow> {
        let flow = Measure::from_key(key).map(Self).filter(|flow| flow.counts_something());
        flow.ok_or_else(|| NoFlow(key.to_owned()))
    }

    fn counts_something(self) -> bool {
        self == Self::REPORTED || Step::counted_by(self.0).next().is_some()
    }

    /// Names of the steps it counts, as rows have them.
    #[must_use]
    pub fn steps(self) -> Vec<&'static str> {
        match self {
            Self::REPORTED => vec![REPORT],
            Self(measure) => Step::counted_by(measure).map(|step| step.0.name).collect(),
        }
    }

    /// Whether it counts its steps only where they were late.
    #[must_use]
    pub fn is_late(self) -> bool {
        Step::counted_by(self.0).any(|step| !step.is_counted_by(self.0, false))
    }
}

fn known() -> Vec<&'static str> {
    let all = Measure::PLAIN.into_iter().filter(|measure| Flow(*measure).counts_something());
    all.map(Measure::key).collect()
}

/// The report among the steps.
const REPORT: &str = "report";

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
        step: REPORT,
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
    let closes = case.steps.iter().any(|taken| taken.step.closes());
    let elsewhere = case.closed.filter(|_| !closes);
    let closed =
        elsewhere.map(move |at| StepRow { step: Step::CLOSE.0.name, at, round: case.round, ..entered });
    std::iter::once(entered).chain(taken).chain(closed)
}

/// Whether the case was ever dispatched after its limit.
#[must_use]
pub fn dispatched_late(case: &Case) -> bool {
    let late = |taken: &Taken| taken.step.is_counted_by(Measure::DispatchedLate, taken.late);
    case.steps.iter().any(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is laid out in runs goes by these names.
    #[test]
    fn a_flow_is_the_steps_that_count_it() {
        let of = |flow: Flow| (flow.steps(), flow.is_late());
        assert_eq!(of(Flow::REPORTED), (vec!["report"], false));
        assert_eq!(of(Flow::FILED), (vec!["file"], false));
        assert_eq!(of(Flow::DISPATCHED), (vec!["dispatch"], false));
        assert_eq!(of(Flow::DISPATCHED_LATE), (vec!["dispatch"], true));
        assert_eq!(of(Flow::CLOSED), (vec!["close", "force", "special", "fault"], false));
        assert_eq!(of(Flow::named("voided").unwrap()), (vec!["void"], false));
    }

    #[test]
    fn what_counts_no_step_is_refused_with_what_does() {
        assert_eq!(Flow::named("filed"), Ok(Flow::FILED));
        for key in ["open", "at_file", "whistle_raised", "x", ""] {
            let words = Flow::named(key).unwrap_err().to_string();
            let known = "closed, returned, reworked, not_accepted, not_filed, voided, closed_by_force, closed_specially, \
                         closed_as_faulty, extended, suspended, dispatched_late there are lists";
            assert!(
                words.starts_with(&format!("`{key}` counts no step")) && words.ends_with(known),
                "{words}"
            );
        }
    }
}
