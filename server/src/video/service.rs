//! The video part as the hall holds it.

use super::config::Config;
use super::form::photo::Photos;
use super::origin::registry::Registry;
use super::switchboard::Switchboard;
use domain::camera::Linked;
use domain::place::Point;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// The video part. Clones share everything.
#[derive(Clone)]
pub struct Video {
    pub(super) switchboard: Arc<Switchboard>,
    pub(super) pages: Arc<AtomicU32>,
    pub(super) photos: Arc<Photos>,
}

impl Video {
    /// Takes the cameras into service; none is dialled before somebody watches. Needs a Tokio runtime from then on.
    #[must_use]
    pub fn start(config: Config, registry: Registry) -> Self {
        tracing::info!(cameras = registry.len(), "video ready");
        Self {
            switchboard: Switchboard::new(config, registry),
            pages: Arc::default(),
            photos: Arc::default(),
        }
    }

    /// Cameras linked to a spot: those that look at it first, then the nearest.
    #[must_use]
    pub fn ranked_near(&self, spot: Point, radius_m: f64, limit: usize) -> Vec<Linked> {
        self.switchboard.registry.near(spot, radius_m, limit)
    }

    /// The cameras in service.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.switchboard.registry
    }

    /// Streams open now.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.switchboard.feeds.count()
    }

    /// Ends all streams and waits a moment for the cameras to be told.
    pub async fn shutdown(&self) {
        self.switchboard.shutdown().await;
    }
}
