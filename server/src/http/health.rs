//! Whether the server lives, is ready, and how it does.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Hall;

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the log is read, screens may connect, commands are stored, and the account file can be written.
pub async fn ready(State(hall): State<Hall>) -> (StatusCode, String) {
    let not_yet = |words: &str| (StatusCode::SERVICE_UNAVAILABLE, words.to_owned());
    match (hall.hub.started(), hall.writer.is_full(), hall.access.trouble()) {
        (false, _, _) => not_yet("starting"),
        (true, true, _) => not_yet("the disk is full: commands are refused"),
        (true, false, Some(why)) => not_yet(&format!(
            "the account file cannot be written: accounts and tokens cannot be changed, all else goes on: {why}"
        )),
        (true, false, None) => (StatusCode::OK, "ready".to_owned()),
    }
}

/// `GET /metrics` in the text form of Prometheus.
pub async fn metrics(State(hall): State<Hall>) -> impl IntoResponse {
    let text = hall.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// Counts and times requests by route, never by address: addresses carry ids.
pub async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("files", MatchedPath::as_str).to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("gridhall_http_requests_total", "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("gridhall_http_seconds", "route" => route).record(started.elapsed().as_secs_f64());
    response
}
