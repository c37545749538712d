//! The wall `/wall/{id}`: the panels of its scene, each in its cell, on one live connection.
//!
//! Everything is in units of the wall's height (`style/wall.css`), so that 7680 × 2160 is the same picture with twice the
//! pixels. What should not be here: which panels hang where (`shown`), and what a panel is (`panel`).

mod focus;
mod shown;

use domain::catalogue::Name;
use domain::scene::Missing;
use leptos::prelude::*;

use crate::breaking::Breaking;
use crate::kiosk;
use crate::language::{pick, use_language};
use crate::once::{CollectRows, anew, effect, shown_or};
use crate::panel;
use crate::screen::Screen;
use crate::words::{say, says};
use crate::world;
pub use focus::Focus;
pub use shown::Shown;

#[component]
pub fn Wall() -> impl IntoView {
    let screen = Screen::open().with_streets().on_a_wall();
    focus::provide(screen.board);
    let shown = shown::provide(screen.health);
    follow_height(shown);
    view! {
        <world::Band/>
        <Breaking/>
        <world::Gone/>
        {shown_or(move || shown.missing().is_none(), move || view! {
            <Hung shown/>
        }, move || view! { <Nothing shown/> })}
    }
}

/// A panel stays the same while its place changes with the window or the scene.
#[component]
fn Hung(shown: Shown) -> impl IntoView {
    let speaks = use_language();
    view! {
        <main class="wall" aria-label=says!(speaks, wall.title)>
            <For each=move || shown.panels() key=|panel| *panel let:panel>
                <div class="cell" style=move || shown.place(panel)>{panel::view(panel)}</div>
            </For>
        </main>
    }
}

/// The address leads to no wall, or asks for no scene: said, with the walls there are where somebody can go to one.
#[component]
fn Nothing(shown: Shown) -> impl IntoView {
    let speaks = use_language();
    let words = move || match shown.missing() {
        Some(Missing::Wall) => say!(speaks.get(), wall.no_wall),
        Some(Missing::Scene) => say!(speaks.get(), wall.no_scene),
        None => String::new(),
    };
    let link = move |(address, name): (String, Name)| view! { <a class="button" href=address>{pick(speaks.get(), &name)}</a> };
    let links = move || {
        let walls = shown.walls().into_iter().map(link).collect_rows();
        kiosk::paired_wall().is_none().then(|| {
            view! {
                <p class="dim">{say!(speaks.get(), wall.walls)}</p>
                <nav class="ways">{walls}</nav>
            }
        })
    };
    view! {
        <main class="plain">
            <h1>{anew(words)}</h1>
            {anew(links)}
        </main>
    }
}

/// Lets the style sheet measure in the wall's height while this page is shown; a stack is as high as it is.
fn follow_height(shown: Shown) {
    let set = |class: &str, on: bool| {
        if let Some(root) = document().document_element() {
            // Without the class words are of another size.
            let _ = root.class_list().toggle_with_force(class, on);
        }
    };
    effect(move || {
        let hangs = shown.missing().is_none();
        set("on-wall", hangs);
        set("stacked", hangs && shown.is_stacked());
    });
    on_cleanup(move || {
        set("on-wall", false);
        set("stacked", false);
    });
}
