//! Camera sites along the roads of the schematic, with bearing and owner: a register to demonstrate with.

use domain::catalogue::Name;
use domain::place::Point;

use super::Schematic;
use super::network::{Node, RoadClass, mix};

/// How many sites are placed: most incidents then have several within sight, as in a city that links thousands.
const SITES: usize = 2_000;

/// A camera site (摄像机点位).
#[derive(Debug, Clone)]
pub struct Camera {
    pub code: String,
    pub name: Name,
    pub point: Point,
    /// Where it looks, degrees clockwise from north.
    pub bearing_deg: u16,
    /// Horizontal angle of view in degrees; 360 for a dome that turns.
    pub view_deg: u16,
    /// 权属单位
    pub owner: String,
}

/// Spreads the sites over all crossings of named roads, busier roads first.
pub fn place(city: &Schematic) -> Vec<Camera> {
    let mut crossings: Vec<(u64, usize)> = city
        .network
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((rank(city, index, node)?, index)))
        .collect();
    crossings.sort_unstable();
    let mut taken: Vec<Point> = Vec::new();
    let mut cameras: Vec<Camera> = Vec::new();
    let mut numbers = std::collections::BTreeMap::<String, u32>::new();
    for (_, index) in crossings {
        let node = &city.network.nodes[index];
        // Two sites closer than this look at the same crossing.
        const APART_M: f64 = 250.0;
        if taken.iter().any(|other| other.distance_m(node.point) < APART_M) {
            continue;
        }
        let Some((district, _)) = city.street_at(node.point) else { continue };
        let number = numbers.entry(district.code.to_string()).or_default();
        *number += 1;
        cameras.push(camera(city, index, format!("{}-{number:03}", district.code), &district.short.zh));
        taken.push(node.point);
        if cameras.len() == SITES {
            break;
        }
    }
    cameras.sort_by(|a, b| a.code.cmp(&b.code));
    cameras
}

/// Order in which crossings get a camera: trunk roads first, evenly mixed within a rank. `None` where no two roads meet.
fn rank(city: &Schematic, index: usize, node: &Node) -> Option<u64> {
    let roads = roads_at(node);
    if roads.len() < 2 {
        return None;
    }
    let lanes = roads.iter().filter(|&&road| city.network.roads[road].class == RoadClass::Lane).count();
    // A third of the sites of each rank yield to the next rank, so that lanes are watched too.
    let class = lanes.min(2) as u64 + mix(index as i32, 11) % 3;
    Some(class << 32 | mix(index as i32, 3) >> 32)
}

fn camera(city: &Schematic, index: usize, code: String, district: &str) -> Camera {
    let node = &city.network.nodes[index];
    let roads = roads_at(node);
    let name = |at: usize| &city.network.roads[roads[at]].name;
    let chance = mix(index as i32, 5);
    let link = node.links[(chance % node.links.len() as u64) as usize];
    let bearing_deg = node.point.bearing_deg(city.network.nodes[link.to as usize].point).round() as u16 % 360;
    let trunk = city.network.roads[roads[0]].class == RoadClass::Trunk;
    let (view_deg, kind, kind_en) = match chance >> 8 & 3 {
        0 => (360, "球机", "dome"),
        1 => (62, "枪机", "bullet camera"),
        _ => (84, "枪机", "bullet camera"),
    };
    let owner = match (trunk, chance >> 16 & 3) {
        (true, 0..=2) => format!("{district}交警大队"),
        (_, 0 | 1) => format!("{district}公安分局"),
        _ => format!("{district}城市管理局"),
    };
    Camera {
        code,
        name: Name {
            zh: format!("{}{}口{kind}", name(0).zh, name(1).zh),
            en: format!("{} at {}, {kind_en}", name(0).en, name(1).en),
        },
        point: node.point,
        bearing_deg,
        view_deg,
        owner,
    }
}

/// The roads that meet here, widest first.
fn roads_at(node: &Node) -> Vec<usize> {
    let mut roads: Vec<usize> = node.links.iter().map(|link| link.road as usize).collect();
    roads.sort_unstable();
    roads.dedup();
    roads
}
