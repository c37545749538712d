//! One way to ask the server for something a page shows: the newest question wins, and one that brought nothing is asked
//! again, ever more slowly, while the page says what is missing.
//!
//! What should be here: turns and waiting. What should not: what is asked and what becomes of an answer (the askers), the
//! request itself (`api`).

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, ApiError};

/// A question that brought nothing is repeated after this, then after twice as long, up to half a minute.
const AGAIN_MIN_MS: u32 = 1_000;
const AGAIN_MAX_MS: u32 = 30_000;

/// Hears each failure, then the answer, or the refusal that stands.
type Hear = Box<dyn FnMut(Result<JsValue, ApiError>)>;

/// Whoever asks one kind of question. Copies are the same asker; with its page it falls silent.
#[derive(Clone, Copy)]
pub struct Asker(StoredValue<u32>);

impl Asker {
    pub fn new() -> Self {
        Self(StoredValue::new(0))
    }

    /// Asks, and asks again until there is an answer. Whatever was asked before is no longer heard.
    pub fn ask<T: DeserializeOwned + 'static>(
        self,
        path: String,
        mut hear: impl FnMut(Result<T, ApiError>) + 'static,
    ) {
        let Some(turn) = self.turn() else { return };
        // One loop for all kinds of answers: it stands once in the programme.
        let hear: Hear = Box::new(move |answer| hear(answer.and_then(api::from_js)));
        spawn_local(until_answered(self, turn, path, hear));
    }

    /// Hears no answer any more.
    pub fn forget(self) {
        self.turn();
    }

    fn turn(self) -> Option<u32> {
        self.0.try_update_value(|turn| {
            *turn = turn.wrapping_add(1);
            *turn
        })
    }

    fn is_at(self, turn: u32) -> bool {
        self.0.try_get_value() == Some(turn)
    }
}

async fn until_answered(asker: Asker, turn: u32, path: String, mut hear: Hear) {
    let mut failures = 0;
    loop {
        let answer = api::get_value(&path).await;
        if !asker.is_at(turn) {
            return;
        }
        let again = answer.as_ref().is_err_and(may_pass);
        hear(answer);
        if !again {
            return;
        }
        TimeoutFuture::new(again_ms(failures, js_sys::Math::random())).await;
        if !asker.is_at(turn) {
            return;
        }
        failures += 1;
    }
}

/// Whether the same question may be answered later: nobody was reached, or somebody was hard pressed.
fn may_pass(error: &ApiError) -> bool {
    match error {
        ApiError::Unreachable => true,
        ApiError::Refused { status, .. } => *status >= 500 || matches!(status, 408 | 429),
        ApiError::Unreadable(_) => false,
    }
}

/// How long to wait after so many failures; `random` is within 0 to 1. Half of it is left to chance, so that the screens of a
/// hall do not come back together.
fn again_ms(failures: u32, random: f64) -> u32 {
    let most = (AGAIN_MIN_MS << failures.min(8)).min(AGAIN_MAX_MS);
    most / 2 + (random * f64::from(most / 2)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_asked_again_and_what_stands_is_not() {
        let words = || domain::catalogue::Name { zh: String::new(), en: String::new() };
        let refused = |status| ApiError::Refused { status, code: String::new(), words: words() };
        for passing in [ApiError::Unreachable, refused(503), refused(500), refused(429), refused(408)] {
            assert!(may_pass(&passing), "{passing}");
        }
        for standing in [refused(404), refused(403), refused(401), ApiError::Unreadable(String::new())] {
            assert!(!may_pass(&standing), "{standing}");
        }
    }

    #[test]
    fn questions_come_again_ever_more_slowly_within_half_a_minute() {
        assert_eq!([again_ms(0, 0.0), again_ms(0, 1.0)], [500, 1_000]);
        assert_eq!([again_ms(3, 1.0), again_ms(40, 1.0), again_ms(u32::MAX, 0.0)], [8_000, 30_000, 15_000]);
    }
}
