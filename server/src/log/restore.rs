//! `gridhall restore`: a data folder made of a backup, proved on the way.
//!
//! All of it is made in a folder within, [`UNFINISHED`], and gets its names at the end, the store last: a restore that is
//! killed leaves no store, and the next one begins anew. Nothing that lies in the data folder is written over, nor is anything
//! left beside the store that SQLite would read as a part of it. It takes a new epoch: what was recorded after the backup is
//! missing, and its numbers will be given again.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::backup::files::Carried;
use super::backup::{self, BackupError, List, beside as databases};
use super::container::{Container, publish};
use super::segment::{self, Link};
use super::sqlite::making::Making;
use super::sqlite::{file, schema};
use super::{LogError, PersonRow, files, shelf};

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    pub folder: PathBuf,
    pub epoch: String,
    pub events: u64,
    pub made_at_ms: i64,
    pub beside: Vec<String>,
    pub snapshots: u64,
    pub files: u64,
    /// Hashes of files in the backup that are not what their names say.
    pub damaged_files: Vec<String>,
    /// Files that the backup's list counts and its folder lacks.
    pub missing_files: u64,
}

impl Restored {
    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let beside =
            if self.beside.is_empty() { "no other database".to_owned() } else { self.beside.join(" and ") };
        format!(
            "restored to `{}`: {} events, {beside}, {} snapshots, {} files; as it stood at the backup\n\
             proved: every segment agrees with its SHA-256 and follows the one before, every event with its checksum\n\
             the store has a new epoch ({}): screens load anew, and the next backup needs a folder of its own\n{}{}",
            self.folder.display(),
            self.events,
            self.snapshots,
            self.files,
            self.epoch,
            backup::damaged_words(&self.damaged_files),
            if self.missing_files == 0 {
                String::new()
            } else {
                format!("MISSING in the backup: {} files; `gridhall check` names them\n", self.missing_files)
            }
        )
    }
}

/// What a restore is made in; whatever a killed one left there is copies of a backup.
const UNFINISHED: &str = "restore.unfinished";

/// Makes the data folder `to` of the backup in `from`. A folder that holds anything of a store is refused and left alone.
pub fn restore(from: &Path, to: &Path) -> Result<Restored, BackupError> {
    let list = backup::read_list(from)?.ok_or_else(|| BackupError::None { folder: from.to_owned() })?;
    holds_nothing_of_a_store(to)?;
    let unfinished = to.join(UNFINISHED);
    let made = make(from, &list, &unfinished);
    // It may have taken long: somebody may have started a hall in the folder meanwhile.
    let made = made.and_then(|made| holds_nothing_of_a_store(to).map(|()| made));
    let (epoch, snapshots, carried) = match made {
        Ok(made) => made,
        Err(error) => {
            // A part of a restore is of no use, and on a full disk it is in the way.
            let _ = std::fs::remove_dir_all(&unfinished);
            return Err(error);
        }
    };
    place(&unfinished, to, &list)?;
    tracing::info!(to = %to.display(), events = list.head.seq, "backup restored");
    Ok(Restored {
        folder: to.to_owned(),
        epoch: format!("{epoch:016x}"),
        events: list.head.seq,
        made_at_ms: list.made_at_ms,
        beside: list.copies.iter().map(|copy| copy.name.clone()).collect(),
        snapshots,
        files: carried.new,
        missing_files: list.files.saturating_sub(carried.new + carried.damaged.len() as u64),
        damaged_files: carried.damaged,
    })
}

/// Refuses a folder with files of a store in it: a write-ahead log that was left would be played into the restored
/// database, and accounts and tracks may be the only ones that survived.
fn holds_nothing_of_a_store(to: &Path) -> Result<(), BackupError> {
    let entries = |folder: &Path| -> Result<Vec<String>, BackupError> {
        match std::fs::read_dir(folder) {
            Ok(entries) => entries
                .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
                .collect::<std::io::Result<_>>()
                .map_err(|source| BackupError::io(folder, "read", source)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(BackupError::io(folder, "read", source)),
        }
    };
    let mut left: Vec<String> = entries(to)?.into_iter().filter(|name| is_of_a_store(name)).collect();
    if !entries(&shelf::folder(to))?.is_empty() {
        left.push("snapshots/".to_owned());
    }
    if !entries(&files::folder(to))?.is_empty() {
        left.push("files/".to_owned());
    }
    left.sort();
    if left.is_empty() {
        return Ok(());
    }
    Err(BackupError::Leftovers { folder: to.to_owned(), names: left.join(", ") })
}

/// Whether a file is a database of ours, or what SQLite keeps beside one; or says that its folder is a backup.
fn is_of_a_store(name: &str) -> bool {
    let mut databases = std::iter::once(file::DATABASE).chain(databases::NAMES);
    let of_views = name.starts_with("views-") && name.contains(".db");
    databases.any(|database| name.starts_with(database)) || of_views || name == backup::LIST
}

/// Makes everything in the folder `unfinished`; gives the new epoch, how many snapshots there are, and which files.
fn make(from: &Path, list: &List, unfinished: &Path) -> Result<(u64, u64, Carried), BackupError> {
    match std::fs::remove_dir_all(unfinished) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(BackupError::io(unfinished, "remove", source)),
    }
    std::fs::create_dir_all(unfinished).map_err(|source| BackupError::io(unfinished, "create", source))?;
    let mut making = Making::begin(unfinished, Some(&list.secret)).map_err(BackupError::Source)?;
    let epoch = making.epoch().map_err(BackupError::Source)?;
    fill(from, list, &mut making)?;
    let made = making.finish().map_err(BackupError::Source)?;
    for copy in &list.copies {
        if !databases::NAMES.contains(&copy.name.as_str()) {
            let what = format!("it names a copy of `{}`, which no store has", copy.name);
            let source = LogError::damaged(&from.join(backup::LIST), what);
            return Err(BackupError::Unsound { folder: from.to_owned(), source });
        }
        beside(from, unfinished, copy)?;
    }
    let snapshots = snapshots(from, unfinished, epoch, list.head.seq)?;
    let carried = backup::files::carry(from, unfinished).map_err(BackupError::Source)?;
    made.name().map_err(BackupError::Source)?;
    Ok((epoch, snapshots, carried))
}

/// Gives what was made its names in the data folder, the store's last.
fn place(unfinished: &Path, to: &Path, list: &List) -> Result<(), BackupError> {
    let name = |from: &Path, target: &Path| {
        std::fs::rename(from, target).map_err(|source| BackupError::io(target, "name", source))
    };
    name(&shelf::folder(unfinished), &shelf::folder(to))?;
    if files::folder(unfinished).exists() {
        name(&files::folder(unfinished), &files::folder(to))?;
    }
    for copy in &list.copies {
        name(&unfinished.join(&copy.name), &to.join(&copy.name))?;
    }
    file::sync_folder(to).map_err(BackupError::Source)?;
    name(&unfinished.join(file::DATABASE), &to.join(file::DATABASE))?;
    file::sync_folder(to).map_err(BackupError::Source)?;
    // Empty now; what stays of it is in nobody's way.
    let _ = std::fs::remove_dir_all(unfinished);
    Ok(())
}

/// Goes along the whole chain, verifies every segment and writes its rows.
fn fill(from: &Path, list: &List, making: &mut Making) -> Result<(), BackupError> {
    let unsound = |source| BackupError::Unsound { folder: from.to_owned(), source };
    let segments = from.join(backup::SEGMENTS);
    let epoch = u64::from_str_radix(&list.epoch, 16)
        .map_err(|_| unsound(LogError::damaged(&from.join(backup::LIST), "its epoch is not a number")))?;
    let mut link = Link::first(epoch);
    for number in 1..=list.segments {
        let path = segment::path_of(&segments, number);
        let sealed = segment::peek(&path).map_err(unsound)?;
        let keys = segment::keys(&segments, &sealed).map_err(unsound)?;
        let keys: std::collections::HashMap<u64, [u8; 32]> = keys.into_iter().collect();
        let sealed = segment::verify(&path, |mut group| {
            for person in &mut group.persons {
                *person = PersonRow { key: keys.get(&person.case).copied(), ..person.clone() };
            }
            making.write(&group)
        });
        link = sealed.and_then(|sealed| link.then(&sealed, &path)).map_err(unsound)?;
    }
    if schema::hex(&link.hash) != list.last_segment && list.segments > 0 || link.stand != list.head {
        let what = "its segments do not end where its list says";
        return Err(unsound(LogError::damaged(&from.join(backup::LIST), what)));
    }
    Ok(())
}

/// Copies a database that stood beside the log.
fn beside(from: &Path, to: &Path, copy: &backup::Copied) -> Result<(), BackupError> {
    let (source, target) = (from.join(&copy.file), to.join(&copy.name));
    let unfinished = target.with_extension("new");
    std::fs::copy(&source, &unfinished).map_err(|error| BackupError::io(&source, "copy", error))?;
    let digest = backup::digest(&unfinished).map_err(|error| BackupError::io(&unfinished, "read", error))?;
    if digest != copy.sha256 {
        let problem = "it does not agree with the SHA-256 in the backup's list".to_owned();
        return Err(BackupError::Beside { path: source, problem });
    }
    let name = || -> std::io::Result<()> {
        std::fs::File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, &target)
    };
    name().map_err(|error| BackupError::io(&target, "write", error))
}

/// Copies snapshots up to event `until`, for the new epoch. One that is not sound is left out: the events are the truth. So are
/// those that a killed backup left of events its list does not name: this log will give their numbers to others.
fn snapshots(from: &Path, to: &Path, epoch: u64, until: u64) -> Result<u64, BackupError> {
    let shelf = shelf::folder(to);
    std::fs::create_dir_all(&shelf).map_err(|source| BackupError::io(&shelf, "create", source))?;
    let mut copied = 0;
    for kept in shelf::list(from).into_iter().filter(|kept| kept.seq <= until) {
        let bytes =
            std::fs::read(&kept.path).map_err(|source| BackupError::io(&kept.path, "read", source))?;
        match Container::with_epoch(&bytes, epoch) {
            Ok(bytes) => {
                publish(&shelf.join(shelf::name(kept.seq, kept.day)), &bytes).map_err(BackupError::Source)?;
                copied += 1;
            }
            Err(why) => tracing::warn!(path = %kept.path.display(), %why, "snapshot not restored"),
        }
    }
    Ok(copied)
}
