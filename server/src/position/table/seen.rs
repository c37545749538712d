//! What readers are given of the table: everyone, or those who work where the reader sees.
//!
//! A part is kept as cells of its own while somebody looks at it, so that the whole city's cost is what it was. What
//! should not be here: how positions come in (`table`).

use bytes::Bytes;
use domain::code::{AreaCode, InspectorCode};
use domain::moment::UtcMillis;
use domain::place::Point;
use domain::position::Cell;
use domain::scope::Scope;
use domain::wire::{Part, PositionRow, WhoRow, keyed_hash};
use std::sync::Arc;

use super::{Person, Table, entry};
use crate::position::cells::Cells;
use crate::versioned::{Head, Placed};

/// Rows for the JSON feed.
#[derive(Debug, PartialEq)]
pub struct Rows {
    /// 0 when the rows are everything.
    pub from: u64,
    pub to: u64,
    pub rows: Vec<PositionRow>,
}

/// Who has a number, with the areas where they work: by these, and not by the spot on the map, somebody is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub row: Arc<WhoRow>,
    pub(super) areas: Areas,
}

impl Placed for Known {
    fn areas(&self) -> &[AreaCode] {
        &self.areas
    }
}

/// Areas with those they lie in.
pub type Areas = Arc<[AreaCode]>;

/// Where somebody works; none for a code that no token is for.
pub type WorksIn = Arc<dyn Fn(&InspectorCode) -> Option<Areas> + Send + Sync>;

/// Those whom the readers of one scope see, as long as somebody looks.
#[derive(Debug)]
pub(super) struct Layer {
    pub cells: Cells,
    /// Version at which it was made: a client that stands before that begins anew.
    made: u64,
    /// Somebody has asked since numbers were last forgotten.
    pub used: bool,
    /// Held so that `who` counts this part.
    _who: Head,
}

impl Table {
    /// Those of a part, or everyone.
    fn layer(&mut self, part: Option<&Part>) -> Option<&mut Cells> {
        match part {
            None => Some(&mut self.cells),
            Some(Part::Own(Some(scope))) => Some(&mut self.layer_of(scope).cells),
            Some(Part::Own(None) | Part::Area(_)) => None,
        }
    }

    fn layer_of(&mut self, scope: &Arc<Scope>) -> &mut Layer {
        if !self.layers.contains_key(scope) {
            let mut cells = Cells::default();
            let all = (0..).zip(&self.people).filter(|(_, person)| scope.admits_area(&person.areas));
            for (index, (cell, at)) in all.filter_map(|(index, person)| Some((index, person.sent?))) {
                cells.arrive(cell, index, at);
            }
            // A version of its own: whoever stood at the last one held frames of a part that is forgotten, and begins anew.
            self.version += 1;
            cells.stand_at(self.version);
            let who = self.who.head(Some(&Part::Own(Some(scope.clone()))));
            let layer = Layer { cells, made: self.version, used: true, _who: who };
            self.layers.insert(scope.clone(), layer);
        }
        let layer = self.layers.get_mut(scope).expect("it is there now");
        layer.used = true;
        layer
    }

    /// Tells who works where, and looks anew at everybody.
    pub fn set_works_in(&mut self, works_in: WorksIn) {
        self.works_in = Some(works_in);
        self.look_where_they_work();
    }

    /// Somebody may work elsewhere since: parts where anything changed are made anew by whoever looks at them next.
    pub(super) fn look_where_they_work(&mut self) {
        let Some(works_in) = &self.works_in else { return };
        // A version of its own: whoever has been told the last one is told this as well.
        let version = self.version + 1;
        for index in 0..self.people.len() {
            let person = &mut self.people[index];
            let works = works_in(&person.code);
            self.unknown -= usize::from(!person.is_known);
            person.is_known = works.is_some();
            self.unknown += usize::from(!person.is_known);
            let areas = works.unwrap_or_else(|| Areas::from([]));
            if areas == person.areas {
                continue;
            }
            let seen = |scope: &Arc<Scope>| scope.admits_area(&areas) != scope.admits_area(&person.areas);
            self.layers.retain(|scope, _| !seen(scope));
            person.areas = areas.clone();
            let id = index as u64;
            if let Some(known) = self.who.get(&id).cloned() {
                self.version = version;
                self.who.set(id, version, Some(Known { areas, ..known }), keyed_hash(id, version));
            }
        }
    }

    /// Packed frames that bring a client of one cell, or of all, from `from` to the present version.
    pub fn frames(
        &mut self,
        part: Option<&Part>,
        cell: Option<Cell>,
        from: u64,
        now: UtcMillis,
    ) -> Vec<Bytes> {
        self.layer(part);
        let people = &self.people;
        // As last told, not as last reported: later fixes come with the next tick.
        let whole = |index: u32| {
            let person = &people[index as usize];
            let (_, at) = person.sent?;
            Some(entry(index, person, at, None, now))
        };
        let cells = match part {
            None => Some(&mut self.cells),
            Some(Part::Own(Some(scope))) => self.layers.get_mut(scope).map(|layer| &mut layer.cells),
            Some(Part::Own(None) | Part::Area(_)) => None,
        };
        cells.map_or_else(Vec::new, |cells| cells.frames(cell, from, now, whole))
    }

    /// Whether a client of one cell, or of all, that stands at `from` must start anew: an earlier process told it so, its
    /// part has been made anew since, or cells have been given back that it may have seen people in.
    #[must_use]
    pub fn is_from_before(&mut self, part: Option<&Part>, cell: Option<Cell>, from: u64) -> bool {
        let made = match part {
            Some(Part::Own(Some(scope))) => self.layer_of(scope).made,
            Some(Part::Own(None) | Part::Area(_)) | None => 0,
        };
        let cells = if cell.is_none() { self.layer(part) } else { None };
        let known_since = cells.map_or(0, |cells| cells.known_since());
        from != 0 && from < self.first.max(made).max(known_since)
    }

    /// Rows that bring a JSON client of one cell, or of all, from `from` to the present version.
    #[must_use]
    pub fn rows(&mut self, part: Option<&Part>, cell: Option<Cell>, from: u64) -> Rows {
        let none = Rows { from, to: self.version, rows: Vec::new() };
        let seen = |person: &Person| match part {
            None => true,
            Some(Part::Own(scope)) => scope.as_ref().is_some_and(|scope| scope.admits_area(&person.areas)),
            Some(Part::Area(_)) => false,
        };
        let Some(cell) = cell else {
            let all = (0..).zip(&self.people).filter(|(_, person)| seen(person) && person.told > from);
            let rows = all.filter_map(|(index, _)| self.row(index, true));
            let rows = rows.filter(|row| from != 0 || row.place.is_some()).collect();
            return Rows { from, to: self.version, rows };
        };
        self.layer(part);
        let cells = match part {
            None => Some(&self.cells),
            Some(Part::Own(Some(scope))) => self.layers.get(scope).map(|layer| &layer.cells),
            Some(Part::Own(None) | Part::Area(_)) => None,
        };
        let changed = |index: u32| self.people[index as usize].told > from;
        let Some(since) = cells.and_then(|cells| cells.since(cell, from, changed)) else { return none };
        let here = since.here.into_iter().filter_map(|index| self.row(index, true));
        let left = since.left.into_iter().filter_map(|index| self.row(index, false));
        Rows { from: since.from, to: since.to, rows: here.chain(left).collect() }
    }

    /// One person's row as screens have been told; without a place when they have left the cell asked for.
    pub(super) fn row(&self, index: u32, here: bool) -> Option<PositionRow> {
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

    /// State hash of everyone, or of those of a part, and of each cell with its version.
    #[must_use]
    pub fn hashes(&mut self, part: Option<&Part>) -> (u64, Vec<(Cell, u64, u64)>) {
        self.layer(part).map_or_else(|| (0, Vec::new()), |cells| cells.hashes())
    }

    /// Where `who` of a part stands, with its hash.
    #[must_use]
    pub fn who_at(&mut self, part: Option<&Part>) -> (u64, u64) {
        self.layer(part);
        self.who.hash(part)
    }
}
