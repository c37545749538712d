//! Open cases and the seven stages they wait in: how many, how long already, how many passed today.

use domain::case::{Phase, Stage};
use domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::tally::Measure;
use leptos::prelude::*;

use super::{Panel, today};
use crate::board::{Held, Part, use_board};
use crate::figure::{Evidence, Figure};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::text;
use crate::words::{Language, say};

/// How the cases of one stage wait.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Waiting {
    count: usize,
    late: usize,
    under_hour: usize,
    under_day: usize,
    median_ms: i64,
}

#[component]
pub fn Stages() -> impl IntoView {
    let (speaks, board, hall) = (use_language(), use_board(), use_hall());
    let open = Memo::new(move |_| board.now(Measure::Open));
    let waiting = Memo::new(move |_| {
        board.with(Part::Cases, |held| held.cases_whole.then(|| measure(held, hall.present().0)))
    });
    let evidence = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, Measure::Open.key()).value(language, text::grouped(open.get()));
        let evidence = Stage::ALL.into_iter().fold(evidence, |evidence, stage| {
            let count = text::grouped(board.now(Measure::At(stage)));
            evidence.part(text::stage_name(language, stage), count)
        });
        evidence.cases("open=true")
    };
    view! {
        <Panel class="stages" label=Signal::derive(move || say!(speaks.get(), wall.open))>
            <div class="ph">
                <div class="num sub"><h2>{move || say!(speaks.get(), wall.open)}</h2>
                    <Figure class="second" value=Signal::derive(move || text::grouped(open.get())) evidence/>
                </div>
                <span class="sp"></span>
                <AgeKey/>
            </div>
            <ol class="st7">
                <li class="rl w" aria-hidden="true">
                    <div class="bar">{move || say!(speaks.get(), wall.age_rule)}</div>
                    <div class="nm"></div>
                    <div class="ct">{move || say!(speaks.get(), wall.waiting)}</div>
                    <div class="dw">{move || say!(speaks.get(), wall.waited)}</div>
                    <div class="dw">{move || say!(speaks.get(), wall.passed)}</div>
                </li>
                {Stage::ALL.into_iter().map(|stage| {
                    let own = Signal::derive(move || waiting.get().map(|waiting| waiting[stage as usize]));
                    view! { <Column stage waiting=own/> }
                }).collect_view()}
            </ol>
        </Panel>
    }
}

/// What the shades of the bars mean.
#[component]
fn AgeKey() -> impl IntoView {
    let speaks = use_language();
    view! {
        <span class="agekey">
            <i class="a1"></i>{move || say!(speaks.get(), wall.under_hour)}
            <i class="a2"></i>{move || say!(speaks.get(), wall.under_day)}
            <i class="a3"></i>{move || say!(speaks.get(), wall.over_day)}
            <span class="late w"><i class="a0"></i>{move || say!(speaks.get(), wall.overdue_part)}</span>
        </span>
    }
}

#[component]
fn Column(stage: Stage, waiting: Signal<Option<Waiting>>) -> impl IntoView {
    let (speaks, board, today) = (use_language(), use_board(), today());
    let count = Memo::new(move |_| board.now(Measure::At(stage)));
    let passed = move || passed_measure(stage).map(|measure| text::grouped(board.day(measure, today.get())));
    let median = move || {
        let waiting = waiting.get().filter(|waiting| waiting.count > 0)?;
        Some(rough(speaks.get(), waiting.median_ms))
    };
    let late = move || waiting.get().map_or(0, |waiting| waiting.late);
    let late_words = move || (late() > 0).then(|| say!(speaks.get(), wall.stage_overdue, count = late()));
    let share = move |part: fn(&Waiting) -> usize| {
        waiting.get().map_or(0.0, |waiting| part(&waiting) as f64 / waiting.count.max(1) as f64 * 100.0)
    };
    let height = move |part: fn(&Waiting) -> usize| move || format!("{:.1}%", share(part));
    let evidence = move || {
        let language = speaks.get();
        let evidence = Evidence {
            title: text::stage_name(language, stage),
            formula: say!(language, wall.stage_definition),
            source: say!(language, wall.stage_source),
            ..Evidence::default()
        };
        evidence
            .value(language, text::grouped(count.get()))
            .cases(&format!("open=true&stage={}", stage.key()))
    };
    view! {
        <li class:hot=move || { late() > 0 }>
            <div class="bar" aria-hidden="true">
                <i class="a3" style:height=height(|w| w.count - w.late - w.under_hour - w.under_day)></i>
                <i class="a2" style:height=height(|w| w.under_day)></i>
                <i class="a1" style:height=height(|w| w.under_hour)></i>
                <i class="a0" style:height=height(|w| w.late)></i>
                <span class="word">{late_words}</span>
            </div>
            <div class="nm">{move || text::stage_name(speaks.get(), stage)}</div>
            <div class="ct"><Figure value=Signal::derive(move || text::grouped(count.get())) evidence/></div>
            <div class="dw">{median}</div>
            <div class="dw ps">{passed}</div>
        </li>
    }
}

/// The flow that leaves a stage, where the tallies count it.
fn passed_measure(stage: Stage) -> Option<Measure> {
    match stage {
        Stage::File => Some(Measure::Filed),
        Stage::Dispatch => Some(Measure::Dispatched),
        Stage::Close => Some(Measure::Closed),
        Stage::Accept | Stage::Dispose | Stage::Feedback | Stage::Check => None,
    }
}

fn measure(held: &Held, now: i64) -> [Waiting; 7] {
    let mut waited: [Vec<i64>; 7] = Default::default();
    let mut stages = [Waiting::default(); 7];
    for case in held.cases.values() {
        let (stage, ms) = (&mut stages[case.stage as usize], now - case.stage_since.0);
        stage.count += 1;
        match (case.phase, ms) {
            (Phase::Overdue, _) => stage.late += 1,
            (Phase::Running | Phase::Nearing, ..HOUR_MS) => stage.under_hour += 1,
            (Phase::Running | Phase::Nearing, ..DAY_MS) => stage.under_day += 1,
            (Phase::Running | Phase::Nearing, _) => {}
        }
        waited[case.stage as usize].push(ms);
    }
    for (stage, waited) in stages.iter_mut().zip(&mut waited) {
        let middle = waited.len() / 2;
        if middle < waited.len() {
            stage.median_ms = *waited.select_nth_unstable(middle).1;
        }
    }
    stages
}

/// A duration in one unit: `38 分`, `3.1 时`, `2.0 日`.
fn rough(language: Language, ms: i64) -> String {
    let tenths = |unit: i64| format!("{}.{}", ms / unit, ms * 10 / unit % 10);
    match ms {
        ..HOUR_MS => say!(language, wall.minutes, count = ms.max(0) / MINUTE_MS),
        HOUR_MS..DAY_MS => say!(language, wall.hours_count, count = tenths(HOUR_MS)),
        _ => say!(language, wall.days_count, count = tenths(DAY_MS)),
    }
}
