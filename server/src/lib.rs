//! Everything that touches the world: store, feed, ingest, video, access, HTTP. Rules about cases are in `domain`.
//!
//! Modules in reading order.

pub mod clock;
pub mod video;
