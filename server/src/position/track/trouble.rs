//! Whether tracks are written, for the doors and for readiness.
//!
//! What should be here: the word of the writing thread. What should not: writing (`track`), answering (`http`).

use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Trouble(Arc<ArcSwapOption<String>>);

impl Trouble {
    /// Why the last attempt to write failed; none while all is well.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        self.0.load().as_deref().cloned()
    }

    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.load().is_some()
    }

    /// Returns whether this is news.
    pub(super) fn begin(&self, why: String) -> bool {
        self.0.swap(Some(Arc::new(why))).is_none()
    }

    /// Returns whether there was some.
    pub(super) fn end(&self) -> bool {
        self.is_there() && self.0.swap(None).is_some()
    }
}
