//! `sim tracks`: replays recorded walks as moving inspectors.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use sim::tracks::Replay;

/// Each GPX file walks as one inspector, named after the file
#[derive(Args)]
pub struct Options {
    /// Folder of GPX files
    #[arg(long)]
    dir: PathBuf,
    /// Server to report to
    #[arg(long)]
    server: String,
    /// Times the recorded pace
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Let the walks start here instead of where they were recorded, as `lat,lon`
    #[arg(long)]
    start_at: Option<String>,
    /// Stop after this many seconds
    #[arg(long = "for")]
    seconds: Option<u64>,
}

pub async fn run(options: Options) -> anyhow::Result<()> {
    anyhow::ensure!((0.1..=1_000.0).contains(&options.speed), "--speed: expected 0.1 to 1,000");
    let start_at = options.start_at.as_deref().map(parse_place).transpose()?;
    let (tracks, problems) = sim::tracks::read(&options.dir)?;
    for problem in &problems {
        tracing::warn!(problem = format!("{problem:#}"), "track left out");
    }
    anyhow::ensure!(!tracks.is_empty(), "no usable GPX file in `{}`", options.dir.display());
    let stopping = Arc::new(AtomicBool::new(false));
    let lasts = options.seconds.map(Duration::from_secs);
    let mut walks = Vec::new();
    for track in tracks {
        let client = sim::client::Client::new(&options.server, "");
        let flag = Arc::clone(&stopping);
        let name =
            track.file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let id: String =
            name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
        let how = Replay { speed: options.speed, start_at, lasts };
        walks.push(tokio::task::spawn_blocking(move || {
            let taken = sim::tracks::replay(&client, &track, &id, how, &|| flag.load(Ordering::Relaxed));
            (id, taken)
        }));
    }
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.store(true, Ordering::Relaxed);
        }
    });
    for walk in walks {
        let (id, taken) = walk.await.context("a walk stopped unexpectedly")?;
        tracing::info!(inspector = id, fixes = taken?, "walk ended");
    }
    Ok(())
}

fn parse_place(text: &str) -> anyhow::Result<(f64, f64)> {
    let place = text
        .split_once(',')
        .and_then(|(lat, lon)| Some((lat.trim().parse::<f64>().ok()?, lon.trim().parse::<f64>().ok()?)));
    place.with_context(|| format!("--start-at: `{text}` is not lat,lon in degrees"))
}
