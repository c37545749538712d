//! The overdue-dispatch board: how many, the oldest first with who owes them, and what will breach next.

use std::collections::BTreeMap;

use domain::clock::Phase;
use domain::code::{AreaCode, CaseId};
use domain::definition;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::tally::Measure;
use domain::wire::OverdueRow;
use leptos::prelude::*;

use super::{Panel, offset, today};
use crate::board::{Dispatches, Part, is_late, use_board};
use crate::figure::{Evidence, Figure, Opens};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::{Called, use_names};
use crate::once::{CollectRows, anew, memo, shown};
use crate::order;
use crate::text;
use crate::words::{Language, say, says};
use crate::world;

/// Rows of evidence; the style sheet shows as many as fit, the headline counts all.
const ROWS: usize = 6;
/// Until so long after its limit an overdue case that nobody has taken is new. The one newest of them blinks, five times and no more
/// (WCAG 2.2.2: what blinks ends within five seconds): a row that blinks all shift is one nobody sees.
const NEW_MS: i64 = MINUTE_MS;
/// Districts named under the forecast.
const DISTRICTS: usize = 4;

#[component]
pub fn Overdue() -> impl IntoView {
    let (speaks, board, hall) = (use_language(), use_board(), use_hall());
    let rows = memo(move || {
        let now = hall.now();
        board.with(Part::Overdue, |held| first(held.overdue.iter(), now))
    });
    let newest = memo(move || rows.with(|rows| newest(rows, hall.now())));
    let counts = memo(move || board.dispatches(None, hall.now()));
    let calm = move || rows.with(Vec::is_empty) && board.knows(Part::Overdue);
    view! {
        <Panel class="overdue board" label=Signal::derive(says!(speaks, wall.overdue))>
            <div class="lead">
                <Count counts/>
                <Forecast counts/>
            </div>
            <ol class="rows">
                <For each=move || rows.get() key=drawn_anew let:row><Row row newest/></For>
                {shown(calm, move || view! { <li class="calm"><Sign mark=Mark::Done/>{says!(speaks, wall.calm_overdue)}</li> })}
            </ol>
        </Panel>
    }
}

/// What a row is drawn anew for. A due time moves when another calendar is adopted.
fn drawn_anew(row: &OverdueRow) -> (CaseId, UtcMillis, bool, bool, Option<String>) {
    (row.case, row.due, row.provisional, row.phase == Phase::Overdue, row.claimed_by.clone())
}

/// The case that has last become overdue, while that is new and nobody has taken it.
fn newest(rows: &[OverdueRow], now: UtcMillis) -> Option<CaseId> {
    let new =
        |row: &&OverdueRow| row.claimed_by.is_none() && is_late(row, now) && now.since(row.due) < NEW_MS;
    rows.iter().filter(new).max_by_key(|row| row.due).map(|row| row.case)
}

/// Overdue before nearing, then by due time.
fn first<'a>(rows: impl Iterator<Item = &'a OverdueRow>, now: UtcMillis) -> Vec<OverdueRow> {
    let mut rows: Vec<&OverdueRow> = rows.collect();
    order::sort_by_key(&mut rows, |row| (!is_late(row, now), row.due, row.case));
    rows.into_iter().take(ROWS).cloned().collect()
}

/// The desk's list of cases waiting for dispatch beyond their limit.
const LATE_CASES: &str = "open=true&stage=dispatch&phase=overdue";
const UNCLAIMED_CASES: &str = "open=true&stage=dispatch&phase=overdue&claimed=false";
const NEARING_CASES: &str = "open=true&stage=dispatch&phase=nearing";

/// What stands behind the number of overdue dispatches that nobody has taken.
pub(super) fn unclaimed_evidence(language: Language, names: Called, counts: Dispatches) -> Evidence {
    Evidence::of(language, names, definition::UNCLAIMED)
        .value(language, text::grouped(counts.unclaimed as i64))
        .part_of(say!(language, wall.overdue), text::grouped(counts.late as i64), LATE_CASES)
        .cases(UNCLAIMED_CASES)
}

#[component]
fn Count(counts: Memo<Dispatches>) -> impl IntoView {
    let (speaks, board, names, today) = (use_language(), use_board(), use_names(), today());
    let count = move || board.said(Part::Overdue, counts.get().late as i64);
    let unclaimed = move || counts.get().unclaimed;
    let evidence = move || {
        let language = speaks.get();
        Evidence::of(language, names, Measure::OverdueDispatch.key())
            .value(language, count())
            .part_of(say!(language, wall.unclaimed), text::grouped(unclaimed() as i64), UNCLAIMED_CASES)
            .cases(LATE_CASES)
    };
    let late = move |back: i64| {
        let day = today.get().plus_days(-back);
        (board.day(Measure::DispatchedLate, day), format!("dispatched={day}&dispatched_late=true"))
    };
    let late_evidence = move |back: i64| {
        let language = speaks.get();
        let (count, filters) = late(back);
        Evidence::of(language, names, Measure::DispatchedLate.key())
            .titled(if back == 0 {
                say!(language, wall.late_title)
            } else {
                say!(language, wall.late_before)
            })
            .value(language, text::grouped(count))
            .cases(&filters)
    };
    let words = Signal::derive(move || say!(speaks.get(), wall.unclaimed_count, count = unclaimed()));
    let late_today =
        Signal::derive(move || say!(speaks.get(), wall.late_today, count = text::grouped(late(0).0)));
    let late_before =
        Signal::derive(move || say!(speaks.get(), wall.late_yesterday, count = text::grouped(late(1).0)));
    view! {
        <div class="count">
            <h2>{says!(speaks, wall.overdue)}</h2>
            <div class="num" class:urge=move || { counts.get().late > 0 }>
                <Figure class="first" value=Signal::derive(count) evidence/>
                <span class="un">{anew(move || say!(speaks.get(), wall.cases, count = counts.get().late))}</span>
            </div>
            <p class="note" class:none=move || counts.get().late == 0><Figure class="inline" value=words evidence=move || unclaimed_evidence(speaks.get(), names, counts.get())/></p>
            <p class="note w"><Figure class="inline" value=late_today evidence=move || late_evidence(0)/></p>
            <p class="note w"><Figure class="inline" value=late_before evidence=move || late_evidence(1)/></p>
        </div>
    }
}

/// Each coming breach as a mark on the forecast window.
#[component]
fn Forecast(counts: Memo<Dispatches>) -> impl IntoView {
    let (speaks, board, names, hall) = (use_language(), use_board(), use_names(), use_hall());
    let window = move || names.with(|names| names.policy.forecast_minutes);
    let count = move || counts.get().nearing;
    let nearing = move |now: UtcMillis| {
        board.with(Part::Overdue, |held| {
            held.overdue.iter().filter(|row| !is_late(row, now)).map(|row| row.due).collect::<Vec<_>>()
        })
    };
    let marks = move || {
        let (now, whole) = (hall.now(), f64::from(window().max(1)) * MINUTE_MS as f64);
        let shares =
            nearing(now).into_iter().map(|due| (due.since(now) as f64 / whole * 100.0).clamp(0.0, 100.0));
        shares.map(|share| view! { <i style:left=format!("{}%", text::fixed(share, 1))></i> }).collect_rows()
    };
    let end = move || {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        text::hour_minute(hall.now().plus(i64::from(window()) * MINUTE_MS), offset)
    };
    let evidence = move || {
        let language = speaks.get();
        Evidence::of(language, names, Measure::NearingDispatch.key())
            .value(language, text::grouped(count() as i64))
            .cases(NEARING_CASES)
    };
    let heading = Signal::derive(move || say!(speaks.get(), wall.forecast, minutes = window()));
    let label = Signal::derive(says!(speaks, wall.forecast_times));
    view! {
        <div class="fcb">
            <h2><Figure class="inline" value=heading evidence/></h2>
            <div class="num sub" class:soon=move || { count() > 0 }>
                <Figure class="second" value=Signal::derive(move || board.said(Part::Overdue, count() as i64)) evidence/>
                <span class="un">{anew(move || say!(speaks.get(), wall.cases, count = count()))}</span>
            </div>
            <div class="fcs w">
                <Opens class="marks" label evidence>{anew(marks)}</Opens>
                <p><span>{says!(speaks, wall.running)}</span><time>{anew(end)}</time></p>
                <p class="by"><ByDistrict/></p>
            </div>
        </div>
    }
}

/// Where the coming breaches are, most first: whoever watches a district looks for its name.
#[component]
fn ByDistrict() -> impl IntoView {
    let (speaks, board, names, hall) = (use_language(), use_board(), use_names(), use_hall());
    let counts = memo(move || {
        let now = hall.now();
        board.with(Part::Overdue, |held| {
            names.with(|names| {
                let mut counts: BTreeMap<AreaCode, usize> = BTreeMap::new();
                for row in held.overdue.iter().filter(|row| !is_late(row, now)) {
                    if let Some(code) = names.district(&row.area_path) {
                        *counts.entry(code.clone()).or_default() += 1;
                    }
                }
                let mut counts: Vec<(AreaCode, usize)> = counts.into_iter().collect();
                order::sort_by_key(&mut counts, |(_, count)| std::cmp::Reverse(*count));
                counts.truncate(DISTRICTS);
                counts
            })
        })
    });
    let one = move |(code, count): (AreaCode, usize)| {
        let language = speaks.get();
        let name = names.with(|names| names.area_short(language, &code));
        let (words, filters) = (format!("{name} {count}"), format!("{NEARING_CASES}&area={code}"));
        let evidence = move || {
            let evidence = Evidence::of(language, names, Measure::NearingDispatch.key());
            let title = format!("{} {name}", evidence.title);
            evidence.titled(title).value(language, text::grouped(count as i64)).cases(&filters)
        };
        view! { <Figure class="inline" value=words evidence/> }
    };
    move || counts.get().into_iter().map(one).collect_rows()
}

#[component]
fn Row(row: OverdueRow, newest: Memo<Option<CaseId>>) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let row = StoredValue::new(row);
    let clock = memo(move || {
        let now = hall.now();
        names.with(|names| {
            let (policy, row) = (&names.policy, row.get_value());
            let now = if row.phase == Phase::Overdue { now.max(row.due) } else { now };
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
    // Who has it; the headline says how many nobody has, and these say since when instead.
    let owner = move || {
        let (who, due) = row.with_value(|row| (row.claimed_by.clone(), row.due));
        match who {
            Some(who) => say!(speaks.get(), wall.claimed, who = who),
            None => {
                say!(speaks.get(), wall.due_at, time = text::moment(speaks.get(), due, hall.now(), offset()))
            }
        }
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
    let case = row.with_value(|row| row.case);
    let provisional = row.with_value(|row| row.provisional);
    let moving = move || {
        provisional
            .then(|| view! { "　"<span class="said">{say!(speaks.get(), desk.provisional_due)}</span> })
    };
    let evidence = move || {
        let language = speaks.get();
        let evidence = names.with(|names| {
            row.with_value(|row| {
                Evidence::clock(language, names, row.started, row.due, row.limit, hall.present())
                    .provisional(language, row.provisional)
                    .part(say!(language, wall.owner), taken_by(language, row))
            })
        });
        row.with_value(|row| Evidence {
            title: format!("{} {}", evidence.title, what()),
            rows: vec![(format!("{} {}", row.number, row.address), world::case(row.case))],
            ..evidence
        })
    };
    view! {
        <li class="row" class:late=late>
            <span class:new=move || newest.get() == Some(case)><Sign mark/></span>
            <div><p><Opens class="cd" evidence>{anew(shown)}</Opens></p><p class="l2"><span class="said">{anew(owner)}</span>{anew(moving)}{move || still().map(|still| view! { "　"<time>{still}</time> })}</p></div>
            <div><p class="l1"><a href=row.with_value(|row| world::case(row.case))>{what}</a></p><p class="l2">{place}</p></div>
        </li>
    }
}

fn taken_by(language: Language, row: &OverdueRow) -> String {
    row.claimed_by.clone().unwrap_or_else(|| say!(language, wall.unclaimed))
}
