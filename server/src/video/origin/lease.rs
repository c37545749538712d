//! Sessions with one host as the others there see them: who holds one for nobody, and who is asked to hand it on.
//!
//! A stream nobody watches any more lingers for who comes back, and holds its session meanwhile; a recorder has few.

use crate::clock::Instant;
use crate::lock::lock;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// One session.
#[derive(Debug, Default)]
pub struct Lease {
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Watched,
    Idle {
        since: Instant,
    },
    /// Idle, and a stream that is watched waits for it.
    Wanted,
}

impl Lease {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Says since when nobody watches, if nobody does. Who has been asked stays so until somebody watches.
    pub fn set_idle(&self, since: Option<Instant>) {
        let mut state = self.state();
        *state = match (*state, since) {
            (_, None) => State::Watched,
            (State::Wanted, Some(_)) => State::Wanted,
            (State::Watched | State::Idle { .. }, Some(since)) => State::Idle { since },
        };
    }

    #[must_use]
    pub fn is_wanted(&self) -> bool {
        matches!(*self.state(), State::Wanted)
    }

    /// Resolves when it is asked for.
    pub async fn wanted(&self) {
        while !self.is_wanted() {
            self.asked.notified().await;
        }
    }

    fn idle_since(&self) -> Option<Instant> {
        match *self.state() {
            State::Idle { since } => Some(since),
            State::Watched | State::Wanted => None,
        }
    }

    /// Asks for it; false when somebody has come to watch meanwhile.
    fn ask(&self) -> bool {
        let mut state = self.state();
        let idle = matches!(*state, State::Idle { .. });
        if idle {
            *state = State::Wanted;
            self.asked.notify_one();
        }
        idle
    }
}

/// The sessions with one host.
#[derive(Debug, Default)]
pub struct Leases {
    all: Mutex<Vec<Arc<Lease>>>,
    changed: Notify,
}

impl Leases {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Lease>>> {
        lock(&self.all)
    }

    #[must_use]
    pub fn add(&self) -> Arc<Lease> {
        let lease = Arc::<Lease>::default();
        self.all().push(Arc::clone(&lease));
        lease
    }

    pub fn remove(&self, lease: &Arc<Lease>) {
        self.all().retain(|other| !Arc::ptr_eq(other, lease));
    }

    /// Tells those who wait that one has become idle, or is watched again.
    pub fn changed(&self) {
        self.changed.notify_waiters();
    }

    /// Resolves at the next change from now on.
    pub fn heard(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Asks the one that has been idle for longest; none when none is.
    #[must_use]
    pub fn ask_longest_idle(&self) -> Option<Arc<Lease>> {
        let all = self.all();
        let mut idle: Vec<_> = all.iter().filter_map(|lease| Some((lease.idle_since()?, lease))).collect();
        idle.sort_by_key(|(since, _)| *since);
        idle.into_iter().map(|(_, lease)| lease).find(|lease| lease.ask()).cloned()
    }
}
