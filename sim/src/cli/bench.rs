//! `sim bench NAME`: measurements with their own server; prints rows for `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use sim::bench::{live, video};

#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    name: Name,
    /// Where the rows go as a JSON array; `-` is standard output
    #[arg(long, global = true, default_value = "-")]
    json: PathBuf,
}

#[derive(Subcommand)]
enum Name {
    /// Live feed: latency, screens and inspectors, memory of connections, stalled clients, a restart
    Live {
        /// Screens that watch at one time
        #[arg(long, default_value_t = 500)]
        screens: usize,
        /// Inspectors who walk
        #[arg(long, default_value_t = 10_000)]
        inspectors: usize,
        /// How long they are watched
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        /// Days of the city that the store holds before it is measured
        #[arg(long, default_value_t = 30)]
        days: usize,
        /// Seconds the server is away before it comes back to its screens
        #[arg(long, default_value_t = 10)]
        outage: u64,
    },
    /// Cameras: relay, memory, start
    Video {
        /// Cameras relayed at one time, one viewer each
        #[arg(long, default_value_t = 100)]
        streams: usize,
        /// How long the relay is counted
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
}

pub async fn run(options: Options) -> anyhow::Result<()> {
    let rows = match options.name {
        Name::Live { screens, inspectors, seconds, days, outage } => {
            let load = live::Load { screens, inspectors, seconds, days, outage_seconds: outage };
            live::run(load).await?
        }
        Name::Video { streams, seconds } => video::run(streams, seconds).await?,
    };
    let text = serde_json::to_string_pretty(&rows).context("cannot write the rows as JSON")? + "\n";
    if options.json.as_os_str() == "-" {
        use std::io::Write;
        return std::io::stdout().write_all(text.as_bytes()).context("cannot print the rows");
    }
    std::fs::write(&options.json, text).with_context(|| format!("cannot write `{}`", options.json.display()))
}
