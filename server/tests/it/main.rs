//! The one integration binary of the server: doors and files as their users meet them.

mod long;
mod city;
mod demo_city;
mod http;
mod api;
mod decoders;
mod doors;
mod roles;
mod accounts;
mod map;
mod live;
mod live_simulation;
mod live_python;
mod live_links;
mod log;
mod store;
mod lists;
mod video;
mod random;
mod sockets;
mod damage;
mod earlier;
mod clock;
mod crash;
mod import;
