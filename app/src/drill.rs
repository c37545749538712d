//! Drills (演练) for who directs them: the list with what prepares one (`/drill`), and the director's page of one (`/drill` of
//! its world).
//!
//! What should not be here: what a drill is (`domain::drill`); its wall and desk, which are those of the hall.

mod direct;
mod happens;
mod list;

use domain::drill::DrillStage;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::words::{Language, say};

/// The drills there are, and what prepares one.
pub fn drills() -> AnyView {
    list::Drills().into_any()
}

/// The page of who directs the drill of this world.
pub fn direct() -> AnyView {
    direct::Direct().into_any()
}

fn stage_words(language: Language, stage: DrillStage) -> String {
    match stage {
        DrillStage::Prepared => say!(language, drill.prepared),
        DrillStage::Running => say!(language, drill.running),
        DrillStage::Paused => say!(language, drill.paused),
        DrillStage::Stopped => say!(language, drill.stopped),
    }
}

fn error_words(language: Language, error: &ApiError) -> String {
    match error {
        ApiError::Refused { .. } => error.words(language),
        ApiError::Unreachable | ApiError::Unreadable(_) => say!(language, drill.unreachable),
    }
}
