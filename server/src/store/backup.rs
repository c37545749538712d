//! `gridhall backup`: a copy of a data folder while the server runs, checked before it is called a backup.
//!
//! The copy is one file of one committed state. It takes a new epoch when it is restored, because events after it
//! are missing there and their numbers will be given again. Until it is whole and found sound it stands in a folder
//! called `.part`: neither a kill half-way nor a damaged source leaves anything that passes for a backup.

use std::path::{Path, PathBuf};

use domain::policy::Policy;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::Serialize;

use super::check::{self, Report};
use super::{BESIDE, DATABASE, StoreError, reader, schema};

/// Pages copied between two looks at the clock; the copy holds no lock on the writer.
const PAGES_PER_STEP: i32 = 4_096;

/// What was copied, and found sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    pub folder: PathBuf,
    pub bytes: u64,
    pub check: Report,
}

/// Copies the store in `dir` into the new folder `to`, which becomes a data folder of its own with a new epoch. Fails
/// when the copy is not sound; the copy is then left in its `.part` folder to be looked at.
pub fn backup(dir: &Path, to: &Path, policy: &Policy) -> Result<Made, StoreError> {
    match schema::probe(dir)? {
        schema::Found::Nothing => return Err(StoreError::Missing { path: dir.to_owned() }),
        schema::Found::Store => {}
    }
    if to.join(DATABASE).exists() {
        let source = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "there is a store already");
        return Err(StoreError::NotWritable { path: to.to_owned(), source });
    }
    let unfinished = Unfinished::begin(to)?;
    let copied = unfinished.fill(dir, policy).and_then(|(bytes, check)| {
        unfinished.name()?;
        tracing::info!(to = %to.display(), bytes, head = check.head, "backup made and found sound");
        Ok(Made { folder: to.to_owned(), bytes, check })
    });
    if copied.as_ref().is_err_and(|error| !matches!(error, StoreError::Unsound { .. })) {
        // A partial copy is of no use, and on a full disk it is in the way.
        let _ = unfinished.clear();
    }
    copied
}

/// A folder that is not called a backup yet.
struct Unfinished {
    to: PathBuf,
    /// Beside `to`; within it where that is a folder already, which may be a disk of its own.
    work: PathBuf,
}

impl Unfinished {
    fn begin(to: &Path) -> Result<Self, StoreError> {
        // Without a slash at the end.
        let to: PathBuf = to.components().collect();
        let mut work = to.clone().into_os_string();
        work.push(if to.exists() { "/unfinished.part" } else { ".part" });
        let unfinished = Self { to, work: work.into() };
        unfinished.clear()?;
        std::fs::create_dir_all(&unfinished.work)
            .map_err(|source| StoreError::NotWritable { path: unfinished.work.clone(), source })?;
        Ok(unfinished)
    }

    /// Copies and checks; gives the bytes.
    fn fill(&self, dir: &Path, policy: &Policy) -> Result<(u64, Report), StoreError> {
        let mut bytes = put(&dir.join(DATABASE), &self.work.join(DATABASE), |target, path| {
            schema::set_meta(target, path, "epoch", &format!("{:016x}", rand::random::<u64>()))
        })?;
        // After the events, so that nobody is missing whom an event names.
        for name in BESIDE.into_iter().filter(|name| dir.join(name).exists()) {
            bytes += put(&dir.join(name), &self.work.join(name), |_, _| Ok(()))?;
        }
        schema::sync_folder(&self.work)?;
        let check = check::check(&self.work, policy)?;
        if check.is_sound() {
            return Ok((bytes, check));
        }
        Err(StoreError::Unsound { path: self.work.clone(), what: check.problems.join("; ") })
    }

    /// The last step: from here on it is a backup.
    fn name(&self) -> Result<(), StoreError> {
        let named = |source| StoreError::io(&self.to, "name", source);
        if !self.to.exists() {
            std::fs::rename(&self.work, &self.to).map_err(named)?;
            return schema::sync_folder(
                self.to.parent().filter(|at| !at.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            );
        }
        // Without its events a folder is no store, so they come last.
        for name in BESIDE.into_iter().chain([DATABASE]).filter(|name| self.work.join(name).exists()) {
            std::fs::rename(self.work.join(name), self.to.join(name)).map_err(named)?;
            schema::sync_folder(&self.to)?;
        }
        self.clear()
    }

    /// Removes what an earlier backup left. Our own files only: a folder that holds others stays.
    fn clear(&self) -> Result<(), StoreError> {
        let failed = |source| StoreError::NotWritable { path: self.work.clone(), source };
        for name in BESIDE.into_iter().chain([DATABASE]) {
            for name in [name.to_owned(), format!("{name}.new"), format!("{name}.new-journal")] {
                absent(std::fs::remove_file(self.work.join(name))).map_err(failed)?;
            }
        }
        absent(std::fs::remove_dir(&self.work)).map_err(failed)
    }
}

/// What is gone already needs no removing.
fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    removed.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Copies one database under a name of its own first; gives its bytes.
fn put(
    from: &Path,
    to: &Path,
    change: impl Fn(&Connection, &Path) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let unfinished = to.with_extension("db.new");
    copy(from, &unfinished, change)?;
    let bytes = std::fs::metadata(&unfinished)
        .map_err(|source| StoreError::io(&unfinished, "read the size of", source))?
        .len();
    std::fs::rename(&unfinished, to).map_err(|source| StoreError::io(to, "name", source))?;
    Ok(bytes)
}

fn copy(
    from: &Path,
    to: &Path,
    change: impl Fn(&Connection, &Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let source = reader::open(from)?;
    let failed = |error| StoreError::sql(to, "copy to", error);
    let mut target = Connection::open(to).map_err(failed)?;
    // One read transaction for the whole copy: otherwise each commit of the server would start it anew.
    source
        .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
        .map_err(|error| StoreError::sql(from, "read", error))?;
    {
        let backup = Backup::new(&source, &mut target).map_err(failed)?;
        loop {
            match backup.step(PAGES_PER_STEP).map_err(failed)? {
                StepResult::Done => break,
                StepResult::More => {}
                StepResult::Busy | StepResult::Locked => {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                other => {
                    let what = format!("copying ended with {other:?}");
                    return Err(StoreError::Damaged { path: from.to_owned(), what });
                }
            }
        }
    }
    source.execute_batch("COMMIT").map_err(|error| StoreError::sql(from, "read", error))?;
    target.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE;").map_err(failed)?;
    change(&target, to)?;
    target.close().map_err(|(_, error)| failed(error))?;
    std::fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::io(to, "sync", error))
}
