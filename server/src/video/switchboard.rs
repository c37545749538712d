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
use super::relay::stream::{Key, Profile, Rendition};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Cameras, open streams, and the places for work that is dear.
#[derive(Debug)]
pub struct Switchboard {
    pub registry: Registry,
    pub config: Arc<Config>,
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
    pub fn new(config: Config, registry: Registry) -> Arc<Self> {
        Arc::new(Self {
            registry,
            feeds: Feeds::new(limits(&config)),
            dialer: Arc::new(Dialer::new(&config)),
            transcodes: Arc::new(Semaphore::new(usize::try_from(config.transcodes_max).unwrap_or(0))),
            decoding: Semaphore::new(2),
            config: Arc::new(config),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Watches a stream as the camera sends it, opening it when nobody does yet.
    #[must_use]
    pub fn watch(&self, camera: &Arc<Registered>, profile: Profile, wake: Arc<Wake>, slot: u8) -> Viewer {
        let key = Key { code: camera.camera.code.clone(), profile, rendition: Rendition::Source };
        self.feeds.watch(key, self.reader(wake, slot), |held| {
            let source = Source {
                camera: Arc::clone(camera),
                held,
                dialer: Arc::clone(&self.dialer),
                config: Arc::clone(&self.config),
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

fn limits(config: &Config) -> Limits {
    Limits { bytes: config.ring_bytes_max, age: Duration::from_millis(config.ring_ms_max) }
}
