//! What a tile (画面) says of its camera: one state, told from the facts its page has.
//!
//! What should be here: which state holds, which picture stands, what is left out and why, as pure functions over facts
//! and time. What should not: sockets, decoders and canvases (the page's scripts gather the facts and obey the `Rule`),
//! words and shapes (the screens'), and what may be said of a stream at all (`stream`).

mod facts;
mod shed;
mod tile;
mod told;

#[cfg(test)]
mod tests;

pub use facts::{Engine, Facts, Says};
pub use shed::{Left, LeftBy};
pub use tile::{Rule, Tile};
pub use told::{Shown, Told, Why};
