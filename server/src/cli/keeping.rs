//! `gridhall check`, `backup` and `restore`, how they and their siblings say what they did, and the policy in force for those
//! that go by it.
#![allow(clippy::print_stdout, reason = "a command line answers on standard output")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use domain::policy::Policy;

use crate::clock::Clock;
use crate::config::Config;
use crate::folder::{self, WORLDS};
use crate::video::origin::former::Former;
use crate::{check, events, log};

/// Prints what was done: JSON, or words for people.
pub(super) fn say<T: serde::Serialize>(json: bool, done: &T, words: &str) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(done).context("cannot print what was done")?);
    } else {
        print!("{words}");
    }
    Ok(())
}

/// The line of a dry run that says how it is made sure that what was read is what happens.
pub(super) fn held_against(version: u64) -> String {
    format!(
        "held against version {version}: with --upon {version} it is refused when another one comes into force meanwhile"
    )
}

/// The last line of an adoption, or of asking for one.
pub(super) fn ended(adopted: bool, version: u64) -> String {
    if adopted { format!("in force as version {version}") } else { "dry run: nothing was changed".to_owned() }
}

/// The version an adoption was held against, as a server is told it.
pub(super) fn upon(version: Option<u64>) -> String {
    version.map_or_else(String::new, |version| format!("&upon={version}"))
}

/// The policy in force: the log's, whether or not a server runs beside; that of the settings where no log has one yet.
pub(super) fn policy_in_force(config: &Config) -> anyhow::Result<Arc<Policy>> {
    let file = config.load_policy()?;
    let state = events::standing(&config.store.dir, &file)?;
    Ok(state.map_or_else(|| Arc::new(file), |state| state.in_force().policy.clone()))
}

pub(super) fn backup(config: &Config, folder: &Path, json: bool) -> anyhow::Result<()> {
    let dir = &config.store.dir;
    let made = log::backup::backup(dir, folder, Clock::machine().now().0)?;
    warn_of_former(config, dir, Former::left_out_of_backup);
    let drills = folder::drills(dir);
    if drills > 0 {
        tracing::warn!(
            drills,
            "drills are no records of the city and are not in its backup; copy the folders in {WORLDS}/ of those that are to be kept"
        );
    }
    say(json, &made, &made.words())
}

pub(super) fn restore(config: &Config, from: &Path, to: &Path, json: bool) -> anyhow::Result<()> {
    let restored = log::restore::restore(from, to)?;
    warn_of_former(config, to, Former::left_beside_restored);
    say(json, &restored, &restored.words())
}

/// Says what is to be known of a list of cameras that an earlier version kept beside the log. What was asked for is done: what
/// cannot be looked at fails nothing.
fn warn_of_former(config: &Config, dir: &Path, words: fn(&Former, bool) -> Option<String>) {
    let former = Former::within(dir);
    if !former.dir().exists() {
        return;
    }
    let names_one = || -> anyhow::Result<bool> {
        let state = events::standing(dir, &config.load_policy()?)?;
        Ok(state.is_some_and(|state| state.cameras().is_some()))
    };
    match names_one() {
        Ok(named) => words(&former, named).into_iter().for_each(|words| tracing::warn!("{words}")),
        Err(error) => tracing::warn!(
            folder = %former.dir().display(),
            "lists of cameras lie beside the log, and it cannot be read whether it names one: {error:#}"
        ),
    }
}

pub(super) fn check(config: &Config, json: bool, recount: bool) -> anyhow::Result<ExitCode> {
    let (dir, policy) = (&config.store.dir, config.load_policy()?);
    let report = if recount { check::recounted(dir, &policy)? } else { check::check(dir, &policy)? };
    if json {
        println!("{}", serde_json::to_string_pretty(&report).context("cannot print the report")?);
    } else {
        print!("{}", report.table());
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
