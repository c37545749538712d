//! The stored form of commands, of which the log keeps a fingerprint beside each idempotency key.
//!
//! A key may be sent again years later, by an import that runs every night, and must find the fingerprint it was given.
//! So the form is spelt out here and not taken from the domain's types, and it grows in one way only: a field that did
//! not exist at first is written where it is used and nowhere else. What the first version could say has its bytes for
//! ever.

use domain::case::Report;
use domain::catalogue::{Entry, Name};
use domain::clock::{Counts, Limit, Unit};
use domain::command::{Command, History, TakeStep};
use domain::moment::UtcMillis;
use domain::whistle::WhistleCall;
use serde::Serialize;
use uuid::{NoContext, Timestamp, Uuid};

use super::words::Spelt;
use crate::log::seal::Secret;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Form<'a> {
    ReportCase { report: ReportForm<'a>, at: Option<i64> },
    TakeOverCase { report: ReportForm<'a>, history: HistoryForm },
    ClaimCase { case: u64 },
    NoteCase { case: u64, text: &'a str },
    AttachFile { case: u64, hash: String, name: &'a str, kind: &'static str },
    RaiseWhistle { call: CallForm<'a> },
    RespondToWhistle { whistle: u64, department: &'a str },
    CloseWhistle { whistle: u64, note: &'a str },
    DefineCatalogue { entries: Vec<EntryForm<'a>> },
    PassDeadlines,
}

/// A step's fields; only dispatch has a department, and with it always a place for the limit.
#[derive(Serialize)]
#[serde(untagged)]
enum StepForm<'a> {
    Bare { case: u64 },
    Sent { case: u64, department: &'a str, limit: Option<LimitForm> },
    Noted { case: u64, note: &'a str },
    NotedAndSent { case: u64, note: &'a str, department: &'a str, limit: Option<LimitForm> },
}

#[derive(Serialize)]
struct PlaceForm {
    lat: f64,
    lon: f64,
}

#[derive(Serialize)]
struct ExternalForm<'a> {
    system: &'a str,
    id: &'a str,
}

#[derive(Serialize)]
struct ReportForm<'a> {
    source: &'a str,
    class: &'a str,
    area: &'a str,
    condition: Option<&'a str>,
    address: &'a str,
    description: &'a str,
    place: Option<PlaceForm>,
    priority: &'static str,
    base_count: u16,
    reporter: Option<&'a str>,
    external: Option<ExternalForm<'a>>,
}

#[derive(Serialize)]
struct KnownForm {
    step: &'static str,
    at: i64,
}

#[derive(Serialize)]
struct HistoryForm {
    opened: i64,
    stage: &'static str,
    closed: Option<i64>,
    due: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<KnownForm>,
}

#[derive(Serialize)]
struct CallForm<'a> {
    level: &'static str,
    area: &'a str,
    title: &'a str,
    case: Option<u64>,
    called: Vec<&'a str>,
}

#[derive(Serialize)]
struct LimitForm {
    amount: u32,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<&'static str>,
}

#[derive(Serialize)]
struct NameForm<'a> {
    zh: &'a str,
    en: &'a str,
}

#[derive(Serialize)]
struct MilestoneForm<'a> {
    name: NameForm<'a>,
    limit: LimitForm,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum EntryForm<'a> {
    Area {
        code: &'a str,
        level: &'static str,
        parent: Option<&'a str>,
        name: NameForm<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        short: Option<NameForm<'a>>,
        #[serde(skip_serializing_if = "is_false")]
        retired: bool,
    },
    Class {
        code: &'a str,
        kind: &'static str,
        name: NameForm<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        short: Option<NameForm<'a>>,
        key: bool,
        disposal_limit: Option<LimitForm>,
        #[serde(skip_serializing_if = "Option::is_none")]
        main: Option<NameForm<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base_weight: Option<u16>,
        #[serde(skip_serializing_if = "is_false")]
        retired: bool,
    },
    Source {
        code: &'a str,
        name: NameForm<'a>,
        #[serde(skip_serializing_if = "is_false")]
        retired: bool,
    },
    Department {
        code: &'a str,
        name: NameForm<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        short: Option<NameForm<'a>>,
        #[serde(skip_serializing_if = "is_false")]
        retired: bool,
    },
    Condition {
        code: &'a str,
        class: &'a str,
        name: NameForm<'a>,
        milestones: Vec<MilestoneForm<'a>>,
        close_condition: Option<NameForm<'a>>,
        #[serde(skip_serializing_if = "is_false")]
        retired: bool,
    },
}

fn is_false(is: &bool) -> bool {
    !is
}

/// Of the keys of imported rows: the same row has the same key in every run, and nobody who may not import can make it.
#[must_use]
pub fn import_namespace(secret: &Secret) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&secret.mark("import", "")[..16]);
    Uuid::from_bytes(bytes)
}

/// A key for a command that came without one, or that nobody sends again: in the order of the hall's time.
#[must_use]
pub fn fresh_key(now: UtcMillis) -> Uuid {
    let ms = u64::try_from(now.0).unwrap_or(0);
    let within_second = u32::try_from(ms % 1_000).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, ms / 1_000, within_second * 1_000_000))
}

/// The key of an imported row. The namespace holds the store's secret, so that only whoever may import can make it.
#[must_use]
pub fn import_key(namespace: &Uuid, system: &str, id: &str) -> Uuid {
    Uuid::new_v5(namespace, format!("{system}\n{id}").as_bytes())
}

/// The command as stored JSON.
#[must_use]
pub fn encode(command: &Command) -> String {
    let written = match command {
        Command::Step(take) => {
            let fields = serde_json::to_string(&step(take));
            fields.map(|fields| format!("{{\"{}\":{fields}}}", take.step.command))
        }
        Command::ReportCase { report: said, at } => {
            json(&Form::ReportCase { report: report(said), at: at.map(|at| at.0) })
        }
        Command::TakeOverCase { report: said, history: past } => {
            json(&Form::TakeOverCase { report: report(said), history: history(past) })
        }
        Command::ClaimCase { case } => json(&Form::ClaimCase { case: case.0 }),
        Command::NoteCase { case, text } => json(&Form::NoteCase { case: case.0, text }),
        // What the bytes say of themselves follows from the hash.
        Command::AttachFile { case, file } => json(&Form::AttachFile {
            case: case.0,
            hash: file.hash.to_string(),
            name: &file.name,
            kind: file.kind.word(),
        }),
        Command::RaiseWhistle { call: said } => json(&Form::RaiseWhistle { call: call(said) }),
        Command::RespondToWhistle { whistle, department } => {
            json(&Form::RespondToWhistle { whistle: whistle.0, department: department.as_str() })
        }
        Command::CloseWhistle { whistle, note } => json(&Form::CloseWhistle { whistle: whistle.0, note }),
        Command::DefineCatalogue { entries } => {
            json(&Form::DefineCatalogue { entries: entries.iter().map(entry).collect() })
        }
        Command::PassDeadlines => json(&Form::PassDeadlines),
    };
    written.expect("forms have only text keys and plain values, which always make JSON")
}

fn json(form: &Form<'_>) -> serde_json::Result<String> {
    serde_json::to_string(form)
}

fn step(take: &TakeStep) -> StepForm<'_> {
    let (case, note, limit) = (take.case.0, take.note.as_str(), take.limit.map(limit));
    let department = take.department.as_ref().map(|department| department.as_str());
    match (take.step.note.is_asked(), department) {
        (false, None) => StepForm::Bare { case },
        (true, None) => StepForm::Noted { case, note },
        (false, Some(department)) => StepForm::Sent { case, department, limit },
        (true, Some(department)) => StepForm::NotedAndSent { case, note, department, limit },
    }
}

fn report(is: &Report) -> ReportForm<'_> {
    ReportForm {
        source: is.source.as_str(),
        class: is.class.as_str(),
        area: is.area.as_str(),
        condition: is.condition.as_deref(),
        address: &is.address,
        description: &is.description,
        place: is.place.map(|place| PlaceForm { lat: place.lat(), lon: place.lon() }),
        priority: is.priority.word(),
        base_count: is.base_count,
        reporter: is.reporter.as_deref(),
        external: is.external.as_ref().map(|is| ExternalForm { system: &is.system, id: &is.id }),
    }
}

fn history(is: &History) -> HistoryForm {
    let known = is.steps.iter().map(|known| KnownForm { step: known.step.0.name, at: known.at.0 });
    HistoryForm {
        opened: is.opened.0,
        stage: is.stage.word(),
        closed: is.closed.map(|at| at.0),
        due: is.due.map(|at| at.0),
        steps: known.collect(),
    }
}

fn call(is: &WhistleCall) -> CallForm<'_> {
    CallForm {
        level: is.level.word(),
        area: is.area.as_str(),
        title: &is.title,
        case: is.case.map(|case| case.0),
        called: is.called.iter().map(|department| department.as_str()).collect(),
    }
}

/// The first version's words said both in one; what it could not say says which time counts.
fn limit(is: Limit) -> LimitForm {
    let (unit, counts) = match (is.unit, is.counts) {
        (Unit::Hour, Counts::Through) => ("urgent_hour", None),
        (Unit::Day, Counts::Through) => ("urgent_day", None),
        (Unit::Hour, Counts::Working) => ("work_hour", None),
        (Unit::Day, Counts::Working) => ("work_day", None),
        (Unit::Minute, Counts::Through | Counts::Working) => ("minute", Some(is.counts.word())),
    };
    LimitForm { amount: is.amount, unit, counts }
}

fn name(is: &Name) -> NameForm<'_> {
    NameForm { zh: &is.zh, en: &is.en }
}

fn entry(is: &Entry) -> EntryForm<'_> {
    match is {
        Entry::Area(area) => EntryForm::Area {
            code: area.code.as_str(),
            level: area.level.word(),
            parent: area.parent.as_ref().map(|parent| parent.as_str()),
            name: name(&area.name),
            short: area.short.as_ref().map(name),
            retired: area.retired,
        },
        Entry::Class(class) => EntryForm::Class {
            code: class.code.as_str(),
            kind: class.kind.word(),
            name: name(&class.name),
            short: class.short.as_ref().map(name),
            key: class.key,
            disposal_limit: class.disposal_limit.map(limit),
            main: class.main.as_ref().map(name),
            base_weight: class.base_weight,
            retired: class.retired,
        },
        Entry::Source(source) => EntryForm::Source {
            code: source.code.as_str(),
            name: name(&source.name),
            retired: source.retired,
        },
        Entry::Department(department) => EntryForm::Department {
            code: department.code.as_str(),
            name: name(&department.name),
            short: department.short.as_ref().map(name),
            retired: department.retired,
        },
        Entry::Condition(condition) => {
            let parts = condition.milestones.iter();
            EntryForm::Condition {
                code: condition.code.as_str(),
                class: condition.class.as_str(),
                name: name(&condition.name),
                milestones: parts
                    .map(|part| MilestoneForm { name: name(&part.name), limit: limit(part.limit) })
                    .collect(),
                close_condition: condition.close_condition.as_ref().map(name),
                retired: condition.retired,
            }
        }
    }
}

#[cfg(test)]
mod tests;
