//! Which ground the server has for maps: asked once for a page, again while there is no answer.

use domain::answer::MapAnswer;
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::api;

/// Between two questions while the server does not answer.
const AGAIN_AFTER_MS: u32 = 3_000;

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

    fn load(self) {
        spawn_local(async move {
            // The page may be left while the question is under way: then there is nobody to tell.
            while self.0.try_with_untracked(Option::is_none) == Some(true) {
                match api::get_json::<MapAnswer>("/api/v1/map").await {
                    Ok(answer) => drop(self.0.try_set(Some(answer))),
                    Err(error) => {
                        leptos::logging::warn!("settings of the map not loaded: {error}");
                        if error.is_signed_out() {
                            return;
                        }
                        TimeoutFuture::new(AGAIN_AFTER_MS).await;
                    }
                }
            }
        });
    }
}

/// One for the page it is called in; asks at once.
pub fn provide() {
    let ground = Ground(RwSignal::new(None));
    ground.load();
    provide_context(ground);
}

pub fn use_ground() -> Ground {
    expect_context::<Ground>()
}
