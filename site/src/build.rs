//! The browser's side, built into one folder that the server serves as it is.
//!
//! What should be here: which parts the site has and in which order they are made. What should not: how each is made
//! (the other files here), or anything the server decides (headers, which path answers with the page).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use xtask::repo::Repo;

use crate::lean::Lean;
use crate::output::{self, Compression, Output};
use crate::wasm::{self, Wanted, WasmBuild};
use crate::{costs, licences, names, styles, vendor};

/// What a screen's first load weighs at most, brotli, all files together. Above it the site stage fails: whatever is added
/// then has to be taken off elsewhere.
const FIRST_LOAD_BYTES_MAX: u64 = 350 * 1024;

/// Builds the site into `folder`, rewriting only what changed.
pub fn build(repo: &Repo, wanted: Wanted<'_>, folder: PathBuf) -> Result<()> {
    let build = wanted.build;
    let started = Instant::now();
    let mut output = Output::open(folder)?;
    if build == WasmBuild::Optimised {
        output.shrink_with(Lean::of(repo));
    }
    let scratch = repo.wasm_target.join("gridhall-site/scripts");
    Lean::of(repo).add_scripts(&repo.root.join("scripts"), &scratch, wanted, &mut output)?;
    wasm::add(repo, wanted, &mut output)?;
    styles::add(&repo.root.join("style"), &mut output)?;
    output.copy_folder(&repo.root.join("public"), "")?;
    vendor::add(&repo.root.join("npm"), &mut output)?;
    licences::add(repo, &mut output)?;
    output.name_by_content()?;
    wasm::add_pages(repo, wanted.watched, &mut output)?;
    let compression = match build {
        WasmBuild::Quick => Compression::None,
        WasmBuild::Optimised => Compression::Twins,
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
        for FirstLoad { screen, bytes, most } in first_loads(&done.folder)? {
            println!(
                "site: first load of the {screen}: {} KiB brotli (page, WASM, scripts, style), limit {} KiB",
                bytes.div_ceil(1024),
                most / 1024
            );
        }
    }
    Ok(())
}

/// What a screen's first picture needs although its programme asks for it later: a wall opens with cameras.
const AT_ONCE: [(&str, &str); 2] = [("wall", "js/player.js"), ("wall", "js/map.js")];

/// The page's own script.
const START: &str = "start.js";

/// What a screen's browser downloads before the screen works. Read by `xtask/src/site.rs`.
#[derive(Serialize)]
pub struct FirstLoad {
    screen: &'static str,
    /// Brotli, all files together.
    bytes: u64,
    /// The limit.
    most: u64,
}

/// Of each screen, as `build` left it in `folder`.
pub fn first_loads(folder: &Path) -> Result<Vec<FirstLoad>> {
    let weigh = |screen: &'static str| {
        Ok(FirstLoad { screen, bytes: first_load_bytes(folder, screen)?, most: FIRST_LOAD_BYTES_MAX })
    };
    wasm::PROGRAMMES.into_iter().map(weigh).collect()
}

/// Refuses a site with a screen whose first load is above the limit. The same sources give the same bytes, so this
/// fails for a change and never by chance.
pub fn check_first_loads(folder: &Path) -> Result<()> {
    for FirstLoad { screen, bytes, most } in first_loads(folder)? {
        if bytes > most {
            bail!(
                "the first load of the {screen} is {} KiB brotli, above the limit of {} KiB; `cargo xtask bench size` \
                 shows each screen",
                bytes.div_ceil(1024),
                most / 1024
            );
        }
    }
    Ok(())
}

/// What a screen's browser downloads before the screen works, as `build` left it in `folder`: page, programme, style
/// and every script the programme needs for its first picture. Not the font's slices and the ground of the map, which
/// arrive behind a working screen, nor scripts that something else asks for later (`import('…')`).
fn first_load_bytes(folder: &Path, screen: &str) -> Result<u64> {
    Ok(first_load_files(folder, screen)?.into_iter().map(|(_, bytes)| bytes).sum())
}

/// The files of a screen's first load, and how many bytes each sends.
fn first_load_files(folder: &Path, screen: &str) -> Result<Vec<(String, u64)>> {
    let page = format!("{screen}.html");
    let text = read(folder, &page)?;
    let is_first = |path: &&str| *path == START || names::carries(path);
    let of_page = text.split('"').filter_map(|word| word.strip_prefix('/')).filter(is_first);
    let mut files: Vec<String> = std::iter::once(page.as_str()).chain(of_page).map(str::to_owned).collect();
    let at_once = AT_ONCE.iter().filter(|(of, _)| *of == screen);
    let names: BTreeMap<String, String> = match folder.join(output::NAMES).is_file() {
        true => serde_json::from_str(&read(folder, output::NAMES)?)
            .context("the names of the site's files are not JSON")?,
        false => bail!("`{}` has no {}: it is no built site", folder.display(), output::NAMES),
    };
    files.extend(at_once.filter_map(|(_, script)| names.get(*script).cloned()));
    let mut waiting: Vec<String> = files.iter().filter(|name| name.ends_with(".js")).cloned().collect();
    while let Some(file) = waiting.pop() {
        for found in imports(folder, &file)? {
            if !files.contains(&found) {
                files.push(found.clone());
                waiting.push(found);
            }
        }
    }
    let sent = |name: String| output::length_sent(&folder.join(&name)).map(|bytes| (name, bytes));
    files.into_iter().map(sent).collect()
}

/// Prints whose the bytes of a screen's first load are. Those of functions are an estimate (`costs.rs`).
pub fn print_costs(repo: &Repo, folder: &Path, screen: &str, most: usize) -> Result<()> {
    let files = first_load_files(folder, screen)?;
    println!("{:>8}  file", "sent");
    files.iter().for_each(|(file, bytes)| println!("{bytes:>8}  {file}"));
    let sent = files.iter().find(|(file, _)| file.ends_with(".wasm")).map_or(0, |(_, bytes)| *bytes);
    let costs = costs::of(&wasm::named(repo, screen)?, sent)?;
    type Group = fn(&str) -> String;
    for (title, group) in [("crate", costs::crate_of as Group), ("module", costs::module_of as Group)] {
        println!("\n{:>8} {:>8} {:>6}  {title}", "sent", "bytes", "parts");
        for (parts, cost) in costs::grouped(&costs, group).into_iter().take(most) {
            println!("{:>8.0} {:>8} {parts:>6}  {}", cost.sent, cost.bytes, cost.name);
        }
    }
    println!("\n{:>8} {:>8}  function", "sent", "bytes");
    for cost in costs.iter().take(most) {
        println!("{:>8.0} {:>8}  {}", cost.sent, cost.bytes, cost.name);
    }
    Ok(())
}

fn read(folder: &Path, file: &str) -> Result<String> {
    let path = folder.join(file);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The site's scripts that a script names and starts with: by import, or as a worker.
fn imports(folder: &Path, file: &str) -> Result<Vec<String>> {
    let text = read(folder, file)?;
    let words: Vec<&str> = text.split(['\'', '"', '`']).collect();
    // What `resolve` and `new URL` name is only an address, unless a worker begins there.
    let later = |before: &str| {
        let named = ["import(", "import.meta.resolve(", "new URL("].iter().any(|call| before.ends_with(call));
        named && !before.ends_with("new Worker(new URL(")
    };
    let named = words.windows(2).filter(|pair| pair[1].ends_with(".js") && !pair[1].contains(' '));
    let resolved = named.filter(|pair| !later(pair[0])).map(|pair| names::resolved(file, pair[1]));
    Ok(resolved.filter(|name| folder.join(name).is_file()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_load_counts_the_scripts_behind_scripts_once() {
        let folder = std::env::temp_dir().join(format!("gridhall-first-load-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let page = "<link href=\"/pkg/wall.css\"><link href=\"/pkg/wall_bg.wasm\"><link href=\"/pkg/wall.js\">\
            <script src=\"/start.js\"></script><link href=\"/vendor/font.css\"><a href=\"/desk\">";
        write("wall.html", page);
        write("names.json", "{\"js/player.js\":\"js/player-0.js\"}");
        for (name, bytes) in [("start.js", 20), ("pkg/wall.css", 40), ("pkg/wall_bg.wasm", 9_000)] {
            write(name, &" ".repeat(bytes));
        }
        write("pkg/wall_bg.wasm.br", &" ".repeat(80));
        write("pkg/wall.js", "import { a } from '/js/a.js'; import '/js/d.js'");
        write("js/a.js", "import './a/b.js'; import './gone.js'; import '../pkg/wall.js'; import('./c.js')");
        write("js/d.js", "new Worker(new URL('./worker.js', here)); x = new URL('/js/c.js', here)");
        write("js/worker.js", "work()");
        write("js/a/b.js", "import '../a.js'; import.meta.resolve('../c.js')");
        write("js/c.js", "later()");
        write("js/player-0.js", "show()");
        let scripts: u64 = [47, 80, 48, 71, 6].iter().sum();
        let counted = first_load_bytes(&folder, "wall").unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            counted,
            page.len() as u64 + 20 + 40 + 80 + scripts + "show()".len() as u64,
            "a wall opens with its player"
        );
    }
}
