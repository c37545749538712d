//! What is held of a stream and given on: frames, the ring they stand in, where each viewer stands, which streams are open.
//!
//! What should be here: pictures on their way, whatever made them, and what may be said of a stream. What should not:
//! cameras, addresses and dialling (`origin/`), codecs (`form/`), pages and sockets (`page/`). Nothing here imports those.

pub mod stream;
pub mod status;
pub mod frame;
pub mod nal;
pub mod timeline;
pub mod ring;
pub mod feed;
pub mod feeds;
