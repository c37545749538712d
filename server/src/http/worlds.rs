//! The way to the worlds beside the process's own hall.
//!
//! What should not be here: which worlds there are (`crate::world`), how one is opened and driven (the room of its kind).

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use tower::ServiceExt;

use crate::problem::Problem;
use crate::world::{Found, PREFIX, Worlds};

/// The process's own hall, and below `/world/{id}` the others, each with a router of its own. Before any route is looked up, so
/// that within a world every address is as it is at home.
pub fn beside(home: Router, worlds: Worlds) -> Router {
    let way = tower::service_fn(move |request: Request<Body>| {
        let (home, worlds) = (home.clone(), worlds.clone());
        async move {
            let Some((id, uri)) = within(request.uri()) else { return home.oneshot(request).await };
            match worlds.find(&id) {
                Found::Open(open) => {
                    let mut request = request;
                    *request.uri_mut() = uri;
                    open.router().oneshot(request).await
                }
                Found::Gone => Ok::<Response, Infallible>(gone(uri.path())),
            }
        }
    });
    Router::new().fallback_service(way)
}

/// The world an address is in, and the address as it is there.
fn within(uri: &Uri) -> Option<(String, Uri)> {
    let (id, rest) = uri.path().strip_prefix(PREFIX).map(|rest| match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    })?;
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let inside = format!("{rest}{query}").parse().ok()?;
    Some((id.to_owned(), inside))
}

/// A world that was closed, or never was: said in words, never an empty hall.
fn gone(path: &str) -> Response {
    if path.starts_with("/api/") || path == "/live" {
        let title = "this replay or drill is over, or there never was one; 该复盘或演练已结束";
        return Problem::new(StatusCode::GONE, "world_gone", title).into_response();
    }
    let page = Html(GONE_PAGE);
    let mut answer = (StatusCode::GONE, page).into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    answer
}

const GONE_PAGE: &str = "<!doctype html>
<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">
<title>已结束 · Over</title></head>
<body style=\"margin:0;min-height:100vh;display:grid;place-content:center;text-align:center;font:18px/1.8 sans-serif;background:#0b1420;color:#e6edf5\">
<main><h1>该复盘或演练已结束</h1><p lang=\"en\">This replay or drill is over.</p>
<p><a style=\"color:#7fb8ff\" href=\"/wall\">实况大屏 <span lang=\"en\">live wall</span></a> · \
<a style=\"color:#7fb8ff\" href=\"/desk\">实况坐席 <span lang=\"en\">live desk</span></a></p></main></body></html>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_a_world_is_the_address_at_home_behind_it() {
        let told = |address: &str| within(&address.parse().unwrap()).map(|(id, uri)| (id, uri.to_string()));
        let of = |id: &str, inside: &str| Some((id.to_owned(), inside.to_owned()));
        assert_eq!(told("/world/drill-1/api/v1/cases?limit=1"), of("drill-1", "/api/v1/cases?limit=1"));
        assert_eq!(told("/world/drill-1/"), of("drill-1", "/"));
        assert_eq!(told("/world/drill-1"), of("drill-1", "/"));
        assert_eq!(told("/world//wall"), of("", "/wall"));
        assert_eq!(told("/worlds/drill-1"), None);
        assert_eq!(told("/api/v1/cases"), None);
    }

    #[test]
    fn a_world_that_is_gone_says_so_to_programs_and_to_people() {
        assert_eq!(gone("/api/v1/tally").status(), StatusCode::GONE);
        assert_eq!(gone("/wall/main").status(), StatusCode::GONE);
        assert_eq!(gone("/live").headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
