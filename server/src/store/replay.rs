//! The state from snapshot and tail, read from the log page by page.

use std::path::Path;

use domain::event::Recorded;
use domain::moment::UtcOffset;
use domain::state::{Alone, State};

use super::{DATABASE, StoreError, int};
use crate::log::{EventRow, Read, Subject, each_event, shelf};
use crate::stored::policy::{Bodies, Genesis, NoBodies};
use crate::stored::{self, state};

/// One row as an event.
pub(super) fn recorded(row: &EventRow, path: &Path, bodies: &dyn Bodies) -> Result<Recorded, StoreError> {
    stored::recorded(row, bodies).map_err(|source| StoreError::Event {
        path: path.to_owned(),
        seq: int(row.seq),
        source,
    })
}

/// Calls `f` with every event after `after`, in order; a gap is damage.
pub(super) fn each(
    log: &dyn Read,
    path: &Path,
    after: u64,
    mut f: impl FnMut(Recorded) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    each_event(log, after, |row| f(recorded(row, path, &log)?)).map(|_| ())
}

/// The state of the newest usable snapshot not beyond `until`; the one before the first event where there is none.
pub(super) fn start(
    log: &dyn Read,
    dir: &Path,
    genesis: &Genesis,
    until: u64,
    sections: &[state::Known],
) -> Result<State, StoreError> {
    let known = state::known(sections);
    let policies = state::Policies { genesis, bodies: &log };
    let read = |container: &crate::log::container::Container| {
        let loaded =
            state::fits(state::decode(container, sections, policies)?, genesis.policy.utc_offset_minutes)?;
        if loaded.guessed.whole { Err(state::only_a_replay_knows()) } else { Ok(loaded) }
    };
    let Some(loaded) = shelf::newest(dir, log.epoch(), until, &known, read) else {
        return Ok(genesis.state());
    };
    let (path, seq) = (dir.join(DATABASE), loaded.state.seq);
    state::refolded(loaded, |case| {
        let rows = rows_of(log, Subject::Case(case.0), seq)?;
        rows.iter().map(|row| recorded(row, &path, &NoBodies)).collect::<Result<_, StoreError>>()
    })
}

/// Rows about one case or call up to `until`, oldest first.
pub(super) fn rows_of(log: &dyn Read, subject: Subject, until: u64) -> Result<Vec<EventRow>, StoreError> {
    let (mut rows, mut before) = (Vec::new(), until.saturating_add(1));
    loop {
        let page = log.of(subject, before, crate::log::READ_ROWS_MAX)?;
        let Some(oldest) = page.last() else { break };
        before = oldest.seq;
        rows.extend(page);
    }
    rows.reverse();
    Ok(rows)
}

/// What the events of one case or call up to `until` make of it.
pub(super) fn alone(
    log: &dyn Read,
    path: &Path,
    (subject, until): (Subject, u64),
    offset: UtcOffset,
) -> Result<Alone, StoreError> {
    let mut alone = Alone::new(offset);
    for row in rows_of(log, subject, until)? {
        alone.take(&recorded(&row, path, &NoBodies)?);
    }
    Ok(alone)
}

/// The state from the newest usable snapshot and the events after it.
pub(super) fn load(
    log: &dyn Read,
    dir: &Path,
    genesis: &Genesis,
    sections: &[state::Known],
) -> Result<State, StoreError> {
    let path = dir.join(DATABASE);
    let head = log.head()?.seq;
    let mut state = start(log, dir, genesis, head, sections)?;
    let from = state.seq;
    each(log, &path, from, |recorded| {
        state.apply(&recorded);
        Ok(())
    })?;
    tracing::debug!(snapshot = from, head, "state rebuilt");
    Ok(state)
}
