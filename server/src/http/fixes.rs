//! Positions come in as JSON batches and are read back. The door of phone apps is `osmand`.

use axum::Extension;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::answer::PageAnswer;
use domain::code::InspectorCode;
use domain::grant::Grant;
use domain::moment::{DAY_MS, UtcMillis};
use domain::role::Role;
use domain::scope::Scope;
use domain::wire::PositionRow;
use serde::{Deserialize, Serialize};

use super::Hall;
use super::cases::page_size;
use crate::access::{Actor, Sight};
use crate::http::extract::{Json, Path, Query};
use crate::position::{Fix, FixError, TrackPoint};
use crate::problem::{Problem, clock_doubted};

/// Points of a track in one answer: hours of it, and less than a megabyte.
const TRACK_MAX: usize = 10_000;
/// Fixes in one batch.
const BATCH_MAX: usize = 10_000;

/// A batch of fixes; each row is answered on its own.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixes {
    /// 1 to 10,000 rows.
    #[schema(value_type = Vec<Fix>, min_items = 1, max_items = 10_000)]
    fixes: Vec<serde_json::Value>,
}

/// What became of the batch.
#[derive(Serialize, utoipa::ToSchema)]
pub struct FixesAnswer {
    taken: usize,
    /// Rows that were not taken, and why.
    refused: Vec<Problem>,
}

/// Takes positions of inspectors: a phone's token its own, a machine's those of whoever works within its scope. While they
/// cannot be written to the disk the batch is answered 507 (`not_stored`), and while the server's clock is doubted and a row's
/// time does not fit what is believed 503 (`clock_doubted`): send all of it again.
#[utoipa::path(post, path = "/api/v1/positions", tag = "positions", request_body = Fixes,
    responses((status = 200, body = FixesAnswer), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 503, body = Problem), (status = 507, body = Problem)))]
pub async fn post(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Extension(sight): Extension<Sight>,
    Json(batch): Json<Fixes>,
) -> Result<Answer<FixesAnswer>, Problem> {
    let machine = actor.has(Role::Machine) && actor.is_granted(Grant::Locate);
    if !machine && !actor.has(Role::Inspector) {
        let title = "positions come from machines and inspectors' phones";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
    }
    if batch.fixes.is_empty() || batch.fixes.len() > BATCH_MAX {
        return Err(Problem::bad_request("fixes", "expected 1 to 10,000 rows"));
    }
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for (index, row) in batch.fixes.into_iter().enumerate() {
        match own_fix(&hall, row, &actor, &sight) {
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
            // Rows of the same batch that were taken are passed over when they come again.
            Err(error @ (FixError::NotStored | FixError::ClockDoubted)) => return Err(fix_problem(&error)),
            Err(error) => refused.push(fix_problem(&error).in_row("fixes", index)),
        }
    }
    Ok(Answer(FixesAnswer { taken, refused }))
}

/// A phone's token speaks for its own inspector only, a machine's for those it sees.
fn own_fix(hall: &Hall, row: serde_json::Value, actor: &Actor, sight: &Sight) -> Result<Fix, Problem> {
    let fix: Fix =
        serde_path_to_error::deserialize(row).map_err(|error| Problem::malformed("malformed_fix", &error))?;
    let inspector = fix.inspector.as_str();
    if actor.has(Role::Inspector) {
        if inspector != actor.name {
            let title = format!("this token reports for `{}` only", actor.name);
            return Err(not_theirs("not_allowed", title).at("inspector"));
        }
    } else if !sees(hall, sight, inspector) {
        // The same of one who works elsewhere and of one nobody knows.
        let title = format!("`{inspector}` does not work within what this token sees");
        return Err(not_theirs("out_of_scope", title).at("inspector"));
    }
    Ok(fix)
}

/// Somebody reports where another one is.
pub(super) fn not_theirs(code: &'static str, title: String) -> Problem {
    metrics::counter!("gridhall_fixes_refused_total", "code" => code).increment(1);
    Problem::new(StatusCode::FORBIDDEN, code, title)
}

pub(super) fn fix_problem(error: &FixError) -> Problem {
    metrics::counter!("gridhall_fixes_refused_total", "code" => error.code()).increment(1);
    let status = match error {
        FixError::NotStored => StatusCode::INSUFFICIENT_STORAGE,
        FixError::ClockDoubted => return clock_doubted(error.to_string()),
        FixError::Future(_)
        | FixError::TooOld(_)
        | FixError::OutsideBounds
        | FixError::Speed(_)
        | FixError::Heading(_)
        | FixError::Accuracy(_)
        | FixError::Source(_)
        | FixError::TooFast
        | FixError::TooManyInspectors => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, error.code(), error.to_string())
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NewestQuery {
    /// `next` of the page before.
    cursor: Option<u32>,
    /// 1 to 500, by default 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// Everyone's newest position; nobody disappears because a phone fell silent.
#[utoipa::path(get, path = "/api/v1/positions", tag = "positions", params(NewestQuery),
    responses((status = 200, body = PageAnswer<PositionRow>)))]
pub async fn newest(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Query(query): Query<NewestQuery>,
) -> Result<Answer<PageAnswer<PositionRow>>, Problem> {
    let limit = page_size(query.limit)?;
    let items = hall.positions.newest(query.cursor, limit);
    let next = (items.len() == limit).then(|| items.last().map(|row| row.index.to_string())).flatten();
    let items = items.into_iter().filter(|row| sees(&hall, &sight, row.inspector.as_str())).collect();
    Ok(Answer(PageAnswer::of(items, next)))
}

/// An inspector is seen where they work, as their token says; one who works nowhere in particular by who sees everything.
fn sees(hall: &Hall, sight: &Sight, inspector: &str) -> bool {
    sight.scope().is_all()
        || match hall.access.works_in(inspector) {
            Some(Scope::Within { areas, departments: _ }) => {
                areas.iter().any(|area| sight.admits(Some(area)))
            }
            Some(Scope::All) | None => false,
        }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrackQuery {
    /// UTC milliseconds.
    #[param(minimum = 0)]
    from: i64,
    /// UTC milliseconds, at most a day after `from`.
    #[param(minimum = 0)]
    to: i64,
    /// Points of one answer; 1 to 10,000, by default 10,000.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<usize>,
}

/// Where an inspector was, oldest first. Where there is more than one answer holds, the header `Link` names the next one
/// (`rel="next"`).
#[utoipa::path(get, path = "/api/v1/positions/{inspector}/track", tag = "positions",
    params(("inspector" = String, Path), TrackQuery), responses((status = 200, body = Vec<TrackPoint>), (status = 400, body = Problem)))]
pub async fn track(
    State(hall): State<Hall>,
    Extension(sight): Extension<Sight>,
    Path(inspector): Path<String>,
    Query(query): Query<TrackQuery>,
) -> Result<Response, Problem> {
    let inspector = InspectorCode::new(inspector)
        .map_err(|error| Problem::bad_request("inspector", error.to_string()))?;
    if query.to < query.from || query.to.saturating_sub(query.from) > DAY_MS {
        return Err(Problem::bad_request("to", "expected a time after `from`, at most a day"));
    }
    let limit = query.limit.unwrap_or(TRACK_MAX);
    if !(1..=TRACK_MAX).contains(&limit) {
        return Err(Problem::bad_request("limit", format!("{limit} is not within 1 to 10,000")));
    }
    if !sees(&hall, &sight, inspector.as_str()) {
        return Err(Problem::not_found(format!("no inspector `{inspector}`")));
    }
    tracing::info!(by = sight.name(), %inspector, from = query.from, to = query.to, "track read");
    let positions = hall.positions.clone();
    let base = hall.identity.base();
    let link = format!("<{base}/api/v1/positions/{inspector}/track?to={}&limit={limit}&from=", query.to);
    let (from, to) = (UtcMillis(query.from), UtcMillis(query.to));
    let read = tokio::task::spawn_blocking(move || positions.track(&inspector, from, to, limit + 1)).await;
    match read {
        Ok(Ok(mut points)) => {
            let next = points.get(limit).map(|point| format!("{link}{}>; rel=\"next\"", point.fixed.0));
            points.truncate(limit);
            let next = next.and_then(|next| HeaderValue::from_str(&next).ok());
            let headers: HeaderMap = next.map(|next| (header::LINK, next)).into_iter().collect();
            Ok((headers, Answer(points)).into_response())
        }
        Ok(Err(error)) => Err(Problem::internal("cannot read the track", &error)),
        Err(error) => Err(Problem::internal("cannot read the track", &error)),
    }
}
