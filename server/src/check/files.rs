//! Files of cases held against the events that name them: each is there, and is what its name says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::case::CaseEvent;
use domain::event::{Event, Recorded};

use super::Report;
use crate::folder::StoreError;
use crate::log::check::LISTED_MAX;
use crate::log::{Hash, files};

/// What is known of a file that lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No event has named it yet.
    Unnamed,
    Whole,
    Changed,
}

/// The files of a data folder.
pub(super) struct Held {
    dir: PathBuf,
    found: BTreeMap<Hash, Found>,
    problems: usize,
}

impl Held {
    pub(super) fn of(dir: &Path) -> Result<Self, StoreError> {
        let mut found = BTreeMap::new();
        files::each(dir, |hash, _, _| {
            found.insert(hash, Found::Unnamed);
        })?;
        Ok(Self { dir: dir.to_owned(), found, problems: 0 })
    }

    /// Reads the file that an event names, once.
    pub(super) fn compare(&mut self, recorded: &Recorded, report: &mut Report) {
        let Event::Case(case, CaseEvent::FileAttached(file)) = &recorded.event else { return };
        let path = files::path_of(&self.dir, &file.hash.0);
        // It may have come since the folder was read, from a server that goes on.
        let known = self.found.get(&file.hash.0).copied();
        let is = match known {
            Some(Found::Unnamed) | None => match files::digest(&path) {
                Ok(digest) if digest == file.hash.0 => Ok(Found::Whole),
                Ok(_) => Ok(Found::Changed),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("it is gone".to_owned()),
                Err(error) => Err(format!("it cannot be read: {error}")),
            },
            Some(known) => Ok(known),
        };
        let wrong = match is {
            Ok(Found::Changed) => Some("its bytes have changed".to_owned()),
            Ok(Found::Whole | Found::Unnamed) => None,
            Err(ref why) => Some(why.clone()),
        };
        if let Ok(is) = is {
            report.files += u64::from(is == Found::Whole && known != Some(Found::Whole));
            self.found.insert(file.hash.0, is);
        }
        if let Some(wrong) = wrong {
            self.problems += 1;
            if self.problems <= LISTED_MAX {
                report.problems.push(format!(
                    "event {}: file {} of case {case} ({}): {wrong}; an earlier backup may have it in `{}`",
                    recorded.seq,
                    file.hash,
                    file.name,
                    files::FOLDER
                ));
            }
        }
    }

    /// Files without an event: no harm, but room.
    pub(super) fn say_what_is_not_named(self, report: &mut Report) {
        let unnamed = self.found.values().filter(|found| **found == Found::Unnamed);
        report.unnamed_files = unnamed.count() as u64;
        if report.unnamed_files > 0 {
            let count = report.unnamed_files;
            report.unproved.push(format!(
                "{count} files in `{}` are named by no event: those on their way now, or left by a store that went another way",
                files::FOLDER
            ));
        }
        if self.problems > LISTED_MAX {
            report.problems.push(format!("… and {} more files", self.problems - LISTED_MAX));
        }
    }
}
