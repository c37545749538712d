//! What still has to happen: steps of cases and whistles in order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use domain::case::{Stage, Step as LoopStep};
use domain::code::{CaseId, DepartmentCode, WhistleId};
use domain::command::Command;

/// One thing to do at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A case leaves a stage.
    Leave {
        case: CaseId,
        stage: Stage,
        department: DepartmentCode,
    },
    Respond {
        whistle: WhistleId,
        department: DepartmentCode,
    },
    CloseWhistle {
        whistle: WhistleId,
    },
}

impl Step {
    /// The command the step sends; none where no step leads out of the stage.
    #[must_use]
    pub fn command(&self) -> Option<Command> {
        Some(match self {
            Self::Leave { case, stage, department } => return leave(*case, *stage, department),
            Self::Respond { whistle, department } => {
                Command::RespondToWhistle { whistle: *whistle, department: department.clone() }
            }
            Self::CloseWhistle { whistle } => {
                Command::CloseWhistle { whistle: *whistle, note: String::new() }
            }
        })
    }
}

/// What is remarked when a stage's work is done.
fn remark(stage: Stage) -> &'static str {
    match stage {
        Stage::Dispose => "已清理整改",
        Stage::Feedback => "现场照片已上传",
        Stage::Check => "核查合格",
        Stage::Accept | Stage::File | Stage::Dispatch | Stage::Close => "",
    }
}

fn leave(case: CaseId, stage: Stage, department: &DepartmentCode) -> Option<Command> {
    let step = LoopStep::out_of(stage)?;
    Some(match step.asks_department() {
        true => step.take_for(case, department.clone()),
        false => step.take_with(case, remark(stage)),
    })
}

/// The agenda, earliest first.
#[derive(Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<(i64, u64)>>,
    steps: std::collections::HashMap<u64, Step>,
    serial: u64,
}

impl Agenda {
    /// Puts a step on the agenda, at UTC milliseconds.
    pub fn add(&mut self, at_ms: i64, step: Step) {
        self.serial += 1;
        self.heap.push(Reverse((at_ms, self.serial)));
        self.steps.insert(self.serial, step);
    }

    /// Takes up to `most` steps whose time has come.
    pub fn due(&mut self, now_ms: i64, most: usize) -> Vec<Step> {
        let mut due = Vec::new();
        while due.len() < most
            && let Some(Reverse((at_ms, serial))) = self.heap.peek().copied()
            && at_ms <= now_ms
        {
            self.heap.pop();
            due.extend(self.steps.remove(&serial));
        }
        due
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}
