//! The tiles of the wall, one a file, and the panel they share.

mod head;
mod flow;
mod stages;
mod usual;
mod units;
mod place;
mod pointed;
mod overdue;
mod whistles;
mod incident;
pub mod linked;
mod events;
mod alarms;

use domain::moment::{Date, Local, UtcOffset};
use leptos::prelude::*;

use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::{Health, Link};
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::text;
use crate::words::say;

pub use alarms::Alarms;
pub use events::Events;
pub use flow::Flow;
pub use head::{HeadLeft, HeadRight};
pub use incident::Incident;
pub use overdue::Overdue;
pub use place::Where;
pub use stages::Stages;
pub use units::Units;
pub use whistles::Whistles;

/// A flat area of the wall. Silent about its age while fresh; hatched, with the time its data stand at, when not.
#[component]
pub fn Panel(class: &'static str, #[prop(into)] label: Signal<String>, children: Children) -> impl IntoView {
    let health = expect_context::<Health>();
    let speaks = use_language();
    let lost = move || match health.link.get() {
        Link::Lost { since } | Link::Gone { since } => Some(since),
        Link::Connecting | Link::Absent(_) | Link::Live | Link::SignedOut => None,
    };
    let note = move || {
        lost().map(|since| {
            let time = text::clock(since, offset());
            let words = say!(speaks.get(), wall.stale, time = time);
            view! { <p class="old"><Sign mark=Mark::Stale/>{words}</p> }
        })
    };
    view! {
        <section class=format!("panel {class}") class:stands=move || lost().is_some() aria-label=label>
            {children()}
            {anew(note)}
        </section>
    }
}

/// The hall's offset from UTC. Tracked.
fn offset() -> UtcOffset {
    use_names().with(|names| names.policy.utc_offset_minutes)
}

/// The present day of the hall; changes at midnight.
fn today() -> Memo<Date> {
    let (hall, names) = (use_hall(), use_names());
    memo(move || hall.now().local(names.with(|names| names.policy.utc_offset_minutes)).date)
}

/// The present time of the hall to the minute.
fn minute() -> Memo<Local> {
    let (hall, names) = (use_hall(), use_names());
    memo(move || {
        let mut local = hall.now().local(names.with(|names| names.policy.utc_offset_minutes));
        local.ms_of_day -= local.ms_of_day % domain::moment::MINUTE_MS;
        local
    })
}
