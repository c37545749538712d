//! What this screen shows of the hall: the held state behind signals that repaint calmly.
//!
//! Digits change at most every two seconds (a reader needs that long); the first change after a quiet time is shown at
//! once. Connection marks do not come through here: they are never delayed.

mod held;

use std::collections::BTreeMap;

use domain::code::CaseId;
use domain::moment::Date;
use domain::tally::{Dimension, Measure, Period};
use domain::wire::{CaseLine, Payload, Topic};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use crate::hall::monotonic_ms;
pub use held::{CASES_MAX, Held};

/// Digits a person is reading stand still for this long.
const REPAINT_MS: f64 = 2_000.0;

/// A part of the state that repaints by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Tally,
    Overdue,
    Whistles,
    Events,
    Cases,
}

impl Part {
    const ALL: [Self; 5] = [Self::Tally, Self::Overdue, Self::Whistles, Self::Events, Self::Cases];
}

/// The state of the hall on this screen.
#[derive(Clone, Copy)]
pub struct Board {
    held: StoredValue<Held>,
    painted: StoredValue<BTreeMap<Part, f64>>,
    pending: StoredValue<BTreeMap<Part, bool>>,
    shown: [RwSignal<u32>; 5],
    /// When the newest message of each part arrived, on the monotonic clock.
    heard: StoredValue<BTreeMap<Part, f64>>,
}

impl Board {
    pub fn new() -> Self {
        Self {
            held: StoredValue::new(Held::default()),
            painted: StoredValue::new(BTreeMap::new()),
            pending: StoredValue::new(BTreeMap::new()),
            shown: Part::ALL.map(|_| RwSignal::new(0)),
            heard: StoredValue::new(BTreeMap::new()),
        }
    }

    /// Tracked: `read` runs again when the part is repainted.
    pub fn with<T>(self, part: Part, read: impl FnOnce(&Held) -> T) -> T {
        self.shown[part as usize].track();
        self.held.with_value(read)
    }

    /// Not tracked.
    pub fn peek<T>(self, read: impl FnOnce(&Held) -> T) -> T {
        self.held.with_value(read)
    }

    /// Tracked: a count of the whole city or one area.
    pub fn count(self, measure: Measure, dimension: &Dimension, period: Period) -> i64 {
        self.with(Part::Tally, |held| held.tally.count(measure, dimension.clone(), period))
    }

    /// Tracked: a city-wide state.
    pub fn now(self, measure: Measure) -> i64 {
        self.count(measure, &Dimension::City, Period::Now)
    }

    /// Tracked: a city-wide flow of one day.
    pub fn day(self, measure: Measure, date: Date) -> i64 {
        self.count(measure, &Dimension::City, Period::Day(date))
    }

    /// Whether anything of the part has arrived yet.
    pub fn knows(self, part: Part) -> bool {
        self.shown[part as usize].track();
        self.heard.with_value(|heard| heard.contains_key(&part))
    }

    /// A case, tracked by the repaint of cases.
    pub fn case(self, id: CaseId) -> Option<CaseLine> {
        self.with(Part::Cases, |held| held.cases.get(&id).cloned())
    }

    pub fn apply(self, payload: Payload) {
        let parts: &[Part] = match &payload {
            Payload::Tally(_) => &[Part::Tally],
            Payload::Overdue(_) => &[Part::Overdue],
            Payload::Whistle(_) => &[Part::Whistles],
            Payload::Case(_) => &[Part::Events, Part::Cases],
            Payload::Positions(_) => &[],
        };
        self.held.update_value(|held| held.apply(payload));
        parts.iter().for_each(|part| self.repaint(*part));
    }

    pub fn replace(self, topic: &Topic, payload: Payload) {
        self.held.update_value(|held| held.clear(topic));
        self.apply(payload);
    }

    pub fn add_cases(self, lines: Vec<CaseLine>, whole: bool) {
        self.held.update_value(|held| {
            held.add_cases(lines);
            held.cases_whole = whole;
        });
        self.repaint(Part::Cases);
    }

    /// Forgets the open cases: those of another store, or those closed while nobody listened.
    pub fn forget_cases(self) {
        self.held.update_value(|held| {
            held.cases.clear();
            held.cases_whole = false;
        });
    }

    pub fn hash(self, topic: &Topic) -> Option<u64> {
        self.held.with_value(|held| held.hash(topic))
    }

    fn repaint(self, part: Part) {
        let now = monotonic_ms();
        self.heard.update_value(|heard| {
            heard.insert(part, now);
        });
        let painted = self.painted.with_value(|painted| painted.get(&part).copied());
        let wait = painted.map_or(0.0, |painted| REPAINT_MS - (now - painted));
        if wait <= 0.0 {
            return self.paint(part);
        }
        let waits = self.pending.try_update_value(|pending| pending.insert(part, true) == Some(true));
        if waits == Some(false) {
            Timeout::new(wait as u32, move || self.paint(part)).forget();
        }
    }

    fn paint(self, part: Part) {
        self.pending.try_update_value(|pending| pending.remove(&part));
        self.painted.try_update_value(|painted| painted.insert(part, monotonic_ms()));
        // The page may have been left while the repaint waited.
        let _ = self.shown[part as usize].try_update(|count| *count = count.wrapping_add(1));
    }
}

pub fn use_board() -> Board {
    expect_context::<Board>()
}
