//! Top and bottom bar of the seat: whose it is, what must be known at any moment, which keys work.

use leptos::prelude::*;

use super::use_seat;
use crate::language::use_language;
use crate::names::use_names;
use crate::once::anew;
use crate::page::Switches;
use crate::powers::Powers;
use crate::words::{say, says};
use crate::work::bar::{DataAge, Time, WorkTime};
use crate::work::hand::switch_letters;

#[component]
pub fn Top() -> impl IntoView {
    let (speaks, seat, names) = (use_language(), use_seat(), use_names());
    let department = move || {
        let own = seat.own()?;
        Some(names.with(|names| names.department(speaks.get(), &own)))
    };
    view! {
        <header class="seat-top">
            <a class="brand" href=domain::route::HOME rel="external"><b>{says!(speaks, common.product)}</b></a>
            <h1>{anew(move || department().unwrap_or_else(|| say!(speaks.get(), department.title)))}</h1>
            <span class="who dim">{anew(move || seat.me())}</span>
            <Powers/>
            <span class="sp"></span>
            <DataAge/>
            <WorkTime/>
            <Time/>
            <div class="switch"><Switches speaks/></div>
        </header>
    }
}

#[component]
pub fn Foot() -> impl IntoView {
    let (speaks, seat) = (use_language(), use_seat());
    let key = |keys: &'static [&'static str], words: String| {
        let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
        view! { <span>{keys}{words}</span> }
    };
    let always = move || {
        let language = speaks.get();
        view! {
            {key(&["↑", "↓"], say!(language, desk.key_move))}
            {key(&["↵"], say!(language, desk.key_open))}
            {key(&["W"], say!(language, department.key_call))}
            {seat.opened.get().map(|_| view! {
                {key(&["N"], say!(language, desk.key_note))}
                {key(&["K"], say!(language, desk.key_definition))}
                {key(&["Esc"], say!(language, desk.back))}
            })}
        }
    };
    view! {
        <footer class="seat-foot">{anew(always)}<span class="sp"></span>
            <label class="letters"><input type="checkbox" prop:checked=seat.letters on:change=move |event| switch_letters(seat.letters, event_target_checked(&event))/>{says!(speaks, desk.letter_keys)}</label>
        </footer>
    }
}
