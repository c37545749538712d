//! Settings of the map, and whether the files they name are there and are what they should be.
//!
//! What should not be here: how they are served (`http::map`) or drawn.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

/// Path of the tiles in `map.tiles`; what follows is `{z}/{x}/{y}.png` or another kind of picture.
const OWN_TILES: &str = "/tiles/";
const OWN_RASTER: &str = "/tiles/{z}/{x}/{y}.png";
/// First bytes of a PMTiles archive; the version follows.
const PMTILES_MAGIC: &[u8; 7] = b"PMTiles";
const PMTILES_VERSION: u8 = 3;
/// No tile grid goes deeper.
pub const ZOOM_MAX: u8 = 24;

/// What the map shows under the marks.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Map {
    /// GeoJSON files in WGS-84, drawn in this order: districts, streets, roads. Without one, and without tiles, the
    /// schematic demo map is shown and says so.
    pub layers: Vec<PathBuf>,
    /// Folder of raster tiles `z/x/y.png` (jpg, jpeg, webp, avif), Web Mercator, counted from the north.
    pub tiles: Option<PathBuf>,
    /// Raster tiles below the layers, as a path of this server with `{z}`, `{x}` and `{y}`.
    pub raster: Option<String>,
    /// Deepest zoom of the raster tiles; beyond it they are drawn larger.
    pub raster_zoom_max: u8,
    /// PMTiles archive below the layers: raster, or vector drawn as plain areas and lines.
    pub pmtiles: Option<PathBuf>,
    /// Text the map's supplier requires.
    pub attribution: String,
    /// 审图号
    pub approval_number: String,
}

impl Default for Map {
    fn default() -> Self {
        Self {
            layers: Vec::new(),
            tiles: None,
            raster: None,
            raster_zoom_max: 18,
            pmtiles: None,
            attribution: String::new(),
            approval_number: String::new(),
        }
    }
}

impl Map {
    /// Whether only the drawn demo map is there.
    #[must_use]
    pub fn is_schematic(&self) -> bool {
        self.layers.is_empty() && self.raster_path().is_none() && self.pmtiles.is_none()
    }

    /// Where pages find raster tiles: as set, else those of the folder.
    #[must_use]
    pub fn raster_path(&self) -> Option<&str> {
        self.raster.as_deref().or_else(|| self.tiles.is_some().then_some(OWN_RASTER))
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        if let Some(path) = &self.raster {
            ensure!(
                is_own_raster(path),
                "map.raster: `{path}` is no path of this server such as `{OWN_RASTER}`"
            );
            let served = !path.starts_with(OWN_TILES) || self.tiles.is_some();
            ensure!(served, "map.raster: `{path}` needs map.tiles, the folder of the tiles");
        }
        ensure!(
            self.raster_zoom_max <= ZOOM_MAX,
            "map.raster_zoom_max: {} is not within 0 to {ZOOM_MAX}",
            self.raster_zoom_max
        );
        Ok(())
    }

    /// Refuses when a file that is named here is not what it should be.
    pub(super) fn check_files(&self) -> anyhow::Result<()> {
        for layer in &self.layers {
            let read = std::fs::read(layer).map_err(anyhow::Error::from);
            read.and_then(|text| Ok(serde_json::from_slice::<serde::de::IgnoredAny>(&text)?))
                .with_context(|| format!("map.layers: cannot read `{}` as GeoJSON", layer.display()))?;
        }
        if let Some(folder) = &self.tiles {
            ensure!(folder.is_dir(), "map.tiles: `{}` is not a folder", folder.display());
        }
        self.pmtiles.as_deref().map_or(Ok(()), check_archive)
    }
}

/// An address below this server: a screen asks no other one.
fn is_own_raster(path: &str) -> bool {
    let plain = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '?', '#']);
    plain
        && ["{z}", "{x}", "{y}"].iter().all(|part| path.contains(part))
        && !path.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn check_archive(file: &Path) -> anyhow::Result<()> {
    let mut start = [0; PMTILES_MAGIC.len() + 1];
    std::fs::File::open(file)
        .and_then(|mut open| open.read_exact(&mut start))
        .with_context(|| format!("map.pmtiles: cannot read `{}`", file.display()))?;
    let [magic @ .., version] = start;
    ensure!(magic == *PMTILES_MAGIC, "map.pmtiles: `{}` is not a PMTiles archive", file.display());
    ensure!(
        version == PMTILES_VERSION,
        "map.pmtiles: `{}` is of version {version}; version {PMTILES_VERSION} is read",
        file.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(map: Map) -> String {
        format!("{:#}", map.check().and_then(|()| map.check_files()).unwrap_err())
    }

    #[test]
    fn a_map_that_would_not_be_drawn_is_refused_with_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let words = dir.path().join("words.txt");
        std::fs::write(&words, "no archive at all").unwrap();
        let missing = refusal(Map { layers: vec![dir.path().join("none.geojson")], ..Map::default() });
        assert!(missing.contains("map.layers") && missing.contains("none.geojson"), "{missing}");
        let folder = refusal(Map { tiles: Some(words.clone()), ..Map::default() });
        assert!(folder.contains("map.tiles"), "{folder}");
        let archive = refusal(Map { pmtiles: Some(words), ..Map::default() });
        assert!(archive.contains("is not a PMTiles archive"), "{archive}");
        for away in ["https://tiles.example/{z}/{x}/{y}.png", "//tiles.example/{z}/{x}/{y}.png"] {
            let raster = refusal(Map { raster: Some(away.into()), ..Map::default() });
            assert!(raster.contains("no path of this server"), "{raster}");
        }
        let nothing = refusal(Map { raster: Some("/tiles/{z}/{x}/{y}.png".into()), ..Map::default() });
        assert!(nothing.contains("needs map.tiles"), "{nothing}");
    }

    #[test]
    fn a_folder_of_tiles_needs_no_path() {
        let dir = tempfile::tempdir().unwrap();
        let map = Map { tiles: Some(dir.path().to_owned()), ..Map::default() };
        map.check().unwrap();
        map.check_files().unwrap();
        assert_eq!(map.raster_path(), Some(OWN_RASTER));
        assert!(!map.is_schematic());
        assert!(Map::default().is_schematic());
    }
}
