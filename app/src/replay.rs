//! The page of replays (复盘): `/replay` chooses a part of the past, `/replay/{id}` drives the one that is open, while wall and
//! desk show it in windows of their own.
//!
//! What should not be here: what is shown of the past (walls and desks are the same as ever), who may open one (the server).

mod choose;
mod drive;
mod interval;
mod sending;

use domain::answer::worlds::PolicyChange;
use domain::moment::UtcMillis;
use domain::route::Past;
use domain::world::WorldId;
use leptos::prelude::*;

use crate::api::ApiError;
use crate::words::{Language, say};

/// `past`: what the address names; none where it cannot be read.
pub fn choose(past: Option<Past>) -> AnyView {
    choose::Choose(choose::ChooseProps { past }).into_any()
}

pub fn drive(replay: WorldId, past: Past) -> AnyView {
    drive::Drive(drive::DriveProps { replay, past }).into_any()
}

/// Where the browser keeps what its answer said of a replay's stretch, until its window is closed.
fn key(replay: &WorldId) -> String {
    format!("gridhall.{replay}")
}

fn kept() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}

/// When other policies came into force in a replay's stretch: the server says it where one is opened.
fn keep_changes(replay: &WorldId, changes: &[PolicyChange]) {
    let text = changes.iter().map(|change| change.at.0.to_string()).collect::<Vec<_>>().join(" ");
    if let Some(kept) = kept() {
        // Without it the page that drives does not say that limits changed in between.
        let _ = kept.set_item(&key(replay), &text);
    }
}

fn kept_changes(replay: &WorldId) -> Vec<UtcMillis> {
    let text = kept().and_then(|kept| kept.get_item(&key(replay)).ok().flatten()).unwrap_or_default();
    text.split(' ').filter_map(|at| at.parse().ok().map(UtcMillis)).collect()
}

/// Why it was not done, in words.
fn problem_words(language: Language, error: &ApiError) -> String {
    match error {
        ApiError::Refused { code, words, status } => match code.as_str() {
            "before_log" => say!(language, replay.before_log),
            "after_now" => say!(language, replay.after_now),
            "wrong_order" => say!(language, replay.wrong_order),
            "too_long" => say!(language, replay.too_long),
            "too_many_worlds" => say!(language, replay.too_many),
            "world_gone" => say!(language, replay.gone),
            _ if *status == 403 => say!(language, replay.not_allowed),
            _ => say!(language, replay.failed, words = ApiError::refusal(*status, words, language)),
        },
        ApiError::Unreachable | ApiError::Unreadable(_) => say!(language, common.unreachable),
    }
}
