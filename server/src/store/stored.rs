//! The stored form of events: how last year's log is read, whatever the domain calls things today.
//!
//! What should be here: which form each subject's events are written in, which are read, who did it. What should not:
//! SQL, rules. A form that has been shipped is never changed; a new one gets a higher number and `decode` keeps reading
//! the old one. The first event in a new form raises the file's format (`schema::FORMAT`), so that an older gridhall
//! says that the store is newer instead of stumbling over one event.

use domain::code::AreaCode;
use domain::event::{By, Door, Event, Recorded};
use domain::role::Role;
use serde::{Deserialize, Serialize};

pub mod command;
mod form1;
mod form2;
mod report;
mod words;

#[cfg(test)]
mod tests;

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

/// The event's own fields as stored JSON.
#[must_use]
pub fn body(event: &Event) -> String {
    form2::encode(event)
}

/// The event as stored JSON, with the roles and the door of who did it before its own fields.
#[must_use]
pub fn encode(by: &By, event: &Event) -> String {
    let body = body(event);
    let by = ByForm {
        roles: by.roles.iter().map(|role| role.word().to_owned()).collect(),
        door: by.door.word().to_owned(),
    };
    let by = serde_json::to_string(&by).expect("the form has text alone, which always makes JSON");
    // Before the others, so that it can be read without them; its name is no field of any event.
    let fields = body.strip_prefix('{').expect("every form is an object");
    let comma = if fields == "}" { "" } else { "," };
    format!("{BY}{by}{comma}{fields}")
}

/// What a body with a door begins with.
const BY: &str = "{\"by\":";

#[derive(Serialize, Deserialize)]
struct ByForm {
    roles: Vec<String>,
    door: String,
}

/// The event of a stored row.
pub fn decode(form: i64, name: &str, body: &str) -> Read<Event> {
    match form {
        1 => form1::decode(name, body),
        2 => form2::decode(name, body),
        other => Err(StoredError::Form(other)),
    }
}

/// Who did it, by name and by what the body says; events of form 1 say nothing.
pub fn by(name: &str, body: &str) -> Read<By> {
    let Some(rest) = body.strip_prefix(BY) else { return Ok(By::named(name)) };
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<ByForm>();
    let is = values.next().ok_or_else(|| word("by", ""))??;
    Ok(By {
        name: name.to_owned(),
        roles: is.roles.iter().map(|text| spelt::<Role>("roles", text)).collect::<Read<_>>()?,
        door: spelt::<Door>("door", &is.door)?,
    })
}

/// The stored row as an event with its place in the log.
pub fn recorded(seq: u64, at_ms: i64, actor: &str, (form, name, body): (i64, &str, &str)) -> Read<Recorded> {
    let event = decode(form, name, body)?;
    Ok(Recorded { seq, at: domain::moment::UtcMillis(at_ms), by: by(actor, body)?, event })
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
