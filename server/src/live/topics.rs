//! Everything the hub knows: the keyed topics and the newest event lines, kept at the log's last commit.
//!
//! Pure: fed with digests of commits, at a start with the newest events, read by frames and snapshots. No locks, no clock, no sockets. Rows are handed out
//! shared: encoding them is nobody's wait but the reader's own.

mod rows;

pub use rows::Rows;

use domain::scope::Scope;
use domain::state::State;
use domain::tally::{Dimension, TallyKey};
use domain::whistle::Whistle;
use domain::wire::{Kind, OpenCase, OverdueRow, Part, Topic, keyed_hash, tally_hash};
use std::sync::Arc;

use super::digest::{CaseChange, Cell, Digest, Digester, Paths};
use super::recent::Recent;
use crate::events::Newest;
use crate::versioned::{Bite, Head, Stretch, TooFarBehind, Versioned};

/// Cells looked at for one frame of `tally`.
const CELLS_PER_FRAME: usize = 2_000;
/// Rows looked at for one frame of another keyed topic; how many it has, their bytes decide.
const ROWS_PER_FRAME: usize = 1_000;
/// Lines in one frame of `case`.
pub const LINES_PER_FRAME: usize = 100;
/// Lines for a client that starts from nothing: what a ticker shows.
pub const LINES_AT_FIRST: usize = 100;
/// Rows copied at a time for a snapshot.
pub const ROWS_PER_BITE: usize = 2_000;

/// What all screens show.
#[derive(Debug)]
pub struct Topics {
    pub epoch: u64,
    tally: Versioned<Arc<TallyKey>, Cell>,
    overdue: Versioned<u64, Arc<OverdueRow>>,
    open: Versioned<u64, Arc<OpenCase>>,
    whistle: Versioned<u64, Arc<Whistle>>,
    pub recent: Recent,
    /// How the areas lie.
    paths: Paths,
    /// Version of the policy in force.
    policy: u64,
}

/// What a client that stands at some version needs next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// These bring it to version `to`.
    Rows { to: u64, rows: Rows },
    /// Its lines are older than those held; read them from the log.
    Log,
    /// It needs a new snapshot.
    TooFarBehind,
}

/// Whether somebody may follow a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Given,
    /// The area is not in the catalogue.
    NoSuchArea,
    OutOfScope,
}

impl Admission {
    /// For programs and for people; none when it is given.
    #[must_use]
    pub fn refusal(self, topic: &Topic) -> Option<(&'static str, String)> {
        match (self, &topic.part) {
            (Self::Given, _) => None,
            (Self::NoSuchArea, _) => {
                Some(("no_such_area", format!("{topic}: the catalogue has no such area")))
            }
            (Self::OutOfScope, Some(_)) => {
                Some(("out_of_scope", format!("{topic} is not within what this account may read")))
            }
            (Self::OutOfScope, None) => {
                // A cell has no part of its own.
                let is_cell = matches!(topic.kind, Kind::Position(_));
                let own = Topic::own(if is_cell { Kind::Positions } else { topic.kind });
                let said =
                    format!("{topic} is of the whole city, and this account reads a part: follow {own}");
                Some(("out_of_scope", said))
            }
        }
    }
}

/// Where a copy in bites goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Onward {
    Cell(Arc<TallyKey>),
    Id(u64),
}

impl Topics {
    /// Nothing, before the store has been read.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            epoch: 0,
            tally: Versioned::start(0, []),
            overdue: Versioned::start(0, []),
            open: Versioned::start(0, []),
            whistle: Versioned::start(0, []),
            recent: Recent::start(0),
            paths: Paths::default(),
            policy: 0,
        }
    }

    /// The topics as the newest events left them, one after the other: whoever stands at any of them goes on from there, and is
    /// told of what came and went since.
    #[must_use]
    pub fn resumed(epoch: u64, newest: Newest, digester: &mut Digester) -> Self {
        let Newest { before: mut state, events } = newest;
        let mut topics = Self::start(epoch, &state, digester);
        for event in &events {
            let changes = state.apply(event);
            topics.take(digester.digest(&state, [(event, &changes)]));
        }
        topics
    }

    /// The topics of a state read from the store.
    #[must_use]
    pub fn start(epoch: u64, state: &State, digester: &mut Digester) -> Self {
        let cells = digester.cells(state).map(|(key, cell)| {
            let part = tally_hash(&key, cell.value);
            (key, state.seq, cell, part)
        });
        let tally = Versioned::start(state.seq, cells);
        let paths = digester.all_paths(&state.catalogue);
        let keyed = |id: u64, version: u64| (id, version, keyed_hash(id, version));
        let overdue = state.cases.values().filter_map(|case| {
            let (id, version, part) = keyed(case.id.0, case.version);
            Some((id, version, Arc::new(OverdueRow::of(case)?), part))
        });
        let open = state.cases.values().filter_map(|case| {
            let (id, version, part) = keyed(case.id.0, case.version);
            Some((id, version, Arc::new(OpenCase::of(case)?), part))
        });
        let whistles = state.whistles.values().map(|whistle| {
            let (id, version, part) = keyed(whistle.id.0, whistle.version);
            (id, version, Arc::new(whistle.clone()), part)
        });
        Self {
            epoch,
            tally,
            overdue: Versioned::start(state.seq, overdue),
            open: Versioned::start(state.seq, open),
            whistle: Versioned::start(state.seq, whistles),
            recent: Recent::start(state.seq),
            paths,
            policy: state.in_force().version,
        }
    }

    /// Last event taken over.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.recent.seq()
    }

    /// Version of the policy in force.
    #[must_use]
    pub fn policy(&self) -> u64 {
        self.policy
    }

    /// Takes a commit over.
    pub fn take(&mut self, digest: Digest) {
        let Digest { cells, cases, whistles, lines, paths, policy } = digest;
        self.policy = policy.unwrap_or(self.policy);
        for (seq, key, cell) in cells {
            self.set_cell(key, seq, cell);
        }
        if let Some((paths, seq)) = paths.zip(lines.last().map(|line| line.seq)) {
            // Cells whose area lies elsewhere now: their old topics lose them, their new ones get them.
            for (key, cell) in self.cells_that_moved(&paths) {
                self.set_cell(key, seq, cell);
            }
            self.paths = paths;
        }
        for CaseChange { seq, id, overdue, open } in cases {
            self.overdue.set(id, seq, overdue, keyed_hash(id, seq));
            self.open.set(id, seq, open, keyed_hash(id, seq));
        }
        for (seq, id, row) in whistles {
            self.whistle.set(id, seq, row, keyed_hash(id, seq));
        }
        lines.into_iter().for_each(|line| self.recent.push(line));
    }

    fn set_cell(&mut self, key: Arc<TallyKey>, seq: u64, cell: Cell) {
        let before = self.tally.get(&key);
        let same = before.map_or(cell.value.is_zero(), |before| *before == cell);
        // A step that leaves a cell as it was, such as a note on a case, is no change.
        if !same {
            let part = tally_hash(&key, cell.value);
            self.tally.set(key, seq, (!cell.value.is_zero()).then_some(cell), part);
        }
    }

    fn cells_that_moved(&self, paths: &Paths) -> Vec<(Arc<TallyKey>, Cell)> {
        let all = self.tally.bite(None, usize::MAX, None);
        let moved = all.rows.into_iter().filter_map(|(key, _, cell)| {
            let Dimension::Area(code) = &key.dimension else { return None };
            let areas = paths.get(code).filter(|areas| **areas != cell.areas)?.clone();
            Some((key, Cell { value: cell.value, areas }))
        });
        moved.collect()
    }

    /// The version of a topic's last change. None for positions and their numbers, which are counted elsewhere.
    pub fn head(&mut self, topic: &Topic) -> Option<Head> {
        let part = topic.part.as_ref();
        match topic.kind {
            Kind::Tally => Some(self.tally.head(part)),
            Kind::Overdue => Some(self.overdue.head(part)),
            Kind::Open => Some(self.open.head(part)),
            Kind::Whistle => Some(self.whistle.head(part)),
            Kind::Case => Some(self.recent.head(part)),
            Kind::Who | Kind::Positions | Kind::Position(_) => None,
        }
    }

    /// State hash of a keyed topic with the version it holds from.
    #[must_use]
    pub fn hash(&self, topic: &Topic) -> Option<(u64, u64)> {
        let part = topic.part.as_ref();
        match topic.kind {
            Kind::Tally => Some(self.tally.hash(part)),
            Kind::Overdue => Some(self.overdue.hash(part)),
            Kind::Open => Some(self.open.hash(part)),
            Kind::Whistle => Some(self.whistle.hash(part)),
            Kind::Case | Kind::Who | Kind::Positions | Kind::Position(_) => None,
        }
    }

    /// Whether a scope has a topic: all of it, one of an area that lies within the scope's areas, or its own.
    #[must_use]
    pub fn admission(&self, scope: &Scope, topic: &Topic) -> Admission {
        let area = match &topic.part {
            None if scope.is_all() => return Admission::Given,
            None => return Admission::OutOfScope,
            // Whose it is was asked at the door of the feed: nobody follows another's.
            Some(Part::Own(Some(own))) if **own == *scope => return Admission::Given,
            Some(Part::Own(_)) => return Admission::OutOfScope,
            Some(Part::Area(area)) => area,
        };
        match self.paths.get(area) {
            None => Admission::NoSuchArea,
            Some(path) if scope.admits_area(path) => Admission::Given,
            Some(_) => Admission::OutOfScope,
        }
    }

    /// What brings a client from `from` towards `upto`. Positions and their numbers are not here.
    #[must_use]
    pub fn step(&self, topic: &Topic, from: u64, upto: u64) -> Step {
        let part = topic.part.as_ref();
        match topic.kind {
            Kind::Tally => stretch(self.tally.since(from, upto, CELLS_PER_FRAME, part), Rows::Tally),
            Kind::Overdue => stretch(self.overdue.since(from, upto, ROWS_PER_FRAME, part), Rows::Overdue),
            Kind::Open => stretch(self.open.since(from, upto, ROWS_PER_FRAME, part), Rows::Open),
            Kind::Whistle => stretch(self.whistle.since(from, upto, ROWS_PER_FRAME, part), Rows::Whistle),
            Kind::Case => match self.recent.since(from, upto, LINES_PER_FRAME, part) {
                None => Step::Log,
                Some((to, lines)) => Step::Rows { to, rows: Rows::Lines { since: from, lines } },
            },
            Kind::Who | Kind::Positions | Kind::Position(_) => Step::TooFarBehind,
        }
    }

    /// A part of everything in a topic, and where the next part begins.
    #[must_use]
    pub fn bite(&self, topic: &Topic, after: Option<&Onward>) -> Option<(Rows, Option<Onward>)> {
        let (part_of, count) = (topic.part.as_ref(), ROWS_PER_BITE);
        let cell = after.and_then(|after| match after {
            Onward::Cell(key) => Some(key),
            Onward::Id(_) => None,
        });
        let id = after.and_then(|after| match after {
            Onward::Id(id) => Some(id),
            Onward::Cell(_) => None,
        });
        Some(match topic.kind {
            Kind::Tally => part(self.tally.bite(cell, count, part_of), Rows::Tally, Onward::Cell),
            Kind::Overdue => part(self.overdue.bite(id, count, part_of), Rows::Overdue, Onward::Id),
            Kind::Open => part(self.open.bite(id, count, part_of), Rows::Open, Onward::Id),
            Kind::Whistle => part(self.whistle.bite(id, count, part_of), Rows::Whistle, Onward::Id),
            Kind::Case => {
                let (since, lines) = self.recent.newest(LINES_AT_FIRST, part_of);
                (Rows::Lines { since, lines }, None)
            }
            Kind::Who | Kind::Positions | Kind::Position(_) => return None,
        })
    }
}

fn stretch<K, V>(
    stretch: Result<Stretch<K, V>, TooFarBehind>,
    rows: impl FnOnce(Vec<(K, u64, Option<V>)>) -> Rows,
) -> Step {
    match stretch {
        Ok(Stretch { to, rows: changed }) => Step::Rows { to, rows: rows(changed) },
        Err(TooFarBehind) => Step::TooFarBehind,
    }
}

fn part<K, V>(
    bite: Bite<K, V>,
    rows: impl FnOnce(Vec<(K, u64, Option<V>)>) -> Rows,
    onward: impl FnOnce(K) -> Onward,
) -> (Rows, Option<Onward>) {
    let all = bite.rows.into_iter().map(|(key, version, value)| (key, version, Some(value)));
    (rows(all.collect()), bite.last.map(onward))
}
