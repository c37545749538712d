//! A counted place among the open connections of a hub.

use std::sync::atomic::Ordering;

use super::Hub;

/// Given back when it is dropped.
pub(super) struct Place(Hub);

impl Place {
    /// None where as many are open as may be.
    pub(super) fn take(hub: &Hub) -> Option<Self> {
        let open = hub.0.connections.fetch_add(1, Ordering::Relaxed);
        let place = Self(hub.clone());
        metrics::gauge!("gridhall_live_connections").increment(1.0);
        // Dropping the place gives it back.
        (open < hub.0.limits.connections_max).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.connections.fetch_sub(1, Ordering::Relaxed);
        metrics::gauge!("gridhall_live_connections").decrement(1.0);
    }
}
