//! What a camera shows under its faults: which loop, which live coding, which sound.

use std::sync::Arc;

use super::aac::AudioTrack;
use super::clip::{Clip, ClipError, ClipKey, ClipStore};
use super::encode::Coding;
use super::fault::{Fault, FaultSet};
use super::live::LiveFeed;
use super::nal::{Codec, Parameters};
use super::simulator::Camera;
use super::spec::{CameraSpec, Picture, Profile, Source};

/// Seconds of a drawn loop.
const LOOP_SECONDS: u32 = 12;
/// Seconds between key frames under `LongGop`.
const LONG_GOP_SECONDS: u32 = 5;

/// Where a session's pictures come from.
#[derive(Clone)]
pub enum Pictures {
    Live(Arc<LiveFeed>),
    Loop(Arc<Clip>),
}

/// What one session was promised by DESCRIBE.
#[derive(Clone)]
pub struct Plan {
    pub pictures: Pictures,
    pub parameters: Arc<Parameters>,
    pub audio: Option<Arc<AudioTrack>>,
}

/// Decides what a new session on `profile` gets.
pub async fn plan(camera: &Camera, profile: Profile, store: &ClipStore) -> Result<Plan, ClipError> {
    let faults = camera.faults();
    let key = loop_key(&camera.spec, profile, faults);
    let (pictures, parameters, mut audio) = match key {
        Some(key) => {
            let clip = store.clip(&key).await?;
            let parameters = Arc::clone(&clip.parameters);
            let audio = clip.audio.clone();
            (Pictures::Loop(clip), parameters, audio)
        }
        None => {
            let feed = camera.live(profile);
            let parameters = feed.parameters().await?;
            (Pictures::Live(feed), parameters, None)
        }
    };
    if audio.is_none() && (camera.spec.audio || faults.has(Fault::Audio)) {
        audio = Some(store.chime().await?);
    }
    Ok(Plan { pictures, parameters, audio })
}

/// The loop to show, nothing for a live camera. Faults of coding cannot be put upon a file, nor CRA pictures
/// upon a live encoder: a drawn loop stands in.
pub fn loop_key(spec: &CameraSpec, profile: Profile, faults: FaultSet) -> Option<ClipKey> {
    let recoded = [Fault::BFrames, Fault::LongGop, Fault::CraOnly].into_iter().any(|fault| faults.has(fault));
    let drawn = |scene: u32, label: &str| {
        let coding = coding_under(&coding(spec, profile), faults);
        ClipKey::Drawn { scene, label: label.to_owned(), coding, seconds: LOOP_SECONDS }
    };
    match &spec.source {
        Source::Live { scene } if faults.has(Fault::CraOnly) => Some(drawn(*scene, &spec.code)),
        Source::Live { .. } => None,
        Source::Looped { scene, label } => Some(drawn(*scene, label)),
        Source::File { .. } if recoded => Some(drawn(0, &spec.code)),
        Source::File { main, sub } => Some(ClipKey::File(match profile {
            Profile::Main => main.clone(),
            Profile::Sub => sub.as_ref().unwrap_or(main).clone(),
        })),
    }
}

/// The loop `ParameterChange` goes to and fro with.
pub fn other_loop(spec: &CameraSpec, profile: Profile, codec: Codec, faults: FaultSet) -> ClipKey {
    let (scene, label) = match &spec.source {
        Source::Live { scene } => (*scene, spec.code.as_str()),
        Source::Looped { scene, label } => (*scene, label.as_str()),
        Source::File { .. } => (0, spec.code.as_str()),
    };
    let coding = other_size(&coding_under(&Coding { codec, ..coding(spec, profile) }, faults));
    ClipKey::Drawn { scene, label: label.to_owned(), coding, seconds: LOOP_SECONDS }
}

/// Coding without faults.
pub fn coding(spec: &CameraSpec, profile: Profile) -> Coding {
    let Picture { width, height, fps, kbps } = spec.picture(profile);
    let gop = spec.gop_seconds * fps;
    Coding { codec: spec.codec, width, height, fps, gop, b_frames: 0, open_gop: false, kbps }
}

/// The coding with the faults that change it.
pub fn coding_under(coding: &Coding, faults: FaultSet) -> Coding {
    let mut coding = coding.clone();
    if faults.has(Fault::LongGop) {
        coding.gop = coding.fps * LONG_GOP_SECONDS;
    }
    if faults.has(Fault::BFrames) {
        coding.b_frames = 2;
    }
    if faults.has(Fault::CraOnly) {
        coding.codec = Codec::H265;
        coding.open_gop = true;
    }
    coding
}

/// Three quarters of each side, in even numbers.
pub fn other_size(coding: &Coding) -> Coding {
    let smaller = |side: u32| (side * 3 / 4) & !1;
    Coding { width: smaller(coding.width), height: smaller(coding.height), ..coding.clone() }
}
