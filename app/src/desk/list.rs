//! The list in the middle: heading with counts, filters, groups by lamp, and what waits outside.

use leptos::prelude::*;

use super::clock::Lamp;
use super::filters::{Filters, Queue};
use super::listing::{Fetch, Group};
use super::narrow::Narrow;
use super::rail::queue_name;
use super::row::Row;
use super::use_desk;
use super::whistle::Whistles;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::Sign;
use crate::names::use_names;
use crate::text;
use crate::words::say;

#[component]
pub fn List() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let queue = Memo::new(move |_| desk.filters.with(|filters| filters.queue(&desk.me())));
    let body = move || match queue.get() {
        Queue::Whistles => view! { <Whistles/> }.into_any(),
        Queue::Mine | Queue::At(_) | Queue::Open => view! { <Cases/> }.into_any(),
    };
    view! {
        <section class="list" aria-label=move || say!(speaks.get(), desk.cases)>
            <header class="list-head">
                <h1>{move || queue_name(speaks.get(), queue.get())}</h1>
                <Show when=move || queue.get() != Queue::Whistles><Counts/><span class="sp"></span><Narrow/></Show>
            </header>
            {body}
        </section>
    }
}

/// How many rows, by lamp.
#[component]
fn Counts() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let counts = move || {
        desk.listing
            .groups
            .with(|groups| groups.iter().map(|group| (group.lamp, group.rows.len())).collect::<Vec<_>>())
    };
    let all = move || counts().iter().map(|(_, count)| count).sum::<usize>();
    let total = move || {
        let more = if desk.listing.next.with(Option::is_some) { "+" } else { "" };
        say!(speaks.get(), desk.pieces, count = format!("{}{more}", all()))
    };
    let part = move |(lamp, count): (Lamp, usize)| {
        view! { <span class=format!("lamp {}", lamp.class())><Sign mark=lamp.mark()/>{count}" "{lamp.word(speaks.get())}</span> }
    };
    view! { <span class="dim">{total}</span>{move || counts().into_iter().map(part).collect_view()} }
}

#[component]
fn Cases() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let head = move || {
        let language = speaks.get();
        let words = [
            say!(language, desk.col_lamp),
            say!(language, desk.col_number),
            say!(language, desk.col_class),
            say!(language, desk.col_place),
            say!(language, desk.col_stage),
            say!(language, desk.col_used),
            say!(language, desk.col_left),
            say!(language, desk.col_unit),
            say!(language, desk.col_owner),
        ];
        words.into_iter().map(|word| view! { <span>{word}</span> }).collect_view()
    };
    let state = move || {
        let empty = desk.listing.groups.with(Vec::is_empty);
        let words = match desk.listing.fetch.get() {
            Fetch::Failed(words) => say!(speaks.get(), desk.failed, words = words),
            Fetch::Asking if empty => say!(speaks.get(), desk.loading),
            Fetch::There if empty => say!(speaks.get(), desk.empty),
            Fetch::Asking | Fetch::There => return None,
        };
        Some(view! { <p class="list-state" role="status">{words}</p> })
    };
    let groups =
        move || desk.listing.groups.get().into_iter().map(|group| view! { <Rows group/> }).collect_view();
    let more = move || {
        desk.listing.next.get().map(|_| {
            view! { <button type="button" class="button more" on:click=move |_| desk.listing.more()>{say!(speaks.get(), desk.more)}</button> }
        })
    };
    view! {
        <div class="cols" aria-hidden="true">{head}</div>
        <div class="case-rows" id="desk-rows" tabindex="-1">{state}{groups}{more}</div>
        <Outside/>
    }
}

#[component]
fn Rows(group: Group) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let (lamp, count) = (group.lamp, group.rows.len());
    let stands = group.rows.iter().any(|row| !super::clock::unit(row).runs_on());
    let unclaimed = group.rows.iter().filter(|row| row.claimed_by.is_none()).count();
    let note = move || {
        let language = speaks.get();
        match (lamp, unclaimed) {
            (Lamp::Over | Lamp::Soon, 0) => Some(say!(language, desk.group_claimed)),
            (Lamp::Over | Lamp::Soon, count) => Some(say!(language, desk.group_unclaimed, count = count)),
            (Lamp::OnTime, _) if !stands => None,
            (Lamp::OnTime, _) => names.with(|names| {
                let (policy, now) = (&names.policy, hall.now());
                let still = !policy.calendar.is_running(now, policy.utc_offset_minutes);
                let resumes = policy.calendar.resumes_at(now, policy.utc_offset_minutes).filter(|_| still)?;
                let offset = policy.utc_offset_minutes;
                let date = text::short_date(language, resumes.local(offset).date);
                Some(say!(
                    language,
                    desk.group_still,
                    time = format!("{date} {}", text::hour_minute(resumes, offset))
                ))
            }),
            (Lamp::NoClock, _) => None,
        }
    };
    view! {
        <section class="group">
            <h2><b class="w">{move || lamp.word(speaks.get())}</b><b class="c">{count}</b><span>{note}</span></h2>
            <ol>{group.rows.into_iter().map(|row| view! { <Row row/> }).collect_view()}</ol>
        </section>
    }
}

/// What has arrived or gone since the list was fetched; the list itself does not move.
#[component]
fn Outside() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let aside = Memo::new(move |_| desk.listing.aside());
    let words = move || {
        let (language, aside) = (speaks.get(), aside.get());
        let mut parts = Vec::new();
        if aside.arrived > 0 {
            parts.push(say!(language, desk.arrived, count = aside.arrived));
        }
        if aside.gone > 0 {
            parts.push(say!(language, desk.moved, count = aside.gone));
        }
        match parts.is_empty() {
            true => say!(language, desk.in_step),
            false => format!("{} · {}", parts.join(" · "), say!(language, desk.not_inserted)),
        }
    };
    let waits = move || aside.get() != super::listing::Aside::default();
    let rule = move || {
        names.with(|names| {
            say!(
                speaks.get(),
                desk.limit_rule,
                limit = text::limit_words(speaks.get(), names.policy.dispatch_limit)
            )
        })
    };
    let clear = move || {
        let me = desk.me();
        desk.filters.with(|filters| filters.narrows(&me)).then(|| {
            let plain = desk.filters.with(|filters| Filters::of(filters.queue(&me), &me));
            view! { <a class="clear" href=super::Desk::address(&plain, None)>{say!(speaks.get(), desk.clear_filters)}</a> }
        })
    };
    view! {
        <footer class="list-foot">
            <button type="button" class="outside" class:waits=waits on:click=move |_| desk.listing.refresh()><kbd>"."</kbd>{words}</button>
            {clear}<span class="sp"></span><span class="rule">{rule}</span>
        </footer>
    }
}
