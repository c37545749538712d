//! One stream as its viewers see it: ring, status and who has to be woken. Sources write, viewers read.

use super::frame::Frame;
use super::ring::{Cursor, Lag, Limits, Next, Picture, Ring};
use super::status::{State, Status};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::lock::lock;

/// Wakes one reader of up to 64 streams and tells which of them have news.
#[derive(Debug, Default)]
pub struct Wake {
    news: AtomicU64,
    notify: Notify,
}

impl Wake {
    /// Marks `slot` (0…63) and wakes the reader.
    pub fn ring(&self, slot: u8) {
        let before = self.news.fetch_or(1 << (slot & 63), Ordering::AcqRel);
        if before == 0 {
            self.notify.notify_one();
        }
    }

    /// Slots with news since the last call, as bits.
    pub fn take(&self) -> u64 {
        self.news.swap(0, Ordering::AcqRel)
    }

    /// Resolves when there may be news.
    pub async fn heard(&self) {
        if self.news.load(Ordering::Acquire) == 0 {
            self.notify.notified().await;
        }
    }
}

/// Figures a source keeps about its stream.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    pub fps: f32,
    pub kbps: f32,
    /// Time between the last two key frames.
    pub key_interval_ms: Option<u32>,
    pub reconnects: u32,
    pub lost_packets: u64,
    /// From the dial to the first key frame, of the present session.
    pub first_frame_ms: Option<u32>,
}

/// Who reads a feed: whom to wake, at which slot, and what to do about being late.
#[derive(Debug, Clone)]
pub struct Reader {
    pub wake: Arc<Wake>,
    pub slot: u8,
    pub lag: Lag,
}

#[derive(Debug)]
struct Watcher {
    id: u64,
    wake: Arc<Wake>,
    slot: u8,
    /// Reads on, but for nobody.
    idle: bool,
}

#[derive(Debug)]
struct Inner {
    ring: Ring,
    status: Status,
    status_version: u64,
    figures: Figures,
    watchers: Vec<Watcher>,
    next_watcher: u64,
}

/// A stream that can be watched.
#[derive(Debug)]
pub struct Feed {
    inner: Mutex<Inner>,
    /// Nothing more comes of it, whoever watches.
    ended: CancellationToken,
    /// Rung when a viewer comes or goes.
    pub demand: Notify,
    /// Rung when an operator asks again for a stream that is waiting to be retried.
    pub again: Notify,
}

impl Feed {
    #[must_use]
    pub fn new(limits: Limits, now_ms: i64) -> Self {
        Self {
            inner: Mutex::new(Inner {
                ring: Ring::new(limits),
                status: Status::new(State::Connecting, now_ms),
                status_version: 1,
                figures: Figures::default(),
                watchers: Vec::new(),
                next_watcher: 0,
            }),
            ended: CancellationToken::new(),
            demand: Notify::new(),
            again: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Adds a picture and wakes the viewers.
    pub fn push(&self, picture: Picture) {
        let mut inner = self.lock();
        inner.ring.push(picture);
        inner.wake();
    }

    /// Forgets the pictures of a session that has ended.
    pub fn clear(&self) {
        self.lock().ring.clear();
    }

    /// Says how the stream is; a state that stays the same keeps its beginning, and the last word is not taken back.
    pub fn set_status(&self, status: Status) {
        let mut inner = self.lock();
        if !self.ended.is_cancelled() {
            inner.say(status);
        }
    }

    /// Nothing more comes of this stream; with a last word, where there is one.
    pub fn end(&self, last_word: Option<Status>) {
        let mut inner = self.lock();
        if let Some(status) = last_word.filter(|_| !self.ended.is_cancelled()) {
            inner.say(status);
        }
        self.ended.cancel();
    }

    /// Resolves when nothing more comes of it.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    #[must_use]
    pub fn status(&self) -> Status {
        self.lock().status.clone()
    }

    #[must_use]
    pub fn figures(&self) -> Figures {
        self.lock().figures
    }

    pub fn set_figures(&self, figures: Figures) {
        self.lock().figures = figures;
    }

    /// Who watches for somebody: tiles, and other forms of the stream while those are watched.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.lock().watchers.iter().filter(|watcher| !watcher.idle).count()
    }

    /// The newest key frame of the present session.
    #[must_use]
    pub fn last_key(&self) -> Option<Arc<Frame>> {
        self.lock().ring.last_key().cloned()
    }

    #[must_use]
    pub fn ring_bytes(&self) -> usize {
        self.lock().ring.bytes()
    }

    /// A viewer that starts with the newest group of pictures.
    #[must_use]
    pub fn watch(self: &Arc<Self>, reader: Reader) -> Viewer {
        let Reader { wake, slot, lag } = reader;
        let mut inner = self.lock();
        let id = inner.next_watcher;
        inner.next_watcher += 1;
        let cursor = inner.ring.join(lag);
        wake.ring(slot);
        inner.watchers.push(Watcher { id, wake, slot, idle: false });
        drop(inner);
        self.demand.notify_one();
        Viewer { feed: Arc::clone(self), id, cursor, status_seen: 0 }
    }
}

impl Inner {
    fn say(&mut self, mut status: Status) {
        if self.status.state == status.state {
            status.since_ms = self.status.since_ms;
        }
        if self.status != status {
            self.status = status;
            self.status_version += 1;
            self.wake();
        }
    }

    fn wake(&self) {
        for watcher in &self.watchers {
            watcher.wake.ring(watcher.slot);
        }
    }
}

/// One reader of a feed. Dropping it leaves.
#[derive(Debug)]
pub struct Viewer {
    feed: Arc<Feed>,
    id: u64,
    cursor: Cursor,
    status_seen: u64,
}

impl Viewer {
    /// What comes next for this viewer at `now`, by the steady clock.
    pub fn next(&mut self, now: Duration) -> Next {
        self.feed.lock().ring.next(&mut self.cursor, now)
    }

    /// Says whether it reads for somebody at present; one that does not keeps no stream open.
    pub fn set_idle(&self, idle: bool) {
        let mut inner = self.feed.lock();
        let own = inner.watchers.iter_mut().find(|watcher| watcher.id == self.id);
        let changed = own.is_some_and(|own| std::mem::replace(&mut own.idle, idle) != idle);
        drop(inner);
        if changed {
            self.feed.demand.notify_one();
        }
    }

    /// The status, when it is another one than last time.
    pub fn status_news(&mut self) -> Option<Status> {
        let inner = self.feed.lock();
        (inner.status_version != self.status_seen).then(|| {
            self.status_seen = inner.status_version;
            inner.status.clone()
        })
    }

    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.feed.lock().watchers.retain(|watcher| watcher.id != self.id);
        self.feed.demand.notify_one();
    }
}
