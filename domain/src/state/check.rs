//! What a command must hold to be taken: codes that are known, times that can be, texts within bounds.

use super::State;
use crate::calendar::Limit;
use crate::case::Report;
use crate::code::AreaCode;
use crate::command::History;
use crate::moment::{DAY_MS, SECOND_MS, UtcMillis};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::text::{self, TextError, TextKind};

pub(super) fn known_area(state: &State, area: &AreaCode) -> Result<Vec<AreaCode>, Rejection> {
    let path = state.catalogue.path(area);
    if path.is_empty() { unknown("area", area.as_str()) } else { Ok(path) }
}

/// Everything a report says but where it lies; the areas it lies in.
pub(super) fn check_report(state: &State, report: &Report) -> Result<Vec<AreaCode>, Rejection> {
    let path = known_area(state, &report.area)?;
    if !state.catalogue.classes.contains_key(&report.class) {
        return unknown("class", report.class.as_str());
    }
    if !state.catalogue.sources.contains_key(&report.source) {
        return unknown("source", report.source.as_str());
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
        return out_of_range("base_count", "must be at least 1");
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
        return impossible("opened", "lies in the future");
    }
    if let Some(closed) = history.closed {
        check_possible("closed", closed)?;
        if closed < history.opened {
            return impossible("closed", "lies before the case was opened");
        }
        if closed > latest {
            return impossible("closed", "lies in the future");
        }
    }
    history.due.map_or(Ok(()), |due| check_possible("due", due))
}

fn check_possible(field: &str, at: UtcMillis) -> Result<(), Rejection> {
    if at.is_possible() { Ok(()) } else { impossible(field, "is not within the years 1970 to 2199") }
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
        return impossible(field, "lies in the future");
    }
    if seen < now.plus(-i64::from(policy.backdate_days) * DAY_MS) {
        return impossible(field, "lies further in the past than the policy accepts");
    }
    Ok(())
}

pub(super) fn check_limit(limit: Limit) -> Result<(), Rejection> {
    if limit.is_possible() { Ok(()) } else { out_of_range("limit", "expected 1 to 10,000 units") }
}

pub(super) fn unknown<T>(field: &str, code: &str) -> Result<T, Rejection> {
    Err(Rejection::UnknownCode { field: field.to_owned(), code: code.to_owned() })
}

pub(super) fn impossible<T>(field: &str, problem: &str) -> Result<T, Rejection> {
    Err(Rejection::ImpossibleTime { field: field.to_owned(), problem: problem.to_owned() })
}

pub(super) fn out_of_range<T>(field: &str, problem: &str) -> Result<T, Rejection> {
    Err(Rejection::OutOfRange { field: field.to_owned(), problem: problem.to_owned() })
}

pub(super) fn check_text(field: &str, value: &str, kind: TextKind) -> Result<(), Rejection> {
    text::check_text(value, kind).or_else(|error| wrong_text(field, &error))
}

/// A text that must not be empty.
pub(super) fn check_stated(field: &str, value: &str, kind: TextKind) -> Result<(), Rejection> {
    text::check_stated(value, kind).or_else(|error| wrong_text(field, &error))
}

pub(super) fn wrong_text(field: &str, error: &TextError) -> Result<(), Rejection> {
    out_of_range(field, &error.to_string())
}
