//! Policy (口径与规则): what differs between cities and years. Versioned data, never constants in code.

use serde::{Deserialize, Serialize};

use crate::catalogue::{Area, Catalogue, Class, Condition, Department, Entry, Name, Source};
use crate::clock::{Limit, WorkCalendar};
use crate::moment::{UtcMillis, UtcOffset};
use crate::place::Bounds;
use crate::text::{TextKind, check_stated};

pub mod change;
mod codes;
pub mod refusal;
pub mod responsibility;
mod side_paths;

pub use change::{Before, Change};
pub use refusal::Refusal;
pub use responsibility::Responsibility;
pub use side_paths::SidePaths;

/// How one city counts: everything a later year or another city may set differently, with its source.
/// Loaded from a TOML file; `docs/config.md` states each field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which documents these rules come from.
    pub stated_source: String,
    /// Name of the centre, shown on every screen.
    pub centre: Name,
    /// Minutes east of UTC.
    #[serde(default)]
    pub utc_offset_minutes: UtcOffset,
    /// 派遣时限: from filing (立案) to dispatch. Panlong 2025: four hours; the kind of hour is not stated there.
    pub dispatch_limit: Limit,
    /// 处置时限 where neither the condition nor the class gives one.
    pub disposal_limit: Limit,
    /// 报到时限: from the whistle to a department's response. Beijing's thirty minutes; Kunming's is not known.
    pub whistle_response_minutes: u16,
    /// 监管合一: why supervision and disposal may be in one hand, where a centre is too small to keep them apart. None, the
    /// default, keeps them apart (监管分离); a text states on whose decision, and every screen says so while it is there.
    #[serde(default)]
    pub powers_together: Option<String>,
    /// How far ahead overdue dispatches are forecast, in minutes.
    pub forecast_minutes: u16,
    /// Lamp (红绿灯): yellow from this share of the limit, in percent.
    pub lamp_yellow_percent: u8,
    /// A position older than this is shown as out of date, in seconds.
    pub position_stale_seconds: u32,
    /// A report may lie this far in the future (clocks of phones), in seconds.
    pub clock_skew_seconds: u32,
    /// A report may lie this far in the past, in days.
    pub backdate_days: u16,
    /// 备注上限: notes one case gets while it is open. Nobody writes so many; a programme that goes round in a loop does, and
    /// everybody who opens the case would read them.
    #[serde(default = "Policy::default_notes_per_case")]
    pub notes_per_case: u16,
    /// How often one case may take a side path.
    #[serde(default)]
    pub side_paths: SidePaths,
    /// 附件上限: files one case gets while it is open.
    #[serde(default = "Policy::default_files_per_case")]
    pub files_per_case: u16,
    /// Positions and new reports outside are refused; a case taken over is kept without its position. None accepts
    /// the whole globe.
    #[serde(default)]
    pub bounds: Option<Bounds>,
    /// Working hours, holidays, make-up days.
    #[serde(default)]
    pub calendar: WorkCalendar,
    #[serde(default)]
    pub areas: Vec<Area>,
    #[serde(default)]
    pub classes: Vec<Class>,
    #[serde(default)]
    pub sources: Vec<Source>,
    #[serde(default)]
    pub departments: Vec<Department>,
    /// 立案条件, with the limits of the disposal.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// 责任清单: who answers for a class in an area. It suggests, and dispatches nothing.
    #[serde(default)]
    pub responsibilities: Vec<Responsibility>,
}

/// Of a policy that says nothing of it, as those of before it could be said.
const NOTES_PER_CASE: u16 = 500;
/// As well. Three to five photos are common; a joint case of many units has more.
const FILES_PER_CASE: u16 = 50;

/// 2026-01-01 in UTC: a limit must be able to run out when started then.
const REFERENCE: UtcMillis = UtcMillis(1_767_225_600_000);

impl Policy {
    /// Notes an open case gets under a policy that does not say how many.
    #[must_use]
    pub fn default_notes_per_case() -> u16 {
        NOTES_PER_CASE
    }

    /// Files an open case gets under a policy that does not say how many.
    #[must_use]
    pub fn default_files_per_case() -> u16 {
        FILES_PER_CASE
    }

    /// The codes the policy states.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        let mut catalogue = Catalogue::default();
        self.entries().for_each(|entry| catalogue.define(entry));
        catalogue
    }

    /// Every code it states.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let areas = self.areas.iter().cloned().map(Entry::Area);
        let classes = self.classes.iter().cloned().map(Entry::Class);
        let sources = self.sources.iter().cloned().map(Entry::Source);
        let departments = self.departments.iter().cloned().map(Entry::Department);
        let conditions = self.conditions.iter().cloned().map(Entry::Condition);
        areas.chain(classes).chain(sources).chain(departments).chain(conditions)
    }

    /// Everything but codes and calendar, to be held against another's.
    #[must_use]
    pub fn figures(&self) -> Self {
        let codes = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (areas, classes, sources, departments, conditions) = codes;
        let responsibilities = Vec::new();
        let calendar = WorkCalendar::default();
        let (stated_source, centre) = (self.stated_source.clone(), self.centre.clone());
        let powers_together = self.powers_together.clone();
        Self {
            stated_source,
            centre,
            powers_together,
            calendar,
            areas,
            classes,
            sources,
            departments,
            conditions,
            responsibilities,
            ..*self
        }
    }

    /// Says what is wrong, naming the field.
    pub fn check(&self) -> Result<(), String> {
        self.calendar.check().map_err(|problem| format!("calendar: {problem}"))?;
        for (field, limit) in
            [("dispatch_limit", self.dispatch_limit), ("disposal_limit", self.disposal_limit)]
        {
            self.check_limit(limit).map_err(|problem| format!("{field}: {problem}"))?;
        }
        if !(1..100).contains(&self.lamp_yellow_percent) {
            return Err(format!("lamp_yellow_percent: {} is not within 1 to 99", self.lamp_yellow_percent));
        }
        if !(-720..=840).contains(&self.utc_offset_minutes.0) {
            return Err(format!(
                "utc_offset_minutes: {} is not within -720 to 840",
                self.utc_offset_minutes.0
            ));
        }
        if self.forecast_minutes == 0
            || self.whistle_response_minutes == 0
            || self.position_stale_seconds == 0
        {
            return Err(
                "forecast_minutes, whistle_response_minutes and position_stale_seconds must not be 0".into(),
            );
        }
        if self.notes_per_case == 0 {
            return Err("notes_per_case: 0 is not within 1 to 65,535".into());
        }
        self.side_paths.check().map_err(|problem| format!("side_paths: {problem}"))?;
        if self.files_per_case > 1_000 {
            return Err(format!("files_per_case: {} is not within 0 to 1,000", self.files_per_case));
        }
        self.bounds
            .map_or(Ok(()), |bounds| bounds.check())
            .map_err(|problem| format!("bounds: {problem}"))?;
        self.powers_together
            .as_deref()
            .map_or(Ok(()), |why| check_stated(why, TextKind::Line))
            .map_err(|problem| format!("powers_together: {problem}; it states on whose decision"))?;
        self.centre.check().map_err(|problem| format!("centre: {problem}"))?;
        self.check_codes()
    }

    /// A limit must be possible, and the calendar must know when it runs out.
    pub fn check_limit(&self, limit: Limit) -> Result<(), String> {
        if !limit.is_possible() {
            return Err(format!("{} is not within 1 to 10,000", limit.amount));
        }
        match self.calendar.due(REFERENCE, limit, self.utc_offset_minutes) {
            Some(_) => Ok(()),
            None => Err(format!("{} units run out further ahead than a due time can be told", limit.amount)),
        }
    }
}

#[cfg(test)]
mod tests;
