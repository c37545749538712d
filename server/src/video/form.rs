//! In which forms a camera's pictures are given: transcoded, as MP4 fragments, as single JPEG pictures.
//!
//! What should be here: who needs which form and what makes it. What should not: messages of pages (`page/`), dialling
//! (`origin/`).

pub mod rendition;
mod follower;
pub mod mse;
pub mod photo;
#[cfg(feature = "ffmpeg")]
mod thread;
#[cfg(feature = "ffmpeg")]
mod transcode;
