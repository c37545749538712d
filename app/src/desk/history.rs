//! What happened to the case: who, when, what, with the remarks; and the field for a note.

use domain::command::{Command, DeadlineOf, Event, Recorded};
use leptos::prelude::*;

use super::due::moment;
use super::keys::leave_field;
use super::use_desk;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::{Names, use_names};
use crate::text;
use crate::words::{Language, say};

#[component]
pub fn History() -> impl IntoView {
    let (speaks, desk, names, hall) = (use_language(), use_desk(), use_names(), use_hall());
    let lines = Memo::new(move |_| desk.file.with(|answer| answer.timeline.clone()));
    let item = move |recorded: Recorded| {
        let (language, now) = (speaks.get(), hall.present());
        let shown = names.with(|names| {
            let time = moment(language, recorded.at, now, names);
            Some((
                time,
                text::event_name(language, recorded.event.name()),
                details(language, &recorded, names),
            ))
        });
        shown.map(|(time, what, details)| view! { <li><span>{time}</span><p><b>{recorded.actor}</b>" "{what}" "<em>{details}</em></p></li> })
    };
    let older = move || {
        let cut = desk.file.with(|answer| answer.older.is_some());
        cut.then(|| {
            view! {
                <p class="cut">{move || say!(speaks.get(), desk.history_cut)}" "
                    <button type="button" class="button" id="desk-older" on:click=move |_| desk.file.load_older()>
                        {move || say!(speaks.get(), desk.history_older)}
                    </button>
                </p>
            }
        })
    };
    let list = move || lines.get().into_iter().rev().map(item).collect_view();
    view! {
        <section class="history" aria-label=move || say!(speaks.get(), desk.history)>
            <div class="hd"><h3>{move || say!(speaks.get(), desk.history)}</h3></div>
            <NoteField/>
            <ul class="notes">{list}</ul>
            {older}
        </section>
    }
}

/// What an event says beyond its name.
fn details(language: Language, recorded: &Recorded, names: &Names) -> String {
    let due = |due| say!(language, desk.due_at, time = moment(language, due, recorded.at, names));
    let of = |of: &DeadlineOf| match of {
        DeadlineOf::Dispatch(_) => {
            say!(language, desk.deadline_of, what = say!(language, common.stage_dispatch))
        }
        DeadlineOf::Disposal(_) => {
            say!(language, desk.deadline_of, what = say!(language, common.stage_dispose))
        }
        DeadlineOf::Response(_, department) => names.department(language, department),
    };
    match &recorded.event {
        Event::CaseReported { report, .. } | Event::CaseTakenOver { report, .. } => {
            format!("{} {}", names.source(language, &report.source), report.description)
        }
        Event::CaseFiled { dispatch_clock, .. } => due(dispatch_clock.due),
        Event::CaseDispatched { department, disposal_clock, .. } => {
            format!("→ {} · {}", names.department(language, department), due(disposal_clock.due))
        }
        Event::DisposalFinished { note, .. }
        | Event::FeedbackGiven { note, .. }
        | Event::CheckPassed { note, .. }
        | Event::CaseClosed { note, .. }
        | Event::WhistleClosed { note, .. } => note.clone(),
        Event::CaseNoted { text, .. } => text.clone(),
        Event::WhistleRaised { call, due: until, .. } => format!("{} · {}", call.title, due(*until)),
        Event::WhistleAnswered { department, .. } => names.department(language, department),
        Event::DeadlineNearing { of: whose, due: until }
        | Event::DeadlinePassed { of: whose, due: until } => {
            format!("{} {}", of(whose), due(*until))
        }
        Event::CaseAccepted { .. }
        | Event::CaseClaimed { .. }
        | Event::CatalogueDefined { .. }
        | Event::DayTurned { .. } => String::new(),
    }
}

#[component]
fn NoteField() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let text = RwSignal::new(String::new());
    let may = move || {
        desk.file
            .case()
            .is_some_and(|case| desk.may(&Command::NoteCase { case: case.id, text: String::new() }))
    };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let words = text.get_untracked().trim().to_owned();
        if let Some(case) = untrack(|| desk.file.case()).filter(|_| !words.is_empty()) {
            desk.sending
                .send(Command::NoteCase { case: case.id, text: words }, say!(speaks.get(), desk.note));
            text.set(String::new());
            // A second Enter belongs to the note.
            desk.sending.rest();
            leave_field(desk);
        }
    };
    let words = move || say!(speaks.get(), desk.write_note);
    view! {
        <Show when=may>
            <form class="note-form" on:submit=send><kbd>"N"</kbd>
                <input id="desk-note" type="text" maxlength="4000" autocomplete="off" prop:value=text on:input=move |event| text.set(event_target_value(&event)) placeholder=words aria-label=words/>
            </form>
        </Show>
    }
}
