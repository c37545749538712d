//! `licences.txt`: the licence of everything that the site, the server and the simulator are made of, with the texts that must travel along.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use xtask::process;
use xtask::repo::Repo;

use crate::output::{Output, sorted_entries};

/// The packages that ship; whatever they use ships too.
const SHIPPED: [&str; 3] = ["app", "server", "sim"];
/// `fflate` is inside `pmtiles`.
const SHIPPED_NPM: [&str; 4] = ["maplibre-gl", "@fontsource-variable/noto-sans-sc", "pmtiles", "fflate"];
/// Packages that come without their licence's text: it is kept here, as its authors publish it.
const TEXTS_APART: [(&str, &str); 1] = [("pmtiles", "npm/licences/pmtiles.txt")];

/// One package of somebody else's.
struct Package {
    name: String,
    licence: String,
    folder: PathBuf,
}

pub fn add(repo: &Repo, output: &mut Output) -> Result<()> {
    let mut packages = rust_packages(repo)?;
    packages.extend(npm_packages(&repo.root.join("npm/node_modules"))?);
    let mut listing =
        String::from("Gridhall: MIT OR Apache-2.0. It contains the following, under these licences.\n\n");
    let mut texts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for package in &packages {
        listing.push_str(&format!("{}: {}\n", package.name, package.licence));
        let mut found = licence_texts(&package.folder)?;
        found.extend(text_apart(repo, &package.name)?);
        for text in found {
            texts.entry(text).or_default().push(&package.name);
        }
    }
    for (text, names) in &texts {
        listing.push_str(&format!("\n{}\n{}\n\n{text}\n", "-".repeat(80), names.join(", ")));
    }
    output.write("licences.txt", listing.as_bytes())
}

/// The text kept here for a package, `name version`, that brings none.
fn text_apart(repo: &Repo, package: &str) -> Result<Option<String>> {
    let Some((_, path)) = TEXTS_APART.iter().find(|(name, _)| package.split(' ').next() == Some(name)) else {
        return Ok(None);
    };
    let text =
        std::fs::read_to_string(repo.root.join(path)).with_context(|| format!("cannot read {path}"))?;
    Ok(Some(text.trim().to_owned()))
}

/// All that `SHIPPED` use at run time, on any target.
fn rust_packages(repo: &Repo) -> Result<Vec<Package>> {
    let mut cargo = repo.cargo();
    cargo.args(["metadata", "--format-version=1", "--quiet"]);
    let metadata: Value = serde_json::from_str(&process::output(&mut cargo)?)
        .context("cannot understand what cargo metadata prints")?;
    let by_id = |list: &Value| -> BTreeMap<String, Value> {
        let entries = list.as_array().into_iter().flatten();
        entries.map(|entry| (entry["id"].as_str().unwrap_or_default().to_owned(), entry.clone())).collect()
    };
    let packages = by_id(&metadata["packages"]);
    let nodes = by_id(&metadata["resolve"]["nodes"]);
    let is_ours = |package: &Value| package["source"].is_null();
    let shipped = packages.iter().filter(|(_, package)| {
        is_ours(package) && SHIPPED.iter().any(|name| package["name"].as_str() == Some(name))
    });
    let mut waiting: Vec<String> = shipped.map(|(id, _)| id.clone()).collect();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    while let Some(id) = waiting.pop() {
        for used in nodes.get(&id).and_then(|node| node["deps"].as_array()).into_iter().flatten() {
            let kinds = used["dep_kinds"].as_array().into_iter().flatten();
            let at_run_time = kinds.into_iter().any(|kind| kind["kind"].is_null());
            let used_id = used["pkg"].as_str().unwrap_or_default().to_owned();
            if at_run_time && seen.insert(used_id.clone()) {
                waiting.push(used_id);
            }
        }
    }
    let foreign = packages.iter().filter(|(id, package)| seen.contains(*id) && !is_ours(package));
    Ok(foreign
        .map(|(_, package)| {
            let text = |field: &str| package[field].as_str().unwrap_or("see its text below").to_owned();
            let manifest = PathBuf::from(text("manifest_path"));
            Package {
                name: format!("{} {}", text("name"), text("version")),
                licence: text("license"),
                folder: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
            }
        })
        .collect())
}

fn npm_packages(modules: &Path) -> Result<Vec<Package>> {
    let one = |name: &&str| {
        let folder = modules.join(name);
        let file = folder.join("package.json");
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let facts: Value =
            serde_json::from_str(&text).with_context(|| format!("cannot understand {}", file.display()))?;
        let word = |field: &str| facts[field].as_str().unwrap_or("see its text below").to_owned();
        Ok(Package { name: format!("{name} {}", word("version")), licence: word("license"), folder })
    };
    SHIPPED_NPM.iter().map(one).collect()
}

/// The licence files of a package. Where it may be had under MIT among others, that text is enough.
fn licence_texts(folder: &Path) -> Result<Vec<String>> {
    let is_licence = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file()
            && ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"]
                .iter()
                .any(|word| name.starts_with(word))
    };
    let mut files: Vec<PathBuf> = sorted_entries(folder)?.into_iter().filter(is_licence).collect();
    let is_mit = |path: &PathBuf| path.to_string_lossy().to_uppercase().ends_with("MIT");
    if files.iter().any(is_mit) {
        files.retain(is_mit);
    }
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).trim().replace("\r\n", "\n"))
    };
    files.iter().map(read).collect()
}
