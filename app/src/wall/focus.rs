//! What the wall looks at: the case that most needs the room's eyes, or the one its address names, with its words, its
//! cameras and the inspectors nearest to it.
//!
//! The feed brings every open case without its words; those of the one in focus are asked for, each time it changes.

use domain::answer::CaseAnswer;
use domain::code::CaseId;
use domain::wire::CaseLine;
use leptos::prelude::*;

use crate::ask::Asker;
use crate::board::{Board, Part};
use crate::once::{effect, memo};
use crate::people;
use crate::tile;

/// Inspectors named beside the incident.
const NEAR_MAX: usize = 3;
const NEAR_M: f64 = 5_000.0;

/// Which case the wall follows: by urgency, or the one that somebody has pinned (钉住), which the address names (`?focus=`), so
/// that a reload keeps it.
#[derive(Clone, Copy)]
pub struct Focus {
    pub case: Memo<Option<CaseId>>,
    pinned: RwSignal<Option<CaseId>>,
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
    let pinned = RwSignal::new(crate::page::query("focus").and_then(|id| id.parse().ok()).map(CaseId));
    let case = Memo::new(move |before: Option<&Option<CaseId>>| match pinned.get() {
        Some(pinned) => Some(pinned),
        None => board.with(Part::Cases, |held| domain::feed::focus(held, before.copied().flatten())),
    });
    let spot = memo(move || board.case(case.get()?)?.place);
    let file = RwSignal::new(None::<CaseAnswer>);
    let line = memo(move || {
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
        pinned,
        line,
        file,
        linked: tile::linked::follow(spot),
        people: people::follow_near(spot, NEAR_M, NEAR_MAX),
        pictures: RwSignal::new(["idle"; 3]),
    });
}

impl Focus {
    /// Tracked.
    pub fn is_pinned(self) -> bool {
        self.pinned.with(Option::is_some)
    }

    /// Holds the wall at the case it shows, or lets it follow by itself again.
    pub fn turn(self) {
        let pin = match self.pinned.get_untracked() {
            Some(_) => None,
            None => self.case.get_untracked(),
        };
        self.pinned.set(pin);
        let here = window().location().pathname().unwrap_or_default();
        let address = pin.map_or_else(|| here.clone(), |case| format!("{here}?focus={case}"));
        if let Ok(history) = window().history() {
            // A browser that refuses keeps the old address, and a reload would follow by itself: no harm.
            let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::UNDEFINED, "", Some(&address));
        }
    }
}

fn follow_file(board: Board, case: Memo<Option<CaseId>>, file: RwSignal<Option<CaseAnswer>>) {
    // At which version, too: words change with it.
    let wanted = memo(move || {
        let open = board.case(case.get()?)?;
        Some((open.id, open.version))
    });
    let asker = Asker::new();
    effect(move || match wanted.get() {
        Some((id, _)) => {
            asker.ask(format!("/api/v1/cases/{id}?limit=1"), move |answer| match answer {
                Ok(answer) => file.set(Some(answer)),
                Err(error) => leptos::logging::warn!("case {id} not loaded: {error}"),
            });
        }
        None => asker.forget(),
    });
}
