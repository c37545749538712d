//! What is seen: the screens of the hall, rendered in the browser alone.
//!
//! What should be here: pages, tiles, the live connection, words. What should not: rules about cases (they are in
//! `domain`) and anything the server decides.
//!
//! Three programmes are made of it (`bin/`), so that no screen loads another's: walls, the desk, and the door with the
//! ways in. Going from one to another is an ordinary page load.
//!
//! Modules in reading order: from the outside world inwards to what is painted.

mod api;
mod words;
mod language;
mod theme;
mod hall;
mod session;
mod order;
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
mod powers;
mod seen;
mod kiosk;
mod page;

use leptos::prelude::*;

/// Starts the programme of a wall. It has one page: leaving it loads another programme.
pub fn wall() {
    start(|| wall::Wall().into_any());
}

/// Starts the programme of the dispatcher's desk.
pub fn desk() {
    start(|| desk::DeskPage().into_any());
}

/// Starts the programme of the ways in.
pub fn door() {
    start(page::door);
}

/// Mounts what every programme has around its page; the page's shell has been painted by then.
fn start(page: fn() -> AnyView) {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(move || {
        language::provide();
        theme::provide();
        hall::provide();
        session::provide();
        figure::provide();
        view! {
            <mark::Symbols/>
            {page()}
            <definition_card::DefinitionCard/>
        }
    });
}
