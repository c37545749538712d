//! What a policy says of its codes: each once, areas without a ring, names that can be read, limits that can run out.

use std::collections::BTreeSet;

use super::Policy;
use crate::catalogue::{Area, AreaLevel, Catalogue, Condition, ENTRIES_MAX, Name};
use crate::code::AreaCode;

impl Policy {
    /// Says what is wrong with the codes, naming the list and the code.
    pub(super) fn check_codes(&self) -> Result<(), String> {
        self.check_each_once()?;
        let catalogue = self.catalogue();
        if catalogue.len() > ENTRIES_MAX {
            return Err(format!("{} codes; at most 100,000 are taken", catalogue.len()));
        }
        for entry in self.entries() {
            entry.name().check().map_err(|problem| format!("name of `{}`: {problem}", entry.code()))?;
            let short = entry.short().map_or(Ok(()), Name::check);
            short.map_err(|problem| format!("short name of `{}`: {problem}", entry.code()))?;
        }
        for area in &self.areas {
            check_ring(&catalogue, area)?;
            catalogue.check_area(area).map_err(|problem| format!("areas: `{}`: {problem}", area.code))?;
        }
        for class in &self.classes {
            let main = class.main.as_ref().map_or(Ok(()), Name::check);
            main.map_err(|problem| format!("classes: `{}`: main: {problem}", class.code))?;
            if class.base_weight == Some(0) {
                return Err(format!("classes: `{}`: base_weight: 0 is not within 1 to 65,535", class.code));
            }
            class
                .disposal_limit
                .map_or(Ok(()), |limit| self.check_limit(limit))
                .map_err(|problem| format!("classes: `{}`: disposal_limit: {problem}", class.code))?;
        }
        self.conditions.iter().try_for_each(|condition| self.check_condition(&catalogue, condition))?;
        self.check_responsibilities(&catalogue)
    }

    /// A catalogue keeps the last of two entries with one code, and nobody would see the first.
    fn check_each_once(&self) -> Result<(), String> {
        once("areas", self.areas.iter().map(|area| area.code.as_str()))?;
        once("classes", self.classes.iter().map(|class| class.code.as_str()))?;
        once("sources", self.sources.iter().map(|source| source.code.as_str()))?;
        once("departments", self.departments.iter().map(|department| department.code.as_str()))?;
        once("conditions", self.conditions.iter().map(|condition| condition.code.as_str()))
    }

    fn check_condition(&self, catalogue: &Catalogue, condition: &Condition) -> Result<(), String> {
        let of = |problem: String| format!("conditions: `{}`: {problem}", condition.code);
        if !catalogue.classes.contains_key(&condition.class) {
            return Err(of(format!("names the unknown class `{}`", condition.class)));
        }
        if !condition.is_possible() {
            return Err(of(
                "expected 1 to 9 milestones of 1 to 10,000 units, each longer than the one before".into(),
            ));
        }
        for milestone in &condition.milestones {
            milestone.name.check().map_err(|problem| of(format!("name of a milestone: {problem}")))?;
            self.check_limit(milestone.limit).map_err(of)?;
        }
        Ok(())
    }
}

fn once<'a>(list: &str, codes: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let mut codes = codes;
    match codes.find(|code| !seen.insert(*code)) {
        Some(twice) => Err(format!("{list}: `{twice}` is there twice; a code has one entry")),
        None => Ok(()),
    }
}

/// Areas that lie in each other, by their names: the rule of levels would refuse one of them, and not say why.
fn check_ring(catalogue: &Catalogue, area: &Area) -> Result<(), String> {
    let mut way: Vec<&AreaCode> = vec![&area.code];
    let mut next = area.parent.as_ref();
    while let Some(parent) = next {
        if *parent == area.code {
            way.push(parent);
            let way: Vec<String> = way.iter().map(|code| format!("`{code}`")).collect();
            return Err(format!("areas: {} form a ring; levels go from city down to grid", way.join(" → ")));
        }
        // A longer way either holds a ring without this area, which is said of another one, or breaks the levels.
        if way.contains(&parent) || way.len() > 2 * AreaLevel::COUNT {
            return Ok(());
        }
        way.push(parent);
        next = catalogue.areas.get(parent).and_then(|area| area.parent.as_ref());
    }
    Ok(())
}
