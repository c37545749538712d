//! The policy as files: one in TOML, overlays, lists of holidays. An error names the file, the line where it is known, and the field.
//!
//! What should not be here: whether a policy holds (`domain::policy`), and what becomes of it (`crate::adoption`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::clock::calendar::DayKind;
use domain::moment::Date;
use domain::policy::Policy;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyFile {
    /// The policy in TOML; without one the built-in example policy holds.
    pub file: Option<PathBuf>,
    /// Holiday lists in the format of NateScarlet/holiday-cn, one file a year. A day may stand in its neighbour
    /// year's file, so give both.
    pub holidays: Vec<PathBuf>,
    /// Files laid over the policy in turn: entries of their lists (areas, classes, sources, departments) are added, or take
    /// the place of the one with their code; every other key they name replaces the policy's.
    pub overlays: Vec<PathBuf>,
}

/// The policy that holds without a file; its source is stated in it.
const BUILT_IN_POLICY: &str = include_str!("../../../config/policy.toml");

/// Where a text is not a policy, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Misread {
    /// From 1; none where the text came together of several files.
    pub line: Option<usize>,
    /// Where in the policy, such as `areas[3].level`.
    pub field: Option<String>,
    pub problem: String,
}

impl std::fmt::Display for Misread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.line.map_or(Ok(()), |line| write!(f, "line {line}: "))?;
        self.field.as_ref().map_or(Ok(()), |field| write!(f, "{field}: "))?;
        f.write_str(&self.problem)
    }
}

/// Reads a whole policy in TOML. Whether it holds is not asked here.
pub fn read(text: &str) -> Result<Policy, Misread> {
    let misread = |field: Option<String>, error: &toml::de::Error| Misread {
        line: error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
        field,
        problem: error.message().lines().collect::<Vec<_>>().join(", "),
    };
    let deserializer = toml::Deserializer::parse(text).map_err(|error| misread(None, &error))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        misread((path != "." && path != "?").then_some(path), error.inner())
    })
}

/// Reads a policy that came together of several texts: no line is known any more, but the field is.
fn read_table(table: toml::Table) -> Result<Policy, Misread> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let path = error.path().to_string();
        let field = (path != "." && path != "?").then_some(path);
        Misread { line: None, field, problem: error.inner().message().to_owned() }
    })
}

impl PolicyFile {
    /// The policy with its overlays and holidays.
    pub fn load(&self) -> anyhow::Result<Policy> {
        let (name, text) = match &self.file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read the policy `{}`", file.display()))?;
                (file.display().to_string(), text)
            }
            None => ("built-in policy".to_owned(), BUILT_IN_POLICY.to_owned()),
        };
        let mut policy = match self.overlays.as_slice() {
            [] => read(&text),
            overlays => {
                let mut table: toml::Table =
                    text.parse().with_context(|| format!("the policy `{name}` is not TOML"))?;
                overlays.iter().try_for_each(|file| lay_over(&mut table, file))?;
                read_table(table)
            }
        }
        .with_context(|| format!("the policy `{name}` is not valid"))?;
        for file in &self.holidays {
            for (date, kind) in read_holidays(file)? {
                policy
                    .calendar
                    .add(date, kind)
                    .with_context(|| format!("the holidays `{}` contradict what is known", file.display()))?;
            }
        }
        policy.check().map_err(|problem| anyhow::anyhow!("the policy `{name}` does not hold: {problem}"))?;
        Ok(policy)
    }
}

fn lay_over(policy: &mut toml::Table, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the overlay `{}`", file.display()))?;
    let overlay: toml::Table =
        text.parse().with_context(|| format!("the overlay `{}` is not TOML", file.display()))?;
    for (key, value) in overlay {
        match (policy.get_mut(&key), value) {
            (Some(toml::Value::Array(there)), toml::Value::Array(more)) => lay_over_list(there, more),
            (_, value) => drop(policy.insert(key, value)),
        }
    }
    Ok(())
}

/// Entries are added to those there; one whose code is there already takes its place. A code that the overlay has twice
/// stands twice, so that checking the policy refuses it.
fn lay_over_list(there: &mut Vec<toml::Value>, more: Vec<toml::Value>) {
    let code = |entry: &toml::Value| entry.get("code").and_then(toml::Value::as_str).map(str::to_owned);
    let mut places: HashMap<String, usize> =
        there.iter().enumerate().filter_map(|(place, entry)| Some((code(entry)?, place))).collect();
    for entry in more {
        match code(&entry).and_then(|code| places.remove(&code)) {
            Some(place) => there[place] = entry,
            None => there.push(entry),
        }
    }
}

#[derive(Deserialize)]
struct HolidayYear {
    days: Vec<HolidayDay>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HolidayDay {
    date: Date,
    is_off_day: bool,
}

fn read_holidays(file: &Path) -> anyhow::Result<Vec<(Date, DayKind)>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the holidays `{}`", file.display()))?;
    let year: HolidayYear = serde_json::from_str(&text)
        .with_context(|| format!("`{}` is not a holiday list of holiday-cn", file.display()))?;
    let kind = |off: bool| if off { DayKind::Off } else { DayKind::Work };
    Ok(year.days.into_iter().map(|day| (day.date, kind(day.is_off_day))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_named_with_its_line_and_its_field() {
        let slip = |from: &str, to: &str| {
            assert!(BUILT_IN_POLICY.contains(from), "{from}");
            read(&BUILT_IN_POLICY.replacen(from, to, 1)).unwrap_err().to_string()
        };
        let line = |of: &str| 1 + BUILT_IN_POLICY.split(of).next().unwrap().matches('\n').count();
        let number = slip("backdate_days = 30", "backdate_days = \"thirty\"");
        assert!(
            number.starts_with(&format!("line {}: backdate_days: ", line("backdate_days = 30"))),
            "{number}"
        );
        let level = slip("level = \"district\"", "level = \"disrict\"");
        let at = format!("line {}: areas[1].level: unknown variant `disrict`", line("level = \"district\""));
        assert!(level.starts_with(&at), "{level}");
        let key = slip("lamp_yellow_percent", "lamp_yelow_percent");
        assert!(key.contains("lamp_yelow_percent"), "{key}");
        let broken = slip("[calendar]", "[calendar");
        assert!(broken.starts_with(&format!("line {}: ", line("[calendar]"))), "{broken}");
    }

    /// A policy of before says nothing of notes and files, and holds as if it said what the built-in one says.
    #[test]
    fn a_policy_without_a_bound_of_notes_or_files_has_the_one_that_is_documented() {
        for line in [
            format!("notes_per_case = {}\n", Policy::default_notes_per_case()),
            format!("files_per_case = {}\n", Policy::default_files_per_case()),
        ] {
            assert!(BUILT_IN_POLICY.contains(&line), "{line}");
            let unstated = read(&BUILT_IN_POLICY.replacen(&line, "", 1)).unwrap();
            assert_eq!(unstated, read(BUILT_IN_POLICY).unwrap());
        }
    }

    #[test]
    fn lists_of_holidays_that_contradict_each_other_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let list = |name: &str, off: bool| {
            let file = dir.path().join(name);
            let days = format!(r#"{{"days":[{{"date":"2026-01-01","isOffDay":{off}}}]}}"#);
            std::fs::write(&file, days).unwrap();
            file
        };
        let (one, same, other) = (list("2026.json", true), list("2027.json", true), list("own.json", false));
        let load = |holidays: Vec<PathBuf>| PolicyFile { holidays, ..PolicyFile::default() }.load();
        let policy = load(vec![one.clone(), same]).unwrap();
        assert_eq!(policy.calendar.reach().unwrap().to_string(), "2026-12-28");
        let error = format!("{:#}", load(vec![one, other]).unwrap_err());
        assert!(error.contains("own.json") && error.contains("2026-01-01 is a working day here"), "{error}");
    }

    #[test]
    fn the_field_is_named_where_files_are_laid_over() {
        let dir = tempfile::tempdir().unwrap();
        let overlay = dir.path().join("areas.toml");
        std::fs::write(&overlay, "forecast_minutes = \"many\"\n").unwrap();
        let error = format!(
            "{:#}",
            PolicyFile { overlays: vec![overlay], ..PolicyFile::default() }.load().unwrap_err()
        );
        assert!(error.contains("forecast_minutes: invalid type"), "{error}");
    }

    fn laid_over(text: &str) -> anyhow::Result<Policy> {
        let dir = tempfile::tempdir().unwrap();
        let overlay = dir.path().join("areas.toml");
        std::fs::write(&overlay, text).unwrap();
        PolicyFile { overlays: vec![overlay], ..PolicyFile::default() }.load()
    }

    #[test]
    fn an_entry_laid_over_takes_the_place_of_the_one_with_its_code() {
        let built_in = PolicyFile::default().load().unwrap();
        let city = "[[areas]]\ncode = \"530100\"\nlevel = \"city\"\nname = { zh = \"别名\" }\n";
        let policy = laid_over(city).unwrap();
        assert_eq!(policy.areas.len(), built_in.areas.len());
        let place = |policy: &Policy| policy.areas.iter().position(|area| area.code.as_str() == "530100");
        assert_eq!(place(&policy), place(&built_in), "those that lie in it still come after it");
        assert_eq!(policy.areas[place(&policy).unwrap()].name.zh, "别名");
        let error = format!("{:#}", laid_over(&city.repeat(2)).unwrap_err());
        assert!(error.contains("`530100` is there twice"), "{error}");
    }

    #[test]
    fn the_policy_of_the_demonstration_holds() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
        let overlays = vec![demo.join("policy.toml"), demo.join("areas.toml")];
        let policy = PolicyFile { overlays, ..PolicyFile::default() }.load().unwrap();
        assert!(policy.areas.len() > 100, "{} areas", policy.areas.len());
    }
}
