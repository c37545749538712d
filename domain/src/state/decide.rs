//! `decide`: whether a command may happen, and which events it makes.

use super::check::{
    check_history, check_limit, check_report, check_seen, check_stated, check_text, is_within, known_area,
    out_of_range, unknown,
};
use super::define::define;
use super::{Alarm, State};
use crate::calendar::Limit;
use crate::case::{Case, Clock, Phase, Report, Stage};
use crate::code::{CaseId, WhistleId};
use crate::command::{Command, DeadlineOf, Event, History};
use crate::moment::{MINUTE_MS, UtcMillis};
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::text::TextKind;
use crate::whistle::{CALLED_MAX, Whistle, WhistleCall};

/// Deadlines recorded by one command, so that a long sleep does not make one huge transaction.
const DEADLINES_PER_COMMAND_MAX: usize = 1_000;

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
            let area_path = check_report(state, report)?;
            if !is_within(report, policy) {
                return out_of_range("place", "lies outside the policy's bounds");
            }
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
            check_text("note", note, TextKind::Note)?;
            one(Event::DisposalFinished { case: *case, note: note.clone() })
        }
        Command::GiveFeedback { case, note } => {
            at_stage(state, *case, Stage::Feedback)?;
            check_text("note", note, TextKind::Note)?;
            one(Event::FeedbackGiven { case: *case, note: note.clone() })
        }
        Command::PassCheck { case, note } => {
            at_stage(state, *case, Stage::Check)?;
            check_text("note", note, TextKind::Note)?;
            one(Event::CheckPassed { case: *case, note: note.clone() })
        }
        Command::CloseCase { case, note } => {
            at_stage(state, *case, Stage::Close)?;
            check_text("note", note, TextKind::Note)?;
            one(Event::CaseClosed { case: *case, note: note.clone() })
        }
        Command::ClaimCase { case } => {
            open_case(state, *case)?;
            one(Event::CaseClaimed { case: *case })
        }
        Command::NoteCase { case, text } => {
            open_case(state, *case)?;
            check_stated("text", text, TextKind::Note)?;
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
            check_text("note", note, TextKind::Note)?;
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
    let area_path = check_report(state, report)?;
    check_history(&history, policy, now)?;
    let mut report = report.clone();
    if !is_within(&report, policy) {
        // The case has a past that must not be lost; its position would be off every map of this city.
        report.place = None;
    }
    let waits = history.closed.is_none() && history.stage == Stage::Dispatch;
    let dispatch_clock = waits.then(|| clock(policy, history.opened, policy.dispatch_limit));
    let (case, number) = next_case(state, policy, now);
    Ok(vec![Event::CaseTakenOver { case, number, report, area_path, history, dispatch_clock }])
}

fn raise_whistle(
    state: &State,
    call: &WhistleCall,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    let area_path = known_area(state, &call.area)?;
    check_stated("title", &call.title, TextKind::Line)?;
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

fn pass_deadlines(state: &State, policy: &Policy, now: UtcMillis) -> Vec<Event> {
    let date = now.local(policy.utc_offset_minutes).date;
    // Back as well: a clock that was wrong by days and is set right must not leave the hall on a day to come, where
    // nothing of today is counted. A small step back does not come here (the server's clock holds it).
    let turned = (date != state.today).then_some(Event::DayTurned { date });
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
    let of_day = state.numbers_of_days.get(&date).map_or(1, |last| last + 1);
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
