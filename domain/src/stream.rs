//! What may be said about a camera's stream (视频流): its state, and why it is not live.
//!
//! What should be here: the closed sets, the same for whoever plays a stream and whoever shows it. What should not: their
//! words (the screens'), addresses, pictures.

use serde::{Deserialize, Serialize};

/// A stream's state as tiles show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Dialled for the first time; no picture yet (正在连接).
    Connecting,
    /// 实时
    Live,
    /// Connected, but the next picture is late (延迟).
    Delayed,
    /// Had pictures or could have had, has none now; tried again (信号中断).
    Lost,
    /// The camera said no (拒绝访问).
    Refused,
    /// Reachable, but nothing we can show (编码不支持).
    Unsupported,
    /// Key frames as JPEG pictures instead of video (关键帧).
    KeyFrames,
    /// No such camera (无此摄像机).
    Gone,
}

impl State {
    /// As it is written in answers, metrics and the style sheet.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Connecting => "connecting",
            State::Live => "live",
            State::Delayed => "delayed",
            State::Lost => "lost",
            State::Refused => "refused",
            State::Unsupported => "unsupported",
            State::KeyFrames => "key_frames",
            State::Gone => "gone",
        }
    }
}

/// Why a stream is not live, for the screen's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
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
    /// Pictures come, but ours cannot be made of them.
    Undecodable,
    UnknownCamera,
    ShuttingDown,
}

impl Cause {
    /// The state a stream is in while this is why.
    #[must_use]
    pub fn state(self) -> State {
        match self {
            Cause::Credentials | Cause::NotFound | Cause::SessionLimit => State::Refused,
            Cause::NoVideo | Cause::Codec | Cause::NoDecoder => State::Unsupported,
            Cause::TranscodeBudget => State::KeyFrames,
            Cause::UnknownCamera => State::Gone,
            Cause::NoAnswer
            | Cause::ConnectionRefused
            | Cause::HostLimit
            | Cause::Stalled
            | Cause::Closed
            | Cause::NoKeyFrame
            | Cause::Protocol
            | Cause::Undecodable
            | Cause::ShuttingDown => State::Lost,
        }
    }
}
