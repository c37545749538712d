//! What every screen of the hall has behind it: who looks, what things are called, one feed, and the way out when the
//! session ends. One builder, so that no screen is without a part of it.
//!
//! What should not be here: what a screen shows, and the pages that follow nothing (the door, lists of replays and drills).

use leptos::prelude::*;
use send_wrapper::SendWrapper;

use crate::board::Board;
use crate::hall::use_hall;
use crate::live::{Health, Link, Live};
use crate::names;
use crate::once::effect;
use crate::session::{require, use_session};
use crate::{kiosk, map, page, people};

/// A screen that follows its world, for the page it is opened in.
pub struct Screen {
    pub board: Board,
    pub health: Health,
    live: Live,
}

impl Screen {
    /// Session, names and feed, each in the page's context.
    pub fn open() -> Self {
        require(use_session());
        let called = names::provide();
        let board = Board::new();
        called.follow(board);
        provide_context(board);
        let live = Live::open(board, use_hall(), move || called.keep_up(board));
        let health = live.health();
        provide_context(health);
        let closing = SendWrapper::new(live.clone());
        on_cleanup(move || closing.close());
        effect(move || {
            if health.link.get() == Link::SignedOut {
                page::go_to_sign_in();
            }
        });
        Self { board, health, live }
    }

    /// With maps and everyone on the streets.
    pub fn with_streets(self) -> Self {
        map::provide();
        people::Who::provide(self.board);
        people::provide(&self.live);
        self
    }

    /// On a wall: nobody sits before it.
    pub fn on_a_wall(self) -> Self {
        kiosk::provide();
        self
    }
}
