//! `sim city`: runs the simulated city against a server.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;

/// Volumes and shares follow Kunming's bulletin of March 2021; time is the hall's, at whatever pace its clock goes
#[derive(Args)]
pub struct Options {
    /// Server to report to, such as <http://127.0.0.1:8700>
    #[arg(long)]
    server: String,
    /// File with a machine token; without it the environment variable GRIDHALL_TOKEN is used
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Cases of a usual day, 10 to 50,000; the published volume without it
    #[arg(long, value_name = "N", default_value_t = sim::city::figures::CASES_PER_DAY)]
    cases_a_day: f64,
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
    /// And every other day of these weeks: the reference of the days to come, for a clock that reaches them
    #[arg(long)]
    every_day: bool,
    /// Begin the past without the flooded underpass
    #[arg(long)]
    no_flood: bool,
    /// Once the past is there, let a demonstration's clock go so many times as fast as real, 1 to 600
    #[arg(long, value_name = "N")]
    pace: Option<f64>,
    /// Stop after this many seconds, counted from then
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
        (10.0..=50_000.0).contains(&options.cases_a_day),
        "--cases-a-day: {} is not within 10 to 50,000",
        options.cases_a_day
    );
    anyhow::ensure!(options.inspectors <= 50_000, "--inspectors: at most 50,000");
    let client = crate_client(&options)?;
    let city = sim::city::Options {
        seed: options.seed,
        cases_a_day: options.cases_a_day,
        inspectors: options.inspectors,
        cases: !options.no_cases,
        past: match (options.past, options.no_past) {
            (true, _) => sim::city::Past::Always,
            (false, true) => sim::city::Past::Never,
            (false, false) => sim::city::Past::IfEmpty,
        },
        weeks: options.weeks,
        every_day: options.every_day,
        flood: !options.no_flood,
        pace: options.pace,
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
    let reasons = summary.reasons;
    tracing::info!(summary.taken, summary.refused, ?reasons, summary.fixes, summary.retries, "city stopped");
    Ok(())
}

fn crate_client(options: &Options) -> anyhow::Result<sim::client::Client> {
    Ok(sim::client::Client::new(&options.server, &token(options.token_file.as_ref())?))
}
