//! The browser's side, built by a program of its own: what that needs compiles for minutes, and `cargo xtask --help` does
//! not wait for it.
//!
//! What should be here: running that program (`site/`). What should not: what the site has and how it is made.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;

use crate::repo::Repo;
use crate::{process, setup};

#[derive(Args)]
pub struct Options {
    /// Optimise for size (profile `wasm`, wasm-opt, brotli); without it the build is quick and large.
    #[arg(long)]
    pub release_wasm: bool,
    /// Folder to build into [default: `site` in the target folder].
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// How much trouble is taken over the WASM.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WasmBuild {
    /// Compiled in seconds after a change, megabytes large, with names in its stack traces.
    Quick,
    /// What is shipped.
    Optimised,
}

/// What a screen's browser downloads before the screen works.
#[derive(Deserialize)]
pub struct FirstLoad {
    pub screen: String,
    /// Brotli, all files together.
    pub bytes: u64,
    /// The limit.
    pub most: u64,
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    setup::npm(&repo.root.join("npm"))?;
    let build = if options.release_wasm { WasmBuild::Optimised } else { WasmBuild::Quick };
    // Relative to where the person stands, not to the repository, where the builder runs.
    let out = options.out.as_ref().map(std::path::absolute).transpose().context("cannot find --out")?;
    self::build(repo, build, &out.unwrap_or_else(|| repo.site()))
}

/// Builds the site into `folder`, rewriting only what changed.
pub fn build(repo: &Repo, build: WasmBuild, folder: &Path) -> Result<()> {
    let mut builder = builder(repo);
    builder.arg("build").arg("--out").arg(folder);
    if build == WasmBuild::Optimised {
        builder.arg("--release-wasm");
    }
    process::run(&mut builder)
}

/// Refuses a site with a screen whose first load is above the limit.
pub fn check_first_loads(repo: &Repo) -> Result<()> {
    process::run(builder(repo).arg("check").arg(repo.site()))
}

/// What each screen of the built site weighs.
pub fn first_loads(repo: &Repo) -> Result<Vec<FirstLoad>> {
    let printed = process::output(builder(repo).arg("sizes").arg(repo.site()))?;
    serde_json::from_str(&printed).context("cannot understand the sizes of the site")
}

/// Prints whose the bytes of a screen's first load are.
pub fn print_costs(repo: &Repo, screen: &str) -> Result<()> {
    process::run(builder(repo).arg("costs").arg(repo.site()).arg(screen))
}

/// The program that builds it, to be told what to do.
pub fn builder(repo: &Repo) -> Command {
    let mut cargo = repo.cargo();
    cargo.args(["run", "--package", "site", "--"]);
    cargo
}
