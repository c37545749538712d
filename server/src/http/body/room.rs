//! The room bodies take while they are in memory: counted as bytes arrive, with a share for each sender, and apart for
//! small ones, so that a person's command gets through whatever others send.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// Room of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Of all senders together.
    pub bytes: usize,
    /// Of one.
    pub share: usize,
}

/// Whose share it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    Actor(String),
    Address(IpAddr),
}

/// Why a body may not grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    OfThisSender,
    OfAll,
}

/// The room of all bodies; clones share it.
#[derive(Debug, Clone)]
pub struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// A body's first bytes, this many, are small.
    small_bytes: usize,
    small: Pool,
    large: Pool,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    all: Bytes,
    of: HashMap<Holder, Bytes>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Bytes {
    small: usize,
    large: usize,
}

/// What one body holds; given back when dropped.
#[derive(Debug)]
pub struct Held {
    room: Room,
    holder: Holder,
    bytes: usize,
}

impl Room {
    #[must_use]
    pub fn new(small_bytes: usize, small: Pool, large: Pool) -> Self {
        Self(Arc::new(Shared { small_bytes, small, large, taken: Mutex::default() }))
    }

    /// A body that has not begun to arrive.
    #[must_use]
    pub fn hold(&self, holder: Holder) -> Held {
        Held { room: self.clone(), holder, bytes: 0 }
    }

    fn split(&self, bytes: usize) -> Bytes {
        let small = bytes.min(self.0.small_bytes);
        Bytes { small, large: bytes - small }
    }
}

impl Held {
    /// Takes room for bytes that have arrived.
    pub fn grow(&mut self, by: usize) -> Result<(), NoRoom> {
        let shared = &self.room.0;
        let (before, after) = (self.room.split(self.bytes), self.room.split(self.bytes + by));
        let (small, large) = (after.small - before.small, after.large - before.large);
        let mut taken = lock(&shared.taken);
        let own = taken.of.get(&self.holder).copied().unwrap_or_default();
        if own.small + small > shared.small.share || own.large + large > shared.large.share {
            return Err(NoRoom::OfThisSender);
        }
        if taken.all.small + small > shared.small.bytes || taken.all.large + large > shared.large.bytes {
            return Err(NoRoom::OfAll);
        }
        taken.all.small += small;
        taken.all.large += large;
        let own = taken.of.entry(self.holder.clone()).or_default();
        own.small += small;
        own.large += large;
        self.bytes += by;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let held = self.room.split(self.bytes);
        let mut taken = lock(&self.room.0.taken);
        taken.all.small -= held.small;
        taken.all.large -= held.large;
        if let Some(own) = taken.of.get_mut(&self.holder) {
            own.small -= held.small;
            own.large -= held.large;
            if *own == Bytes::default() {
                taken.of.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str) -> Holder {
        Holder::Actor(name.to_owned())
    }

    fn room() -> Room {
        Room::new(64, Pool { bytes: 640, share: 160 }, Pool { bytes: 1_000, share: 400 })
    }

    #[test]
    fn one_sender_has_a_share_and_another_gets_through() {
        let room = room();
        let mut held: Vec<Held> = (0..10).map(|_| room.hold(actor("kiosk"))).collect();
        let grown: Vec<bool> = held.iter_mut().map(|body| body.grow(200).is_ok()).collect();
        assert_eq!(grown.iter().filter(|grown| **grown).count(), 2, "136 large bytes each, of 400");
        assert_eq!(held[5].grow(200), Err(NoRoom::OfThisSender));
        let mut command = room.hold(actor("dispatcher"));
        assert_eq!(command.grow(64), Ok(()));
        // Chunk by chunk is the same as at once, and what is dropped is free again.
        held.clear();
        let mut slow = room.hold(actor("kiosk"));
        assert!((0..46).all(|_| slow.grow(10).is_ok()));
        assert_eq!(slow.grow(10), Err(NoRoom::OfThisSender));
        drop((slow, command));
        assert_eq!(*lock(&room.0.taken), Taken::default());
    }

    #[test]
    fn large_bodies_of_many_leave_the_small_ones_their_room() {
        let room = room();
        let mut large: Vec<Held> =
            (0..5).map(|number| room.hold(actor(&format!("machine-{number}")))).collect();
        let grown = large.iter_mut().filter_map(|body| body.grow(64 + 300).ok()).count();
        assert_eq!(grown, 3);
        assert_eq!(large[4].grow(64 + 300), Err(NoRoom::OfAll));
        assert_eq!(room.hold(actor("dispatcher")).grow(64), Ok(()));
    }
}
