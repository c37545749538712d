//! `gridhall policy tables`: tables of classes and limits checked, and made into a policy that can be adopted.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use domain::clock::Counts;
use domain::policy::Policy;
use serde::Serialize;

use super::keeping::say;
use super::policy::in_force_or_begun;
use super::remote::Where;
use crate::config::{Config, PolicyFile};
use crate::tables::{Candidate, Fault, Laid, Reading, Tables};

#[derive(Subcommand)]
pub enum Command {
    /// Say which cells of tables are wrong, all of them, and change nothing
    Check(Check),
    /// Lay tables onto a policy and write the policy that comes of it, to be adopted
    Take(Take),
}

/// What 天 and 小时 count.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Plain {
    /// Working time: a day is a working day
    Working,
    /// Through nights and holidays
    Through,
}

#[derive(Args)]
struct Read {
    /// Tables in CSV or XLSX
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Policy whose codes the tables may name; without one that in force, or of a hall that is yet to begin that of the settings
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// What 天 and 小时 count where a table says no more
    #[arg(long, value_enum, default_value = "working")]
    plain_units: Plain,
    /// The tables are all there is of their kinds (parts, events, complaints): classes they lack are retired
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    hall: Where,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Check {
    #[command(flatten)]
    read: Read,
}

#[derive(Args)]
pub struct Take {
    #[command(flatten)]
    read: Read,
    /// File the policy is written to; one that is there is not written over
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
    /// The documents the policy now comes from (出处)
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Take what is sound although cells are wrong: a class with a wrong cell stays as it is, and nothing is retired for being lacking
    #[arg(long)]
    leave_out_bad: bool,
}

/// What was found, and what came of it.
#[derive(Serialize)]
struct Answer<'a> {
    faults: &'a [Fault],
    passed_over: &'a [String],
    laid: &'a Laid,
}

/// Runs one subcommand.
pub fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Check(Check { read }) => {
            let (tables, candidate) = look(config, &read)?;
            tell(&read, &tables, &candidate, "nothing was changed")?;
            refuse(&tables.faults)
        }
        Command::Take(take) => {
            let (tables, mut candidate) = look(config, &take.read)?;
            let is_fit = tables.faults.is_empty() || take.leave_out_bad && candidate.check().is_ok();
            if !is_fit {
                tell(&take.read, &tables, &candidate, "nothing was written")?;
                return refuse(&tables.faults);
            }
            if let Some(source) = &take.source {
                candidate.policy.stated_source.clone_from(source);
            }
            write(&take.into, &candidate.policy)?;
            let file = take.into.display();
            tell(
                &take.read,
                &tables,
                &candidate,
                &format!(
                    "written to {file}; `gridhall policy adopt {file} --dry-run` says what it would change"
                ),
            )
        }
    }
}

/// The tables, and the policy with them. A policy that would not hold is one fault more.
fn look(config: &Config, read: &Read) -> anyhow::Result<(Tables, Candidate)> {
    let policy = match &read.policy {
        Some(file) => PolicyFile { file: Some(file.clone()), ..PolicyFile::default() }.load()?,
        None => in_force_or_begun(config, &read.hall)?,
    };
    let plain = match read.plain_units {
        Plain::Working => Counts::Working,
        Plain::Through => Counts::Through,
    };
    let mut reading = Reading::new(&policy, plain);
    read.files.iter().for_each(|file| reading.file(file));
    let mut tables = reading.finish();
    let candidate = tables.lay(&policy, read.whole);
    let unfit = candidate.check().err();
    tables.faults.extend(unfit.map(|problem| Fault::of_file("the policy with these tables", problem)));
    Ok((tables, candidate))
}

fn tell(read: &Read, tables: &Tables, candidate: &Candidate, end: &str) -> anyhow::Result<()> {
    let answer = Answer { faults: &tables.faults, passed_over: &tables.passed_over, laid: &candidate.laid };
    let mut words = String::new();
    for line in tables.faults.iter().map(Fault::to_string).chain(tables.passed_over.iter().cloned()) {
        words.push_str(&line);
        words.push('\n');
    }
    let Laid { classes, conditions, left_out, classes_retired, conditions_retired, .. } = candidate.laid;
    let (responsibilities, removed) =
        (candidate.laid.responsibilities, candidate.laid.responsibilities_removed);
    if responsibilities > 0 {
        words.push_str(&format!("responsibilities {responsibilities}  removed {removed}\n"));
    }
    words.push_str(&format!(
        "classes {classes}  conditions {conditions}  left out {left_out}  retired: classes {classes_retired}, conditions {conditions_retired}\n{end}\n"
    ));
    say(read.json, &answer, &words)
}

fn refuse(faults: &[Fault]) -> anyhow::Result<()> {
    match faults.len() {
        0 => Ok(()),
        1 => anyhow::bail!("1 cell or table is wrong"),
        many => anyhow::bail!("{many} cells or tables are wrong"),
    }
}

/// Writes a new file whole, or none.
fn write(file: &Path, policy: &Policy) -> anyhow::Result<()> {
    let text = toml::to_string_pretty(policy).context("cannot put the policy into words")?;
    let failed = || format!("cannot write `{}`", file.display());
    anyhow::ensure!(!file.exists(), "`{}` is there already; name a new file", file.display());
    let beside = file.with_extension("toml.part");
    let mut part = fs::File::create(&beside).with_context(failed)?;
    let written = part.write_all(text.as_bytes()).and_then(|()| part.sync_all());
    drop(part);
    match written.and_then(|()| fs::rename(&beside, file)) {
        Ok(()) => Ok(()),
        Err(error) => {
            let _ = fs::remove_file(&beside);
            Err(error).with_context(failed)
        }
    }
}
