//! How many cameras one actor has open on all pages together: what a single account, token or wall can make the hall dial.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// Open cameras by actor.
#[derive(Debug)]
pub struct Shares {
    each: u32,
    open: Mutex<HashMap<Arc<str>, u32>>,
}

impl Shares {
    /// `each` actor may have so many open.
    #[must_use]
    pub fn new(each: u32) -> Arc<Self> {
        Arc::new(Self { each, open: Mutex::default() })
    }

    #[must_use]
    pub fn each(&self) -> u32 {
        self.each
    }

    /// One more for `actor`; none when all of its share is in use.
    #[must_use]
    pub fn take(self: &Arc<Self>, actor: &Arc<str>) -> Option<Share> {
        let mut open = lock(&self.open);
        let count = open.entry(Arc::clone(actor)).or_default();
        if *count >= self.each {
            return None;
        }
        *count += 1;
        Some(Share { of: Arc::clone(self), actor: Arc::clone(actor) })
    }
}

/// One open camera of an actor, given back when dropped.
#[derive(Debug)]
pub struct Share {
    of: Arc<Shares>,
    actor: Arc<str>,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = lock(&self.of.open);
        if let Some(count) = open.get_mut(&self.actor) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.actor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_actor_has_a_share_of_its_own_and_gets_it_back() {
        let shares = Shares::new(2);
        let (zhou, wall): (Arc<str>, Arc<str>) = ("zhou".into(), "wall-1".into());
        let first = shares.take(&zhou).unwrap();
        let _second = shares.take(&zhou).unwrap();
        assert!(shares.take(&zhou).is_none());
        assert!(shares.take(&wall).is_some(), "another one's is not touched");
        drop(first);
        assert!(shares.take(&zhou).is_some());
        drop(_second);
        assert!(shares.open.lock().unwrap().is_empty(), "who has none open is forgotten");
    }
}
