//! What travels between the server and its screens. Binary for the UI (postcard behind a kind byte), JSON text for
//! anyone (`GET /live?format=json`): the same types, the same protocol.
//!
//! Walk: the server sends `Welcome`, the client `Hello` and a `Subscribe` for each topic. Keyed topics (`tally`,
//! `overdue`, `open`, `whistle`, `who`) begin with `GET /api/v1/live/snapshot?topic=T`, which gives [`Snapshot`], and
//! are followed from its epoch and version. Each wave brings one `Deltas` with what is new in all topics of the
//! connection; every subscription is answered once, with an empty delta when nothing is missing. A client applies a
//! delta only when `from` is where it stands, ignores one whose `to` it has already reached, and otherwise subscribes
//! anew. A delta from 0 carries everything: the client forgets what it held. Keyed topics resume by version: a delta
//! may jump over any distance. The event topic (`case`) leaves nothing out that it does not declare: [`Events::since`].
//! `crate::feed` is the client's half; `docs/live-protocol.md` tells integrators the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::code::InspectorCode;
use crate::drill::breaking::BreakingRows;
use crate::moment::UtcMillis;
use crate::scope::Scope;
use crate::tally::{Count, TallyKey};
use crate::whistle::Whistle;

mod topic;
mod rows;
mod open;
mod bytes;
#[cfg(test)]
mod tests;

pub use bytes::{Incoming, UnreadableError, deltas_head};
pub use open::{OpenCase, OpenRow, OpenRows, OpenRowsError, ROW_BYTES_MAX, Word};
pub use rows::{CaseLine, EventLine, OverdueRow, PositionRow};
pub use topic::{Hex64, Kind, Part, Topic};

/// Version of this protocol; a server answers a client of another version with a reason and closes.
pub const PROTOCOL: u8 = 3;
/// First byte of a binary WebSocket message or snapshot: a postcard [`ServerMessage`], [`Snapshot`] or [`ClientMessage`] follows.
pub const KIND_MESSAGE: u8 = 1;
/// Close code of every socket of the hall: the session has ended or the token is revoked; for private use (RFC 6455 §7.4.2).
pub const CLOSE_SIGNED_OUT: u16 = 4001;
/// First byte of a binary WebSocket message: a packed [`crate::position::Frame`] follows.
pub const KIND_POSITIONS: u8 = 2;
/// Largest message a client may send, in bytes.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// What a client may say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// First message.
    Hello {
        protocol: u8,
        /// Which build of the screens speaks; empty for anything else.
        #[serde(default)]
        build: String,
    },
    Subscribe {
        topic: Topic,
        /// Epoch of the snapshot or feed the client has; none when it starts from nothing.
        #[serde(default)]
        epoch: Option<Hex64>,
        /// Version it stands at, within that epoch.
        #[serde(default)]
        from: Option<u64>,
        /// At most this many deltas per second; the server's ceiling holds beyond it.
        #[serde(default)]
        max_hz: Option<u8>,
    },
    Unsubscribe {
        topic: Topic,
    },
    /// The client's state hash differed from the heartbeat's at the same version. The server counts it and answers
    /// `Resync`.
    Diverged {
        topic: Topic,
        version: u64,
    },
}

impl ClientMessage {
    /// The same from a reader who sees this much.
    #[must_use]
    pub fn as_read_by(self, scope: &Arc<Scope>, audience: Audience) -> Self {
        let read = |topic: Topic| topic.as_read_by(scope, audience);
        match self {
            Self::Subscribe { topic, epoch, from, max_hz } => {
                Self::Subscribe { topic: read(topic), epoch, from, max_hz }
            }
            Self::Unsubscribe { topic } => Self::Unsubscribe { topic: read(topic) },
            Self::Diverged { topic, version } => Self::Diverged { topic: read(topic), version },
            hello @ Self::Hello { .. } => hello,
        }
    }
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerMessage {
    Welcome {
        protocol: u8,
        /// Identity of the store; another epoch means other data.
        epoch: Hex64,
        /// Last committed event.
        head: u64,
        server_ms: UtcMillis,
        heartbeat_ms: u32,
        /// Side of a position cell in millionths of a degree.
        cell_e6: i32,
        /// Which build of the screens this server hands out; empty when it has none. A page of another build is to be
        /// loaded anew.
        #[serde(default)]
        build: String,
        /// How fast the hall's clock goes, in thousandths of the pace at which time passes; 0 while it stands still.
        #[serde(default = "real_pace")]
        pace_milli: u32,
    },
    /// One wave: what is new in the topics this connection follows.
    Deltas { epoch: Hex64, deltas: Vec<Delta> },
    /// Each second, and at once when the hall's clock goes at another pace. A client that stands at a topic's head or after it and hears no delta is up to date. Every ten
    /// seconds with `hashes` of the keyed topics this connection follows: topic, the version of its last change, and the
    /// hash, which holds from that version up to `head` (of `who` and positions: at that version); a client that stands
    /// there compares.
    Heartbeat {
        server_ms: UtcMillis,
        /// Last committed event.
        head: u64,
        /// Version of the last change of each topic this connection follows.
        heads: Vec<(Topic, u64)>,
        #[serde(default)]
        hashes: Vec<(Topic, u64, Hex64)>,
        /// 0 normal; 1–3 positions are thinned out.
        degraded: u8,
        /// Version of the policy in force; 0 is the one the store began with. A client that holds names, areas or limits of
        /// another version takes `GET /api/v1/catalogue` again.
        #[serde(default)]
        policy: u64,
        /// As in the welcome: between heartbeats the hall's time is carried on at this pace (`crate::feed::Course`). A
        /// change of it comes with a heartbeat of its own at once.
        #[serde(default = "real_pace")]
        pace_milli: u32,
    },
    /// The client must take a new snapshot of the topic.
    Resync { topic: Topic, reason: ResyncReason },
    /// The message was not accepted; the connection goes on.
    Refused { topic: Option<Topic>, code: String, words: String },
    /// In a drill alone, after the welcome and at each change: real cases of the first level, and who has answered them. They are
    /// the city's: of no topic, and in no tally or hash.
    Breaking(BreakingRows),
}

fn real_pace() -> u32 {
    crate::world::PACE_REAL
}

/// What is new in one topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    pub topic: Topic,
    pub from: u64,
    pub to: u64,
    pub payload: Payload,
}

/// Why a client must start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReason {
    /// The store is another one.
    OtherEpoch,
    /// The client claims a version the store has not reached.
    AheadOfStore,
    /// Which keys have gone since is no longer known.
    TooFarBehind,
    /// The client said that its state hash differs.
    Diverged,
}

/// What a delta or a snapshot carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Values, not differences; a cell in which both counts are zero is gone.
    Tally(Vec<(TallyKey, Count)>),
    Overdue(Vec<Keyed<OverdueRow>>),
    Whistle(Vec<Keyed<Whistle>>),
    Case(Events),
    /// In snapshots and in the JSON feed; the binary feed has packed frames.
    Positions(Vec<PositionRow>),
    Open(OpenRows),
    Who(Vec<Keyed<WhoRow>>),
}

/// Lines of the event log, in order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Events {
    /// The lines are every one after this event. Beyond the delta's `from` where the client was too far behind: what
    /// lies between is left out, and read with `GET /api/v1/events` where it matters.
    pub since: u64,
    pub lines: Vec<EventLine>,
}

/// Who has a number in position frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoRow {
    pub code: InspectorCode,
    /// Where the hall knows one.
    pub name: Option<String>,
}

/// One key of a keyed topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keyed<T> {
    pub id: u64,
    /// Sequence number of the event that changed it.
    pub version: u64,
    /// None when the key is gone.
    pub row: Option<T>,
}

/// The state of one topic at one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub topic: Topic,
    pub epoch: Hex64,
    /// Where to subscribe from.
    pub version: u64,
    pub server_ms: UtcMillis,
    pub payload: Payload,
}

/// FNV-1a, 64 bit: the hash of one text. A topic's state hash is the XOR over its keys, so anyone can
/// check it in a few lines: `tally` hashes `key=cases/base` in decimal, `overdue`, `open`, `whistle` and `who` hash
/// `id=version`, positions hash `index@lat,lon` in units of 10⁻⁵ degrees.
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    Fnv1a::default().with(bytes).0
}

/// FNV-1a of a text as it is written: a screen that opens hashes thousands of rows, and none needs its text in memory.
#[must_use]
pub fn fnv1a_of(text: std::fmt::Arguments<'_>) -> u64 {
    let mut hash = Fnv1a::default();
    // Neither a number nor a code fails to write itself, and the hash takes every text.
    let _ = std::fmt::Write::write_fmt(&mut hash, text);
    hash.0
}

struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    fn with(self, bytes: &[u8]) -> Self {
        let taken = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(bytes.iter().fold(self.0, taken))
    }
}

impl std::fmt::Write for Fnv1a {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 = Self(self.0).with(text.as_bytes()).0;
        Ok(())
    }
}

/// One cell's part of the `tally` hash.
#[must_use]
pub fn tally_hash(key: &TallyKey, value: Count) -> u64 {
    if value.is_zero() { 0 } else { fnv1a_of(format_args!("{key}={}/{}", value.cases, value.base)) }
}

/// One key's part of the hash of `overdue`, `open`, `whistle` or `who`.
#[must_use]
pub fn keyed_hash(id: u64, version: u64) -> u64 {
    fnv1a_of(format_args!("{id}={version}"))
}
