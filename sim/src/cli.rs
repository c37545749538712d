//! The subcommands: their options, and how they start what the library does.

pub mod schematic;
pub mod cameras;
pub mod city;
pub mod tracks;
pub mod bench;
pub mod screen;
pub mod demo;
pub mod tile;
