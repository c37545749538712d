//! `sim screen`: one simulated screen for a moment, and what it asks of its server. A test holds the list against that of
//! the real page in a browser, so that what the load generator measures is what hangs in the hall.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sim::bench::screen::{Page, asked_by};

#[derive(Args)]
pub struct Options {
    /// The server, such as `127.0.0.1:8700`
    #[arg(long)]
    server: String,
    /// A token that may read
    #[arg(long)]
    token: String,
    /// Which page it is
    #[arg(long = "as", value_enum, default_value_t = Which::Wall)]
    page: Which,
    /// How long it looks
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    Wall,
    Desk,
}

pub async fn run(options: Options) -> anyhow::Result<()> {
    let page = match options.page {
        Which::Wall => Page::Wall,
        Which::Desk => Page::Desk,
    };
    let door = Arc::new(sim::bench::Door::at(options.server, &options.token));
    let asked = asked_by(door, page, Duration::from_secs(options.seconds)).await;
    #[allow(clippy::print_stdout, reason = "the answer")]
    for line in asked {
        println!("{line}");
    }
    Ok(())
}
