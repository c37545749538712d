//! Every route in one list, and the layers around them. What a route does is in its own file.

use std::sync::Arc;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use domain::grant::Grant;
use tower_http::compression::{CompressionLayer, CompressionLevel, Predicate};

use crate::problem::Problem;
use door::Door;
use routes::{Reach, Route, Routes, Sees, Table};

pub mod body;
pub mod extract;
pub mod door;
pub mod routes;
pub mod session;
pub mod commands;
pub mod cases;
pub mod suggestions;
pub mod export;
pub mod hall;
pub mod events;
pub mod imports;
pub mod fixes;
pub mod osmand;
pub mod map;
pub mod walls;
pub mod policy;
pub mod screens;
pub mod health;
mod once;
pub mod openapi;
pub mod site;
pub mod replays;
pub mod world;
pub mod worlds;
pub mod drills;
pub mod files;

pub use crate::hall::Hall;

/// The whole server as one router: the process's own hall, and the worlds beside it.
pub fn router(hall: &Hall) -> Router {
    worlds::beside(routes(hall).0, hall.worlds.clone())
}

/// One hall of another world, as it answers below its address.
pub fn world_router(hall: &Hall) -> Router {
    routes(hall).0
}

/// The whole server, and what each of its routes declares.
pub fn routes(hall: &Hall) -> (Router, Table) {
    assembled(hall, inside(hall))
}

/// The same with one more part behind the door, and what that declares.
pub fn routes_beside(hall: &Hall, declared: Vec<Route>, part: Router) -> (Router, Table) {
    assembled(hall, inside(hall).and(declared, part))
}

fn assembled(hall: &Hall, inside: Routes) -> (Router, Table) {
    let (inside, known) = inside.finish(hall);
    let (sending, sent) = sending().finish(hall);
    let known = known.and(sent);
    let (outside, open) = outside(hall).finish(hall);
    let door = Door { hall: hall.clone(), table: Arc::new(known.clone()), path_of: hall.path_of() };
    let inside = inside
        .method_not_allowed_fallback(wrong_method)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(Bounded))
        .layer(axum::middleware::from_fn_with_state(body::Limit::known(), body::bounded))
        .layer(axum::middleware::from_fn_with_state(door.clone(), door::identify));
    let sending = sending.layer(axum::middleware::from_fn_with_state(door, door::identify));
    let strangers = body::Limit::stranger(hall.config.server.connections_max as usize);
    let outside = outside
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::from_fn_with_state(strangers, body::bounded));
    let pages = site::files(hall);
    let api_missing = Router::new().route("/api/{*rest}", axum::routing::any(missing));
    let all = inside.merge(sending).merge(outside).merge(api_missing).fallback_service(pages);
    let all = site::protect(all)
        // `body::bounded` has read and limited every body before a route sees it, but those of `sending`.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(health::measure));
    (all, known.and(open))
}

/// Routes behind the door that read their own bodies as these arrive: larger than any that is held in memory.
fn sending() -> Routes {
    Routes::default().with(
        Route::post("/api/v1/cases/{id}/files", Reach::Of(routes::ATTACHING)).acting_in(routes::WRITTEN),
        files::sending::attach,
    )
}

/// What is behind the door. Its parts of other rooms are declared here, beside the others.
fn inside(hall: &Hall) -> Routes {
    let (staff, screens) = (Reach::Of(routes::STAFF), Reach::Of(routes::SCREENS));
    let (admin, pairing) = (Reach::Of(routes::ADMIN), Reach::Of(routes::PAIRING));
    let adopting = Reach::Of(routes::ADOPTING);
    let live = crate::live::router(hall.hub.clone(), Arc::new(hall.reader.clone()));
    let (nothing, scoped, whole) = (Sees::Nothing, Sees::Scoped, Sees::Whole);
    of_cases(of_worlds())
        .with(Route::get("/api/v1/session", screens, nothing), session::session)
        .with(Route::post("/api/v1/sign-out", staff).acting_in(routes::EVERYWHERE), session::sign_out)
        .with(Route::get("/api/v1/tokens", admin, scoped), session::tokens)
        .with(Route::post("/api/v1/tokens", admin), session::make_token)
        .with(Route::delete("/api/v1/tokens/{name}", admin).seeing(scoped), session::revoke)
        .with(Route::post("/api/v1/kiosk/approve", pairing), session::kiosk_approve)
        .with(Route::post("/api/v1/commands", staff).acting_in(routes::WRITTEN), commands::post)
        .with(Route::get("/api/v1/events", staff, scoped), events::list)
        .with(
            Route::get("/api/v1/import/namespace", adopting, nothing).granted(Grant::TakeOver),
            imports::namespace,
        )
        .with(Route::get("/api/v1/catalogue", screens, nothing), hall::catalogue)
        .with(Route::get("/api/v1/policy", adopting, whole).granted(Grant::Define), policy::show)
        .with(Route::post("/api/v1/policy", adopting).granted(Grant::Define).seeing(whole), policy::adopt)
        .with(Route::get("/api/v1/definitions", screens, nothing), hall::definitions)
        .with(Route::get("/api/v1/tally", screens, scoped), hall::tally)
        .with(Route::get("/api/v1/overdue", screens, scoped), hall::overdue)
        .with(Route::get("/api/v1/whistles", screens, scoped), hall::whistles)
        .with(Route::get("/api/v1/whistles/{id}", screens, scoped), hall::whistle)
        .with(Route::get("/api/v1/positions", screens, scoped), fixes::newest)
        .with(
            Route::post("/api/v1/positions", Reach::Of(routes::LOCATING))
                .granted(Grant::Locate)
                .acting_in(routes::WRITTEN),
            fixes::post,
        )
        .with(
            Route::get("/api/v1/positions/{inspector}/track", Reach::Of(routes::TRACKS), scoped),
            fixes::track,
        )
        .with(Route::get("/api/v1/map", screens, nothing), map::settings)
        .with(Route::get("/api/v1/walls", screens, nothing), walls::list)
        .with(Route::get("/api/v1/map/layers/{index}", screens, nothing), map::layer)
        .with(Route::get("/tiles/archive.pmtiles", screens, nothing), map::archive)
        .with(Route::get("/tiles/{z}/{x}/{file}", screens, nothing), map::tile)
        .with(Route::post("/api/v1/clock/believe", admin).seeing(whole), health::believe_clock)
        .with(Route::get("/metrics", staff, whole), health::metrics)
        .and(
            [Route::get("/live", screens, scoped), Route::get("/api/v1/live/snapshot", screens, scoped)],
            live,
        )
        .and(
            [
                Route::get("/api/v1/video", screens, scoped).acting_in(routes::WRITTEN),
                Route::get("/api/v1/cameras", screens, scoped),
                Route::get("/api/v1/cameras/{code}", screens, scoped),
                Route::get("/api/v1/cameras/{code}/health", screens, scoped).acting_in(routes::WRITTEN),
                Route::get("/api/v1/cameras/{code}/snapshot.jpg", screens, scoped).acting_in(routes::WRITTEN),
                Route::post("/api/v1/cameras/adopt", adopting).granted(Grant::Define).seeing(whole),
                Route::get("/metrics/cameras", staff, whole),
            ],
            crate::video::router(hall.video.clone()),
        )
        .and([Route::post("/api/v1/screens/stopped", screens)], screens::router(hall.clock.clone()))
        .and(
            ["/api/docs", "/api/docs/", "/api/docs/{*rest}", "/api/openapi.json"]
                .map(|path| Route::get(path, staff, nothing)),
            openapi::viewer(),
        )
}

/// Cases: lists, files, and whom one might be sent to.
fn of_cases(routes: Routes) -> Routes {
    let (staff, screens, scoped) = (Reach::Of(routes::STAFF), Reach::Of(routes::SCREENS), Sees::Scoped);
    routes
        .with(Route::get("/api/v1/cases", screens, scoped), cases::list)
        .with(Route::get("/api/v1/cases/{id}", screens, scoped), cases::one)
        .with(Route::get("/api/v1/cases/{id}/files", staff, scoped), files::list)
        .with(Route::get("/api/v1/cases/{id}/files/{hash}", staff, scoped), files::one)
        .with(Route::get("/api/v1/cases/{id}/files/{hash}/thumbnail", staff, scoped), files::small)
        .with(Route::get("/api/v1/cases/{id}/suggestions", staff, scoped), suggestions::of_case)
        .with(Route::get("/api/v1/cases.csv", staff, scoped), export::csv)
        .with(Route::get("/api/v1/cases.xlsx", staff, scoped), export::xlsx)
}

/// Which world this is, its clock, and the worlds beside it.
fn of_worlds() -> Routes {
    let (staff, screens) = (Reach::Of(routes::STAFF), Reach::Of(routes::SCREENS));
    let (people, directing) = (Reach::Of(routes::PEOPLE), Reach::Of(routes::DIRECTING));
    let (nothing, whole) = (Sees::Nothing, Sees::Whole);
    Routes::default()
        .with(Route::get("/api/v1/world", screens, nothing), world::show)
        .with(Route::post("/api/v1/world/clock", staff).acting_in(routes::EVERYWHERE), world::set_clock)
        .with(Route::get("/api/v1/replays", people, nothing), replays::list)
        .with(Route::post("/api/v1/replays", people), replays::open)
        .with(Route::delete("/api/v1/replays/{id}", people), replays::close)
        .with(Route::get("/api/v1/drills", staff, nothing), drills::list)
        .with(Route::post("/api/v1/drills", directing).seeing(whole), drills::prepare)
        .with(Route::post("/api/v1/drills/{id}/stop", directing).acting_in(routes::WRITTEN), drills::stop)
        .with(Route::post("/api/v1/drills/{id}/enter", directing).acting_in(routes::WRITTEN), drills::enter)
}

/// What strangers may use. People sign in, walls are paired and phones report at the process's own hall alone.
fn outside(hall: &Hall) -> Routes {
    let page = |path| Route::get(path, Reach::Anyone, Sees::Nothing);
    let form = |path| Route::post(path, Reach::Anyone);
    let everywhere = Routes::default()
        .with(page("/healthz"), health::alive)
        .with(page("/readyz"), health::ready)
        .with(page("/"), site::door)
        .with(page("/wall"), site::main_wall)
        .with(page("/wall/"), site::main_wall)
        .with(page("/wall/{id}"), site::wall)
        .with(page("/desk"), site::desk)
        .with(page("/desk/case/{id}"), site::case)
        .with(page("/department"), site::department)
        .with(page("/department/case/{id}"), site::case_of_department)
        .with(page("/drill"), site::stage);
    if !hall.identity.is_home() {
        return everywhere;
    }
    everywhere
        .with(form("/api/v1/sign-in"), session::sign_in)
        .with(form("/api/v1/kiosk/ask"), session::kiosk_ask)
        .with(form("/api/v1/kiosk/claim"), session::kiosk_claim)
        .with(page("/osmand"), osmand::get)
        .with(form("/osmand"), osmand::post)
        .with(page("/sign-in"), session::sign_in_page)
        .with(page("/replay"), site::stage)
        .with(page("/replay/{id}"), site::replay)
        .with(page("/pair"), site::door)
        .with(page("/kiosks"), site::door)
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
