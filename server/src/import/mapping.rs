//! The mapping file: which column of another system's table is what, in which format, zone and coordinate system, and
//! how its words become codes. Unknown keys are refused.

use std::collections::BTreeMap;
use std::path::Path;

use domain::case::Stage;
use domain::catalogue::{AreaLevel, ClassKind, Name};
use domain::code::AreaCode;
use serde::Deserialize;

use super::ImportError;

/// Mappings that come with the product, by file name.
pub const SHIPPED: [(&str, &str); 1] =
    [("nyc311.toml", include_str!("../../../config/mappings/nyc311.toml"))];

/// How one system's table is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the table is, for people.
    pub name: String,
    /// Short name of the other system. With a row's id it makes the idempotency key, so it must never change.
    pub system: String,
    /// Character between columns.
    #[serde(default = "comma")]
    pub delimiter: char,
    pub columns: Columns,
    pub time: Time,
    #[serde(default)]
    pub place: Place,
    pub class: Codes,
    pub source: Codes,
    pub area: Areas,
    pub stage: Stages,
}

fn comma() -> char {
    ','
}

fn yes() -> bool {
    true
}

/// Names of columns as they stand in the header.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    pub id: String,
    pub opened: String,
    pub closed: Option<String>,
    /// Disposal due time (处置时限).
    pub due: Option<String>,
    pub class: String,
    pub source: Option<String>,
    pub status: Option<String>,
    pub lat: Option<String>,
    pub lon: Option<String>,
    /// Joined with a space; empty ones are left out.
    #[serde(default)]
    pub address: Vec<String>,
    /// Joined with ` · `; empty ones are left out.
    #[serde(default)]
    pub description: Vec<String>,
    pub condition: Option<String>,
    pub reporter: Option<String>,
    /// 立案时刻 and 派遣时刻, where the other system tells them: they put the case into the counts of that day and month.
    pub filed: Option<String>,
    pub dispatched: Option<String>,
}

impl Columns {
    /// Every column the table must have.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let single = [Some(&self.id), Some(&self.opened), Some(&self.class)].into_iter();
        let optional = [
            self.closed.as_ref(),
            self.due.as_ref(),
            self.source.as_ref(),
            self.status.as_ref(),
            self.lat.as_ref(),
            self.lon.as_ref(),
            self.condition.as_ref(),
            self.reporter.as_ref(),
            self.filed.as_ref(),
            self.dispatched.as_ref(),
        ];
        single.chain(optional).flatten().chain(&self.address).chain(&self.description).map(String::as_str)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// IANA name of the zone the times are written in, for example `Asia/Shanghai`.
    pub zone: String,
    /// Formats tried in order, in strftime's letters, for example `%Y-%m-%d %H:%M:%S`.
    pub formats: Vec<String>,
}

/// Coordinate system of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// WGS-84, and CGCS2000 at display accuracy.
    #[default]
    Wgs84,
    /// 火星坐标: maps of China
    Gcj02,
    /// Baidu
    Bd09,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    #[default]
    Point,
    Comma,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Place {
    pub crs: Datum,
    pub decimal: Decimal,
    /// Whether latitude 0, longitude 0 stands for "not known".
    pub zero_is_unknown: bool,
}

/// How the words of a column become codes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// Put before a code made from a word.
    #[serde(default)]
    pub prefix: String,
    /// Kind of classes made from words; only for classes.
    #[serde(default)]
    pub kind: Option<ClassKind>,
    /// Words with a code of their own.
    #[serde(default)]
    pub table: BTreeMap<String, String>,
    /// Code of rows without a word; without it such a row is refused.
    #[serde(default)]
    pub default: Option<String>,
    /// Whether words outside the table make new codes; otherwise the word must be a code itself.
    #[serde(default = "yes")]
    pub create: bool,
    /// Names for codes that are made, by word; the word itself where none is given.
    #[serde(default)]
    pub names: BTreeMap<String, Name>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Areas {
    /// The whole, for rows that name nothing finer. Made when `create` holds.
    pub root: Root,
    /// Columns from coarse to fine.
    #[serde(default)]
    pub levels: Vec<Level>,
    /// Words that stand for "not known".
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Words of the finest column with a code of their own.
    #[serde(default)]
    pub table: BTreeMap<String, String>,
    /// Whether words make new areas under their parent; otherwise the finest word must be a code itself.
    #[serde(default = "yes")]
    pub create: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    pub code: AreaCode,
    pub level: AreaLevel,
    pub name: Name,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    pub column: String,
    pub level: AreaLevel,
}

/// What makes a case closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// A closing time, whatever the status says.
    Date,
    /// The status; a closing time beside another status is left out.
    Status,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    pub closed_by: ClosedBy,
    /// Stage of rows without a status.
    pub default: Stage,
    /// Stage of each status; a status that is missing here refuses the row.
    #[serde(default)]
    pub table: BTreeMap<String, Stage>,
}

impl Mapping {
    /// Reads a mapping and says what is wrong with it, naming the key.
    pub fn parse(name: &str, text: &str) -> Result<Self, ImportError> {
        let wrong = |problem: String| ImportError::Mapping { name: name.to_owned(), problem };
        let mapping: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        mapping.check().map_err(wrong)?;
        Ok(mapping)
    }

    /// The mapping in `file`, or without one the shipped one whose columns the header has.
    pub fn choose(file: Option<&Path>, header: &[String]) -> Result<Self, ImportError> {
        if let Some(file) = file {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file)
                .map_err(|source| ImportError::Read { path: file.to_owned(), source })?;
            return Self::parse(&name, &text);
        }
        for (name, text) in SHIPPED {
            let mapping = Self::parse(name, text)?;
            if mapping.missing(header).is_empty() {
                return Ok(mapping);
            }
        }
        Err(ImportError::NoMapping)
    }

    /// Columns the header lacks.
    pub fn missing(&self, header: &[String]) -> Vec<String> {
        let levels = self.area.levels.iter().map(|level| level.column.as_str());
        let lacking = |column: &&str| !header.iter().any(|name| name == column);
        self.columns.all().chain(levels).filter(lacking).map(str::to_owned).collect()
    }

    fn check(&self) -> Result<(), String> {
        if self.system.is_empty() || self.system.len() > 64 {
            return Err("system: expected 1 to 64 bytes".to_owned());
        }
        if !self.delimiter.is_ascii() || matches!(self.delimiter, '"' | '\n' | '\r') {
            return Err("delimiter: expected one ASCII character other than a quote or a line end".to_owned());
        }
        jiff::tz::TimeZone::get(&self.time.zone).map_err(|error| format!("time.zone: {error}"))?;
        if self.time.formats.is_empty() {
            return Err("time.formats: expected at least one format".to_owned());
        }
        for format in &self.time.formats {
            check_format(format)
                .map_err(|problem| format!("time.formats: {format:?} cannot be read: {problem}"))?;
        }
        if self.columns.lat.is_some() != self.columns.lon.is_some() {
            return Err("columns: lat and lon are given together or not at all".to_owned());
        }
        if self.class.create && self.class.kind.is_none() {
            return Err("class.kind: needed where classes are made from words".to_owned());
        }
        let mut above = self.area.root.level;
        for level in &self.area.levels {
            if level.level <= above {
                return Err(format!(
                    "area.levels: `{}` is not finer than the level before it, which areas must be that lie in others",
                    level.column
                ));
            }
            above = level.level;
        }
        if self.source.kind.is_some() {
            return Err("source.kind: sources have no kind".to_owned());
        }
        if self.source.default.is_none() && self.columns.source.is_none() {
            return Err("source.default: needed without a column for the source".to_owned());
        }
        Ok(())
    }
}

/// Whether a moment written in `format` is read as the same day, which a format without a date, with an offset or
/// with letters that only write is not.
fn check_format(format: &str) -> Result<(), String> {
    let sample = jiff::civil::date(2026, 11, 21).at(13, 45, 7, 0);
    let written = jiff::fmt::strtime::format(format, sample).map_err(|error| error.to_string())?;
    let read = jiff::civil::DateTime::strptime(format, &written).map_err(|error| error.to_string())?;
    if read.date() == sample.date() {
        Ok(())
    } else {
        Err(format!("{sample} is written as {written:?} and read as {read}"))
    }
}
