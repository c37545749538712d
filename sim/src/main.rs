//! Command line of the simulated city. Each subcommand has its file in `cli`.

mod cli;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(version, about = "The simulated city for demonstrations, tests and load")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the schematic city: map layers, policy areas and camera register
    Schematic(cli::schematic::Options),
    /// Serve RTSP cameras with drawn or given pictures and faults on request
    Cameras(cli::cameras::Options),
    /// Report cases, whistles and positions as a whole city does
    City(cli::city::Options),
    /// Replay recorded walks as moving inspectors
    Tracks(cli::tracks::Options),
    /// Measure a server under load
    Bench(cli::bench::Options),
    /// Run a server, cameras and a city together, as a demonstration
    Demo(cli::demo::Options),
    /// Print what one simulated screen asks of a server
    Screen(cli::screen::Options),
    /// Decide what camera tiles say, for tests of the player alone
    Tile(cli::tile::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Arguments::parse().command {
        Command::Schematic(options) => cli::schematic::run(&options),
        Command::Cameras(options) => cli::cameras::run(&options).await,
        Command::City(options) => cli::city::run(options).await,
        Command::Tracks(options) => cli::tracks::run(options).await,
        Command::Bench(options) => cli::bench::run(options).await,
        Command::Demo(options) => cli::demo::run(options).await,
        Command::Screen(options) => cli::screen::run(options).await,
        Command::Tile(options) => cli::tile::run(&options),
    }
}
