//! Bodies of requests: read here, whole, within a limit, a time and a sum over all requests, before a route sees them.
//! A body too large is refused with an answer the sender gets to see.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Largest body of somebody who is known, in bytes: a batch of 1,000 commands with long texts.
pub const BYTES_MAX: usize = 4 << 20;
/// Largest body of a stranger: a name and a password, a pairing, one fix of a phone.
pub const STRANGER_BYTES_MAX: usize = 16 << 10;
/// Bodies of known senders held at one time, together. Sixteen of the largest.
const HELD_BYTES_MAX: usize = 16 * BYTES_MAX;
/// Bytes of a refused body that are read and thrown away. A server that answers and closes while the sender still
/// writes resets the connection, and most clients then report a broken pipe instead of the answer.
const DRAINED_BYTES_MAX: u64 = 8 * BYTES_MAX as u64;
const DRAINED_FOR_MAX: Duration = Duration::from_secs(10);
/// What one permit stands for.
const PERMIT_BYTES: usize = 1 << 10;

/// How much of a body is read, and for how long.
#[derive(Clone)]
pub struct Limit {
    bytes: usize,
    time: Duration,
    /// Room for the bodies of all requests together.
    room: Arc<Semaphore>,
}

impl Limit {
    /// For routes behind the door.
    #[must_use]
    pub fn known() -> Self {
        Self::new(BYTES_MAX, Duration::from_secs(30), HELD_BYTES_MAX)
    }

    /// For routes before the door. As much as every allowed connection may send, so that strangers who send slowly
    /// do not keep others from signing in.
    #[must_use]
    pub fn stranger(connections: usize) -> Self {
        Self::new(STRANGER_BYTES_MAX, Duration::from_secs(10), connections.max(1) * STRANGER_BYTES_MAX)
    }

    fn new(bytes: usize, time: Duration, held: usize) -> Self {
        Self { bytes, time, room: Arc::new(Semaphore::new(held / PERMIT_BYTES)) }
    }

    /// Keeps room for a body of this length, or of the longest one.
    fn keep(&self, stated: Option<u64>) -> Result<OwnedSemaphorePermit, Problem> {
        let bytes = stated.and_then(|length| usize::try_from(length).ok()).unwrap_or(self.bytes);
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        self.room.clone().try_acquire_many_owned(permits).map_err(|_| {
            metrics::counter!("gridhall_bodies_refused_total").increment(1);
            Problem::busy("too many large requests at once; try again in a second", 1)
        })
    }

    fn too_large(&self, found: &str) -> Problem {
        let title = format!("a body of {found} bytes; at most {} are read", self.bytes);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", title)
    }
}

/// Hands the request on with its body read. The room it takes is given back after the answer.
pub async fn bounded(State(limit): State<Limit>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let stated = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(length) = stated.filter(|length| *length > limit.bytes as u64) {
        if length <= DRAINED_BYTES_MAX {
            let _late = tokio::time::timeout(DRAINED_FOR_MAX, drain(request.into_body())).await;
        }
        return limit.too_large(&length.to_string()).into_response();
    }
    let _room = match limit.keep(stated) {
        Ok(room) => room,
        Err(problem) => return problem.into_response(),
    };
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(limit.time, read(body, &limit)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(problem)) => problem.into_response(),
        Err(_late) => {
            let title = format!("the body did not arrive within {} s", limit.time.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, "body", title).into_response()
        }
    }
}

async fn read(body: Body, limit: &Limit) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "body", error.to_string()))?;
        if all.len() + chunk.len() > limit.bytes {
            return Err(limit.too_large(&format!("over {}", limit.bytes)));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.into())
}

async fn drain(body: Body) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(_)) = chunks.next().await {}
}
