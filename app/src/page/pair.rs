//! The pairing page `/pair`: a wall without a session shows six digits until an operator approves them, then opens its
//! wall. It asks for a new code and comes back from a lost server by itself: nobody stands at a wall with a keyboard.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::answer::{ClaimAnswer, PairedAnswer};
use domain::moment::UtcMillis;
use domain::route::{self, Route};
use gloo_timers::callback::Interval;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use serde::Serialize;

use super::home::Switches;
use crate::api::{self, ApiError};
use crate::hall::{monotonic_ms, use_hall};
use crate::kiosk;
use crate::language::{tag, use_language};
use crate::once::{anew, effect};
use crate::session::{Session, is_kiosk, use_session};
use crate::text::in_minutes;
use crate::words::{Language, say, says};

const POLL_MS: u32 = 2_000;
/// The server's name for too many kiosks at once.
const PAIRING_FULL: &str = "pairing_full";
/// A code gives way to a new one this long before it expires; whoever types the old one meanwhile still succeeds.
const RENEW_BEFORE_MS: f64 = 60_000.0;
/// Codes followed at once: the one shown and the one it replaced.
const CLAIMS_MAX: usize = 2;

#[derive(Serialize)]
struct Claim<'a> {
    claim: &'a str,
}

/// A code the wall shows or showed: what to ask with. Its end is on the browser's monotonic clock, because a wall's own
/// clock may be wrong.
#[derive(Clone)]
struct Held {
    claim: String,
    until_ms: f64,
}

/// What keeps the page from showing a code that works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Away,
    Full,
}

/// The code shown, without what must not be shown.
#[derive(Clone, PartialEq)]
struct Shown {
    code: String,
    until_ms: f64,
}

#[derive(Clone)]
struct Pairing {
    shown: RwSignal<Option<Shown>>,
    trouble: RwSignal<Option<Trouble>>,
    /// Newest last.
    held: Rc<RefCell<Vec<Held>>>,
    busy: Rc<Cell<bool>>,
}

impl Pairing {
    fn start() -> Self {
        let pairing = Self {
            shown: RwSignal::new(None),
            trouble: RwSignal::new(None),
            held: Rc::default(),
            busy: Rc::default(),
        };
        pairing.step();
        let each = pairing.clone();
        let polling = SendWrapper::new(Interval::new(POLL_MS, move || each.step()));
        on_cleanup(move || drop(polling));
        pairing
    }

    /// One round: was a code approved, and is a new one needed. A slow round is not overtaken by the next.
    fn step(&self) {
        if self.busy.replace(true) {
            return;
        }
        let pairing = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let trouble = match pairing.round().await {
                Ok(()) => None,
                Err(ApiError::Refused { code, .. }) if code == PAIRING_FULL => Some(Trouble::Full),
                Err(error) => {
                    leptos::logging::warn!("not paired: {error}");
                    Some(Trouble::Away)
                }
            };
            // The page may have been left meanwhile, and its signals with it.
            pairing.trouble.try_set(trouble);
            pairing.busy.set(false);
        });
    }

    async fn round(&self) -> Result<(), ApiError> {
        let held = self.held.borrow().clone();
        for Held { claim, .. } in held {
            match api::post_json::<_, PairedAnswer>("/api/v1/kiosk/claim", &Claim { claim: &claim }, None)
                .await
            {
                Ok(PairedAnswer { wall: Some(wall), .. }) => {
                    open_wall(&wall);
                    return Ok(());
                }
                Ok(PairedAnswer { wall: None, .. }) => {}
                // Expired, or forgotten by a server that was started anew; or its name was taken meanwhile.
                Err(ApiError::Refused { status: 410 | 409, .. }) => {
                    self.held.borrow_mut().retain(|held| held.claim != claim);
                }
                Err(error) => return Err(error),
            }
        }
        let fresh = |held: &Held| held.until_ms - monotonic_ms() > RENEW_BEFORE_MS;
        if !self.held.borrow().last().is_some_and(fresh) {
            self.ask().await?;
        }
        Ok(())
    }

    async fn ask(&self) -> Result<(), ApiError> {
        let asked_ms = monotonic_ms();
        let asked: ClaimAnswer = api::post_json("/api/v1/kiosk/ask", &api::Nothing {}, None).await?;
        let until_ms = asked_ms + asked.lasts_ms as f64;
        let mut held = self.held.borrow_mut();
        if held.len() >= CLAIMS_MAX {
            held.remove(0);
        }
        self.shown.try_set(Some(Shown { code: asked.code, until_ms }));
        held.push(Held { claim: asked.claim, until_ms });
        Ok(())
    }
}

fn open_wall(wall: &str) {
    kiosk::remember_wall(wall);
    let wall = String::from(js_sys::encode_uri_component(wall));
    let _ = window().location().assign(&route::wall("", &wall, ""));
}

/// A kiosk whose token still holds has nothing to pair.
fn leave_when_paired() {
    let signed = use_session();
    effect(move || {
        let kiosk = matches!(signed.get(), Session::SignedIn(session) if is_kiosk(&session));
        if let Some(wall) = kiosk::paired_wall().filter(|_| kiosk) {
            open_wall(&wall);
        }
    });
}

#[component]
pub fn Pair() -> impl IntoView {
    let (speaks, hall) = (use_language(), use_hall());
    let Pairing { shown, trouble, .. } = Pairing::start();
    leave_when_paired();
    kiosk::provide();
    let other = move || match speaks.get() {
        Language::Zh => Language::En,
        Language::En => Language::Zh,
    };
    let digits = move || {
        shown.get().map(|Shown { code, .. }| {
            let label = say!(speaks.get(), pair.code_label, digits = spaced(&code));
            let (left, right) = code.split_at_checked(3).unwrap_or((&code, ""));
            view! {
                <p class="pair-code" role="img" aria-label=label data-code=code.clone()>
                    <b>{left.to_owned()}</b><b>{right.to_owned()}</b>
                </p>
            }
        })
    };
    let state = move || {
        let language = speaks.get();
        match (trouble.get(), shown.get()) {
            (Some(Trouble::Away), _) => say!(language, pair.away),
            (Some(Trouble::Full), _) => say!(language, pair.full),
            (None, None) => say!(language, pair.asking),
            (None, Some(shown)) => {
                hall.now();
                say!(language, pair.time_left, time = left(shown.until_ms))
            }
        }
    };
    view! {
        <main class="pair" class:away=move || trouble.get().is_some()>
            <h1>{says!(speaks, pair.not_paired)}</h1>
            {anew(digits)}
            <p class="pair-state" role=move || trouble.get().map(|_| "status")>{anew(state)}</p>
            <p class="pair-do">{says!(speaks, pair.what_to_do)}</p>
            <p class="pair-do dim" lang=move || tag(other())>{anew(move || say!(other(), pair.what_to_do))}</p>
            <p class="ways">
                <Switches speaks/>
                <a class="button quiet" href=Route::SignIn { then: None }.to_string()>{says!(speaks, pair.person)}</a>
            </p>
        </main>
    }
}

/// Digit by digit, so that they are read out as digits.
fn spaced(code: &str) -> String {
    code.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// Minutes and seconds until the code is replaced.
fn left(until_ms: f64) -> String {
    let renewed_in_ms = (until_ms - RENEW_BEFORE_MS - monotonic_ms()).max(0.0);
    in_minutes(UtcMillis(renewed_in_ms as i64), UtcMillis(0)).1
}
