//! The search for a free place, and the memory that keeps a thing where it was.
//!
//! A place costs the way from where the thing belongs and what lies under it. A thing that has a place keeps it until
//! another costs clearly less: a hand learns a place, and an eye finds it again.

use std::collections::BTreeMap;

use super::rect::Rect;
use super::room::Room;
use super::view::Px;

/// Sixteen directions, as east and south parts of one step.
const TURNS: [(f64, f64); 16] = [
    (1.0, 0.0),
    (0.924, 0.383),
    (0.707, 0.707),
    (0.383, 0.924),
    (0.0, 1.0),
    (-0.383, 0.924),
    (-0.707, 0.707),
    (-0.924, 0.383),
    (-1.0, 0.0),
    (-0.924, -0.383),
    (-0.707, -0.707),
    (-0.383, -0.924),
    (0.0, -1.0),
    (0.383, -0.924),
    (0.707, -0.707),
    (0.924, -0.383),
];
/// Ways up and down are shorter on the screen than they look: lines of words are wide and low.
const FLAT: f64 = 0.8;
/// What a pixel of the way costs.
const WAY: f64 = 0.4;
/// What it costs to lie on something at all, and for each square pixel of it.
const CLASH: f64 = 1_000.0;
const CLASH_EACH: f64 = 10.0;

/// What is looked for: room for a rectangle, as near as possible to `home`.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub home: Px,
    /// From where its place is remembered: something that stands still on the ground.
    pub frame: Px,
    pub half_width: f64,
    pub half_height: f64,
    pub step: f64,
    pub reach: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    pub at: Px,
    pub cost: f64,
    /// Weighed area that it shares with others; 0 where nothing else lies.
    pub clash: f64,
}

impl Wish {
    #[must_use]
    pub fn rect(&self, at: Px) -> Rect {
        Rect::around(at, self.half_width, self.half_height)
    }

    /// What a place costs; none where it must not be.
    fn cost(&self, room: &Room, at: Px, price: &impl Fn(Px) -> Option<f64>) -> Option<Found> {
        // What is seen where it belongs is not pushed off the screen.
        if at != self.home && !room.holds(at) {
            return None;
        }
        let own = price(at)?;
        let clash = room.clash(&self.rect(at));
        let lies = if clash > 0.0 { CLASH + clash * CLASH_EACH } else { 0.0 };
        let way = Px::new(at.x - self.home.x, (at.y - self.home.y) / FLAT).distance(Px::default());
        Some(Found { at, cost: lies + way * WAY + own, clash })
    }

    /// The cheapest place within reach. `price` says what a place costs besides the way, none where it must not be.
    pub fn seek(&self, room: &Room, price: &impl Fn(Px) -> Option<f64>) -> Option<Found> {
        let mut best = self.cost(room, self.home, price);
        let mut ring = 1.0;
        while ring * self.step <= self.reach {
            let way = ring * self.step;
            if best.is_some_and(|best| best.cost <= way * WAY) {
                break;
            }
            for (east, south) in TURNS {
                let found = self.cost(room, self.home.plus(east * way, south * way * FLAT), price);
                if let Some(found) = found
                    && best.is_none_or(|best| found.cost < best.cost)
                {
                    best = Some(found);
                }
            }
            ring += 1.0;
        }
        best
    }
}

/// Where things stood when they were last placed, by their names.
#[derive(Debug)]
pub struct Keeper<K> {
    last: BTreeMap<K, Px>,
    now: BTreeMap<K, Px>,
}

impl<K> Default for Keeper<K> {
    fn default() -> Self {
        Self { last: BTreeMap::new(), now: BTreeMap::new() }
    }
}

impl<K: Ord> Keeper<K> {
    /// Begins a new placing: what is not placed in it is forgotten after it.
    pub fn begin(&mut self) {
        self.last = std::mem::take(&mut self.now);
    }

    /// Where `key` is remembered.
    #[must_use]
    pub fn last(&self, key: &K, frame: Px) -> Option<Px> {
        self.last.get(key).map(|offset| frame.plus(offset.x, offset.y))
    }

    pub fn keep(&mut self, key: K, frame: Px, at: Px) {
        self.now.insert(key, Px::new(at.x - frame.x, at.y - frame.y));
    }

    /// The place it had, or another that costs less by more than `margin`.
    pub fn place(
        &mut self,
        key: K,
        wish: &Wish,
        room: &Room,
        margin: f64,
        price: impl Fn(Px) -> Option<f64>,
    ) -> Option<Found> {
        let stands = self.last(&key, wish.frame).and_then(|at| wish.cost(room, at, &price));
        let found = match stands {
            // Nothing can cost less by the margin.
            Some(stands) if stands.cost <= margin => Some(stands),
            Some(stands) => match wish.seek(room, &price) {
                Some(better) if better.cost + margin < stands.cost => Some(better),
                _ => Some(stands),
            },
            None => wish.seek(room, &price),
        };
        if let Some(found) = found {
            self.keep(key, wish.frame, found.at);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::room::Taker;

    fn wish() -> Wish {
        let home = Px::new(200.0, 150.0);
        Wish { home, frame: home, half_width: 30.0, half_height: 12.0, step: 10.0, reach: 160.0 }
    }

    #[test]
    fn a_thing_stands_where_it_belongs_when_nothing_is_there() {
        let found = wish().seek(&Room::new(400.0, 300.0), &|_| Some(0.0)).unwrap();
        assert_eq!((found.at, found.clash), (wish().home, 0.0));
    }

    #[test]
    fn a_thing_goes_round_what_lies_there_and_stays_when_that_goes_until_home_is_clearly_nearer() {
        let mut keeper = Keeper::default();
        let mut room = Room::new(400.0, 300.0);
        room.take(Rect::around(wish().home, 8.0, 8.0), Taker::Mark);
        keeper.begin();
        let first = keeper.place("a", &wish(), &room, 40.0, |_| Some(0.0)).unwrap();
        assert!(first.clash == 0.0 && first.at != wish().home);
        keeper.begin();
        let free = Room::new(400.0, 300.0);
        let second = keeper.place("a", &wish(), &free, 40.0, |_| Some(0.0)).unwrap();
        assert_eq!(second.at, first.at);
        keeper.begin();
        let third = keeper.place("a", &wish(), &free, 1.0, |_| Some(0.0)).unwrap();
        assert_eq!(third.at, wish().home);
    }

    #[test]
    fn what_is_in_the_way_everywhere_is_covered_as_little_as_can_be_and_that_is_said() {
        let mut room = Room::new(400.0, 300.0);
        room.take(Rect::around(wish().home, 400.0, 400.0), Taker::Fixed);
        assert!(wish().seek(&room, &|_| Some(0.0)).unwrap().clash > 0.0);
        assert_eq!(wish().seek(&room, &|_| None), None);
    }
}
