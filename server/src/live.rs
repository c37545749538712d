//! The live feed: what every screen shows, at most a few milliseconds after it is durable.
//!
//! The writer hands a digest of each commit to [`HubPublisher`] and goes on: no reader can hold it. Whoever looks at the
//! topics next takes it over; the pacer announces a wave; every connection sends what lies between its cursors and the
//! wave as one message, from deltas that are encoded once and shared. There is no queue per connection: a slow client
//! costs its cursors. Protocol: `domain::wire`, `docs/live-protocol.md`.
//!
//! What should not be here: rules about cases, who may connect (the outer router), how events are kept.
//!
//! Modules in reading order.

use axum::Router;
use axum::routing::get;
use domain::scope::Scope;
use domain::state::State;
use domain::wire::{Hex64, Kind, PROTOCOL, ServerMessage, Topic};
use serde::Deserialize;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::drill::breaking::Heard;
use crate::events::Newest;
use crate::lock::lock;
use crate::position::Positions;
use crate::world::{Live, World};
use crate::writer::{Committed, Publisher};

pub mod recent;
pub mod digest;
pub mod topics;
pub mod socket;
pub mod frames;
pub mod subscriber;
mod sets;
pub mod pacer;
mod moved;
pub mod catchup;
mod outgoing;
mod place;
mod connection;
mod beginning;
mod build;
#[cfg(test)]
mod tests;

pub use build::Build;
use catchup::Catchup;
pub use catchup::History;
use digest::{Digest, Digester};
use frames::{Format, Frames, Next};
use pacer::{Pace, Wave};
use sets::Sets;
use subscriber::{StandsAt, Subscription};
use topics::{Admission, Step, Topics};

/// Limits of the live feed.
#[derive(Debug, Clone, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open sockets; beyond it the answer is 503 with `Retry-After`.
    pub connections_max: usize,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u32,
    /// A wave of changes waits this long at most, in milliseconds, for the one before to reach everybody. In a quiet
    /// hall none waits.
    pub coalesce_ms: u32,
    /// A client that takes nothing for this long, in milliseconds, is disconnected.
    pub stall_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections_max: 2_000, heartbeat_ms: 1_000, coalesce_ms: 12, stall_ms: 15_000 }
    }
}

/// Digests that may wait before the writer takes them over itself, where nobody looks: a pacer that gets no time, or none at all.
const WAITING_DIGESTS: usize = 64;

/// The hub of the live feed; clones share it.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    build: Build,
    topics: Mutex<Topics>,
    /// What the writer has handed over and nobody has looked at. Held for a moment only, never while anything is read.
    inbox: Mutex<Vec<Handed>>,
    /// Identity of the store.
    epoch: AtomicU64,
    /// Whether the writer has said what the store holds.
    started: AtomicBool,
    /// How often areas have come to lie elsewhere.
    areas: AtomicU64,
    positions: Positions,
    clock: Clock,
    frames: Frames,
    sets: Sets,
    pace: Arc<Pace>,
    waves: watch::Sender<Wave>,
    connections: AtomicUsize,
    /// In a drill, what is heard of the city's cases of the first level.
    breaking: OnceLock<Heard>,
    /// Something else is shown from now on where this was: whoever is connected is told to come again.
    replaced: CancellationToken,
}

impl Hub {
    /// A hub and the end the writer holds. Must be called within a tokio runtime, which carries the pacer.
    #[must_use]
    pub fn new<W: World>(
        limits: Limits,
        positions: Positions,
        build: Build,
        clock: Clock,
    ) -> (Self, HubPublisher<W>) {
        let pace = Arc::new(Pace::default());
        let inner = Arc::new(Inner {
            limits,
            build,
            topics: Mutex::new(Topics::empty()),
            inbox: Mutex::default(),
            epoch: AtomicU64::new(0),
            started: AtomicBool::new(false),
            areas: AtomicU64::new(0),
            frames: Frames::default(),
            sets: Sets::default(),
            positions,
            clock,
            pace: pace.clone(),
            waves: watch::Sender::new(Wave::default()),
            connections: AtomicUsize::new(0),
            breaking: OnceLock::new(),
            replaced: CancellationToken::new(),
        });
        tokio::spawn(pacer::run(Arc::downgrade(&inner), pace));
        let publisher =
            HubPublisher { hub: Self(inner.clone()), digester: Digester::default(), world: PhantomData };
        (Self(inner), publisher)
    }

    /// Its screens hear of the city's cases of the first level, too: a drill's, told once at its opening.
    pub fn hear(&self, breaking: Heard) {
        let _ = self.0.breaking.set(breaking);
    }

    fn breaking(&self) -> Option<Heard> {
        self.0.breaking.get().cloned()
    }

    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Whether the board is filled: until then nobody may connect.
    #[must_use]
    pub fn started(&self) -> bool {
        self.0.started.load(Ordering::Acquire)
    }

    /// Tells everybody to come again: something else is shown there from now on.
    pub fn replace(&self) {
        self.0.replaced.cancel();
    }

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// The topics, with everything taken over that the writer has handed on.
    fn topics(&self) -> MutexGuard<'_, Topics> {
        let mut topics = lock(&self.0.topics);
        self.take_over(&mut topics);
        topics
    }

    fn take_over(&self, topics: &mut Topics) {
        let handed = std::mem::take(&mut *lock(&self.0.inbox));
        for handed in handed {
            match handed {
                Handed::Start(fresh) => {
                    self.0.epoch.store(fresh.epoch, Ordering::Release);
                    *topics = *fresh;
                }
                Handed::Commit(digest) => {
                    if digest.paths.is_some() {
                        self.0.areas.fetch_add(1, Ordering::AcqRel);
                    }
                    topics.take(digest);
                }
            }
        }
    }

    /// How often areas have come to lie elsewhere: who may follow what is asked anew then.
    fn areas(&self) -> u64 {
        self.0.areas.load(Ordering::Acquire)
    }

    /// Whether a topic may be followed with a scope, as areas lie now.
    fn admits(&self, scope: &Scope, topic: &Topic) -> bool {
        self.topics().admission(scope, topic) == Admission::Given
    }

    /// Identity of the store.
    fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::Acquire)
    }

    /// `head`: the last event of the wave that this connection begins with.
    fn welcome(&self, head: u64) -> ServerMessage {
        let (server_ms, pace_milli) = self.0.clock.course();
        ServerMessage::Welcome {
            protocol: PROTOCOL,
            epoch: Hex64(self.epoch()),
            head,
            server_ms,
            heartbeat_ms: self.0.limits.heartbeat_ms,
            cell_e6: self.0.positions.settings().cell_e6,
            build: self.0.build.word(),
            pace_milli,
        }
    }

    /// Where a topic stands, and whether the scope has it.
    fn stands(&self, topic: &Topic, scope: &Scope) -> StandsAt {
        let mut topics = self.topics();
        let ceiling = match topic.kind {
            Kind::Tally | Kind::Overdue | Kind::Open | Kind::Whistle | Kind::Case => topics.seq(),
            Kind::Who | Kind::Positions | Kind::Position(_) => self.0.positions.with(|table| table.version()),
        };
        let admission = topics.admission(scope, topic);
        // An area that is not there gets no place among those that are.
        let head = (admission == Admission::Given).then(|| topics.head(topic)).flatten();
        StandsAt { epoch: topics.epoch, ceiling, head, admission }
    }

    /// The store's identity, and the version of a topic's last change.
    fn head_of(&self, topic: &Topic) -> (u64, u64) {
        let part = topic.part.as_ref();
        let ticks = self.0.positions.with(|table| (table.version(), table.who_at(part).0));
        let mut topics = self.topics();
        let head = match topic.kind {
            Kind::Positions | Kind::Position(_) => ticks.0,
            Kind::Who => ticks.1,
            Kind::Case => topics.seq(),
            Kind::Tally | Kind::Overdue | Kind::Open | Kind::Whistle => {
                topics.head(topic).map_or(0, |head| head.get())
            }
        };
        (topics.epoch, head)
    }

    /// The next thing for a subscriber, at most up to `upto`.
    fn next(&self, subscription: &Subscription, format: Format, upto: u64) -> Next {
        let Subscription { topic, told, cursor, whole, .. } = subscription;
        let from = if *whole { 0 } else { *cursor };
        match topic.kind {
            Kind::Positions | Kind::Position(_) => {
                let cell = if let Kind::Position(cell) = topic.kind { Some(cell) } else { None };
                let key = (topic.clone(), format, from, upto);
                return self.0.frames.made_once(key, || moved::positions(self, topic, cell, format, from));
            }
            Kind::Who if !*whole => {
                let key = (topic.clone(), format, from, upto);
                return self.0.frames.made_once(key, || moved::who(self, topic, format, from, upto));
            }
            Kind::Tally | Kind::Overdue | Kind::Open | Kind::Whistle | Kind::Case | Kind::Who => {}
        }
        if *whole {
            let key = (topic.clone(), format, u64::MAX, upto);
            return self.0.frames.made_once(key, || self.whole(topic, format));
        }
        if *cursor >= upto {
            return Next::Idle;
        }
        self.0.frames.made_once((topic.clone(), format, *told, upto), || {
            let step = self.topics().step(topic, *cursor, upto);
            match step {
                Step::Rows { rows, .. } if rows.is_empty() => Next::Idle,
                Step::Rows { to, rows } => frames::delta(format, topic, *told, to, rows.told_from(*told)),
                Step::Log => Next::Log,
                Step::TooFarBehind => Next::TooFarBehind,
            }
        })
    }

    /// Everything in one delta, for a subscriber that starts from nothing; or the word that it must take a snapshot.
    fn whole(&self, topic: &Topic, format: Format) -> Next {
        let Some(all) = beginning::collect(self, topic) else { return Next::TooFarBehind };
        if all.rows.len() > ROWS_PER_MESSAGE {
            return Next::TooFarBehind;
        }
        let payload = frames::payload(all.rows, topic.audience);
        frames::encoded(
            format,
            &domain::wire::Delta { topic: topic.clone(), from: 0, to: all.version, payload },
        )
    }

    /// The answer to a subscription that misses nothing.
    fn nothing(&self, subscription: &Subscription, format: Format, to: u64) -> Next {
        let Subscription { topic, told, .. } = subscription;
        moved::nothing(format, topic, *told, to)
    }
}

/// Rows that are tried in one message for a client that starts from nothing.
const ROWS_PER_MESSAGE: usize = 6_000;

/// What the writer hands over.
#[derive(Debug)]
enum Handed {
    Start(Box<Topics>),
    Commit(Digest),
}

/// The writer's end of the hub, and the only way into it: what happened in one world reaches screens of that world alone.
#[derive(Debug)]
pub struct HubPublisher<W = Live> {
    hub: Hub,
    digester: Digester,
    world: PhantomData<W>,
}

impl<W> HubPublisher<W> {
    fn hand(&self, handed: Handed) {
        let waiting = {
            let mut inbox = lock(&self.hub.0.inbox);
            inbox.push(handed);
            inbox.len()
        };
        if waiting >= WAITING_DIGESTS {
            match self.hub.0.topics.try_lock() {
                Ok(mut topics) => self.hub.take_over(&mut topics),
                Err(TryLockError::Poisoned(topics)) => self.hub.take_over(&mut topics.into_inner()),
                // Somebody looks at them and takes the next over; the writer waits for nobody.
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.hub.0.pace.dirty.notify_one();
    }
}

impl<W: World> Publisher<W> for HubPublisher<W> {
    fn start(&mut self, epoch: u64, state: &State, newest: Option<Newest>) {
        let topics = match newest {
            Some(newest) => {
                let topics = Topics::resumed(epoch, newest, &mut self.digester);
                debug_assert_eq!(topics.seq(), state.seq, "the newest events lead to the state");
                topics
            }
            None => Topics::start(epoch, state, &mut self.digester),
        };
        self.hand(Handed::Start(Box::new(topics)));
        self.hub.0.started.store(true, Ordering::Release);
        self.hub.0.pace.dirty.notify_one();
    }

    fn publish(&mut self, state: &State, committed: &[Committed<W>]) {
        let committed = committed.iter().map(|committed| (&committed.recorded, &committed.changes));
        let digest = self.digester.digest(state, committed);
        self.hand(Handed::Commit(digest));
    }
}

/// The doors of the feed as programs see them.
#[derive(utoipa::OpenApi)]
#[openapi(paths(connection::open, beginning::get))]
pub struct Description;

/// What the routes of the feed share.
#[derive(Clone)]
struct Doors {
    hub: Hub,
    catchup: Arc<Catchup>,
    beginnings: Arc<beginning::Beginnings>,
}

/// `GET /live` and `GET /api/v1/live/snapshot`. Sign-in and Origin are checked by the outer router.
pub fn router(hub: Hub, history: Arc<dyn History>) -> Router {
    let doors = Doors {
        catchup: Arc::new(Catchup::new(hub.clone(), history)),
        beginnings: Arc::new(beginning::Beginnings::default()),
        hub,
    };
    Router::new()
        .route("/live", get(connection::open))
        .route("/api/v1/live/snapshot", get(beginning::get))
        .with_state(doors)
}
