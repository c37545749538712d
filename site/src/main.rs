//! Builds the browser's side: a program of its own, which `cargo xtask` runs, because its dependencies compile for minutes.
//!
//! What should be here: what may be asked of it. What should not: what the site has and how it is made (`build.rs` and the
//! modules it names), when it is built (`xtask`).

// A person, or `cargo xtask`, reads what this program prints; it has no log.
#![allow(clippy::print_stdout)]

mod build;
mod costs;
mod names;
mod output;
mod lean;
mod order;
mod wasm;
mod styles;
mod vendor;
mod licences;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xtask::repo::Repo;

/// The site of Gridhall (格厅), as `cargo xtask site` builds it.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build it into a folder, rewriting only what changed
    Build {
        /// Optimise for size; without it the build is quick and large
        #[arg(long)]
        release_wasm: bool,
        #[arg(long)]
        out: PathBuf,
        /// Compile this programme alone; the others stay as they were built before
        #[arg(long, value_parser = wasm::PROGRAMMES)]
        only: Option<String>,
        /// Somebody works on it: its pages load a newer build at once
        #[arg(long)]
        watched: bool,
    },
    /// Refuse a site with a screen whose first load is above the limit
    Check { folder: PathBuf },
    /// Print what each screen's first load weighs, as JSON
    Sizes { folder: PathBuf },
    /// Print what of a screen's first load is whose: files, crates, modules and functions, the dearest first
    Costs {
        /// The optimised site
        folder: PathBuf,
        #[arg(value_parser = wasm::PROGRAMMES)]
        screen: String,
        /// How many functions and modules are listed
        #[arg(long, default_value_t = 60)]
        most: usize,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Build { release_wasm, out, only, watched } => {
            let build = if release_wasm { wasm::WasmBuild::Optimised } else { wasm::WasmBuild::Quick };
            let wanted = wasm::Wanted { build, only: only.as_deref(), watched };
            build::build(&Repo::find(), wanted, out)
        }
        Task::Check { folder } => build::check_first_loads(&folder),
        Task::Costs { folder, screen, most } => build::print_costs(&Repo::find(), &folder, &screen, most),
        Task::Sizes { folder } => {
            let sizes = build::first_loads(&folder)?;
            println!("{}", serde_json::to_string(&sizes).context("cannot write the sizes as JSON")?);
            Ok(())
        }
    }
}
