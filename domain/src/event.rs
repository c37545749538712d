//! Events: what happened, by whom and through which door. A fact, which nobody refuses any more.
//!
//! The stored form of events is the server's own, so that a renamed field here cannot make last year's log unreadable.
//! Their JSON is for readers of the API: `{"case_filed":{"case":7,…}}`, one name with its fields.

use serde::ser::{SerializeMap, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use crate::adoption::{Adopted, CamerasAdopted};
use crate::case::CaseEvent;
use crate::catalogue::Entry;
use crate::clock::{Alarm, ClockOf, Subject};
use crate::code::{CaseId, WhistleId};
use crate::moment::{Date, UtcMillis};
use crate::role::Role;
use crate::whistle::WhistleEvent;

/// What happened, by what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "nearly every event is about a case; a box would cost one each")]
pub enum Event {
    Case(CaseId, CaseEvent),
    Whistle(WhistleId, WhistleEvent),
    Deadline(DeadlineEvent),
    Policy(PolicyEvent),
    Hall(HallEvent),
}

/// A forecast window began, or a due time passed, while the work was still to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadlineEvent {
    #[serde(skip)]
    pub alarm: Alarm,
    pub of: ClockOf,
    pub subject: Subject,
    pub due: UtcMillis,
}

/// The rules and codes changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PolicyEvent {
    /// Codes were added to the catalogue, or replaced.
    Defined { entries: Vec<Entry> },
    /// Another policy came into force.
    Adopted(Adopted),
}

/// Something about the hall as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum HallEvent {
    /// A new local day began: "today" and "this month" start from zero.
    DayTurned { date: Date },
    /// Another list of cameras came into force.
    CamerasAdopted(CamerasAdopted),
}

impl Event {
    /// The case the event is about.
    #[must_use]
    pub fn case(&self) -> Option<CaseId> {
        match self {
            Self::Case(case, _) => Some(*case),
            Self::Whistle(_, WhistleEvent::Raised { call, .. }) => call.case,
            Self::Deadline(DeadlineEvent { subject: Subject::Case(case), .. }) => Some(*case),
            Self::Deadline(DeadlineEvent { subject: Subject::Whistle(..), .. })
            | Self::Whistle(
                _,
                WhistleEvent::Answered { .. } | WhistleEvent::Closed { .. } | WhistleEvent::Moved { .. },
            )
            | Self::Policy(_)
            | Self::Hall(_) => None,
        }
    }

    /// The whistle the event is about.
    #[must_use]
    pub fn whistle(&self) -> Option<WhistleId> {
        match self {
            Self::Whistle(whistle, _)
            | Self::Deadline(DeadlineEvent { subject: Subject::Whistle(whistle, _), .. }) => Some(*whistle),
            Self::Case(..)
            | Self::Deadline(DeadlineEvent { subject: Subject::Case(_), .. })
            | Self::Policy(_)
            | Self::Hall(_) => None,
        }
    }

    /// The name in logs, the feed and the store.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Case(_, event) => event.name(),
            Self::Whistle(_, event) => event.name(),
            Self::Deadline(DeadlineEvent { alarm: Alarm::Nearing, .. }) => "deadline_nearing",
            Self::Deadline(DeadlineEvent { alarm: Alarm::Due, .. }) => "deadline_passed",
            Self::Policy(PolicyEvent::Defined { .. }) => "catalogue_defined",
            Self::Policy(PolicyEvent::Adopted(_)) => "policy_adopted",
            Self::Hall(HallEvent::DayTurned { .. }) => "day_turned",
            Self::Hall(HallEvent::CamerasAdopted(_)) => "cameras_adopted",
        }
    }
}

/// Fields of an event with what it is about before them.
#[derive(Serialize)]
struct OfCase<'a> {
    case: CaseId,
    #[serde(flatten)]
    event: &'a CaseEvent,
}

#[derive(Serialize)]
struct OfWhistle<'a> {
    whistle: WhistleId,
    #[serde(flatten)]
    event: &'a WhistleEvent,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut named = serializer.serialize_map(Some(1))?;
        let name = self.name();
        match self {
            Self::Case(case, event) => named.serialize_entry(name, &OfCase { case: *case, event })?,
            Self::Whistle(whistle, event) => {
                named.serialize_entry(name, &OfWhistle { whistle: *whistle, event })?;
            }
            Self::Deadline(event) => named.serialize_entry(name, event)?,
            Self::Policy(event) => named.serialize_entry(name, event)?,
            Self::Hall(event) => named.serialize_entry(name, event)?,
        }
        named.end()
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Event {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .description(Some("The event's name with its fields, such as `{\"case_filed\":{\"case\":7,…}}`."))
            .min_properties(Some(1))
            .max_properties(Some(1))
            .into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Event {}

/// Which way a command came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// A person signed in at a screen.
    Desk,
    /// A token over the API.
    Api,
    /// An import into the data folder.
    Import,
    /// The server itself, when a time had come.
    Timer,
    /// A command line on the server's machine.
    Cli,
    /// Not recorded: the event is older than this.
    Unknown,
}

impl Door {
    pub const ALL: [Self; 6] = [Self::Desk, Self::Api, Self::Import, Self::Timer, Self::Cli, Self::Unknown];

    /// The name in files and keys.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Api => "api",
            Self::Import => "import",
            Self::Timer => "timer",
            Self::Cli => "cli",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nobody comes through without an account or a token.
    #[must_use]
    pub fn needs_proof(self) -> bool {
        match self {
            Self::Desk | Self::Api => true,
            Self::Import | Self::Timer | Self::Cli | Self::Unknown => false,
        }
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct By {
    /// An account, a token's name or `system`.
    pub name: String,
    /// What they were allowed as at that time; empty for the server itself and where it was not recorded.
    pub roles: Vec<Role>,
    pub door: Door,
}

impl By {
    /// The server itself, when a time had come.
    #[must_use]
    pub fn timer() -> Self {
        Self { name: "system".to_owned(), roles: Vec::new(), door: Door::Timer }
    }

    /// Of whom only the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), roles: Vec::new(), door: Door::Unknown }
    }
}

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Commit order, from 1, without gaps.
    pub seq: u64,
    pub at: UtcMillis,
    pub by: By,
    pub event: Event,
}

/// As JSON the name stands twice: `actor` for readers who want no more, `by` with roles and door.
impl Serialize for Recorded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Recorded", 5)?;
        fields.serialize_field("seq", &self.seq)?;
        fields.serialize_field("at", &self.at)?;
        fields.serialize_field("actor", &self.by.name)?;
        fields.serialize_field("by", &self.by)?;
        fields.serialize_field("event", &self.event)?;
        fields.end()
    }
}

/// [`Recorded`] as the API shows it.
#[cfg(feature = "schema")]
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "describes the JSON that `Recorded` writes")]
struct Shown {
    seq: u64,
    at: UtcMillis,
    /// Who sent the command: an account, a token's name or `system`.
    actor: String,
    by: By,
    event: Event,
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Recorded {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Shown::schema()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Recorded {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        use utoipa::PartialSchema;
        schemas.push((<Event as utoipa::ToSchema>::name().into_owned(), Event::schema()));
        schemas.push((By::name().into_owned(), By::schema()));
        schemas.push((Role::name().into_owned(), Role::schema()));
        schemas.push((Door::name().into_owned(), Door::schema()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adoption::{CameraCounts, ListHash};
    use crate::case::{Step, Stepped};

    #[test]
    fn desk_and_api_alone_ask_who_comes() {
        let asking: Vec<Door> = Door::ALL.into_iter().filter(|door| door.needs_proof()).collect();
        assert_eq!(asking, [Door::Desk, Door::Api]);
    }

    #[test]
    fn readers_of_the_api_see_one_name_with_its_fields() {
        let stepped = |note: &str| {
            CaseEvent::Stepped(Stepped {
                step: Step::ACCEPT,
                note: note.to_owned(),
                department: None,
                started: Vec::new(),
            })
        };
        let by = By { name: "周敏".to_owned(), roles: vec![Role::Supervisor], door: Door::Desk };
        let event = Event::Case(CaseId(7), stepped(""));
        let recorded = Recorded { seq: 1, at: UtcMillis(5), by, event };
        assert_eq!(
            serde_json::to_string(&recorded).unwrap(),
            r#"{"seq":1,"at":5,"actor":"周敏","by":{"name":"周敏","roles":["supervisor"],"door":"desk"},"event":{"case_accepted":{"case":7,"note":"","department":null,"started":[]}}}"#
        );
        let json = |event: Event| serde_json::to_string(&event).unwrap();
        assert_eq!(json(Event::Case(CaseId(7), CaseEvent::Claimed)), r#"{"case_claimed":{"case":7}}"#);
        let date = Date::new(2026, 11, 21).unwrap();
        assert_eq!(
            json(Event::Hall(HallEvent::DayTurned { date })),
            r#"{"day_turned":{"date":"2026-11-21"}}"#
        );
        let counts = CameraCounts { cameras: 3, new: 1, ..CameraCounts::default() };
        let adopted = CamerasAdopted { version: 2, hash: ListHash([0xab; 32]), counts };
        assert_eq!(
            json(Event::Hall(HallEvent::CamerasAdopted(adopted))),
            format!(
                r#"{{"cameras_adopted":{{"version":2,"hash":"{}","counts":{{"cameras":3,"new":1,"gone":0,"readdressed":0,"moved":0,"renamed":0}}}}}}"#,
                "ab".repeat(32)
            )
        );
        let closed = Event::Whistle(WhistleId(3), WhistleEvent::Closed { note: "了结".to_owned() });
        assert_eq!(json(closed), r#"{"whistle_closed":{"whistle":3,"note":"了结"}}"#);
    }
}
