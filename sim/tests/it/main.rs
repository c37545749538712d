//! The simulated cameras as their clients meet them, through retina, through FFmpeg's decoders and over a bare socket; and the
//! simulated city in a hall of its own.

// A test looks for the one thing it waits for among whatever else comes.
#![allow(clippy::wildcard_enum_match_arm)]

mod client;
mod pictures;
mod faults;
mod protocol;
mod files;
mod long;
mod demo;
