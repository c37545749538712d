//! `gridhall restore`: a data folder made of a backup, proved on the way.
//!
//! The store gets its name last, so that a restore that is killed leaves no store. It takes a new epoch: what was
//! recorded after the backup is missing, and its numbers will be given again.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::backup::{self, BackupError, List};
use super::container::{Container, publish};
use super::segment::{self, Link};
use super::sqlite::making::Making;
use super::sqlite::{file, schema};
use super::{LogError, PersonRow, shelf};

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    pub folder: PathBuf,
    pub epoch: String,
    pub events: u64,
    pub made_at_ms: i64,
    pub beside: Vec<String>,
    pub snapshots: u64,
}

impl Restored {
    /// For people.
    #[must_use]
    pub fn words(&self) -> String {
        let beside =
            if self.beside.is_empty() { "no other database".to_owned() } else { self.beside.join(" and ") };
        format!(
            "restored to `{}`: {} events, {beside}, {} snapshots; as it stood at the backup\n\
             proved: every segment agrees with its SHA-256 and follows the one before, every event with its checksum\n\
             the store has a new epoch ({}): screens load anew, and the next backup needs a folder of its own\n",
            self.folder.display(),
            self.events,
            self.snapshots,
            self.epoch
        )
    }
}

/// Makes the data folder `to` of the backup in `from`.
pub fn restore(from: &Path, to: &Path) -> Result<Restored, BackupError> {
    let list = backup::read_list(from)?.ok_or_else(|| BackupError::None { folder: from.to_owned() })?;
    let database = to.join(file::DATABASE);
    if database.exists() || shelf::any(to) {
        return Err(BackupError::HoldsStore { folder: to.to_owned() });
    }
    std::fs::create_dir_all(to).map_err(|source| BackupError::io(to, "create", source))?;
    let mut making = Making::begin(to, Some(&list.secret)).map_err(BackupError::Source)?;
    let epoch = making.epoch().map_err(BackupError::Source)?;
    fill(from, &list, &mut making)?;
    let made = making.finish().map_err(BackupError::Source)?;
    for copy in &list.copies {
        beside(from, to, copy)?;
    }
    let snapshots = snapshots(from, to, epoch)?;
    made.name().map_err(BackupError::Source)?;
    tracing::info!(to = %to.display(), events = list.head.seq, "backup restored");
    Ok(Restored {
        folder: to.to_owned(),
        epoch: format!("{epoch:016x}"),
        events: list.head.seq,
        made_at_ms: list.made_at_ms,
        beside: list.copies.iter().map(|copy| copy.name.clone()).collect(),
        snapshots,
    })
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

/// Copies snapshots, for the new epoch. One that is not sound is left out: the events are the truth.
fn snapshots(from: &Path, to: &Path, epoch: u64) -> Result<u64, BackupError> {
    let shelf = shelf::folder(to);
    std::fs::create_dir_all(&shelf).map_err(|source| BackupError::io(&shelf, "create", source))?;
    let mut copied = 0;
    for kept in shelf::list(from) {
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
