//! The door every request goes through: who asks, from where, and whether a browser was tricked into asking.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::role::Role;

use super::Hall;
use crate::access::{Actor, Pass, Proof};
use crate::clock;
use crate::problem::Problem;

/// Name of the session cookie.
pub const COOKIE: &str = "gridhall_session";
/// Header that proves that a write comes from our own page.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Lets a request in with its [`Actor`] as an extension, or answers 401 or 403.
pub async fn identify(State(hall): State<Hall>, mut request: Request, next: Next) -> Response {
    let (actor, pass) = match prove(&hall, &request) {
        Ok(proved) => proved,
        Err(problem) => return problem.into_response(),
    };
    if let Err(problem) = check_reach(&actor, request.method(), request.uri().path()) {
        return problem.into_response();
    }
    request.extensions_mut().insert(actor);
    request.extensions_mut().insert(pass);
    next.run(request).await
}

fn prove(hall: &Hall, request: &Request) -> Result<(Actor, Pass), Problem> {
    let headers = request.headers();
    if let Some(token) = bearer(headers) {
        let actor = hall.access.by_token(token).ok_or_else(unknown)?;
        return Ok((actor, hall.access.pass_of_token(token)));
    }
    let cookie = cookie(headers).ok_or_else(unknown)?;
    let actor = hall.access.by_cookie(cookie, clock::now()).ok_or_else(unknown)?;
    let upgrade = headers.contains_key(header::UPGRADE);
    if upgrade || !is_safe(request.method()) {
        check_origin(headers, &hall.config.server.origins)?;
    }
    if !upgrade && !is_safe(request.method()) {
        check_csrf(&actor, headers)?;
    }
    Ok((actor, hall.access.pass_of_cookie(cookie)))
}

fn unknown() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "sign_in_required", "sign in first, or send a valid token")
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The token of an `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// The session cookie's value.
#[must_use]
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Cookies travel with sockets of any page, so the Origin must be ours: `SameSite` alone does not protect sockets.
pub fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), Problem> {
    let refused = || {
        metrics::counter!("gridhall_origin_refused_total").increment(1);
        Problem::new(StatusCode::FORBIDDEN, "foreign_origin", "the request comes from another site")
    };
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let own = origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
    if own || allowed.iter().any(|allowed| allowed == origin) { Ok(()) } else { Err(refused()) }
}

fn check_csrf(actor: &Actor, headers: &HeaderMap) -> Result<(), Problem> {
    let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    match &actor.by {
        Proof::Session { csrf } if !csrf.is_empty() && sent == Some(csrf.as_str()) => Ok(()),
        Proof::Token => Ok(()),
        Proof::Session { .. } => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "the X-CSRF-Token header is missing or wrong; GET /api/v1/session gives it",
        )),
    }
}

/// A kiosk reads what a wall shows and nothing else; a phone reports positions and nothing else.
fn check_reach(actor: &Actor, method: &Method, path: &str) -> Result<(), Problem> {
    const KIOSK_READS: [&str; 14] = [
        "/live",
        "/api/v1/live/",
        "/api/v1/video",
        "/api/v1/cameras",
        "/api/v1/cases",
        "/api/v1/tally",
        "/api/v1/overdue",
        "/api/v1/whistles",
        "/api/v1/positions",
        "/api/v1/catalogue",
        "/api/v1/definitions",
        "/api/v1/session",
        "/api/v1/map",
        "/api/v1/events",
    ];
    let only_kiosk = actor.roles.iter().all(|role| *role == Role::Kiosk);
    let only_inspector = actor.roles.iter().all(|role| *role == Role::Inspector);
    if only_inspector && !(method == Method::POST && path == "/api/v1/positions") {
        let title = "an inspector's phone only reports positions";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
    }
    if only_kiosk && !(is_safe(method) && KIOSK_READS.iter().any(|prefix| path.starts_with(prefix))) {
        let title = "a wall kiosk only reads what a wall shows";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title));
    }
    Ok(())
}

/// Asks for a role.
pub fn require(actor: &Actor, role: Role) -> Result<(), Problem> {
    if actor.has(role) {
        return Ok(());
    }
    let title = format!("this needs the role {role:?}").to_lowercase();
    Err(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title))
}
