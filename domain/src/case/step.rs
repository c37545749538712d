//! The steps of the closed loop as data: one row a step, read wherever somebody must know what a step is.
//!
//! Deciding, applying, powers, departments, stored forms, lists, the recount, the feed's words and the desk all read the row, so that a
//! new step is a row of `step/table.rs`, one name of an event more (which raises the stored format) and its words. The order of
//! the rows says nothing. What should not be here: what differs from case to case, such as which department.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::closing::Closing;
use super::request::Part;
use super::stage::Stage;
use crate::clock::ClockOf;
use crate::rejection::Language;
use crate::tally::measure::Measure;

mod table;

pub use table::STEPS;

/// Whose step it is (监管分离, `reference/domain.md` SYS-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Power {
    /// 监督: judges.
    Supervision,
    /// 指挥: sends.
    Dispatch,
    /// 责任单位: does, for the one department it belongs to.
    Department,
}

/// Where a step leads the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// On to the next stage: the work of the stage it comes from is done.
    On(Stage),
    /// Back to an earlier stage: the case goes round again from there.
    Back(Stage),
    /// Nowhere: the case waits where it waited, since when it did.
    Stays,
    /// Out of the loop, and how: the case is closed, whatever stage it waited in.
    Closes(Closing),
}

/// What a step does to who is to dispose of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposer {
    /// It stays whose it is.
    Kept,
    /// The command must say whose it is from now on.
    Asked,
    /// It is nobody's any more, and out of that department's sight.
    Cleared,
}

/// Whether a step has a remark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    None,
    /// It may be empty.
    May,
    /// It is a reason, and must be stated.
    Must,
}

impl Note {
    /// Whether there is a place for one.
    #[must_use]
    pub fn is_asked(self) -> bool {
        match self {
            Self::None => false,
            Self::May | Self::Must => true,
        }
    }
}

/// A step that one case may take as often as the policy says (`policy::SidePaths`), and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    /// 回退
    Returns,
    /// 返工
    Reworks,
    /// 延期 that was granted
    Extensions,
    /// 挂账 that was granted
    Suspensions,
}

/// A word in both languages of the screens.
pub type Words = [&'static str; 2];

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The name in rows of views and histories.
    pub name: &'static str,
    /// The name of its event in logs, the feed and the store.
    pub event: &'static str,
    /// The name of its command.
    pub command: &'static str,
    /// The stages it may be taken in, at least one.
    pub from: &'static [Stage],
    pub to: Leads,
    pub power: Power,
    /// Clocks it stops, the leading one first.
    pub stops: &'static [ClockOf],
    /// Clocks it starts, as far as the policy gives them a limit. Milestones come with the disposal clock.
    pub starts: &'static [ClockOf],
    /// What is counted at its moment.
    pub counts: &'static [Measure],
    /// What is counted as well when a clock it stops had run out.
    pub counts_late: &'static [Measure],
    pub department: Disposer,
    /// How often one case may take it; where there is none, the stages alone bound it.
    pub often: Option<Often>,
    /// Its part in a request that waits in the stage.
    pub part: Part,
    pub note: Note,
    /// Whether it may bring a disposal limit of its own, instead of the condition's, the class's or the policy's.
    pub limit: bool,
    /// What happened, in one word: 立案
    pub happened: Words,
    /// What the button says: 处置完成
    pub act: Words,
}

/// Steps that only a build to come has.
static LATER: OnceLock<&'static [Row]> = OnceLock::new();

/// Makes this process a build to come with further steps, for proving what such a build makes of a store. The product never
/// calls it. Whether it was the first to.
#[doc(hidden)]
pub fn as_a_later_build(steps: &'static [Row]) -> bool {
    LATER.set(steps).is_ok()
}

/// A step: its row.
#[derive(Clone, Copy)]
pub struct Step(pub &'static Row);

impl Step {
    pub const ACCEPT: Self = Self(&STEPS[0]);
    pub const FILE: Self = Self(&STEPS[1]);
    pub const DISPATCH: Self = Self(&STEPS[2]);
    pub const DISPOSE: Self = Self(&STEPS[3]);
    pub const FEEDBACK: Self = Self(&STEPS[4]);
    pub const CHECK: Self = Self(&STEPS[5]);
    pub const CLOSE: Self = Self(&STEPS[6]);
    pub const RETURN: Self = Self(&STEPS[7]);
    pub const REWORK: Self = Self(&STEPS[8]);
    pub const VOID: Self = Self(&STEPS[11]);
    pub const GRANT_EXTENSION: Self = Self(&STEPS[16]);
    pub const GRANT_SUSPENSION: Self = Self(&STEPS[19]);
    pub const RESUME: Self = Self(&STEPS[21]);

    /// Every step, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        STEPS.iter().chain(LATER.get().copied().unwrap_or_default()).map(Self)
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|step| step.name == name)
    }

    #[must_use]
    pub fn of_event(event: &str) -> Option<Self> {
        Self::all().find(|step| step.event == event)
    }

    #[must_use]
    pub fn of_command(command: &str) -> Option<Self> {
        Self::all().find(|step| step.command == command)
    }

    /// The step that does a stage's work.
    #[must_use]
    pub fn out_of(stage: Stage) -> Option<Self> {
        Self::all().find(|step| step.does_work_of(stage))
    }

    /// The other steps that may be taken in a stage, in the order of the table.
    pub fn beside(stage: Stage) -> impl Iterator<Item = Self> {
        Self::all().filter(move |step| step.from.contains(&stage) && !step.does_work_of(stage))
    }

    /// The steps that `measure` counts, where they were late or always.
    pub fn counted_by(measure: Measure) -> impl Iterator<Item = Self> {
        Self::all().filter(move |step| step.is_counted_by(measure, true))
    }

    /// What happened, in one word.
    #[must_use]
    pub fn happened(self, language: Language) -> &'static str {
        word(self.0.happened, language)
    }

    /// What is done by it, in the words of its button.
    #[must_use]
    pub fn act(self, language: Language) -> &'static str {
        word(self.0.act, language)
    }
}

impl Row {
    /// Whether it is the step that does the stage's work: it leads on from there, and from the last one out of the loop. A
    /// closing that other stages have as well is none.
    #[must_use]
    pub fn does_work_of(&self, stage: Stage) -> bool {
        match self.to {
            Leads::On(_) => self.from == [stage],
            Leads::Closes(_) => stage == Stage::Close && self.from == [stage],
            Leads::Back(_) | Leads::Stays => false,
        }
    }

    /// The stage the case waits in after it, where it waited in `before`. A closed case stands in the last one.
    #[must_use]
    pub fn stage_after(&self, before: Stage) -> Stage {
        match self.to {
            Leads::On(stage) | Leads::Back(stage) => stage,
            Leads::Stays => before,
            Leads::Closes(_) => Stage::Close,
        }
    }

    /// Whether the case goes round again.
    #[must_use]
    pub fn leads_back(&self) -> bool {
        matches!(self.to, Leads::Back(_))
    }

    #[must_use]
    pub fn closes(&self) -> bool {
        matches!(self.to, Leads::Closes(_))
    }

    /// Whether the command must say who is to dispose of the case.
    #[must_use]
    pub fn asks_department(&self) -> bool {
        self.department == Disposer::Asked
    }

    /// Whether `measure` counts the step when it was taken, in time or late.
    #[must_use]
    pub fn is_counted_by(&self, measure: Measure, late: bool) -> bool {
        self.counts.contains(&measure) || (late && self.counts_late.contains(&measure))
    }

    /// Whether a running clock ends with the step. Milestones end with the disposal they are part of.
    #[must_use]
    pub fn ends(&self, of: ClockOf) -> bool {
        match of {
            ClockOf::Dispatch | ClockOf::Disposal | ClockOf::Response | ClockOf::Suspension => {
                self.stops.contains(&of)
            }
            ClockOf::Milestone(_) => self.stops.contains(&ClockOf::Disposal),
        }
    }
}

fn word(words: Words, language: Language) -> &'static str {
    match language {
        Language::Zh => words[0],
        Language::En => words[1],
    }
}

impl std::ops::Deref for Step {
    type Target = Row;

    fn deref(&self) -> &Row {
        self.0
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Step {}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Step({})", self.name)
    }
}

impl Serialize for Step {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| serde::de::Error::custom(format_args!("`{name}` is not a step")))
    }
}

#[cfg(test)]
pub(crate) mod tests;
