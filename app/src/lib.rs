//! What is seen: the screens of the hall, rendered in the browser alone.
//!
//! What should be here: pages, tiles, the live connection, words. What should not: rules about cases (they are in
//! `domain`) and anything the server decides.
//!
//! Modules in reading order: from the outside world inwards to what is painted.

mod api;
mod words;
mod language;
mod theme;
mod hall;
mod session;
mod names;
mod board;
mod live;
mod text;
mod mark;
pub mod map;
pub mod player;
mod people;
mod linked;
mod figure;
mod definition_card;
mod tile;
mod wall;
mod desk;
mod kiosk;
mod page;

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts the programme; the page's shell has been painted by then.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(App);
}

/// The whole programme: contexts every page shares, then the pages.
#[component]
fn App() -> impl IntoView {
    language::provide();
    theme::provide();
    hall::provide();
    session::provide();
    figure::provide();
    view! {
        <mark::Symbols/>
        <Router>
            <Routes fallback=page::NotFound>
                <Route path=path!("/") view=page::Home/>
                <Route path=path!("/sign-in") view=page::SignIn/>
                <Route path=path!("/pair") view=page::Pair/>
                <Route path=path!("/kiosks") view=page::Kiosks/>
                <Route path=path!("/wall/:id") view=wall::Wall/>
                <Route path=path!("/desk/*rest") view=desk::DeskPage/>
            </Routes>
        </Router>
        <definition_card::DefinitionCard/>
    }
}
