//! `sim schematic`: writes the schematic city's files.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

#[derive(Args)]
pub struct Options {
    /// Folder that holds public/map and demo
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let city = sim::schematic::Schematic::build()?;
    for (name, text) in [
        ("public/map/schematic.geojson", city.geojson()),
        ("demo/areas.toml", city.areas_toml()),
        ("demo/cameras.csv", city.cameras_csv()),
    ] {
        let path = options.out.join(name);
        let folder = path.parent().context("a file path has a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("making folder {}", folder.display()))?;
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
