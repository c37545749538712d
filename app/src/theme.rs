//! Which of the two themes a screen wears: `hall-dark` in the hall, `seat-light` at a bright seat.

use leptos::prelude::*;

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
    let kept = || window().local_storage().ok().flatten().and_then(|kept| kept.get_item(KEY).ok().flatten());
    let first = match crate::page::query("theme").or_else(kept).as_deref() {
        Some("seat-light") => Theme::SeatLight,
        _ => Theme::HallDark,
    };
    let theme = RwSignal::new(first);
    Effect::new(move |_| {
        let key = theme.get().key();
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-theme", key);
        }
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = storage.set_item(KEY, key);
        }
    });
    provide_context::<Wears>(theme);
}

pub fn use_theme() -> Wears {
    expect_context::<Wears>()
}
