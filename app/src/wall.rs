//! The wall `/wall/{id}`: which tile hangs where, on one live connection.
//!
//! The page is laid out at the wall's own size (`style/wall.css`): 24 columns on a wide wall, 12 on one of 16:9, and
//! everything in units of the wall's height, so that 7680 × 2160 is the same picture with twice the pixels.

mod focus;

use leptos::prelude::*;
use send_wrapper::SendWrapper;

use crate::board::Board;
use crate::breaking::Breaking;
use crate::hall::use_hall;
use crate::language::use_language;
use crate::live::{Health, Link, Live};
use crate::names;
use crate::people;
use crate::session::{require, use_session};
use crate::tile;
use crate::words::says;
use crate::world;
pub use focus::Focus;

#[component]
pub fn Wall() -> impl IntoView {
    let signed = use_session();
    require(signed);
    let called = names::provide();
    crate::map::provide();
    let board = Board::new();
    called.follow(board);
    provide_context(board);
    people::Who::provide(board);
    let live = Live::open(board, use_hall(), move || called.keep_up(board));
    let health = live.health();
    provide_context(health);
    people::provide(&live);
    let live = SendWrapper::new(live);
    on_cleanup(move || live.close());
    focus::provide(board);
    leave_when_signed_out(health);
    crate::kiosk::provide();
    follow_height();
    let speaks = use_language();
    view! {
        <world::Band/>
        <Breaking/>
        <world::Gone/>
        <main class="wall" aria-label=says!(speaks, wall.title)>
            <tile::HeadLeft/>
            <tile::HeadRight/>
            <tile::Flow/>
            <tile::Stages/>
            <tile::Units/>
            <tile::Where/>
            <tile::Overdue/>
            <tile::Whistles/>
            <tile::Incident/>
            <tile::Events/>
            <tile::Alarms/>
        </main>
    }
}

fn leave_when_signed_out(health: Health) {
    Effect::new(move |_| {
        if health.link.get() == Link::SignedOut {
            crate::page::go_to_sign_in();
        }
    });
}

/// Lets the style sheet measure in the wall's height while this page is shown.
fn follow_height() {
    if let Some(root) = document().document_element() {
        let _ = root.class_list().add_1("on-wall");
        on_cleanup(|| {
            if let Some(root) = document().document_element() {
                let _ = root.class_list().remove_1("on-wall");
            }
        });
    }
}
