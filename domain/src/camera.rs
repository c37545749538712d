//! Cameras as the hall knows them, and which of them can see a spot.
//!
//! What should be here: place, direction and view of a camera, ranking by sight and distance. What should not: addresses,
//! credentials, streams (`server::video`).

use crate::code::{AreaCode, CameraCode};
use crate::place::Point;
use serde::{Deserialize, Serialize};

/// A fixed camera channel (摄像机) as screens and tiles may know it: never its address or credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Camera {
    pub code: CameraCode,
    /// What operators call it (名称).
    pub name: String,
    /// Where it hangs (位置). Lists from the field miss it for some rows; such a camera can be opened by code only.
    pub place: Option<Point>,
    /// Direction of view in degrees clockwise from north (朝向); `None` for domes and where nobody noted it.
    pub bearing_deg: Option<f32>,
    /// Opening angle of the view in degrees (视场角), 0 < angle ≤ 360.
    pub view_deg: f32,
    /// Who runs it (权属单位).
    pub owner: Option<String>,
    /// Has a smaller second stream (子码流).
    pub has_sub: bool,
    /// In which area it hangs (所在区域), for those who see a part of the city; without one only who sees everything does.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub area: Option<AreaCode>,
}

impl Camera {
    /// Whether `bearing` (degrees from north, seen from the camera) falls into the view. A camera without a noted
    /// direction is taken to look all round.
    #[must_use]
    pub fn looks_towards(&self, bearing: f64) -> bool {
        self.bearing_deg.is_none_or(|axis| {
            // Points on the cone's edge are in view; the last digits of a bearing are rounding.
            angle_between(f64::from(axis), bearing) <= f64::from(self.view_deg) / 2.0 + 1e-6
        })
    }
}

/// A camera linked to a spot (关联摄像机).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Linked {
    pub camera: Camera,
    pub distance_m: f64,
    /// Direction from the camera to the spot, degrees clockwise from north.
    pub bearing_from_camera: f64,
    /// The spot is within the camera's view cone. Buildings in between are not known.
    pub sees: bool,
}

/// So close under a camera the bearing says nothing: the spot counts as seen.
const UNDER_THE_CAMERA_M: f64 = 3.0;

/// Returns the cameras within `radius_m` of `spot`: those that look towards it first, then by distance, then by code.
#[must_use]
pub fn rank<'a>(spot: Point, cameras: impl IntoIterator<Item = &'a Camera>, radius_m: f64) -> Vec<Linked> {
    let mut linked: Vec<Linked> = cameras
        .into_iter()
        .filter_map(|camera| {
            let place = camera.place?;
            let distance_m = place.distance_m(spot);
            (distance_m <= radius_m).then(|| {
                let bearing_from_camera = place.bearing_deg(spot);
                let sees = distance_m <= UNDER_THE_CAMERA_M || camera.looks_towards(bearing_from_camera);
                Linked { camera: camera.clone(), distance_m, bearing_from_camera, sees }
            })
        })
        .collect();
    linked.sort_by(|a, b| {
        b.sees
            .cmp(&a.sees)
            .then_with(|| a.distance_m.total_cmp(&b.distance_m))
            .then_with(|| a.camera.code.cmp(&b.camera.code))
    });
    linked
}

/// The smaller angle between two directions, 0…180 degrees.
fn angle_between(a: f64, b: f64) -> f64 {
    let apart = (a - b).rem_euclid(360.0);
    apart.min(360.0 - apart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn camera(code: &str, lat: f64, lon: f64, bearing: Option<f32>, view: f32) -> Camera {
        Camera {
            code: CameraCode::new(code).unwrap(),
            name: code.to_owned(),
            place: Point::from_degrees(lat, lon),
            bearing_deg: bearing,
            view_deg: view,
            owner: None,
            has_sub: true,
            area: None,
        }
    }

    fn codes(linked: &[Linked]) -> Vec<&str> {
        linked.iter().map(|linked| linked.camera.code.as_str()).collect()
    }

    /// The spot is north of all three: `south` looks at it, `near` turns its back, `dome` looks all round.
    #[test]
    fn a_camera_that_sees_the_spot_stands_before_a_nearer_one_that_looks_away() {
        let spot = Point::from_degrees(31.2010, 121.4000).unwrap();
        let cameras = [
            camera("near", 31.2008, 121.4000, Some(180.0), 90.0),
            camera("south", 31.2000, 121.4000, Some(10.0), 60.0),
            camera("dome", 31.1990, 121.4000, None, 360.0),
            camera("far", 31.3000, 121.4000, Some(180.0), 90.0),
        ];
        let linked = rank(spot, &cameras, 500.0);
        assert_eq!(codes(&linked), ["south", "dome", "near"]);
        assert_eq!(linked.iter().map(|l| l.sees).collect::<Vec<_>>(), [true, true, false]);
        assert!((linked[0].distance_m - 111.2).abs() < 0.5, "{}", linked[0].distance_m);
        assert!(linked[0].bearing_from_camera < 0.01);
    }

    #[test]
    fn the_view_cone_crosses_north() {
        let camera = camera("c", 31.2, 121.4, Some(350.0), 40.0);
        assert!(camera.looks_towards(5.0));
        assert!(camera.looks_towards(331.0));
        assert!(camera.looks_towards(10.0), "the edge is in view");
        assert!(!camera.looks_towards(11.0));
        assert!(!camera.looks_towards(170.0));
    }

    #[test]
    fn a_spot_under_the_camera_is_seen_whatever_it_looks_at() {
        let spot = Point::from_degrees(31.200_01, 121.4).unwrap();
        let linked = rank(spot, &[camera("c", 31.2, 121.4, Some(180.0), 60.0)], 50.0);
        assert!(linked[0].sees);
    }

    #[test]
    fn a_camera_without_a_place_is_not_linked() {
        let spot = Point::from_degrees(31.2, 121.4).unwrap();
        let mut lost = camera("c", 31.2, 121.4, None, 360.0);
        lost.place = None;
        assert!(rank(spot, &[lost], 1e6).is_empty());
    }

    proptest! {
        #[test]
        fn ranking_orders_by_sight_then_distance_and_keeps_exactly_the_circle(
            places in prop::collection::vec((-0.02..0.02, -0.02..0.02, 0.0f32..360.0, 1.0f32..360.0), 0..40),
            radius in 0.0..3_000.0,
        ) {
            let spot = Point::from_degrees(31.2, 121.4).unwrap();
            let cameras: Vec<Camera> = places
                .iter()
                .enumerate()
                .map(|(i, (lat, lon, bearing, view))| {
                    camera(&format!("c{i}"), 31.2 + lat, 121.4 + lon, Some(*bearing), *view)
                })
                .collect();
            let linked = rank(spot, &cameras, radius);
            let inside = cameras.iter().filter(|c| c.place.unwrap().distance_m(spot) <= radius).count();
            prop_assert_eq!(linked.len(), inside);
            for pair in linked.windows(2) {
                prop_assert!((!pair[0].sees, pair[0].distance_m) <= (!pair[1].sees, pair[1].distance_m));
            }
        }
    }
}
