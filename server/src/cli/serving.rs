//! `gridhall serve`: what is said where a server is started.

use std::path::PathBuf;

use clap::Args;

use crate::config::Config;
use crate::serve::{self, Demonstration};

#[derive(Args)]
pub struct Options {
    /// Write address and a one-time sign-in link as JSON to this file (mode 0600) once listening
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Be a demonstration: a simulated city, whose clock an administrator may speed up; the data folder is then a
    /// demonstration's for good
    #[arg(long)]
    demonstration: bool,
    /// Where a new demonstration's time begins, such as 2026-11-27T10:40; without it in the morning of the last working day
    #[arg(long, value_name = "TIME", requires = "demonstration")]
    at: Option<String>,
    /// How many times faster than real the demonstration's time goes, 1 to 600
    #[arg(long, value_name = "N", default_value_t = 1.0, requires = "demonstration")]
    speed: f64,
}

pub async fn run(mut config: Config, options: Options) -> anyhow::Result<()> {
    if options.demonstration {
        config.demonstration = Some(Demonstration::read(options.at.as_deref(), options.speed)?);
    }
    serve::run(config, options.ready_file).await
}
