//! What is counted, and what it is called.

use crate::case::stage::Stage;
use crate::clock::{ClockOf, Phase};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// 在办: cases not closed.
    Open,
    /// Cases waiting in one stage; of an hour, by how many they became more in it.
    At(Stage),
    /// 上报
    Reported,
    /// 立案
    Filed,
    /// 派遣
    Dispatched,
    /// 结案
    Closed,
    /// 回退: a department gave the case back.
    Returned,
    /// 返工: a check failed.
    Reworked,
    /// 不予受理
    NotAccepted,
    /// 不予立案
    NotFiled,
    /// 作废; not among those closed.
    Voided,
    /// 强制结案; among those closed, as the two below.
    ClosedByForce,
    /// 特殊结案
    ClosedSpecially,
    /// 差错结案
    ClosedAsFaulty,
    /// 延期: an extension was granted.
    Extended,
    /// 挂账: a suspension was granted.
    Suspended,
    /// 超时派遣: dispatched after the limit.
    DispatchedLate,
    /// 超时未派遣: waiting for dispatch beyond the limit.
    OverdueDispatch,
    /// 即将超时: waiting for dispatch within the forecast window before the limit.
    NearingDispatch,
    /// 超时未处置
    OverdueDisposal,
    /// 吹哨
    WhistleRaised,
    /// 进行中的哨
    WhistleOpen,
    /// 超时未报到: called departments that have not responded in time.
    WhistleLate,
}

impl Measure {
    /// Measures that are not per stage.
    pub const PLAIN: [Self; 22] = [
        Self::Open,
        Self::Reported,
        Self::Filed,
        Self::Dispatched,
        Self::Closed,
        Self::Returned,
        Self::Reworked,
        Self::NotAccepted,
        Self::NotFiled,
        Self::Voided,
        Self::ClosedByForce,
        Self::ClosedSpecially,
        Self::ClosedAsFaulty,
        Self::Extended,
        Self::Suspended,
        Self::DispatchedLate,
        Self::OverdueDispatch,
        Self::NearingDispatch,
        Self::OverdueDisposal,
        Self::WhistleRaised,
        Self::WhistleOpen,
        Self::WhistleLate,
    ];

    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::At(Stage::Accept) => "at_accept",
            Self::At(Stage::File) => "at_file",
            Self::At(Stage::Dispatch) => "at_dispatch",
            Self::At(Stage::Dispose) => "at_dispose",
            Self::At(Stage::Feedback) => "at_feedback",
            Self::At(Stage::Check) => "at_check",
            Self::At(Stage::Close) => "at_close",
            Self::Reported => "reported",
            Self::Filed => "filed",
            Self::Dispatched => "dispatched",
            Self::Closed => "closed",
            Self::Returned => "returned",
            Self::Reworked => "reworked",
            Self::NotAccepted => "not_accepted",
            Self::NotFiled => "not_filed",
            Self::Voided => "voided",
            Self::ClosedByForce => "closed_by_force",
            Self::ClosedSpecially => "closed_specially",
            Self::ClosedAsFaulty => "closed_as_faulty",
            Self::Extended => "extended",
            Self::Suspended => "suspended",
            Self::DispatchedLate => "dispatched_late",
            Self::OverdueDispatch => "overdue_dispatch",
            Self::NearingDispatch => "nearing_dispatch",
            Self::OverdueDisposal => "overdue_disposal",
            Self::WhistleRaised => "whistle_raised",
            Self::WhistleOpen => "whistle_open",
            Self::WhistleLate => "whistle_late",
        }
    }

    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        let stages = Stage::ALL.into_iter().map(Self::At);
        Self::PLAIN.into_iter().chain(stages).find(|measure| measure.key() == key)
    }

    /// The state an open case is counted in because of a clock that runs, if any.
    #[must_use]
    pub fn of_clock(of: ClockOf, phase: Phase) -> Option<Self> {
        match (of, phase) {
            (ClockOf::Dispatch, Phase::Nearing) => Some(Self::NearingDispatch),
            (ClockOf::Dispatch, Phase::Overdue) => Some(Self::OverdueDispatch),
            (ClockOf::Disposal, Phase::Overdue) => Some(Self::OverdueDisposal),
            (ClockOf::Dispatch | ClockOf::Disposal, Phase::Running)
            | (ClockOf::Disposal, Phase::Nearing)
            // A milestone is an alarm of its case and no figure of the bulletin; responses are counted by department.
            | (ClockOf::Milestone(_) | ClockOf::Response | ClockOf::Suspension, Phase::Running | Phase::Nearing | Phase::Overdue) => None,
        }
    }
}
