//! The cameras of the city. A camera nobody watches is a row here: no task, no socket.

use super::secret::Endpoint;
use domain::camera::{Camera, Linked, rank};
use domain::code::CameraCode;
use domain::place::Point;
use retina::client::{InitialTimestampPolicy, SessionIdPolicy, TeardownPolicy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub mod import;

/// Which of a camera's two streams (主码流, 子码流).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    Main,
    Sub,
}

impl Profile {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profile::Main => "main",
            Profile::Sub => "sub",
        }
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Profile::Main => Profile::Sub,
            Profile::Sub => Profile::Main,
        }
    }
}

/// Deviations from the protocol that this camera needs to be forgiven.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quirks {
    pub session_id: SessionIdPolicy,
    pub initial_timestamp: InitialTimestampPolicy,
    pub teardown: TeardownPolicy,
}

/// One camera with what it takes to reach it.
#[derive(Debug)]
pub struct Entry {
    pub camera: Camera,
    pub main: Endpoint,
    pub sub: Option<Endpoint>,
    pub quirks: Quirks,
}

/// All cameras by code.
#[derive(Debug, Default)]
pub struct Registry {
    entries: BTreeMap<CameraCode, Arc<Entry>>,
}

impl Registry {
    /// Takes entries with different codes; a repeated code keeps its first entry (the importer refuses such rows).
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut registry = Self::default();
        for entry in entries {
            registry.entries.entry(entry.camera.code.clone()).or_insert_with(|| Arc::new(entry));
        }
        registry
    }

    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Arc<Entry>> {
        self.entries.get(&CameraCode::new(code).ok()?)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Cameras in the order of their codes, after `after`.
    pub fn page(&self, after: Option<&CameraCode>, limit: usize) -> impl Iterator<Item = &Arc<Entry>> {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.entries.range::<CameraCode, _>((from, Bound::Unbounded)).map(|(_, entry)| entry).take(limit)
    }

    /// Cameras linked to a spot: those that look at it first, then the nearest.
    #[must_use]
    pub fn near(&self, spot: Point, radius_m: f64, limit: usize) -> Vec<Linked> {
        let mut linked = rank(spot, self.entries.values().map(|entry| &entry.camera), radius_m);
        linked.truncate(limit);
        linked
    }
}
