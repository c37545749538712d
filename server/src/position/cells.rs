//! Everyone, or those of a part of the city, by map cell: who is in which, and the packed frames of the last ticks.
//!
//! Pure. What should not be here: the newest position of anybody (`table`).

use bytes::Bytes;
use domain::moment::UtcMillis;
use domain::position::{Cell, Entry, Frame, Grid, position_hash};
use domain::wire::KIND_POSITIONS;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Ticks a client may be behind and still get single frames: 4 seconds.
const TICKS_KEPT: usize = 16;
/// A cell that nobody has been in for so long is given back: places can be made up, and there are millions of them.
const CELL_KEPT_MS: u64 = 3_600_000;

#[derive(Debug, Default)]
struct CellState {
    version: u64,
    members: BTreeSet<u32>,
    ticks: VecDeque<Tick>,
    hash: u64,
    /// Frame for joiners at `version`.
    whole: Option<(u64, Bytes)>,
}

#[derive(Debug)]
struct Tick {
    from: u64,
    to: u64,
    frame: Bytes,
    left: Vec<u32>,
}

/// The cells.
#[derive(Debug, Default)]
pub(super) struct Cells {
    of: BTreeMap<Cell, CellState>,
    /// Version up to which cells have been given back.
    given_back: u64,
}

/// What a client of one cell that stands somewhere has to be told.
#[derive(Debug, PartialEq)]
pub(super) struct Since {
    /// 0 when it is everything.
    pub from: u64,
    pub to: u64,
    pub here: Vec<u32>,
    pub left: Vec<u32>,
}

impl Cells {
    /// Somebody stands in a cell from now on, or stands elsewhere in it.
    pub fn arrive(&mut self, cell: Cell, index: u32, at: Grid) {
        let state = self.of.entry(cell).or_default();
        state.members.insert(index);
        state.hash ^= position_hash(index, at);
    }

    /// Where they stood is no longer so; `stays` when they only moved within the cell.
    pub fn depart(&mut self, cell: Cell, index: u32, was: Grid, stays: bool) {
        let Some(state) = self.of.get_mut(&cell) else { return };
        state.hash ^= position_hash(index, was);
        if !stays {
            state.members.remove(&index);
        }
    }

    /// Packs what changed in a cell on the way to `to`.
    pub fn publish(&mut self, cell: Cell, to: u64, entries: Vec<Entry>, now: UtcMillis) {
        let Some(state) = self.of.get_mut(&cell) else { return };
        let left = entries.iter().filter_map(|entry| match entry {
            Entry::Gone { index } => Some(*index),
            Entry::Here { .. } => None,
        });
        let left = left.collect();
        let frame = Frame { cell, from: state.version, to, tick: now, entries };
        state.ticks.push_back(Tick { from: frame.from, to, frame: packed(&frame), left });
        if state.ticks.len() > TICKS_KEPT {
            state.ticks.pop_front();
        }
        state.version = to;
    }

    /// All cells stand at this version, without the ticks before.
    pub fn stand_at(&mut self, version: u64) {
        self.of.values_mut().for_each(|state| state.version = version);
    }

    /// Gives back cells that have long been empty; versions are times, or a little more where ticks came faster.
    pub fn give_back(&mut self, now: UtcMillis) {
        let long_ago = u64::try_from(now.0).unwrap_or(0).saturating_sub(CELL_KEPT_MS);
        let is_over = |_: &Cell, state: &mut CellState| state.members.is_empty() && state.version <= long_ago;
        for (_, state) in self.of.extract_if(.., is_over) {
            self.given_back = self.given_back.max(state.version);
        }
    }

    /// Whoever follows all cells and stands before this may have seen people in cells that are no longer known.
    pub fn known_since(&self) -> u64 {
        self.given_back
    }

    /// Whether a client that stands at `from` may have seen people in this cell and has not heard that it is empty.
    fn is_given_back(&self, cell: Cell, from: u64) -> bool {
        from != 0 && from < self.given_back && !self.of.contains_key(&cell)
    }

    /// Packed frames that bring a client of one cell, or of all, from `from` to the present. `whole` says everybody's
    /// entry as last told.
    pub fn frames(
        &mut self,
        one: Option<Cell>,
        from: u64,
        now: UtcMillis,
        whole: impl Fn(u32) -> Option<Entry>,
    ) -> Vec<Bytes> {
        if let Some(cell) = one.filter(|cell| self.is_given_back(*cell, from)) {
            let empty = Frame { cell, from: 0, to: self.given_back, tick: now, entries: Vec::new() };
            return vec![packed(&empty)];
        }
        let mut frames = Vec::new();
        let cells: Vec<Cell> = one.map_or_else(|| self.of.keys().copied().collect(), |cell| vec![cell]);
        for cell in cells {
            let Some(state) = self.of.get_mut(&cell).filter(|state| state.version > from) else { continue };
            let begin = state.ticks.partition_point(|tick| tick.to <= from);
            let next = state.ticks.get(begin);
            // A client from before this process, or from before the ring, gets the whole cell.
            if from != 0 && next.is_some_and(|next| next.from <= from && next.from != 0) {
                frames.extend(state.ticks.range(begin..).map(|tick| tick.frame.clone()));
            } else {
                frames.push(state.whole(cell, now, &whole));
            }
        }
        frames
    }

    /// Who of a cell has changed or left after `from`, where that is known; else everyone in it. None for a cell where
    /// nobody ever was.
    pub fn since(&self, cell: Cell, from: u64, changed: impl Fn(u32) -> bool) -> Option<Since> {
        if self.is_given_back(cell, from) {
            return Some(Since { from: 0, to: self.given_back, here: Vec::new(), left: Vec::new() });
        }
        let state = self.of.get(&cell)?;
        let members = state.members.iter().copied();
        let begin = state.ticks.partition_point(|tick| tick.to <= from);
        let fits = |tick: &Tick| tick.from <= from && tick.from != 0;
        if from == 0 || !state.ticks.get(begin).is_none_or(fits) {
            return Some(Since { from: 0, to: state.version, here: members.collect(), left: Vec::new() });
        }
        let left: BTreeSet<u32> =
            state.ticks.range(begin..).flat_map(|tick| tick.left.iter().copied()).collect();
        let left = left.into_iter().filter(|index| !state.members.contains(index)).collect();
        let here = members.filter(|index| changed(*index)).collect();
        Some(Since { from, to: state.version, here, left })
    }

    /// State hash of everyone, and of each cell with its version.
    pub fn hashes(&self) -> (u64, Vec<(Cell, u64, u64)>) {
        let cells: Vec<_> = self.of.iter().map(|(cell, state)| (*cell, state.version, state.hash)).collect();
        (cells.iter().fold(0, |all, (.., hash)| all ^ hash), cells)
    }
}

impl CellState {
    /// Everyone in the cell, made once per version.
    fn whole(&mut self, cell: Cell, now: UtcMillis, whole: impl Fn(u32) -> Option<Entry>) -> Bytes {
        if let Some((version, frame)) = &self.whole
            && *version == self.version
        {
            return frame.clone();
        }
        let entries = self.members.iter().filter_map(|index| whole(*index)).collect();
        let bytes = packed(&Frame { cell, from: 0, to: self.version, tick: now, entries });
        self.whole = Some((self.version, bytes.clone()));
        bytes
    }
}

fn packed(frame: &Frame) -> Bytes {
    let mut bytes = Vec::with_capacity(24 + frame.entries.len() * 6);
    bytes.push(KIND_POSITIONS);
    frame.encode(&mut bytes);
    bytes.into()
}
