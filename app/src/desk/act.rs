//! What the user can do with the open case: the step of its stage, dispatch to a department, taking it, a whistle.

use domain::case::step::Note;
use domain::case::{Case, Step};
use domain::code::DepartmentCode;
use domain::command::Command;
use leptos::prelude::*;

use super::rail::power;
use super::whistle::{self, SendCall, WhistleForm};
use super::{Desk, use_desk};
use crate::hall::use_hall;
use crate::language::{Speaks, use_language};
use crate::mark::{Mark, Sign};
use crate::names::{Names, use_names};
use crate::once::{CollectRows, anew, memo, shown, shown_or};
use crate::words::{self, Language, say, says};
use crate::work::due::moment;
use crate::work::outcome::Outcome;
use crate::work::send::What;

/// Departments on one page: as many as there are digits.
const PAGE: usize = 9;

/// The step that does the work of the case's stage.
fn step_of(case: &Case) -> Option<Step> {
    Step::out_of(case.stage).filter(|_| case.is_open())
}

/// The step of the case's stage, if the account may take it: sends it with what it asks for, and with the version of the
/// case that stands on the screen, so that nobody takes a step they have not seen coming. While a call is written it is the call
/// that is sent: the step's button is not there.
pub fn main_action(desk: Desk) {
    if desk.file.calling.get_untracked() {
        whistle::raise(desk);
        return;
    }
    if let Some(step) = desk.file.case().and_then(|case| step_of(&case)) {
        take(desk, step);
    }
}

/// Takes the step of the stage, or one beside it, with all it asks for; nothing happens while something of that is missing.
fn take(desk: Desk, step: Step) {
    let Some(case) = desk.file.case().filter(|_| desk.holds(step) && untrack(|| is_ready(desk, step))) else {
        return;
    };
    let remark = if notes_of(desk, step).any(Note::is_asked) {
        desk.file.drafts.with(|written| written.remark.clone())
    } else {
        String::new()
    };
    let mut command = step.take_with(case.id, remark.trim());
    if let Command::Step(take) = &mut command {
        take.department = desk.file.department.get_untracked().filter(|_| step.asks_department());
    }
    desk.sending.step(command, case.version, What::Step(step), (case.id, case.number));
}

/// Tracked: whether all that the step asks for is there.
fn is_ready(desk: Desk, step: Step) -> bool {
    let reasoned = match step.note {
        Note::None | Note::May => true,
        Note::Must => !desk.file.drafts.with(|written| written.remark.trim().is_empty()),
    };
    reasoned && (!step.asks_department() || desk.file.department.with(Option::is_some))
}

pub fn claim(desk: Desk) {
    let Some(case) = desk.file.case().filter(Case::is_open) else { return };
    let command = Command::ClaimCase { case: case.id };
    if desk.may(&command) {
        desk.sending.send_seen(command, case.version, What::Word(words::desk::claim), (case.id, case.number));
    }
}

/// The same by the button, which then goes: a second press falls on whatever has the focus, and is no step.
fn claim_by_button(desk: Desk) {
    desk.sending.rest();
    claim(desk);
}

/// Tracked: whether the account may raise whistle calls here.
fn can_call(desk: Desk) -> bool {
    desk.handles && desk.roles().contains(&domain::role::Role::Dispatcher)
}

/// Opens or folds the whistle form.
pub fn call(desk: Desk) {
    let Some(case) = desk.file.case().filter(Case::is_open) else { return };
    if can_call(desk) {
        whistle::begin(desk, &case);
        desk.file.calling.update(|calling| *calling = !*calling);
    }
}

/// Chooses a department of the page by its digit; returns whether there was something to choose.
pub fn choose_department(desk: Desk, digit: usize) -> bool {
    let step = desk.file.case().and_then(|case| step_of(&case));
    let dispatching = step.is_some_and(|step| step.asks_department());
    if !dispatching || digit == 0 || desk.file.calling.get_untracked() {
        return false;
    }
    let names = desk.names;
    let all: Vec<DepartmentCode> =
        names.with(|names| names.all_departments(Language::Zh).into_iter().map(|(code, _)| code).collect());
    let chosen = all.get(desk.file.page.get_untracked() * PAGE + digit - 1).cloned();
    let found = chosen.is_some();
    if found {
        desk.file.department.set(chosen);
    }
    found
}

pub fn turn_page(desk: Desk, forward: bool) {
    let count = desk.names.with(|names| names.all_departments(Language::Zh).len());
    let pages = count.div_ceil(PAGE).max(1);
    desk.file
        .page
        .update(|page| *page = if forward { (*page + 1) % pages } else { (*page + pages - 1) % pages });
}

#[component]
pub fn Actions() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let step = memo(move || desk.file.case().and_then(|case| step_of(&case)));
    // The button at the same place is another one now, and Enter means another thing: after a step, and whenever the form of a
    // call has opened or gone, whoever closed it.
    Effect::new(move |before: Option<()>| {
        step.track();
        desk.file.calling.track();
        if before.is_some() {
            desk.sending.rest();
        }
    });
    // A step that the case takes meanwhile leaves the form, and the hand in it, as they are.
    let calls = memo(move || step.get().is_some() && desk.file.calling.get());
    let form = move || {
        if calls.get() {
            return view! { <WhistleForm/> }.into_any();
        }
        match step.get() {
            Some(_) if !desk.handles => {
                view! { <p class="past">{say!(speaks.get(), desk.past)}</p> }.into_any()
            }
            Some(step) if step.asks_department() => view! { <Dispatch step/> }.into_any(),
            Some(step) => view! { <TakeStep step/> }.into_any(),
            None => view! { <p class="dim">{say!(speaks.get(), desk.closed_case)}</p> }.into_any(),
        }
    };
    view! { <section class="act">{anew(form)}</section> }
}

/// What the hand goes to, below all that is read and always in sight: the buttons, for whom a dispatch would be, and how the
/// last command went.
#[component]
pub fn Hand() -> impl IntoView {
    view! { <div class="hand"><Outcome/><Buttons/></div> }
}

/// Whether the account may take the step.
fn allowed(desk: Desk, step: Step) -> Memo<bool> {
    memo(move || desk.holds(step))
}

/// Whose step it is, where it is not the user's.
fn not_yours(speaks: Speaks, step: Step) -> impl IntoView {
    view! { <p class="not-yours">{anew(move || say!(speaks.get(), desk.not_yours, power = power(speaks.get(), step.power)))}</p> }
}

/// Tracked: what the step of the stage and those beside it take for a remark.
fn notes_of(desk: Desk, step: Step) -> impl Iterator<Item = Note> {
    let own = desk.holds(step).then_some(step);
    own.into_iter().chain(desk.beside()).map(|step| step.note)
}

/// The field for a remark, where the step or one beside it takes one.
#[component]
fn Remark(step: Step) -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let asked = memo(move || notes_of(desk, step).any(Note::is_asked));
    let must = memo(move || notes_of(desk, step).any(|note| note == Note::Must));
    let text = move || desk.file.drafts.with(|written| written.remark.clone());
    let typed = move |event| desk.file.drafts.write(|written| written.remark = event_target_value(&event));
    move || {
        let words = move || match must.get() {
            true => say!(speaks.get(), desk.reason),
            false => say!(speaks.get(), desk.remark),
        };
        asked.get().then(|| {
            view! { <input id="desk-remark" class="field" type="text" maxlength="5000" autocomplete="off" placeholder=words aria-label=words prop:value=text on:input=typed/> }
        })
    }
}

#[component]
fn TakeStep(step: Step) -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let allowed = allowed(desk, step);
    let other = move || (!allowed.get()).then(|| not_yours(speaks, step));
    view! { <div class="hd"><h3>{anew(move || step.act(speaks.get()))}</h3></div><Remark step/>{anew(other)} }
}

/// Departments by digit, and in advance what starts when the case is sent now.
#[component]
fn Dispatch(step: Step) -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let allowed = allowed(desk, step);
    let departments = memo(move || names.with(|names| names.all_departments(speaks.get())));
    let page = move || {
        let from = desk.file.page.get() * PAGE;
        departments.with(|all| all.iter().skip(from).take(PAGE).cloned().collect::<Vec<_>>())
    };
    let option = move |(index, (code, name)): (usize, (DepartmentCode, String))| {
        let own = code.clone();
        let on = move || desk.file.department.with(|chosen| chosen.as_ref() == Some(&own));
        let mark = on.clone();
        view! {
            <li><button type="button" class="opt" class:on=on.clone() aria-pressed=move || on().to_string() data-department=code.to_string() on:click=move |_| desk.file.department.set(Some(code.clone()))>
                <kbd>{index + 1}</kbd><span>{name}</span>{anew(move || mark().then(|| view! { <Sign mark=Mark::Done/> }))}
            </button></li>
        }
    };
    let pages = move || departments.with(Vec::len).div_ceil(PAGE).max(1);
    let page_words = move || {
        (pages() > 1).then(|| {
            let page = say!(speaks.get(), desk.department_page, page = desk.file.page.get() + 1, pages = pages());
            view! { <span class="keys"><button type="button" on:click=move |_| turn_page(desk, false)><kbd>"["</kbd></button><button type="button" on:click=move |_| turn_page(desk, true)><kbd>"]"</kbd></button>{page}</span> }
        })
    };
    let list = move || page().into_iter().enumerate().map(option).collect_rows();
    view! {
        <div class="hd"><h3>{anew(move || step.act(speaks.get()))}</h3><span class="meta">{says!(speaks, desk.choose_department)}</span>{anew(page_words)}</div>
        {shown_or(move || allowed.get(), move || view! {
            <ol class="opts">{anew(list)}</ol>
        }, move || not_yours(speaks, step))}
        <Remark step/>
        <Outlook/>
    }
}

/// What starts if the case is sent now.
#[component]
fn Outlook() -> impl IntoView {
    let (speaks, desk, names, hall) = (use_language(), use_desk(), use_names(), use_hall());
    let tick = memo(move || hall.now().0 / 15_000);
    let words = move || {
        tick.get();
        let (language, now) = (speaks.get(), hall.present());
        let case = desk.file.case()?;
        names.with(|names| outlook(language, &case, now, names))
    };
    move || {
        words().map(|(limit, rule, when)| {
            view! { <p class="eff"><span>{say!(speaks.get(), desk.send_now)}</span><b>{limit}</b><span>{when}</span><span class="dim">{rule}</span></p> }
        })
    }
}

/// The limit that would start, where it comes from, from when it counts and when it is due; none where that cannot be told,
/// as by a clock beyond 2199.
fn outlook(
    language: Language,
    case: &Case,
    now: domain::moment::UtcMillis,
    names: &Names,
) -> Option<(String, String, String)> {
    let policy = &names.policy;
    let of_condition = names.condition_limit(&case.report);
    let of_class = names.class_limit(&case.report.class);
    let (limit, rule) = match (of_condition, of_class) {
        (Some(limit), _) => (limit, say!(language, desk.condition_limit)),
        (None, Some(limit)) => (limit, say!(language, desk.class_limit)),
        (None, None) => (policy.disposal_limit, say!(language, desk.policy_limit)),
    };
    let offset = policy.utc_offset_minutes;
    let due = policy.calendar.due(now, limit, offset)?;
    let due = moment(language, due, now, names);
    let waits = !limit.kind().runs_on() && !policy.calendar.is_running(now, offset);
    let when = match policy.calendar.resumes_at(now, offset).filter(|_| waits) {
        Some(start) => {
            say!(language, desk.counts_from, start = moment(language, start, now, names), due = due)
        }
        None => say!(language, desk.counts_now, due = due),
    };
    Some((say!(language, desk.disposal, limit = limit.words(language)), rule, when))
}

#[component]
fn Buttons() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let step = memo(move || desk.file.case().and_then(|case| step_of(&case)));
    let sent_to = move || {
        let named = |code: &DepartmentCode| names.with(|names| names.department(speaks.get(), code));
        let asks = step.get().is_some_and(|step| step.asks_department() && desk.holds(step));
        (asks && !desk.file.calling.get()).then(|| desk.file.department.with(|code| code.as_ref().map(named)))
    };
    let sent_to = move || {
        let words = sent_to()?.unwrap_or_else(|| say!(speaks.get(), desk.choose_department));
        Some(view! { <span class="sent-to">{words}</span> })
    };
    // What the hand holds waits for each other, so that asking for one of them asks for all.
    let busy = move || {
        let claim = desk.file.case().map(|case| Command::ClaimCase { case: case.id });
        claim.is_some_and(|claim| desk.sending.is_busy(&claim))
    };
    let calls = move || step.get().is_some() && desk.file.calling.get();
    let call_words = move || {
        let language = speaks.get();
        if calls() { say!(language, desk.whistle_fold) } else { say!(language, desk.whistle) }
    };
    let offered = move || {
        let own = step.get().filter(|step| desk.holds(*step));
        let all: Vec<Step> = own.into_iter().chain(desk.beside()).collect();
        if desk.file.calling.get() { Vec::new() } else { all }
    };
    // The stage's own step is the main one, which Enter takes too.
    let button = move |offered: Step| {
        let is_own = step.get_untracked() == Some(offered);
        let unready = move || busy() || !is_ready(desk, offered);
        view! { <button type="button" class="btn" class:primary=is_own id=is_own.then_some("desk-step") data-step=offered.name disabled=unready on:click=move |_| untrack(|| take(desk, offered))>{anew(move || offered.act(speaks.get()))}{is_own.then(|| view! { <kbd>"↵"</kbd> })}</button> }
    };
    let buttons = move || offered().into_iter().map(button).collect_rows();
    let can_claim = move || {
        let me = desk.me();
        desk.file.case().filter(Case::is_open).is_some_and(|case| {
            desk.may(&Command::ClaimCase { case: case.id }) && case.claimed_by != Some(me)
        })
    };
    let can_call = move || step.get().is_some() && can_call(desk);
    view! {
        <p class="acts">
            {shown(calls, move || view! { <SendCall/> })}{anew(buttons)}{sent_to}
            {shown(can_claim, move || view! { <button type="button" class="btn" id="desk-claim" disabled=busy on:click=move |_| untrack(|| claim_by_button(desk))>{says!(speaks, desk.claim)}<kbd>"C"</kbd></button> })}
            {shown(can_call, move || view! { <button type="button" class="btn" aria-expanded=move || desk.file.calling.get().to_string() on:click=move |_| untrack(|| call(desk))>{anew(call_words)}<kbd>"W"</kbd></button> })}
        </p>
    }
}
