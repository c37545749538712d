//! The list of cameras for the server's registry, as TOML, and where the cameras stand.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::simulator::Simulator;
use super::spec::{CameraSpec, Place, Profile};

/// Centre of the default grid, WGS-84.
const CENTRE: (f64, f64) = (25.04, 102.71);
/// Degrees between neighbours of the grid, some 400 m.
const STEP: f64 = 0.004;
/// Field of view of a camera on the grid, degrees.
const VIEW_DEG: f64 = 60.0;

#[derive(Debug, Serialize, Deserialize)]
struct Registry {
    camera: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    code: String,
    name: String,
    lat: f64,
    lon: f64,
    /// Degrees from north, the direction it looks.
    bearing: f64,
    view_deg: f64,
    owner: String,
    main: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// The registry of all cameras of `simulator`.
pub fn to_toml(simulator: &Simulator) -> anyhow::Result<String> {
    let mut camera = Vec::new();
    for (index, code) in simulator.codes().enumerate() {
        let handle = simulator.camera(code)?;
        camera.push(entry(simulator, handle.spec(), index));
    }
    toml::to_string(&Registry { camera }).context("cannot write the camera registry as TOML")
}

fn entry(simulator: &Simulator, spec: &CameraSpec, index: usize) -> Entry {
    let place = spec.place.unwrap_or_else(|| grid(index));
    Entry {
        code: spec.code.clone(),
        name: spec.name.clone(),
        lat: place.lat,
        lon: place.lon,
        bearing: place.bearing,
        view_deg: place.view_deg,
        owner: spec.owner.clone(),
        main: simulator.url(&spec.code, Profile::Main),
        sub: simulator.url(&spec.code, Profile::Sub),
        username: spec.credentials.as_ref().map(|wanted| wanted.username.clone()),
        password: spec.credentials.as_ref().map(|wanted| wanted.password.clone()),
    }
}

/// Rows of sixty: 3,600 cameras make a square.
fn grid(index: usize) -> Place {
    const ROW: usize = 60;
    let (row, column) = ((index / ROW) as f64, (index % ROW) as f64);
    Place {
        lat: CENTRE.0 + row * STEP,
        lon: CENTRE.1 + column * STEP,
        bearing: (index * 45 % 360) as f64,
        view_deg: VIEW_DEG,
    }
}

/// One line of a list of camera sites.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    pub code: String,
    pub name: String,
    lat: f64,
    lon: f64,
    bearing: f64,
    view_deg: f64,
    pub owner: String,
}

impl Site {
    pub fn place(&self) -> Place {
        Place { lat: self.lat, lon: self.lon, bearing: self.bearing, view_deg: self.view_deg }
    }
}

/// Reads a CSV of sites with the columns `code,name,lat,lon,bearing,view_deg,owner`.
pub fn read_sites(path: &Path) -> anyhow::Result<Vec<Site>> {
    let file = File::open(path).with_context(|| format!("cannot open the sites `{}`", path.display()))?;
    parse_sites(file).with_context(|| format!("cannot read the sites `{}`", path.display()))
}

fn parse_sites(text: impl Read) -> anyhow::Result<Vec<Site>> {
    let mut sites = Vec::new();
    for (index, site) in csv::Reader::from_reader(text).deserialize().enumerate() {
        // The reader's own error names the line; a place off the earth is ours to name.
        let site: Site = site?;
        let on_earth = site.lat.abs() <= 90.0 && site.lon.abs() <= 180.0 && site.bearing.is_finite();
        if !on_earth {
            bail!("line {}: `{}` has no place on earth", index + 2, site.code);
        }
        sites.push(site);
    }
    Ok(sites)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "code,name,lat,lon,bearing,view_deg,owner\n";

    #[test]
    fn the_demo_sites_are_read_whole() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/cameras.csv");
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(read_sites(&path).unwrap().len(), lines - 1);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for wrong in ["1,甲,95,102,0,60,乙", "1,甲,x,102,0,60,乙", "1,甲,25,102", "1,甲,NaN,102,0,60,乙"]
        {
            let text = format!("{HEAD}0,甲,25,102,0,60,乙\n{wrong}\n");
            let error = format!("{:#}", parse_sites(text.as_bytes()).unwrap_err());
            assert!(error.contains("line") && error.contains('3'), "{wrong}: {error}");
        }
    }
}
