//! The one door to a stream: which cameras there are, what may run at one time, and who fills a feed nobody had opened.
//!
//! What should not be here: how a camera is reached (`origin/`), what a feed holds (`relay/`), other forms (`form/`).

use super::config::Config;
use super::origin::dial::Dialer;
use super::origin::registry::{Registered, Registry};
use super::origin::source::Source;
use super::relay::feed::{Reader, Viewer, Wake};
use super::relay::feeds::Feeds;
use super::relay::ring::{Lag, Limits};
use super::relay::status::{Cause, State, Status};
use super::relay::stream::{Key, Profile, Rendition};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Cameras, open streams, and the places for work that is dear.
#[derive(Debug)]
pub struct Switchboard {
    registry: ArcSwap<Registry>,
    /// Counts the lists adopted.
    revision: AtomicU64,
    pub config: Arc<Config>,
    /// What pictures are stamped by.
    pub clock: Clock,
    pub feeds: Arc<Feeds>,
    dialer: Arc<Dialer>,
    pub(super) closing: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// One place for each transcode that may run.
    pub(super) transcodes: Arc<Semaphore>,
    /// Places for decoding single pictures; they are short, but a wall asks for many at once.
    pub(super) decoding: Semaphore,
}

impl Switchboard {
    #[must_use]
    pub fn new(config: Config, registry: Registry, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            registry: ArcSwap::from_pointee(registry),
            revision: AtomicU64::new(0),
            feeds: Feeds::new(limits(&config), clock.clone()),
            dialer: Arc::new(Dialer::new(&config)),
            transcodes: Arc::new(Semaphore::new(usize::try_from(config.transcodes_max).unwrap_or(0))),
            decoding: Semaphore::new(2),
            config: Arc::new(config),
            clock,
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// The cameras in service.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// Rises with each list adopted: who holds a camera looks it up again then.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Takes another list of cameras into service. Streams of cameras that are as they were go on; who watches another one is
    /// told, and finds it at its new address where it has one.
    pub fn adopt(&self, list: Registry) {
        let before = self.registry();
        let after = Arc::new(list.sharing(&before));
        self.registry.store(Arc::clone(&after));
        self.revision.fetch_add(1, Ordering::AcqRel);
        let now_ms = self.clock.now().0;
        for (code, was) in before.iter() {
            let last_word = match after.get(code.as_str()) {
                Some(now) if now.origin == was.origin => continue,
                Some(_) => Status::new(State::Connecting, now_ms),
                None => gone(now_ms),
            };
            self.feeds.withdraw(code, &last_word);
        }
    }

    /// Watches a stream as the camera sends it, opening it when nobody does yet.
    #[must_use]
    pub fn watch(&self, camera: &Arc<Registered>, profile: Profile, wake: Arc<Wake>, slot: u8) -> Viewer {
        let key = Key { code: camera.camera.code.clone(), profile, rendition: Rendition::Source };
        self.feeds.watch(key, self.reader(wake, slot), |held| {
            // Whoever held an older list while another was adopted opens nothing.
            let known = self
                .registry
                .load()
                .get(camera.camera.code.as_str())
                .is_some_and(|now| now.origin == camera.origin);
            if !known {
                held.feed().end(Some(gone(self.clock.now().0)));
                return;
            }
            let source = Source {
                camera: Arc::clone(camera),
                held,
                dialer: Arc::clone(&self.dialer),
                config: Arc::clone(&self.config),
                clock: self.clock.clone(),
                closing: self.closing.clone(),
            };
            self.tasks.spawn(source.run());
        })
    }

    /// Who shows the present of a stream, and rings `wake` at `slot`.
    pub(super) fn reader(&self, wake: Arc<Wake>, slot: u8) -> Reader {
        Reader { wake, slot, lag: Lag::Skip(Duration::from_millis(self.config.lag_ms_max)) }
    }

    /// Ends all streams and waits until the cameras have been told.
    pub async fn shutdown(&self) {
        self.closing.cancel();
        self.tasks.close();
        let ended = tokio::time::timeout(Duration::from_secs(3), self.tasks.wait()).await;
        if ended.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "camera streams did not end in time");
        }
        self.dialer.teardown().await;
    }
}

fn gone(now_ms: i64) -> Status {
    Status::caused(Cause::UnknownCamera, "the camera is no longer in the list", now_ms)
}

fn limits(config: &Config) -> Limits {
    Limits { bytes: config.ring_bytes_max, age: Duration::from_millis(config.ring_ms_max) }
}
