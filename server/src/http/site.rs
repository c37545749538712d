//! The built user interface, with the headers that keep a page from loading anything else.

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::world::WorldId;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use super::Hall;
use crate::world::Identity;

/// What a page may do: load from here, run our WASM, draw pictures it made itself. Nothing else.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; font-src 'self'; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

/// How long a file may be kept whose name changes with what it holds: as long as a browser keeps anything.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Asked for anew each time, answered with 304 when unchanged.
const FRESH: HeaderValue = HeaderValue::from_static("no-cache");
/// Digits of the hash in such a name; `site/src/names.rs` gives them.
const HASH_DIGITS: usize = 16;

/// Files of the site folder. Pages are asked for anew each time and name their scripts, style and programme by what these
/// hold: after an upgrade no browser mixes an old script with a new page, and an old page finds nothing under the old
/// names. An address that leads nowhere gets the page that says so.
pub fn files(hall: &Hall) -> Router {
    let files = ServeDir::new(&hall.config.server.site)
        // Made beforehand: nothing is compressed when a stranger asks.
        .precompressed_br()
        .precompressed_gzip()
        .append_index_html_on_directories(false)
        .not_found_service(get(nowhere).with_state(hall.clone()));
    Router::new().fallback_service(files).layer(middleware::from_fn(keep))
}

/// Says how long a browser may keep the answer without asking again.
async fn keep(request: Request, next: Next) -> Response {
    let lasts = changes_its_name(request.uri().path());
    let mut answer = next.run(request).await;
    let was_found = answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED;
    let how_long = if lasts && was_found { FOR_EVER } else { FRESH };
    answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(how_long);
    answer
}

/// Whether another content would have another address: a hash of it in the name, or the version of what others wrote.
fn changes_its_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let hash = stem.rsplit_once('-').map_or("", |(_, hash)| hash);
    let is_hashed = hash.len() == HASH_DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hashed || path.starts_with("/vendor/")
}

/// The programmes of the user interface, each with a page of its own: no screen loads another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Programme {
    Wall,
    Desk,
    /// The seat of an answering department.
    Department,
    /// Choosing and driving replays.
    Stage,
    /// Start, sign-in, pairing of walls.
    Door,
}

impl Programme {
    pub(super) fn page(self) -> &'static str {
        match self {
            Self::Wall => "wall.html",
            Self::Desk => "desk.html",
            Self::Department => "department.html",
            Self::Stage => "stage.html",
            Self::Door => "door.html",
        }
    }
}

/// A programme's page.
pub async fn index(hall: &Hall, programme: Programme) -> Response {
    let path = hall.config.server.site.join(programme.page());
    match tokio::fs::read_to_string(&path).await {
        Ok(page) => {
            let page = told_its_world(&page, &hall.identity);
            ([(header::CACHE_CONTROL, FRESH)], Html(page)).into_response()
        }
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the user interface is not built");
            let words =
                "The user interface is not built: run `cargo xtask site`, or set server.site. 界面尚未构建。";
            (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
        }
    }
}

/// The page with what it must know of its world before it asks anybody: attributes of its first element.
fn told_its_world(page: &str, identity: &Identity) -> String {
    let (kind, base) = (identity.kind.key(), identity.base());
    let title = escaped(&identity.title);
    let told = format!("<html data-world=\"{kind}\" data-base=\"{base}\" data-title=\"{title}\" ");
    page.replacen("<html ", &told, 1)
}

/// Text as the value of an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Adds the protective headers to every answer.
pub fn protect<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    router
        .layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::X_FRAME_OPTIONS, "SAMEORIGIN"))
        .layer(fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
}

/// `GET` of a wall's address.
pub async fn wall(State(hall): State<Hall>) -> Response {
    index(&hall, Programme::Wall).await
}

/// `GET` of a case's page at the desk.
pub async fn case(State(hall): State<Hall>, Path(id): Path<String>) -> Response {
    page_of_case(&hall, Programme::Desk, &id).await
}

/// `GET` of a case's page at the seat of its department.
pub async fn case_of_department(State(hall): State<Hall>, Path(id): Path<String>) -> Response {
    page_of_case(&hall, Programme::Department, &id).await
}

/// What cannot be a case is no page; whether there is such a case the page says.
async fn page_of_case(hall: &Hall, programme: Programme, id: &str) -> Response {
    match id.parse::<u64>() {
        Ok(_) => index(hall, programme).await,
        Err(_) => lost(hall).await,
    }
}

/// The page that says that nothing is here.
async fn lost(hall: &Hall) -> Response {
    let page = index(hall, Programme::Door).await;
    if page.status() == StatusCode::OK { (StatusCode::NOT_FOUND, page).into_response() } else { page }
}

/// `GET` of the desk's addresses.
pub async fn desk(State(hall): State<Hall>) -> Response {
    index(&hall, Programme::Desk).await
}

/// `GET` of the seat of a department.
pub async fn department(State(hall): State<Hall>) -> Response {
    index(&hall, Programme::Department).await
}

/// `GET` of the page that chooses a replay.
pub async fn stage(State(hall): State<Hall>) -> Response {
    index(&hall, Programme::Stage).await
}

/// `GET` of the page that drives a replay. What names no world is no page; whether it is open the page says.
pub async fn replay(State(hall): State<Hall>, Path(id): Path<String>) -> Response {
    match id.parse::<WorldId>() {
        Ok(_) => index(&hall, Programme::Stage).await,
        Err(_) => lost(&hall).await,
    }
}

/// `GET` of the addresses that lead in.
pub async fn door(State(hall): State<Hall>) -> Response {
    index(&hall, Programme::Door).await
}

/// `GET /wall`: the wall every hall has, in the language and from the place its address says.
pub async fn main_wall(State(hall): State<Hall>, RawQuery(query): RawQuery) -> Redirect {
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Redirect::temporary(&format!("{}/wall/main{query}", hall.identity.base()))
}

/// Nothing is there, which the page says in words. A script or picture that is missing is no page.
async fn nowhere(State(hall): State<Hall>, uri: Uri) -> Response {
    let is_file = uri.path().rsplit('/').next().is_some_and(|name| name.contains('.'));
    if is_file { StatusCode::NOT_FOUND.into_response() } else { index(&hall, Programme::Door).await }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::world::WorldKind;

    #[test]
    fn a_page_is_told_its_world_and_a_title_stays_a_title() {
        let identity = Identity {
            kind: WorldKind::Drill,
            id: Some("drill-1".to_owned()),
            title: "\"><script>".to_owned(),
        };
        let page = told_its_world("<!doctype html>\n<html lang=\"zh-CN\" data-build=\"b\">", &identity);
        let expected = "<!doctype html>\n<html data-world=\"drill\" data-base=\"/world/drill-1\" \
            data-title=\"&quot;&gt;&lt;script&gt;\" lang=\"zh-CN\" data-build=\"b\">";
        assert_eq!(page, expected);
    }

    #[test]
    fn only_what_changes_its_name_with_its_content_is_kept_for_ever() {
        for lasting in [
            "/pkg/wall_bg-0123456789abcdef.wasm",
            "/js/map-0123456789abcdef.js",
            "/vendor/maplibre/6.17.0/maplibre-gl.css",
        ] {
            assert!(changes_its_name(lasting), "{lasting}");
        }
        for fresh in [
            "/",
            "/wall.html",
            "/start.js",
            "/icon.svg",
            "/pkg/wall.js",
            "/map/a-0123.json",
            "/x-0123456789abcdeg.js",
            "/names.json",
        ] {
            assert!(!changes_its_name(fresh), "{fresh}");
        }
    }
}
