//! How pages get their pictures: the words spoken on the video socket, one tile, one connection.
//!
//! What should be here: everything in `docs/video-protocol.md`. What should not: HTTP routes (`http.rs`), pictures of other
//! forms (`form/`).

mod media;
pub mod message;
pub mod share;
mod tile;
pub mod socket;
