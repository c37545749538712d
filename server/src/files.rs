//! The room of a hall's files (附件): content-addressed, bounded, and written so that none is lost that an event names.
//!
//! What should be here: what is taken, how it is made safe, and how it comes to lie under its hash. What should not: which case it is for
//! (`domain`), HTTP (`http::files`), the names of files on the disk (`log::files`).
//!
//! A file gets its name before its event is recorded, and is *pending* until then: a mark beside the files says for which case. Whoever
//! finds a mark at a start asks the case's events; a file that none of them names is cleared. So a crash at any moment leaves neither an
//! event without its file nor, for longer than to the next start, a file without its event.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use domain::code::CaseId;
use domain::file::FileHash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::events::Reader;
use crate::folder::StoreError;
use crate::log::files as named;
use crate::views::reserve::{Reserve, Wanted};

pub mod looks;
pub mod office;
mod jpeg;
pub mod picture;
pub mod settings;
pub mod refusal;
pub mod scanner;
pub mod made;
pub mod incoming;
mod pending;

#[cfg(test)]
mod tests;

pub use incoming::{Incoming, NoPlace};
pub use made::Made;
pub use pending::Claim;
pub use refusal::Refusal;
pub use settings::Settings;

/// What is on its way in, within the folder of files. Cleared at every start.
const INCOMING: &str = "incoming";
/// Small pictures, each by its picture's hash: made anew where one is not there, and in no backup.
const SMALL: &str = "small";

/// The files of a hall; clones share them.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    settings: Settings,
    reserve: Reserve,
    /// Bytes of all files, counted when first asked for.
    used: OnceLock<AtomicU64>,
    /// Files whose events are not recorded yet.
    pending: Mutex<HashMap<FileHash, pending::Count>>,
    places: incoming::Places,
    /// Pictures made at the same time: each takes a processor, and memory for all its points.
    making: Arc<Semaphore>,
    scanning: Semaphore,
}

impl Files {
    /// Opens the room in a data folder, and clears what no event names. `reader`: of the log in the same folder.
    pub fn open(
        dir: &Path,
        settings: Settings,
        reserve: Reserve,
        reader: &Reader,
    ) -> Result<Self, StoreError> {
        let folder = named::folder(dir);
        for within in [folder.join(INCOMING), folder.join(SMALL), folder.join(pending::FOLDER)] {
            std::fs::create_dir_all(&within).map_err(|source| StoreError::io(&within, "create", source))?;
        }
        let incoming = folder.join(INCOMING);
        let left =
            std::fs::read_dir(&incoming).map_err(|source| StoreError::io(&incoming, "read", source))?;
        for entry in left.flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let files = Self(Arc::new(Inner {
            dir: dir.to_owned(),
            settings,
            reserve,
            used: OnceLock::new(),
            pending: Mutex::default(),
            places: incoming::Places::default(),
            making: Arc::new(Semaphore::new((cores / 2).clamp(1, 4))),
            scanning: Semaphore::new(scanner::PLACES),
        }));
        files.settle(reader)?;
        Ok(files)
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn folder(&self) -> PathBuf {
        named::folder(&self.0.dir)
    }

    /// Where a file lies.
    #[must_use]
    pub fn path_of(&self, hash: &FileHash) -> PathBuf {
        named::path_of(&self.0.dir, &hash.0)
    }

    /// Where a picture's small one lies, if it does.
    #[must_use]
    pub fn small_of(&self, hash: &FileHash) -> PathBuf {
        self.folder().join(SMALL).join(hash.to_string())
    }

    /// Bytes of all files. The first time every file is looked at: blocks.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.counted().load(Ordering::Relaxed)
    }

    fn counted(&self) -> &AtomicU64 {
        self.0.used.get_or_init(|| {
            let mut sum = 0;
            if let Err(error) = named::each(&self.0.dir, |_, _, bytes| sum += bytes) {
                tracing::error!(error = crate::cause::chain(&error), "files cannot be counted");
            }
            AtomicU64::new(sum)
        })
    }

    /// Whether there is room for so many bytes more: within the quota, and on the disk beyond what is left to the log.
    pub fn has_room(&self, bytes: u64) -> Result<(), Refusal> {
        let most = self.0.settings.quota_bytes();
        if self.used().saturating_add(bytes) > most {
            return Err(Refusal::Quota { most });
        }
        if self.0.reserve.allows(Wanted::Bulk, &self.0.dir) { Ok(()) } else { Err(Refusal::NoRoom) }
    }

    /// Lays a file down for a case, pending until its event is recorded. Blocks.
    pub fn put(&self, made: &Made, case: CaseId) -> Result<Claim, Refusal> {
        let hash = made.hash;
        self.has_room(made.bytes.len() as u64)?;
        if let Some(small) = &made.small {
            // Only a help: made anew where it is missing.
            self.put_small(&hash, small);
        }
        let unfinished = self.folder().join(INCOMING).join(fresh_name());
        let laid = self.written(&unfinished, &made.bytes).and_then(|()| self.claim(hash, case, &unfinished));
        laid.map_err(|error| {
            let _ = std::fs::remove_file(&unfinished);
            self.not_stored(&error)
        })
    }

    fn written(&self, path: &Path, bytes: &[u8]) -> Result<(), crate::log::LogError> {
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::options().write(true).create_new(true).open(path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|source| crate::log::LogError::io(path, "write", source))
    }

    /// Lays a small picture down beside its picture, where there is room.
    pub fn put_small(&self, hash: &FileHash, small: &[u8]) {
        if !self.0.reserve.allows(Wanted::Bulk, &self.0.dir) {
            return;
        }
        let unfinished = self.folder().join(INCOMING).join(fresh_name());
        let put = std::fs::write(&unfinished, small)
            .and_then(|()| std::fs::rename(&unfinished, self.small_of(hash)));
        if let Err(error) = put {
            tracing::debug!(%error, "a small picture is not kept");
            let _ = std::fs::remove_file(&unfinished);
        }
    }

    fn not_stored(&self, error: &(dyn std::error::Error + 'static)) -> Refusal {
        tracing::error!(error = crate::cause::chain(error), "a file is not kept");
        Refusal::NoRoom
    }

    /// A turn at making pictures: kept until one is made, also when nobody waits for it any more.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.0.making.clone().acquire_owned().await.ok()
    }

    /// The small picture of one that is kept, made anew where there is none. None where the picture itself is gone or damaged.
    pub async fn small(&self, hash: FileHash) -> Option<PathBuf> {
        let path = self.small_of(&hash);
        if tokio::fs::try_exists(&path).await.unwrap_or(false) {
            return Some(path);
        }
        let turn = self.turn().await?;
        let files = self.clone();
        let making = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let whole = std::fs::read(files.path_of(&hash)).ok()?;
            let small = picture::small_of(&whole).ok()?;
            files.put_small(&hash, &small);
            Some(())
        });
        making.await.ok().flatten()?;
        Some(path)
    }
}

/// A name that nobody has.
fn fresh_name() -> String {
    format!("{:032x}", rand::random::<u128>())
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}
