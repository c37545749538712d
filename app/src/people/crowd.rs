//! The crowd as packed frames bring it: frames in, changed people out, and who is near a spot.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use domain::moment::{SECOND_MS, UtcMillis};
use domain::place::Point;
use domain::position::{Cell, CellView, Entry, Frame};

use crate::map::MapPerson;
use crate::order;

/// How many inspectors have a position, and how many of those are out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnDuty {
    pub fresh: usize,
    pub late: usize,
}

/// Where someone was last seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub index: u32,
    pub place: Point,
    pub fixed: UtcMillis,
    pub moving: bool,
}

/// Everyone this screen knows the position of.
#[derive(Default)]
struct Crowd {
    cells: BTreeMap<Cell, CellView>,
    /// Whose newest position lies in which cell: someone may enter one cell before leaving the other.
    home: BTreeMap<u32, Cell>,
}

/// Shared by the connection, which brings frames, and the map, which may come later.
#[derive(Clone, Default)]
pub struct People(Rc<RefCell<Crowd>>);

impl People {
    /// Takes one frame; gives the changes for the map, or none when the frame does not follow on what is held and the
    /// positions must be asked for anew.
    pub fn take(&self, bytes: &[u8], now: UtcMillis) -> Option<Vec<MapPerson>> {
        let frame = Frame::decode(bytes)
            .inspect_err(|error| leptos::logging::warn!("position frame not understood: {error}"))
            .ok()?;
        self.0.borrow_mut().take(&frame, now)
    }

    /// Everyone, for a map that has just come up.
    pub fn all(&self, now: UtcMillis) -> Vec<MapPerson> {
        let crowd = self.0.borrow();
        crowd.home.iter().filter_map(|(index, cell)| crowd.person(*cell, *index, now)).collect()
    }

    pub fn on_duty(&self, now: UtcMillis, stale_seconds: u32) -> OnDuty {
        let crowd = self.0.borrow();
        let mut count = OnDuty::default();
        for (index, cell) in &crowd.home {
            let fixed = crowd.cells.get(cell).and_then(|view| view.people.get(index)).map(|seen| seen.fixed);
            match fixed.is_some_and(|fixed| now.since(fixed) <= i64::from(stale_seconds) * SECOND_MS) {
                true => count.fresh += 1,
                false => count.late += 1,
            }
        }
        count
    }

    /// Forgets everyone.
    pub fn clear(&self) {
        *self.0.borrow_mut() = Crowd::default();
    }

    /// At most `count` people within `within_m` metres of the spot, nearest first.
    pub fn nearest(&self, spot: Point, within_m: f64, count: usize) -> Vec<Seen> {
        let crowd = self.0.borrow();
        let seen = crowd.home.iter().filter_map(|(index, cell)| crowd.seen(*cell, *index));
        let near = seen.map(|seen| (seen.place.near_distance_m(spot), seen));
        let mut near: Vec<(f64, Seen)> = near.filter(|(distance, _)| *distance <= within_m).collect();
        order::sort_by(&mut near, |a, b| a.0.total_cmp(&b.0));
        near.into_iter().take(count).map(|(_, seen)| seen).collect()
    }

    pub fn one(&self, index: u32) -> Option<Seen> {
        let crowd = self.0.borrow();
        crowd.seen(*crowd.home.get(&index)?, index)
    }
}

impl Crowd {
    fn take(&mut self, frame: &Frame, now: UtcMillis) -> Option<Vec<MapPerson>> {
        let whole = frame.from == 0;
        let view = self.cells.entry(frame.cell).or_default();
        if !view.apply(frame) {
            return None;
        }
        let mut changed = Vec::with_capacity(frame.entries.len());
        if whole {
            // A frame from nothing replaces the cell: whoever it does not name has left it.
            let named = &view.people;
            let left: Vec<u32> = self
                .home
                .iter()
                .filter(|(index, cell)| **cell == frame.cell && !named.contains_key(*index))
                .map(|(index, _)| *index)
                .collect();
            left.into_iter().for_each(|index| {
                self.home.remove(&index);
                changed.push(MapPerson::Gone { index });
            });
        }
        for entry in &frame.entries {
            match *entry {
                Entry::Here { index, .. } => {
                    self.home.insert(index, frame.cell);
                    changed.extend(self.person(frame.cell, index, now));
                }
                Entry::Gone { index } if self.home.get(&index) == Some(&frame.cell) => {
                    self.home.remove(&index);
                    changed.push(MapPerson::Gone { index });
                }
                Entry::Gone { .. } => {}
            }
        }
        Some(changed)
    }

    fn seen(&self, cell: Cell, index: u32) -> Option<Seen> {
        let seen = self.cells.get(&cell)?.people.get(&index)?;
        let place = Point::from_degrees(seen.at.lat(), seen.at.lon())?;
        Some(Seen { index, place, fixed: seen.fixed, moving: seen.moving })
    }

    fn person(&self, cell: Cell, index: u32, now: UtcMillis) -> Option<MapPerson> {
        let seen = self.cells.get(&cell)?.people.get(&index)?;
        let age = (now.since(seen.fixed) / SECOND_MS).clamp(0, i64::from(u32::MAX)) as u32;
        Some(MapPerson::Here {
            index,
            at: seen.at,
            heading: seen.moving.then_some(seen.heading),
            age_seconds: age,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::position::Grid;

    fn here(index: u32) -> Entry {
        let delta = Grid { lat: 10, lon: 20 };
        Entry::Here { index, absolute: true, delta, moving: true, heading: 4, age_seconds: 0 }
    }

    fn frame(x: i16, from: u64, to: u64, entries: Vec<Entry>) -> Frame {
        Frame { cell: Cell { x, y: 0 }, from, to, tick: UtcMillis(1_000), entries }
    }

    /// The cell that is entered may be heard before the one that is left.
    #[test]
    fn someone_who_crosses_a_border_is_not_lost() {
        let mut crowd = Crowd::default();
        crowd.take(&frame(1, 0, 1, vec![here(7)]), UtcMillis(1_000)).unwrap();
        crowd.take(&frame(2, 0, 1, vec![here(7)]), UtcMillis(1_000)).unwrap();
        let left = crowd.take(&frame(1, 1, 2, vec![Entry::Gone { index: 7 }]), UtcMillis(1_000)).unwrap();
        assert!(left.is_empty());
        assert_eq!(crowd.home.get(&7), Some(&Cell { x: 2, y: 0 }));
    }

    #[test]
    fn the_nearest_come_first_and_nobody_from_beyond_the_circle() {
        let people = People::default();
        let at = |index: u32, lat: i32| {
            let delta = Grid { lat, lon: 0 };
            Entry::Here { index, absolute: true, delta, moving: false, heading: 0, age_seconds: 5 }
        };
        let whole = frame(0, 0, 1, vec![at(1, 300), at(2, 100), at(3, 9_000)]);
        people.0.borrow_mut().take(&whole, UtcMillis(60_000)).unwrap();
        let spot =
            Point::from_degrees(people.one(2).unwrap().place.lat(), people.one(2).unwrap().place.lon())
                .unwrap();
        let near: Vec<u32> = people.nearest(spot, 1_000.0, 9).into_iter().map(|seen| seen.index).collect();
        assert_eq!(near, [2, 1]);
        assert_eq!(people.nearest(spot, 1_000.0, 1).len(), 1);
    }

    #[test]
    fn a_frame_that_does_not_follow_asks_for_all_anew() {
        let mut crowd = Crowd::default();
        crowd.take(&frame(1, 0, 3, vec![here(1), here(2)]), UtcMillis(1_000)).unwrap();
        assert_eq!(crowd.take(&frame(1, 5, 6, vec![here(1)]), UtcMillis(1_000)), None);
        let whole = crowd.take(&frame(1, 0, 7, vec![here(2)]), UtcMillis(1_000)).unwrap();
        assert!(whole.contains(&MapPerson::Gone { index: 1 }));
        assert_eq!(crowd.home.len(), 1);
    }
}
