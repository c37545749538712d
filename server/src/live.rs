//! The live feed: what every screen shows, at most a few milliseconds after it is durable.
//!
//! The writer hands each commit to [`HubPublisher`]; the board takes it over; the pacer announces a wave; every
//! connection sends what lies between its cursors and the wave, in frames that are encoded once and shared. There is
//! no queue per connection: a slow client costs its cursors. Protocol: `domain::wire`, `docs/live-protocol.md`.
//!
//! What should not be here: rules about cases, who may connect (the outer router), how events are kept.
//!
//! Modules in reading order.

use axum::Router;
use axum::routing::get;
use domain::moment::UtcMillis;
use domain::state::State;
use domain::wire::{Hex64, PROTOCOL, ServerMessage, Topic};
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

use crate::position::Positions;
use crate::writer::{Committed, Publisher};

pub mod keyed;
pub mod ring;
pub mod board;
pub mod socket;
pub mod frames;
pub mod session;
pub mod pacer;
mod moved;
pub mod catchup;
mod connection;
mod snapshot;

use crate::lock::lock;
use board::{Board, Heads};
use catchup::Catchup;
pub use catchup::History;
use frames::{Format, Frames, Next};
use pacer::{Pace, Wave};
use session::StandsAt;

/// Limits of the live feed.
#[derive(Debug, Clone, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open sockets; beyond it the answer is 503 with `Retry-After`.
    pub connections_max: usize,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u32,
    /// Commits closer together than this, in milliseconds, share a frame. The first one after a pause waits for
    /// nothing.
    pub coalesce_ms: u32,
    /// A client that takes nothing for this long, in milliseconds, is disconnected.
    pub stall_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections_max: 2_000, heartbeat_ms: 1_000, coalesce_ms: 12, stall_ms: 15_000 }
    }
}

/// The hub of the live feed; clones share it.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    board: Mutex<Board>,
    /// Whether the writer has said what the store holds.
    started: AtomicBool,
    positions: Positions,
    frames: Frames,
    pace: Arc<Pace>,
    waves: watch::Sender<Wave>,
    connections: AtomicUsize,
}

impl Hub {
    /// A hub and the end the writer holds. Must be called within a tokio runtime, which carries the pacer.
    #[must_use]
    pub fn new(limits: Limits, positions: Positions) -> (Self, HubPublisher) {
        let pace = Arc::new(Pace::default());
        let inner = Arc::new(Inner {
            limits,
            board: Mutex::new(Board::empty()),
            started: AtomicBool::new(false),
            frames: Frames::default(),
            positions,
            pace: pace.clone(),
            waves: watch::Sender::new(Wave::default()),
            connections: AtomicUsize::new(0),
        });
        tokio::spawn(pacer::run(Arc::downgrade(&inner), pace));
        (Self(inner.clone()), HubPublisher { hub: Self(inner) })
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

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    fn welcome(&self, server_ms: UtcMillis) -> ServerMessage {
        let board = lock(&self.0.board);
        ServerMessage::Welcome {
            protocol: PROTOCOL,
            epoch: Hex64(board.epoch),
            head: board.ring.head(),
            server_ms,
            heartbeat_ms: self.0.limits.heartbeat_ms,
            cell_e6: self.0.positions.settings().cell_e6,
        }
    }

    /// Where a topic stands.
    fn stands(&self, topic: &Topic) -> StandsAt {
        let board = lock(&self.0.board);
        let ceiling = match topic {
            Topic::Tally | Topic::Overdue | Topic::Whistle | Topic::Case(_) => board.ring.head(),
            Topic::Positions | Topic::Position(_) => self.0.positions.with(|table| table.version()),
        };
        StandsAt { epoch: board.epoch, ceiling }
    }

    /// The next frame for a subscriber that stands at `from`.
    fn next(&self, topic: &Topic, format: Format, from: u64, heads: &Heads) -> Next {
        let scope = match topic {
            Topic::Tally | Topic::Overdue | Topic::Whistle | Topic::Case(_) => {
                return self.0.frames.next(&self.0.board, topic, format, from, heads);
            }
            Topic::Positions => None,
            Topic::Position(cell) => Some(*cell),
        };
        self.0.frames.made_once((topic.clone(), format, from, heads.position), || {
            moved::next(self, topic, scope, format, from)
        })
    }

    /// Everything in one frame, for a subscriber that starts from nothing.
    fn whole(&self, topic: &Topic, format: Format, heads: &Heads) -> Next {
        if matches!(topic, Topic::Positions | Topic::Position(_)) {
            return self.next(topic, format, 0, heads);
        }
        let head = lock(&self.0.board).heads().of(topic);
        self.0.frames.made_once((topic.clone(), format, u64::MAX, head), || {
            let (epoch, all) = {
                let board = lock(&self.0.board);
                if board.count(topic) > board::KEYS_PER_MESSAGE {
                    return Next::TooFarBehind;
                }
                (board.epoch, board.all(topic))
            };
            match all {
                Some((to, payload)) => frames::delta(format, topic, epoch, 0, to, payload),
                None => Next::Idle,
            }
        })
    }
}

/// The writer's end of the hub.
#[derive(Debug)]
pub struct HubPublisher {
    hub: Hub,
}

impl Publisher for HubPublisher {
    fn start(&mut self, epoch: u64, state: &State) {
        *lock(&self.hub.0.board) = Board::start(epoch, state);
        self.hub.0.started.store(true, Ordering::Release);
        self.hub.0.pace.dirty.notify_one();
    }

    fn publish(&mut self, state: &State, committed: &[Committed]) {
        let committed = committed.iter().map(|committed| (&committed.recorded, &committed.changes));
        lock(&self.hub.0.board).commit(state, committed);
        self.hub.0.pace.dirty.notify_one();
    }
}

/// The doors of the feed as programs see them.
#[derive(utoipa::OpenApi)]
#[openapi(paths(connection::open, snapshot::get))]
pub struct Description;

/// What the routes of the feed share.
#[derive(Clone)]
struct Live {
    hub: Hub,
    catchup: Arc<Catchup>,
    snapshots: Arc<snapshot::Snapshots>,
}

/// `GET /live` and `GET /api/v1/live/snapshot`. Sign-in and Origin are checked by the outer router.
pub fn router(hub: Hub, history: Arc<dyn History>) -> Router {
    let live = Live {
        catchup: Arc::new(Catchup::new(hub.clone(), history)),
        snapshots: Arc::new(snapshot::Snapshots::default()),
        hub,
    };
    Router::new()
        .route("/live", get(connection::open))
        .route("/api/v1/live/snapshot", get(snapshot::get))
        .with_state(live)
}
