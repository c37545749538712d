//! Which streams are open: the table of feeds, and who may put one there or take it away.
//!
//! What should not be here: which cameras there are and what fills a feed (`switchboard.rs`, `origin/`, `form/`).

use super::feed::{Feed, Viewer, Wake};
use super::ring::Limits;
use super::stream::Key;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// All open streams.
#[derive(Debug)]
pub struct Feeds {
    limits: Limits,
    open: Mutex<HashMap<Key, Arc<Feed>>>,
}

impl Feeds {
    /// No streams; each that is opened holds at most `limits`.
    #[must_use]
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, Arc<Feed>>> {
        self.open.lock().expect("no code panics while it holds the feeds")
    }

    /// The stream as it is now, without opening it.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<Arc<Feed>> {
        self.open().get(key).cloned()
    }

    /// Open streams, for figures.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open().len()
    }

    /// Watches the feed under `key` if it is open.
    #[must_use]
    pub fn join(&self, key: &Key, wake: &Arc<Wake>, slot: u8) -> Option<Viewer> {
        self.open().get(key).map(|feed| feed.watch(Arc::clone(wake), slot))
    }

    /// Watches the feed under `key`; `start` is called when it is new. The lock is held meanwhile, so that an actor
    /// cannot retire a feed somebody is about to watch.
    pub fn watch(self: &Arc<Self>, key: Key, wake: Arc<Wake>, slot: u8, start: impl FnOnce(Held)) -> Viewer {
        let mut open = self.open();
        if let Some(feed) = open.get(&key) {
            return feed.watch(wake, slot);
        }
        let feed = Arc::new(Feed::new(self.limits));
        open.insert(key.clone(), Arc::clone(&feed));
        let viewer = feed.watch(wake, slot);
        drop(open);
        start(Held { feeds: Arc::clone(self), key, feed });
        viewer
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
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.take_off(&mut self.feeds.open());
    }
}
