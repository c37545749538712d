//! Inspectors (监督员) who walk along the streets of the schematic map and report where they are.

use std::time::Duration;

use domain::place::Point;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use crate::schematic::{Network, Schematic};

/// One position as `POST /api/v1/positions` takes it.
#[derive(Debug, Clone, Serialize)]
pub struct Fix {
    pub inspector: String,
    pub place: Point,
    /// UTC milliseconds.
    pub fixed: i64,
    pub speed_mps: f32,
    pub heading_deg: f32,
}

/// A fix is sent this often by each inspector, in milliseconds of the machine's: a phone reports no more often where the hall's
/// clock goes faster.
pub const REPORT_EVERY_MS: i64 = 5_000;
/// Who has slept for longer goes on from where everybody stood.
const MOVED_MAX_MS: i64 = 600_000;

struct Walker {
    name: String,
    from: u32,
    to: u32,
    /// Metres walked from `from` towards `to`.
    along_m: f64,
    length_m: f64,
    speed_mps: f64,
    /// Stands still until then, by the hall's clock.
    rests_until_ms: i64,
    /// The phone is off or out of reach until then, in milliseconds since the walk began.
    silent_until_ms: i64,
    next_report_ms: i64,
}

/// Everyone on the streets.
pub struct Walkers {
    random: StdRng,
    people: Vec<Walker>,
    network: Network,
    moved_ms: i64,
}

impl Walkers {
    /// Places `count` inspectors, spread over the network in proportion to its crossings.
    #[must_use]
    pub fn new(city: Schematic, count: usize, seed: u64, now_ms: i64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ 0x9e37_79b9);
        let nodes = city.network.nodes.len() as u32;
        let people = (0..count)
            .map(|number| {
                let from = random.random_range(0..nodes);
                let mut walker = Walker {
                    name: format!("J{:04}", number + 1),
                    from,
                    to: from,
                    along_m: 0.0,
                    length_m: 0.0,
                    speed_mps: random.random_range(0.9..1.7),
                    rests_until_ms: 0,
                    silent_until_ms: 0,
                    next_report_ms: random.random_range(0..REPORT_EVERY_MS),
                };
                walker.turn(&city.network, &mut random);
                walker.along_m = random.random_range(0.0..walker.length_m.max(1.0));
                walker
            })
            .collect();
        Self { random, people, network: city.network, moved_ms: now_ms }
    }

    /// Moves everyone up to `now_ms` of the hall's clock and returns the fixes that are due, so long after the walk began.
    pub fn step(&mut self, now_ms: i64, since: Duration) -> Vec<Fix> {
        let passed_s = (now_ms - self.moved_ms).clamp(0, MOVED_MAX_MS) as f64 / 1_000.0;
        let since_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        self.moved_ms = now_ms;
        let mut fixes = Vec::new();
        for walker in &mut self.people {
            walker.walk(passed_s, now_ms, &self.network, &mut self.random);
            if since_ms < walker.next_report_ms {
                continue;
            }
            walker.next_report_ms = since_ms + REPORT_EVERY_MS + self.random.random_range(-400..400);
            if since_ms < walker.silent_until_ms {
                continue;
            }
            // Once in about two hours a phone falls silent for some minutes.
            if self.random.random_bool(0.0007) {
                walker.silent_until_ms = since_ms + self.random.random_range(120_000..900_000);
            }
            fixes.push(walker.fix(now_ms, &self.network));
        }
        fixes
    }
}

impl Walker {
    fn walk(&mut self, passed_s: f64, now_ms: i64, network: &Network, random: &mut StdRng) {
        if now_ms < self.rests_until_ms {
            return;
        }
        self.along_m += self.speed_mps * passed_s;
        while self.along_m >= self.length_m {
            self.along_m -= self.length_m;
            let came_from = self.from;
            self.from = self.to;
            self.turn(network, random);
            if self.to == came_from && network.nodes[self.from as usize].links.len() > 1 {
                self.turn(network, random);
            }
            // Looks at something now and then.
            if random.random_bool(0.15) {
                self.rests_until_ms = now_ms + random.random_range(20_000..180_000);
                break;
            }
        }
    }

    fn turn(&mut self, network: &Network, random: &mut StdRng) {
        let links = &network.nodes[self.from as usize].links;
        if links.is_empty() {
            self.length_m = 1.0;
            return;
        }
        let link = &links[random.random_range(0..links.len())];
        self.to = link.to;
        self.length_m = link.length_m.max(1.0);
    }

    fn fix(&self, now_ms: i64, network: &Network) -> Fix {
        let (a, b) = (network.nodes[self.from as usize].point, network.nodes[self.to as usize].point);
        let share = (self.along_m / self.length_m).clamp(0.0, 1.0);
        let between = |from: i32, to: i32| from + (f64::from(to - from) * share) as i32;
        let place = Point::from_e6(between(a.lat_e6(), b.lat_e6()), between(a.lon_e6(), b.lon_e6()));
        let rests = now_ms < self.rests_until_ms;
        Fix {
            inspector: self.name.clone(),
            place: place.unwrap_or(a),
            fixed: now_ms,
            speed_mps: if rests { 0.0 } else { self.speed_mps as f32 },
            heading_deg: a.bearing_deg(b) as f32,
        }
    }
}
