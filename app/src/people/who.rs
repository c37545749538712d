//! Who the numbers in position frames are: the inspectors' codes, which the feed brings with the numbers.

use leptos::prelude::*;

use crate::board::{Board, Part};

/// Codes by number. A number holds for as long as an inspector is on the screens.
#[derive(Clone, Copy)]
pub struct Who(Board);

impl Who {
    /// One for the page it is called in.
    pub fn provide(board: Board) {
        provide_context(Self(board));
    }

    /// Tracked. What the inspector is called: the name where the hall knows one, else the code; none before the feed has
    /// said it.
    pub fn code(self, index: u32) -> Option<String> {
        self.0.with(Part::Who, |held| {
            let who = held.who.get(u64::from(index))?;
            Some(who.name.clone().unwrap_or_else(|| who.code.to_string()))
        })
    }
}

pub fn use_who() -> Who {
    expect_context::<Who>()
}
