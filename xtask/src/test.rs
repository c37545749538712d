//! `cargo xtask test`: everything a change must pass, stage by stage, the first failure ending the run.
//!
//! What should be here: which stages there are and what each runs. What should not: the checks themselves; they are
//! tests of their crates, so that `cargo test` finds them as well.

mod scripts;
mod tally;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::repo::{Profile, Repo};
use crate::{process, setup, site};
use tally::Tally;

#[derive(Args)]
pub struct Options {
    /// Full counts and bounds: properties, simulation seeds, crash cycles, what the browser is held to. Takes hours.
    #[arg(long)]
    long: bool,
    /// Only these stages (repeatable).
    #[arg(long, value_enum, value_name = "STAGE")]
    only: Vec<Stage>,
}

/// In the order they run: what fails soonest and cheapest comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// System packages, WASM target, npm packages.
    Setup,
    /// rustfmt.
    Format,
    /// Rules about the repository.
    Tidy,
    /// The scripts of the site and of the browser tests: their types, their lint and their unit tests.
    Scripts,
    /// Clippy with warnings denied, native and WASM.
    Clippy,
    /// Unit, property and integration tests.
    Rust,
    /// What the browser's side computes without a browser.
    App,
    /// The site, as shipped.
    Site,
    /// The product as its users meet it.
    Browser,
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    let mut tally = Tally::default();
    let mut times: Vec<(Stage, Duration)> = Vec::new();
    let wanted = |stage: &Stage| options.only.is_empty() || options.only.contains(stage);
    let mut failure = None;
    for stage in Stage::value_variants().iter().filter(|stage| wanted(stage)) {
        println!("\n== {}", stage.name());
        let started = Instant::now();
        let ran = stage.run(repo, options.long, &mut tally);
        times.push((*stage, started.elapsed()));
        if let Err(error) = ran {
            println!("\n== {} failed: {error:#}", stage.name());
            failure = Some(stage.name());
            break;
        }
    }
    print_times(&times);
    println!("\n{tally}");
    match failure {
        Some(stage) => bail!("stage `{stage}` failed"),
        None => Ok(()),
    }
}

fn print_times(times: &[(Stage, Duration)]) {
    println!("\n{:<10} {:>8}", "stage", "seconds");
    for (stage, time) in times {
        println!("{:<10} {:>8.1}", stage.name(), time.as_secs_f32());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("{:<10} {:>8.1}", "all", total.as_secs_f32());
}

impl Stage {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn run(self, repo: &Repo, long: bool, tally: &mut Tally) -> Result<()> {
        match self {
            Stage::Setup => setup::for_testing(repo),
            Stage::Format => cargo(repo, &["fmt", "--all", "--check"]),
            Stage::Tidy => cargo_test(repo, &["--package", "xtask"], long, tally),
            Stage::Scripts => scripts::check(repo, tally),
            Stage::Clippy => {
                let deny = ["--", "--deny", "warnings"];
                let native = ["clippy", "--workspace", "--exclude", "app", "--all-targets"];
                cargo(repo, &[&native[..], &deny].concat())?;
                let wasm = ["clippy", "--package", "app", "--target", "wasm32-unknown-unknown"];
                let mut clippy = repo.cargo();
                clippy.env("CARGO_TARGET_DIR", &repo.wasm_target).args(wasm).args(deny);
                process::run(&mut clippy)
            }
            Stage::Rust => {
                cargo_test(repo, &["--workspace", "--exclude", "app", "--exclude", "xtask"], long, tally)
            }
            Stage::App => cargo_test(repo, &["--package", "app"], long, tally),
            Stage::Site => {
                site::build(repo, site::WasmBuild::Optimised, &repo.site())?;
                site::check_first_loads(repo)
            }
            Stage::Browser => browser(repo, long, tally),
        }
    }
}

/// What makes a run long, for all tests alike: the counts of properties and simulations are proptest's own, `GRIDHALL_LONG`
/// stands for counts and bounds of everything else.
const LONG: [(&str, &str); 2] = [("GRIDHALL_LONG", "1"), ("PROPTEST_CASES", "4096")];

/// An everyday run is not made long by what happens to stand in the environment.
fn lengthen(tests: &mut std::process::Command, long: bool) {
    for (name, value) in LONG {
        if long {
            tests.env(name, value);
        } else {
            tests.env_remove(name);
        }
    }
}

fn cargo(repo: &Repo, words: &[&str]) -> Result<()> {
    process::run(repo.cargo().args(words))
}

fn cargo_test(repo: &Repo, words: &[&str], long: bool, tally: &mut Tally) -> Result<()> {
    let mut cargo = repo.cargo();
    cargo.arg("test").args(words);
    lengthen(&mut cargo, long);
    process::run_seeing(&mut cargo, |line| tally.see_cargo(line))
}

/// Playwright against the real server, started by the tests themselves on a free port.
fn browser(repo: &Repo, long: bool, tally: &mut Tally) -> Result<()> {
    build_binaries(repo, Profile::Debug)?;
    let mut playwright = playwright(repo, Profile::Debug);
    playwright.arg("test");
    lengthen(&mut playwright, long);
    process::run_seeing(&mut playwright, |line| tally.see_playwright(line))
        .context("pictures of what failed are in end2end/test-results; GRIDHALL_TRACE=1 records traces too")
}

/// Builds `gridhall` and `sim`.
pub fn build_binaries(repo: &Repo, profile: Profile) -> Result<()> {
    let mut cargo = repo.cargo();
    cargo.args(["build", "--package", "server", "--package", "sim", "--bins"]).args(profile.arguments());
    process::run(&mut cargo)
}

/// Playwright's command, told where our binaries and the site are.
pub fn playwright(repo: &Repo, profile: Profile) -> std::process::Command {
    let mut node = std::process::Command::new("node");
    node.current_dir(repo.root.join("end2end"))
        .arg("node_modules/@playwright/test/cli.js")
        .env("GRIDHALL_BIN", repo.binary("gridhall", profile))
        .env("GRIDHALL_SIM", repo.binary("sim", profile))
        .env("GRIDHALL_SITE", repo.site());
    node
}
