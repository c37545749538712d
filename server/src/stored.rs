//! The stored form of events: how last year's log is read, whatever the domain calls things today.
//!
//! What should be here: which form each subject's events are written in, which are read, who did it. What should not:
//! SQL, rules. A form that has been shipped is never changed; a new one gets a higher number and `decode` keeps reading
//! the old one. The first event in a new form raises the file's format (`log::sqlite::schema::FORMAT`), so that an older gridhall
//! says that the store is newer instead of stumbling over one event. A new name of an event, and a new field that changes what a stored
//! body means, are no form of their own: from the first release of a format on each of them raises the format all the same (`stored/tests/format.rs`).

use domain::case::{Case, CaseEvent};
use domain::code::AreaCode;
use domain::event::{By, Door, Event, Recorded};
use domain::moment::UtcMillis;
use domain::role::Role;

use crate::log::{EventRow, Line};

pub mod command;
pub mod answer;
pub mod person;
pub mod policy;
pub mod cameras;
pub mod state;
pub mod closed;
pub mod drill;
pub mod real;
mod form1;
mod form2;
mod report;
mod words;

#[cfg(test)]
mod tests;

use policy::{Bodies, NoBodies};
use words::Spelt;

/// The form each subject's events are written in, kept beside each event.
mod written {
    pub(super) const CASE: i64 = 2;
    pub(super) const WHISTLE: i64 = 2;
    pub(super) const DEADLINE: i64 = 2;
    pub(super) const POLICY: i64 = 2;
    pub(super) const HALL: i64 = 2;
}

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    #[error("form {0} is not known to this version; forms 1 and 2 are")]
    Form(i64),
    #[error("event name `{0}` is not known to this version")]
    Name(String),
    #[error("field `{field}` has the unknown value `{value}`")]
    Word { field: &'static str, value: String },
    #[error("policy {hash} {problem}")]
    Policy { hash: String, problem: String },
    #[error("list of cameras {hash} {problem}")]
    Cameras { hash: String, problem: String },
    #[error("is not the JSON of its form")]
    Json(#[from] serde_json::Error),
}

type Read<T> = Result<T, StoredError>;

/// The number of the form an event is written in.
#[must_use]
pub fn form(event: &Event) -> i64 {
    match event {
        Event::Case(..) => written::CASE,
        Event::Whistle(..) => written::WHISTLE,
        Event::Deadline(_) => written::DEADLINE,
        Event::Policy(_) => written::POLICY,
        Event::Hall(_) => written::HALL,
    }
}

/// The event's own fields as stored JSON. `mark` stands for whoever reported it, who is not in the event.
#[must_use]
pub fn encode(event: &Event, mark: Option<&str>) -> String {
    form2::encode(event, mark)
}

/// The event as a row of the log.
#[must_use]
pub fn row(recorded: &Recorded, line: Option<Line>, mark: Option<&str>) -> EventRow {
    let Recorded { seq, at, by, event } = recorded;
    let roles: Vec<&str> = by.roles.iter().map(|role| role.word()).collect();
    EventRow {
        seq: *seq,
        at: at.0,
        actor: by.name.clone(),
        roles: roles.join(","),
        door: by.door.word().to_owned(),
        key: Vec::new(),
        name: event.name().to_owned(),
        form: form(event),
        case: event.case().map(|case| case.0),
        whistle: event.whistle().map(|whistle| whistle.0),
        line,
        body: encode(event, mark),
        crc: 0,
        chain: None,
    }
    .summed()
}

/// The number of the case that begins with this row.
pub fn number(row: &EventRow) -> Read<Option<String>> {
    Ok(match decode(row.form, &row.name, &row.body, &NoBodies)? {
        Event::Case(_, CaseEvent::Reported { number, .. } | CaseEvent::TakenOver { number, .. }) => {
            Some(number)
        }
        Event::Case(
            _,
            CaseEvent::Stepped(_)
            | CaseEvent::Claimed
            | CaseEvent::Noted { .. }
            | CaseEvent::FileAttached(_)
            | CaseEvent::Replanned { .. }
            | CaseEvent::Moved { .. },
        )
        | Event::Whistle(..)
        | Event::Deadline(_)
        | Event::Policy(_)
        | Event::Hall(_) => None,
    })
}

/// What of a case stands in the line of each of its events.
#[must_use]
pub fn line(case: &Case) -> Line {
    let areas: Vec<&str> = case.area_path.iter().map(AreaCode::as_str).collect();
    Line {
        number: case.number.clone(),
        class: case.report.class.to_string(),
        areas: format!("|{}|", areas.join("|")),
    }
}

/// The event of a stored row. A policy that it adopts is found in `bodies`.
pub fn decode(form: i64, name: &str, body: &str, bodies: &dyn Bodies) -> Read<Event> {
    match form {
        1 => form1::decode(name, body),
        2 => form2::decode(name, body, bodies),
        other => Err(StoredError::Form(other)),
    }
}

/// Who did it; rows of the first format say the name alone.
fn by(row: &EventRow) -> Read<By> {
    if row.is_of_first_format() {
        return Ok(By::named(row.actor.clone()));
    }
    let roles = row.roles.split(',').filter(|text| !text.is_empty());
    Ok(By {
        name: row.actor.clone(),
        roles: roles.map(|text| spelt::<Role>("roles", text)).collect::<Read<_>>()?,
        door: spelt::<Door>("door", &row.door)?,
    })
}

/// The row as an event with its place in the log. Whoever reported the case is not in it, not even where the row is so
/// old that they still stand there: the state is the same before such rows are moved and after.
pub fn recorded(row: &EventRow, bodies: &dyn Bodies) -> Read<Recorded> {
    let mut event = decode(row.form, &row.name, &row.body, bodies)?;
    person::take(&mut event);
    Ok(Recorded { seq: row.seq, at: UtcMillis(row.at), by: by(row)?, event })
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
