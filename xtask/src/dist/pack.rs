//! A package for Debian and an archive, of a laid out folder; and the libraries they need.
//!
//! `dpkg-deb`, `dpkg-shlibdeps` and GNU tar do the work: each Debian has the first and the last, they decide what a package
//! is, and a writer of our own for two formats would be code to keep for nothing. What should not be here: which files
//! there are (`tree.rs`).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::tree::{self, Sources};
use crate::process;

const MAINTAINER: &str = "The Gridhall authors <authors@gridhall.invalid>";
/// Run by dpkg before and after its steps.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];
/// What the scripts call besides Debian's essential packages.
const FOR_SCRIPTS: &str = "init-system-helpers (>= 1.54), passwd";

/// What a package says about itself.
pub struct Facts {
    pub version: String,
    pub architecture: String,
    /// Packages with the libraries its programs are linked to, as `Depends` lists them.
    pub depends: String,
    /// Its date in seconds of 1970, for every file in it.
    pub epoch: String,
}

/// What was made.
pub struct Packed {
    pub package: PathBuf,
    pub archive: PathBuf,
}

impl Packed {
    pub fn say(&self) -> Result<()> {
        for file in [&self.package, &self.archive] {
            let bytes =
                fs::metadata(file).with_context(|| format!("cannot look at {}", file.display()))?.len();
            println!("dist: {} ({:.1} MiB)", file.display(), bytes as f64 / 1024.0 / 1024.0);
        }
        Ok(())
    }
}

/// Where a package of this version lies.
pub fn package_file(out: &Path, version: &str, architecture: &str) -> PathBuf {
    out.join(format!("gridhall_{version}_{architecture}.deb"))
}

/// Packs the sources into `out`, both forms and their checksums, working in `scratch`.
pub fn pack(sources: &Sources, facts: &Facts, scratch: &Path, out: &Path) -> Result<Packed> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let package = package_file(out, &facts.version, &facts.architecture);
    let machine = scratch.join("machine");
    tree::machine(sources, &machine)?;
    control(sources, facts, &machine)?;
    let mut deb = Command::new("dpkg-deb");
    // Gzip is read by every dpkg there is and takes seconds; the site in it is compressed already.
    deb.args(["--root-owner-group", "-Zgzip", "--build"]).arg(&machine).arg(&package);
    process::run(deb.env("SOURCE_DATE_EPOCH", &facts.epoch))?;

    let name = format!("gridhall-{}-{}", facts.version, facts.architecture);
    let archive = out.join(format!("{name}.tar.gz"));
    let portable = scratch.join("portable");
    tree::portable(sources, &portable.join(&name))?;
    let mut tar = Command::new("tar");
    tar.args(["--create", "--gzip", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
    tar.arg(format!("--mtime=@{}", facts.epoch)).arg("--file").arg(&archive);
    process::run(tar.arg("--directory").arg(&portable).arg(&name))?;

    let names = [&package, &archive].map(|file| file.file_name().unwrap_or_default().to_owned());
    let sums = process::output(Command::new("sha256sum").current_dir(out).args(names))?;
    let sums_file = out.join(format!("{name}.sha256"));
    fs::write(&sums_file, sums).with_context(|| format!("cannot write {}", sums_file.display()))?;
    Ok(Packed { package, archive })
}

/// What dpkg reads: who the package is, what it needs, which files are the operator's, what is run around its steps.
fn control(sources: &Sources, facts: &Facts, machine: &Path) -> Result<()> {
    let folder = machine.join("DEBIAN");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let write = |name: &str, text: &str, mode: u32| {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))
            .with_context(|| format!("cannot set who may read {}", file.display()))
    };
    let text = format!(
        "Package: gridhall\nVersion: {}\nArchitecture: {}\nMaintainer: {MAINTAINER}\nSection: net\nPriority: optional\n\
         Depends: {}, {FOR_SCRIPTS}\nDescription: real-time command hall of a grid-management centre (格厅)\n \
         One server takes in cases, inspectors' positions and whistles, keeps the closed loop's\n \
         clocks, pulls RTSP cameras on demand and drives the screens of the hall: video wall\n \
         and dispatcher's desk. A simulated city for demonstrations is part of it.\n",
        facts.version, facts.architecture, facts.depends
    );
    write("control", &text, 0o644)?;
    write("conffiles", &tree::settings(), 0o644)?;
    for name in SCRIPTS {
        let file = sources.repo.join("packaging").join(name);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        write(name, &text, 0o755)?;
    }
    tree::allow_folders(machine)
}

/// The packages of the libraries that programs are linked to, with the versions that have what they use.
pub fn libraries(scratch: &Path, programs: &[&Path]) -> Result<String> {
    let debian = scratch.join("debian");
    fs::create_dir_all(&debian).with_context(|| format!("cannot make {}", debian.display()))?;
    // It asks for a source package, of which it reads nothing that matters here.
    let control = debian.join("control");
    fs::write(&control, "Source: gridhall\n\nPackage: gridhall\nArchitecture: any\n")
        .with_context(|| format!("cannot write {}", control.display()))?;
    let mut ask = Command::new("dpkg-shlibdeps");
    ask.current_dir(scratch).args(["-O", "--warnings=0"]).args(programs);
    let said = process::output(&mut ask)?;
    parse_libraries(&said).with_context(|| format!("dpkg-shlibdeps names no libraries: {said}"))
}

fn parse_libraries(said: &str) -> Option<String> {
    let line = said.lines().find_map(|line| line.strip_prefix("shlibs:Depends="))?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
