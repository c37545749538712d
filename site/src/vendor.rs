//! What the browser loads that others wrote: the map, its archive reader and the font, from npm, served by us under
//! `/vendor`.
//!
//! The version stands in the map's path: its page, worker and style sheet must be of one release. The archive reader
//! comes as one file with all it uses.

use std::path::Path;

use anyhow::{Context, Result};

use crate::output::{Output, sorted_entries};

/// What the map needs at run time, out of a package with many more files.
const MAP_FILES: [&str; 4] =
    ["maplibre-gl.mjs", "maplibre-gl-shared.mjs", "maplibre-gl-worker.mjs", "maplibre-gl.css"];

const FONT_PACKAGE: &str = "@fontsource-variable/noto-sans-sc";

pub fn add(npm: &Path, output: &mut Output) -> Result<()> {
    let modules = npm.join("node_modules");
    let map = modules.join("maplibre-gl");
    let version = version(&map)?;
    for name in MAP_FILES {
        output.copy(&map.join("dist").join(name), &format!("vendor/maplibre/{version}/{name}"))?;
    }
    let archive = modules.join("pmtiles");
    let name = format!("vendor/pmtiles/{}/pmtiles.js", self::version(&archive)?);
    output.copy(&archive.join("dist/pmtiles.js"), &name)?;
    let font = modules.join(FONT_PACKAGE);
    // Kept for ever by browsers, like the map, and so under its version.
    let place = format!("vendor/noto-sans-sc/{}", self::version(&font)?);
    output.copy(&font.join("index.css"), &format!("{place}/index.css"))?;
    output.give_name("vendor/noto-sans-sc/index.css", &format!("{place}/index.css"));
    for slice in sorted_entries(&font.join("files"))? {
        let name = slice.file_name().expect("a folder's entry has a name").to_string_lossy();
        if name.ends_with(".woff2") {
            output.copy(&slice, &format!("{place}/files/{name}"))?;
        }
    }
    Ok(())
}

fn version(package: &Path) -> Result<String> {
    let file = package.join("package.json");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let facts: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("cannot understand {}", file.display()))?;
    let version =
        facts["version"].as_str().with_context(|| format!("{} names no version", file.display()))?;
    Ok(version.to_owned())
}
