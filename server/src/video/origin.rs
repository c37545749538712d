//! Where pictures come from: the list of cameras, how each is reached, and the actor that keeps a feed filled.
//!
//! What should be here: addresses and accounts (and nowhere else), limits on dialling, protocols of cameras. What should
//! not: what is kept of a stream (`relay/`), other forms of it (`form/`), who watches (`page/`).

pub mod address;
pub mod adopted;
pub mod backoff;
pub mod change;
pub mod dial;
pub mod file;
pub mod item;
pub mod former;
mod lease;
pub mod list;
pub mod registry;
pub mod rtsp;
pub mod source;
pub mod upstream;
