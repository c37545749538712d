//! A hall as it was at an instant, and how it goes on from there.
//!
//! What should be here: making that hall, and taking it through the events. What should not: when (`player`), whose wish it was.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::event::Recorded;
use domain::moment::UtcMillis;
use domain::state::State;
use rand::Rng;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::walks;
use crate::clock::Clock;
use crate::events::Reader;
use crate::folder::StoreError;
use crate::hall::Hall;
use crate::lists::Lists;
use crate::live::{Build, Hub};
use crate::position::{Accepts, Positions};
use crate::publish::{Listeners, Mirror};
use crate::world::{Drive, Identity, Replay, Shown};
use crate::writer::pen::Pen;
use crate::writer::{Committed, Publisher};

/// Events read ahead, and taken at one time at most: screens hear of the first before the last is read.
const AHEAD: usize = 500;

/// Events before the instant that the feed is led through, so that its lines of events are full at once.
const NEWEST_MAX: u64 = 2_048;

/// Where a replay stands in the process: beside which hall, as which world, by which clock.
#[derive(Clone)]
pub(super) struct At {
    pub home: Hall,
    pub identity: Arc<Identity>,
    pub clock: Clock,
    pub drive: Arc<dyn Drive>,
}

/// The hall at an instant.
pub(super) struct Moment {
    hall: Hall,
    state: State,
    listeners: Listeners<Replay>,
    /// The log without a ceiling: what comes next is read through it.
    log: Reader,
    /// The last event that has happened, for everybody who reads.
    ceiling: Arc<AtomicU64>,
    ahead: VecDeque<Recorded>,
    at: UtcMillis,
    /// Where people go on leaving their tracks.
    tracks: Positions,
    /// Dropped, people walk no further.
    walking: Option<DropGuard>,
}

impl Moment {
    /// Makes it from the state of then. Waits for the disk, on a thread of a tokio runtime.
    pub fn at(place: &At, instant: UtcMillis) -> Result<Self, StoreError> {
        let At { home, identity, clock, drive } = place;
        let log = home.reader.clone();
        let (state, newest) = log.state_at(log.last_at(instant)?, NEWEST_MAX)?;
        let ceiling = Arc::new(AtomicU64::new(state.seq));
        let lists = Lists::of_past(&home.lists, &state);
        let mirror = Mirror::default();
        let positions = Positions::of_past(&home.positions, Accepts::of(state.policy()), clock.clone());
        let build = Build::of(home.config.server.site.clone());
        let (hub, publisher) =
            Hub::new::<Replay>(home.config.live.clone(), positions.clone(), build, clock.clone());
        let mut listeners = Listeners {
            hub: publisher,
            lists: lists.clone(),
            mirror: mirror.clone(),
            follow: Vec::new(),
            beside: Vec::new(),
        };
        // Numbers of one instant mean nothing at another: whoever held something takes it anew.
        let epoch = rand::rng().random_range(1..u64::MAX);
        listeners.start(epoch, &state, newest);
        let hall = Hall {
            identity: identity.clone(),
            writer: Pen::Nobody,
            reader: log.until(ceiling.clone()),
            lists,
            mirror,
            hub,
            positions,
            clock: clock.clone(),
            shown: Shown::Driven(drive.clone()),
            ..home.clone()
        };
        hall.positions.set_works_in(hall.works_in());
        let (ahead, tracks) = (VecDeque::new(), home.positions.clone());
        Ok(Self { hall, state, listeners, log, ceiling, ahead, at: instant, tracks, walking: None })
    }

    /// People walk from its instant on. The clock stands there by now: by a clock that is still somewhere later they would have
    /// walked all the way already.
    pub fn set_out(&mut self) {
        let stop = CancellationToken::new();
        let hall = &self.hall;
        tokio::spawn(walks::walk(
            (self.tracks.clone(), hall.positions.clone()),
            (hall.clock.clone(), self.at),
            stop.clone(),
        ));
        self.walking = Some(stop.drop_guard());
    }

    pub fn hall(&self) -> &Hall {
        &self.hall
    }

    /// Whether something that was read ahead has happened by `now`, or nothing is known of what comes.
    pub fn is_due(&self, now: UtcMillis) -> bool {
        self.ahead.front().is_none_or(|next| next.at <= now)
    }

    /// Takes the hall through what happened up to `now`, a stretch of it at most. Gives when the next event happens; none at the
    /// end of the log. Waits for the disk.
    pub fn play(&mut self, now: UtcMillis) -> Result<Option<UtcMillis>, StoreError> {
        if self.ahead.is_empty() {
            self.ahead = self.log.page(self.state.seq, AHEAD)?.into();
        }
        let mut committed = Vec::new();
        while let Some(recorded) = self.ahead.pop_front_if(|next| next.at <= now) {
            let changes = self.state.apply(&recorded);
            committed.push(Committed { world: Replay, recorded, changes });
        }
        if !committed.is_empty() {
            // First: whoever hears of an event may ask for it at once.
            self.ceiling.store(self.state.seq, Ordering::Release);
            self.listeners.publish(&self.state, &committed);
        }
        if self.ahead.is_empty() && !committed.is_empty() {
            // Nothing is known of what comes: asked for in the next stretch.
            return Ok(Some(now));
        }
        Ok(self.ahead.front().map(|next| next.at))
    }

    /// Its screens are told to come again.
    pub fn end(&self) {
        self.hall.hub.replace();
    }
}
