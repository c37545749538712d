//! `cargo xtask dist`: a package for Debian and an archive for other machines, for halls without a compiler.
//!
//! What should be here: what may be asked for, and the order of the steps. What should not: what a package holds
//! (`dist/tree.rs`), how it is packed (`dist/pack.rs`), the proof in a clean system (`dist/prove.rs`).

mod pack;
mod prove;
mod root;
mod tree;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::repo::{Profile, Repo};
use crate::{process, setup, site, test};
use pack::{Facts, Packed};
use tree::Sources;

#[derive(Args)]
pub struct Options {
    /// Folder to write into [default: `dist` in the target folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A version other than the one in Cargo.toml, such as one to upgrade from.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    version: Option<String>,
    /// Afterwards install, run, look at, upgrade and remove it in a clean Debian without a compiler; needs root.
    ///
    /// The clean system is made with debootstrap from the mirror this machine uses, in the folder `dist-proof` of the
    /// target folder. While the hall runs there it has no network but its own loopback. Pictures of what was seen stay in
    /// `dist-proof/pictures`.
    #[arg(long)]
    prove: bool,
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    setup::for_packing(repo, options.prove)?;
    test::build_binaries(repo, Profile::Release)?;
    site::build(repo, site::WasmBuild::Optimised, &repo.site())?;
    let out = options.out.as_ref().map(std::path::absolute).transpose().context("cannot find --out")?;
    let out = out.unwrap_or_else(|| repo.target.join("dist"));
    let version = options.version.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    let packed = make(repo, &version, &out)?;
    packed.say()?;
    if options.prove {
        prove::run(repo, &version, &out)?;
    }
    Ok(())
}

/// Packs what is built, as `version`.
fn make(repo: &Repo, version: &str, out: &std::path::Path) -> Result<Packed> {
    let scratch = repo.target.join("dist-scratch");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let binary = |name: &str| {
        let stripped = scratch.join(name);
        let mut strip = Command::new("strip");
        strip.args(["--strip-debug", "-o"]).arg(&stripped).arg(repo.binary(name, Profile::Release));
        process::run(&mut strip)?;
        Ok::<_, anyhow::Error>(stripped)
    };
    let (gridhall, sim) = (binary("gridhall")?, binary("sim")?);
    let commit = git(repo, &["rev-parse", "HEAD"])?;
    let facts = Facts {
        version: version.to_owned(),
        architecture: process::output(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned(),
        depends: pack::libraries(&scratch, &[&gridhall, &sim])?,
        // What was made of one commit has one date, whenever it was made.
        epoch: git(repo, &["show", "--no-patch", "--format=%ct", "HEAD"])?,
    };
    let changed = !git(repo, &["status", "--porcelain"])?.is_empty();
    let sources = Sources {
        repo: repo.root.clone(),
        gridhall,
        sim,
        site: repo.site(),
        commit: if changed { format!("{commit}, with changes that are in no commit") } else { commit },
    };
    let packed = pack::pack(&sources, &facts, &scratch, out)?;
    fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {}", scratch.display()))?;
    Ok(packed)
}

fn git(repo: &Repo, words: &[&str]) -> Result<String> {
    Ok(process::output(Command::new("git").current_dir(&repo.root).args(words))?.trim().to_owned())
}

/// What both Debian and a file's name take for a version.
fn version(text: &str) -> Result<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".+~".contains(c);
    ensure!(
        text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(fits) && text.len() <= 40,
        "a version begins with a digit and has letters, digits, `.`, `+` and `~` only"
    );
    Ok(text.to_owned())
}
