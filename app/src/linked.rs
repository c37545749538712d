//! Cameras linked to a spot, as the server ranks them: those that look at it first, then the nearest.

use domain::answer::{CameraRow, PageAnswer};
use domain::camera::Camera;
use domain::place::Point;

use crate::api::ApiError;
use crate::ask::Asker;
use crate::text;

/// A camera linked to a spot.
#[derive(Debug, Clone, PartialEq)]
pub struct NearCamera {
    pub camera: Camera,
    pub distance_m: f64,
    pub sees: bool,
}

impl NearCamera {
    /// A row of an answer about a spot; none of one that was asked without.
    fn of(row: CameraRow) -> Option<Self> {
        let (distance_m, sees) = (row.distance_m?, row.sees?);
        Some(Self { camera: row.into_camera(), distance_m, sees })
    }
}

/// Asks for at most `limit` cameras within `radius_m` of the spot.
pub fn ask_near(
    asker: Asker,
    spot: Point,
    radius_m: u32,
    limit: u32,
    mut hear: impl FnMut(Result<Vec<NearCamera>, ApiError>) + 'static,
) {
    let at = format!("{},{}", text::fixed(spot.lat(), 6), text::fixed(spot.lon(), 6));
    let path = format!("/api/v1/cameras?near={at}&radius={radius_m}&limit={limit}");
    asker.ask(path, move |answer: Result<PageAnswer<CameraRow>, ApiError>| {
        hear(answer.map(|page| page.items.into_iter().filter_map(NearCamera::of).collect()));
    });
}
