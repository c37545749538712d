//! Where a drill's clock stands, on the disk while it goes: the one thing of a drill that changes without an event.
//!
//! What should be here: the file `clock.json`, and how often it is written. What should not: what a start makes of it
//! (`drill::opening`), what it says (`stored::real`).

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::moment::UtcMillis;
use domain::world::PACE_REAL;

use super::held::Held;
use crate::clock::{self, Instant};
use crate::stored::real as form;

const FILE: &str = "clock.json";
/// Every text of it has this length, so that a shorter one leaves nothing of the one before; less than any disk tears.
const BYTES: usize = 64;
/// Of the drill's own time: a start finds the clock no further back than this.
const EVERY: Duration = Duration::from_millis(500);
/// Of the machine's time: what survives a power cut is no older.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The file of one drill.
#[derive(Debug)]
pub(super) struct Stands {
    path: PathBuf,
    file: File,
    synced: Instant,
}

impl Stands {
    pub fn open(dir: &Path) -> std::io::Result<Self> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        Ok(Self { path, file, synced: clock::instant() })
    }

    /// Where the clock stood; none before it went, and of a file that says nothing.
    pub fn read(&self) -> Option<UtcMillis> {
        let mut bytes = [0; BYTES];
        let read = self.file.read_exact_at(&mut bytes, 0).ok();
        read.and_then(|()| form::stood(std::str::from_utf8(&bytes).ok()?.trim_end()).ok())
    }

    /// Writes where it stands. Blocks.
    pub fn write(&mut self, clock: UtcMillis) {
        let text = format!("{:<width$}\n", form::stands(clock), width = BYTES - 1);
        let written = self.file.write_all_at(text.as_bytes(), 0).and_then(|()| {
            if self.synced.elapsed() < SYNC_EVERY {
                return Ok(());
            }
            self.synced = clock::instant();
            self.file.sync_data()
        });
        if let Err(error) = written {
            // The drill goes on; after a crash its clock would stand further back.
            tracing::warn!(path = %self.path.display(), %error, "where a drill's clock stands cannot be written");
        }
    }
}

/// Writes it while the clock goes, and once when it comes to stand, until the drill is over.
pub(super) async fn run(held: Arc<Held>) {
    let over = held.over.clone();
    let mut changes = held.clock.changes();
    loop {
        let writing = held.clone();
        if tokio::task::spawn_blocking(move || writing.note_clock()).await.is_err() {
            return;
        }
        let pace = held.clock.course().1;
        let wait = async {
            match pace {
                0 => std::future::pending().await,
                pace => tokio::time::sleep(EVERY * PACE_REAL / pace).await,
            }
        };
        tokio::select! {
            () = over.cancelled() => return,
            () = changes.next() => {}
            () = wait => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_last_is_read_and_nothing_of_what_was_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut stands = Stands::open(dir.path()).unwrap();
        assert_eq!(stands.read(), None);
        for ms in [1_781_486_400_123, 7] {
            stands.write(UtcMillis(ms));
            assert_eq!(Stands::open(dir.path()).unwrap().read(), Some(UtcMillis(ms)));
        }
        std::fs::write(dir.path().join(FILE), "x".repeat(BYTES)).unwrap();
        assert_eq!(Stands::open(dir.path()).unwrap().read(), None, "it says nothing");
    }
}
