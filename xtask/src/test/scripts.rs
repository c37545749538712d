//! The scripts of the site, held to their types, their lint and their unit tests; no browser is needed.
//!
//! What should be here: calling the tools of `npm/`. What should not: rules about files (`tidy.rs`), how scripts are
//! made for the site (`site/src/lean.rs`).

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::tally::Tally;
use crate::process;
use crate::repo::Repo;

/// What is TypeScript: its folder and where its compiler is installed.
const PROJECTS: [(&str, &str); 3] = [("scripts", "npm"), ("scripts/tests", "npm"), ("end2end", "end2end")];

pub fn check(repo: &Repo, tally: &mut Tally) -> Result<()> {
    for (project, installed) in PROJECTS {
        let compiler = format!("{installed}/node_modules/typescript/bin/tsc");
        process::run(node(repo, &compiler).args(["--noEmit", "--project", project]))?;
    }
    let mut lint = node(repo, "npm/node_modules/eslint/bin/eslint.js");
    process::run(lint.args(["--config", "npm/eslint.config.mjs", "--max-warnings", "0", "scripts"]))?;
    unit_tests(repo, tally)
}

/// Node runs no TypeScript at the oldest version that is enough for us, so the tests are made JavaScript first.
fn unit_tests(repo: &Repo, tally: &mut Tally) -> Result<()> {
    let made = repo.target.join("gridhall-script-tests");
    let _ = fs::remove_dir_all(&made);
    let tests = tests(&repo.root.join("scripts/tests"))?;
    let mut esbuild = Command::new(repo.root.join("npm/node_modules/.bin/esbuild"));
    esbuild.args([
        "--bundle",
        "--platform=node",
        "--format=esm",
        "--sourcemap=inline",
        "--log-level=warning",
    ]);
    esbuild.args(["--out-extension:.js=.mjs", &format!("--outdir={}", made.display())]).args(&tests);
    process::run(&mut esbuild)?;
    let mut node = Command::new("node");
    node.args(["--enable-source-maps", "--test", "--test-reporter=spec"]);
    node.args(tests.iter().map(|test| made.join(test.with_extension("mjs").file_name().unwrap_or_default())));
    process::run_seeing(&mut node, |line| tally.see_node(line))
}

/// The test files of a folder.
fn tests(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let cannot = || format!("cannot list {}", folder.display());
    let entries = fs::read_dir(folder).with_context(cannot)?;
    let paths: Vec<_> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>().with_context(cannot)?;
    Ok(paths.into_iter().filter(|path| path.to_string_lossy().ends_with(".test.ts")).collect())
}

/// `node` in the checkout, running one of the installed tools.
fn node(repo: &Repo, tool: &str) -> Command {
    let mut node = Command::new("node");
    node.current_dir(&repo.root).arg(tool);
    node
}
