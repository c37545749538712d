//! `sim demo`: a server, cameras and a city on this machine, from an empty folder to a wall whose counts move.
//!
//! What should be here: what may be asked for. What should not: starting and ending the programs (`demo/hall.rs`), what the
//! city does (`sim city`), how the server is set up (`demo/config.toml`), building any of it (`cargo xtask demo`).
#![allow(clippy::print_stdout, reason = "a person reads how the demonstration comes up")]

mod ask;
mod hall;
mod kept;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

/// Server, simulated cameras and a simulated city together; `gridhall demo` and `cargo xtask demo` start it
#[derive(Args)]
pub struct Options {
    /// The server's program
    #[arg(long, value_name = "FILE")]
    gridhall: PathBuf,
    /// The built user interface
    #[arg(long, value_name = "DIR")]
    site: PathBuf,
    /// The folder that holds `demo/` with the settings of the demonstration's city
    #[arg(long, value_name = "DIR")]
    share: PathBuf,
    /// Keep what goes with the run here; what an earlier run left in it goes [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Port of the server on loopback
    #[arg(long, default_value_t = 8460)]
    port: u16,
    /// Keep the data here, from run to run; without it each run starts an empty city
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How many times faster than real the hall's time goes, 1 to 600
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    speed: f64,
    /// End by itself after so many seconds of running
    #[arg(long = "for", value_name = "SECONDS")]
    for_seconds: Option<u64>,
    /// Show these cases (CSV) instead of the simulated city's; needs --map
    #[arg(long, value_name = "FILE", requires = "map")]
    cases: Option<PathBuf>,
    /// With --cases: let the city's own cases, past and present, stand beside those of the file
    #[arg(long, requires = "cases")]
    with_city: bool,
    /// The mapping of the columns of --cases
    #[arg(long, value_name = "FILE", requires = "cases")]
    map: Option<PathBuf>,
    /// Replay the GPX tracks of this folder as inspectors
    #[arg(long, value_name = "DIR")]
    tracks: Option<PathBuf>,
    /// Let simulated cameras show the videos of this folder
    #[arg(long, value_name = "DIR")]
    video: Option<PathBuf>,
    /// Show this camera too (repeatable)
    #[arg(long, value_name = "URL")]
    rtsp: Vec<String>,
}

pub async fn run(mut options: Options) -> anyhow::Result<()> {
    options.settle()?;
    // Removed when the run is over; a named folder stays.
    let temporary = match &options.scratch {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("cannot make a temporary folder")?),
    };
    let scratch = match (&options.scratch, &temporary) {
        (Some(named), _) => named.clone(),
        (None, Some(made)) => made.path().to_owned(),
        (None, None) => bail!("no folder to run in"),
    };
    let data = data_folder(&options, &scratch)?;
    kept::watch_for_stop()?;
    let work = tokio::task::spawn_blocking(move || hall::live(&options, &data, &scratch));
    let summary = work.await.context("the demonstration stopped unexpectedly")??;
    println!("demo: {summary}");
    Ok(())
}

impl Options {
    /// Refuses at once what would fail later, and makes every path independent of the folder programs run in.
    fn settle(&mut self) -> anyhow::Result<()> {
        if !(1.0..=600.0).contains(&self.speed) {
            bail!("--speed must lie within 1 to 600, not {}", self.speed);
        }
        let given = [&mut self.cases, &mut self.map, &mut self.tracks, &mut self.video].into_iter().flatten();
        for path in given.chain([&mut self.gridhall, &mut self.site, &mut self.share]) {
            *path = path.canonicalize().with_context(|| format!("cannot look at {}", path.display()))?;
        }
        TcpListener::bind(("127.0.0.1", self.port))
            .with_context(|| format!("port {} is taken; choose another with --port", self.port))?;
        Ok(())
    }
}

/// The folder the server keeps its data in; emptied first unless it was named.
fn data_folder(options: &Options, scratch: &Path) -> anyhow::Result<PathBuf> {
    let folder = match &options.data_dir {
        Some(named) => named.clone(),
        None => {
            let own = scratch.join("data");
            if own.exists() {
                fs::remove_dir_all(&own).with_context(|| format!("cannot empty {}", own.display()))?;
            }
            own
        }
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))
}
