//! The whistle board (吹哨报到): open calls with their response clocks, named by the unit that is missing.

use domain::code::DepartmentCode;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::tally::{Dimension, Measure, Period};
use domain::whistle::Whistle;
use leptos::prelude::*;

use super::{Panel, today};
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::text;
use crate::words::{Language, say};

/// Rows of evidence; the style sheet shows as many as fit.
const ROWS: usize = 4;

#[component]
pub fn Whistles() -> impl IntoView {
    let (speaks, board) = (use_language(), use_board());
    let rows = Memo::new(move |_| board.with(Part::Whistles, |held| first(held.whistles.iter())));
    let calm = move || rows.with(Vec::is_empty) && board.knows(Part::Whistles);
    view! {
        <Panel class="whistle board" label=Signal::derive(move || say!(speaks.get(), wall.whistle_late))>
            <div class="lead"><Count/></div>
            <ol class="rows">
                <For each=move || rows.get() key=|row| (row.id, row.version) let:row><Row row/></For>
                <Show when=calm><li class="calm"><Sign mark=Mark::Done/>{move || say!(speaks.get(), wall.calm_whistle)}</li></Show>
            </ol>
        </Panel>
    }
}

/// Those that wait for someone first, by due time; then those where everyone has come, newest first.
fn first<'a>(rows: impl Iterator<Item = &'a Whistle>) -> Vec<Whistle> {
    let mut rows: Vec<&Whistle> = rows.collect();
    rows.sort_by_key(|row| match row.missing().next() {
        Some(_) => (0, row.due.0),
        None => (1, -row.raised.0),
    });
    rows.into_iter().take(ROWS).cloned().collect()
}

#[component]
fn Count() -> impl IntoView {
    let (speaks, board, today) = (use_language(), use_board(), today());
    let late = Memo::new(move |_| board.now(Measure::WhistleLate));
    let open = move || text::grouped(board.now(Measure::WhistleOpen));
    let raised = move || text::grouped(board.day(Measure::WhistleRaised, today.get()));
    let month = move || {
        let count = board.count(Measure::WhistleRaised, &Dimension::City, Period::month_of(today.get()));
        text::grouped(count)
    };
    let evidence = move || {
        let language = speaks.get();
        Evidence::of(language, Measure::WhistleLate.key())
            .value(language, text::grouped(late.get()))
            .part(say!(language, wall.whistle_open_name), open())
            .part(say!(language, wall.whistle_today_name), raised())
            .part(say!(language, wall.whistle_month_name), month())
            .cases("list=whistles")
    };
    view! {
        <div class="count">
            <h2>{move || say!(speaks.get(), wall.whistle_late)}</h2>
            <div class="num" class:urge=move || { late.get() > 0 }>
                <Figure class="first" value=Signal::derive(move || text::grouped(late.get())) evidence/>
                <span class="un">{move || say!(speaks.get(), wall.calls)}</span>
            </div>
            <p class="note hi">{move || say!(speaks.get(), wall.whistle_open, count = open())}</p>
            <p class="note">{move || say!(speaks.get(), wall.whistle_today, count = raised())}</p>
            <p class="note w">{move || say!(speaks.get(), wall.whistle_month, count = month())}</p>
        </div>
    }
}

/// What a call waits for at `now`.
enum Awaits {
    Unit { department: DepartmentCode, more: usize },
    Nobody,
}

fn awaits(whistle: &Whistle) -> Awaits {
    let mut missing = whistle.missing();
    match missing.next() {
        Some(first) => Awaits::Unit { department: first.department.clone(), more: missing.count() },
        None => Awaits::Nobody,
    }
}

#[component]
fn Row(row: Whistle) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let level = row.call.level;
    let (due, limit_minutes) = (row.due, row.due.since(row.raised) / MINUTE_MS);
    let waits = StoredValue::new(awaits(&row));
    let missing = waits.with_value(|waits| matches!(waits, Awaits::Unit { .. }));
    let row = StoredValue::new(row);
    let near = move |now: UtcMillis| {
        let (whole, left) = row.with_value(|row| (row.due.since(row.raised), row.due.since(now)));
        names.with(|names| left * 100 <= whole * (100 - i64::from(names.policy.lamp_yellow_percent)))
    };
    let mark = Signal::derive(move || match (missing, hall.now()) {
        (false, _) => Mark::Done,
        (true, now) if now >= due => Mark::Over,
        (true, now) if near(now) => Mark::Near,
        (true, _) => Mark::Inside,
    });
    let who = move || {
        let language = speaks.get();
        waits.with_value(|waits| match waits {
            Awaits::Nobody => say!(language, wall.arrived_all),
            Awaits::Unit { department, .. } => names.with(|names| names.department(language, department)),
        })
    };
    // Beside the name and never cut: a long name is shortened instead.
    let clock = move || {
        missing.then(|| {
            let (late, digits) = text::in_minutes(due, hall.now());
            view! { <b>{text::phase_note(speaks.get(), late)}" "{digits}</b> }
        })
    };
    let above = move || (!missing || speaks.get() == Language::Zh).then(who);
    let came = move || {
        let language = speaks.get();
        let more = waits.with_value(|waits| match waits {
            Awaits::Unit { more, .. } if *more > 0 => Some(say!(language, wall.missing_more, count = *more)),
            Awaits::Unit { .. } | Awaits::Nobody => None,
        });
        let came: Vec<String> = row.with_value(|row| {
            let came = row.called.iter().filter(|called| called.responded.is_some());
            names.with(|names| came.map(|called| names.department(language, &called.department)).collect())
        });
        // English names are long: the unit stands below its clock, where it has the whole line.
        let below = (missing && language == Language::En).then(who);
        let came = (!came.is_empty()).then(|| format!("{} {}", came.join(" "), say!(language, wall.arrived)));
        [below, more, came].into_iter().flatten().collect::<Vec<_>>().join("　")
    };
    let place =
        move || row.with_value(|row| names.with(|names| names.area_brief(speaks.get(), &row.area_path)));
    view! {
        <li class="row">
            <div><p class="lv"><Sign mark=Mark::of_level(level)/>{move || text::level_name(speaks.get(), level)}</p>
                <p class="l2">{move || say!(speaks.get(), wall.limit_minutes, minutes = limit_minutes)}</p></div>
            <div><p class="l1">{row.with_value(|row| row.call.title.clone())}</p><p class="l2">{place}</p></div>
            <div><p class="ck1" class:act1=move || mark.get() == Mark::Over class:act3=move || mark.get() == Mark::Near><Sign mark/><span class="who">{above}</span>{clock}</p>
                <p class="l2">{came}</p></div>
        </li>
    }
}
