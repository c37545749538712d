//! The wall's header: whose hall, which scene, what time, whether working time runs, and the connection's health.

use domain::clock::calendar::{Span, WorkCalendar};
use domain::definition;
use domain::moment::{HOUR_MS, Local, MINUTE_MS};
use leptos::prelude::*;

use super::minute;
use crate::figure::{Evidence, Opens};
use crate::hall::use_hall;
use crate::language::{pick, use_language};
use crate::live::{Health, Link};
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::page::Switches;
use crate::powers::Powers;
use crate::seen::Seen;
use crate::text;
use crate::wall::Shown;
use crate::words::{Language, say};
use crate::world;

#[component]
pub fn HeadLeft() -> impl IntoView {
    let (speaks, names, shown) = (use_language(), use_names(), expect_context::<Shown>());
    let scene = move || {
        let language = speaks.get();
        shown.name().map(|name| format!("{} {}", say!(language, wall.scene), pick(language, &name)))
    };
    view! {
        <header class="head head-l">
            <h1><span>{anew(move || names.with(|names| speaks.name(&names.centre)))}</span></h1>
            <span class="scene w">{anew(scene)}</span>
            <Powers/>
            <Seen/>
            <span class="sp"></span>
            <span class="switches"><Switches speaks/></span>
        </header>
    }
}

#[component]
pub fn HeadRight() -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let minute = minute();
    let clock = move || text::clock(hall.now(), names.with(|names| names.policy.utc_offset_minutes));
    let date = memo(move || minute.get().date);
    view! {
        <header class="head head-r">
            <time class="clock">{anew(clock)}</time>
            <time class="it w">{anew(move || text::date_words(speaks.get(), date.get()))}</time>
            <time class="it n">{anew(move || text::short_date(speaks.get(), date.get()))}</time>
            <WorkTime minute/>
            <span class="sp"></span>
            <Connection/>
        </header>
    }
}

/// The working day as a strip with a mark at now: it explains why a clock stands still at noon.
#[component]
fn WorkTime(minute: Memo<Local>) -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let running = memo(move || {
        let now = minute.get();
        names.with(|names| {
            let offset = names.policy.utc_offset_minutes;
            names.policy.calendar.is_running(now.utc(offset), offset)
        })
    });
    let drawn = move || names.with(|names| Some(strip(&names.policy.calendar, minute.get())));
    let words = move || working_words(speaks.get(), running.get());
    let evidence = move || {
        let language = speaks.get();
        let evidence = Evidence {
            title: say!(language, wall.work_time),
            formula: say!(language, wall.work_rule),
            ..Evidence::default()
        };
        names.with(|names| Evidence {
            source: names.policy.stated_source.clone(),
            in_force: spans(&names.policy.calendar),
            ..evidence
        })
    };
    view! { <Opens class="wt w" evidence>{anew(drawn)}<span>{anew(words)}</span></Opens> }
}

/// `08:00–12:00, 14:00–18:00`
fn spans(calendar: &WorkCalendar) -> String {
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let span = |span: &Span| format!("{}–{}", time(span.from), time(span.to));
    calendar.spans.iter().map(span).collect::<Vec<_>>().join(", ")
}

fn working_words(language: Language, running: bool) -> String {
    if running { say!(language, wall.work_running) } else { say!(language, wall.work_still) }
}

/// From the first span's start to the last one's end, in 260 units of width.
fn strip(calendar: &WorkCalendar, now: Local) -> impl IntoView + use<> {
    const WIDTH: f64 = 260.0;
    let first = calendar.spans.first().map_or(0, |span| span.from);
    let last = calendar.spans.last().map_or(1_440, |span| span.to);
    let x = move |minutes: f64| (minutes - f64::from(first)) / f64::from((last - first).max(1)) * WIDTH;
    let spans: String = calendar
        .spans
        .iter()
        .map(|span| {
            format!("M{} 12H{}", text::fixed(x(span.from.into()), 1), text::fixed(x(span.to.into()), 1))
        })
        .collect();
    let labels =
        calendar.spans.iter().flat_map(|span| [(span.from, "start"), (span.to, "end")]).collect::<Vec<_>>();
    let labels = labels.into_iter().map(|(minutes, anchor)| {
        view! { <text x=x(minutes.into()) y="43" text-anchor=anchor>{minutes / 60}</text> }
    });
    let here = x((now.ms_of_day / MINUTE_MS) as f64);
    let inside = calendar.is_work_day(now.date) && (0.0..=WIDTH).contains(&here);
    let mark = inside.then(|| view! { <path class="here" d=format!("M{} 0V24", text::fixed(here, 1))/> });
    debug_assert!(now.ms_of_day < 24 * HOUR_MS);
    view! {
        <svg viewBox="0 0 260 44" aria-hidden="true">
            <path class="rest" d="M0 12H260"/>
            <path class="span" d=spans/>
            {mark}
            {labels.collect_rows()}
        </svg>
    }
}

/// Connection, age of the data, and how often the state had to be corrected. Never delayed, never hidden.
#[component]
fn Connection() -> impl IntoView {
    let (speaks, names) = (use_language(), use_names());
    let health = expect_context::<Health>();
    let mark = Signal::derive(move || match health.link.get() {
        Link::Live => Mark::Live,
        Link::Connecting => Mark::Waiting,
        Link::Absent(_) | Link::Lost { .. } | Link::Gone { .. } | Link::SignedOut => Mark::Lost,
    });
    let words = move || {
        let language = speaks.get();
        match health.link.get() {
            Link::Live => say!(language, wall.live),
            Link::Connecting => say!(language, common.connecting),
            Link::Absent(why) => why.words(language),
            Link::SignedOut => say!(language, wall.signed_out),
            Link::Gone { .. } => world::gone_words(language),
            Link::Lost { since } => {
                let offset = names.with(|names| names.policy.utc_offset_minutes);
                say!(language, wall.lost_since, time = text::clock(since, offset))
            }
        }
    };
    let age = move || {
        let age = health.age_ms.get();
        let age = format!("{}.{}", age / 1_000, age / 100 % 10);
        (health.link.get() == Link::Live).then(|| say!(speaks.get(), wall.data_age, age = age))
    };
    // What was not compared, or can no longer be, agrees with nothing.
    let compared = move || health.divergences.get().filter(|_| health.link.get() == Link::Live);
    let verified = move || match compared() {
        None => say!(speaks.get(), wall.not_compared),
        Some(0) => say!(speaks.get(), wall.no_divergence),
        Some(count) => say!(speaks.get(), wall.diverged, count = count),
    };
    let evidence = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, definition::DATA_AGE);
        let age = evidence.value(language, age().unwrap_or_else(words));
        age.part(
            say!(language, wall.corrections),
            health.divergences.get().map_or_else(|| "–".to_owned(), |count| count.to_string()),
        )
    };
    let thinned = move || (health.degraded.get() > 0).then(|| say!(speaks.get(), wall.thinned));
    // An age that changes each second is not read out; that the connection is gone is.
    let role = move || (health.link.get() != Link::Live).then_some("status");
    view! {
        <span class="live" class:lost=move || matches!(health.link.get(), Link::Absent(_) | Link::Lost { .. } | Link::Gone { .. } | Link::SignedOut) role=role data-link=move || link_key(health.link.get())>
            <Sign mark/>
            <Opens evidence><b>{anew(words)}</b><span>{anew(age)}</span></Opens>
        </span>
        <span class="it verified" class:stale=move || { health.divergences.get() > Some(0) } data-divergences=move || health.divergences.get()><Opens evidence>{anew(verified)}</Opens></span>
        <span class="it stale">{anew(thinned)}</span>
    }
}

/// For browser tests and for whoever reads the page by machine.
fn link_key(link: Link) -> &'static str {
    match link {
        Link::Connecting => "connecting",
        Link::Absent(_) => "absent",
        Link::Live => "live",
        Link::Lost { .. } => "lost",
        Link::Gone { .. } => "gone",
        Link::SignedOut => "signed-out",
    }
}
