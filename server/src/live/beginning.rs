//! `GET /api/v1/live/snapshot`: where a client begins: the state of one topic, made once per version and shared by
//! everyone who asks.
//!
//! What should be here: copying a topic in bites, so that no lock is held for long, and keeping the copies. What should
//! not: which rows there are (`topics`).

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::audience::Audience;
use domain::scope::Scope;
use domain::wire::{Hex64, Kind, Payload, Snapshot, Topic};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;
use tokio::sync::Mutex;

use super::frames::{self, Format};
use super::topics::{Admission, Rows, Step};
use super::{Doors, Hub};
use crate::clock::{self, Instant};
use crate::http::extract::Query;
use crate::lock::lock;
use crate::problem::Problem;

/// A snapshot this young is served even when the topic has moved on: the client resumes from its version anyway.
const YOUNG: Duration = Duration::from_millis(200);
/// Bytes of snapshots kept, plain and compressed; past that those longest unused are let go.
const KEPT_BYTES_MAX: usize = 96 * 1024 * 1024;
/// A copy that changes outran is begun again this often.
const ATTEMPTS: usize = 4;

/// Snapshots by topic and format.
#[derive(Debug, Default)]
pub(super) struct Beginnings {
    kept: StdMutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    places: HashMap<(Topic, Format), Place>,
    /// Counts questions: the place with the smallest is the one longest unused.
    asked: u64,
}

#[derive(Debug)]
struct Place {
    /// Whoever asks while one is being made waits for it; questions for other topics do not.
    made: Arc<Mutex<Option<Arc<Made>>>>,
    bytes: usize,
    used: u64,
}

#[derive(Debug)]
struct Made {
    epoch: u64,
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
    /// `tally`, `overdue`, `open`, `whistle` or `case`, each alone or with `/AREA` or `/@own`; `who` or `position`, each alone or
    /// with `/@own`; `position/X_Y`.
    #[param(value_type = String, pattern = r"^((tally|overdue|open|whistle|case)(/([A-Za-z0-9._-]{1,64}|@own))?|who(/@own)?|position(/(-?\d{1,4}_-?\d{1,4}|@own))?)$")]
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
        (status = 304, description = "unchanged"), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn get(
    State(live): State<Doors>,
    Query(asked): Query<Asked>,
    scope: Option<Extension<Scope>>,
    audience: Option<Extension<Audience>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !live.hub.started() {
        return Err(unavailable("the store is still being read"));
    }
    // Whoever came without one sees nothing.
    let scope = Arc::new(scope.map_or_else(Scope::nothing, |Extension(scope)| scope));
    let topic = asked.topic.as_read_by(&scope, audience_of(audience));
    let admission = live.hub.topics().admission(&scope, &topic);
    if let Some((code, words)) = admission.refusal(&topic) {
        let status = match admission {
            Admission::NoSuchArea => StatusCode::NOT_FOUND,
            Admission::Given | Admission::OutOfScope => StatusCode::FORBIDDEN,
        };
        return Err(Problem::new(status, code, words));
    }
    let format = Format::from(asked.format);
    live.catchup.warm().await;
    let Some(made) = live.beginnings.get(&live.hub, &topic, format).await else {
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

/// Whoever came without one stands before a wall.
pub(super) fn audience_of(said: Option<Extension<Audience>>) -> Audience {
    said.map_or(Audience::Wall, |Extension(audience)| audience)
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

impl Beginnings {
    /// The snapshot of a topic; whoever asks while one is being made waits for it.
    async fn get(&self, hub: &Hub, topic: &Topic, format: Format) -> Option<Arc<Made>> {
        let key = (topic.clone(), format);
        let place = lock(&self.kept).place(&key);
        let mut made = place.lock().await;
        let (epoch, head) = hub.head_of(topic);
        if let Some(known) = made.as_ref()
            && known.epoch == epoch
            && (known.version == head || known.at.elapsed() < YOUNG)
        {
            return Some(known.clone());
        }
        metrics::counter!("gridhall_live_snapshots_made_total").increment(1);
        let (hub, topic) = (hub.clone(), topic.clone());
        let fresh = tokio::task::spawn_blocking(move || make(&hub, topic, format)).await.ok()??;
        let fresh = Arc::new(fresh);
        *made = Some(fresh.clone());
        drop(made);
        lock(&self.kept).keep(&key, fresh.body.len() + fresh.gzip.len());
        Some(fresh)
    }
}

impl Kept {
    fn place(&mut self, key: &(Topic, Format)) -> Arc<Mutex<Option<Arc<Made>>>> {
        self.asked += 1;
        let used = self.asked;
        let fresh = || Place { made: Arc::default(), bytes: 0, used };
        let place = self.places.entry(key.clone()).or_insert_with(fresh);
        place.used = used;
        place.made.clone()
    }

    /// Notes what a place holds now, and lets go of those longest unused while all together hold too much.
    fn keep(&mut self, key: &(Topic, Format), bytes: usize) {
        if let Some(place) = self.places.get_mut(key) {
            // What the table and the topic's name take counts too: there may be many small ones.
            place.bytes = bytes + 512;
        }
        while self.places.values().map(|place| place.bytes).sum::<usize>() > KEPT_BYTES_MAX {
            let idle = self.places.iter().filter(|(known, _)| *known != key);
            let Some(oldest) = idle.min_by_key(|(_, place)| place.used).map(|(known, _)| known.clone())
            else {
                return;
            };
            self.places.remove(&oldest);
        }
    }
}

/// A whole topic at one version.
pub(super) struct All {
    pub version: u64,
    pub rows: Rows,
}

/// Copies a topic: a bite at a time, then what has changed meanwhile. Positions are not copied here.
pub(super) fn collect(hub: &Hub, topic: &Topic) -> Option<All> {
    if topic.kind == Kind::Who {
        return Some(collect_who(hub, topic));
    }
    (0..ATTEMPTS).find_map(|_| collect_once(hub, topic))
}

fn collect_once(hub: &Hub, topic: &Topic) -> Option<All> {
    let (epoch, began, (mut rows, mut onward)) = {
        let mut topics = hub.topics();
        let bite = topics.bite(topic, None)?;
        let version = topics.head(topic)?.get();
        if bite.1.is_none() {
            let version = if topic.kind == Kind::Case { topics.seq() } else { version };
            return Some(All { version, rows: bite.0 });
        }
        (topics.epoch, topics.seq(), bite)
    };
    while let Some(at) = onward {
        let (more, next) = hub.topics().bite(topic, Some(&at))?;
        rows.append(more);
        onward = next;
    }
    let mut topics = hub.topics();
    if topics.epoch != epoch {
        return None;
    }
    let (mut from, head) = (began, topics.seq());
    while from < head {
        // Which keys have gone meanwhile may be forgotten already: then the copy is begun again.
        let Step::Rows { to, rows: more } = topics.step(topic, from, head) else { return None };
        rows.append(more);
        from = to;
    }
    let version = topics.head(topic)?.get();
    drop(topics);
    Some(All { version, rows: rows.settled() })
}

fn collect_who(hub: &Hub, topic: &Topic) -> All {
    let part = topic.part.as_ref();
    let (version, bite) =
        hub.0.positions.with(|table| (table.who_at(part).0, table.who().bite(None, usize::MAX, part)));
    let all = bite.rows.into_iter().map(|(index, version, known)| (index, version, Some(known.row)));
    All { version, rows: Rows::Who(all.collect()) }
}

fn make(hub: &Hub, topic: Topic, format: Format) -> Option<Made> {
    let epoch = hub.epoch();
    let (version, payload) = match topic.kind {
        Kind::Positions => moved_rows(hub, &topic, None),
        Kind::Position(cell) => moved_rows(hub, &topic, Some(cell)),
        Kind::Tally | Kind::Overdue | Kind::Open | Kind::Whistle | Kind::Case | Kind::Who => {
            let all = collect(hub, &topic)?;
            (all.version, frames::payload(all.rows, topic.audience))
        }
    };
    let snapshot = Snapshot { topic, epoch: Hex64(epoch), version, server_ms: hub.0.clock.now(), payload };
    let body = match format {
        Format::Binary => snapshot.to_bytes(),
        Format::Json => serde_json::to_vec(&snapshot).expect("every type of the protocol has a JSON form"),
    };
    let etag = format!("\"{}:{version}\"", snapshot.epoch);
    let gzip = compressed(&body);
    Some(Made { epoch, version, at: clock::instant(), etag, body: body.into(), gzip })
}

/// Positions, read where they are kept and never under the lock of the topics.
fn moved_rows(hub: &Hub, topic: &Topic, cell: Option<domain::position::Cell>) -> (u64, Payload) {
    let moved = hub.0.positions.with(|table| table.rows(topic.part.as_ref(), cell, 0));
    (moved.to, Payload::Positions(moved.rows))
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
