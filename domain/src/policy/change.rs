//! What another policy would change (规则变更): by code and figure, on how many open cases, and how many running limits move.
//!
//! The pure half of a dry run. What should not be here: its words (`change::words`), and what may not change at all
//! (`refusal`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Policy;
use crate::case::Case;
use crate::catalogue::{Catalogue, Name};
use crate::code::{AreaCode, DepartmentCode};
use crate::moment::Date;
use crate::whistle::Whistle;

pub mod entries;
pub mod figures;
pub mod responsibilities;
mod words;

pub use entries::{Codes, Kind};
pub use figures::FigureChange;
pub use responsibilities::ResponsibilitiesChange;

/// Codes and dates spelt out of one kind of change; the rest is counted.
const NAMED_MAX: usize = 100;

/// Everything of one kind of change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Listed {
    pub count: u64,
    /// The first hundred.
    pub codes: Vec<String>,
}

impl Listed {
    fn add(&mut self, code: &str) {
        self.count += 1;
        if self.codes.len() < NAMED_MAX {
            self.codes.push(code.to_owned());
        }
    }

    fn of(codes: impl IntoIterator<Item = impl std::fmt::Display>) -> Self {
        let mut listed = Self::default();
        codes.into_iter().for_each(|code| listed.add(&code.to_string()));
        listed
    }
}

/// What the working calendar changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CalendarChange {
    /// Working spans, weekdays or the length of a working day are others.
    pub hours: bool,
    /// Holidays and make-up days that were ordinary.
    pub added: Listed,
    /// Those that were the other kind.
    pub turned: Listed,
    /// Those that are ordinary now.
    pub removed: Listed,
    /// The last day whose kind was known.
    pub reached_to: Option<Date>,
    /// The last day whose kind is known.
    pub reaches_to: Option<Date>,
}

/// What a policy changes against the one in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = PolicyChange))]
pub struct Change {
    /// Running limits (时限) that run out at another time.
    pub limits_moved: u64,
    /// Running limits whose due time was provisional and no longer is.
    pub limits_settled: u64,
    /// Open cases that come to lie in other areas.
    pub cases_moved: u64,
    /// Open whistle calls (吹哨) that do.
    #[serde(default)]
    pub whistles_moved: u64,
    pub codes: Vec<Codes>,
    pub figures: Vec<FigureChange>,
    pub calendar: CalendarChange,
    #[serde(default)]
    pub responsibilities: ResponsibilitiesChange,
}

/// What there is when a policy comes: what is in force, and what is open.
#[derive(Clone, Copy)]
pub struct Before<'a, C, W> {
    pub policy: &'a Policy,
    /// The policy's codes and those defined through events.
    pub catalogue: &'a Catalogue,
    pub cases: C,
    pub whistles: W,
    /// The hall's day.
    pub today: Date,
}

impl Change {
    /// What `after` changes. Cases and whistles are the open ones.
    #[must_use]
    pub fn between<'a, C, W>(before: Before<'a, C, W>, after: &Policy) -> Self
    where
        C: Iterator<Item = &'a Case> + Clone,
        W: Iterator<Item = &'a Whistle> + Clone,
    {
        let mut codes = entries::compare(before.policy, before.catalogue, after);
        for of_kind in &mut codes {
            let retired: BTreeSet<&str> = of_kind.all_retired.iter().map(String::as_str).collect();
            let (_, cases) = uses(&before, of_kind.kind, &retired);
            of_kind.retired_on = cases;
        }
        codes.retain(Codes::is_something);
        let mut change = Self {
            codes,
            figures: figures::compare(before.policy, after),
            calendar: calendar(before.policy, after),
            responsibilities: responsibilities::compare(before.policy, after),
            ..Self::default()
        };
        let parents = parents(after);
        let moved = before.whistles.filter(|call| lies_elsewhere(&parents, &call.area_path));
        change.whistles_moved = moved.count() as u64;
        for case in before.cases {
            change.cases_moved += u64::from(lies_elsewhere(&parents, &case.area_path));
            for clock in case.running() {
                let Some(limit) = clock.limit else { continue };
                // A due time that cannot be told stays what was promised.
                let Some(due) = clock.due_by(&after.calendar, after.utc_offset_minutes) else {
                    continue;
                };
                let provisional = after.calendar.is_provisional(due, limit, after.utc_offset_minutes);
                change.limits_moved += u64::from(due != clock.due);
                change.limits_settled += u64::from(clock.provisional && !provisional);
            }
        }
        change
    }

    /// Asks of every kind with retired codes how many closed cases have one of them: the rules know the open ones alone.
    pub fn count_closed(&mut self, count: impl Fn(Kind, &BTreeSet<&str>) -> Option<u64>) {
        for of_kind in self.codes.iter_mut().filter(|codes| codes.retired.count > 0) {
            let retired = of_kind.all_retired.iter().map(String::as_str).collect();
            of_kind.retired_on_closed = count(of_kind.kind, &retired);
        }
    }
}

/// The parents the policy gives its areas.
fn parents(policy: &Policy) -> BTreeMap<&AreaCode, Option<&AreaCode>> {
    policy.areas.iter().map(|area| (&area.code, area.parent.as_ref())).collect()
}

/// Whether one of the areas that something lies in lies in another one now.
fn lies_elsewhere(parents: &BTreeMap<&AreaCode, Option<&AreaCode>>, area_path: &[AreaCode]) -> bool {
    let above = area_path.iter().skip(1).map(Some).chain([None]);
    let mut path = area_path.iter().zip(above);
    path.any(|(area, above)| parents.get(area).is_some_and(|parent| *parent != above))
}

/// How much that is open names a code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Uses {
    pub cases: u64,
    pub whistles: u64,
}

/// What is open and names one of `codes`: how much each, and how many cases any.
pub(super) fn uses<'a, 'c, C, W>(
    before: &Before<'a, C, W>,
    kind: Kind,
    codes: &BTreeSet<&'c str>,
) -> (BTreeMap<&'c str, Uses>, u64)
where
    C: Iterator<Item = &'a Case> + Clone,
    W: Iterator<Item = &'a Whistle> + Clone,
{
    let (mut each, mut any) = (BTreeMap::<&str, Uses>::new(), 0);
    if codes.is_empty() {
        return (each, any);
    }
    let mut hit = |named: BTreeSet<&str>, count: fn(&mut Uses) -> &mut u64| {
        let hits = named.iter().filter_map(|code| codes.get::<str>(code));
        hits.map(|code| *count(each.entry(code).or_default()) += 1).count() > 0
    };
    for case in before.cases.clone() {
        any += u64::from(hit(of_case(before.catalogue, kind, case), |uses| &mut uses.cases));
    }
    for whistle in before.whistles.clone() {
        hit(of_whistle(kind, whistle), |uses| &mut uses.whistles);
    }
    (each, any)
}

/// The codes of one kind that a case has.
fn of_case<'a>(known: &'a Catalogue, kind: Kind, case: &'a Case) -> BTreeSet<&'a str> {
    let report = &case.report;
    match kind {
        Kind::Area => case.area_path.iter().chain([&report.area]).map(AreaCode::as_str).collect(),
        Kind::Class => [report.class.as_str()].into(),
        Kind::Source => [report.source.as_str()].into(),
        Kind::Department => case.department.iter().map(DepartmentCode::as_str).collect(),
        Kind::Condition => {
            let condition = known.condition(&report.class, report.condition.as_deref());
            condition.iter().map(|condition| condition.code.as_str()).collect()
        }
    }
}

/// The codes of one kind that a whistle names.
fn of_whistle(kind: Kind, whistle: &Whistle) -> BTreeSet<&str> {
    match kind {
        Kind::Area => whistle.area_path.iter().map(AreaCode::as_str).collect(),
        Kind::Department => whistle.called.iter().map(|called| called.department.as_str()).collect(),
        Kind::Class | Kind::Source | Kind::Condition => BTreeSet::new(),
    }
}

fn calendar(before: &Policy, after: &Policy) -> CalendarChange {
    let (was, is) = (&before.calendar, &after.calendar);
    let hours =
        (&was.spans, &was.weekdays, was.work_day_minutes) != (&is.spans, &is.weekdays, is.work_day_minutes);
    let dates = |keep: &dyn Fn(&Date) -> bool| {
        let all: BTreeSet<Date> = was.exceptions.keys().chain(is.exceptions.keys()).copied().collect();
        Listed::of(all.into_iter().filter(keep))
    };
    let (had, has) = (|date: &Date| was.exceptions.get(date), |date: &Date| is.exceptions.get(date));
    CalendarChange {
        hours,
        added: dates(&|date| had(date).is_none()),
        turned: dates(&|date| matches!((had(date), has(date)), (Some(was), Some(is)) if was != is)),
        removed: dates(&|date| has(date).is_none()),
        reached_to: was.reach(),
        reaches_to: is.reach(),
    }
}

/// A text in both languages.
fn both(zh: impl Into<String>, en: impl Into<String>) -> Name {
    Name { zh: zh.into(), en: en.into() }
}
