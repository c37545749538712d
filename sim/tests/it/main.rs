//! The simulated cameras as their clients meet them: through retina, through FFmpeg's decoders and over a bare socket.

mod client;
mod pictures;
mod faults;
mod protocol;
mod files;
