//! What the player says about a tile, as `public/js/video-facts.js` decides it.
//!
//! What should be here: what a tile adds to the stream's own states and causes (`domain::stream`), read from the player's
//! JSON. What should not: their words (`words.rs`) and their shapes (`shape.rs`).

use domain::stream::{Cause, State};
use serde::Deserialize;
use serde::de::{Deserializer, IntoDeserializer, value};

/// One `camerastate` event: the state, and what is known besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub shown: Shown,
    /// When the newest picture was taken in by the server, Unix milliseconds.
    pub frame_ms: Option<i64>,
    /// English detail for whoever looks into it.
    pub reason: Option<String>,
    pub why: Option<Why>,
    /// Seconds until the next try; none when it is under way.
    pub retry_s: Option<u32>,
}

/// The event's detail as the player writes it: which numbers are there depends on the state.
#[derive(Deserialize)]
pub struct Detail {
    state: State,
    waited_s: Option<u32>,
    delay_ms: Option<u32>,
    delay_s: Option<u32>,
    since_ms: Option<i64>,
    interval_s: Option<u32>,
    frame_ms: Option<i64>,
    reason: Option<String>,
    cause: Option<Why>,
    retry_s: Option<u32>,
}

/// A stream's state with what a tile says beside it. Which of them shows a picture, and how, is `style/player.css`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The page has lost the server: not the camera's fault.
    Link,
    /// The page shows as many cameras as it may.
    TileLimit,
    /// What the server says of the stream.
    Stream(Cause),
    /// A newer server's word.
    Other,
}

impl<'de> Deserialize<'de> for Why {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(match word.as_str() {
            "link" => Self::Link,
            "tile_limit" => Self::TileLimit,
            word => {
                let known: Result<Cause, value::Error> = Cause::deserialize(word.into_deserializer());
                known.map_or(Self::Other, Self::Stream)
            }
        })
    }
}

impl Default for Told {
    fn default() -> Self {
        let shown = Shown::Connecting { waited_s: 0 };
        Self { shown, frame_ms: None, reason: None, why: None, retry_s: None }
    }
}

impl Told {
    /// Understands an event's detail; nothing when it is not the player's.
    #[must_use]
    pub fn of(detail: Detail) -> Option<Self> {
        let shown = match detail.state {
            State::Connecting => Shown::Connecting { waited_s: detail.waited_s? },
            State::Live => Shown::Live { delay_ms: detail.delay_ms },
            State::Delayed => Shown::Delayed { delay_s: detail.delay_s? },
            State::Lost => Shown::Lost { since_ms: detail.since_ms },
            State::Refused => Shown::Refused {},
            State::Unsupported => Shown::Unsupported {},
            State::KeyFrames => Shown::KeyFrames { interval_s: detail.interval_s },
            State::Gone => Shown::Gone {},
        };
        let Detail { frame_ms, reason, cause, retry_s, .. } = detail;
        Some(Self { shown, frame_ms, reason, why: cause, retry_s })
    }
}

impl Shown {
    /// The state without its numbers: what shape and style depend on.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::Connecting { .. } => State::Connecting,
            Self::Live { .. } => State::Live,
            Self::Delayed { .. } => State::Delayed,
            Self::Lost { .. } => State::Lost,
            Self::Refused {} => State::Refused,
            Self::Unsupported {} => State::Unsupported,
            Self::KeyFrames { .. } => State::KeyFrames,
            Self::Gone {} => State::Gone,
        }
    }
}
