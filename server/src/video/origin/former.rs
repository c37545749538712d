//! Lists of cameras as they were kept before the log held them: in a folder, in the clear, each under its hash, with a note which
//! was the newest. Read once, and removed when the log has them; nothing is written here any more.
//!
//! What should not be here: what becomes of what is read (`crate::cameras`).

use super::adopted::{KeepError, Kept};
use super::file::{Format, ListFile};
use serde::Deserialize;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The folder of such lists.
#[derive(Debug)]
pub struct Former {
    dir: PathBuf,
}

/// What the note says, and when it was, which nobody asks.
#[derive(Debug, Deserialize)]
struct Note {
    sha256: String,
    format: Format,
    by: String,
}

const NOTE: &str = "adopted.json";
/// How the names of files end that were never finished.
const UNFINISHED: &str = "part";

impl Former {
    /// In a hall's data folder.
    #[must_use]
    pub fn within(data: &Path) -> Self {
        Self { dir: data.join("cameras") }
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The list that was adopted last; none where none was.
    pub fn newest(&self) -> Result<Option<Kept>, KeepError> {
        let Some(note) = self.note()? else { return Ok(None) };
        let path = self.path_of(&note);
        let list = ListFile { format: note.format, bytes: read(&path)?.unwrap_or_default() };
        if list.hash() != note.sha256 {
            let problem = "does not hold what was adopted: its bytes have another hash than its name";
            return Err(KeepError::Lost(format!("`{}` {problem}", path.display())));
        }
        Ok(Some(Kept { list, by: note.by }))
    }

    /// What a backup that was just made leaves out, `named` where the log names a list itself. None where that is nothing.
    #[must_use]
    pub fn left_out_of_backup(&self, named: bool) -> Option<String> {
        let kept_here = !matches!(self.newest(), Ok(None));
        (kept_here && !named).then(|| {
            format!(
                "the adopted list of cameras lies beside the log in `{}`, as an earlier version kept it, and is not in this backup; \
                 start the server once, which takes it over into the log, and back up again",
                self.dir.display()
            )
        })
    }

    /// What stood in a folder before a backup was restored into it, `named` where the restored log names a list itself. None
    /// where that is nothing.
    #[must_use]
    pub fn left_beside_restored(&self, named: bool) -> Option<String> {
        let dir = self.dir.display();
        match (named, self.newest()) {
            (true, _) => self.dir.exists().then(|| {
                format!(
                    "`{dir}` was here before and is not of this backup: the list of cameras that the restored log names holds, and \
                     these files, which hold addresses and accounts in the clear, are not read; delete them"
                )
            }),
            (false, Ok(None)) => None,
            (false, Ok(Some(_)) | Err(_)) => Some(format!(
                "`{dir}` was here before and is not of this backup, whose log names no list of cameras: the next start takes the list \
                 in that folder into service; move the folder away unless that is wanted"
            )),
        }
    }

    fn note(&self) -> Result<Option<Note>, KeepError> {
        let path = self.dir.join(NOTE);
        let Some(note) = read(&path)? else { return Ok(None) };
        let problem = "is not a note of an adopted camera list";
        serde_json::from_slice(&note)
            .map(Some)
            .map_err(|error| KeepError::Lost(format!("`{}` {problem}: {error}", path.display())))
    }

    /// The hash becomes a path: nothing but what one is made of.
    fn path_of(&self, note: &Note) -> PathBuf {
        let hash = note.sha256.replace(|c: char| !c.is_ascii_hexdigit(), "");
        self.dir.join(format!("{hash}.{}", note.format.extension()))
    }

    /// Removes every list that is kept elsewhere by now, the note with the one it names, and the folder when it is empty; gives
    /// how many files are left. Killed on the way, it is gone on with: the note goes before its list.
    pub fn remove(&self, is_kept: impl Fn(&ListFile) -> bool) -> std::io::Result<usize> {
        if !self.dir.exists() {
            return Ok(0);
        }
        if let Ok(Some(kept)) = self.newest()
            && is_kept(&kept.list)
        {
            fs::remove_file(self.dir.join(NOTE))?;
        }
        let mut left = 0;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let gone = match Format::of(&path) {
                Ok(format) => is_kept(&ListFile { format, bytes: fs::read(&path)? }),
                // The note, what was never finished, and what others have put here.
                Err(_) => path.extension().is_some_and(|extension| extension == UNFINISHED),
            };
            if gone {
                fs::remove_file(&path)?;
            } else {
                left += 1;
            }
        }
        if left == 0 {
            fs::remove_dir(&self.dir)?;
            return Ok(0);
        }
        File::open(&self.dir)?.sync_all()?;
        Ok(left)
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, KeepError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeepError::Lost(format!("cannot read `{}`: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(code: &str) -> ListFile {
        let bytes = format!("code,main\n{code},rtsp://user:hidden77@10.0.0.1/{code}\n").into_bytes();
        ListFile { format: Format::Csv, bytes }
    }

    /// As the version before kept two lists, the second the newest.
    fn kept(data: &Path) -> Former {
        let dir = data.join("cameras");
        fs::create_dir(&dir).unwrap();
        for code in ["A", "B"] {
            fs::write(dir.join(format!("{}.csv", list(code).hash())), list(code).bytes).unwrap();
        }
        let note = format!(r#"{{"sha256":"{}","format":"csv","by":"zhou","at_ms":7}}"#, list("B").hash());
        fs::write(dir.join(NOTE), note).unwrap();
        Former::within(data)
    }

    fn names(former: &Former) -> Vec<String> {
        let entries = fs::read_dir(former.dir()).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_list_that_the_note_names_is_read_and_a_damaged_one_is_named() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(Former::within(data.path()).newest(), Ok(None));
        let former = kept(data.path());
        assert_eq!(former.newest(), Ok(Some(Kept { list: list("B"), by: "zhou".into() })));
        let path = former.dir().join(format!("{}.csv", list("B").hash()));
        for damage in [Some(list("A").bytes), None] {
            match damage {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let said = former.newest().unwrap_err().to_string();
            assert!(said.contains("does not hold what was adopted"), "{said}");
            assert!(!said.contains("hidden77"));
        }
        fs::write(former.dir().join(NOTE), "{").unwrap();
        assert!(former.newest().unwrap_err().to_string().contains("is not a note"));
    }

    #[test]
    fn what_is_kept_elsewhere_is_removed_and_everything_else_stays() {
        let data = tempfile::tempdir().unwrap();
        let former = kept(data.path());
        let all = names(&former);
        assert_eq!(former.remove(|_| false).unwrap(), all.len());
        assert_eq!(names(&former), all, "nothing is kept elsewhere");
        fs::write(former.dir().join("adopted.part"), list("B").bytes).unwrap();
        assert_eq!(former.remove(|one| *one == list("B")).unwrap(), 1);
        assert_eq!(names(&former), [format!("{}.csv", list("A").hash())], "an older list is the operator's");
        assert_eq!(former.remove(|one| *one == list("A")).unwrap(), 0);
        assert!(!former.dir().exists());
        assert_eq!(former.remove(|_| true).unwrap(), 0, "and nothing is left to be removed");
    }

    /// Killed between the note and its list, the list is removed by the next start all the same.
    #[test]
    fn a_removal_that_was_killed_is_gone_on_with() {
        let data = tempfile::tempdir().unwrap();
        let former = kept(data.path());
        fs::remove_file(former.dir().join(NOTE)).unwrap();
        assert_eq!(former.newest(), Ok(None));
        assert_eq!(former.remove(|one| *one == list("B")).unwrap(), 1);
    }
}
