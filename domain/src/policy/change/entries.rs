//! Codes of one kind held against those of another policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Listed;
use crate::catalogue::{Area, Catalogue, Class, Condition, Department, Name, Source};
use crate::policy::Policy;

/// What a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = CodeKind))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 区域
    Area,
    /// 小类
    Class,
    /// 案件来源
    Source,
    /// 责任单位
    Department,
    /// 立案条件
    Condition,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Area, Self::Class, Self::Source, Self::Department, Self::Condition];

    /// The list of a policy that holds them.
    #[must_use]
    pub fn list(self) -> &'static str {
        match self {
            Self::Area => "areas",
            Self::Class => "classes",
            Self::Source => "sources",
            Self::Department => "departments",
            Self::Condition => "conditions",
        }
    }
}

/// What changes of the codes of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = CodesChanged))]
pub struct Codes {
    pub kind: Kind,
    pub added: Listed,
    pub renamed: Listed,
    /// Areas that lie in another one.
    pub moved: Listed,
    /// With another limit, milestone, or mark.
    pub altered: Listed,
    /// 停用: readable for ever, refused for what is new.
    pub retired: Listed,
    /// Open cases that have one of the retired.
    pub retired_on: u64,
    /// Closed cases that have one of the retired; none where they cannot be counted now.
    #[serde(default)]
    pub retired_on_closed: Option<u64>,
    /// Were retired and may be used again.
    pub restored: Listed,
    /// All that are retired: what open cases are held against.
    #[serde(skip)]
    pub(in crate::policy) all_retired: Vec<String>,
    /// Those of them that the policy does not have at all.
    #[serde(skip)]
    pub(in crate::policy) gone: Vec<String>,
}

impl Codes {
    fn of(kind: Kind) -> Self {
        let none = Listed::default;
        Self {
            kind,
            added: none(),
            renamed: none(),
            moved: none(),
            altered: none(),
            retired: none(),
            retired_on: 0,
            retired_on_closed: None,
            restored: none(),
            all_retired: Vec::new(),
            gone: Vec::new(),
        }
    }

    pub(super) fn is_something(&self) -> bool {
        let all = [&self.added, &self.renamed, &self.moved, &self.altered, &self.retired, &self.restored];
        all.iter().any(|listed| listed.count > 0)
    }
}

/// What every kind of entry has, and how one differs from the entry it replaces.
trait Coded {
    fn code(&self) -> &str;
    fn name(&self) -> &Name;
    fn is_retired(&self) -> bool;
    fn has_moved(&self, was: &Self) -> bool;
    /// In anything but its full name, its place and whether it is retired.
    fn is_altered(&self, was: &Self) -> bool;
}

impl Coded for Area {
    fn code(&self) -> &str {
        self.code.as_str()
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn is_retired(&self) -> bool {
        self.retired
    }

    fn has_moved(&self, was: &Self) -> bool {
        self.parent != was.parent
    }

    fn is_altered(&self, was: &Self) -> bool {
        (self.level, &self.short) != (was.level, &was.short)
    }
}

impl Coded for Class {
    fn code(&self) -> &str {
        self.code.as_str()
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn is_retired(&self) -> bool {
        self.retired
    }

    fn has_moved(&self, _was: &Self) -> bool {
        false
    }

    fn is_altered(&self, was: &Self) -> bool {
        let figures = |class: &Self| (class.kind, class.key, class.base_weight, class.disposal_limit);
        (figures(self), &self.main, &self.short) != (figures(was), &was.main, &was.short)
    }
}

impl Coded for Source {
    fn code(&self) -> &str {
        self.code.as_str()
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn is_retired(&self) -> bool {
        self.retired
    }

    fn has_moved(&self, _was: &Self) -> bool {
        false
    }

    fn is_altered(&self, _was: &Self) -> bool {
        false
    }
}

impl Coded for Department {
    fn code(&self) -> &str {
        self.code.as_str()
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn is_retired(&self) -> bool {
        self.retired
    }

    fn has_moved(&self, _was: &Self) -> bool {
        false
    }

    fn is_altered(&self, was: &Self) -> bool {
        self.short != was.short
    }
}

impl Coded for Condition {
    fn code(&self) -> &str {
        self.code.as_str()
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn is_retired(&self) -> bool {
        self.retired
    }

    fn has_moved(&self, _was: &Self) -> bool {
        false
    }

    fn is_altered(&self, was: &Self) -> bool {
        let rest = |one: &Self| (one.class.clone(), one.milestones.clone(), one.close_condition.clone());
        rest(self) != rest(was)
    }
}

/// Every kind of code that `after` states, held against what is known. What only events have defined stays as it is.
pub(in crate::policy) fn compare(before: &Policy, known: &Catalogue, after: &Policy) -> Vec<Codes> {
    vec![
        of_kind(Kind::Area, &before.areas, &known.areas, &after.areas),
        of_kind(Kind::Class, &before.classes, &known.classes, &after.classes),
        of_kind(Kind::Source, &before.sources, &known.sources, &after.sources),
        of_kind(Kind::Department, &before.departments, &known.departments, &after.departments),
        of_kind(Kind::Condition, &before.conditions, &known.conditions, &after.conditions),
    ]
}

fn of_kind<K, T: Coded>(kind: Kind, before: &[T], known: &BTreeMap<K, T>, after: &[T]) -> Codes {
    let known: BTreeMap<&str, &T> = known.values().map(|entry| (entry.code(), entry)).collect();
    let (mut codes, mut stated) = (Codes::of(kind), BTreeSet::new());
    for entry in after {
        let code = entry.code();
        stated.insert(code);
        let Some(was) = known.get(code) else {
            codes.added.add(code);
            continue;
        };
        for (differs, listed) in [
            (entry.name() != was.name(), &mut codes.renamed),
            (entry.has_moved(was), &mut codes.moved),
            (entry.is_altered(was), &mut codes.altered),
            (!entry.is_retired() && was.is_retired(), &mut codes.restored),
        ] {
            if differs {
                listed.add(code);
            }
        }
        if entry.is_retired() && !was.is_retired() {
            codes.retired.add(code);
            codes.all_retired.push(code.to_owned());
        }
    }
    for code in before.iter().map(Coded::code).filter(|code| !stated.contains(code)) {
        // What is left out is retired, never forgotten.
        if known.get(code).is_some_and(|was| !was.is_retired()) {
            codes.retired.add(code);
            codes.all_retired.push(code.to_owned());
            codes.gone.push(code.to_owned());
        }
    }
    codes
}
