//! The one integration binary of the server: doors and files as their users meet them.

// A test looks for the one thing it waits for among whatever else comes.
#![allow(clippy::wildcard_enum_match_arm)]

mod long;
mod city;
mod worlds;
mod replay;
mod demo_city;
mod http;
mod api;
mod decoders;
mod doors;
mod roles;
mod hands;
mod scope;
mod accounts;
mod map;
mod walls;
mod positions;
mod files;
mod plans;
mod live;
mod live_hall;
mod live_lag;
mod live_screen;
mod live_model;
mod live_simulation;
mod live_commands;
mod live_away;
mod live_back;
mod live_python;
mod live_links;
mod log;
mod store;
mod turns;
mod lists;
mod video;
mod random;
mod sockets;
mod damage;
mod past;
mod lost;
mod earlier;
mod clock;
mod clock_doubted;
mod demonstration;
mod adopt;
mod adopt_areas;
mod adopt_cameras;
mod adopt_doors;
mod at_rest;
mod check;
mod crash;
mod drill;
mod import;
mod history;
