//! Cameras linked to a spot, as the server ranks them: those that look at it first, then the nearest.

use domain::camera::Camera;
use domain::place::Point;
use serde::Deserialize;

use crate::api::{self, ApiError};

/// A camera linked to a spot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct NearCamera {
    #[serde(flatten)]
    pub camera: Camera,
    pub distance_m: f64,
    pub sees: bool,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<NearCamera>,
}

/// At most `limit` cameras within `radius_m` of the spot.
pub async fn near(spot: Point, radius_m: u32, limit: u32) -> Result<Vec<NearCamera>, ApiError> {
    let at = format!("{:.6},{:.6}", spot.lat(), spot.lon());
    let path = format!("/api/v1/cameras?near={at}&radius={radius_m}&limit={limit}");
    Ok(api::get_json::<Page>(&path).await?.items)
}
