//! Bodies too large to be read: refused with an answer the sender gets to see.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use crate::problem::Problem;

/// Largest request body in bytes: a batch of 1,000 commands with long texts.
pub const BYTES_MAX: usize = 4 << 20;
/// Bytes of a refused body that are read and thrown away. A server that answers and closes while the sender still
/// writes resets the connection, and most clients then report a broken pipe instead of the answer.
const DRAINED_BYTES_MAX: usize = 8 * BYTES_MAX;
const DRAINED_FOR_MAX: Duration = Duration::from_secs(10);

/// Answers 413 to a body whose stated length is over [`BYTES_MAX`]. One that states no length is cut where it is read.
pub async fn bounded(request: Request, next: Next) -> Response {
    let stated = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(length) = stated.filter(|length| *length > BYTES_MAX as u64) else {
        return next.run(request).await;
    };
    if length <= DRAINED_BYTES_MAX as u64 {
        let _late = tokio::time::timeout(DRAINED_FOR_MAX, drain(request.into_body())).await;
    }
    let title = format!("a body of {length} bytes; at most {BYTES_MAX} are read");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", title).into_response()
}

async fn drain(body: Body) {
    let mut chunks = body.into_data_stream();
    while let Some(Ok(_)) = chunks.next().await {}
}
