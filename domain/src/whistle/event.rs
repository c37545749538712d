//! What happens to a whistle call.

use serde::Serialize;

use super::WhistleCall;
use crate::code::{AreaCode, DepartmentCode};
use crate::moment::UtcMillis;

/// An event about one whistle call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum WhistleEvent {
    Raised {
        call: WhistleCall,
        area_path: Vec<AreaCode>,
        due: UtcMillis,
    },
    Answered {
        department: DepartmentCode,
    },
    Closed {
        note: String,
    },
    /// The policy in force has it in other areas (划转).
    Moved {
        area_path: Vec<AreaCode>,
    },
}

impl WhistleEvent {
    /// Name of the event of a call that was raised.
    pub const RAISED: &str = "whistle_raised";

    /// The name in logs, the feed and the store.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Raised { .. } => Self::RAISED,
            Self::Answered { .. } => "whistle_answered",
            Self::Closed { .. } => "whistle_closed",
            Self::Moved { .. } => "whistle_moved",
        }
    }
}
