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
use xtask::process;
use xtask::repo::Repo;

use crate::order;
use crate::output::{Output, length};

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

/// `-Oz` makes smaller files that compress worse: what is sent is the larger by a hundredth.
const EFFORT: &str = "-O1";

/// Sets of locals that change nothing, which that effort leaves: four thousandths of what is sent.
const REDUNDANT: [&str; 2] = ["--rse", "--vacuum"];

/// Part of the names of exports that none of our scripts asks for: streams for requests to server functions, which come
/// with Leptos. What only they need goes with them.
const UNASKED: &str = "intounderlying";

/// Changed when the steps below change, so that results kept from before are not used.
const STEPS_VERSION: u32 = 6;

/// The programmes, one per kind of screen: the binaries of `app`.
pub const PROGRAMMES: [&str; 5] = ["wall", "desk", "department", "stage", "door"];

/// What scripts load by themselves, without a page of its own: a binary of `app` too.
const PARTS: [&str; 1] = ["placing"];

/// What is built, and for whom.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub build: WasmBuild,
    /// The one programme that is compiled; the others stay as an earlier build left them.
    pub only: Option<&'a str>,
    /// Somebody works on it: its pages load a newer build at once.
    pub watched: bool,
}

pub fn add(repo: &Repo, wanted: Wanted<'_>, output: &mut Output) -> Result<()> {
    let build = wanted.build;
    let is_wanted = |name: &&str| wanted.only.is_none_or(|only| only == *name);
    let names: Vec<&str> = PROGRAMMES.into_iter().chain(PARTS).filter(is_wanted).collect();
    compile(repo, build, &names)?;
    std::thread::scope(|scope| {
        let made: Vec<_> = names.iter().map(|name| scope.spawn(move || make(repo, build, name))).collect();
        made.into_iter().try_for_each(|one| one.join().expect("a build step does not panic"))
    })?;
    for name in PROGRAMMES.into_iter().chain(PARTS) {
        output.copy_folder(&kept(repo, build, name).join("pkg"), "pkg")?;
    }
    Ok(())
}

/// Each programme's page, when everything else is made: the shell, with the programme's name in it, the names its files have
/// and the word for this build, which the server reads beside the pages. A page that hears another word from its server is of an older build.
pub fn add_pages(repo: &Repo, watched: bool, output: &mut Output) -> Result<()> {
    let word = output.word()?;
    let file = repo.root.join("app/page.html");
    let page = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    PROGRAMMES.into_iter().try_for_each(|name| {
        let file = format!("{name}.html");
        let page = page.replace("PROGRAMME", name).replace("BUILD", &word);
        let page = if watched { page.replacen(START, &format!("{START}\n{WATCHED}"), 1) } else { page };
        let page = output.with_names(&file, &page);
        output.write(&file, page.as_bytes())
    })?;
    // Last: whoever hears of it finds the pages.
    output.write("build.txt", word.as_bytes())
}

/// The page's own script, as `app/page.html` has it.
const START: &str = "<script type=\"module\" src=\"/start.js\"></script>";
/// Beside it where somebody works on the page.
const WATCHED: &str = "<script type=\"module\" src=\"/watched.js\"></script>";

/// Where a programme's finished files are kept between builds.
fn kept(repo: &Repo, build: WasmBuild, name: &str) -> PathBuf {
    repo.wasm_target.join("gridhall-site").join(build.folder()).join(name)
}

fn make(repo: &Repo, build: WasmBuild, name: &str) -> Result<()> {
    let folder = repo.wasm_target.join("wasm32-unknown-unknown").join(build.folder());
    let compiled = folder.join(format!("{name}.wasm"));
    let kept = kept(repo, build, name);
    let key = key(repo, build, &compiled)?;
    let key_file = kept.join("key");
    let pkg = kept.join("pkg");
    if !fs::read_to_string(&key_file).is_ok_and(|present| present == key) {
        let _ = fs::remove_dir_all(&kept);
        bind(&compiled, &pkg, name, build, Names::of(build))?;
        if build == WasmBuild::Optimised {
            optimise(repo, &pkg.join(format!("{name}_bg.wasm")))?;
        }
        fs::write(&key_file, key).with_context(|| format!("cannot write {}", key_file.display()))?;
    }
    Ok(())
}

fn compile(repo: &Repo, build: WasmBuild, names: &[&str]) -> Result<()> {
    let mut cargo = repo.cargo();
    cargo.env("CARGO_TARGET_DIR", &repo.wasm_target);
    cargo.args(["build", "--package", "app", "--target", "wasm32-unknown-unknown"]);
    cargo.args(names.iter().flat_map(|name| ["--bin", name]));
    cargo.args(["--profile", build.profile()]);
    process::run(&mut cargo)
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

/// Whether the functions of a WASM file keep their names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Kept,
    Gone,
}

impl Names {
    fn of(build: WasmBuild) -> Self {
        match build {
            WasmBuild::Quick => Self::Kept,
            WasmBuild::Optimised => Self::Gone,
        }
    }
}

/// The same functions as in the shipped file of a programme, with their names; in the order in which they were compiled.
pub fn named(repo: &Repo, name: &str) -> Result<Vec<u8>> {
    let build = WasmBuild::Optimised;
    compile(repo, build, &[name])?;
    let folder = repo.wasm_target.join("gridhall-site/named").join(name);
    let compiled =
        repo.wasm_target.join("wasm32-unknown-unknown").join(build.folder()).join(format!("{name}.wasm"));
    bind(&compiled, &folder, name, build, Names::Kept)?;
    let wasm = folder.join(format!("{name}_bg.wasm"));
    wasm_opt(repo, &wasm, &[EFFORT, REDUNDANT[0], REDUNDANT[1], "--debuginfo"])?;
    fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))
}

fn bind(compiled: &Path, pkg: &Path, name: &str, build: WasmBuild, names: Names) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .web(true)?
        .out_name(name)
        .typescript(false)
        .keep_debug(build == WasmBuild::Quick)
        .remove_name_section(names == Names::Gone)
        .remove_producers_section(true);
    let cannot = || format!("wasm-bindgen cannot bind {}", compiled.display());
    let mut output = bindgen.generate_output().with_context(cannot)?;
    let mut renamed = Vec::new();
    if build == WasmBuild::Optimised {
        let module = output.wasm_mut();
        let names = module.exports.iter().map(|export| export.name.clone());
        let unasked: Vec<String> = names.filter(|name| name.contains(UNASKED)).collect();
        unasked.iter().try_for_each(|name| module.exports.remove(name)).with_context(cannot)?;
        for import in module.imports.iter_mut().filter(|import| is_hashed(&import.name)) {
            let short = format!("i{}", renamed.len());
            renamed.push((std::mem::replace(&mut import.name, short.clone()), short));
        }
    }
    output.emit(pkg).with_context(cannot)?;
    let script = pkg.join(format!("{name}.js"));
    let text = fs::read_to_string(&script).with_context(|| format!("cannot read {}", script.display()))?;
    fs::write(&script, in_short(text, &mut renamed))
        .with_context(|| format!("cannot write {}", script.display()))
}

/// Whether a name of what the WASM imports ends with a hash, as wasm-bindgen makes them: `__wbg_log_0123456789abcdef`. It
/// keeps apart what several crates name alike until all is linked; afterwards it is ballast that no compression takes off.
fn is_hashed(name: &str) -> bool {
    let (_, hash) = name.rsplit_once('_').unwrap_or_default();
    hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The script with the short names in place of the long ones.
fn in_short(script: String, renamed: &mut [(String, String)]) -> String {
    // The longest first: one name may begin like another.
    renamed.sort_by_key(|(long, _)| std::cmp::Reverse(long.len()));
    renamed.iter().fold(script, |script, (long, short)| script.replace(long, short))
}

/// Rewrites the WASM smaller, its functions in the order in which they compress best, and says by how much.
fn optimise(repo: &Repo, wasm: &Path) -> Result<()> {
    let before = length(wasm)?;
    wasm_opt(repo, wasm, &[EFFORT, REDUNDANT[0], REDUNDANT[1]])?;
    let optimised = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let named =
        order::name_by_place(&optimised).with_context(|| format!("cannot order {}", wasm.display()))?;
    fs::write(wasm, named).with_context(|| format!("cannot write {}", wasm.display()))?;
    wasm_opt(repo, wasm, &["--reorder-functions-by-name", "--strip-debug"])?;
    println!(
        "site: wasm-opt {EFFORT}: {}: {} KiB -> {} KiB",
        wasm.file_name().unwrap_or_default().display(),
        before / 1024,
        length(wasm)? / 1024
    );
    Ok(())
}

/// Puts what `passes` of wasm-opt make of the file in its place.
fn wasm_opt(repo: &Repo, wasm: &Path, passes: &[&str]) -> Result<()> {
    let small = wasm.with_extension("small");
    let mut wasm_opt = Command::new("node");
    wasm_opt.arg(repo.root.join("npm/node_modules/binaryen/bin/wasm-opt"));
    wasm_opt.args(passes).args(WASM_FEATURES).arg(wasm).arg("--output").arg(&small);
    process::run(&mut wasm_opt)?;
    fs::rename(&small, wasm).with_context(|| format!("cannot replace {}", wasm.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_has_short_names_on_both_sides() {
        assert!(is_hashed("__wbg_log_0123456789abcdef"));
        for other in ["__wbindgen_init_externref_table", "__wbg_log_0123456789abcdeg", "memory", ""] {
            assert!(!is_hashed(other), "{other}");
        }
        let names = ["log_0123456789abcdef", "log_0123456789abcdef_fedcba9876543210"];
        let mut renamed = [(names[0].to_owned(), "i0".to_owned()), (names[1].to_owned(), "i1".to_owned())];
        let script = format!("{{ {}: () => 1, {}: () => 2 }}", names[0], names[1]);
        assert_eq!(in_short(script, &mut renamed), "{ i0: () => 1, i1: () => 2 }");
    }
}
