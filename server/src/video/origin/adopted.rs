//! Which list of cameras holds: the one adopted last, before the file the settings name.
//!
//! An adopted list is kept as the operator wrote it, with addresses and accounts, under the hash of its bytes. What should
//! not be here: what a list changes (`change.rs`), and taking it into service (`switchboard.rs`).

use super::file::{Format, ListFile};
use super::list::{ListError, Refusal};
use super::registry::Registry;
use domain::moment::UtcMillis;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where adopted lists are kept, whatever keeps them.
pub trait AdoptedLists: Send + Sync {
    /// The list adopted last.
    fn newest(&self) -> Result<Option<Kept>, KeepError>;
    /// Makes `list` the newest; durable when it returns.
    fn keep(&self, list: &ListFile, by: &str, at: UtcMillis) -> Result<(), KeepError>;
}

/// An adopted list, who adopted it and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub list: ListFile,
    pub by: String,
    pub at: UtcMillis,
}

/// Why a list is not kept, or cannot be had again.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error("cannot {doing} `{path}`")]
    File { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("`{path}` is not a note of an adopted camera list")]
    Note { path: PathBuf, source: serde_json::Error },
    #[error("`{path}` does not hold what was adopted: its bytes have another hash than its name")]
    Damaged { path: PathBuf },
}

/// Kept in a folder: each list under its hash, and a note which is the newest. Only the owner may read them.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
}

/// What the note says.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    sha256: String,
    format: Format,
    by: String,
    at_ms: i64,
}

const NOTE: &str = "adopted.json";

impl Folder {
    /// In the hall's data folder; made when the first list is adopted.
    #[must_use]
    pub fn within(data: &Path) -> Self {
        Self { dir: data.join("cameras") }
    }

    fn path_of(&self, hash: &str, format: Format) -> PathBuf {
        self.dir.join(format!("{hash}.{}", format.extension()))
    }

    /// Writes a whole file or none, for its owner alone, and waits until it is on disk.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), KeepError> {
        let failed = |source| KeepError::File { doing: "write", path: path.to_owned(), source };
        let unfinished = path.with_extension("part");
        let write = || -> std::io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&unfinished, path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(failed)
    }
}

impl AdoptedLists for Folder {
    fn newest(&self) -> Result<Option<Kept>, KeepError> {
        let read = |path: &Path| match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeepError::File { doing: "read", path: path.to_owned(), source }),
        };
        let path = self.dir.join(NOTE);
        let Some(note) = read(&path)? else { return Ok(None) };
        let note: Note = serde_json::from_slice(&note).map_err(|source| KeepError::Note { path, source })?;
        // The hash becomes a path: nothing but what one is made of.
        let path = self.path_of(&note.sha256.replace(|c: char| !c.is_ascii_hexdigit(), ""), note.format);
        let list = ListFile { format: note.format, bytes: read(&path)?.unwrap_or_default() };
        if list.hash() != note.sha256 {
            return Err(KeepError::Damaged { path });
        }
        Ok(Some(Kept { list, by: note.by, at: UtcMillis(note.at_ms) }))
    }

    fn keep(&self, list: &ListFile, by: &str, at: UtcMillis) -> Result<(), KeepError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(|source| KeepError::File { doing: "make", path: self.dir.clone(), source })?;
        let sha256 = list.hash();
        self.write(&self.path_of(&sha256, list.format), &list.bytes)?;
        let note = Note { sha256, format: list.format, by: by.to_owned(), at_ms: at.0 };
        let note = serde_json::to_vec(&note).expect("a note has a JSON form");
        self.write(&self.dir.join(NOTE), &note)
    }
}

/// Kept for the life of the process: a hall without a data folder.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<Option<Kept>>);

impl AdoptedLists for InMemory {
    fn newest(&self) -> Result<Option<Kept>, KeepError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn keep(&self, list: &ListFile, by: &str, at: UtcMillis) -> Result<(), KeepError> {
        let kept = Kept { list: list.clone(), by: by.to_owned(), at };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(())
    }
}

/// The list that holds when a hall starts.
#[derive(Debug)]
pub struct InForce {
    pub registry: Registry,
    pub refused: Vec<Refusal>,
    /// What the operator should know besides.
    pub warning: Option<String>,
}

/// The list adopted last, else the file the settings name. A file that differs from the adopted list does not hold, and an
/// adopted list that cannot be had again does not keep a hall from starting: both are said.
pub fn in_force(lists: &dyn AdoptedLists, file: Option<&Path>) -> Result<InForce, ListError> {
    let named = |warning| {
        let (registry, refused) = match file {
            Some(file) => super::file::load(file)?,
            None => Default::default(),
        };
        Ok(InForce { registry, refused, warning })
    };
    let kept = match lists.newest() {
        Ok(Some(kept)) => kept,
        Ok(None) => return named(None),
        Err(error) => {
            let why = crate::problem::chain(&error);
            return named(Some(format!(
                "the adopted camera list cannot be had ({why}); the file in the settings holds, adopt a list again"
            )));
        }
    };
    let differs =
        file.is_some_and(|file| ListFile::load(file).is_ok_and(|list| list.bytes != kept.list.bytes));
    let warning = differs.then(|| {
        format!(
            "the camera list in the settings differs from the one {} adopted; the adopted one holds, `gridhall cameras adopt` changes it",
            kept.by
        )
    });
    let (registry, refused) = kept.list.rows()?;
    Ok(InForce { registry, refused, warning })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn list(code: &str) -> ListFile {
        let bytes = format!("code,main\n{code},rtsp://user:hidden77@10.0.0.1/{code}\n").into_bytes();
        ListFile { format: Format::Csv, bytes }
    }

    fn codes(lists: &dyn AdoptedLists, file: Option<&Path>) -> (Vec<String>, bool) {
        let held = in_force(lists, file).unwrap();
        (held.registry.iter().map(|(code, _)| code.to_string()).collect(), held.warning.is_some())
    }

    #[test]
    fn each_keeper_gives_the_list_adopted_last() {
        let dir = tempfile::tempdir().unwrap();
        let keepers: [Box<dyn AdoptedLists>; 2] =
            [Box::new(Folder::within(dir.path())), Box::<InMemory>::default()];
        for lists in keepers {
            assert_eq!(lists.newest().unwrap(), None);
            for (n, code) in (1..).zip(["A", "B", "A"]) {
                lists.keep(&list(code), "zhou", UtcMillis(n)).unwrap();
                let newest = Kept { list: list(code), by: "zhou".into(), at: UtcMillis(n) };
                assert_eq!(lists.newest().unwrap(), Some(newest));
            }
        }
    }

    #[test]
    fn the_adopted_list_holds_before_the_file_and_a_differing_file_only_warns() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cameras.csv");
        fs::write(&file, list("FILE").bytes).unwrap();
        let lists = Folder::within(dir.path());
        assert_eq!(codes(&lists, None), (vec![], false));
        assert_eq!(codes(&lists, Some(&file)), (vec!["FILE".into()], false));
        lists.keep(&list("A"), "zhou", UtcMillis(1)).unwrap();
        assert_eq!(codes(&lists, Some(&file)), (vec!["A".into()], true));
        fs::write(&file, list("A").bytes).unwrap();
        assert_eq!(codes(&lists, Some(&file)), (vec!["A".into()], false));
    }

    #[test]
    fn a_damaged_or_lost_list_is_named_and_the_hall_starts_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cameras.csv");
        fs::write(&file, list("FILE").bytes).unwrap();
        let lists = Folder::within(dir.path());
        lists.keep(&list("A"), "zhou", UtcMillis(1)).unwrap();
        let kept = dir.path().join("cameras").join(format!("{}.csv", list("A").hash()));
        fs::write(&kept, list("B").bytes).unwrap();
        assert!(matches!(lists.newest(), Err(KeepError::Damaged { .. })));
        assert_eq!(codes(&lists, Some(&file)), (vec!["FILE".into()], true));
        fs::remove_file(&kept).unwrap();
        assert!(matches!(lists.newest(), Err(KeepError::Damaged { .. })));
        fs::write(dir.path().join("cameras").join(NOTE), "{").unwrap();
        assert!(matches!(lists.newest(), Err(KeepError::Note { .. })));
        assert!(!format!("{:?} {:?}", list("A"), lists.newest()).contains("hidden77"));
    }

    #[test]
    fn only_the_owner_may_read_a_kept_list() {
        let dir = tempfile::tempdir().unwrap();
        Folder::within(dir.path()).keep(&list("A"), "zhou", UtcMillis(1)).unwrap();
        let folder = dir.path().join("cameras");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for file in fs::read_dir(&folder).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    }
}
