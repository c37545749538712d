//! `cargo xtask demo`: a simulated city on this machine, from nothing to a wall whose counts move.
//!
//! What should be here: what may be asked for, and building it, stage by stage. What should not: running it
//! (`sim demo`, which an installed package has too), how a stage tells of itself (`demo/stage.rs`).

mod stage;

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::repo::{Profile, Repo};
use crate::{setup, site, test};
use stage::{Stage, tell};

#[derive(Args)]
pub struct Options {
    /// Port of the server on loopback.
    #[arg(long, default_value_t = 8460)]
    port: u16,
    /// Keep the data here, from run to run; without it each run starts an empty city.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How many times faster than real the hall's time goes, 1 to 600.
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    speed: f64,
    /// End by itself after so many seconds of running.
    #[arg(long = "for", value_name = "SECONDS")]
    for_seconds: Option<u64>,
    /// Show these cases (CSV) instead of the simulated city's; needs --map.
    ///
    /// The wall and the desk then show what the file holds and nothing else: inspectors walk and cameras look, but no
    /// simulated case or whistle happens. What was taken and refused is said row by row.
    #[arg(long, value_name = "FILE", requires = "map")]
    cases: Option<PathBuf>,
    /// With --cases: let the city's own cases, past and present, stand beside those of the file.
    #[arg(long, requires = "cases")]
    with_city: bool,
    /// The mapping of the columns of --cases.
    #[arg(long, value_name = "FILE", requires = "cases")]
    map: Option<PathBuf>,
    /// Replay the GPX tracks of this folder as inspectors.
    #[arg(long, value_name = "DIR")]
    tracks: Option<PathBuf>,
    /// Let simulated cameras show the videos of this folder.
    #[arg(long, value_name = "DIR")]
    video: Option<PathBuf>,
    /// Show this camera too (repeatable).
    #[arg(long, value_name = "URL")]
    rtsp: Vec<String>,
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    options.check()?;
    let (gridhall, sim) = (repo.binary("gridhall", Profile::Release), repo.binary("sim", Profile::Release));
    let stages = [
        Stage {
            what: "what building needs: system packages, WASM target, npm packages",
            first: "two minutes",
            again: "a second",
            was_done: repo.root.join("npm/node_modules").is_dir(),
        },
        Stage {
            what: "server and simulator, optimised",
            first: "a quarter of an hour on two cores",
            again: "a second, or minutes after a change",
            was_done: gridhall.is_file() && sim.is_file(),
        },
        Stage {
            what: "the site: five programmes for the browser, made small",
            first: "ten minutes on two cores",
            again: "two seconds, or minutes after a change",
            was_done: repo.site().join("build.txt").is_file(),
        },
    ];
    println!("demo: {} stages; then cameras, server and city start, which takes seconds", stages.len());
    for (number, stage) in (1..).zip(&stages) {
        println!("  {number}. {stage}");
    }
    let works: [&dyn Fn() -> Result<()>; 3] =
        [&|| setup::for_running(repo), &|| test::build_binaries(repo, Profile::Release), &|| {
            site::build(repo, site::WasmBuild::Optimised, &repo.site())
        }];
    for ((number, stage), work) in (1..).zip(&stages).zip(works) {
        tell(number, stage, work)?;
    }
    let mut demo = Command::new(&sim);
    demo.arg("demo").arg("--gridhall").arg(&gridhall).arg("--site").arg(repo.site());
    demo.arg("--share").arg(&repo.root).arg("--scratch").arg(repo.target.join("demo"));
    demo.args(options.words());
    // In our place: who ends the demonstration ends one program, which ends all others.
    Err(demo.exec()).with_context(|| format!("cannot start {}", sim.display()))
}

impl Options {
    /// What would fail only after minutes of building is refused at once.
    fn check(&self) -> Result<()> {
        if !(1.0..=600.0).contains(&self.speed) {
            bail!("--speed must lie within 1 to 600, not {}", self.speed);
        }
        for path in [&self.cases, &self.map, &self.tracks, &self.video].into_iter().flatten() {
            fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
        }
        TcpListener::bind(("127.0.0.1", self.port))
            .with_context(|| format!("port {} is taken; choose another with --port", self.port))?;
        Ok(())
    }

    /// The same for `sim demo`, which understands them alike.
    fn words(&self) -> Vec<std::ffi::OsString> {
        let mut words = Vec::new();
        let mut say = |name: &str, value: std::ffi::OsString| words.extend([name.into(), value]);
        say("--port", self.port.to_string().into());
        say("--speed", self.speed.to_string().into());
        let paths = [
            ("--data-dir", &self.data_dir),
            ("--cases", &self.cases),
            ("--map", &self.map),
            ("--tracks", &self.tracks),
            ("--video", &self.video),
        ];
        for (name, path) in paths {
            path.iter().for_each(|path| say(name, path.into()));
        }
        self.for_seconds.iter().for_each(|seconds| say("--for", seconds.to_string().into()));
        self.rtsp.iter().for_each(|url| say("--rtsp", url.into()));
        if self.with_city {
            words.push("--with-city".into());
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn whatever_was_asked_for_is_handed_on() {
        let asked = "--port 8461 --speed 1.5 --data-dir d --cases c --map m --tracks t --video v --for 3 \
            --rtsp rtsp://a --rtsp rtsp://b --with-city";
        let line = Line::try_parse_from(std::iter::once("demo").chain(asked.split_whitespace())).unwrap();
        assert_eq!(line.options.words(), asked.split_whitespace().collect::<Vec<_>>());
    }
}
