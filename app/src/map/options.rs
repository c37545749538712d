//! How a map is set up: ground, layers, sizes. What is shown on it is in `mark`.

use serde::{Deserialize, Serialize};

/// How a map is set up. Language and theme follow the page's `lang` and `data-theme`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MapOptions {
    /// Address of the GeoJSON ground on this server; none for a base map alone.
    pub schematic: Option<String>,
    /// A customer's own layers.
    pub layers: Vec<MapLayer>,
    /// Base map tiles served by us.
    pub raster: Option<MapRaster>,
    pub attribution: String,
    /// 审图号
    pub approval: String,
    /// Pans and zooms by hand: at a desk, not on a wall.
    pub interactive: bool,
    /// Gathers people who stand close together into circles with numbers.
    pub group: bool,
    pub legend: bool,
    pub scale: bool,
    /// Older positions are drawn as out of date.
    pub stale_seconds: u32,
    /// Ordinary cases that one small square stands for, at least.
    pub per_square: u32,
    /// Cases of a higher number than this priority are ordinary squares: 2 on a small wall.
    pub priority_max: u8,
    /// Size of the small words in CSS pixels; all marks grow with it.
    pub font_px: f64,
    pub padding: MapPadding,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            schematic: Some("/map/schematic.geojson".into()),
            layers: Vec::new(),
            raster: None,
            attribution: String::new(),
            approval: String::new(),
            interactive: false,
            group: true,
            legend: false,
            scale: true,
            stale_seconds: 120,
            per_square: 14,
            priority_max: 3,
            font_px: 24.0,
            padding: MapPadding::default(),
        }
    }
}

/// CSS pixels kept free around the city.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MapPadding {
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
    pub left: f64,
}

impl Default for MapPadding {
    fn default() -> Self {
        Self { top: 24.0, right: 24.0, bottom: 24.0, left: 24.0 }
    }
}

/// A customer's GeoJSON layer; colours are names of theme tokens or CSS colours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapLayer {
    pub url: String,
    #[serde(default)]
    pub fill: Option<String>,
    #[serde(default)]
    pub line: Option<String>,
}

/// Raster tiles `{z}/{x}/{y}` in Web Mercator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MapRaster {
    pub tiles: Vec<String>,
    pub tile_size: u32,
    pub max_zoom: u32,
}
