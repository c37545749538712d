//! Cameras linked to a spot, as the server ranks them: those that look at it first, then the nearest.

use domain::camera::Camera;
use domain::code::{AreaCode, CameraCode};
use domain::place::Point;
use serde::Deserialize;

use crate::api::{self, ApiError};
use crate::text;

/// A camera linked to a spot.
#[derive(Debug, Clone, PartialEq)]
pub struct NearCamera {
    pub camera: Camera,
    pub distance_m: f64,
    pub sees: bool,
}

/// What the server says of it, in one object.
#[derive(Deserialize)]
struct Row {
    code: CameraCode,
    name: String,
    place: Option<Point>,
    bearing_deg: Option<f32>,
    view_deg: f32,
    owner: Option<String>,
    has_sub: bool,
    #[serde(default)]
    area: Option<AreaCode>,
    distance_m: f64,
    sees: bool,
}

impl From<Row> for NearCamera {
    fn from(row: Row) -> Self {
        let Row { code, name, place, bearing_deg, view_deg, owner, has_sub, area, distance_m, sees } = row;
        Self {
            camera: Camera { code, name, place, bearing_deg, view_deg, owner, has_sub, area },
            distance_m,
            sees,
        }
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Row>,
}

/// At most `limit` cameras within `radius_m` of the spot.
pub async fn near(spot: Point, radius_m: u32, limit: u32) -> Result<Vec<NearCamera>, ApiError> {
    let at = format!("{},{}", text::fixed(spot.lat(), 6), text::fixed(spot.lon(), 6));
    let path = format!("/api/v1/cameras?near={at}&radius={radius_m}&limit={limit}");
    let page = api::get_json::<Page>(&path).await?;
    Ok(page.items.into_iter().map(NearCamera::from).collect())
}
