//! The stored form of events: how last year's log is read, whatever the domain calls things today.
//!
//! What should be here: one serde form per event with its names spelt out, and the conversions. What should not:
//! SQL, rules. A form that has been shipped is never changed; a new one gets a higher [`FORM`] and `decode` keeps
//! reading the old one.

use domain::calendar::Limit;
use domain::case::{Clock, External, Report};
use domain::catalogue::{Area, Class, Department, Entry, Name, Source};
use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode, WhistleId};
use domain::command::{DeadlineOf, Event, History};
use domain::moment::UtcMillis;
use domain::place::Point;
use domain::whistle::WhistleCall;

mod forms;
mod words;

#[cfg(test)]
mod tests;

use forms::{
    CaseDispatched, CaseFiled, CaseNote, CaseOnly, CaseReported, CaseTakenOver, CatalogueDefined, ClockForm,
    DayTurned, Deadline, EntryForm, LimitForm, ReportForm, WhistleAnswered, WhistleClosed, WhistleRaised,
};
use words::Spelt;

/// Version of the forms below, kept beside each event.
pub const FORM: i64 = 1;

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    #[error("form {0} is not known to this version; form 1 is")]
    Form(i64),
    #[error("event name `{0}` is not known to this version")]
    Name(String),
    #[error("field `{field}` has the unknown value `{value}`")]
    Word { field: &'static str, value: String },
    #[error("is not the JSON of its form")]
    Json(#[from] serde_json::Error),
}

type Read<T> = Result<T, StoredError>;

/// The event as stored JSON.
#[must_use]
pub fn encode(event: &Event) -> String {
    let written = match event {
        Event::CaseReported { case, number, report, area_path, seen } => {
            serde_json::to_string(&CaseReported {
                case: case.0,
                number: number.clone(),
                report: report_form(report),
                area_path: texts(area_path),
                seen_ms: seen.0,
            })
        }
        Event::CaseTakenOver { case, number, report, area_path, history, dispatch_clock } => {
            serde_json::to_string(&CaseTakenOver {
                case: case.0,
                number: number.clone(),
                report: report_form(report),
                area_path: texts(area_path),
                opened_ms: history.opened.0,
                stage: history.stage.word().to_owned(),
                closed_ms: history.closed.map(|at| at.0),
                due_ms: history.due.map(|at| at.0),
                dispatch_clock: dispatch_clock.as_ref().map(clock_form),
            })
        }
        Event::CaseAccepted { case } | Event::CaseClaimed { case } => {
            serde_json::to_string(&CaseOnly { case: case.0 })
        }
        Event::CaseFiled { case, dispatch_clock } => {
            serde_json::to_string(&CaseFiled { case: case.0, dispatch_clock: clock_form(dispatch_clock) })
        }
        Event::CaseDispatched { case, department, disposal_clock } => {
            serde_json::to_string(&CaseDispatched {
                case: case.0,
                department: department.to_string(),
                disposal_clock: clock_form(disposal_clock),
            })
        }
        Event::DisposalFinished { case, note }
        | Event::FeedbackGiven { case, note }
        | Event::CheckPassed { case, note }
        | Event::CaseClosed { case, note }
        | Event::CaseNoted { case, text: note } => {
            serde_json::to_string(&CaseNote { case: case.0, note: note.clone() })
        }
        Event::WhistleRaised { whistle, call, area_path, due } => serde_json::to_string(&WhistleRaised {
            whistle: whistle.0,
            level: call.level.word().to_owned(),
            area: call.area.to_string(),
            title: call.title.clone(),
            case: call.case.map(|case| case.0),
            called: texts(&call.called),
            area_path: texts(area_path),
            due_ms: due.0,
        }),
        Event::WhistleAnswered { whistle, department } => {
            serde_json::to_string(&WhistleAnswered { whistle: whistle.0, department: department.to_string() })
        }
        Event::WhistleClosed { whistle, note } => {
            serde_json::to_string(&WhistleClosed { whistle: whistle.0, note: note.clone() })
        }
        Event::CatalogueDefined { entries } => {
            serde_json::to_string(&CatalogueDefined { entries: entries.iter().map(entry_form).collect() })
        }
        Event::DeadlineNearing { of, due } | Event::DeadlinePassed { of, due } => {
            serde_json::to_string(&deadline_form(of, *due))
        }
        Event::DayTurned { date } => serde_json::to_string(&DayTurned { date: date.to_string() }),
    };
    written.expect("forms have only text keys and plain values, which always make JSON")
}

/// The event of a stored row.
pub fn decode(form: i64, name: &str, body: &str) -> Read<Event> {
    if form != FORM {
        return Err(StoredError::Form(form));
    }
    Ok(match name {
        "case_reported" => {
            let is: CaseReported = serde_json::from_str(body)?;
            Event::CaseReported {
                case: CaseId(is.case),
                number: is.number,
                report: report(is.report)?,
                area_path: area_codes(is.area_path)?,
                seen: UtcMillis(is.seen_ms),
            }
        }
        "case_taken_over" => taken_over(serde_json::from_str(body)?)?,
        "case_accepted" => Event::CaseAccepted { case: case_only(body)? },
        "case_claimed" => Event::CaseClaimed { case: case_only(body)? },
        "case_filed" => {
            let is: CaseFiled = serde_json::from_str(body)?;
            Event::CaseFiled { case: CaseId(is.case), dispatch_clock: clock(is.dispatch_clock)? }
        }
        "case_dispatched" => {
            let is: CaseDispatched = serde_json::from_str(body)?;
            Event::CaseDispatched {
                case: CaseId(is.case),
                department: code("department", is.department, DepartmentCode::new)?,
                disposal_clock: clock(is.disposal_clock)?,
            }
        }
        "disposal_finished" => note(body, |case, note| Event::DisposalFinished { case, note })?,
        "feedback_given" => note(body, |case, note| Event::FeedbackGiven { case, note })?,
        "check_passed" => note(body, |case, note| Event::CheckPassed { case, note })?,
        "case_closed" => note(body, |case, note| Event::CaseClosed { case, note })?,
        "case_noted" => note(body, |case, text| Event::CaseNoted { case, text })?,
        "whistle_raised" => whistle_raised(serde_json::from_str(body)?)?,
        "whistle_answered" => {
            let is: WhistleAnswered = serde_json::from_str(body)?;
            let department = code("department", is.department, DepartmentCode::new)?;
            Event::WhistleAnswered { whistle: WhistleId(is.whistle), department }
        }
        "whistle_closed" => {
            let is: WhistleClosed = serde_json::from_str(body)?;
            Event::WhistleClosed { whistle: WhistleId(is.whistle), note: is.note }
        }
        "catalogue_defined" => {
            let is: CatalogueDefined = serde_json::from_str(body)?;
            Event::CatalogueDefined { entries: is.entries.into_iter().map(entry).collect::<Read<_>>()? }
        }
        "deadline_nearing" => deadline(body, |of, due| Event::DeadlineNearing { of, due })?,
        "deadline_passed" => deadline(body, |of, due| Event::DeadlinePassed { of, due })?,
        "day_turned" => {
            let is: DayTurned = serde_json::from_str(body)?;
            let date = is.date.parse().map_err(|_| word("date", is.date))?;
            Event::DayTurned { date }
        }
        other => return Err(StoredError::Name(other.to_owned())),
    })
}

fn word(field: &'static str, value: impl Into<String>) -> StoredError {
    StoredError::Word { field, value: value.into() }
}

fn code<C, E>(field: &'static str, text: String, new: impl Fn(String) -> Result<C, E>) -> Read<C> {
    new(text.clone()).map_err(|_| word(field, text))
}

fn spelt<W: Spelt>(field: &'static str, text: &str) -> Read<W> {
    W::of(text).ok_or_else(|| word(field, text))
}

fn texts<T: ToString>(codes: &[T]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

fn area_codes(texts: Vec<String>) -> Read<Vec<AreaCode>> {
    texts.into_iter().map(|text| code("area_path", text, AreaCode::new)).collect()
}

fn report_form(report: &Report) -> ReportForm {
    ReportForm {
        source: report.source.to_string(),
        class: report.class.to_string(),
        area: report.area.to_string(),
        condition: report.condition.clone(),
        address: report.address.clone(),
        description: report.description.clone(),
        lat_e6: report.place.map(Point::lat_e6),
        lon_e6: report.place.map(Point::lon_e6),
        priority: report.priority.word().to_owned(),
        base_count: report.base_count,
        reporter: report.reporter.clone(),
        external_system: report.external.as_ref().map(|external| external.system.clone()),
        external_id: report.external.as_ref().map(|external| external.id.clone()),
    }
}

fn report(is: ReportForm) -> Read<Report> {
    let place = match is.lat_e6.zip(is.lon_e6) {
        None => None,
        Some((lat, lon)) => {
            Some(Point::from_e6(lat, lon).ok_or_else(|| word("lat_e6", format!("{lat}, {lon}")))?)
        }
    };
    let external = is.external_system.zip(is.external_id).map(|(system, id)| External { system, id });
    Ok(Report {
        source: code("source", is.source, SourceCode::new)?,
        class: code("class", is.class, ClassCode::new)?,
        area: code("area", is.area, AreaCode::new)?,
        condition: is.condition,
        address: is.address,
        description: is.description,
        place,
        priority: spelt("priority", &is.priority)?,
        base_count: is.base_count,
        reporter: is.reporter,
        external,
    })
}

fn limit_form(limit: Limit) -> LimitForm {
    LimitForm { amount: limit.amount, unit: limit.unit.word().to_owned() }
}

fn limit(is: LimitForm) -> Read<Limit> {
    Ok(Limit { amount: is.amount, unit: spelt("unit", &is.unit)? })
}

fn clock_form(clock: &Clock) -> ClockForm {
    ClockForm {
        started_ms: clock.started.0,
        nearing_ms: clock.nearing.0,
        due_ms: clock.due.0,
        limit: clock.limit.map(limit_form),
        phase: clock.phase.word().to_owned(),
    }
}

fn clock(is: ClockForm) -> Read<Clock> {
    Ok(Clock {
        started: UtcMillis(is.started_ms),
        nearing: UtcMillis(is.nearing_ms),
        due: UtcMillis(is.due_ms),
        limit: is.limit.map(limit).transpose()?,
        phase: spelt("phase", &is.phase)?,
    })
}

fn taken_over(is: CaseTakenOver) -> Read<Event> {
    Ok(Event::CaseTakenOver {
        case: CaseId(is.case),
        number: is.number,
        report: report(is.report)?,
        area_path: area_codes(is.area_path)?,
        history: History {
            opened: UtcMillis(is.opened_ms),
            stage: spelt("stage", &is.stage)?,
            closed: is.closed_ms.map(UtcMillis),
            due: is.due_ms.map(UtcMillis),
        },
        dispatch_clock: is.dispatch_clock.map(clock).transpose()?,
    })
}

fn case_only(body: &str) -> Read<CaseId> {
    Ok(CaseId(serde_json::from_str::<CaseOnly>(body)?.case))
}

fn note(body: &str, event: impl Fn(CaseId, String) -> Event) -> Read<Event> {
    let is: CaseNote = serde_json::from_str(body)?;
    Ok(event(CaseId(is.case), is.note))
}

fn whistle_raised(is: WhistleRaised) -> Read<Event> {
    let called = is.called.into_iter().map(|text| code("called", text, DepartmentCode::new));
    Ok(Event::WhistleRaised {
        whistle: WhistleId(is.whistle),
        call: WhistleCall {
            level: spelt("level", &is.level)?,
            area: code("area", is.area, AreaCode::new)?,
            title: is.title,
            case: is.case.map(CaseId),
            called: called.collect::<Read<_>>()?,
        },
        area_path: area_codes(is.area_path)?,
        due: UtcMillis(is.due_ms),
    })
}

fn deadline_form(of: &DeadlineOf, due: UtcMillis) -> Deadline {
    let due_ms = due.0;
    let (word, case, whistle, department) = match of {
        DeadlineOf::Dispatch(case) => ("dispatch", Some(case.0), None, None),
        DeadlineOf::Disposal(case) => ("disposal", Some(case.0), None, None),
        DeadlineOf::Response(whistle, department) => {
            ("response", None, Some(whistle.0), Some(department.to_string()))
        }
    };
    Deadline { of: word.to_owned(), case, whistle, department, due_ms }
}

fn deadline(body: &str, event: impl Fn(DeadlineOf, UtcMillis) -> Event) -> Read<Event> {
    let is: Deadline = serde_json::from_str(body)?;
    let of = match (is.of.as_str(), is.case, is.whistle, is.department) {
        ("dispatch", Some(case), None, None) => DeadlineOf::Dispatch(CaseId(case)),
        ("disposal", Some(case), None, None) => DeadlineOf::Disposal(CaseId(case)),
        ("response", None, Some(whistle), Some(department)) => {
            DeadlineOf::Response(WhistleId(whistle), code("department", department, DepartmentCode::new)?)
        }
        (other, ..) => return Err(word("of", other)),
    };
    Ok(event(of, UtcMillis(is.due_ms)))
}

fn entry_form(entry: &Entry) -> EntryForm {
    match entry.clone() {
        Entry::Area(area) => EntryForm::Area {
            code: area.code.to_string(),
            level: area.level.word().to_owned(),
            parent: area.parent.map(|parent| parent.to_string()),
            zh: area.name.zh,
            en: area.name.en,
        },
        Entry::Class(class) => EntryForm::Class {
            code: class.code.to_string(),
            class_kind: class.kind.word().to_owned(),
            zh: class.name.zh,
            en: class.name.en,
            key: class.key,
            disposal_limit: class.disposal_limit.map(limit_form),
        },
        Entry::Source(source) => {
            EntryForm::Source { code: source.code.to_string(), zh: source.name.zh, en: source.name.en }
        }
        Entry::Department(department) => EntryForm::Department {
            code: department.code.to_string(),
            zh: department.name.zh,
            en: department.name.en,
        },
    }
}

fn entry(is: EntryForm) -> Read<Entry> {
    Ok(match is {
        EntryForm::Area { code: text, level, parent, zh, en } => Entry::Area(Area {
            code: code("code", text, AreaCode::new)?,
            level: spelt("level", &level)?,
            parent: parent.map(|text| code("parent", text, AreaCode::new)).transpose()?,
            name: Name { zh, en },
        }),
        EntryForm::Class { code: text, class_kind, zh, en, key, disposal_limit } => Entry::Class(Class {
            code: code("code", text, ClassCode::new)?,
            kind: spelt("class_kind", &class_kind)?,
            name: Name { zh, en },
            key,
            disposal_limit: disposal_limit.map(limit).transpose()?,
        }),
        EntryForm::Source { code: text, zh, en } => {
            Entry::Source(Source { code: code("code", text, SourceCode::new)?, name: Name { zh, en } })
        }
        EntryForm::Department { code: text, zh, en } => Entry::Department(Department {
            code: code("code", text, DepartmentCode::new)?,
            name: Name { zh, en },
        }),
    })
}
