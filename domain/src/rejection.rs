//! Why a command was refused, in words a person can read, in both languages.

use serde::{Deserialize, Serialize};

use crate::case::request::Unfit;
use crate::case::step::Words;
use crate::case::{Stage, Step};
use crate::code::{CaseId, WhistleId};
use crate::moment::{UtcMillis, UtcOffset};

pub mod problem;
pub mod since;

pub use problem::{PolicyProblem, RangeProblem, TimeProblem};
pub use since::{Adoptable, AdoptedSince};

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The code was retired: cases that have it keep it, new ones cannot get it.
    RetiredCode {
        field: String,
        code: String,
    },
    /// The case took a step after what the sender had seen of it.
    MovedOn(Box<MovedOn>),
    /// The case waits in another stage than one of those the step may be taken in; stages are not jumped.
    WrongStage {
        case: CaseId,
        is: Stage,
        needs: &'static [Stage],
    },
    /// A time before, after or against the order it must have.
    ImpossibleTime {
        field: String,
        problem: TimeProblem,
    },
    /// A value outside its range.
    OutOfRange {
        field: String,
        problem: RangeProblem,
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
    /// The case has as many notes as the policy lets an open case have.
    NotesFull {
        case: CaseId,
        most: u16,
    },
    /// The case has taken the step as often as the policy lets a case take it.
    TakenOften {
        case: CaseId,
        act: Words,
        most: u16,
    },
    /// The case has as many files as the policy lets an open case have.
    FilesFull {
        case: CaseId,
        most: u16,
    },
    /// The step does not fit what is asked of the case, though its stage is right.
    Unfit {
        case: CaseId,
        act: Words,
        why: Unfit,
    },
    /// The hall's clock is beyond the year 2199: it is wrong for certain, and no due time can be told.
    ClockOff,
    /// The same idempotency key was used for another command.
    KeyReused,
    /// The account may not send this command.
    NotAllowed {
        command: &'static str,
        act: Words,
    },
    /// The account acts for one department, and this is another's, or nobody's yet.
    OtherDepartment {
        own: String,
        other: Option<String>,
    },
    /// The account acts for departments, but belongs to none.
    NoDepartment,
    /// It lies beyond what the account may see.
    OutOfScope {
        field: Option<&'static str>,
    },
    /// The account has dispatched the case, so somebody else judges what came of it.
    OwnDispatch {
        case: CaseId,
    },
    /// The account holds supervision and disposal, which are kept apart here: it may use neither.
    PowersApart,
    /// A policy that cannot come into force.
    PolicyRefused {
        problem: PolicyProblem,
    },
    /// Another version came into force after the one an adoption was held against.
    AdoptedSince(Box<AdoptedSince>),
}

/// What happened between what the sender of a command had seen of a case and the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedOn {
    pub case: CaseId,
    pub number: String,
    /// Version the sender had seen.
    pub seen: u64,
    /// Version it has.
    pub is: u64,
    /// The stage it waits in.
    pub stage: Stage,
    /// The last step it took, and who took it when.
    pub step: Step,
    pub by: String,
    pub at: UtcMillis,
    pub offset: UtcOffset,
}

impl MovedOn {
    fn words(&self, language: Language) -> String {
        let time = self.at.local(self.offset);
        let (number, by, step) = (&self.number, &self.by, self.step.happened(language));
        let (hour, minute, stage) = (time.hour(), time.minute(), self.stage.words(language));
        match language {
            Language::Zh => format!(
                "您看到案件 {number} 之后，{by}已于 {hour:02}:{minute:02} 办理“{step}”，现在{stage}环节；未作任何变更，请看过现状再办"
            ),
            Language::En => format!(
                "after what you saw of case {number}, {by} took the step “{step}” at {hour:02}:{minute:02}; it now waits in “{stage}”. Nothing was changed; look at it again first"
            ),
        }
    }
}

impl Rejection {
    /// The stable name of the problem, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCase { .. } => "unknown_case",
            Self::UnknownWhistle { .. } => "unknown_whistle",
            Self::UnknownCode { .. } => "unknown_code",
            Self::RetiredCode { .. } => "retired_code",
            Self::MovedOn(_) => "moved_on",
            Self::WrongStage { .. } => "wrong_stage",
            Self::ImpossibleTime { .. } => "impossible_time",
            Self::OutOfRange { .. } => "out_of_range",
            Self::NotCalled { .. } => "not_called",
            Self::AlreadyResponded { .. } => "already_responded",
            Self::NotesFull { .. } => "notes_full",
            Self::TakenOften { .. } => "taken_often",
            Self::FilesFull { .. } => "files_full",
            Self::Unfit { why, .. } => why.code(),
            Self::ClockOff => "clock_off",
            Self::KeyReused => "key_reused",
            Self::NotAllowed { .. } => "not_allowed",
            Self::OtherDepartment { .. } => "other_department",
            Self::NoDepartment => "no_department",
            Self::OutOfScope { .. } => "out_of_scope",
            Self::OwnDispatch { .. } => "own_dispatch",
            Self::PowersApart => "powers_apart",
            Self::PolicyRefused { .. } => "policy_refused",
            Self::AdoptedSince(_) => "adopted_since",
        }
    }

    /// The field at fault, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::UnknownCode { field, .. }
            | Self::RetiredCode { field, .. }
            | Self::ImpossibleTime { field, .. }
            | Self::OutOfRange { field, .. } => Some(field),
            Self::UnknownCase { .. }
            | Self::WrongStage { .. }
            | Self::NotesFull { .. }
            | Self::FilesFull { .. }
            | Self::TakenOften { .. }
            | Self::Unfit { .. } => Some("case"),
            Self::MovedOn(_) => Some("seen"),
            Self::UnknownWhistle { .. } => Some("whistle"),
            Self::NotCalled { .. } | Self::AlreadyResponded { .. } => Some("department"),
            Self::KeyReused => Some("key"),
            Self::OtherDepartment { .. } => Some("department"),
            Self::OutOfScope { field } => *field,
            Self::OwnDispatch { .. } => Some("case"),
            Self::NotAllowed { .. } | Self::NoDepartment | Self::PowersApart | Self::ClockOff => None,
            Self::PolicyRefused { .. } => Some("policy"),
            Self::AdoptedSince(_) => Some("upon"),
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
            Self::RetiredCode { field, code } => format!("{field}：代码“{code}”已停用，新案件不再使用"),
            Self::MovedOn(moved) => moved.words(Language::Zh),
            Self::WrongStage { case, is, needs } => {
                let needs: Vec<&str> = needs.iter().map(|stage| stage.words(Language::Zh)).collect();
                let (is, needs) = (is.words(Language::Zh), needs.join("、"));
                format!("案件 {case} 现在{is}环节，此操作须在{needs}环节，不得跳过")
            }
            Self::ImpossibleTime { field, problem } => {
                format!("{field}：时间不成立（{}）", problem.words(Language::Zh))
            }
            Self::OutOfRange { field, problem } => {
                format!("{field}：超出范围（{}）", problem.words(Language::Zh))
            }
            Self::NotCalled { whistle, department } => format!("哨 {whistle} 没有呼叫“{department}”"),
            Self::AlreadyResponded { whistle, department } => format!("“{department}”已就哨 {whistle} 报到"),
            Self::NotesFull { case, most } => {
                format!("案件 {case} 的备注已满 {most} 条，不再添加；请写入下一环节的办理意见")
            }
            Self::TakenOften { case, act, most } => {
                format!("案件 {case} 已“{}”{most} 次，达到规则上限，须另行处理", act[0])
            }
            Self::FilesFull { case, most } => format!("案件 {case} 的附件已满 {most} 个，不再添加"),
            Self::Unfit { case, act, why } => {
                format!("案件 {case} 不能“{}”：{}", act[0], why.words(Language::Zh))
            }
            Self::ClockOff => "服务器时钟在 2199 年之后，须先校正；未作任何变更".to_owned(),
            Self::KeyReused => "该幂等键已用于另一条内容不同的命令".to_owned(),
            Self::NotAllowed { act, .. } => format!("当前账号无权办理“{}”", act[0]),
            Self::OtherDepartment { own, other: Some(other) } => {
                format!("当前账号属于“{own}”，不能代“{other}”办理")
            }
            Self::OtherDepartment { own, other: None } => {
                format!("案件尚未派遣，当前账号只办理派遣给“{own}”的案件")
            }
            Self::NoDepartment => "当前账号未归属责任单位，请联系管理员".to_owned(),
            Self::OutOfScope { .. } => "超出当前账号的数据范围".to_owned(),
            Self::OwnDispatch { case } => {
                format!("案件 {case} 由当前账号派遣，核查与结案须由他人办理（监管分离）")
            }
            Self::PowersApart => {
                "当前账号兼有监督与处置两权，本中心两权分离，两权均停用；请管理员分设账号".to_owned()
            }
            Self::PolicyRefused { problem } => format!("规则未启用：{}", problem.words(Language::Zh)),
            Self::AdoptedSince(since) => since.words(Language::Zh),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::UnknownCase { case } => {
                format!("no open case {case}; check the number, closed cases do not change")
            }
            Self::UnknownWhistle { whistle } => format!("no open whistle call {whistle}"),
            Self::UnknownCode { field, code } => format!("{field}: code `{code}` is not in the catalogue"),
            Self::RetiredCode { field, code } => {
                format!("{field}: code `{code}` is retired; new cases cannot have it")
            }
            Self::MovedOn(moved) => moved.words(Language::En),
            Self::WrongStage { case, is, needs } => {
                let needs: Vec<String> = needs.iter().map(|stage| format!("`{}`", stage.key())).collect();
                let (is, needs) = (is.key(), needs.join(" or "));
                format!("case {case} waits in `{is}`, this needs {needs}; stages are not jumped")
            }
            Self::ImpossibleTime { field, problem } => {
                format!("{field}: impossible time, {}", problem.words(Language::En))
            }
            Self::OutOfRange { field, problem } => {
                format!("{field}: out of range, {}", problem.words(Language::En))
            }
            Self::NotCalled { whistle, department } => {
                format!("whistle call {whistle} did not call `{department}`")
            }
            Self::AlreadyResponded { whistle, department } => {
                format!("`{department}` has already responded to whistle call {whistle}")
            }
            Self::NotesFull { case, most } => format!(
                "case {case} has {most} notes and takes no more; say it in the remark of its next step"
            ),
            Self::TakenOften { case, act, most } => {
                let times = if *most == 1 { "time" } else { "times" };
                format!("case {case} has had “{}” {most} {times}, as often as the policy lets it; settle it otherwise", act[1])
            }
            Self::FilesFull { case, most } => format!("case {case} has {most} files and takes no more"),
            Self::Unfit { case, act, why } => format!("case {case}, “{}”: {}", act[1], why.words(Language::En)),
            Self::ClockOff => "the server's clock is beyond the year 2199 and must be set right first; nothing was changed".to_owned(),
            Self::KeyReused => "the idempotency key was already used for a different command".to_owned(),
            Self::NotAllowed { command, .. } => format!("this account may not send {command}"),
            Self::OtherDepartment { own, other: Some(other) } => {
                format!("this account acts for `{own}`, not for `{other}`")
            }
            Self::OtherDepartment { own, other: None } => {
                format!("the case is not dispatched yet; this account acts for `{own}` alone")
            }
            Self::NoDepartment => "this account belongs to no department; ask an administrator".to_owned(),
            Self::OutOfScope { .. } => "this lies beyond what this account may see".to_owned(),
            Self::OwnDispatch { case } => {
                format!("this account has dispatched case {case}; somebody else judges what came of it")
            }
            Self::PowersApart => "this account holds supervision and disposal, which are kept apart here, and may use neither; ask an administrator for two accounts".to_owned(),
            Self::PolicyRefused { problem } => {
                format!("the policy is not adopted: {}", problem.words(Language::En))
            }
            Self::AdoptedSince(since) => since.words(Language::En),
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en())
    }
}

impl std::error::Error for Rejection {}

#[cfg(test)]
mod tests;
