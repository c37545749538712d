//! The simulated city: its schematic map, its cases, its inspectors and its cameras.

pub mod schematic;
pub mod camera;
pub mod client;
pub mod city;
pub mod tracks;
pub mod bench;

/// An error with all its causes, for a log line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
