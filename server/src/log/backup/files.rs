//! The files of cases in a backup: each under its hash, as in a data folder, and copied once.
//!
//! They are copied after the events, so that every file an event names is there. One that is damaged in the source keeps nobody from a
//! backup of everything else: it is named, and the copy of an earlier backup stays.

use std::path::{Path, PathBuf};

use super::BackupError;
use crate::log::files;
use crate::log::{Hash, LogError};

/// What was copied, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::log) struct Carried {
    pub(in crate::log) new: u64,
    pub(in crate::log) new_bytes: u64,
    /// Hashes of files that are not what their names say.
    pub(in crate::log) damaged: Vec<String>,
}

/// Copies the files of `from` that `to` does not have.
pub(in crate::log) fn carry(from: &Path, to: &Path) -> Result<Carried, LogError> {
    let mut carried = Carried::default();
    let mut lacking: Vec<(Hash, PathBuf, u64)> = Vec::new();
    files::each(from, |hash, path, bytes| {
        // A name is given to what is whole and synced alone.
        let there = std::fs::metadata(files::path_of(to, &hash)).is_ok_and(|meta| meta.len() == bytes);
        if !there {
            lacking.push((hash, path.to_owned(), bytes));
        }
    })?;
    for (hash, path, bytes) in lacking {
        match files::copy(&path, to, &hash) {
            Ok(true) => {
                carried.new += 1;
                carried.new_bytes += bytes;
            }
            Ok(false) => {
                let name = super::schema::hex(&hash);
                tracing::error!(path = %path.display(), "a file is not what its name says; it is not copied");
                carried.damaged.push(name);
            }
            // A server may have cleared it: no event names it then.
            Err(_) if !path.exists() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(carried)
}

/// How many files a folder has.
pub(super) fn count(folder: &Path) -> Result<u64, BackupError> {
    let mut count = 0;
    files::each(folder, |_, _, _| count += 1).map_err(BackupError::Source)?;
    Ok(count)
}
