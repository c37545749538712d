//! The steps of the closed loop as data: one row a step, read wherever somebody must know what a step is.
//!
//! Deciding, applying, powers, departments, stored forms, the feed's words and the desk all read the row, so that a new
//! step is a row here with its words, and nothing else. What should not be here: what differs from case to case, such as which department.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::stage::Stage;
use crate::clock::ClockOf;
use crate::rejection::Language;
use crate::tally::measure::Measure;

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

/// What a step may say beside its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// A remark, which may be empty.
    pub note: bool,
    /// Who is to dispose of the case; it must be said.
    pub department: bool,
    /// A disposal limit of its own, instead of the condition's, the class's or the policy's.
    pub limit: bool,
}

impl Asks {
    const NOTHING: Self = Self { note: false, department: false, limit: false };
    const NOTE: Self = Self { note: true, department: false, limit: false };
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
    /// The stage whose work it does.
    pub from: Stage,
    /// The stage the case waits in afterwards; none when the case is closed.
    pub to: Option<Stage>,
    pub power: Power,
    /// Clocks it stops, the leading one first.
    pub stops: &'static [ClockOf],
    /// Clocks it starts, as far as the policy gives them a limit. Milestones come with the disposal clock.
    pub starts: &'static [ClockOf],
    /// What is counted at its moment.
    pub counts: &'static [Measure],
    /// What is counted as well when a clock it stops had run out.
    pub counts_late: &'static [Measure],
    pub asks: Asks,
    /// What happened, in one word: 立案
    pub happened: Words,
    /// What the button says: 处置完成
    pub act: Words,
}

/// The seven steps of the loop.
pub static STEPS: [Row; 7] = [
    Row {
        name: "accept",
        event: "case_accepted",
        command: "accept_case",
        from: Stage::Accept,
        to: Some(Stage::File),
        power: Power::Supervision,
        stops: &[],
        starts: &[],
        counts: &[],
        counts_late: &[],
        asks: Asks::NOTHING,
        happened: ["受理", "Accept"],
        act: ["受理", "Accept"],
    },
    Row {
        name: "file",
        event: "case_filed",
        command: "file_case",
        from: Stage::File,
        to: Some(Stage::Dispatch),
        power: Power::Supervision,
        stops: &[],
        starts: &[ClockOf::Dispatch],
        counts: &[Measure::Filed],
        counts_late: &[],
        asks: Asks::NOTHING,
        happened: ["立案", "Filed"],
        act: ["立案", "File"],
    },
    Row {
        name: "dispatch",
        event: "case_dispatched",
        command: "dispatch_case",
        from: Stage::Dispatch,
        to: Some(Stage::Dispose),
        power: Power::Dispatch,
        stops: &[ClockOf::Dispatch],
        starts: &[ClockOf::Disposal],
        counts: &[Measure::Dispatched],
        counts_late: &[Measure::DispatchedLate],
        asks: Asks { note: false, department: true, limit: true },
        happened: ["派遣", "Sent"],
        act: ["派遣", "Dispatch"],
    },
    Row {
        name: "dispose",
        event: "disposal_finished",
        command: "finish_disposal",
        from: Stage::Dispose,
        to: Some(Stage::Feedback),
        power: Power::Department,
        stops: &[ClockOf::Disposal],
        starts: &[],
        counts: &[],
        counts_late: &[],
        asks: Asks::NOTE,
        happened: ["处置", "Disposed"],
        act: ["处置完成", "Disposal done"],
    },
    Row {
        name: "feedback",
        event: "feedback_given",
        command: "give_feedback",
        from: Stage::Feedback,
        to: Some(Stage::Check),
        power: Power::Department,
        stops: &[],
        starts: &[],
        counts: &[],
        counts_late: &[],
        asks: Asks::NOTE,
        happened: ["反馈", "Feedback"],
        act: ["反馈", "Report back"],
    },
    Row {
        name: "check",
        event: "check_passed",
        command: "pass_check",
        from: Stage::Check,
        to: Some(Stage::Close),
        power: Power::Supervision,
        stops: &[],
        starts: &[],
        counts: &[],
        counts_late: &[],
        asks: Asks::NOTE,
        happened: ["核查", "Checked"],
        act: ["核查通过", "Pass check"],
    },
    Row {
        name: "close",
        event: "case_closed",
        command: "close_case",
        from: Stage::Close,
        to: None,
        power: Power::Supervision,
        stops: &[],
        starts: &[],
        counts: &[Measure::Closed],
        counts_late: &[],
        asks: Asks::NOTE,
        happened: ["结案", "Closed"],
        act: ["结案", "Close"],
    },
];

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

    /// The step that does a stage's work: the first row from it that leads on.
    #[must_use]
    pub fn out_of(stage: Stage) -> Option<Self> {
        Self::all().find(|step| step.from == stage && !step.leads_back())
    }

    /// Whether the case goes round again.
    #[must_use]
    pub fn leads_back(self) -> bool {
        self.to.is_some_and(|to| to < self.from)
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
    /// Whether a running clock ends with the step. Milestones end with the disposal they are part of.
    #[must_use]
    pub fn ends(&self, of: ClockOf) -> bool {
        match of {
            ClockOf::Dispatch | ClockOf::Disposal | ClockOf::Response => self.stops.contains(&of),
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
mod tests;
