//! The past shown again on a store of three years: how soon a hall stands at an instant, and whether a day of it goes by smoothly.
//!
//! What should be here: the store, and who measures on it. What should not: making stores (the server's example `history`),
//! measuring (`sim bench replay`, `end2end/bench/replay.store.ts`).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::history::{self, DAYS};
use super::{Name, Row, browser, rows_of, simulator};
use crate::repo::Repo;

pub fn measure(repo: &Repo, cases: u64, keep: Option<&Path>) -> Result<Vec<Row>> {
    let folder = keep.map_or_else(|| repo.target.join("bench-replay"), Path::to_path_buf);
    // The name `history` has for it, so that a store that was kept serves both.
    let store = folder.join("years");
    println!("-- a store of {cases} cases over {DAYS} days in {}", store.display());
    history::make(repo, &store, cases, DAYS)?;
    let mut rows = rows_of(simulator(repo, Name::Replay).arg("--store").arg(&store))?;
    // The browser's tests run in a folder of their own.
    let absolute = store.canonicalize().with_context(|| format!("cannot find {}", store.display()))?;
    rows.extend(browser(repo, &[("GRIDHALL_BENCH_STORE", absolute.display().to_string())])?);
    if keep.is_none() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(rows)
}
