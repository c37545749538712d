//! `/replay`: choose a part of the past, or go on with one that is open. An address that names one opens it at once.

use domain::answer::worlds::{ReplayAnswer, ReplayOrder};
use domain::moment::{HOUR_MS, UtcMillis, UtcOffset};
use domain::route::{Past, Route};
use domain::world::WorldId;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use serde::de::IgnoredAny;

use super::interval::{Trouble, Typed};
use super::problem_words;
use crate::api::{ApiError, Order};
use crate::ask::Asker;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::names::{self, Called};
use crate::once::{CollectRows, anew, memo};
use crate::page::Switches;
use crate::session::{Session, require, use_session};
use crate::submit::Submit;
use crate::text;
use crate::words::{Language, say, says};

/// What keeps a part of the past from being shown.
#[derive(Clone)]
enum Problem {
    Typed(Trouble),
    /// The address names times that are none.
    Address,
    Server(ApiError),
}

impl Problem {
    fn words(&self, language: Language) -> String {
        match self {
            Self::Typed(trouble) => trouble.words(language),
            Self::Address => say!(language, replay.bad_address),
            Self::Server(error) => problem_words(language, error),
        }
    }
}

#[derive(Clone, Copy)]
struct Choosing {
    sent: Submit,
    ends: Submit,
    asks: Asker,
    problem: RwSignal<Option<Problem>>,
    open: RwSignal<Option<Vec<ReplayAnswer>>>,
}

impl Choosing {
    /// Asks the server to open it, and goes on to where it is driven.
    fn begin(self, past: Past, replace: bool) {
        let (Some(from), Some(to)) = (past.from, past.to) else { return };
        self.problem.set(None);
        let order = ReplayOrder { from, to, at: past.at };
        self.sent.post("/api/v1/replays", &order, move |answer: Result<ReplayAnswer, ApiError>| {
            let opened = answer.and_then(|replay| match replay.id.parse::<WorldId>() {
                Ok(id) => Ok((id, replay)),
                Err(error) => Err(ApiError::Unreadable(error.to_string())),
            });
            match opened {
                Ok((id, replay)) => {
                    let past = Past { from: Some(replay.from), to: Some(replay.to), at: None };
                    let address = Route::Replay { world: Some(id), past }.to_string();
                    let location = window().location();
                    let _ = if replace { location.replace(&address) } else { location.assign(&address) };
                }
                Err(error) => self.problem.set(Some(Problem::Server(error))),
            }
        });
    }

    fn look(self) {
        self.asks.ask("/api/v1/replays".to_owned(), move |answer| match answer {
            Ok(open) => self.open.set(Some(open)),
            Err(error) => self.problem.set(Some(Problem::Server(error))),
        });
    }

    fn end(self, replay: &ReplayAnswer) {
        let order = Order::delete(format!("/api/v1/replays/{}", replay.id));
        self.ends.send(order, move |answer: Result<IgnoredAny, _>| {
            if let Err(error) = answer {
                self.problem.set(Some(Problem::Server(error)));
            }
            self.look();
        });
    }
}

/// `past`: what the address names; none where it cannot be read.
#[component]
pub fn Choose(past: Option<Past>) -> impl IntoView {
    let (speaks, signed) = (use_language(), use_session());
    require(signed);
    let called = names::provide();
    let problem = RwSignal::new(past.is_none().then_some(Problem::Address));
    let (sent, ends, asks) = (Submit::new(), Submit::new(), Asker::new());
    let choosing = Choosing { sent, ends, asks, problem, open: RwSignal::new(None) };
    let past = past.unwrap_or_default();
    Effect::new(move |asked: Option<bool>| {
        let is_in = matches!(signed.get(), Session::SignedIn(_));
        if is_in && asked != Some(true) {
            choosing.look();
            choosing.begin(past, true);
        }
        is_in || asked == Some(true)
    });
    let said = move || choosing.problem.get().map(|problem| problem.words(speaks.get()));
    view! {
        <main class="replay-choose">
            <h1>{says!(speaks, replay.title)}</h1>
            <p class="dim">{says!(speaks, replay.explain)}</p>
            <Form choosing past called/>
            <p class="problem" role="alert">{anew(said)}</p>
            <Open choosing called/>
            <p class="ways">
                <a class="button quiet" href=Route::Home.to_string()>{says!(speaks, common.home)}</a>
                <Switches speaks/>
            </p>
        </main>
    }
}

#[component]
fn Form(choosing: Choosing, past: Past, called: Called) -> impl IntoView {
    let (speaks, hall) = (use_language(), use_hall());
    let offset = move || called.with(|names| names.policy.utc_offset_minutes);
    let heard = hall.ask();
    let typed = memo(move || {
        heard.track();
        first_typed(past, hall.present(), offset())
    });
    let [day, from, to] = [(); 3].map(|()| NodeRef::<html::Input>::new());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let value = |field: NodeRef<html::Input>| {
            field.get_untracked().map(|field| field.value()).unwrap_or_default()
        };
        let typed = Typed { day: value(day), from: value(from), to: value(to) };
        match typed.past(hall.present(), untrack(offset)) {
            Ok(past) => choosing.begin(past, false),
            Err(trouble) => choosing.problem.set(Some(Problem::Typed(trouble))),
        }
    };
    let words = move || match choosing.sent.is_busy() {
        true => say!(speaks.get(), replay.opening),
        false => say!(speaks.get(), replay.open),
    };
    // The server's words are said in the page's own language, not the browser's: nothing is `required` here.
    view! {
        <form class="sign-in interval" novalidate on:submit=submit>
            <label>{says!(speaks, replay.day)}<input type="date" name="day" node_ref=day prop:value=move || typed.with(|typed| typed.day.clone())/></label>
            <label>{says!(speaks, replay.from)}<input type="time" name="from" node_ref=from prop:value=move || typed.with(|typed| typed.from.clone())/></label>
            <label>{says!(speaks, replay.to)}<input type="time" name="to" node_ref=to prop:value=move || typed.with(|typed| typed.to.clone())/></label>
            <button type="submit" class="button strong" disabled=move || choosing.sent.is_busy()>{anew(words)}</button>
        </form>
    }
}

/// The interval of the address, else the last hour.
fn first_typed(past: Past, now: UtcMillis, offset: UtcOffset) -> Typed {
    match (past.from, past.to) {
        (Some(from), Some(to)) => Typed::of(from, to, offset),
        _ => Typed { to: String::new(), ..Typed::of(now.plus(-HOUR_MS), now, offset) },
    }
}

#[component]
fn Open(choosing: Choosing, called: Called) -> impl IntoView {
    let speaks = use_language();
    let row = move |replay: ReplayAnswer| {
        let past = Past { from: Some(replay.from), to: Some(replay.to), at: None };
        let href = Route::Replay { world: replay.id.parse().ok(), past }.to_string();
        let (from, to) = (replay.from, replay.to);
        let words = move || {
            called.with(|names| interval_words(speaks.get(), from, to, names.policy.utc_offset_minutes))
        };
        let end = move |_| choosing.end(&replay);
        view! { <li><a href=href>{anew(words)}</a><button type="button" class="button quiet" on:click=end>{says!(speaks, replay.end)}</button></li> }
    };
    let rows = move || {
        choosing.open.get().map(|open| match open.is_empty() {
            true => view! { <li class="dim">{says!(speaks, replay.none_open)}</li> }.into_any(),
            false => open.into_iter().map(row).collect_rows().into_any(),
        })
    };
    view! { <section class="open-replays"><h2>{says!(speaks, replay.opened)}</h2><ul>{anew(rows)}</ul></section> }
}

/// `11月21日 周六 08:00 – 10:30`
pub fn interval_words(language: Language, from: UtcMillis, to: UtcMillis, offset: UtcOffset) -> String {
    let date = |at: UtcMillis| text::short_date(language, at.local(offset).date);
    let (first, last) = (date(from), date(to));
    let end = text::hour_minute(to, offset);
    let end = if first == last { end } else { format!("{last} {end}") };
    format!("{first} {} – {end}", text::hour_minute(from, offset))
}
