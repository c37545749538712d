//! The stages of the closed loop (闭环), and their names.

use serde::{Deserialize, Serialize};

use crate::rejection::Language;

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

    /// The name on screens.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Zh, Self::Accept) => "受理",
            (Language::Zh, Self::File) => "立案",
            (Language::Zh, Self::Dispatch) => "派遣",
            (Language::Zh, Self::Dispose) => "处置",
            (Language::Zh, Self::Feedback) => "反馈",
            (Language::Zh, Self::Check) => "核查",
            (Language::Zh, Self::Close) => "结案",
            (Language::En, Self::Accept) => "Accept",
            (Language::En, Self::File) => "File",
            (Language::En, Self::Dispatch) => "Dispatch",
            (Language::En, Self::Dispose) => "Dispose",
            (Language::En, Self::Feedback) => "Feedback",
            (Language::En, Self::Check) => "Check",
            (Language::En, Self::Close) => "Close",
        }
    }
}
