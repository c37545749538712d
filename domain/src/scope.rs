//! Scope (数据范围): which cases and whistle calls somebody may read.
//!
//! What should be here: what a scope lets through. What should not: who has which (accounts, tokens and kiosks carry
//! one), and what somebody may do (`role`).

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::case::Case;
use crate::code::{AreaCode, DepartmentCode};
use crate::whistle::Whistle;

/// What a reader sees: everything, or what lies in one of the areas or belongs to one of the departments. A scope
/// without areas and departments sees nothing, so that one that was forgotten to be filled gives nothing away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// 全市
    All,
    /// 辖区与单位: whatever lies in one of the areas, and whatever one of the departments disposes of or was called to.
    Within {
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
        areas: BTreeSet<AreaCode>,
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
        departments: BTreeSet<DepartmentCode>,
    },
}

impl Scope {
    /// One area and all that lies in it.
    #[must_use]
    pub fn area(area: AreaCode) -> Self {
        Self::Within { areas: BTreeSet::from([area]), departments: BTreeSet::new() }
    }

    /// One department's own business.
    #[must_use]
    pub fn department(department: DepartmentCode) -> Self {
        Self::Within { areas: BTreeSet::new(), departments: BTreeSet::from([department]) }
    }

    /// Whether something in these areas (the finest and those it lies in), of these departments, may be seen.
    pub fn admits<'a>(
        &self,
        area_path: &[AreaCode],
        of_departments: impl IntoIterator<Item = &'a DepartmentCode>,
    ) -> bool {
        match self {
            Self::All => true,
            Self::Within { areas, departments } => {
                area_path.iter().any(|area| areas.contains(area))
                    || of_departments.into_iter().any(|department| departments.contains(department))
            }
        }
    }

    #[must_use]
    pub fn admits_case(&self, case: &Case) -> bool {
        self.admits(&case.area_path, &case.department)
    }

    #[must_use]
    pub fn admits_whistle(&self, whistle: &Whistle) -> bool {
        self.admits(&whistle.area_path, whistle.called.iter().map(|called| &called.department))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(code: &str) -> AreaCode {
        AreaCode::new(code).unwrap()
    }

    fn department(code: &str) -> DepartmentCode {
        DepartmentCode::new(code).unwrap()
    }

    #[test]
    fn a_street_sees_its_street_and_a_department_its_own() {
        let path = [area("530103001"), area("530103"), area("5301")];
        let (lighting, water) = (department("D01"), department("D02"));
        for (scope, of, seen) in [
            (Scope::All, None, true),
            (Scope::area(area("530103001")), None, true),
            (Scope::area(area("530103")), None, true),
            (Scope::area(area("530102")), None, false),
            (Scope::area(area("530102")), Some(&lighting), false),
            (Scope::department(lighting.clone()), Some(&lighting), true),
            (Scope::department(lighting.clone()), Some(&water), false),
            (Scope::department(lighting.clone()), None, false),
        ] {
            assert_eq!(scope.admits(&path, of), seen, "{scope:?} {of:?}");
        }
    }

    #[test]
    fn a_scope_with_areas_and_departments_sees_both() {
        let mixed = Scope::Within {
            areas: BTreeSet::from([area("530102")]),
            departments: BTreeSet::from([department("D01")]),
        };
        let elsewhere = [area("530103"), area("5301")];
        assert!(mixed.admits(&[area("530102"), area("5301")], None));
        assert!(mixed.admits(&elsewhere, &Some(department("D01"))));
        assert!(!mixed.admits(&elsewhere, &Some(department("D02"))));
    }

    #[test]
    fn an_empty_scope_sees_nothing() {
        let empty: Scope = serde_json::from_str(r#"{"within":{}}"#).unwrap();
        assert!(!empty.admits(&[area("5301")], &Some(department("D01"))));
    }
}
