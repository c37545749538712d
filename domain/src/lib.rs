//! The rules of the hall: cases, clocks, whistles, tallies, positions, and what travels between server and browser.
//!
//! What should be here: everything with an opinion about cases, as pure functions over plain data, for the server and
//! the browser alike. What should not: files, sockets, clocks, threads, async. Time is an argument.
//!
//! Modules in reading order.

pub mod moment;
pub mod text;
pub mod code;
pub mod world;
pub mod route;
pub mod place;
pub mod camera;
pub mod stream;
pub mod suggestion;
pub mod video;
pub mod clock;
pub mod catalogue;
pub mod policy;
pub mod adoption;
pub mod file;
pub mod case;
pub mod whistle;
pub mod command;
pub mod event;
pub mod rejection;
pub mod role;
pub mod grant;
pub mod scope;
pub mod tally;
pub mod definition;
pub mod state;
pub mod position;
pub mod wire;
pub mod answer;
pub mod audience;
pub mod feed;
pub mod drill;
pub mod map;
pub mod scene;
