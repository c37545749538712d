//! The simulated city: its schematic map, its cases, its inspectors and its cameras.

pub mod schematic;
