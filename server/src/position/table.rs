//! Where everyone is: newest position by inspector, and the packed frames of the last ticks by map cell.
//!
//! Pure: time is an argument, nothing is sent from here. Positions are never queued; a tick carries the newest of each.

use bytes::Bytes;
use domain::code::InspectorCode;
use domain::moment::{SECOND_MS, UtcMillis};
use domain::place::Point;
use domain::position::{Cell, Entry, Frame, Grid, position_hash};
use domain::wire::{KIND_POSITIONS, PositionRow, WhoRow, keyed_hash};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::{Fix, Step};
use crate::versioned::Versioned;

/// Ticks a client may be behind and still get single frames: 4 seconds.
const TICKS_KEPT: usize = 16;
/// Inspectors the table accepts. While it is full, new ones take the numbers of those longest unheard who have left the
/// screens.
pub const INSPECTORS_MAX: usize = 100_000;
/// Slower than this a person stands, in metres per second.
const WALKING_MPS: f64 = 0.3;
/// Shorter steps say nothing about a direction.
const STEP_METRES: f64 = 3.0;

/// One person's newest position.
#[derive(Debug, Clone)]
pub struct Person {
    pub code: InspectorCode,
    pub place: Point,
    pub fixed: UtcMillis,
    pub moving: bool,
    pub heading_deg: f32,
    /// What screens have been told.
    sent: Option<(Cell, Grid)>,
    /// Version of the tick that last told them.
    told: u64,
    dirty: bool,
}

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

/// Rows for the JSON feed.
#[derive(Debug, PartialEq)]
pub struct Rows {
    /// 0 when the rows are everything.
    pub from: u64,
    pub to: u64,
    pub rows: Vec<PositionRow>,
}

/// Everyone's newest position.
#[derive(Debug)]
pub struct Table {
    cell_e6: i32,
    version: u64,
    /// Version of the first tick of this process.
    first: u64,
    codes: HashMap<InspectorCode, u32>,
    people: Vec<Person>,
    dirty: Vec<u32>,
    cells: BTreeMap<Cell, CellState>,
    /// Who has which number, of those on the screens.
    who: Versioned<u64, Arc<WhoRow>>,
    /// Numbers that may be given to others while the table is full, longest unheard last.
    free: Vec<u32>,
}

impl Table {
    #[must_use]
    pub fn new(cell_e6: i32) -> Self {
        Self {
            cell_e6,
            version: 0,
            first: 0,
            codes: HashMap::new(),
            people: Vec::new(),
            dirty: Vec::new(),
            cells: BTreeMap::new(),
            who: Versioned::start(0, []),
            free: Vec::new(),
        }
    }

    /// Version of the last tick in which anyone moved.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Who has which number. A client from before this process is below its horizon.
    #[must_use]
    pub fn who(&self) -> &Versioned<u64, Arc<WhoRow>> {
        &self.who
    }

    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    #[must_use]
    pub fn index(&self, code: &InspectorCode) -> Option<u32> {
        self.codes.get(code).copied()
    }

    /// The number of an inspector, new ones included; none when the table is full.
    pub fn enter(&mut self, code: &InspectorCode, place: Point, fixed: UtcMillis) -> Option<u32> {
        if let Some(index) = self.codes.get(code) {
            return Some(*index);
        }
        let mut person = Person {
            code: code.clone(),
            place,
            fixed,
            moving: false,
            heading_deg: 0.0,
            sent: None,
            told: 0,
            dirty: false,
        };
        let index = if self.people.len() < INSPECTORS_MAX {
            let index = u32::try_from(self.people.len()).ok()?;
            self.people.push(person);
            index
        } else {
            let index = self.take_free()?;
            let before = &mut self.people[index as usize];
            // Clients that have not heard yet that the number left its place must still be told.
            person.told = before.told;
            self.codes.remove(&before.code);
            *before = person;
            index
        };
        self.codes.insert(code.clone(), index);
        Some(index)
    }

    fn take_free(&mut self) -> Option<u32> {
        while let Some(index) = self.free.pop() {
            let person = &self.people[index as usize];
            // Some have been heard again since they were listed.
            if person.sent.is_none() && !person.dirty {
                return Some(index);
            }
        }
        None
    }

    /// Lists whose numbers may be given away. Only at the pace of forgetting: it looks at everyone.
    fn list_free(&mut self, before: UtcMillis) {
        self.free.clear();
        if self.people.len() < INSPECTORS_MAX {
            return;
        }
        let unheard = |person: &Person| person.sent.is_none() && !person.dirty && person.fixed < before;
        let free = (0..).zip(&self.people).filter(|(_, person)| unheard(person)).map(|(index, _)| index);
        self.free = free.collect();
        self.free.sort_by_key(|index| std::cmp::Reverse(self.people[*index as usize].fixed));
    }

    /// Takes a checked fix. Newest wins; an older one only belongs to the track. Returns its step. A position held that
    /// is later than `latest` was taken under a clock that has been set back since, and does not stand in the way.
    pub fn take(&mut self, index: u32, fix: &Fix, latest: UtcMillis) -> Step {
        let person = &mut self.people[index as usize];
        let seconds = fix.fixed.since(person.fixed) as f64 / 1_000.0;
        let metres = person.place.distance_m(fix.place);
        let moving = match fix.speed_mps {
            Some(speed) => f64::from(speed) >= WALKING_MPS,
            None => seconds > 0.0 && metres / seconds >= WALKING_MPS,
        };
        let heading_deg = match fix.heading_deg {
            Some(heading) => heading,
            None if metres >= STEP_METRES => person.place.bearing_deg(fix.place) as f32,
            None => person.heading_deg,
        };
        let step = Step { index, place: fix.place, fixed: fix.fixed, moving, heading_deg };
        if fix.fixed >= person.fixed || person.fixed > latest {
            self.put(&step);
        }
        step
    }

    /// Sets a newest position, as after reading the track.
    pub fn put(&mut self, step: &Step) {
        let person = &mut self.people[step.index as usize];
        (person.place, person.fixed) = (step.place, step.fixed);
        (person.moving, person.heading_deg) = (step.moving, step.heading_deg);
        if !std::mem::replace(&mut person.dirty, true) {
            self.dirty.push(step.index);
        }
    }

    /// Packs what has changed since the last tick. Returns how many positions that were.
    pub fn tick(&mut self, now: UtcMillis) -> usize {
        if self.dirty.is_empty() {
            return 0;
        }
        // Versions rise over restarts too, so that a client that comes back is never thought to be up to date.
        self.version = (self.version + 1).max(u64::try_from(now.0).unwrap_or(0));
        if self.first == 0 {
            self.first = self.version;
            self.who = Versioned::start(self.version, []);
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        let mut entries: BTreeMap<Cell, Vec<Entry>> = BTreeMap::new();
        for index in &dirty {
            self.move_person(*index, now, &mut entries);
        }
        for (cell, entries) in entries {
            self.publish(cell, entries, now);
        }
        dirty.len()
    }

    fn move_person(&mut self, index: u32, now: UtcMillis, entries: &mut BTreeMap<Cell, Vec<Entry>>) {
        let person = &mut self.people[index as usize];
        let (cell, at) = (Cell::of(person.place, self.cell_e6), Grid::from(person.place));
        let before = person.sent.replace((cell, at));
        (person.dirty, person.told) = (false, self.version);
        if before.is_none() {
            let row = WhoRow { code: person.code.clone(), name: None };
            let (id, version) = (u64::from(index), self.version);
            self.who.set(id, version, Some(Arc::new(row)), keyed_hash(id, version));
        }
        if let Some((old, was)) = before {
            let left = self.cells.entry(old).or_default();
            left.hash ^= position_hash(index, was);
            if old != cell {
                left.members.remove(&index);
                entries.entry(old).or_default().push(Entry::Gone { index });
            }
        }
        let base = before.filter(|(old, _)| *old == cell).map(|(_, was)| was);
        let state = self.cells.entry(cell).or_default();
        state.members.insert(index);
        state.hash ^= position_hash(index, at);
        entries.entry(cell).or_default().push(entry(index, person, at, base, now));
    }

    fn publish(&mut self, cell: Cell, entries: Vec<Entry>, now: UtcMillis) {
        let Some(state) = self.cells.get_mut(&cell) else { return };
        let left = entries.iter().filter_map(|entry| match entry {
            Entry::Gone { index } => Some(*index),
            Entry::Here { .. } => None,
        });
        let left = left.collect();
        let frame = Frame { cell, from: state.version, to: self.version, tick: now, entries };
        state.ticks.push_back(Tick { from: frame.from, to: frame.to, frame: packed(&frame), left });
        if state.ticks.len() > TICKS_KEPT {
            state.ticks.pop_front();
        }
        state.version = self.version;
    }

    /// Packed frames that bring a client of one cell, or of all, from `from` to the present version.
    pub fn frames(&mut self, scope: Option<Cell>, from: u64, now: UtcMillis) -> Vec<Bytes> {
        let mut frames = Vec::new();
        let cells: Vec<Cell> = match scope {
            Some(cell) => vec![cell],
            None => self.cells.keys().copied().collect(),
        };
        for cell in cells {
            let Some(state) = self.cells.get(&cell).filter(|state| state.version > from) else { continue };
            let begin = state.ticks.partition_point(|tick| tick.to <= from);
            let next = state.ticks.get(begin);
            // A client from before this process, or from before the ring, gets the whole cell.
            if from != 0 && next.is_some_and(|next| next.from <= from && next.from != 0) {
                frames.extend(state.ticks.range(begin..).map(|tick| tick.frame.clone()));
            } else {
                frames.push(self.whole(cell, now));
            }
        }
        frames
    }

    /// Everyone in a cell, made once per version.
    fn whole(&mut self, cell: Cell, now: UtcMillis) -> Bytes {
        let Some(state) = self.cells.get(&cell) else { return Bytes::new() };
        if let Some((version, frame)) = &state.whole
            && *version == state.version
        {
            return frame.clone();
        }
        // As last told, not as last reported: later fixes come with the next tick.
        let entries = state.members.iter().filter_map(|index| {
            let person = &self.people[*index as usize];
            let (_, at) = person.sent?;
            Some(entry(*index, person, at, None, now))
        });
        let entries = entries.collect();
        let bytes = packed(&Frame { cell, from: 0, to: state.version, tick: now, entries });
        let version = state.version;
        if let Some(state) = self.cells.get_mut(&cell) {
            state.whole = Some((version, bytes.clone()));
        }
        bytes
    }

    /// Whether a client that stands at `from` was told so by an earlier process: it must start anew.
    #[must_use]
    pub fn is_from_before(&self, from: u64) -> bool {
        from != 0 && from < self.first
    }

    /// Rows that bring a JSON client of one cell, or of all, from `from` to the present version.
    #[must_use]
    pub fn rows(&self, scope: Option<Cell>, from: u64) -> Rows {
        let changed = |index: &u32| self.people[*index as usize].told > from;
        let Some(cell) = scope else {
            let all = 0..u32::try_from(self.people.len()).unwrap_or(u32::MAX);
            let rows = all.filter(changed).filter_map(|index| self.row(index, true));
            let rows = rows.filter(|row| from != 0 || row.place.is_some()).collect();
            return Rows { from, to: self.version, rows };
        };
        let Some(state) = self.cells.get(&cell) else {
            return Rows { from, to: self.version, rows: Vec::new() };
        };
        let members = state.members.iter().copied();
        let begin = state.ticks.partition_point(|tick| tick.to <= from);
        let fits = |tick: &Tick| tick.from <= from && tick.from != 0;
        if from == 0 || !state.ticks.get(begin).is_none_or(fits) {
            let rows = members.filter_map(|index| self.row(index, true)).collect();
            return Rows { from: 0, to: state.version, rows };
        }
        let left: BTreeSet<u32> =
            state.ticks.range(begin..).flat_map(|tick| tick.left.iter().copied()).collect();
        let left = left.into_iter().filter(|index| !state.members.contains(index));
        let left = left.filter_map(|index| self.row(index, false));
        let rows = members.filter(changed).filter_map(|index| self.row(index, true)).chain(left).collect();
        Rows { from, to: state.version, rows }
    }

    /// One person's row as screens have been told; without a place when they have left the cell asked for.
    fn row(&self, index: u32, here: bool) -> Option<PositionRow> {
        let person = self.people.get(index as usize)?;
        let told = person.sent.filter(|_| here);
        Some(PositionRow {
            index,
            inspector: person.code.clone(),
            place: told.and_then(|(_, at)| Point::from_e6(at.lat * 10, at.lon * 10)),
            fixed: person.fixed,
            moving: person.moving,
            heading_deg: person.heading_deg,
        })
    }

    /// One person's newest position, to the last digit.
    #[must_use]
    pub fn newest(&self, index: u32) -> Option<PositionRow> {
        let person = self.people.get(index as usize)?;
        let place = person.sent.is_some().then_some(person.place);
        self.row(index, true).map(|row| PositionRow { place, ..row })
    }

    /// State hash of everyone, and of each cell with its version.
    #[must_use]
    pub fn hashes(&self) -> (u64, Vec<(Cell, u64, u64)>) {
        let cells: Vec<_> =
            self.cells.iter().map(|(cell, state)| (*cell, state.version, state.hash)).collect();
        (cells.iter().fold(0, |all, (.., hash)| all ^ hash), cells)
    }

    /// Takes people off the screens whose last fix is older than `before`. Their track stays, and their number while
    /// the table has room.
    pub fn forget(&mut self, before: UtcMillis, now: UtcMillis) -> usize {
        let old: Vec<u32> = (0..)
            .zip(&self.people)
            .filter(|(_, p)| p.sent.is_some() && p.fixed < before)
            .map(|(index, _)| index)
            .collect();
        if old.is_empty() {
            self.list_free(before);
            return 0;
        }
        self.version = (self.version + 1).max(u64::try_from(now.0).unwrap_or(0));
        let mut entries: BTreeMap<Cell, Vec<Entry>> = BTreeMap::new();
        for index in &old {
            let person = &mut self.people[*index as usize];
            person.told = self.version;
            self.who.set(u64::from(*index), self.version, None, 0);
            if let Some((cell, was)) = person.sent.take()
                && let Some(state) = self.cells.get_mut(&cell)
            {
                state.hash ^= position_hash(*index, was);
                state.members.remove(index);
                entries.entry(cell).or_default().push(Entry::Gone { index: *index });
            }
        }
        for (cell, entries) in entries {
            self.publish(cell, entries, now);
        }
        self.list_free(before);
        old.len()
    }
}

fn entry(index: u32, person: &Person, at: Grid, base: Option<Grid>, now: UtcMillis) -> Entry {
    let from = base.unwrap_or(Grid { lat: 0, lon: 0 });
    let age_seconds = now.since(person.fixed).max(0) / SECOND_MS;
    Entry::Here {
        index,
        absolute: base.is_none(),
        delta: Grid { lat: at.lat.wrapping_sub(from.lat), lon: at.lon.wrapping_sub(from.lon) },
        moving: person.moving,
        heading: ((f64::from(person.heading_deg) / 22.5).round() as i64).rem_euclid(16) as u8,
        age_seconds: u32::try_from(age_seconds).unwrap_or(u32::MAX),
    }
}

fn packed(frame: &Frame) -> Bytes {
    let mut bytes = Vec::with_capacity(24 + frame.entries.len() * 6);
    bytes.push(KIND_POSITIONS);
    frame.encode(&mut bytes);
    bytes.into()
}
