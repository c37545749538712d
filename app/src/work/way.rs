//! The closed loop in one line: what is done, with its time and what it took; what runs; what is to come with its limit.

use domain::answer::CaseAnswer;
use domain::case::step::Step as LoopStep;
use domain::case::{Passed, Stage};
use domain::clock::{ClockOf, Limit, LimitKind};
use domain::moment::UtcMillis;
use leptos::prelude::*;

use super::clock::span;
use super::use_work;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{CollectRows, anew, memo};
use crate::text;
use crate::words::{say, says};

/// One stage of the case's way.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    stage: Stage,
    began: Option<UtcMillis>,
    ended: Option<UtcMillis>,
    limit: Option<Limit>,
    is_now: bool,
    /// The case is past it, whether or not the log says when.
    is_past: bool,
}

#[component]
pub fn Way() -> impl IntoView {
    let (speaks, work, names) = (use_language(), use_work(), use_names());
    let steps = memo(move || {
        let (dispatch, disposal) = names.with(|names| {
            let own = work.file.with(|answer| {
                let report = &answer.case.report;
                names.condition_limit(report).or_else(|| names.class_limit(&report.class))
            });
            (Some(names.policy.dispatch_limit), own.or(Some(names.policy.disposal_limit)))
        });
        work.file.with(|answer| steps(answer, dispatch, disposal))
    });
    view! {
        <ol class="loop" aria-label=says!(speaks, desk.history)>
            {anew(move || steps.get().into_iter().map(|step| view! { <StepItem step/> }).collect_rows())}
        </ol>
    }
}

/// When each stage began and ended, from what the log says. A case taken over has no early stages to show.
fn steps(answer: &CaseAnswer, dispatch: Option<Limit>, disposal: Option<Limit>) -> Vec<Step> {
    let case = &answer.case;
    let passed = case.passed();
    // The clock that the stage's step stops: as it was started, or as the rules in force would start it, also where the case has
    // gone back and is to come there again.
    let clock = |stage| {
        let of = *LoopStep::out_of(stage)?.stops.first()?;
        let to_come = match of {
            ClockOf::Dispatch => dispatch,
            ClockOf::Disposal => disposal,
            ClockOf::Milestone(_) | ClockOf::Response | ClockOf::Suspension => None,
        };
        let was = !case.is_open() || stage <= case.stage;
        case.clock(of).filter(|_| was).map_or(to_come, |clock| clock.limit)
    };
    let step = |stage: Stage| {
        let Passed { began, ended } = passed[stage as usize];
        Step {
            stage,
            began,
            ended,
            limit: clock(stage),
            is_now: case.is_open() && case.stage == stage,
            is_past: !case.is_open() || stage < case.stage,
        }
    };
    Stage::ALL.into_iter().map(step).collect()
}

#[component]
fn StepItem(step: Step) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let Step { stage, began, ended, limit, is_now, is_past } = step;
    let tick = memo(move || hall.now().0 / 10_000);
    let time = move || {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        match ended {
            Some(at) => text::hour_minute(at, offset),
            None if is_now => say!(speaks.get(), desk.now),
            None if is_past => say!(speaks.get(), desk.before),
            None => say!(speaks.get(), desk.to_come),
        }
    };
    let took = move || {
        tick.get();
        let language = speaks.get();
        // Stages without a limit are told in plain time, which runs on.
        let unit = LimitKind::of(limit);
        let took = names.with(|names| {
            let until = ended.or_else(|| is_now.then(|| hall.present()))?;
            let policy = &names.policy;
            let ms = policy.calendar.elapsed_ms(began?, until, unit.counts, policy.utc_offset_minutes);
            Some(span(language, ms, unit, policy))
        });
        let limit = limit.map(|limit| say!(language, desk.limit, limit = limit.words(language)));
        [took, limit].into_iter().flatten().collect::<Vec<_>>().join(" / ")
    };
    let done = is_past;
    view! {
        <li class:done=done class:cur=is_now class:fut=!done && !is_now aria-current=is_now.then_some("step")>
            <span class="nd">{done.then(|| view! { <Sign mark=Mark::Done/> })}</span>
            <b>{move || text::stage_name(speaks.get(), stage)}</b>
            <span class="t1">{time}</span><span class="t2">{took}</span>
        </li>
    }
}
