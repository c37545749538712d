//! The sign-in page. Comes back to the page that asked for it.

use domain::answer::SessionAnswer;
use domain::route::{self, Route};
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use serde::Serialize;

use super::home::Switches;
use crate::api::ApiError;
use crate::language::use_language;
use crate::once::anew;
use crate::submit::Submit;
use crate::words::{Language, say, says};

#[derive(Serialize)]
struct Credentials {
    name: String,
    password: String,
}

#[component]
pub fn SignIn() -> impl IntoView {
    let speaks = use_language();
    let (name, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let sent = Submit::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(name), Some(password)) = (name.get(), password.get()) else { return };
        let credentials = Credentials { name: name.value(), password: password.value() };
        sent.post("/api/v1/sign-in", &credentials, |answer: Result<Option<SessionAnswer>, _>| {
            if let Ok(session) = answer {
                leave(session.as_ref());
            }
        });
    };
    // The server sends a one-time link that is no longer good here.
    let spent = super::query("link").as_deref() == Some("spent");
    let notice = move || {
        let fresh = sent.problem().is_none() && !sent.is_busy();
        (spent && fresh).then(|| say!(speaks.get(), common.link_spent))
    };
    let problem = move || sent.problem().map(|error| problem_words(speaks.get(), &error));
    view! {
        <main class="plain">
            <h1>{says!(speaks, common.product)}</h1>
            <form class="sign-in" on:submit=submit>
                <label>
                    {says!(speaks, common.account)}
                    <input type="text" name="name" autocomplete="username" required maxlength="64" autofocus node_ref=name/>
                </label>
                <label>
                    {says!(speaks, common.password)}
                    <input type="password" name="password" autocomplete="current-password" required maxlength="256" node_ref=password/>
                </label>
                <p class="problem" role="alert">{anew(problem)}{notice}</p>
                <button type="submit" class="button strong" disabled=move || sent.is_busy()>
                    {anew(move || if sent.is_busy() { say!(speaks.get(), common.signing_in) } else { say!(speaks.get(), common.sign_in) })}
                </button>
            </form>
            <p class="ways"><Switches speaks/></p>
        </main>
    }
}

fn problem_words(language: Language, error: &ApiError) -> String {
    match error {
        ApiError::Refused { status: 401, .. } => say!(language, common.sign_in_wrong),
        ApiError::Refused { status: 403, words, .. } if words.zh.is_empty() => {
            say!(language, common.sign_in_wrong)
        }
        ApiError::Refused { .. } => say!(language, common.refused, words = error.words(language)),
        ApiError::Unreachable | ApiError::Unreadable(_) => say!(language, common.unreachable),
    }
}

/// Back to the page that asked, which must be one of ours and not this one again; else to where the account begins.
fn leave(session: Option<&SessionAnswer>) {
    // The start page is what one comes to who has asked for nothing.
    let then = super::query("then").filter(|then| is_own_page(then) && then != route::HOME);
    let first = || route::first(session.map_or(&[], |session| &session.roles)).to_string();
    let _ = window().location().assign(&then.unwrap_or_else(first));
}

fn is_own_page(then: &str) -> bool {
    matches!(Route::parse(then), Some((_, route)) if !matches!(route, Route::SignIn { .. }))
}

#[cfg(test)]
mod tests {
    use super::is_own_page;

    #[test]
    fn who_has_signed_in_is_sent_to_a_page_of_the_hall_and_nowhere_else() {
        for own in [
            "/",
            "/desk?text=%E8%B7%AF",
            "/wall/main",
            "/department/case/7",
            "/pair",
            "/replay?from=1&to=2",
            "/world/drill-0000abcd/desk",
        ] {
            assert!(is_own_page(own), "{own}");
        }
        for foreign in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/api/v1/sign-out",
            "/sign-in?then=/desk",
            "javascript:alert(1)",
        ] {
            assert!(!is_own_page(foreign), "{foreign:?}");
        }
    }
}
