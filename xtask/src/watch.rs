//! `cargo xtask watch [SCREEN]`: the demonstration with a site that is built anew whenever a source of it changes.
//!
//! What should be here: noticing a change, building one programme, telling. What should not: the demonstration (`sim demo`), the
//! site (`site/`), how a page comes to its new build (`scripts/watched.ts`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::repo::{Profile, Repo};
use crate::{process, setup, site, test};

/// What the site is made of.
const SOURCES: [&str; 6] = ["app", "domain/src", "scripts", "style", "public", "site/src"];
/// A few hundred files are looked at in a millisecond; to be told of changes would take a dependency that everybody who only
/// wants `--help` compiles.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// An editor writes several files, or one in several steps.
const SETTLES_WITHIN: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct Options {
    /// Build only this programme anew; without it all of them.
    #[arg(value_enum)]
    screen: Option<Screen>,
    /// Port of the server on loopback.
    #[arg(long, default_value_t = 8460)]
    port: u16,
}

#[derive(Clone, Copy, ValueEnum)]
enum Screen {
    Wall,
    Desk,
    /// Choosing and driving replays, drills.
    Stage,
    /// Start, sign-in, pairing.
    Door,
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    setup::for_running(repo)?;
    test::build_binaries(repo, Profile::Debug)?;
    let folder = repo.target.join("watch-site");
    let mut seen = newest(&repo.root)?;
    // All of them once, so that every address has its page.
    build(repo, None, &folder)?;
    let mut demo = Command::new(repo.binary("sim", Profile::Debug));
    demo.arg("demo")
        .arg("--gridhall")
        .arg(repo.binary("gridhall", Profile::Debug))
        .arg("--site")
        .arg(&folder);
    demo.arg("--share").arg(&repo.root).arg("--scratch").arg(repo.target.join("watch-demo"));
    demo.arg("--port").arg(options.port.to_string()).stdin(Stdio::null());
    let mut running = demo.spawn().context("cannot start the demonstration")?;
    println!("watch: looking at {}; Ctrl-C ends it", SOURCES.join(", "));
    // Ctrl-C reaches the demonstration too, which ends its programs; its end is ours.
    while running.try_wait().context("cannot ask after the demonstration")?.is_none() {
        std::thread::sleep(LOOK_EVERY);
        if newest(&repo.root)? == seen {
            continue;
        }
        while let now = newest(&repo.root)?
            && now != seen
        {
            seen = now;
            std::thread::sleep(SETTLES_WITHIN);
        }
        let began = Instant::now();
        match build(repo, options.screen, &folder) {
            Ok(()) => {
                println!("watch: built in {:.1} s; open pages load anew", began.elapsed().as_secs_f32())
            }
            // The page goes on with what was built before.
            Err(error) => println!("watch: not built: {error:#}"),
        }
    }
    Ok(())
}

fn build(repo: &Repo, screen: Option<Screen>, folder: &Path) -> Result<()> {
    let mut builder = site::builder(repo);
    builder.args(["build", "--watched", "--out"]).arg(folder);
    if let Some(name) = screen.and_then(|screen| screen.to_possible_value()) {
        builder.arg("--only").arg(name.get_name());
    }
    process::run(&mut builder)
}

/// When a source changed last, and how many there are: one that is gone is a change too.
fn newest(root: &Path) -> Result<(Option<SystemTime>, usize)> {
    let mut waiting: Vec<PathBuf> = SOURCES.iter().map(|folder| root.join(folder)).collect();
    let mut found = (None, 0);
    while let Some(folder) = waiting.pop() {
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            // What vanishes between being listed and being looked at is a change of which the next look tells.
            let Ok((entry, facts)) = entry.and_then(|entry| entry.metadata().map(|facts| (entry, facts)))
            else {
                continue;
            };
            match facts.is_dir() {
                true => waiting.push(entry.path()),
                false => found = (found.0.max(facts.modified().ok()), found.1 + 1),
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_written_or_goes_is_a_change() {
        let root = std::env::temp_dir().join(format!("gridhall-watch-{}", std::process::id()));
        for folder in SOURCES {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        let file = root.join("app/a.rs");
        let empty = newest(&root).unwrap();
        std::fs::write(&file, "one").unwrap();
        let one = newest(&root).unwrap();
        assert_ne!(empty, one);
        assert_eq!(newest(&root).unwrap(), one);
        let later = SystemTime::now() + Duration::from_secs(1);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
        assert_ne!(newest(&root).unwrap(), one);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(newest(&root).unwrap(), empty);
        std::fs::remove_dir_all(&root).unwrap();
    }
}
