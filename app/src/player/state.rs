//! What the player says about a tile, as `public/js/video-facts.js` decides it.
//!
//! What should be here: the closed set of states and causes, read from the player's JSON. What should not: their words
//! (`words.rs`) and their shapes (`shape.rs`).

use serde::Deserialize;

/// One `camerastate` event: the state, and what is known besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub state: State,
    /// When the newest picture was taken in by the server, Unix milliseconds.
    pub frame_ms: Option<i64>,
    /// English detail for whoever looks into it.
    pub reason: Option<String>,
    pub cause: Option<Cause>,
    /// Seconds until the next try; none when it is under way.
    pub retry_s: Option<u32>,
}

/// The event's detail as the player writes it: which numbers are there depends on the state.
#[derive(Deserialize)]
pub struct Detail {
    state: String,
    waited_s: Option<u32>,
    delay_ms: Option<u32>,
    delay_s: Option<u32>,
    since_ms: Option<i64>,
    interval_s: Option<u32>,
    frame_ms: Option<i64>,
    reason: Option<String>,
    cause: Option<Cause>,
    retry_s: Option<u32>,
}

/// The state of a tile. Which of them shows a picture, and how, is `style/player.css`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// 正在连接
    Connecting { waited_s: u32 },
    /// 实时; the delay is unknown until a picture has moved.
    Live { delay_ms: Option<u32> },
    /// 延迟
    Delayed { delay_s: u32 },
    /// 信号中断
    Lost { since_ms: Option<i64> },
    /// 拒绝访问
    Refused {},
    /// 编码不支持
    Unsupported {},
    /// 关键帧: a still every few seconds.
    KeyFrames { interval_s: Option<u32> },
    /// 无此摄像机
    Gone {},
}

/// Why, in a word a screen can put into its own language (`docs/video-protocol.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The page has lost the server: not the camera's fault.
    Link,
    /// The page shows as many cameras as it may.
    TileLimit,
    NoAnswer,
    ConnectionRefused,
    Credentials,
    NotFound,
    SessionLimit,
    HostLimit,
    NoVideo,
    Codec,
    Stalled,
    Closed,
    NoKeyFrame,
    Protocol,
    TranscodeBudget,
    NoDecoder,
    Undecodable,
    UnknownCamera,
    ShuttingDown,
    /// A newer server's word.
    #[serde(other)]
    Other,
}

impl Default for Told {
    fn default() -> Self {
        let state = State::Connecting { waited_s: 0 };
        Self { state, frame_ms: None, reason: None, cause: None, retry_s: None }
    }
}

impl Told {
    /// Understands an event's detail; nothing when it is not the player's.
    #[must_use]
    pub fn of(detail: Detail) -> Option<Self> {
        let state = match detail.state.as_str() {
            "connecting" => State::Connecting { waited_s: detail.waited_s? },
            "live" => State::Live { delay_ms: detail.delay_ms },
            "delayed" => State::Delayed { delay_s: detail.delay_s? },
            "lost" => State::Lost { since_ms: detail.since_ms },
            "refused" => State::Refused {},
            "unsupported" => State::Unsupported {},
            "key_frames" => State::KeyFrames { interval_s: detail.interval_s },
            "gone" => State::Gone {},
            _ => return None,
        };
        let Detail { frame_ms, reason, cause, retry_s, .. } = detail;
        Some(Self { state, frame_ms, reason, cause, retry_s })
    }
}

impl State {
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Connecting { .. } => Kind::Connecting,
            Self::Live { .. } => Kind::Live,
            Self::Delayed { .. } => Kind::Delayed,
            Self::Lost { .. } => Kind::Lost,
            Self::Refused {} => Kind::Refused,
            Self::Unsupported {} => Kind::Unsupported,
            Self::KeyFrames { .. } => Kind::KeyFrames,
            Self::Gone {} => Kind::Gone,
        }
    }
}

/// A state without its numbers: what shape and style depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Connecting,
    Live,
    Delayed,
    Lost,
    Refused,
    Unsupported,
    KeyFrames,
    Gone,
}

impl Kind {
    /// The name in the style sheet and in tests.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Delayed => "delayed",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Unsupported => "unsupported",
            Self::KeyFrames => "key_frames",
            Self::Gone => "gone",
        }
    }
}
