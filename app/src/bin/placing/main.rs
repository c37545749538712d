//! The map's placing as a small programme of its own, which `scripts/map.ts` loads beside the screen's: a page without a
//! map does not carry it.
//!
//! What should be here: the way between the script's numbers and `domain::map`. What should not: where anything stands
//! (`domain::map` decides), how it is drawn (the script's).

mod rows;
mod told;

use std::collections::BTreeMap;

use domain::map::item::{Ruler, Style};
use domain::map::people::Fix;
use domain::map::view::{Px, Spot, View};
use domain::map::{Plan, Planner};
use js_sys::{Array, Float32Array, Float64Array, Function, Uint32Array};
use wasm_bindgen::prelude::*;

fn main() {}

/// Widths of words that are remembered; countdowns bring a new one each second.
const WIDTHS_MAX: usize = 4_000;
/// How near to a person drawn alone a press is meant for them, in CSS pixels.
const REACH_PX: f64 = 14.0;
/// Points of a trail nearer to each other are one.
const TRAIL_STEP_M: f64 = 8.0;

/// The font, as the script measures it: `(text, style) → width / size`.
struct Font {
    measure: Function,
    widths: BTreeMap<(u8, String), f64>,
}

impl Ruler for Font {
    fn width(&mut self, text: &str, style: Style, size: f64) -> f64 {
        let key = (rows::style(style), text.to_owned());
        if let Some(width) = self.widths.get(&key) {
            return width * size;
        }
        if self.widths.len() >= WIDTHS_MAX {
            self.widths.clear();
        }
        let measured = self.measure.call2(&JsValue::NULL, &JsValue::from_str(text), &JsValue::from(key.0));
        let width = measured.ok().and_then(|width| width.as_f64()).unwrap_or(text.chars().count() as f64);
        self.widths.insert(key, width);
        width * size
    }
}

/// One map. Where nothing else is said, numbers are CSS pixels, seconds of the page's clock, and WGS-84 degrees.
#[wasm_bindgen]
pub struct Placing {
    planner: Planner,
    view: View,
    plan: Plan,
    font: Font,
}

#[wasm_bindgen]
impl Placing {
    #[wasm_bindgen(constructor)]
    pub fn new(measure: Function) -> Self {
        let view = View::new(Spot::default(), 0.0, 1.0, 1.0);
        let font = Font { measure, widths: BTreeMap::new() };
        Self { planner: Planner::default(), view, plan: Plan::default(), font }
    }

    /// After the font has come, words are as wide as it says.
    #[wasm_bindgen(js_name = measureAnew)]
    pub fn measure_anew(&mut self) {
        self.font.widths.clear();
    }

    /// Centre, zoom and size of what is seen.
    pub fn look(&mut self, x: f64, y: f64, zoom: f64, width: f64, height: f64) {
        self.view = View::new(Spot { x, y }, zoom, width, height);
    }

    /// Five whole numbers a person: index, longitude and latitude in 1e-5 degrees, heading in
    /// degrees (−1 stands still), age of the fix in seconds (−1 has gone).
    pub fn positions(&mut self, rows: &[i32], now: f64) {
        let people = &mut self.planner.scene.people;
        let step_m = (9.0 * self.planner.scene.unit * self.view.metres_per_px()).max(TRAIL_STEP_M);
        people.tick(now);
        for row in rows.chunks_exact(5) {
            let &[index, lon_e5, lat_e5, heading, age_s] = row else { continue };
            if age_s < 0 {
                people.remove(index as u32);
            } else {
                let heading_deg = (heading >= 0).then_some(heading);
                people.place(index as u32, &Fix { lon_e5, lat_e5, heading_deg, age_s }, now, step_m as f32);
            }
        }
    }

    #[wasm_bindgen(js_name = clearPositions)]
    pub fn clear_positions(&mut self) {
        self.planner.scene.people.clear();
    }

    /// Gathers people anew; whether that changed what a plan shows.
    pub fn gather(&mut self, now: f64) -> bool {
        self.planner.gather(&self.view, now)
    }

    /// Places everything; answers with rows of numbers (`rows.rs` says which). The words in them are in `texts`.
    pub fn plan(&mut self, now: f64) -> Float32Array {
        self.plan = self.planner.plan(&self.view, now, &mut self.font);
        Float32Array::from(rows::of(&self.plan).as_slice())
    }

    /// The words of the last plan, by the numbers in its rows.
    #[must_use]
    pub fn texts(&self) -> Array {
        self.plan.words.iter().map(|word| JsValue::from_str(&word.text)).collect()
    }

    /// What lies under a mark of the last plan: places in the list of cases, or indexes of people.
    #[must_use]
    pub fn members(&self, mark: usize) -> Uint32Array {
        let members = self.plan.marks.get(mark).map_or(&[][..], |placed| rows::members(&placed.mark));
        Uint32Array::from(members)
    }

    /// Places of districts whose positions are late, in the order in which they were told.
    #[must_use]
    pub fn late(&self) -> Uint32Array {
        let late: Vec<u32> = self.plan.late.iter().map(|district| *district as u32).collect();
        Uint32Array::from(late.as_slice())
    }

    /// How many ordinary cases a square stands for at most.
    #[wasm_bindgen(js_name = perSquare)]
    #[must_use]
    pub fn per_square(&self) -> u32 {
        self.plan.per_square
    }

    /// Everyone as the graphics card takes them.
    #[must_use]
    pub fn people(&self) -> Float32Array {
        Float32Array::from(self.planner.scene.people.data())
    }

    #[must_use]
    pub fn trails(&self) -> Float32Array {
        Float32Array::from(self.planner.scene.people.segments().as_slice())
    }

    /// What the numbers of people count from (x, y of the unit square, seconds), until when somebody moves, and metres a
    /// second of the fastest.
    #[must_use]
    pub fn motion(&self) -> Float64Array {
        let people = &self.planner.scene.people;
        let (origin, (busy_until, fastest)) = (people.origin(), people.motion());
        Float64Array::from([origin.x, origin.y, people.began(), busy_until, fastest].as_slice())
    }

    /// The index of the person drawn alone at a place on the screen.
    #[wasm_bindgen(js_name = personAt)]
    #[must_use]
    pub fn person_at(&self, x: f64, y: f64, now: f64) -> Option<u32> {
        self.planner.person_at(&self.view, Px::new(x, y), REACH_PX, now)
    }

    #[wasm_bindgen(js_name = districtAt)]
    #[must_use]
    pub fn district_at(&self, x: f64, y: f64) -> Option<usize> {
        self.planner.district_at(self.view.spot(Px::new(x, y)))
    }

    /// Where someone is drawn (x, y of the unit square), 1 where alone, seconds since the fix. Empty for nobody.
    #[wasm_bindgen(js_name = whereIs)]
    #[must_use]
    pub fn where_is(&self, index: u32, now: f64) -> Float64Array {
        let people = &self.planner.scene.people;
        let Some(slot) = people.slot(index) else { return Float64Array::new_with_length(0) };
        let (spot, alone) = (people.at(slot, now), f64::from(u8::from(people.is_shown(slot))));
        Float64Array::from([spot.x, spot.y, alone, people.age_s(slot, now)].as_slice())
    }
}
