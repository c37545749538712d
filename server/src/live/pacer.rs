//! The shared clock of all connections: announces waves of changes, heartbeats and time slots, so that no connection
//! needs a timer of its own.

use domain::wire::{Hex64, ServerMessage, Topic};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

use super::Inner;
use super::board::Heads;
use super::frames::{self, Format};
use super::socket::Framed;
use crate::lock::lock;

/// How long a connection waits that may not send yet because of its own ceiling.
const SLOT: Duration = Duration::from_millis(50);
/// Pause after a wave for each screen that is woken by it, up to the limit in the settings: a few screens hear of
/// every commit at once, hundreds share frames.
const PAUSE_PER_SCREEN: Duration = Duration::from_micros(25);
const PAUSE_LEAST: Duration = Duration::from_millis(1);
/// Heartbeats between two with state hashes.
const BEATS_PER_HASH: u64 = 10;
/// Map cells whose hashes a heartbeat carries.
const CELLS_HASHED_MAX: usize = 256;
/// Heartbeats between two pings. Their answers show that a client takes what it is sent.
const BEATS_PER_PING: u64 = 5;

/// What wakes the pacer.
#[derive(Debug, Default)]
pub struct Pace {
    /// Something was committed or moved.
    pub dirty: Notify,
    /// A connection has something to send that its ceiling forbids right now.
    pub later: Notify,
}

/// What all connections see at the same moment: they send up to these versions, so that they share their frames.
#[derive(Debug, Clone, Default)]
pub struct Wave {
    /// Milliseconds since the hub began.
    pub ms: u64,
    pub heads: Heads,
    /// Heartbeats so far.
    pub beat: u64,
    pub heartbeat: Option<Arc<Heartbeat>>,
}

/// One heartbeat in both encodings.
#[derive(Debug)]
pub struct Heartbeat {
    pub binary: Framed,
    pub json: Framed,
    /// Whether a ping goes with it.
    pub ping: bool,
}

impl Heartbeat {
    #[must_use]
    pub fn in_format(&self, format: Format) -> Framed {
        match format {
            Format::Binary => self.binary.clone(),
            Format::Json => self.json.clone(),
        }
    }
}

enum Cause {
    Change,
    Beat,
}

/// Runs until the hub is dropped.
pub(super) async fn run(inner: Weak<Inner>, pace: Arc<Pace>) {
    let Some((heartbeat, coalesce, mut moved)) = inner.upgrade().map(|inner| {
        let ms = |ms: u32| Duration::from_millis(u64::from(ms.max(1)));
        (ms(inner.limits.heartbeat_ms), ms(inner.limits.coalesce_ms), inner.positions.versions())
    }) else {
        return;
    };
    let began = Instant::now();
    let mut beats = tokio::time::interval(heartbeat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let cause = tokio::select! {
            biased;
            _ = beats.tick() => Cause::Beat,
            () = pace.dirty.notified() => Cause::Change,
            changed = moved.changed() => match changed {
                Ok(()) => Cause::Change,
                Err(_) => return,
            },
            () = async {
                pace.later.notified().await;
                tokio::time::sleep(SLOT).await;
            } => Cause::Change,
        };
        let Some(hub) = inner.upgrade() else { return };
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        announce(&hub, cause, ms);
        let screens = u32::try_from(hub.connections.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        drop(hub);
        tokio::time::sleep(
            PAUSE_PER_SCREEN.saturating_mul(screens).clamp(PAUSE_LEAST.min(coalesce), coalesce),
        )
        .await;
    }
}

fn announce(hub: &Inner, cause: Cause, ms: u64) {
    if !hub.started.load(Ordering::Acquire) {
        return;
    }
    let (mut heads, hashes) = {
        let board = lock(&hub.board);
        (board.heads(), board.hashes())
    };
    heads.position = *hub.positions.versions().borrow();
    hub.waves.send_modify(|wave| {
        wave.ms = ms;
        wave.heads = heads;
        match cause {
            Cause::Change => {}
            Cause::Beat => {
                wave.beat += 1;
                wave.heartbeat = Some(Arc::new(heartbeat(hub, heads, hashes, wave.beat)));
            }
        }
    });
    hub.frames.forget_before(&heads);
}

fn heartbeat(hub: &Inner, heads: Heads, hashes: [(Topic, u64, u64); 3], beat: u64) -> Heartbeat {
    let topics = [Topic::Tally, Topic::Overdue, Topic::Whistle, Topic::Case(None), Topic::Positions];
    let hashes = if beat.is_multiple_of(BEATS_PER_HASH) {
        let (version, (all, cells)) = hub.positions.with(|table| (table.version(), table.hashes()));
        let cells = cells.into_iter().take(CELLS_HASHED_MAX);
        let cells = cells.map(|(cell, version, hash)| (Topic::Position(cell), version, hash));
        let positions = std::iter::once((Topic::Positions, version, all)).chain(cells);
        let hashes = hashes.into_iter().chain(positions);
        hashes.map(|(topic, version, hash)| (topic, version, Hex64(hash))).collect()
    } else {
        Vec::new()
    };
    let message = ServerMessage::Heartbeat {
        server_ms: crate::clock::now(),
        head: heads.case,
        heads: topics.into_iter().map(|topic| (topic.clone(), heads.of(&topic))).collect(),
        hashes,
        degraded: hub.positions.degraded(),
    };
    Heartbeat {
        binary: frames::encode(Format::Binary, &message),
        json: frames::encode(Format::Json, &message),
        ping: beat.is_multiple_of(BEATS_PER_PING),
    }
}
