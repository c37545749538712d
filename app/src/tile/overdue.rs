//! The overdue-dispatch board: how many, the oldest first with who owes them, and what will breach next.

use std::collections::BTreeMap;

use domain::case::Phase;
use domain::code::AreaCode;
use domain::moment::MINUTE_MS;
use domain::tally::Measure;
use domain::wire::OverdueRow;
use leptos::prelude::*;

use super::{Panel, today};
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::text;
use crate::words::say;

/// Rows of evidence; the style sheet shows as many as fit, the headline counts all.
const ROWS: usize = 6;
/// Districts named under the forecast.
const DISTRICTS: usize = 4;

#[component]
pub fn Overdue() -> impl IntoView {
    let (speaks, board) = (use_language(), use_board());
    let rows = Memo::new(move |_| board.with(Part::Overdue, |held| first(held.overdue.iter())));
    let calm = move || rows.with(Vec::is_empty) && board.knows(Part::Overdue);
    view! {
        <Panel class="overdue board" label=Signal::derive(move || say!(speaks.get(), wall.overdue))>
            <div class="lead">
                <Count/>
                <Forecast/>
            </div>
            <ol class="rows">
                <For each=move || rows.get() key=|row| (row.case, row.phase == Phase::Overdue, row.claimed_by.clone()) let:row><Row row/></For>
                <Show when=calm><li class="calm"><Sign mark=Mark::Done/>{move || say!(speaks.get(), wall.calm_overdue)}</li></Show>
            </ol>
        </Panel>
    }
}

/// Overdue before nearing, then by due time.
fn first<'a>(rows: impl Iterator<Item = &'a OverdueRow>) -> Vec<OverdueRow> {
    let mut rows: Vec<&OverdueRow> = rows.collect();
    rows.sort_by_key(|row| (row.phase != Phase::Overdue, row.due, row.case));
    rows.into_iter().take(ROWS).cloned().collect()
}

#[component]
fn Count() -> impl IntoView {
    let (speaks, board, today) = (use_language(), use_board(), today());
    let count = Memo::new(move |_| board.now(Measure::OverdueDispatch));
    let late = move || board.day(Measure::DispatchedLate, today.get());
    let late_before = move || board.day(Measure::DispatchedLate, today.get().plus_days(-1));
    let unclaimed = move || {
        board.with(Part::Overdue, |held| {
            let overdue = held.overdue.iter().filter(|row| row.phase == Phase::Overdue);
            overdue.filter(|row| row.claimed_by.is_none()).count()
        })
    };
    let evidence = move || {
        let language = speaks.get();
        Evidence::of(language, Measure::OverdueDispatch.key())
            .value(language, text::grouped(count.get()))
            .part(say!(language, wall.unclaimed), text::grouped(unclaimed() as i64))
            .cases("open=true&stage=dispatch&phase=overdue")
    };
    let unclaimed_evidence = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, Measure::OverdueDispatch.key());
        Evidence { title: format!("{} {}", evidence.title, say!(language, wall.unclaimed)), ..evidence }
            .value(language, text::grouped(unclaimed() as i64))
            .cases("open=true&stage=dispatch&phase=overdue&claimed=false")
    };
    let late_evidence = move || {
        let language = speaks.get();
        let title = say!(language, wall.late_title);
        let (formula, source) = (say!(language, wall.late_rule), say!(language, wall.stage_source));
        Evidence { title, formula, source, ..Evidence::default() }
            .value(language, text::grouped(late()))
            .part(say!(language, wall.yesterday), text::grouped(late_before()))
            .cases(&format!("dispatched={}&dispatched_late=true", today.get()))
    };
    view! {
        <div class="count">
            <h2>{move || say!(speaks.get(), wall.overdue)}</h2>
            <div class="num" class:urge=move || { count.get() > 0 }>
                <Figure class="first" value=Signal::derive(move || text::grouped(count.get())) evidence/>
                <span class="un">{move || say!(speaks.get(), wall.cases)}</span>
            </div>
            <p class="note" class:none=move || count.get() == 0><Figure class="inline" value=Signal::derive(move || say!(speaks.get(), wall.unclaimed_count, count = unclaimed())) evidence=unclaimed_evidence/></p>
            <p class="note w"><Figure class="inline" value=Signal::derive(move || say!(speaks.get(), wall.late_today, count = text::grouped(late()))) evidence=late_evidence/></p>
            <p class="note w">{move || say!(speaks.get(), wall.late_yesterday, count = text::grouped(late_before()))}</p>
        </div>
    }
}

/// Each coming breach as a mark on the forecast window.
#[component]
fn Forecast() -> impl IntoView {
    let (speaks, board, names, hall) = (use_language(), use_board(), use_names(), use_hall());
    let window = move || names.with(|names| names.policy.forecast_minutes);
    let count = Memo::new(move |_| board.now(Measure::NearingDispatch));
    let nearing = move || {
        board.with(Part::Overdue, |held| {
            let nearing = held.overdue.iter().filter(|row| row.phase == Phase::Nearing);
            nearing.map(|row| row.due).collect::<Vec<_>>()
        })
    };
    let marks = move || {
        let (now, whole) = (hall.now(), f64::from(window().max(1)) * MINUTE_MS as f64);
        let shares =
            nearing().into_iter().map(|due| (due.since(now) as f64 / whole * 100.0).clamp(0.0, 100.0));
        shares.map(|share| view! { <i style:left=format!("{share:.1}%")></i> }).collect_view()
    };
    // Where they will breach, most first: whoever watches a district looks for its name.
    let districts = move || {
        let counts = board.with(Part::Overdue, |held| {
            names.with(|names| {
                let mut counts: BTreeMap<AreaCode, usize> = BTreeMap::new();
                for row in held.overdue.iter().filter(|row| row.phase == Phase::Nearing) {
                    if let Some(code) = names.district(&row.area_path) {
                        *counts.entry(code.clone()).or_default() += 1;
                    }
                }
                let mut counts: Vec<(AreaCode, usize)> = counts.into_iter().collect();
                counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                counts
            })
        });
        let language = speaks.get();
        let name =
            |code: &AreaCode| super::units::short(language, names.with(|names| names.area(language, code)));
        let words =
            counts.iter().take(DISTRICTS).map(|(code, count)| view! { <span>{name(code)}" "{*count}</span> });
        words.collect_view()
    };
    let end = move || {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        text::hour_minute(hall.now().plus(i64::from(window()) * MINUTE_MS), offset)
    };
    let evidence = move || {
        let language = speaks.get();
        Evidence::of(language, Measure::NearingDispatch.key())
            .value(language, text::grouped(count.get()))
            .cases("open=true&stage=dispatch&phase=nearing")
    };
    view! {
        <div class="fcb">
            <h2>{move || say!(speaks.get(), wall.forecast, minutes = window())}</h2>
            <div class="num sub" class:soon=move || { count.get() > 0 }>
                <Figure class="second" value=Signal::derive(move || text::grouped(count.get())) evidence/>
                <span class="un">{move || say!(speaks.get(), wall.cases)}</span>
            </div>
            <div class="fcs w" aria-hidden="true"><div class="marks">{marks}</div><p><span>{move || say!(speaks.get(), wall.running)}</span><span>{end}</span></p><p class="by">{districts}</p></div>
        </div>
    }
}

#[component]
fn Row(row: OverdueRow) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    names.expect_class(&row.class);
    let row = StoredValue::new(row);
    let clock = Memo::new(move |_| {
        let now = hall.now();
        names.with(|names| {
            let (policy, row) = (&names.policy, row.get_value());
            Some(text::countdown(row.due, row.limit, now, &policy.calendar, policy.utc_offset_minutes))
        })
    });
    let late = move || clock.get().is_some_and(|clock| clock.late);
    let mark = Signal::derive(move || if late() { Mark::Over } else { Mark::Near });
    let shown = move || {
        clock.get().map(|clock| {
            let days = clock.days.map(|days| view! { <b>{days}</b><span>{text::unit_name(speaks.get(), clock.unit)}</span> });
            let unit = clock.days.is_none().then(|| text::unit_name(speaks.get(), clock.unit));
            view! { <span>{text::phase_note(speaks.get(), clock.late)}</span>{days}<b>{clock.digits}</b><span>{unit}</span> }
        })
    };
    let owner = move || {
        let who = row.with_value(|row| row.claimed_by.clone());
        who.map_or_else(
            || say!(speaks.get(), wall.unclaimed),
            |who| say!(speaks.get(), wall.claimed, who = who),
        )
    };
    let still = move || {
        let unit = clock.get()?.unit;
        let now = hall.now();
        names.with(|names| {
            let policy = &names.policy;
            text::why_still(speaks.get(), unit, now, &policy.calendar, policy.utc_offset_minutes)
        })
    };
    let what = move || row.with_value(|row| names.with(|names| names.class(speaks.get(), &row.class)));
    let place =
        move || row.with_value(|row| names.with(|names| names.area_brief(speaks.get(), &row.area_path)));
    let unclaimed = row.with_value(|row| row.claimed_by.is_none());
    view! {
        <li class="row" class:late=late>
            <span class:unack=move || unclaimed && late()><Sign mark/></span>
            <div><p class="cd">{shown}</p><p class="l2">{owner}{move || still().map(|still| format!("　{still}"))}</p></div>
            <div><p class="l1"><a href=row.with_value(|row| format!("/desk/case/{}", row.case))>{what}</a></p><p class="l2">{place}</p></div>
        </li>
    }
}
