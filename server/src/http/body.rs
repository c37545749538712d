//! Bodies of requests: read here, whole, within a limit, a time and a room, before a route sees them. A body too large
//! is refused with an answer the sender gets to see.
//!
//! Room is taken as bytes arrive, never by the sender's word (`room`).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use crate::access::Actor;
use crate::problem::Problem;

mod room;

use room::{Held, Holder, NoRoom, Pool, Room};

/// Largest body of somebody who is known, in bytes: a batch of 1,000 commands with long texts.
pub const BYTES_MAX: usize = 4 << 20;
/// Largest body of a stranger: a name and a password, a pairing, one fix of a phone.
pub const STRANGER_BYTES_MAX: usize = 16 << 10;
/// Every command of a person is smaller: up to here a body takes nothing of the room of large ones.
const SMALL_BYTES: usize = 64 << 10;
/// Small bodies of known senders, together and of one of them.
const SMALL: Pool = Pool { bytes: 16 << 20, share: 2 << 20 };
/// What large ones have beyond that: twelve of the largest, four of one sender.
const LARGE: Pool = Pool { bytes: 12 * BYTES_MAX, share: 4 * BYTES_MAX };
/// Bytes of a refused body that are read and thrown away. A server that answers and closes while the sender still
/// writes resets the connection, and most clients then report a broken pipe instead of the answer.
const DRAINED_BYTES_MAX: u64 = 8 * BYTES_MAX as u64;
const DRAINED_FOR_MAX: Duration = Duration::from_secs(10);

/// How much of a body is read, and for how long.
#[derive(Clone)]
pub struct Limit {
    bytes: usize,
    time: Duration,
    /// For the bodies of all requests together.
    room: Room,
}

impl Limit {
    /// For routes behind the door.
    #[must_use]
    pub fn known() -> Self {
        Self { bytes: BYTES_MAX, time: Duration::from_secs(30), room: Room::new(SMALL_BYTES, SMALL, LARGE) }
    }

    /// For routes before the door. As much as every allowed connection may send, an eighth of it from one address.
    #[must_use]
    pub fn stranger(connections: usize) -> Self {
        let bytes = connections.max(1) * STRANGER_BYTES_MAX;
        let pool = Pool { bytes, share: (bytes / 8).max(STRANGER_BYTES_MAX) };
        let room = Room::new(STRANGER_BYTES_MAX, pool, Pool { bytes: 0, share: 0 });
        Self { bytes: STRANGER_BYTES_MAX, time: Duration::from_secs(10), room }
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
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        // Nothing here reads one; whoever sends it only takes room.
        return Problem::bad_request("body", "this method has no body").into_response();
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
    let mut held = limit.room.hold(holder(&request));
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(limit.time, read(body, &limit, &mut held)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(problem)) => problem.into_response(),
        Err(_late) => {
            let title = format!("the body did not arrive within {} s", limit.time.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, "body", title).into_response()
        }
    }
}

/// Whose share a body counts in: the actor's, of strangers the address's.
fn holder(request: &Request) -> Holder {
    let actor = request.extensions().get::<Actor>();
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    match actor {
        Some(actor) => Holder::Actor(actor.name.clone()),
        None => Holder::Address(address.unwrap_or(IpAddr::from([0, 0, 0, 0]))),
    }
}

async fn read(body: Body, limit: &Limit, held: &mut Held) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "body", error.to_string()))?;
        if all.len() + chunk.len() > limit.bytes {
            return Err(limit.too_large(&format!("over {}", limit.bytes)));
        }
        held.grow(chunk.len()).map_err(|why| {
            metrics::counter!("gridhall_bodies_refused_total").increment(1);
            let title = match why {
                NoRoom::OfThisSender => {
                    "too many large requests from this sender at once; try again in a second"
                }
                NoRoom::OfAll => "too many large requests at once; try again in a second",
            };
            Problem::busy(title, 1)
        })?;
        all.extend_from_slice(&chunk);
    }
    Ok(all.into())
}

pub(in crate::http) async fn drain(body: Body) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(_)) = chunks.next().await {}
}
