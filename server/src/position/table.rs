//! Where everyone is: newest position by inspector, and the packed frames of the last ticks by map cell.
//!
//! Pure: time is an argument, nothing is sent from here. Positions are never queued; a tick carries the newest of each.

use domain::code::InspectorCode;
use domain::moment::{SECOND_MS, UtcMillis};
use domain::place::Point;
use domain::position::{Cell, Entry, Grid};
use domain::scope::Scope;
use domain::wire::{PositionRow, WhoRow, keyed_hash};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::cells::Cells;
use super::{Fix, Step};
use crate::versioned::Versioned;

mod seen;

use seen::Layer;
pub use seen::{Areas, Known, Rows, WorksIn};

/// Inspectors the table accepts. While it is full, new ones take the numbers of those longest unheard who have left the
/// screens: of codes without a token first.
pub const INSPECTORS_MAX: usize = 100_000;
/// Of these, places that only inspectors with a token of their own have: codes can be made up by whoever reports for all,
/// and must not keep out whoever the hall knows. As many codes without a token as are left may have a number; beyond that
/// each new one takes that of another such code.
pub const KEPT_FOR_KNOWN: usize = 10_000;
const UNKNOWN_MAX: usize = INSPECTORS_MAX - KEPT_FOR_KNOWN;
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
    areas: Areas,
    /// A token is for this code, as far as the table has been told.
    is_known: bool,
    /// What screens have been told.
    sent: Option<(Cell, Grid)>,
    /// Version of the tick that last told them.
    told: u64,
    dirty: bool,
}

/// Numbers that may be given to others while the table is full, longest unheard last.
#[derive(Default)]
struct Free {
    known: Vec<u32>,
    unknown: Vec<u32>,
}

/// Everyone's newest position.
pub struct Table {
    cell_e6: i32,
    version: u64,
    /// Version of the first tick of this process.
    first: u64,
    codes: HashMap<InspectorCode, u32>,
    people: Vec<Person>,
    dirty: Vec<u32>,
    cells: Cells,
    layers: HashMap<Arc<Scope>, Layer>,
    works_in: Option<WorksIn>,
    /// Who has which number, of those on the screens.
    who: Versioned<u64, Known>,
    /// Of the people, those whom no token is for.
    unknown: usize,
    free: Free,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("version", &self.version).finish_non_exhaustive()
    }
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
            cells: Cells::default(),
            layers: HashMap::new(),
            works_in: None,
            who: Versioned::start(0, []),
            unknown: 0,
            free: Free::default(),
        }
    }

    /// Version of the last tick in which anyone moved.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Who has which number. A client from before this process is below its horizon.
    #[must_use]
    pub fn who(&self) -> &Versioned<u64, Known> {
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
        let works = self.works_in.as_ref().map(|works_in| works_in(code));
        // Until somebody says who is known, as at the start, everybody is.
        let is_known = works.as_ref().is_none_or(Option::is_some);
        let mut person = Person {
            code: code.clone(),
            place,
            fixed,
            moving: false,
            heading_deg: 0.0,
            areas: works.flatten().unwrap_or_else(|| Areas::from([])),
            is_known,
            sent: None,
            told: 0,
            dirty: false,
        };
        let may_be_one_more = is_known || self.unknown < UNKNOWN_MAX;
        let index = if self.people.len() < INSPECTORS_MAX && may_be_one_more {
            let index = u32::try_from(self.people.len()).ok()?;
            self.people.push(person);
            index
        } else {
            let index = self.take_free(may_be_one_more)?;
            let before = &mut self.people[index as usize];
            self.unknown -= usize::from(!before.is_known);
            // Clients that have not heard yet that the number left its place must still be told.
            person.told = before.told;
            self.codes.remove(&before.code);
            *before = person;
            index
        };
        self.unknown += usize::from(!is_known);
        self.codes.insert(code.clone(), index);
        Some(index)
    }

    /// The number of somebody without a token, else, if `of_anybody`, of somebody with one.
    fn take_free(&mut self, of_anybody: bool) -> Option<u32> {
        let people = &self.people;
        // Some have been heard again since they were listed, or have got a token or lost it.
        let next = |free: &mut Vec<u32>, is_known: bool| {
            while let Some(index) = free.pop() {
                let person = &people[index as usize];
                if person.sent.is_none() && !person.dirty && person.is_known == is_known {
                    return Some(index);
                }
            }
            None
        };
        match next(&mut self.free.unknown, false) {
            None if of_anybody => next(&mut self.free.known, true),
            found => found,
        }
    }

    /// Lists whose numbers may be given away. Only at the pace of forgetting: it looks at everyone.
    fn list_free(&mut self, before: UtcMillis) {
        self.free = Free::default();
        if self.people.len() < UNKNOWN_MAX {
            return;
        }
        let unheard = |person: &Person| person.sent.is_none() && !person.dirty && person.fixed < before;
        let mut free: Vec<(u32, &Person)> =
            (0..).zip(&self.people).filter(|(_, person)| unheard(person)).collect();
        free.sort_by_key(|(_, person)| std::cmp::Reverse(person.fixed));
        for (index, person) in free {
            let of = if person.is_known { &mut self.free.known } else { &mut self.free.unknown };
            of.push(index);
        }
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
            self.layers.clear();
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
            let row = Arc::new(WhoRow { code: person.code.clone(), name: None });
            let (id, version) = (u64::from(index), self.version);
            let known = Known { row, areas: person.areas.clone() };
            self.who.set(id, version, Some(known), keyed_hash(id, version));
        }
        let layers = self.layers.iter_mut().filter(|(scope, _)| scope.admits_area(&person.areas));
        for cells in layers.map(|(_, layer)| &mut layer.cells).chain([&mut self.cells]) {
            if let Some((old, was)) = before {
                cells.depart(old, index, was, old == cell);
            }
            cells.arrive(cell, index, at);
        }
        if let Some((old, _)) = before.filter(|(old, _)| *old != cell) {
            entries.entry(old).or_default().push(Entry::Gone { index });
        }
        let base = before.filter(|(old, _)| *old == cell).map(|(_, was)| was);
        entries.entry(cell).or_default().push(entry(index, person, at, base, now));
    }

    fn publish(&mut self, cell: Cell, entries: Vec<Entry>, now: UtcMillis) {
        for (scope, layer) in &mut self.layers {
            let seen = |entry: &&Entry| {
                let (Entry::Gone { index } | Entry::Here { index, .. }) = entry;
                scope.admits_area(&self.people[*index as usize].areas)
            };
            let entries: Vec<Entry> = entries.iter().filter(seen).cloned().collect();
            if !entries.is_empty() {
                layer.cells.publish(cell, self.version, entries, now);
            }
        }
        self.cells.publish(cell, self.version, entries, now);
    }

    /// One person's newest position, to the last digit.
    #[must_use]
    pub fn newest(&self, index: u32) -> Option<PositionRow> {
        let person = self.people.get(index as usize)?;
        let place = person.sent.is_some().then_some(person.place);
        self.row(index, true).map(|row| PositionRow { place, ..row })
    }

    /// Takes people off the screens whose last fix is older than `before`. Their track stays, and their number while
    /// the table has room.
    pub fn forget(&mut self, before: UtcMillis, now: UtcMillis) -> usize {
        self.layers.retain(|_, layer| std::mem::take(&mut layer.used));
        self.look_where_they_work();
        let old: Vec<u32> = (0..)
            .zip(&self.people)
            .filter(|(_, p)| p.sent.is_some() && p.fixed < before)
            .map(|(index, _)| index)
            .collect();
        for cells in self.layers.values_mut().map(|layer| &mut layer.cells).chain([&mut self.cells]) {
            cells.give_back(now);
        }
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
            let Some((cell, was)) = person.sent.take() else { continue };
            let layers = self.layers.iter_mut().filter(|(scope, _)| scope.admits_area(&person.areas));
            for cells in layers.map(|(_, layer)| &mut layer.cells).chain([&mut self.cells]) {
                cells.depart(cell, *index, was, false);
            }
            entries.entry(cell).or_default().push(Entry::Gone { index: *index });
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
