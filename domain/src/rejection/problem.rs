//! What exactly is wrong with a value, in both languages. Closed sets: a new reason does not compile without its words.

use super::Language;
use crate::case::request::Unfit;
use crate::catalogue::AreaLevel;
use crate::clock::Limit;
use crate::text::TextError;

/// What is wrong with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeProblem {
    /// Not from 1970 to 2199.
    NotPossible,
    InTheFuture,
    /// Further back than the policy accepts.
    TooLongAgo,
    BeforeOpening,
    /// Before the step that comes first.
    BeforeTheStepBefore,
}

impl TimeProblem {
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Zh, Self::NotPossible) => "须在 1970 至 2199 年之间",
            (Language::Zh, Self::InTheFuture) => "在将来",
            (Language::Zh, Self::TooLongAgo) => "早于规则允许补报的期限",
            (Language::Zh, Self::BeforeOpening) => "早于案件发生",
            (Language::Zh, Self::BeforeTheStepBefore) => "早于前一环节",
            (Language::En, Self::NotPossible) => "is not within the years 1970 to 2199",
            (Language::En, Self::InTheFuture) => "lies in the future",
            (Language::En, Self::TooLongAgo) => "lies further in the past than the policy accepts",
            (Language::En, Self::BeforeOpening) => "lies before the case was opened",
            (Language::En, Self::BeforeTheStepBefore) => "lies before the step that comes first",
        }
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeProblem {
    Missing,
    OutsideBounds,
    /// Not 1 to 10,000 units.
    Limit,
    /// The limit runs out further ahead than the calendar can tell.
    NoDue,
    BaseCount,
    /// Not 1 to 20 departments.
    CalledNumber,
    CalledTwice,
    EntriesInOne,
    EntriesInAll,
    /// Milestones of a condition: none, too many, or not each longer than the one before.
    Milestones,
    /// The step cannot lie behind a case that waits in its stage.
    StepToCome,
    /// A photo that is no picture.
    NoPicture,
    Text(TextError),
    Level {
        level: AreaLevel,
        above: AreaLevel,
    },
}

impl RangeProblem {
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        let said = match language {
            Language::Zh => self.zh(),
            Language::En => self.en(),
        };
        match self {
            Self::Text(error) => error.words(language),
            Self::Level { level, above } => match language {
                Language::Zh => format!("{}不能在{}之内", level.words(language), above.words(language)),
                Language::En => format!(
                    "a {} cannot lie in a {}: levels go from city over district, street and community to grid",
                    level.words(language),
                    above.words(language)
                ),
            },
            Self::Limit => said.replace("{most}", &Limit::AMOUNT_MAX.to_string()),
            Self::Missing
            | Self::OutsideBounds
            | Self::NoDue
            | Self::BaseCount
            | Self::CalledNumber
            | Self::CalledTwice
            | Self::EntriesInOne
            | Self::EntriesInAll
            | Self::Milestones
            | Self::StepToCome
            | Self::NoPicture => said.to_owned(),
        }
    }

    fn zh(&self) -> &'static str {
        match self {
            Self::Missing => "必须填写",
            Self::OutsideBounds => "不在本市范围内",
            Self::Limit => "时限须为 1 至 {most} 个单位",
            Self::NoDue => "时限过长，算不出到期时间",
            Self::BaseCount => "至少为 1",
            Self::CalledNumber => "须为 1 至 20 个单位",
            Self::CalledTwice => "同一单位呼叫了两次",
            Self::EntriesInOne => "一次至多 10000 条",
            Self::EntriesInAll => "目录至多 100000 条",
            Self::Milestones => "须有 1 至 9 个分段时限，同一计时单位的后段长于前段",
            Self::StepToCome => "案件尚未走到这一环节",
            Self::NoPicture => "照片须为图片，其他文件请作为文档上传",
            // Said with their own figures.
            Self::Text(_) | Self::Level { .. } => "",
        }
    }

    fn en(&self) -> &'static str {
        match self {
            Self::Missing => "must be given",
            Self::OutsideBounds => "lies outside the policy's bounds",
            Self::Limit => "expected 1 to {most} units",
            Self::NoDue => "runs out further ahead than a due time can be told",
            Self::BaseCount => "must be at least 1",
            Self::CalledNumber => "expected 1 to 20 departments",
            Self::CalledTwice => "a department is called twice",
            Self::EntriesInOne => "at most 10,000 in one command",
            Self::EntriesInAll => "the catalogue holds at most 100,000",
            Self::Milestones => {
                "expected 1 to 9 milestones, of the same kind each longer than the one before"
            }
            Self::StepToCome => "the case has not come to this step yet",
            Self::NoPicture => "a photo is a picture; send other files as documents",
            // Said with their own figures.
            Self::Text(_) | Self::Level { .. } => "",
        }
    }
}

/// Why a policy cannot come into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyProblem {
    /// What the check of the policy says, naming the field.
    Unsound(String),
    /// All days were counted with the offset that is; in minutes east of UTC.
    Offset { is: i32, wanted: i32 },
    /// More than 100,000 codes together with those that stay readable.
    Codes,
    /// An area that stays readable lies in one that is unknown.
    Parent { area: String, parent: String },
    /// An area that stays readable would lie in one that is not coarser.
    Level { area: String, level: AreaLevel, parent: String, above: AreaLevel },
}

impl PolicyProblem {
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        match (language, self) {
            (Language::Zh | Language::En, Self::Unsound(problem)) => problem.clone(),
            (Language::Zh, Self::Offset { is, wanted }) => {
                format!("与世界时的时差不得由 {is} 分钟改为 {wanted} 分钟，历年统计均按其计日")
            }
            (Language::En, Self::Offset { is, wanted }) => format!(
                "utc_offset_minutes: {is} never becomes {wanted}; the days of all years were counted with it"
            ),
            (Language::Zh, Self::Codes) => "连同保留可查的代码超过 100,000 个".to_owned(),
            (Language::En, Self::Codes) => {
                "more than 100,000 codes together with those that stay readable".to_owned()
            }
            (Language::Zh, Self::Parent { area, parent }) => {
                format!("保留可查的区域“{area}”的上级“{parent}”不存在")
            }
            (Language::En, Self::Parent { area, parent }) => {
                format!("areas: `{area}`, which stays readable, lies in the unknown `{parent}`")
            }
            (Language::Zh, Self::Level { area, level, parent, above }) => format!(
                "保留可查的区域“{area}”（{}）不能属于“{parent}”（{}）",
                level.words(language),
                above.words(language)
            ),
            (Language::En, Self::Level { area, level, parent, above }) => format!(
                "areas: `{area}` ({}), which stays readable, cannot lie in `{parent}` ({})",
                level.words(language),
                above.words(language)
            ),
        }
    }
}

impl Unfit {
    /// The stable name of the problem, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Asked => "asked_already",
            Self::Overdue => "overdue",
            Self::NoLimit => "no_limit",
            Self::Suspended => "suspended",
            Self::NotSuspended => "not_suspended",
        }
    }

    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Zh, Self::NotAsked) => "没有待批的此项申请",
            (Language::Zh, Self::Asked) => "已有申请待批，批复后再申请",
            (Language::Zh, Self::Overdue) => "处置已超时，超时后不再延期、挂账",
            (Language::Zh, Self::NoLimit) => "没有可延长的处置时限",
            (Language::Zh, Self::Suspended) => "案件挂账中，请先恢复处置",
            (Language::Zh, Self::NotSuspended) => "案件没有挂账",
            (Language::En, Self::NotAsked) => "nothing of the kind waits for an answer",
            (Language::En, Self::Asked) => "a request waits for an answer; ask again after it",
            (Language::En, Self::Overdue) => {
                "its disposal is overdue, and is neither extended nor suspended any more"
            }
            (Language::En, Self::NoLimit) => {
                "no limit of its disposal is known that could be given once more"
            }
            (Language::En, Self::Suspended) => "it is suspended; resume it first",
            (Language::En, Self::NotSuspended) => "it is not suspended",
        }
    }
}
