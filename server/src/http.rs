//! Every route in one list, and the layers around them. What a route does is in its own file.

use std::sync::Arc;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use domain::policy::Policy;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::compression::{CompressionLayer, CompressionLevel, Predicate};

use crate::access::Access;
use crate::config::Config;
use crate::lists::Lists;
use crate::live::Hub;
use crate::position::Positions;
use crate::problem::Problem;
use crate::publish::Mirror;
use crate::store::Reader;
use crate::video::Video;
use crate::writer::Writer;

pub mod body;
pub mod door;
pub mod session;
pub mod commands;
pub mod cases;
pub mod hall;
pub mod events;
pub mod imports;
pub mod fixes;
pub mod osmand;
pub mod map;
pub mod health;
pub mod openapi;
pub mod site;

/// Everything a route may need. Cheap to clone.
#[derive(Clone)]
pub struct Hall {
    pub config: Arc<Config>,
    pub policy: Arc<Policy>,
    pub access: Access,
    pub writer: Writer,
    pub reader: Reader,
    /// Every list of cases and whistle calls.
    pub lists: Lists,
    pub mirror: Mirror,
    pub hub: Hub,
    pub positions: Positions,
    pub video: Video,
    pub metrics: PrometheusHandle,
}

/// The whole server as one router.
pub fn router(hall: &Hall) -> Router {
    let inside = Router::new()
        .route("/api/v1/session", get(session::session))
        .route("/api/v1/sign-out", post(session::sign_out))
        .route("/api/v1/tokens", get(session::tokens).post(session::make_token))
        .route("/api/v1/tokens/{name}", delete(session::revoke))
        .route("/api/v1/kiosk/approve", post(session::kiosk_approve))
        .route("/api/v1/commands", post(commands::post))
        .route("/api/v1/cases", get(cases::list))
        .route("/api/v1/cases/{id}", get(cases::one))
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/import/namespace", get(imports::namespace))
        .route("/api/v1/catalogue", get(hall::catalogue))
        .route("/api/v1/definitions", get(hall::definitions))
        .route("/api/v1/tally", get(hall::tally))
        .route("/api/v1/overdue", get(hall::overdue))
        .route("/api/v1/whistles", get(hall::whistles))
        .route("/api/v1/whistles/{id}", get(hall::whistle))
        .route("/api/v1/positions", get(fixes::newest).post(fixes::post))
        .route("/api/v1/positions/{inspector}/track", get(fixes::track))
        .route("/api/v1/map", get(map::settings))
        .route("/api/v1/map/layers/{index}", get(map::layer))
        .route("/tiles/archive.pmtiles", get(map::archive))
        .route("/tiles/{z}/{x}/{file}", get(map::tile))
        .route("/api/v1/clock/believe", post(health::believe_clock))
        .route("/metrics", get(health::metrics))
        .with_state(hall.clone())
        .merge(crate::live::router(hall.hub.clone(), Arc::new(hall.reader.clone())))
        .merge(crate::video::router(hall.video.clone()))
        .merge(openapi::viewer())
        .method_not_allowed_fallback(wrong_method)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(Bounded))
        .layer(axum::middleware::from_fn_with_state(body::Limit::known(), body::bounded))
        .layer(axum::middleware::from_fn_with_state(hall.clone(), door::identify));
    let strangers = body::Limit::stranger(hall.config.server.connections_max as usize);
    let outside = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/v1/sign-in", post(session::sign_in))
        .route("/api/v1/kiosk/ask", post(session::kiosk_ask))
        .route("/api/v1/kiosk/claim", post(session::kiosk_claim))
        .route("/osmand", get(osmand::get).post(osmand::post))
        .route("/sign-in", get(session::sign_in_page))
        .route("/", get(site::door))
        .route("/wall", get(site::main_wall))
        .route("/wall/", get(site::main_wall))
        .route("/wall/{id}", get(site::wall))
        .route("/desk", get(site::desk))
        .route("/desk/case/{id}", get(site::case))
        .route("/pair", get(site::door))
        .route("/kiosks", get(site::door))
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(strangers, body::bounded))
        .with_state(hall.clone());
    let files = site::files(hall);
    let api_missing = Router::new().route("/api/{*rest}", axum::routing::any(missing));
    let all = inside.merge(outside).merge(api_missing).fallback_service(files);
    site::protect(all)
        // `body::bounded` has read and limited every body before a route sees it.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(health::measure))
}

/// Answers that are compressed on their way: JSON to somebody who is known, and only so much of it as takes milliseconds.
/// Files have twins made beforehand.
#[derive(Clone, Copy)]
struct Bounded;

impl Bounded {
    /// Below this a compressed answer saves less than a packet; beyond it, it would keep a thread too long.
    const BYTES: std::ops::RangeInclusive<u64> = 1 << 10..=1 << 20;
}

impl Predicate for Bounded {
    fn should_compress<B: HttpBody>(&self, response: &axum::http::Response<B>) -> bool {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("application/json"))
            && response.body().size_hint().exact().is_some_and(|bytes| Self::BYTES.contains(&bytes))
    }
}

async fn missing() -> impl IntoResponse {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "no such address; see /api/openapi.json")
}

async fn wrong_method() -> impl IntoResponse {
    let title = "this address does not take this method; see the header Allow";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title)
}
