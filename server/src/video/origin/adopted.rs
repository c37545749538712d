//! Which list of cameras holds at a start: the one adopted last, else the file the settings name, and what is warned of.
//!
//! What should not be here: where adopted lists are kept (`crate::cameras`), what a list changes (`change.rs`), and taking it
//! into service (`switchboard.rs`).

use super::file::ListFile;
use super::list::{ListError, Refusal};
use super::registry::Registry;
use domain::adoption::CameraCounts;
use domain::event::By;
use domain::rejection::Rejection;
use std::path::Path;
use std::sync::Mutex;

use crate::lock::lock;

/// Where adopted lists are kept, whatever keeps them.
pub trait AdoptedLists: Send + Sync {
    /// Version of the newest; 0 before the first.
    fn version(&self) -> u64;

    /// Makes `list` the newest; durable when it returns. The one that is the newest already changes nothing. `counts` is what
    /// it changes, `upon` the version it was held against, where it was held against one: another one since refuses it.
    fn keep(
        &self,
        list: &ListFile,
        counts: CameraCounts,
        upon: Option<u64>,
        by: &By,
    ) -> Result<(), KeepError>;
}

/// An adopted list, and who adopted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub list: ListFile,
    pub by: String,
}

/// Why a list is not kept, or cannot be had again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    #[error("too much is waiting to be written; try again in a second")]
    Busy,
    #[error("the server is stopping")]
    Stopping,
    #[error("not stored: {0}")]
    NotStored(String),
    /// Another list came into force after what was seen.
    #[error("{0}")]
    Refused(Rejection),
    /// It was kept, and what is there now is not it.
    #[error("{0}")]
    Lost(String),
}

/// Kept for the life of the process: a hall without a log, which holds nothing against versions.
#[derive(Debug, Default)]
pub struct InMemory(Mutex<Option<Kept>>);

impl InMemory {
    /// The list adopted last.
    #[must_use]
    pub fn newest(&self) -> Option<Kept> {
        lock(&self.0).clone()
    }
}

impl AdoptedLists for InMemory {
    fn version(&self) -> u64 {
        u64::from(self.newest().is_some())
    }

    fn keep(&self, list: &ListFile, _: CameraCounts, _: Option<u64>, by: &By) -> Result<(), KeepError> {
        let kept = Kept { list: list.clone(), by: by.name.clone() };
        *lock(&self.0) = Some(kept);
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
/// adopted list that cannot be had again, or read by this build, does not keep a hall from starting: all of it is said.
pub fn in_force(kept: Result<Option<Kept>, KeepError>, file: Option<&Path>) -> Result<InForce, ListError> {
    let named = |warning| {
        let (registry, refused) = match file {
            Some(file) => super::file::load(file)?,
            None => Default::default(),
        };
        Ok(InForce { registry, refused, warning })
    };
    let cannot_be_had = |why: String| {
        named(Some(format!(
            "the adopted camera list cannot be had ({why}); the file in the settings holds, adopt a list again"
        )))
    };
    let kept = match kept {
        Ok(Some(kept)) => kept,
        Ok(None) => return named(None),
        Err(error) => return cannot_be_had(error.to_string()),
    };
    // Another build may have read it, and nobody can take it out of the log again.
    let (registry, refused) = match kept.list.rows() {
        Ok(rows) => rows,
        Err(error) => return cannot_be_had(crate::cause::chain(&error)),
    };
    let differs =
        file.is_some_and(|file| ListFile::load(file).is_ok_and(|list| list.bytes != kept.list.bytes));
    let warning = differs.then(|| {
        format!(
            "the camera list in the settings differs from the one {} adopted; the adopted one holds, `gridhall cameras adopt` changes it",
            kept.by
        )
    });
    Ok(InForce { registry, refused, warning })
}

#[cfg(test)]
mod tests {
    use super::super::file::Format;
    use super::*;

    fn list(code: &str) -> ListFile {
        let bytes = format!("code,main\n{code},rtsp://user:hidden77@10.0.0.1/{code}\n").into_bytes();
        ListFile { format: Format::Csv, bytes }
    }

    fn adopted(code: &str) -> Result<Option<Kept>, KeepError> {
        Ok(Some(Kept { list: list(code), by: "zhou".into() }))
    }

    fn codes(kept: Result<Option<Kept>, KeepError>, file: Option<&Path>) -> (Vec<String>, Option<String>) {
        let held = in_force(kept, file).unwrap();
        (held.registry.iter().map(|(code, _)| code.to_string()).collect(), held.warning)
    }

    #[test]
    fn the_adopted_list_holds_before_the_file_and_a_differing_file_only_warns() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cameras.csv");
        std::fs::write(&file, list("FILE").bytes).unwrap();
        assert_eq!(codes(Ok(None), None), (vec![], None));
        assert_eq!(codes(Ok(None), Some(&file)), (vec!["FILE".into()], None));
        let (held, warning) = codes(adopted("A"), Some(&file));
        assert_eq!(held, ["A"]);
        assert!(warning.unwrap().contains("differs from the one zhou adopted"));
        std::fs::write(&file, list("A").bytes).unwrap();
        assert_eq!(codes(adopted("A"), Some(&file)), (vec!["A".into()], None));
    }

    #[test]
    fn a_list_that_cannot_be_had_is_named_and_the_hall_starts_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cameras.csv");
        std::fs::write(&file, list("FILE").bytes).unwrap();
        let lost = || Err(KeepError::Lost("list of cameras 00ff is not in the log".to_owned()));
        let (held, warning) = codes(lost(), Some(&file));
        assert_eq!(held, ["FILE"]);
        assert!(warning.unwrap().contains("00ff is not in the log"));
        assert_eq!(codes(lost(), None).0, Vec::<String>::new());
        let of_another_build = |format, text: &str| {
            let list = ListFile { format, bytes: text.as_bytes().to_vec() };
            codes(Ok(Some(Kept { list, by: "zhou".into() })), Some(&file))
        };
        for (format, text) in
            [(Format::Csv, "code,address\nA,rtsp://u:hidden77@10.0.0.1/A\n"), (Format::Toml, "= [")]
        {
            let (held, warning) = of_another_build(format, text);
            assert_eq!(held, ["FILE"]);
            let warning = warning.unwrap();
            assert!(warning.contains("cannot be had") && !warning.contains("hidden77"), "{warning}");
        }
        assert!(!format!("{:?}", adopted("A")).contains("hidden77"));
    }
}
