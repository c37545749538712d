//! What travels between the server and its screens. Binary for the UI (postcard behind a kind byte), JSON text for
//! anyone (`GET /live?format=json`): the same types, the same protocol.
//!
//! Walk: `GET /api/v1/live/snapshot?topic=T` gives [`Snapshot`]; then the WebSocket `GET /live`: server sends
//! `Welcome`, the client `Subscribe` with the snapshot's epoch and version, the server `Delta` after `Delta`. A client
//! applies a delta only when `from` is where it stands, ignores one whose `to` it has already reached, and otherwise
//! subscribes anew. Keyed topics (`tally`, `overdue`, `whistle`) resume by version: a delta may jump over any
//! distance. The event topic (`case`) never skips.

use serde::{Deserialize, Serialize};

use crate::calendar::Limit;
use crate::case::{Case, Phase, Priority, Stage};
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode, WhistleId};
use crate::command::Event;
use crate::moment::UtcMillis;
use crate::place::Point;
use crate::position::Cell;
use crate::tally::TallyKey;
use crate::whistle::Whistle;

/// Version of this protocol; a server answers a client of another version with a reason and closes.
pub const PROTOCOL: u8 = 1;
/// First byte of a binary WebSocket message: a postcard [`ServerMessage`] or [`ClientMessage`] follows.
pub const KIND_MESSAGE: u8 = 1;
/// First byte of a binary WebSocket message: a packed [`crate::position::Frame`] follows.
pub const KIND_POSITIONS: u8 = 2;
/// Largest message a client may send, in bytes.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// A 64-bit value that JSON carries as 16 hexadecimal digits, because JSON numbers end at 2⁵³.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Hex64(pub u64);

impl std::fmt::Display for Hex64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Hex64 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Hex64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| serde::de::Error::custom("expected up to 16 hexadecimal digits"))
    }
}

/// What a client can subscribe to. Text form: `tally`, `overdue`, `whistle`, `case`, `case/AREA`, `position`,
/// `position/X_Y`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Keyed: all tally cells of the city, districts, streets, sources and classes.
    Tally,
    /// Keyed by case: cases waiting for dispatch that are overdue or about to be.
    Overdue,
    /// Keyed by whistle: open whistle calls.
    Whistle,
    /// Event by event, of everything or of one area.
    Case(Option<AreaCode>),
    /// Positions of all cells.
    Positions,
    /// Positions of one cell.
    Position(Cell),
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tally => f.write_str("tally"),
            Self::Overdue => f.write_str("overdue"),
            Self::Whistle => f.write_str("whistle"),
            Self::Case(None) => f.write_str("case"),
            Self::Case(Some(area)) => write!(f, "case/{area}"),
            Self::Positions => f.write_str("position"),
            Self::Position(cell) => write!(f, "position/{}_{}", cell.x, cell.y),
        }
    }
}

impl std::str::FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a topic; expected tally, overdue, whistle, case, case/AREA, position or position/X_Y"
            )
        };
        Ok(match text.split_once('/') {
            None => match text {
                "tally" => Self::Tally,
                "overdue" => Self::Overdue,
                "whistle" => Self::Whistle,
                "case" => Self::Case(None),
                "position" => Self::Positions,
                _ => return Err(wrong()),
            },
            Some(("case", area)) => Self::Case(Some(AreaCode::new(area).map_err(|_| wrong())?)),
            Some(("position", cell)) => {
                let (x, y) = cell.split_once('_').ok_or_else(wrong)?;
                let number = |text: &str| text.parse::<i16>().map_err(|_| wrong());
                Self::Position(Cell { x: number(x)?, y: number(y)? })
            }
            Some(_) => return Err(wrong()),
        })
    }
}

impl Serialize for Topic {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a client may say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// First message.
    Hello {
        protocol: u8,
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
    },
    Delta {
        topic: Topic,
        epoch: Hex64,
        from: u64,
        to: u64,
        payload: Payload,
    },
    /// Each second; `hashes` every ten seconds for the keyed topics the client has subscribed to, valid at `head`s.
    Heartbeat {
        server_ms: UtcMillis,
        head: u64,
        heads: Vec<(Topic, u64)>,
        #[serde(default)]
        hashes: Vec<(Topic, u64, Hex64)>,
        /// 0 normal; 1–3 positions are thinned out.
        degraded: u8,
    },
    /// The client must take a new snapshot of the topic.
    Resync {
        topic: Topic,
        reason: ResyncReason,
    },
    /// The message was not accepted; the connection goes on.
    Refused {
        topic: Option<Topic>,
        code: String,
        words: String,
    },
}

/// Why a client must start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResyncReason {
    /// The store is another one.
    OtherEpoch,
    /// The client claims a version the store has not reached.
    AheadOfStore,
    /// The client is too far behind to catch up event by event.
    TooFarBehind,
}

/// What a delta or a snapshot carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Values, not differences; zero means the cell is gone.
    Tally(Vec<(TallyKey, i64)>),
    Overdue(Vec<Keyed<OverdueRow>>),
    Whistle(Vec<Keyed<Whistle>>),
    Case(Vec<EventLine>),
    /// JSON feed only; the binary feed has packed frames.
    Positions(Vec<PositionRow>),
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

/// A case on the overdue-dispatch board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverdueRow {
    pub case: CaseId,
    pub number: String,
    pub class: ClassCode,
    pub condition: Option<String>,
    /// Finest first.
    pub area_path: Vec<AreaCode>,
    pub address: String,
    pub place: Option<Point>,
    pub priority: Priority,
    pub started: UtcMillis,
    pub due: UtcMillis,
    pub limit: Option<Limit>,
    pub phase: Phase,
    /// Who has taken it in hand (认领); nobody yet when none.
    pub claimed_by: Option<String>,
}

impl OverdueRow {
    /// The row of a case that waits for dispatch and is overdue or about to be; none for every other case.
    #[must_use]
    pub fn of(case: &Case) -> Option<Self> {
        let (stage, clock) = case.running_clock()?;
        if stage != Stage::Dispatch || clock.phase == Phase::Running {
            return None;
        }
        Some(Self {
            case: case.id,
            number: case.number.clone(),
            class: case.report.class.clone(),
            condition: case.report.condition.clone(),
            area_path: case.area_path.clone(),
            address: case.report.address.clone(),
            place: case.report.place,
            priority: case.report.priority,
            started: clock.started,
            due: clock.due,
            limit: clock.limit,
            phase: clock.phase,
            claimed_by: case.claimed_by.clone(),
        })
    }
}

/// One event with what a screen needs to show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    pub seq: u64,
    pub at: UtcMillis,
    pub actor: String,
    /// [`Event::name`].
    pub name: String,
    /// The case as it stands after the event.
    pub case: Option<CaseLine>,
    pub whistle: Option<WhistleId>,
    pub department: Option<DepartmentCode>,
    pub note: String,
}

/// A case in a list or on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseLine {
    pub id: CaseId,
    pub number: String,
    pub class: ClassCode,
    pub condition: Option<String>,
    pub area_path: Vec<AreaCode>,
    pub address: String,
    pub place: Option<Point>,
    pub priority: Priority,
    pub stage: Stage,
    pub stage_since: UtcMillis,
    pub reported: UtcMillis,
    pub closed: Option<UtcMillis>,
    /// Clock that runs now.
    pub started: Option<UtcMillis>,
    pub due: Option<UtcMillis>,
    pub limit: Option<Limit>,
    pub phase: Phase,
    pub claimed_by: Option<String>,
    pub department: Option<DepartmentCode>,
    pub version: u64,
}

impl From<&Case> for CaseLine {
    fn from(case: &Case) -> Self {
        let clock = case.running_clock().map(|(_, clock)| *clock);
        Self {
            id: case.id,
            number: case.number.clone(),
            class: case.report.class.clone(),
            condition: case.report.condition.clone(),
            area_path: case.area_path.clone(),
            address: case.report.address.clone(),
            place: case.report.place,
            priority: case.report.priority,
            stage: case.stage,
            stage_since: case.stage_since,
            reported: case.reported,
            closed: case.closed,
            started: clock.map(|clock| clock.started),
            due: clock.map(|clock| clock.due),
            limit: clock.and_then(|clock| clock.limit),
            phase: clock.map_or(Phase::Running, |clock| clock.phase),
            claimed_by: case.claimed_by.clone(),
            department: case.department.clone(),
            version: case.version,
        }
    }
}

impl EventLine {
    /// The line for one recorded event and the case as it stands after it.
    #[must_use]
    pub fn of(recorded: &crate::command::Recorded, case: Option<&Case>) -> Self {
        let department = match &recorded.event {
            Event::CaseDispatched { department, .. } | Event::WhistleAnswered { department, .. } => {
                Some(department.clone())
            }
            _ => None,
        };
        let note = match &recorded.event {
            Event::DisposalFinished { note, .. }
            | Event::FeedbackGiven { note, .. }
            | Event::CheckPassed { note, .. }
            | Event::CaseClosed { note, .. }
            | Event::WhistleClosed { note, .. } => note.clone(),
            Event::CaseNoted { text, .. } => text.clone(),
            Event::WhistleRaised { call, .. } => call.title.clone(),
            _ => String::new(),
        };
        Self {
            seq: recorded.seq,
            at: recorded.at,
            actor: recorded.actor.clone(),
            name: recorded.event.name().to_owned(),
            case: case.map(CaseLine::from),
            whistle: recorded.event.whistle(),
            department,
            note,
        }
    }
}

/// One inspector's newest position in the JSON feed and in `GET /api/v1/positions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PositionRow {
    /// Number in packed frames, stable while the server runs.
    pub index: u32,
    pub inspector: crate::code::InspectorCode,
    /// None when the inspector has left the cell.
    pub place: Option<Point>,
    pub fixed: UtcMillis,
    pub moving: bool,
    /// Degrees clockwise from north.
    pub heading_deg: f32,
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

/// FNV-1a, 64 bit: the hash of one `key=value` text. A topic's state hash is the XOR over its keys, so anyone can
/// check it in a few lines: `tally` hashes `key=value` in decimal, `overdue` and `whistle` hash `id=version`.
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// One cell's part of the `tally` hash.
#[must_use]
pub fn tally_hash(key: &TallyKey, value: i64) -> u64 {
    if value == 0 { 0 } else { fnv1a(format!("{key}={value}").as_bytes()) }
}

/// One key's part of the hash of `overdue` or `whistle`.
#[must_use]
pub fn keyed_hash(id: u64, version: u64) -> u64 {
    fnv1a(format!("{id}={version}").as_bytes())
}
