//! The browser's side, built into one folder that the server serves as it is.
//!
//! What should be here: which parts the site has and in which order they are made. What should not: how each is made
//! (`site/*.rs`), or anything the server decides (headers, which path answers with the page).

mod output;
mod wasm;
mod styles;
mod vendor;
mod licences;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::repo::Repo;
use crate::setup;
use output::{Compression, Output};
pub use wasm::WasmBuild;

#[derive(Args)]
pub struct Options {
    /// Optimise for size (profile `wasm`, wasm-opt, brotli); without it the build is quick and large.
    #[arg(long)]
    pub release_wasm: bool,
    /// Folder to build into [default: `site` in the target folder].
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// The first load's programme may weigh this much, brotli, WASM and JavaScript together.
pub const FIRST_LOAD_BYTES_MAX: u64 = 350 * 1024;

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    setup::npm(&repo.root.join("npm"))?;
    let build = if options.release_wasm { WasmBuild::Optimised } else { WasmBuild::Quick };
    let out = options.out.clone().unwrap_or_else(|| repo.site());
    self::build(repo, build, out)
}

/// Builds the site into `folder`, rewriting only what changed.
pub fn build(repo: &Repo, build: WasmBuild, folder: PathBuf) -> Result<()> {
    let started = Instant::now();
    let mut output = Output::open(folder)?;
    wasm::add(repo, build, &mut output)?;
    styles::add(&repo.root.join("style"), &mut output)?;
    output.copy_folder(&repo.root.join("public"), "")?;
    vendor::add(&repo.root.join("npm"), &mut output)?;
    licences::add(repo, &mut output)?;
    let compression = match build {
        WasmBuild::Quick => Compression::None,
        WasmBuild::Optimised => Compression::Brotli,
    };
    let done = output.finish(compression)?;
    println!(
        "site: {} files in {}, {} rewritten, {} removed, {:.1} s",
        done.files,
        done.folder.display(),
        done.rewritten,
        done.removed,
        started.elapsed().as_secs_f32()
    );
    if build == WasmBuild::Optimised {
        println!(
            "site: first load {} KiB brotli (WASM + JavaScript), target {} KiB",
            first_load_bytes(&done.folder)? / 1024,
            FIRST_LOAD_BYTES_MAX / 1024
        );
    }
    Ok(())
}

/// What the programme weighs on the wire, as `build` left it in `folder`.
pub fn first_load_bytes(folder: &std::path::Path) -> Result<u64> {
    ["pkg/app_bg.wasm", "pkg/app.js"].iter().map(|name| output::length_sent(&folder.join(name))).sum()
}
