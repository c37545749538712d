//! What the wall looks at: the case that most needs the room's eyes, or the one its address names, with its words, its
//! cameras and the inspectors nearest to it.
//!
//! The feed brings every open case without its words; those of the one in focus are asked for, each time it changes.

use domain::answer::CaseAnswer;
use domain::code::CaseId;
use domain::wire::CaseLine;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::board::{Board, Part};
use crate::people;
use crate::tile;

/// Inspectors named beside the incident.
const NEAR_MAX: usize = 3;
const NEAR_M: f64 = 5_000.0;
/// A question without an answer is repeated after this, then after twice as long, up to half a minute.
const RETRY_MIN_MS: u32 = 1_000;
const RETRY_MAX_MS: u32 = 30_000;

/// Which case the wall follows: by urgency, or the one the address names (`?focus=`).
#[derive(Clone, Copy)]
pub struct Focus {
    pub case: Memo<Option<CaseId>>,
    pub pinned: bool,
    /// The case as it stands, with its words once they are here.
    pub line: Memo<Option<CaseLine>>,
    /// Its file as last read.
    pub file: RwSignal<Option<CaseAnswer>>,
    /// The cameras that look at it.
    pub linked: RwSignal<tile::linked::Linked>,
    /// The inspectors nearest to it.
    pub people: Memo<Vec<people::Nearby>>,
    /// State word of each tile's picture, by its place.
    pub pictures: RwSignal<[&'static str; 3]>,
}

/// One for the page it is called in.
pub fn provide(board: Board) {
    let pinned = crate::page::query("focus").and_then(|id| id.parse().ok()).map(CaseId);
    let case = Memo::new(move |before: Option<&Option<CaseId>>| match pinned {
        Some(pinned) => Some(pinned),
        None => board.with(Part::Cases, |held| domain::feed::focus(held, before.copied().flatten())),
    });
    let spot = Memo::new(move |_| board.case(case.get()?)?.place);
    let file = RwSignal::new(None::<CaseAnswer>);
    let line = Memo::new(move |_| {
        let open = board.case(case.get()?)?;
        let words = file.with(|file| {
            let case = &file.as_ref().filter(|file| file.case.id == open.id)?.case;
            Some(CaseLine::from(case))
        });
        Some(open.with_words(words.as_ref()))
    });
    follow_file(board, case, file);
    provide_context(Focus {
        case,
        pinned: pinned.is_some(),
        line,
        file,
        linked: tile::linked::follow(spot),
        people: people::follow_near(spot, NEAR_M, NEAR_MAX),
        pictures: RwSignal::new(["idle"; 3]),
    });
}

/// Which case is asked for, and at which version.
type Wanted = Memo<Option<(CaseId, u64)>>;

fn follow_file(board: Board, case: Memo<Option<CaseId>>, file: RwSignal<Option<CaseAnswer>>) {
    let wanted: Wanted = Memo::new(move |_| {
        let open = board.case(case.get()?)?;
        Some((open.id, open.version))
    });
    Effect::new(move |_| {
        if let Some(asked) = wanted.get() {
            spawn_local(ask(wanted, asked, file));
        }
    });
}

/// Asks until there is an answer or something else is wanted.
async fn ask(wanted: Wanted, asked: (CaseId, u64), file: RwSignal<Option<CaseAnswer>>) {
    let mut wait_ms = RETRY_MIN_MS;
    loop {
        let answer = api::get_json::<CaseAnswer>(&format!("/api/v1/cases/{}?limit=1", asked.0)).await;
        if wanted.try_get_untracked() != Some(Some(asked)) {
            return;
        }
        match answer {
            Ok(answer) => return file.set(Some(answer)),
            Err(error) => leptos::logging::warn!("case {} not loaded: {error}", asked.0),
        }
        gloo_timers::future::TimeoutFuture::new(wait_ms).await;
        wait_ms = (wait_ms * 2).min(RETRY_MAX_MS);
        if wanted.try_get_untracked() != Some(Some(asked)) {
            return;
        }
    }
}
