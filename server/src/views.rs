//! Views: closed cases and whistle calls laid out for lists and reports, in a file of their own. Derived from the log,
//! and never asked for an answer that the log alone must give.
//!
//! Consistency: what is acknowledged stands in the log. Views are written in the order of the log, with the stretch of it
//! they cover in the same transaction; a file that covers more than the log has belongs to another past and is laid out
//! anew. Every list is memory ∪ closed since ∪ views, and memory has the newer word (`crate::lists`).
//!
//! Layout: a run holds up to 65,536 closed cases of one stretch of the log, and is counted to the month of its last closing:
//! the log's order is where a build can be cut, and times are columns. Small runs of a month become one. What should not be here: rules about cases, open
//! cases, who may see what.

pub mod pack;
pub mod steps;
pub mod grams;
pub mod run;
pub mod covered;
pub mod sql;
pub mod pool;
pub mod file;
pub mod question;
pub mod scan;
pub mod pace;
pub mod reserve;
pub mod whistles;
pub mod layout;
pub mod fill;
pub mod source;
pub mod from_log;
pub mod check;
pub mod progress;
pub mod work;
pub mod builder;
#[cfg(test)]
pub(crate) mod tests;

pub use builder::{Builder, Settings};
pub use file::{Belongs, Run, ViewsError};
pub use layout::Layout;
pub use pool::Pool;
pub use progress::{Doing, Progress};
pub use source::Source;
