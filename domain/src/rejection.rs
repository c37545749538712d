//! Why a command was refused, in words a person can read, in both languages.

use serde::{Deserialize, Serialize};

use crate::case::Stage;
use crate::code::{CaseId, WhistleId};

/// Language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Language {
    #[default]
    #[serde(rename = "zh-CN")]
    Zh,
    #[serde(rename = "en")]
    En,
}

/// Why a command was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    UnknownCase {
        case: CaseId,
    },
    UnknownWhistle {
        whistle: WhistleId,
    },
    /// The code is not in the catalogue.
    UnknownCode {
        field: String,
        code: String,
    },
    /// The case waits in another stage; stages are not jumped.
    WrongStage {
        case: CaseId,
        is: Stage,
        needs: Stage,
    },
    /// A time before, after or against the order it must have.
    ImpossibleTime {
        field: String,
        problem: String,
    },
    /// A value outside its range.
    OutOfRange {
        field: String,
        problem: String,
    },
    /// The department was not called, or has already responded.
    NotCalled {
        whistle: WhistleId,
        department: String,
    },
    AlreadyResponded {
        whistle: WhistleId,
        department: String,
    },
    /// The same idempotency key was used for another command.
    KeyReused,
    /// The account may not send this command.
    NotAllowed {
        command: String,
    },
    /// The account acts for one department, and this is another's, or nobody's yet.
    OtherDepartment {
        own: String,
        other: Option<String>,
    },
    /// The account acts for departments, but belongs to none.
    NoDepartment,
}

impl Rejection {
    /// The stable name of the problem, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCase { .. } => "unknown_case",
            Self::UnknownWhistle { .. } => "unknown_whistle",
            Self::UnknownCode { .. } => "unknown_code",
            Self::WrongStage { .. } => "wrong_stage",
            Self::ImpossibleTime { .. } => "impossible_time",
            Self::OutOfRange { .. } => "out_of_range",
            Self::NotCalled { .. } => "not_called",
            Self::AlreadyResponded { .. } => "already_responded",
            Self::KeyReused => "key_reused",
            Self::NotAllowed { .. } => "not_allowed",
            Self::OtherDepartment { .. } => "other_department",
            Self::NoDepartment => "no_department",
        }
    }

    /// The field at fault, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::UnknownCode { field, .. }
            | Self::ImpossibleTime { field, .. }
            | Self::OutOfRange { field, .. } => Some(field),
            Self::UnknownCase { .. } | Self::WrongStage { .. } => Some("case"),
            Self::UnknownWhistle { .. } => Some("whistle"),
            Self::NotCalled { .. } | Self::AlreadyResponded { .. } => Some("department"),
            Self::KeyReused => Some("key"),
            Self::OtherDepartment { .. } => Some("department"),
            Self::NotAllowed { .. } | Self::NoDepartment => None,
        }
    }

    /// One sentence for the person who sent the command.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        match language {
            Language::Zh => self.zh(),
            Language::En => self.en(),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::UnknownCase { case } => format!("没有在办案件 {case}；请核对编号，已结案件不再变更"),
            Self::UnknownWhistle { whistle } => format!("没有进行中的哨 {whistle}"),
            Self::UnknownCode { field, code } => format!("{field}：代码“{code}”不在目录中"),
            Self::WrongStage { case, is, needs } => {
                format!("案件 {case} 现在{}环节，此操作须在{}环节，不得跳过", stage_zh(*is), stage_zh(*needs))
            }
            Self::ImpossibleTime { field, problem } => format!("{field}：时间不成立（{problem}）"),
            Self::OutOfRange { field, problem } => format!("{field}：超出范围（{problem}）"),
            Self::NotCalled { whistle, department } => format!("哨 {whistle} 没有呼叫“{department}”"),
            Self::AlreadyResponded { whistle, department } => format!("“{department}”已就哨 {whistle} 报到"),
            Self::KeyReused => "该幂等键已用于另一条内容不同的命令".to_owned(),
            Self::NotAllowed { command } => format!("当前账号无权执行 {command}"),
            Self::OtherDepartment { own, other: Some(other) } => {
                format!("当前账号属于“{own}”，不能代“{other}”办理")
            }
            Self::OtherDepartment { own, other: None } => {
                format!("案件尚未派遣，当前账号只办理派遣给“{own}”的案件")
            }
            Self::NoDepartment => "当前账号未归属责任单位，请联系管理员".to_owned(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::UnknownCase { case } => {
                format!("no open case {case}; check the number, closed cases do not change")
            }
            Self::UnknownWhistle { whistle } => format!("no open whistle call {whistle}"),
            Self::UnknownCode { field, code } => format!("{field}: code `{code}` is not in the catalogue"),
            Self::WrongStage { case, is, needs } => format!(
                "case {case} waits in `{}`, this needs `{}`; stages are not jumped",
                is.key(),
                needs.key()
            ),
            Self::ImpossibleTime { field, problem } => format!("{field}: impossible time, {problem}"),
            Self::OutOfRange { field, problem } => format!("{field}: out of range, {problem}"),
            Self::NotCalled { whistle, department } => {
                format!("whistle call {whistle} did not call `{department}`")
            }
            Self::AlreadyResponded { whistle, department } => {
                format!("`{department}` has already responded to whistle call {whistle}")
            }
            Self::KeyReused => "the idempotency key was already used for a different command".to_owned(),
            Self::NotAllowed { command } => format!("this account may not send {command}"),
            Self::OtherDepartment { own, other: Some(other) } => {
                format!("this account acts for `{own}`, not for `{other}`")
            }
            Self::OtherDepartment { own, other: None } => {
                format!("the case is not dispatched yet; this account acts for `{own}` alone")
            }
            Self::NoDepartment => "this account belongs to no department; ask an administrator".to_owned(),
        }
    }
}

/// The stage's Chinese name.
#[must_use]
pub fn stage_zh(stage: Stage) -> &'static str {
    match stage {
        Stage::Accept => "受理",
        Stage::File => "立案",
        Stage::Dispatch => "派遣",
        Stage::Dispose => "处置",
        Stage::Feedback => "反馈",
        Stage::Check => "核查",
        Stage::Close => "结案",
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en())
    }
}

impl std::error::Error for Rejection {}
