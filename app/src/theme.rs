//! Which of the two themes a screen wears: `hall-dark` in the hall, `seat-light` at a bright seat.

use leptos::prelude::*;

use crate::kept;
use crate::once::effect;

const KEY: &str = "gridhall.theme";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    HallDark,
    SeatLight,
}

impl Theme {
    fn key(self) -> &'static str {
        match self {
            Self::HallDark => "hall-dark",
            Self::SeatLight => "seat-light",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::HallDark => Self::SeatLight,
            Self::SeatLight => Self::HallDark,
        }
    }
}

/// The theme of this screen.
pub type Wears = RwSignal<Theme>;

pub fn provide() {
    let first = match crate::page::query("theme").or_else(|| kept::read(KEY)).as_deref() {
        Some("seat-light") => Theme::SeatLight,
        _ => Theme::HallDark,
    };
    let theme = RwSignal::new(first);
    effect(move || {
        let key = theme.get().key();
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-theme", key);
        }
        kept::keep(KEY, Some(key));
    });
    provide_context::<Wears>(theme);
}

pub fn use_theme() -> Wears {
    expect_context::<Wears>()
}
