//! The latest events, newest first: what the room would otherwise have to ask for.

use domain::wire::EventLine;
use leptos::prelude::*;

use super::Panel;
use crate::board::{Part, alarm, use_board};
use crate::language::use_language;
use crate::names::{Names, use_names};
use crate::once::{anew, listed, memo, shown};
use crate::text;
use crate::words::{Language, say, says};
use crate::world;

const LINES: usize = 6;
/// Of interest to the desk alone: the wall leaves them out.
const QUIET: [&str; 8] = [
    "catalogue_defined",
    "day_turned",
    "case_accepted",
    "deadline_nearing",
    "case_replanned",
    "case_moved",
    "whistle_moved",
    "cameras_adopted",
];

#[component]
pub fn Events() -> impl IntoView {
    let (speaks, board) = (use_language(), use_board());
    let lines = memo(move || {
        board.with(Part::Events, |held| {
            let loud = held.events.iter().rev().filter(|event| !QUIET.contains(&event.name.as_str()));
            loud.take(LINES).cloned().collect::<Vec<EventLine>>()
        })
    });
    let none = move || lines.with(Vec::is_empty);
    view! {
        <Panel class="strip events" label=Signal::derive(says!(speaks, wall.events))>
            <ol>
                {listed(move || lines.get(), |line| (line.seq, 0), |line| view! { <Line line/> })}
                {shown(none, move || view! { <li class="dim">{says!(speaks, wall.no_events)}</li> })}
            </ol>
        </Panel>
    }
}

#[component]
fn Line(line: EventLine) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let line = StoredValue::new(line);
    let time = move || {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        line.with_value(|line| text::clock(line.at, offset))
    };
    let kind = move || line.with_value(|line| text::event_name(speaks.get(), &line.name));
    let words = move || names.with(|names| line.with_value(|line| words(speaks.get(), names, line)));
    let href = line.with_value(|line| match &line.case {
        Some(case) => Some(world::case(case.id)),
        None => line.whistle.map(|_| world::list("list=whistles")),
    });
    let passed = line.with_value(|line| alarm(line).is_some());
    view! {
        <li><time>{anew(time)}</time><span class="kw" class:act1=passed>{anew(kind)}</span><a class="tx said" href=href>{anew(words)}</a></li>
    }
}

/// Where, what, and to whom; an event of no case says what it was about.
pub(super) fn words(language: Language, names: &Names, line: &EventLine) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(case) = &line.case {
        parts.push(names.area_brief(language, &case.area_path));
        parts.push(names.class(language, &case.class));
    }
    if let Some(department) = &line.department {
        let name = names.department(language, department);
        parts.push(match alarm(line) {
            // The one that has not come is nobody to whom something was sent.
            Some(_) => name,
            None => say!(language, wall.to, unit = name),
        });
    }
    if !line.note.is_empty() {
        parts.push(line.note.clone());
    }
    if parts.is_empty() { line.actor.clone() } else { parts.join(" ") }
}
