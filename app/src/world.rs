//! The world this page is of (实况, 演示, 复盘, 演练), as its shell says; the addresses below it, and the mark that no screen
//! of a world that is not live is without.
//!
//! What should not be here: what time it is in it (`hall`), how the mark looks (`style/world.css`).

use domain::code::CaseId;
use domain::route::{self, Past, Route};
use domain::world::{WorldId, WorldKind};
use leptos::prelude::*;

use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::{Health, Link};
use crate::names::use_names;
use crate::once::{anew, memo};
use crate::text;
use crate::words::{Language, say, says};

/// What the shell of this page says of something; empty where it does not.
pub fn told(name: &str) -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute(name)).unwrap_or_default()
}

pub fn kind() -> WorldKind {
    WorldKind::of_key(&told("data-world")).unwrap_or(WorldKind::Live)
}

/// From now on this page is of a world beside the hall: what it asks and hears is of that one. Before anything is asked.
pub fn enter(kind: WorldKind, id: &WorldId) {
    if let Some(root) = document().document_element() {
        for (name, value) in [("data-world", kind.key()), ("data-base", &id.base())] {
            // A page that cannot be marked asks the hall itself, which drives no time: it says that it cannot.
            let _ = root.set_attribute(name, value);
        }
    }
}

/// An address of this world's API or feed.
pub fn below(path: &str) -> String {
    base() + path
}

/// What addresses of this world begin with.
pub fn base() -> String {
    told("data-base")
}

/// A case at the desk.
pub fn case(case: CaseId) -> String {
    route::desk(&base(), Some(case), "")
}

/// The desk's list with these filters.
pub fn list(filters: &str) -> String {
    route::desk(&base(), None, filters)
}

fn kind_words(language: Language, kind: WorldKind) -> &'static str {
    match (kind, language) {
        (WorldKind::Live, _) => "",
        (WorldKind::Demonstration, Language::Zh) => "演示",
        (WorldKind::Demonstration, Language::En) => "Demonstration",
        (WorldKind::Replay, Language::Zh) => "复盘",
        (WorldKind::Replay, Language::En) => "Replay",
        (WorldKind::Drill, Language::Zh) => "演练",
        (WorldKind::Drill, Language::En) => "Drill",
    }
}

/// On every screen of a world that is not live: which it is, and the time for which all of it holds.
#[component]
pub fn Band() -> impl IntoView {
    let kind = kind();
    (kind != WorldKind::Live).then(|| {
        let (speaks, names, hall) = (use_language(), use_names(), use_hall());
        let health = expect_context::<Health>();
        let word = move || kind_words(speaks.get(), kind);
        let said = move || {
            let (language, now) = (speaks.get(), hall.now());
            let offset = names.with(|names| names.policy.utc_offset_minutes);
            // Before the world has said its time, the machine's own would stand there.
            let time = match health.link.get() {
                Link::Connecting | Link::Absent(_) => "–".to_owned(),
                Link::Live | Link::Lost { .. } | Link::Gone { .. } | Link::SignedOut => {
                    text::clock(now, offset)
                }
            };
            let date = text::short_date(language, now.local(offset).date);
            [word(), &told("data-title"), &say!(language, common.as_of), &date, &time].join(" ")
        };
        view! { <aside class="world-band" aria-label=word data-word=word><b>{anew(said)}</b></aside> }
    })
}

/// That the world of this page was closed.
pub fn gone_words(language: Language) -> String {
    match kind() {
        WorldKind::Drill => say!(language, common.drill_gone),
        WorldKind::Live | WorldKind::Demonstration | WorldKind::Replay => say!(language, replay.gone),
    }
}

/// Over a screen whose world was closed: that it was, and where another is chosen.
#[component]
pub fn Gone() -> impl IntoView {
    let (speaks, health) = (use_language(), expect_context::<Health>());
    let is_gone = memo(move || matches!(health.link.get(), Link::Gone { .. }));
    let another = match kind() {
        WorldKind::Drill => route::drill(""),
        WorldKind::Live | WorldKind::Demonstration | WorldKind::Replay => {
            Route::Replay { world: None, past: Past::default() }.to_string()
        }
    };
    let choose = move || match kind() {
        WorldKind::Drill => say!(speaks.get(), common.other_drill),
        WorldKind::Live | WorldKind::Demonstration | WorldKind::Replay => {
            say!(speaks.get(), common.other_replay)
        }
    };
    let words = move || {
        view! { <div class="world-gone" role="alert"><b>{anew(move || gone_words(speaks.get()))}</b><span>{says!(speaks, common.gone_stands)}</span><a class="button strong" href=another.clone()>{anew(choose)}</a></div> }
    };
    move || is_gone.get().then(&words)
}
