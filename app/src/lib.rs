//! What is seen: the screens of the hall.

pub mod map;
pub mod player;
