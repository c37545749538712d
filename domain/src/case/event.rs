//! What happens to a case. Which stages, clocks and counts a step touches is in its row of [`super::STEPS`].

use serde::Serialize;

use super::{History, Report, Step};
use crate::clock::{Clock, ClockOf, Phase};
use crate::code::{AreaCode, DepartmentCode};
use crate::file::AttachedFile;
use crate::moment::UtcMillis;

/// An event about one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CaseEvent {
    Reported {
        number: String,
        report: Report,
        area_path: Vec<AreaCode>,
        seen: UtcMillis,
    },
    TakenOver {
        number: String,
        report: Report,
        area_path: Vec<AreaCode>,
        history: History,
        started: Vec<Clock>,
    },
    Stepped(Stepped),
    Claimed,
    Noted {
        text: String,
    },
    FileAttached(AttachedFile),
    /// Running clocks got other due times from the policy of this version.
    Replanned {
        planned: u64,
        clocks: Vec<Replanned>,
    },
    /// The case lies in other areas than before: the policy has drawn them anew.
    Moved {
        area_path: Vec<AreaCode>,
    },
}

/// A running clock with its new due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Replanned {
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub of: ClockOf,
    /// The due time it had.
    pub was: UtcMillis,
    pub nearing: UtcMillis,
    pub due: UtcMillis,
    /// How far it has run by the new times: an alarm that came too early is taken back.
    pub phase: Phase,
    pub provisional: bool,
}

/// A case took a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stepped {
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schema(ignore))]
    pub step: Step,
    /// Empty where nothing was remarked.
    pub note: String,
    /// Who has to dispose of the case from now on, where the step decides it.
    pub department: Option<DepartmentCode>,
    /// Clocks that begin with it.
    pub started: Vec<Clock>,
}

impl CaseEvent {
    /// The name of the event of a file.
    pub const FILE_ATTACHED: &'static str = "file_attached";

    /// The name in logs, the feed and the store.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "case_reported",
            Self::TakenOver { .. } => "case_taken_over",
            Self::Stepped(stepped) => stepped.step.event,
            Self::Claimed => "case_claimed",
            Self::Noted { .. } => "case_noted",
            Self::FileAttached(_) => Self::FILE_ATTACHED,
            Self::Replanned { .. } => "case_replanned",
            Self::Moved { .. } => "case_moved",
        }
    }

    /// Whether a case begins with it.
    #[must_use]
    pub fn is_entry(&self) -> bool {
        match self {
            Self::Reported { .. } | Self::TakenOver { .. } => true,
            Self::Stepped(_)
            | Self::Claimed
            | Self::Noted { .. }
            | Self::FileAttached(_)
            | Self::Replanned { .. }
            | Self::Moved { .. } => false,
        }
    }
}
