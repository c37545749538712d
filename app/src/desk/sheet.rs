//! The open case: heading, then its parts in the order in which they are read.

use leptos::prelude::*;

use super::act::{Actions, Hand};
use super::around::Around;
use super::overview::Overview;
use super::use_desk;
use crate::api::ApiError;
use crate::language::use_language;
use crate::once::{memo, shown, shown_or};
use crate::words::{say, says};
use crate::work::due::Countdown;
use crate::work::history::History;
use crate::work::title::Title;
use crate::work::way::Way;

#[component]
pub fn Sheet() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let file = desk.file;
    let there = memo(move || file.is_there());
    let waits = move || {
        let words = match (desk.opened.get(), file.problem.get()) {
            (None, _) => say!(speaks.get(), desk.choose_case),
            (Some(_), None) => say!(speaks.get(), desk.loading),
            (Some(_), Some(ApiError::Refused { status: 404, .. })) => say!(speaks.get(), desk.no_match),
            (Some(_), Some(error)) => say!(speaks.get(), desk.failed, words = error.words(speaks.get())),
        };
        match desk.opened.get() {
            None => view! { <Overview/> }.into_any(),
            Some(_) => view! { <p class="sheet-state" role="status">{words}</p> }.into_any(),
        }
    };
    let label = move || file.with(|answer| answer.case.number.clone());
    view! {
        <section class="sheet" class:empty=move || desk.opened.get().is_none() class:full=move || there.get() aria-label=move || say!(speaks.get(), wall.case_number, number = label())>
            <div class="sheet-scroll">
                <button type="button" class="back" on:click=move |_| desk.open(None, false)><kbd>"Esc"</kbd>{says!(speaks, desk.back)}</button>
                {shown_or(move || there.get(), move || view! {
                    <div class="sheet-l"><Title/><Way/><Countdown/><div class="sheet-two"><Actions/><History/></div></div>
                    <div class="sheet-r"><Around/></div>
        }, waits)}
            </div>
            {shown(move || there.get(), move || view! { <Hand/> })}
        </section>
    }
}
