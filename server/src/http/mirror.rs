//! A copy of tallies and catalogue for REST, kept by the writer as the second listener behind the live hub.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::catalogue::Catalogue;
use domain::event::Event;
use domain::moment::Date;
use domain::state::State;
use domain::tally::{Count, TallyKey};

use crate::live::HubPublisher;
use crate::writer::{Committed, Publisher};

/// What REST answers from without asking the store.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub epoch: u64,
    pub seq: u64,
    pub today: Option<Date>,
    pub tally: BTreeMap<TallyKey, Count>,
    pub catalogue: Arc<Catalogue>,
}

/// Shared view; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Mirror(Arc<RwLock<View>>);

impl Mirror {
    /// Reads the view; keep it short, the writer waits meanwhile.
    pub fn read<T>(&self, read: impl FnOnce(&View) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells the live hub and the mirror of every commit.
pub struct Listeners {
    pub hub: HubPublisher,
    pub mirror: Mirror,
}

impl Publisher for Listeners {
    fn start(&mut self, epoch: u64, state: &State) {
        self.hub.start(epoch, state);
        let mut view = self.mirror.0.write().unwrap_or_else(PoisonError::into_inner);
        *view = View {
            epoch,
            seq: state.seq,
            today: Some(state.today),
            tally: state.tally.iter().map(|(key, value)| (key.clone(), value)).collect(),
            catalogue: Arc::new(state.catalogue.clone()),
        };
    }

    fn publish(&mut self, state: &State, committed: &[Committed]) {
        self.hub.publish(state, committed);
        let mut view = self.mirror.0.write().unwrap_or_else(PoisonError::into_inner);
        view.seq = state.seq;
        view.today = Some(state.today);
        for one in committed {
            for key in &one.changes.tally {
                match state.tally.get(key) {
                    gone if gone.is_zero() => drop(view.tally.remove(key)),
                    value => drop(view.tally.insert(key.clone(), value)),
                }
            }
            if matches!(one.recorded.event, Event::Policy(_)) {
                view.catalogue = Arc::new(state.catalogue.clone());
            }
        }
    }
}
