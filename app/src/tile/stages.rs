//! Open cases and the seven stages they wait in: how many, held against the usual, how long already, how many passed today.

use domain::case::Stage;
use domain::clock::Phase;
use domain::definition;
use domain::feed::Held;
use domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::tally::Measure;
use leptos::prelude::*;

use super::usual::by_usual;
use super::{Panel, minute, today};
use crate::board::{Part, use_board};
use crate::figure::{Evidence, Figure, Opens};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::text::{self, Waited};
use crate::words::{Language, say, says};

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
    let (speaks, board, hall, names) = (use_language(), use_board(), use_hall(), use_names());
    let open = memo(move || board.now(Measure::Open));
    let waiting = memo(move || {
        let known = board.knows(Part::Cases);
        board.with(Part::Cases, |held| known.then(|| measure(held, hall.present().0)))
    });
    let evidence = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, Measure::Open.key());
        let evidence = Stage::ALL.into_iter().fold(
            evidence.value(language, text::grouped(open.get())),
            |evidence, stage| {
                let count = text::grouped(board.now(Measure::At(stage)));
                evidence.part_of(text::stage_name(language, stage), count, &waiting_in(stage))
            },
        );
        evidence.cases("open=true")
    };
    let minute = minute();
    let usual = memo(move || {
        let now = minute.get();
        board.with(Part::Tally, |held| Waited::of(&held.tally, now))
    });
    let all = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, definition::USUAL_WAITING);
        Stage::ALL.into_iter().fold(evidence, |evidence, stage| {
            let now = text::grouped(board.now(Measure::At(stage)));
            let usual = usual.with(|usual| usual.usual(stage));
            let usual = usual.map_or_else(|| "–".to_owned(), |usual| text::grouped(usual.middle));
            let said = say!(language, wall.on_usual, count = now, usual = usual);
            evidence.part_of(text::stage_name(language, stage), said, &waiting_in(stage))
        })
    };
    view! {
        <Panel class="stages" label=Signal::derive(says!(speaks, wall.open))>
            <div class="ph">
                <div class="num sub"><h2>{says!(speaks, wall.open)}</h2>
                    <Figure class="second" value=Signal::derive(move || board.said(Part::Tally, open.get())) evidence/>
                </div>
                <span class="sp"></span>
                <Opens class="barkey" evidence=all><BarKey/></Opens>
            </div>
            <ol class="st7">
                <li class="rl w" aria-hidden="true">
                    <div class="bar">{says!(speaks, wall.usual_line)}</div>
                    <div class="nm"></div>
                    <div class="ct">{says!(speaks, wall.waiting)}</div>
                    <div class="dw">{says!(speaks, wall.waited)}</div>
                    <div class="dw">{says!(speaks, wall.passed)}</div>
                </li>
                {Stage::ALL.into_iter().map(|stage| {
                    let own = Signal::derive(move || waiting.get().map(|waiting| waiting[stage as usize]));
                    view! { <Column stage waiting=own usual/> }
                }).collect_rows()}
            </ol>
        </Panel>
    }
}

/// What the line across the bars means, and their hatched part.
#[component]
fn BarKey() -> impl IntoView {
    let speaks = use_language();
    view! {
        <i class="line"></i>{says!(speaks, wall.usual)}
        <span class="late w"><i class="a0"></i>{says!(speaks, wall.overdue_part)}</span>
    }
}

#[component]
fn Column(stage: Stage, waiting: Signal<Option<Waiting>>, usual: Memo<Waited>) -> impl IntoView {
    let (speaks, board, names, today) = (use_language(), use_board(), use_names(), today());
    let hall = use_hall();
    let count = memo(move || board.now(Measure::At(stage)));
    let passed_count = move |measure| board.said(Part::Tally, board.day(measure, today.get()));
    let median = move || {
        let waiting = waiting.get().filter(|waiting| waiting.count > 0)?;
        Some(rough(speaks.get(), waiting.median_ms))
    };
    // The same source as the overdue board's, so that the two say the same; a part that does not fit its whole for the
    // moment between two frames is not said.
    let late = memo(move || {
        let late = match stage {
            Stage::Dispatch => board.dispatches(None, hall.now()).late as i64,
            Stage::Dispose => board.now(Measure::OverdueDisposal),
            Stage::Accept | Stage::File | Stage::Feedback | Stage::Check | Stage::Close => 0,
        };
        if late <= count.get() { late } else { 0 }
    });
    let late = move || late.get();
    let against = move || usual.with(|usual| usual.against);
    let own_usual = move || usual.with(|usual| usual.usual(stage));
    let piles_up = move || usual.with(|usual| usual.piles_up(stage, count.get()));
    let late_words = move || (late() > 0).then(|| say!(speaks.get(), wall.stage_overdue, count = late()));
    let piled_words = move || (late() == 0 && piles_up()).then(|| say!(speaks.get(), wall.piles_up));
    let percent = |share: f64| format!("{}%", text::fixed(share, 1));
    // Without a usual there is nothing to measure the bar by.
    let filled = move || percent(own_usual().map_or(0.0, |usual| text::on_usual(count.get(), usual.middle)));
    let late_share = move || percent(late() as f64 / count.get().max(1) as f64 * 100.0);
    let mark = move || match own_usual() {
        Some(usual) => {
            let stands = if usual.middle > 0 { "50%" } else { "0%" };
            view! { <i class="line" style:bottom=stands></i> }.into_any()
        }
        None => view! { <span class="unknown">"–"</span> }.into_any(),
    };
    let evidence = move || {
        let language = speaks.get();
        let evidence =
            Evidence::of(language, names, definition::STAGE).titled(text::stage_name(language, stage));
        evidence.value(language, text::grouped(count.get())).cases(&waiting_in(stage))
    };
    let of_stage = move |name: String| format!("{} {name}", text::stage_name(speaks.get(), stage));
    let on_usual = move || {
        let (language, filters) = (speaks.get(), waiting_in(stage));
        let evidence = Evidence::of(language, names, definition::USUAL_WAITING)
            .titled(of_stage(say!(language, wall.waits_usually)))
            .value(language, text::grouped(count.get()));
        let usual = own_usual();
        let evidence = by_usual(language, evidence, against(), usual);
        let evidence = match usual {
            Some(usual) => {
                evidence.part(say!(language, wall.difference), text::signed(count.get() - usual.middle))
            }
            None => evidence,
        };
        let name = say!(language, wall.overdue_part);
        let late = text::grouped(late());
        evidence.part_of(name, late, &format!("{filters}&phase=overdue")).cases(&filters)
    };
    let waited = move || {
        let language = speaks.get();
        let evidence = Evidence::of(language, names, definition::WAITED)
            .titled(of_stage(say!(language, wall.waited_name)))
            .value(language, median().unwrap_or_default())
            .part_of(say!(language, wall.waiting_name), text::grouped(count.get()), &waiting_in(stage));
        let evidence = waiting.get().map_or(evidence.clone(), |waiting| by_age(language, evidence, waiting));
        evidence.note(say!(language, wall.ages_list))
    };
    let passed = passed_measure(stage).map(|measure| {
        let evidence = move || {
            let language = speaks.get();
            Evidence::of(language, names, measure.key())
                .titled(of_stage(say!(language, wall.passed)))
                .value(language, passed_count(measure))
                .cases(&format!("{}={}", measure.key(), today.get()))
        };
        view! { <Figure class="inline" value=Signal::derive(move || passed_count(measure)) evidence/> }
    });
    let bar_label = Signal::derive(move || {
        let usual = own_usual().map_or_else(|| "–".to_owned(), |usual| text::grouped(usual.middle));
        of_stage(say!(speaks.get(), wall.on_usual, count = text::grouped(count.get()), usual = usual))
    });
    view! {
        <li class:hot=move || { late() > 0 }>
            <Opens class="bar" label=bar_label evidence=on_usual>
                <span class="fill" class:piled=move || piled_words().is_some() style:height=filled>
                    <i class="a0" style:height=late_share></i>
                </span>
                {anew(mark)}
                <span class="word">{anew(late_words)}{piled_words}</span>
            </Opens>
            <div class="nm">{anew(move || text::stage_name(speaks.get(), stage))}</div>
            <div class="ct"><Figure value=Signal::derive(move || board.said(Part::Tally, count.get())) evidence/></div>
            <div class="dw"><Figure class="inline" value=Signal::derive(move || median().unwrap_or_default()) evidence=waited/></div>
            <div class="dw ps">{passed}</div>
        </li>
    }
}

fn waiting_in(stage: Stage) -> String {
    format!("open=true&stage={}", stage.key())
}

/// How long they have waited, as shares: they come from the single cases, which may be a moment ahead of the counts.
fn by_age(language: Language, evidence: Evidence, waiting: Waiting) -> Evidence {
    let share =
        |part: usize| format!("{} %", text::fixed(part as f64 * 100.0 / waiting.count.max(1) as f64, 0));
    let old = waiting.count - waiting.late - waiting.under_hour - waiting.under_day;
    let evidence = evidence
        .part(say!(language, wall.under_hour), share(waiting.under_hour))
        .part(say!(language, wall.under_day), share(waiting.under_day))
        .part(say!(language, wall.over_day), share(old));
    evidence.part(say!(language, wall.overdue_part), share(waiting.late))
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
    for case in held.open.iter() {
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
