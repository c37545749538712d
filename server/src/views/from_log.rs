//! The log as a build of views reads it: pages of events, and the states that are kept.

use domain::event::Recorded;
use domain::state::{Alone, State};

use super::{Source, ViewsError};
use crate::events::Reader;
use crate::folder::StoreError;
use crate::log::{Subject, shelf};
use crate::stored::policy::Genesis;
use crate::stored::state;

/// A log with its snapshots, for a thread of its own.
pub struct LogSource {
    reader: Reader,
    epoch: u64,
    genesis: Genesis,
    sections: &'static [state::Known],
}

impl LogSource {
    #[must_use]
    pub fn new(reader: Reader, epoch: u64, genesis: Genesis) -> Self {
        Self { reader, epoch, genesis, sections: &state::SECTIONS }
    }

    /// With states kept in the forms of a build that may be another one.
    #[must_use]
    pub fn in_forms(self, sections: &'static [state::Known]) -> Self {
        Self { sections, ..self }
    }
}

fn failed(error: &StoreError) -> ViewsError {
    ViewsError::Log(error.chain())
}

impl Source for LogSource {
    fn head(&self) -> Result<u64, ViewsError> {
        self.reader.head().map_err(|error| failed(&error))
    }

    fn marks(&self) -> Result<Vec<u64>, ViewsError> {
        let kept = shelf::list(self.reader.dir());
        Ok(kept.iter().rev().map(|kept| kept.seq).chain(std::iter::once(0)).collect())
    }

    fn state_at(&self, mark: u64) -> Result<Option<State>, ViewsError> {
        if mark == 0 {
            return Ok(Some(self.genesis.state()));
        }
        let kept = shelf::list(self.reader.dir()).into_iter().find(|kept| kept.seq == mark);
        let known = state::known(self.sections);
        let policies = state::Policies { genesis: &self.genesis, bodies: &self.reader };
        let opened = kept.and_then(|kept| shelf::open(&kept.path, self.epoch, mark, &known).ok());
        let loaded = opened.and_then(|container| state::decode(&container, self.sections, policies).ok());
        let fits = loaded.and_then(|loaded| state::fits(loaded, self.genesis.policy.utc_offset_minutes).ok());
        // What may be a guess is no ground to lay anything out on: the build begins further back.
        Ok(fits.filter(|loaded| loaded.guessed == state::Guessed::default()).map(|loaded| loaded.state))
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ViewsError> {
        self.reader.page(after, limit).map_err(|error| failed(&error))
    }

    fn alone(&self, subject: Subject, until: u64) -> Result<Alone, ViewsError> {
        self.reader.alone(subject, until).map_err(|error| failed(&error))
    }
}
