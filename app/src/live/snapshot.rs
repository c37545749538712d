//! What the live client asks over HTTP: a topic's snapshot, and whether the session still holds.

use domain::answer::SessionAnswer;
use domain::wire::{KIND_MESSAGE, Snapshot, Topic};
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, ApiError};

/// Calls `done` with the topic's newest snapshot.
pub fn take(topic: Topic, done: impl FnOnce(Result<Snapshot, ApiError>) + 'static) {
    spawn_local(async move {
        let bytes = api::get_bytes(&format!("/api/v1/live/snapshot?topic={topic}")).await;
        done(bytes.and_then(|bytes| {
            let body = bytes.strip_prefix(&[KIND_MESSAGE]).unwrap_or(&bytes);
            postcard::from_bytes(body).map_err(|error| ApiError::Unreadable(error.to_string()))
        }));
    });
}

/// Calls `out` when the server answers that nobody is signed in: then reconnecting alone will not help.
pub fn whether_signed_out(out: impl FnOnce() + 'static) {
    spawn_local(async move {
        if api::get_json::<SessionAnswer>("/api/v1/session").await.is_err_and(|error| error.is_signed_out()) {
            out();
        }
    });
}
