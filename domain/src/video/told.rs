//! What a tile is told to say: a state with its numbers, and why.
//!
//! What should be here: the closed sets a screen has words and shapes for. What should not: which of them holds
//! (`tile.rs`), and the words.

use super::Left;
use crate::stream::{Cause, State};

/// One tile's state, and what is known besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub shown: Shown,
    /// When the newest picture was taken in by the server, Unix milliseconds.
    pub frame_ms: Option<i64>,
    /// English detail for whoever looks into it.
    pub reason: Option<String>,
    pub why: Option<Why>,
    /// Seconds until the next try; none when it is under way.
    pub retry_s: Option<u32>,
    /// What is left out of a picture that moves.
    pub left: Option<Left>,
}

/// A stream's state with what a tile says beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// 正在连接
    Connecting { waited_s: u32 },
    /// 实时, in tenths of a second; the delay is unknown until a picture has moved.
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

/// Why a tile is not live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The page has lost the server: not the camera's fault.
    Link,
    /// What plays the pictures of this page has failed: neither the server's nor the camera's fault.
    Engine,
    /// The page shows as many cameras as it may.
    TileLimit,
    /// What the server says of the stream.
    Stream(Cause),
}

impl Told {
    pub(super) fn new(shown: Shown) -> Self {
        Self { shown, frame_ms: None, reason: None, why: None, retry_s: None, left: None }
    }
}

impl Default for Told {
    fn default() -> Self {
        Self::new(Shown::Connecting { waited_s: 0 })
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
