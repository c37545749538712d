//! Form 2 of every event: steps by their row, clocks as a list, limits that say which time counts, conditions.
//!
//! What has been shipped here is never changed. A field that is empty is not written.

use domain::case::history::{History, KnownStep};
use domain::case::{CaseEvent, Step, Stepped};
use domain::clock::{Alarm, Clock, ClockOf, Phase, Subject};
use domain::code::{AreaCode, CaseId, DepartmentCode, WhistleId};
use domain::event::{DeadlineEvent, Event, HallEvent, PolicyEvent};
use domain::moment::UtcMillis;
use domain::whistle::{WhistleCall, WhistleEvent};
use serde::{Deserialize, Serialize};

use super::policy::Bodies;
use super::report::{ReportForm, report, report_form};
use super::words::Spelt;
use super::{Read, StoredError, area_codes, code, spelt, texts, word};

pub(super) mod catalogue;
mod files;
mod follow;

use catalogue::{EntryForm, LimitForm, entry, entry_form, is_false, limit, limit_form};

/// A clock as it begins.
#[derive(Serialize, Deserialize)]
pub(super) struct ClockForm {
    of: String,
    started_ms: i64,
    nearing_ms: i64,
    due_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<LimitForm>,
    #[serde(default, skip_serializing_if = "is_false")]
    provisional: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    planned: u64,
}

fn is_zero(is: &u64) -> bool {
    *is == 0
}

#[derive(Serialize, Deserialize)]
struct CaseReported {
    case: u64,
    number: String,
    report: ReportForm,
    area_path: Vec<String>,
    seen_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct KnownForm {
    step: String,
    at_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct CaseTakenOver {
    case: u64,
    number: String,
    report: ReportForm,
    area_path: Vec<String>,
    opened_ms: i64,
    stage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    steps: Vec<KnownForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    started: Vec<ClockForm>,
}

/// Every step; its name is in its row of the table.
#[derive(Serialize, Deserialize)]
struct CaseStepped {
    case: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    started: Vec<ClockForm>,
}

#[derive(Serialize, Deserialize)]
struct CaseClaimed {
    case: u64,
}

#[derive(Serialize, Deserialize)]
struct CaseNoted {
    case: u64,
    text: String,
}

#[derive(Serialize, Deserialize)]
struct WhistleRaised {
    whistle: u64,
    level: String,
    area: String,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    called: Vec<String>,
    area_path: Vec<String>,
    due_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct WhistleAnswered {
    whistle: u64,
    department: String,
}

#[derive(Serialize, Deserialize)]
struct WhistleClosed {
    whistle: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
}

#[derive(Serialize, Deserialize)]
struct CatalogueDefined {
    entries: Vec<EntryForm>,
}

/// `deadline_nearing`, `deadline_passed`. Either a case or a whistle with its department.
#[derive(Serialize, Deserialize)]
struct Deadline {
    of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whistle: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    due_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct DayTurned {
    date: String,
}

/// The event's own fields as stored JSON.
pub(super) fn encode(event: &Event, mark: Option<&str>) -> String {
    let written = match event {
        Event::Case(case, event) => encode_case(case.0, event, mark),
        Event::Whistle(whistle, event) => encode_whistle(whistle.0, event),
        Event::Deadline(event) => serde_json::to_string(&deadline_form(event)),
        Event::Policy(PolicyEvent::Defined { entries }) => {
            serde_json::to_string(&CatalogueDefined { entries: entries.iter().map(entry_form).collect() })
        }
        Event::Policy(PolicyEvent::Adopted(adopted)) => serde_json::to_string(&follow::adopted_form(adopted)),
        Event::Hall(HallEvent::DayTurned { date }) => {
            serde_json::to_string(&DayTurned { date: date.to_string() })
        }
        Event::Hall(HallEvent::CamerasAdopted(adopted)) => {
            serde_json::to_string(&follow::cameras_form(adopted))
        }
    };
    written.expect("forms have only text keys and plain values, which always make JSON")
}

fn encode_case(case: u64, event: &CaseEvent, mark: Option<&str>) -> serde_json::Result<String> {
    match event {
        CaseEvent::Reported { number, report, area_path, seen } => serde_json::to_string(&CaseReported {
            case,
            number: number.clone(),
            report: report_form(report, mark),
            area_path: texts(area_path),
            seen_ms: seen.0,
        }),
        CaseEvent::TakenOver { number, report, area_path, history, started } => {
            let known = |known: &KnownStep| KnownForm { step: known.step.name.to_owned(), at_ms: known.at.0 };
            serde_json::to_string(&CaseTakenOver {
                case,
                number: number.clone(),
                report: report_form(report, mark),
                area_path: texts(area_path),
                opened_ms: history.opened.0,
                stage: history.stage.word().to_owned(),
                closed_ms: history.closed.map(|at| at.0),
                due_ms: history.due.map(|at| at.0),
                steps: history.steps.iter().map(known).collect(),
                started: started.iter().map(clock_form).collect(),
            })
        }
        CaseEvent::Stepped(stepped) => serde_json::to_string(&CaseStepped {
            case,
            note: stepped.note.clone(),
            department: stepped.department.as_ref().map(ToString::to_string),
            started: stepped.started.iter().map(clock_form).collect(),
        }),
        CaseEvent::Claimed => serde_json::to_string(&CaseClaimed { case }),
        CaseEvent::Noted { text } => serde_json::to_string(&CaseNoted { case, text: text.clone() }),
        CaseEvent::FileAttached(file) => serde_json::to_string(&files::attached_form(case, file)),
        CaseEvent::Replanned { planned, clocks } => {
            serde_json::to_string(&follow::case_replanned_form(case, *planned, clocks))
        }
        CaseEvent::Moved { area_path } => serde_json::to_string(&follow::case_moved_form(case, area_path)),
    }
}

fn encode_whistle(whistle: u64, event: &WhistleEvent) -> serde_json::Result<String> {
    match event {
        WhistleEvent::Raised { call, area_path, due } => serde_json::to_string(&WhistleRaised {
            whistle,
            level: call.level.word().to_owned(),
            area: call.area.to_string(),
            title: call.title.clone(),
            case: call.case.map(|case| case.0),
            called: texts(&call.called),
            area_path: texts(area_path),
            due_ms: due.0,
        }),
        WhistleEvent::Answered { department } => {
            serde_json::to_string(&WhistleAnswered { whistle, department: department.to_string() })
        }
        WhistleEvent::Closed { note } => {
            serde_json::to_string(&WhistleClosed { whistle, note: note.clone() })
        }
        WhistleEvent::Moved { area_path } => {
            serde_json::to_string(&follow::whistle_moved_form(whistle, area_path))
        }
    }
}

/// The event of a row of form 2.
pub(super) fn decode(name: &str, body: &str, bodies: &dyn Bodies) -> Read<Event> {
    if let Some(step) = Step::of_event(name) {
        return stepped(step, serde_json::from_str(body)?);
    }
    Ok(match name {
        "case_reported" => {
            let is: CaseReported = serde_json::from_str(body)?;
            let reported = CaseEvent::Reported {
                number: is.number,
                report: report(is.report)?,
                area_path: area_codes(is.area_path)?,
                seen: UtcMillis(is.seen_ms),
            };
            Event::Case(CaseId(is.case), reported)
        }
        "case_taken_over" => taken_over(serde_json::from_str(body)?)?,
        "case_claimed" => {
            let is: CaseClaimed = serde_json::from_str(body)?;
            Event::Case(CaseId(is.case), CaseEvent::Claimed)
        }
        "case_noted" => {
            let is: CaseNoted = serde_json::from_str(body)?;
            Event::Case(CaseId(is.case), CaseEvent::Noted { text: is.text })
        }
        "file_attached" => files::attached(serde_json::from_str(body)?)?,
        "case_replanned" => follow::case_replanned(serde_json::from_str(body)?)?,
        "case_moved" => follow::case_moved(serde_json::from_str(body)?)?,
        "whistle_raised" => whistle_raised(serde_json::from_str(body)?)?,
        "whistle_answered" => {
            let is: WhistleAnswered = serde_json::from_str(body)?;
            let department = code("department", is.department, DepartmentCode::new)?;
            Event::Whistle(WhistleId(is.whistle), WhistleEvent::Answered { department })
        }
        "whistle_closed" => {
            let is: WhistleClosed = serde_json::from_str(body)?;
            Event::Whistle(WhistleId(is.whistle), WhistleEvent::Closed { note: is.note })
        }
        "whistle_moved" => follow::whistle_moved(serde_json::from_str(body)?)?,
        "catalogue_defined" => {
            let is: CatalogueDefined = serde_json::from_str(body)?;
            let entries = is.entries.into_iter().map(entry).collect::<Read<_>>()?;
            Event::Policy(PolicyEvent::Defined { entries })
        }
        "policy_adopted" => follow::adopted(serde_json::from_str(body)?, bodies)?,
        "deadline_nearing" => deadline(Alarm::Nearing, serde_json::from_str(body)?)?,
        "deadline_passed" => deadline(Alarm::Due, serde_json::from_str(body)?)?,
        "day_turned" => {
            let is: DayTurned = serde_json::from_str(body)?;
            let date = is.date.parse().map_err(|_| word("date", is.date))?;
            Event::Hall(HallEvent::DayTurned { date })
        }
        "cameras_adopted" => follow::cameras(serde_json::from_str(body)?)?,
        other => return Err(StoredError::Name(other.to_owned())),
    })
}

pub(super) fn clock_form(clock: &Clock) -> ClockForm {
    ClockForm {
        of: clock.of.key(),
        started_ms: clock.started.0,
        nearing_ms: clock.nearing.0,
        due_ms: clock.due.0,
        limit: clock.limit.map(limit_form),
        provisional: clock.provisional,
        planned: clock.planned,
    }
}

pub(super) fn clock_of(text: &str) -> Read<ClockOf> {
    ClockOf::from_key(text).ok_or_else(|| word("of", text))
}

pub(super) fn clock(is: ClockForm) -> Read<Clock> {
    Ok(Clock {
        of: clock_of(&is.of)?,
        limit: is.limit.map(limit).transpose()?,
        started: UtcMillis(is.started_ms),
        nearing: UtcMillis(is.nearing_ms),
        due: UtcMillis(is.due_ms),
        stopped: None,
        paused: Vec::new(),
        extended: 0,
        phase: Phase::Running,
        provisional: is.provisional,
        planned: is.planned,
    })
}

fn stepped(step: Step, is: CaseStepped) -> Read<Event> {
    let stepped = Stepped {
        step,
        note: is.note,
        department: is.department.map(|text| code("department", text, DepartmentCode::new)).transpose()?,
        started: is.started.into_iter().map(clock).collect::<Read<_>>()?,
    };
    Ok(Event::Case(CaseId(is.case), CaseEvent::Stepped(stepped)))
}

fn taken_over(is: CaseTakenOver) -> Read<Event> {
    let known = |is: KnownForm| {
        let step = Step::named(&is.step).ok_or_else(|| word("step", is.step))?;
        Ok(KnownStep { step, at: UtcMillis(is.at_ms) })
    };
    let history = History {
        opened: UtcMillis(is.opened_ms),
        stage: spelt("stage", &is.stage)?,
        closed: is.closed_ms.map(UtcMillis),
        due: is.due_ms.map(UtcMillis),
        steps: is.steps.into_iter().map(known).collect::<Read<_>>()?,
    };
    let taken_over = CaseEvent::TakenOver {
        number: is.number,
        report: report(is.report)?,
        area_path: area_codes(is.area_path)?,
        history,
        started: is.started.into_iter().map(clock).collect::<Read<_>>()?,
    };
    Ok(Event::Case(CaseId(is.case), taken_over))
}

fn whistle_raised(is: WhistleRaised) -> Read<Event> {
    let called = is.called.into_iter().map(|text| code("called", text, DepartmentCode::new));
    let raised = WhistleEvent::Raised {
        call: WhistleCall {
            level: spelt("level", &is.level)?,
            area: code("area", is.area, AreaCode::new)?,
            title: is.title,
            case: is.case.map(CaseId),
            called: called.collect::<Read<_>>()?,
        },
        area_path: area_codes(is.area_path)?,
        due: UtcMillis(is.due_ms),
    };
    Ok(Event::Whistle(WhistleId(is.whistle), raised))
}

fn deadline_form(event: &DeadlineEvent) -> Deadline {
    let (case, whistle, department) = match &event.subject {
        Subject::Case(case) => (Some(case.0), None, None),
        Subject::Whistle(whistle, department) => (None, Some(whistle.0), Some(department.to_string())),
    };
    Deadline { of: event.of.key(), case, whistle, department, due_ms: event.due.0 }
}

fn deadline(alarm: Alarm, is: Deadline) -> Read<Event> {
    let of = clock_of(&is.of)?;
    let subject = match (is.case, is.whistle, is.department) {
        (Some(case), None, None) => Subject::Case(CaseId(case)),
        (None, Some(whistle), Some(department)) => {
            Subject::Whistle(WhistleId(whistle), code("department", department, DepartmentCode::new)?)
        }
        (..) => return Err(word("of", is.of)),
    };
    Ok(Event::Deadline(DeadlineEvent { alarm, of, subject, due: UtcMillis(is.due_ms) }))
}
