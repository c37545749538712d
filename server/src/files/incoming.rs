//! What is on its way in: a place for each sender, and a file that grows as bytes arrive, on the disk and not in memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::{Files, INCOMING, Refusal, fresh_name};
use crate::lock::lock;

/// Files on their way at the same time, from all senders.
const PLACES: usize = 64;
/// From one: a phone sends a handful of photos at once.
const SHARE: usize = 8;
/// Bytes that are gathered before they are written.
const PIECE: usize = 256 << 10;

/// Who sends how many; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<String, usize>>>);

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    OfThisSender,
    OfAll,
}

#[derive(Debug)]
struct Place {
    places: Places,
    sender: String,
}

impl Places {
    fn take(&self, sender: &str) -> Result<Place, NoPlace> {
        let mut taken = lock(&self.0);
        if taken.get(sender).is_some_and(|count| *count >= SHARE) {
            return Err(NoPlace::OfThisSender);
        }
        if taken.values().sum::<usize>() >= PLACES {
            return Err(NoPlace::OfAll);
        }
        *taken.entry(sender.to_owned()).or_default() += 1;
        Ok(Place { places: self.clone(), sender: sender.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.0);
        if let Some(count) = taken.get_mut(&self.sender) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.sender);
            }
        }
    }
}

/// One file on its way; gone from the disk when it is dropped.
#[derive(Debug)]
pub struct Incoming {
    files: Files,
    path: PathBuf,
    file: Option<File>,
    gathered: Vec<u8>,
    bytes: u64,
    _place: Place,
}

impl Files {
    /// A place for a file that somebody begins to send.
    pub fn receive(&self, sender: &str) -> Result<Incoming, NoPlace> {
        let place = self.0.places.take(sender)?;
        let path = self.folder().join(INCOMING).join(fresh_name());
        let files = self.clone();
        Ok(Incoming { files, path, file: None, gathered: Vec::new(), bytes: 0, _place: place })
    }
}

impl Incoming {
    /// Takes bytes that have arrived.
    pub async fn take(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.bytes += bytes.len() as u64;
        let most = self.files.settings().file_bytes();
        if self.bytes > most {
            return Err(Refusal::TooLarge { most });
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() < PIECE { Ok(()) } else { self.write().await }
    }

    /// All of it has arrived.
    pub async fn whole(&mut self) -> Result<(), Refusal> {
        if self.bytes == 0 {
            return Err(Refusal::Empty);
        }
        self.write().await?;
        let Some(file) = &mut self.file else { return Ok(()) };
        let flushed = file.flush().await;
        self.file = None;
        flushed.map_err(|error| self.files.not_stored(&error))
    }

    async fn write(&mut self) -> Result<(), Refusal> {
        let (files, bytes) = (self.files.clone(), self.bytes);
        let room = tokio::task::spawn_blocking(move || files.has_room(bytes)).await;
        room.map_err(|_| Refusal::NoRoom)??;
        let written = self.append().await;
        written.map_err(|error| self.files.not_stored(&error))
    }

    async fn append(&mut self) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                // At once: one that is opened while its sender goes away would be left.
                let opened = std::fs::File::options().write(true).create_new(true).open(&self.path)?;
                none.insert(File::from_std(opened))
            }
        };
        file.write_all(&self.gathered).await?;
        self.gathered.clear();
        Ok(())
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places_and_each_is_given_back() {
        let places = Places::default();
        let own: Vec<Place> = (0..SHARE).map(|_| places.take("phone").unwrap()).collect();
        assert_eq!(places.take("phone").unwrap_err(), NoPlace::OfThisSender);
        let others: Vec<Place> =
            (SHARE..PLACES).map(|at| places.take(&format!("phone {at}")).unwrap()).collect();
        assert_eq!(places.take("one more").unwrap_err(), NoPlace::OfAll);
        drop((own, others));
        assert!(lock(&places.0).is_empty());
    }
}
