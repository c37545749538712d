//! A case (案件) on its way round the closed loop (闭环): what is reported, what is known, which stage it waits in.

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, ClockOf};
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use crate::moment::UtcMillis;
use crate::place::Point;
use step::Leads;

pub mod closing;
pub mod event;
pub mod history;
pub mod request;
pub mod stage;
pub mod step;

pub use closing::Closing;
pub use event::{CaseEvent, Stepped};
pub use history::{History, KnownStep};
pub use stage::Stage;
pub use step::{Power, STEPS, Step};

/// How urgently a person is needed (案件等级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 一级
    First,
    /// 二级
    Second,
    /// 三级
    Third,
    /// 常规
    #[default]
    Ordinary,
}

/// Where another system keeps the same case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct External {
    /// The other system, for example `nyc311`.
    pub system: String,
    /// The case's number there.
    pub id: String,
}

/// What a report (上报) says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub source: SourceCode,
    pub class: ClassCode,
    /// The finest area known.
    pub area: AreaCode,
    /// 立案条件: the code of a condition of the class, whose milestones are then the disposal limit. A text that is no
    /// code of such a condition, as older stores and other systems have it (破损 >25 cm²), stays what it is: words.
    #[serde(default)]
    pub condition: Option<String>,
    /// Where, in words.
    #[serde(default)]
    pub address: String,
    #[serde(default)]
    pub description: String,
    /// Where, as a point; a case without one is kept and shown as such.
    #[serde(default)]
    pub place: Option<Point>,
    #[serde(default)]
    pub priority: Priority,
    /// 基本案件数: the weight of the case in the base count (`reference/domain.md` CAT-09).
    #[serde(default = "one")]
    pub base_count: u16,
    #[serde(default)]
    pub reporter: Option<String>,
    #[serde(default)]
    pub external: Option<External>,
}

fn one() -> u16 {
    1
}

/// One step a case took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Taken {
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub step: Step,
    pub at: UtcMillis,
    /// Who took it; the sender of the take-over for steps another system knew of.
    pub by: String,
    /// Whose business the step was: who is to dispose of the case after it, or of one that takes the case away from a department,
    /// that one.
    pub department: Option<DepartmentCode>,
    /// A clock the step stopped had run out.
    pub late: bool,
    /// Which time round the loop it was: 1, and one more each time a step leads back.
    pub round: u16,
    /// Sequence number of its event.
    pub seq: u64,
}

/// When a stage of a case began and when its work was done; none of what has not been, or is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    pub began: Option<UtcMillis>,
    pub ended: Option<UtcMillis>,
}

/// One case as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Case {
    pub id: CaseId,
    /// Number read out on the floor: date and running number of the day, such as `20261121-00042`.
    pub number: String,
    pub report: Report,
    /// The area and those it lies in, finest first, as the catalogue stood when the case was reported.
    pub area_path: Vec<AreaCode>,
    pub stage: Stage,
    pub reported: UtcMillis,
    /// When the stage began.
    pub stage_since: UtcMillis,
    pub filed: Option<UtcMillis>,
    pub dispatched: Option<UtcMillis>,
    pub closed: Option<UtcMillis>,
    /// Every clock that was started, the oldest first; one that is stopped stays.
    pub clocks: Vec<Clock>,
    /// Every step it took that is known, the oldest first.
    pub steps: Vec<Taken>,
    /// Which time round the loop it is, from 1.
    pub round: u16,
    /// Who is to dispose of it.
    pub department: Option<DepartmentCode>,
    /// Who has taken it in hand at the desk (认领).
    pub claimed_by: Option<String>,
    /// Notes (备注) it has got while it is open, which the policy bounds. A closed case gets none, and keeps no count: whoever
    /// reads it has the notes themselves in its time line.
    #[serde(skip)]
    pub notes: u32,
    /// How many files it got while it is open; 0 once it is closed, as of notes.
    #[serde(skip)]
    pub files: u32,
    /// Sequence number of the last event that changed it.
    pub version: u64,
}

impl Case {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The clocks that run now.
    pub fn running(&self) -> impl Iterator<Item = &Clock> {
        self.clocks.iter().filter(|clock| self.is_open() && clock.is_running())
    }

    /// The clock that the stage's own step will stop: what a countdown shows. None while it stands still.
    #[must_use]
    pub fn leading_clock(&self) -> Option<&Clock> {
        let of = Step::out_of(self.stage)?.stops.first()?;
        self.running().find(|clock| clock.of == *of && !clock.is_paused())
    }

    /// The newest clock that measures `of`, running or stopped.
    #[must_use]
    pub fn clock(&self, of: ClockOf) -> Option<&Clock> {
        self.clocks.iter().rev().find(|clock| clock.of == of)
    }

    /// When each stage began and when its work was done, in the order of [`Stage::ALL`], as the case stands. A stage that the case went
    /// back to or before is as if it had not been; one of which the log does not say when has no times.
    #[must_use]
    pub fn passed(&self) -> [Passed; Stage::ALL.len()] {
        let mut passed = [Passed::default(); Stage::ALL.len()];
        passed[Stage::Accept as usize].began = Some(self.reported);
        // Where the case stood, as far as its steps say: those of a case that was taken over may begin anywhere.
        let mut at = None;
        for taken in &self.steps {
            let from = match taken.step.from {
                [one] => Some(*one),
                _ => at,
            };
            match taken.step.to {
                Leads::On(to) => {
                    from.inspect(|from| passed[*from as usize].ended = Some(taken.at));
                    passed[to as usize].began = Some(taken.at);
                    at = Some(to);
                }
                Leads::Back(to) => {
                    passed[to as usize..].fill(Passed::default());
                    passed[to as usize].began = Some(taken.at);
                    at = Some(to);
                }
                Leads::Stays => at = from,
                Leads::Closes(_) => {
                    from.inspect(|from| passed[*from as usize].ended = Some(taken.at));
                    at = Some(Stage::Close);
                }
            }
        }
        if self.closed.is_some() {
            passed[Stage::Close as usize].ended = self.closed;
        }
        passed
    }

    /// How it ended; none of an open case, and of one that another system closed, which does not say.
    #[must_use]
    pub fn closing(&self) -> Option<Closing> {
        let ended =
            self.steps.iter().rev().filter(|_| !self.is_open()).find_map(|taken| match taken.step.to {
                Leads::Closes(how) => Some(how),
                Leads::On(_) | Leads::Back(_) | Leads::Stays => None,
            })?;
        let late = |taken: &Taken| taken.late && taken.step.does_work_of(Stage::Dispose);
        let went_round_late = ended == Closing::Normal && self.steps.iter().any(late);
        Some(if went_round_late { Closing::Overdue } else { ended })
    }

    /// How often it took a step.
    #[must_use]
    pub fn times(&self, step: Step) -> usize {
        self.steps.iter().filter(|taken| taken.step == step).count()
    }

    /// The step that was taken last.
    #[must_use]
    pub fn last_step(&self) -> Option<&Taken> {
        self.steps.last()
    }
}
