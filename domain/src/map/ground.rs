//! The ground as the placing of words knows it: areas with their rings, roads with their lines.

use super::rect::Rect;
use super::view::{Px, Spot};

/// A district, street or lake with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// As it is written on the map, in the language of the screen.
    pub name: String,
    /// Where its name belongs.
    pub label: Spot,
    ring: Vec<Spot>,
    /// Of the ring, in the unit square.
    bounds: Rect,
}

impl Area {
    #[must_use]
    pub fn new(name: String, label: Spot, ring: Vec<Spot>) -> Self {
        let empty = Rect { left: 1.0, top: 1.0, right: 0.0, bottom: 0.0 };
        let bounds = ring.iter().fold(empty, |bounds, spot| Rect {
            left: bounds.left.min(spot.x),
            top: bounds.top.min(spot.y),
            right: bounds.right.max(spot.x),
            bottom: bounds.bottom.max(spot.y),
        });
        Self { name, label, ring, bounds }
    }

    /// By the even-odd rule.
    #[must_use]
    pub fn holds(&self, spot: Spot) -> bool {
        if !self.bounds.holds(Px::new(spot.x, spot.y)) {
            return false;
        }
        let mut inside = false;
        let mut before = self.ring.last().copied().unwrap_or_default();
        for corner in &self.ring {
            let crosses = (corner.y > spot.y) != (before.y > spot.y);
            if crosses
                && spot.x < (before.x - corner.x) * (spot.y - corner.y) / (before.y - corner.y) + corner.x
            {
                inside = !inside;
            }
            before = *corner;
        }
        inside
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Road {
    pub name: String,
    /// Named from nearer on than others.
    pub lane: bool,
    pub line: Vec<Spot>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ground {
    pub districts: Vec<Area>,
    pub streets: Vec<Area>,
    pub lakes: Vec<Area>,
    pub roads: Vec<Road>,
}

impl Ground {
    /// Which district a place lies in.
    #[must_use]
    pub fn district_of(&self, spot: Spot) -> Option<usize> {
        self.districts.iter().position(|district| district.holds(spot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bent_area_holds_what_lies_in_it_and_not_what_lies_in_its_bend() {
        let spot = |x: f64, y: f64| Spot { x: x / 10.0, y: y / 10.0 };
        let ring = [(1.0, 1.0), (9.0, 1.0), (9.0, 3.0), (3.0, 3.0), (3.0, 9.0), (1.0, 9.0)];
        let area = Area::new(String::new(), spot(2.0, 2.0), ring.map(|(x, y)| spot(x, y)).to_vec());
        assert!(area.holds(spot(8.0, 2.0)) && area.holds(spot(2.0, 8.0)));
        assert!(!area.holds(spot(6.0, 6.0)) && !area.holds(spot(0.5, 5.0)));
    }
}
