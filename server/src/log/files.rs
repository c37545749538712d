//! Where the bytes of files lie beside the log: each under the SHA-256 of its bytes, so that the same bytes lie there once.
//!
//! What should be here: names and folders, and how a file gets its name for good. What should not: what is taken and how it is made
//! (`crate::files`), which case a file belongs to.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::sqlite::file::sync_folder;
use super::sqlite::schema::{hex, unhex};
use super::{Hash, LogError};

/// The folder of files within a data folder, or a backup.
pub const FOLDER: &str = "files";
/// Within it, by the first two digits of the hash: a folder of a million names is slow to work in.
const DIGITS: usize = 2;

#[must_use]
pub fn folder(dir: &Path) -> PathBuf {
    dir.join(FOLDER)
}

/// Where a file lies, whether or not it is there.
#[must_use]
pub fn path_of(dir: &Path, hash: &Hash) -> PathBuf {
    let name = hex(hash);
    folder(dir).join(&name[..DIGITS]).join(name)
}

/// Gives a whole, synced file its name. The same bytes may lie there already: then they do so once.
pub fn place(unfinished: &Path, dir: &Path, hash: &Hash) -> Result<(), LogError> {
    let path = path_of(dir, hash);
    let within = path.parent().unwrap_or(dir);
    if !within.exists() {
        std::fs::create_dir_all(within).map_err(|source| LogError::io(within, "create", source))?;
        sync_folder(&folder(dir))?;
        sync_folder(dir)?;
    }
    std::fs::rename(unfinished, &path).map_err(|source| LogError::io(&path, "name", source))?;
    sync_folder(within)
}

/// Every file that lies there, with its size. What is no name of ours is passed over.
pub fn each(dir: &Path, mut take: impl FnMut(Hash, &Path, u64)) -> Result<(), LogError> {
    let folder = folder(dir);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| LogError::io(&path, "read", source)
    };
    let folders = match std::fs::read_dir(&folder) {
        Ok(folders) => folders,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(failed(&folder)(source)),
    };
    for within in folders {
        let within = within.map_err(failed(&folder))?;
        if within.file_name().len() != DIGITS {
            continue;
        }
        for entry in std::fs::read_dir(within.path()).map_err(failed(&within.path()))? {
            let entry = entry.map_err(failed(&within.path()))?;
            let Some(hash) = entry.file_name().to_str().and_then(unhex) else { continue };
            // It may be on its way out: then it is not there.
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_file() && path_of(dir, &hash) == entry.path() {
                take(hash, &entry.path(), meta.len());
            }
        }
    }
    Ok(())
}

/// The SHA-256 of what a file holds, read piece by piece.
pub fn digest(path: &Path) -> std::io::Result<Hash> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&piece[..count]);
    }
}

/// Copies a file under its name into another folder. Whether what arrived is what its name says; what is not is taken away again.
pub fn copy(from: &Path, to: &Path, hash: &Hash) -> Result<bool, LogError> {
    let folder = folder(to);
    std::fs::create_dir_all(&folder).map_err(|source| LogError::io(&folder, "create", source))?;
    let unfinished = folder.join(format!("{}.unfinished", hex(hash)));
    let copied = || -> std::io::Result<bool> {
        std::fs::copy(from, &unfinished)?;
        File::open(&unfinished)?.sync_all()?;
        Ok(digest(&unfinished)? == *hash)
    };
    let same = copied();
    if !matches!(same, Ok(true)) {
        let _ = std::fs::remove_file(&unfinished);
        return same.map_err(|source| LogError::io(from, "copy", source));
    }
    place(&unfinished, to, hash)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(dir: &Path, bytes: &[u8]) -> Hash {
        std::fs::create_dir_all(folder(dir)).unwrap();
        let unfinished = folder(dir).join("one");
        std::fs::write(&unfinished, bytes).unwrap();
        let hash = digest(&unfinished).unwrap();
        place(&unfinished, dir, &hash).unwrap();
        hash
    }

    fn listed(dir: &Path) -> Vec<(Hash, u64)> {
        let mut found = Vec::new();
        each(dir, |hash, _, bytes| found.push((hash, bytes))).unwrap();
        found.sort_unstable();
        found
    }

    #[test]
    fn the_same_bytes_lie_there_once_and_foreign_names_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(listed(dir.path()), [], "there is no folder yet");
        let hash = put(dir.path(), b"one");
        assert_eq!(put(dir.path(), b"one"), hash);
        assert_eq!(std::fs::read(path_of(dir.path(), &hash)).unwrap(), b"one");
        let foreign = [folder(dir.path()).join("ab"), folder(dir.path()).join("pending")];
        for (within, name) in foreign.iter().zip(["notes.txt".to_owned(), "cd".repeat(32)]) {
            std::fs::create_dir_all(within).unwrap();
            std::fs::write(within.join(name), "x").unwrap();
        }
        // A name that is a hash, in the wrong folder.
        std::fs::write(foreign[0].join("cd".repeat(32)), "x").unwrap();
        assert_eq!(listed(dir.path()), [(hash, 3)]);
    }

    #[test]
    fn a_copy_that_is_not_what_its_name_says_is_none() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let hash = put(from.path(), b"photo");
        let path = path_of(from.path(), &hash);
        assert!(copy(&path, to.path(), &hash).unwrap());
        assert_eq!(listed(to.path()), [(hash, 5)]);
        let other = tempfile::tempdir().unwrap();
        std::fs::write(&path, b"phot0").unwrap();
        assert!(!copy(&path, other.path(), &hash).unwrap());
        assert_eq!(listed(other.path()), []);
        assert_eq!(
            std::fs::read_dir(folder(other.path())).unwrap().count(),
            0,
            "nothing half copied is left"
        );
    }
}
