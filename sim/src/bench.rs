//! Measurements that need load: a server of its own, the simulated city around it, and rows of numbers.
//!
//! What should be here: what every measurement shares. What should not: showing and comparing rows (`cargo xtask bench`).

use serde::Serialize;

mod server;
mod used;
mod door;
pub mod screen;
pub mod live;
pub mod history;
pub mod video;

pub use door::Door;
use server::Server;
use used::Used;

/// One measured number and what it should be.
#[derive(Debug, Serialize)]
pub struct Row {
    pub measure: String,
    pub value: f64,
    pub unit: &'static str,
    pub target: Option<String>,
    pub holds: Option<bool>,
    /// What this machine can do of the same kind, where the measure depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// Share of the whole machine that the load took for itself while this was measured, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generators: Option<f64>,
}

/// A bare stand-in for the product doing the same work, measured in the same run in the row's own unit.
#[derive(Debug, Serialize)]
pub struct Limit {
    pub what: String,
    pub value: f64,
    /// The share of it that is asked for, in words.
    pub share: String,
}

impl Row {
    #[must_use]
    pub fn at_most(measure: impl Into<String>, value: f64, unit: &'static str, most: f64) -> Self {
        let (target, holds) = (Some(format!("≤ {most}")), Some(value <= most));
        Self { target, holds, ..Self::plain(measure, value, unit) }
    }

    #[must_use]
    pub fn at_least(measure: impl Into<String>, value: f64, unit: &'static str, least: f64) -> Self {
        let (target, holds) = (Some(format!("≥ {least}")), Some(value >= least));
        Self { target, holds, ..Self::plain(measure, value, unit) }
    }

    /// What the load itself reached: below 98 % of its nominal rate the rows after it say less than their names.
    #[must_use]
    pub fn achieved(measure: impl Into<String>, value: f64, unit: &'static str, nominal: f64) -> Self {
        let target = Some(format!("{nominal}, at least 98 % of it"));
        Self { target, holds: Some(value >= 0.98 * nominal), ..Self::plain(measure, value, unit) }
    }

    #[must_use]
    pub fn plain(measure: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let measure = measure.into();
        Self { measure, value, unit, target: None, holds: None, limit: None, generators: None }
    }

    /// Holds when it reaches `least` of what the machine can do; the absolute target then only informs.
    #[must_use]
    pub fn beside(self, what: impl Into<String>, value: f64, least: f64) -> Self {
        let limit = Limit { what: what.into(), value, share: format!("≥ {least}") };
        Self { holds: Some(self.value >= least * value), limit: Some(limit), ..self }
    }

    /// Says how much of the machine the load took meanwhile.
    #[must_use]
    pub fn under(self, used: &Used) -> Self {
        Self { generators: Some(used.generators()), ..self }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_with_a_limit_holds_by_its_share_of_it_and_not_by_the_absolute_target() {
        let slow = Row::at_least("relayed streams a core", 469.0, "streams", 1_000.0);
        assert_eq!(slow.holds, Some(false));
        assert_eq!(slow.beside("moving the same bytes", 800.0, 0.5).holds, Some(true));
        let idle = Row::at_least("relayed streams a core", 1_803.0, "streams", 1_000.0);
        assert_eq!(idle.beside("moving the same bytes", 5_000.0, 0.5).holds, Some(false));
    }
}
