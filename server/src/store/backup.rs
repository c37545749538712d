//! `gridhall backup`: a copy of a data folder while the server runs, checked before it is called a backup.
//!
//! The copy is one file of one committed state. It takes a new epoch when it is restored, because events after it
//! are missing there and their numbers will be given again.

use std::path::{Path, PathBuf};

use domain::policy::Policy;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::Serialize;

use super::check::{self, Report};
use super::{DATABASE, StoreError, reader, schema};

/// Pages copied between two looks at the clock; the copy holds no lock on the writer.
const PAGES_PER_STEP: i32 = 4_096;
/// What else a data folder holds: accounts, tokens and paired walls; where inspectors were. Copied after the events,
/// so that nobody is missing whom an event names.
const BESIDE: [&str; 2] = ["access.db", "positions.db"];

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    pub folder: PathBuf,
    pub bytes: u64,
    pub check: Report,
}

/// Copies the store in `dir` into the new folder `to`, which becomes a data folder of its own with a new epoch.
pub fn backup(dir: &Path, to: &Path, policy: &Policy) -> Result<Made, StoreError> {
    match schema::probe(dir)? {
        schema::Found::Nothing => return Err(StoreError::Missing { path: dir.to_owned() }),
        schema::Found::Store => {}
    }
    if to.join(DATABASE).exists() {
        let source = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "there is a store already");
        return Err(StoreError::NotWritable { path: to.to_owned(), source });
    }
    std::fs::create_dir_all(to).map_err(|source| StoreError::NotWritable { path: to.to_owned(), source })?;
    let mut bytes = put(&dir.join(DATABASE), &to.join(DATABASE), |target, path| {
        schema::set_meta(target, path, "epoch", &format!("{:016x}", rand::random::<u64>()))
    })?;
    for name in BESIDE.into_iter().filter(|name| dir.join(name).exists()) {
        bytes += put(&dir.join(name), &to.join(name), |_, _| Ok(()))?;
    }
    schema::sync_folder(to)?;
    let check = check::check(to, policy)?;
    tracing::info!(to = %to.display(), bytes, sound = check.is_sound(), "backup made");
    Ok(Made { folder: to.to_owned(), bytes, check })
}

/// Copies one database under a name of its own first; gives its bytes.
fn put(
    from: &Path,
    to: &Path,
    change: impl Fn(&Connection, &Path) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let unfinished = to.with_extension("db.new");
    match std::fs::remove_file(&unfinished) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(StoreError::NotWritable { path: to.to_owned(), source }),
    }
    let copied = copy(from, &unfinished, change);
    if let Err(error) = copied {
        // A partial copy is of no use, and on a full disk it is in the way.
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
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
