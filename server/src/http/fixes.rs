//! Positions come in (JSON batch, OsmAnd/Traccar form) and are read back.

use axum::Json as Answer;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::{Extension, body::Bytes};
use domain::answer::PageAnswer;
use domain::code::InspectorCode;
use domain::moment::{DAY_MS, UtcMillis};
use domain::place::Point;
use domain::role::Role;
use domain::wire::PositionRow;
use serde::{Deserialize, Serialize};

use super::Hall;
use super::cases::page_size;
use crate::access::Actor;
use crate::clock;
use crate::position::{Fix, FixError, TrackPoint};
use crate::problem::{Json, Problem, Query};

/// Fixes in one batch.
const BATCH_MAX: usize = 10_000;
/// Knots to metres per second: the OsmAnd form gives speed in knots.
const KNOT_MPS: f32 = 0.514_444;

/// A batch of fixes; each row is answered on its own.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixes {
    /// 1 to 10,000 rows.
    #[schema(value_type = Vec<Fix>)]
    fixes: Vec<serde_json::Value>,
}

/// What became of the batch.
#[derive(Serialize, utoipa::ToSchema)]
pub struct FixesAnswer {
    taken: usize,
    /// Rows that were not taken, and why.
    refused: Vec<Problem>,
}

/// Takes positions of inspectors.
#[utoipa::path(post, path = "/api/v1/positions", tag = "positions", request_body = Fixes,
    responses((status = 200, body = FixesAnswer), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub async fn post(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Json(batch): Json<Fixes>,
) -> Result<Answer<FixesAnswer>, Problem> {
    if !actor.has(Role::Machine) && !actor.has(Role::Inspector) {
        let title = "positions come from machines and inspectors' phones";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
    }
    if batch.fixes.is_empty() || batch.fixes.len() > BATCH_MAX {
        return Err(Problem::bad_request("fixes", "expected 1 to 10,000 rows"));
    }
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for (index, row) in batch.fixes.into_iter().enumerate() {
        match own_fix(row, &actor) {
            Ok(fix) => good.push((index, fix)),
            Err(problem) => refused.push(problem.in_row("fixes", index)),
        }
    }
    let fixes: Vec<Fix> = good.iter().map(|(_, fix)| fix.clone()).collect();
    let answers = hall.positions.report(&fixes);
    let mut taken = 0;
    for ((index, _), answer) in good.into_iter().zip(answers) {
        match answer {
            Ok(()) => taken += 1,
            Err(error) => refused.push(fix_problem(&error).in_row("fixes", index)),
        }
    }
    Ok(Answer(FixesAnswer { taken, refused }))
}

/// A phone's token speaks for its own inspector only.
fn own_fix(row: serde_json::Value, actor: &Actor) -> Result<Fix, Problem> {
    let fix: Fix =
        serde_path_to_error::deserialize(row).map_err(|error| Problem::malformed("malformed_fix", &error))?;
    if actor.has(Role::Inspector) && fix.inspector.as_str() != actor.name {
        let title = format!("this token reports for `{}` only", actor.name);
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title).at("inspector"));
    }
    Ok(fix)
}

fn fix_problem(error: &FixError) -> Problem {
    metrics::counter!("gridhall_fixes_refused_total", "code" => error.code()).increment(1);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), error.to_string())
}

/// The form OsmAnd, Traccar's phone app and many trackers send. The app has no header for a token: `id` is the secret
/// of an inspector's token, or the inspector's code where the settings open this door.
#[derive(Debug, Deserialize)]
struct Osmand {
    #[serde(alias = "deviceid")]
    id: String,
    lat: f64,
    lon: f64,
    /// Unix seconds or milliseconds, or ISO 8601; the present when absent.
    timestamp: Option<String>,
    /// Knots.
    speed: Option<f32>,
    #[serde(alias = "heading")]
    bearing: Option<f32>,
    accuracy: Option<f32>,
}

/// One fix of a stock phone app, as query or form.
#[utoipa::path(post, path = "/osmand", tag = "positions", request_body = (),
    params(("id" = String, Query), ("lat" = f64, Query), ("lon" = f64, Query), ("timestamp" = Option<String>, Query),
        ("speed" = Option<f32>, Query), ("bearing" = Option<f32>, Query), ("accuracy" = Option<f32>, Query)),
    responses((status = 200), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub async fn osmand(
    State(hall): State<Hall>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let form = match (query.filter(|query| !query.is_empty()), std::str::from_utf8(&body)) {
        (Some(query), _) => query,
        (None, Ok(form)) if !form.is_empty() && form.len() < 4_096 => form.to_owned(),
        _ => return Err(Problem::bad_request("id", "expected id, lat and lon as query or form")),
    };
    let uri = format!("/?{form}").parse::<axum::http::Uri>();
    let uri = uri.map_err(|_| Problem::bad_request("query", "is not a query string"))?;
    let axum::extract::Query(form) = axum::extract::Query::<Osmand>::try_from_uri(&uri)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "bad_query", error.body_text()))?;
    let inspector = inspector(&hall, &form.id)?;
    let place = Point::from_degrees(form.lat, form.lon).ok_or_else(|| {
        Problem::bad_request("lat", "latitude must be within ±90 and longitude within ±180 degrees")
    })?;
    let fixed = form.timestamp.as_deref().map_or(Ok(clock::now()), parse_time)?;
    let fix = Fix {
        inspector,
        place,
        fixed,
        speed_mps: form.speed.map(|knots| knots * KNOT_MPS),
        heading_deg: form.bearing,
        accuracy_m: form.accuracy,
        source: "osmand".to_owned(),
    };
    match hall.positions.report(&[fix]).pop() {
        Some(Err(error)) => Err(fix_problem(&error)),
        _ => Ok(StatusCode::OK),
    }
}

fn inspector(hall: &Hall, id: &str) -> Result<InspectorCode, Problem> {
    let token = hall.access.by_token(id).filter(|actor| actor.has(Role::Inspector));
    let code = match token {
        Some(actor) => actor.name,
        None if hall.config.ingest.osmand_open => id.to_owned(),
        None => {
            let title = "id is not the secret of an inspector's token";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown_device", title).at("id"));
        }
    };
    InspectorCode::new(code).map_err(|error| Problem::bad_request("id", error.to_string()))
}

fn parse_time(text: &str) -> Result<UtcMillis, Problem> {
    if let Ok(number) = text.parse::<i64>() {
        // Seconds until the year 5138 are below this; milliseconds have been above it since 1973.
        return Ok(UtcMillis(if number.unsigned_abs() < 100_000_000_000 {
            number.saturating_mul(1_000)
        } else {
            number
        }));
    }
    let instant: Result<jiff::Timestamp, _> = text.parse();
    instant.map(|instant| UtcMillis(instant.as_millisecond())).map_err(|_| {
        Problem::bad_request(
            "timestamp",
            format!("`{text}` is neither Unix time nor ISO 8601 such as 2026-11-21T08:00:00Z"),
        )
    })
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NewestQuery {
    /// `next` of the page before.
    cursor: Option<u32>,
    /// 1 to 500, by default 100.
    limit: Option<usize>,
}

/// Everyone's newest position; nobody disappears because a phone fell silent.
#[utoipa::path(get, path = "/api/v1/positions", tag = "positions", params(NewestQuery),
    responses((status = 200, body = PageAnswer<PositionRow>)))]
pub async fn newest(
    State(hall): State<Hall>,
    Query(query): Query<NewestQuery>,
) -> Result<Answer<PageAnswer<PositionRow>>, Problem> {
    let limit = page_size(query.limit)?;
    let items = hall.positions.newest(query.cursor, limit);
    let next = (items.len() == limit).then(|| items.last().map(|row| row.index.to_string())).flatten();
    Ok(Answer(PageAnswer { items, next, total: None }))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrackQuery {
    /// UTC milliseconds.
    from: i64,
    /// UTC milliseconds, at most a day after `from`.
    to: i64,
}

/// Where an inspector was.
#[utoipa::path(get, path = "/api/v1/positions/{inspector}/track", tag = "positions",
    params(("inspector" = String, Path), TrackQuery), responses((status = 200, body = Vec<TrackPoint>), (status = 400, body = Problem)))]
pub async fn track(
    State(hall): State<Hall>,
    Path(inspector): Path<String>,
    Query(query): Query<TrackQuery>,
) -> Result<Answer<Vec<TrackPoint>>, Problem> {
    let inspector = InspectorCode::new(inspector)
        .map_err(|error| Problem::bad_request("inspector", error.to_string()))?;
    if query.to < query.from || query.to.saturating_sub(query.from) > DAY_MS {
        return Err(Problem::bad_request("to", "expected a time after `from`, at most a day"));
    }
    let positions = hall.positions.clone();
    let (from, to) = (UtcMillis(query.from), UtcMillis(query.to));
    let read = tokio::task::spawn_blocking(move || positions.track(&inspector, from, to)).await;
    match read {
        Ok(Ok(points)) => Ok(Answer(points)),
        Ok(Err(error)) => Err(Problem::internal("cannot read the track", &error)),
        Err(error) => Err(Problem::internal("cannot read the track", &error)),
    }
}
