//! `GET /api/v1/live/snapshot`: the state of one topic, made once per version and shared by everyone who asks.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::wire::{Hex64, Payload, Snapshot, Topic};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::frames::{Format, lock};
use super::{Hub, Live};

/// A snapshot this young is served even when the topic has moved on: the client resumes from its version anyway.
const YOUNG: Duration = Duration::from_millis(200);
/// Snapshots kept; areas make topics of their own.
const KEPT_MAX: usize = 64;

/// Snapshots by topic and format.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    made: Mutex<HashMap<(Topic, Format), Arc<Made>>>,
}

#[derive(Debug)]
struct Made {
    version: u64,
    at: Instant,
    etag: String,
    body: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    topic: Topic,
    #[serde(default)]
    format: Option<AskedFormat>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AskedFormat {
    Json,
    Binary,
}

impl From<Option<AskedFormat>> for Format {
    fn from(asked: Option<AskedFormat>) -> Self {
        match asked {
            Some(AskedFormat::Json) => Self::Json,
            Some(AskedFormat::Binary) | None => Self::Binary,
        }
    }
}

pub(super) async fn get(
    State(live): State<Live>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Query(asked) = match asked {
        Ok(asked) => asked,
        Err(error) => return problem(StatusCode::BAD_REQUEST, "invalid_query", &error.body_text()),
    };
    if !live.hub.started() {
        return unavailable("the store is still being read");
    }
    let format = Format::from(asked.format);
    live.catchup.warm().await;
    let Some(made) = live.snapshots.get(&live.hub, &asked.topic, format).await else {
        return problem(StatusCode::NOT_FOUND, "unknown_topic", "this topic has no snapshot");
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut answer = if known.is_some_and(|known| known.contains(&made.etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = match format {
            Format::Binary => "application/octet-stream",
            Format::Json => "application/json",
        };
        ([(header::CONTENT_TYPE, kind)], made.body.clone()).into_response()
    };
    let headers = answer.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&made.etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

impl Snapshots {
    /// The snapshot of a topic; whoever asks while one is being made waits for it.
    async fn get(&self, hub: &Hub, topic: &Topic, format: Format) -> Option<Arc<Made>> {
        let mut made = self.made.lock().await;
        let key = (topic.clone(), format);
        let mut heads = lock(&hub.0.board).heads();
        heads.position = hub.0.positions.with(|table| table.version());
        let head = heads.of(topic);
        if let Some(known) = made.get(&key)
            && (known.version == head || known.at.elapsed() < YOUNG)
        {
            return Some(known.clone());
        }
        metrics::counter!("gridhall_live_snapshots_made_total").increment(1);
        let (hub, topic) = (hub.clone(), topic.clone());
        let fresh = tokio::task::spawn_blocking(move || make(&hub, topic, format)).await.ok()??;
        let fresh = Arc::new(fresh);
        if made.len() >= KEPT_MAX {
            made.clear();
        }
        made.insert(key, fresh.clone());
        Some(fresh)
    }
}

fn make(hub: &Hub, topic: Topic, format: Format) -> Option<Made> {
    let (epoch, (version, payload)) = {
        let board = lock(&hub.0.board);
        let scope = match &topic {
            Topic::Tally | Topic::Overdue | Topic::Whistle | Topic::Case(_) => None,
            Topic::Positions => Some(None),
            Topic::Position(cell) => Some(Some(*cell)),
        };
        let all = match scope {
            None => board.all(&topic)?,
            Some(scope) => {
                let moved = hub.0.positions.with(|table| table.rows(scope, 0));
                (moved.to, Payload::Positions(moved.rows))
            }
        };
        (board.epoch, all)
    };
    let snapshot = Snapshot { topic, epoch: Hex64(epoch), version, server_ms: crate::clock::now(), payload };
    let body = match format {
        Format::Binary => snapshot.to_bytes(),
        Format::Json => serde_json::to_vec(&snapshot).expect("every type of the protocol has a JSON form"),
    };
    let etag = format!("\"{}:{version}\"", snapshot.epoch);
    Some(Made { version, at: Instant::now(), etag, body: body.into() })
}

/// 503 with the time after which to come back.
pub(super) fn unavailable(words: &str) -> Response {
    let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", words);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    answer
}

fn problem(status: StatusCode, code: &str, words: &str) -> Response {
    let body = serde_json::json!({ "status": status.as_u16(), "code": code, "detail": words });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
