//! 数据范围: a screen whose reader sees a part of the city says which: its numbers are that part's, and no one else's.
//!
//! What should not be here: what a scope lets through (`domain::scope`), what is followed with it (`live`).

use domain::scope::Scope;
use leptos::prelude::*;

use crate::language::use_language;
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::session::{Session, use_session};
use crate::words::say;

/// Nothing, where everything is seen.
#[component]
pub fn Seen() -> impl IntoView {
    let (speaks, names, signed) = (use_language(), use_names(), use_session());
    let part = memo(move || match signed.get() {
        Session::SignedIn(session) if !session.scope.is_all() => Some(session.scope),
        Session::SignedIn(_) | Session::SignedOut | Session::Asking => None,
    });
    let called = move |scope: &Scope| {
        let language = speaks.get();
        names.with(|names| {
            let area = |code: &_| names.area(language, code);
            scope.words(language, area, |code| names.department(language, code))
        })
    };
    move || {
        part.get().map(|scope| {
            let words = move || say!(speaks.get(), common.seen, part = called(&scope));
            let title = words.clone();
            view! { <span class="seen" title=title>{anew(words)}</span> }
        })
    }
}
