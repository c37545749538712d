//! Measurements that need load: a server of its own, the simulated city around it, and rows of numbers.
//!
//! What should be here: what every measurement shares. What should not: showing and comparing rows (`cargo xtask bench`).

use serde::Serialize;

mod server;
mod door;
mod screen;
pub mod live;
pub mod video;

use server::Server;

/// One measured number and what it should be.
#[derive(Debug, Serialize)]
pub struct Row {
    pub measure: String,
    pub value: f64,
    pub unit: &'static str,
    pub target: Option<String>,
    pub holds: Option<bool>,
}

impl Row {
    #[must_use]
    pub fn at_most(measure: impl Into<String>, value: f64, unit: &'static str, most: f64) -> Self {
        Self {
            measure: measure.into(),
            value,
            unit,
            target: Some(format!("≤ {most}")),
            holds: Some(value <= most),
        }
    }

    #[must_use]
    pub fn at_least(measure: impl Into<String>, value: f64, unit: &'static str, least: f64) -> Self {
        Self {
            measure: measure.into(),
            value,
            unit,
            target: Some(format!("≥ {least}")),
            holds: Some(value >= least),
        }
    }

    /// What the load itself reached: below 98 % of its nominal rate the rows after it say less than their names.
    #[must_use]
    pub fn achieved(measure: impl Into<String>, value: f64, unit: &'static str, nominal: f64) -> Self {
        Self {
            measure: measure.into(),
            value,
            unit,
            target: Some(format!("{nominal}, at least 98 % of it")),
            holds: Some(value >= 0.98 * nominal),
        }
    }

    #[must_use]
    pub fn plain(measure: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { measure: measure.into(), value, unit, target: None, holds: None }
    }
}

/// The value below which `share` (0…1) of `values` lie.
#[must_use]
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = (last as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}
