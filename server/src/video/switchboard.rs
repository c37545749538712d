//! Which streams are open, and the one door to open or share one.

use super::config::Config;
use super::dial::Dialer;
use super::feed::{Feed, Viewer, Wake};
use super::registry::{Entry, Profile, Registry};
use super::ring::Limits;
use super::source::Source;
use domain::code::CameraCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// In which form a camera's pictures are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rendition {
    /// As the camera sends them.
    Source,
    /// H.265 turned into H.264, shared by all who need it.
    H264,
    /// Key frames as JPEG pictures.
    Stills,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: CameraCode,
    pub profile: Profile,
    pub rendition: Rendition,
}

/// All open streams.
#[derive(Debug)]
pub struct Switchboard {
    pub registry: Registry,
    pub config: Arc<Config>,
    pub(super) dialer: Arc<Dialer>,
    feeds: Mutex<HashMap<Key, Arc<Feed>>>,
    pub(super) closing: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// One place for each transcode that may run.
    pub(super) transcodes: Arc<Semaphore>,
    /// Places for decoding single pictures; they are short, but a wall asks for many at once.
    pub(super) decoding: Semaphore,
}

impl Switchboard {
    #[must_use]
    pub fn new(config: Config, registry: Registry) -> Arc<Self> {
        Arc::new(Self {
            registry,
            dialer: Arc::new(Dialer::new(&config)),
            transcodes: Arc::new(Semaphore::new(usize::try_from(config.transcodes_max).unwrap_or(0))),
            decoding: Semaphore::new(2),
            config: Arc::new(config),
            feeds: Mutex::new(HashMap::new()),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<Key, Arc<Feed>>> {
        self.feeds.lock().expect("no code panics while it holds the feeds")
    }

    /// The stream as it is now, without opening it.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<Arc<Feed>> {
        self.feeds().get(key).cloned()
    }

    /// Open streams, for figures.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.feeds().len()
    }

    /// Watches a stream, opening it when nobody does yet.
    #[must_use]
    pub fn watch(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        profile: Profile,
        wake: Arc<Wake>,
        slot: u8,
    ) -> Viewer {
        let key = Key { code: entry.camera.code.clone(), profile, rendition: Rendition::Source };
        self.open(key, wake, slot, |feed, key| self.start_source(Arc::clone(entry), key, feed))
    }

    /// Watches the feed under `key` if it is open.
    pub(super) fn join(&self, key: &Key, wake: &Arc<Wake>, slot: u8) -> Option<Viewer> {
        self.feeds().get(key).map(|feed| feed.watch(Arc::clone(wake), slot))
    }

    /// Watches the feed under `key`; `start` is called when it is new. The lock is held, so that an actor cannot retire
    /// a feed somebody is about to watch.
    pub(super) fn open(
        &self,
        key: Key,
        wake: Arc<Wake>,
        slot: u8,
        start: impl FnOnce(Arc<Feed>, Key),
    ) -> Viewer {
        let mut feeds = self.feeds();
        if let Some(feed) = feeds.get(&key) {
            return feed.watch(wake, slot);
        }
        let feed = Arc::new(Feed::new(self.limits()));
        feeds.insert(key.clone(), Arc::clone(&feed));
        let viewer = feed.watch(wake, slot);
        drop(feeds);
        start(feed, key);
        viewer
    }

    fn limits(&self) -> Limits {
        let us = |ms: u64| i64::try_from(ms.saturating_mul(1_000)).unwrap_or(i64::MAX / 8);
        Limits {
            bytes: self.config.ring_bytes_max,
            us: us(self.config.ring_ms_max),
            lag_us: us(self.config.lag_ms_max),
        }
    }

    fn start_source(self: &Arc<Self>, entry: Arc<Entry>, key: Key, feed: Arc<Feed>) {
        let source = Source {
            entry,
            profile: key.profile,
            feed: Arc::clone(&feed),
            dialer: Arc::clone(&self.dialer),
            config: Arc::clone(&self.config),
            closing: self.closing.clone(),
            retire: self.retire_when_unwatched(key.clone(), &feed),
        };
        let leaving = Leaving { board: Arc::clone(self), key, feed };
        self.tasks.spawn(async move {
            source.run().await;
            drop(leaving);
        });
    }

    /// The question an actor asks before it ends.
    pub(super) fn retire_when_unwatched(
        self: &Arc<Self>,
        key: Key,
        feed: &Arc<Feed>,
    ) -> Box<dyn Fn() -> bool + Send + Sync> {
        let (board, feed) = (Arc::clone(self), Arc::clone(feed));
        Box::new(move || {
            let mut feeds = board.feeds();
            let unwatched = feed.viewers() == 0;
            if unwatched && feeds.get(&key).is_some_and(|present| Arc::ptr_eq(present, &feed)) {
                feeds.remove(&key);
            }
            unwatched
        })
    }

    /// Ends all streams and waits until the cameras have been told.
    pub async fn shutdown(&self) {
        self.closing.cancel();
        self.tasks.close();
        let ended = tokio::time::timeout(std::time::Duration::from_secs(3), self.tasks.wait()).await;
        if ended.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "camera streams did not end in time");
        }
        self.dialer.teardown().await;
    }
}

/// Takes a feed off the board however its actor ends, also by a panic.
pub(super) struct Leaving {
    pub board: Arc<Switchboard>,
    pub key: Key,
    pub feed: Arc<Feed>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut feeds = self.board.feeds();
        if feeds.get(&self.key).is_some_and(|present| Arc::ptr_eq(present, &self.feed)) {
            feeds.remove(&self.key);
        }
    }
}
