//! Why something is refused around a drill, in words a person can read, in both languages.

use super::{AFTER_S_MAX, INJECTS_MAX, KEPT_MAX, OPEN_MAX, Pace};
use crate::code::CaseId;
use crate::rejection::{Language, Rejection};
use crate::text::TextError;

/// Why it is refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrillRefusal {
    Title(TextError),
    /// It is somebody else's.
    NotItsDirector {
        director: String,
    },
    /// It has been ended.
    IsStopped {
        title: String,
    },
    Pace {
        milli: u32,
    },
    TooManyInjects {
        are: usize,
    },
    TooLate {
        index: usize,
        after_s: u32,
    },
    /// `index`: of the list; none for what is entered by hand.
    OfRealPeople {
        index: Option<usize>,
        field: &'static str,
    },
    NamesCase {
        index: usize,
    },
    /// The rules of the hall refuse what is to happen.
    Inject {
        index: usize,
        rejection: Box<Rejection>,
    },
    TooManyOpen,
    TooManyKept,
    /// Real cases of the first level wait for an answer.
    Unanswered {
        cases: Vec<CaseId>,
    },
}

impl DrillRefusal {
    /// The stable name of the problem, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Title(_) => "drill_title",
            Self::NotItsDirector { .. } => "not_its_director",
            Self::IsStopped { .. } => "drill_stopped",
            Self::Pace { .. } => "drill_pace",
            Self::TooManyInjects { .. } => "too_many_injects",
            Self::TooLate { .. } => "inject_too_late",
            Self::OfRealPeople { .. } => "of_real_people",
            Self::NamesCase { .. } => "inject_names_case",
            Self::Inject { .. } => "inject_refused",
            Self::TooManyOpen => "too_many_drills",
            Self::TooManyKept => "too_many_drills_kept",
            Self::Unanswered { .. } => "real_case_unanswered",
        }
    }

    /// The field at fault, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<String> {
        match self {
            Self::Title(_) => Some("title".to_owned()),
            Self::Pace { .. } => Some("pace_milli".to_owned()),
            Self::TooManyInjects { .. } => Some("injects".to_owned()),
            Self::TooLate { index, .. } => Some(format!("injects[{index}].after_s")),
            Self::OfRealPeople { index: Some(index), field } => {
                Some(format!("injects[{index}].what.{field}"))
            }
            Self::OfRealPeople { index: None, field } => Some((*field).to_owned()),
            Self::NamesCase { index } => Some(format!("injects[{index}].what.case")),
            Self::Inject { index, rejection } => Some(match rejection.field() {
                Some(field) => format!("injects[{index}].what.{field}"),
                None => format!("injects[{index}].what"),
            }),
            Self::Unanswered { .. } => Some("leaving".to_owned()),
            Self::NotItsDirector { .. } | Self::IsStopped { .. } | Self::TooManyOpen | Self::TooManyKept => {
                None
            }
        }
    }

    /// One sentence for the person who asked.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        match language {
            Language::Zh => self.zh(),
            Language::En => self.en(),
        }
    }

    fn zh(&self) -> String {
        let most_pace = Pace::MILLI_MAX / 1_000;
        match self {
            Self::Title(error) => format!("演练名称{}", error.words(Language::Zh)),
            Self::NotItsDirector { director } => format!("此演练由{director}导演，其他账号不能操作"),
            Self::IsStopped { title } => format!("演练“{title}”已结束；未作任何变更"),
            Self::Pace { milli } => {
                format!(
                    "演练速度 {milli} 不成立：0 为暂停，1000 至 {} 为 ×1 至 ×{most_pace}",
                    Pace::MILLI_MAX
                )
            }
            Self::TooManyInjects { are } => format!("情景有 {are} 条，至多 {INJECTS_MAX} 条"),
            Self::TooLate { index, after_s } => {
                format!("第 {} 条情景在开始后 {after_s} 秒，至多 {AFTER_S_MAX} 秒", index + 1)
            }
            Self::OfRealPeople { .. } => "演练不使用真实的举报人或外部案号".to_owned(),
            Self::NamesCase { index } => {
                format!("第 {} 条情景的哨指明了案件；演练开始前没有案件编号", index + 1)
            }
            Self::Inject { index, rejection } => {
                format!("第 {} 条情景不成立：{}", index + 1, rejection.words(Language::Zh))
            }
            Self::TooManyOpen => format!("已有 {OPEN_MAX} 场演练未结束；请先结束一场"),
            Self::TooManyKept => {
                format!("已保存 {KEPT_MAX} 场演练；请管理员先移走数据目录 worlds/ 下较早的演练")
            }
            Self::Unanswered { cases } => {
                format!("{}尚无人应答；确认后方可结束演练", numbers(cases, "真实一级案件 ", "、"))
            }
        }
    }

    fn en(&self) -> String {
        let most_pace = Pace::MILLI_MAX / 1_000;
        match self {
            Self::Title(error) => format!("the drill's title {}", error.words(Language::En)),
            Self::NotItsDirector { director } => {
                format!("this drill is directed by {director}; no other account acts on it")
            }
            Self::IsStopped { title } => format!("the drill “{title}” has ended; nothing was changed"),
            Self::Pace { milli } => format!(
                "{milli} is no pace of a drill: 0 pauses it, 1000 to {} is ×1 to ×{most_pace}",
                Pace::MILLI_MAX
            ),
            Self::TooManyInjects { are } => format!("{are} injects; at most {INJECTS_MAX} are taken"),
            Self::TooLate { index, after_s } => format!(
                "inject {} comes {after_s} seconds after the start; at most {AFTER_S_MAX} are taken",
                index + 1
            ),
            Self::OfRealPeople { .. } => {
                "a drill has neither real reporters nor numbers of another system in it".to_owned()
            }
            Self::NamesCase { index } => {
                format!("inject {} calls about a case; before the start no case has a number", index + 1)
            }
            Self::Inject { index, rejection } => {
                format!("inject {}: {}", index + 1, rejection.words(Language::En))
            }
            Self::TooManyOpen => format!("{OPEN_MAX} drills are open; end one first"),
            Self::TooManyKept => format!(
                "{KEPT_MAX} drills are kept; ask an administrator to move older ones away from worlds/ in the data folder"
            ),
            Self::Unanswered { cases } => format!(
                "nobody has answered {}; the drill ends once you say that you know",
                numbers(cases, "real first-level case ", ", ")
            ),
        }
    }
}

fn numbers(cases: &[CaseId], before: &str, between: &str) -> String {
    let numbers: Vec<String> = cases.iter().map(ToString::to_string).collect();
    format!("{before}{}", numbers.join(between))
}

impl std::fmt::Display for DrillRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en())
    }
}

impl std::error::Error for DrillRefusal {}
