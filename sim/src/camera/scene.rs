//! The drawn street: a road in perspective, houses, trees, traffic; day and night by the wall clock.
//!
//! One scene number gives one street, always the same. What does not move is drawn once a minute and
//! copied; a picture then costs a few dozen spans.

use super::canvas::{Canvas, Colour};
use super::{font, strip};

/// What stands in the picture besides the street.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// Name of the camera; capitals and digits show.
    pub label: String,
    /// Local time, as people read it.
    pub clock: Option<String>,
    /// Capture time for machines, Unix milliseconds.
    pub strip_ms: Option<u64>,
}

/// Where the camera of a scene stands. Ground distances are in metres.
struct View {
    width: f32,
    height: f32,
    /// Vanishing point.
    centre_x: f32,
    horizon_y: f32,
    /// Pixels below the horizon at a distance of one metre.
    drop: f32,
}

impl View {
    /// Place in the picture of a point `across` metres right of the road's middle, `far` metres away and
    /// `up` metres above the ground.
    fn point(&self, across: f32, far: f32, up: f32) -> (f32, f32) {
        const EYE_HEIGHT: f32 = 7.0;
        let scale = self.drop / (far * EYE_HEIGHT);
        (self.centre_x + across * scale, self.horizon_y + (EYE_HEIGHT - up) * scale)
    }
}

/// A street with its traffic, ready to be drawn at any moment.
pub struct Scene {
    seed: u32,
    view: View,
    /// Everything that stands still, drawn for `still_light`.
    still: Canvas,
    still_light: Option<f32>,
}

const ROAD_HALF: f32 = 7.2;
const LANES: [(f32, bool); 4] = [(-5.4, false), (-1.8, false), (1.8, true), (5.4, true)];
const FAR: f32 = 220.0;
const NEAR: f32 = 9.0;
const NIGHT: f32 = 0.34;

impl Scene {
    pub fn new(seed: u32, width: u32, height: u32) -> Self {
        let (w, h) = (width as f32, height as f32);
        let view = View {
            width: w,
            height: h,
            centre_x: w * (0.5 + (chance(seed, 1) - 0.5) * 0.24),
            horizon_y: h * (0.30 + chance(seed, 2) * 0.07),
            drop: h * 7.4,
        };
        Self { seed, view, still: Canvas::new(width, height), still_light: None }
    }

    /// Draws the moment `unix_ms` into `canvas`, which has the scene's size.
    /// `hour` is the local time of day, 0–24.
    pub fn draw(&mut self, canvas: &mut Canvas, unix_ms: u64, hour: f32, overlay: &Overlay) {
        let light = (daylight(hour) * 50.0).round() / 50.0;
        if self.still_light != Some(light) {
            self.draw_still(light);
            self.still_light = Some(light);
        }
        canvas.copy_from(&self.still);
        self.draw_traffic(canvas, unix_ms, light);
        self.draw_overlay(canvas, overlay);
    }

    fn draw_still(&mut self, light: f32) {
        let mut canvas = Canvas::new(self.view.width as u32, self.view.height as u32);
        let horizon = self.view.horizon_y as i32;
        let (zenith, haze) = sky(light);
        canvas.gradient(0, horizon, zenith, haze);
        self.draw_skyline(&mut canvas, light, haze);
        canvas.gradient(
            horizon,
            self.view.height as i32,
            Colour::rgb(132, 136, 128).lit(light * 0.9),
            Colour::rgb(104, 110, 100).lit(light),
        );
        self.draw_road(&mut canvas, light);
        for far in [150.0, 110.0, 80.0, 58.0, 40.0, 27.0] {
            for side in [-1.0, 1.0] {
                self.draw_house(&mut canvas, side, far, light);
                self.draw_tree(&mut canvas, side, far * 0.86, light);
                self.draw_lamp(&mut canvas, side, far * 0.74, light);
            }
        }
        self.still = canvas;
    }

    fn draw_skyline(&self, canvas: &mut Canvas, light: f32, haze: Colour) {
        let columns = 26;
        let step = self.view.width / columns as f32;
        for column in 0..columns {
            let height = self.view.height * (0.03 + 0.12 * chance(self.seed, 100 + column).powi(2));
            let tone = Colour::rgb(128, 140, 156).lit(light).towards(haze, 0.45);
            let top = (self.view.horizon_y - height) as i32;
            let left = (column as f32 * step) as i32;
            canvas.rectangle(left, top, (step * 0.86) as i32, height as i32 + 1, tone);
        }
    }

    fn draw_road(&self, canvas: &mut Canvas, light: f32) {
        let strip = |canvas: &mut Canvas, left: f32, right: f32, from: f32, to: f32, colour: Colour| {
            let corners = [(left, to), (right, to), (right, from), (left, from)];
            canvas.polygon(&corners.map(|(across, far)| self.view.point(across, far, 0.0)), colour);
        };
        let kerb = ROAD_HALF + 3.4;
        strip(canvas, -kerb, kerb, 3.0, 900.0, Colour::rgb(150, 146, 138).lit(light));
        strip(canvas, -ROAD_HALF, ROAD_HALF, 3.0, 900.0, Colour::rgb(72, 75, 80).lit(light));
        let paint = Colour::rgb(214, 214, 206).lit(light);
        let yellow = Colour::rgb(208, 170, 70).lit(light);
        strip(canvas, -0.32, -0.12, 3.0, 400.0, yellow);
        strip(canvas, 0.12, 0.32, 3.0, 400.0, yellow);
        for edge in [-ROAD_HALF + 0.25, ROAD_HALF - 0.4] {
            strip(canvas, edge, edge + 0.15, 3.0, 400.0, paint);
        }
        for dash in 0..24 {
            let from = 6.0 + dash as f32 * 9.0;
            for middle in [-3.6, 3.6] {
                strip(canvas, middle - 0.08, middle + 0.08, from, from + 4.0, paint);
            }
        }
        let crossing = 16.0 + 6.0 * chance(self.seed, 3);
        for bar in 0..14 {
            let left = -ROAD_HALF + 0.5 + bar as f32 * 1.02;
            strip(canvas, left, left + 0.5, crossing, crossing + 4.0, paint);
        }
    }

    /// A block of flats beside the road: the face along it, the face across it, windows in both.
    fn draw_house(&self, canvas: &mut Canvas, side: f32, far: f32, light: f32) {
        let pick = |n: u32| chance(self.seed, far as u32 * 7 + n + u32::from(side > 0.0) * 50);
        let height = 12.0 + 26.0 * pick(10);
        let (inner, outer) = (side * (ROAD_HALF + 6.5), side * (ROAD_HALF + 34.0));
        let (front, back) = (far, far * 1.32);
        let tones = [(176, 150, 128), (160, 164, 168), (186, 178, 160), (142, 128, 122), (168, 150, 150)];
        let (red, green, blue) = tones[(pick(11) * tones.len() as f32) as usize % tones.len()];
        let wall = Colour::rgb(red, green, blue).lit(light);
        let place = |across: f32, far: f32, up: f32| self.view.point(across, far, up);
        let along = [(inner, front, 0.0), (inner, back, 0.0), (inner, back, height), (inner, front, height)];
        canvas.polygon(&along.map(|(a, f, u)| place(a, f, u)), wall.towards(Colour::BLACK, 0.22));
        let across =
            [(inner, front, 0.0), (outer, front, 0.0), (outer, front, height), (inner, front, height)];
        canvas.polygon(&across.map(|(a, f, u)| place(a, f, u)), wall);
        let night = light < 0.6;
        let floors = (height / 3.6) as u32;
        for floor in 0..floors {
            let (low, high) = (1.2 + floor as f32 * 3.5, 2.8 + floor as f32 * 3.5);
            for window in 0..6u32 {
                let shines = night && pick(200 + floor * 9 + window) > 0.62;
                let pane =
                    if shines { Colour::rgb(244, 208, 132) } else { Colour::rgb(74, 88, 104).lit(light) };
                let left = inner + side * (2.0 + window as f32 * 4.2);
                let right = left + side * 2.2;
                let corners = [(left, low), (right, low), (right, high), (left, high)];
                canvas.polygon(&corners.map(|(a, u)| place(a, front, u)), pane);
                let depth = |share: f32| front + (back - front) * share;
                let (from, to) = (depth(0.08 + window as f32 * 0.155), depth(0.17 + window as f32 * 0.155));
                let corners = [(from, low), (to, low), (to, high), (from, high)];
                canvas.polygon(&corners.map(|(f, u)| place(inner, f, u)), pane.towards(Colour::BLACK, 0.12));
            }
        }
    }

    fn draw_tree(&self, canvas: &mut Canvas, side: f32, far: f32, light: f32) {
        let across = side * (ROAD_HALF + 2.4);
        let trunk = [(-0.15, 0.0), (0.15, 0.0), (0.12, 3.2), (-0.12, 3.2)];
        canvas.polygon(
            &trunk.map(|(a, u)| self.view.point(across + a, far, u)),
            Colour::rgb(84, 70, 58).lit(light),
        );
        for (right, up, size, tone) in [(0.0, 4.4, 1.7, 0.0), (-0.8, 3.8, 1.2, 0.12), (0.7, 5.0, 1.1, -0.1)] {
            let (x, y) = self.view.point(across + right, far, up);
            let (edge, _) = self.view.point(across + right + size, far, up);
            let leaf = Colour::rgb(84, 122, 78).lit(light);
            let other = if tone > 0.0 { Colour::BLACK } else { Colour::WHITE };
            canvas.disc(x, y, (edge - x).abs(), leaf.towards(other, f32::abs(tone)));
        }
    }

    fn draw_lamp(&self, canvas: &mut Canvas, side: f32, far: f32, light: f32) {
        let across = side * (ROAD_HALF + 0.7);
        let post = [(-0.06, 0.0), (0.06, 0.0), (0.06, 8.0), (-0.06, 8.0)];
        let grey = Colour::rgb(120, 124, 130).lit(light);
        canvas.polygon(&post.map(|(a, u)| self.view.point(across + a, far, u)), grey);
        let arm = [(0.0, 7.9), (-side * 2.2, 8.3), (-side * 2.2, 8.1), (0.0, 7.6)];
        canvas.polygon(&arm.map(|(a, u)| self.view.point(across + a, far, u)), grey);
        let (x, y) = self.view.point(across - side * 2.0, far, 8.0);
        let (edge, _) = self.view.point(across - side * 2.0 + 0.35, far, 8.0);
        let glow = if light < 0.6 { Colour::rgb(255, 232, 170) } else { grey };
        canvas.disc(x, y, (edge - x).max(1.0), glow);
    }

    fn draw_traffic(&self, canvas: &mut Canvas, unix_ms: u64, light: f32) {
        // One day of milliseconds fits f64 without losing any; f32 would jerk.
        let seconds = (unix_ms % 86_400_000) as f64 / 1_000.0;
        let mut cars: Vec<(f32, usize, u32)> = Vec::new();
        for (lane, _) in LANES.iter().enumerate() {
            let pace = f64::from(8.0 + 5.0 * chance(self.seed, 20 + lane as u32));
            let spacing = f64::from(38.0 + 22.0 * chance(self.seed, 30 + lane as u32));
            let travelled = seconds * pace;
            let first = (travelled / spacing) as u32;
            for n in 0..(f64::from(FAR) / spacing) as u32 {
                let number = first.wrapping_sub(n);
                let gap = f64::from(n) * spacing + travelled % spacing;
                let jitter = f64::from(chance(self.seed ^ number, 40 + lane as u32)) * spacing * 0.5;
                let far = (gap + jitter) as f32 + NEAR * 0.6;
                cars.push((if LANES[lane].1 { far } else { FAR - far }, lane, number));
            }
        }
        cars.retain(|car| (NEAR * 0.75..FAR).contains(&car.0));
        cars.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (far, lane, number) in cars {
            self.draw_car(canvas, far, lane, number, light);
        }
    }

    /// A car seen from behind (right lanes, driving away) or from the front.
    fn draw_car(&self, canvas: &mut Canvas, far: f32, lane: usize, number: u32, light: f32) {
        let (across, away) = LANES[lane];
        let pick = |n: u32| chance(self.seed ^ number.wrapping_mul(31), n + lane as u32);
        let bus = pick(50) > 0.86;
        let (half, long, tall) = if bus { (1.25, 10.0, 3.0) } else { (0.9, 4.3, 1.5) };
        let paints =
            [(196, 198, 202), (52, 56, 64), (228, 230, 232), (150, 44, 40), (48, 78, 128), (108, 112, 110)];
        let (red, green, blue) = if bus {
            (62, 124, 96)
        } else {
            paints[(pick(51) * paints.len() as f32) as usize % paints.len()]
        };
        let body = Colour::rgb(red, green, blue).lit(light.max(0.42));
        let quad = |canvas: &mut Canvas, points: [(f32, f32, f32); 4], colour: Colour| {
            canvas.polygon(&points.map(|(a, f, u)| self.view.point(across + a, far + f, u)), colour);
        };
        let shade = Colour::rgb(52, 54, 58).lit(light);
        quad(
            canvas,
            [
                (-half - 0.2, -0.3, 0.0),
                (half + 0.2, -0.3, 0.0),
                (half + 0.1, long, 0.0),
                (-half - 0.1, long, 0.0),
            ],
            shade,
        );
        let (low, belt) = (0.3, tall * if bus { 0.38 } else { 0.6 });
        quad(
            canvas,
            [(-half, long, belt), (half, long, belt), (half, 0.0, belt), (-half, 0.0, belt)],
            body.towards(Colour::WHITE, 0.12),
        );
        let roof = if bus { half } else { half * 0.8 };
        let glass = Colour::rgb(44, 54, 66).lit(light.max(0.5));
        let (front, back) = if bus { (0.0, long) } else { (0.9, long - 0.7) };
        let inner = if across < 0.0 { roof } else { -roof };
        quad(
            canvas,
            [(inner, front, belt), (inner, back, belt), (inner, back, tall), (inner, front, tall)],
            glass,
        );
        quad(
            canvas,
            [(-roof, back, tall), (roof, back, tall), (roof, front, tall), (-roof, front, tall)],
            body,
        );
        quad(
            canvas,
            [(-half, 0.0, low), (half, 0.0, low), (half, 0.0, belt), (-half, 0.0, belt)],
            body.towards(Colour::BLACK, 0.15),
        );
        quad(
            canvas,
            [(-half, 0.1, belt), (half, 0.1, belt), (roof, front, tall - 0.12), (-roof, front, tall - 0.12)],
            glass,
        );
        let lamp = match (away, light < 0.6) {
            (true, true) => Colour::rgb(255, 60, 48),
            (true, false) => Colour::rgb(168, 40, 36).lit(light),
            (false, true) => Colour::rgb(255, 248, 220),
            (false, false) => Colour::rgb(226, 226, 214).lit(light),
        };
        for side in [-1.0, 1.0] {
            let (x, y) = self.view.point(across + side * half * 0.72, far, belt * 0.78);
            let (edge, _) = self.view.point(across + side * half * 0.72 + 0.16, far, 0.0);
            canvas.disc(x, y, (edge - x).abs().max(0.8), lamp);
        }
    }

    fn draw_overlay(&self, canvas: &mut Canvas, overlay: &Overlay) {
        let dot = (canvas.width as i32 / 320).max(1);
        let pad = dot * 4;
        let line = |canvas: &mut Canvas, x: i32, y: i32, text: &str| {
            canvas.text(x + dot, y + dot, dot, text, Colour::BLACK);
            canvas.text(x, y, dot, text, Colour::WHITE);
        };
        line(canvas, pad, pad, &overlay.label);
        if let Some(clock) = &overlay.clock {
            let long = clock.chars().count() as i32 * font::ADVANCE * dot;
            let (x, y) = (canvas.width as i32 - long - pad, canvas.height as i32 - pad - font::HEIGHT * dot);
            line(canvas, x, y, clock);
        }
        if let Some(unix_ms) = overlay.strip_ms {
            strip::paint(canvas, unix_ms);
        }
    }
}

/// Light of the day, `NIGHT`–1, for an hour of 0–24: dawn from 5 to 7:30, dusk from 17:30 to 20.
fn daylight(hour: f32) -> f32 {
    let ramp = |from: f32, to: f32| ((hour - from) / (to - from)).clamp(0.0, 1.0);
    let day = ramp(5.0, 7.5) * (1.0 - ramp(17.5, 20.0));
    NIGHT + (1.0 - NIGHT) * day
}

/// Colours of the sky: overhead and at the horizon, warm at dawn and dusk.
fn sky(light: f32) -> (Colour, Colour) {
    let day = (light - NIGHT) / (1.0 - NIGHT);
    let warm = 1.0 - (2.0 * day - 1.0).abs();
    let zenith = Colour::rgb(18, 24, 42).towards(Colour::rgb(128, 164, 206), day);
    let haze = Colour::rgb(38, 42, 60).towards(Colour::rgb(204, 214, 220), day);
    (zenith, haze.towards(Colour::rgb(226, 164, 112), warm * 0.6))
}

/// A number of 0–1 that depends on seed and place only.
fn chance(seed: u32, place: u32) -> f32 {
    let mut hash = seed.wrapping_mul(0x9e37_79b9) ^ place.wrapping_mul(0x85eb_ca6b).wrapping_add(0x27d4_eb2f);
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2c1b_3c6d);
    hash ^= hash >> 12;
    hash = hash.wrapping_mul(0x297a_2d39);
    hash ^= hash >> 15;
    (hash & 0xffff) as f32 / 65_536.0
}
