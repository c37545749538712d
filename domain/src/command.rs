//! Commands (what someone asks for) and events (what happened).
//!
//! A command may be refused, an event is a fact. The stored form of events is `server::store::stored`'s own, so
//! that a renamed field here cannot make last year's log unreadable.

use serde::{Deserialize, Serialize};

use crate::calendar::Limit;
use crate::case::{Clock, Report, Stage};
use crate::catalogue::Entry;
use crate::code::{AreaCode, CaseId, DepartmentCode, WhistleId};
use crate::moment::{Date, UtcMillis};
use crate::whistle::WhistleCall;

/// What someone asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// 上报: a new case enters at 受理.
    ReportCase {
        report: Report,
        /// When it was seen; the present when absent. Within the policy's bounds of past and future.
        #[serde(default)]
        at: Option<UtcMillis>,
    },
    /// 接入: a case that already has a history in another system is taken over at the stage it has reached.
    TakeOverCase { report: Report, history: History },
    /// 受理
    AcceptCase { case: CaseId },
    /// 立案: starts the dispatch clock.
    FileCase { case: CaseId },
    /// 派遣: starts the disposal clock; without a limit the class's or the policy's holds.
    DispatchCase {
        case: CaseId,
        department: DepartmentCode,
        #[serde(default)]
        limit: Option<Limit>,
    },
    /// 处置完成
    FinishDisposal {
        case: CaseId,
        #[serde(default)]
        note: String,
    },
    /// 反馈
    GiveFeedback {
        case: CaseId,
        #[serde(default)]
        note: String,
    },
    /// 核查通过
    PassCheck {
        case: CaseId,
        #[serde(default)]
        note: String,
    },
    /// 结案
    CloseCase {
        case: CaseId,
        #[serde(default)]
        note: String,
    },
    /// 认领: whoever sends it takes the case in hand.
    ClaimCase { case: CaseId },
    /// 备注
    NoteCase { case: CaseId, text: String },
    /// 吹哨
    RaiseWhistle { call: WhistleCall },
    /// 报到
    RespondToWhistle { whistle: WhistleId, department: DepartmentCode },
    /// 销哨
    CloseWhistle {
        whistle: WhistleId,
        #[serde(default)]
        note: String,
    },
    /// Adds codes to the catalogue, as an import from another city's tables needs.
    DefineCatalogue { entries: Vec<Entry> },
    /// Sent by the deadline timer alone: records every deadline that has passed and the turn of the day.
    PassDeadlines,
}

impl Command {
    /// The name in metrics, audit and rejections.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ReportCase { .. } => "report_case",
            Self::TakeOverCase { .. } => "take_over_case",
            Self::AcceptCase { .. } => "accept_case",
            Self::FileCase { .. } => "file_case",
            Self::DispatchCase { .. } => "dispatch_case",
            Self::FinishDisposal { .. } => "finish_disposal",
            Self::GiveFeedback { .. } => "give_feedback",
            Self::PassCheck { .. } => "pass_check",
            Self::CloseCase { .. } => "close_case",
            Self::ClaimCase { .. } => "claim_case",
            Self::NoteCase { .. } => "note_case",
            Self::RaiseWhistle { .. } => "raise_whistle",
            Self::RespondToWhistle { .. } => "respond_to_whistle",
            Self::CloseWhistle { .. } => "close_whistle",
            Self::DefineCatalogue { .. } => "define_catalogue",
            Self::PassDeadlines => "pass_deadlines",
        }
    }
}

/// What the other system knows of a case that is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct History {
    /// From 1970 to the present.
    pub opened: UtcMillis,
    /// The stage it waits in; ignored when closed.
    pub stage: Stage,
    /// From the opening to the present.
    #[serde(default)]
    pub closed: Option<UtcMillis>,
    /// Disposal due time, from 1970 to 2199; none is kept as none.
    #[serde(default)]
    pub due: Option<UtcMillis>,
}

/// Whose deadline passed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeadlineOf {
    /// 派遣时限
    Dispatch(CaseId),
    /// 处置时限
    Disposal(CaseId),
    /// 报到时限 of one department
    Response(WhistleId, DepartmentCode),
}

impl DeadlineOf {
    #[must_use]
    pub fn case(&self) -> Option<CaseId> {
        match self {
            Self::Dispatch(case) | Self::Disposal(case) => Some(*case),
            Self::Response(..) => None,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Event {
    CaseReported {
        case: CaseId,
        number: String,
        report: Report,
        area_path: Vec<AreaCode>,
        seen: UtcMillis,
    },
    CaseTakenOver {
        case: CaseId,
        number: String,
        report: Report,
        area_path: Vec<AreaCode>,
        history: History,
        /// Set when the case still waits for dispatch.
        dispatch_clock: Option<Clock>,
    },
    CaseAccepted {
        case: CaseId,
    },
    CaseFiled {
        case: CaseId,
        dispatch_clock: Clock,
    },
    CaseDispatched {
        case: CaseId,
        department: DepartmentCode,
        disposal_clock: Clock,
    },
    DisposalFinished {
        case: CaseId,
        note: String,
    },
    FeedbackGiven {
        case: CaseId,
        note: String,
    },
    CheckPassed {
        case: CaseId,
        note: String,
    },
    CaseClosed {
        case: CaseId,
        note: String,
    },
    CaseClaimed {
        case: CaseId,
    },
    CaseNoted {
        case: CaseId,
        text: String,
    },
    WhistleRaised {
        whistle: WhistleId,
        call: WhistleCall,
        area_path: Vec<AreaCode>,
        due: UtcMillis,
    },
    WhistleAnswered {
        whistle: WhistleId,
        department: DepartmentCode,
    },
    WhistleClosed {
        whistle: WhistleId,
        note: String,
    },
    CatalogueDefined {
        entries: Vec<Entry>,
    },
    /// The forecast window before a due time began while the work was still to be done.
    DeadlineNearing {
        of: DeadlineOf,
        due: UtcMillis,
    },
    /// A due time passed while the work was still to be done.
    DeadlinePassed {
        of: DeadlineOf,
        due: UtcMillis,
    },
    /// A new local day began: "today" and "this month" start from zero.
    DayTurned {
        date: Date,
    },
}

impl Event {
    /// The case the event is about.
    #[must_use]
    pub fn case(&self) -> Option<CaseId> {
        match self {
            Self::CaseReported { case, .. }
            | Self::CaseTakenOver { case, .. }
            | Self::CaseAccepted { case }
            | Self::CaseFiled { case, .. }
            | Self::CaseDispatched { case, .. }
            | Self::DisposalFinished { case, .. }
            | Self::FeedbackGiven { case, .. }
            | Self::CheckPassed { case, .. }
            | Self::CaseClosed { case, .. }
            | Self::CaseClaimed { case }
            | Self::CaseNoted { case, .. } => Some(*case),
            Self::DeadlineNearing { of, .. } | Self::DeadlinePassed { of, .. } => of.case(),
            Self::WhistleRaised { call, .. } => call.case,
            Self::WhistleAnswered { .. }
            | Self::WhistleClosed { .. }
            | Self::CatalogueDefined { .. }
            | Self::DayTurned { .. } => None,
        }
    }

    /// The whistle the event is about.
    #[must_use]
    pub fn whistle(&self) -> Option<WhistleId> {
        match self {
            Self::WhistleRaised { whistle, .. }
            | Self::WhistleAnswered { whistle, .. }
            | Self::WhistleClosed { whistle, .. }
            | Self::DeadlinePassed { of: DeadlineOf::Response(whistle, _), .. } => Some(*whistle),
            _ => None,
        }
    }

    /// The name in logs, the feed and the store.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CaseReported { .. } => "case_reported",
            Self::CaseTakenOver { .. } => "case_taken_over",
            Self::CaseAccepted { .. } => "case_accepted",
            Self::CaseFiled { .. } => "case_filed",
            Self::CaseDispatched { .. } => "case_dispatched",
            Self::DisposalFinished { .. } => "disposal_finished",
            Self::FeedbackGiven { .. } => "feedback_given",
            Self::CheckPassed { .. } => "check_passed",
            Self::CaseClosed { .. } => "case_closed",
            Self::CaseClaimed { .. } => "case_claimed",
            Self::CaseNoted { .. } => "case_noted",
            Self::WhistleRaised { .. } => "whistle_raised",
            Self::WhistleAnswered { .. } => "whistle_answered",
            Self::WhistleClosed { .. } => "whistle_closed",
            Self::CatalogueDefined { .. } => "catalogue_defined",
            Self::DeadlineNearing { .. } => "deadline_nearing",
            Self::DeadlinePassed { .. } => "deadline_passed",
            Self::DayTurned { .. } => "day_turned",
        }
    }
}

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Recorded {
    /// Commit order, from 1, without gaps.
    pub seq: u64,
    pub at: UtcMillis,
    /// Who sent the command: an account, a token's name or `system`.
    pub actor: String,
    pub event: Event,
}
