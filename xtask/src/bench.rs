//! `cargo xtask bench`: what the product does on this machine, row by row against its targets.
//!
//! What should be here: running the measurements and showing their rows. What should not: measuring; the load
//! generators (`sim bench NAME`, the server's example `store_bench`) and the browser (`end2end/bench`) do that, each
//! printing rows of one shape. What the machine is (`machine.rs`), how rows are laid out (`table.rs`).

mod history;
mod machine;
mod replay;
mod table;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::repo::{Profile, Repo};
use crate::{process, setup, site, test};
use machine::Machine;

#[derive(Args)]
pub struct Options {
    /// Only this measurement; without it all but those that take hours.
    #[arg(value_enum)]
    name: Option<Name>,
    /// Also write the rows to this file, as a JSON array.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// With `size`: also print whose the bytes of this screen's first load are, by crate, module and function.
    #[arg(long, value_name = "SCREEN")]
    costs: Option<String>,
    /// How long `open` keeps its wall and desk open.
    #[arg(long, default_value_t = 2.0)]
    hours: f64,
    /// How many cases `history` and `replay` make.
    #[arg(long, default_value_t = 8_000_000)]
    cases: u64,
    /// Where `history` and `replay` keep their stores; those that are there already are not made again.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Weight of the first load.
    Size,
    /// Event log: durable events a second, a million deadlines, start.
    Store,
    /// Live feed: latency, screens, inspectors, memory, stalled clients, restart.
    Live,
    /// Cameras: start, relay, recovery.
    Video,
    /// What only a browser can measure: camera start and pictures as painted, map, first load, a lost server.
    Browser,
    /// A wall and a desk that stay open for hours; only by its name.
    Open,
    /// A store of three years beside one of a month; only by its name, and half an hour to make.
    History,
    /// The past shown again, on a store of three years: anywhere within seconds, and smoothly; only by its name.
    Replay,
}

/// One measured number and what it should be.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    measure: String,
    value: Value,
    unit: String,
    /// Words or a number; null where the number only informs.
    target: Value,
    /// Null where there is no target. With a limit it is the share that holds or not; the target then only informs.
    holds: Option<bool>,
    /// What this machine can do of the same kind, where the measure depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    /// The value as a share of the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// Share of the whole machine that the load took for itself meanwhile, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generators: Option<f64>,
}

/// A bare stand-in for the product doing the same work, measured in the same run in the row's own unit.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    what: String,
    value: f64,
    /// The share of it that is asked for, in words.
    share: String,
}

impl Row {
    fn plain(measure: impl Into<String>, value: impl Into<Value>, unit: &str) -> Self {
        Self {
            measure: measure.into(),
            value: value.into(),
            unit: unit.to_owned(),
            target: Value::Null,
            holds: None,
            limit: None,
            ratio: None,
            generators: None,
        }
    }

    /// Says the value as a share of its limit, where it has one.
    fn compared(mut self) -> Self {
        let limit = self.limit.as_ref().map(|limit| limit.value).filter(|limit| *limit > 0.0);
        self.ratio = limit.zip(self.value.as_f64()).map(|(limit, value)| value / limit);
        self
    }
}

/// What the screens weigh; of one of them also what makes it so heavy.
fn sizes(repo: &Repo, dissected: Option<&str>) -> Result<Vec<Row>> {
    if let Some(screen) = dissected {
        site::print_costs(repo, screen)?;
    }
    Ok(site::first_loads(repo)?.iter().map(size).collect())
}

pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    setup::for_testing(repo)?;
    if options.name != Some(Name::Size) {
        test::build_binaries(repo, Profile::Release)?;
    }
    if options.name.is_none_or(|name| name == Name::Store) {
        process::run(&mut example(repo, "build", "store_bench"))?;
    }
    if matches!(options.name, Some(Name::History | Name::Replay)) {
        process::run(&mut example(repo, "build", "history"))?;
    }
    if options.name.is_none_or(Name::needs_site) {
        site::build(repo, site::WasmBuild::Optimised, &repo.site())?;
    }
    let machine = Machine::now(&repo.target)?;
    println!("{machine}");
    let mut rows = machine.rows();
    let (mut times, mut failed) = (Vec::new(), Vec::new());
    for name in Name::wanted(options.name) {
        println!("\n== bench {}", name.word());
        let began = Instant::now();
        let measured = match name {
            Name::Size => sizes(repo, options.costs.as_deref()),
            Name::Store => store(repo),
            Name::Live | Name::Video => simulated(repo, name),
            Name::Browser => browser(repo, &[]),
            Name::Open => browser(repo, &[("GRIDHALL_BENCH_HOURS", options.hours.to_string())]),
            Name::History => history::measure(repo, options.cases, options.keep.as_deref()),
            Name::Replay => replay::measure(repo, options.cases, options.keep.as_deref()),
        };
        times.push(format!("{} {:.0} s", name.word(), began.elapsed().as_secs_f32()));
        match measured {
            Ok(measured) if measured.is_empty() => {
                failed.push(format!("bench {} measured nothing", name.word()))
            }
            Ok(measured) => rows.extend(measured.into_iter().map(Row::compared)),
            // The others are worth their time all the same.
            Err(error) => failed.push(format!("bench {} failed: {error:#}", name.word())),
        }
    }
    println!("\n{machine}; took {}", times.join(", "));
    print!("{}", table::table(&rows));
    print!("{}", table::missed(&rows));
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&rows).context("cannot write the rows as JSON")?;
        fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    if failed.is_empty() { Ok(()) } else { bail!("not everything was measured: {}", failed.join("; ")) }
}

fn size(load: &site::FirstLoad) -> Row {
    let measure = format!("first load of the {}: page, WASM, scripts, style, brotli", load.screen);
    Row {
        target: Value::from(format!("≤ {}", load.most / 1024)),
        holds: Some(load.bytes <= load.most),
        ..Row::plain(measure, load.bytes.div_ceil(1024), "KiB")
    }
}

/// Cargo's word for an example of the server that measures.
fn example(repo: &Repo, word: &str, name: &str) -> Command {
    let mut cargo = repo.cargo();
    cargo.args([word, "--quiet", "--release", "--package", "server", "--example", name]);
    cargo
}

/// The log alone, on the disk that holds the target folder.
fn store(repo: &Repo) -> Result<Vec<Row>> {
    rows_of(example(repo, "run", "store_bench").args(["--", "10"]).arg(&repo.target))
}

fn simulated(repo: &Repo, name: Name) -> Result<Vec<Row>> {
    rows_of(&mut simulator(repo, name))
}

/// The load generator for a measurement.
fn simulator(repo: &Repo, name: Name) -> Command {
    let mut sim = Command::new(repo.binary("sim", Profile::Release));
    sim.current_dir(&repo.root).args(["bench", name.word(), "--json", "-"]);
    sim.env("GRIDHALL_BIN", repo.binary("gridhall", Profile::Release)).env("GRIDHALL_SITE", repo.site());
    sim
}

/// What a measurement prints: an array of rows.
fn rows_of(command: &mut Command) -> Result<Vec<Row>> {
    let printed = process::output(command)?;
    serde_json::from_str(&printed)
        .with_context(|| format!("`{}` must print rows, not: {printed}", process::shown(command)))
}

/// Each measurement in `end2end/bench` adds its rows to one file, a JSON object a line. `what`: settings that choose one which
/// is run only by its name (`end2end/bench.config.ts`).
fn browser(repo: &Repo, what: &[(&str, String)]) -> Result<Vec<Row>> {
    let rows = repo.target.join("bench-browser-rows.jsonl");
    fs::write(&rows, "").with_context(|| format!("cannot write {}", rows.display()))?;
    let mut playwright = test::playwright(repo, Profile::Release);
    playwright.args(["test", "--config", "bench.config.ts"]).env("GRIDHALL_BENCH_ROWS", &rows);
    playwright.envs(what.iter().map(|(name, value)| (name, value)));
    let ran = process::run(&mut playwright);
    let text = fs::read_to_string(&rows).with_context(|| format!("cannot read {}", rows.display()))?;
    let measured: Result<Vec<Row>> = text
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}")))
        .collect();
    let mut measured = measured?;
    // One that failed says so as a row, and the others keep theirs.
    if let Err(error) = ran {
        measured.push(Row {
            target: Value::from("none"),
            holds: Some(false),
            ..Row::plain("a browser measurement ended early", error.to_string(), "")
        });
    }
    Ok(measured)
}

impl Name {
    /// What is asked for; without a name everything that ends within minutes.
    fn wanted(name: Option<Name>) -> Vec<Name> {
        let all = Name::value_variants().iter().copied();
        all.filter(|each| name.map_or(!each.takes_hours(), |name| name == *each)).collect()
    }

    fn takes_hours(self) -> bool {
        match self {
            Name::Open | Name::History | Name::Replay => true,
            Name::Size | Name::Store | Name::Live | Name::Video | Name::Browser => false,
        }
    }

    fn needs_site(self) -> bool {
        match self {
            Name::Size | Name::Browser | Name::Open | Name::Replay => true,
            Name::Store | Name::Live | Name::Video | Name::History => false,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Name::Size => "size",
            Name::Store => "store",
            Name::Live => "live",
            Name::Video => "video",
            Name::Browser => "browser",
            Name::Open => "open",
            Name::History => "history",
            Name::Replay => "replay",
        }
    }
}
