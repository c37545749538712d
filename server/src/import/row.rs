//! From a record to a command: values checked one by one, each refusal naming its column.

use std::collections::{HashMap, HashSet};

use domain::case::{External, Priority, Report, Stage, Step};
use domain::catalogue::{Area, Class, Entry, Name, Source};
use domain::code::{AreaCode, CODE_BYTES_MAX, ClassCode, SourceCode};
use domain::command::{Command, History, KnownStep};
use domain::moment::UtcMillis;
use domain::place::Point;
use domain::text::{TextKind, repaired};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::stored::command::import_key;

use super::mapping::{ClosedBy, Codes, Datum, Decimal, Mapping};

/// Longest id of the other system in bytes.
const ID_BYTES_MAX: usize = TextKind::Id.bytes_max();
/// Longest part of a code made from a word, in bytes.
const SLUG_BYTES_MAX: usize = 40;

/// Why a row is refused, before any server has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Column of the file.
    pub field: String,
    pub code: &'static str,
    pub reason: String,
}

fn wrong<T>(field: &str, code: &'static str, reason: impl Into<String>) -> Result<T, RowError> {
    Err(RowError { field: field.to_owned(), code, reason: reason.into() })
}

/// A row ready to be sent.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: String,
    pub key: Uuid,
    pub command: Command,
}

/// Reads rows of one table by its mapping, and collects the codes they need.
pub struct Rows<'a> {
    mapping: &'a Mapping,
    /// Of the keys of rows; the store's secret is in it, so that nobody else can make them.
    pub namespace: Uuid,
    zone: TimeZone,
    columns: HashMap<String, usize>,
    width: usize,
    /// Codes made from words, each told once.
    made: HashSet<String>,
    /// Catalogue entries needed by the rows read since [`Rows::take_entries`].
    entries: Vec<Entry>,
}

impl<'a> Rows<'a> {
    /// `header` has every column the mapping names, and `mapping` has been checked.
    pub fn new(mapping: &'a Mapping, header: &[String], namespace: Uuid) -> Self {
        let columns = header.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let zone = TimeZone::get(&mapping.time.zone).expect("the mapping's zone was checked");
        let mut rows = Self {
            mapping,
            namespace,
            zone,
            columns,
            width: header.len(),
            made: HashSet::new(),
            entries: Vec::new(),
        };
        if mapping.area.create {
            let root = &mapping.area.root;
            let area = Area::new(root.code.clone(), root.level, None, root.name.clone());
            rows.make(root.code.as_str(), Entry::Area(area));
        }
        rows
    }

    /// Catalogue entries the rows since the last call need.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    pub fn read(&mut self, fields: &[String]) -> Result<Row, RowError> {
        if fields.len() != self.width {
            let reason = format!("has {} fields; the header has {}", fields.len(), self.width);
            return wrong("", "missing_columns", reason);
        }
        let mapping = self.mapping;
        let columns = &mapping.columns;
        let id = self.value(fields, &columns.id);
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            let reason = format!("expected 1 to {ID_BYTES_MAX} bytes, has {}", id.len());
            return wrong(&columns.id, "out_of_range", reason);
        }
        let opened = match self.time(fields, &columns.opened)? {
            Some(opened) => opened,
            None => return wrong(&columns.opened, "impossible_time", "is empty; expected the opening time"),
        };
        let history = self.history(fields, opened)?;
        let report = self.report(fields, id)?;
        let key = import_key(&self.namespace, &mapping.system, id);
        Ok(Row { id: id.to_owned(), key, command: Command::TakeOverCase { report, history } })
    }

    /// The row's id as far as it can be read.
    pub fn id_of(&self, fields: &[String]) -> String {
        self.value(fields, &self.mapping.columns.id).chars().take(ID_BYTES_MAX).collect()
    }

    fn report(&mut self, fields: &[String], id: &str) -> Result<Report, RowError> {
        let mapping = self.mapping;
        let columns = &mapping.columns;
        let place = self.place(fields)?;
        let class = self.class(fields)?;
        let source = self.source(fields)?;
        let area = self.area(fields)?;
        let optional = |column: &Option<String>| {
            let value = column.as_ref().map(|column| self.value(fields, column));
            value.filter(|value| !value.is_empty()).map(one_line)
        };
        Ok(Report {
            source,
            class,
            area,
            condition: optional(&columns.condition),
            address: one_line(&self.joined(fields, &columns.address, " ")),
            description: repaired(&self.joined(fields, &columns.description, " · ")),
            place,
            priority: Priority::Ordinary,
            base_count: 1,
            reporter: optional(&columns.reporter),
            external: Some(External { system: mapping.system.clone(), id: id.to_owned() }),
        })
    }

    fn value<'f>(&self, fields: &'f [String], column: &str) -> &'f str {
        self.columns.get(column).and_then(|index| fields.get(*index)).map_or("", |value| value.trim())
    }

    fn joined(&self, fields: &[String], columns: &[String], between: &str) -> String {
        let values = columns.iter().map(|column| self.value(fields, column));
        values.filter(|value| !value.is_empty()).collect::<Vec<_>>().join(between)
    }

    fn time(&self, fields: &[String], column: &str) -> Result<Option<UtcMillis>, RowError> {
        let text = self.value(fields, column);
        if text.is_empty() {
            return Ok(None);
        }
        let formats = &self.mapping.time.formats;
        let parsed = formats.iter().find_map(|format| DateTime::strptime(format, text).ok());
        let Some(civil) = parsed else {
            let reason = format!("{text:?} is not a time; expected {}", formats.join(" or "));
            return wrong(column, "impossible_time", reason);
        };
        match civil.to_zoned(self.zone.clone()) {
            Ok(zoned) => Ok(Some(UtcMillis(zoned.timestamp().as_millisecond()))),
            Err(error) => wrong(column, "impossible_time", error.to_string()),
        }
    }

    fn history(&self, fields: &[String], opened: UtcMillis) -> Result<History, RowError> {
        let columns = &self.mapping.columns;
        let stages = &self.mapping.stage;
        let optional = |column: &Option<String>| match column {
            Some(column) => self.time(fields, column),
            None => Ok(None),
        };
        let (closed, due) = (optional(&columns.closed)?, optional(&columns.due)?);
        let status = columns.status.as_ref().map_or("", |column| self.value(fields, column));
        let status_column = columns.status.as_deref().unwrap_or("");
        let stage = match stages.table.get(status) {
            Some(stage) => *stage,
            None if status.is_empty() => stages.default,
            None => {
                let known = stages.table.keys().cloned().collect::<Vec<_>>().join(", ");
                let reason = format!("status {status:?} is not in the mapping's table; expected {known}");
                return wrong(status_column, "unknown_status", reason);
            }
        };
        let closed = match stages.closed_by {
            ClosedBy::Date => closed,
            ClosedBy::Status => closed.filter(|_| stage == Stage::Close),
        };
        if stage == Stage::Close && closed.is_none() {
            let column = columns.closed.as_deref().unwrap_or(status_column);
            return wrong(column, "impossible_time", "is empty, but the status says that the case is closed");
        }
        if closed.is_some_and(|closed| closed < opened) {
            let column = columns.closed.as_deref().unwrap_or("");
            let reason = format!("lies before the case was opened ({})", columns.opened);
            return wrong(column, "impossible_time", reason);
        }
        let mut steps = Vec::new();
        for (step, column) in [(Step::FILE, &columns.filed), (Step::DISPATCH, &columns.dispatched)] {
            steps.extend(optional(column)?.map(|at| KnownStep { step, at }));
        }
        Ok(History { opened, stage, closed, due, steps })
    }

    fn place(&self, fields: &[String]) -> Result<Option<Point>, RowError> {
        let columns = &self.mapping.columns;
        let (Some(lat_column), Some(lon_column)) = (&columns.lat, &columns.lon) else { return Ok(None) };
        let (lat, lon) = match (self.number(fields, lat_column)?, self.number(fields, lon_column)?) {
            (None, None) => return Ok(None),
            (Some(lat), Some(lon)) => (lat, lon),
            (None, Some(_)) => return wrong(lat_column, "out_of_range", "is empty beside a longitude"),
            (Some(_), None) => return wrong(lon_column, "out_of_range", "is empty beside a latitude"),
        };
        if self.mapping.place.zero_is_unknown && lat == 0.0 && lon == 0.0 {
            return Ok(None);
        }
        if !(-90.0..=90.0).contains(&lat) {
            return wrong(lat_column, "out_of_range", format!("{lat} is not within -90 to 90"));
        }
        if !(-180.0..=180.0).contains(&lon) {
            return wrong(lon_column, "out_of_range", format!("{lon} is not within -180 to 180"));
        }
        let (lon, lat) = match self.mapping.place.crs {
            Datum::Wgs84 => (lon, lat),
            Datum::Gcj02 => coordtransform::gcj02_to_wgs84(lon, lat),
            Datum::Bd09 => {
                let (lon, lat) = coordtransform::bd09_to_gcj02(lon, lat);
                coordtransform::gcj02_to_wgs84(lon, lat)
            }
        };
        match Point::from_degrees(lat, lon) {
            Some(point) => Ok(Some(point)),
            None => wrong(lat_column, "out_of_range", "leaves the globe when converted to WGS-84"),
        }
    }

    fn number(&self, fields: &[String], column: &str) -> Result<Option<f64>, RowError> {
        let text = self.value(fields, column);
        if text.is_empty() {
            return Ok(None);
        }
        let plain = match self.mapping.place.decimal {
            Decimal::Point => text.to_owned(),
            Decimal::Comma => text.replace(',', "."),
        };
        match plain.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => Ok(Some(number)),
            None => wrong(column, "out_of_range", format!("{text:?} is not a number of degrees")),
        }
    }

    fn class(&mut self, fields: &[String]) -> Result<ClassCode, RowError> {
        let mapping = self.mapping;
        let column = &mapping.columns.class;
        let word = self.value(fields, column).to_owned();
        let (code, made) = self.code(&mapping.class, column, &word)?;
        let code = check(column, ClassCode::new(code))?;
        if let (Some(name), Some(kind)) = (made, mapping.class.kind) {
            let entry = Class {
                code: code.clone(),
                kind,
                name,
                key: false,
                main: None,
                base_weight: None,
                disposal_limit: None,
                short: None,
                retired: false,
            };
            self.make(&format!("class {code}"), Entry::Class(entry));
        }
        Ok(code)
    }

    fn source(&mut self, fields: &[String]) -> Result<SourceCode, RowError> {
        let mapping = self.mapping;
        let column = mapping.columns.source.as_deref().unwrap_or("");
        let word = self.value(fields, column).to_owned();
        let (code, made) = self.code(&mapping.source, column, &word)?;
        let code = check(column, SourceCode::new(code))?;
        if let Some(name) = made {
            self.make(
                &format!("source {code}"),
                Entry::Source(Source { code: code.clone(), name, retired: false }),
            );
        }
        Ok(code)
    }

    /// The code of a word, and its name when the code is made from it.
    fn code(&self, codes: &Codes, column: &str, word: &str) -> Result<(String, Option<Name>), RowError> {
        if let Some(code) = codes.table.get(word) {
            return Ok((code.clone(), None));
        }
        if word.is_empty() {
            return match &codes.default {
                Some(code) => Ok((code.clone(), None)),
                None => wrong(column, "unknown_code", "is empty"),
            };
        }
        if !codes.create {
            return Ok((word.to_owned(), None));
        }
        let name = codes.names.get(word).cloned();
        Ok((format!("{}{}", codes.prefix, slug(word)), Some(name.unwrap_or_else(|| named(word)))))
    }

    /// The finest area the row names.
    fn area(&mut self, fields: &[String]) -> Result<AreaCode, RowError> {
        let mapping = self.mapping;
        let areas = &mapping.area;
        let mut code = areas.root.code.clone();
        for level in &areas.levels {
            let word = self.value(fields, &level.column);
            if word.is_empty() || areas.unknown.iter().any(|unknown| unknown == word) {
                continue;
            }
            if let Some(known) = areas.table.get(word) {
                code = check(&level.column, AreaCode::new(known.clone()))?;
            } else if areas.create {
                let parent = code;
                code = check(&level.column, AreaCode::new(below(&areas.root.code, &parent, word)))?;
                let (parent, name) = (Some(parent), named(word));
                let area = Area::new(code.clone(), level.level, parent, name);
                self.make(&format!("area {code}"), Entry::Area(area));
            } else {
                code = check(&level.column, AreaCode::new(word))?;
            }
        }
        Ok(code)
    }

    fn make(&mut self, key: &str, entry: Entry) {
        if self.made.insert(key.to_owned()) {
            self.entries.push(entry);
        }
    }
}

fn check<C>(column: &str, code: Result<C, domain::code::CodeError>) -> Result<C, RowError> {
    code.or_else(|error| wrong(column, "unknown_code", error.to_string()))
}

fn named(word: &str) -> Name {
    let mut name = one_line(word);
    if name.len() > TextKind::Name.bytes_max() {
        let mut end = TextKind::Name.bytes_max() - '…'.len_utf8();
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        name.push('…');
    }
    Name { zh: name.clone(), en: name }
}

/// A field that runs over several lines as one.
fn one_line(text: &str) -> String {
    let text = repaired(text);
    text.split(['\r', '\n', '\t'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The code of an area made from a word: its parent's with the word behind it, while that fits.
fn below(root: &AreaCode, parent: &AreaCode, word: &str) -> String {
    let code = format!("{parent}-{}", slug(word));
    if code.len() <= CODE_BYTES_MAX { code } else { format!("{root}-{}", mark(&code)) }
}

/// A word as part of a code: lower case letters and digits, everything else one `-`. Long words end in a few digits of
/// their hash, so that two of them stay apart.
fn slug(word: &str) -> String {
    let mut slug = String::new();
    for character in word.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let kept = slug.trim_end_matches('-');
    if kept.len() <= SLUG_BYTES_MAX && !kept.is_empty() {
        return kept.to_owned();
    }
    let mut end = kept.len().min(SLUG_BYTES_MAX - 9);
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    let start = if end == 0 { String::new() } else { format!("{}-", &kept[..end]) };
    format!("{start}{}", mark(word))
}

/// Eight digits of a text's hash.
fn mark(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
