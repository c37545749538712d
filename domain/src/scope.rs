//! Scope (数据范围): which cases and whistle calls somebody may read.
//!
//! What should be here: what a scope lets through, and how scopes compare. What should not: who has which (accounts,
//! tokens and kiosks carry one), and what somebody may do (`role`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::code::{AreaCode, DepartmentCode};
use crate::rejection::Language;
use crate::whistle::Whistle;

/// Codes of one kind that a scope names at most: a district's streets, a city's departments, with room.
pub const SCOPE_CODES_MAX: usize = 256;

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
        /// With everything that lies in them.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
        areas: BTreeSet<AreaCode>,
        /// Wherever their business lies.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
        departments: BTreeSet<DepartmentCode>,
    },
}

/// Why a scope cannot be given to anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    #[error("names no area and no department, so nothing could be seen with it")]
    Nothing,
    #[error("names {0} areas or departments; {SCOPE_CODES_MAX} of each at most")]
    TooMany(usize),
}

impl Scope {
    /// Nothing at all: what somebody sees whose scope is not known.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Within { areas: BTreeSet::new(), departments: BTreeSet::new() }
    }

    /// The scope that these codes make; none without any code, since only who says everything means everything.
    #[must_use]
    pub fn of(areas: BTreeSet<AreaCode>, departments: BTreeSet<DepartmentCode>) -> Option<Self> {
        let names_something = !areas.is_empty() || !departments.is_empty();
        names_something.then_some(Self::Within { areas, departments })
    }

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

    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether it can be given to somebody: it admits something, and is bounded.
    pub fn check(&self) -> Result<(), ScopeError> {
        match self {
            Self::All => Ok(()),
            Self::Within { areas, departments } if areas.is_empty() && departments.is_empty() => {
                Err(ScopeError::Nothing)
            }
            Self::Within { areas, departments } => match areas.len().max(departments.len()) {
                many if many > SCOPE_CODES_MAX => Err(ScopeError::TooMany(many)),
                _ => Ok(()),
            },
        }
    }

    /// Whether a case, a whistle, a place may be seen: `area_path` is its area with those it lies in, and
    /// `of_departments` those whose business it is (one of a case, several of a whistle, none of a place).
    #[must_use]
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

    /// Whether everything within an area may be seen, as its counts are.
    #[must_use]
    pub fn admits_area(&self, path: &[AreaCode]) -> bool {
        self.admits(path, None)
    }

    /// What either of two scopes admits.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (
                Self::Within { mut areas, mut departments },
                Self::Within { areas: more_areas, departments: more_departments },
            ) => {
                areas.extend(more_areas);
                departments.extend(more_departments);
                Self::Within { areas, departments }
            }
        }
    }

    /// Whether `wider` admits whatever this one admits, so that somebody who has `wider` may hand this one on.
    /// `path_of` says in which areas an area lies, itself among them.
    #[must_use]
    pub fn is_within(&self, wider: &Self, path_of: impl Fn(&AreaCode) -> Vec<AreaCode>) -> bool {
        match (self, wider) {
            (_, Self::All) => true,
            (Self::All, Self::Within { areas: _, departments: _ }) => false,
            (Self::Within { areas, departments }, Self::Within { areas: wide, departments: own }) => {
                let covered = |area: &AreaCode| {
                    wide.contains(area) || path_of(area).iter().any(|above| wide.contains(above))
                };
                areas.iter().all(covered) && departments.is_subset(own)
            }
        }
    }

    /// For people, with the names that the codes have.
    #[must_use]
    pub fn words(
        &self,
        language: Language,
        area: impl Fn(&AreaCode) -> String,
        department: impl Fn(&DepartmentCode) -> String,
    ) -> String {
        let (all, nothing, between) = match language {
            Language::Zh => ("全市", "无", "、"),
            Language::En => ("everything", "nothing", ", "),
        };
        match self {
            Self::All => all.to_owned(),
            Self::Within { areas, departments } => {
                let names: Vec<String> =
                    areas.iter().map(area).chain(departments.iter().map(department)).collect();
                if names.is_empty() { nothing.to_owned() } else { names.join(between) }
            }
        }
    }
}

/// For logs and the command line: codes, without names.
impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words(Language::En, AreaCode::to_string, DepartmentCode::to_string))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A city of two districts with two streets each: an area's name begins with that of the one it lies in.
    const AREAS: [&str; 7] = ["1", "11", "12", "111", "112", "121", "122"];
    const DEPARTMENTS: [&str; 3] = ["roads", "water", "parks"];

    fn path_of(area: &AreaCode) -> Vec<AreaCode> {
        (1..=area.as_str().len()).rev().map(|length| area.as_str()[..length].parse().unwrap()).collect()
    }

    fn scope() -> impl Strategy<Value = Scope> {
        let areas = proptest::sample::subsequence(AREAS.to_vec(), 0..=3);
        let departments = proptest::sample::subsequence(DEPARTMENTS.to_vec(), 0..=2);
        let within = (areas, departments).prop_map(|(areas, departments)| Scope::Within {
            areas: areas.into_iter().map(|code| code.parse().unwrap()).collect(),
            departments: departments.into_iter().map(|code| code.parse().unwrap()).collect(),
        });
        prop_oneof![1 => Just(Scope::All), 6 => within]
    }

    /// Where a thing lies, and whose business it is.
    fn thing() -> impl Strategy<Value = (Vec<AreaCode>, Vec<DepartmentCode>)> {
        let area = proptest::sample::select(AREAS.to_vec()).prop_map(|code| path_of(&code.parse().unwrap()));
        let departments = proptest::sample::subsequence(DEPARTMENTS.to_vec(), 0..=2)
            .prop_map(|codes| codes.into_iter().map(|code| code.parse().unwrap()).collect());
        (area, departments)
    }

    proptest! {
        #[test]
        fn everything_admits_all_and_nothing_admits_none((path, departments) in thing()) {
            prop_assert!(Scope::All.admits(&path, &departments));
            prop_assert!(!Scope::nothing().admits(&path, &departments));
        }

        #[test]
        fn a_union_admits_what_either_admits(one in scope(), two in scope(), (path, departments) in thing()) {
            let either = one.admits(&path, &departments) || two.admits(&path, &departments);
            prop_assert_eq!(one.clone().union(two.clone()).admits(&path, &departments), either);
            prop_assert!(one.is_within(&one.clone().union(two.clone()), path_of));
            prop_assert_eq!(one.clone().union(two.clone()), two.union(one));
        }

        #[test]
        fn a_narrower_scope_admits_nothing_that_the_wider_does_not(
            one in scope(), two in scope(), (path, departments) in thing(),
        ) {
            if one.is_within(&two, path_of) && one.admits(&path, &departments) {
                prop_assert!(two.admits(&path, &departments));
            }
            prop_assert!(one.is_within(&one, path_of) && one.is_within(&Scope::All, path_of));
            prop_assert!(Scope::nothing().is_within(&one, path_of));
        }

        #[test]
        fn being_narrower_is_handed_on(one in scope(), two in scope(), three in scope()) {
            if one.is_within(&two, path_of) && two.is_within(&three, path_of) {
                prop_assert!(one.is_within(&three, path_of));
            }
        }

        #[test]
        fn what_is_written_is_read_back(scope in scope()) {
            let text = serde_json::to_string(&scope).unwrap();
            prop_assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope.clone());
            let bytes = postcard::to_allocvec(&scope).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Scope>(&bytes).unwrap(), scope);
        }
    }

    fn codes<T: std::str::FromStr<Err: std::fmt::Debug> + Ord>(codes: &[&str]) -> BTreeSet<T> {
        codes.iter().map(|code| code.parse().unwrap()).collect()
    }

    #[test]
    fn a_street_sees_its_street_and_a_department_its_own_cases_anywhere() {
        let street = Scope::of(codes(&["111"]), BTreeSet::new()).unwrap();
        let roads: DepartmentCode = "roads".parse().unwrap();
        let here = path_of(&"111".parse().unwrap());
        let beside = path_of(&"112".parse().unwrap());
        assert!(street.admits_area(&here) && street.admits(&here, Some(&roads)));
        assert!(!street.admits(&beside, Some(&roads)));
        assert!(
            !street.admits_area(&path_of(&"11".parse().unwrap())),
            "the district is more than its street"
        );
        let department = Scope::department(roads.clone());
        assert!(department.admits(&beside, Some(&roads)) && !department.admits_area(&beside));
        let district = Scope::of(codes(&["11"]), BTreeSet::new()).unwrap();
        assert!(street.is_within(&district, path_of) && !district.is_within(&street, path_of));
        assert!(!Scope::All.is_within(&district, path_of) && !department.is_within(&district, path_of));
    }

    #[test]
    fn its_words_and_its_form_are_kept() {
        let scope = Scope::of(codes(&["111", "12"]), codes(&["roads"])).unwrap();
        let form = r#"{"within":{"areas":["111","12"],"departments":["roads"]}}"#;
        assert_eq!(serde_json::to_string(&scope).unwrap(), form);
        assert_eq!(serde_json::to_string(&Scope::All).unwrap(), r#""all""#);
        assert_eq!(scope.to_string(), "111, 12, roads");
        let words =
            |scope: &Scope| scope.words(Language::Zh, |area| format!("{area}区"), ToString::to_string);
        assert_eq!(words(&scope), "111区、12区、roads");
        assert_eq!((words(&Scope::All), words(&Scope::nothing())), ("全市".to_owned(), "无".to_owned()));
        assert_eq!(
            (Scope::All.to_string(), Scope::nothing().to_string()),
            ("everything".into(), "nothing".into())
        );
    }

    #[test]
    fn a_scope_that_shows_nothing_or_never_ends_is_given_to_nobody() {
        assert_eq!(Scope::nothing().check(), Err(ScopeError::Nothing));
        let many = (0..=SCOPE_CODES_MAX).map(|code| code.to_string().parse().unwrap()).collect();
        let many = Scope::of(many, BTreeSet::new()).unwrap();
        assert_eq!(many.check(), Err(ScopeError::TooMany(SCOPE_CODES_MAX + 1)));
        assert_eq!(Scope::All.check(), Ok(()));
        assert_eq!(Scope::of(BTreeSet::new(), BTreeSet::new()), None, "everything is only ever said");
        assert!(serde_json::from_str::<Scope>(r#"{"within":{"area":["111"]}}"#).is_err(), "a word misspelt");
    }
}
