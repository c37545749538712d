//! Making way for the event log: a disk that has no room for it has none for what can be made again.
//!
//! What should be here: what is given back and said, and when it is taken up again. What should not: how much is kept free
//! (`reserve`).

use std::sync::Arc;
use std::time::Duration;

use super::{Work, pool_of, say};
use crate::clock::Instant;
use crate::views::file::{self, ViewsError};
use crate::views::progress::{Doing, Progress};
use crate::views::reserve::Wanted;

/// So long the log has to find what the write-ahead log gave back; it looks every second.
pub(crate) const NOT_ENOUGH_AFTER: Duration = Duration::from_secs(3);
/// Views that are laid out so far are kept: made anew they would take as much room again.
const KEPT_FROM_PERCENT: u64 = 90;

impl Work {
    /// Says what went wrong; what was written in vain on a full disk is given back.
    pub(crate) fn tell(&self, error: &ViewsError) {
        let doing = match error {
            ViewsError::Full { .. } => {
                self.layout.give_back();
                Doing::NoRoom
            }
            ViewsError::Reserved { mib, .. } => Doing::Reserved { mib: *mib },
            ViewsError::Damaged { .. }
            | ViewsError::Sql { .. }
            | ViewsError::Io { .. }
            | ViewsError::Log(_) => Doing::Failed { why: error.to_string() },
        };
        say(&self.progress, doing);
    }

    /// While the log is refused for room: the write-ahead log is given back at once, and where that is not enough, views
    /// that are far from whole.
    pub(crate) fn make_way(&mut self, now: Instant) {
        if !(self.settings.refused)() {
            self.refused = None;
            return;
        }
        match self.refused {
            None => {
                self.refused = Some(now);
                self.layout.give_back();
            }
            Some(since) => {
                let enough = now.saturating_duration_since(since) < NOT_ENOUGH_AFTER;
                if !enough && self.is_unfinished() {
                    self.let_go();
                }
            }
        }
    }

    fn is_unfinished(&self) -> bool {
        let laid_out = self.layout.covered().events(self.appended);
        let far = laid_out.saturating_mul(100) < self.appended.saturating_mul(KEPT_FROM_PERCENT);
        !self.is_gone && (self.frozen.is_some() || far)
    }

    /// Removes the file; what memory has of closed cases stays in the lists.
    fn let_go(&mut self) {
        let path = self.layout.path().to_owned();
        tracing::warn!(
            file = %path.display(),
            "the event log is refused for room: views that are not whole are removed, and laid out anew when there is room"
        );
        if let Err(error) = self.layout.close() {
            tracing::warn!(%error, "views are not removed");
            return;
        }
        self.is_gone = true;
        if self.frozen.is_none() {
            self.present.change(|stand| {
                // Connections hold a removed file's room until the last of them is closed.
                (stand.runs, stand.pool, stand.whole) = (Arc::default(), None, false);
            });
        }
        self.pool = pool_of(&self.layout);
        if let Err(error) = file::remove(&path) {
            tracing::warn!(%error, "views are not removed");
        }
        self.progress.rcu(|now| Progress { events: 0, months: 0, ..Progress::clone(now) });
    }

    /// Lays out anew what was removed, once there is room.
    pub(super) fn come_back(&mut self) -> Result<(), ViewsError> {
        if !self.is_gone {
            return Ok(());
        }
        if (self.settings.refused)() {
            return Err(self.layout.reserved());
        }
        self.layout.expect_room(Wanted::Bulk)?;
        self.start_over()
    }
}
