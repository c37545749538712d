//! The case that is open: what it is, where, until when and why, what it has been through; and what the department can do with it.

use domain::case::step::{Note, Step};
use domain::case::{Case, Power};
use domain::command::Command;
use leptos::prelude::*;

use super::{Seat, use_seat};
use crate::api::ApiError;
use crate::language::use_language;
use crate::once::{anew, memo};
use crate::words::{say, says};
use crate::work::due::Countdown;
use crate::work::hand::focus;
use crate::work::history::History;
use crate::work::outcome::Outcome;
use crate::work::send::What;
use crate::work::title::Title;
use crate::work::way::Way;

/// The field for a remark.
const REMARK: &str = "seat-remark";

/// Tracked: what the department can do with the open case: the step of its stage first, which Enter takes too, then those beside
/// it, by digits.
fn offered(seat: Seat) -> Vec<Step> {
    let Some(case) = seat.file.case().filter(Case::is_open) else { return Vec::new() };
    let own = Step::out_of(case.stage).filter(|step| seat.holds(*step));
    let all = own.into_iter().chain(seat.beside());
    // Whom a case goes to is the centre's to say.
    all.filter(|step| step.power == Power::Department && !step.asks_department()).collect()
}

/// Whether the step is that of the case's stage.
fn is_main(case: &Case, step: Step) -> bool {
    Step::out_of(case.stage) == Some(step)
}

pub fn main_action(seat: Seat) {
    let step = seat.file.case().and_then(|case| offered(seat).into_iter().find(|step| is_main(&case, *step)));
    if let Some(step) = step {
        take(seat, step);
    }
}

/// Takes a step beside that of the stage, by its digit; whether there is one.
pub fn action_beside(seat: Seat, digit: usize) -> bool {
    let Some(case) = seat.file.case() else { return false };
    let step = offered(seat).into_iter().filter(|step| !is_main(&case, *step)).nth(digit.wrapping_sub(1));
    step.inspect(|step| take(seat, *step)).is_some()
}

/// Sends the step with the remark, and with the version of the case that stands on the screen; where a reason is missing the hand
/// goes to its field.
fn take(seat: Seat, step: Step) {
    let Some(case) = seat.file.case() else { return };
    if lacks_reason(seat, step) {
        focus(REMARK);
        return;
    }
    let remark = match step.note.is_asked() {
        true => seat.file.drafts.with(|written| written.remark.clone()),
        false => String::new(),
    };
    let command = step.take_with(case.id, remark.trim());
    seat.sending.step(command, case.version, What::Step(step), (case.id, case.number));
}

/// Tracked.
fn lacks_reason(seat: Seat, step: Step) -> bool {
    let empty = || seat.file.drafts.with(|written| written.remark.trim().is_empty());
    match step.note {
        Note::None | Note::May => false,
        Note::Must => empty(),
    }
}

#[component]
pub fn Sheet() -> impl IntoView {
    let (speaks, seat) = (use_language(), use_seat());
    let file = seat.file;
    let there = memo(move || file.is_there());
    let waits = move || {
        let words = match (seat.opened.get(), file.problem.get()) {
            (None, _) => say!(speaks.get(), desk.choose_case),
            (Some(_), None) => say!(speaks.get(), desk.loading),
            (Some(_), Some(ApiError::Refused { status: 404, .. })) => say!(speaks.get(), department.not_own),
            (Some(_), Some(error)) => say!(speaks.get(), desk.failed, words = error.words(speaks.get())),
        };
        view! { <p class="queue-state" role="status">{words}</p> }
    };
    // An answer that does not come while an older one stands.
    let stale = move || {
        let problem = file.problem.get().filter(|_| there.get())?;
        Some(
            view! { <p class="queue-state stale" role="status">{say!(speaks.get(), desk.failed, words = problem.words(speaks.get()))}</p> },
        )
    };
    let gone = move || seat.opened.get().is_some().then(|| view! { <div class="hand"><Outcome/></div> });
    let label = move || file.with(|answer| answer.case.number.clone());
    view! {
        <section class="sheet" class:empty=move || seat.opened.get().is_none() aria-label=move || say!(speaks.get(), wall.case_number, number = label())>
            <div class="sheet-scroll" tabindex="-1">
                <button type="button" class="back btn" on:click=move |_| seat.open(None, false)><kbd>"Esc"</kbd>{says!(speaks, desk.back)}</button>
                {anew(stale)}
                <Show when=move || there.get() fallback=waits><Title/><Countdown/><Way/><History/></Show>
            </div>
            // A step that takes the case away from the department leaves its words, and nothing else of it.
            <Show when=move || there.get() fallback=gone><Hand/></Show>
        </section>
    }
}

/// Below all that is read and always in sight: how the last command went, the remark, the buttons.
#[component]
fn Hand() -> impl IntoView {
    let (speaks, seat) = (use_language(), use_seat());
    let steps = memo(move || offered(seat));
    // The button at the same place is another one now.
    Effect::new(move |before: Option<()>| {
        steps.track();
        if before.is_some() {
            seat.sending.rest();
        }
    });
    let none = move || {
        let words = match seat.file.case() {
            Some(_) if !seat.handles => say!(speaks.get(), desk.past),
            Some(case) if !case.is_open() => say!(speaks.get(), desk.closed_case),
            Some(_) | None => say!(speaks.get(), department.nothing_to_do),
        };
        view! { <p class="dim none-to-do">{words}</p> }
    };
    view! {
        <div class="hand"><Outcome/>
            <Show when=move || steps.with(|steps| !steps.is_empty()) fallback=none><Remark steps/><Buttons steps/></Show>
        </div>
    }
}

#[component]
fn Remark(steps: Memo<Vec<Step>>) -> impl IntoView {
    let (speaks, seat) = (use_language(), use_seat());
    let asked = memo(move || steps.with(|steps| steps.iter().any(|step| step.note.is_asked())));
    let must = memo(move || steps.with(|steps| steps.iter().any(|step| step.note == Note::Must)));
    let text = move || seat.file.drafts.with(|written| written.remark.clone());
    let typed = move |event| seat.file.drafts.write(|written| written.remark = event_target_value(&event));
    let words = move || match must.get() {
        true => say!(speaks.get(), desk.reason),
        false => say!(speaks.get(), desk.remark),
    };
    view! {
        <Show when=move || asked.get()>
            <input id=REMARK class="field" type="text" maxlength="5000" autocomplete="off" enterkeyhint="done" placeholder=words aria-label=words prop:value=text on:input=typed/>
        </Show>
    }
}

#[component]
fn Buttons(steps: Memo<Vec<Step>>) -> impl IntoView {
    let (speaks, seat) = (use_language(), use_seat());
    // What the hand holds waits for each other, so that asking for one of them asks for all.
    let busy = move || {
        let case = seat.file.case();
        case.is_some_and(|case| seat.sending.is_busy(&Command::ClaimCase { case: case.id }))
    };
    let button = move |(key, main, step): (String, bool, Step)| {
        view! { <button type="button" class="btn" class:primary=main id=main.then_some("seat-step") data-step=step.name disabled=busy on:click=move |_| untrack(|| take(seat, step))>{anew(move || step.act(speaks.get()))}<kbd>{key}</kbd></button> }
    };
    let buttons = move || {
        let case = seat.file.case();
        let is_main = |step: Step| case.as_ref().is_some_and(|case| is_main(case, step));
        let mut digit = 0;
        let keyed = steps.get().into_iter().map(|step| match is_main(step) {
            true => ("↵".to_owned(), true, step),
            false => {
                digit += 1;
                (digit.to_string(), false, step)
            }
        });
        keyed.map(button).collect_view()
    };
    view! { <p class="acts">{anew(buttons)}</p> }
}
