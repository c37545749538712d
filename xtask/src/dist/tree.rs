//! What a package holds: which file of ours comes to lie where, and who may do what with it.
//!
//! What should be here: the list, and laying it out in a folder. What should not: forms of packages (`pack.rs`), the
//! programs' own idea of where things are (`server/src/installed.rs`, which follows this list).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// What a package is made of.
pub struct Sources {
    /// The checkout.
    pub repo: PathBuf,
    pub gridhall: PathBuf,
    pub sim: PathBuf,
    /// The built site, as shipped.
    pub site: PathBuf,
    /// The commit it was built from, for whoever asks for the source.
    pub commit: String,
}

const PROGRAM: u32 = 0o755;
const FILE: u32 = 0o644;

/// Files of the checkout below the prefix, `/usr` or the archive's own folder.
const SHARED: [(&str, &str); 15] = [
    ("config/policy.toml", "share/gridhall/policy.toml"),
    ("config/walls.toml", "share/gridhall/walls.toml"),
    ("config/tables/example.csv", "share/gridhall/tables/example.csv"),
    ("demo/config.toml", "share/gridhall/demo/config.toml"),
    ("demo/policy.toml", "share/gridhall/demo/policy.toml"),
    ("demo/areas.toml", "share/gridhall/demo/areas.toml"),
    ("demo/cameras.csv", "share/gridhall/demo/cameras.csv"),
    ("README.md", "share/doc/gridhall/README.md"),
    ("CHANGELOG.md", "share/doc/gridhall/CHANGELOG.md"),
    ("LICENSE-MIT", "share/doc/gridhall/LICENSE-MIT"),
    ("LICENSE-APACHE", "share/doc/gridhall/LICENSE-APACHE"),
    ("packaging/copyright", "share/doc/gridhall/copyright"),
    ("docs/config.md", "share/doc/gridhall/config.md"),
    ("docs/cameras.md", "share/doc/gridhall/cameras.md"),
    ("docs/howto/install.md", "share/doc/gridhall/install.md"),
];
/// Instructions that an operator may need where there is no network.
const HOWTO: &str = "docs/howto";
/// The text of the licence under which the whole is passed on, as Debian's `base-files` brings it.
const GPL: &str = "/usr/share/common-licenses/GPL-3";

/// For the machine, outside the prefix.
const SETTINGS: (&str, &str) = ("packaging/gridhall.toml", "gridhall/gridhall.toml");
const UNIT: (&str, &str) = ("packaging/gridhall.service", "gridhall.service");

/// Lays out `root` as a machine's file system: programs under `/usr`, settings in `/etc`, a unit for systemd.
pub fn machine(sources: &Sources, root: &Path) -> Result<()> {
    prefix(sources, &root.join("usr"))?;
    place(&sources.repo.join(SETTINGS.0), &root.join("etc").join(SETTINGS.1), FILE)?;
    place(&sources.repo.join(UNIT.0), &root.join("lib/systemd/system").join(UNIT.1), FILE)
}

/// Lays out `root` as a folder that runs where it stands; settings and unit are examples in it.
pub fn portable(sources: &Sources, root: &Path) -> Result<()> {
    prefix(sources, root)?;
    for (from, to) in [SETTINGS, UNIT] {
        let name = Path::new(to).file_name().context("a file has a name")?;
        place(&sources.repo.join(from), &root.join("share/gridhall/examples").join(name), FILE)?;
    }
    Ok(())
}

/// The settings of a machine's package, which belong to the operator.
pub fn settings() -> String {
    format!("/etc/{}\n", SETTINGS.1)
}

fn prefix(sources: &Sources, root: &Path) -> Result<()> {
    place(&sources.gridhall, &root.join("bin/gridhall"), PROGRAM)?;
    place(&sources.sim, &root.join("lib/gridhall/sim"), PROGRAM)?;
    for (from, to) in SHARED {
        place(&sources.repo.join(from), &root.join(to), FILE)?;
    }
    let howto = sources.repo.join(HOWTO);
    for entry in entries(&howto)? {
        let name = entry.file_name().context("a folder's entry has a name")?;
        if name != "install.md" {
            place(&entry, &root.join("share/doc/gridhall/howto").join(name), FILE)?;
        }
    }
    place(Path::new(GPL), &root.join("share/doc/gridhall/GPL-3"), FILE)?;
    let source = root.join("share/doc/gridhall/SOURCE");
    fs::write(&source, format!("{}\n", sources.commit))
        .with_context(|| format!("cannot write {}", source.display()))?;
    allow(&source, FILE)?;
    let site = root.join("share/gridhall/site");
    ensure!(sources.site.join("build.txt").is_file(), "{} is not a built site", sources.site.display());
    copy_folder(&sources.site, &site)?;
    allow_folders(root)
}

/// Copies all files; the builder's own, which begin with a dot, stay behind.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in entries(from)? {
        let name = entry.file_name().context("a folder's entry has a name")?;
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.is_dir() {
            true => copy_folder(&entry, &to.join(name))?,
            false => place(&entry, &to.join(name), FILE)?,
        }
    }
    Ok(())
}

fn place(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let parent = to.parent().context("a file lies in a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    allow(to, mode)
}

/// Whatever umask the builder has, everybody may read what is installed.
fn allow(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set who may read {}", path.display()))
}

pub fn allow_folders(root: &Path) -> Result<()> {
    allow(root, PROGRAM)?;
    entries(root)?.iter().filter(|entry| entry.is_dir()).try_for_each(|folder| allow_folders(folder))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || {
        let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
        paths.sort();
        Ok::<_, std::io::Error>(paths)
    };
    read().with_context(|| format!("cannot list {}", folder.display()))
}
