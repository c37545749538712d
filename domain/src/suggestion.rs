//! Which department a case might go to (派遣建议), with the reasons as data: what the responsibility list says, what is on its hands, and
//! what came of the dispatches of the last ninety days.
//!
//! What should be here: who is suggested, in which order, and why. What should not: where the cases are read from, and any dispatch:
//! a suggestion is looked at by a person, who sends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::step::{Disposer, Leads, Power};
use crate::case::{Case, Closing, Stage, Step};
use crate::catalogue::Catalogue;
use crate::code::{AreaCode, ClassCode, DepartmentCode};
use crate::moment::{DAY_MS, UtcMillis};
use crate::policy::Responsibility;

/// Departments that are suggested at most: what is seen at one look.
pub const SUGGESTED_MAX: usize = 5;
/// How far back dispatches are looked at.
pub const LOOKED_BACK_DAYS: u16 = 90;
/// Dispatches of the class in an area from which on the area speaks for itself; with fewer the one around it is asked.
const PAST_MIN: u64 = 10;

/// Why a department is suggested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// 责任清单: it is responsible for the class in this area, the finest of the case's areas that the list names.
    Listed { class: ClassCode, area: AreaCode },
    /// 在办: open cases it has.
    Load { open: u64 },
    /// 历史派遣: dispatches of the class in the area since then, to it and to all, and how many of its own it did not return.
    Past { area: AreaCode, since: UtcMillis, all: u64, to_it: u64, kept: u64 },
}

/// One department with its reasons: the list, then its load, then the past, each as far as there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Suggestion {
    pub department: DepartmentCode,
    pub reasons: Vec<Reason>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub case: &'a Case,
    /// Of the policy in force.
    pub responsibilities: &'a [Responsibility],
    pub catalogue: &'a Catalogue,
    pub now: UtcMillis,
}

/// Dispatches of one department.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    to_it: u64,
    kept: u64,
}

/// Suggests at most five departments. `open` are the open cases that whoever asks may see, `past` those of the class, open and closed,
/// that were dispatched lately; others among them do no harm.
///
/// First comes who is listed, for a finer area first; then who has kept the larger share of what it was sent, then who has less on its
/// hands. Who has returned everything it was sent is not suggested for its past.
pub fn suggest<'a>(
    asked: Asked<'a>,
    open: impl Iterator<Item = &'a Case>,
    past: impl Iterator<Item = &'a Case> + Clone,
) -> Vec<Suggestion> {
    let listed = listed(&asked);
    let since = UtcMillis(asked.now.0.saturating_sub(i64::from(LOOKED_BACK_DAYS) * DAY_MS));
    let (area, sent) = sent(asked.case, since, past);
    let mut load: BTreeMap<&DepartmentCode, u64> = BTreeMap::new();
    // What waits for the centre's check or closing is off the department's hands.
    let in_hand =
        open.filter(|case| Step::out_of(case.stage).is_some_and(|step| step.power == Power::Department));
    for department in in_hand.filter_map(|case| case.department.as_ref()) {
        *load.entry(department).or_default() += 1;
    }
    let kept = sent.iter().filter(|(_, sent)| sent.kept > 0).map(|(department, _)| *department);
    let mut candidates: Vec<&DepartmentCode> = listed.iter().map(|(department, _)| *department).collect();
    candidates.extend(kept.filter(|department| !listed.iter().any(|(known, _)| known == department)));
    let is_used = |department: &&DepartmentCode| {
        asked.catalogue.departments.get(*department).is_some_and(|known| !known.retired)
    };
    candidates.retain(is_used);
    candidates.sort_by(|a, b| {
        let rank =
            |department| listed.iter().position(|(known, _)| *known == department).unwrap_or(listed.len());
        let of = |department: &DepartmentCode| sent.get(department).copied().unwrap_or_default();
        let (sent_a, sent_b) = (of(a), of(b));
        // a/b against c/d without a division: the larger share first.
        let share = (sent_b.kept * sent_a.to_it.max(1)).cmp(&(sent_a.kept * sent_b.to_it.max(1)));
        rank(*a).cmp(&rank(*b)).then(share).then(load.get(a).cmp(&load.get(b))).then(a.cmp(b))
    });
    candidates.truncate(SUGGESTED_MAX);
    let all = sent.values().map(|sent| sent.to_it).sum();
    let reasons = |department: &DepartmentCode| {
        let class = &asked.case.report.class;
        let entry = listed.iter().find(|(known, _)| *known == department);
        let entry = entry.map(|(_, area)| Reason::Listed { class: class.clone(), area: (*area).clone() });
        let load = Reason::Load { open: load.get(department).copied().unwrap_or_default() };
        let past = area.zip(sent.get(department)).map(|(area, sent)| Reason::Past {
            area: area.clone(),
            since,
            all,
            to_it: sent.to_it,
            kept: sent.kept,
        });
        entry.into_iter().chain([load]).chain(past).collect()
    };
    candidates
        .into_iter()
        .map(|department| Suggestion { department: department.clone(), reasons: reasons(department) })
        .collect()
}

/// Who is listed for the class, for a finer area first.
fn listed<'a>(asked: &Asked<'a>) -> Vec<(&'a DepartmentCode, &'a AreaCode)> {
    let mut listed: Vec<(&DepartmentCode, &AreaCode)> = Vec::new();
    for area in &asked.case.area_path {
        let entry = asked
            .responsibilities
            .iter()
            .find(|entry| entry.area == *area && entry.class == asked.case.report.class);
        if let Some(entry) =
            entry.filter(|entry| !listed.iter().any(|(known, _)| **known == entry.department))
        {
            listed.push((&entry.department, area));
        }
    }
    listed
}

/// To whom the class was sent in the finest of the case's areas that has enough of it; in the coarsest where none has.
fn sent<'a>(
    case: &'a Case,
    since: UtcMillis,
    past: impl Iterator<Item = &'a Case> + Clone,
) -> (Option<&'a AreaCode>, BTreeMap<&'a DepartmentCode, Sent>) {
    let mut found = (None, BTreeMap::new());
    for area in &case.area_path {
        let mut sent: BTreeMap<&DepartmentCode, Sent> = BTreeMap::new();
        let of_class = past.clone().filter(|known| known.report.class == case.report.class);
        for known in of_class.filter(|known| known.area_path.contains(area)) {
            for (department, kept) in dispatches(known, since) {
                let sent = sent.entry(department).or_default();
                (sent.to_it, sent.kept) = (sent.to_it + 1, sent.kept + u64::from(kept));
            }
        }
        let enough = sent.values().map(|sent| sent.to_it).sum::<u64>() >= PAST_MIN;
        found = (Some(area), sent);
        if enough {
            break;
        }
    }
    found
}

/// Each dispatch of a case since then: to whom, and whether it was kept. It was returned where the case went back to be
/// dispatched, ended as sent by mistake, or was taken from the department, before it was dispatched again.
fn dispatches(case: &Case, since: UtcMillis) -> impl Iterator<Item = (&DepartmentCode, bool)> {
    let steps = case.steps.iter().enumerate();
    let sends = steps.filter(move |(_, taken)| taken.step.department == Disposer::Asked && taken.at >= since);
    sends.filter_map(|(at, taken)| {
        let until_next =
            case.steps[at + 1..].iter().take_while(|later| later.step.department != Disposer::Asked);
        let is_returned = until_next.clone().any(|later| {
            let back = match later.step.to {
                Leads::Back(to) => to as usize <= Stage::Dispatch as usize,
                // 差错结案: it was filed or sent by mistake.
                Leads::Closes(Closing::Faulty) => true,
                Leads::On(_) | Leads::Stays | Leads::Closes(_) => false,
            };
            back || later.step.department == Disposer::Cleared
        });
        Some((taken.department.as_ref()?, !is_returned))
    })
}

#[cfg(test)]
mod tests;
