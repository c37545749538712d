//! Which ground the server has for maps: asked once for a page, again while there is no answer.

use domain::answer::MapAnswer;
use leptos::prelude::*;

use crate::ask::Asker;

/// The server's answer, once it has come.
#[derive(Clone, Copy)]
pub struct Ground(RwSignal<Option<MapAnswer>>);

impl Ground {
    /// Tracked.
    pub(super) fn with<T>(self, take: impl FnOnce(&MapAnswer) -> T) -> Option<T> {
        self.0.with(|answer| answer.as_ref().map(take))
    }

    /// Tracked. Whether the map is the drawn demo map, 示意图; not said before it is known.
    #[must_use]
    pub fn is_schematic(self) -> bool {
        self.with(|answer| answer.schematic).unwrap_or(false)
    }
}

/// One for the page it is called in; asks at once.
pub fn provide() {
    let ground = Ground(RwSignal::new(None));
    Asker::new().ask("/api/v1/map".to_owned(), move |answer| match answer {
        Ok(answer) => ground.0.set(Some(answer)),
        Err(error) => leptos::logging::warn!("settings of the map not loaded: {error}"),
    });
    provide_context(ground);
}

pub fn use_ground() -> Ground {
    expect_context::<Ground>()
}
