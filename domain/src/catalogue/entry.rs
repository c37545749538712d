//! One line of the catalogue, whichever kind of code it is.

use serde::{Deserialize, Serialize};

use super::{Area, Catalogue, Class, Condition, Department, Name, Source};

/// One line of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    Area(Area),
    Class(Class),
    Source(Source),
    Department(Department),
    Condition(Condition),
}

impl Entry {
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            Self::Area(area) => &area.name,
            Self::Class(class) => &class.name,
            Self::Source(source) => &source.name,
            Self::Department(department) => &department.name,
            Self::Condition(condition) => &condition.name,
        }
    }

    /// The short name, where there is one.
    #[must_use]
    pub fn short(&self) -> Option<&Name> {
        match self {
            Self::Area(area) => area.short.as_ref(),
            Self::Class(class) => class.short.as_ref(),
            Self::Department(department) => department.short.as_ref(),
            Self::Source(_) | Self::Condition(_) => None,
        }
    }

    /// Which of the five kinds of code it is.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Self::Area(_) => 0,
            Self::Class(_) => 1,
            Self::Source(_) => 2,
            Self::Department(_) => 3,
            Self::Condition(_) => 4,
        }
    }

    #[must_use]
    pub fn is_retired(&self) -> bool {
        match self {
            Self::Area(area) => area.retired,
            Self::Class(class) => class.retired,
            Self::Source(source) => source.retired,
            Self::Department(department) => department.retired,
            Self::Condition(condition) => condition.retired,
        }
    }

    pub fn retire(&mut self) {
        match self {
            Self::Area(area) => area.retired = true,
            Self::Class(class) => class.retired = true,
            Self::Source(source) => source.retired = true,
            Self::Department(department) => department.retired = true,
            Self::Condition(condition) => condition.retired = true,
        }
    }

    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Area(area) => area.code.as_str(),
            Self::Class(class) => class.code.as_str(),
            Self::Source(source) => source.code.as_str(),
            Self::Department(department) => department.code.as_str(),
            Self::Condition(condition) => condition.code.as_str(),
        }
    }
}

impl Catalogue {
    /// Every entry, in an order in which they can be defined again.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let areas = self.area_order.iter().filter_map(|code| self.areas.get(code));
        areas
            .cloned()
            .map(Entry::Area)
            .chain(self.classes.values().cloned().map(Entry::Class))
            .chain(self.sources.values().cloned().map(Entry::Source))
            .chain(self.departments.values().cloned().map(Entry::Department))
            .chain(self.conditions.values().cloned().map(Entry::Condition))
    }

    /// The entry of the same kind and code.
    #[must_use]
    pub fn like(&self, entry: &Entry) -> Option<Entry> {
        match entry {
            Entry::Area(area) => self.areas.get(&area.code).cloned().map(Entry::Area),
            Entry::Class(class) => self.classes.get(&class.code).cloned().map(Entry::Class),
            Entry::Source(source) => self.sources.get(&source.code).cloned().map(Entry::Source),
            Entry::Department(department) => {
                self.departments.get(&department.code).cloned().map(Entry::Department)
            }
            Entry::Condition(condition) => {
                self.conditions.get(&condition.code).cloned().map(Entry::Condition)
            }
        }
    }

    /// Whether the very same entry is already there.
    #[must_use]
    pub fn has(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Area(area) => self.areas.get(&area.code) == Some(area),
            Entry::Class(class) => self.classes.get(&class.code) == Some(class),
            Entry::Source(source) => self.sources.get(&source.code) == Some(source),
            Entry::Department(department) => self.departments.get(&department.code) == Some(department),
            Entry::Condition(condition) => self.conditions.get(&condition.code) == Some(condition),
        }
    }
}
