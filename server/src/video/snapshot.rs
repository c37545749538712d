//! One JPEG picture of a camera: from the stream that is open, or after a short dial.

use super::Video;
use super::feed::Wake;
use super::registry::{Entry, Profile};
use super::status::{Cause, State, Status};
use super::switchboard::{Key, Rendition};
use bytes::Bytes;
use domain::code::CameraCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Pictures remembered.
const CACHED_MAX: usize = 512;

/// A picture and when its frame had arrived.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub jpeg: Bytes,
    pub ingest_us: i64,
}

/// Why there is none.
#[derive(Debug)]
pub enum NoSnapshot {
    /// The camera gave no picture; how it is.
    Camera(Status),
    /// Nothing here can make one.
    Decoder(&'static str),
}

/// Pictures made lately.
#[derive(Debug, Default)]
pub struct Snapshots {
    made: Mutex<HashMap<CameraCode, (Instant, Snapshot)>>,
}

impl Snapshots {
    fn get(&self, code: &CameraCode, age_max: Duration) -> Option<Snapshot> {
        let made = self.made.lock().expect("no code panics while it holds the snapshots");
        made.get(code).filter(|(at, _)| at.elapsed() < age_max).map(|(_, snapshot)| snapshot.clone())
    }

    fn put(&self, code: &CameraCode, snapshot: Snapshot) {
        let mut made = self.made.lock().expect("no code panics while it holds the snapshots");
        if made.len() >= CACHED_MAX && !made.contains_key(code) {
            let oldest = made.iter().min_by_key(|(_, (at, _))| *at).map(|(code, _)| code.clone());
            oldest.and_then(|code| made.remove(&code));
        }
        made.insert(code.clone(), (Instant::now(), snapshot));
    }
}

/// A picture of the camera, at most a few seconds and its key interval old.
pub async fn take(video: &Video, entry: &Arc<Entry>) -> Result<Snapshot, NoSnapshot> {
    let config = &video.board.config;
    let code = &entry.camera.code;
    let age_max = Duration::from_millis(config.snapshot_cache_ms);
    if let Some(cached) = video.snapshots.get(code, age_max) {
        return Ok(cached);
    }
    let frame = key_frame(video, entry).await.map_err(NoSnapshot::Camera)?;
    let ingest_us = frame.ingest_us;
    let Ok(_place) = video.board.decoding.acquire().await else {
        return Err(NoSnapshot::Decoder("the server is stopping"));
    };
    // Whoever waited for a place may find the picture made meanwhile.
    if let Some(cached) = video.snapshots.get(code, age_max) {
        return Ok(cached);
    }
    let snapshot = Snapshot { jpeg: to_jpeg(frame, config.still_width_max).await?, ingest_us };
    video.snapshots.put(code, snapshot.clone());
    Ok(snapshot)
}

#[cfg(feature = "ffmpeg")]
async fn to_jpeg(frame: Arc<super::frame::Frame>, width_max: u16) -> Result<Bytes, NoSnapshot> {
    let width_max = u32::from(width_max);
    match tokio::task::spawn_blocking(move || super::transcode::jpeg(&frame, width_max)).await {
        Ok(Ok(jpeg)) => Ok(jpeg),
        Ok(Err(error)) => {
            tracing::warn!(error = crate::problem::chain(&error), "no snapshot from a key frame");
            Err(NoSnapshot::Decoder("the key frame could not be decoded"))
        }
        Err(_) => Err(NoSnapshot::Decoder("the decoder failed")),
    }
}

#[cfg(not(feature = "ffmpeg"))]
async fn to_jpeg(frame: Arc<super::frame::Frame>, _width_max: u16) -> Result<Bytes, NoSnapshot> {
    match frame.configuration.codec {
        super::frame::Codec::Jpeg => Ok(frame.payload.clone()),
        super::frame::Codec::H264 | super::frame::Codec::H265 => {
            Err(NoSnapshot::Decoder("this server was built without a decoder"))
        }
    }
}

/// The newest key frame of an open stream, or the first one after a dial.
async fn key_frame(video: &Video, entry: &Arc<Entry>) -> Result<Arc<super::frame::Frame>, Status> {
    let open = [Profile::Main, Profile::Sub].into_iter().find_map(|profile| {
        let key = Key { code: entry.camera.code.clone(), profile, rendition: Rendition::Source };
        video.board.find(&key)?.last_key()
    });
    if let Some(frame) = open {
        return Ok(frame);
    }
    let profile = if entry.sub.is_some() { Profile::Sub } else { Profile::Main };
    let wake = Arc::<Wake>::default();
    let mut viewer = video.board.watch(entry, profile, Arc::clone(&wake), 0);
    let by = Instant::now() + Duration::from_millis(video.board.config.snapshot_timeout_ms);
    loop {
        if let Some(frame) = viewer.feed().last_key() {
            return Ok(frame);
        }
        if let Some(status) = viewer.status_news() {
            match status.state {
                State::Lost | State::Refused | State::Unsupported | State::Gone => return Err(status),
                State::Connecting | State::Live | State::Delayed | State::KeyFrames => {}
            }
        }
        wake.take();
        if tokio::time::timeout_at(by, wake.heard()).await.is_err() {
            let reason = "no key frame in time";
            return Err(Status::caused(Cause::NoKeyFrame, reason, crate::clock::now().0));
        }
    }
}
