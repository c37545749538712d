//! Our own scripts and style sheets as they are sent: what explains the source stays behind, names are short, and the
//! scripts that load together are one file.
//!
//! What should be here: calling esbuild. What should not: which files there are (`build.rs`), what others wrote.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use xtask::process;
use xtask::repo::Repo;

use crate::output::Output;
use crate::wasm::WasmBuild;

/// The scripts that pages and other scripts name; the rest of `scripts/` is behind them.
const ENTRIES: [&str; 5] = ["map", "maps", "tiles", "player", "video-worker"];

/// The page's own script, whole in one file: what watches over a page waits for nothing that others load too.
const START: &str = "start";

/// What the browsers of a hall understand; the README names them.
const TARGET: &str = "--target=es2022";

/// What style sheets are lowered to: rules inside rules are written out, which browsers of before 2023 cannot read.
const SHEETS: &str = "--target=chrome111,firefox113,safari16.2";

/// esbuild, from `npm/`.
pub struct Lean {
    program: PathBuf,
}

impl Lean {
    pub fn of(repo: &Repo) -> Self {
        Self { program: repo.root.join("npm/node_modules/.bin/esbuild") }
    }

    /// Whether `path` is a script or a style sheet of ours. What others wrote keeps its licence headers.
    pub fn shrinks(path: &str) -> bool {
        !path.starts_with("vendor/") && [".js", ".css"].iter().any(|ending| path.ends_with(ending))
    }

    /// A file of ours without what only its readers need.
    pub fn shrink(&self, path: &str, text: &[u8]) -> Result<Vec<u8>> {
        let mut esbuild = self.command();
        match path.ends_with(".css") {
            true => esbuild.args(["--loader=css", SHEETS]),
            false => esbuild.args(["--loader=js", "--format=esm", TARGET]),
        };
        piped(&mut esbuild, text).with_context(|| format!("cannot shrink {path}"))
    }

    /// Puts the scripts of `from` into the site: one file for each of those that something names, and what two of them
    /// share or one loads later beside them, in `js`; the page's own at the top. A quick build keeps them readable.
    pub fn add_scripts(
        &self,
        from: &Path,
        scratch: &Path,
        build: WasmBuild,
        output: &mut Output,
    ) -> Result<()> {
        let _ = fs::remove_dir_all(scratch);
        let bundle = |names: &[&str], folder: &Path| {
            let mut esbuild = match build {
                WasmBuild::Quick => Command::new(&self.program),
                WasmBuild::Optimised => self.command(),
            };
            esbuild.args(["--bundle", "--splitting", "--format=esm", TARGET, "--log-level=warning"]);
            esbuild.args(["--charset=utf8", "--legal-comments=none"]);
            esbuild.arg(format!("--outdir={}", folder.display()));
            esbuild.args(names.iter().map(|name| from.join(name)));
            process::run(&mut esbuild)
        };
        bundle(&ENTRIES, &scratch.join("js"))?;
        bundle(&[START], scratch)?;
        output.copy_folder(scratch, "")
    }

    fn command(&self) -> Command {
        let mut esbuild = Command::new(&self.program);
        esbuild.args(["--minify", "--charset=utf8", "--legal-comments=none"]);
        esbuild
    }
}

/// Runs a filter: `text` in, what it makes of it out.
fn piped(command: &mut Command, text: &[u8]) -> Result<Vec<u8>> {
    let said = process::shown(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start `{said}`"))?;
    let mut input = child.stdin.take().expect("the child's input is a pipe");
    let done = std::thread::scope(|scope| {
        // Written beside the reading: a filter that begins to answer early would otherwise wait for ever.
        let writing = scope.spawn(move || input.write_all(text));
        let done = child.wait_with_output();
        writing.join().expect("writing does not panic").and(done)
    });
    let done = done.with_context(|| format!("cannot talk with `{said}`"))?;
    if !done.status.success() {
        bail!("`{said}` ended with {}", done.status);
    }
    Ok(done.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_files_are_left_alone() {
        assert!(Lean::shrinks("js/map.js") && Lean::shrinks("pkg/wall.css"));
        assert!(!Lean::shrinks("vendor/maplibre/6/maplibre-gl.mjs") && !Lean::shrinks("pkg/wall_bg.wasm"));
    }

    #[test]
    fn a_filter_gives_what_it_makes_of_the_text() {
        let text = vec![b'a'; 300_000];
        assert_eq!(piped(&mut Command::new("cat"), &text).unwrap(), text);
        assert!(piped(&mut Command::new("false"), b"").is_err());
    }
}
