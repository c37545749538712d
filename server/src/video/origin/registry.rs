//! The cameras of the city. A camera nobody watches is a row here: no task, no socket.

use super::upstream::Origin;
use domain::camera::{Camera, Linked, rank};
use domain::code::CameraCode;
use domain::place::Point;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One camera with what it takes to reach it.
#[derive(Debug, PartialEq)]
pub struct Registered {
    pub camera: Camera,
    pub origin: Origin,
}

/// All cameras by code.
#[derive(Debug, Default, Clone)]
pub struct Registry {
    cameras: BTreeMap<CameraCode, Arc<Registered>>,
}

impl Registry {
    /// Takes cameras with different codes; a repeated code keeps the first (the importer refuses such rows).
    #[must_use]
    pub fn new(cameras: impl IntoIterator<Item = Registered>) -> Self {
        let mut registry = Self::default();
        for one in cameras {
            registry.cameras.entry(one.camera.code.clone()).or_insert_with(|| Arc::new(one));
        }
        registry
    }

    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Arc<Registered>> {
        self.cameras.get(&CameraCode::new(code).ok()?)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.cameras.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cameras.is_empty()
    }

    /// The same cameras, those that are as they were in `before` shared with it.
    #[must_use]
    pub fn sharing(self, before: &Self) -> Self {
        let cameras = self.cameras.into_iter().map(|(code, one)| {
            let same = before.cameras.get(&code).filter(|known| **known == one);
            let shared = same.map_or(one, Arc::clone);
            (code, shared)
        });
        Self { cameras: cameras.collect() }
    }

    /// All of them in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = (&CameraCode, &Arc<Registered>)> {
        self.cameras.iter()
    }

    /// Cameras in the order of their codes, after `after`.
    pub fn page(&self, after: Option<&CameraCode>, limit: usize) -> impl Iterator<Item = &Arc<Registered>> {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.cameras.range::<CameraCode, _>((from, Bound::Unbounded)).map(|(_, one)| one).take(limit)
    }

    /// Cameras linked to a spot: those that look at it first, then the nearest.
    #[must_use]
    pub fn near(&self, spot: Point, radius_m: f64, limit: usize) -> Vec<Linked> {
        let mut linked = rank(spot, self.cameras.values().map(|one| &one.camera), radius_m);
        linked.truncate(limit);
        linked
    }
}
