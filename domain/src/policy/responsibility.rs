//! The responsibility list (责任清单): which department answers for a class in an area.
//!
//! It suggests and decides nothing (`crate::suggestion`). What should not be here: what was dispatched to whom.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Policy;
use crate::catalogue::Catalogue;
use crate::code::{AreaCode, ClassCode, DepartmentCode};

/// Entries a list may hold: every class in every street of a large city.
pub const RESPONSIBILITIES_MAX: usize = 100_000;

/// One entry: the department for a class in an area and whatever lies in it, unless a finer area has an entry of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responsibility {
    pub class: ClassCode,
    pub area: AreaCode,
    pub department: DepartmentCode,
}

impl Policy {
    /// Says what is wrong with the list, naming the entry.
    pub(super) fn check_responsibilities(&self, catalogue: &Catalogue) -> Result<(), String> {
        if self.responsibilities.len() > RESPONSIBILITIES_MAX {
            let count = self.responsibilities.len();
            return Err(format!("responsibilities: {count} entries; at most 100,000 are taken"));
        }
        let mut seen = BTreeSet::new();
        for Responsibility { class, area, department } in &self.responsibilities {
            let of = |problem: String| Err(format!("responsibilities: `{class}` in `{area}`: {problem}"));
            if !catalogue.classes.contains_key(class) {
                return of(format!("names the unknown class `{class}`"));
            }
            if !catalogue.areas.contains_key(area) {
                return of(format!("names the unknown area `{area}`"));
            }
            if !catalogue.departments.contains_key(department) {
                return of(format!("names the unknown department `{department}`"));
            }
            if !seen.insert((class, area)) {
                return of("is there twice; one department is responsible".to_owned());
            }
        }
        Ok(())
    }
}
