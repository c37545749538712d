//! Snapshots of the state against a replay: each at its event, in everything that it does not guess.
//!
//! What should not be here: what of a snapshot is a guess (`stored::state`), the replay itself (`check.rs`).

use std::collections::BTreeMap;
use std::path::Path;

use domain::clock::{Deadline, Subject};
use domain::state::State;

use super::Report;
use crate::folder::StoreError;
use crate::log::container::Unusable;
use crate::log::sqlite::SqliteReader;
use crate::log::{Read, shelf};
use crate::stored::policy::Genesis;
use crate::stored::state::{self, Guessed, Loaded};

/// Those that this version can use, by their event, and how many of those compared were only compared in part.
pub(super) struct Snapshots {
    usable: BTreeMap<u64, shelf::Kept>,
    with_guessed_cases: u64,
    with_guessed_counts: u64,
    guessed: u64,
}

impl Snapshots {
    /// Every snapshot must be usable by this version, or be of another one; and none may be ahead of the log.
    pub(super) fn of(
        dir: &Path,
        log: &SqliteReader,
        genesis: &Genesis,
        report: &mut Report,
    ) -> Result<Self, StoreError> {
        let mut usable = BTreeMap::new();
        let all = shelf::list(dir);
        // Asked after the list was made: a server may go on meanwhile, and write one at a later event.
        let head = log.head()?.seq;
        for kept in all {
            report.snapshots += 1;
            if kept.seq > head {
                report.problems.push(format!(
                    "snapshot {}: {}, which ends at event {head}: an older copy of the database was put beside it, or it lost events; \
                     the next start sets it aside",
                    name(&kept),
                    Unusable::Ahead
                ));
                continue;
            }
            match load(&kept, log, genesis) {
                Ok(_) => drop(usable.insert(kept.seq, kept)),
                Err(why @ (Unusable::Layout(_) | Unusable::Unknown(_) | Unusable::Newer { .. })) => {
                    tracing::info!(name = name(&kept), %why, "snapshot not used by this version");
                }
                Err(why) => report.problems.push(format!("snapshot {}: {why}", name(&kept))),
            }
        }
        Ok(Self { usable, with_guessed_cases: 0, with_guessed_counts: 0, guessed: 0 })
    }

    /// Holds the snapshot at the event of `replayed`, if there is one, against it.
    pub(super) fn compare(
        &mut self,
        (log, genesis): (&SqliteReader, &Genesis),
        replayed: &State,
        report: &mut Report,
    ) {
        let Some(kept) = self.usable.remove(&replayed.seq) else { return };
        let Ok(loaded) = load(&kept, log, genesis) else { return };
        let Guessed { cases, tally, whole } = loaded.guessed;
        self.with_guessed_cases += u64::from(cases);
        self.with_guessed_counts += u64::from(tally);
        self.guessed += u64::from(whole);
        let differing = differing(&loaded, replayed);
        if !differing.is_empty() {
            let parts = differing.join(", ");
            report.problems.push(format!("snapshot {}: differs from its events ({parts})", name(&kept)));
        }
    }

    pub(super) fn say_what_is_unproved(&self, report: &mut Report) {
        let said = [
            (
                self.with_guessed_cases,
                "what open cases and their deadlines are",
                "a start makes them of their own events",
            ),
            (self.with_guessed_counts, "counts", "a server counts them anew"),
            (self.guessed, "anything", "a start passes it over"),
        ];
        for (snapshots, what, instead) in said.into_iter().filter(|(snapshots, ..)| *snapshots > 0) {
            let of = if snapshots == 1 { "1 snapshot".to_owned() } else { format!("{snapshots} snapshots") };
            report.unproved.push(format!("{what} in {of} of an earlier version; {instead}"));
        }
    }
}

/// What a snapshot says otherwise than its events, as far as it guesses nothing of it.
fn differing(Loaded { state, guessed }: &Loaded, replayed: &State) -> Vec<&'static str> {
    // It names no section, so that any may be a guess.
    if guessed.whole {
        return Vec::new();
    }
    let cases = if guessed.cases {
        state.cases.keys().eq(replayed.cases.keys()) && of_whistles(state).eq(of_whistles(replayed))
    } else {
        state.cases == replayed.cases && state.deadlines == replayed.deadlines
    };
    let parts = [
        ("tally", guessed.tally || state.tally == replayed.tally),
        ("policy", state.in_force() == replayed.in_force()),
        ("list of cameras", state.cameras() == replayed.cameras()),
        ("codes", state.catalogue == replayed.catalogue),
        ("whistle calls", state.whistles == replayed.whistles),
        ("open cases and deadlines", cases),
    ];
    parts.into_iter().filter(|(_, same)| !same).map(|(part, _)| part).collect()
}

/// Deadlines of whistle calls: no case's events tell them, so that they are never a guess.
fn of_whistles(state: &State) -> impl Iterator<Item = &Deadline> {
    state.deadlines.iter().filter(|(_, _, subject, _)| match subject {
        Subject::Whistle(..) => true,
        Subject::Case(_) => false,
    })
}

fn load(kept: &shelf::Kept, log: &SqliteReader, genesis: &Genesis) -> Result<Loaded, Unusable> {
    let log: &dyn Read = log;
    let policies = state::Policies { genesis, bodies: &log };
    let known = state::known(&state::SECTIONS);
    let container = shelf::open(&kept.path, log.epoch(), u64::MAX, &known)?;
    state::decode(&container, &state::SECTIONS, policies)
}

fn name(kept: &shelf::Kept) -> String {
    shelf::name(kept.seq, kept.day)
}
