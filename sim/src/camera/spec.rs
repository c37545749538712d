//! What a simulated camera is: its name, its pictures, its place. Plain data, no behaviour.

use std::path::PathBuf;

use super::auth::Credentials;
use super::fault::Fault;
use super::nal::Codec;

/// Which of a camera's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    Main,
    Sub,
}

impl Profile {
    /// Last part of the stream's URL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Sub => "sub",
        }
    }
}

/// Where the pictures come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Drawn and coded as it happens, with a true clock; coded only while somebody watches.
    Live { scene: u32 },
    /// A drawn loop without a clock. Cameras with equal scene, label and coding share one.
    Looped { scene: u32, label: String },
    /// A video file, played over and over.
    File { main: PathBuf, sub: Option<PathBuf> },
}

/// Size and rate of a drawn stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Pixels, a multiple of 80 and 16:9, so that the clock strip's cells are whole pixels.
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    /// Kilobits a second to fill with grain; nothing for constant quality (a few hundred).
    pub kbps: Option<u32>,
}

/// Where a camera stands and looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Degrees, WGS-84.
    pub lat: f64,
    pub lon: f64,
    /// Degrees clockwise from north the camera looks to.
    pub bearing: f64,
    /// Width of its view, degrees.
    pub view_deg: f64,
}

/// One camera.
#[derive(Debug, Clone)]
pub struct CameraSpec {
    /// Part of the URL: letters, digits, `-`, `_`.
    pub code: String,
    pub name: String,
    pub owner: String,
    pub place: Option<Place>,
    pub source: Source,
    pub codec: Codec,
    pub main: Picture,
    pub sub: Picture,
    pub gop_seconds: u32,
    pub audio: bool,
    pub credentials: Option<Credentials>,
    /// Faults in force from the start.
    pub faults: Vec<Fault>,
}

impl CameraSpec {
    fn new(code: &str, source: Source) -> Self {
        Self {
            code: code.to_owned(),
            name: code.to_owned(),
            owner: String::new(),
            place: None,
            source,
            codec: Codec::H264,
            main: Picture { width: 1280, height: 720, fps: 15, kbps: None },
            sub: Picture { width: 640, height: 360, fps: 15, kbps: None },
            gop_seconds: 2,
            audio: false,
            credentials: None,
            faults: Vec::new(),
        }
    }

    /// A live drawn camera with its own clock.
    pub fn live(code: &str, scene: u32) -> Self {
        Self::new(code, Source::Live { scene })
    }

    /// A drawn loop, shared with other cameras of the same scene.
    pub fn looped(code: &str, scene: u32) -> Self {
        Self::new(code, Source::Looped { scene, label: format!("LOOP {scene}") })
    }

    /// A video file for both profiles.
    pub fn file(code: &str, path: impl Into<PathBuf>) -> Self {
        Self::new(code, Source::File { main: path.into(), sub: None })
    }

    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    pub fn with_codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    pub fn picture(&self, profile: Profile) -> Picture {
        match profile {
            Profile::Main => self.main,
            Profile::Sub => self.sub,
        }
    }
}
