//! What an adopted policy may not change, whatever it says: how days were counted, what is known of them, and what a code
//! that is in use means.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::change::{Before, Kind, Uses, entries, uses};
use crate::case::Case;
use crate::catalogue::{AreaLevel, ClassKind};
use crate::moment::Date;
use crate::rejection::Language;
use crate::whistle::Whistle;

/// Why a policy that holds by itself cannot follow the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// All days were counted with the offset that is; in minutes east of UTC.
    Offset { is: i32, wanted: i32 },
    /// Days that are known would not be known any more.
    Reach { is: Date, wanted: Option<Date> },
    /// A code that something open has is left out.
    InUse { kind: Kind, code: String, cases: u64, whistles: u64 },
    /// 区域层级 of a code that is known.
    Level { code: String, is: AreaLevel, wanted: AreaLevel },
    /// 案件类型 of a code that is known.
    ClassKind { code: String, is: ClassKind, wanted: ClassKind },
    /// A filing condition of another class.
    Class { code: String, is: String, wanted: String },
}

impl Refusal {
    /// The field of the policy at fault.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Offset { .. } => "utc_offset_minutes",
            Self::Reach { .. } => "calendar",
            Self::InUse { kind, .. } => kind.list(),
            Self::Level { .. } => Kind::Area.list(),
            Self::ClassKind { .. } => Kind::Class.list(),
            Self::Class { .. } => Kind::Condition.list(),
        }
    }

    #[must_use]
    pub fn words(&self, language: Language) -> String {
        let said = match language {
            Language::Zh => self.zh(),
            Language::En => self.en(),
        };
        match language {
            Language::Zh => format!("{}：{said}", self.field()),
            Language::En => format!("{}: {said}", self.field()),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Offset { is, wanted } => {
                format!("与 UTC 的时差不得由 {is} 分钟改为 {wanted} 分钟，历年统计均按其计日")
            }
            Self::Reach { is, wanted: Some(wanted) } => {
                format!("日历只到 {wanted}，现行日历已知至 {is}；请保留已知的节假日")
            }
            Self::Reach { is, wanted: None } => {
                format!("日历没有节假日，现行日历已知至 {is}；请保留已知的节假日")
            }
            Self::InUse { code, cases, whistles, kind: _ } => {
                let calls =
                    if *whistles > 0 { format!("、{whistles} 个进行中的哨") } else { String::new() };
                format!(
                    "缺少“{code}”，{cases} 件在办案件{calls}仍在使用；停用请保留该条并写明 retired = true"
                )
            }
            Self::Level { code, is, wanted } => format!(
                "“{code}”的层级不得由{}改为{}；请另用代码，原代码停用",
                is.words(Language::Zh),
                wanted.words(Language::Zh)
            ),
            Self::ClassKind { code, is, wanted } => format!(
                "“{code}”的案件类型不得由{}改为{}；请另用代码，原代码停用",
                kind_words(*is, Language::Zh),
                kind_words(*wanted, Language::Zh)
            ),
            Self::Class { code, is, wanted } => {
                format!("“{code}”属小类“{is}”，不得改属“{wanted}”；请另用代码，原代码停用")
            }
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Offset { is, wanted } => {
                format!("{is} never becomes {wanted}; the days of all years were counted with it")
            }
            Self::Reach { is, wanted } => {
                let wanted =
                    wanted.map_or_else(|| "has no holidays".to_owned(), |day| format!("reaches to {day}"));
                format!("it {wanted}, the one in force is known up to {is}; keep the holidays that are known")
            }
            Self::InUse { code, cases, whistles, kind: _ } => {
                let case = if *cases == 1 { "case has" } else { "cases have" };
                let calls = match whistles {
                    0 => String::new(),
                    1 => ", 1 open call names it".to_owned(),
                    more => format!(", {more} open calls name it"),
                };
                format!(
                    "`{code}` is left out and {cases} open {case} it{calls}; to retire it keep its entry with `retired = true`"
                )
            }
            Self::Level { code, is, wanted } => format!(
                "`{code}` is a {} and never becomes a {}; retire it and give the new one a code of its own",
                is.key(),
                wanted.key()
            ),
            Self::ClassKind { code, is, wanted } => format!(
                "`{code}` is of the kind {} and never becomes {}; retire it and give the new one a code of its own",
                kind_words(*is, Language::En),
                kind_words(*wanted, Language::En)
            ),
            Self::Class { code, is, wanted } => format!(
                "`{code}` belongs to class `{is}` and never to `{wanted}`; retire it and give the new one a code of its own"
            ),
        }
    }
}

fn kind_words(kind: ClassKind, language: Language) -> &'static str {
    match (language, kind) {
        (Language::Zh, ClassKind::Event) => "事件",
        (Language::Zh, ClassKind::Part) => "部件",
        (Language::Zh, ClassKind::Complaint) => "接诉即办",
        (Language::En, ClassKind::Event) => "event",
        (Language::En, ClassKind::Part) => "part",
        (Language::En, ClassKind::Complaint) => "complaint",
    }
}

impl Policy {
    /// Why this policy cannot follow the one before, if anything. That it holds by itself is [`Policy::check`]'s.
    #[must_use]
    pub fn refusals<'a, C, W>(&self, before: &Before<'a, C, W>) -> Vec<Refusal>
    where
        C: Iterator<Item = &'a Case> + Clone,
        W: Iterator<Item = &'a Whistle> + Clone,
    {
        let mut refused = Vec::new();
        let (is, wanted) = (before.policy.utc_offset_minutes.0, self.utc_offset_minutes.0);
        if is != wanted {
            refused.push(Refusal::Offset { is, wanted });
        }
        if let Some(is) = before.policy.calendar.reach() {
            let wanted = self.calendar.reach();
            if wanted < Some(is) {
                refused.push(Refusal::Reach { is, wanted });
            }
        }
        for codes in entries::compare(before.policy, before.catalogue, self) {
            let kind = codes.kind;
            let gone: BTreeSet<&str> = codes.gone.iter().map(String::as_str).collect();
            for (code, Uses { cases, whistles }) in uses(before, kind, &gone).0 {
                refused.push(Refusal::InUse { kind, code: code.to_owned(), cases, whistles });
            }
        }
        self.refuse_other_meanings(before.catalogue, &mut refused);
        refused
    }

    fn refuse_other_meanings(&self, known: &crate::catalogue::Catalogue, refused: &mut Vec<Refusal>) {
        for area in &self.areas {
            let is = known.areas.get(&area.code).map(|was| was.level);
            if let Some(is) = is.filter(|is| *is != area.level) {
                refused.push(Refusal::Level { code: area.code.to_string(), is, wanted: area.level });
            }
        }
        for class in &self.classes {
            let is = known.classes.get(&class.code).map(|was| was.kind);
            if let Some(is) = is.filter(|is| *is != class.kind) {
                refused.push(Refusal::ClassKind { code: class.code.to_string(), is, wanted: class.kind });
            }
        }
        let known: BTreeMap<_, _> = known.conditions.iter().map(|(code, was)| (code, &was.class)).collect();
        for condition in &self.conditions {
            if let Some(is) = known.get(&condition.code).filter(|is| ***is != condition.class) {
                let (is, wanted) = (is.to_string(), condition.class.to_string());
                refused.push(Refusal::Class { code: condition.code.to_string(), is, wanted });
            }
        }
    }
}
