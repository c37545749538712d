//! `app` as the browser runs it: compiled, bound to JavaScript, optimised.
//!
//! wasm-bindgen is used as a library: its version is then the one in `Cargo.lock` by construction, and nobody waits
//! for its command-line program to compile.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::output::{Output, length};
use crate::process;
use crate::repo::Repo;

/// How much trouble is taken over the WASM.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum WasmBuild {
    /// Compiled in seconds after a change, megabytes large, with names in its stack traces.
    Quick,
    /// What is shipped.
    Optimised,
}

/// What rustc lets the WASM use; wasm-opt refuses code that uses more than it is told of.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Changed when the steps below change, so that results kept from before are not used.
const STEPS_VERSION: u32 = 1;

pub fn add(repo: &Repo, build: WasmBuild, output: &mut Output) -> Result<()> {
    let compiled = compile(repo, build)?;
    let kept = repo.wasm_target.join("gridhall-site").join(build.folder());
    let key = key(repo, build, &compiled)?;
    let key_file = kept.join("key");
    let pkg = kept.join("pkg");
    if !fs::read_to_string(&key_file).is_ok_and(|present| present == key) {
        let _ = fs::remove_dir_all(&kept);
        bind(&compiled, &pkg, build)?;
        if build == WasmBuild::Optimised {
            optimise(repo, &pkg.join("app_bg.wasm"))?;
        }
        fs::write(&key_file, key).with_context(|| format!("cannot write {}", key_file.display()))?;
    }
    output.copy_folder(&pkg, "pkg")
}

fn compile(repo: &Repo, build: WasmBuild) -> Result<PathBuf> {
    let mut cargo = repo.cargo();
    cargo.env("CARGO_TARGET_DIR", &repo.wasm_target);
    cargo.args(["build", "--package", "app", "--lib", "--target", "wasm32-unknown-unknown"]);
    cargo.args(["--profile", build.profile()]);
    process::run(&mut cargo)?;
    Ok(repo.wasm_target.join("wasm32-unknown-unknown").join(build.folder()).join("app.wasm"))
}

/// Names the result: the same key means the same files.
fn key(repo: &Repo, build: WasmBuild, compiled: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    STEPS_VERSION.hash(&mut hasher);
    build.hash(&mut hasher);
    for file in [compiled, &repo.root.join("Cargo.lock"), &repo.root.join("npm/package-lock.json")] {
        fs::read(file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn bind(compiled: &Path, pkg: &Path, build: WasmBuild) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .web(true)?
        .out_name("app")
        .typescript(false)
        .keep_debug(build == WasmBuild::Quick)
        .remove_name_section(build == WasmBuild::Optimised)
        .remove_producers_section(true);
    bindgen.generate(pkg).with_context(|| format!("wasm-bindgen cannot bind {}", compiled.display()))
}

/// Rewrites the WASM smaller and says by how much.
fn optimise(repo: &Repo, wasm: &Path) -> Result<()> {
    let before = length(wasm)?;
    let small = wasm.with_extension("small");
    let mut wasm_opt = Command::new("node");
    wasm_opt.arg(repo.root.join("npm/node_modules/binaryen/bin/wasm-opt"));
    wasm_opt.arg("-Oz").args(WASM_FEATURES).arg(wasm).arg("--output").arg(&small);
    process::run(&mut wasm_opt)?;
    fs::rename(&small, wasm).with_context(|| format!("cannot replace {}", wasm.display()))?;
    println!("site: wasm-opt -Oz: {} KiB -> {} KiB", before / 1024, length(wasm)? / 1024);
    Ok(())
}

impl WasmBuild {
    fn profile(self) -> &'static str {
        match self {
            WasmBuild::Quick => "dev",
            WasmBuild::Optimised => "wasm",
        }
    }

    /// The folder cargo builds this profile into.
    fn folder(self) -> &'static str {
        match self {
            WasmBuild::Quick => "debug",
            WasmBuild::Optimised => "wasm",
        }
    }
}
