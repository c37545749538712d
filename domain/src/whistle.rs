//! A whistle call (吹哨报到): a street calls departments to respond to a matter nobody can settle alone.
//!
//! It is not whistle-blowing. Levels and counts: `reference/domain.md` §1.5. A whistle stays open until it is
//! closed (案不结、哨不停).

use serde::{Deserialize, Serialize};

use crate::code::{AreaCode, CaseId, DepartmentCode, WhistleId};
use crate::moment::UtcMillis;

pub mod event;

pub use event::WhistleEvent;

/// Level of a whistle (哨级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhistleLevel {
    /// 区级哨
    District,
    /// 街道哨
    Street,
    /// 社区哨
    Community,
}

impl WhistleLevel {
    pub const ALL: [Self; 3] = [Self::District, Self::Street, Self::Community];

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::Street => "street",
            Self::Community => "community",
        }
    }
}

/// What the caller says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WhistleCall {
    pub level: WhistleLevel,
    pub area: AreaCode,
    pub title: String,
    /// The case it is about, where there is one.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// 1 to 20 departments, each once.
    pub called: Vec<DepartmentCode>,
}

/// Departments one whistle may call.
pub const CALLED_MAX: usize = 20;

/// One called department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Called {
    pub department: DepartmentCode,
    /// 报到时间
    pub responded: Option<UtcMillis>,
    /// Whether the response clock ran out before the response.
    pub late: bool,
}

/// One whistle as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Whistle {
    pub id: WhistleId,
    pub call: WhistleCall,
    pub area_path: Vec<AreaCode>,
    pub raised: UtcMillis,
    /// When every called department must have responded.
    pub due: UtcMillis,
    pub called: Vec<Called>,
    pub closed: Option<UtcMillis>,
    /// Sequence number of the last event that changed it.
    pub version: u64,
}

impl Whistle {
    /// Departments that have not responded.
    pub fn missing(&self) -> impl Iterator<Item = &Called> {
        self.called.iter().filter(|called| called.responded.is_none())
    }
}
