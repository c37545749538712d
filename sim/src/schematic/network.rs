//! Roads that share nodes, so that one can walk from any road to any other.
//!
//! Trunk and main roads come from the plan. Lanes are laid between them on the lattice: every 200 m in the centre,
//! 400 m around it, 800 m outside, some left out, the same in every run.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::Name;
use domain::place::Point;

use super::District;
use super::shape::{self, CENTRE, Side, Spot};

/// Rank of a road (道路等级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoadClass {
    /// 主干路
    Trunk,
    /// 次干路
    Main,
    /// 支路、街巷
    Lane,
}

/// A named road (道路). Its nodes follow each other along it.
#[derive(Debug)]
pub struct Road {
    pub name: Name,
    pub class: RoadClass,
    /// Indices into [`Network::nodes`].
    pub nodes: Vec<u32>,
}

/// A crossing, corner or end of roads.
#[derive(Debug)]
pub struct Node {
    pub point: Point,
    pub links: Vec<Link>,
}

/// The way from one node to the next along one road.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Index into [`Network::nodes`].
    pub to: u32,
    pub length_m: f64,
    /// Index into [`Network::roads`].
    pub road: u32,
}

/// The whole road network. Every node can be reached from every other.
#[derive(Debug)]
pub struct Network {
    pub roads: Vec<Road>,
    pub nodes: Vec<Node>,
}

/// A road as drawn: its corners on the lattice.
#[derive(Debug)]
pub struct Track {
    pub name: Name,
    pub class: RoadClass,
    pub corners: Vec<Spot>,
}

/// Lattice steps between lanes, by distance from the centre in lattice steps.
fn lane_spacing(spot: Spot) -> i32 {
    match (spot.x - CENTRE.x).pow(2) + (spot.y - CENTRE.y).pow(2) {
        ..=576 => 1,
        577..=2704 => 2,
        _ => 4,
    }
}

impl Network {
    /// Lays lanes between the tracks of the plan and joins everything at shared nodes.
    pub fn lay(mut tracks: Vec<Track>, districts: &[District]) -> Result<Self, String> {
        let taken: BTreeSet<(Spot, Spot)> = tracks
            .iter()
            .flat_map(|track| steps(&track.corners))
            .flat_map(|(a, b)| [(a, b), (b, a)])
            .collect();
        tracks.extend(lanes(districts, &taken));
        let tracks = connected(tracks)?;
        let joints = joints(&tracks);
        let mut index = BTreeMap::new();
        let mut nodes = Vec::new();
        let roads: Vec<Road> =
            tracks.into_iter().map(|track| road(track, &joints, &mut index, &mut nodes)).collect();
        for (number, road) in roads.iter().enumerate() {
            for pair in road.nodes.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                let length_m = nodes[a as usize].point.distance_m(nodes[b as usize].point);
                nodes[a as usize].links.push(Link { to: b, length_m, road: number as u32 });
                nodes[b as usize].links.push(Link { to: a, length_m, road: number as u32 });
            }
        }
        Ok(Self { roads, nodes })
    }

    /// The corners of a road in WGS-84.
    pub fn line<'a>(&'a self, road: &'a Road) -> impl Iterator<Item = Point> + 'a {
        road.nodes.iter().map(|&node| self.nodes[node as usize].point)
    }
}

fn road(
    track: Track,
    joints: &BTreeSet<Spot>,
    index: &mut BTreeMap<Spot, u32>,
    nodes: &mut Vec<Node>,
) -> Road {
    let on_road = spots(&track.corners);
    let kept = on_road.into_iter().filter(|spot| joints.contains(spot));
    let number = |spot: Spot| {
        *index.entry(spot).or_insert_with(|| {
            nodes.push(Node { point: spot.ground(), links: Vec::new() });
            nodes.len() as u32 - 1
        })
    };
    Road { name: track.name, class: track.class, nodes: kept.map(number).collect() }
}

/// All lattice points along a path.
fn spots(corners: &[Spot]) -> Vec<Spot> {
    let mut all = vec![corners[0]];
    for pair in corners.windows(2) {
        all.extend(pair[0].walk(pair[1]).expect("paths are checked when read").into_iter().skip(1));
    }
    all
}

fn steps(corners: &[Spot]) -> Vec<(Spot, Spot)> {
    spots(corners).windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Points where roads meet, turn or end.
fn joints(tracks: &[Track]) -> BTreeSet<Spot> {
    let mut seen: BTreeMap<Spot, usize> = BTreeMap::new();
    let mut joints = BTreeSet::new();
    for (number, track) in tracks.iter().enumerate() {
        joints.extend(&track.corners);
        for spot in spots(&track.corners) {
            if *seen.entry(spot).or_insert(number) != number {
                joints.insert(spot);
            }
        }
    }
    joints
}

/// Lanes along the lattice inside each district, in runs of a few blocks, about three in four kept.
fn lanes(districts: &[District], taken: &BTreeSet<(Spot, Spot)>) -> Vec<Track> {
    let mut lanes = Vec::new();
    for district in districts {
        let xs = district.outline.iter().map(|spot| spot.x);
        let ys = district.outline.iter().map(|spot| spot.y);
        let (west, east) = (xs.clone().min().unwrap_or(0), xs.max().unwrap_or(0));
        let (north, south) = (ys.clone().min().unwrap_or(0), ys.max().unwrap_or(0));
        for x in west..=east {
            let line: Vec<Spot> = (north..=south).map(|y| Spot { x, y }).collect();
            lanes.extend(runs(&line, x, district, taken));
        }
        for y in north..=south {
            let line: Vec<Spot> = (west..=east).map(|x| Spot { x, y }).collect();
            lanes.extend(runs(&line, y, district, taken));
        }
    }
    let named = lanes.into_iter().enumerate();
    named
        .map(|(number, corners)| Track { name: lane_name(number), class: RoadClass::Lane, corners })
        .collect()
}

/// The parts of one lattice line that carry a lane.
fn runs(line: &[Spot], across: i32, district: &District, taken: &BTreeSet<(Spot, Spot)>) -> Vec<Vec<Spot>> {
    /// Blocks after which a lane may stop.
    const RUN: i32 = 12;
    let along = |spot: Spot| spot.x + spot.y - across;
    let shift = (mix(across, 7) % RUN as u64) as i32;
    let wanted = |a: Spot, b: Spot| {
        across % lane_spacing(a) == 0
            && mix(across, (along(a) + shift).div_euclid(RUN)) % 100 < 76
            && !taken.contains(&(a, b))
            && [a, b].iter().all(|&spot| shape::side(&district.outline, spot) != Side::Outside)
            && [a, b].iter().any(|&spot| shape::side(&district.outline, spot) == Side::Inside)
    };
    let mut runs: Vec<Vec<Spot>> = Vec::new();
    for pair in line.windows(2).filter(|pair| wanted(pair[0], pair[1])) {
        match runs.last_mut() {
            Some(run) if run[1] == pair[0] => run[1] = pair[1],
            _ => runs.push(pair.to_vec()),
        }
    }
    // A single block standing alone is a yard, not a lane.
    runs.retain(|run| along(run[1]) - along(run[0]) >= 2);
    runs
}

/// Leaves out lanes that touch nothing else; a trunk or main road that does so is a mistake in the plan.
fn connected(tracks: Vec<Track>) -> Result<Vec<Track>, String> {
    let on: Vec<Vec<Spot>> = tracks.iter().map(|track| spots(&track.corners)).collect();
    let mut at: BTreeMap<Spot, Vec<usize>> = BTreeMap::new();
    for (number, spots) in on.iter().enumerate() {
        spots.iter().for_each(|&spot| at.entry(spot).or_default().push(number));
    }
    let mut reached = vec![false; tracks.len()];
    let mut open = vec![0];
    while let Some(number) = open.pop() {
        if !std::mem::replace(&mut reached[number], true) {
            open.extend(on[number].iter().flat_map(|spot| &at[spot]).filter(|&&next| !reached[next]));
        }
    }
    let lost =
        tracks.iter().zip(&reached).find(|(track, reached)| track.class != RoadClass::Lane && !**reached);
    if let Some((track, _)) = lost {
        return Err(format!("road {} meets no other road", track.name.zh));
    }
    Ok(tracks.into_iter().zip(reached).filter(|(_, reached)| *reached).map(|(track, _)| track).collect())
}

/// An even spread of two small numbers over 64 bits (the finaliser of SplitMix64).
pub fn mix(a: i32, b: i32) -> u64 {
    let mut z = ((a as u32 as u64) << 32 | b as u32 as u64).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A name for the nth lane; invented, and each used once.
fn lane_name(number: usize) -> Name {
    const STEMS: [(&str, &str); 48] = [
        ("文林", "Wenlin"),
        ("武成", "Wucheng"),
        ("翠华", "Cuihua"),
        ("钱局", "Qianju"),
        ("书林", "Shulin"),
        ("玉川", "Yuchuan"),
        ("云波", "Yunbo"),
        ("环宇", "Huanyu"),
        ("瑞和", "Ruihe"),
        ("靖国", "Jingguo"),
        ("长春", "Changchun"),
        ("如安", "Ru'an"),
        ("大兴", "Daxing"),
        ("华兴", "Huaxing"),
        ("永安", "Yong'an"),
        ("宝善", "Baoshan"),
        ("同仁", "Tongren"),
        ("南强", "Nanqiang"),
        ("祥云", "Xiangyun"),
        ("塘双", "Tangshuang"),
        ("明通", "Mingtong"),
        ("北仓", "Beicang"),
        ("平政", "Pingzheng"),
        ("青莲", "Qinglian"),
        ("丁字坡", "Dingzipo"),
        ("西仓", "Xicang"),
        ("象眼", "Xiangyan"),
        ("富春", "Fuchun"),
        ("安康", "Ankang"),
        ("广丰", "Guangfeng"),
        ("石闸", "Shizha"),
        ("福德", "Fude"),
        ("新册", "Xince"),
        ("玉带", "Yudai"),
        ("螺峰", "Luofeng"),
        ("水晶", "Shuijing"),
        ("节孝", "Jiexiao"),
        ("光华", "Guanghua"),
        ("景星", "Jingxing"),
        ("顺城", "Shuncheng"),
        ("崇善", "Chongshan"),
        ("弥勒寺", "Milesi"),
        ("滨河", "Binhe"),
        ("晓东", "Xiaodong"),
        ("劳动", "Laodong"),
        ("民权", "Minquan"),
        ("巡津", "Xunjin"),
        ("得胜", "Desheng"),
    ];
    const KINDS: [(&str, &str); 8] = [
        ("街", "Street"),
        ("巷", "Lane"),
        ("路", "Road"),
        ("里", "Mews"),
        ("东街", "East Street"),
        ("西街", "West Street"),
        ("南街", "South Street"),
        ("北街", "North Street"),
    ];
    let (stem, round) = (STEMS[number % STEMS.len()], number / STEMS.len());
    let (kind, again) = (KINDS[round % KINDS.len()], round / KINDS.len());
    let (zh, en) = (format!("{}{}", stem.0, kind.0), format!("{} {}", stem.1, kind.1));
    match again {
        0 => Name { zh, en },
        again => Name { zh: format!("{zh}{}号", again + 1), en: format!("{en} {}", again + 1) },
    }
}
