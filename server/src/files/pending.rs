//! Files whose events are not recorded yet: a mark beside the files says for which case each is meant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::code::CaseId;
use domain::file::FileHash;
use std::sync::atomic::Ordering;

use super::{Files, fresh_name};
use crate::events::Reader;
use crate::folder::StoreError;
use crate::lock::lock;
use crate::log::LogError;
use crate::log::files as named;
use crate::log::sqlite::file::sync_folder;

/// Marks, within the folder of files. A mark is empty; its name is `HASH-CASE-…`, so that each is one's own.
pub(super) const FOLDER: &str = "pending";

/// How many wait for their event, and whether one has been recorded.
#[derive(Debug, Default)]
pub(super) struct Count {
    waiting: usize,
    recorded: bool,
    /// Marks of those that were recorded: a start after a crash must still learn from one that an event names the file, as long as the
    /// mark of another stands that asks whether one does.
    kept: Vec<PathBuf>,
}

/// A file that lies under its hash and waits for its event. Dropped without a word, it is taken away again, unless another waits for
/// the same bytes or has been recorded.
#[derive(Debug)]
pub struct Claim {
    files: Files,
    pub hash: FileHash,
    /// None where an event names the file already.
    mark: Option<PathBuf>,
    /// Whether its event has been asked for, and so may be durable.
    sent: bool,
}

impl Files {
    /// Puts the file of `unfinished` under its hash.
    pub(super) fn claim(
        &self,
        hash: FileHash,
        case: CaseId,
        unfinished: &std::path::Path,
    ) -> Result<Claim, LogError> {
        // Held for the whole: whoever has the same bytes must not take away what this one has just found there.
        let mut pending = lock(&self.0.pending);
        let path = self.path_of(&hash);
        let known = pending.contains_key(&hash);
        if path.exists() && !known {
            let _ = std::fs::remove_file(unfinished);
            return Ok(Claim { files: self.clone(), hash, mark: None, sent: false });
        }
        let marks = self.folder().join(FOLDER);
        let mark = marks.join(format!("{hash}-{case}-{}", fresh_name()));
        std::fs::write(&mark, "").map_err(|source| LogError::io(&mark, "write", source))?;
        sync_folder(&marks)?;
        let bytes = std::fs::metadata(unfinished).map_or(0, |meta| meta.len());
        if known {
            let _ = std::fs::remove_file(unfinished);
        } else if let Err(error) = named::place(unfinished, &self.0.dir, &hash.0) {
            let _ = std::fs::remove_file(&mark);
            return Err(error);
        } else {
            self.counted().fetch_add(bytes, Ordering::Relaxed);
        }
        pending.entry(hash).or_default().waiting += 1;
        Ok(Claim { files: self.clone(), hash, mark: Some(mark), sent: false })
    }

    /// Asks the events about every mark that a server left which ended before it knew. Clears what none of them names.
    pub(super) fn settle(&self, reader: &Reader) -> Result<(), StoreError> {
        let marks = self.folder().join(FOLDER);
        let left = std::fs::read_dir(&marks).map_err(|source| StoreError::io(&marks, "read", source))?;
        let mut asked: BTreeMap<FileHash, Vec<(CaseId, PathBuf)>> = BTreeMap::new();
        for entry in left.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let mut parts = name.split('-');
            let read = parts
                .next()
                .zip(parts.next())
                .and_then(|(hash, case)| Some((hash.parse().ok()?, CaseId(case.parse().ok()?))));
            if let Some((hash, case)) = read {
                asked.entry(hash).or_default().push((case, entry.path()));
            }
        }
        for (hash, marks) in asked {
            let mut named = false;
            for (case, _) in &marks {
                named = named || reader.files(*case)?.iter().any(|line| line.file.hash == hash);
            }
            if !named {
                tracing::info!(%hash, "a file that no event names is cleared");
                self.remove(&hash);
            }
            // Last: a start that ends before asks again.
            marks.iter().for_each(|(_, mark)| drop(std::fs::remove_file(mark)));
        }
        Ok(())
    }

    fn remove(&self, hash: &FileHash) {
        let path = self.path_of(hash);
        let bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        if std::fs::remove_file(&path).is_ok()
            && let Some(used) = self.0.used.get()
        {
            used.fetch_sub(bytes, Ordering::Relaxed);
        }
        let _ = std::fs::remove_file(self.small_of(hash));
    }
}

impl Claim {
    /// Its event is asked for now. Whoever drops it from here on does not know whether the event is durable, and takes nothing away.
    pub fn sent(&mut self) {
        self.sent = true;
    }

    /// Its event is durable.
    pub fn recorded(mut self) {
        self.end(true);
    }

    /// Its event was refused.
    pub fn refused(mut self) {
        self.end(false);
    }

    /// Nobody knows whether its event is durable: the next start asks.
    fn leave(&mut self) {
        if self.mark.take().is_some()
            && let Some(count) = lock(&self.files.0.pending).get_mut(&self.hash)
        {
            // Nobody takes it away while this server runs.
            count.recorded = true;
        }
    }

    fn end(&mut self, recorded: bool) {
        let Some(mark) = self.mark.take() else { return };
        let mut pending = lock(&self.files.0.pending);
        let Some(count) = pending.get_mut(&self.hash) else { return };
        count.waiting = count.waiting.saturating_sub(1);
        count.recorded |= recorded;
        if recorded {
            count.kept.push(mark);
        } else {
            let _ = std::fs::remove_file(mark);
        }
        if count.waiting == 0 {
            if !count.recorded {
                self.files.remove(&self.hash);
            }
            count.kept.iter().for_each(|mark| drop(std::fs::remove_file(mark)));
            pending.remove(&self.hash);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.sent {
            self.leave();
        } else {
            self.end(false);
        }
    }
}
