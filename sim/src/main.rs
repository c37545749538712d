//! Command line of the simulated city.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "The simulated city for demonstrations, tests and load")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the schematic city: map layers, policy areas and camera register
    Schematic {
        /// Folder that holds public/map and demo
        #[arg(long, default_value = ".")]
        out: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Schematic { out } => schematic(&out),
    }
}

fn schematic(out: &std::path::Path) -> anyhow::Result<()> {
    let city = sim::schematic::Schematic::build()?;
    for (name, text) in [
        ("public/map/schematic.geojson", city.geojson()),
        ("demo/areas.toml", city.areas_toml()),
        ("demo/cameras.csv", city.cameras_csv()),
    ] {
        let path = out.join(name);
        let folder = path.parent().context("a file path has a folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("making folder {}", folder.display()))?;
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
