//! A city for the tests of the map: the demonstration's ground, cases that come and go on its roads, people who walk.

use serde_json::Value;

use super::cases::Case;
use super::ground::{Area, Ground, Road};
use super::item::{Ruler, Seen, Style};
use super::people::Fix;
use super::plan::Planner;
use super::rect::Rect;
use super::scene::{Camera, Focus};
use super::view::{Spot, View};

/// Letters as the bundled font sets them, roughly: a Chinese one is as wide as it is high.
pub struct Em;

impl Ruler for Em {
    fn width(&mut self, text: &str, _: Style, size: f64) -> f64 {
        text.chars().map(|letter| if letter.is_ascii() { 0.57 } else { 1.0 }).sum::<f64>() * size
    }
}

/// The same numbers at each run.
pub struct Chance(u64);

impl Chance {
    pub fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }

    pub fn below(&mut self, count: usize) -> usize {
        ((self.part() * count as f64) as usize).min(count - 1)
    }
}

/// A screen's map: its size, how large its words are, in which language.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    pub width: f64,
    pub height: f64,
    pub brief: bool,
    pub latin: bool,
}

struct Walker {
    line: usize,
    at: f64,
    pace_m: f64,
}

pub struct City {
    pub planner: Planner,
    pub view: View,
    pub now: f64,
    chance: Chance,
    roads: Vec<Vec<(f64, f64)>>,
    walkers: Vec<Walker>,
    cases: Vec<Case>,
    next_id: u64,
}

impl City {
    pub fn new(screen: Screen, people: usize) -> Self {
        let (ground, roads) = ground(screen.latin);
        let padding = if screen.brief { [74.0, 16.0, 44.0, 16.0] } else { [40.0, 60.0, 50.0, 24.0] };
        let bounds = [102.545_234, 24.879_525, 102.910_531, 25.174_502];
        let view = View::of_bounds(bounds, padding, screen.width, screen.height);
        let mut planner = Planner::default();
        let scene = &mut planner.scene;
        (scene.unit, scene.brief, scene.latin, scene.grouped) = (1.0, screen.brief, screen.latin, true);
        (scene.urgent_max, scene.per_square, scene.stale_s) = (if screen.brief { 2 } else { 3 }, 14, 120.0);
        scene.open_word = if screen.latin { "Open" } else { "在办" }.to_owned();
        scene.late_word = if screen.latin { "Positions late" } else { "位置滞后" }.to_owned();
        scene.own = own(&screen);
        scene.ground = ground;
        let mut city = Self {
            planner,
            view,
            now: 0.0,
            chance: Chance(20_210_331),
            roads,
            walkers: Vec::new(),
            cases: Vec::new(),
            next_id: 1,
        };
        for (priority, count) in [(1, 3), (2, 16), (3, 35), (4, 2_290)] {
            (0..count).for_each(|_| city.report(priority));
        }
        for _ in 0..people {
            let (line, part, pace_m) =
                (city.chance.below(city.roads.len()), city.chance.part(), 0.6 + city.chance.part());
            let at = part * city.length(line);
            city.walkers.push(Walker { line, at, pace_m });
        }
        city.show();
        city.look_at_another();
        city.walk(0.0);
        city
    }

    /// Some seconds go by: people walk, a case comes and one goes about every twenty seconds, the incident changes every
    /// seven minutes.
    pub fn pass(&mut self, seconds: f64) {
        let minute = |now: f64| (now / 420.0) as u64;
        let before = minute(self.now);
        self.now += seconds;
        self.walk(seconds);
        if self.chance.part() < seconds / 20.0 {
            let priority = match self.chance.below(60) {
                0 => 1,
                1..4 => 2,
                4..10 => 3,
                _ => 4,
            };
            self.report(priority);
            let gone = self.chance.below(self.cases.len());
            self.cases.swap_remove(gone);
            self.show();
        }
        if minute(self.now) != before {
            self.look_at_another();
        }
        if let Some(focus) = &mut self.planner.scene.focus {
            let left = 3_600 - self.now as i64 % 3_600;
            focus.note = format!("剩 {}:{:02}", left / 60, left % 60);
        }
        self.planner.gather(&self.view, self.now);
    }

    fn show(&mut self) {
        let counts = (0..self.planner.scene.ground.districts.len() as u32)
            .map(|area| self.cases.iter().filter(|case| case.area == area).count().to_string());
        self.planner.scene.counts = counts.collect();
        self.planner.set_cases(self.cases.clone());
    }

    fn report(&mut self, priority: u8) {
        let line = self.chance.below(self.roads.len());
        let at = self.chance.part() * self.length(line);
        let (lon, lat) = self.along(line, at);
        let spot = Spot::of_degrees(lon, lat);
        let area = self.planner.scene.ground.district_of(spot).map_or(99, |area| area as u32);
        self.cases.push(Case { id: self.next_id, spot, priority, area });
        self.next_id += 1;
    }

    fn look_at_another(&mut self) {
        let urgent: Vec<Case> = self.cases.iter().filter(|case| case.priority < 4).copied().collect();
        let spot = urgent[self.chance.below(urgent.len())].spot;
        let title = if self.planner.scene.brief { "" } else { "供水管道破裂" }.to_owned();
        let (radius_m, note) = (900.0, "剩 25:52".to_owned());
        self.planner.scene.focus = Some(Focus { spot, radius_m, title, note });
        let camera = |number: u32, x: f64, y: f64| Camera {
            spot: Spot { x: spot.x + x * 1e-6, y: spot.y + y * 1e-6 },
            bearing_deg: Some(60.0),
            view_deg: 60.0,
            number,
            state: if number == 3 { Seen::Lost } else { Seen::Shown },
        };
        self.planner.scene.cameras = vec![camera(1, 2.0, 1.0), camera(2, -3.0, 1.0), camera(3, -1.0, -2.0)];
    }

    fn walk(&mut self, seconds: f64) {
        self.planner.scene.people.tick(self.now);
        for id in 0..self.walkers.len() {
            let walker = &self.walkers[id];
            let length = self.length(walker.line);
            let at = (walker.at + walker.pace_m * seconds).rem_euclid(2.0 * length);
            let (lon, lat) = self.along(walker.line, if at > length { 2.0 * length - at } else { at });
            self.walkers[id].at = at;
            let fix = Fix {
                lon_e5: (lon * 1e5).round() as i32,
                lat_e5: (lat * 1e5).round() as i32,
                heading_deg: Some(90),
                age_s: 1,
            };
            self.planner.scene.people.place(id as u32, &fix, self.now, 20.0);
        }
    }

    fn length(&self, line: usize) -> f64 {
        self.roads[line].windows(2).map(|ends| metres(ends[0], ends[1])).sum::<f64>().max(1.0)
    }

    fn along(&self, line: usize, mut at: f64) -> (f64, f64) {
        for ends in self.roads[line].windows(2) {
            let length = metres(ends[0], ends[1]);
            if at <= length {
                let part = at / length.max(1e-9);
                let between = |from: f64, to: f64| from + (to - from) * part;
                return (between(ends[0].0, ends[1].0), between(ends[0].1, ends[1].1));
            }
            at -= length;
        }
        *self.roads[line].last().unwrap()
    }
}

fn metres(a: (f64, f64), b: (f64, f64)) -> f64 {
    ((a.0 - b.0) * 100_800.0).hypot((a.1 - b.1) * 111_195.0)
}

/// Headline above the city, legend and scale, as the wall has them.
fn own(screen: &Screen) -> Vec<Rect> {
    let at = |left: f64, top: f64, width: f64, height: f64| Rect {
        left,
        top,
        right: left + width,
        bottom: top + height,
    };
    let foot = at(0.0, screen.height - 50.0, 330.0, 50.0);
    match screen.brief {
        true => vec![at(0.0, 0.0, 240.0, 136.0), foot],
        false => vec![
            at(0.0, 0.0, 300.0, 150.0),
            foot,
            at(screen.width - 230.0, screen.height - 230.0, 230.0, 230.0),
        ],
    }
}

fn ground(latin: bool) -> (Ground, Vec<Vec<(f64, f64)>>) {
    let city: Value = serde_json::from_str(include_str!("../../../public/map/schematic.geojson")).unwrap();
    let pair = |value: &Value| (value[0].as_f64().unwrap(), value[1].as_f64().unwrap());
    let spot = |value: &Value| {
        let (lon, lat) = pair(value);
        Spot::of_degrees(lon, lat)
    };
    let (mut ground, mut roads) = (Ground::default(), Vec::new());
    for feature in city["features"].as_array().unwrap() {
        let (said, shape) = (&feature["properties"], &feature["geometry"]["coordinates"]);
        let name = |short: &str| said[short].as_str().unwrap_or_default().to_owned();
        let area = || {
            let ring = shape[0].as_array().unwrap().iter().map(spot).collect();
            Area::new(name(if latin { "short_en" } else { "short_zh" }), spot(&said["label"]), ring)
        };
        match said["kind"].as_str().unwrap() {
            "district" => ground.districts.push(area()),
            "lake" => ground.lakes.push(area()),
            "road" => {
                let line = shape.as_array().unwrap();
                roads.push(line.iter().map(pair).collect::<Vec<_>>());
                let lane = said["class"] == "lane";
                let named = name(if latin { "name_en" } else { "name_zh" });
                if !named.is_empty() {
                    ground.roads.push(Road { name: named, lane, line: line.iter().map(spot).collect() });
                }
            }
            _ => {}
        }
    }
    (ground, roads)
}
