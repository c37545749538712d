//! What may be said about a stream: a state, since when, why, and when it is tried again.

pub use domain::stream::{Cause, State};
use serde::Serialize;

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
