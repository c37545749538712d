//! What a wall needs from its browser: no cursor, a screen that stays awake, a way out, and which wall it was paired as.

use domain::route;
use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::kept;
use crate::once::effect;

/// The cursor goes away after this long without a movement.
const CURSOR_MS: u32 = 5_000;

/// Where the browser keeps the wall it was paired as. No secret: the token is in a cookie no script can read.
const WALL_KEY: &str = "gridhall.wall";

/// The wall this browser was paired as; none where people sign in.
pub fn paired_wall() -> Option<String> {
    kept::read(WALL_KEY).filter(|wall| !wall.is_empty())
}

pub fn remember_wall(wall: &str) {
    // A kiosk without storage asks for a sign-in when its token is revoked, nothing more.
    kept::keep(WALL_KEY, Some(wall));
}

pub fn forget_wall() {
    kept::keep(WALL_KEY, None);
}

/// For the page it is called in.
pub fn provide() {
    hide_idle_cursor();
    keep_awake();
    let back = window_event_listener(leptos::ev::keydown, |event| {
        if event.ctrl_key() && event.alt_key() && event.code() == "KeyH" {
            let _ = window().location().assign(route::HOME);
        }
    });
    let awake = window_event_listener(leptos::ev::visibilitychange, |_| keep_awake());
    on_cleanup(move || {
        back.remove();
        awake.remove();
    });
}

fn hide_idle_cursor() {
    let hidden = RwSignal::new(false);
    let waiting: Rc<RefCell<Option<Timeout>>> = Rc::default();
    let wait = move || {
        let again = Timeout::new(CURSOR_MS, move || {
            hidden.try_set(true);
        });
        waiting.replace(Some(again));
    };
    wait();
    let moved = window_event_listener(leptos::ev::pointermove, move |_| {
        hidden.set(false);
        wait();
    });
    on_cleanup(move || moved.remove());
    effect(move || {
        if let Some(root) = document().document_element() {
            let _ = root.class_list().toggle_with_force("no-cursor", hidden.get());
        }
    });
}

/// Asks for a wake lock where the browser has one (a secure context); elsewhere the kiosk's own settings must do.
fn keep_awake() {
    let navigator = JsValue::from(window().navigator());
    let Ok(lock) = js_sys::Reflect::get(&navigator, &"wakeLock".into()) else { return };
    let request = js_sys::Reflect::get(&lock, &"request".into())
        .ok()
        .and_then(|it| it.dyn_into::<js_sys::Function>().ok());
    let Some(request) = request else { return };
    if let Ok(promise) = request.call1(&lock, &"screen".into())
        && let Ok(promise) = promise.dyn_into::<js_sys::Promise>()
    {
        // A refusal (page hidden, battery low) is tried again when the page is shown again.
        let ignore = Closure::<dyn FnMut(JsValue)>::new(|_| {});
        drop(promise.catch(&ignore));
        ignore.forget();
    }
}
