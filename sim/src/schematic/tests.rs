//! The plan holds together, and the committed files are those the plan makes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::catalogue::{Area, AreaLevel};

use super::shape::{self, Side, Spot};
use super::{RoadClass, Schematic};

fn city() -> Schematic {
    Schematic::build().expect("the plan in the source tree is sound")
}

#[test]
fn streets_cover_their_district_without_overlap() {
    for district in &city().districts {
        let streets: i64 =
            district.streets.iter().map(|street| shape::double_area(&street.outline).abs()).sum();
        assert_eq!(streets, shape::double_area(&district.outline).abs(), "{}", district.name.zh);
        assert!((4..=8).contains(&district.streets.len()), "{}", district.name.zh);
    }
}

/// Samples the lattice: a spot inside one district is neither inside another nor in the lake.
#[test]
fn districts_and_lake_do_not_overlap() {
    let city = city();
    for (x, y) in (0..200).flat_map(|x| (0..190).map(move |y| (x, y))) {
        let spot = Spot { x, y };
        let owners = city.districts.iter().map(|district| (&district.outline, district.name.zh.as_str()));
        let owners = owners.chain([(&city.lake.outline, "lake")]);
        let inside: Vec<&str> = owners
            .filter(|(outline, _)| shape::side(outline, spot) == Side::Inside)
            .map(|(_, name)| name)
            .collect();
        assert!(inside.len() <= 1, "{spot:?} lies in {inside:?}");
    }
}

#[test]
fn every_node_of_the_network_can_be_reached_and_lies_on_land() {
    let city = city();
    let nodes = &city.network.nodes;
    let mut reached = vec![false; nodes.len()];
    let mut open = vec![0_usize];
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            open.extend(nodes[node].links.iter().map(|link| link.to as usize));
        }
    }
    assert!(reached.iter().all(|reached| *reached));
    let spots: BTreeSet<_> = nodes.iter().map(|node| (node.point.lat_e6(), node.point.lon_e6())).collect();
    assert_eq!(spots.len(), nodes.len(), "a crossing is one node");
    let wet: Vec<_> = nodes
        .iter()
        .filter(|node| {
            let (x, y) = Spot::of_ground(node.point);
            shape::side(&city.lake.outline, Spot { x: x.round() as i32, y: y.round() as i32 }) == Side::Inside
        })
        .collect();
    assert!(wet.is_empty(), "{wet:?}");
}

#[test]
fn roads_have_names_of_their_own_and_stay_in_the_city() {
    let city = city();
    let mut names = BTreeMap::<&str, usize>::new();
    for road in city.network.roads.iter().filter(|road| road.class != RoadClass::Lane) {
        *names.entry(&road.name.zh).or_default() += 1;
    }
    assert!(names.values().all(|count| *count == 1), "{names:?}");
    for road in &city.network.roads {
        for pair in road.nodes.windows(2) {
            let (a, b) = (&city.network.nodes[pair[0] as usize], &city.network.nodes[pair[1] as usize]);
            let middle = domain::place::Point::from_degrees(
                (a.point.lat() + b.point.lat()) / 2.0,
                (a.point.lon() + b.point.lon()) / 2.0,
            );
            let (x, y) = Spot::of_ground(middle.expect("the middle of two points"));
            // On the outer border the even-odd rule may say either; a finger's width inside decides.
            let near = [(0.0, 0.0), (0.02, 0.03), (-0.02, 0.03), (0.02, -0.03), (-0.02, -0.03)];
            let on_land = near.iter().any(|(dx, dy)| {
                city.districts.iter().any(|district| shape::contains(&district.outline, (x + dx, y + dy)))
            });
            assert!(on_land, "{} leaves the city at {x},{y}", road.name.zh);
        }
    }
}

#[test]
fn a_point_knows_its_street() {
    let city = city();
    for district in &city.districts {
        for street in &district.streets {
            let found = city.street_at(street.label).map(|(d, s)| (d.code.as_str(), s.code.as_str()));
            assert_eq!(found, Some((district.code.as_str(), street.code.as_str())));
        }
        assert!(city.street_at(district.label).is_some_and(|(found, _)| found.code == district.code));
    }
    assert!(city.street_at(city.lake.label).is_none());
}

#[test]
fn areas_are_what_the_policy_reads() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        areas: Vec<Area>,
    }
    let file: File = toml::from_str(&city().areas_toml()).expect("valid areas");
    let mut catalogue = domain::catalogue::Catalogue::default();
    for area in file.areas {
        assert!(area.parent.as_ref().is_none_or(|parent| catalogue.areas.contains_key(parent)), "{area:?}");
        catalogue.define(domain::catalogue::Entry::Area(area));
    }
    assert_eq!(catalogue.at_level(AreaLevel::District).count(), 8);
    assert_eq!(catalogue.at_level(AreaLevel::Street).count(), 50);
    let community = catalogue.at_level(AreaLevel::Community).next().expect("communities");
    assert_eq!(catalogue.path(&community.code).len(), 4);
}

#[test]
fn cameras_are_spread_over_all_districts() {
    let city = city();
    let cameras = city.cameras();
    assert_eq!(cameras.len(), 2_000);
    let codes: BTreeSet<_> = cameras.iter().map(|camera| camera.code.as_str()).collect();
    assert_eq!(codes.len(), 2_000);
    for district in &city.districts {
        let count = cameras.iter().filter(|camera| camera.code.starts_with(district.code.as_str())).count();
        assert!(count >= 50, "{} has {count}", district.name.zh);
    }
}

#[test]
fn a_plan_with_a_mistake_names_the_line() {
    let plan = include_str!("plan.txt");
    let crooked = plan.replacen(
        "trunk | 北京路 | Beijing Road | 48,5 48,59",
        "trunk | 北京路 | Beijing Road | 48,5 50,59",
        1,
    );
    let error = super::plan::parse(&crooked).expect_err("a crooked road");
    assert!(error.to_string().contains("does not run at 0, 45 or 90 degrees"), "{error}");
    let lonely = plan.replacen("street | 普吉街道", "# street | 普吉街道", 1);
    let error = super::plan::parse(&lonely).expect_err("a part without a street");
    assert!(error.to_string().contains("without a street"), "{error}");
}

/// Run `cargo run -p sim -- schematic` after a change of the plan.
#[test]
fn committed_files_are_fresh() {
    let city = city();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (path, made) in [
        ("public/map/schematic.geojson", city.geojson()),
        ("demo/areas.toml", city.areas_toml()),
        ("demo/cameras.csv", city.cameras_csv()),
    ] {
        let kept = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        assert!(kept == made, "{path} is stale: run `cargo run -p sim -- schematic`");
    }
}
