//! The log as a build of views reads it: events in pages, states it can begin from, and single cases.

use domain::event::Recorded;
use domain::state::{Alone, State};

use super::ViewsError;
use crate::log::Subject;

/// What a build needs of the log. No read takes longer than a page.
pub trait Source: Send {
    /// The last event.
    fn head(&self) -> Result<u64, ViewsError>;

    /// Events whose state is kept, newest first; the last is 0.
    fn marks(&self) -> Result<Vec<u64>, ViewsError>;

    /// The state after one of [`Self::marks`]; none where what was kept turns out to be unreadable.
    fn state_at(&self, mark: u64) -> Result<Option<State>, ViewsError>;

    /// Events after `after`, at most `limit`.
    fn read(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, ViewsError>;

    /// A case or call as its own events make it, up to `until`, whatever else the log holds.
    fn alone(&self, subject: Subject, until: u64) -> Result<Alone, ViewsError>;
}
