//! What must be known at any moment at any seat: how old the data are, whether the clocks of working time run, what time it is.
//!
//! What should not be here: where one is and who one is (the seats' own bars).

use leptos::prelude::*;

use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::{Health, Link};
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::text;
use crate::words::say;
use crate::world;

#[component]
pub fn DataAge() -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let health = expect_context::<Health>();
    let words = move || match health.link.get() {
        Link::Live => say!(speaks.get(), desk.data_age, age = health.age_ms.get() / 1_000),
        Link::Connecting => say!(speaks.get(), common.connecting),
        Link::Absent(why) => why.words(speaks.get()),
        Link::Lost { since } => {
            let offset = names.with(|names| names.policy.utc_offset_minutes);
            say!(speaks.get(), desk.lost, time = text::clock(since, offset))
        }
        Link::Gone { .. } => world::gone_words(speaks.get()),
        Link::SignedOut => say!(speaks.get(), wall.signed_out),
    };
    let live = move || health.link.get() == Link::Live;
    // An age that changes each second is not read out; that the connection is gone is.
    let role = move || (!live()).then_some("status");
    let mark = Signal::derive(move || if live() { Mark::Live } else { Mark::Lost });
    view! { <span class="grp lamp" class:stale=move || !live() role=role><Sign mark/>{anew(words)}</span> }
}

#[component]
pub fn WorkTime() -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let still = move || {
        let now = hall.now();
        names.with(|names| {
            let policy = &names.policy;
            let unit = domain::clock::LimitKind::WORK_HOUR;
            text::why_still(speaks.get(), unit, now, &policy.calendar, policy.utc_offset_minutes)
        })
    };
    let mark = Signal::derive(move || if still().is_some() { Mark::Stopped } else { Mark::Live });
    let words = move || still().unwrap_or_else(|| say!(speaks.get(), desk.running));
    view! { <span class="grp lamp worktime"><Sign mark/>{anew(words)}</span> }
}

#[component]
pub fn Time() -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let offset = move || names.with(|names| names.policy.utc_offset_minutes);
    let clock = move || text::clock(hall.now(), offset());
    let date = memo(move || text::short_date(speaks.get(), hall.now().local(offset()).date));
    view! { <div class="grp time"><b>{anew(clock)}</b><span class="dim">{date}</span></div> }
}
