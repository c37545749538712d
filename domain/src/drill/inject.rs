//! Something that is to happen in a drill (情景注入), at a time counted from its start by its own clock.
//!
//! What should be here: what it may be and within which bounds. What should not: what the rules of the hall say of the
//! case or call it makes, which they are asked themselves.

use serde::{Deserialize, Serialize};

use super::DrillRefusal;
use crate::case::Report;
use crate::command::Command;
use crate::whistle::WhistleCall;

/// Things one drill may have in its list: a short list, which a director can still read while people play.
pub const INJECTS_MAX: usize = 50;
/// Latest time of one, in seconds after the start: a day of the drill's own clock.
pub const AFTER_S_MAX: u32 = 86_400;

/// What happens: something enters the drill's hall by its usual door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// 上报: a case is reported.
    Case(Report),
    /// 吹哨: a whistle call is raised.
    Whistle(WhistleCall),
}

impl Happening {
    /// How it enters.
    #[must_use]
    pub fn command(&self) -> Command {
        match self {
            Self::Case(report) => Command::ReportCase { report: report.clone(), at: None },
            Self::Whistle(call) => Command::RaiseWhistle { call: call.clone() },
        }
    }

    /// The words a list shows: where it is, or what the call says.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Case(report) if report.address.is_empty() => &report.description,
            Self::Case(report) => &report.address,
            Self::Whistle(call) => &call.title,
        }
    }

    /// The field at fault, if any: an exercise has neither real people in it nor another system's cases.
    pub fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Case(report) if report.reporter.is_some() => Err("reporter"),
            Self::Case(report) if report.external.is_some() => Err("external"),
            Self::Case(_) | Self::Whistle(_) => Ok(()),
        }
    }
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Inject {
    /// When, in seconds after the start by the drill's own clock.
    pub after_s: u32,
    pub what: Happening,
}

impl Inject {
    /// `index` is its place in the list, from 0.
    pub(super) fn check(&self, index: usize) -> Result<(), DrillRefusal> {
        if self.after_s > AFTER_S_MAX {
            return Err(DrillRefusal::TooLate { index, after_s: self.after_s });
        }
        self.what.check().map_err(|field| DrillRefusal::OfRealPeople { index: Some(index), field })?;
        match &self.what {
            // Which number a case will have nobody knows before it is there.
            Happening::Whistle(call) if call.case.is_some() => Err(DrillRefusal::NamesCase { index }),
            Happening::Whistle(_) | Happening::Case(_) => Ok(()),
        }
    }
}
