//! Any past instant of a hall: the snapshot before it, and the events from there on.

use std::path::Path;

use anyhow::ensure;
use domain::policy::Policy;
use domain::state::State;
use server::log::{READ_ROWS_MAX, Read, shelf};
use server::stored;
use server::stored::policy::Genesis;
use server::stored::state::{Policies, SECTIONS};

/// Snapshots that are tried before everything is replayed: one of them may be damaged.
const TRIED: usize = 2;

/// The hall as it stood after an event, and how many events were replayed for it.
pub fn at(log: &dyn Read, dir: &Path, policy: &Policy, seq: u64) -> anyhow::Result<(State, u64)> {
    let known = stored::state::known(&SECTIONS);
    let genesis = Genesis::of(policy);
    let policies = Policies { genesis: &genesis, bodies: &log };
    let usable = |kept: &shelf::Kept| -> Option<State> {
        let container = shelf::open(&kept.path, log.epoch(), seq, &known).ok()?;
        Some(stored::state::decode(&container, &SECTIONS, policies).ok()?.state)
    };
    let earlier = shelf::list(dir).into_iter().rev().filter(|kept| kept.seq <= seq);
    let state = earlier.take(TRIED).find_map(|kept| usable(&kept)).unwrap_or_else(|| genesis.state());
    let began = state.seq;
    Ok((replayed(log, state, seq)?, seq - began))
}

/// The state after all events from its own on, up to `seq`.
pub fn replayed(log: &dyn Read, mut state: State, seq: u64) -> anyhow::Result<State> {
    while state.seq < seq {
        let left = usize::try_from(seq - state.seq)?;
        let rows = log.read(state.seq, left.min(READ_ROWS_MAX))?;
        ensure!(!rows.is_empty(), "event {} is missing", state.seq + 1);
        for row in &rows {
            state.apply(&stored::recorded(row, &log)?);
        }
    }
    Ok(state)
}
