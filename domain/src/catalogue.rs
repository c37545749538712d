//! What codes mean: areas, classes, sources and departments. Local policy, so data with a stated source.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::clock::Limit;
use crate::code::{AreaCode, ClassCode, ConditionCode, DepartmentCode, SourceCode};
use crate::rejection::Language;
use crate::text::{TextError, TextKind, check_stated, check_text};

mod entry;

pub use entry::Entry;

/// A name in both languages of the screens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Name {
    pub zh: String,
    /// Falls back to the Chinese name where a city gives none.
    #[serde(default)]
    pub en: String,
}

impl Name {
    /// Says what is wrong with the name, if anything.
    pub fn check(&self) -> Result<(), TextError> {
        check_stated(&self.zh, TextKind::Name)?;
        check_text(&self.en, TextKind::Name)
    }
}

/// Level of an area (区域层级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AreaLevel {
    /// 市
    City,
    /// 区县, and the development zones ranked beside them
    District,
    /// 街道（乡镇）
    Street,
    /// 社区（村）
    Community,
    /// 单元网格
    Grid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Area {
    pub code: AreaCode,
    pub level: AreaLevel,
    /// The area this one lies in; none for the city.
    #[serde(default)]
    pub parent: Option<AreaCode>,
    pub name: Name,
    /// Where there is little room: 盘龙 for 盘龙区. The name itself where there is none, or none in a language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Name>,
    /// Readable for ever, and refused for what is new.
    #[serde(default)]
    pub retired: bool,
}

impl Area {
    /// One that may be used, by its whole name.
    #[must_use]
    pub fn new(code: AreaCode, level: AreaLevel, parent: Option<AreaCode>, name: Name) -> Self {
        Self { code, level, parent, name, short: None, retired: false }
    }
}

impl AreaLevel {
    /// How many levels there are, and so the longest way from a grid to its city.
    pub const COUNT: usize = 5;

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::District => "district",
            Self::Street => "street",
            Self::Community => "community",
            Self::Grid => "grid",
        }
    }

    /// The name in messages.
    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Zh, Self::City) => "市",
            (Language::Zh, Self::District) => "区县",
            (Language::Zh, Self::Street) => "街道",
            (Language::Zh, Self::Community) => "社区",
            (Language::Zh, Self::Grid) => "单元网格",
            (Language::En, level) => level.key(),
        }
    }
}

/// Why an area does not fit into the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    #[error("names the unknown parent `{0}`")]
    UnknownParent(AreaCode),
    #[error(
        "`{area}` ({}) cannot lie in `{parent}` ({}): levels go from city over district, street and community to grid",
        .level.key(), .above.key()
    )]
    Level { area: AreaCode, level: AreaLevel, parent: AreaCode, above: AreaLevel },
}

/// Kind of a class (案件类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClassKind {
    /// 事件
    Event,
    /// 部件
    Part,
    /// 接诉即办
    Complaint,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub code: ClassCode,
    pub kind: ClassKind,
    pub name: Name,
    /// 大类, as the city's own table words it: its number means something else in each city, and is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main: Option<Name>,
    /// Where there is little room: 盘龙 for 盘龙区. The name itself where there is none, or none in a language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Name>,
    /// 重点案件
    #[serde(default)]
    pub key: bool,
    /// 基本案件数: how many a case of this class counts for in the base count; one where it is not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_weight: Option<u16>,
    /// Disposal limit (处置时限) when the filing condition gives none.
    #[serde(default)]
    pub disposal_limit: Option<Limit>,
    /// Readable for ever, and refused for what is new.
    #[serde(default)]
    pub retired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub code: SourceCode,
    pub name: Name,
    /// Readable for ever, and refused for what is new.
    #[serde(default)]
    pub retired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Department {
    pub code: DepartmentCode,
    pub name: Name,
    /// Where there is little room: 盘龙 for 盘龙区. The name itself where there is none, or none in a language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Name>,
    /// Readable for ever, and refused for what is new.
    #[serde(default)]
    pub retired: bool,
}

/// 立案条件: one way in which a case of a class is filed, with how long its disposal may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub code: ConditionCode,
    pub class: ClassCode,
    pub name: Name,
    /// How long from dispatch; several where the disposal comes in parts (先制止、再恢复). The last is the disposal limit.
    pub milestones: Vec<Milestone>,
    /// 结案条件: what must be so before the case is closed, in words.
    #[serde(default)]
    pub close_condition: Option<Name>,
    /// Readable for ever, and refused for what is new.
    #[serde(default)]
    pub retired: bool,
}

/// One part of a disposal with its limit, counted from dispatch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    pub name: Name,
    pub limit: Limit,
}

/// Milestones one condition may have.
pub const MILESTONES_MAX: usize = 9;

impl Condition {
    /// Whether it has milestones, each possible, and no later one that is shorter than the one before it. Without a calendar units are
    /// held against each other by their names, a day with 24 hours: what stands in brackets behind 3 days as 2 hours is another
    /// limit for the same work, and no part of it.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        let possible = self.milestones.iter().all(|milestone| milestone.limit.is_possible());
        let ordered = self.milestones.windows(2).all(|pair| {
            let (before, then) = (pair[0].limit, pair[1].limit);
            match before.kind() == then.kind() {
                true => before.amount < then.amount,
                false => before.nominal_minutes() <= then.nominal_minutes(),
            }
        });
        (1..=MILESTONES_MAX).contains(&self.milestones.len()) && possible && ordered
    }
}

/// All codes a store knows: those of the policy and those defined later through events.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    pub areas: BTreeMap<AreaCode, Area>,
    pub classes: BTreeMap<ClassCode, Class>,
    pub sources: BTreeMap<SourceCode, Source>,
    pub departments: BTreeMap<DepartmentCode, Department>,
    pub conditions: BTreeMap<ConditionCode, Condition>,
    /// Areas in the order in which they were entered: screens keep the order of the bulletin, because a hand
    /// learns a place.
    pub area_order: Vec<AreaCode>,
}

/// Entries a catalogue may hold in all: every unit grid of a large city several times over.
pub const ENTRIES_MAX: usize = 100_000;

impl Catalogue {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.areas.len()
            + self.classes.len()
            + self.sources.len()
            + self.departments.len()
            + self.conditions.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the area's parent is known and of a coarser level. Levels only get finer downwards, so areas that all
    /// hold this cannot lie in a circle.
    pub fn check_area(&self, area: &Area) -> Result<(), AreaError> {
        let Some(parent) = &area.parent else { return Ok(()) };
        match self.areas.get(parent) {
            None => Err(AreaError::UnknownParent(parent.clone())),
            Some(above) if above.level >= area.level => Err(AreaError::Level {
                area: area.code.clone(),
                level: area.level,
                parent: parent.clone(),
                above: above.level,
            }),
            Some(_) => Ok(()),
        }
    }

    /// Adds or replaces one entry.
    pub fn define(&mut self, entry: Entry) {
        match entry {
            Entry::Area(area) => {
                if !self.areas.contains_key(&area.code) {
                    self.area_order.push(area.code.clone());
                }
                self.areas.insert(area.code.clone(), area);
            }
            Entry::Class(class) => drop(self.classes.insert(class.code.clone(), class)),
            Entry::Source(source) => drop(self.sources.insert(source.code.clone(), source)),
            Entry::Department(department) => {
                drop(self.departments.insert(department.code.clone(), department));
            }
            Entry::Condition(condition) => {
                drop(self.conditions.insert(condition.code.clone(), condition));
            }
        }
    }

    /// The condition a report names: none where its text is no code of a condition of its class.
    #[must_use]
    pub fn condition(&self, class: &ClassCode, text: Option<&str>) -> Option<&Condition> {
        let code = ConditionCode::new(text?).ok()?;
        self.conditions.get(&code).filter(|condition| condition.class == *class)
    }

    /// The area and those it lies in, finest first, each once. Empty when the code is unknown.
    #[must_use]
    pub fn path(&self, code: &AreaCode) -> Vec<AreaCode> {
        let mut path = Vec::new();
        let mut next = Some(code);
        while let Some(area) = next.and_then(|code| self.areas.get(code)) {
            // Entries are checked, but a log may be older than the check.
            if path.len() == AreaLevel::COUNT || path.contains(&area.code) {
                break;
            }
            path.push(area.code.clone());
            next = area.parent.as_ref();
        }
        path
    }

    /// Whether `path` is the area with those it lies in, as [`Catalogue::path`] gives them.
    #[must_use]
    pub fn is_path(&self, code: &AreaCode, path: &[AreaCode]) -> bool {
        let mut next = Some(code);
        let followed = path.iter().all(|at| {
            let is_next = next == Some(at);
            next = self.areas.get(at).and_then(|area| area.parent.as_ref());
            is_next
        });
        // In a circle, which only a log from before the check may have, the path ends although there is a parent.
        followed
            && next.is_none_or(|code| {
                !self.areas.contains_key(code) || path.contains(code) || path.len() == AreaLevel::COUNT
            })
    }

    /// Areas of one level in the order of the catalogue.
    pub fn at_level(&self, level: AreaLevel) -> impl Iterator<Item = &Area> {
        self.area_order.iter().filter_map(|code| self.areas.get(code)).filter(move |area| area.level == level)
    }
}
