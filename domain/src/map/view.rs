//! Where things are on the screen: Web Mercator, and the window through which it is seen.

use std::f64::consts::PI;

use super::rect::Rect;

/// Circumference of the Web Mercator world in metres.
pub const WORLD_M: f64 = 40_075_016.686;
/// Size of the world in CSS pixels at zoom 0, as MapLibre counts it.
const WORLD_PX: f64 = 512.0;
/// Degrees of latitude beyond which the projection is of no use.
const LAT_MAX: f64 = 85.0;

/// A place in the unit square of Web Mercator: 0, 0 in the north-west.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spot {
    pub x: f64,
    pub y: f64,
}

impl Spot {
    /// WGS-84 degrees; latitudes beyond ±85 are taken for ±85.
    #[must_use]
    pub fn of_degrees(lon: f64, lat: f64) -> Self {
        let lat = lat.clamp(-LAT_MAX, LAT_MAX);
        let y = 0.5 - (PI / 4.0 + lat * PI / 360.0).tan().ln() / (2.0 * PI);
        Self { x: (lon + 180.0) / 360.0, y }
    }

    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        ((self.x - other.x).powi(2) + (self.y - other.y).powi(2)).sqrt()
    }
}

/// A place on the screen in CSS pixels from the map's top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Px {
    pub x: f64,
    pub y: f64,
}

impl Px {
    #[must_use]
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    #[must_use]
    pub fn plus(self, x: f64, y: f64) -> Self {
        Self { x: self.x + x, y: self.y + y }
    }

    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        ((self.x - other.x).powi(2) + (self.y - other.y).powi(2)).sqrt()
    }
}

/// What is seen of the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    pub centre: Spot,
    pub zoom: f64,
    /// CSS pixels.
    pub width: f64,
    pub height: f64,
    /// CSS pixels for the whole unit square.
    pub scale: f64,
}

impl View {
    #[must_use]
    pub fn new(centre: Spot, zoom: f64, width: f64, height: f64) -> Self {
        Self { centre, zoom, width, height, scale: WORLD_PX * zoom.exp2() }
    }

    #[must_use]
    pub fn at(&self, spot: Spot) -> Px {
        Px {
            x: (spot.x - self.centre.x) * self.scale + self.width / 2.0,
            y: (spot.y - self.centre.y) * self.scale + self.height / 2.0,
        }
    }

    #[must_use]
    pub fn spot(&self, px: Px) -> Spot {
        Spot {
            x: (px.x - self.width / 2.0) / self.scale + self.centre.x,
            y: (px.y - self.height / 2.0) / self.scale + self.centre.y,
        }
    }

    /// Metres on the ground for a CSS pixel at the centre.
    #[must_use]
    pub fn metres_per_px(&self) -> f64 {
        // The cosine of a latitude whose Mercator ordinate is m is 1 / cosh m.
        let m = (0.5 - self.centre.y) * 2.0 * PI;
        WORLD_M / (m.exp() + (-m).exp()) * 2.0 / self.scale
    }

    /// Whether a mark that reaches `reach` around `px` is seen at all.
    #[must_use]
    pub fn sees(&self, px: Px, reach: f64) -> bool {
        px.x >= -reach && px.y >= -reach && px.x <= self.width + reach && px.y <= self.height + reach
    }

    /// Where the middle of a mark lies that reaches `reach` around it and is not cut; the middle of the view where no
    /// place is left.
    #[must_use]
    pub fn inside(&self, reach: f64) -> Rect {
        let (across, down) = (reach.min(self.width / 2.0), reach.min(self.height / 2.0));
        Rect { left: across, top: down, right: self.width - across, bottom: self.height - down }
    }

    /// The view that shows west, south, east, north in degrees within the padding top, right, bottom, left in CSS pixels.
    #[must_use]
    pub fn of_bounds(
        [west, south, east, north]: [f64; 4],
        [top, right, bottom, left]: [f64; 4],
        width: f64,
        height: f64,
    ) -> Self {
        let (low, high) = (Spot::of_degrees(west, north), Spot::of_degrees(east, south));
        let across = (width - left - right).max(8.0) / (high.x - low.x).max(1e-9);
        let down = (height - top - bottom).max(8.0) / (high.y - low.y).max(1e-9);
        let zoom = (across.min(down) / WORLD_PX).log2().min(ZOOM_MAX);
        let scale = WORLD_PX * zoom.exp2();
        let centre = Spot {
            x: (low.x + high.x) / 2.0 + (right - left) / 2.0 / scale,
            y: (low.y + high.y) / 2.0 + (bottom - top) / 2.0 / scale,
        };
        Self::new(centre, zoom, width, height)
    }
}

/// Nearer than this no ground has more to show.
const ZOOM_MAX: f64 = 18.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_the_screen_where_it_was() {
        let view = View::of_bounds([102.5, 24.85, 102.95, 25.2], [16.0, 40.0, 30.0, 10.0], 1_090.0, 860.0);
        for (lon, lat) in [(102.5, 24.85), (102.7, 25.04), (102.95, 25.2)] {
            let spot = Spot::of_degrees(lon, lat);
            let back = view.spot(view.at(spot));
            assert!(back.distance(spot) < 1e-12);
        }
    }

    #[test]
    fn the_city_fills_what_the_padding_leaves_and_no_more() {
        let view = View::of_bounds([102.5, 24.85, 102.95, 25.2], [16.0, 40.0, 30.0, 10.0], 1_090.0, 860.0);
        let low = view.at(Spot::of_degrees(102.5, 25.2));
        let high = view.at(Spot::of_degrees(102.95, 24.85));
        assert!(low.x >= 9.9 && low.y >= 15.9 && high.x <= 1_050.1 && high.y <= 830.1, "{low:?} {high:?}");
        assert!((low.y - 16.0).abs() < 0.1 || (low.x - 10.0).abs() < 0.1);
    }

    #[test]
    fn a_pixel_is_as_many_metres_as_the_globe_says() {
        let view = View::new(Spot::of_degrees(102.7, 25.04), 12.0, 800.0, 600.0);
        let a = crate::place::Point::from_degrees(25.04, 102.7).unwrap();
        let b = crate::place::Point::from_degrees(25.04, 102.71).unwrap();
        let px = view.at(Spot::of_degrees(102.71, 25.04)).x - view.at(Spot::of_degrees(102.7, 25.04)).x;
        let ratio = a.distance_m(b) / (px * view.metres_per_px());
        assert!((ratio - 1.0).abs() < 0.002, "{ratio}");
    }
}
