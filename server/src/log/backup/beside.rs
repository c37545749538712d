//! The databases beside the log, copied whole into a backup: accounts and tokens; where inspectors were.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{BackupError, Copied, List, digest};
use crate::log::sqlite::file::beside as with_ending;

/// Copied after the events, so that nobody is missing whom an event names.
pub(in crate::log) const NAMES: [&str; 2] = ["access.db", "positions.db"];
/// Pages copied between two looks at the other side's locks.
const PAGES_PER_STEP: i32 = 4_096;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Copies what is there under names of this backup. A database that is gone or empty is not passed over where the last backup
/// has it or anything of it is left: its last good copy is the one before, which this backup would take away.
pub(super) fn copy_all(
    dir: &Path,
    folder: &Path,
    number: u64,
    before: Option<&List>,
) -> Result<Vec<Copied>, BackupError> {
    let mut copies = Vec::new();
    for name in NAMES {
        let from = dir.join(name);
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        if bytes(&from) == 0 {
            let known = before.is_some_and(|list| list.copies.iter().any(|copy| copy.name == name));
            if known || from.exists() || bytes(&with_ending(&from, "-wal")) > 0 {
                let problem =
                    "it is gone from the data folder, or empty; what the last backup has of it stays"
                        .to_owned();
                return Err(BackupError::Beside { path: from, problem });
            }
            continue;
        }
        let stem = name.trim_end_matches(".db");
        // A second backup without news must not write over the copy that the list still names.
        let taken = |file: &str| before.is_some_and(|list| list.copies.iter().any(|copy| copy.file == file));
        let file = (0..).map(|again| format!("{stem}-{number:08}-{again}.db")).find(|file| !taken(file));
        let file = file.expect("there is a number that is not taken");
        copies.push(copy(&from, folder, name, file)?);
    }
    Ok(copies)
}

fn copy(from: &Path, folder: &Path, name: &str, file: String) -> Result<Copied, BackupError> {
    let to = folder.join(&file);
    let unfinished = to.with_extension("unfinished");
    let _ = std::fs::remove_file(&unfinished);
    let failed =
        |source: rusqlite::Error| BackupError::Beside { path: from.to_owned(), problem: source.to_string() };
    let made = copy_pages(from, &unfinished).map_err(failed).and_then(|said| {
        let unsound = said.iter().find(|line| *line != "ok");
        unsound.map_or(Ok(()), |line| {
            Err(BackupError::Beside {
                path: from.to_owned(),
                problem: format!("its copy is not sound: {line}"),
            })
        })
    });
    if let Err(error) = made {
        let _ = std::fs::remove_file(&unfinished);
        return Err(error);
    }
    let io = |doing| move |source| BackupError::io(&folder.join(name), doing, source);
    std::fs::File::open(&unfinished).and_then(|file| file.sync_all()).map_err(io("sync"))?;
    let sha256 = digest(&unfinished).map_err(io("read again"))?;
    let bytes = std::fs::metadata(&unfinished).map_err(io("read the size of"))?.len();
    std::fs::rename(&unfinished, &to).map_err(io("name"))?;
    super::super::sqlite::file::sync_folder(folder).map_err(BackupError::Source)?;
    Ok(Copied { name: name.to_owned(), file, bytes, sha256 })
}

/// Copies one committed state, and gives what SQLite says of the copy's pages.
fn copy_pages(from: &Path, to: &Path) -> rusqlite::Result<Vec<String>> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    source.busy_timeout(Duration::from_secs(5))?;
    let mut target = Connection::open(to)?;
    // One read transaction for the whole copy: otherwise each commit of the server would start it anew.
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            match backup.step(PAGES_PER_STEP)? {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => std::thread::sleep(BUSY_PAUSE),
                StepResult::More => {}
                other => return Ok(vec![format!("copying ended with {other:?}")]),
            }
        }
    }
    source.execute_batch("COMMIT")?;
    target.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE;")?;
    let mut statement = target.prepare("PRAGMA integrity_check(1)")?;
    let said = statement.query_map([], |row| row.get(0))?.collect();
    drop(statement);
    said
}

/// Removes copies that no list names any more; what cannot be removed only takes up room.
pub(super) fn clear(folder: &Path, copies: &[Copied]) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = NAMES.iter().any(|kept| name.starts_with(kept.trim_end_matches(".db")));
        if ours && !copies.iter().any(|copy| copy.file == name) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
