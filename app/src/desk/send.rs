//! Commands from the desk: sent with a key of their own, so that sending again after silence is safe.

use domain::command::Command;
use leptos::prelude::*;
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, ApiError};
use crate::hall::{Hall, monotonic_ms, use_hall};
use crate::session::{Session, Signed, use_session};

/// Where the last command stands. `what` is its name in the user's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Idle,
    Pending {
        what: String,
    },
    Done {
        what: String,
    },
    Refused {
        what: String,
        words: String,
    },
    /// No answer came: it may or may not have been carried out.
    Unsure {
        what: String,
    },
}

#[derive(Debug, Clone, Serialize)]
struct Envelope {
    key: String,
    /// Version of the case on which the user decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<u64>,
    command: Command,
}

/// A step is not taken sooner after the last one was answered: its button has become that of the next step.
const REST_MS: f64 = 1_000.0;

/// What has become of the place a command was sent from, and so what a second press there would mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The button of the next step.
    NextStep,
    /// It has gone: the press falls on whatever is there now.
    Gone,
    /// It stands as it stood.
    Stays,
}

/// Sends one command at a time.
#[derive(Clone, Copy)]
pub struct Sending {
    pub progress: RwSignal<Progress>,
    last: StoredValue<Option<(Envelope, String)>>,
    signed: Signed,
    hall: Hall,
    /// Counts commands that were carried out.
    pub done: RwSignal<u32>,
    /// Counts steps that were answered.
    pub stepped: RwSignal<u32>,
    /// What becomes of the place the command on its way was sent from.
    place: StoredValue<Place>,
    /// When what the next step would be may last have changed, by the page's own clock.
    changed: StoredValue<f64>,
}

impl Sending {
    pub fn new() -> Self {
        Self {
            progress: RwSignal::new(Progress::Idle),
            last: StoredValue::new(None),
            signed: use_session(),
            hall: use_hall(),
            done: RwSignal::new(0),
            stepped: RwSignal::new(0),
            place: StoredValue::new(Place::Stays),
            changed: StoredValue::new(f64::MIN),
        }
    }

    /// Sends the step of the case's stage. A second press meant for the step before is not heard.
    pub fn step(self, command: Command, seen: u64, what: String) {
        if monotonic_ms() - self.changed.get_value() >= REST_MS {
            self.send_from(Place::NextStep, command, Some(seen), what);
        }
    }

    /// Tracked: whether a command is on its way; another one is not taken meanwhile.
    pub fn is_busy(self) -> bool {
        self.progress.with(|progress| matches!(progress, Progress::Pending { .. }))
    }

    /// Untracked: reads the command that was sent last; with `done`, the one that was carried out.
    pub fn with_last(self, read: impl FnOnce(&Command)) {
        self.last.with_value(|last| {
            if let Some((envelope, _)) = last {
                read(&envelope.command);
            }
        });
    }

    /// What the next step would be has just changed on the screen.
    pub fn rest(self) {
        self.changed.set_value(monotonic_ms());
    }

    /// Sends unless another command is on its way. The form or button it was sent from goes, and a second press is no step.
    pub fn send(self, command: Command, what: String) {
        self.send_from(Place::Gone, command, None, what);
    }

    /// The same for what is decided on a case as it stands: the server refuses it when the case has moved on since.
    pub fn send_seen(self, command: Command, seen: u64, what: String) {
        self.send_from(Place::Stays, command, Some(seen), what);
    }

    fn send_from(self, place: Place, command: Command, seen: Option<u64>, what: String) {
        if untrack(|| self.is_busy()) {
            return;
        }
        self.place.set_value(place);
        if place == Place::Gone {
            self.rest();
        }
        let envelope = Envelope { key: new_key(self.hall.present().0), seen, command };
        self.post(envelope, what);
    }

    /// Sends the unanswered command again under the same key: it is carried out once, however often it arrives.
    pub fn resend(self) {
        if let (Progress::Unsure { .. }, Some((envelope, what))) =
            (self.progress.get_untracked(), self.last.get_value())
        {
            self.post(envelope, what);
        }
    }

    fn post(self, envelope: Envelope, what: String) {
        if untrack(|| self.is_busy()) {
            return;
        }
        let csrf = self.signed.with_untracked(|session| match session {
            Session::SignedIn(session) => Some(session.csrf.clone()),
            Session::Asking | Session::SignedOut => None,
        });
        self.last.set_value(Some((envelope.clone(), what.clone())));
        self.progress.set(Progress::Pending { what: what.clone() });
        spawn_local(async move {
            let answer = api::post_only("/api/v1/commands", &envelope, csrf.as_deref()).await;
            let progress = match answer {
                Ok(()) => Progress::Done { what },
                Err(ApiError::Refused { words, status, .. }) => {
                    let words = if words.is_empty() { status.to_string() } else { words };
                    Progress::Refused { what, words }
                }
                Err(ApiError::Unreachable | ApiError::Unreadable(_)) => Progress::Unsure { what },
            };
            let carried_out = matches!(progress, Progress::Done { .. });
            // The desk may have been left meanwhile.
            self.progress.try_set(progress);
            match self.place.try_get_value() {
                Some(Place::NextStep) => {
                    self.rest();
                    self.stepped.try_update(|stepped| *stepped = stepped.wrapping_add(1));
                }
                // The step's button has waited for the answer, and so may an impatient hand.
                Some(Place::Gone) => self.rest(),
                Some(Place::Stays) | None => {}
            }
            if carried_out {
                self.done.try_update(|done| *done = done.wrapping_add(1));
            }
        });
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_random(bytes: &js_sys::Uint8Array);
}

/// A new UUID of version 7. `randomUUID` is missing on pages that come over plain HTTP; `getRandomValues` is not.
fn new_key(now_ms: i64) -> String {
    let random = js_sys::Uint8Array::new_with_length(10);
    fill_random(&random);
    let mut bytes = [0; 10];
    random.copy_to(&mut bytes);
    uuid_v7(now_ms, bytes)
}

fn uuid_v7(now_ms: i64, random: [u8; 10]) -> String {
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&now_ms.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::uuid_v7;

    #[test]
    fn a_key_is_a_uuid_of_version_7() {
        let key = uuid_v7(0x0123_4567_89ab, [0xff; 10]);
        assert_eq!(key, "01234567-89ab-7fff-bfff-ffffffffffff");
    }
}
