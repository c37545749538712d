//! What the programs that automate share: where the repository is, and how others' programs are run.
//!
//! What should be here: what `site` needs of it too, light to compile. What should not: tasks (`main.rs`).

// A person reads what these programs print; they have no log.
#![allow(clippy::print_stdout)]

pub mod repo;
pub mod process;
