//! What a screen holds of the hall, and how deltas change it. Pure: no browser, no signals.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::case::Priority;
use domain::clock::Phase;
use domain::code::CaseId;
use domain::moment::UtcMillis;
use domain::tally::{Count, Tally, TallyKey};
use domain::whistle::Whistle;
use domain::wire::{CaseLine, EventLine, Keyed, OverdueRow, Payload, Topic, keyed_hash, tally_hash};

/// Latest events kept for the log strip and the room's alarm rate.
const EVENTS_MAX: usize = 2_000;
/// Open cases kept for the map and the stages; beyond it the screen says that it does not hold them all.
pub const CASES_MAX: usize = 60_000;

/// Rows of a keyed topic with their versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    rows: BTreeMap<u64, (u64, T)>,
    hash: u64,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), hash: 0 }
    }
}

impl<T> Rows<T> {
    fn apply(&mut self, changes: Vec<Keyed<T>>) {
        for change in changes {
            if let Some((version, _)) = self.rows.remove(&change.id) {
                self.hash ^= keyed_hash(change.id, version);
            }
            if let Some(row) = change.row {
                self.hash ^= keyed_hash(change.id, change.version);
                self.rows.insert(change.id, (change.version, row));
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values().map(|(_, row)| row)
    }
}

/// Everything this screen knows of the hall.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    pub tally: Tally,
    tally_state_hash: u64,
    pub overdue: Rows<OverdueRow>,
    pub whistles: Rows<Whistle>,
    /// Newest last.
    pub events: VecDeque<EventLine>,
    pub cases: BTreeMap<CaseId, CaseLine>,
    /// Whether `cases` holds every open case.
    pub cases_whole: bool,
    /// Since when `events` is without a gap.
    pub events_since: Option<UtcMillis>,
}

impl Held {
    /// Takes a snapshot's place or adds a delta: for keyed topics both are values per key.
    pub fn apply(&mut self, payload: Payload) {
        match payload {
            Payload::Tally(cells) => cells.into_iter().for_each(|(key, value)| self.set_cell(key, value)),
            Payload::Overdue(rows) => self.overdue.apply(rows),
            Payload::Whistle(rows) => self.whistles.apply(rows),
            Payload::Case(lines) => lines.into_iter().for_each(|line| self.add_event(line)),
            // Positions travel packed and never come here.
            Payload::Positions(_) => {}
        }
    }

    /// Forgets a topic before its snapshot is taken anew.
    pub fn clear(&mut self, topic: &Topic) {
        match topic {
            Topic::Tally => (self.tally, self.tally_state_hash) = (Tally::default(), 0),
            Topic::Overdue => self.overdue = Rows::default(),
            Topic::Whistle => self.whistles = Rows::default(),
            Topic::Case(_) => {
                self.events.clear();
                self.events_since = None;
            }
            Topic::Positions | Topic::Position(_) => {}
        }
    }

    /// State hash of a keyed topic, comparable with the server's.
    pub fn hash(&self, topic: &Topic) -> Option<u64> {
        match topic {
            Topic::Tally => Some(self.tally_state_hash),
            Topic::Overdue => Some(self.overdue.hash),
            Topic::Whistle => Some(self.whistles.hash),
            Topic::Case(_) | Topic::Positions | Topic::Position(_) => None,
        }
    }

    /// Adds open cases read over REST. A line that an event has already brought newer stays.
    pub fn add_cases(&mut self, lines: Vec<CaseLine>) {
        // A page may have been read just before a closing that is already known here.
        let closed: BTreeSet<CaseId> = self
            .events
            .iter()
            .filter_map(|event| event.case.as_ref())
            .filter(|case| case.closed.is_some())
            .map(|case| case.id)
            .collect();
        for line in lines.into_iter().filter(|line| !closed.contains(&line.id)) {
            let newer = self.cases.get(&line.id).is_none_or(|held| held.version < line.version);
            if newer && line.closed.is_none() && self.cases.len() < CASES_MAX {
                self.cases.insert(line.id, line);
            }
        }
    }

    /// The case that most needs the room's eyes: overdue before near before running, then priority, then the one due
    /// first; an incident keeps its place until another is more urgent by priority or phase.
    pub fn focus(&self, held: Option<CaseId>) -> Option<CaseId> {
        let held = held.and_then(|id| self.cases.get(&id));
        let best = self.cases.values().filter(|case| case.due.is_some()).min_by_key(|case| urgency(case));
        match (held, best) {
            (Some(held), Some(best)) if rank(held) <= rank(best) => Some(held.id),
            (_, Some(best)) => Some(best.id),
            (held, None) => held.map(|case| case.id),
        }
    }

    /// When limits ran out since `from`, as far as the events reach back.
    pub fn alarms_since(&self, from: UtcMillis) -> impl Iterator<Item = UtcMillis> + '_ {
        self.events.iter().filter_map(alarm).filter(move |at| *at >= from)
    }

    fn set_cell(&mut self, key: TallyKey, value: Count) {
        self.tally_state_hash ^= tally_hash(&key, self.tally.get(&key)) ^ tally_hash(&key, value);
        self.tally.set(key, value);
    }

    fn add_event(&mut self, line: EventLine) {
        match &line.case {
            Some(case) if case.closed.is_some() => drop(self.cases.remove(&case.id)),
            Some(case) if self.cases.len() < CASES_MAX || self.cases.contains_key(&case.id) => {
                self.cases.insert(case.id, case.clone());
            }
            Some(_) | None => {}
        }
        self.events_since.get_or_insert(line.at);
        self.events.push_back(line);
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
            self.events_since = self.events.front().map(|event| event.at);
        }
    }
}

/// When the limit ran out that the event is about; none for every other event. It counts then, whenever it was recorded:
/// after a server was down for hours the limits of those hours are no alarms of this minute.
pub fn alarm(event: &EventLine) -> Option<UtcMillis> {
    (event.name == "deadline_passed").then(|| event.due.unwrap_or(event.at))
}

/// Smaller is more urgent; ties keep the present focus.
fn rank(case: &CaseLine) -> (u8, Priority) {
    let phase = match case.phase {
        Phase::Overdue => 0,
        Phase::Nearing => 1,
        Phase::Running => 2,
    };
    match case.priority {
        // A first-priority incident outranks every ordinary overdue case.
        Priority::First => (0, case.priority),
        Priority::Second | Priority::Third | Priority::Ordinary => (phase + 1, case.priority),
    }
}

fn urgency(case: &CaseLine) -> ((u8, Priority), Option<UtcMillis>, CaseId) {
    (rank(case), case.due, case.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::ClockOf;
    use domain::tally::{Dimension, Measure, Period};

    fn cell(cases: i64) -> Payload {
        let key = TallyKey { measure: Measure::Open, dimension: Dimension::City, period: Period::Now };
        Payload::Tally(vec![(key, Count { cases, base: 2 * cases })])
    }

    #[test]
    fn hash_of_a_changed_cell_is_the_hash_of_its_last_value() {
        let (mut changed, mut fresh) = (Held::default(), Held::default());
        [3, 0, 7].into_iter().for_each(|value| changed.apply(cell(value)));
        fresh.apply(cell(7));
        assert_eq!(changed.hash(&Topic::Tally), fresh.hash(&Topic::Tally));
        assert_ne!(changed.hash(&Topic::Tally), Some(0));
        changed.apply(cell(0));
        assert_eq!(changed.hash(&Topic::Tally), Some(0));
    }

    /// Six hours down, then up again: what ran out meanwhile is recorded now.
    #[test]
    fn an_alarm_counts_when_its_limit_ran_out() {
        let passed = |seq: u64, due: i64| EventLine {
            seq,
            at: UtcMillis(21_600_000),
            actor: "system".to_owned(),
            name: "deadline_passed".to_owned(),
            case: None,
            whistle: None,
            department: None,
            note: String::new(),
            of: Some(ClockOf::Dispatch),
            due: Some(UtcMillis(due)),
        };
        let mut held = Held::default();
        held.apply(Payload::Case(vec![passed(1, 60_000), passed(2, 9_000_000), passed(3, 21_500_000)]));
        let since = UtcMillis(21_600_000 - 600_000);
        assert_eq!(held.alarms_since(since).collect::<Vec<_>>(), [UtcMillis(21_500_000)]);
    }

    #[test]
    fn a_row_that_is_gone_leaves_the_hash() {
        let mut rows: Rows<u8> = Rows::default();
        rows.apply(vec![
            Keyed { id: 1, version: 5, row: Some(1) },
            Keyed { id: 2, version: 6, row: Some(2) },
        ]);
        rows.apply(vec![Keyed { id: 1, version: 7, row: None }]);
        assert_eq!(rows.hash, keyed_hash(2, 6));
        assert_eq!(rows.iter().copied().collect::<Vec<u8>>(), [2]);
    }
}
