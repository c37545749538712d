//! The responsibility list (责任清单) held against another's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Listed;
use crate::code::{AreaCode, ClassCode, DepartmentCode};
use crate::policy::Policy;

/// What the responsibility list changes, each entry by its class and area.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ResponsibilitiesChange {
    pub added: Listed,
    /// Another department answers.
    pub turned: Listed,
    pub removed: Listed,
}

pub(super) fn compare(before: &Policy, after: &Policy) -> ResponsibilitiesChange {
    let (was, is) = (by_place(before), by_place(after));
    let named = |(class, area): &(&ClassCode, &AreaCode)| format!("{class} {area}");
    ResponsibilitiesChange {
        added: Listed::of(is.keys().filter(|place| !was.contains_key(*place)).map(named)),
        turned: Listed::of(
            is.iter()
                .filter(|(place, to)| was.get(*place).is_some_and(|from| from != *to))
                .map(|(place, _)| named(place)),
        ),
        removed: Listed::of(was.keys().filter(|place| !is.contains_key(*place)).map(named)),
    }
}

fn by_place(policy: &Policy) -> BTreeMap<(&ClassCode, &AreaCode), &DepartmentCode> {
    policy.responsibilities.iter().map(|entry| ((&entry.class, &entry.area), &entry.department)).collect()
}
