//! `gridhall check`, and how it and its siblings say what they did.
#![allow(clippy::print_stdout, reason = "a command line answers on standard output")]

use std::process::ExitCode;

use anyhow::Context;

use crate::check;
use crate::config::Config;

/// Prints what was done: JSON, or words for people.
pub(super) fn say<T: serde::Serialize>(json: bool, done: &T, words: &str) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(done).context("cannot print what was done")?);
    } else {
        print!("{words}");
    }
    Ok(())
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
