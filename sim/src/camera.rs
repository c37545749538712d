//! Simulated RTSP cameras: an RTSP-over-TCP server of our own with drawn or given pictures and faults on request.
//!
//! For tests, the demo and benches. What should be here: everything a camera does. What should not: how Gridhall
//! pulls cameras (the server's `video`), and the city around them.

pub mod fault;
pub mod nal;
pub mod spec;
pub mod auth;
mod message;
mod rtp;
mod sdp;
mod clock;
mod font;
mod canvas;
pub mod strip;
mod scene;
mod encode;
mod aac;
mod mp4;
mod clip;
mod live;
mod plan;
mod playback;
mod spoil;
mod outlet;
mod slot;
mod session;
mod simulator;
pub mod registry;
pub mod control;

pub use auth::{AuthScheme, Credentials};
pub use clip::ClipError;
pub use fault::{Fault, UnknownFault};
pub use nal::Codec;
pub use simulator::{CameraHandle, Counts, Simulator, SimulatorError};
pub use spec::{CameraSpec, Picture, Place, Profile, Source};
