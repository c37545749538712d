//! The stored form of the state: sections of a snapshot, rows of JSON that can skip what they do not know.
//!
//! What should be here: which sections there are, in which form each is written, and since which form what it holds is
//! exact. What should not: files (`log::shelf`), rules.
//!
//! A field that is added gets a default, and a default is not always exact: one that depends on what happened earlier is
//! silently wrong for every open case. So each section says since which form nothing in it is guessed ([`Known::exact`]).
//! Rows of an older form are read with the default, and the start folds each open case again from its own events.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::Catalogue;
use domain::clock::Subject;
use domain::code::CaseId;
use domain::moment::UtcOffset;
use domain::state::{Kept, State};
use domain::tally::{Count, Tally, TallyKey};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::form2::catalogue::{EntryForm, entry, entry_form};
use super::policy::{Bodies, Genesis};
use super::{Read, StoredError, word};
use crate::log::container::{Container, Section, Unusable};

pub mod former;
pub(super) mod forms;
mod adopted;

#[cfg(test)]
mod tests;

use adopted::{CameraListForm, PolicyForm};
use forms::{CaseForm, CountsForm, DeadlineForm, WhistleForm};

/// A section this version reads.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub name: &'static str,
    /// The form it is written in; older ones are read.
    pub form: u32,
    /// Rows of this form and newer ones hold nothing that was guessed.
    pub exact: u32,
}

const COUNTS: &str = "counts";
const CATALOGUE: &str = "catalogue";
const CASES: &str = "cases";
const WHISTLES: &str = "whistles";
const TALLY: &str = "tally";
const ASIDE: &str = "aside";
const DEADLINES: &str = "deadlines";
const POLICY: &str = "policy";
const CAMERAS: &str = "camera_list";

/// Every section. A change of a form raises its number; `exact` follows when the default of what was added is a guess.
///
/// Counts of form 1 lack the hours in which stages grew and shrank, which only the events tell. A catalogue of form 1 has no short
/// names, and none is what its writer could define.
/// Cases of form 1 do not say how many notes they got: none is a guess, and their own events tell. Those of form 2 do not say how often a
/// limit was given once more, which it never was. A snapshot without a list of
/// cameras is exact: whoever wrote it could not read the event of an adoption, so that there was none. A policy of form 1 does not say who
/// brought it into force: of the one a log begins with nobody did, and of an adopted one that is a guess (see [`guessed`]).
pub const SECTIONS: [Known; 9] = [
    Known { name: COUNTS, form: 1, exact: 1 },
    Known { name: CATALOGUE, form: 2, exact: 1 },
    Known { name: CASES, form: 3, exact: 2 },
    Known { name: WHISTLES, form: 1, exact: 1 },
    Known { name: TALLY, form: 2, exact: 2 },
    Known { name: ASIDE, form: 2, exact: 2 },
    Known { name: DEADLINES, form: 1, exact: 1 },
    Known { name: POLICY, form: 2, exact: 1 },
    Known { name: CAMERAS, form: 1, exact: 1 },
];

/// Names and newest forms, as a container asks for them.
#[must_use]
pub fn known(sections: &[Known]) -> Vec<(&'static str, u32)> {
    sections.iter().map(|known| (known.name, known.form)).collect()
}

/// A state as it was kept.
#[derive(Debug)]
pub struct Loaded {
    pub state: State,
    /// What of it may be a guess.
    pub guessed: Guessed,
}

/// What was read with a default that is not exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guessed {
    /// Open cases and their deadlines: each is folded again from its own events.
    pub cases: bool,
    /// Counts: they serve as they are while a replay in the background counts them anew.
    pub tally: bool,
    /// Anything else: only a replay before the start tells it.
    pub whole: bool,
}

/// The state as sections.
#[must_use]
pub fn encode(epoch: u64, state: &State) -> Container {
    encode_as(epoch, state, &SECTIONS)
}

/// The same in the forms of a build that may be another one.
#[must_use]
pub fn encode_as(epoch: u64, state: &State, sections: &[Known]) -> Container {
    let kept = Kept::from(state.clone());
    let rows = |name: &str, bytes: Vec<u8>| {
        let form = form_of(name, sections);
        Section { name: name.to_owned(), form, bytes }
    };
    let sections = vec![
        rows(COUNTS, lines(std::iter::once(forms::counts_form(&kept)))),
        rows(CATALOGUE, lines(kept.catalogue.entries().map(|entry| entry_form(&entry)))),
        rows(CASES, lines(kept.cases.values().map(forms::case_form))),
        rows(WHISTLES, lines(kept.whistles.values().map(forms::whistle_form))),
        rows(TALLY, cells(&kept.tally)),
        rows(ASIDE, cells(&kept.aside)),
        rows(DEADLINES, lines(kept.deadlines.iter().map(forms::deadline_form))),
        rows(POLICY, lines(std::iter::once(adopted::policy_form(&kept.in_force)))),
        rows(CAMERAS, lines(kept.cameras.iter().map(adopted::camera_list_form))),
    ];
    Container { epoch, seq: state.seq, sections }
}

fn form_of(name: &str, sections: &[Known]) -> u32 {
    let known = sections.iter().find(|known| known.name == name);
    known.expect("every section that is written stands in the table").form
}

/// Where a state finds the policy it names.
#[derive(Clone, Copy)]
pub struct Policies<'a> {
    pub genesis: &'a Genesis,
    pub bodies: &'a dyn Bodies,
}

/// The state of a container.
pub fn decode(container: &Container, sections: &[Known], policies: Policies<'_>) -> Result<Loaded, Unusable> {
    let part = |name: &'static str| {
        container
            .section(name)
            .map(|section| section.bytes.as_slice())
            .ok_or(Unusable::Lacks(name.to_owned()))
    };
    let read = |name: &'static str| {
        move |error: StoredError| Unusable::Unreadable { name: name.to_owned(), problem: error.to_string() }
    };
    let counts: Vec<CountsForm> = parse(part(COUNTS)?).map_err(read(COUNTS))?;
    let counts = counts.into_iter().next().ok_or(Unusable::Lacks(COUNTS.to_owned()))?;
    let mut kept = forms::counts(counts, &policies.genesis.policy).map_err(read(COUNTS))?;
    if kept.seq != container.seq {
        return Err(Unusable::Torn);
    }
    kept.catalogue = catalogue(container)?;
    // A snapshot that names none was written while the policy its log begins with was in force.
    if let Some(section) = container.section(POLICY) {
        let forms: Vec<PolicyForm> = parse(&section.bytes).map_err(read(POLICY))?;
        let form = forms.into_iter().next().ok_or(Unusable::Lacks(POLICY.to_owned()))?;
        kept.in_force = adopted::in_force(form, policies).map_err(read(POLICY))?;
    }
    // One line, or none before the first adoption.
    if let Some(section) = container.section(CAMERAS) {
        let forms: Vec<CameraListForm> = parse(&section.bytes).map_err(read(CAMERAS))?;
        let list = forms.into_iter().next().map(adopted::camera_list).transpose();
        kept.cameras = list.map_err(read(CAMERAS))?;
    }
    for form in parse::<CaseForm>(part(CASES)?).map_err(read(CASES))? {
        let case = forms::case(form).map_err(read(CASES))?;
        kept.cases.insert(case.id, case);
    }
    for form in parse::<WhistleForm>(part(WHISTLES)?).map_err(read(WHISTLES))? {
        let whistle = forms::whistle(form).map_err(read(WHISTLES))?;
        kept.whistles.insert(whistle.id, whistle);
    }
    kept.tally = tally(part(TALLY)?).map_err(read(TALLY))?;
    kept.aside = tally(part(ASIDE)?).map_err(read(ASIDE))?;
    for form in parse::<DeadlineForm>(part(DEADLINES)?).map_err(read(DEADLINES))? {
        kept.deadlines.insert(forms::deadline(form).map_err(read(DEADLINES))?);
    }
    let mut guessed = guessed(container, sections);
    guessed.whole |= kept.in_force.hash.is_some() && kept.in_force.took.is_none();
    Ok(Loaded { state: kept.into(), guessed })
}

/// The codes a container knows.
pub fn catalogue(container: &Container) -> Result<Catalogue, Unusable> {
    let section = container.section(CATALOGUE).ok_or(Unusable::Lacks(CATALOGUE.to_owned()))?;
    let unreadable =
        |error: StoredError| Unusable::Unreadable { name: CATALOGUE.to_owned(), problem: error.to_string() };
    let mut catalogue = Catalogue::default();
    for form in parse::<EntryForm>(&section.bytes).map_err(unreadable)? {
        catalogue.define(entry(form).map_err(unreadable)?);
    }
    Ok(catalogue)
}

fn guessed(container: &Container, sections: &[Known]) -> Guessed {
    let guess =
        |known: &Known| container.section(known.name).is_some_and(|section| section.form < known.exact);
    let mut guessed = Guessed::default();
    for known in sections.iter().filter(|known| guess(known)) {
        match known.name {
            CASES | DEADLINES => guessed.cases = true,
            TALLY | ASIDE => guessed.tally = true,
            _ => guessed.whole = true,
        }
    }
    guessed
}

/// Whether the state counts days as the policy does.
pub fn fits(loaded: Loaded, offset: UtcOffset) -> Result<Loaded, Unusable> {
    if loaded.state.counts_with(offset) {
        return Ok(loaded);
    }
    let problem = "was counted with another offset from UTC".to_owned();
    Err(Unusable::Unreadable { name: COUNTS.to_owned(), problem })
}

/// Why a state is passed over in which something is guessed that no single case tells.
#[must_use]
pub fn only_a_replay_knows() -> Unusable {
    let problem = "was written before something that only a replay can add".to_owned();
    Unusable::Unreadable { name: COUNTS.to_owned(), problem }
}

fn lines<T: Serialize>(rows: impl Iterator<Item = T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, &row)
            .expect("forms have only text keys and plain values, which always make JSON");
        bytes.push(b'\n');
    }
    bytes
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Read<Vec<T>> {
    let rows = bytes.split(|byte| *byte == b'\n').filter(|row| !row.is_empty());
    rows.map(|row| serde_json::from_slice(row).map_err(StoredError::Json)).collect()
}

/// One cell a line: its key, how many cases, their weight.
fn cells(tally: &Tally) -> Vec<u8> {
    let mut text = String::new();
    for (key, count) in tally.iter() {
        text.push_str(&format!("{key} {} {}\n", count.cases, count.base));
    }
    text.into_bytes()
}

fn tally(bytes: &[u8]) -> Read<Tally> {
    let text = std::str::from_utf8(bytes).map_err(|_| word("cell", "bytes that are no text"))?;
    let mut tally = Tally::default();
    for row in text.lines() {
        let mut parts = row.rsplitn(3, ' ');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (Some(base), Some(cases)) = (number(), number()) else { return Err(word("cell", row)) };
        let key =
            parts.next().and_then(|key| key.parse::<TallyKey>().ok()).ok_or_else(|| word("cell", row))?;
        tally.set(key, Count { cases, base });
    }
    Ok(tally)
}

/// The state with its open cases folded again: each from its own events, which `events` gives in order.
pub fn refolded<E>(
    loaded: Loaded,
    mut events: impl FnMut(CaseId) -> Result<Vec<domain::event::Recorded>, E>,
) -> Result<State, E> {
    if !loaded.guessed.cases {
        return Ok(loaded.state);
    }
    let of_whistles = |subject: &Subject| match subject {
        Subject::Whistle(..) => true,
        Subject::Case(_) => false,
    };
    let ids: BTreeSet<CaseId> = loaded.state.cases.keys().copied().collect();
    let (mut cases, mut deadlines) = (BTreeMap::new(), BTreeSet::new());
    for id in ids {
        if let Some((case, mut of_it)) = loaded.state.folded(events(id)?.into_iter()) {
            cases.insert(id, case);
            // A call that was raised about the case stands in its events, and what became of the call does not.
            of_it.retain(|(_, _, subject, _)| !of_whistles(subject));
            deadlines.append(&mut of_it);
        }
    }
    let mut kept = Kept::from(loaded.state);
    deadlines.extend(kept.deadlines.into_iter().filter(|(_, _, subject, _)| of_whistles(subject)));
    (kept.cases, kept.deadlines) = (cases, deadlines);
    Ok(kept.into())
}
