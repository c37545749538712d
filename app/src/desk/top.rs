//! Top and bottom bar: where one is, what must be known at any moment, which keys work.

use domain::role::Role;
use domain::route;
use leptos::prelude::*;

use super::{Prefix, use_desk};
use crate::board::{Part, use_board};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::page::Switches;
use crate::powers::Powers;
use crate::seen::Seen;
use crate::words::{Language, say, says};
use crate::work::bar::{DataAge, Time, WorkTime};
use crate::work::hand::leave_field;
use crate::world;

#[component]
pub fn Top() -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let centre = move || names.with(|names| speaks.name(&names.centre));
    view! {
        <header class="desk-top">
            <div class="brand"><b>{says!(speaks, common.product)}</b><span>{anew(centre)}</span></div>
            <nav class="tabs">
                <a class="on" href=world::list("") aria-current="page">{says!(speaks, desk.tab_desk)}</a>
                <a href=route::wall(&world::base(), route::MAIN_WALL, "") rel="external">{says!(speaks, desk.tab_wall)}</a>
            </nav>
            <Find/>
            <Powers/>
            <Seen/>
            <Alarms/>
            <DataAge/>
            <WorkTime/>
            <Seat/>
            <Time/>
        </header>
    }
}

#[component]
fn Find() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let text = move || desk.filters.with(|filters| filters.get("text").unwrap_or_default().to_owned());
    let find = move |event: leptos::ev::Event| {
        let next = desk.filters.get_untracked().with("text", &event_target_value(&event));
        desk.list(&next, false);
    };
    let leave = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter" && !event.is_composing() {
            event.prevent_default();
            // Leaving the field is what takes its text over.
            leave_field(desk.selected);
        }
    };
    view! {
        <label class="find"><kbd>"/"</kbd>
            <input id="desk-find" node_ref=desk.find type="search" maxlength="80" autocomplete="off" prop:value=text on:change=find on:keydown=leave
                placeholder=says!(speaks, desk.find) aria-label=says!(speaks, desk.find)/>
        </label>
    }
}

#[component]
fn Alarms() -> impl IntoView {
    let (speaks, board, hall) = (use_language(), use_board(), use_hall());
    let late = memo(move || board.dispatches(None, hall.now()).late);
    let count = move || late.get() as i64;
    let words = move || match count() {
        _ if !board.knows(Part::Overdue) => "–".to_owned(),
        0 => say!(speaks.get(), desk.no_alarms),
        count => say!(speaks.get(), desk.alarms, count = count),
    };
    let mark = Signal::derive(move || if count() > 0 { Mark::Over } else { Mark::Done });
    view! {
        <a class="grp lamp" class:over=move || { count() > 0 } href=world::list("open=true&stage=dispatch&phase=overdue&sort=due")>
            <Sign mark/>{anew(words)}
        </a>
    }
}

#[component]
fn Seat() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let roles = move || {
        let names: Vec<String> = desk.roles().into_iter().map(|role| role_name(speaks.get(), role)).collect();
        names.join(" · ")
    };
    view! {
        <div class="grp seat"><b>{anew(move || desk.me())}</b><span class="dim">{anew(roles)}</span></div>
        <div class="grp switch"><Switches speaks/></div>
    }
}

pub fn role_name(language: Language, role: Role) -> String {
    match role {
        Role::Admin => say!(language, desk.role_admin),
        Role::Supervisor => say!(language, desk.role_supervisor),
        Role::Dispatcher => say!(language, desk.role_dispatcher),
        Role::Department => say!(language, desk.role_department),
        Role::Viewer => say!(language, desk.role_viewer),
        Role::Kiosk | Role::Inspector | Role::Machine => say!(language, desk.role_other),
    }
}

#[component]
pub fn Foot() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let yellow = move || names.with(|names| names.policy.lamp_yellow_percent);
    let key = |keys: &'static [&'static str], words: Signal<String>| {
        let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_rows();
        view! { <span>{keys}{words}</span> }
    };
    let always = move || {
        let language = speaks.get();
        view! {
            {key(&["↑", "↓"], if desk.lists_calls() { say!(language, desk.key_move_call) } else { say!(language, desk.key_move) }.into())}
            {key(&["G", "0–9"], say!(language, desk.key_queue).into())}
            {key(&["↵"], say!(language, desk.key_open).into())}
            {key(&["/"], say!(language, desk.key_find).into())}
        }
    };
    let with_case = move || {
        let language = speaks.get();
        desk.opened.get().map(|_| {
            view! {
                {key(&["C"], say!(language, desk.key_claim).into())}
                {key(&["W"], say!(language, desk.key_whistle).into())}
                {key(&["V", "1–9"], say!(language, desk.key_camera).into())}
                {key(&["N"], say!(language, desk.key_note).into())}
                {key(&["K"], say!(language, desk.key_definition).into())}
            }
        })
    };
    let waits = move || {
        let (_, prefix) = desk.prefix.get()?;
        let key = if prefix == Prefix::Queue { "G" } else { "V" };
        Some(
            view! { <span class="waits" role="status"><kbd>{key}</kbd>{say!(speaks.get(), desk.key_waits)}</span> },
        )
    };
    view! {
        <footer class="desk-foot">
            {anew(waits)}{always}{anew(with_case)}
            <button type="button" class="help-open" on:click=move |_| desk.help.set(true)><kbd>"?"</kbd>{says!(speaks, desk.key_help)}</button>
            <span class="sp"></span>
            <span class="legend"><Sign mark=Mark::Inside/>{anew(move || say!(speaks.get(), desk.legend_ok, percent = yellow()))}</span>
            <span class="legend"><Sign mark=Mark::Near/>{anew(move || say!(speaks.get(), desk.legend_soon, percent = yellow()))}</span>
            <span class="legend"><Sign mark=Mark::Over/>{says!(speaks, desk.legend_over)}</span>
            <span class="legend"><Sign mark=Mark::Stopped/>{says!(speaks, desk.lamp_stopped)}</span>
        </footer>
    }
}
