//! What the user can do with the open case: the step of its stage, dispatch to a department, taking it, a whistle.

use domain::case::{Case, Stage};
use domain::code::DepartmentCode;
use domain::command::Command;
use leptos::prelude::*;

use super::due::moment;
use super::rail::{power, step_of};
use super::send::Progress;
use super::whistle::WhistleForm;
use super::{Desk, use_desk};
use crate::hall::use_hall;
use crate::language::{Speaks, use_language};
use crate::mark::{Mark, Sign};
use crate::names::{Names, use_names};
use crate::words::{Language, say};

/// Departments on one page: as many as there are digits.
const PAGE: usize = 9;

/// The words of a stage's step.
fn step_words(language: Language, stage: Stage) -> String {
    match stage {
        Stage::Accept => say!(language, desk.do_accept),
        Stage::File => say!(language, desk.do_file),
        Stage::Dispatch => say!(language, desk.do_dispatch),
        Stage::Dispose => say!(language, desk.do_dispose),
        Stage::Feedback => say!(language, desk.do_feedback),
        Stage::Check => say!(language, desk.do_check),
        Stage::Close => say!(language, desk.do_close),
    }
}

fn speaks_now() -> Language {
    // Keys come from outside any view; the page's language is on its root.
    match document().document_element().and_then(|root| root.get_attribute("lang")).as_deref() {
        Some("en") => Language::En,
        _ => Language::Zh,
    }
}

/// The step of the case's stage, if the account may take it: sends it, dispatch with the chosen department.
pub fn main_action(desk: Desk) {
    let Some(case) = desk.file.case().filter(Case::is_open) else { return };
    let Some(step) = step_of(case.stage, case.id).filter(|step| desk.may(step)) else { return };
    let command = match (step, desk.file.department.get_untracked()) {
        (Command::DispatchCase { case, limit, .. }, Some(department)) => {
            Command::DispatchCase { case, department, limit }
        }
        (Command::DispatchCase { .. }, None) => return,
        (step, _) => step.with_note(&remark()),
    };
    desk.sending.step(command, step_words(speaks_now(), case.stage));
}

/// Lets a step carry the remark.
trait WithNote {
    fn with_note(self, words: &str) -> Self;
}

impl WithNote for Command {
    fn with_note(mut self, words: &str) -> Self {
        if let Self::FinishDisposal { note, .. }
        | Self::GiveFeedback { note, .. }
        | Self::PassCheck { note, .. }
        | Self::CloseCase { note, .. } = &mut self
        {
            words.trim().clone_into(note);
        }
        self
    }
}

/// What stands in the remark's field; empty where the stage has none.
fn remark() -> String {
    use wasm_bindgen::JsCast;
    let field = document()
        .get_element_by_id("desk-remark")
        .and_then(|field| field.dyn_into::<web_sys::HtmlInputElement>().ok());
    field.map(|field| field.value()).unwrap_or_default()
}

pub fn claim(desk: Desk) {
    let open = desk.file.case().filter(Case::is_open);
    let Some(command) = open.map(|case| Command::ClaimCase { case: case.id }).filter(|claim| desk.may(claim))
    else {
        return;
    };
    desk.sending.send(command, say!(speaks_now(), desk.claim));
}

/// Opens or closes the whistle form.
pub fn call(desk: Desk) {
    if desk.file.case().is_some_and(|case| case.is_open())
        && desk.roles().contains(&domain::role::Role::Dispatcher)
    {
        desk.file.calling.update(|calling| *calling = !*calling);
    }
}

/// Chooses a department of the page by its digit; returns whether there was something to choose.
pub fn choose_department(desk: Desk, digit: usize) -> bool {
    let dispatching = desk.file.case().is_some_and(|case| case.is_open() && case.stage == Stage::Dispatch);
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
    let stage = Memo::new(move |_| desk.file.case().map(|case| (case.stage, case.is_open())));
    // The button at the same place is another one now.
    Effect::new(move |before: Option<()>| {
        stage.track();
        if before.is_some() {
            desk.sending.rest();
        }
    });
    let form = move || match (stage.get(), desk.file.calling.get()) {
        (Some((_, true)), true) => view! { <WhistleForm/> }.into_any(),
        (Some((Stage::Dispatch, true)), false) => view! { <Dispatch/> }.into_any(),
        (Some((stage, true)), false) => view! { <Step stage/> }.into_any(),
        (Some((_, false)), _) | (None, _) => {
            view! { <p class="dim">{say!(speaks.get(), desk.closed_case)}</p> }.into_any()
        }
    };
    view! { <section class="act">{form}<Buttons/><Outcome/></section> }
}

/// Whether the account may take the step of the case's stage; says whose it is otherwise.
fn allowed(desk: Desk) -> Memo<bool> {
    Memo::new(move |_| {
        desk.file
            .case()
            .filter(Case::is_open)
            .and_then(|case| step_of(case.stage, case.id))
            .is_some_and(|step| desk.may(&step))
    })
}

#[component]
fn Step(stage: Stage) -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let allowed = allowed(desk);
    let takes_note = matches!(stage, Stage::Dispose | Stage::Feedback | Stage::Check | Stage::Close);
    let field = move || {
        (takes_note && allowed.get()).then(|| {
            let words = move || say!(speaks.get(), desk.remark);
            view! { <input id="desk-remark" class="field" type="text" maxlength="5000" autocomplete="off" placeholder=words aria-label=words/> }
        })
    };
    let not_yours = move || {
        (!allowed.get()).then(|| view! { <p class="not-yours">{say!(speaks.get(), desk.not_yours, power = power(speaks.get(), stage))}</p> })
    };
    view! { <div class="hd"><h3>{move || step_words(speaks.get(), stage)}</h3></div>{field}{not_yours} }
}

/// Departments by digit, and in advance what starts when the case is sent now.
#[component]
fn Dispatch() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let allowed = allowed(desk);
    let departments = Memo::new(move |_| names.with(|names| names.all_departments(speaks.get())));
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
                <kbd>{index + 1}</kbd><span>{name}</span>{move || mark().then(|| view! { <Sign mark=Mark::Done/> })}
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
    let list = move || page().into_iter().enumerate().map(option).collect_view();
    view! {
        <div class="hd"><h3>{move || say!(speaks.get(), desk.dispatch)}</h3><span class="meta">{move || say!(speaks.get(), desk.choose_department)}</span>{page_words}</div>
        <Show when=move || allowed.get() fallback=move || view! { <p class="not-yours">{say!(speaks.get(), desk.not_yours, power = power(speaks.get(), Stage::Dispatch))}</p> }>
            <ol class="opts">{list}</ol>
        </Show>
        <Outlook/>
    }
}

/// What starts if the case is sent now.
#[component]
fn Outlook() -> impl IntoView {
    let (speaks, desk, names, hall) = (use_language(), use_desk(), use_names(), use_hall());
    let tick = Memo::new(move |_| hall.now().0 / 15_000);
    let words = move || {
        tick.get();
        let (language, now) = (speaks.get(), hall.present());
        let case = desk.file.case()?;
        names.with(|names| Some(outlook(language, &case, now, names)))
    };
    move || {
        words().map(|(limit, rule, when)| {
            view! { <p class="eff"><span>{say!(speaks.get(), desk.send_now)}</span><b>{limit}</b><span>{when}</span><span class="dim">{rule}</span></p> }
        })
    }
}

/// The limit that would start, where it comes from, from when it counts and when it is due.
fn outlook(
    language: Language,
    case: &Case,
    now: domain::moment::UtcMillis,
    names: &Names,
) -> (String, String, String) {
    let policy = &names.policy;
    let own = names.disposal_limit(&case.report.class);
    let limit = own.unwrap_or(policy.disposal_limit);
    let rule =
        if own.is_some() { say!(language, desk.class_limit) } else { say!(language, desk.policy_limit) };
    let offset = policy.utc_offset_minutes;
    let due = moment(language, policy.calendar.due(now, limit, offset), now, names);
    let waits = !limit.unit.runs_on() && !policy.calendar.is_running(now, offset);
    let when = match policy.calendar.resumes_at(now, offset).filter(|_| waits) {
        Some(start) => {
            say!(language, desk.counts_from, start = moment(language, start, now, names), due = due)
        }
        None => say!(language, desk.counts_now, due = due),
    };
    (say!(language, desk.disposal, limit = limit.words(language)), rule, when)
}

#[component]
fn Buttons() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let allowed = allowed(desk);
    let stage = Memo::new(move |_| desk.file.case().filter(Case::is_open).map(|case| case.stage));
    let busy = move || desk.sending.progress.with(|progress| matches!(progress, Progress::Pending { .. }));
    let unready = move || {
        busy() || (stage.get() == Some(Stage::Dispatch) && desk.file.department.with(Option::is_none))
    };
    let step = move || {
        stage.get().filter(|_| allowed.get() && !desk.file.calling.get()).map(|stage| {
            view! { <button type="button" class="btn primary" id="desk-step" disabled=unready on:click=move |_| untrack(|| main_action(desk))>{step_words(speaks.get(), stage)}<kbd>"↵"</kbd></button> }
        })
    };
    let can_claim = move || {
        let me = desk.me();
        desk.file.case().filter(Case::is_open).is_some_and(|case| {
            desk.may(&Command::ClaimCase { case: case.id }) && case.claimed_by != Some(me)
        })
    };
    let can_call = move || stage.get().is_some() && desk.roles().contains(&domain::role::Role::Dispatcher);
    view! {
        <p class="acts">
            {step}
            <Show when=can_claim><button type="button" class="btn" id="desk-claim" disabled=busy on:click=move |_| untrack(|| claim(desk))>{move || say!(speaks.get(), desk.claim)}<kbd>"C"</kbd></button></Show>
            <Show when=can_call><button type="button" class="btn" aria-expanded=move || desk.file.calling.get().to_string() on:click=move |_| untrack(|| call(desk))>{move || say!(speaks.get(), desk.whistle)}<kbd>"W"</kbd></button></Show>
        </p>
    }
}

/// How the last command went, in words that stay until the next one.
#[component]
pub fn Outcome() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let shown = move || {
        let words = outcome_words(speaks, desk.sending.progress.get())?;
        let (class, mark, words, again) = words;
        let again = again.then(|| view! { <button type="button" class="btn" on:click=move |_| desk.sending.resend()>{say!(speaks.get(), desk.resend)}<kbd>"R"</kbd></button> });
        Some(view! { <p class=class><Sign mark/><span>{words}</span>{again}</p> })
    };
    view! { <div class="outcome" role="status">{shown}</div> }
}

fn outcome_words(speaks: Speaks, progress: Progress) -> Option<(&'static str, Mark, String, bool)> {
    let language = speaks.get();
    Some(match progress {
        Progress::Idle => return None,
        Progress::Pending { what } => {
            ("pending", Mark::Waiting, say!(language, desk.sending, what = what), false)
        }
        Progress::Done { what } => ("done", Mark::Done, say!(language, desk.done, what = what), false),
        Progress::Refused { what, words } => {
            ("refused", Mark::Over, say!(language, desk.refused, what = what, words = words), false)
        }
        Progress::Unsure { what } => ("unsure", Mark::Lost, say!(language, desk.unsure, what = what), true),
    })
}
