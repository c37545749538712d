//! The page of replays (复盘): `/replay` chooses a part of the past, `/replay/{id}` drives the one that is open, while wall and
//! desk show it in windows of their own.
//!
//! What should not be here: what is shown of the past (walls and desks are the same as ever), who may open one (the server).

mod choose;
mod density;
mod drive;
mod interval;
mod sending;

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
