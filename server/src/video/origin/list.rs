//! Camera lists from files: TOML (`[[camera]]`) and CSV with the same names as columns.
//!
//! A bad row is refused with line, field and expectation, and the other rows go on. A refusal never repeats an address
//! or a password.

use super::address::{Credentials, Endpoint};
use super::registry::{Registered, Registry};
use super::rtsp::{Channel, Quirks};
use super::upstream::Origin;
use domain::camera::Camera;
use domain::code::{AreaCode, CameraCode};
use domain::place::Point;
use domain::text::{TextKind, check_text};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Rows accepted in one list.
pub const ROWS_MAX: usize = 100_000;
/// Size of one list, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
const NAME_CHARS_MAX: usize = 128;

/// The columns a list may have; `code` and `main` are required.
pub const COLUMNS: [&str; 17] = [
    "code",
    "name",
    "lat",
    "lon",
    "datum",
    "bearing",
    "view_deg",
    "owner",
    "area",
    "main",
    "sub",
    "username",
    "password",
    "transport",
    "session_id_policy",
    "initial_timestamp",
    "teardown",
];

/// One row, or one field of it, that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[schema(as = CameraRefusal)]
pub struct Refusal {
    /// Line in the file, counted from 1.
    pub line: usize,
    pub field: String,
    pub expected: String,
    /// What stands there; never an address or a password, which may stand in any column of a list whose columns have slipped.
    pub found: Option<String>,
}

/// Whether a text may hold an address or part of one with an account in it.
fn may_hold_secret(text: &str) -> bool {
    text.contains("://") || text.contains('@')
}

/// The name of a column for a refusal.
fn shown_name(name: &str) -> &str {
    if may_hold_secret(name) { "a column" } else { name }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}: expected {}", self.line, self.field, self.expected)?;
        self.found.as_ref().map_or(Ok(()), |found| write!(f, ", found {found:?}"))
    }
}

/// Why a list could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("cannot read camera list `{path}`")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("camera list `{path}` has {bytes} bytes; at most {FILE_BYTES_MAX} are read")]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error("camera list `{path}` is neither .toml nor .csv")]
    Extension { path: PathBuf },
    #[error("camera list is not valid TOML at line {line}: {message}")]
    Toml { line: usize, message: String },
    #[error("camera list has no column `{column}` in its first line")]
    Column { column: &'static str },
}

/// A field with the line it stands in.
type Fields = BTreeMap<String, (usize, String)>;

/// Reads `[[camera]]` tables.
pub fn from_toml(text: &str) -> Result<(Registry, Vec<Refusal>), ListError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        camera: Vec<toml::Spanned<BTreeMap<String, toml::Spanned<toml::Value>>>>,
    }
    let lines = Lines::of(text.as_bytes());
    let file: File = toml::from_str(text).map_err(|error| ListError::Toml {
        line: error.span().map_or(1, |span| lines.at(span.start)),
        message: error.message().lines().next().unwrap_or_default().to_owned(),
    })?;
    let mut list = List::default();
    for row in file.camera {
        let line = lines.at(row.span().start);
        let mut fields = Fields::new();
        for (name, value) in row.into_inner() {
            let at = lines.at(value.span().start);
            let text = match value.into_inner() {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                toml::Value::Boolean(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => {
                    list.refuse(at, &name, "a text or a number", None);
                    continue;
                }
            };
            fields.insert(name, (at, text));
        }
        list.take(line, fields);
    }
    Ok(list.finish())
}

/// Reads rows under a header line.
pub fn from_csv(bytes: &[u8]) -> Result<(Registry, Vec<Refusal>), ListError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let headers: Vec<String> = reader
        .byte_headers()
        .map(|headers| headers.iter().map(|h| String::from_utf8_lossy(h).to_ascii_lowercase()).collect())
        .unwrap_or_default();
    for column in ["code", "main"] {
        if !headers.iter().any(|header| header == column) {
            return Err(ListError::Column { column });
        }
    }
    let mut list = List::default();
    for (index, column) in headers.iter().enumerate() {
        if !COLUMNS.contains(&column.as_str()) {
            list.refuse(1, column, "one of the known columns; this one is ignored", None);
        } else if headers[..index].contains(column) {
            list.refuse(1, column, "each column once; the last one counts", None);
        }
    }
    let lines = Lines::of(bytes);
    let mut last = 1;
    for record in reader.into_byte_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                last = error.position().map_or(last, |at| lines.of_row(bytes, at.byte()));
                list.refuse(last, "row", "readable CSV", None);
                continue;
            }
        };
        last = record.position().map_or(last, |at| lines.of_row(bytes, at.byte()));
        let line = last;
        if record.len() != headers.len() {
            let (expected, found) = (format!("{} columns", headers.len()), record.len().to_string());
            list.refuse(line, "row", &expected, Some(found));
            continue;
        }
        let mut fields = Fields::new();
        let mut readable = true;
        for (name, value) in headers.iter().zip(record.iter()) {
            let Ok(value) = std::str::from_utf8(value) else {
                list.refuse(line, name, "UTF-8 text", None);
                readable = false;
                continue;
            };
            if !value.is_empty() && COLUMNS.contains(&name.as_str()) {
                fields.insert(name.clone(), (line, value.to_owned()));
            }
        }
        if readable {
            list.take(line, fields);
        }
    }
    Ok(list.finish())
}

/// Where the lines of a list end: each field has its line, so a count from the start each time would take minutes.
struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        Self {
            ends: bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect(),
        }
    }

    /// The line of an offset, counted from 1.
    fn at(&self, offset: usize) -> usize {
        self.ends.partition_point(|&end| end < offset) + 1
    }

    /// The line of a CSV row, whose offset may lie on blank lines before it. The library's own number is one short after `\r\n`.
    fn of_row(&self, bytes: &[u8], offset: u64) -> usize {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let blank = bytes[offset..].iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
        self.at(offset + blank)
    }
}

#[derive(Default)]
struct List {
    cameras: BTreeMap<CameraCode, Registered>,
    lines: BTreeMap<CameraCode, usize>,
    refusals: Vec<Refusal>,
}

impl List {
    fn refuse(&mut self, line: usize, field: &str, expected: &str, found: Option<String>) {
        let found = found.map(|text| text.chars().take(64).collect());
        let field = shown_name(field).to_owned();
        self.refusals.push(Refusal { line, field, expected: expected.to_owned(), found });
    }

    fn take(&mut self, line: usize, fields: Fields) {
        if self.cameras.len() >= ROWS_MAX {
            return self.refuse(line, "row", "at most 100,000 cameras in one list", None);
        }
        let mut row = Row { line, fields, refusals: Vec::new() };
        let camera = row.camera();
        let (good, may_show) = (row.refusals.is_empty(), !row.may_hold_secrets());
        self.refusals.append(&mut row.refusals);
        let Some(camera) = camera.filter(|_| good) else { return };
        let code = camera.camera.code.clone();
        if let Some(first) = self.lines.get(&code) {
            let expected = format!("a code used once; line {first} has it already");
            return self.refuse(line, "code", &expected, may_show.then(|| code.to_string()));
        }
        self.lines.insert(code.clone(), line);
        self.cameras.insert(code, camera);
    }

    fn finish(self) -> (Registry, Vec<Refusal>) {
        (Registry::new(self.cameras.into_values()), self.refusals)
    }
}

struct Row {
    line: usize,
    fields: Fields,
    refusals: Vec<Refusal>,
}

impl Row {
    fn refuse<T>(&mut self, field: &str, expected: impl Into<String>) -> Option<T> {
        let hidden = matches!(field, "main" | "sub" | "username" | "password") || self.may_hold_secrets();
        let (line, found) = self.fields.get(field).map_or((self.line, None), |(line, text)| {
            let found = (!hidden && !may_hold_secret(text)).then(|| text.chars().take(64).collect());
            (*line, found)
        });
        self.refusals.push(Refusal { line, field: field.to_owned(), expected: expected.into(), found });
        None
    }

    /// Whether any of its cells may be a secret: it has an account, or its columns have slipped and nobody knows what stands where.
    fn may_hold_secrets(&self) -> bool {
        let has_account = ["username", "password"].iter().any(|field| self.fields.contains_key(*field));
        let has_address = self.fields.get("main").is_some_and(|(_, text)| text.contains("://"));
        has_account || !has_address || self.fields.values().any(|(_, text)| text.contains('@'))
    }

    fn text(&self, field: &str) -> Option<String> {
        self.fields.get(field).map(|(_, text)| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A text that everybody reads who sees the camera.
    fn shown_text(&mut self, field: &str) -> Option<String> {
        let text = self.text(field)?;
        if text.contains("://") {
            return self.refuse(field, "words and no address, which may hold a password");
        }
        if text.chars().count() > NAME_CHARS_MAX || check_text(&text, TextKind::Line).is_err() {
            return self.refuse(
                field,
                "at most 128 visible characters in one line, none that turns the direction of writing",
            );
        }
        Some(text)
    }

    fn number(&mut self, field: &str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
        let text = self.text(field)?;
        let number = text.parse::<f64>().ok().filter(|number| range.contains(number));
        number.or_else(|| self.refuse(field, format!("a number from {} to {}", range.start(), range.end())))
    }

    fn policy<T: std::str::FromStr + Default>(&mut self, field: &str, expected: &str) -> T {
        match self.text(field).map(|text| text.parse::<T>()) {
            Some(Ok(policy)) => policy,
            Some(Err(_)) => self.refuse(field, expected).unwrap_or_default(),
            None => T::default(),
        }
    }

    fn camera(&mut self) -> Option<Registered> {
        let unknown: Vec<String> =
            self.fields.keys().filter(|name| !COLUMNS.contains(&name.as_str())).cloned().collect();
        for name in unknown {
            let line = self.fields.get(&name).map_or(self.line, |(line, _)| *line);
            let expected = format!("one of {}", COLUMNS.join(", "));
            self.refusals.push(Refusal { line, field: shown_name(&name).to_owned(), expected, found: None });
        }
        let code = match self.text("code").map(CameraCode::new) {
            Some(Ok(code)) => Some(code),
            Some(Err(error)) => self.refuse("code", format!("a camera code ({error})")),
            None => self.refuse("code", "a camera code"),
        };
        let name = self.shown_text("name");
        let owner = self.shown_text("owner");
        let area = match self.text("area").map(AreaCode::new) {
            Some(Ok(area)) => Some(area),
            Some(Err(error)) => self.refuse("area", format!("a code of an area ({error})")),
            None => None,
        };
        let place = self.place();
        let bearing = self.number("bearing", 0.0..=360.0);
        let view = self.number("view_deg", 1.0..=360.0);
        let account = self.account();
        let main = self.endpoint("main", account.as_ref());
        if main.is_none() && self.text("main").is_none() {
            self.refuse::<()>("main", "an rtsp:// address");
        }
        let sub = self.endpoint("sub", account.as_ref());
        if self.text("transport").is_some_and(|transport| transport != "tcp") {
            self.refuse::<()>("transport", "tcp (UDP is not offered: no reordering, no loss report)");
        }
        let quirks = Quirks {
            session_id: self.policy("session_id_policy", "default, require-match or use-first"),
            initial_timestamp: self.policy("initial_timestamp", "default, require, ignore or permissive"),
            teardown: self.policy("teardown", "auto, always or never"),
        };
        let code = code?;
        #[expect(clippy::cast_possible_truncation, reason = "degrees checked above")]
        let camera = Camera {
            name: name.unwrap_or_else(|| code.to_string()),
            code,
            place,
            bearing_deg: bearing.map(|degrees| degrees.rem_euclid(360.0) as f32),
            // A direction without an angle is taken for an ordinary lens.
            view_deg: view.unwrap_or(if bearing.is_some() { 90.0 } else { 360.0 }) as f32,
            owner,
            has_sub: sub.is_some(),
            area,
        };
        let origin = Origin::Rtsp(Channel { main: main?, sub, quirks });
        Some(Registered { camera, origin })
    }

    fn place(&mut self) -> Option<Point> {
        let (lat, lon) = (self.number("lat", -90.0..=90.0), self.number("lon", -180.0..=180.0));
        let (lat, lon) = match (self.text("lat"), self.text("lon")) {
            (Some(_), Some(_)) => (lat?, lon?),
            (None, None) => return None,
            (None, Some(_)) => return self.refuse("lat", "a latitude beside the longitude"),
            (Some(_), None) => return self.refuse("lon", "a longitude beside the latitude"),
        };
        let (lon, lat) = match self.text("datum").as_deref() {
            None | Some("wgs84" | "cgcs2000") => (lon, lat),
            Some("gcj02") => coordtransform::gcj02_to_wgs84(lon, lat),
            Some("bd09") => {
                let (lon, lat) = coordtransform::bd09_to_gcj02(lon, lat);
                coordtransform::gcj02_to_wgs84(lon, lat)
            }
            Some(_) => return self.refuse("datum", "wgs84, cgcs2000, gcj02 or bd09"),
        };
        Point::from_degrees(lat, lon)
    }

    fn account(&mut self) -> Option<Credentials> {
        match (self.text("username"), self.fields.get("password").map(|(_, text)| text.clone())) {
            (Some(username), password) => Some(Credentials::new(username, password.unwrap_or_default())),
            (None, Some(_)) => self.refuse("username", "a user name beside the password"),
            (None, None) => None,
        }
    }

    fn endpoint(&mut self, field: &str, account: Option<&Credentials>) -> Option<Endpoint> {
        let address = self.text(field)?;
        match Endpoint::parse(&address, account) {
            Ok(endpoint) => Some(endpoint),
            Err(error) => self.refuse(field, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
