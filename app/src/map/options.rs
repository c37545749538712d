//! How a map is set up: sizes and manners, which each page says itself; the ground comes from the server (`settings`).
//! What is shown on it is in `mark`.

use domain::answer::MapAnswer;
use serde::Serialize;

/// Pixels of a raster tile's side.
const TILE_SIZE: u32 = 256;

/// How large a map is, in CSS pixels; `rem` is the size that the words around it are counted in, a panel's unit or
/// the page's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapSize {
    pub width: f64,
    pub rem: f64,
}

/// What a map of this size looks like; asked again whenever the size changes.
pub type Manner = fn(MapSize) -> MapOptions;

/// How a map is set up. Language and theme follow the page's `lang` and `data-theme`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MapOptions {
    /// Pans and zooms by hand: at a desk, not on a wall.
    pub interactive: bool,
    /// Gathers people who stand close together into circles with numbers.
    pub group: bool,
    /// Whether there is room for a legend.
    #[serde(skip)]
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
    /// Rectangles `[x, y, width, height]` in CSS pixels that marks and words keep clear of.
    pub reserved: Vec<[f64; 4]>,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            interactive: false,
            group: true,
            legend: false,
            scale: true,
            stale_seconds: 120,
            per_square: 14,
            priority_max: 3,
            font_px: 24.0,
            padding: MapPadding::default(),
            reserved: Vec::new(),
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

/// What a map is created with besides its manner: the ground the server has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MapSetup {
    /// Addresses of GeoJSON layers, bottom first.
    layers: Vec<String>,
    raster: Option<Raster>,
    /// Address of a tile archive.
    pmtiles: Option<String>,
    attribution: String,
    /// 审图号
    approval: String,
    /// West, south, east, north, where the layers do not say.
    bounds: Option<[f64; 4]>,
}

/// Raster tiles `{z}/{x}/{y}` in Web Mercator.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Raster {
    tiles: Vec<String>,
    tile_size: u32,
    max_zoom: u8,
}

impl MapSetup {
    pub(super) fn of(ground: &MapAnswer) -> Self {
        let raster = ground.raster.as_ref().map(|tiles| Raster {
            tiles: vec![tiles.clone()],
            tile_size: TILE_SIZE,
            max_zoom: ground.raster_zoom_max,
        });
        Self {
            layers: ground.layers.clone(),
            raster,
            pmtiles: ground.pmtiles.clone(),
            attribution: ground.attribution.clone(),
            approval: ground.approval_number.clone(),
            bounds: ground.bounds.map(|bounds| [bounds.west, bounds.south, bounds.east, bounds.north]),
        }
    }
}
