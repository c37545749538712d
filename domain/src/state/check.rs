//! What a command must hold to be taken: codes that are known, times that can be, texts within bounds.

use super::State;
use crate::case::step::Leads;
use crate::case::{History, Report};
use crate::clock::Limit;
use crate::code::{AreaCode, DepartmentCode};
use crate::moment::{DAY_MS, SECOND_MS, UtcMillis};
use crate::policy::Policy;
use crate::rejection::{RangeProblem, Rejection, TimeProblem};
use crate::text::{self, TextError, TextKind};

/// Whether codes that are retired may be used: by a case with a past, but by nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retired {
    Refused,
    Taken,
}

pub(super) fn known_area(
    state: &State,
    area: &AreaCode,
    retired: Retired,
) -> Result<Vec<AreaCode>, Rejection> {
    let known = state.catalogue.areas.get(area).map(|area| area.retired);
    check_code("area", area.as_str(), known, retired)?;
    Ok(state.catalogue.path(area))
}

/// `known` says whether a code that is in the catalogue is retired.
fn check_code(field: &str, code: &str, known: Option<bool>, retired: Retired) -> Result<(), Rejection> {
    match known {
        None => unknown(field, code),
        Some(true) if retired == Retired::Refused => {
            Err(Rejection::RetiredCode { field: field.to_owned(), code: code.to_owned() })
        }
        Some(_) => Ok(()),
    }
}

/// A department that can be sent something.
pub(super) fn check_department(
    state: &State,
    field: &str,
    department: &DepartmentCode,
) -> Result<(), Rejection> {
    let known = state.catalogue.departments.get(department).map(|department| department.retired);
    check_code(field, department.as_str(), known, Retired::Refused)
}

/// Everything a report says but where it lies; the areas it lies in.
pub(super) fn check_report(
    state: &State,
    report: &Report,
    retired: Retired,
) -> Result<Vec<AreaCode>, Rejection> {
    let path = known_area(state, &report.area, retired)?;
    let class = state.catalogue.classes.get(&report.class).map(|class| class.retired);
    check_code("class", report.class.as_str(), class, retired)?;
    let source = state.catalogue.sources.get(&report.source).map(|source| source.retired);
    check_code("source", report.source.as_str(), source, retired)?;
    if let Some(condition) = state.catalogue.condition(&report.class, report.condition.as_deref()) {
        check_code("condition", condition.code.as_str(), Some(condition.retired), retired)?;
    }
    check_text("description", &report.description, TextKind::Note)?;
    check_text("address", &report.address, TextKind::Line)?;
    check_text("condition", report.condition.as_deref().unwrap_or(""), TextKind::Line)?;
    check_text("reporter", report.reporter.as_deref().unwrap_or(""), TextKind::Name)?;
    if let Some(external) = &report.external {
        check_stated("external.system", &external.system, TextKind::Id)?;
        check_stated("external.id", &external.id, TextKind::Id)?;
    }
    if report.base_count == 0 {
        return out_of_range("base_count", RangeProblem::BaseCount);
    }
    Ok(path)
}

/// Whether the report lies where the policy has its city; one without a position does.
pub(super) fn is_within(report: &Report, policy: &Policy) -> bool {
    report.place.zip(policy.bounds).is_none_or(|(place, bounds)| bounds.contains(place))
}

/// Times of a case with a past in another system.
pub(super) fn check_history(history: &History, policy: &Policy, now: UtcMillis) -> Result<(), Rejection> {
    let latest = now.plus(i64::from(policy.clock_skew_seconds) * SECOND_MS);
    check_possible("opened", history.opened)?;
    if history.opened > latest {
        return impossible("opened", TimeProblem::InTheFuture);
    }
    if let Some(closed) = history.closed {
        check_possible("closed", closed)?;
        if closed < history.opened {
            return impossible("closed", TimeProblem::BeforeOpening);
        }
        if closed > latest {
            return impossible("closed", TimeProblem::InTheFuture);
        }
    }
    check_known_steps(history, latest)?;
    history.due.map_or(Ok(()), |due| check_possible("due", due))
}

/// Steps of the past: taken, in order, each after the opening.
fn check_known_steps(history: &History, latest: UtcMillis) -> Result<(), Rejection> {
    let (mut last, mut reached) = (history.opened, None);
    for known in &history.steps {
        let step = known.step;
        check_possible("steps", known.at)?;
        if known.at > latest {
            return impossible("steps", TimeProblem::InTheFuture);
        }
        // The closing has a field of its own, and a loop that went round or was waited in is not told by a list of times.
        let to = match step.to {
            Leads::On(to) if history.closed.is_some() || to <= history.stage => to,
            Leads::On(_) | Leads::Back(_) | Leads::Stays | Leads::Closes(_) => {
                return out_of_range("steps", RangeProblem::StepToCome);
            }
        };
        if known.at < last || reached >= Some(to) {
            return impossible("steps", TimeProblem::BeforeTheStepBefore);
        }
        (last, reached) = (known.at, Some(to));
    }
    if history.closed.is_some_and(|closed| closed < last) {
        return impossible("closed", TimeProblem::BeforeTheStepBefore);
    }
    Ok(())
}

fn check_possible(field: &str, at: UtcMillis) -> Result<(), Rejection> {
    if at.is_possible() { Ok(()) } else { impossible(field, TimeProblem::NotPossible) }
}

/// A time of a new report: about now.
pub(super) fn check_seen(
    field: &str,
    seen: UtcMillis,
    policy: &Policy,
    now: UtcMillis,
) -> Result<(), Rejection> {
    check_possible(field, seen)?;
    if seen > now.plus(i64::from(policy.clock_skew_seconds) * SECOND_MS) {
        return impossible(field, TimeProblem::InTheFuture);
    }
    if seen < now.plus(-i64::from(policy.backdate_days) * DAY_MS) {
        return impossible(field, TimeProblem::TooLongAgo);
    }
    Ok(())
}

pub(super) fn check_limit(limit: Limit) -> Result<(), Rejection> {
    if limit.is_possible() { Ok(()) } else { out_of_range("limit", RangeProblem::Limit) }
}

pub(super) fn unknown<T>(field: &str, code: &str) -> Result<T, Rejection> {
    Err(Rejection::UnknownCode { field: field.to_owned(), code: code.to_owned() })
}

pub(super) fn impossible<T>(field: &str, problem: TimeProblem) -> Result<T, Rejection> {
    Err(Rejection::ImpossibleTime { field: field.to_owned(), problem })
}

pub(super) fn out_of_range<T>(field: &str, problem: RangeProblem) -> Result<T, Rejection> {
    Err(Rejection::OutOfRange { field: field.to_owned(), problem })
}

pub(super) fn check_text(field: &str, value: &str, kind: TextKind) -> Result<(), Rejection> {
    text::check_text(value, kind).or_else(|error| wrong_text(field, &error))
}

/// A text that must not be empty.
pub(super) fn check_stated(field: &str, value: &str, kind: TextKind) -> Result<(), Rejection> {
    text::check_stated(value, kind).or_else(|error| wrong_text(field, &error))
}

pub(super) fn wrong_text(field: &str, error: &TextError) -> Result<(), Rejection> {
    out_of_range(field, RangeProblem::Text(error.clone()))
}
