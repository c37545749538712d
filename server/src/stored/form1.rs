//! Form 1 of every event, as the first version wrote it: read for ever, written no more. Nothing here is ever changed.

use domain::case::history::History;
use domain::case::{CaseEvent, Stage, Step, Stepped};
use domain::catalogue::{Area, Class, Department, Entry, Name, Source};
use domain::clock::{Alarm, Clock, ClockOf, Limit, LimitKind, Subject};
use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode, WhistleId};
use domain::event::{DeadlineEvent, Event, HallEvent, PolicyEvent};
use domain::moment::UtcMillis;
use domain::whistle::{WhistleCall, WhistleEvent};
use serde::Deserialize;

use super::report::{ReportForm, report};
use super::{Read, StoredError, area_codes, code, spelt, word};

#[derive(Deserialize)]
struct LimitForm {
    amount: u16,
    unit: String,
}

#[derive(Deserialize)]
struct ClockForm {
    started_ms: i64,
    nearing_ms: i64,
    due_ms: i64,
    limit: Option<LimitForm>,
    phase: String,
}

#[derive(Deserialize)]
struct CaseReported {
    case: u64,
    number: String,
    report: ReportForm,
    area_path: Vec<String>,
    seen_ms: i64,
}

#[derive(Deserialize)]
struct CaseTakenOver {
    case: u64,
    number: String,
    report: ReportForm,
    area_path: Vec<String>,
    opened_ms: i64,
    stage: String,
    closed_ms: Option<i64>,
    due_ms: Option<i64>,
    dispatch_clock: Option<ClockForm>,
}

/// `case_claimed`.
#[derive(Deserialize)]
struct CaseOnly {
    case: u64,
}

/// `case_noted`.
#[derive(Deserialize)]
struct CaseNote {
    case: u64,
    note: String,
}

/// The seven steps, each with what it had.
#[derive(Deserialize)]
struct CaseStepped {
    case: u64,
    #[serde(default)]
    note: String,
    #[serde(default)]
    department: Option<String>,
    #[serde(default)]
    dispatch_clock: Option<ClockForm>,
    #[serde(default)]
    disposal_clock: Option<ClockForm>,
}

#[derive(Deserialize)]
struct WhistleRaised {
    whistle: u64,
    level: String,
    area: String,
    title: String,
    case: Option<u64>,
    called: Vec<String>,
    area_path: Vec<String>,
    due_ms: i64,
}

#[derive(Deserialize)]
struct WhistleAnswered {
    whistle: u64,
    department: String,
}

#[derive(Deserialize)]
struct WhistleClosed {
    whistle: u64,
    note: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum EntryForm {
    Area {
        code: String,
        level: String,
        parent: Option<String>,
        zh: String,
        en: String,
    },
    Class {
        code: String,
        class_kind: String,
        zh: String,
        en: String,
        key: bool,
        disposal_limit: Option<LimitForm>,
    },
    Source {
        code: String,
        zh: String,
        en: String,
    },
    Department {
        code: String,
        zh: String,
        en: String,
    },
}

#[derive(Deserialize)]
struct CatalogueDefined {
    entries: Vec<EntryForm>,
}

/// `deadline_nearing`, `deadline_passed`. `of` is `dispatch`, `disposal` or `response`.
#[derive(Deserialize)]
struct Deadline {
    of: String,
    #[serde(default)]
    case: Option<u64>,
    #[serde(default)]
    whistle: Option<u64>,
    #[serde(default)]
    department: Option<String>,
    due_ms: i64,
}

#[derive(Deserialize)]
struct DayTurned {
    date: String,
}

/// The event of a row of form 1.
pub(super) fn decode(name: &str, body: &str) -> Read<Event> {
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
        "case_accepted" => stepped(Step::ACCEPT, body)?,
        "case_filed" => stepped(Step::FILE, body)?,
        "case_dispatched" => stepped(Step::DISPATCH, body)?,
        "disposal_finished" => stepped(Step::DISPOSE, body)?,
        "feedback_given" => stepped(Step::FEEDBACK, body)?,
        "check_passed" => stepped(Step::CHECK, body)?,
        "case_closed" => stepped(Step::CLOSE, body)?,
        "case_claimed" => {
            let is: CaseOnly = serde_json::from_str(body)?;
            Event::Case(CaseId(is.case), CaseEvent::Claimed)
        }
        "case_noted" => {
            let is: CaseNote = serde_json::from_str(body)?;
            Event::Case(CaseId(is.case), CaseEvent::Noted { text: is.note })
        }
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
        "catalogue_defined" => {
            let is: CatalogueDefined = serde_json::from_str(body)?;
            let entries = is.entries.into_iter().map(entry).collect::<Read<_>>()?;
            Event::Policy(PolicyEvent::Defined { entries })
        }
        "deadline_nearing" => deadline(Alarm::Nearing, serde_json::from_str(body)?)?,
        "deadline_passed" => deadline(Alarm::Due, serde_json::from_str(body)?)?,
        "day_turned" => {
            let is: DayTurned = serde_json::from_str(body)?;
            let date = is.date.parse().map_err(|_| word("date", is.date))?;
            Event::Hall(HallEvent::DayTurned { date })
        }
        other => return Err(StoredError::Name(other.to_owned())),
    })
}

fn kind(text: &str) -> Read<LimitKind> {
    Ok(match text {
        "urgent_hour" => LimitKind::URGENT_HOUR,
        "urgent_day" => LimitKind::URGENT_DAY,
        "work_hour" => LimitKind::WORK_HOUR,
        "work_day" => LimitKind::WORK_DAY,
        other => return Err(word("unit", other)),
    })
}

fn limit(is: LimitForm) -> Read<Limit> {
    Ok(Limit::new(u32::from(is.amount), kind(&is.unit)?))
}

fn clock(of: ClockOf, is: ClockForm) -> Read<Clock> {
    Ok(Clock {
        of,
        limit: is.limit.map(limit).transpose()?,
        started: UtcMillis(is.started_ms),
        nearing: UtcMillis(is.nearing_ms),
        due: UtcMillis(is.due_ms),
        stopped: None,
        paused: Vec::new(),
        extended: 0,
        phase: spelt("phase", &is.phase)?,
        provisional: false,
        planned: 0,
    })
}

fn stepped(step: Step, body: &str) -> Read<Event> {
    let is: CaseStepped = serde_json::from_str(body)?;
    let dispatch = is.dispatch_clock.map(|form| clock(ClockOf::Dispatch, form)).transpose()?;
    let disposal = is.disposal_clock.map(|form| clock(ClockOf::Disposal, form)).transpose()?;
    let stepped = Stepped {
        step,
        note: is.note,
        department: is.department.map(|text| code("department", text, DepartmentCode::new)).transpose()?,
        started: dispatch.into_iter().chain(disposal).collect(),
    };
    Ok(Event::Case(CaseId(is.case), CaseEvent::Stepped(stepped)))
}

/// What the other system said of a disposal's due time began a clock without a limit where the case waited for it.
fn taken_over(is: CaseTakenOver) -> Read<Event> {
    let history = History {
        opened: UtcMillis(is.opened_ms),
        stage: spelt("stage", &is.stage)?,
        closed: is.closed_ms.map(UtcMillis),
        due: is.due_ms.map(UtcMillis),
        steps: Vec::new(),
    };
    let dispatch = is.dispatch_clock.map(|form| clock(ClockOf::Dispatch, form)).transpose()?;
    let disposes = history.closed.is_none() && history.stage == Stage::Dispose;
    let disposal = history.due.filter(|_| disposes).map(|due| Clock::known(history.opened, due));
    let taken_over = CaseEvent::TakenOver {
        number: is.number,
        report: report(is.report)?,
        area_path: area_codes(is.area_path)?,
        history,
        started: dispatch.into_iter().chain(disposal).collect(),
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

fn deadline(alarm: Alarm, is: Deadline) -> Read<Event> {
    let (of, subject) = match (is.of.as_str(), is.case, is.whistle, is.department) {
        ("dispatch", Some(case), None, None) => (ClockOf::Dispatch, Subject::Case(CaseId(case))),
        ("disposal", Some(case), None, None) => (ClockOf::Disposal, Subject::Case(CaseId(case))),
        ("response", None, Some(whistle), Some(department)) => {
            let department = code("department", department, DepartmentCode::new)?;
            (ClockOf::Response, Subject::Whistle(WhistleId(whistle), department))
        }
        (other, ..) => return Err(word("of", other)),
    };
    Ok(Event::Deadline(DeadlineEvent { alarm, of, subject, due: UtcMillis(is.due_ms) }))
}

fn entry(is: EntryForm) -> Read<Entry> {
    let retired = false;
    Ok(match is {
        EntryForm::Area { code: text, level, parent, zh, en } => Entry::Area(Area {
            code: code("code", text, AreaCode::new)?,
            level: spelt("level", &level)?,
            parent: parent.map(|text| code("parent", text, AreaCode::new)).transpose()?,
            name: Name { zh, en },
            short: None,
            retired,
        }),
        EntryForm::Class { code: text, class_kind, zh, en, key, disposal_limit } => Entry::Class(Class {
            code: code("code", text, ClassCode::new)?,
            kind: spelt("class_kind", &class_kind)?,
            name: Name { zh, en },
            key,
            main: None,
            base_weight: None,
            disposal_limit: disposal_limit.map(limit).transpose()?,
            short: None,
            retired,
        }),
        EntryForm::Source { code: text, zh, en } => Entry::Source(Source {
            code: code("code", text, SourceCode::new)?,
            name: Name { zh, en },
            retired,
        }),
        EntryForm::Department { code: text, zh, en } => Entry::Department(Department {
            code: code("code", text, DepartmentCode::new)?,
            name: Name { zh, en },
            short: None,
            retired,
        }),
    })
}
