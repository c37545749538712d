//! Everything the hub knows: the three keyed topics and the newest event lines, kept at the store's last commit.
//!
//! Pure: fed by the writer after each commit, read by frames and snapshots. No locks, no clock, no sockets.

use domain::case::Case;
use domain::catalogue::{AreaLevel, Catalogue};
use domain::code::AreaCode;
use domain::event::Recorded;
use domain::state::{Changes, State};
use domain::tally::{Count, Dimension, TallyKey};
use domain::whistle::Whistle;
use domain::wire::{EventLine, Keyed as KeyedRow, OverdueRow, Payload, Topic, keyed_hash, tally_hash};
use std::collections::HashMap;
use std::sync::Arc;

use super::keyed::{Keyed, Stretch, TooFarBehind};
use super::ring::{LINES_MAX, Ring, lies_in};

/// Cells in one frame of `tally`.
const CELLS_PER_FRAME: usize = 2_000;
/// Rows in one frame of `overdue` or `whistle`.
const ROWS_PER_FRAME: usize = 150;
/// Lines in one frame of `case`.
pub const LINES_PER_FRAME: usize = 100;
/// Keys of a topic that are tried in one message for a client that starts from nothing.
pub const KEYS_PER_MESSAGE: usize = 6_000;
/// Lines in a snapshot of `case`: what a ticker shows.
pub const LINES_PER_SNAPSHOT: usize = 100;

/// What all screens show.
#[derive(Debug)]
pub struct Board {
    pub epoch: u64,
    tally: Keyed<Arc<TallyKey>, Count>,
    overdue: Keyed<u64, Arc<OverdueRow>>,
    whistle: Keyed<u64, Arc<Whistle>>,
    pub ring: Ring,
}

/// Versions of the topics at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heads {
    pub tally: u64,
    pub overdue: u64,
    pub whistle: u64,
    /// Last event of the store.
    pub case: u64,
    /// Last tick with a moved inspector.
    pub position: u64,
}

impl Heads {
    /// The version a subscriber of `topic` can reach.
    #[must_use]
    pub fn of(&self, topic: &Topic) -> u64 {
        match topic {
            Topic::Tally => self.tally,
            Topic::Overdue => self.overdue,
            Topic::Whistle => self.whistle,
            Topic::Case(_) => self.case,
            Topic::Positions | Topic::Position(_) => self.position,
        }
    }
}

/// What a client that stands at some version needs next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// This payload brings it to version `to`.
    Payload { to: u64, payload: Payload },
    /// Its lines are older than the ring; read them from the store.
    Store,
    /// It needs a new snapshot.
    TooFarBehind,
}

impl Board {
    /// The board before the store has been read.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            epoch: 0,
            tally: Keyed::start(0, []),
            overdue: Keyed::start(0, []),
            whistle: Keyed::start(0, []),
            ring: Ring::start(0),
        }
    }

    /// The board of a state read from the store.
    #[must_use]
    pub fn start(epoch: u64, state: &State) -> Self {
        let cells = state.tally.iter().filter(|(key, _)| is_on_feed(&state.catalogue, key));
        let cells =
            cells.map(|(key, value)| (Arc::new(key.clone()), state.seq, value, tally_hash(key, value)));
        let overdue = state.cases.values().filter_map(|case| {
            let row = OverdueRow::of(case)?;
            Some((case.id.0, case.version, Arc::new(row), keyed_hash(case.id.0, case.version)))
        });
        let whistles = state.whistles.values().map(|whistle| {
            let (id, version) = (whistle.id.0, whistle.version);
            (id, version, Arc::new(whistle.clone()), keyed_hash(id, version))
        });
        Self {
            epoch,
            tally: Keyed::start(state.seq, cells),
            overdue: Keyed::start(state.seq, overdue),
            whistle: Keyed::start(state.seq, whistles),
            ring: Ring::start(state.seq),
        }
    }

    /// Takes over committed events. `state` is the state after the last of them.
    pub fn commit<'a>(
        &mut self,
        state: &State,
        committed: impl IntoIterator<Item = (&'a Recorded, &'a Changes)>,
    ) {
        let mut cells: HashMap<&TallyKey, u64> = HashMap::new();
        for (recorded, changes) in committed {
            for key in &changes.tally {
                cells.insert(key, recorded.seq);
            }
            if let Some(case) = &changes.case {
                self.set_overdue(case, recorded.seq);
            }
            if let Some(whistle) = &changes.whistle {
                let id = whistle.id.0;
                let row = whistle.closed.is_none().then(|| Arc::new(whistle.clone()));
                self.whistle.set(id, recorded.seq, row, keyed_hash(id, recorded.seq));
            }
            self.ring.push(Arc::new(line(recorded, changes.case.as_ref())));
        }
        let mut cells: Vec<(u64, &TallyKey)> = cells.into_iter().map(|(key, seq)| (seq, key)).collect();
        cells.sort_unstable();
        for (seq, key) in cells {
            if is_on_feed(&state.catalogue, key) {
                self.set_cell(key, seq, state.tally.get(key));
            }
        }
    }

    fn set_cell(&mut self, key: &TallyKey, seq: u64, value: Count) {
        let key = Arc::new(key.clone());
        let before = self.tally.get(&key).copied().unwrap_or_default();
        // A step that leaves a cell as it was, such as a note on a case, is no change.
        if before != value {
            let part = tally_hash(&key, value);
            self.tally.set(key, seq, (!value.is_zero()).then_some(value), part);
        }
    }

    fn set_overdue(&mut self, case: &Case, seq: u64) {
        let row = OverdueRow::of(case).map(Arc::new);
        self.overdue.set(case.id.0, seq, row, keyed_hash(case.id.0, seq));
    }

    /// Versions now; positions are counted elsewhere.
    #[must_use]
    pub fn heads(&self) -> Heads {
        Heads {
            tally: self.tally.head(),
            overdue: self.overdue.head(),
            whistle: self.whistle.head(),
            case: self.ring.head(),
            position: 0,
        }
    }

    /// State hashes of the keyed topics with the versions they hold at.
    #[must_use]
    pub fn hashes(&self) -> [(Topic, u64, u64); 3] {
        [
            (Topic::Tally, self.tally.head(), self.tally.hash()),
            (Topic::Overdue, self.overdue.head(), self.overdue.hash()),
            (Topic::Whistle, self.whistle.head(), self.whistle.hash()),
        ]
    }

    /// What brings a client from `from` towards `upto`. Positions are not here.
    #[must_use]
    pub fn step(&self, topic: &Topic, from: u64, upto: u64) -> Step {
        match topic {
            Topic::Tally => stretch(self.tally.since(from, upto, CELLS_PER_FRAME), cells),
            Topic::Overdue => stretch(self.overdue.since(from, upto, ROWS_PER_FRAME), |rows| {
                Payload::Overdue(rows_of(rows))
            }),
            Topic::Whistle => stretch(self.whistle.since(from, upto, ROWS_PER_FRAME), |rows| {
                Payload::Whistle(rows_of(rows))
            }),
            Topic::Case(area) => match self.ring.since(from, upto, LINES_PER_FRAME) {
                None => Step::Store,
                Some(lines) => {
                    let to = lines.last().map_or(from, |line| line.seq);
                    Step::Payload { to, payload: lines_payload(&lines, area.as_ref()) }
                }
            },
            Topic::Positions | Topic::Position(_) => Step::TooFarBehind,
        }
    }

    /// Everything a client needs that starts from nothing, and the version it then stands at.
    #[must_use]
    pub fn all(&self, topic: &Topic) -> Option<(u64, Payload)> {
        let whole = |to, payload| Some((to, payload));
        match topic {
            Topic::Tally => {
                let all = self.tally.all();
                whole(all.to, cells(all.rows))
            }
            Topic::Overdue => {
                let all = self.overdue.all();
                whole(all.to, Payload::Overdue(rows_of(all.rows)))
            }
            Topic::Whistle => {
                let all = self.whistle.all();
                whole(all.to, Payload::Whistle(rows_of(all.rows)))
            }
            Topic::Case(area) => {
                let lines = self.newest(area.as_ref());
                whole(self.ring.head(), lines_payload(&lines, None))
            }
            Topic::Positions | Topic::Position(_) => None,
        }
    }

    /// The newest lines of everything or of one area: a street's ticker shows its own last lines, however busy the rest of
    /// the city is. They are looked for in the whole ring, so nothing is kept twice.
    fn newest(&self, area: Option<&AreaCode>) -> Vec<Arc<EventLine>> {
        let Some(area) = area else { return self.ring.newest(LINES_PER_SNAPSHOT) };
        let mut lines = self.ring.newest(LINES_MAX);
        lines.retain(|line| lies_in(line, area));
        lines.split_off(lines.len().saturating_sub(LINES_PER_SNAPSHOT))
    }

    /// Keys of a topic, to judge whether everything fits one message.
    #[must_use]
    pub fn count(&self, topic: &Topic) -> usize {
        match topic {
            Topic::Tally => self.tally.count(),
            Topic::Overdue => self.overdue.count(),
            Topic::Whistle => self.whistle.count(),
            Topic::Case(_) | Topic::Positions | Topic::Position(_) => 0,
        }
    }
}

/// The line of one event. Whistle events carry no case, whichever way they are read.
#[must_use]
pub fn line(recorded: &Recorded, case: Option<&Case>) -> EventLine {
    EventLine::of(recorded, case.filter(|_| recorded.event.whistle().is_none()))
}

/// Lines of one area, or all.
#[must_use]
pub fn lines_payload(lines: &[Arc<EventLine>], area: Option<&AreaCode>) -> Payload {
    let lines = lines.iter().filter(|line| area.is_none_or(|area| lies_in(line, area)));
    Payload::Case(lines.map(|line| line.as_ref().clone()).collect())
}

fn stretch<K, V>(
    stretch: Result<Stretch<K, V>, TooFarBehind>,
    payload: impl FnOnce(Vec<(K, u64, Option<V>)>) -> Payload,
) -> Step {
    match stretch {
        Ok(Stretch { to, rows }) => Step::Payload { to, payload: payload(rows) },
        Err(TooFarBehind) => Step::TooFarBehind,
    }
}

fn cells(rows: Vec<(Arc<TallyKey>, u64, Option<Count>)>) -> Payload {
    Payload::Tally(
        rows.into_iter().map(|(key, _, value)| (key.as_ref().clone(), value.unwrap_or_default())).collect(),
    )
}

fn rows_of<T: Clone>(rows: Vec<(u64, u64, Option<Arc<T>>)>) -> Vec<KeyedRow<T>> {
    rows.into_iter()
        .map(|(id, version, row)| KeyedRow { id, version, row: row.map(|row| row.as_ref().clone()) })
        .collect()
}

/// The feed carries the city, districts, streets, sources and classes. Communities and grids are read over REST.
fn is_on_feed(catalogue: &Catalogue, key: &TallyKey) -> bool {
    match &key.dimension {
        Dimension::City | Dimension::Source(_) | Dimension::Class(_) => true,
        Dimension::Area(code) => {
            catalogue.areas.get(code).is_some_and(|area| area.level <= AreaLevel::Street)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of event `seq`, about a case in this street.
    fn line_in(seq: u64, street: &str) -> Arc<EventLine> {
        let case = serde_json::json!({
            "id": seq, "number": "1", "class": "c", "condition": null, "area_path": [street, "530102"], "address": "",
            "place": null, "priority": "ordinary", "stage": "accept", "stage_since": 0, "reported": 0, "closed": null,
            "started": null, "due": null, "limit": null, "phase": "running", "claimed_by": null, "department": null,
            "version": seq,
        });
        let line = serde_json::json!({
            "seq": seq, "at": 0, "actor": "", "name": "case_reported", "case": case, "whistle": null,
            "department": null, "note": "",
        });
        Arc::new(serde_json::from_value(line).unwrap())
    }

    #[test]
    fn a_quiet_streets_ticker_starts_with_its_own_last_lines_however_busy_the_city_is() {
        let mut board = Board::empty();
        for seq in 1..=3_000 {
            board.ring.push(line_in(seq, if seq % 1_000 == 0 { "530102001" } else { "530102002" }));
        }
        let seqs = |area: Option<&str>| {
            let area = area.map(|area| AreaCode::new(area).unwrap());
            let Some((to, Payload::Case(lines))) = board.all(&Topic::Case(area)) else { panic!("no lines") };
            assert_eq!(to, 3_000);
            lines.iter().map(|line| line.seq).collect::<Vec<u64>>()
        };
        assert_eq!(seqs(Some("530102001")), [1_000, 2_000, 3_000]);
        let busy = seqs(Some("530102002"));
        assert_eq!((busy.len(), busy.last()), (LINES_PER_SNAPSHOT, Some(&2_999)));
        assert_eq!(seqs(None).len(), LINES_PER_SNAPSHOT);
    }
}
