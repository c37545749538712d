//! What may be said about a stream: a state, since when, why, and when it is tried again.

use serde::Serialize;

/// A stream's state as tiles show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Dialled for the first time; no picture yet.
    Connecting,
    Live,
    /// Connected, but the next picture is late.
    Delayed,
    /// Had pictures or could have had, has none now; tried again.
    Lost,
    /// The camera said no.
    Refused,
    /// Reachable, but nothing we can show.
    Unsupported,
    /// Key frames as JPEG pictures instead of video.
    KeyFrames,
    /// No such camera.
    Gone,
}

impl State {
    /// As it is written in answers and metrics.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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

/// A stream's state with its story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Status {
    pub state: State,
    /// Server wall clock when the state began.
    pub since_ms: i64,
    /// When it is tried again; none while it is being tried or need not be.
    pub retry_at_ms: Option<i64>,
    pub cause: Option<Cause>,
    /// Detail in English; holds no address and no account.
    pub reason: Option<String>,
}

impl Status {
    #[must_use]
    pub fn new(state: State, since_ms: i64) -> Self {
        Self { state, since_ms, retry_at_ms: None, cause: None, reason: None }
    }

    /// A state caused by `cause`, described by `reason`.
    #[must_use]
    pub fn caused(cause: Cause, reason: impl Into<String>, since_ms: i64) -> Self {
        Self {
            state: cause.state(),
            since_ms,
            retry_at_ms: None,
            cause: Some(cause),
            reason: Some(reason.into()),
        }
    }
}
