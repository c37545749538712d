//! Whistle calls at the desk: how one looks and what is done with it, and the form that raises one for a case. What is written in
//! the form is apart from it, because the button that sends it stands where the hand is (`act`).
//!
//! What should not be here: which calls are listed (`calls`).

use domain::case::Case;
use domain::code::{DepartmentCode, WhistleId};
use domain::command::Command;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::whistle::{CALLED_MAX, Called, Whistle, WhistleCall, WhistleLevel};
use leptos::html;
use leptos::prelude::*;

use super::listing::Fetch;
use super::{Desk, use_desk};
use crate::board::{Board, Part};
use crate::hall::use_hall;
use crate::language::use_language;
use crate::mark::{Mark, Sign};
use crate::names::use_names;
use crate::once::{CollectRows, anew, effect, listed, memo, shown, shown_or};
use crate::text;
use crate::words::{self, say, says};
use crate::work::draft::Call;
use crate::work::due::moment;
use crate::work::hand::{leave_field, take_up};
use crate::work::outcome::Outcome;
use crate::work::send::What;

/// Departments a call misses beyond its limit.
pub fn missing_of(call: &Whistle, now: UtcMillis) -> usize {
    if call.closed.is_none() && call.due <= now { call.missing().count() } else { 0 }
}

/// Tracked: departments that all open calls miss beyond their limit.
pub fn missing(board: Board, now: UtcMillis) -> usize {
    board.with(Part::Whistles, |held| held.whistles.iter().map(|call| missing_of(call, now)).sum())
}

#[component]
pub fn Whistles() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let calls = desk.calls.rows;
    // The desk itself may be going too.
    on_cleanup(move || _ = desk.call.try_set(None));
    // An open case says in its own place how a command went.
    let alone = move || desk.opened.get().is_none();
    let narrowed = move || desk.filters.with(|filters| filters.narrows(""));
    let state = move || {
        let (language, empty) = (speaks.get(), calls.with(Vec::is_empty));
        let words = match desk.calls.fetch() {
            Fetch::Failed(error) => say!(language, desk.failed, words = error.words(language)),
            Fetch::Asking if empty => say!(language, desk.loading),
            Fetch::There if empty && narrowed() => say!(language, desk.whistle_none_fits),
            Fetch::There if empty => say!(language, desk.whistle_empty),
            Fetch::Asking | Fetch::There => return None,
        };
        Some(view! { <p class="list-state" role="status">{words}</p> })
    };
    view! {
        <div class="case-rows calls" id="desk-rows" tabindex="-1">{anew(state)}
            <ol>{listed(move || calls.get(), |call| (call.id.0, call.version), |call| view! { <CallRow call/> })}</ol>
        </div>
        {shown(alone, move || view! { <Outcome/> })}
    }
}

#[component]
fn CallRow(call: Whistle) -> impl IntoView {
    let (speaks, desk, names, hall) = (use_language(), use_desk(), use_names(), use_hall());
    let (due, id, closed) = (call.due, call.id, call.closed.is_some());
    let ended = call.closed.map(|at| {
        let when = move || names.with(|names| moment(speaks.get(), at, hall.present(), names));
        view! { <p class="dim">{anew(move || say!(speaks.get(), desk.call_ended, time = when()))}</p> }
    });
    let area = call.area_path.clone();
    let place = move || names.with(|names| names.area_words(speaks.get(), &area));
    let title = match call.call.case {
        Some(case) => {
            let href = desk.filters.with_untracked(|filters| Desk::address_of(filters, Some(case)));
            view! { <a href=href>{call.call.title.clone()}</a> }.into_any()
        }
        None => view! { <span>{call.call.title.clone()}</span> }.into_any(),
    };
    let answer = move |called: Called| {
        let department = StoredValue::new(called.department);
        let name = move || names.with(|names| names.department(speaks.get(), &department.get_value()));
        let state = memo(move || match called.responded {
            Some(at) => (
                Mark::Done,
                names.with(|names| {
                    say!(
                        speaks.get(),
                        desk.responded,
                        time = text::hour_minute(at, names.policy.utc_offset_minutes)
                    )
                }),
            ),
            None if closed => (Mark::Waiting, say!(speaks.get(), desk.never_came)),
            None => {
                let (late, digits) = text::in_minutes(due, hall.now());
                (
                    if late { Mark::Over } else { Mark::Inside },
                    format!("{} {digits}", text::phase_note(speaks.get(), late)),
                )
            }
        });
        let waits = called.responded.is_none();
        let command = move || Command::RespondToWhistle { whistle: id, department: department.get_value() };
        let may = move || waits && !closed && desk.may(&command());
        let respond =
            move |_| _ = desk.sending.send(command(), What::Word(words::event::whistle_answered), None);
        let label = move || say!(speaks.get(), desk.respond_for, name = name());
        view! { <li class:over=move || state.with(|state| state.0 == Mark::Over)><Sign mark=Signal::derive(move || state.with(|state| state.0))/><span>{anew(name)}</span><em>{anew(move || state.with(|state| state.1.clone()))}</em>
        {shown(may, move || view! { <button type="button" class="btn" aria-label=label on:click=respond>{says!(speaks, event.whistle_answered)}</button> })}</li> }
    };
    let selected = move || desk.call.get() == Some(id);
    let take = move || desk.call.set(Some(id));
    // A department that answers makes another version of its call, and so another row.
    take_up(format!("call-{id}"), move || desk.call.try_get_untracked() == Some(Some(id)));
    view! {
        <li class="call" class:sel=selected id=format!("call-{id}") tabindex="-1" aria-current=move || selected().then_some("true") on:click=move |_| take() on:focusin=move |_| take()><h3><Sign mark=Mark::of_level(call.call.level)/>{anew(move || text::level_name(speaks.get(), call.call.level))}" "{title}</h3>
            <p class="dim">{anew(place)}</p><ul>{call.called.into_iter().map(answer).collect_rows()}</ul>
            {ended}{(!closed).then(|| view! { <EndCall id/> })}
        </li>
    }
}

/// Ending a call takes two presses: the first asks for the note and whether it is meant.
#[component]
fn EndCall(id: WhistleId) -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let asks = RwSignal::new(false);
    let note = NodeRef::<html::Input>::new();
    effect(move || note.get().map(|field| drop(field.focus())));
    let may = move || desk.may(&Command::CloseWhistle { whistle: id, note: String::new() });
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let words = note.get_untracked().map(|field| field.value()).unwrap_or_default();
        let command = Command::CloseWhistle { whistle: id, note: words.trim().to_owned() };
        desk.sending.send(command, What::Word(words::event::whistle_closed), None);
        asks.set(false);
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" {
            asks.set(false);
        }
    };
    let words = says!(speaks, desk.end_call_note);
    view! {
        {shown(may, move || view! {
            {shown_or(move || asks.get(), move || view! {
                <form class="acts end-call" on:submit=send on:keydown=on_key>
                    <input type="text" maxlength="4000" autocomplete="off" placeholder=words aria-label=words node_ref=note/>
                    <button type="submit" class="btn sure">{says!(speaks, desk.end_call_sure)}</button>
                    <button type="button" class="btn" on:click=move |_| asks.set(false)>{says!(speaks, desk.end_call_not)}</button>
                </form>
        }, move || view! { <button type="button" class="btn" on:click=move |_| asks.set(true)>{says!(speaks, event.whistle_closed)}</button> })}
        })}
    }
}

/// Begins a call for the case where none is being written.
pub fn begin(desk: Desk, case: &Case) {
    let class = desk.names.with(|names| names.class(desk.speaks.get(), &case.report.class));
    let title = format!("{} {class}", case.report.address).trim().to_owned();
    desk.file.drafts.write(|written| _ = written.call.get_or_insert_with(|| Call::about(title)));
}

/// Tracked: the call that is being written.
fn call_of(desk: Desk) -> Option<Call> {
    desk.file.drafts.with(|written| written.call.clone())
}

fn change(desk: Desk, change: impl FnOnce(&mut Call)) {
    desk.file.drafts.write(|written| change(written.call.get_or_insert_with(|| Call::about(String::new()))));
}

/// Sends the call that is being written, once it is ready; its form closes. Whether it was sent.
pub fn raise(desk: Desk) -> bool {
    let Some(case) = desk.file.case().filter(Case::is_open) else { return false };
    let Some(written) = call_of(desk).filter(Call::is_ready) else { return false };
    let call = WhistleCall {
        level: written.level,
        area: case.report.area,
        title: written.title.trim().to_owned(),
        case: Some(case.id),
        called: written.called,
    };
    let what = What::Word(words::desk::whistle);
    let sent = desk.sending.send(Command::RaiseWhistle { call }, what, Some((case.id, case.number)));
    if sent {
        desk.file.calling.set(false);
    }
    sent
}

/// The form of a call, which its button stands outside of.
const FORM: &str = "desk-call-form";

/// Sends the call, or says what it lacks: in sight wherever its form has been scrolled to.
#[component]
pub fn SendCall() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let ready = memo(move || call_of(desk).is_some_and(|call| call.is_ready()));
    let busy = move || {
        let claim = desk.file.case().map(|case| Command::ClaimCase { case: case.id });
        claim.is_some_and(|claim| desk.sending.is_busy(&claim))
    };
    let need = move || {
        (!ready.get()).then(|| view! { <span class="sent-to">{say!(speaks.get(), desk.whistle_need)}</span> })
    };
    view! { <button type="submit" form=FORM class="btn primary" id="desk-call" disabled=move || busy() || !ready.get()>{says!(speaks, desk.whistle_send)}<kbd>"↵"</kbd></button>{anew(need)} }
}

/// Calls departments to the open case; what is written stands in the draft. What it says in advance is when they must have responded.
#[component]
pub fn WhistleForm() -> impl IntoView {
    let (speaks, desk, names, hall) = (use_language(), use_desk(), use_names(), use_hall());
    let title = move || call_of(desk).map(|call| call.title);
    let typed = move |event| change(desk, |call| call.title = event_target_value(&event));
    let until = move || {
        let now = hall.now();
        names.with(|names| {
            let due = now.plus(i64::from(names.policy.whistle_response_minutes) * MINUTE_MS);
            say!(speaks.get(), desk.whistle_due, time = moment(speaks.get(), due, now, names))
        })
    };
    // Sent by its button or by Enter in any of its fields; what it lacks is said beside the button.
    let send = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if untrack(|| raise(desk)) {
            leave_field(desk.selected);
        }
    };
    view! {
        <form id=FORM on:submit=send>
            <div class="hd"><h3>{says!(speaks, desk.whistle)}</h3><span class="meta">{anew(until)}</span></div>
            <Level/>
            <input class="field" type="text" maxlength="200" autocomplete="off" prop:value=title on:input=typed aria-label=says!(speaks, desk.whistle_title)/>
            <CalledBoxes/>
        </form>
    }
}

#[component]
fn Level() -> impl IntoView {
    let (speaks, desk) = (use_language(), use_desk());
    let radio = move |of: WhistleLevel| {
        view! { <label><input type="radio" name="whistle-level" prop:checked=move || call_of(desk).is_some_and(|call| call.level == of) on:change=move |_| change(desk, |call| call.level = of)/>{anew(move || text::level_name(speaks.get(), of))}</label> }
    };
    view! { <fieldset class="levels"><legend>{says!(speaks, desk.whistle_level)}</legend>{WhistleLevel::ALL.into_iter().map(radio).collect_rows()}</fieldset> }
}

#[component]
fn CalledBoxes() -> impl IntoView {
    let (speaks, desk, names) = (use_language(), use_desk(), use_names());
    let boxes = move || {
        let one = |(code, name): (DepartmentCode, String)| {
            let own = code.clone();
            let on = move || call_of(desk).is_some_and(|call| call.called.contains(&own));
            let turn = move |_| {
                change(desk, |Call { called, .. }| match called.iter().position(|held| *held == code) {
                    Some(at) => drop(called.remove(at)),
                    None if called.len() < CALLED_MAX => called.push(code.clone()),
                    None => {}
                })
            };
            view! { <label><input type="checkbox" prop:checked=on on:change=turn/>{name}</label> }
        };
        names.with(|names| names.all_departments(speaks.get())).into_iter().map(one).collect_rows()
    };
    view! { <fieldset class="called"><legend>{says!(speaks, desk.whistle_called)}</legend>{anew(boxes)}</fieldset> }
}
