//! What is seen: the screens of the hall, rendered in the browser alone.
//!
//! What should be here: pages, tiles, the live connection, words. What should not: rules about cases (they are in
//! `domain`) and anything the server decides.
//!
//! Five programmes are made of it (`bin/`), so that no screen loads another's: walls, the desk, the seat of a department,
//! the stage of replays and drills, and the door with the ways in. Going from one to another is an ordinary page load.
//!
//! Modules in reading order: from the outside world inwards to what is painted.

mod api;
mod ask;
mod words;
mod kept;
mod language;
mod theme;
mod world;
mod hall;
mod session;
mod submit;
mod once;
mod order;
mod names;
mod board;
mod live;
mod text;
mod mark;
pub mod map;
mod player;
mod breaking;
mod people;
mod linked;
mod figure;
mod definition_card;
mod screen;
mod tile;
mod panel;
mod wall;
mod work;
mod desk;
mod department;
mod replay;
mod drill;
mod stage;
mod powers;
mod seen;
mod kiosk;
mod page;

use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// The browser's own way to say that something failed: the console has it with its stack, and so has the page's
    /// supervisor, which covers the page (`scripts/start.ts`).
    #[wasm_bindgen(js_name = reportError)]
    fn report_error(error: &js_sys::Error);
}

/// Starts the programme of a wall. It has one page: leaving it loads another programme.
pub fn wall() {
    start(|| wall::Wall().into_any());
}

/// Starts the programme of the dispatcher's desk.
pub fn desk() {
    start(|| desk::DeskPage().into_any());
}

/// Starts the programme of an answering department's seat.
pub fn department() {
    start(|| department::DepartmentPage().into_any());
}

/// Starts the programme of replays and drills.
pub fn stage() {
    stage::enter();
    start(stage::page);
}

/// Starts the programme of the ways in.
pub fn door() {
    start(page::door);
}

/// Mounts what every programme has around its page; the page's shell has been painted by then.
fn start(page: fn() -> AnyView) {
    std::panic::set_hook(Box::new(|panic| report_error(&js_sys::Error::new(&panic.to_string()))));
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
