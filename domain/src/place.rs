//! Points on the ground: fixed point WGS-84, distance and bearing at city scale.
//!
//! Other datums (GCJ-02, BD-09, Gauss-Krüger) are converted at the server's edge and never reach this crate.

use serde::{Deserialize, Serialize};

const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A WGS-84 (= CGCS2000 at display accuracy) position in millionths of a degree, about 0.11 m.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point {
    lat_e6: i32,
    lon_e6: i32,
}

impl Point {
    /// Returns `None` unless latitude is in −90…90 and longitude in −180…180 degrees.
    #[must_use]
    pub fn from_degrees(lat: f64, lon: f64) -> Option<Self> {
        if !(lat.abs() <= 90.0 && lon.abs() <= 180.0) {
            return None;
        }
        Some(Self { lat_e6: (lat * 1e6).round() as i32, lon_e6: (lon * 1e6).round() as i32 })
    }

    /// Returns `None` outside the globe.
    #[must_use]
    pub fn from_e6(lat_e6: i32, lon_e6: i32) -> Option<Self> {
        (lat_e6.unsigned_abs() <= 90_000_000 && lon_e6.unsigned_abs() <= 180_000_000)
            .then_some(Self { lat_e6, lon_e6 })
    }

    #[must_use]
    pub fn lat_e6(self) -> i32 {
        self.lat_e6
    }

    #[must_use]
    pub fn lon_e6(self) -> i32 {
        self.lon_e6
    }

    #[must_use]
    pub fn lat(self) -> f64 {
        f64::from(self.lat_e6) / 1e6
    }

    #[must_use]
    pub fn lon(self) -> f64 {
        f64::from(self.lon_e6) / 1e6
    }

    /// Great-circle distance in metres.
    #[must_use]
    pub fn distance_m(self, other: Self) -> f64 {
        let (lat1, lat2) = (self.lat().to_radians(), other.lat().to_radians());
        let half_lat = (lat2 - lat1) / 2.0;
        let half_lon = (other.lon() - self.lon()).to_radians() / 2.0;
        let a = half_lat.sin().powi(2) + lat1.cos() * lat2.cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS_M * a.sqrt().min(1.0).asin()
    }

    /// The same for places some kilometres apart, on the plane between them: a thousandth off at most. Sines in general
    /// bring kilobytes of tables into a browser.
    #[must_use]
    pub fn near_distance_m(self, other: Self) -> f64 {
        let latitude = ((self.lat() + other.lat()) / 2.0).to_radians();
        let (north, east) = (other.lat() - self.lat(), other.lon() - self.lon());
        let east = east.to_radians() * cosine(latitude);
        EARTH_RADIUS_M * (north.to_radians().powi(2) + east.powi(2)).sqrt()
    }

    /// Initial bearing towards `other` in degrees clockwise from north, 0 ≤ bearing < 360.
    #[must_use]
    pub fn bearing_deg(self, other: Self) -> f64 {
        let (lat1, lat2) = (self.lat().to_radians(), other.lat().to_radians());
        let dlon = (other.lon() - self.lon()).to_radians();
        let y = dlon.sin() * lat2.cos();
        let x = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * dlon.cos();
        y.atan2(x).to_degrees().rem_euclid(360.0)
    }
}

/// The cosine of a latitude in radians, to six places.
fn cosine(latitude: f64) -> f64 {
    let square = latitude.powi(2);
    // The first terms of its series.
    let terms = [1.0 / 90.0, 1.0 / 56.0, 1.0 / 30.0, 1.0 / 12.0, 1.0 / 2.0];
    terms.iter().fold(1.0, |inner, factor| 1.0 - square * factor * inner)
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
struct Degrees {
    /// Degrees north, WGS-84.
    lat: f64,
    /// Degrees east, WGS-84.
    lon: f64,
}

impl Serialize for Point {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            Degrees { lat: self.lat(), lon: self.lon() }.serialize(serializer)
        } else {
            (self.lat_e6, self.lon_e6).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let point = if deserializer.is_human_readable() {
            let degrees = Degrees::deserialize(deserializer)?;
            Self::from_degrees(degrees.lat, degrees.lon)
        } else {
            let (lat_e6, lon_e6) = <(i32, i32)>::deserialize(deserializer)?;
            Self::from_e6(lat_e6, lon_e6)
        };
        point.ok_or_else(|| {
            serde::de::Error::custom("latitude must be within ±90 and longitude within ±180 degrees")
        })
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Point {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Degrees::schema()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Point {}

/// A rectangle in degrees; `west <= east`, so it does not cross the date line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    pub south: f64,
    pub west: f64,
    pub north: f64,
    pub east: f64,
}

/// Every bound is a number: `check` refuses any other.
impl Eq for Bounds {}

impl Bounds {
    /// Says what is wrong with the rectangle, if anything.
    pub fn check(&self) -> Result<(), String> {
        for (field, degrees, most) in [
            ("south", self.south, 90.0),
            ("north", self.north, 90.0),
            ("west", self.west, 180.0),
            ("east", self.east, 180.0),
        ] {
            // Not a number is within nothing.
            if !(-most..=most).contains(&degrees) {
                return Err(format!("{field}: {degrees} is not within -{most} to {most}"));
            }
        }
        if self.south >= self.north {
            return Err(format!("south: {} does not lie below north, {}", self.south, self.north));
        }
        if self.west >= self.east {
            return Err(format!("west: {} does not lie left of east, {}", self.west, self.east));
        }
        Ok(())
    }

    #[must_use]
    pub fn contains(&self, point: Point) -> bool {
        (self.south..=self.north).contains(&point.lat()) && (self.west..=self.east).contains(&point.lon())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method: from the equator to sixty degrees, in all directions, from 60 m to 6 km.
    #[test]
    fn near_distances_are_those_of_the_globe() {
        for lat in [-60.0, -23.4, 0.0, 25.04, 45.0, 60.0] {
            let here = Point::from_degrees(lat, 102.7).unwrap();
            for (north, east) in [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (-1.0, 0.5), (-0.3, -1.0)] {
                for degrees in [0.001, 0.01, 0.05] {
                    let there = Point::from_degrees(lat + north * degrees, 102.7 + east * degrees).unwrap();
                    let (near, globe) = (here.near_distance_m(there), here.distance_m(there));
                    assert!((near - globe).abs() < globe / 1_000.0, "{lat} {north} {east}: {near} {globe}");
                }
            }
            assert_eq!(here.near_distance_m(here), 0.0);
        }
        assert!((cosine(std::f64::consts::FRAC_PI_2)).abs() < 1e-6, "a pole");
    }
}
