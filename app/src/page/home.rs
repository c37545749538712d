//! The start page: the ways into the hall.

use leptos::prelude::*;

use crate::api;
use crate::language::{Speaks, use_language};
use crate::powers::Powers;
use crate::session::{Session, require, use_session};
use crate::theme::use_theme;
use crate::words::{Language, say};

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
    view! {
        <main class="plain">
            <h1>{move || say!(speaks.get(), common.product)}</h1>
            <p class="dim">{name}</p>
            <p><Powers/></p>
            <nav class="ways">
                <a class="button" href="/wall/main">{move || say!(speaks.get(), common.to_wall)}</a>
                <a class="button" href="/desk">{move || say!(speaks.get(), common.to_desk)}</a>
                <Show when=pairs>
                    <a class="button" href="/kiosks">{move || say!(speaks.get(), pair.kiosks)}</a>
                </Show>
            </nav>
            <p class="ways">
                <Switches speaks/>
                <button type="button" class="button quiet" on:click=move |_| sign_out()>
                    {move || say!(speaks.get(), common.sign_out)}
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
            {move || say!(speaks.get(), common.other_language)}
        </button>
        <button type="button" class="button quiet" data-switch="theme" on:click=move |_| theme.update(|theme| *theme = theme.other())>
            {move || say!(speaks.get(), common.theme)}
        </button>
    }
}

fn sign_out() {
    let signed = use_session();
    let csrf = match signed.get_untracked() {
        Session::SignedIn(session) => session.csrf,
        Session::Asking | Session::SignedOut => return,
    };
    wasm_bindgen_futures::spawn_local(async move {
        if let Err(error) = api::post_only("/api/v1/sign-out", &api::Nothing {}, Some(&csrf)).await {
            leptos::logging::warn!("not signed out: {error}");
        }
        signed.set(Session::SignedOut);
    });
}

#[component]
pub fn NotFound() -> impl IntoView {
    let speaks = use_language();
    view! {
        <main class="plain">
            <h1>{move || say!(speaks.get(), common.not_found)}</h1>
            <p class="ways"><a class="button" href="/" rel="external">{move || say!(speaks.get(), common.home)}</a></p>
        </main>
    }
}
