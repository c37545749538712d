//! The state from snapshot and tail, read from the log page by page.

use std::path::Path;

use domain::event::{Event, Recorded};
use domain::moment::UtcOffset;
use domain::state::{Alone, Kept, State};

use crate::folder::{DATABASE, StoreError};
use crate::log::container::{Container, Unusable};
use crate::log::{EventRow, Read, Subject, each_event, shelf};
use crate::stored::policy::{Bodies, Genesis, NoBodies};
use crate::stored::{self, state};

/// One row as an event.
pub(crate) fn recorded(row: &EventRow, path: &Path, bodies: &dyn Bodies) -> Result<Recorded, StoreError> {
    stored::recorded(row, bodies).map_err(|source| StoreError::Event {
        path: path.to_owned(),
        seq: row.seq,
        source,
    })
}

/// Calls `f` with every event after `after`, in order; a gap is damage.
pub(crate) fn each(
    log: &dyn Read,
    path: &Path,
    after: u64,
    mut f: impl FnMut(Recorded) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    each_event(log, after, |row| f(recorded(row, path, &log)?)).map(|_| ())
}

/// The newest events and the state before the first of them: who follows the feed is led through them after a start as if
/// they had just come, and needs no snapshot. None of them defines codes or brings another policy into force: then areas lie
/// elsewhere, and what belongs to which topic is begun anew.
#[derive(Debug)]
pub struct Newest {
    pub before: State,
    pub events: Vec<Recorded>,
}

/// A state to begin from, and whether its counts are a guess.
pub(crate) struct Beginning {
    pub(crate) state: State,
    pub(crate) counts_are_guessed: bool,
}

/// The state of the newest usable snapshot not beyond `until`; the one before the first event where there is none.
pub(crate) fn start(
    log: &dyn Read,
    dir: &Path,
    genesis: &Genesis,
    until: u64,
    sections: &[state::Known],
) -> Result<Beginning, StoreError> {
    let known = state::known(sections);
    let policies = state::Policies { genesis, bodies: &log };
    let read = |container: &Container| {
        let loaded =
            state::fits(state::decode(container, sections, policies)?, genesis.policy.utc_offset_minutes)?;
        if loaded.guessed.whole { Err(state::only_a_replay_knows()) } else { Ok(loaded) }
    };
    let kept = shelf::newest(dir, log.epoch(), until, &known, read);
    let after = kept.as_ref().map_or(0, |kept| kept.state.seq);
    let of_then = former(log, dir, (after, until), read).map(|loaded| with_codes_of(genesis, loaded));
    let Some(loaded) = of_then.or(kept) else {
        return Ok(Beginning { state: genesis.state(), counts_are_guessed: false });
    };
    let (path, seq, counts_are_guessed) = (dir.join(DATABASE), loaded.state.seq, loaded.guessed.tally);
    let state = state::refolded(loaded, |case| {
        let rows = rows_of(log, Subject::Case(case.0), seq)?;
        rows.iter().map(|row| recorded(row, &path, &NoBodies)).collect::<Result<_, StoreError>>()
    })?;
    Ok(Beginning { state, counts_are_guessed })
}

/// A state of the first format with the codes its log begins with now. Then the policy's file went before what a snapshot
/// knew, at every start; the log began with that file, and what the snapshot knew besides.
fn with_codes_of(genesis: &Genesis, loaded: state::Loaded) -> state::Loaded {
    let state::Loaded { state, guessed } = loaded;
    let mut kept = Kept::from(state);
    let mut codes = genesis.state().catalogue;
    for entry in kept.catalogue.entries() {
        if codes.like(&entry).is_none() {
            codes.define(entry);
        }
    }
    kept.catalogue = codes;
    state::Loaded { state: kept.into(), guessed }
}

/// The newest usable snapshot of the first format within a stretch of the log: it saves the first start of this version the
/// whole of it.
pub(crate) fn former<T>(
    log: &dyn Read,
    dir: &Path,
    (after, until): (u64, u64),
    read: impl Fn(&Container) -> Result<T, Unusable>,
) -> Option<T> {
    let within = shelf::former(dir).into_iter().filter(|(_, seq)| *seq > after && *seq <= until);
    within.into_iter().find_map(|(path, seq)| {
        let container = std::fs::read(&path).map_err(|_| Unusable::Torn);
        let container = container.and_then(|bytes| state::former::container(&bytes));
        let loaded = container.and_then(|container| match (container.epoch, container.seq) {
            (epoch, _) if epoch != log.epoch() => Err(Unusable::Epoch),
            (_, is) if is != seq => Err(Unusable::Torn),
            _ => read(&container),
        });
        loaded.map_err(|why| tracing::warn!(path = %path.display(), %why, "snapshot passed over")).ok()
    })
}

/// The state that nothing in is a guess, to count anew from.
pub(crate) fn exact_start(
    log: &dyn Read,
    dir: &Path,
    genesis: &Genesis,
    until: u64,
    sections: &[state::Known],
) -> State {
    let policies = state::Policies { genesis, bodies: &log };
    let read = |container: &Container| {
        let loaded = state::decode(container, sections, policies)?;
        let loaded = state::fits(loaded, genesis.policy.utc_offset_minutes)?;
        let exact = loaded.guessed == state::Guessed::default();
        exact.then_some(loaded.state).ok_or_else(state::only_a_replay_knows)
    };
    let known = state::known(sections);
    shelf::newest(dir, log.epoch(), until, &known, read).unwrap_or_else(|| genesis.state())
}

/// Rows about one case or call up to `until`, oldest first.
pub(crate) fn rows_of(log: &dyn Read, subject: Subject, until: u64) -> Result<Vec<EventRow>, StoreError> {
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
pub(crate) fn alone(
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
pub(crate) fn load(
    log: &dyn Read,
    dir: &Path,
    genesis: &Genesis,
    sections: &[state::Known],
) -> Result<State, StoreError> {
    begin(log, dir, genesis, sections, 0).map(|(beginning, _)| beginning.state)
}

/// The same, whether its counts are a guess, and the newest events, at most `newest_max` of them; none where a snapshot holds
/// all, or counts are a guess that whoever stood at one of them has seen differently.
pub(crate) fn begin(
    log: &dyn Read,
    dir: &Path,
    genesis: &Genesis,
    sections: &[state::Known],
    newest_max: u64,
) -> Result<(Beginning, Option<Newest>), StoreError> {
    let path = dir.join(DATABASE);
    let head = log.head()?.seq;
    let Beginning { mut state, counts_are_guessed } = start(log, dir, genesis, head, sections)?;
    let from = state.seq;
    // A server may append beside a reader; what comes after `head` is not asked for.
    let wanted = head.saturating_sub(newest_max)..head;
    let mut newest: Option<Newest> = None;
    let mut lie_elsewhere = false;
    each(log, &path, from, |recorded| {
        if wanted.contains(&(recorded.seq - 1)) {
            lie_elsewhere |= matches!(recorded.event, Event::Policy(_));
            let begin = || Newest { before: state.clone(), events: Vec::new() };
            newest.get_or_insert_with(begin).events.push(recorded.clone());
        }
        state.apply(&recorded);
        Ok(())
    })?;
    let newest = newest.filter(|_| !lie_elsewhere && !counts_are_guessed);
    tracing::debug!(snapshot = from, head, counts_are_guessed, "state rebuilt");
    Ok((Beginning { state, counts_are_guessed }, newest))
}
