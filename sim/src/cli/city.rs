//! `sim city`: runs the simulated city against a server.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

/// Volumes and shares follow Kunming's bulletin of March 2021
#[derive(Args)]
pub struct Options {
    /// Server to report to, such as <http://127.0.0.1:8700>
    #[arg(long)]
    server: String,
    /// File with a machine token; without it the environment variable GRIDHALL_TOKEN is used
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Times real time
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// The same seed gives the same city
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Inspectors on the streets
    #[arg(long, default_value_t = 648)]
    inspectors: usize,
    /// Let no cases and whistles happen; only inspectors walk
    #[arg(long, conflicts_with_all = ["no_past", "past"])]
    no_cases: bool,
    /// Begin with an empty day instead of taking over yesterday and today
    #[arg(long, conflicts_with = "past")]
    no_past: bool,
    /// Take over yesterday and today also when the store has cases already
    #[arg(long)]
    past: bool,
    /// Take over the same weekday of so many weeks before, too: the wall's reference needs three
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(0..=4))]
    weeks: u8,
    /// Stop after this many seconds
    #[arg(long = "for")]
    seconds: Option<u64>,
}

/// The token from a file or the environment; never from the command line, where others could read it.
pub fn token(file: Option<&PathBuf>) -> anyhow::Result<String> {
    let token = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the token file `{}`", file.display()))?,
        None => std::env::var("GRIDHALL_TOKEN").context("set GRIDHALL_TOKEN or give --token-file")?,
    };
    Ok(token.trim().to_owned())
}

pub async fn run(options: Options) -> anyhow::Result<()> {
    anyhow::ensure!(
        (0.1..=1_000.0).contains(&options.speed),
        "--speed: {} is not within 0.1 to 1,000",
        options.speed
    );
    anyhow::ensure!(options.inspectors <= 50_000, "--inspectors: at most 50,000");
    let client = crate_client(&options)?;
    let city = sim::city::Options {
        seed: options.seed,
        speed: options.speed,
        inspectors: options.inspectors,
        cases: !options.no_cases,
        past: match (options.past, options.no_past) {
            (true, _) => sim::city::Past::Always,
            (false, true) => sim::city::Past::Never,
            (false, false) => sim::city::Past::IfEmpty,
        },
        weeks: options.weeks,
        lasts: options.seconds.map(Duration::from_secs),
    };
    let stopping = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopping);
    let work =
        tokio::task::spawn_blocking(move || sim::city::run(&client, city, &|| flag.load(Ordering::Relaxed)));
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.store(true, Ordering::Relaxed);
        }
    });
    let summary = work.await.context("the city stopped unexpectedly")??;
    tracing::info!(summary.taken, summary.refused, summary.fixes, summary.retries, "city stopped");
    Ok(())
}

fn crate_client(options: &Options) -> anyhow::Result<sim::client::Client> {
    Ok(sim::client::Client::new(&options.server, &token(options.token_file.as_ref())?))
}
