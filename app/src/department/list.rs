//! The list: calls that wait for an answer, how many cases of which kind, then the cases, the most urgent first.

use domain::case::Stage;
use domain::code::CaseId;
use domain::route;
use domain::wire::CaseLine;
use leptos::prelude::*;

use super::calls::Calls;
use super::queue::{Fetch, Which, is_departments};
use super::use_seat;
use crate::language::use_language;
use crate::mark::Sign;
use crate::names::{Called, Names, use_names};
use crate::once::{anew, memo};
use crate::session::{Session, use_session};
use crate::text;
use crate::words::{Language, say, says};
use crate::work::clock::{may_move, unit};
use crate::work::face::{Face, face};
use crate::work::hand::{ROWS, row_id};
use crate::work::line::{place, short_number};
use crate::work::outcome::Outcome;
use crate::world;

pub fn which_name(language: Language, which: Which) -> String {
    match which {
        Which::ToDo => say!(language, department.to_do),
        Which::At(Stage::Dispose) => say!(language, department.to_finish),
        Which::At(Stage::Feedback) => say!(language, department.to_feed_back),
        Which::At(stage) => say!(language, desk.waiting, stage = text::stage_name(language, stage)),
        Which::Over => say!(language, department.overdue),
        Which::Back => say!(language, department.returned),
        Which::Centre => say!(language, department.with_centre),
    }
}

#[component]
pub fn List() -> impl IntoView {
    let (speaks, seat) = (use_language(), use_seat());
    let queue = seat.queue;
    // An open case says in its own place how a command went.
    let alone = move || seat.opened.get().is_none();
    let chip = move |which: Which| {
        let on = move || queue.which.get() == which;
        view! { <button type="button" class="chip" data-which=move || format!("{which:?}") aria-pressed=move || on().to_string() on:click=move |_| queue.which.set(which)>{anew(move || which_name(speaks.get(), which))}<b>{move || queue.count(which)}</b></button> }
    };
    view! {
        <section class="queue" aria-label=says!(speaks, desk.cases)>
            <Calls/>
            <Show when=alone><Outcome/></Show>
            <div class="chips" role="group" aria-label=says!(speaks, desk.filters)>{Which::all().map(chip).collect_view()}</div>
            <Rows/>
        </section>
    }
}

#[component]
fn Rows() -> impl IntoView {
    let (speaks, seat, signed) = (use_language(), use_seat(), use_session());
    let queue = seat.queue;
    let homeless =
        memo(move || matches!(signed.get(), Session::SignedIn(session) if session.department.is_none()));
    let state = move || {
        let (language, empty) = (speaks.get(), queue.listed.with(Vec::is_empty));
        let words = match queue.fetch.get() {
            _ if homeless.get() => say!(language, department.no_department),
            Fetch::Failed(error) => say!(language, desk.failed, words = error.words(language)),
            Fetch::Asking | Fetch::There if !queue.knows() => say!(language, desk.loading),
            Fetch::Asking | Fetch::There if empty => say!(language, department.nothing),
            Fetch::Asking | Fetch::There => return None,
        };
        Some(view! { <p class="queue-state" role="status">{words}</p> })
    };
    let hand = memo(move || {
        let listed = queue.listed.get();
        seat.selected.get().filter(|id| listed.contains(id)).or_else(|| listed.first().copied())
    });
    let drawn = move || {
        let most = queue.drawn.get();
        let listed = queue.listed.get();
        untrack(|| listed.into_iter().take(most).filter_map(|id| queue.line(id)).collect::<Vec<_>>())
    };
    let more = move || {
        let rest = queue.listed.with(Vec::len).saturating_sub(queue.drawn.get());
        (rest > 0).then(|| {
            view! { <button type="button" class="btn more" on:click=move |_| queue.more()>{say!(speaks.get(), department.more, count = rest)}</button> }
        })
    };
    view! {
        <div class="rows" id=ROWS tabindex="-1">{anew(state)}
            <ol><For each=drawn key=|line| line.id let:line><Row line hand/></For></ol>{anew(more)}
        </div>
    }
}

#[component]
fn Row(line: CaseLine, hand: Memo<Option<CaseId>>) -> impl IntoView {
    let (speaks, seat, names) = (use_language(), use_seat(), use_names());
    let (id, first) = (line.id, StoredValue::new(line));
    // One that has just left the list is shown as it was, until it is taken away.
    let case = Memo::new(move |before: Option<&CaseLine>| {
        seat.queue.line(id).or_else(|| before.cloned()).unwrap_or_else(|| first.get_value())
    });
    let face = face(case);
    let selected = memo(move || seat.selected.get() == Some(id));
    let class = move || {
        let lamp = face.with(|face| face.lamp.class());
        format!("case-row {lamp}{}", if selected.get() { " sel" } else { "" })
    };
    let tab = move || if hand.get() == Some(id) { 0 } else { -1 };
    let current = move || (seat.opened.get() == Some(id)).then_some("true");
    let what = move || case.with(|case| names.with(|names| what(speaks.get(), case, names)));
    let number = move || case.with(|case| known(short_number(&case.number)));
    let next = move || case.with(|case| next(speaks.get(), case));
    let moves = move || case.with(|case| may_move(speaks.get(), case));
    let counted = move || case.with(|case| case.due.map(|_| text::unit_name(speaks.get(), unit(case))));
    let label = move || case.with(|case| face.with(|face| label(speaks.get(), case, face, names)));
    view! {
        <li><a id=row_id(id) class=class aria-label=label href=route::department(&world::base(), Some(id)) tabindex=tab aria-current=current on:click=move |_| seat.selected.set(Some(id)) on:focus=move |_| seat.selected.set(Some(id))>
            <span class=move || face.with(|face| format!("lamp {}", face.lamp.class()))><Sign mark=Signal::derive(move || face.with(|face| face.lamp.mark()))/>{anew(move || face.with(|face| face.lamp.word(speaks.get())))}</span>
            <b class="what">{anew(what)}</b>
            <span class="left">{anew(move || face.with(|face| face.left.clone()))}<small>{anew(counted)}{anew(moves)}</small></span>
            <span class="no">{number}</span>
            <span class="where">{anew(move || case.with(|case| place(speaks.get(), case, names)))}</span>
            <span class="next">{anew(next)}</span>
        </a></li>
    }
}

/// What has not been read yet is not said to be empty.
fn known(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { text.to_owned() }
}

fn what(language: Language, case: &CaseLine, names: &Names) -> String {
    let class = names.class_short(language, &case.class);
    match &case.condition {
        Some(condition) => format!("{class} · {}", names.condition(language, &case.class, condition)),
        None => class,
    }
}

/// What is to be done next, and that the case has been here before.
fn next(language: Language, case: &CaseLine) -> String {
    let which = if is_departments(case.stage) { Which::At(case.stage) } else { Which::Centre };
    let next = which_name(language, which);
    match case.round > 1 && is_departments(case.stage) {
        true => format!("{} · {next}", which_name(language, Which::Back)),
        false => next,
    }
}

/// The row read out.
fn label(language: Language, case: &CaseLine, face: &Face, names: Called) -> String {
    let left = face.left.as_ref().map(|left| {
        format!("{} {left} {}", say!(language, desk.col_left), text::unit_name(language, unit(case)))
    });
    let parts = [
        face.lamp.word(language),
        names.with(|names| what(language, case, names)),
        place(language, case, names),
        next(language, case),
        left.unwrap_or_default(),
        short_number(&case.number).to_owned(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(match language {
        Language::Zh => "，",
        Language::En => ", ",
    })
}
