//! Planned cases: what will be reported, where, and how long each stage will take. A pure function of the seed.

use domain::case::{Priority, Report, Stage};
use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use domain::moment::MINUTE_MS;
use domain::place::Point;
use domain::whistle::WhistleCall;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::figures;
use crate::schematic::Schematic;

/// One case before it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub report: Report,
    pub department: DepartmentCode,
    /// Milliseconds in each stage, in the order of the loop.
    pub stays_ms: [i64; 7],
    /// The dispatcher will miss the limit: the stay in dispatch counts from the due time.
    pub late: bool,
}

/// An endless, repeatable stream of planned cases.
pub struct Planner<'a> {
    random: StdRng,
    /// Crossings with the area they lie in, by unit.
    spots: Vec<(&'a str, Vec<Spot>)>,
    /// Places that a camera looks at: what is most urgent happens where somebody can see it.
    watched: Vec<Spot>,
}

struct Spot {
    at: Point,
    area: Vec<AreaCode>,
    road: String,
}

impl<'a> Planner<'a> {
    /// Prepares the places where cases can happen.
    pub fn new(city: &Schematic, seed: u64) -> Self {
        let mut spots: Vec<(&str, Vec<Spot>)> =
            figures::UNITS.iter().map(|(unit, _)| (*unit, Vec::new())).collect();
        for node in &city.network.nodes {
            let Some((district, _)) = city.street_at(node.point) else { continue };
            let Some((_, list)) = spots.iter_mut().find(|(unit, _)| *unit == district.code.as_str()) else {
                continue;
            };
            let road = node.links.first().map(|link| city.network.roads[link.road as usize].name.zh.clone());
            list.extend(spot(city, node.point, road.unwrap_or_default()));
        }
        spots.retain(|(_, list)| !list.is_empty());
        let watched = city.cameras().into_iter().filter_map(|camera| {
            let seen = ahead(camera.point, f64::from(camera.bearing_deg), WATCHED_M);
            spot(city, seen, camera.name.zh.trim_end_matches("球机").trim_end_matches("枪机").to_owned())
        });
        let watched = watched.collect();
        Self { random: StdRng::seed_from_u64(seed), spots, watched }
    }

    /// The next case.
    pub fn next_case(&mut self) -> Planned {
        let weights: Vec<f64> = self.spots.iter().map(|(unit, _)| weight_of(unit)).collect();
        let unit = pick(&mut self.random, &weights);
        let class = figures::CLASSES[pick(&mut self.random, &figures::CLASSES.map(|(_, share)| share))].0;
        let source = figures::SOURCES[pick(&mut self.random, &figures::SOURCES.map(|(_, share)| share))].0;
        let source = if class.starts_with('C') { "hotline" } else { source };
        let priority = priority_of(&mut self.random, class);
        let urgent = priority == Priority::First && !self.watched.is_empty();
        let list = if urgent { &self.watched } else { &self.spots[unit].1 };
        let spot = &list[self.random.random_range(0..list.len())];
        let area = spot.area[self.random.random_range(0..spot.area.len())].clone();
        let place = if urgent { spot.at } else { near(&mut self.random, spot.at) };
        let number = self.random.random_range(1..400);
        let address = if urgent { spot.road.clone() } else { format!("{}{number}号附近", spot.road) };
        let late = self.random.random_bool(figures::LATE_SHARE);
        let stays_ms = figures::STAGE_MINUTES.map(|median| stay_ms(&mut self.random, median));
        let report = Report {
            source: SourceCode::new(source).expect("the table holds codes"),
            class: ClassCode::new(class).expect("the table holds codes"),
            area,
            condition: figures::CONDITIONS
                .iter()
                .find(|(of, _)| *of == class)
                .map(|(_, condition)| (*condition).to_owned()),
            address,
            description: String::new(),
            // One case in fifty has no position, as in life.
            place: (urgent || !self.random.random_bool(0.02)).then_some(place),
            priority,
            base_count: self.random.random_range(1..=5),
            reporter: Some(format!("监督员{:03}", self.random.random_range(1..=648))),
            external: None,
        };
        Planned { report, department: department_of(class), stays_ms, late }
    }

    /// How a case goes on that is there already, of this class and perhaps with a department.
    pub fn again(&mut self, class: &ClassCode, department: Option<DepartmentCode>) -> Planned {
        let department = department.unwrap_or_else(|| department_of(class.as_str()));
        Planned { department, ..self.next_case() }
    }

    /// The next whistle call, for this case where one is given.
    pub fn next_call(&mut self, case: Option<CaseId>) -> WhistleCall {
        let area = self.next_case().report.area;
        let levels = figures::WHISTLE_LEVELS.map(|(_, count)| count);
        let level = figures::WHISTLE_LEVELS[pick(&mut self.random, &levels)].0;
        let (title, called) = figures::MATTERS[self.random.random_range(0..figures::MATTERS.len())];
        let called = called.iter().map(|code| DepartmentCode::new(*code).expect("the table holds codes"));
        WhistleCall { level, area, title: title.to_owned(), case, called: called.collect() }
    }

    /// The place with most cameras around that one of them looks at, the area it lies in, and its road.
    #[must_use]
    pub fn most_watched(&self) -> Option<(Point, AreaCode, String)> {
        let around =
            |at: Point| self.watched.iter().filter(|other| other.at.distance_m(at) < AROUND_M).count();
        let spot = self.watched.iter().max_by_key(|spot| around(spot.at))?;
        Some((spot.at, spot.area.first()?.clone(), spot.road.clone()))
    }

    /// The planner's randomness, for whoever shares its seed.
    pub fn random(&mut self) -> &mut StdRng {
        &mut self.random
    }
}

impl Planned {
    /// Milliseconds from the report until the case leaves `stage`, when nothing is late.
    #[must_use]
    pub fn leaves_after_ms(&self, stage: Stage) -> i64 {
        self.stays_ms[..=stage as usize].iter().sum()
    }
}

fn weight_of(unit: &str) -> f64 {
    figures::UNITS.iter().find(|(code, _)| *code == unit).map_or(0.0, |(_, weight)| *weight)
}

/// An index drawn in proportion to the weights.
pub fn pick(random: &mut StdRng, weights: &[f64]) -> usize {
    let mut left = random.random_range(0.0..weights.iter().sum::<f64>());
    for (index, weight) in weights.iter().enumerate() {
        if left < *weight {
            return index;
        }
        left -= weight;
    }
    weights.len() - 1
}

/// Within about 120 m, so that cases do not all stand on crossings.
fn near(random: &mut StdRng, point: Point) -> Point {
    let mut shift = || random.random_range(-1_100..1_100);
    Point::from_e6(point.lat_e6() + shift(), point.lon_e6() + shift()).unwrap_or(point)
}

/// Log-normal around the median with a spread that gives a long tail but no absurd ends.
fn stay_ms(random: &mut StdRng, median_minutes: f64) -> i64 {
    let normal: f64 = (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0;
    (median_minutes * (0.6 * normal.clamp(-2.5, 2.5)).exp() * MINUTE_MS as f64) as i64
}

/// What needs somebody at once is rare: about one case in a thousand first, five second, fifteen third.
fn priority_of(random: &mut StdRng, class: &str) -> Priority {
    let hazard = matches!(class, "E05-01" | "E05-05" | "E05-06" | "P01-02" | "E01-01");
    match (hazard, random.random_range(0..1_000)) {
        (true, 0..30) => Priority::First,
        (true, 30..120) | (false, 0..2) => Priority::Second,
        (true, 120..330) | (false, 2..10) => Priority::Third,
        _ => Priority::Ordinary,
    }
}

/// How far in front of a camera the watched place lies, in metres.
const WATCHED_M: f64 = 60.0;
/// How far around a place its cameras are counted, in metres.
const AROUND_M: f64 = 400.0;

fn spot(city: &Schematic, at: Point, road: String) -> Option<Spot> {
    let (_, street) = city.street_at(at)?;
    let mut area: Vec<AreaCode> = street.communities.iter().map(|community| community.code.clone()).collect();
    if area.is_empty() {
        area.push(street.code.clone());
    }
    Some(Spot { at, area, road })
}

/// The point `metres` away in a direction of the compass; good enough within a street.
fn ahead(from: Point, bearing_deg: f64, metres: f64) -> Point {
    const METRES_PER_DEGREE: f64 = 111_320.0;
    let (sin, cos) = bearing_deg.to_radians().sin_cos();
    let lat = from.lat() + metres * cos / METRES_PER_DEGREE;
    let lon = from.lon() + metres * sin / (METRES_PER_DEGREE * from.lat().to_radians().cos());
    Point::from_degrees(lat, lon).unwrap_or(from)
}

fn department_of(class: &str) -> DepartmentCode {
    let found = figures::DEPARTMENTS.iter().find(|(prefix, _)| class.starts_with(prefix));
    DepartmentCode::new(found.map_or("urban", |(_, department)| department)).expect("the table holds codes")
}
