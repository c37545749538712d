//! `sim bench NAME`: measurements with their own server; prints rows for `cargo xtask bench`.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use sim::bench::video;

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
        Name::Video { streams, seconds } => video::run(streams, seconds).await?,
    };
    let text = serde_json::to_string_pretty(&rows).context("cannot write the rows as JSON")? + "\n";
    if options.json.as_os_str() == "-" {
        use std::io::Write;
        return std::io::stdout().write_all(text.as_bytes()).context("cannot print the rows");
    }
    std::fs::write(&options.json, text).with_context(|| format!("cannot write `{}`", options.json.display()))
}
