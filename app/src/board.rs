//! What this screen shows of the hall: the held state behind signals that repaint calmly.
//!
//! Digits change at most every two seconds (a reader needs that long); the first change after a quiet time is shown at
//! once. Connection marks do not come through here: they are never delayed.

mod dispatches;
mod words;

use domain::code::{AreaCode, CaseId};
use domain::feed::{Act, Follower, Held};
use domain::moment::{Date, UtcMillis};
use domain::scope::Scope;
use domain::tally::{Dimension, Measure, Period};
use domain::wire::{Kind, OpenCase};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use crate::hall::monotonic_ms;
use dispatches::ByArea;
pub use dispatches::{Dispatches, is_late};
pub use words::{alarm, alarms_since, words_of};

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
    Who,
}

impl Part {
    const ALL: [Self; 6] = [Self::Tally, Self::Overdue, Self::Whistles, Self::Events, Self::Cases, Self::Who];

    fn kind(self) -> Kind {
        match self {
            Self::Tally => Kind::Tally,
            Self::Overdue => Kind::Overdue,
            Self::Whistles => Kind::Whistle,
            Self::Events => Kind::Case,
            Self::Cases => Kind::Open,
            Self::Who => Kind::Who,
        }
    }

    /// The part that shows a topic's rows; none for positions, which are not painted from here.
    fn of(kind: Kind) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.kind() == kind)
    }
}

/// The state of the hall on this screen.
#[derive(Clone, Copy)]
pub struct Board {
    follower: StoredValue<Follower>,
    shown: [RwSignal<u32>; 6],
    /// Parts that have changed since they were painted.
    dirty: StoredValue<[bool; 6]>,
    painted: StoredValue<f64>,
    waits: StoredValue<bool>,
    /// The counts of dispatches that were asked for last, at which repaint and for which time.
    counted: StoredValue<Option<((u32, UtcMillis), ByArea)>>,
}

impl Board {
    pub fn new() -> Self {
        Self {
            follower: StoredValue::new(Follower::new(crate::live::TOPICS, &crate::page::build())),
            shown: Part::ALL.map(|_| RwSignal::new(0)),
            dirty: StoredValue::new([false; 6]),
            painted: StoredValue::new(f64::NEG_INFINITY),
            waits: StoredValue::new(false),
            counted: StoredValue::new(None),
        }
    }

    /// Follows what somebody sees who sees this much; before the connection.
    pub fn follow(self, scope: &Scope) -> Vec<Act> {
        self.tell(|follower| follower.follow(scope))
    }

    /// Tracked: `read` runs again when the part is repainted.
    pub fn with<T>(self, part: Part, read: impl FnOnce(&Held) -> T) -> T {
        self.shown[part as usize].track();
        self.follower.with_value(|follower| read(follower.held()))
    }

    /// Not tracked.
    pub fn peek<T>(self, read: impl FnOnce(&Held) -> T) -> T {
        self.follower.with_value(|follower| read(follower.held()))
    }

    /// Tracked: a count of everything that is seen here, as `City`, or of one area.
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
        self.follower.with_value(|follower| follower.knows(part.kind()))
    }

    /// Tracked: a count that rests on a part, as a screen says it: not known until anything of the part has arrived, never zero.
    // Out of line: every number on a screen comes through here.
    #[inline(never)]
    pub fn said(self, part: Part, count: i64) -> String {
        if self.knows(part) { crate::text::grouped(count) } else { "–".to_owned() }
    }

    /// Tracked by the repaint of the overdue board and by the time given: dispatches of the city or one area. Every tile asks
    /// for the same second: the rows are gone through once for all of them.
    pub fn dispatches(self, area: Option<&AreaCode>, now: UtcMillis) -> Dispatches {
        let asked = (self.shown[Part::Overdue as usize].get(), now);
        let known = self.counted.with_value(|counted| match counted {
            Some((of, counts)) if *of == asked => Some(counts.within(area)),
            Some(_) | None => None,
        });
        known.unwrap_or_else(|| {
            let counts = self.peek(|held| ByArea::of(held.overdue.iter(), now));
            let of_area = counts.within(area);
            self.counted.set_value(Some((asked, counts)));
            of_area
        })
    }

    /// An open case, tracked by the repaint of cases.
    pub fn case(self, id: CaseId) -> Option<OpenCase> {
        self.with(Part::Cases, |held| held.open.get(id.0).cloned())
    }

    /// What the feed says of itself.
    pub fn follows<T>(self, read: impl FnOnce(&Follower) -> T) -> T {
        self.follower.with_value(read)
    }

    /// Tells the follower what happens on the connection; gives what it asks for then.
    pub fn tell(self, input: impl FnOnce(&mut Follower)) -> Vec<Act> {
        let acts = self.follower.try_update_value(|follower| {
            input(follower);
            std::iter::from_fn(|| follower.next_act()).collect()
        });
        acts.unwrap_or_default()
    }

    /// All parts are painted in one turn, a moment after the first change, when the other frames of the same commit
    /// have come: what belongs together changes together.
    pub fn repaint(self, kind: Kind) {
        let Some(part) = Part::of(kind) else { return };
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
