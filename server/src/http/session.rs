//! Signing in and out, tokens, and pairing wall kiosks.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Query as RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json as Answer};
use domain::answer::{ClaimAnswer, PairedAnswer, SessionAnswer, TokenAnswer};
use domain::code::DepartmentCode;
use domain::grant::Grant;
use domain::role::Role;
use domain::scope::Scope;
use serde::{Deserialize, Serialize};

use super::Hall;
use super::door::{COOKIE, check_origin, cookie};
use crate::access::{
    AccessError, Actor, Doer, Kiosk, NewToken, PairingRefused, Proof, Secret, SignInError, Taken,
};
use crate::engine::has_no_room;
use crate::http::extract::{Json, Path};
use crate::problem::Problem;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    name: String,
    password: String,
}

fn session_of(actor: &Actor) -> SessionAnswer {
    let csrf = match &actor.by {
        Proof::Session { csrf } => csrf.clone(),
        Proof::Token => String::new(),
    };
    SessionAnswer {
        name: actor.name.clone(),
        roles: actor.roles.clone(),
        department: actor.department.clone(),
        scope: actor.scope.clone(),
        may: actor.may.clone(),
        powers_withheld: actor.powers_withheld,
        csrf,
    }
}

/// Signs in with name and password; sets the session cookie.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "access", security(()), request_body = SignIn,
    responses((status = 200, body = SessionAnswer), (status = 403, body = Problem), (status = 401, body = Problem), (status = 429, body = Problem),
        (status = 503, body = Problem)))]
pub async fn sign_in(
    State(hall): State<Hall>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(form): Json<SignIn>,
) -> Result<Response, Problem> {
    check_origin(&headers, &hall.config.server.origins)?;
    if form.password.len() > 1_000 {
        return Err(Problem::bad_request("password", "longer than any password"));
    }
    let signed = hall.access.sign_in(&form.name, &form.password, peer.ip(), hall.at_door.present()).await;
    let secret = signed.map_err(|error| match error {
        SignInError::Wrong => Problem::new(StatusCode::UNAUTHORIZED, "wrong_credentials", error.to_string()),
        SignInError::Locked { seconds } => Problem {
            retry_after: u32::try_from(seconds).ok(),
            ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "locked", error.to_string())
        },
        SignInError::Busy => Problem::busy(error.to_string(), 3),
        SignInError::Broken(source) => access_problem(source),
    })?;
    let actor = hall.access.by_cookie(secret.expose(), hall.at_door.present());
    let session = actor.as_ref().map(session_of);
    Ok((set_cookie(&hall, &secret), Answer(session)).into_response())
}

#[derive(Deserialize)]
pub struct Once {
    once: Option<String>,
}

/// `GET /sign-in`: redeems a one-time link; without one, the page that asks for name and password.
pub async fn sign_in_page(State(hall): State<Hall>, RawQuery(query): RawQuery<Once>) -> Response {
    let Some(once) = query.once else { return super::site::door(State(hall)).await };
    match hall.access.redeem(&once, hall.at_door.present()).await {
        // The secret must not stay in the address bar.
        Ok(Some(secret)) => (set_cookie(&hall, &secret), Redirect::to("/")).into_response(),
        Ok(None) => Redirect::to("/sign-in?link=spent").into_response(),
        Err(error) => access_problem(error).into_response(),
    }
}

fn set_cookie(hall: &Hall, secret: &Secret) -> [(header::HeaderName, HeaderValue); 2] {
    let secure = if hall.config.server.secure_cookies { "; Secure" } else { "" };
    let days = 400 * 86_400;
    let text =
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={days}{secure}", secret.expose());
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    [(header::SET_COOKIE, value), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}

/// Who is signed in, and the CSRF token of the session.
#[utoipa::path(get, path = "/api/v1/session", tag = "access", responses((status = 200, body = SessionAnswer), (status = 401, body = Problem)))]
pub async fn session(Extension(actor): Extension<Actor>) -> Answer<SessionAnswer> {
    Answer(session_of(&actor))
}

/// Ends the session.
#[utoipa::path(post, path = "/api/v1/sign-out", tag = "access", responses((status = 204)))]
pub async fn sign_out(State(hall): State<Hall>, headers: HeaderMap) -> Response {
    if let Some(cookie) = cookie(&headers)
        && let Err(error) = hall.access.sign_out(cookie).await
    {
        tracing::error!(%error, "signed out in memory; the account file does not know it yet");
    }
    let gone = HeaderValue::from_static("gridhall_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenForm {
    /// Name in the event log.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// `machine`, `kiosk` or `inspector`; an inspector's token is named by the inspector's code.
    #[schema(inline)]
    role: Role,
    /// What can be seen with it; of an inspector's, where the inspector works. By default what its maker sees.
    scope: Option<Scope>,
    /// What a machine may do; by default `report`, `locate` and `read`.
    may: Option<BTreeSet<Grant>>,
    /// The one department a machine acts for.
    #[schema(value_type = Option<String>)]
    department: Option<DepartmentCode>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct MadeToken {
    name: String,
    /// Shown once; only its hash is kept.
    secret: String,
}

/// Makes a named token for a machine, an inspector's phone or a kiosk.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "access", request_body = TokenForm,
    responses((status = 200, body = MadeToken), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn make_token(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Json(form): Json<TokenForm>,
) -> Result<Answer<MadeToken>, Problem> {
    if !matches!(form.role, Role::Machine | Role::Kiosk | Role::Inspector) {
        return Err(Problem::bad_request("role", "expected machine, kiosk or inspector"));
    }
    let modest = || (form.role == Role::Machine).then(|| Grant::MODEST.into());
    let new = NewToken {
        scope: handed_on(&hall, &actor, form.scope)?,
        may: form.may.or_else(modest),
        name: form.name.clone(),
        role: form.role,
        department: form.department,
    };
    let made = hall.access.make_token_noted(doer(&hall, &actor), new, false);
    let secret = made.await.map_err(access_problem)?;
    tracing::info!(by = actor.name, name = form.name, "token made");
    Ok(Answer(MadeToken { name: form.name, secret: secret.expose().to_owned() }))
}

/// Nobody hands on more than they see.
fn handed_on(hall: &Hall, actor: &Actor, asked: Option<Scope>) -> Result<Scope, Problem> {
    let Some(scope) = asked else { return Ok(actor.scope.clone()) };
    let catalogue = hall.mirror.read(|view| view.catalogue.clone());
    if let Scope::Within { areas, departments: _ } = &scope
        && let Some(unknown) = areas.iter().find(|area| !catalogue.areas.contains_key(*area))
    {
        return Err(Problem::bad_request("scope", format!("no area `{unknown}`")));
    }
    if within(hall, actor, &scope) {
        return Ok(scope);
    }
    let title = "this is more than you see yourself";
    Err(Problem::new(StatusCode::FORBIDDEN, "out_of_scope", title).at("scope"))
}

fn within(hall: &Hall, actor: &Actor, scope: &Scope) -> bool {
    let catalogue = hall.mirror.read(|view| view.catalogue.clone());
    scope.is_within(&actor.scope, |area| catalogue.path(area))
}

/// For `gridhall account history`.
fn doer<'a>(hall: &Hall, actor: &'a Actor) -> Doer<'a> {
    Doer { by: &actor.name, now: hall.at_door.now() }
}

fn access_problem(error: AccessError) -> Problem {
    match &error {
        AccessError::Taken(_) => Problem::new(StatusCode::CONFLICT, "taken", error.to_string()).at("name"),
        AccessError::Invalid(_) => Problem::bad_request("name", error.to_string()),
        AccessError::Scope(_) => Problem::bad_request("scope", error.to_string()),
        AccessError::May(_) => Problem::bad_request("may", error.to_string()),
        AccessError::BothPowers(_) => {
            Problem::new(StatusCode::FORBIDDEN, "powers_apart", error.to_string()).at("may")
        }
        AccessError::Slow => Problem::busy(error.to_string(), 3),
        AccessError::Sql(said) if has_no_room(said) => {
            let title = "the disk is full: the account file cannot be written; nothing was changed";
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, "not_stored", title)
        }
        AccessError::Open { .. }
        | AccessError::NoRoom { .. }
        | AccessError::Orphaned { .. }
        | AccessError::Version { .. }
        | AccessError::Sql(_)
        | AccessError::Hash(_)
        | AccessError::Gone
        | AccessError::Thread(_) => Problem::internal("cannot change accounts or tokens", &error),
    }
}

/// Names of all tokens, without secrets.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "access", responses((status = 200, body = Vec<TokenAnswer>)))]
pub async fn tokens(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
) -> Result<Answer<Vec<TokenAnswer>>, Problem> {
    let mut tokens = hall.access.tokens().await.map_err(access_problem)?;
    tokens.retain(|token| within(&hall, &actor, &token.scope));
    Ok(Answer(tokens))
}

/// What holds, and what is still to come.
#[derive(Serialize, utoipa::ToSchema)]
struct NotWritten {
    /// For people: what holds until then, and why.
    title: String,
}

/// Revokes a token at once. Answers 202 while the account file cannot be written: the token is refused from now on, and
/// the file will say so as soon as it can; a restart before that would let it in again.
#[utoipa::path(delete, path = "/api/v1/tokens/{name}", tag = "access", params(("name" = String, Path)),
    responses((status = 204), (status = 202, body = NotWritten), (status = 404, body = Problem)))]
pub async fn revoke(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let none = || Problem::not_found(format!("no token `{name}`"));
    if hall.access.token_scope(&name).is_some_and(|scope| !within(&hall, &actor, &scope)) {
        return Err(none());
    }
    let taken = hall.access.revoke(doer(&hall, &actor), &name).await.map_err(access_problem)?;
    let taken = taken.ok_or_else(none)?;
    tracing::info!(by = actor.name, name, ?taken, "token revoked");
    Ok(match taken {
        Taken::Written => StatusCode::NO_CONTENT.into_response(),
        Taken::InForce { why } => {
            let title = format!("revoked; not yet written down, so do not restart the server: {why}");
            (StatusCode::ACCEPTED, Answer(NotWritten { title })).into_response()
        }
    })
}

/// A wall kiosk asks for a code to show.
#[utoipa::path(post, path = "/api/v1/kiosk/ask", tag = "access", security(()), responses((status = 200, body = ClaimAnswer), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn kiosk_ask(
    State(hall): State<Hall>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Answer<ClaimAnswer>, Problem> {
    // A browser says from which page it asks; a page of somebody else has no wall here.
    if headers.contains_key(header::ORIGIN) {
        check_origin(&headers, &hall.config.server.origins)?;
    }
    hall.access.ask_pairing(peer.ip(), hall.at_door.now()).map(Answer).map_err(pairing_problem)
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The six digits on the wall.
    code: String,
    /// Name of the kiosk in lists and logs.
    name: String,
    /// Which wall it shows.
    wall: String,
    /// What may be seen on it; by default what the operator sees.
    scope: Option<Scope>,
}

/// An operator approves the code shown on a wall.
#[utoipa::path(post, path = "/api/v1/kiosk/approve", tag = "access", request_body = Approve,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 410, body = Problem)))]
pub async fn kiosk_approve(
    State(hall): State<Hall>,
    Extension(actor): Extension<Actor>,
    Json(form): Json<Approve>,
) -> Result<StatusCode, Problem> {
    if hall.walls.wall(&form.wall).is_none() {
        let walls: Vec<&str> = hall.walls.walls.iter().map(|wall| wall.id.as_str()).collect();
        return Err(Problem::bad_request("wall", format!("no such wall; there are: {}", walls.join(", "))));
    }
    let scope = handed_on(&hall, &actor, form.scope)?;
    let kiosk = Kiosk { name: form.name.clone(), wall: form.wall, scope };
    let approved = hall.access.approve_pairing(doer(&hall, &actor), &form.code, kiosk);
    approved.await.map_err(pairing_problem)?;
    tracing::info!(by = actor.name, name = form.name, "kiosk paired");
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claimed {
    claim: String,
}

/// The kiosk asks whether it was approved; on approval it gets its cookie.
#[utoipa::path(post, path = "/api/v1/kiosk/claim", tag = "access", security(()), request_body = Claimed,
    responses((status = 200, body = PairedAnswer), (status = 202, body = PairedAnswer), (status = 410, body = Problem)))]
pub async fn kiosk_claim(State(hall): State<Hall>, Json(form): Json<Claimed>) -> Result<Response, Problem> {
    match hall.access.claim_pairing(&form.claim, hall.at_door.now()).await.map_err(pairing_problem)? {
        None => {
            Ok((StatusCode::ACCEPTED, Answer(PairedAnswer { paired: false, wall: None })).into_response())
        }
        Some((secret, wall)) => {
            let answer = Answer(PairedAnswer { paired: true, wall: Some(wall) });
            Ok((set_cookie(&hall, &secret), answer).into_response())
        }
    }
}

fn pairing_problem(error: PairingRefused) -> Problem {
    let words = error.to_string();
    match error {
        PairingRefused::Full => Problem { code: "pairing_full".to_owned(), ..Problem::busy(words, 60) },
        PairingRefused::Guessing => Problem::busy(words, 60),
        PairingRefused::NamePending => Problem::new(StatusCode::CONFLICT, "taken", words).at("name"),
        PairingRefused::UnknownCode => Problem::not_found(words).at("code"),
        PairingRefused::Expired => Problem::new(StatusCode::GONE, "expired", words),
        PairingRefused::Broken(source) => access_problem(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_such_and_not_as_a_fault() {
        let said =
            |code| AccessError::Sql(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR_SHMSIZE] {
            let problem = access_problem(said(code));
            assert_eq!((problem.status, problem.code.as_str()), (507, "not_stored"));
        }
        assert_eq!(access_problem(said(rusqlite::ffi::SQLITE_CORRUPT)).status, 500);
    }
}
