//! `gridhall check`, how it and its siblings say what they did, and the store of a stopped server for those that change it.
#![allow(clippy::print_stdout, reason = "a command line answers on standard output")]

use std::process::ExitCode;

use anyhow::Context;
use domain::state::State;

use crate::check;
use crate::config::Config;
use crate::folder::StoreError;
use crate::writer::store::Store;

/// Prints what was done: JSON, or words for people.
pub(super) fn say<T: serde::Serialize>(json: bool, done: &T, words: &str) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(done).context("cannot print what was done")?);
    } else {
        print!("{words}");
    }
    Ok(())
}

/// The store of a stopped server, made where there is none. Whoever has a running one in mind is told how it is asked.
pub(super) fn open_stopped(config: &Config) -> anyhow::Result<(Store, State)> {
    let opened = Store::open(&config.store.dir, &config.load_policy()?);
    opened.map_err(|error| match error {
        StoreError::InUse { .. } => anyhow::Error::new(error).context(
            "this folder has a server; name it with --server URL, and a token with --token-file FILE",
        ),
        other => other.into(),
    })
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
