//! The door every request goes through: who asks, from where, and whether a browser was tricked into asking.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::audience::Audience;
use domain::role::Role;
use domain::world::WorldKind;

use super::Hall;
use super::commands::past_is_read_only;
use super::routes::{Found, Refusal, Table};
use crate::access::{AccessError, Actor, Pass, PathOf, Proof, Sight};
use crate::problem::Problem;
use crate::serve::seats::Seat;

/// Name of the session cookie.
pub const COOKIE: &str = "gridhall_session";
/// Header that proves that a write comes from our own page.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// What the door asks: who there is, and what each route declares.
#[derive(Clone)]
pub struct Door {
    pub hall: Hall,
    pub table: Arc<Table>,
    pub path_of: PathOf,
}

/// Lets a request in with its [`Actor`], and what it may see, as extensions, or answers 401, 403 or 405.
pub async fn identify(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let (actor, pass) = match prove(&door.hall, request.headers(), request.method()).await {
        Ok(proved) => proved,
        Err(problem) => return problem.into_response(),
    };
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    if let Some(refused) = refusal(&door, &actor, request.method(), &path) {
        return refused;
    }
    let seat = request.extensions().get::<Seat>();
    if seat.zip(sender(&request)).is_some_and(|(seat, sender)| !seat.prove(sender)) {
        return Problem::busy("too many connections from this address", 5).into_response();
    }
    let sight = Sight::new(&actor.name, actor.scope.clone(), door.path_of.clone());
    request.extensions_mut().insert(actor.scope.clone());
    request.extensions_mut().insert(Audience::of(&actor.roles));
    request.extensions_mut().insert(sight);
    request.extensions_mut().insert(actor);
    request.extensions_mut().insert(pass);
    next.run(request).await
}

/// The address a request comes from; none where it came over no connection, as in a test.
pub(super) fn sender(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

async fn prove(hall: &Hall, headers: &HeaderMap, method: &Method) -> Result<(Actor, Pass), Problem> {
    if let Some(token) = bearer(headers) {
        let actor = hall.access.find_token(token).await.map_err(silent)?.ok_or_else(unknown)?;
        return Ok((actor, hall.access.pass_of_token(token, &hall.at_door)));
    }
    let cookie = cookie(headers).ok_or_else(unknown)?;
    let actor =
        hall.access.find_cookie(cookie, hall.at_door.present()).await.map_err(silent)?.ok_or_else(unknown)?;
    let upgrade = headers.contains_key(header::UPGRADE);
    if upgrade || !is_safe(method) {
        check_origin(headers, &hall.config.server.origins)?;
    }
    if !upgrade && !is_safe(method) {
        check_csrf(&actor, headers)?;
    }
    Ok((actor, hall.access.pass_of_cookie(cookie, &hall.at_door)))
}

/// Nobody of this name is known, and the file that might know does not answer.
fn silent(error: AccessError) -> Problem {
    tracing::warn!(%error, "a token or session cannot be looked up");
    Problem::busy("the account file does not answer; try again in a few seconds", 3)
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
/// Ours is what the settings name, and the address itself the browser has connected to. A name other than `localhost`
/// must be in the settings: whoever owns a name can point it at this server, and `Host` then says that name.
pub fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), Problem> {
    let refused = || {
        metrics::counter!("gridhall_origin_refused_total").increment(1);
        let title =
            "the request comes from another site; a name or proxy must be in the setting server.origins";
        Problem::new(StatusCode::FORBIDDEN, "foreign_origin", title)
    };
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    // Without a proxy, which the settings would name, there is no TLS.
    let own = origin.strip_prefix("http://").is_some_and(|authority| authority.eq_ignore_ascii_case(host));
    let reached = own && is_own_address(host);
    if reached || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Whether a `Host` is an IP address or `localhost`, with or without a port.
fn is_own_address(host: &str) -> bool {
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else { return false };
    let name = authority.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
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

/// Asks the route's declaration. A route that declares nothing is nobody's.
fn refusal(door: &Door, actor: &Actor, method: &Method, path: &str) -> Option<Response> {
    let kind = door.hall.identity.kind;
    let route = match door.table.find(method, path) {
        Found::Declared(route) => route,
        Found::OtherMethod(allowed) => {
            let title = "this address does not take this method; see the header Allow";
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title);
            return Some(([(header::ALLOW, allowed)], problem).into_response());
        }
        Found::Undeclared => {
            tracing::error!(path, "a route declares neither who may use it nor what it shows");
            let title = "this address is open to nobody";
            return Some(Problem::new(StatusCode::FORBIDDEN, "not_allowed", title).into_response());
        }
    };
    if !route.acts_in.contains(&kind) {
        return Some(out_of_this_world(kind, method).into_response());
    }
    let only = |one: Role| actor.roles.iter().all(|role| *role == one);
    let (code, title) = match route.refuses(actor) {
        None if !door.hall.identity.is_home() && only(Role::Kiosk) => {
            ("not_allowed", "a wall kiosk stays at the wall of the city")
        }
        None => return None,
        Some(Refusal::OutOfScope) => {
            ("out_of_scope", "this tells of the whole city, and you see a part of it")
        }
        Some(Refusal::NotAllowed) if only(Role::Inspector) => {
            ("not_allowed", "an inspector's phone only reports positions")
        }
        Some(Refusal::NotAllowed) if only(Role::Kiosk) => {
            ("not_allowed", "a wall kiosk only reads what a wall shows")
        }
        Some(Refusal::NotAllowed) => ("not_allowed", "your roles do not allow this"),
    };
    Some(Problem::new(StatusCode::FORBIDDEN, code, title).into_response())
}

/// What is there at home, and not in this world.
fn out_of_this_world(kind: WorldKind, method: &Method) -> Problem {
    let refused = |code, title| Problem::new(StatusCode::CONFLICT, code, title);
    match kind {
        WorldKind::Replay if is_safe(method) => {
            refused("past_not_kept", "复盘中没有实时画面；the past has no live pictures")
        }
        WorldKind::Replay => past_is_read_only(),
        WorldKind::Drill => refused("not_in_a_drill", "演练中不办理；this is not done in a drill"),
        WorldKind::Live | WorldKind::Demonstration => {
            refused("not_here", "本厅不办理；this is not done in this hall")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(origin: &str, host: &str, allowed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers.insert(header::HOST, host.parse().unwrap());
        let allowed: Vec<String> = allowed.iter().map(|&origin| origin.to_owned()).collect();
        check_origin(&headers, &allowed).is_ok()
    }

    #[test]
    fn a_page_of_the_own_address_or_a_named_origin_is_ours() {
        for host in
            ["127.0.0.1:8700", "localhost:8700", "LOCALHOST:8700", "[::1]:8700", "10.1.2.3", "10.1.2.3:80"]
        {
            assert!(checked(&format!("http://{host}"), host, &[]), "{host}");
        }
        // A proxy hands the name on, or its own idea of this server.
        assert!(checked("https://hall.example", "hall.example", &["https://hall.example"]));
        assert!(checked("https://hall.example", "127.0.0.1:8700", &["https://hall.example"]));
        assert!(checked("http://hall.local:8700", "hall.local:8700", &["http://hall.local:8700"]));
    }

    #[test]
    fn a_name_pointed_at_this_server_is_not_ours() {
        for (origin, host) in [
            ("http://evil.example", "evil.example"),
            ("http://evil.example:8700", "evil.example:8700"),
            ("http://evil.example", "127.0.0.1:8700"),
            ("https://127.0.0.1:8700", "127.0.0.1:8700"),
            ("http://127.0.0.1:8701", "127.0.0.1:8700"),
            ("http://localhost.evil.example", "localhost.evil.example"),
            ("http://127.0.0.1.evil.example", "127.0.0.1.evil.example"),
            ("http://user@127.0.0.1:8700", "user@127.0.0.1:8701"),
            ("null", "127.0.0.1:8700"),
        ] {
            assert!(!checked(origin, host, &["https://hall.example"]), "{origin} {host}");
        }
    }
}
