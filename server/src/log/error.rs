//! Why a log cannot be opened, read or written, in words that name no engine.

use std::path::{Path, PathBuf};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// `place` is where the log is kept: a file, a folder, or an address without credentials.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("`{}` cannot be written; give this account write access to it", place.display())]
    NotWritable { place: PathBuf, source: std::io::Error },
    #[error("`{}` is not a gridhall store and was not touched; move it away, or name another folder", place.display())]
    Foreign { place: PathBuf },
    #[error(
        "`{}` has format {is}, this version reads up to {knows}; it was not touched. Run the newer gridhall, or restore a backup made with this one",
        place.display()
    )]
    Newer { place: PathBuf, is: u32, knows: u32 },
    #[error("`{}` has format {is} and must be opened by `gridhall serve` once, which brings it up to date", place.display())]
    Older { place: PathBuf, is: u32 },
    #[error(
        "`{}` is damaged: {what}; it was not touched. Keep a copy of the folder, then restore the newest backup; `gridhall check` names everything it finds",
        place.display()
    )]
    Damaged { place: PathBuf, what: String },
    #[error("nothing is kept in `{}`", place.display())]
    Missing { place: PathBuf },
    #[error("disk is full: `{}` cannot grow; free some space, nothing was changed", place.display())]
    Full { place: PathBuf },
    #[error("another process has taken `{}` over (holder {now}, this one was {held}); nothing was written", place.display())]
    Stale { place: PathBuf, held: u64, now: u64 },
    #[error("event {is} was to be appended to `{}`, whose next one is {expected}; nothing was written", place.display())]
    OutOfOrder { place: PathBuf, expected: u64, is: u64 },
    #[error("cannot {doing} `{}`", place.display())]
    Engine { place: PathBuf, doing: &'static str, source: Cause },
    #[error("cannot {doing} `{}`", place.display())]
    Io { place: PathBuf, doing: &'static str, source: std::io::Error },
}

impl LogError {
    pub(crate) fn io(place: &Path, doing: &'static str, source: std::io::Error) -> Self {
        let place = place.to_owned();
        if source.kind() == std::io::ErrorKind::StorageFull {
            Self::Full { place }
        } else {
            Self::Io { place, doing, source }
        }
    }

    pub(crate) fn damaged(place: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { place: place.to_owned(), what: what.into() }
    }

    /// Whether the disk had no room; the only failure of a write after which a log goes on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// The error with its causes, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        crate::cause::chain(self)
    }
}
