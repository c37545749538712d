//! What the machine must have before anything of ours can be built, run or tested.
//!
//! What should be here: noticing what is missing, installing it when we may, saying what was installed or the exact
//! line to type. What should not: anything that is in `Cargo.lock`; cargo brings that by itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process;
use crate::repo::Repo;

#[derive(Args)]
pub struct Options {
    /// Only what building and running need, without what the tests need.
    #[arg(long)]
    run_only: bool,
}

/// Why something is needed; each brings its Debian packages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Compiling the server and the simulator.
    Build,
    /// Simulated cameras write text into their pictures.
    Cameras,
    /// A browser to test and measure in.
    Browser,
    /// An RTSP server that is not ours, to test against.
    RtspPeer,
    /// Making packages.
    Pack,
    /// A clean system to prove a package in.
    CleanRoot,
}

const FOR_RUNNING: &[Need] = &[Need::Build, Need::Cameras];
pub const FOR_TESTING: &[Need] = &[Need::Build, Need::Cameras, Need::Browser, Need::RtspPeer];

/// The oldest Node that the npm packages run on.
const NODE_MAJOR_MIN: u32 = 20;

impl Need {
    fn packages(self) -> &'static [&'static str] {
        match self {
            // FFmpeg's headers are read by bindgen, hence clang; SQLite is compiled from its source, hence gcc.
            Need::Build => &[
                "gcc",
                "libc6-dev",
                "clang",
                "libclang-dev",
                "pkg-config",
                "libavcodec-dev",
                "libavformat-dev",
                "libavutil-dev",
                "libavfilter-dev",
                "libavdevice-dev",
                "libswscale-dev",
                "libswresample-dev",
            ],
            Need::Cameras => &["fonts-noto-cjk"],
            // The command line of FFmpeg makes the streams of the player's tests.
            Need::Browser => &["chromium", "fonts-noto-cjk", "ffmpeg"],
            // `dpkg-shlibdeps` says which packages have the libraries our programs are linked to.
            Need::Pack => &["dpkg-dev", "binutils"],
            Need::CleanRoot => &["debootstrap", "iproute2"],
            // GObject bindings belong to Debian's own Python, `/usr/bin/python3`; another one cannot see them.
            Need::RtspPeer => &[
                "python3",
                "python3-gi",
                "python3-websockets",
                "gir1.2-gst-rtsp-server-1.0",
                "gstreamer1.0-plugins-base",
                "gstreamer1.0-plugins-good",
                "gstreamer1.0-plugins-bad",
                "gstreamer1.0-plugins-ugly",
                "gstreamer1.0-libav",
            ],
        }
    }
}

/// All that `cargo xtask dist` needs; to prove what it made, a browser and a clean system as well.
pub fn for_packing(repo: &Repo, prove: bool) -> Result<()> {
    let proving: &[Need] = if prove { &[Need::Browser, Need::CleanRoot] } else { &[] };
    packages(&[&[Need::Build, Need::Pack], proving].concat())?;
    wasm_target(repo)?;
    npm(&repo.root.join("npm"))?;
    if prove { npm(&repo.root.join("end2end")) } else { Ok(()) }
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    packages(if options.run_only { FOR_RUNNING } else { FOR_TESTING })?;
    wasm_target(repo)?;
    npm(&repo.root.join("npm"))?;
    if !options.run_only {
        npm(&repo.root.join("end2end"))?;
    }
    Ok(())
}

/// All that `cargo xtask demo` needs.
pub fn for_running(repo: &Repo) -> Result<()> {
    run(repo, &Options { run_only: true })
}

/// All that `cargo xtask test` and `bench` need.
pub fn for_testing(repo: &Repo) -> Result<()> {
    run(repo, &Options { run_only: false })
}

/// Installs the Debian packages that are missing, or says the line that would.
fn packages(needs: &[Need]) -> Result<()> {
    let wanted: BTreeSet<&str> = needs.iter().flat_map(|need| need.packages()).copied().collect();
    let Some(present) = installed_packages()? else {
        println!("setup: no dpkg here; these Debian packages, or their like, must be present:");
        println!("  {}", wanted.iter().copied().collect::<Vec<_>>().join(" "));
        return Ok(());
    };
    let missing = missing(&wanted, &present);
    if missing.is_empty() {
        println!("setup: system packages present ({})", wanted.len());
        return Ok(());
    }
    println!("setup: missing system packages: {}", missing.join(" "));
    let Some(mut before) = become_root() else {
        bail!(
            "cannot install without root; please run:\n  sudo apt-get update && sudo apt-get install --yes --no-install-recommends {}",
            missing.join(" ")
        );
    };
    let mut apt = |words: &[&str]| {
        before.extend(["env".to_owned(), "DEBIAN_FRONTEND=noninteractive".to_owned(), "apt-get".to_owned()]);
        before.extend(words.iter().map(|word| (*word).to_owned()));
        let ran = process::run(Command::new(&before[0]).args(&before[1..]));
        before.truncate(before.len() - 3 - words.len());
        ran
    };
    apt(&["update", "--quiet"])?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt(&[&install[..], &missing[..]].concat())?;
    println!("setup: installed with apt-get: {}", missing.join(" "));
    Ok(())
}

/// Names of installed packages, without their architecture; `None` where there is no dpkg.
fn installed_packages() -> Result<Option<BTreeSet<String>>> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status} ${Package}\n"]);
    match query.stdin(Stdio::null()).output() {
        Ok(output) => Ok(Some(parse_installed(&String::from_utf8_lossy(&output.stdout)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("cannot ask dpkg which packages are installed"),
    }
}

fn parse_installed(listing: &str) -> BTreeSet<String> {
    listing.lines().filter_map(|line| line.strip_prefix("installed ")).map(str::to_owned).collect()
}

fn missing<'a>(wanted: &BTreeSet<&'a str>, present: &BTreeSet<String>) -> Vec<&'a str> {
    wanted.iter().filter(|name| !present.contains(**name)).copied().collect()
}

/// The words to put before a command so that it runs as root, or `None` if we may not.
fn become_root() -> Option<Vec<String>> {
    let me = Command::new("id").arg("-u").output().ok()?;
    if me.stdout.trim_ascii() == b"0" {
        return Some(Vec::new());
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let allowed = sudo.status().is_ok_and(|status| status.success());
    allowed.then(|| vec!["sudo".to_owned(), "--non-interactive".to_owned()])
}

/// `rust-toolchain.toml` brings the browser's target; this makes sure it did.
fn wasm_target(repo: &Repo) -> Result<()> {
    let sysroot =
        process::output(Command::new("rustc").current_dir(&repo.root).args(["--print", "sysroot"]))?;
    let target = Path::new(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib");
    if target.is_dir() {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.current_dir(&repo.root).args(["target", "add", "wasm32-unknown-unknown"]);
    process::run(&mut add).context(
        "the wasm32-unknown-unknown target is missing and rustup could not add it; CONTRIBUTING.md, section \
         \"Without rustup's server\", says how to build it from Debian's packages",
    )?;
    println!("setup: installed with rustup: wasm32-unknown-unknown");
    Ok(())
}

/// Installs a folder's npm packages from its lock file, if they are not those already.
pub fn npm(folder: &Path) -> Result<()> {
    let shown = folder.file_name().unwrap_or_default().to_string_lossy();
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))
        .with_context(|| format!("cannot read {shown}/package-lock.json"))?;
    let stamp = folder.join("node_modules/.gridhall-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        println!("setup: npm packages of {shown}/ present");
        return Ok(());
    }
    node_is_new_enough()?;
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    process::run(&mut npm)?;
    std::fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))?;
    println!("setup: installed with npm ci in {shown}/");
    Ok(())
}

fn node_is_new_enough() -> Result<()> {
    let version = process::output(Command::new("node").arg("--version"))
        .context("Node is missing; please run:\n  sudo apt-get install --yes nodejs npm")?;
    let major: Option<u32> =
        version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        Some(_) | None => bail!("Node {NODE_MAJOR_MIN} or newer is needed, this is {}", version.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_was_removed_but_left_its_settings_counts_as_missing() {
        let present =
            parse_installed("installed clang\nconfig-files chromium\nnot-installed libavutil-dev\n");
        let wanted = BTreeSet::from(["chromium", "clang", "libavutil-dev"]);
        assert_eq!(missing(&wanted, &present), ["chromium", "libavutil-dev"]);
    }
}
