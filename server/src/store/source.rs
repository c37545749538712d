//! The log as a build of views reads it: pages of events, and the states that are kept.

use domain::event::Recorded;
use domain::policy::Policy;
use domain::state::State;

use super::{Reader, StoreError, replay, snapshot};
use crate::views::{Source, ViewsError};

/// A log with its snapshots, for a thread of its own.
pub struct LogSource {
    reader: Reader,
    epoch: u64,
    policy: Policy,
}

impl LogSource {
    #[must_use]
    pub fn new(reader: Reader, epoch: u64, policy: Policy) -> Self {
        Self { reader, epoch, policy }
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
        let names = snapshot::list(self.reader.dir());
        let kept = names.iter().filter_map(|path| path.file_stem()?.to_str()?.parse().ok());
        Ok(kept.chain(std::iter::once(0)).collect())
    }

    fn state_at(&self, mark: u64) -> Result<Option<State>, ViewsError> {
        if mark == 0 {
            return Ok(Some(State::new(&self.policy)));
        }
        let path = snapshot::list(self.reader.dir())
            .into_iter()
            .find(|path| path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()) == Some(mark));
        let bytes = path.and_then(|path| std::fs::read(path).ok());
        let offset = self.policy.utc_offset_minutes;
        Ok(bytes.and_then(|bytes| snapshot::decode(&bytes, self.epoch, offset, u64::MAX).ok()))
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ViewsError> {
        self.reader.page(after, limit).map_err(|error| failed(&error))
    }
}

impl Reader {
    /// Up to `limit` events after `seq`, in order and without a gap.
    fn page(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.with(|conn| {
            let mut page = Vec::new();
            replay::page(conn, self.path(), after, limit, |recorded| page.push(recorded))?;
            Ok(page)
        })
    }
}
