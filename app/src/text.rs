//! Values as words: plain functions, tested without a browser.
//!
//! What should be here: how a number, a time, a limit or an event reads in each language. What should not: views,
//! signals, clocks.

mod number;
mod when;
mod countdown;
mod label;
mod curve;
mod usual;

pub use countdown::{countdown, in_minutes, why_still};
pub use curve::{Curve, curve_svg};
pub use label::{event_name, level_name, phase_note, stage_name, unit_name};
pub use number::{fixed, grouped, rate, signed, signed_rate};
pub use usual::{Against, Usual, Waited, on_usual};
pub use when::{clock, date_words, hour_minute, moment, month_before, short_date};
