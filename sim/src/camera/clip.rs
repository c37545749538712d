//! Looped pictures: a few seconds coded once and shared by any number of viewers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::aac::AudioTrack;
use super::canvas::Canvas;
use super::clock;
use super::encode::{Coding, EncodeError, Encoder};
use super::mp4::{self, FileError};
use super::nal::{AccessUnit, Parameters};
use super::scene::{Overlay, Scene};

/// A coded loop. The first unit is a key frame.
#[derive(Debug)]
pub struct Clip {
    pub parameters: Arc<Parameters>,
    /// Access units in decode order, each with the moment it is sent, counted from the loop's start.
    pub units: Vec<(Duration, Arc<AccessUnit>)>,
    pub duration: Duration,
    /// Sound that came with the pictures.
    pub audio: Option<Arc<AudioTrack>>,
}

/// Which loop.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClipKey {
    Drawn { scene: u32, label: String, coding: Coding, seconds: u32 },
    File(PathBuf),
}

/// Why a loop could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClipError {
    #[error("cannot code the drawn loop")]
    Encode(#[from] EncodeError),
    #[error("cannot loop the file")]
    File(#[from] FileError),
}

/// Loops made so far; each is made once, on first use.
#[derive(Default)]
pub struct ClipStore {
    clips: Mutex<HashMap<ClipKey, Arc<OnceCell<Arc<Clip>>>>>,
    chime: OnceCell<Arc<AudioTrack>>,
}

impl ClipStore {
    pub async fn clip(&self, key: &ClipKey) -> Result<Arc<Clip>, ClipError> {
        let cell = {
            let mut clips = self.clips.lock().expect("no holder of this lock panics");
            Arc::clone(clips.entry(key.clone()).or_default())
        };
        let made = cell.get_or_try_init(|| async {
            let key = key.clone();
            let made = tokio::task::spawn_blocking(move || make(&key)).await;
            made.unwrap_or(Err(ClipError::Encode(EncodeError::Cancelled))).map(Arc::new)
        });
        made.await.map(Arc::clone)
    }

    /// The sound of cameras that have none of their own.
    pub async fn chime(&self) -> Result<Arc<AudioTrack>, ClipError> {
        let made = self.chime.get_or_try_init(|| async {
            let made = tokio::task::spawn_blocking(AudioTrack::chime).await;
            made.unwrap_or(Err(EncodeError::Cancelled)).map(Arc::new)
        });
        Ok(Arc::clone(made.await?))
    }
}

fn make(key: &ClipKey) -> Result<Clip, ClipError> {
    match key {
        ClipKey::Drawn { scene, label, coding, seconds } => Ok(draw(*scene, label, coding, *seconds)?),
        ClipKey::File(path) => Ok(mp4::open(path)?),
    }
}

/// Draws and codes a loop. The clock strip is left out: a repeated moment would be a lie.
fn draw(seed: u32, label: &str, coding: &Coding, seconds: u32) -> Result<Clip, EncodeError> {
    let mut scene = Scene::new(seed, coding.width, coding.height);
    let mut canvas = Canvas::new(coding.width, coding.height);
    let mut encoder = Encoder::open(coding)?;
    let overlay = Overlay { label: label.to_owned(), clock: None, strip_ms: None };
    let start_ms = clock::unix_ms();
    let hour = clock::local_hour(start_ms);
    // Whole groups of pictures, so that the loop closes on a key frame.
    let groups = (seconds * coding.fps).div_ceil(coding.gop).max(1);
    // CRA-only: the first group opens with the encoder's one IDR and is cut off again.
    let skipped = if coding.open_gop { 1 } else { 0 };
    let pictures = i64::from((groups + skipped) * coding.gop);
    let mut units = Vec::new();
    for index in 0..pictures {
        let now_ms = start_ms + (index * 1_000 / i64::from(coding.fps)) as u64;
        scene.draw(&mut canvas, now_ms, hour, &overlay);
        if coding.kbps.is_some() {
            canvas.grain(6, index as u32 + 1);
        }
        units.extend(encoder.encode(&canvas, index, false)?);
    }
    units.extend(encoder.finish()?);
    let first = units.iter().enumerate().filter(|(_, unit)| unit.key).nth(skipped as usize);
    let first = first.map(|(index, _)| index).ok_or(EncodeError::NoParameters)?;
    units.drain(..first);
    let zero_90k = units.first().map_or(0, |unit| unit.pts_90k);
    let parameters =
        units.first().map(|unit| Arc::clone(&unit.parameters)).ok_or(EncodeError::NoParameters)?;
    let picture = Duration::from_secs(1) / coding.fps;
    let duration = picture * units.len() as u32;
    let timed = units.into_iter().enumerate().map(|(index, mut unit)| {
        unit.pts_90k -= zero_90k;
        (picture * index as u32, Arc::new(unit))
    });
    Ok(Clip { parameters, units: timed.collect(), duration, audio: None })
}
