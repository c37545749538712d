//! Whether the server lives, is ready, and how it does.

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use domain::rejection::Rejection;

use super::Hall;
use crate::access::Actor;
use crate::clock::{self, Clock};
use crate::problem::{Problem, language};

/// `GET /healthz`: the process answers.
pub async fn alive() -> &'static str {
    "ok"
}

/// `GET /readyz`: the log is read, screens may connect, commands are stored, the store is kept, and the account file and
/// positions can be written.
pub async fn ready(State(hall): State<Hall>) -> (StatusCode, String) {
    let not_yet = |words: &str| (StatusCode::SERVICE_UNAVAILABLE, words.to_owned());
    if !hall.hub.started() {
        return not_yet("starting");
    }
    if let Some(words) = no_time(&hall.clock) {
        return not_yet(words);
    }
    if hall.writer.is_full() {
        return not_yet("the disk is full: commands are refused");
    }
    if let Some(why) = hall.access.trouble() {
        return not_yet(&format!(
            "the account file cannot be written: accounts and tokens cannot be changed, all else goes on: {why}"
        ));
    }
    if let Some(why) = hall.positions.trouble() {
        return not_yet(&format!(
            "positions cannot be written: they are refused and phones keep theirs, all else goes on: {why}"
        ));
    }
    // Everything else goes on, so nobody is sent away.
    match hall.writer.keeping() {
        Some(problem) => (StatusCode::OK, format!("{}; {problem}", ready_words(&hall))),
        None => (StatusCode::OK, ready_words(&hall)),
    }
}

/// A new hall by a clock beyond 2199 refuses every command: it knew no other time.
fn no_time(clock: &Clock) -> Option<&'static str> {
    let words = "the machine's clock says a time beyond 2199 and no other is known: commands are refused until it is set right";
    (!clock.now().is_possible()).then_some(words)
}

/// Ready, and what is not as it should be all the same.
fn ready_words(hall: &Hall) -> String {
    let clock = match hall.writer.doubted_clock() {
        _ if hall.clock.is_off() => Some(
            "the machine's clock says a time beyond 2199: the hall goes on by the time it last knew, set the clock right".to_owned(),
        ),
        Some(ahead_ms) if ahead_ms > 0 => Some(format!(
            "the clock jumped ahead by {} s: alarms are held until it has stood",
            ahead_ms / 1_000
        )),
        Some(behind_ms) => Some(format!(
            "the clock was set back by {} s: the hall goes on without it until it has stood",
            -behind_ms / 1_000
        )),
        None => None,
    };
    let lists = match hall.lists.progress() {
        Some(progress) if progress.is_whole() => None,
        Some(progress) => Some(progress.words()),
        None => Some("closed cases are not in the lists: the views cannot be opened".to_owned()),
    };
    let said = std::iter::once("ready".to_owned()).chain(clock).chain(lists);
    said.collect::<Vec<_>>().join("; ")
}

/// An administrator says that the clock is right as it stands: alarms that are held go off. Of a clock beyond the year 2199
/// nobody can say that (409, `clock_off`).
#[utoipa::path(post, path = "/api/v1/clock/believe", tag = "hall",
    responses((status = 204), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn believe_clock(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    if hall.clock.is_off() {
        return Err(Problem::refused(&Rejection::ClockOff, language(&headers)));
    }
    tracing::warn!(by = actor.name, "the clock is believed at an administrator's word");
    hall.writer.believe_clock();
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /metrics` in the text form of Prometheus.
pub async fn metrics(State(hall): State<Hall>) -> impl IntoResponse {
    let text = hall.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// Counts and times requests by route, never by address: addresses carry ids.
pub async fn measure(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("files", MatchedPath::as_str).to_owned();
    let started = clock::instant();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("gridhall_http_requests_total", "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("gridhall_http_seconds", "route" => route).record(started.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
mod tests {
    use domain::moment::UtcMillis;

    use super::*;

    /// It was told that the hall goes on by the time it last knew, which it did not have.
    #[test]
    fn a_hall_that_knows_no_time_is_not_ready() {
        let beyond: Box<dyn Fn() -> UtcMillis + Send + Sync> = Box::new(|| UtcMillis::END);
        let clock = Clock::from(beyond);
        assert!(no_time(&clock).is_some());
        clock.knew(UtcMillis(0), false);
        assert_eq!(no_time(&clock), None, "it goes on by what it knew");
    }
}
