//! A case (案件) on its way round the closed loop (闭环): what is reported, what is known, which stage it waits in.

use serde::{Deserialize, Serialize};

use crate::calendar::Limit;
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use crate::moment::UtcMillis;
use crate::place::Point;

/// The seven stages of the closed loop (受理→立案→派遣→处置→反馈→核查→结案, `reference/domain.md` LOOP-01). A case
/// is *in* the stage whose work is still to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 受理
    Accept,
    /// 立案
    File,
    /// 派遣
    Dispatch,
    /// 处置
    Dispose,
    /// 反馈
    Feedback,
    /// 核查
    Check,
    /// 结案
    Close,
}

impl Stage {
    pub const ALL: [Self; 7] =
        [Self::Accept, Self::File, Self::Dispatch, Self::Dispose, Self::Feedback, Self::Check, Self::Close];

    /// The stage after this one; none after closing.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// The name in keys, URLs and files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::File => "file",
            Self::Dispatch => "dispatch",
            Self::Dispose => "dispose",
            Self::Feedback => "feedback",
            Self::Check => "check",
            Self::Close => "close",
        }
    }

    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.key() == key)
    }
}

/// How urgently a person is needed (案件等级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 一级
    First,
    /// 二级
    Second,
    /// 三级
    Third,
    /// 常规
    #[default]
    Ordinary,
}

/// Where another system keeps the same case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct External {
    /// The other system, for example `nyc311`.
    pub system: String,
    /// The case's number there.
    pub id: String,
}

/// What a report (上报) says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub source: SourceCode,
    pub class: ClassCode,
    /// The finest area known.
    pub area: AreaCode,
    /// 立案条件: which condition of the class, for example 破损 >25 cm².
    #[serde(default)]
    pub condition: Option<String>,
    /// Where, in words.
    #[serde(default)]
    pub address: String,
    #[serde(default)]
    pub description: String,
    /// Where, as a point; a case without one is kept and shown as such.
    #[serde(default)]
    pub place: Option<Point>,
    #[serde(default)]
    pub priority: Priority,
    /// 基本案件数: the weight of the case in the base count (`reference/domain.md` CAT-09).
    #[serde(default = "one")]
    pub base_count: u16,
    #[serde(default)]
    pub reporter: Option<String>,
    #[serde(default)]
    pub external: Option<External>,
}

fn one() -> u16 {
    1
}

/// How far a clock has run, as the log has recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    #[default]
    Running,
    /// Within the forecast window before the due time.
    Nearing,
    /// The due time passed while the work was still to be done.
    Overdue,
}

/// The clock of one stage of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Clock {
    pub started: UtcMillis,
    /// When the forecast window begins.
    pub nearing: UtcMillis,
    pub due: UtcMillis,
    /// None where only the due time is known, as for cases taken over from another system.
    #[serde(default)]
    pub limit: Option<Limit>,
    #[serde(default)]
    pub phase: Phase,
}

/// One case as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Case {
    pub id: CaseId,
    /// Number read out on the floor: date and running number of the day, such as `20261121-00042`.
    pub number: String,
    pub report: Report,
    /// The area and those it lies in, finest first, as the catalogue stood when the case was reported.
    pub area_path: Vec<AreaCode>,
    pub stage: Stage,
    pub reported: UtcMillis,
    /// When the stage began.
    pub stage_since: UtcMillis,
    pub filed: Option<UtcMillis>,
    pub dispatched: Option<UtcMillis>,
    pub closed: Option<UtcMillis>,
    pub dispatch_clock: Option<Clock>,
    pub disposal_clock: Option<Clock>,
    /// Who is to dispose of it.
    pub department: Option<DepartmentCode>,
    /// Who has taken it in hand at the desk (认领).
    pub claimed_by: Option<String>,
    /// Sequence number of the last event that changed it.
    pub version: u64,
}

impl Case {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The clock that runs now, with the stage it belongs to. The disposal clock runs from dispatch until the
    /// disposal is done.
    #[must_use]
    pub fn running_clock(&self) -> Option<(Stage, &Clock)> {
        match self.stage {
            Stage::Dispatch => self.dispatch_clock.as_ref().map(|clock| (Stage::Dispatch, clock)),
            Stage::Dispose => self.disposal_clock.as_ref().map(|clock| (Stage::Dispose, clock)),
            Stage::Accept | Stage::File | Stage::Feedback | Stage::Check | Stage::Close => None,
        }
        .filter(|_| self.is_open())
    }
}
