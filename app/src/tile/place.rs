//! Where it happens: the map with its headline and legend.

use domain::case::Priority;
use leptos::prelude::*;

use super::Panel;
use crate::board::{Part, use_board};
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::text;
use crate::words::{Language, say};

#[component]
pub fn Where() -> impl IntoView {
    let speaks = use_language();
    view! {
        <Panel class="where" label=Signal::derive(move || say!(speaks.get(), wall.schematic))>
            <Legend/>
        </Panel>
    }
}

/// The marks of open cases with their counts.
#[component]
fn Legend() -> impl IntoView {
    let (speaks, board) = (use_language(), use_board());
    let counts = Memo::new(move |_| {
        board.with(Part::Cases, |held| {
            let mut counts = [0i64; 4];
            held.cases.values().for_each(|case| counts[case.priority as usize] += 1);
            counts
        })
    });
    let row = move |priority: Priority| {
        view! {
            <li><Sign mark=Mark::of_priority(priority)/>{move || priority_name(speaks.get(), priority)}
                <b>{move || text::grouped(counts.get()[priority as usize])}</b></li>
        }
    };
    view! {
        <ul class="legend">
            {[Priority::First, Priority::Second, Priority::Third, Priority::Ordinary].into_iter().map(row).collect_view()}
        </ul>
    }
}

fn priority_name(language: Language, priority: Priority) -> String {
    match priority {
        Priority::First => say!(language, wall.p1),
        Priority::Second => say!(language, wall.p2),
        Priority::Third => say!(language, wall.p3),
        Priority::Ordinary => say!(language, wall.ordinary),
    }
}
