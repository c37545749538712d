//! One JPEG picture of a camera: from the stream that is open, or after a short dial.

use crate::clock::{self, Instant};
use crate::lock::lock;
use crate::video::origin::registry::Registered;
use crate::video::relay::feed::Wake;
use crate::video::relay::frame::Frame;
use crate::video::relay::status::{Cause, State, Status};
use crate::video::relay::stream::{Key, Profile, Rendition};
use crate::video::switchboard::Switchboard;
use bytes::Bytes;
use domain::code::CameraCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Pictures remembered.
const CACHED_MAX: usize = 512;

/// A picture and when its frame had arrived.
#[derive(Debug, Clone)]
pub struct Photo {
    pub jpeg: Bytes,
    pub ingest_us: i64,
}

/// Why there is none.
#[derive(Debug)]
pub enum NoPhoto {
    /// The camera gave no picture; how it is.
    Camera(Status),
    /// Nothing here can make one.
    Decoder(&'static str),
}

/// Pictures made lately.
#[derive(Debug, Default)]
pub struct Photos {
    made: Mutex<HashMap<CameraCode, (Instant, Photo)>>,
}

impl Photos {
    fn get(&self, code: &CameraCode, age_max: Duration) -> Option<Photo> {
        let made = lock(&self.made);
        made.get(code).filter(|(at, _)| at.elapsed() < age_max).map(|(_, photo)| photo.clone())
    }

    fn put(&self, code: &CameraCode, photo: Photo) {
        let mut made = lock(&self.made);
        if made.len() >= CACHED_MAX && !made.contains_key(code) {
            let oldest = made.iter().min_by_key(|(_, (at, _))| *at).map(|(code, _)| code.clone());
            oldest.and_then(|code| made.remove(&code));
        }
        made.insert(code.clone(), (clock::instant(), photo));
    }
}

/// A picture of the camera, at most a few seconds and its key interval old.
pub async fn take(
    photos: &Photos,
    switchboard: &Switchboard,
    camera: &Arc<Registered>,
) -> Result<Photo, NoPhoto> {
    let config = &switchboard.config;
    let code = &camera.camera.code;
    let age_max = Duration::from_millis(config.snapshot_cache_ms);
    if let Some(cached) = photos.get(code, age_max) {
        return Ok(cached);
    }
    let frame = key_frame(switchboard, camera).await.map_err(NoPhoto::Camera)?;
    let ingest_us = frame.arrived.wall_us;
    let Ok(_place) = switchboard.decoding.acquire().await else {
        return Err(NoPhoto::Decoder("the server is stopping"));
    };
    // Whoever waited for a place may find the picture made meanwhile.
    if let Some(cached) = photos.get(code, age_max) {
        return Ok(cached);
    }
    let photo = Photo { jpeg: to_jpeg(frame, config.still_width_max).await?, ingest_us };
    photos.put(code, photo.clone());
    Ok(photo)
}

#[cfg(feature = "ffmpeg")]
async fn to_jpeg(frame: Arc<Frame>, width_max: u16) -> Result<Bytes, NoPhoto> {
    let width_max = u32::from(width_max);
    match super::thread::run("photo", move || super::transcode::jpeg(&frame, width_max)).await {
        Ok(Ok(jpeg)) => Ok(jpeg),
        Ok(Err(error)) => {
            tracing::warn!(error = crate::cause::chain(&error), "no photo from a key frame");
            Err(NoPhoto::Decoder("the key frame could not be decoded"))
        }
        Err(_) => Err(NoPhoto::Decoder("the decoder failed")),
    }
}

#[cfg(not(feature = "ffmpeg"))]
async fn to_jpeg(frame: Arc<Frame>, _width_max: u16) -> Result<Bytes, NoPhoto> {
    match frame.configuration.codec {
        crate::video::relay::frame::Codec::Jpeg => Ok(frame.payload.clone()),
        crate::video::relay::frame::Codec::H264 | crate::video::relay::frame::Codec::H265 => {
            Err(NoPhoto::Decoder("this server was built without a decoder"))
        }
    }
}

/// The newest key frame of an open stream, or the first one after a dial.
async fn key_frame(switchboard: &Switchboard, camera: &Arc<Registered>) -> Result<Arc<Frame>, Status> {
    let open = [Profile::Main, Profile::Sub].into_iter().find_map(|profile| {
        let key = Key { code: camera.camera.code.clone(), profile, rendition: Rendition::Source };
        switchboard.feeds.find(&key)?.last_key()
    });
    if let Some(frame) = open {
        return Ok(frame);
    }
    let profile = if camera.origin.has_sub() { Profile::Sub } else { Profile::Main };
    let wake = Arc::<Wake>::default();
    let mut viewer = switchboard.watch(camera, profile, Arc::clone(&wake), 0);
    let by = clock::instant() + Duration::from_millis(switchboard.config.snapshot_timeout_ms);
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
        if clock::by(by, wake.heard()).await.is_none() {
            let reason = "no key frame in time";
            return Err(Status::caused(Cause::NoKeyFrame, reason, switchboard.clock.now().0));
        }
    }
}
