//! What an adopted policy may not change, whatever it says: how days were counted, what is known of them, and what a code
//! that is in use means.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::change::{Before, Kind, Uses, entries, uses};
use crate::case::Case;
use crate::catalogue::{AreaLevel, ClassKind};
use crate::clock::calendar::{REACH_YEARS_MAX, furthest_reach};
use crate::moment::Date;
use crate::rejection::Language;
use crate::whistle::Whistle;

/// Why a policy that holds by itself cannot follow the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// All days were counted with the offset that is; in minutes east of UTC.
    Offset { is: i32, wanted: i32 },
    /// Holidays are known, and none would be any more.
    Forgotten { is: Date },
    /// Due times of running limits that were told for certain, up to `needed`, would be provisional.
    Reach { wanted: Date, needed: Date, limits: u64 },
    /// Days would count as known that nobody can know yet.
    Ahead { wanted: Date, furthest: Date },
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
            Self::Forgotten { .. } | Self::Reach { .. } | Self::Ahead { .. } => "calendar",
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
            Self::Forgotten { is } => {
                format!("日历没有节假日，现行日历已知至 {is}；请保留已知的节假日")
            }
            Self::Reach { wanted, needed, limits } => format!(
                "日历只到 {wanted}，{limits} 个运行中的时限已按确定期限告知，最迟到 {needed}；请保留至该日的节假日或 reaches_to"
            ),
            Self::Ahead { wanted, furthest } => format!(
                "日历已知至 {wanted}，最远只可至 {furthest}（本年及其后 {REACH_YEARS_MAX} 年），再往后的放假安排尚未公布；请核对 reaches_to 与节假日的年份"
            ),
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
            Self::Forgotten { is } => format!(
                "it has no holidays, the one in force is known up to {is}; keep the holidays that are known"
            ),
            Self::Reach { wanted, needed, limits } => {
                let told = if *limits == 1 { "limit was" } else { "limits were" };
                format!(
                    "it reaches to {wanted}, and {limits} running {told} told for certain, up to {needed}; keep the holidays or `reaches_to` up to that day"
                )
            }
            Self::Ahead { wanted, furthest } => format!(
                "it is known up to {wanted}, and nobody can know it beyond {furthest} (this year and {REACH_YEARS_MAX} more); look at the years in `reaches_to` and of the holidays"
            ),
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
        self.refuse_calendar(before, &mut refused);
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

    /// What people were told stays: a due time that was certain must not become provisional because days on its way are
    /// forgotten, and holidays are not left out altogether by a file that lacks them. Nothing else depends on how far the
    /// calendar is known, so a reach that was a slip is taken back; what it promised beyond anybody's knowledge is none.
    fn refuse_calendar<'a, C, W>(&self, before: &Before<'a, C, W>, refused: &mut Vec<Refusal>)
    where
        C: Iterator<Item = &'a Case> + Clone,
    {
        let known = &before.policy.calendar;
        let furthest = furthest_reach(before.today);
        let Some(wanted) = self.calendar.reach() else {
            let is = known.reach().filter(|_| !known.exceptions.is_empty());
            refused.extend(is.map(|is| Refusal::Forgotten { is }));
            return;
        };
        if wanted > furthest {
            refused.push(Refusal::Ahead { wanted, furthest });
            return;
        }
        let offset = self.utc_offset_minutes;
        let certain = before.cases.clone().flat_map(Case::running).filter(|clock| !clock.provisional);
        let forgotten = certain.filter_map(|clock| {
            let limit = clock.limit?;
            let due = clock.due_by(&self.calendar, offset)?;
            self.calendar.is_provisional(due, limit, offset).then(|| due.local(offset).date)
        });
        let (mut limits, mut needed) = (0, wanted);
        for day in forgotten.filter(|day| *day <= furthest) {
            (limits, needed) = (limits + 1, needed.max(day));
        }
        if limits > 0 {
            refused.push(Refusal::Reach { wanted, needed, limits });
        }
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
