//! People who stand close together, gathered into circles with numbers; and districts whose positions are late.
//!
//! Fields are fixed to the ground and a circle keeps to the middle of its field: it does not wander while its people
//! walk, and two circles never touch.

use std::collections::BTreeMap;

use super::ground::Ground;
use super::people::People;
use super::view::{Spot, View};

/// Side of a field, and radius of a circle, in units of the base size.
const FIELD: f64 = 124.0;
pub const RADIUS: f64 = 26.0;
/// From how many on the people of a field are a circle, and from how few on they are none any more.
const FROM: usize = 12;
const UNTIL: usize = 9;
/// The part of a field's side that a circle's middle keeps away from its borders, and the part that its people may
/// draw away from it before it follows.
const MARGIN: f64 = 0.3;
const LEASH: f64 = 0.25;
/// People a district must have before one can say that its positions are late.
const LATE_FROM: usize = 5;

/// A place of a field on the grid of fields.
pub type Field = (i32, i32);

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub field: Field,
    pub middle: Spot,
    pub late: usize,
    /// Indexes the feed knows them by.
    pub members: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LateDistrict {
    /// Place in the ground's list.
    pub district: usize,
    /// Age of the middle one of its late fixes.
    pub age_s: u32,
}

/// Which fields had a circle and where.
#[derive(Debug, Default)]
pub struct Crowd {
    side: f64,
    middles: BTreeMap<Field, Spot>,
}

impl Crowd {
    /// Gathers people into groups and hides them one by one. Groups and single people add up to all. Sorted by field.
    pub fn gather(
        &mut self,
        people: &mut People,
        view: &View,
        unit: f64,
        stale_s: f64,
        now: f64,
        enabled: bool,
    ) -> Vec<Group> {
        // Half steps of zoom: between them the fields stay as they are.
        let side = FIELD * unit / (512.0 * ((view.zoom * 2.0).round() / 2.0).exp2());
        if side != self.side || !enabled {
            self.middles.clear();
            self.side = side;
        }
        for slot in 0..people.len() {
            people.show(slot, true);
        }
        if !enabled {
            return Vec::new();
        }
        let groups = self.fill(people);
        let mut middles = BTreeMap::new();
        let mut made = Vec::new();
        for (field, slots) in groups {
            let stood = self.middles.get(&field).copied();
            if slots.len() < if stood.is_some() { UNTIL } else { FROM } {
                continue;
            }
            let middle = self.middle(field, &slots, people, stood);
            middles.insert(field, middle);
            let late = slots.iter().filter(|slot| people.age_s(**slot, now) > stale_s).count();
            let members = slots.iter().map(|slot| people.id(*slot)).collect();
            slots.iter().for_each(|slot| people.show(*slot, false));
            made.push(Group { field, middle, late, members });
        }
        self.middles = middles;
        made
    }

    fn fill(&self, people: &People) -> BTreeMap<Field, Vec<usize>> {
        let mut fields: BTreeMap<Field, Vec<usize>> = BTreeMap::new();
        for slot in 0..people.len() {
            let spot = people.newest(slot);
            let field = ((spot.x / self.side) as i32, (spot.y / self.side) as i32);
            fields.entry(field).or_default().push(slot);
        }
        fields
    }

    fn middle(&self, field: Field, slots: &[usize], people: &People, stood: Option<Spot>) -> Spot {
        let count = slots.len() as f64;
        let sum = slots.iter().fold(Spot::default(), |sum, slot| {
            let spot = people.newest(*slot);
            Spot { x: sum.x + spot.x, y: sum.y + spot.y }
        });
        let within = |sum: f64, field: i32| {
            let low = f64::from(field) * self.side;
            (sum / count).clamp(low + MARGIN * self.side, low + (1.0 - MARGIN) * self.side)
        };
        let middle = Spot { x: within(sum.x, field.0), y: within(sum.y, field.1) };
        stood.filter(|stood| stood.distance(middle) < LEASH * self.side).unwrap_or(middle)
    }
}

/// Districts where more than half of the people have not been heard of for `stale_s` seconds: 位置滞后.
#[must_use]
pub fn late_districts(people: &People, ground: &Ground, stale_s: f64, now: f64) -> Vec<LateDistrict> {
    let mut counts = vec![0_usize; ground.districts.len()];
    let mut ages: Vec<Vec<u32>> = vec![Vec::new(); ground.districts.len()];
    let late = (0..people.len()).any(|slot| people.age_s(slot, now) > stale_s);
    if !late {
        return Vec::new();
    }
    for slot in 0..people.len() {
        let Some(district) = ground.district_of(people.newest(slot)) else { continue };
        counts[district] += 1;
        let age = people.age_s(slot, now);
        if age > stale_s {
            ages[district].push(age as u32);
        }
    }
    let districts = ages.into_iter().enumerate().filter_map(|(district, mut ages)| {
        let late = counts[district] >= LATE_FROM && ages.len() * 2 > counts[district];
        let middle = ages.len() / 2;
        late.then(|| LateDistrict { district, age_s: *ages.select_nth_unstable(middle).1 })
    });
    districts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::ground::Area;
    use crate::map::people::Fix;

    fn walkers(count: u32, spread: i32, age_s: i32) -> People {
        let mut people = People::default();
        people.tick(0.0);
        for id in 0..count {
            let fix = Fix {
                lon_e5: 10_270_000 + (id as i32 * 7_919) % spread,
                lat_e5: 2_504_000 + (id as i32 * 104_729) % spread,
                heading_deg: None,
                age_s,
            };
            people.place(id, &fix, 0.0, 20.0);
        }
        people
    }

    fn view() -> View {
        View::of_bounds([102.5, 24.85, 102.95, 25.2], [16.0; 4], 1_090.0, 860.0)
    }

    #[test]
    fn groups_and_single_people_add_up_and_circles_never_touch() {
        let mut people = walkers(3_000, 37_000, 0);
        let far = Fix { lon_e5: 10_255_000, lat_e5: 2_490_000, heading_deg: None, age_s: 0 };
        people.place(3_000, &far, 0.0, 20.0);
        let groups = Crowd::default().gather(&mut people, &view(), 1.0, 120.0, 0.0, true);
        let grouped: usize = groups.iter().map(|group| group.members.len()).sum();
        let single = (0..people.len()).filter(|slot| people.is_shown(*slot)).count();
        assert!(groups.len() > 3 && single > 0, "{} groups, {single} single", groups.len());
        assert_eq!(grouped + single, 3_001);
        for (at, one) in groups.iter().enumerate() {
            for other in &groups[..at] {
                let apart = view().at(one.middle).distance(view().at(other.middle));
                assert!(apart >= 2.0 * RADIUS, "{apart}");
            }
        }
    }

    #[test]
    fn a_circle_stays_where_it_is_while_its_people_walk_about_and_a_few_leave() {
        let mut people = walkers(12, 100, 0);
        let mut crowd = Crowd::default();
        let first = crowd.gather(&mut people, &view(), 1.0, 120.0, 0.0, true);
        assert_eq!(first.len(), 1);
        people.remove(0);
        people.remove(1);
        let fix = Fix { lon_e5: 10_270_300, lat_e5: 2_504_000, heading_deg: None, age_s: 0 };
        people.place(2, &fix, 1.0, 20.0);
        let second = crowd.gather(&mut people, &view(), 1.0, 120.0, 1.0, true);
        assert_eq!((second[0].middle, second[0].members.len()), (first[0].middle, 10));
        let fresh = Crowd::default().gather(&mut people, &view(), 1.0, 120.0, 1.0, true);
        assert!(fresh.is_empty(), "ten alone are no circle");
    }

    #[test]
    fn a_district_is_late_when_most_of_its_people_are_and_says_how_much() {
        let corner = |lon: f64, lat: f64| Spot::of_degrees(lon, lat);
        let ring = [(102.6, 25.0), (102.8, 25.0), (102.8, 25.1), (102.6, 25.1)];
        let ring = ring.map(|(lon, lat)| corner(lon, lat)).to_vec();
        let district = Area::new("五华".to_owned(), corner(102.7, 25.05), ring);
        let ground = Ground { districts: vec![district], ..Ground::default() };
        let mut people = walkers(9, 500, 200);
        assert_eq!(late_districts(&people, &ground, 120.0, 0.0), [LateDistrict { district: 0, age_s: 200 }]);
        for id in 0..5 {
            let fix = Fix { lon_e5: 10_270_000, lat_e5: 2_504_000, heading_deg: None, age_s: 1 };
            people.place(id, &fix, 0.0, 20.0);
        }
        assert_eq!(late_districts(&people, &ground, 120.0, 0.0), []);
    }
}
