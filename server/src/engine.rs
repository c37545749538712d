//! What SQLite says when something fails, sorted by what can be done about it.
//!
//! What should be here: the one reading of its codes. What should not: words for people, which the log, the data folder and
//! the views have each for its own file.

use rusqlite::{Error, ErrorCode, ffi};

/// A failure by its kind.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There was no room: nothing was changed, and it may be tried again.
    Full,
    /// The file is not what was written; says what could not be done and what was found.
    Damaged(String),
    Other(Error),
}

impl Failure {
    /// Sorts what was said while `doing` something, as in "append to".
    pub(crate) fn of(doing: &str, said: Error) -> Self {
        match said.sqlite_error_code() {
            _ if has_no_room(&said) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(format!("cannot {doing}: {said}"))
            }
            _ => Self::Other(said),
        }
    }
}

/// Whether there was no room, be it for the index that SQLite keeps beside a file.
pub(crate) fn has_no_room(said: &Error) -> bool {
    let said = said.sqlite_error();
    said.is_some_and(|said| {
        said.code == ErrorCode::DiskFull || said.extended_code == ffi::SQLITE_IOERR_SHMSIZE
    })
}

/// Whether a file cannot be opened where it lies, as in a folder that nobody may write: to read what a server may write
/// meanwhile, SQLite needs an index of its log beside it.
pub(crate) fn is_out_of_reach(said: &Error) -> bool {
    let code = said.sqlite_error_code();
    matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::folder::StoreError;
    use crate::log::sqlite::file::failed;
    use crate::views::ViewsError;

    fn said(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    /// The index of the write-ahead log is a file as well: a disk without room for it is full.
    #[test]
    fn log_folder_and_views_sort_a_failure_alike() {
        for (code, is_full, is_damaged) in [
            (ffi::SQLITE_FULL, true, false),
            (ffi::SQLITE_IOERR_SHMSIZE, true, false),
            (ffi::SQLITE_CORRUPT, false, true),
            (ffi::SQLITE_NOTADB, false, true),
            (ffi::SQLITE_IOERR_READ, false, false),
            (ffi::SQLITE_IOERR_FSYNC, false, false),
            (ffi::SQLITE_BUSY, false, false),
        ] {
            let path = Path::new("store");
            let log = failed(path, "open", said(code));
            let folder = StoreError::sql(path, "open", said(code));
            let views = ViewsError::sql(path, "open", said(code));
            assert_eq!([log.is_full(), folder.is_full(), views.is_full()], [is_full; 3], "{code}");
            let damaged = [
                matches!(log, crate::log::LogError::Damaged { .. }),
                matches!(folder, StoreError::Damaged { .. }),
                views.is_damaged(),
            ];
            assert_eq!(damaged, [is_damaged; 3], "{code}");
        }
    }

    #[test]
    fn a_folder_nobody_may_write_is_out_of_reach_and_a_torn_file_is_not() {
        for (code, expected) in [
            (ffi::SQLITE_CANTOPEN, true),
            (ffi::SQLITE_READONLY, true),
            (ffi::SQLITE_PERM, true),
            (ffi::SQLITE_CORRUPT, false),
            (ffi::SQLITE_FULL, false),
        ] {
            assert_eq!(is_out_of_reach(&said(code)), expected, "{code}");
        }
    }
}
