//! Cameras: the registry, one upstream per camera and profile, and who watches what.
//!
//! Reading order: what is known of cameras (`registry`), how one is reached (`dial`, `session`, `source`), what is kept of
//! it (`ring`, `feed`), in which forms (`rendition`, `follower`, `transcode`, `mse`), and how pages get it (`socket`, `tile`, `http`).

pub mod config;
pub mod secret;
pub mod status;
pub mod registry;
pub mod frame;
pub mod nal;
pub mod timeline;
pub mod ring;
pub mod feed;
mod backoff;
mod dial;
mod session;
mod source;
mod meters;
pub mod switchboard;
mod rendition;
mod follower;
#[cfg(feature = "ffmpeg")]
mod transcode;
mod snapshot;
mod mse;
pub mod message;
mod tile;
mod socket;
mod http;

pub use config::Config;
pub use http::Description;
pub use registry::Registry;

use domain::camera::Linked;
use domain::place::Point;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use switchboard::Switchboard;

/// The video part. Clones share everything.
#[derive(Clone)]
pub struct Video {
    board: Arc<Switchboard>,
    pages: Arc<AtomicU32>,
    snapshots: Arc<snapshot::Snapshots>,
}

impl Video {
    /// Takes the cameras into service; none is dialled before somebody watches. Needs a Tokio runtime from then on.
    #[must_use]
    pub fn start(config: Config, registry: Registry) -> Self {
        tracing::info!(cameras = registry.len(), "video ready");
        Self { board: Switchboard::new(config, registry), pages: Arc::default(), snapshots: Arc::default() }
    }

    /// Cameras linked to a spot: those that look at it first, then the nearest.
    #[must_use]
    pub fn ranked_near(&self, spot: Point, radius_m: f64, limit: usize) -> Vec<Linked> {
        self.board.registry.near(spot, radius_m, limit)
    }

    /// The cameras in service.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.board.registry
    }

    /// Streams open now.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.board.open_count()
    }

    /// Ends all streams and waits a moment for the cameras to be told.
    pub async fn shutdown(&self) {
        self.board.shutdown().await;
    }
}

/// The video part's routes. Who may use them is decided by the layers around.
pub fn router(video: Video) -> axum::Router {
    http::router(video)
}
