//! What the script tells the map to show, list by list. Lists replace what was there.

use domain::map::cases::Case;
use domain::map::ground::{Area, Ground, Road};
use domain::map::item::Seen;
use domain::map::rect::Rect;
use domain::map::scene::{Camera, Focus, Named};
use domain::map::view::Spot;
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::Placing;

#[wasm_bindgen]
impl Placing {
    /// How large, what is urgent, what is late; `scene.rs` says what each means.
    pub fn sizes(&mut self, unit: f64, urgent_max: u8, per_square: u32, stale_s: f64) {
        let scene = &mut self.planner.scene;
        (scene.unit, scene.urgent_max, scene.per_square, scene.stale_s) =
            (unit, urgent_max, per_square, stale_s);
    }

    /// On a small wall, in a language whose words run wide, with circles of people.
    pub fn ways(&mut self, brief: bool, latin: bool, grouped: bool) {
        let scene = &mut self.planner.scene;
        (scene.brief, scene.latin, scene.grouped) = (brief, latin, grouped);
    }

    /// 在办 and 位置滞后 in the language of the screen.
    pub fn words(&mut self, open: String, late: String) {
        (self.planner.scene.open_word, self.planner.scene.late_word) = (open, late);
    }

    /// Rectangles `x, y, width, height` of the map's own words.
    pub fn own(&mut self, rows: &[f64]) {
        let rect = |row: &[f64; 4]| Rect {
            left: row[0],
            top: row[1],
            right: row[0] + row[2],
            bottom: row[1] + row[3],
        };
        self.planner.scene.own = rows.as_chunks::<4>().0.iter().map(rect).collect();
    }

    #[wasm_bindgen(js_name = clearGround)]
    pub fn clear_ground(&mut self) {
        self.planner.scene.ground = Ground::default();
    }

    /// A district, street or lake, its ring in degrees.
    pub fn area(&mut self, kind: &str, name: String, lon: f64, lat: f64, ring: &[f64]) {
        let ground = &mut self.planner.scene.ground;
        let list = match kind {
            "district" => &mut ground.districts,
            "street" => &mut ground.streets,
            "lake" => &mut ground.lakes,
            _ => return,
        };
        list.push(Area::new(name, Spot::of_degrees(lon, lat), spots(ring)));
    }

    pub fn road(&mut self, name: String, lane: bool, line: &[f64]) {
        self.planner.scene.ground.roads.push(Road { name, lane, line: spots(line) });
    }

    /// Five numbers a case: id, longitude, latitude, priority, number of its district.
    pub fn cases(&mut self, rows: &[f64]) {
        let case = |row: &[f64; 5]| Case {
            id: row[0] as u64,
            spot: Spot::of_degrees(row[1], row[2]),
            priority: row[3] as u8,
            area: row[4] as u32,
        };
        self.planner.set_cases(rows.as_chunks::<5>().0.iter().map(case).collect());
    }

    /// Open cases of the districts, in the order in which those were told; empty where unknown.
    pub fn counts(&mut self, counts: &Array) {
        self.planner.scene.counts = texts(counts);
    }

    /// Six numbers a camera: longitude, latitude, bearing (NaN for one that turns), width of its view in degrees, digit,
    /// picture (0 idle, 1 shown, 2 lost).
    pub fn cameras(&mut self, rows: &[f64]) {
        let camera = |row: &[f64; 6]| Camera {
            spot: Spot::of_degrees(row[0], row[1]),
            bearing_deg: (!row[2].is_nan()).then_some(row[2]),
            view_deg: row[3],
            number: row[4] as u32,
            state: match row[5] as u8 {
                0 => Seen::Idle,
                1 => Seen::Shown,
                _ => Seen::Lost,
            },
        };
        self.planner.scene.cameras = rows.as_chunks::<6>().0.iter().map(camera).collect();
    }

    pub fn focus(&mut self, lon: f64, lat: f64, radius_m: f64, title: String, note: String) {
        let spot = Spot::of_degrees(lon, lat);
        self.planner.scene.focus = Some(Focus { spot, radius_m, title, note });
    }

    #[wasm_bindgen(js_name = clearFocus)]
    pub fn clear_focus(&mut self) {
        self.planner.scene.focus = None;
    }

    /// People who matter for the incident: indexes, and names in the same order.
    pub fn named(&mut self, indexes: &[u32], names: &Array) {
        let named = indexes.iter().zip(texts(names)).map(|(index, name)| Named { index: *index, name });
        self.planner.scene.named = named.collect();
    }
}

fn spots(degrees: &[f64]) -> Vec<Spot> {
    degrees.as_chunks::<2>().0.iter().map(|[lon, lat]| Spot::of_degrees(*lon, *lat)).collect()
}

fn texts(list: &Array) -> Vec<String> {
    list.iter().map(|text| text.as_string().unwrap_or_default()).collect()
}
