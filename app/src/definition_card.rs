//! The definition card (口径卡): formula, numerator, denominator, as-of time, source and the way to the cases.

use leptos::html;
use leptos::prelude::*;

use crate::figure::{Evidence, Part, use_asked};
use crate::language::use_language;
use crate::once::{CollectRows, anew, effect};
use crate::text;
use crate::words::say;

/// Stands over every page; opens when a number is asked, closes with Escape, its button or a press beside it.
#[component]
pub fn DefinitionCard() -> impl IntoView {
    let asked = use_asked();
    let dialog = NodeRef::<html::Dialog>::new();
    effect(move || {
        let (open, Some(dialog)) = (asked.with(Option::is_some), dialog.get()) else { return };
        match (open, dialog.open()) {
            // The browser keeps the focus inside and gives it back to the number afterwards.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let beside = move |event: leptos::ev::MouseEvent| {
        let on_backdrop = event.target().zip(dialog.get()).is_some_and(|(target, dialog)| {
            let dialog: &web_sys::EventTarget = dialog.as_ref();
            target == *dialog
        });
        if on_backdrop {
            asked.set(None);
        }
    };
    // The word that it has closed comes late: another number may have been asked meanwhile.
    let closed = move |_| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            asked.set(None);
        }
    };
    view! {
        <dialog class="card" node_ref=dialog aria-labelledby="card-title" on:close=closed on:click=beside>
            {anew(move || asked.get().map(|evidence| view! { <Content evidence/> }))}
        </dialog>
    }
}

#[component]
fn Content(evidence: Evidence) -> impl IntoView {
    let asked = use_asked();
    let language = use_language().get();
    let as_of = evidence.as_of.map(|(at, offset)| {
        let date = text::date_words(language, at.local(offset).date);
        format!("{date} {}", text::clock(at, offset))
    });
    let row = |Part { name, value, href }: Part| {
        let value = match href {
            Some(href) => view! { <a href=href>{value}</a> }.into_any(),
            None => value.into_any(),
        };
        view! { <div><dt>{name}</dt><dd>{value}</dd></div> }
    };
    let written =
        |name: String, value: String| (!value.is_empty()).then(|| row(Part { name, value, href: None }));
    let leads = evidence.cases.is_some() || evidence.parts.iter().any(|part| part.href.is_some());
    let note = match evidence.note.is_empty() {
        false => Some(evidence.note),
        true => leads.then(|| say!(language, common.list_moves)),
    };
    let note = note.map(|note| view! { <p class="card-note">{note}</p> });
    let to_list = evidence.cases.map(|href| {
        let calls = href.contains("list=");
        let words = if calls { say!(language, common.open_calls) } else { say!(language, common.open_cases) };
        view! { <a class="button" href=href>{words}</a> }
    });
    view! {
        <div class="card-body">
            <p class="card-kind">{say!(language, common.definition)}</p>
            <h2 id="card-title">{evidence.title}</h2>
            <dl>
                {evidence.parts.into_iter().map(row).collect_rows()}
                {written(say!(language, common.formula), evidence.formula)}
                {written(say!(language, common.in_force), evidence.in_force)}
                {as_of.and_then(|as_of| written(say!(language, common.as_of), as_of))}
                {written(say!(language, common.rule_source), evidence.source)}
            </dl>
            <Rows rows=evidence.rows/>
            {note}
            <p class="card-foot">
                {to_list}
                <button type="button" class="button" on:click=move |_| asked.set(None)>
                    {say!(language, common.close)}
                </button>
            </p>
        </div>
    }
}

/// Single cases, each leading to its page.
#[component]
fn Rows(rows: Vec<(String, String)>) -> impl IntoView {
    let row = |(words, href): (String, String)| view! { <li><a href=href>{words}</a></li> };
    (!rows.is_empty())
        .then(|| view! { <ul class="card-rows">{rows.into_iter().map(row).collect_rows()}</ul> })
}
