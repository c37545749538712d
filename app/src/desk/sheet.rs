//! The open case: heading, then its parts in the order in which they are read.

use domain::code::AreaCode;
use leptos::html;
use leptos::prelude::*;

use super::act::{Actions, Hand};
use super::around::Around;
use super::clock::lamp;
use super::due::Countdown;
use super::history::History;
use super::overview::Overview;
use super::use_desk;
use super::way::Way;
use crate::api::ApiError;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::Sign;
use crate::names::use_names;
use crate::once::{anew, memo, shown, shown_or};
use crate::text;
use crate::words::{say, says};

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

#[component]
fn Title() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let file = desk.file;
    let heading = NodeRef::<html::H1>::new();
    Effect::new(move |before: Option<()>| {
        desk.sending.stepped.track();
        if let (Some(()), Some(heading)) = (before, heading.get_untracked()) {
            // Whoever goes on by keys reads on from the top; the step's button is no longer the one that was pressed.
            let _ = heading.focus();
        }
    });
    let title = move || {
        file.with(|answer| {
            let (language, report) = (speaks.get(), &answer.case.report);
            let class = names.with(|names| names.class(language, &report.class));
            let condition = names.with(|names| {
                report.condition.as_deref().map(|text| names.condition(language, &report.class, text))
            });
            let parts = [Some(class), condition];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
        })
    };
    let owner = move || {
        file.with(|answer| answer.case.claimed_by.clone()).map_or_else(
            || view! { <span class="dim">{say!(speaks.get(), desk.unclaimed)}</span> }.into_any(),
            |name| {
                view! { <span class="dim">{say!(speaks.get(), desk.col_owner)}</span><b>{name}</b> }
                    .into_any()
            },
        )
    };
    let description = move || {
        file.with(|answer| Some(answer.case.report.description.clone()).filter(|text| !text.is_empty()))
    };
    view! {
        <header class="title">
            <div class="l1"><LampWord/><span class="no">{anew(move || file.with(|answer| answer.case.number.clone()))}</span>
                <h1 tabindex="-1" node_ref=heading>{anew(title)}</h1><span class="sp"></span>{anew(owner)}</div>
            <Place/>
            {anew(move || description().map(|text| view! { <p class="said">{text}</p> }))}
        </header>
    }
}

#[component]
fn LampWord() -> impl IntoView {
    let (speaks, desk, names, hall) = (use_language(), use_desk(), use_names(), use_hall());
    let shown = memo(move || {
        let now = hall.now();
        let line = desk.file.line()?;
        names.with(|names| Some(lamp(&line, now, &names.policy)))
    });
    move || {
        shown.get().map(|lamp| {
            view! { <span class=format!("lamp {}", lamp.class())><Sign mark=lamp.mark()/>{lamp.word(speaks.get())}</span> }
        })
    }
}

#[component]
fn Place() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let file = desk.file;
    let area = move || {
        let path: Vec<AreaCode> = file.with(|answer| answer.case.area_path.clone());
        names.with(|names| names.area_words(speaks.get(), &path))
    };
    let code = move || file.with(|answer| answer.case.report.area.to_string());
    let place = move || {
        match file.with(|answer| answer.case.report.place) {
        Some(place) => {
            view! { <span class="dim">{format!("{}, {}", text::fixed(place.lat(), 5), text::fixed(place.lon(), 5))}</span> }.into_any()
        }
        None => view! { <span class="stale">{say!(speaks.get(), desk.no_place)}</span> }.into_any(),
    }
    };
    let source = move || {
        file.with(|answer| {
            let report = &answer.case.report;
            let source = names.with(|names| names.source(speaks.get(), &report.source));
            let who = report.reporter.clone().map_or(source.clone(), |who| format!("{source} {who}"));
            let offset = names.with(|names| names.policy.utc_offset_minutes);
            let words = say!(speaks.get(), desk.reported_by, source = who);
            format!("{words} {}", text::hour_minute(answer.case.reported, offset))
        })
    };
    view! {
        <p class="l2"><b>{anew(move || file.with(|answer| answer.case.report.address.clone()))}</b><span>{anew(area)}</span><span class="dim">{anew(code)}</span>{anew(place)}
            <span class="sp"></span><span class="dim">{anew(source)}</span></p>
    }
}
