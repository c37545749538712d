//! `decide`: whether a command may happen, and which events it makes.

use super::check::{
    Retired, check_department, check_history, check_limit, check_report, check_seen, check_stated,
    check_text, is_within, known_area, out_of_range,
};
use super::define::define;
use super::{State, replan, request, start};
use crate::case::history::History;
use crate::case::request::Part;
use crate::case::step::Note;
use crate::case::{Case, CaseEvent, Report, Stage, Step, Stepped};
use crate::clock::{Alarm, Clock, ClockOf, Deadline, Subject};
use crate::code::{CaseId, DepartmentCode, WhistleId};
use crate::command::{Command, TakeStep};
use crate::event::{DeadlineEvent, Event, HallEvent};
use crate::file::AttachedFile;
use crate::moment::{MINUTE_MS, UtcMillis};
use crate::policy::Policy;
use crate::rejection::{RangeProblem, Rejection};
use crate::text::TextKind;
use crate::whistle::{CALLED_MAX, Whistle, WhistleCall, WhistleEvent};

/// Deadlines recorded by one command, so that a long sleep does not make one huge transaction.
const DEADLINES_PER_COMMAND_MAX: usize = 1_000;

/// Which events `command` makes at `now`, or why it is refused. Changes nothing.
pub fn decide(state: &State, command: &Command, now: UtcMillis) -> Result<Vec<Event>, Rejection> {
    if !now.is_possible() {
        // Nothing passes by such a clock, since nothing takes an alarm back; and no event has a time of it.
        return if matches!(command, Command::PassDeadlines) {
            Ok(Vec::new())
        } else {
            Err(Rejection::ClockOff)
        };
    }
    let policy: &Policy = state.policy();
    match command {
        Command::ReportCase { report, at } => report_case(state, report, *at, policy, now),
        Command::TakeOverCase { report, history } => take_over(state, report, history, policy, now),
        Command::Step(take) => take_step(state, take, now),
        Command::ClaimCase { case } => {
            open_case(state, *case)?;
            one(Event::Case(*case, CaseEvent::Claimed))
        }
        Command::NoteCase { case, text } => note(state, *case, text, policy),
        Command::AttachFile { case, file } => attach(state, *case, file, policy),
        Command::RaiseWhistle { call } => raise_whistle(state, call, policy, now),
        Command::RespondToWhistle { whistle, department } => respond(state, *whistle, department),
        Command::CloseWhistle { whistle, note } => {
            let call = open_whistle(state, *whistle)?;
            check_text("note", note, TextKind::Note)?;
            Ok(after_moving(state, call, WhistleEvent::Closed { note: note.clone() }))
        }
        Command::DefineCatalogue { entries } => define(state, entries),
        Command::PassDeadlines => Ok(pass_deadlines(state, policy, now)),
    }
}

fn one(event: Event) -> Result<Vec<Event>, Rejection> {
    Ok(vec![event])
}

/// A note, while the time line has room: it is read whole each time somebody looks at the case.
fn note(state: &State, case: CaseId, text: &str, policy: &Policy) -> Result<Vec<Event>, Rejection> {
    let most = policy.notes_per_case;
    if open_case(state, case)?.notes >= u32::from(most) {
        return Err(Rejection::NotesFull { case, most });
    }
    check_stated("text", text, TextKind::Note)?;
    one(Event::Case(case, CaseEvent::Noted { text: text.to_owned() }))
}

/// A file, while the case has room for one: all of them are listed at once.
fn attach(
    state: &State,
    case: CaseId,
    file: &AttachedFile,
    policy: &Policy,
) -> Result<Vec<Event>, Rejection> {
    let most = policy.files_per_case;
    if open_case(state, case)?.files >= u32::from(most) {
        return Err(Rejection::FilesFull { case, most });
    }
    check_stated("name", &file.name, TextKind::Name)?;
    if !file.kind.takes(file.media) {
        return out_of_range("kind", RangeProblem::NoPicture);
    }
    one(Event::Case(case, CaseEvent::FileAttached(file.clone())))
}

fn report_case(
    state: &State,
    report: &Report,
    at: Option<UtcMillis>,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    let area_path = check_report(state, report, Retired::Refused)?;
    if !is_within(report, policy) {
        return out_of_range("place", RangeProblem::OutsideBounds);
    }
    let seen = at.unwrap_or(now);
    check_seen("at", seen, policy, now)?;
    let (case, number) = next_case(state, policy, now);
    let report = weighed(state, report.clone());
    one(Event::Case(case, CaseEvent::Reported { number, report, area_path, seen }))
}

/// 基本案件数 of a case: what was reported, times the weight its class has now. It is told with the case, so that another weight
/// later leaves what was counted as it was.
fn weighed(state: &State, mut report: Report) -> Report {
    let weight = state.catalogue.classes.get(&report.class).and_then(|class| class.base_weight);
    report.base_count = report.base_count.saturating_mul(weight.unwrap_or(1));
    report
}

/// Any step, as its row has it.
fn take_step(state: &State, take: &TakeStep, now: UtcMillis) -> Result<Vec<Event>, Rejection> {
    let (step, case) = (take.step, open_case(state, take.case)?);
    if !step.from.contains(&case.stage) {
        return Err(Rejection::WrongStage { case: case.id, is: case.stage, needs: step.from });
    }
    check_side_path(state, case, step, now)?;
    match &take.department {
        Some(department) => check_department(state, "department", department)?,
        None if step.asks_department() => return out_of_range("department", RangeProblem::Missing),
        None => {}
    }
    take.limit.map_or(Ok(()), check_limit)?;
    match step.note {
        Note::None | Note::May => check_text("note", &take.note, TextKind::Note)?,
        Note::Must => check_stated("note", &take.note, TextKind::Note)?,
    }
    let started = start::clocks(state, step, case, take.limit, now)?;
    let stepped = Stepped { step, note: take.note.clone(), department: take.department.clone(), started };
    // Whether it was done in time is judged by the due time that holds.
    let mut events = replan::of_case(state, case, now);
    events.push(Event::Case(case.id, CaseEvent::Stepped(stepped)));
    events.extend(request::moved(state, case, step, now));
    Ok(events)
}

/// Whether the step fits what is asked of the case, and was not taken as often as it may be. What may be granted no more is not asked
/// for either.
fn check_side_path(state: &State, case: &Case, step: Step, now: UtcMillis) -> Result<(), Rejection> {
    if let Some(why) = case.unfit(step, now) {
        return Err(Rejection::Unfit { case: case.id, act: step.act, why });
    }
    let (often, taken) = match step.part {
        Part::Asks(request) => (Some(request.often()), case.granted(request)),
        Part::None | Part::Grants(_) | Part::Refuses(_) | Part::Resumes => (step.often, case.times(step)),
    };
    match often.map(|often| state.policy().side_paths.most(often)) {
        Some(most) if taken >= usize::from(most) => {
            Err(Rejection::TakenOften { case: case.id, act: step.act, most })
        }
        Some(_) | None => Ok(()),
    }
}

fn respond(state: &State, whistle: WhistleId, department: &DepartmentCode) -> Result<Vec<Event>, Rejection> {
    let standing = open_whistle(state, whistle)?;
    let name = || department.to_string();
    match standing.called.iter().find(|called| called.department == *department) {
        None => Err(Rejection::NotCalled { whistle, department: name() }),
        Some(called) if called.responded.is_some() => {
            Err(Rejection::AlreadyResponded { whistle, department: name() })
        }
        Some(_) => {
            Ok(after_moving(state, standing, WhistleEvent::Answered { department: department.clone() }))
        }
    }
}

/// What happens to a call that the policy in force has in other areas happens to it there.
fn after_moving(state: &State, call: &Whistle, event: WhistleEvent) -> Vec<Event> {
    replan::of_whistle(state, call).into_iter().chain([Event::Whistle(call.id, event)]).collect()
}

fn take_over(
    state: &State,
    report: &Report,
    history: &History,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    let area_path = check_report(state, report, Retired::Taken)?;
    check_history(history, policy, now)?;
    let mut report = weighed(state, report.clone());
    if !is_within(&report, policy) {
        // The case has a past that must not be lost; its position would be off every map of this city.
        report.place = None;
    }
    let started = match history.stage {
        Stage::Dispatch if history.closed.is_none() => {
            let since = history.time_of(Step::FILE).unwrap_or(history.opened);
            Some(start::clock(state.in_force(), ClockOf::Dispatch, since, policy.dispatch_limit)?)
        }
        Stage::Dispose if history.closed.is_none() => {
            let since = history.time_of(Step::DISPATCH).unwrap_or(history.opened);
            history.due.map(|due| Clock::known(since, due))
        }
        Stage::Accept
        | Stage::File
        | Stage::Dispatch
        | Stage::Dispose
        | Stage::Feedback
        | Stage::Check
        | Stage::Close => None,
    };
    let (case, number) = next_case(state, policy, now);
    let (history, started) = (history.clone(), started.into_iter().collect());
    one(Event::Case(case, CaseEvent::TakenOver { number, report, area_path, history, started }))
}

fn raise_whistle(
    state: &State,
    call: &WhistleCall,
    policy: &Policy,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    let area_path = known_area(state, &call.area, Retired::Refused)?;
    check_stated("title", &call.title, TextKind::Line)?;
    if let Some(case) = call.case {
        open_case(state, case)?;
    }
    if call.called.is_empty() || call.called.len() > CALLED_MAX {
        return out_of_range("called", RangeProblem::CalledNumber);
    }
    for (index, department) in call.called.iter().enumerate() {
        check_department(state, "called", department)?;
        if call.called[..index].contains(department) {
            return out_of_range("called", RangeProblem::CalledTwice);
        }
    }
    let whistle = WhistleId(state.last_whistle + 1);
    let due = now.plus(i64::from(policy.whistle_response_minutes) * MINUTE_MS);
    one(Event::Whistle(whistle, WhistleEvent::Raised { call: call.clone(), area_path, due }))
}

fn pass_deadlines(state: &State, policy: &Policy, now: UtcMillis) -> Vec<Event> {
    let date = now.local(policy.utc_offset_minutes).date;
    // Back as well: a clock that was wrong by days and is set right must not leave the hall on a day to come, where
    // nothing of today is counted. A small step back does not come here (the server's clock holds it).
    let turned = (date != state.today).then_some(Event::Hall(HallEvent::DayTurned { date }));
    // Nothing passes by a due time that another policy gave: those cases are replanned first, and asked again.
    let replanned = replan::batch(state, now);
    let passed = state.deadlines.iter().take_while(|(at, ..)| *at <= now);
    let passed = passed.filter(|(_, _, subject, _)| !state.is_stale(subject)).take(DEADLINES_PER_COMMAND_MAX);
    let passed = passed.flat_map(|deadline| {
        let resumed = request::resumed(state, deadline, now);
        resumed.unwrap_or_else(|| vec![Event::Deadline(passed_event(state, deadline))])
    });
    turned.into_iter().chain(replanned).chain(passed).collect()
}

fn passed_event(state: &State, (at, alarm, subject, of): &Deadline) -> DeadlineEvent {
    let due = match alarm {
        Alarm::Nearing => due_of(state, subject, *of).unwrap_or(*at),
        Alarm::Due => *at,
    };
    DeadlineEvent { alarm: *alarm, of: *of, subject: subject.clone(), due }
}

fn due_of(state: &State, subject: &Subject, of: ClockOf) -> Option<UtcMillis> {
    match subject {
        Subject::Case(case) => {
            state.cases.get(case)?.running().find(|clock| clock.of == of).map(|clock| clock.due)
        }
        Subject::Whistle(whistle, _) => Some(state.whistles.get(whistle)?.due),
    }
}

fn next_case(state: &State, policy: &Policy, now: UtcMillis) -> (CaseId, String) {
    let date = now.local(policy.utc_offset_minutes).date;
    let of_day = state.numbers_of_days.get(&date).map_or(1, |last| last + 1);
    (CaseId(state.last_case + 1), format!("{}-{of_day:05}", date.number()))
}

fn open_case(state: &State, case: CaseId) -> Result<&Case, Rejection> {
    state.cases.get(&case).ok_or(Rejection::UnknownCase { case })
}

fn open_whistle(state: &State, whistle: WhistleId) -> Result<&Whistle, Rejection> {
    state.whistles.get(&whistle).ok_or(Rejection::UnknownWhistle { whistle })
}
