//! A drill's own record on disk: `drill.jsonl` in its folder, one line an event, each on the disk before anybody is answered.
//!
//! What should be here: the file, and what of it is believed after a crash. What should not: what a line says
//! (`stored::drill`).

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use domain::drill::{Drill, DrillEvent, Prepared};

use crate::stored::StoredError;
use crate::stored::drill as form;

/// Its name in the drill's folder.
pub(super) const RECORD: &str = "drill.jsonl";

/// Longest record that is read: fifty things to happen, and years of pausing.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot {doing} `{}`", path.display())]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
    #[error("line {line} of `{}` cannot be read; it was not touched", path.display())]
    Line { path: PathBuf, line: usize, source: StoredError },
    #[error("`{}` is not a drill's record: {what}; it was not touched", path.display())]
    Foreign { path: PathBuf, what: &'static str },
}

/// The record of one drill, open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Where the last whole line ends.
    end: u64,
}

impl Journal {
    /// Begins the record of a drill that was prepared, in a folder that has none.
    pub fn begin(dir: &Path, prepared: &Prepared) -> Result<Self, JournalError> {
        let path = dir.join(RECORD);
        let made = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = made.map_err(io(&path, "make"))?;
        let mut journal = Self { path, file, end: 0 };
        journal.append(&DrillEvent::Prepared(prepared.clone()))?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir, "sync"))?;
        Ok(journal)
    }

    /// Reads a record, and how the drill stands by it. A last line that was not finished was never answered, and goes.
    pub fn open(dir: &Path) -> Result<(Self, Drill), JournalError> {
        let path = dir.join(RECORD);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(io(&path, "open"))?;
        let (drill, end) = replayed(&path, &file)?;
        let journal = Self { path, file, end };
        journal.file.set_len(end).map_err(io(&journal.path, "cut off the unfinished end of"))?;
        Ok((journal, drill))
    }

    /// Puts an event on the disk. What could not be written whole is taken back.
    pub fn append(&mut self, event: &DrillEvent) -> Result<(), JournalError> {
        let line = form::line(event) + "\n";
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(line.as_bytes()))
            .and_then(|()| self.file.sync_all());
        if let Err(error) = written {
            // A half line is cut off by the next start, too.
            let _ = self.file.set_len(self.end);
            return Err(io(&self.path, "write")(error));
        }
        self.end += line.len() as u64;
        Ok(())
    }
}

/// How a drill stands by its record, which is left alone.
pub fn look(dir: &Path) -> Result<Drill, JournalError> {
    let path = dir.join(RECORD);
    let file = File::open(&path).map_err(io(&path, "open"))?;
    Ok(replayed(&path, &file)?.0)
}

/// The drill, and where the last whole line ends.
fn replayed(path: &Path, mut file: &File) -> Result<(Drill, u64), JournalError> {
    let bytes = file.metadata().map_err(io(path, "look at"))?.len();
    if bytes > BYTES_MAX {
        return Err(JournalError::Foreign { path: path.to_owned(), what: "it is too long" });
    }
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut text).map_err(io(path, "read"))?;
    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = std::str::from_utf8(&text[..end])
        .map_err(|_| JournalError::Foreign { path: path.to_owned(), what: "it is not UTF-8" })?;
    let mut drill = None;
    for (index, line) in whole.lines().enumerate() {
        let event = form::read(line).map_err(|source| JournalError::Line {
            path: path.to_owned(),
            line: index + 1,
            source,
        })?;
        match (&mut drill, event) {
            (None, DrillEvent::Prepared(prepared)) => drill = Some(Drill::new(prepared)),
            (Some(drill), event) => drill.apply(&event),
            (
                None,
                DrillEvent::Paced { .. }
                | DrillEvent::Injected { .. }
                | DrillEvent::CameBack { .. }
                | DrillEvent::Stopped { .. },
            ) => {
                let what = "it does not begin with a drill";
                return Err(JournalError::Foreign { path: path.to_owned(), what });
            }
        }
    }
    let drill = drill.ok_or_else(|| JournalError::Foreign { path: path.to_owned(), what: "it is empty" })?;
    Ok((drill, end as u64))
}

fn io(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { path, doing, source }
}

#[cfg(test)]
mod tests {
    use domain::drill::{DrillId, DrillStage, Pace};
    use domain::moment::UtcMillis;
    use domain::role::Role;

    use super::*;

    const AT: UtcMillis = UtcMillis(1_781_486_400_000);

    fn prepared() -> Prepared {
        Prepared {
            id: DrillId(1),
            title: "防汛".to_owned(),
            director: "导演".to_owned(),
            roles: vec![Role::Supervisor],
            at: AT,
            injects: Vec::new(),
        }
    }

    fn started() -> DrillEvent {
        DrillEvent::Paced { pace: Pace::REAL, clock: AT, at: AT, by: "导演".to_owned() }
    }

    #[test]
    fn a_record_that_broke_off_goes_on_behind_its_last_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(dir.path(), &prepared()).unwrap();
        journal.append(&started()).unwrap();
        drop(journal);
        let path = dir.path().join(RECORD);
        let whole = std::fs::read(&path).unwrap();
        let mut torn = whole.clone();
        torn.extend(r#"{"form":1,"stopped":{"clock_ms":17814"#.as_bytes());
        std::fs::write(&path, &torn).unwrap();
        assert_eq!(look(dir.path()).unwrap().stage, DrillStage::Running);
        assert_eq!(std::fs::read(&path).unwrap(), torn, "whoever looks changes nothing");
        let (mut journal, drill) = Journal::open(dir.path()).unwrap();
        assert_eq!((drill.stage, drill.pace), (DrillStage::Running, Pace::REAL));
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        journal.append(&DrillEvent::CameBack { clock: AT, at: AT }).unwrap();
        assert_eq!(Journal::open(dir.path()).unwrap().1.stage, DrillStage::Paused);
    }

    #[test]
    fn a_record_is_begun_once_and_one_that_cannot_be_read_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        Journal::begin(dir.path(), &prepared()).unwrap();
        assert!(matches!(Journal::begin(dir.path(), &prepared()), Err(JournalError::Io { .. })));
        let path = dir.path().join(RECORD);
        for (bytes, said) in [
            (&b""[..], "it is empty"),
            (&b"\xff\xfe\n"[..], "it is not UTF-8"),
            (&b"{\"form\":9}\n"[..], "line 1"),
            (
                &b"{\"form\":1,\"came_back\":{\"clock_ms\":1,\"at_ms\":1}}\n"[..],
                "it does not begin with a drill",
            ),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = Journal::open(dir.path()).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("not touched"), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }
}
