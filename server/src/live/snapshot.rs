//! `GET /api/v1/live/snapshot`: the state of one topic, made once per version and shared by everyone who asks.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::wire::{Hex64, Payload, Snapshot, Topic};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::frames::Format;
use super::{Hub, Live};
use crate::lock::lock;
use crate::problem::{Problem, Query};

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
    /// The body compressed: once for all, because five hundred screens may come back at one moment.
    gzip: Bytes,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `tally`, `overdue`, `whistle`, `case`, `case/AREA`, `position` or `position/X_Y`.
    #[param(value_type = String, pattern = r"^(tally|overdue|whistle|case(/[A-Za-z0-9._-]{1,64})?|position(/-?\d{1,4}_-?\d{1,4})?)$")]
    topic: Topic,
    /// By default binary.
    #[serde(default)]
    #[param(inline)]
    format: Option<AskedFormat>,
}

/// A snapshot as JSON.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "describes `domain::wire::Snapshot`, whose payload depends on the topic")]
pub(super) struct JsonSnapshot {
    topic: String,
    /// Identity of the store.
    epoch: String,
    version: u64,
    /// The server's clock.
    server_ms: i64,
    /// The topic's rows under its name; docs/live-protocol.md has their fields.
    payload: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
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

/// The state of one topic, with the version from which the live feed goes on.
#[utoipa::path(get, path = "/api/v1/live/snapshot", tag = "live",
    params(Asked, ("if-none-match" = Option<String>, Header, description = "the `ETag` of a snapshot held")),
    responses(
        (status = 200, description = "`epoch`, `version`, `server_ms`, `payload`; `ETag` names epoch and version",
            content((JsonSnapshot = "application/json"), (Vec<u8> = "application/octet-stream"))),
        (status = 304, description = "unchanged"), (status = 503, body = Problem)))]
pub(super) async fn get(
    State(live): State<Live>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !live.hub.started() {
        return Err(unavailable("the store is still being read"));
    }
    let format = Format::from(asked.format);
    live.catchup.warm().await;
    let Some(made) = live.snapshots.get(&live.hub, &asked.topic, format).await else {
        return Err(Problem::not_found("this topic has no snapshot"));
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut answer = if known.is_some_and(|known| known.contains(&made.etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = match format {
            Format::Binary => "application/octet-stream",
            Format::Json => "application/json",
        };
        let gzip = takes_gzip(&headers);
        let body = if gzip { &made.gzip } else { &made.body };
        let mut answer = ([(header::CONTENT_TYPE, kind)], body.clone()).into_response();
        if gzip {
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        answer
    };
    let headers = answer.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&made.etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(answer)
}

/// Whether the client lists gzip, and not as something it refuses.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let listed = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

fn compressed(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail").into()
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
    let gzip = compressed(&body);
    Some(Made { version, at: Instant::now(), etag, body: body.into(), gzip })
}

/// 503 with the time after which to come back.
pub(super) fn unavailable(words: &str) -> Problem {
    Problem::busy(words, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_given_to_those_who_take_it() {
        for (listed, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("GZIP", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("gzipped", false),
        ] {
            let headers = HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_str(listed).expect("plain text"),
            )]);
            assert_eq!(takes_gzip(&headers), expected, "{listed}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn what_is_compressed_reads_back() {
        let body = "今日立案 1234".repeat(100);
        let mut read = String::new();
        let compressed = compressed(body.as_bytes());
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut read)
            .expect("gzip");
        assert_eq!(read, body);
        assert!(compressed.len() < body.len() / 10);
    }
}
