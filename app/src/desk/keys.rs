//! The desk's keys. Every action has one; what each does is listed in `help`.

use domain::code::CaseId;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::act;
use super::filters::Queue;
use super::{Desk, Prefix};
use crate::figure::{Asked, use_asked};
use crate::work::due;
use crate::work::hand::{blur, focus, focus_row, go_to, is_on, types_here};

/// A key that waits for its digit waits no longer than this.
const PREFIX_WAIT: std::time::Duration = std::time::Duration::from_secs(3);

/// Waits for the digit, for a while.
fn wait_for_digit(desk: Desk, prefix: Prefix) {
    let turn = desk.prefix.get_untracked().map_or(0, |(turn, _)| turn) + 1;
    desk.prefix.set(Some((turn, prefix)));
    set_timeout(
        move || {
            let waits = desk.prefix.try_get_untracked().flatten().map(|(turn, _)| turn);
            if waits == Some(turn) {
                desk.prefix.set(None);
            }
        },
        PREFIX_WAIT,
    );
}

/// Hears keys for as long as the desk is shown.
pub fn listen(desk: Desk) {
    let asked = use_asked();
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        let elsewhere = event.ctrl_key() || event.alt_key() || event.meta_key() || event.is_composing();
        if elsewhere || asked.with_untracked(Option::is_some) || desk.help.get_untracked() {
            return;
        }
        if untrack(|| hear(desk, asked, &event)) {
            event.prevent_default();
        }
    });
    on_cleanup(move || handle.remove());
}

/// Returns whether the key was taken.
fn hear(desk: Desk, asked: Asked, event: &KeyboardEvent) -> bool {
    let key = event.key();
    // A key held down would walk a case onward, or send a form again.
    if key == "Enter" && event.repeat() {
        return true;
    }
    if types_here(event) {
        if key == "Escape" {
            blur();
        }
        return key == "Escape";
    }
    // What moves through choices and sends their form is theirs; nobody types words in them.
    let choosing = matches!(key.as_str(), "Enter" | "ArrowDown" | "ArrowUp" | "Home" | "End");
    if choosing && is_on(event, "input") {
        return false;
    }
    if key.chars().count() == 1 && !desk.letters.get_untracked() {
        return false;
    }
    let prefix = desk.prefix.get_untracked().map(|(_, prefix)| prefix);
    desk.prefix.set(None);
    if let (Some(digit), true) = (key.parse::<usize>().ok().filter(|_| key.len() == 1), !event.repeat()) {
        return digit_pressed(desk, prefix, digit);
    }
    match key.as_str() {
        "ArrowDown" | "ArrowUp" | "Home" | "End" if desk.lists_calls() => step_call(desk, key.as_str()),
        "ArrowDown" => step(desk, 1),
        "ArrowUp" => step(desk, -1),
        "Home" => step(desk, isize::MIN),
        "End" => step(desk, isize::MAX),
        "Enter" => return enter(desk, event),
        "Escape" => escape(desk),
        _ if event.repeat() => return false,
        "/" => return go_to(desk.find),
        "?" => desk.help.set(true),
        "." => desk.refresh(),
        "g" | "G" => wait_for_digit(desk, Prefix::Queue),
        "v" | "V" => wait_for_digit(desk, Prefix::Camera),
        "e" | "E" => desk.file.enlarge(None),
        "c" | "C" => act::claim(desk),
        "w" | "W" => act::call(desk),
        "n" | "N" => return go_to(desk.note),
        "r" | "R" => desk.sending.resend(),
        "k" | "K" => due::define(desk.work, asked),
        "[" => act::turn_page(desk, false),
        "]" => act::turn_page(desk, true),
        _ => return false,
    }
    true
}

fn digit_pressed(desk: Desk, prefix: Option<Prefix>, digit: usize) -> bool {
    match prefix {
        Some(Prefix::Queue) => match Queue::by_digit(digit) {
            Some(queue) => desk.choose(queue),
            None => return false,
        },
        Some(Prefix::Camera) if digit > 0 => desk.file.toggle_camera(digit - 1),
        Some(Prefix::Camera) => return false,
        None => return act::choose_department(desk, digit),
    }
    true
}

/// Moves the hand by rows. With a case open beside the list, the case follows.
fn step(desk: Desk, by: isize) {
    let order = desk.listing.order();
    let at = desk.selected.get_untracked().and_then(|id| order.iter().position(|other| *other == id));
    let last = order.len().saturating_sub(1);
    let next = match at {
        Some(at) => at.saturating_add_signed(by).min(last),
        None if by > 1 => last,
        None => 0,
    };
    let Some(id) = order.get(next).copied() else { return };
    desk.selected.set(Some(id));
    if desk.opened.get_untracked().is_some() {
        open_soon(desk, id);
    }
    focus_row(desk.selected, id);
}

/// Opens the row once the hand rests on it, so that running through the list asks for nothing.
fn open_soon(desk: Desk, id: CaseId) {
    set_timeout(
        move || {
            if desk.selected.try_get_untracked() == Some(Some(id)) && desk.opened.get_untracked() != Some(id)
            {
                desk.open(Some(id), true);
            }
        },
        std::time::Duration::from_millis(180),
    );
}

fn enter(desk: Desk, event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let within = |selector| {
        target.as_ref().is_some_and(|element| element.closest(selector).is_ok_and(|on| on.is_some()))
    };
    if within("button, a:not(.case-row), summary") {
        return false;
    }
    let opened = desk.opened.get_untracked();
    // The hand is in the sheet, and so on its case whatever the list shows.
    if opened.is_some() && within(".sheet") {
        act::main_action(desk);
        return true;
    }
    if desk.lists_calls() {
        return enter_call(desk, opened);
    }
    let order = desk.listing.order();
    let selected = desk.selected.get_untracked();
    match selected.filter(|id| opened == Some(*id) || order.contains(id)) {
        Some(selected) if opened == Some(selected) => act::main_action(desk),
        Some(selected) => desk.open(Some(selected), false),
        // Nothing is under the hand: as an arrow would, it takes the first row.
        None => step(desk, isize::MIN),
    }
    true
}

/// Opens the case of the call under the hand, or goes to what can be done with a call that has none. A case that is
/// open for that call already is acted on.
fn enter_call(desk: Desk, opened: Option<CaseId>) -> bool {
    let Some(call) = desk.call.get_untracked() else { return false };
    let found = desk.calls.rows.with_untracked(|calls| calls.iter().find(|held| held.id == call).cloned());
    match found.map(|call| call.call.case) {
        Some(Some(case)) if opened == Some(case) => act::main_action(desk),
        Some(Some(case)) => desk.open(Some(case), false),
        Some(None) => {
            if opened.is_some() {
                desk.open(None, false);
            }
            let button = document().query_selector(&format!("#call-{call} button")).ok().flatten();
            if let Some(button) = button.and_then(|button| button.dyn_into::<web_sys::HtmlElement>().ok()) {
                // A button that cannot be focused leaves the hand on its call.
                let _ = button.focus();
            }
        }
        None => return false,
    }
    true
}

/// Moves the hand by calls. The case beside the list stays until Enter opens another.
fn step_call(desk: Desk, key: &str) {
    let order: Vec<_> = desk.calls.rows.with_untracked(|calls| calls.iter().map(|call| call.id).collect());
    let last = order.len().saturating_sub(1);
    let at = desk.call.get_untracked().and_then(|id| order.iter().position(|other| *other == id));
    let next = match (key, at) {
        ("Home", _) | (_, None) => 0,
        ("End", _) => last,
        ("ArrowUp", Some(at)) => at.saturating_sub(1),
        (_, Some(at)) => (at + 1).min(last),
    };
    if let Some(id) = order.get(next).copied() {
        desk.call.set(Some(id));
        focus(&format!("call-{id}"));
    }
}

fn escape(desk: Desk) {
    if desk.file.enlarged.get_untracked().is_some() {
        desk.file.enlarged.set(None);
    } else if desk.file.calling.get_untracked() {
        desk.file.calling.set(false);
    } else if let Some(open) = desk.opened.get_untracked() {
        desk.open(None, false);
        desk.selected.set(Some(open));
        focus_row(desk.selected, open);
    }
}
