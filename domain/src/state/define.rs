//! `define_catalogue`: which entries are new, and whether the catalogue still holds together with them.

use std::collections::BTreeSet;

use super::State;
use super::check::{check_limit, out_of_range, unknown, wrong_text};
use crate::catalogue::{AreaError, Catalogue, ENTRIES_MAX, Entry, Name};
use crate::code::AreaCode;
use crate::event::{Event, PolicyEvent};
use crate::rejection::{RangeProblem, Rejection};

/// Entries one command may define.
const ENTRIES_PER_COMMAND_MAX: usize = 10_000;

pub(super) fn define(state: &State, entries: &[Entry]) -> Result<Vec<Event>, Rejection> {
    if entries.len() > ENTRIES_PER_COMMAND_MAX {
        return out_of_range("entries", RangeProblem::EntriesInOne);
    }
    let mut known = state.catalogue.clone();
    let mut new = Vec::new();
    let mut replaced = BTreeSet::new();
    for entry in entries.iter() {
        if known.has(entry) {
            continue;
        }
        check(&known, entry)?;
        if let Entry::Area(area) = entry
            && known.areas.contains_key(&area.code)
        {
            replaced.insert(&area.code);
        }
        known.define(entry.clone());
        new.push(entry.clone());
    }
    if known.len() > ENTRIES_MAX && known.len() > state.catalogue.len() {
        return out_of_range("entries", RangeProblem::EntriesInAll);
    }
    check_within(&known, &replaced)?;
    Ok(if new.is_empty() { Vec::new() } else { vec![Event::Policy(PolicyEvent::Defined { entries: new })] })
}

fn check(known: &Catalogue, entry: &Entry) -> Result<(), Rejection> {
    entry.name().check().or_else(|error| wrong_text("name", &error))?;
    entry.short().map_or(Ok(()), Name::check).or_else(|error| wrong_text("short", &error))?;
    match entry {
        Entry::Area(area) => known.check_area(area).or_else(|error| wrong_area(&error)),
        Entry::Class(class) => {
            class.main.as_ref().map_or(Ok(()), Name::check).or_else(|error| wrong_text("main", &error))?;
            if class.base_weight == Some(0) {
                return out_of_range("base_weight", RangeProblem::BaseCount);
            }
            class.disposal_limit.map_or(Ok(()), check_limit)
        }
        Entry::Condition(condition) => {
            if !known.classes.contains_key(&condition.class) {
                return unknown("class", condition.class.as_str());
            }
            for milestone in &condition.milestones {
                milestone.name.check().or_else(|error| wrong_text("milestones", &error))?;
            }
            if condition.is_possible() {
                Ok(())
            } else {
                out_of_range("milestones", RangeProblem::Milestones)
            }
        }
        Entry::Source(_) | Entry::Department(_) => Ok(()),
    }
}

/// The areas within replaced ones must still fit: a circle shows here at the latest.
fn check_within(known: &Catalogue, replaced: &BTreeSet<&AreaCode>) -> Result<(), Rejection> {
    let touched = |area: &&crate::catalogue::Area| {
        replaced.contains(&area.code) || area.parent.as_ref().is_some_and(|parent| replaced.contains(parent))
    };
    if replaced.is_empty() {
        return Ok(());
    }
    known
        .areas
        .values()
        .filter(touched)
        .try_for_each(|area| known.check_area(area).or_else(|error| wrong_area(&error)))
}

fn wrong_area(error: &AreaError) -> Result<(), Rejection> {
    match error {
        AreaError::UnknownParent(parent) => unknown("parent", parent.as_str()),
        AreaError::Level { level, above, .. } => {
            out_of_range("parent", RangeProblem::Level { level: *level, above: *above })
        }
    }
}
