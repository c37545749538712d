//! Places a session takes on its camera, given back when dropped.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::simulator::Camera;

/// How long a slot stays taken after a TEARDOWN that was ignored.
const STALE_FOR: Duration = Duration::from_secs(15);

/// One of the camera's session slots.
pub struct Slot(Arc<Camera>);

impl Slot {
    /// Takes a slot, unless the limit in force is reached.
    pub fn take(camera: &Arc<Camera>) -> Option<Self> {
        let limit = camera.faults().session_limit().map_or(u64::MAX, u64::from);
        let sessions = &camera.counters.sessions;
        let more = |taken: u64| (taken < limit).then_some(taken + 1);
        let taken = sessions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Self(Arc::clone(camera)))
    }

    /// Gives the slot back only after a while.
    pub fn release_late(self, shutdown: CancellationToken) {
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(STALE_FOR) => {}
                () = shutdown.cancelled() => {}
            }
            drop(self);
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.counters.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts a session as playing.
pub struct Playing(Arc<Camera>);

impl Playing {
    pub fn start(camera: &Arc<Camera>) -> Self {
        camera.counters.played.fetch_add(1, Ordering::Relaxed);
        camera.counters.playing.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(camera))
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.0.counters.playing.fetch_sub(1, Ordering::Relaxed);
    }
}
