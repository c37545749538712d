//! What a client holds of the hall, and how payloads change it. One topic of a kind: a screen follows the city or a part.

use std::collections::{BTreeSet, VecDeque};

use super::Rows;
use crate::code::AreaCode;
use crate::moment::UtcMillis;
use crate::tally::{Count, Dimension, Tally, TallyKey};
use crate::whistle::Whistle;
use crate::wire::{EventLine, Events, Kind, OpenCase, OverdueRow, Payload, WhoRow, tally_hash};

/// Newest lines of the log that are kept.
pub const EVENTS_KEPT: usize = 2_000;

/// Everything a client knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    /// Of a screen that follows a part, the cells of the city are the sum of the areas it sees whole.
    pub tally: Tally,
    tally_hash: u64,
    /// Those areas; none for a screen that follows the city, whose cells the server counts.
    pub(super) summed: BTreeSet<AreaCode>,
    pub overdue: Rows<OverdueRow>,
    pub open: Rows<OpenCase>,
    pub whistles: Rows<Whistle>,
    pub who: Rows<WhoRow>,
    /// Newest last, without a gap.
    pub events: VecDeque<EventLine>,
}

impl Held {
    /// Adds a delta, or a snapshot after [`Held::clear`]. False when the payload cannot be read: the topic must be taken
    /// anew.
    pub(super) fn put(&mut self, payload: Payload) -> bool {
        match payload {
            Payload::Tally(cells) => cells.into_iter().for_each(|(key, value)| self.set_cell(key, value)),
            Payload::Overdue(rows) => self.overdue.put(rows),
            Payload::Whistle(rows) => self.whistles.put(rows),
            Payload::Who(rows) => self.who.put(rows),
            Payload::Open(rows) => match rows.unpack() {
                Ok(rows) => self.open.put(rows),
                Err(_) => return false,
            },
            Payload::Case(events) => self.add_events(events),
            // They travel packed; in JSON they are the reader's own.
            Payload::Positions(_) => {}
        }
        true
    }

    /// Forgets a topic.
    pub(super) fn clear(&mut self, kind: Kind) {
        match kind {
            Kind::Tally => (self.tally, self.tally_hash) = (Tally::default(), 0),
            Kind::Overdue => self.overdue = Rows::default(),
            Kind::Open => self.open = Rows::default(),
            Kind::Whistle => self.whistles = Rows::default(),
            Kind::Who => self.who = Rows::default(),
            Kind::Case => self.events.clear(),
            Kind::Positions | Kind::Position(_) => {}
        }
    }

    /// State hash of a keyed topic, comparable with the server's.
    #[must_use]
    pub fn hash(&self, kind: Kind) -> Option<u64> {
        match kind {
            Kind::Tally => Some(self.tally_hash),
            Kind::Overdue => Some(self.overdue.hash()),
            Kind::Open => Some(self.open.hash()),
            Kind::Whistle => Some(self.whistles.hash()),
            Kind::Who => Some(self.who.hash()),
            Kind::Case | Kind::Positions | Kind::Position(_) => None,
        }
    }

    /// Since when the lines of the log are here without a gap.
    #[must_use]
    pub fn events_since(&self) -> Option<UtcMillis> {
        self.events.front().map(|event| event.at)
    }

    fn set_cell(&mut self, key: TallyKey, value: Count) {
        let before = self.tally.get(&key);
        self.tally_hash ^= tally_hash(&key, before) ^ tally_hash(&key, value);
        if let Dimension::Area(code) = &key.dimension
            && self.summed.contains(code)
        {
            let whole = TallyKey { dimension: Dimension::City, ..key.clone() };
            let Count { cases, base } = self.tally.get(&whole);
            let (cases, base) = (cases + value.cases - before.cases, base + value.base - before.base);
            self.tally.set(whole, Count { cases, base });
        }
        self.tally.set(key, value);
    }

    fn add_events(&mut self, events: Events) {
        self.events.extend(events.lines);
        let excess = self.events.len().saturating_sub(EVENTS_KEPT);
        self.events.drain(..excess);
    }
}
