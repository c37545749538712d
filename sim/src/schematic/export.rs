//! The schematic as files: map layers, areas of the policy, camera register.

use std::fmt::Write;

use domain::catalogue::Name;
use domain::place::Point;
use serde_json::{Value, json};

use super::{CITY_CODE, Camera, RoadClass, Schematic};

/// One feature a line, so that a change of the plan reads as a change of lines.
pub fn geojson(city: &Schematic) -> String {
    let mut features = Vec::new();
    let lake = &city.lake;
    features.push(polygon("lake", "", "", &lake.name, &lake.name, lake.label, lake.outline()));
    for district in &city.districts {
        let (code, name, short) = (district.code.as_str(), &district.name, &district.short);
        features.push(polygon("district", code, CITY_CODE, name, short, district.label, district.outline()));
    }
    for (district, street) in city.districts.iter().flat_map(|d| d.streets.iter().map(move |s| (d, s))) {
        let (code, parent) = (street.code.as_str(), district.code.as_str());
        features.push(polygon(
            "street",
            code,
            parent,
            &street.name,
            &street.name,
            street.label,
            street.outline(),
        ));
    }
    for road in &city.network.roads {
        let class = match road.class {
            RoadClass::Trunk => "trunk",
            RoadClass::Main => "main",
            RoadClass::Lane => "lane",
        };
        let line: Vec<Value> = city.network.line(road).map(position).collect();
        features.push(json!({
            "type": "Feature",
            "properties": {"kind": "road", "class": class, "name_zh": road.name.zh, "name_en": road.name.en},
            "geometry": {"type": "LineString", "coordinates": line},
        }));
    }
    let lines: Vec<String> = features.iter().map(Value::to_string).collect();
    let bounds = city.bounds();
    format!(
        "{{\"type\":\"FeatureCollection\",\"name\":\"schematic\",\"survey\":false,\"bbox\":{},\"features\":[\n{}\n]}}\n",
        json!([bounds.west, bounds.south, bounds.east, bounds.north]),
        lines.join(",\n")
    )
}

fn polygon(
    kind: &str,
    code: &str,
    parent: &str,
    name: &Name,
    short: &Name,
    label: Point,
    outline: impl Iterator<Item = Point>,
) -> Value {
    let mut ring: Vec<Value> = outline.map(position).collect();
    ring.push(ring[0].clone());
    json!({
        "type": "Feature",
        "properties": {
            "kind": kind, "code": code, "parent": parent, "name_zh": name.zh, "name_en": name.en,
            "short_zh": short.zh, "short_en": short.en, "label": position(label),
        },
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    })
}

fn position(point: Point) -> Value {
    json!([point.lon(), point.lat()])
}

/// Areas from the city down to communities, in the order of the bulletin.
pub fn areas_toml(city: &Schematic) -> String {
    let mut text = String::from(
        "# Areas of the schematic demo city, made from sim/src/schematic/plan.txt by `sim schematic`.\n\
         # Codes of the five districts are national; those of the development zones, streets and communities are examples.\n",
    );
    let mut area = |code: &str, level: &str, parent: Option<&str>, name: &Name, short: Option<Name>| {
        let parent = parent.map(|parent| format!("parent = {parent:?}\n")).unwrap_or_default();
        let named =
            |key: &str, name: &Name| format!("{key} = {{ zh = {:?}, en = {:?} }}\n", name.zh, name.en);
        let short = short.map(|short| named("short", &short)).unwrap_or_default();
        let name = named("name", name);
        write!(text, "\n[[areas]]\ncode = {code:?}\nlevel = {level:?}\n{parent}{name}{short}")
            .expect("writing to a string cannot fail");
    };
    area(CITY_CODE, "city", None, &city.name, None);
    for district in &city.districts {
        let code = district.code.as_str();
        area(code, "district", Some(CITY_CODE), &district.name, Some(district.short.clone()));
        for street in &district.streets {
            area(street.code.as_str(), "street", Some(code), &street.name, without_level(&street.name));
            for community in &street.communities {
                area(community.code.as_str(), "community", Some(street.code.as_str()), &community.name, None);
            }
        }
    }
    text
}

/// A street's name without the word for what it is, in both languages.
fn without_level(name: &Name) -> Option<Name> {
    let (zh, en) = (name.zh.strip_suffix("街道")?, name.en.strip_suffix(" Subdistrict")?);
    Some(Name { zh: zh.to_owned(), en: en.to_owned() })
}

/// The camera register: one site a line.
pub fn cameras_csv(cameras: &[Camera]) -> String {
    let mut text = String::from("code,name,lat,lon,bearing,view_deg,owner\n");
    for camera in cameras {
        writeln!(
            text,
            "{},{},{:.6},{:.6},{},{},{}",
            camera.code,
            camera.name.zh,
            camera.point.lat(),
            camera.point.lon(),
            camera.bearing_deg,
            camera.view_deg,
            camera.owner
        )
        .expect("writing to a string cannot fail");
    }
    text
}
