//! What the map shows under the marks: the customer's layers, or the schematic demo map.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Hall;
use crate::problem::Problem;

/// Settings of the map.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MapAnswer {
    /// Addresses of GeoJSON layers in WGS-84, bottom first.
    layers: Vec<String>,
    /// True while only the drawn demo map is there: screens then say 示意图.
    schematic: bool,
    raster: Option<String>,
    attribution: String,
    approval_number: String,
}

/// Which layers the map has.
#[utoipa::path(get, path = "/api/v1/map", tag = "hall", responses((status = 200, body = MapAnswer)))]
pub async fn settings(State(hall): State<Hall>) -> Answer<MapAnswer> {
    let map = &hall.config.map;
    let schematic = map.layers.is_empty();
    let layers = if schematic {
        vec!["/map/schematic.geojson".to_owned()]
    } else {
        (0..map.layers.len()).map(|index| format!("/api/v1/map/layers/{index}")).collect()
    };
    Answer(MapAnswer {
        layers,
        schematic,
        raster: map.raster.clone(),
        attribution: map.attribution.clone(),
        approval_number: map.approval_number.clone(),
    })
}

/// One of the customer's layers.
#[utoipa::path(get, path = "/api/v1/map/layers/{index}", tag = "hall", params(("index" = usize, Path)),
    responses((status = 200, body = Object), (status = 404, body = Problem)))]
pub async fn layer(State(hall): State<Hall>, Path(index): Path<usize>) -> Result<Response, Problem> {
    let file = hall.config.map.layers.get(index).ok_or_else(|| Problem::not_found("no such layer"))?;
    let text =
        tokio::fs::read(file).await.map_err(|error| Problem::internal("cannot read a map layer", &error))?;
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], text).into_response())
}
