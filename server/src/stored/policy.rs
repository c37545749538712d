//! The stored form of a policy: the body that an adoption names by its hash, and the policy a log began with.
//!
//! A body is a blob of its own, outside events and snapshots: those of a city with its grids are megabytes, and events stay
//! small. The first blob of a log is the policy it began with; nothing else may come before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::adoption::PolicyHash;
use domain::catalogue::{Area, Class, Condition, Department, Entry, Name, Source};
use domain::clock::WorkCalendar;
use domain::clock::calendar::{DayKind, Span};
use domain::code::{AreaCode, ClassCode, DepartmentCode};
use domain::moment::UtcOffset;
use domain::place::Bounds;
use domain::policy::{Policy, Responsibility, SidePaths};
use domain::state::State;
use serde::{Deserialize, Serialize};

use super::form2::catalogue::{EntryForm, LimitForm, entry, entry_form, limit, limit_form};
use super::{Read, StoredError, code, word};
use crate::log::{Blob, Group, Hash, LogError, Stand};

/// Where bodies are found by their hash.
pub trait Bodies {
    fn body(&self, hash: &Hash) -> Result<Option<Vec<u8>>, LogError>;
}

impl Bodies for &dyn crate::log::Read {
    fn body(&self, hash: &Hash) -> Result<Option<Vec<u8>>, LogError> {
        self.blob(hash)
    }
}

/// For rows that name none: those of one case.
pub struct NoBodies;

impl Bodies for NoBodies {
    fn body(&self, _: &Hash) -> Result<Option<Vec<u8>>, LogError> {
        Ok(None)
    }
}

/// What a log began with: the rules of its first day, and codes that were known beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    pub policy: Arc<Policy>,
    /// Codes of a store that is older than this: what its newest snapshot knew and the policy did not.
    pub kept: Vec<Entry>,
}

impl Genesis {
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self { policy: Arc::new(policy.clone()), kept: Vec::new() }
    }

    /// The state before the first event.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::new(&self.policy);
        self.kept.iter().cloned().for_each(|entry| state.catalogue.define(entry));
        state
    }
}

#[derive(Serialize, Deserialize)]
struct NameForm {
    zh: String,
    en: String,
}

#[derive(Serialize, Deserialize)]
struct BoundsForm {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
}

#[derive(Serialize, Deserialize)]
struct CalendarForm {
    /// Minutes after midnight.
    spans: Vec<(u16, u16)>,
    weekdays: Vec<u8>,
    work_day_minutes: u16,
    off: Vec<String>,
    work: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reaches_to: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ResponsibilityForm {
    class: String,
    area: String,
    department: String,
}

#[derive(Serialize, Deserialize)]
struct PolicyForm {
    form: u32,
    source: String,
    centre: NameForm,
    offset_minutes: i32,
    dispatch_limit: LimitForm,
    disposal_limit: LimitForm,
    whistle_response_minutes: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    powers_together: Option<String>,
    forecast_minutes: u16,
    lamp_yellow_percent: u8,
    position_stale_seconds: u32,
    clock_skew_seconds: u32,
    backdate_days: u16,
    #[serde(default = "notes_of_before")]
    notes_per_case: u16,
    #[serde(default = "three_of_before")]
    returns: u16,
    #[serde(default = "three_of_before")]
    reworks: u16,
    #[serde(default = "two_of_before")]
    extensions: u16,
    #[serde(default = "one_of_before")]
    suspensions: u16,
    #[serde(default = "year_of_before")]
    suspension_days: u16,
    #[serde(default = "files_of_before")]
    files_per_case: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bounds: Option<BoundsForm>,
    calendar: CalendarForm,
    /// Areas, classes, sources, departments, conditions, each kind in its order.
    entries: Vec<EntryForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    responsibilities: Vec<ResponsibilityForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<EntryForm>,
}

/// What holds under a body that is older than the bound. Never changed, whatever a policy file may leave unsaid later.
fn notes_of_before() -> u16 {
    500
}

/// Returns and reworks under a body that is older than their bounds; never changed either, nor are the next.
fn three_of_before() -> u16 {
    3
}

/// The same of files.
fn files_of_before() -> u16 {
    50
}

fn two_of_before() -> u16 {
    2
}

fn one_of_before() -> u16 {
    1
}

fn year_of_before() -> u16 {
    365
}

/// The number of the form bodies are written in.
const FORM: u32 = 1;

/// A policy as it is kept, with the hash that names it.
#[must_use]
pub fn body(policy: &Policy) -> (Blob, PolicyHash) {
    let blob = blob(policy, &[]);
    let hash = PolicyHash(blob.hash);
    (blob, hash)
}

/// The first blob of a log.
#[must_use]
pub fn genesis_blob(genesis: &Genesis) -> Blob {
    blob(&genesis.policy, &genesis.kept)
}

fn blob(policy: &Policy, kept: &[Entry]) -> Blob {
    let bytes = serde_json::to_vec(&form(policy, kept));
    Blob::of(bytes.expect("forms have only text keys and plain values, which always make JSON"))
}

fn form(policy: &Policy, kept: &[Entry]) -> PolicyForm {
    let Bounds { south, west, north, east } =
        policy.bounds.unwrap_or(Bounds { south: 0.0, west: 0.0, north: 0.0, east: 0.0 });
    PolicyForm {
        form: FORM,
        source: policy.stated_source.clone(),
        centre: NameForm { zh: policy.centre.zh.clone(), en: policy.centre.en.clone() },
        offset_minutes: policy.utc_offset_minutes.0,
        dispatch_limit: limit_form(policy.dispatch_limit),
        disposal_limit: limit_form(policy.disposal_limit),
        whistle_response_minutes: policy.whistle_response_minutes,
        powers_together: policy.powers_together.clone(),
        forecast_minutes: policy.forecast_minutes,
        lamp_yellow_percent: policy.lamp_yellow_percent,
        position_stale_seconds: policy.position_stale_seconds,
        clock_skew_seconds: policy.clock_skew_seconds,
        backdate_days: policy.backdate_days,
        notes_per_case: policy.notes_per_case,
        returns: policy.side_paths.returns,
        reworks: policy.side_paths.reworks,
        files_per_case: policy.files_per_case,
        extensions: policy.side_paths.extensions,
        suspensions: policy.side_paths.suspensions,
        suspension_days: policy.side_paths.suspension_days,
        bounds: policy.bounds.map(|_| BoundsForm { south, west, north, east }),
        calendar: calendar_form(&policy.calendar),
        entries: policy.entries().map(|entry| entry_form(&entry)).collect(),
        responsibilities: policy.responsibilities.iter().map(responsibility_form).collect(),
        kept: kept.iter().map(entry_form).collect(),
    }
}

fn responsibility_form(entry: &Responsibility) -> ResponsibilityForm {
    let Responsibility { class, area, department } = entry;
    let (class, area, department) = (class.to_string(), area.to_string(), department.to_string());
    ResponsibilityForm { class, area, department }
}

fn responsibility(is: ResponsibilityForm) -> Read<Responsibility> {
    Ok(Responsibility {
        class: code("class", is.class, ClassCode::new)?,
        area: code("area", is.area, AreaCode::new)?,
        department: code("department", is.department, DepartmentCode::new)?,
    })
}

fn calendar_form(calendar: &WorkCalendar) -> CalendarForm {
    let WorkCalendar { spans, weekdays, work_day_minutes, exceptions, reaches_to } = calendar;
    let of = |wanted: DayKind| {
        let days = exceptions.iter().filter(move |(_, kind)| **kind == wanted);
        days.map(|(date, _)| date.to_string()).collect()
    };
    CalendarForm {
        spans: spans.iter().map(|span| (span.from, span.to)).collect(),
        weekdays: weekdays.clone(),
        work_day_minutes: *work_day_minutes,
        off: of(DayKind::Off),
        work: of(DayKind::Work),
        reaches_to: reaches_to.map(|day| day.to_string()),
    }
}

fn calendar(is: CalendarForm) -> Read<WorkCalendar> {
    let mut exceptions = BTreeMap::new();
    for (days, kind) in [(is.off, DayKind::Off), (is.work, DayKind::Work)] {
        for text in days {
            exceptions.insert(text.parse().map_err(|_| word("date", text))?, kind);
        }
    }
    Ok(WorkCalendar {
        spans: is.spans.into_iter().map(|(from, to)| Span { from, to }).collect(),
        weekdays: is.weekdays,
        work_day_minutes: is.work_day_minutes,
        exceptions,
        reaches_to: is.reaches_to.map(|text| text.parse().map_err(|_| word("date", text))).transpose()?,
    })
}

/// Codes by their kind.
#[derive(Default)]
struct Codes {
    areas: Vec<Area>,
    classes: Vec<Class>,
    sources: Vec<Source>,
    departments: Vec<Department>,
    conditions: Vec<Condition>,
}

impl Codes {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Area(area) => self.areas.push(area),
            Entry::Class(class) => self.classes.push(class),
            Entry::Source(source) => self.sources.push(source),
            Entry::Department(department) => self.departments.push(department),
            Entry::Condition(condition) => self.conditions.push(condition),
        }
    }
}

/// The policy of a body.
pub fn decode(bytes: &[u8]) -> Read<Genesis> {
    let is: PolicyForm = serde_json::from_slice(bytes)?;
    if is.form != FORM {
        return Err(word("form", is.form.to_string()));
    }
    let mut codes = Codes::default();
    for form in is.entries {
        codes.take(entry(form)?);
    }
    let Codes { areas, classes, sources, departments, conditions } = codes;
    let bounds =
        is.bounds.map(|is| Bounds { south: is.south, west: is.west, north: is.north, east: is.east });
    let policy = Policy {
        stated_source: is.source,
        centre: Name { zh: is.centre.zh, en: is.centre.en },
        utc_offset_minutes: UtcOffset(is.offset_minutes),
        dispatch_limit: limit(is.dispatch_limit)?,
        disposal_limit: limit(is.disposal_limit)?,
        whistle_response_minutes: is.whistle_response_minutes,
        powers_together: is.powers_together,
        forecast_minutes: is.forecast_minutes,
        lamp_yellow_percent: is.lamp_yellow_percent,
        position_stale_seconds: is.position_stale_seconds,
        clock_skew_seconds: is.clock_skew_seconds,
        backdate_days: is.backdate_days,
        notes_per_case: is.notes_per_case,
        side_paths: SidePaths {
            returns: is.returns,
            reworks: is.reworks,
            extensions: is.extensions,
            suspensions: is.suspensions,
            suspension_days: is.suspension_days,
        },
        files_per_case: is.files_per_case,
        bounds,
        calendar: calendar(is.calendar)?,
        areas,
        classes,
        sources,
        departments,
        conditions,
        responsibilities: is.responsibilities.into_iter().map(responsibility).collect::<Read<_>>()?,
    };
    Ok(Genesis { policy: Arc::new(policy), kept: is.kept.into_iter().map(entry).collect::<Read<_>>()? })
}

/// The policy that an adoption names.
pub fn adopted(hash: &PolicyHash, bodies: &dyn Bodies) -> Read<Arc<Policy>> {
    let missing = |problem: String| StoredError::Policy { hash: hash.to_string(), problem };
    let found = bodies.body(&hash.0).map_err(|error| missing(error.to_string()))?;
    let bytes = found.ok_or_else(|| missing("is not in the log".to_owned()))?;
    decode(&bytes).map(|genesis| genesis.policy).map_err(|error| missing(error.to_string()))
}

/// What a log began with; none while nothing has been put into it.
pub fn genesis(log: &dyn crate::log::Read) -> Result<Option<Read<Genesis>>, LogError> {
    let head = log.head()?;
    let first: Group = log.since(Stand { blob: 0, ..head }, 1)?;
    Ok(first.blobs.first().map(|blob| decode(&blob.bytes)))
}

#[cfg(test)]
mod tests;
