//! A store with a history, for `cargo xtask bench history`: makes one, and measures what only the server's own library can
//! be asked.
//!
//! `history make DIR --cases N --days N [--seed N] [--until MS]` writes a store in `DIR`, or leaves the one that was made
//! there with the same numbers. `history measure DIR` prints rows `{measure, value, unit, target, holds}`, and so does
//! `history upgrade DIR --older PROGRAM`, which leaves a store that only a build to come opens.
//!
//! What should be here: arguments, what is already there. What should not: the city (`life`), writing (`rows`, `fill`),
//! reading (`instant`, `measure`), the build to come (`later`, `upgrade`).

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Parser;
use domain::moment::UtcMillis;
use domain::policy::Policy;
use serde::{Deserialize, Serialize};
use server::clock::Clock;
use server::config::Config;
use sim::city::years::Span;

mod life;
mod rows;
mod fill;
mod instant;
mod measure;
mod later;
mod upgrade;

/// Streets and communities, which the simulated city reports from. The example runs in the repository's folder.
const CONFIG: &str = "demo/config.toml";
/// Any free port of this machine.
const ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Says what was made, and that it was finished.
const MADE: &str = "made.json";
/// Bytes of a case with its events, its row and its part of the snapshots.
const CASE_BYTES: u64 = 6_000;

/// Stores with a history.
#[derive(Parser)]
enum Arguments {
    /// Write a store
    Make {
        dir: PathBuf,
        #[arg(long)]
        cases: u64,
        #[arg(long)]
        days: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The last moment, in milliseconds since 1970; the present without it
        #[arg(long)]
        until: Option<i64>,
    },
    /// Print what only the library can be asked about a store
    Measure { dir: PathBuf },
    /// Open a store as a build to come does, and print how that goes; nothing else opens it afterwards
    Upgrade {
        dir: PathBuf,
        /// The program of the present build, which must refuse the store then
        #[arg(long)]
        older: PathBuf,
        /// Lay the lists out without the breaks that a build takes in a hall
        #[arg(long)]
        without_breaks: bool,
    },
}

/// What a store was made of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    cases: u64,
    days: u32,
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse() {
        Arguments::Make { dir, cases, days, seed, until } => make(&dir, &Made { cases, days, seed }, until),
        Arguments::Measure { dir } => print(&measure::measure(&dir, &policy()?)?),
        Arguments::Upgrade { dir, older, without_breaks } => {
            let mut config = Config::load(Some(Path::new(CONFIG)))?;
            config.server.listen = ANYWHERE;
            // What was made there is not there any more.
            std::fs::remove_file(dir.join(MADE)).context("this store was not made by `history make`")?;
            let folder = dir.to_str().context("the folder's name is no text")?;
            let arguments = ["--config", CONFIG, "--data-dir", folder, "serve"];
            config.store.dir.clone_from(&dir);
            let mut so_far = |seen: &upgrade::Upgraded| {
                let rows = serde_json::to_string(&measure::upgraded(seen.clone()))?;
                writeln!(std::io::stderr(), "so far: {rows}").context("cannot print")
            };
            let seen = upgrade::upgrade(config, without_breaks, &older, &arguments, &mut so_far)?;
            writeln!(std::io::stderr(), "the present build says: {}", seen.refusal)
                .context("cannot print")?;
            print(&measure::upgraded(seen))
        }
    }
}

fn print(rows: &[measure::Row]) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(rows)?).context("cannot print the rows")
}

fn policy() -> anyhow::Result<Policy> {
    Config::load(Some(Path::new(CONFIG)))?.load_policy()
}

fn make(dir: &Path, wanted: &Made, until: Option<i64>) -> anyhow::Result<()> {
    let said = std::io::stderr;
    let note = dir.join(MADE);
    if let Ok(text) = std::fs::read_to_string(&note) {
        let made: Made = serde_json::from_str(&text).context("the note of what was made is not readable")?;
        ensure!(made == *wanted, "`{}` holds another store: {made:?}", dir.display());
        return writeln!(said(), "a store of {} cases is there already", made.cases).context("cannot print");
    }
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    let room =
        rustix::fs::statvfs(dir).with_context(|| format!("cannot ask for room in `{}`", dir.display()))?;
    let room = room.f_bavail * room.f_frsize;
    ensure!(
        room > wanted.cases * CASE_BYTES,
        "{} MB are free, {} are needed",
        room / 1_000_000,
        wanted.cases * CASE_BYTES / 1_000_000
    );
    let policy = policy()?;
    let until = until.map_or_else(|| Clock::machine().now(), UtcMillis);
    let Made { cases, days, seed } = *wanted;
    let span = Span { seed, cases, days, until, offset: policy.utc_offset_minutes };
    let began = Instant::now();
    let filled = fill::fill(dir, &policy, span, |line| {
        // Progress nobody reads is no reason to stop.
        let _ = writeln!(said(), "{line}");
    })?;
    let took = began.elapsed().as_secs_f64();
    writeln!(said(), "{filled:?} in {took:.0} s").context("cannot print")?;
    std::fs::write(&note, serde_json::to_string(wanted)?).context("cannot note what was made")
}
