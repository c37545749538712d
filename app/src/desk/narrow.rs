//! Filters above the list. Each choice goes into the address at once.

use domain::catalogue::AreaLevel;
use leptos::prelude::*;

use super::filters::{Filters, Queue};
use super::use_desk;
use crate::language::use_language;
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::words::{say, says};

#[component]
pub fn Narrow() -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let areas = move || {
        let language = speaks.get();
        names.with(|names| {
            let at =
                |level| names.at_level(level).into_iter().map(|area| &area.code).cloned().collect::<Vec<_>>();
            let codes = at(AreaLevel::District).into_iter().chain(at(AreaLevel::Street));
            codes.map(|code| (code.to_string(), names.area(language, &code))).collect()
        })
    };
    let classes = move || names.with(|names| texts(names.all_classes(speaks.get())));
    let sources = move || names.with(|names| texts(names.all_sources(speaks.get())));
    let phases = move || {
        let minutes = names.with(|names| names.policy.forecast_minutes);
        vec![
            ("overdue".to_owned(), say!(speaks.get(), desk.lamp_over)),
            ("nearing".to_owned(), say!(speaks.get(), desk.nearing, minutes = minutes)),
        ]
    };
    view! {
        <div class="narrow" role="group" aria-label=says!(speaks, desk.filters)>
            <Choice key="area" any=Signal::derive(says!(speaks, desk.any_area)) options=Signal::derive(areas)/>
            <Choice key="class" any=Signal::derive(says!(speaks, desk.any_class)) options=Signal::derive(classes)/>
            <Choice key="source" any=Signal::derive(says!(speaks, desk.any_source)) options=Signal::derive(sources)/>
            <Choice key="phase" any=Signal::derive(says!(speaks, desk.any_phase)) options=Signal::derive(phases)/>
            <Order/>
        </div>
    }
}

fn texts<T: std::fmt::Display>(pairs: Vec<(T, String)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|(code, name)| (code.to_string(), name)).collect()
}

#[component]
fn Choice(key: &'static str, any: Signal<String>, options: Signal<Vec<(String, String)>>) -> impl IntoView {
    let desk = use_desk();
    let chosen = memo(move || desk.filters.with(|filters| filters.get(key).unwrap_or_default().to_owned()));
    let change = move |event: leptos::ev::Event| {
        let next = desk.filters.get_untracked().with(key, &event_target_value(&event));
        desk.list(&next, false);
    };
    let list = move || {
        let chosen = chosen.get();
        let option = |(value, name): (String, String)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{name}</option> }
        };
        options.get().into_iter().map(option).collect_rows()
    };
    view! {
        <select data-filter=key class:set=move || !chosen.with(String::is_empty) on:change=change aria-label=any>
            <option value="" selected=move || chosen.with(String::is_empty)>{any}</option>
            {anew(list)}
        </select>
    }
}

#[component]
fn Order() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let newest = move || desk.filters.with(Filters::is_newest_first);
    let fixed = move || desk.filters.with(|filters| filters.queue("") == Queue::Found);
    let turn = move |_| {
        let to = if untrack(newest) { "due" } else { "newest" };
        let next = desk.filters.get_untracked().with("sort", to);
        desk.list(&next, false);
    };
    let words = move || {
        if newest() { say!(speaks.get(), desk.sort_newest) } else { say!(speaks.get(), desk.sort_due) }
    };
    view! { <button type="button" class="order" disabled=fixed on:click=turn>{anew(words)}</button> }
}
