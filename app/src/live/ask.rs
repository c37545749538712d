//! What the live client asks over HTTP: a topic's snapshot, and whether the session still holds.

use domain::answer::SessionAnswer;
use domain::scope::Scope;
use domain::wire::{KIND_MESSAGE, Snapshot, Topic};
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, ApiError};

/// Calls `done` with the topic's newest snapshot.
pub fn snapshot(topic: Topic, done: impl FnOnce(Result<Snapshot, ApiError>) + 'static) {
    spawn_local(async move {
        let bytes = api::get_bytes(&format!("/api/v1/live/snapshot?topic={topic}")).await;
        done(bytes.and_then(|bytes| {
            let body = bytes.strip_prefix(&[KIND_MESSAGE]).unwrap_or(&bytes);
            postcard::from_bytes(body).map_err(|error| ApiError::Unreadable(error.to_string()))
        }));
    });
}

/// What the server says to a page that wants to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// It holds, and sees this much.
    Open(Scope),
    /// Nobody is signed in: reconnecting alone will not help.
    SignedOut,
    /// The world this page is of was closed.
    Gone,
    /// The server is away, or not ready.
    NoAnswer,
}

/// Calls `done` with whether the server is there and the session holds.
pub fn session(done: impl FnOnce(Session) + 'static) {
    spawn_local(async move {
        done(match api::get_json::<SessionAnswer>("/api/v1/session").await {
            Ok(session) => Session::Open(session.scope),
            Err(error) if error.is_signed_out() => Session::SignedOut,
            Err(ApiError::Refused { status: 410, .. }) => Session::Gone,
            Err(_) => Session::NoAnswer,
        });
    });
}
