//! The map's decisions: what is drawn where, so that no word lies on a mark and nothing moves without a cause.
//!
//! What should be here: projection, gathering, rank and places of marks and words, as pure functions over plain data with
//! a memory of their own last answer. What should not: drawing, colours, fonts (a `Ruler` says how wide a word is), time.
//!
//! Modules in reading order.

pub mod view;
pub mod rect;
pub mod room;
pub mod seek;
pub mod ground;
pub mod people;
pub mod crowd;
pub mod cases;
pub mod item;
pub mod scene;
mod urgent;
mod incident;
mod callout;
mod names;
mod roads;
pub mod plan;

#[cfg(test)]
mod city;
#[cfg(test)]
mod tests;

pub use plan::{Plan, Planner};
