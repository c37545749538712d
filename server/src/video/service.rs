//! The video part as the hall holds it.

use super::adoption::{self, Adoption, Before, NotAdopted, Wish};
use super::config::Config;
use super::form::photo::Photos;
use super::origin::adopted::AdoptedLists;
use super::origin::file::ListFile;
use super::origin::registry::Registry;
use super::page::share::Shares;
use super::switchboard::Switchboard;
use crate::clock::Clock;
use crate::lock::lock;
use domain::camera::Linked;
use domain::event::By;
use domain::place::Point;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

/// The video part. Clones share everything.
#[derive(Clone)]
pub struct Video {
    pub(super) switchboard: Arc<Switchboard>,
    pub(super) pages: Arc<AtomicU32>,
    pub(super) photos: Arc<Photos>,
    pub(super) shares: Arc<Shares>,
    lists: Arc<dyn AdoptedLists>,
    /// One adoption after the other: each is compared with what the one before has left.
    adopting: Arc<Mutex<()>>,
}

impl Video {
    /// Takes the cameras into service; none is dialled before somebody watches. Needs a Tokio runtime from then on. Lists
    /// adopted later are kept in `lists`.
    #[must_use]
    pub fn start(config: Config, registry: Registry, lists: Arc<dyn AdoptedLists>, clock: Clock) -> Self {
        tracing::info!(cameras = registry.len(), "video ready");
        Self {
            shares: Shares::new(config.tiles_per_actor),
            switchboard: Switchboard::new(config, registry, clock),
            pages: Arc::default(),
            photos: Arc::default(),
            lists,
            adopting: Arc::default(),
        }
    }

    /// Takes another list of cameras into service, or says what it would change. It is kept first, which waits for the disk: not
    /// for the runtime's own threads.
    pub fn adopt(&self, list: &ListFile, wish: Wish, by: &By) -> Result<Adoption, NotAdopted> {
        let _one_after_the_other = lock(&self.adopting);
        let (registry, version) = (self.switchboard.registry(), self.lists.version());
        let considered = adoption::consider(&Before { registry: &registry, version }, list, wish)?;
        if wish.dry_run {
            return Ok(considered.adoption);
        }
        let kept = adoption::keep(considered, self.lists.as_ref(), list, wish.upon, by)?;
        self.switchboard.adopt(kept.registry);
        Ok(kept.adoption)
    }

    /// Cameras linked to a spot: those that look at it first, then the nearest.
    #[must_use]
    pub fn ranked_near(&self, spot: Point, radius_m: f64, limit: usize) -> Vec<Linked> {
        self.switchboard.registry().near(spot, radius_m, limit)
    }

    /// The cameras in service.
    #[must_use]
    pub fn registry(&self) -> Arc<Registry> {
        self.switchboard.registry()
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
