//! `decide`: whether a command may happen, and which events it makes.

use super::{Alarm, State};
use crate::calendar::Limit;
use crate::case::{Case, Clock, Phase, Report, Stage};
use crate::catalogue::Entry;
use crate::code::{AreaCode, CaseId, WhistleId};
use crate::command::{Command, DeadlineOf, Event, History, TEXT_BYTES_MAX};
use crate::moment::{DAY_MS, MINUTE_MS, SECOND_MS, UtcMillis};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::whistle::{CALLED_MAX, Whistle, WhistleCall};

/// Deadlines recorded by one command, so that a long sleep does not make one huge transaction.
const DEADLINES_PER_COMMAND_MAX: usize = 1_000;
/// Entries one command may define.
const ENTRIES_MAX: usize = 10_000;

/// Which events `command` makes at `now`, or why it is refused. Changes nothing.
pub fn decide(
    state: &State,
    command: &Command,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    let one = |event: Event| Ok(vec![event]);
    match command {
        Command::ReportCase { report, at } => {
            let area_path = check_report(state, report, policy)?;
            let seen = at.unwrap_or(now);
            check_seen("at", seen, policy, now)?;
            let (case, number) = next_case(state, policy, now);
            one(Event::CaseReported { case, number, report: report.clone(), area_path, seen })
        }
        Command::TakeOverCase { report, history } => take_over(state, report, *history, policy, now),
        Command::AcceptCase { case } => {
            at_stage(state, *case, Stage::Accept)?;
            one(Event::CaseAccepted { case: *case })
        }
        Command::FileCase { case } => {
            at_stage(state, *case, Stage::File)?;
            one(Event::CaseFiled { case: *case, dispatch_clock: clock(policy, now, policy.dispatch_limit) })
        }
        Command::DispatchCase { case, department, limit } => {
            let standing = at_stage(state, *case, Stage::Dispatch)?;
            if !state.catalogue.departments.contains_key(department) {
                return unknown("department", department.as_str());
            }
            let class_limit =
                state.catalogue.classes.get(&standing.report.class).and_then(|class| class.disposal_limit);
            let limit = limit.or(class_limit).unwrap_or(policy.disposal_limit);
            check_limit(limit)?;
            let disposal_clock = clock(policy, now, limit);
            one(Event::CaseDispatched { case: *case, department: department.clone(), disposal_clock })
        }
        Command::FinishDisposal { case, note } => {
            at_stage(state, *case, Stage::Dispose)?;
            check_text("note", note)?;
            one(Event::DisposalFinished { case: *case, note: note.clone() })
        }
        Command::GiveFeedback { case, note } => {
            at_stage(state, *case, Stage::Feedback)?;
            check_text("note", note)?;
            one(Event::FeedbackGiven { case: *case, note: note.clone() })
        }
        Command::PassCheck { case, note } => {
            at_stage(state, *case, Stage::Check)?;
            check_text("note", note)?;
            one(Event::CheckPassed { case: *case, note: note.clone() })
        }
        Command::CloseCase { case, note } => {
            at_stage(state, *case, Stage::Close)?;
            check_text("note", note)?;
            one(Event::CaseClosed { case: *case, note: note.clone() })
        }
        Command::ClaimCase { case } => {
            open_case(state, *case)?;
            one(Event::CaseClaimed { case: *case })
        }
        Command::NoteCase { case, text } => {
            open_case(state, *case)?;
            check_text("text", text)?;
            if text.trim().is_empty() {
                return out_of_range("text", "is empty");
            }
            one(Event::CaseNoted { case: *case, text: text.clone() })
        }
        Command::RaiseWhistle { call } => raise_whistle(state, call, policy, now),
        Command::RespondToWhistle { whistle, department } => {
            let standing = open_whistle(state, *whistle)?;
            let (whistle, name) = (*whistle, department.to_string());
            match standing.called.iter().find(|called| called.department == *department) {
                None => Err(Rejection::NotCalled { whistle, department: name }),
                Some(called) if called.responded.is_some() => {
                    Err(Rejection::AlreadyResponded { whistle, department: name })
                }
                Some(_) => one(Event::WhistleAnswered { whistle, department: department.clone() }),
            }
        }
        Command::CloseWhistle { whistle, note } => {
            open_whistle(state, *whistle)?;
            check_text("note", note)?;
            one(Event::WhistleClosed { whistle: *whistle, note: note.clone() })
        }
        Command::DefineCatalogue { entries } => define(state, entries),
        Command::PassDeadlines => Ok(pass_deadlines(state, policy, now)),
    }
}

fn take_over(
    state: &State,
    report: &Report,
    history: History,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    let area_path = check_report(state, report, policy)?;
    let latest = now.plus(i64::from(policy.clock_skew_seconds) * SECOND_MS);
    if history.opened > latest {
        return impossible("opened", "lies in the future");
    }
    if history.closed.is_some_and(|closed| closed < history.opened) {
        return impossible("closed", "lies before the case was opened");
    }
    if history.closed.is_some_and(|closed| closed > latest) {
        return impossible("closed", "lies in the future");
    }
    let waits = history.closed.is_none() && history.stage == Stage::Dispatch;
    let dispatch_clock = waits.then(|| clock(policy, history.opened, policy.dispatch_limit));
    let (case, number) = next_case(state, policy, now);
    Ok(vec![Event::CaseTakenOver {
        case,
        number,
        report: report.clone(),
        area_path,
        history,
        dispatch_clock,
    }])
}

fn raise_whistle(
    state: &State,
    call: &WhistleCall,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    let area_path = known_area(state, &call.area)?;
    check_text("title", &call.title)?;
    if call.title.trim().is_empty() {
        return out_of_range("title", "is empty");
    }
    if let Some(case) = call.case {
        open_case(state, case)?;
    }
    if call.called.is_empty() || call.called.len() > CALLED_MAX {
        return out_of_range("called", "expected 1 to 20 departments");
    }
    for (index, department) in call.called.iter().enumerate() {
        if !state.catalogue.departments.contains_key(department) {
            return unknown("called", department.as_str());
        }
        if call.called[..index].contains(department) {
            return out_of_range("called", "a department is called twice");
        }
    }
    let whistle = WhistleId(state.last_whistle + 1);
    let due = now.plus(i64::from(policy.whistle_response_minutes) * MINUTE_MS);
    Ok(vec![Event::WhistleRaised { whistle, call: call.clone(), area_path, due }])
}

fn define(state: &State, entries: &[Entry]) -> Result<Vec<Event>, Rejection> {
    if entries.len() > ENTRIES_MAX {
        return out_of_range("entries", "at most 10,000 in one command");
    }
    let mut known = state.catalogue.clone();
    let mut new = Vec::new();
    for entry in entries {
        if let Entry::Area(area) = entry
            && let Some(parent) = &area.parent
            && !known.areas.contains_key(parent)
        {
            return unknown("parent", parent.as_str());
        }
        if !known.has(entry) {
            known.define(entry.clone());
            new.push(entry.clone());
        }
    }
    Ok(if new.is_empty() { Vec::new() } else { vec![Event::CatalogueDefined { entries: new }] })
}

fn pass_deadlines(state: &State, policy: &Policy, now: UtcMillis) -> Vec<Event> {
    let date = now.local(policy.utc_offset_minutes).date;
    let turned = (date > state.today).then_some(Event::DayTurned { date });
    let passed =
        state.deadlines.iter().take_while(|(at, ..)| *at <= now).take(DEADLINES_PER_COMMAND_MAX).map(
            |(at, alarm, of)| match alarm {
                Alarm::Nearing => {
                    Event::DeadlineNearing { of: of.clone(), due: due_of(state, of).unwrap_or(*at) }
                }
                Alarm::Due => Event::DeadlinePassed { of: of.clone(), due: *at },
            },
        );
    turned.into_iter().chain(passed).collect()
}

fn due_of(state: &State, of: &DeadlineOf) -> Option<UtcMillis> {
    match of {
        DeadlineOf::Dispatch(case) => Some(state.cases.get(case)?.dispatch_clock?.due),
        DeadlineOf::Disposal(case) => Some(state.cases.get(case)?.disposal_clock?.due),
        DeadlineOf::Response(whistle, _) => Some(state.whistles.get(whistle)?.due),
    }
}

fn clock(policy: &Policy, started: UtcMillis, limit: Limit) -> Clock {
    let due = policy.calendar.due(started, limit, policy.utc_offset_minutes);
    let nearing = due.plus(-i64::from(policy.forecast_minutes) * MINUTE_MS).max(started);
    Clock { started, nearing, due, limit: Some(limit), phase: Phase::Running }
}

fn next_case(state: &State, policy: &Policy, now: UtcMillis) -> (CaseId, String) {
    let date = now.local(policy.utc_offset_minutes).date;
    let of_day = if state.number_of_day.0 == date { state.number_of_day.1 + 1 } else { 1 };
    (CaseId(state.last_case + 1), format!("{}-{of_day:05}", date.number()))
}

fn open_case(state: &State, case: CaseId) -> Result<&Case, Rejection> {
    state.cases.get(&case).ok_or(Rejection::UnknownCase { case })
}

fn at_stage(state: &State, case: CaseId, needs: Stage) -> Result<&Case, Rejection> {
    let standing = open_case(state, case)?;
    if standing.stage == needs {
        Ok(standing)
    } else {
        Err(Rejection::WrongStage { case, is: standing.stage, needs })
    }
}

fn open_whistle(state: &State, whistle: WhistleId) -> Result<&Whistle, Rejection> {
    state.whistles.get(&whistle).ok_or(Rejection::UnknownWhistle { whistle })
}

fn known_area(state: &State, area: &AreaCode) -> Result<Vec<AreaCode>, Rejection> {
    let path = state.catalogue.path(area);
    if path.is_empty() { unknown("area", area.as_str()) } else { Ok(path) }
}

fn check_report(state: &State, report: &Report, policy: &Policy) -> Result<Vec<AreaCode>, Rejection> {
    let path = known_area(state, &report.area)?;
    if !state.catalogue.classes.contains_key(&report.class) {
        return unknown("class", report.class.as_str());
    }
    if !state.catalogue.sources.contains_key(&report.source) {
        return unknown("source", report.source.as_str());
    }
    check_text("description", &report.description)?;
    check_text("address", &report.address)?;
    check_text("condition", report.condition.as_deref().unwrap_or(""))?;
    check_text("reporter", report.reporter.as_deref().unwrap_or(""))?;
    if report.base_count == 0 {
        return out_of_range("base_count", "must be at least 1");
    }
    match (report.place, policy.bounds) {
        (Some(place), Some(bounds)) if !bounds.contains(place) => {
            out_of_range("place", "lies outside the policy's bounds")
        }
        _ => Ok(path),
    }
}

fn check_seen(field: &str, seen: UtcMillis, policy: &Policy, now: UtcMillis) -> Result<(), Rejection> {
    if seen > now.plus(i64::from(policy.clock_skew_seconds) * SECOND_MS) {
        return impossible(field, "lies in the future");
    }
    if seen < now.plus(-i64::from(policy.backdate_days) * DAY_MS) {
        return impossible(field, "lies further in the past than the policy accepts");
    }
    Ok(())
}

fn check_limit(limit: Limit) -> Result<(), Rejection> {
    if (1..=10_000).contains(&limit.amount) {
        Ok(())
    } else {
        out_of_range("limit", "expected 1 to 10,000 units")
    }
}

fn check_text(field: &str, text: &str) -> Result<(), Rejection> {
    if text.len() > TEXT_BYTES_MAX {
        return out_of_range(field, "longer than 4,000 bytes");
    }
    Ok(())
}

fn unknown<T>(field: &str, code: &str) -> Result<T, Rejection> {
    Err(Rejection::UnknownCode { field: field.to_owned(), code: code.to_owned() })
}

fn impossible<T>(field: &str, problem: &str) -> Result<T, Rejection> {
    Err(Rejection::ImpossibleTime { field: field.to_owned(), problem: problem.to_owned() })
}

fn out_of_range<T>(field: &str, problem: &str) -> Result<T, Rejection> {
    Err(Rejection::OutOfRange { field: field.to_owned(), problem: problem.to_owned() })
}
