//! Where inspectors are: the newest position of each, moved smoothly from the one before it.
//!
//! The numbers stand as a graphics card takes them, which does the moving itself: a frame costs the same for ten people
//! and ten thousand.

use std::collections::BTreeMap;

use super::view::{Spot, WORLD_M};

/// Numbers per person: from x, y, to x, y in metres from `origin`, from time, to time in seconds, heading in radians
/// (below −5 stands still), time of the fix, 1 where drawn by itself.
pub const STRIDE: usize = 9;
/// Steps of a trail that are kept.
const TRAIL: usize = 6;
/// Numbers per piece of a trail: tail x, y, head from x, y, head to x, y, from time, to time.
pub const SEGMENT: usize = 8;
/// Pieces of trails at most; beyond this many walkers trails say nothing any more.
const SEGMENTS_MAX: usize = 4_000;
/// A way taken in one step longer than this is a jump, not a walk.
const JUMP_M: f32 = 3_000.0;
/// Times are shifted before 32-bit seconds get coarse.
const SHIFT_AFTER_S: f64 = 4_096.0;
/// Seconds within which someone arrives at the newest place, judged by the wait for it.
const WAIT_S: (f32, f32) = (0.25, 2.5);
const STILL: f32 = -10.0;

/// A new position as it came: degrees in 1e-5, heading in degrees (none stands still), age of the fix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    pub lon_e5: i32,
    pub lat_e5: i32,
    pub heading_deg: Option<i32>,
    pub age_s: i32,
}

#[derive(Debug, Default)]
pub struct People {
    origin: Option<Spot>,
    /// What the seconds in `data` count from.
    began: f64,
    data: Vec<f32>,
    trails: Vec<[(f32, f32); TRAIL]>,
    trail_lengths: Vec<u8>,
    slots: BTreeMap<u32, usize>,
    ids: Vec<u32>,
    busy_until: f64,
    fastest: f64,
}

impl People {
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// `STRIDE` numbers for each, in the order of slots.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// What the metres in `data` count from.
    #[must_use]
    pub fn origin(&self) -> Spot {
        self.origin.unwrap_or_default()
    }

    #[must_use]
    pub fn began(&self) -> f64 {
        self.began
    }

    /// Until when somebody moves, and metres a second of the fastest, lately.
    #[must_use]
    pub fn motion(&self) -> (f64, f64) {
        (self.busy_until, self.fastest)
    }

    /// Call once before the fixes of a tick. `now` is seconds by a clock that only runs on.
    pub fn tick(&mut self, now: f64) {
        self.fastest *= 0.9;
        if self.ids.is_empty() {
            self.began = now;
        }
        let shift = now - self.began;
        if shift > SHIFT_AFTER_S {
            self.began = now;
            for person in self.data.chunks_exact_mut(STRIDE) {
                [4, 5, 7].into_iter().for_each(|time| person[time] -= shift as f32);
            }
        }
    }

    /// `trail_step_m` is the way between two kept points of a trail.
    pub fn place(&mut self, id: u32, fix: &Fix, now: f64, trail_step_m: f32) {
        let spot = Spot::of_degrees(f64::from(fix.lon_e5) / 1e5, f64::from(fix.lat_e5) / 1e5);
        let origin = *self.origin.get_or_insert(spot);
        let x = ((spot.x - origin.x) * WORLD_M) as f32;
        let y = ((spot.y - origin.y) * WORLD_M) as f32;
        let seconds = (now - self.began) as f32;
        let known = self.slots.get(&id).copied();
        let slot = known.unwrap_or_else(|| self.add(id));
        let person = &mut self.data[slot * STRIDE..][..STRIDE];
        let mut from = (x, y);
        let mut wait = 0.0;
        if known.is_some() {
            let part = progress(seconds, person[4], person[5]);
            from = (person[0] + (person[2] - person[0]) * part, person[1] + (person[3] - person[1]) * part);
            wait = ((seconds - person[4]) * 1.1).clamp(WAIT_S.0, WAIT_S.1);
        }
        let way = distance(from, (x, y));
        if way > JUMP_M {
            from = (x, y);
            self.trail_lengths[slot] = 0;
        } else if way > 0.0 {
            self.busy_until = self.busy_until.max(now + f64::from(wait));
            self.fastest = self.fastest.max(f64::from(way / wait.max(WAIT_S.0)));
        }
        let heading = fix.heading_deg.map_or(STILL, |degrees| (degrees as f32).to_radians());
        let fixed = seconds - fix.age_s as f32;
        person[..8].copy_from_slice(&[from.0, from.1, x, y, seconds, seconds + wait, heading, fixed]);
        self.leave(slot, (x, y), trail_step_m);
    }

    fn add(&mut self, id: u32) -> usize {
        let slot = self.ids.len();
        self.slots.insert(id, slot);
        self.ids.push(id);
        self.data.extend([0.0; STRIDE]);
        self.data[slot * STRIDE + 8] = 1.0;
        self.trails.push([(0.0, 0.0); TRAIL]);
        self.trail_lengths.push(0);
        slot
    }

    pub fn remove(&mut self, id: u32) {
        let Some(slot) = self.slots.remove(&id) else { return };
        let last = self.ids.len() - 1;
        self.data.copy_within(last * STRIDE..(last + 1) * STRIDE, slot * STRIDE);
        self.data.truncate(last * STRIDE);
        self.ids.swap_remove(slot);
        self.trails.swap_remove(slot);
        self.trail_lengths.swap_remove(slot);
        if slot < last {
            self.slots.insert(self.ids[slot], slot);
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn leave(&mut self, slot: usize, at: (f32, f32), step_m: f32) {
        let (trail, length) = (&mut self.trails[slot], usize::from(self.trail_lengths[slot]));
        if length > 0 && distance(trail[length - 1], at) < step_m {
            return;
        }
        if length == TRAIL {
            trail.rotate_left(1);
        }
        trail[length.min(TRAIL - 1)] = at;
        self.trail_lengths[slot] = (length + 1).min(TRAIL) as u8;
    }

    /// The pieces of the trails of all who are drawn by themselves, `SEGMENT` numbers each.
    #[must_use]
    pub fn segments(&self) -> Vec<f32> {
        let mut segments = Vec::new();
        for (slot, person) in self.data.chunks_exact(STRIDE).enumerate() {
            if person[8] == 0.0 {
                continue;
            }
            let trail = &self.trails[slot][..usize::from(self.trail_lengths[slot])];
            for (at, tail) in trail.iter().enumerate() {
                if segments.len() == SEGMENTS_MAX * SEGMENT {
                    return segments;
                }
                let head = match trail.get(at + 1) {
                    Some(next) => [next.0, next.1, next.0, next.1],
                    None => [person[0], person[1], person[2], person[3]],
                };
                segments.extend([tail.0, tail.1]);
                segments.extend(head);
                segments.extend([person[4], person[5]]);
            }
        }
        segments
    }

    #[must_use]
    pub fn slot(&self, id: u32) -> Option<usize> {
        self.slots.get(&id).copied()
    }

    #[must_use]
    pub fn id(&self, slot: usize) -> u32 {
        self.ids[slot]
    }

    /// Where someone is drawn at this moment.
    #[must_use]
    pub fn at(&self, slot: usize, now: f64) -> Spot {
        let person = &self.data[slot * STRIDE..][..STRIDE];
        let part = progress((now - self.began) as f32, person[4], person[5]);
        self.spot(person[0] + (person[2] - person[0]) * part, person[1] + (person[3] - person[1]) * part)
    }

    /// Where someone's newest fix was.
    #[must_use]
    pub fn newest(&self, slot: usize) -> Spot {
        self.spot(self.data[slot * STRIDE + 2], self.data[slot * STRIDE + 3])
    }

    fn spot(&self, x: f32, y: f32) -> Spot {
        let origin = self.origin();
        Spot { x: f64::from(x) / WORLD_M + origin.x, y: f64::from(y) / WORLD_M + origin.y }
    }

    /// Seconds since someone's fix was taken.
    #[must_use]
    pub fn age_s(&self, slot: usize, now: f64) -> f64 {
        now - self.began - f64::from(self.data[slot * STRIDE + 7])
    }

    #[must_use]
    pub fn is_shown(&self, slot: usize) -> bool {
        self.data[slot * STRIDE + 8] == 1.0
    }

    pub fn show(&mut self, slot: usize, shown: bool) {
        self.data[slot * STRIDE + 8] = f32::from(u8::from(shown));
    }
}

fn progress(now: f32, from: f32, to: f32) -> f32 {
    if to <= from { 1.0 } else { ((now - from) / (to - from)).clamp(0.0, 1.0) }
}

fn distance(a: (f32, f32), b: (f32, f32)) -> f32 {
    ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(lon_e5: i32, age_s: i32) -> Fix {
        Fix { lon_e5, lat_e5: 2_504_000, heading_deg: Some(90), age_s }
    }

    #[test]
    fn someone_walks_from_where_he_was_seen_to_where_he_is() {
        let mut people = People::default();
        people.tick(10.0);
        people.place(7, &fix(10_270_000, 3), 10.0, 20.0);
        people.tick(11.0);
        people.place(7, &fix(10_270_050, 0), 11.0, 20.0);
        let (from, to) = (people.at(0, 11.0), people.newest(0));
        let half = people.at(0, 11.55);
        assert!(from.x < half.x && half.x < to.x);
        assert!((people.at(0, 12.2).x - to.x).abs() < 1e-12);
        assert!((people.age_s(0, 15.0) - 4.0).abs() < 1e-3);
        assert_eq!(people.segments().len(), 2 * SEGMENT);
    }

    #[test]
    fn who_leaves_takes_nobody_with_him() {
        let mut people = People::default();
        people.tick(0.0);
        for id in [4, 5, 6] {
            people.place(id, &fix(10_270_000 + id as i32 * 100, 0), 0.0, 20.0);
        }
        people.remove(4);
        people.remove(9);
        assert_eq!((people.len(), people.slot(4)), (2, None));
        for id in [5, 6] {
            let slot = people.slot(id).unwrap();
            assert_eq!(people.id(slot), id);
            let right = Spot::of_degrees((10_270_000.0 + f64::from(id) * 100.0) / 1e5, 25.04);
            assert!(people.newest(slot).distance(right) * WORLD_M < 0.1);
        }
    }

    #[test]
    fn ages_are_true_after_a_day() {
        let mut people = People::default();
        for hour in 0..25 {
            people.tick(f64::from(hour) * 3_600.0);
            if hour == 0 {
                people.place(1, &fix(10_270_000, 0), 0.0, 20.0);
            }
        }
        assert!((people.age_s(0, 86_400.0) - 86_400.0).abs() < 1.0);
    }
}
