//! How often one case may take a side path of the loop (回退、返工、延期、挂账), beyond which somebody has to rule otherwise.
//!
//! What should be here: the bounds and what they are where a policy does not say. What should not: which step has which bound,
//! which its row says (`case::step`).

use serde::{Deserialize, Serialize};

use crate::case::step::Often;

/// The bounds. Returns and reworks are at least 1: without them a case that is another's, or badly done, could not be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SidePaths {
    /// 回退 of one case, by whichever departments.
    pub returns: u16,
    /// 返工 of one case.
    pub reworks: u16,
    /// 延期 of one case that are granted; what is refused is not counted.
    pub extensions: u16,
    /// 挂账 of one case that are granted.
    pub suspensions: u16,
    /// 挂账期限: natural days after which a suspended disposal goes on by itself; at most [`SUSPENSION_DAYS_MAX`].
    pub suspension_days: u16,
}

/// A year, whichever it is.
pub const SUSPENSION_DAYS_MAX: u16 = 366;

impl Default for SidePaths {
    /// Of returns and reworks no source states a number; three rounds are what a case gets before somebody above the department rules.
    /// Two extensions, one suspension and a year are Yuncheng's (`reference/domain.md` §2.6).
    fn default() -> Self {
        Self { returns: 3, reworks: 3, extensions: 2, suspensions: 1, suspension_days: 365 }
    }
}

impl SidePaths {
    /// How often one case may take a step that has this bound.
    #[must_use]
    pub fn most(self, often: Often) -> u16 {
        match often {
            Often::Returns => self.returns,
            Often::Reworks => self.reworks,
            Often::Extensions => self.extensions,
            Often::Suspensions => self.suspensions,
        }
    }

    /// Says what is wrong, naming the field.
    pub fn check(self) -> Result<(), String> {
        // No extension and no suspension are what some cities give.
        let Self { returns, reworks, extensions: _, suspensions: _, suspension_days } = self;
        if let Some((field, _)) =
            [("returns", returns), ("reworks", reworks)].into_iter().find(|(_, most)| *most == 0)
        {
            return Err(format!("{field}: 0 is not within 1 to 65,535"));
        }
        if !(1..=SUSPENSION_DAYS_MAX).contains(&suspension_days) {
            return Err(format!(
                "suspension_days: {suspension_days} is not within 1 to {SUSPENSION_DAYS_MAX}"
            ));
        }
        Ok(())
    }
}
