//! What happened to the case: who, when, what, with the remarks; and the field for a note.

use domain::case::{Case, Stage, Step};
use domain::clock::ClockOf;
use domain::command::Command;
use domain::wire::EventLine;
use leptos::prelude::*;

use super::due::moment;
use super::hand::leave_field;
use super::send::What;
use super::use_work;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::{Names, use_names};
use crate::once::{CollectRows, anew, memo, shown};
use crate::text;
use crate::words::{self, Language, say, says};

#[component]
pub fn History() -> impl IntoView {
    let (speaks, work, names, hall) = (use_language(), use_work(), use_names(), use_hall());
    let lines = memo(move || work.file.with(|answer| answer.lines.clone()));
    let item = move |line: EventLine| {
        let (language, now) = (speaks.get(), hall.present());
        let shown = names.with(|names| {
            let time = moment(language, line.at, now, names);
            let said = work.file.with(|answer| details(language, &line, &answer.case, names));
            Some((time, text::event_name(language, &line.name), said))
        });
        shown.map(|(time, what, details)| view! { <li><span>{time}</span><p><b>{line.actor.clone()}</b>" "{what}" "<em>{details}</em></p></li> })
    };
    let older = move || {
        let cut = work.file.with(|answer| answer.older.is_some());
        cut.then(|| {
            view! {
                <p class="cut">{says!(speaks, desk.history_cut)}" "
                    <button type="button" class="button" id="desk-older" on:click=move |_| work.file.load_older()>
                        {says!(speaks, desk.history_older)}
                    </button>
                </p>
            }
        })
    };
    let list = move || lines.get().into_iter().rev().map(item).collect_rows();
    view! {
        <section class="history" aria-label=says!(speaks, desk.history)>
            <div class="hd"><h3>{says!(speaks, desk.history)}</h3></div>
            <NoteField/>
            <ul class="notes">{anew(list)}</ul>
            {anew(older)}
        </section>
    }
}

/// What an event says beyond its name: whom it went to, which clock and when it runs out, the remark.
fn details(language: Language, line: &EventLine, case: &Case, names: &Names) -> String {
    let mut parts = Vec::new();
    if matches!(line.name.as_str(), "case_reported" | "case_taken_over") {
        parts.push(format!("{} {}", names.source(language, &case.report.source), case.report.description));
    }
    let passed = line.name.starts_with("deadline_");
    if let Some(department) = &line.department {
        let name = names.department(language, department);
        parts.push(if line.whistle.is_some() { name } else { format!("→ {name}") });
    } else if let Some(of) = line.of.filter(|_| passed) {
        parts.push(say!(language, desk.deadline_of, what = clock_name(language, of)));
    }
    parts.extend((!line.note.is_empty()).then(|| line.note.clone()));
    let time = |at| moment(language, at, line.at, names);
    parts.extend(line.due.map(|due| match line.was {
        Some(was) => say!(language, desk.due_moved, time = time(due), was = time(was)),
        None => say!(language, desk.due_at, time = time(due)),
    }));
    parts.join(if passed { " " } else { " · " })
}

fn clock_name(language: Language, of: ClockOf) -> String {
    match of {
        ClockOf::Dispatch => text::stage_name(language, Stage::Dispatch),
        ClockOf::Disposal => text::stage_name(language, Stage::Dispose),
        ClockOf::Milestone(number) => say!(language, desk.milestone, number = number),
        ClockOf::Response => say!(language, event.whistle_answered),
        ClockOf::Suspension => Step::GRANT_SUSPENSION.happened(language).to_owned(),
    }
}

#[component]
fn NoteField() -> impl IntoView {
    let (speaks, work) = (use_language(), use_work());
    let text = move || work.file.drafts.with(|written| written.note.clone());
    let may = move || {
        work.file
            .case()
            .is_some_and(|case| work.may(&Command::NoteCase { case: case.id, text: String::new() }))
    };
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let typed = untrack(text).trim().to_owned();
        if let Some(case) = untrack(|| work.file.case()).filter(|_| !typed.is_empty()) {
            let note = Command::NoteCase { case: case.id, text: typed };
            if work.sending.send(note, What::Word(words::desk::note), Some((case.id, case.number))) {
                work.file.drafts.write(|written| written.note.clear());
            }
            leave_field(work.selected);
        }
    };
    let words = says!(speaks, desk.write_note);
    view! {
        {shown(may, move || view! {
            <form class="note-form" on:submit=send><kbd>"N"</kbd>
                <input id="desk-note" type="text" maxlength="4000" autocomplete="off" prop:value=text on:input=move |event| work.file.drafts.write(|written| written.note = event_target_value(&event)) node_ref=work.note placeholder=words aria-label=words/>
            </form>
        })}
    }
}
