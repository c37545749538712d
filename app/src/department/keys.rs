//! The seat's keys: those of the desk, as far as a department does the same.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::{Seat, sheet};
use crate::figure::{Asked, use_asked};
use crate::work::due;
use crate::work::hand::{blur, focus_row, go_to, is_on, types_here};

/// Hears keys for as long as the seat is shown.
pub fn listen(seat: Seat) {
    let asked = use_asked();
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        let elsewhere = event.ctrl_key() || event.alt_key() || event.meta_key() || event.is_composing();
        if !elsewhere && asked.with_untracked(Option::is_none) && untrack(|| hear(seat, asked, &event)) {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

/// Returns whether the key was taken.
fn hear(seat: Seat, asked: Asked, event: &KeyboardEvent) -> bool {
    let key = event.key();
    // A key held down would walk a case onward.
    if key == "Enter" && event.repeat() {
        return true;
    }
    if types_here(event) {
        // A remark that is written goes with the step, which is one key further.
        if key == "Escape" || (key == "Enter" && is_on(event, ".hand input")) {
            blur();
            return true;
        }
        return false;
    }
    if key.chars().count() == 1 && !seat.letters.get_untracked() {
        return false;
    }
    if let (Some(digit), 1, false) = (key.parse::<usize>().ok(), key.len(), event.repeat()) {
        return sheet::action_beside(seat, digit);
    }
    match key.as_str() {
        "ArrowDown" => step(seat, 1),
        "ArrowUp" => step(seat, -1),
        "Home" => step(seat, isize::MIN),
        "End" => step(seat, isize::MAX),
        "Enter" => return enter(seat, event),
        "Escape" => escape(seat),
        _ if event.repeat() => return false,
        "w" | "W" => return to_call(),
        "n" | "N" => return go_to(seat.note),
        "r" | "R" => seat.sending.resend(),
        "k" | "K" => due::define(seat.work, asked),
        _ => return false,
    }
    true
}

/// Moves the hand by rows. With a case open beside the list, the case follows.
fn step(seat: Seat, by: isize) {
    let order = seat.queue.listed.get_untracked();
    let at = seat.selected.get_untracked().and_then(|id| order.iter().position(|other| *other == id));
    let last = order.len().min(seat.queue.drawn.get_untracked()).saturating_sub(1);
    let next = match at {
        Some(at) => at.saturating_add_signed(by).min(last),
        None if by > 1 => last,
        None => 0,
    };
    let Some(id) = order.get(next).copied() else { return };
    if seat.opened.get_untracked().is_some() {
        seat.open(Some(id), true);
    }
    seat.selected.set(Some(id));
    focus_row(seat.selected, id);
}

fn enter(seat: Seat, event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let within = |selector| {
        target.as_ref().is_some_and(|element| element.closest(selector).is_ok_and(|on| on.is_some()))
    };
    if within("button, a:not(.case-row), summary") {
        return false;
    }
    let (opened, selected) = (seat.opened.get_untracked(), seat.selected.get_untracked());
    match selected {
        _ if opened.is_some() && !within(".case-row") => sheet::main_action(seat),
        Some(selected) if opened == Some(selected) => sheet::main_action(seat),
        Some(selected) => seat.open(Some(selected), false),
        None => step(seat, isize::MIN),
    }
    true
}

fn escape(seat: Seat) {
    if let Some(open) = seat.opened.get_untracked() {
        seat.open(None, false);
        seat.selected.set(Some(open));
        // Where the case lay over the list, the rows are there once the effects have run.
        set_timeout(move || focus_row(seat.selected, open), std::time::Duration::ZERO);
    }
}

/// The hand on the button of the first call that waits.
fn to_call() -> bool {
    let button = document().query_selector(".call button").ok().flatten();
    let button = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok());
    button.is_some_and(|button| button.focus().is_ok())
}
