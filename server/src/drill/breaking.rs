//! The live hall's first-level cases on their way to those in a drill (实战穿透).
//!
//! What should be here: the one thing that goes from the city to a drill, and its ends. It is of a type of its own, which no writer takes and
//! no tally counts. What should not: which cases they are (`domain::drill::breaking`), sockets (`live`).

use std::sync::Arc;

use domain::drill::breaking::Breaking;
use domain::state::State;
use tokio::sync::watch;

use crate::events::Newest;
use crate::world::Live;
use crate::writer::{Committed, Publisher};

/// Where it is heard; cheap to clone.
#[derive(Debug, Clone)]
pub struct Heard(watch::Receiver<Arc<Breaking>>);

impl Heard {
    /// As it stands.
    #[must_use]
    pub fn now(&self) -> Arc<Breaking> {
        self.0.borrow().clone()
    }

    /// Returns at the next change after what was taken last; never once the live hall has ended, nor where nothing is heard.
    pub async fn next(heard: &mut Option<Self>) {
        if let Some(Self(heard)) = heard
            && heard.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }

    /// As it stands; the next change is one after this.
    pub fn take(&mut self) -> Arc<Breaking> {
        self.0.borrow_and_update().clone()
    }
}

/// The end of whoever hears the city for one drill.
#[derive(Debug)]
pub(super) struct Ear(watch::Sender<Arc<Breaking>>);

impl Ear {
    /// Both ends, with what is heard first.
    pub fn new(first: Breaking) -> (Self, Heard) {
        let (told, heard) = watch::channel(Arc::new(first));
        (Self(told), Heard(heard))
    }

    pub fn tell(&self, heard: Breaking) {
        self.0.send_replace(Arc::new(heard));
    }
}

/// The live writer's end.
#[derive(Debug)]
pub struct Teller {
    known: Breaking,
    told: watch::Sender<Arc<Breaking>>,
}

/// Both ends of it.
#[must_use]
pub fn channel() -> (Teller, Heard) {
    let (told, heard) = watch::channel(Arc::new(Breaking::default()));
    (Teller { known: Breaking::default(), told }, Heard(heard))
}

impl Publisher<Live> for Teller {
    fn start(&mut self, _: u64, state: &State, _: Option<Newest>) {
        self.known = Breaking::of(state);
        self.told.send_replace(Arc::new(self.known.clone()));
    }

    fn publish(&mut self, _: &State, committed: &[Committed<Live>]) {
        let mut is_news = false;
        for one in committed {
            if let Some(case) = &one.changes.case {
                is_news |= self.known.take(&one.recorded, case);
            }
        }
        if is_news {
            self.told.send_replace(Arc::new(self.known.clone()));
        }
    }
}
