//! How often one case may take a side path of the loop (回退、返工), beyond which somebody has to rule otherwise.
//!
//! What should be here: the bounds and what they are where a policy does not say. What should not: which step has which bound,
//! which its row says (`case::step`).

use serde::{Deserialize, Serialize};

use crate::case::step::Often;

/// The bounds. Each is at least 1: a side path that nobody may take would be a case that nobody can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SidePaths {
    /// 回退 of one case, by whichever departments.
    pub returns: u16,
    /// 返工 of one case.
    pub reworks: u16,
}

impl Default for SidePaths {
    /// No source states a number; three rounds are what a case gets before somebody above the department rules.
    fn default() -> Self {
        Self { returns: 3, reworks: 3 }
    }
}

impl SidePaths {
    /// How often one case may take a step that has this bound.
    #[must_use]
    pub fn most(self, often: Often) -> u16 {
        match often {
            Often::Returns => self.returns,
            Often::Reworks => self.reworks,
        }
    }

    /// Says what is wrong, naming the field.
    pub fn check(self) -> Result<(), String> {
        let Self { returns, reworks } = self;
        match [("returns", returns), ("reworks", reworks)].into_iter().find(|(_, most)| *most == 0) {
            Some((field, _)) => Err(format!("{field}: 0 is not within 1 to 65,535")),
            None => Ok(()),
        }
    }
}
