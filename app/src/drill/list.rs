//! `/drill`: the drills there are, with the ways into each, and what prepares another.

use domain::answer::SessionAnswer;
use domain::drill::answer::{DrillAnswer, DrillsAnswer, PrepareDrill};
use domain::drill::{DrillStage, INJECTS_MAX, Inject};
use domain::role::Role;
use domain::route;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::happens::{Happens, Written};
use super::{error_words, stage_words};
use crate::api::ApiError;
use crate::ask::Asker;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::{self, use_names};
use crate::once::{CollectRows, anew, memo, shown};
use crate::page::Switches;
use crate::session::{Session, require, use_session};
use crate::submit::Submit;
use crate::text;
use crate::words::say;

/// Whether they may prepare one. The server decides; this only spares a vain try.
fn may_prepare(session: &SessionAnswer) -> bool {
    session.scope.is_all()
        && session.roles.iter().any(|role| matches!(role, Role::Admin | Role::Supervisor | Role::Dispatcher))
}

#[component]
pub fn Drills() -> impl IntoView {
    let (signed, speaks) = (use_session(), use_language());
    require(signed);
    names::provide();
    let drills = RwSignal::new(None::<Result<DrillsAnswer, ApiError>>);
    Asker::new().ask("/api/v1/drills".to_owned(), move |answer| drills.set(Some(answer)));
    let list = move || match drills.get() {
        None => view! { <p class="dim" role="status">{say!(speaks.get(), common.connecting)}</p> }.into_any(),
        Some(Err(error)) => {
            view! { <p class="problem" role="status">{error_words(speaks.get(), &error)}</p> }.into_any()
        }
        Some(Ok(drills)) if drills.items.is_empty() => {
            view! { <p class="dim">{say!(speaks.get(), drill.none)}</p> }.into_any()
        }
        Some(Ok(drills)) => {
            let rows = drills.items.into_iter().map(|drill| view! { <Row drill/> }).collect_rows();
            view! { <ul class="drills">{rows}</ul> }.into_any()
        }
    };
    let allowed = memo(move || match signed.get() {
        Session::SignedIn(session) => Some(may_prepare(&session)),
        Session::Asking | Session::SignedOut => None,
    });
    view! {
        <main class="drill-page">
            <h1>{anew(move || say!(speaks.get(), drill.drills))}</h1>
            <p class="dim">{anew(move || say!(speaks.get(), drill.explain))}</p>
            {anew(list)}
            {shown(move || allowed.get() == Some(true), move || view! { <Prepare/> })}
            {shown(move || allowed.get() == Some(false), move || view! { <p class="dim">{anew(move || say!(speaks.get(), drill.not_allowed))}</p> })}
            <p class="ways">
                <a class="button quiet" href=route::HOME>{anew(move || say!(speaks.get(), common.home))}</a>
                <Switches speaks/>
            </p>
        </main>
    }
}

#[component]
fn Row(drill: DrillAnswer) -> impl IntoView {
    let (speaks, names, hall) = (use_language(), use_names(), use_hall());
    let when = move |at| {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        text::moment(speaks.get(), at, hall.present(), offset)
    };
    let (stage, director, prepared) = (drill.stage, drill.director.clone(), drill.prepared);
    let ended = drill.stopped.zip(drill.stopped_by.clone());
    let state = move || match &ended {
        Some((at, by)) => say!(speaks.get(), drill.stopped_at, time = when(*at), name = by),
        None => say!(speaks.get(), drill.prepared_at, time = when(prepared)),
    };
    let (open, leads, back) = (stage != DrillStage::Stopped, drill.leads, drill.came_back);
    let base = &drill.base;
    let (direct, wall, desk) =
        (route::drill(base), route::wall(base, route::MAIN_WALL, ""), route::desk(base, None, ""));
    let ways = open.then(|| {
        view! {
            <span class="ways">
                {leads.then(|| view! { <a class="button" href=direct>{anew(move || say!(speaks.get(), drill.direct))}</a> })}
                <a class="button" href=wall target="gridhall-drill-wall">{move || say!(speaks.get(), drill.wall)}</a>
                <a class="button" href=desk target="gridhall-drill-desk">{move || say!(speaks.get(), drill.desk)}</a>
            </span>
        }
    });
    view! {
        <li class:open=open>
            <b>{drill.title}</b><span class="stage">{anew(move || stage_words(speaks.get(), stage))}</span>
            <span class="dim">{anew(move || say!(speaks.get(), drill.directed_by, name = &director))}" "{anew(state)}</span>
            {back.then(|| view! { <span class="problem">{anew(move || say!(speaks.get(), drill.came_back))}</span> })}
            {ways}
        </li>
    }
}

/// The form of a new drill: its title, and a short list of what is to happen.
#[component]
fn Prepare() -> impl IntoView {
    let speaks = use_language();
    let title = RwSignal::new(String::new());
    let rows = RwSignal::new(Vec::<(usize, Written)>::new());
    let next = StoredValue::new(0usize);
    let sent = Submit::new();
    let add = move |_| {
        let key = next.get_value();
        next.set_value(key + 1);
        rows.update(|rows| rows.push((key, Written::new())));
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let written: Option<Vec<Inject>> = rows.with_untracked(|rows| {
            let inject = |(_, written): &(usize, Written)| {
                Some(Inject { after_s: written.after_s()?, what: written.happening()? })
            };
            rows.iter().map(inject).collect()
        });
        let Some(injects) = written else { return };
        let asked = PrepareDrill { title: title.get_untracked().trim().to_owned(), injects };
        sent.post("/api/v1/drills", &asked, |answer: Result<DrillAnswer, _>| {
            if let Ok(drill) = answer {
                let _ = window().location().assign(&route::drill(&drill.base));
            }
        });
    };
    let one = move |(key, written): (usize, Written)| {
        let at =
            move || rows.with(|rows| rows.iter().position(|(other, _)| *other == key).map_or(0, |at| at + 1));
        let remove = move |_| rows.update(|rows| rows.retain(|(other, _)| *other != key));
        view! {
            <li><b class="number">{at}</b><Happens written timed=true/>
                <button type="button" class="button quiet" aria-label=move || say!(speaks.get(), drill.remove, at = at()) on:click=remove>"×"</button></li>
        }
    };
    let none = move || rows.with(Vec::is_empty);
    let full = move || rows.with(Vec::len) >= INJECTS_MAX;
    let label = move || {
        if sent.is_busy() { say!(speaks.get(), drill.busy) } else { say!(speaks.get(), drill.prepare_now) }
    };
    view! {
        <form class="prepare" on:submit=submit>
            <h2>{anew(move || say!(speaks.get(), drill.prepare))}</h2>
            <label>{anew(move || say!(speaks.get(), drill.title))}<input type="text" name="title" required maxlength="100" autocomplete="off" prop:value=title on:input=move |event| title.set(event_target_value(&event))/></label>
            <h3>{anew(move || say!(speaks.get(), drill.injects))}</h3>
            {shown(none, move || view! { <p class="dim">{anew(move || say!(speaks.get(), drill.no_injects))}</p> })}
            <ol class="to-happen"><For each=move || rows.get() key=|(key, _)| *key let:row>{one(row)}</For></ol>
            <p class="ways"><button type="button" class="button" disabled=full on:click=add>{anew(move || say!(speaks.get(), drill.add))}</button>
                <button type="submit" class="button strong" disabled=move || sent.is_busy()>{anew(label)}</button></p>
            <p class="problem" role="alert">{anew(move || sent.problem().map(|error| error_words(speaks.get(), &error)))}</p>
        </form>
    }
}
