//! The sign-in page. Comes back to the page that asked for it.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use serde::Serialize;

use super::home::Switches;
use crate::api::{self, ApiError};
use crate::language::use_language;
use crate::words::{Language, say};

#[derive(Serialize)]
struct Credentials {
    name: String,
    password: String,
}

#[component]
pub fn SignIn() -> impl IntoView {
    let speaks = use_language();
    let (name, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let busy = RwSignal::new(false);
    let failed = RwSignal::new(None::<ApiError>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(name), Some(password)) = (name.get(), password.get()) else { return };
        let credentials = Credentials { name: name.value(), password: password.value() };
        busy.set(true);
        failed.set(None);
        wasm_bindgen_futures::spawn_local(async move {
            match api::post_only("/api/v1/sign-in", &credentials, None).await {
                Ok(()) => leave(),
                Err(error) => {
                    failed.set(Some(error));
                    busy.set(false);
                }
            }
        });
    };
    // The server sends a one-time link that is no longer good here.
    let spent = super::query("link").as_deref() == Some("spent");
    let notice = move || {
        let fresh = failed.with(Option::is_none) && !busy.get();
        (spent && fresh).then(|| say!(speaks.get(), common.link_spent))
    };
    let problem = move || failed.get().map(|error| problem_words(speaks.get(), &error));
    view! {
        <main class="plain">
            <h1>{move || say!(speaks.get(), common.product)}</h1>
            <form class="sign-in" on:submit=submit>
                <label>
                    {move || say!(speaks.get(), common.account)}
                    <input type="text" name="name" autocomplete="username" required maxlength="64" autofocus node_ref=name/>
                </label>
                <label>
                    {move || say!(speaks.get(), common.password)}
                    <input type="password" name="password" autocomplete="current-password" required maxlength="256" node_ref=password/>
                </label>
                <p class="problem" role="alert">{problem}{notice}</p>
                <button type="submit" class="button strong" disabled=move || busy.get()>
                    {move || if busy.get() { say!(speaks.get(), common.signing_in) } else { say!(speaks.get(), common.sign_in) }}
                </button>
            </form>
            <p class="ways"><Switches speaks/></p>
        </main>
    }
}

fn problem_words(language: Language, error: &ApiError) -> String {
    match error {
        ApiError::Refused { status: 401 | 403, words, .. } if words.is_empty() => {
            say!(language, common.sign_in_wrong)
        }
        ApiError::Refused { status: 401, .. } => say!(language, common.sign_in_wrong),
        ApiError::Refused { words, .. } => say!(language, common.refused, words = words.clone()),
        ApiError::Unreachable | ApiError::Unreadable(_) => say!(language, common.unreachable),
    }
}

/// Back to the page that asked, which must be one of ours: only a path is accepted.
fn leave() {
    let then = super::query("then").filter(|then| then.starts_with('/') && !then.starts_with("//"));
    let _ = window().location().assign(then.as_deref().unwrap_or("/"));
}
