//! The operator's side of pairing, `/kiosks`: approve the digits a wall shows, see which walls are paired, revoke one.

use std::time::Duration;

use domain::answer::{SessionAnswer, TokenAnswer};
use domain::role::Role;
use domain::route;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::home::Switches;
use crate::api::{ApiError, Order};
use crate::ask::Asker;
use crate::language::use_language;
use crate::names;
use crate::once::{anew, effect, shown};
use crate::powers::Powers;
use crate::session::{Session, require, use_session};
use crate::submit::Submit;
use crate::text;
use crate::words::{Language, say, says};

/// A wall that was approved takes its token within a few seconds: the list is asked for again so often after so long, and
/// then no more.
const LOOK_AGAIN: Duration = Duration::from_millis(1_500);
const LOOKS_MAX: usize = 20;

#[derive(Clone, Serialize)]
struct Approval {
    code: String,
    name: String,
    wall: String,
}

/// What came of the operator's last act.
#[derive(Clone)]
enum Outcome {
    Approved(Approval),
    NotApproved(Approval, ApiError),
    Revoked(String),
    NotRevoked(String, ApiError),
}

impl Outcome {
    fn words(&self, language: Language) -> String {
        match self {
            Self::Approved(Approval { name, wall, .. }) => {
                say!(language, pair.approved, name = name, wall = wall)
            }
            Self::NotApproved(asked, error) => refusal(language, error, |status| match status {
                404 => Some(say!(language, pair.unknown_code)),
                409 => Some(say!(language, pair.taken, name = &asked.name)),
                400 => Some(say!(language, pair.bad_name)),
                503 => Some(say!(language, pair.guessing)),
                _ => None,
            }),
            Self::Revoked(name) => say!(language, pair.revoked, name = name),
            Self::NotRevoked(name, error) => refusal(language, error, |status| match status {
                404 => Some(say!(language, pair.gone, name = name)),
                _ => None,
            }),
        }
    }

    fn is_problem(&self) -> bool {
        match self {
            Self::Approved(_) | Self::Revoked(_) => false,
            Self::NotApproved(..) | Self::NotRevoked(..) => true,
        }
    }
}

/// Our words for a status, else the server's own.
fn refusal(language: Language, error: &ApiError, known: impl Fn(u16) -> Option<String>) -> String {
    match error {
        ApiError::Unreachable | ApiError::Unreadable(_) => say!(language, pair.unreachable),
        ApiError::Refused { status: 403, .. } => say!(language, pair.not_allowed),
        ApiError::Refused { status, .. } => {
            known(*status).unwrap_or_else(|| say!(language, common.refused, words = error.words(language)))
        }
    }
}

/// Whether this session may approve a wall. The server decides; this only spares a vain try.
pub fn may_pair(session: &SessionAnswer) -> bool {
    session.roles.iter().any(|role| matches!(role, Role::Admin | Role::Dispatcher))
}

fn is_admin(session: &SessionAnswer) -> bool {
    session.roles.contains(&Role::Admin)
}

#[component]
pub fn Kiosks() -> impl IntoView {
    let (signed, speaks) = (use_session(), use_language());
    require(signed);
    names::provide();
    let outcome = RwSignal::new(None::<Outcome>);
    let allowed = move |may: fn(&SessionAnswer) -> bool| match signed.get() {
        Session::SignedIn(session) => may(&session),
        Session::Asking | Session::SignedOut => false,
    };
    let refused = move || matches!(signed.get(), Session::SignedIn(session) if !may_pair(&session));
    let words = move || outcome.get().map(|outcome| outcome.words(speaks.get()));
    let problem = move || outcome.get().is_some_and(|outcome| outcome.is_problem());
    view! {
        <main class="kiosks">
            <h1>{says!(speaks, pair.kiosks)}</h1>
            <p><Powers/></p>
            {shown(refused, move || view! { <p class="problem">{says!(speaks, pair.not_allowed)}</p> })}
            {shown(move || allowed(may_pair), move || view! { <Approve outcome/> })}
            <p class="outcome-words" class:problem=problem role="status">{anew(words)}</p>
            {shown(move || allowed(is_admin), move || view! { <Paired outcome/> })}
            <p class="ways">
                <a class="button quiet" href=route::HOME>{says!(speaks, common.home)}</a>
                <Switches speaks/>
            </p>
        </main>
    }
}

#[component]
fn Approve(outcome: RwSignal<Option<Outcome>>) -> impl IntoView {
    let speaks = use_language();
    let (code, name, wall) =
        (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let sent = Submit::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(code), Some(name), Some(wall)) = (code.get(), name.get(), wall.get()) else { return };
        // The wall shows its digits in two groups; some will type the gap.
        let digits = code.value().split_whitespace().collect();
        let approval = Approval {
            code: digits,
            name: name.value().trim().to_owned(),
            wall: wall.value().trim().to_owned(),
        };
        outcome.set(None);
        sent.post("/api/v1/kiosk/approve", &approval.clone(), move |answer: Result<IgnoredAny, _>| {
            outcome.set(Some(match answer {
                Ok(_) => {
                    code.set_value("");
                    name.set_value("");
                    Outcome::Approved(approval)
                }
                Err(error) => Outcome::NotApproved(approval, error),
            }));
            let _ = code.focus();
        });
    };
    view! {
        <p class="dim">{says!(speaks, pair.explain)}</p>
        <form class="sign-in" on:submit=submit>
            <label>
                {says!(speaks, pair.code)}
                <input class="code" type="text" name="code" inputmode="numeric" autocomplete="off" required maxlength="7"
                    pattern="[0-9]{3} ?[0-9]{3}" autofocus node_ref=code/>
            </label>
            <label>
                {says!(speaks, pair.name)}
                <input type="text" name="name" autocomplete="off" required maxlength="64" node_ref=name/>
            </label>
            <label>
                {says!(speaks, pair.wall)}
                <input type="text" name="wall" autocomplete="off" required maxlength="64" pattern="[A-Za-z0-9_\\-]+" value="main" node_ref=wall/>
            </label>
            <button type="submit" class="button strong" disabled=move || sent.is_busy()>
                {anew(move || if sent.is_busy() { say!(speaks.get(), pair.approving) } else { say!(speaks.get(), pair.approve) })}
            </button>
        </form>
    }
}

/// The paired walls. Only an administrator may see tokens.
#[component]
fn Paired(outcome: RwSignal<Option<Outcome>>) -> impl IntoView {
    let speaks = use_language();
    let tokens = Tokens { list: RwSignal::new(None), asks: Asker::new(), waits: StoredValue::new(None) };
    let list = tokens.list;
    tokens.load();
    // Whoever comes back to the page sees it as it stands.
    let returned = window_event_listener(leptos::ev::focus, move |_| tokens.load());
    on_cleanup(move || returned.remove());
    effect(move || {
        if let Some(Outcome::Approved(Approval { name, .. })) = outcome.get() {
            tokens.wait_for(name);
        }
    });
    let none = move || list.with(|list| list.as_ref().is_some_and(Vec::is_empty));
    view! {
        <section class="paired">
            <h2>{says!(speaks, pair.paired)}</h2>
            {shown(none, move || view! { <p class="dim">{says!(speaks, pair.none_paired)}</p> })}
            <ul>
                <For each=move || list.get().unwrap_or_default() key=|token| (token.name.clone(), token.created) let:token>
                    <Row token tokens outcome/>
                </For>
            </ul>
        </section>
    }
}

/// The tokens of walls, as they were read last.
#[derive(Clone, Copy)]
struct Tokens {
    list: RwSignal<Option<Vec<TokenAnswer>>>,
    asks: Asker,
    /// The wall that was approved and has not come yet, and how often it has been looked for.
    waits: StoredValue<Option<(String, usize)>>,
}

impl Tokens {
    /// What was seen last stays while there is no answer.
    fn load(self) {
        self.asks.ask("/api/v1/tokens".to_owned(), move |answer: Result<Vec<TokenAnswer>, _>| {
            if let Ok(tokens) = answer {
                let kiosks = tokens.into_iter().filter(|token| token.role == Role::Kiosk).collect();
                self.list.set(Some(kiosks));
                self.look_again();
            }
        });
    }

    /// Looks a few times whether the wall that was approved has come.
    fn wait_for(self, name: String) {
        self.waits.set_value(Some((name, 0)));
        self.load();
    }

    fn look_again(self) {
        let Some((name, looks)) = self.waits.get_value() else { return };
        let is_it = |token: &TokenAnswer| token.name == name;
        let come = self.list.with_untracked(|list| list.as_ref().is_some_and(|list| list.iter().any(is_it)));
        let waits = (!come && looks < LOOKS_MAX).then(|| (name, looks + 1));
        let again = waits.is_some();
        self.waits.set_value(waits);
        if again {
            let load = move || {
                // The page may have been left meanwhile.
                if !self.list.is_disposed() {
                    self.load();
                }
            };
            set_timeout(load, LOOK_AGAIN);
        }
    }
}

/// Revoking takes two presses: the first turns the button into its own question.
#[component]
fn Row(token: TokenAnswer, tokens: Tokens, outcome: RwSignal<Option<Outcome>>) -> impl IntoView {
    let (speaks, names, sent) = (use_language(), names::use_names(), Submit::new());
    let sure = RwSignal::new(false);
    let TokenAnswer { name, created, .. } = token;
    let since = move || {
        let offset = names.with(|names| names.policy.utc_offset_minutes);
        let date = text::short_date(speaks.get(), created.local(offset).date);
        say!(speaks.get(), pair.since, time = format!("{date} {}", text::hour_minute(created, offset)))
    };
    let (shown, label) = (name.clone(), name.clone());
    let press = move |_| {
        if sure.get_untracked() {
            let path = format!("/api/v1/tokens/{}", String::from(js_sys::encode_uri_component(&name)));
            let name = name.clone();
            sent.send(Order::delete(path), move |answer: Result<IgnoredAny, _>| {
                outcome.set(Some(match answer {
                    Ok(_) => Outcome::Revoked(name),
                    Err(error) => Outcome::NotRevoked(name, error),
                }));
                tokens.load();
            });
        }
        sure.update(|sure| *sure = !*sure);
    };
    let label = move || match sure.get() {
        true => say!(speaks.get(), pair.revoke_sure_name, name = &label),
        false => say!(speaks.get(), pair.revoke_name, name = &label),
    };
    let words = move || match sure.get() {
        true => say!(speaks.get(), pair.revoke_sure),
        false => say!(speaks.get(), pair.revoke),
    };
    view! {
        <li>
            <b>{shown}</b>
            <span class="dim">{anew(since)}</span>
            <button type="button" class="button quiet" class:sure=move || sure.get() aria-label=label on:click=press
                on:blur=move |_| sure.set(false)>{anew(words)}</button>
        </li>
    }
}
