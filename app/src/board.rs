//! What this screen shows of the hall: the held state behind signals that repaint calmly.
//!
//! Digits change at most every two seconds (a reader needs that long); the first change after a quiet time is shown at
//! once. Connection marks do not come through here: they are never delayed.

mod dispatches;
mod held;

use domain::code::{AreaCode, CaseId};
use domain::moment::{Date, UtcMillis};
use domain::tally::{Dimension, Measure, Period};
use domain::wire::{CaseLine, Payload, Topic};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use crate::hall::monotonic_ms;
pub use dispatches::{Dispatches, is_late};
pub use held::{CASES_MAX, Held, alarm};

/// Digits a person is reading stand still for this long.
const REPAINT_MS: f64 = 2_000.0;
/// Frames of one commit follow each other within this.
const SETTLE_MS: f64 = 40.0;

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
    shown: [RwSignal<u32>; 5],
    /// Parts of which anything has arrived.
    heard: StoredValue<[bool; 5]>,
    /// Parts that have changed since they were painted.
    dirty: StoredValue<[bool; 5]>,
    painted: StoredValue<f64>,
    waits: StoredValue<bool>,
}

impl Board {
    pub fn new() -> Self {
        Self {
            held: StoredValue::new(Held::default()),
            shown: Part::ALL.map(|_| RwSignal::new(0)),
            heard: StoredValue::new([false; 5]),
            dirty: StoredValue::new([false; 5]),
            painted: StoredValue::new(f64::NEG_INFINITY),
            waits: StoredValue::new(false),
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
        self.heard.get_value()[part as usize]
    }

    /// Tracked by the repaint of the overdue board and by the time given: dispatches of the city or one area.
    pub fn dispatches(self, area: Option<&AreaCode>, now: UtcMillis) -> Dispatches {
        self.with(Part::Overdue, |held| Dispatches::of(held.overdue.iter(), area, now))
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

    /// All parts are painted in one turn, a moment after the first change, when the other frames of the same commit
    /// have come: what belongs together changes together.
    fn repaint(self, part: Part) {
        self.heard.update_value(|heard| heard[part as usize] = true);
        self.dirty.update_value(|dirty| dirty[part as usize] = true);
        if !self.waits.get_value() {
            self.waits.set_value(true);
            let rest = self.painted.get_value() + REPAINT_MS - monotonic_ms();
            Timeout::new(rest.max(SETTLE_MS) as u32, move || self.paint()).forget();
        }
    }

    fn paint(self) {
        // The page may have been left while the repaint waited.
        let Some(dirty) = self.dirty.try_update_value(std::mem::take) else { return };
        self.waits.set_value(false);
        self.painted.set_value(monotonic_ms());
        for part in Part::ALL.into_iter().filter(|part| dirty[*part as usize]) {
            self.shown[part as usize].update(|count| *count = count.wrapping_add(1));
        }
    }
}

pub fn use_board() -> Board {
    expect_context::<Board>()
}
