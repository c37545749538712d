//! The snapshot of the first format, read for ever and written no more: postcard of the state as its types were then.
//! Nothing here is ever changed.
//!
//! What should be here: the frozen shape, and its rows as sections. What should not: what is made of them (`state`). Two
//! things are not in it, and the sections they belong to are of form 0, which no section calls exact: steps and rounds of
//! open cases, which their own events tell, and the second figure of every count, which only the whole log does.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ASIDE, CASES, CATALOGUE, COUNTS, DEADLINES, TALLY, WHISTLES};
use crate::log::container::{Container, Section, Unusable};

const MAGIC: &[u8; 8] = b"GRHLSNAP";
/// The last version of that layout.
const VERSION: u32 = 4;
/// Magic, version, epoch, offset from UTC, sequence number, SHA-256 of what follows.
const HEADER_BYTES: usize = 8 + 4 + 8 + 4 + 8 + 32;
/// Form of sections in which something is a guess, and of those that are as form 1 has them.
const GUESSED: u32 = 0;
const AS_IN_FORM_1: u32 = 1;

#[derive(Deserialize)]
struct Former {
    catalogue: Catalogue,
    cases: BTreeMap<u64, Case>,
    whistles: BTreeMap<u64, Whistle>,
    tally: BTreeMap<String, i64>,
    aside: BTreeMap<String, i64>,
    turns: Vec<String>,
    _deadlines: Vec<(i64, u32, DeadlineOf)>,
    seq: u64,
    today: String,
    offset_minutes: i32,
    last_case: u64,
    last_whistle: u64,
    numbers_of_days: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct Catalogue {
    areas: BTreeMap<String, Area>,
    classes: BTreeMap<String, Class>,
    sources: BTreeMap<String, Named>,
    departments: BTreeMap<String, Named>,
    area_order: Vec<String>,
}

#[derive(Deserialize)]
struct Name {
    zh: String,
    en: String,
}

#[derive(Deserialize)]
struct Area {
    code: String,
    level: u32,
    parent: Option<String>,
    name: Name,
}

#[derive(Deserialize)]
struct Class {
    code: String,
    kind: u32,
    name: Name,
    key: bool,
    disposal_limit: Option<Limit>,
}

#[derive(Deserialize)]
struct Named {
    code: String,
    name: Name,
}

#[derive(Deserialize)]
struct Limit {
    amount: u16,
    unit: u32,
}

#[derive(Deserialize)]
struct External {
    system: String,
    id: String,
}

#[derive(Deserialize)]
struct Report {
    source: String,
    class: String,
    area: String,
    condition: Option<String>,
    address: String,
    description: String,
    place: Option<(i32, i32)>,
    priority: u32,
    base_count: u16,
    /// Stood in the clear then; goes no further.
    _reporter: Option<String>,
    external: Option<External>,
}

/// Passed over: the case's own events tell its clocks.
#[derive(Deserialize)]
struct Clock {
    _started: i64,
    _nearing: i64,
    _due: i64,
    _limit: Option<Limit>,
    _phase: u32,
}

#[derive(Deserialize)]
struct Case {
    id: u64,
    number: String,
    report: Report,
    area_path: Vec<String>,
    stage: u32,
    reported: i64,
    stage_since: i64,
    filed: Option<i64>,
    dispatched: Option<i64>,
    closed: Option<i64>,
    _dispatch_clock: Option<Clock>,
    _disposal_clock: Option<Clock>,
    department: Option<String>,
    claimed_by: Option<String>,
    version: u64,
}

#[derive(Deserialize)]
struct Call {
    level: u32,
    area: String,
    title: String,
    case: Option<u64>,
    _called: Vec<String>,
}

#[derive(Deserialize)]
struct Called {
    department: String,
    responded: Option<i64>,
    late: bool,
}

#[derive(Deserialize)]
struct Whistle {
    id: u64,
    call: Call,
    area_path: Vec<String>,
    raised: i64,
    due: i64,
    called: Vec<Called>,
    closed: Option<i64>,
    version: u64,
}

/// Passed over, as all of these: a case, a case, a call and a department.
#[derive(Deserialize)]
enum DeadlineOf {
    _Dispatch { _case: u64 },
    _Disposal { _case: u64 },
    _Response { _whistle: u64, _department: String },
}

/// Words in the order of the types of then.
const STAGES: [&str; 7] = ["accept", "file", "dispatch", "dispose", "feedback", "check", "close"];
const PRIORITIES: [&str; 4] = ["first", "second", "third", "ordinary"];
const LEVELS: [&str; 5] = ["city", "district", "street", "community", "grid"];
const KINDS: [&str; 3] = ["event", "part", "complaint"];
const WHISTLE_LEVELS: [&str; 3] = ["district", "street", "community"];
/// Unit of a limit, and how it is counted.
const UNITS: [(&str, &str); 4] =
    [("hour", "through"), ("day", "through"), ("hour", "working"), ("day", "working")];

type Read<T> = Result<T, Unusable>;

fn of<T: Copy>(words: &[T], index: u32) -> Read<T> {
    words.get(index as usize).copied().ok_or(Unusable::Torn)
}

/// A snapshot of the first format as sections.
pub fn container(bytes: &[u8]) -> Read<Container> {
    let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(Unusable::Torn)?;
    if &header[..8] != MAGIC {
        return Err(Unusable::Foreign);
    }
    let version = u32::from_le_bytes(header[8..12].try_into().map_err(|_| Unusable::Torn)?);
    if version != VERSION {
        return Err(Unusable::Layout(version));
    }
    if &header[32..64] != Sha256::digest(body).as_slice() {
        return Err(Unusable::Checksum("state".to_owned()));
    }
    let epoch = u64::from_le_bytes(header[12..20].try_into().map_err(|_| Unusable::Torn)?);
    let former: Former = postcard::from_bytes(body)
        .map_err(|error| Unusable::Unreadable { name: "state".to_owned(), problem: error.to_string() })?;
    if header[24..32] != former.seq.to_le_bytes() {
        return Err(Unusable::Torn);
    }
    Ok(Container { epoch, seq: former.seq, sections: sections(&former)? })
}

fn sections(former: &Former) -> Read<Vec<Section>> {
    let section = |name: &str, form: u32, bytes: Vec<u8>| Section { name: name.to_owned(), form, bytes };
    let cases = former.cases.values().map(case).collect::<Read<_>>()?;
    let whistles = former.whistles.values().map(whistle).collect::<Read<_>>()?;
    // Those of cases come from their own events.
    let deadlines = former.whistles.values().flat_map(responses).collect();
    Ok(vec![
        section(COUNTS, AS_IN_FORM_1, lines(vec![counts(former)])),
        section(CATALOGUE, AS_IN_FORM_1, lines(entries(&former.catalogue)?)),
        section(CASES, GUESSED, lines(cases)),
        section(WHISTLES, AS_IN_FORM_1, lines(whistles)),
        section(TALLY, GUESSED, cells(&former.tally)),
        section(ASIDE, GUESSED, cells(&former.aside)),
        section(DEADLINES, GUESSED, lines(deadlines)),
    ])
}

fn lines(rows: Vec<Value>) -> Vec<u8> {
    rows.iter().flat_map(|row| format!("{row}\n").into_bytes()).collect()
}

/// The weight of what was counted is not known; that of most cases is one.
fn cells(cells: &BTreeMap<String, i64>) -> Vec<u8> {
    cells.iter().flat_map(|(key, cases)| format!("{key} {cases} {cases}\n").into_bytes()).collect()
}

fn counts(former: &Former) -> Value {
    json!({
        "seq": former.seq,
        "today": former.today,
        "offset_minutes": former.offset_minutes,
        "last_case": former.last_case,
        "last_whistle": former.last_whistle,
        "numbers_of_days": former.numbers_of_days,
        "turns": former.turns,
    })
}

fn limit(limit: &Limit) -> Read<Value> {
    let (unit, counts) = of(&UNITS, limit.unit)?;
    Ok(json!({ "amount": limit.amount, "unit": unit, "counts": counts }))
}

fn entries(catalogue: &Catalogue) -> Read<Vec<Value>> {
    let mut rows = Vec::new();
    for area in catalogue.area_order.iter().filter_map(|code| catalogue.areas.get(code)) {
        let Area { code, level, parent, name: Name { zh, en } } = area;
        let level = of(&LEVELS, *level)?;
        rows.push(
            json!({ "kind": "area", "code": code, "level": level, "parent": parent, "zh": zh, "en": en }),
        );
    }
    for class in catalogue.classes.values() {
        let Class { code, kind, name: Name { zh, en }, key, disposal_limit } = class;
        let (kind, limit) = (of(&KINDS, *kind)?, disposal_limit.as_ref().map(limit).transpose()?);
        rows.push(json!({
            "kind": "class", "code": code, "class_kind": kind, "zh": zh, "en": en, "key": key,
            "disposal_limit": limit,
        }));
    }
    for (kind, named) in [("source", &catalogue.sources), ("department", &catalogue.departments)] {
        for Named { code, name: Name { zh, en } } in named.values() {
            rows.push(json!({ "kind": kind, "code": code, "zh": zh, "en": en }));
        }
    }
    Ok(rows)
}

fn report(report: &Report) -> Read<Value> {
    let external = report.external.as_ref();
    Ok(json!({
        "source": report.source,
        "class": report.class,
        "area": report.area,
        "condition": report.condition,
        "address": report.address,
        "description": report.description,
        "lat_e6": report.place.map(|(lat, _)| lat),
        "lon_e6": report.place.map(|(_, lon)| lon),
        "priority": of(&PRIORITIES, report.priority)?,
        "base_count": report.base_count,
        "external_system": external.map(|external| &external.system),
        "external_id": external.map(|external| &external.id),
    }))
}

fn case(case: &Case) -> Read<Value> {
    Ok(json!({
        "id": case.id,
        "number": case.number,
        "report": report(&case.report)?,
        "area_path": case.area_path,
        "stage": of(&STAGES, case.stage)?,
        "reported_ms": case.reported,
        "stage_since_ms": case.stage_since,
        "filed_ms": case.filed,
        "dispatched_ms": case.dispatched,
        "closed_ms": case.closed,
        "clocks": [],
        "steps": [],
        "round": 1,
        "department": case.department,
        "claimed_by": case.claimed_by,
        "version": case.version,
    }))
}

fn whistle(whistle: &Whistle) -> Read<Value> {
    let called = whistle.called.iter().map(|called| {
        json!({
            "department": called.department, "responded_ms": called.responded, "late": called.late,
        })
    });
    Ok(json!({
        "id": whistle.id,
        "level": of(&WHISTLE_LEVELS, whistle.call.level)?,
        "area": whistle.call.area,
        "title": whistle.call.title,
        "case": whistle.call.case,
        "area_path": whistle.area_path,
        "raised_ms": whistle.raised,
        "due_ms": whistle.due,
        "called": called.collect::<Vec<_>>(),
        "closed_ms": whistle.closed,
        "version": whistle.version,
    }))
}

/// What an open call still waits for.
fn responses(whistle: &Whistle) -> impl Iterator<Item = Value> + '_ {
    let waits = whistle.called.iter().filter(|called| called.responded.is_none() && !called.late);
    waits.map(|called| {
        json!({
            "at_ms": whistle.due, "alarm": "due", "of": "response", "whistle": whistle.id,
            "department": called.department,
        })
    })
}
