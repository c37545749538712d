//! Loads the open cases once per store; afterwards the feed's events keep them.

use domain::answer::PageAnswer;
use domain::wire::CaseLine;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::board::{Board, CASES_MAX};

/// Largest page the server gives.
const PAGE: usize = 500;

/// Loads what is missing; does nothing when the board already holds every open case.
pub fn load(board: Board) {
    if board.peek(|held| held.cases_whole) {
        return;
    }
    spawn_local(async move {
        let mut after: Option<String> = None;
        for _ in 0..CASES_MAX / PAGE {
            let cursor = after.as_ref().map_or_else(String::new, |after| {
                format!("&cursor={}", String::from(js_sys::encode_uri_component(after)))
            });
            let path = format!("/api/v1/cases?open=true&sort=due&limit={PAGE}{cursor}");
            match api::get_json::<PageAnswer<CaseLine>>(&path).await {
                Ok(page) => {
                    after = page.next;
                    board.add_cases(page.items, after.is_none());
                }
                Err(error) => {
                    leptos::logging::warn!("open cases not loaded: {error}");
                    return;
                }
            }
            if after.is_none() {
                return;
            }
        }
    });
}
