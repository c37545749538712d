//! One way to send what a person has decided: how it stands is known from the press to the answer, a second press meanwhile sends
//! nothing, and what had no answer can be sent again as it was.
//!
//! What should be here: how something sent stands. What should not: what is sent and what a refusal means there (the forms, which
//! put it in words where they show it), the request itself (`api`). Seats send several at a time (`work::send`).

use leptos::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, ApiError, Order};
use crate::session::{self, Signed, use_session};

/// How something that was sent stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    Idle,
    Busy,
    Done,
    Refused(ApiError),
    /// No answer came: it may or may not have been carried out.
    Unsure(ApiError),
}

impl Progress {
    /// What an answer says of it.
    pub fn of<T>(answer: &Result<T, ApiError>) -> Self {
        match answer {
            Ok(_) => Self::Done,
            Err(error) if is_word_of_hall(error) => Self::Refused(error.clone()),
            Err(error) => Self::Unsure(error.clone()),
        }
    }

    /// Why it is not done, where an answer or silence has said so.
    pub fn problem(&self) -> Option<&ApiError> {
        match self {
            Self::Idle | Self::Busy | Self::Done => None,
            Self::Refused(error) | Self::Unsure(error) => Some(error),
        }
    }
}

/// Whether the hall itself has refused, and so not carried it out: a gateway that gave up waiting says nothing of that.
fn is_word_of_hall(error: &ApiError) -> bool {
    match error {
        ApiError::Refused { status, code, .. } => *status < 500 || !code.is_empty(),
        ApiError::Unreachable | ApiError::Unreadable(_) => false,
    }
}

/// Hears the answer, whatever it is.
type Hear = Box<dyn FnOnce(Result<JsValue, ApiError>)>;

/// Sends one kind of thing, one at a time. Copies are the same; once the page is left nobody hears the answer.
#[derive(Clone, Copy)]
pub struct Submit {
    progress: RwSignal<Progress>,
    signed: Signed,
}

impl Submit {
    pub fn new() -> Self {
        Self { progress: RwSignal::new(Progress::Idle), signed: use_session() }
    }

    /// Sends a write unless one is on its way, and hears how it went.
    pub fn post<T: DeserializeOwned + 'static>(
        self,
        path: &str,
        body: &impl Serialize,
        hear: impl FnOnce(Result<T, ApiError>) + 'static,
    ) {
        match Order::post(path, body) {
            Ok(order) => self.send(order, hear),
            Err(error) => self.progress.set(Progress::Refused(error)),
        }
    }

    /// The same for what is taken away, and for whatever else is an order.
    pub fn send<T: DeserializeOwned + 'static>(
        self,
        order: Order,
        hear: impl FnOnce(Result<T, ApiError>) + 'static,
    ) {
        if self.progress.with_untracked(|progress| *progress == Progress::Busy) {
            return;
        }
        self.progress.set(Progress::Busy);
        // One task for all kinds of answers: it stands once in the programme.
        let hear: Hear = Box::new(move |answer| {
            let answer = answer.and_then(api::from_js::<T>);
            // Before it is heard: whoever hears it may send the next.
            self.progress.set(Progress::of(&answer));
            hear(answer);
        });
        spawn_local(self.carry(order, hear));
    }

    async fn carry(self, order: Order, hear: Hear) {
        let csrf = session::csrf(self.signed);
        let answer = order.go(csrf.as_deref()).await;
        if !self.progress.is_disposed() {
            hear(answer);
        }
    }

    /// What was said of the last one is no longer true.
    pub fn forget(self) {
        if !untrack(|| self.is_busy()) {
            self.progress.set(Progress::Idle);
        }
    }

    /// Tracked: whether one is on its way.
    pub fn is_busy(self) -> bool {
        self.progress.with(|progress| *progress == Progress::Busy)
    }

    /// Tracked: why the last one was not done.
    pub fn problem(self) -> Option<ApiError> {
        self.progress.with(|progress| progress.problem().cloned())
    }
}

#[cfg(test)]
mod tests {
    use domain::catalogue::Name;

    use super::*;

    #[test]
    fn only_a_word_of_the_hall_says_that_nothing_was_done() {
        let refused = |status, code: &str| {
            let words = Name { zh: String::new(), en: String::new() };
            ApiError::Refused { status, code: code.to_owned(), words }
        };
        let of = |error: ApiError| Progress::of(&Err::<(), _>(error));
        for stands in
            [refused(409, "moved_on"), refused(503, "busy"), refused(403, ""), refused(507, "not_stored")]
        {
            assert_eq!(of(stands.clone()), Progress::Refused(stands));
        }
        for silence in
            [ApiError::Unreachable, ApiError::Unreadable(String::new()), refused(504, ""), refused(502, "")]
        {
            assert_eq!(of(silence.clone()), Progress::Unsure(silence));
        }
        assert_eq!(Progress::of(&Ok(())), Progress::Done);
    }
}
