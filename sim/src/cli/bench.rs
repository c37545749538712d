//! `sim bench NAME`: measurements with their own server; prints rows for `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use sim::bench::{history, live, video};

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
        #[command(flatten)]
        load: Load,
        /// Days of the city that the store holds before it is measured
        #[arg(long, default_value_t = 30)]
        days: usize,
    },
    /// The same and more on a store with a history: starts, lists, walls at once, backup and check
    History {
        /// The store's folder; it is left changed
        #[arg(long)]
        store: PathBuf,
        #[command(flatten)]
        load: Load,
    },
    /// The past shown again, on a store with a history: how long it takes to stand at any instant of it
    Replay {
        /// The store's folder
        #[arg(long)]
        store: PathBuf,
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

/// How much of everything
#[derive(Args)]
struct Load {
    /// Screens that watch at one time
    #[arg(long, default_value_t = 500)]
    screens: usize,
    /// Inspectors who walk
    #[arg(long, default_value_t = 10_000)]
    inspectors: usize,
    /// How long they are watched
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Seconds the server is away before it comes back to its screens
    #[arg(long, default_value_t = 10)]
    outage: u64,
}

impl Load {
    fn on_days(&self, days: usize) -> live::Load {
        let Self { screens, inspectors, seconds, outage } = *self;
        live::Load { screens, inspectors, seconds, days, outage_seconds: outage }
    }
}

pub async fn run(options: Options) -> anyhow::Result<()> {
    let rows = match options.name {
        Name::Live { load, days } => live::run(load.on_days(days)).await?,
        Name::History { store, load } => history::run(store, load.on_days(0)).await?,
        Name::Replay { store } => history::replay(&store).await?,
        Name::Video { streams, seconds } => video::run(streams, seconds).await?,
    };
    let text = serde_json::to_string_pretty(&rows).context("cannot write the rows as JSON")? + "\n";
    if options.json.as_os_str() == "-" {
        use std::io::Write;
        return std::io::stdout().write_all(text.as_bytes()).context("cannot print the rows");
    }
    std::fs::write(&options.json, text).with_context(|| format!("cannot write `{}`", options.json.display()))
}
