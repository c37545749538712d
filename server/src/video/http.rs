//! The video part's HTTP doors: camera lists, health, and the upgrade to the video socket.

use super::figures;
use super::form::photo::{self, NoPhoto};
use super::origin::registry::Registered;
use super::page::message::TEXT_BYTES_MAX;
use super::page::socket::{self, Guest};
use super::relay::feed::Figures;
use super::relay::status::{State, Status};
use super::relay::stream::{Key, Profile, Rendition};
use super::service::Video;
use crate::access::{Actor, Pass, Sight};
use crate::http::extract::{Path, Query};
use crate::problem::Problem;
use axum::Extension;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::answer::{CameraRow, PageAnswer};
use domain::camera::Camera;
use domain::code::CameraCode;
use domain::place::Point;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

mod adopt;

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;
const RADIUS_DEFAULT_M: f64 = 500.0;
const RADIUS_MAX_M: f64 = 50_000.0;

/// The video part's routes. Who may use them is decided by the layers around.
pub fn router(video: Video) -> Router {
    Router::new()
        .route("/api/v1/video", get(upgrade))
        .route("/api/v1/cameras", get(list))
        .route("/api/v1/cameras/adopt", post(adopt::adopt))
        .route("/api/v1/cameras/{code}", get(one))
        .route("/api/v1/cameras/{code}/health", get(health))
        .route("/api/v1/cameras/{code}/snapshot.jpg", get(snapshot))
        .route("/metrics/cameras", get(stream_figures))
        .with_state(video)
}

/// Counts a page as connected until it is dropped.
struct Counted(Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The video socket; `docs/video-protocol.md` says what is spoken there.
#[utoipa::path(get, path = "/api/v1/video", tag = "cameras", responses((status = 101, description = "WebSocket from here on"),
    (status = 426, body = Problem), (status = 503, body = Problem)))]
async fn upgrade(
    Shared(video): Shared<Video>,
    actor: Option<Extension<Actor>>,
    pass: Option<Extension<Pass>>,
    Extension(sight): Extension<Sight>,
    request: Request,
) -> Response {
    let guest = Guest { actor: name_of(actor), pass: pass.map(|Extension(pass)| pass), sight };
    let counted = Counted(Arc::clone(&video.pages));
    if video.pages.fetch_add(1, Ordering::AcqRel) >= video.switchboard.config.pages_max {
        return Problem::busy("as many pages as allowed are watching video", 10).into_response();
    }
    crate::live::socket::accept(request, TEXT_BYTES_MAX, move |socket| async move {
        socket::converse(Arc::clone(&video.switchboard), Arc::clone(&video.shares), guest, socket).await;
        drop(counted);
    })
}

/// Whose share of cameras counts.
fn name_of(actor: Option<Extension<Actor>>) -> Arc<str> {
    actor.map_or_else(|| "".into(), |Extension(actor)| actor.name.into())
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `lat,lon` in degrees: cameras by distance from there, with distance and bearing.
    near: Option<String>,
    /// Metres around `near`.
    radius: Option<f64>,
    /// Cameras in one page.
    limit: Option<usize>,
    /// Where the last page ended, as it said.
    cursor: Option<String>,
}

/// Cameras by code, or those nearest to a place.
#[utoipa::path(get, path = "/api/v1/cameras", tag = "cameras", params(ListQuery),
    responses((status = 200, body = PageAnswer<CameraRow>), (status = 400, body = Problem)))]
async fn list(
    Shared(video): Shared<Video>,
    Extension(sight): Extension<Sight>,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageAnswer<CameraRow>>, Problem> {
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::bad_request("limit", format!("expected 1 to {LIMIT_MAX}")));
    }
    match query.near.as_deref() {
        Some(near) => list_near(&video, &sight, near, query.radius, limit, query.cursor.as_deref()),
        None if query.radius.is_some() => {
            Err(Problem::bad_request("radius", "expected together with `near`"))
        }
        None => list_all(&video, &sight, limit, query.cursor.as_deref()),
    }
}

fn list_all(
    video: &Video,
    sight: &Sight,
    limit: usize,
    cursor: Option<&str>,
) -> Result<Json<PageAnswer<CameraRow>>, Problem> {
    let bad_cursor = || Problem::bad_request("cursor", "expected the `next` of the page before");
    let after = cursor.map(CameraCode::new).transpose().map_err(|_| bad_cursor())?;
    let registry = video.switchboard.registry();
    let seen = registry.page(after.as_ref(), usize::MAX).filter(|entry| sees(sight, &entry.camera));
    let mut entries: Vec<&Arc<Registered>> = seen.take(limit + 1).collect();
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|entry| entry.camera.code.to_string());
    let items = entries
        .into_iter()
        .map(|entry| CameraRow::of(entry.camera.clone(), video.state_name(&entry.camera.code)))
        .collect();
    Ok(Json(PageAnswer::of(items, next)))
}

fn list_near(
    video: &Video,
    sight: &Sight,
    near: &str,
    radius: Option<f64>,
    limit: usize,
    cursor: Option<&str>,
) -> Result<Json<PageAnswer<CameraRow>>, Problem> {
    let spot = near
        .split_once(',')
        .and_then(|(lat, lon)| Point::from_degrees(lat.trim().parse().ok()?, lon.trim().parse().ok()?))
        .ok_or_else(|| Problem::bad_request("near", "expected latitude,longitude in degrees"))?;
    let radius = radius.unwrap_or(RADIUS_DEFAULT_M);
    if !(0.0..=RADIUS_MAX_M).contains(&radius) {
        return Err(Problem::bad_request("radius", format!("expected 0 to {RADIUS_MAX_M} metres")));
    }
    let bad_cursor = || Problem::bad_request("cursor", "expected the `next` of the page before");
    let from = cursor.map_or(Ok(0), str::parse::<usize>).map_err(|_| bad_cursor())?;
    let mut linked = video.switchboard.registry().near(spot, radius, usize::MAX);
    linked.retain(|linked| sees(sight, &linked.camera));
    let end = from.saturating_add(limit);
    let next = (linked.len() > end).then(|| end.to_string());
    let items = linked
        .into_iter()
        .skip(from)
        .take(limit)
        .map(|linked| {
            let state = video.state_name(&linked.camera.code);
            CameraRow::linked(linked, state)
        })
        .collect();
    Ok(Json(PageAnswer::of(items, next)))
}

fn sees(sight: &Sight, camera: &Camera) -> bool {
    sight.admits(camera.area.as_ref())
}

/// A camera that may not be seen is answered like one that is not there.
fn find(video: &Video, sight: &Sight, code: &str) -> Result<Arc<Registered>, Problem> {
    let registry = video.switchboard.registry();
    let found = registry.get(code).filter(|entry| sees(sight, &entry.camera)).cloned();
    found.ok_or_else(|| Problem::not_found("no camera has this code"))
}

/// One camera.
#[utoipa::path(get, path = "/api/v1/cameras/{code}", tag = "cameras",
    params(("code" = String, Path, description = "The camera's code in the registry")),
    responses((status = 200, body = CameraRow), (status = 404, body = Problem)))]
async fn one(
    Shared(video): Shared<Video>,
    Extension(sight): Extension<Sight>,
    Path(code): Path<String>,
) -> Result<Json<CameraRow>, Problem> {
    let camera = find(&video, &sight, &code)?.camera.clone();
    let state = video.state_name(&camera.code);
    Ok(Json(CameraRow::of(camera, state)))
}

/// How one stream of a camera is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct StreamHealth {
    profile: Profile,
    /// Null while nobody watches: nothing is known then.
    status: Option<Status>,
    viewers: usize,
    codec: Option<&'static str>,
    width: Option<u16>,
    height: Option<u16>,
    fps: f32,
    kbps: f32,
    key_interval_ms: Option<u32>,
    first_frame_ms: Option<u32>,
    reconnects: u32,
    lost_packets: u64,
    held_bytes: usize,
}

/// How the streams of one camera are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CameraHealth {
    code: CameraCode,
    streams: Vec<StreamHealth>,
}

/// How a camera's streams do: state, figures of the picture, reconnects. Asking opens nothing.
#[utoipa::path(get, path = "/api/v1/cameras/{code}/health", tag = "cameras",
    params(("code" = String, Path, description = "The camera's code in the registry")),
    responses((status = 200, body = CameraHealth), (status = 404, body = Problem)))]
async fn health(
    Shared(video): Shared<Video>,
    Extension(sight): Extension<Sight>,
    Path(code): Path<String>,
) -> Result<Json<CameraHealth>, Problem> {
    let camera = find(&video, &sight, &code)?;
    let profiles =
        if camera.origin.has_sub() { &[Profile::Main, Profile::Sub][..] } else { &[Profile::Main] };
    let streams: Vec<StreamHealth> =
        profiles.iter().map(|profile| stream_health(&video, &camera.camera.code, *profile)).collect();
    Ok(Json(CameraHealth { code: camera.camera.code.clone(), streams }))
}

fn stream_health(video: &Video, code: &CameraCode, profile: Profile) -> StreamHealth {
    let feed =
        video.switchboard.feeds.find(&Key { code: code.clone(), profile, rendition: Rendition::Source });
    let figures = feed.as_ref().map_or_else(Figures::default, |feed| feed.figures());
    let key = feed.as_ref().and_then(|feed| feed.last_key());
    let configuration = key.as_ref().map(|key| &key.configuration);
    StreamHealth {
        profile,
        status: feed.as_ref().map(|feed| feed.status()),
        viewers: feed.as_ref().map_or(0, |feed| feed.viewers()),
        codec: configuration.map(|c| c.codec.name()),
        width: configuration.map(|c| c.width),
        height: configuration.map(|c| c.height),
        fps: figures.fps,
        kbps: figures.kbps,
        key_interval_ms: figures.key_interval_ms,
        first_frame_ms: figures.first_frame_ms,
        reconnects: figures.reconnects,
        lost_packets: figures.lost_packets,
        held_bytes: feed.as_ref().map_or(0, |feed| feed.ring_bytes()),
    }
}

/// A picture of now. Opens the camera when nobody watches it; the header `X-Ingest-Us` says when the picture arrived,
/// in microseconds since 1970 of the server's clock.
#[utoipa::path(get, path = "/api/v1/cameras/{code}/snapshot.jpg", tag = "cameras",
    params(("code" = String, Path, description = "The camera's code in the registry")),
    responses((status = 200, content_type = "image/jpeg"), (status = 404, body = Problem),
        (status = 501, body = Problem), (status = 503, body = Problem)))]
async fn snapshot(
    Shared(video): Shared<Video>,
    actor: Option<Extension<Actor>>,
    Extension(sight): Extension<Sight>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let full = || Problem::busy("as many cameras as allowed are open for this account or wall", 5);
    let _share = video.shares.take(&name_of(actor)).ok_or_else(full)?;
    let camera = find(&video, &sight, &code)?;
    tracing::info!(by = sight.name(), camera = %camera.camera.code, "picture taken");
    let taken = photo::take(&video.photos, &video.switchboard, &camera).await.map_err(|none| match none {
        NoPhoto::Camera(status) => {
            let reason = status.reason.unwrap_or_else(|| status.state.name().to_owned());
            Problem::busy(format!("the camera gives no picture: {reason}"), 5)
        }
        NoPhoto::Decoder(reason) => Problem::new(StatusCode::NOT_IMPLEMENTED, "no_decoder", reason),
    })?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=2")),
        (HeaderName::from_static("x-ingest-us"), HeaderValue::from(taken.ingest_us)),
    ];
    Ok((headers, taken.jpeg).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FiguresQuery {
    /// Codes of cameras, with commas between; without it all whose streams are open.
    cameras: Option<String>,
}

/// `GET /metrics/cameras` in the text form of Prometheus: how each open stream does. A stream that is closed is not there.
async fn stream_figures(
    Shared(video): Shared<Video>,
    Query(query): Query<FiguresQuery>,
) -> Result<Response, Problem> {
    let codes: Option<Vec<&str>> = query.cameras.as_deref().map(|codes| codes.split(',').collect());
    if codes.as_ref().is_some_and(|codes| codes.len() > LIMIT_MAX) {
        return Err(Problem::bad_request("cameras", format!("expected at most {LIMIT_MAX} codes")));
    }
    let mut open = video.switchboard.feeds.all();
    open.retain(|(key, _)| {
        let asked = codes.as_ref().is_none_or(|codes| codes.contains(&key.code.as_str()));
        asked && key.rendition == Rendition::Source
    });
    open.sort_by(|(a, _), (b, _)| (&a.code, a.profile.name()).cmp(&(&b.code, b.profile.name())));
    let body = figures::render(&open);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], body).into_response())
}

/// The camera doors as programs see them.
#[derive(utoipa::OpenApi)]
#[openapi(paths(upgrade, list, one, health, snapshot, adopt::adopt))]
pub struct Description;

impl Video {
    /// The state of whichever stream of the camera is open, the main one first.
    fn state_name(&self, code: &CameraCode) -> &'static str {
        let status = [Profile::Main, Profile::Sub].into_iter().find_map(|profile| {
            let key = Key { code: code.clone(), profile, rendition: Rendition::Source };
            self.switchboard.feeds.find(&key).map(|feed| feed.status().state)
        });
        status.map_or("idle", State::name)
    }
}
