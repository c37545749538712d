//! `gridhall backup`: a folder of sealed segments that grows by what is new, proved before it is called a backup.
//!
//! What should be here: what a backup folder holds, and the order in which it comes to be. What should not: the bytes of
//! a segment (`segment`), SQL. Nothing in the folder counts until its list, [`LIST`], names it: a backup that is killed
//! half-way leaves the one before, and a first one that is killed is none.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::container::{Container, publish};
use super::segment::{self, Link, Sealed};
use super::sqlite::{SqliteReader, schema};
use super::{LogError, Read, Stand, shelf};

pub(super) mod beside;
pub(super) mod files;
mod past;
#[cfg(test)]
mod tests;

/// The list that makes a folder a backup.
pub const LIST: &str = "backup.json";
pub(super) const SEGMENTS: &str = "segments";
const LOCK: &str = "backup.lock";
/// Version of the list and of the folder's layout.
const LAYOUT: u32 = 1;

/// What the folder holds; written last, at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub layout: u32,
    pub epoch: String,
    /// Milliseconds UTC.
    pub made_at_ms: i64,
    pub segments: u64,
    /// SHA-256 of the last segment, which names the one before it, and so on.
    pub last_segment: String,
    pub head: Stand,
    /// What keyed hashes and keys of imported rows were made with.
    pub secret: String,
    /// Persons erased in the log and therefore here.
    pub erased: u64,
    pub copies: Vec<Copied>,
    pub snapshots: u64,
    /// Files of cases in the folder.
    #[serde(default)]
    pub files: u64,
}

/// A database beside the log, copied whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// What it is called in a data folder.
    pub name: String,
    /// What it is called here.
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
}

/// What was done, and what it proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    pub folder: PathBuf,
    pub first: bool,
    pub new_segments: u64,
    pub new_events: u64,
    pub new_bytes: u64,
    pub new_snapshots: u64,
    pub new_files: u64,
    /// Hashes of files in the data folder that are not what their names say: an earlier backup may have them.
    pub damaged_files: Vec<String>,
    pub list: List,
}

impl Made {
    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let copies: Vec<&str> = self.list.copies.iter().map(|copy| copy.name.as_str()).collect();
        format!(
            "backup in `{}` holds everything up to event {}\n\
             new: {} events in {} segments, {} snapshots, {} of {} files; {} bytes\n\
             proved: each new segment was read again from the disk, every event in it agrees with its checksum and follows the one \
             before; {} segments hang together by their hashes; pages of {} were walked\n{}",
            self.folder.display(),
            self.list.head.seq,
            self.new_events,
            self.new_segments,
            self.new_snapshots,
            self.new_files,
            self.list.files,
            self.new_bytes,
            self.list.segments,
            if copies.is_empty() { "no other database".to_owned() } else { copies.join(" and ") },
            damaged_words(&self.damaged_files),
        )
    }
}

/// A line for files that are not what their names say; none where all are.
pub(super) fn damaged_words(hashes: &[String]) -> String {
    if hashes.is_empty() {
        return String::new();
    }
    format!("DAMAGED and left out: {} files, {}\n", hashes.len(), hashes.join(" "))
}

/// Why there is no (newer) backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the log cannot be backed up")]
    Source(#[source] LogError),
    #[error("the backup in `{}` is not sound; keep it for inquiry, and begin a new one in another folder", folder.display())]
    Unsound { folder: PathBuf, source: LogError },
    #[error("`{}` is the backup of another store ({theirs}, this one is {ours}); name another folder", folder.display())]
    OtherStore { folder: PathBuf, theirs: String, ours: String },
    #[error("`{}` holds a store and no backup; name another folder", folder.display())]
    HoldsStore { folder: PathBuf },
    #[error(
        "`{}` still holds {names}, and nothing in it was changed: a restore neither writes over what may be the last copy of accounts and \
         tracks, nor leaves beside the store what SQLite would read as a part of it. Restore into a new folder, or move these files away first",
        folder.display()
    )]
    Leftovers { folder: PathBuf, names: String },
    #[error("`{}` was written by a newer gridhall (layout {is}, this one knows {LAYOUT})", folder.display())]
    Newer { folder: PathBuf, is: u32 },
    #[error(
        "the log ends at event {log}, its backup in `{}` at {backup}: the store lost events, or an older copy runs under its name; nothing was \
         changed. Keep that backup, which holds what this store lacks, and name a new folder for this store",
        folder.display()
    )]
    Behind { folder: PathBuf, log: u64, backup: u64 },
    #[error(
        "`{}` is the backup of another past of this store: {what} in it is not the one in the log, so an older copy of the store went on \
         under its name; nothing was changed. Keep that backup, which holds what this store lacks, and name a new folder for this store",
        folder.display()
    )]
    OtherPast { folder: PathBuf, what: String },
    #[error(
        "rows of the earlier format are still being moved; the running server does it, try again when it is done"
    )]
    Moving,
    #[error("another backup is being written to `{}`", folder.display())]
    InUse { folder: PathBuf },
    #[error("`{}` holds no finished backup", folder.display())]
    None { folder: PathBuf },
    #[error("`{}` cannot be copied: {problem}", path.display())]
    Beside { path: PathBuf, problem: String },
    #[error("cannot {doing} `{}`", path.display())]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
}

impl BackupError {
    pub(super) fn io(path: &Path, doing: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), doing, source }
    }
}

/// Copies what is new in the data folder `dir` since the last backup in `folder`, and verifies it. `now` is written down.
pub fn backup(dir: &Path, folder: &Path, now_ms: i64) -> Result<Made, BackupError> {
    if folder.join(super::sqlite::file::DATABASE).exists() {
        return Err(BackupError::HoldsStore { folder: folder.to_owned() });
    }
    let log = SqliteReader::open(dir).map_err(BackupError::Source)?;
    if log.is_moving().map_err(BackupError::Source)? {
        return Err(BackupError::Moving);
    }
    let segments = folder.join(SEGMENTS);
    std::fs::create_dir_all(&segments).map_err(|source| BackupError::io(&segments, "create", source))?;
    let _lock = lock(folder)?;
    let before = read_list(folder)?;
    let epoch = format!("{:016x}", log.epoch());
    if let Some(list) = before.as_ref().filter(|list| list.epoch != epoch) {
        return Err(BackupError::OtherStore {
            folder: folder.to_owned(),
            theirs: list.epoch.clone(),
            ours: epoch,
        });
    }
    let start = chain(folder, log.epoch(), before.as_ref())?;
    let until = log.head().map_err(BackupError::Source)?;
    if until.seq < start.stand.seq {
        return Err(BackupError::Behind {
            folder: folder.to_owned(),
            log: until.seq,
            backup: start.stand.seq,
        });
    }
    if let Some(what) = past::differing(&log, &segments, start).map_err(BackupError::Source)? {
        return Err(BackupError::OtherPast { folder: folder.to_owned(), what });
    }
    let end = seal_all(&log, &segments, start, until)?;
    let erased = erase(&log, &segments, end, before.as_ref().map_or(0, |list| list.erased))?;
    let new_snapshots = snapshots(dir, folder, log.epoch(), end.stand.seq)?;
    let carried = files::carry(dir, folder).map_err(BackupError::Source)?;
    let copies = beside::copy_all(dir, folder, end.number.max(1), before.as_ref())?;
    let list = List {
        layout: LAYOUT,
        epoch,
        made_at_ms: now_ms,
        segments: end.number,
        last_segment: schema::hex(&end.hash),
        head: end.stand,
        secret: schema::hex(log.secret().expose()),
        erased,
        copies,
        snapshots: shelf::list(folder).len() as u64,
        files: files::count(folder)?,
    };
    let text = serde_json::to_vec_pretty(&list).expect("a list has only text keys, which always make JSON");
    publish(&folder.join(LIST), &text).map_err(BackupError::Source)?;
    beside::clear(folder, &list.copies);
    let first_new = before.as_ref().map_or(0, |list| list.segments) + 1;
    let sizes = (first_new..=end.number).map(|number| segment::path_of(&segments, number));
    let new_bytes: u64 = sizes.filter_map(|path| std::fs::metadata(path).ok()).map(|meta| meta.len()).sum();
    let made = Made {
        folder: folder.to_owned(),
        first: before.is_none(),
        new_segments: end.number + 1 - first_new,
        new_events: end.stand.seq - before.as_ref().map_or(0, |list| list.head.seq),
        new_bytes: new_bytes + carried.new_bytes,
        new_snapshots,
        new_files: carried.new,
        damaged_files: carried.damaged,
        list,
    };
    tracing::info!(to = %folder.display(), events = made.new_events, bytes = made.new_bytes, "backup made");
    Ok(made)
}

/// One backup at a time into a folder.
fn lock(folder: &Path) -> Result<File, BackupError> {
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|source| BackupError::io(&path, "create", source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(BackupError::InUse { folder: folder.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(BackupError::io(&path, "lock", source)),
    }
}

/// The list of a folder; none where no backup was ever finished.
pub fn read_list(folder: &Path) -> Result<Option<List>, BackupError> {
    let path = folder.join(LIST);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(BackupError::io(&path, "read", source)),
    };
    let unsound = |what: String| BackupError::Unsound {
        folder: folder.to_owned(),
        source: LogError::damaged(&path, what),
    };
    let layout =
        serde_json::from_slice::<serde_json::Value>(&bytes).map_err(|error| unsound(error.to_string()))?;
    let layout = layout["layout"].as_u64().and_then(|layout| u32::try_from(layout).ok()).unwrap_or(0);
    if layout > LAYOUT {
        return Err(BackupError::Newer { folder: folder.to_owned(), is: layout });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| unsound(error.to_string()))
}

/// Goes along the segments that are there: each must follow the one before. The last one listed, and those a killed
/// backup left behind it, are read whole.
fn chain(folder: &Path, epoch: u64, list: Option<&List>) -> Result<Link, BackupError> {
    let unsound = |source| BackupError::Unsound { folder: folder.to_owned(), source };
    let segments = folder.join(SEGMENTS);
    let listed = list.map_or(0, |list| list.segments);
    let mut link = Link::first(epoch);
    loop {
        let path = segment::path_of(&segments, link.number + 1);
        if !path.exists() {
            break;
        }
        let whole = link.number + 1 >= listed;
        let sealed = if whole { segment::verify(&path, |_| Ok(())) } else { segment::peek(&path) };
        link = sealed.and_then(|sealed| link.then(&sealed, &path)).map_err(unsound)?;
        if link.number == listed && list.is_some_and(|list| list.last_segment != schema::hex(&link.hash)) {
            return Err(unsound(LogError::damaged(&path, "it is not the segment its list names")));
        }
    }
    if link.number < listed {
        let path = segment::path_of(&segments, link.number + 1);
        return Err(unsound(LogError::damaged(&path, "it is gone")));
    }
    Ok(link)
}

fn seal_all(log: &dyn Read, segments: &Path, start: Link, until: Stand) -> Result<Link, BackupError> {
    let mut link = start;
    while segment::is_news(log, link.stand, until).map_err(BackupError::Source)? {
        link = segment::seal(log, segments, link, until).map_err(BackupError::Source)?;
    }
    Ok(link)
}

/// Takes the keys of persons out who were erased since; gives how many are erased in all.
fn erase(log: &SqliteReader, segments: &Path, end: Link, known: u64) -> Result<u64, BackupError> {
    let erased = log.erased().map_err(BackupError::Source)?;
    if erased.len() as u64 == known {
        return Ok(known);
    }
    for number in 1..=end.number {
        let clear = || -> Result<(), LogError> {
            let sealed: Sealed = segment::peek(&segment::path_of(segments, number))?;
            let of_it = |no: u64| no > sealed.from.person && no <= sealed.to.person;
            if !erased.iter().any(|(no, _)| of_it(*no)) {
                return Ok(());
            }
            let mut keys = segment::keys(segments, &sealed)?;
            let before = keys.len();
            keys.retain(|(case, _)| !erased.iter().any(|(_, erased)| erased == case));
            if keys.len() == before { Ok(()) } else { segment::put_keys(segments, &sealed, &keys) }
        };
        clear().map_err(|source| BackupError::Unsound { folder: segments.to_owned(), source })?;
    }
    Ok(erased.len() as u64)
}

/// Copies snapshots that are not there yet; gives how many. One that is torn in the source is left out with a word: it is
/// no truth, and the log that is can do without.
fn snapshots(dir: &Path, folder: &Path, epoch: u64, until: u64) -> Result<u64, BackupError> {
    let shelf = shelf::folder(folder);
    std::fs::create_dir_all(&shelf).map_err(|source| BackupError::io(&shelf, "create", source))?;
    let mut copied = 0;
    for kept in shelf::list(dir).into_iter().filter(|kept| kept.seq <= until) {
        let to = shelf.join(shelf::name(kept.seq, kept.day));
        if to.exists() {
            continue;
        }
        // The server may have taken it off its shelf meanwhile.
        let Ok(bytes) = std::fs::read(&kept.path) else { continue };
        match Container::verify(&bytes) {
            Ok((of, seq)) if (of, seq) == (epoch, kept.seq) => {
                publish(&to, &bytes).map_err(BackupError::Source)?;
                copied += 1;
            }
            Ok(_) => {}
            Err(why) => tracing::warn!(path = %kept.path.display(), %why, "snapshot not backed up"),
        }
    }
    Ok(copied)
}

/// The SHA-256 of a file, read piece by piece.
pub(crate) fn digest(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(schema::hex(&hash.finalize()));
        }
        hash.update(&piece[..count]);
    }
}
