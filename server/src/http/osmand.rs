//! The door of stock phone apps: OsmAnd's and Traccar's query or form, and the JSON that Traccar Client sends since
//! version 9. One fix in each request.
//!
//! These apps keep a queue and send its oldest fix until it is answered 200. So a known phone's fix that can never be
//! taken is acknowledged, counted and dropped; only what a person must mend (an unknown device, an app that states no
//! device or place at all) is refused, a table that is full now is told as 503, a clock of the server's that is doubted too, and a disk that is full as 507.
//!
//! What should be here: reading the three forms, and whose phone it is. What should not: whether the fix is taken
//! (`position`).

use axum::Json as Answer;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use domain::code::InspectorCode;
use domain::moment::UtcMillis;
use domain::place::Point;
use domain::role::Role;
use serde::{Deserialize, Serialize};

use super::Hall;
use super::fixes::{fix_problem, not_theirs};
use crate::position::{Fix, FixError};
use crate::problem::Problem;

#[cfg(test)]
mod tests;

/// Knots to metres per second: the form gives speed in knots, JSON in metres per second.
const KNOT_MPS: f32 = 0.514_444;
/// Longest query or form.
const FORM_BYTES_MAX: usize = 4_096;

/// What a phone reports, whichever form it used.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The secret of an inspector's token, or an inspector's code.
    pub device: String,
    /// What it says, or why that can never be a position.
    pub said: Result<Said, Problem>,
}

/// A position as the phone has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub place: Point,
    /// None: now.
    pub fixed: Option<UtcMillis>,
    pub speed_mps: Option<f32>,
    pub heading_deg: Option<f32>,
    pub accuracy_m: Option<f32>,
}

/// What became of a fix that was acknowledged.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OsmandAnswer {
    taken: bool,
    /// Why it was dropped; the phone need not send it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<Problem>,
}

/// OsmAnd's form. The app has no header for a token: `id` is the secret of an inspector's token, or the inspector's
/// code where the settings open this door. Fields that are not named here are passed over; empty ones are absent.
#[derive(Debug, Deserialize, utoipa::ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the form; it is read pair by pair so that errors name the field")]
pub struct OsmandForm {
    /// Secret of an inspector's token; also `deviceid`.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    #[param(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    id: String,
    /// Degrees.
    #[schema(minimum = -90, maximum = 90)]
    #[param(minimum = -90, maximum = 90)]
    lat: f64,
    /// Degrees.
    #[schema(minimum = -180, maximum = 180)]
    #[param(minimum = -180, maximum = 180)]
    lon: f64,
    /// Unix seconds or milliseconds, or ISO 8601; now when absent.
    timestamp: Option<String>,
    /// Knots; negative when unknown.
    speed: Option<f32>,
    /// Degrees clockwise from north; negative when unknown; also `heading`.
    bearing: Option<f32>,
    /// Metres; negative when unknown.
    accuracy: Option<f32>,
}

/// What Traccar Client sends since version 9. What is not named here (battery, activity, odometer …) is passed over.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[allow(dead_code, reason = "describes the form; the place is read once the device is known")]
pub struct TraccarReport {
    /// Secret of an inspector's token.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    device_id: String,
    location: TraccarLocation,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct TraccarLocation {
    /// ISO 8601, or Unix seconds or milliseconds; now when absent.
    #[serde(default)]
    timestamp: Option<Timestamp>,
    coords: TraccarCoords,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Timestamp {
    Number(i64),
    Text(String),
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct TraccarCoords {
    /// Degrees.
    #[schema(minimum = -90, maximum = 90)]
    latitude: f64,
    /// Degrees.
    #[schema(minimum = -180, maximum = 180)]
    longitude: f64,
    /// Metres per second; negative when unknown.
    #[serde(default)]
    speed: Option<f32>,
    /// Degrees clockwise from north; negative when unknown.
    #[serde(default)]
    heading: Option<f32>,
    /// Metres; negative when unknown.
    #[serde(default)]
    accuracy: Option<f32>,
}

/// One fix of a stock phone app, in the address.
#[utoipa::path(get, path = "/osmand", tag = "positions", params(OsmandForm), security(()),
    responses((status = 200, body = OsmandAnswer), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem), (status = 507, body = Problem)))]
pub async fn get(
    State(hall): State<Hall>,
    RawQuery(query): RawQuery,
) -> Result<Answer<OsmandAnswer>, Problem> {
    take(&hall, decode(query.as_deref(), None, &[])?)
}

/// One fix of a stock phone app, as form or JSON; or in the address.
#[utoipa::path(post, path = "/osmand", tag = "positions", security(()),
    request_body(content(
        (TraccarReport = "application/json"),
        (OsmandForm = "application/x-www-form-urlencoded")
    )),
    responses((status = 200, body = OsmandAnswer), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem), (status = 507, body = Problem)))]
pub async fn post(
    State(hall): State<Hall>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer<OsmandAnswer>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    take(&hall, decode(query.as_deref(), kind, &body)?)
}

/// Reads a report. JSON is known by its type, or by its first character where an app states another.
pub fn decode(query: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Result<Report, Problem> {
    let stated = content_type.is_some_and(crate::http::extract::is_json);
    if stated || body.trim_ascii_start().first() == Some(&b'{') {
        return decode_json(body);
    }
    let form = match query.filter(|query| !query.is_empty()) {
        Some(query) => query,
        None => std::str::from_utf8(body).map_err(|_| Problem::bad_request("body", "is not UTF-8"))?,
    };
    if form.is_empty() || form.len() > FORM_BYTES_MAX {
        let title = format!("expected id, lat and lon as query, form or JSON, within {FORM_BYTES_MAX} bytes");
        return Err(Problem::bad_request("id", title));
    }
    decode_form(form)
}

fn decode_form(form: &str) -> Result<Report, Problem> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.trim().to_owned()))
        .collect();
    let text = |names: [&'static str; 2]| {
        let named = |name: &'static str| {
            let found = pairs.iter().find(|(known, value)| known == name && !value.is_empty());
            found.map(|(_, value)| (name, value.as_str()))
        };
        named(names[0]).or_else(|| named(names[1]))
    };
    let missing = |name: &str| Problem::bad_request(name, format!("`{name}` is missing"));
    let (_, device) = text(["id", "deviceid"]).ok_or_else(|| missing("id"))?;
    // An app that states no place is set up wrongly; one that states an impossible one goes on to the next.
    for name in ["lat", "lon"] {
        text([name, name]).ok_or_else(|| missing(name))?;
    }
    let number = |names: [&'static str; 2]| text(names).map(|(name, value)| decimal(name, value)).transpose();
    let needed = |name: &'static str| number([name, name])?.ok_or_else(|| missing(name));
    let said = || {
        let fixed = text(["timestamp", "timestamp"]).map(|(_, value)| parse_time(value, "timestamp"));
        let speed = known(number(["speed", "speed"])?);
        Ok(Said {
            place: place(needed("lat")?, needed("lon")?, ["lat", "lon"])?,
            fixed: fixed.transpose()?,
            speed_mps: speed.map(|knots| knots * KNOT_MPS),
            heading_deg: known(number(["bearing", "heading"])?),
            accuracy_m: known(number(["accuracy", "accuracy"])?),
        })
    };
    Ok(Report { device: device.to_owned(), said: said() })
}

fn decimal(name: &str, value: &str) -> Result<f64, Problem> {
    let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| {
        let shown: String = value.chars().take(40).collect();
        Problem::bad_request(name, format!("`{shown}` is not a number"))
    })
}

fn decode_json(body: &[u8]) -> Result<Report, Problem> {
    let mut text = serde_json::Deserializer::from_slice(body);
    let outer: Outer = serde_path_to_error::deserialize(&mut text)
        .map_err(|error| Problem::malformed("malformed_json", &error))?;
    text.end().map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", error.to_string()))?;
    Ok(Report { device: outer.device_id, said: said_in(outer.location) })
}

/// A report whose device is known before its place is read.
#[derive(Deserialize)]
struct Outer {
    device_id: String,
    location: serde_json::Value,
}

fn said_in(location: serde_json::Value) -> Result<Said, Problem> {
    let TraccarLocation { timestamp, coords } = serde_path_to_error::deserialize(location)
        .map_err(|error| Problem::malformed("malformed_json", &error).within("location"))?;
    let fixed = match timestamp {
        None => None,
        Some(Timestamp::Number(number)) => Some(unix_time(number)),
        Some(Timestamp::Text(text)) => Some(parse_time(&text, "location.timestamp")?),
    };
    let names = ["location.coords.latitude", "location.coords.longitude"];
    Ok(Said {
        place: place(coords.latitude, coords.longitude, names)?,
        fixed,
        speed_mps: known(coords.speed.map(f64::from)),
        heading_deg: known(coords.heading.map(f64::from)),
        accuracy_m: known(coords.accuracy.map(f64::from)),
    })
}

/// Apps write −1 for what the phone does not know.
fn known(value: Option<f64>) -> Option<f32> {
    value.filter(|value| *value >= 0.0).map(|value| value as f32)
}

fn place(lat: f64, lon: f64, names: [&str; 2]) -> Result<Point, Problem> {
    Point::from_degrees(lat, lon).ok_or_else(|| {
        if (-90.0..=90.0).contains(&lat) {
            Problem::bad_request(names[1], "longitude must be within ±180 degrees")
        } else {
            Problem::bad_request(names[0], "latitude must be within ±90 degrees")
        }
    })
}

fn take(hall: &Hall, report: Report) -> Result<Answer<OsmandAnswer>, Problem> {
    let inspector = inspector(hall, &report.device)?;
    let said = match report.said {
        Ok(said) => said,
        Err(problem) => {
            metrics::counter!("gridhall_position_fixes_total", "outcome" => "unreadable").increment(1);
            return Ok(dropped(&inspector, problem));
        }
    };
    let present = hall.clock.present();
    if said.fixed.is_none() && present.is_doubted {
        // It would be given a time that nobody believes.
        return Err(fix_problem(&FixError::ClockDoubted));
    }
    let fix = Fix {
        inspector: inspector.clone(),
        place: said.place,
        fixed: said.fixed.unwrap_or(present.now),
        speed_mps: said.speed_mps,
        heading_deg: said.heading_deg,
        accuracy_m: said.accuracy_m,
        source: "osmand".to_owned(),
    };
    match hall.positions.report(&[fix]).pop() {
        None | Some(Ok(())) => Ok(Answer(OsmandAnswer { taken: true, dropped: None })),
        Some(Err(error)) => match error {
            // It stays in the phone's queue.
            FixError::NotStored | FixError::ClockDoubted => Err(fix_problem(&error)),
            FixError::TooManyInspectors => Err(Problem::busy(error.to_string(), 60)),
            // It has stored more than it can have: the rest comes later.
            FixError::TooFast => Err(Problem::busy(error.to_string(), 10)),
            // A clock that is ahead as well: when the fix was taken nobody knows, and the time of arrival would put
            // somebody who was without a network for an hour where he was an hour ago.
            FixError::Future(_)
            | FixError::TooOld(_)
            | FixError::OutsideBounds
            | FixError::Speed(_)
            | FixError::Heading(_)
            | FixError::Accuracy(_)
            | FixError::Source(_) => Ok(dropped(&inspector, fix_problem(&error))),
        },
    }
}

/// Says so in the log: the phone does not tell its owner.
fn dropped(inspector: &InspectorCode, problem: Problem) -> Answer<OsmandAnswer> {
    tracing::info!(
        inspector = inspector.as_str(),
        code = problem.code,
        reason = problem.title,
        "a phone's position dropped"
    );
    Answer(OsmandAnswer { taken: false, dropped: Some(problem) })
}

fn inspector(hall: &Hall, id: &str) -> Result<InspectorCode, Problem> {
    let code = match hall.access.by_token(id) {
        Some(actor) if actor.has(Role::Inspector) => actor.name,
        // A machine has a door that asks for its scope, and no secret is anybody's code.
        Some(_) => {
            let title = "the device identifier is the secret of a token that is no inspector's; machines report to /api/v1/positions";
            return Err(not_theirs("not_allowed", title.to_owned()).at("id"));
        }
        None if hall.config.ingest.osmand_open => id.to_owned(),
        None => {
            let title = "the device identifier is not the secret of an inspector's token";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown_device", title).at("id"));
        }
    };
    InspectorCode::new(code).map_err(|error| Problem::bad_request("id", error.to_string()))
}

fn parse_time(text: &str, field: &str) -> Result<UtcMillis, Problem> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(unix_time(number));
    }
    let instant: Result<jiff::Timestamp, _> = text.parse();
    instant.map(|instant| UtcMillis(instant.as_millisecond())).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        let title = format!("`{shown}` is neither Unix time nor ISO 8601 such as 2026-11-21T08:00:00Z");
        Problem::bad_request(field, title)
    })
}

fn unix_time(number: i64) -> UtcMillis {
    // Seconds until the year 5138 are below this; milliseconds have been above it since 1973.
    UtcMillis(if number.unsigned_abs() < 100_000_000_000 { number.saturating_mul(1_000) } else { number })
}
