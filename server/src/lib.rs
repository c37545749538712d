//! Everything that touches the world: store, feed, ingest, video, access, HTTP. Rules about cases are in `domain`.
//!
//! Modules in reading order.

#![forbid(unsafe_code)]

mod installed;
pub mod config;
pub mod clock;
mod lock;
pub mod cause;
mod engine;
mod lasting;
pub mod access;
pub mod problem;
pub mod log;
pub mod stored;
pub mod turn;
pub mod folder;
pub mod events;
pub mod views;
pub mod check;
pub mod lists;
pub mod files;
pub mod world;
pub mod writer;
pub mod adoption;
pub mod timer;
pub mod encoding;
pub mod import;
pub mod tables;
pub mod video;
pub mod cameras;
pub mod versioned;
pub mod position;
pub mod live;
pub mod publish;
pub mod hall;
pub mod drill;
pub mod replay;
pub mod http;
pub mod serve;
pub mod logging;
pub mod cli;
