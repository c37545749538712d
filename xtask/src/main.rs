//! Automation: `cargo xtask demo`, `test`, `bench`, `site`, `setup`, and the rules about the repository.
//!
//! What should be here: steps a person would otherwise type, in order, each saying what it does. What should not:
//! product code; nothing here is shipped, and no crate of ours is used, so it builds when they do not. What compiles for
//! minutes: `--help` stands before it.
//!
//! Modules in reading order.

// A person reads what this program prints; it has no log.
#![allow(clippy::print_stdout)]

mod setup;
mod site;
mod demo;
mod test;
mod bench;
mod dist;
mod watch;
#[cfg(test)]
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{process, repo};

/// Automation of Gridhall (格厅). Two commands are enough to start: `cargo xtask demo` and `cargo xtask test`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building, running and testing need, and say what was installed.
    Setup(setup::Options),
    /// Build the browser's side into the site folder.
    Site(site::Options),
    /// Run the demonstration and build its site anew whenever a source changes; pages load themselves again.
    Watch(watch::Options),
    /// Build everything and run a simulated city; prints the address with a one-time sign-in link.
    Demo(demo::Options),
    /// Everything a change must pass, with a timing table.
    Test(test::Options),
    /// Make a Debian package and an archive, for halls without a compiler.
    Dist(dist::Options),
    /// Measure against the targets; prints a table, or JSON rows `{measure, value, unit, target, holds, limit, ratio, generators}`.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain says what was being done; a backtrace of this program would say nothing more.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> Result<()> {
    let repo = repo::Repo::find();
    match task {
        Task::Setup(options) => setup::run(&repo, options),
        Task::Site(options) => site::run(&repo, options),
        Task::Watch(options) => watch::run(&repo, options),
        Task::Demo(options) => demo::run(&repo, options),
        Task::Test(options) => test::run(&repo, options),
        Task::Dist(options) => dist::run(&repo, options),
        Task::Bench(options) => bench::run(&repo, options),
    }
}
