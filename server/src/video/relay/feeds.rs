//! Which streams are open: the table of feeds, and who may put one there or take it away.
//!
//! What should not be here: which cameras there are and what fills a feed (`switchboard.rs`, `origin/`, `form/`).

use super::feed::{Feed, Reader, Viewer};
use super::ring::Limits;
use super::status::Status;
use super::stream::Key;
use crate::clock::Clock;
use crate::lock::lock;
use domain::code::CameraCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// All open streams.
#[derive(Debug)]
pub struct Feeds {
    limits: Limits,
    clock: Clock,
    open: Mutex<HashMap<Key, Arc<Feed>>>,
}

impl Feeds {
    /// No streams; each that is opened holds at most `limits`.
    #[must_use]
    pub fn new(limits: Limits, clock: Clock) -> Arc<Self> {
        Arc::new(Self { limits, clock, open: Mutex::default() })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, Arc<Feed>>> {
        lock(&self.open)
    }

    /// The stream as it is now, without opening it.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<Arc<Feed>> {
        self.open().get(key).cloned()
    }

    /// Every open stream, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<(Key, Arc<Feed>)> {
        self.open().iter().map(|(key, feed)| (key.clone(), Arc::clone(feed))).collect()
    }

    /// Open streams, for figures.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open().len()
    }

    /// Watches the feed under `key` if it is open.
    #[must_use]
    pub fn join(&self, key: &Key, reader: &Reader) -> Option<Viewer> {
        self.open().get(key).map(|feed| feed.watch(reader.clone()))
    }

    /// Watches the feed under `key`; `start` is called when it is new. The lock is held meanwhile, so that an actor
    /// cannot retire a feed somebody is about to watch.
    pub fn watch(self: &Arc<Self>, key: Key, reader: Reader, start: impl FnOnce(Held)) -> Viewer {
        let mut open = self.open();
        if let Some(feed) = open.get(&key) {
            return feed.watch(reader);
        }
        let feed = Arc::new(Feed::new(self.limits, self.clock.now().0));
        open.insert(key.clone(), Arc::clone(&feed));
        let viewer = feed.watch(reader);
        drop(open);
        start(Held { feeds: Arc::clone(self), key, feed });
        viewer
    }
}

impl Feeds {
    /// Ends every stream of a camera with a last word; who watches is told, and who comes next gets a new one.
    pub fn withdraw(&self, code: &CameraCode, last_word: &Status) -> usize {
        let mut open = self.open();
        let mut ended = 0;
        open.retain(|key, feed| {
            let withdrawn = key.code == *code;
            if withdrawn {
                feed.end(Some(last_word.clone()));
                ended += 1;
            }
            !withdrawn
        });
        ended
    }
}

/// A feed in the table, in the hands of the task that fills it. Dropping it takes the feed away, however that task
/// ends, also by a panic.
#[derive(Debug)]
pub struct Held {
    feeds: Arc<Feeds>,
    key: Key,
    feed: Arc<Feed>,
}

impl Held {
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Takes the feed off the table unless somebody watches it, and says whether it did: the question an actor asks
    /// before it ends.
    #[must_use]
    pub fn retire(&self) -> bool {
        let mut open = self.feeds.open();
        let unwatched = self.feed.viewers() == 0;
        if unwatched {
            self.take_off(&mut open);
        }
        unwatched
    }

    fn take_off(&self, open: &mut HashMap<Key, Arc<Feed>>) {
        if open.get(&self.key).is_some_and(|present| Arc::ptr_eq(present, &self.feed)) {
            open.remove(&self.key);
        }
        self.feed.end(None);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.take_off(&mut self.feeds.open());
    }
}
