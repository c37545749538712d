//! The start page: the ways into the hall.

use domain::role::Role;
use domain::route::{self, Past, Route};
use leptos::prelude::*;
use serde::de::IgnoredAny;

use crate::api;
use crate::language::{Speaks, use_language};
use crate::once::{anew, shown};
use crate::powers::Powers;
use crate::session::{Session, require, use_session};
use crate::submit::Submit;
use crate::theme::use_theme;
use crate::words::{Language, say, says};

#[component]
pub fn Home() -> impl IntoView {
    let signed = use_session();
    require(signed);
    crate::names::provide();
    let speaks = use_language();
    let name = move || match signed.get() {
        Session::SignedIn(session) => say!(speaks.get(), common.signed_in_as, name = session.name),
        Session::Asking | Session::SignedOut => say!(speaks.get(), common.connecting),
    };
    let pairs =
        move || matches!(signed.get(), Session::SignedIn(session) if super::kiosks::may_pair(&session));
    let answers = move || matches!(signed.get(), Session::SignedIn(session) if session.roles.contains(&Role::Department));
    let leaving = Submit::new();
    let sign_out = move |_| {
        leaving.post("/api/v1/sign-out", &api::Nothing {}, move |answer: Result<IgnoredAny, _>| {
            if let Err(error) = answer {
                leptos::logging::warn!("not signed out: {error}");
            }
            signed.set(Session::SignedOut);
        });
    };
    view! {
        <main class="plain">
            <h1>{says!(speaks, common.product)}</h1>
            <p class="dim">{anew(name)}</p>
            <p><Powers/></p>
            <nav class="ways">
                <a class="button" href=route::wall("", route::MAIN_WALL, "")>{says!(speaks, common.to_wall)}</a>
                <a class="button" href=route::desk("", None, "")>{says!(speaks, common.to_desk)}</a>
                <Show when=answers>
                    <a class="button" href=route::department("", None)>{says!(speaks, common.to_department)}</a>
                </Show>
                <a class="button" href=Route::Replay { world: None, past: Past::default() }.to_string()>{says!(speaks, replay.title)}</a>
                <a class="button" href=route::drill("")>{says!(speaks, drill.drills)}</a>
                {shown(pairs, move || view! {
                    <a class="button" href=Route::Kiosks.to_string()>{says!(speaks, pair.kiosks)}</a>
        })}
            </nav>
            <p class="ways">
                <Switches speaks/>
                <button type="button" class="button quiet" disabled=move || leaving.is_busy() on:click=sign_out>
                    {says!(speaks, common.sign_out)}
                </button>
            </p>
        </main>
    }
}

/// Language and theme. The language switch is written in the language it leads to.
#[component]
pub fn Switches(speaks: Speaks) -> impl IntoView {
    let theme = use_theme();
    let other = move || match speaks.get() {
        Language::Zh => Language::En,
        Language::En => Language::Zh,
    };
    view! {
        <button type="button" class="button quiet" data-switch="language" on:click=move |_| speaks.set(untrack(other))
            lang=move || crate::language::tag(other())>
            {says!(speaks, common.other_language)}
        </button>
        <button type="button" class="button quiet" data-switch="theme" on:click=move |_| theme.update(|theme| *theme = theme.other())>
            {says!(speaks, common.theme)}
        </button>
    }
}

#[component]
pub fn NotFound() -> impl IntoView {
    let speaks = use_language();
    view! {
        <main class="plain">
            <h1>{says!(speaks, common.not_found)}</h1>
            <p class="ways"><a class="button" href=route::HOME rel="external">{says!(speaks, common.home)}</a></p>
        </main>
    }
}
