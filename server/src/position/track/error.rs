//! Why tracks cannot be kept or read, in words that say what to do.

use std::path::PathBuf;

use super::FORM;

/// Why tracks cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    #[error("track store `{path}`: cannot {doing}")]
    Sql { path: PathBuf, doing: &'static str, source: rusqlite::Error },
    #[error("track store `{path}` has form {found}; this program reads form {FORM}")]
    Newer { path: PathBuf, found: i64 },
    #[error(
        "track store `{}` is gone or empty, but what was last written to it lies in `{}`; nothing was changed. Keep a copy of the folder; \
         then put `positions.db` of the newest backup there, or none, and move that file away",
        path.display(), log.display()
    )]
    Orphaned { path: PathBuf, log: PathBuf },
    #[error("track store: cannot start its thread")]
    Thread(#[source] std::io::Error),
}
