//! `cargo xtask demo`: a simulated city on this machine, from nothing to a wall whose counts move.
//!
//! What should be here: what may be asked for, and building it. What should not: starting and ending the programs
//! (`demo/hall.rs`), what the city does (`sim city`), how the server is set up (`demo/config.toml`).

mod ask;
mod hall;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::kept;
use crate::repo::{Profile, Repo};
use crate::{setup, site, test};

#[derive(Args)]
pub struct Options {
    /// Port of the server on loopback.
    #[arg(long, default_value_t = 8460)]
    port: u16,
    /// Keep the data here, from run to run; without it each run starts an empty city.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How many times faster than real the city lives.
    #[arg(long, default_value_t = 60.0, value_name = "N")]
    speed: f64,
    /// End by itself after so many seconds of running.
    #[arg(long = "for", value_name = "SECONDS")]
    for_seconds: Option<u64>,
    /// Show these cases (CSV) instead of the simulated city's; needs --map.
    ///
    /// The wall and the desk then show what the file holds and nothing else: inspectors walk and cameras look, but no
    /// simulated case or whistle happens. What was taken and refused is said row by row.
    #[arg(long, value_name = "FILE", requires = "map")]
    cases: Option<PathBuf>,
    /// With --cases: let the city's own cases, past and present, stand beside those of the file.
    #[arg(long, requires = "cases")]
    with_city: bool,
    /// The mapping of the columns of --cases.
    #[arg(long, value_name = "FILE", requires = "cases")]
    map: Option<PathBuf>,
    /// Replay the GPX tracks of this folder as inspectors.
    #[arg(long, value_name = "DIR")]
    tracks: Option<PathBuf>,
    /// Let simulated cameras show the videos of this folder.
    #[arg(long, value_name = "DIR")]
    video: Option<PathBuf>,
    /// Show this camera too (repeatable).
    #[arg(long, value_name = "URL")]
    rtsp: Vec<String>,
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    options.check()?;
    setup::for_running(repo)?;
    println!("demo: building server and simulator (release; takes minutes the first time)");
    test::build_binaries(repo, Profile::Release)?;
    println!("demo: building the site");
    site::build(repo, site::WasmBuild::Optimised, repo.site())?;
    let data = data_folder(repo, options)?;
    kept::watch_for_stop();
    let summary = hall::live(repo, options, &data)?;
    println!("demo: {summary}");
    Ok(())
}

impl Options {
    /// What would fail only after minutes of building is refused at once.
    fn check(&self) -> Result<()> {
        if !(0.1..=1_000.0).contains(&self.speed) {
            bail!("--speed must lie within 0.1 to 1000, not {}", self.speed);
        }
        for path in [&self.cases, &self.map, &self.tracks, &self.video].into_iter().flatten() {
            fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
        }
        TcpListener::bind(("127.0.0.1", self.port))
            .with_context(|| format!("port {} is taken; choose another with --port", self.port))?;
        Ok(())
    }
}

/// The folder the server keeps its data in; emptied first unless it was named.
fn data_folder(repo: &Repo, options: &Options) -> Result<PathBuf> {
    let folder = match &options.data_dir {
        Some(named) => named.clone(),
        None => {
            let own = repo.target.join("demo-data");
            if own.exists() {
                fs::remove_dir_all(&own).with_context(|| format!("cannot empty {}", own.display()))?;
            }
            own
        }
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))
}
