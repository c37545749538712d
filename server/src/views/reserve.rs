//! Room that the views leave to the event log on its file system: they can be made again, the log cannot.
//!
//! What should be here: how much is free, and whether that is enough. What should not: what becomes of it when it is not
//! (`work::way`).

use std::path::Path;
use std::sync::Arc;

/// What was closed just now is laid down until this part of the reserve is left: it takes no more than its events did.
const LATEST_PART: u64 = 4;

/// What somebody wants to lay down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// What was closed just now.
    Latest,
    /// Older months, larger runs: all that can wait.
    Bulk,
}

/// Bytes that the file system of a folder has free; none where it does not say.
pub type Free = Arc<dyn Fn(&Path) -> Option<u64> + Send + Sync>;

/// How much is left to the log.
#[derive(Clone)]
pub struct Reserve {
    mib: u32,
    free: Free,
}

impl Reserve {
    /// By what the file system says.
    #[must_use]
    pub fn of_mib(mib: u32) -> Self {
        Self::by(mib, Arc::new(free_bytes))
    }

    /// By what somebody else says.
    #[must_use]
    pub fn by(mib: u32, free: Free) -> Self {
        Self { mib, free }
    }

    /// For tools that have the disk for themselves.
    #[must_use]
    pub fn none() -> Self {
        Self::of_mib(0)
    }

    #[must_use]
    pub fn mib(&self) -> u32 {
        self.mib
    }

    /// Whether there is more than the reserve in a folder.
    #[must_use]
    pub fn allows(&self, wanted: Wanted, dir: &Path) -> bool {
        let bytes = u64::from(self.mib) << 20;
        let left = match wanted {
            Wanted::Latest => bytes / LATEST_PART,
            Wanted::Bulk => bytes,
        };
        left == 0 || (self.free)(dir).is_none_or(|free| free >= left)
    }
}

impl std::fmt::Debug for Reserve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reserve").field("mib", &self.mib).finish_non_exhaustive()
    }
}

/// Blocks kept for root are not free: the hall gets none of them.
fn free_bytes(dir: &Path) -> Option<u64> {
    let said = rustix::fs::statvfs(dir).ok()?;
    Some(said.f_bavail.saturating_mul(said.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_wait_stops_at_the_whole_reserve_and_what_was_just_closed_at_a_quarter() {
        let dir = Path::new("/");
        let with = |free: u64| Reserve::by(8, Arc::new(move |_: &Path| Some(free << 20)));
        let both =
            |reserve: &Reserve| [Wanted::Latest, Wanted::Bulk].map(|wanted| reserve.allows(wanted, dir));
        assert_eq!(both(&with(8)), [true, true]);
        assert_eq!(both(&with(7)), [true, false]);
        assert_eq!(both(&with(2)), [true, false]);
        assert_eq!(both(&with(1)), [false, false]);
        assert_eq!(both(&Reserve::by(0, Arc::new(|_: &Path| Some(0)))), [true, true], "0 keeps nothing");
        assert_eq!(both(&Reserve::by(8, Arc::new(|_: &Path| None))), [true, true]);
        assert_eq!(both(&Reserve::of_mib(u32::MAX)), [false, false], "no disk has four petabytes");
    }
}
