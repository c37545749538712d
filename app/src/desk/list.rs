//! The list in the middle: heading with counts, filters, groups by lamp, and what waits outside.

use domain::case::Stage;
use domain::code::CaseId;
use leptos::prelude::*;

use super::filters::{Filters, Queue};
use super::listing::{Fetch, Group};
use super::narrow::Narrow;
use super::rail::queue_name;
use super::row::Row;
use super::whistle::Whistles;
use super::window::{self, Seen};
use super::{Desk, use_desk};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{CollectRows, anew, effect, listed, memo, shown, shown_or};
use crate::text;
use crate::words::{say, says};
use crate::work::clock::Lamp;

#[component]
pub fn List() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let queue = memo(move || desk.filters.with(|filters| filters.queue(&desk.me())));
    let body = move || match queue.get() {
        Queue::Whistles => view! { <Whistles/> }.into_any(),
        Queue::Mine | Queue::At(_) | Queue::Open | Queue::Found => view! { <Cases/> }.into_any(),
    };
    view! {
        <section class="list" aria-label=says!(speaks, desk.cases)>
            <header class="list-head">
                <h1>{anew(move || queue_name(speaks.get(), queue.get()))}</h1>
                {shown_or(move || queue.get() != Queue::Whistles, move || view! { <Counts/> }, CallCounts)}
                <Chips/>
                {shown(move || queue.get() != Queue::Whistles, move || view! { <span class="sp"></span><Narrow/> })}
            </header>
            {anew(body)}
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
    // A list that is cut says of how many it is the first.
    let total = move || {
        let (language, all) = (speaks.get(), all());
        match desk.listing.total.get() {
            Some(total) if total as usize > all => {
                say!(
                    language,
                    desk.first_of,
                    count = text::grouped(all as i64),
                    total = text::grouped(total as i64)
                )
            }
            None if desk.listing.next.with(Option::is_some) => {
                say!(language, desk.first_of_many, count = all)
            }
            Some(_) | None => say!(language, desk.pieces, count = text::grouped(all as i64)),
        }
    };
    let exact = move || desk.listing.total.get().map(|total| total.to_string());
    let part = move |(lamp, count): (Lamp, usize)| {
        view! { <span class=format!("lamp {}", lamp.class())><Sign mark=lamp.mark()/>{count}" "{lamp.word(speaks.get())}</span> }
    };
    // A list that may miss cases says which.
    let cut = move || {
        let (language, cut) = (speaks.get(), desk.listing.cut.get());
        let searched = cut.searched_to.map(|date| text::date_words(language, date));
        let searched = searched.map(|when| say!(language, desk.searched_to, when = when));
        let laid_out = cut.laid_out_percent;
        let laid_out = laid_out.map(|percent| say!(language, desk.laid_out, percent = percent));
        [searched, laid_out]
            .into_iter()
            .flatten()
            .map(|words| view! { <span class="dim cut">{words}</span> })
            .collect_rows()
    };
    view! { <span class="dim total" data-total=exact>{anew(total)}</span>{anew(cut)}{move || counts().into_iter().map(part).collect_rows()} }
}

/// How many calls, and how many departments they miss.
#[component]
fn CallCounts() -> impl IntoView {
    let (speaks, desk, hall) = (use_language(), use_desk(), use_hall());
    // Calls that are not there yet are not counted as none.
    let count = move || {
        let count = desk.calls.rows.with(Vec::len);
        (count > 0 || desk.calls.fetch() == Fetch::There).then_some(count)
    };
    let missing = move || {
        desk.calls.rows.with(|calls| {
            calls.iter().map(|call| super::whistle::missing_of(call, hall.now())).sum::<usize>()
        })
    };
    let late = move || {
        (missing() > 0).then(|| view! { <span class="lamp over"><Sign mark=Mark::Over/>{say!(speaks.get(), desk.whistles_late, count = missing())}</span> })
    };
    view! { <span class="dim total" data-total=move || count().map(|count| count.to_string())>{anew(move || count().map(|count| say!(speaks.get(), desk.call_pieces, count = count)))}</span>{anew(late)} }
}

/// Filters that no field shows, each with a way to drop it: a list says what it holds.
#[component]
fn Chips() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let chip = move |(key, value): (&'static str, &str)| {
        let language = speaks.get();
        let words = match key {
            "stage" => {
                Stage::from_key(value).map_or_else(String::new, |stage| text::stage_name(language, stage))
            }
            "reported" => say!(language, desk.chip_reported, when = value),
            "filed" => say!(language, desk.chip_filed, when = value),
            "dispatched" => say!(language, desk.chip_dispatched, when = value),
            "closed" => say!(language, desk.chip_closed, when = value),
            "raised" => say!(language, desk.chip_raised, when = value),
            "dispatched_late" => say!(language, desk.chip_dispatched_late),
            "late" => say!(language, desk.chip_late),
            "claimed" if value == "true" => say!(language, desk.chip_claimed),
            "claimed" => say!(language, desk.chip_unclaimed),
            "claimed_by" => say!(language, desk.chip_claimed_by, who = value),
            "department" => {
                let code = domain::code::DepartmentCode::new(value).ok();
                code.map_or_else(String::new, |code| names.with(|names| names.department(language, &code)))
            }
            "has_place" if value == "true" => say!(language, desk.chip_placed),
            "has_place" => say!(language, desk.chip_unplaced),
            _ => value.to_owned(),
        };
        let opened = desk.opened.get();
        let href = desk.filters.with(|filters| super::Desk::address_of(&filters.with(key, ""), opened));
        let leave_out = say!(language, desk.drop_filter, what = &words);
        view! { <a class="chip" href=href title=leave_out.clone() aria-label=leave_out>{words}" ×"</a> }
    };
    move || {
        let me = desk.me();
        desk.filters.with(|filters| filters.hidden(&me).into_iter().map(chip).collect_rows())
    }
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
        words.into_iter().map(|word| view! { <span>{word}</span> }).collect_rows()
    };
    let state = move || {
        let empty = desk.listing.groups.with(Vec::is_empty);
        let words = match desk.listing.fetch.get() {
            Fetch::Failed(error) => say!(speaks.get(), desk.failed, words = error.words(speaks.get())),
            Fetch::Asking if empty => say!(speaks.get(), desk.loading),
            Fetch::There if empty => say!(speaks.get(), desk.empty),
            Fetch::Asking | Fetch::There => return None,
        };
        Some(view! { <p class="list-state" role="status">{words}</p> })
    };
    let hand = hand(desk);
    let (seen, look) = follow_sight(desk);
    let drawn = memo(move || {
        let counts = desk
            .listing
            .groups
            .with(|groups| groups.iter().map(|group| group.rows.len()).collect::<Vec<_>>());
        window::drawn(&counts, seen.get())
    });
    let groups = Lamp::ALL.map(|lamp| view! { <Rows lamp drawn hand/> });
    let more = move || {
        desk.listing.next.get().map(|_| {
            view! { <button type="button" class="button more" on:click=move |_| desk.listing.more()>{say!(speaks.get(), desk.more)}</button> }
        })
    };
    view! {
        <div class="cols" aria-hidden="true">{anew(head)}</div>
        <div class="case-rows" id="desk-rows" tabindex="-1" node_ref=desk.rows on:scroll=move |_| look()>{anew(state)}{groups}{anew(more)}</div>
        <Outside/>
    }
}

/// The one row in the order of the tab key: under the hand, else the first. It is always drawn, wherever the list is scrolled to.
fn hand(desk: Desk) -> Memo<Option<CaseId>> {
    let first = move || desk.listing.groups.with(|groups| Some(groups.first()?.rows.first()?.id));
    memo(move || desk.selected.get().filter(|id| desk.listing.place(*id).is_some()).or_else(first))
}

/// What is on the screen of the list, and what looks anew.
fn follow_sight(desk: Desk) -> (RwSignal<Seen>, impl Fn() + Copy + 'static) {
    let seen = RwSignal::new(Seen { top_px: 0.0, height_px: 1_000.0, row_px: 34.0, head_px: 28.0 });
    let look = move || {
        let Some(list) = desk.rows.get_untracked() else { return };
        let px = |selector, before| {
            let found = list.query_selector(selector).ok().flatten();
            found.map_or(before, |element| element.get_bounding_client_rect().height())
        };
        // The list may have been left since the frame was asked for.
        let Some(before) = seen.try_get_untracked() else { return };
        seen.set(Seen {
            top_px: f64::from(list.scroll_top()),
            height_px: f64::from(list.client_height()),
            row_px: px(".case-row", before.row_px),
            head_px: px(".group h2", before.head_px),
        });
    };
    effect(move || {
        desk.listing.groups.track();
        if desk.rows.get().is_some() {
            // The rows are laid out once the effects have run.
            request_animation_frame(look);
        }
    });
    let resized = window_event_listener(leptos::ev::resize, move |_| look());
    on_cleanup(move || resized.remove());
    (seen, look)
}

/// What a group's heading says of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Head {
    count: usize,
    unclaimed: usize,
    /// Some clock in it stands while nobody works.
    stands: bool,
}

impl Head {
    fn of(group: &Group) -> Self {
        Self {
            count: group.rows.len(),
            unclaimed: group.rows.iter().filter(|row| row.claimed_by.is_none()).count(),
            stands: group.rows.iter().any(|row| !crate::work::clock::unit(row).runs_on()),
        }
    }
}

/// A group: as high as all its rows, of which those on the screen are drawn, and the one under the hand.
#[component]
fn Rows(lamp: Lamp, drawn: Memo<Vec<(usize, usize)>>, hand: Memo<Option<CaseId>>) -> impl IntoView {
    let (speaks, desk, names, hall) = (use_language(), use_desk(), use_names(), use_hall());
    let head = memo(move || {
        let of = |groups: &Vec<Group>| groups.iter().find(|group| group.lamp == lamp).map(Head::of);
        desk.listing.groups.with(of).unwrap_or_default()
    });
    let ids = memo(move || {
        desk.listing.groups.with(|groups| {
            let Some(at) = groups.iter().position(|group| group.lamp == lamp) else { return Vec::new() };
            let rows = &groups[at].rows;
            let (from, to) = drawn.with(|drawn| drawn.get(at).copied()).unwrap_or_default();
            let place = hand.get().and_then(|id| desk.listing.place(id)).filter(|place| place.0 == at);
            let alone = place.map(|(_, row)| row).filter(|row| !(from..to).contains(row));
            let before = alone.filter(|row| *row < from);
            let places = before.into_iter().chain(from..to).chain(alone.filter(|row| *row >= to));
            places.filter_map(|row| Some(rows.get(row)?.id)).collect::<Vec<_>>()
        })
    });
    let note = move || {
        let language = speaks.get();
        let Head { unclaimed, stands, .. } = head.get();
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
    let lines = move || {
        let ids = ids.get();
        untrack(|| ids.into_iter().filter_map(|id| desk.listing.line(id)).collect::<Vec<_>>())
    };
    let count = memo(move || head.with(|head| head.count));
    let height = move || format!("calc({} * var(--row))", count.get());
    view! {
        {shown(move || { count.get() > 0 }, move || view! {
            <section class="group">
                <h2><b class="w">{anew(move || lamp.word(speaks.get()))}</b><b class="c">{count}</b><span>{anew(note)}</span></h2>
                <ol style:height=height>{listed(lines, |row| (row.id.0, 0), move |row| view! { <Row row hand count/> })}</ol>
            </section>
        })}
    }
}

/// What has arrived or gone since the list was fetched; the list itself does not move.
#[component]
fn Outside() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let aside = memo(move || desk.listing.aside());
    let words = move || {
        let (language, aside) = (speaks.get(), aside.get());
        match desk.listing.fetch.get() {
            Fetch::Asking => return say!(language, desk.loading),
            Fetch::Failed(error) => return say!(language, desk.failed, words = error.words(language)),
            Fetch::There => {}
        }
        if !desk.filters.with(Filters::is_followed) {
            let offset = names.with(|names| names.policy.utc_offset_minutes);
            let time = text::hour_minute(desk.listing.fetched_at.get(), offset);
            return say!(language, desk.read_at, time = time);
        }
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
            say!(speaks.get(), desk.limit_rule, limit = names.policy.dispatch_limit.words(speaks.get()))
        })
    };
    let clear = move || {
        let me = desk.me();
        desk.filters.with(|filters| filters.narrows(&me)).then(|| {
            let plain = desk.filters.with(|filters| Filters::of(filters.queue(&me), &me));
            view! { <a class="clear" href=super::Desk::address_of(&plain, desk.opened.get())>{say!(speaks.get(), desk.clear_filters)}</a> }
        })
    };
    view! {
        <footer class="list-foot">
            <button type="button" class="outside" class:waits=waits on:click=move |_| desk.listing.refresh()><kbd>"."</kbd>{anew(words)}</button>
            {anew(clear)}<span class="sp"></span><span class="rule">{anew(rule)}</span>
        </footer>
    }
}
