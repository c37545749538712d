//! What still has to happen: steps of cases and whistles in order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use domain::case::Step as LoopStep;
use domain::code::{CaseId, DepartmentCode, WhistleId};
use domain::command::Command;

/// One thing to do at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A case leaves a stage by a step of the loop.
    Leave {
        case: CaseId,
        step: LoopStep,
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
    /// The command the step sends.
    #[must_use]
    pub fn command(&self) -> Command {
        match self {
            Self::Leave { case, step, department } => leave(*case, *step, department),
            Self::Respond { whistle, department } => {
                Command::RespondToWhistle { whistle: *whistle, department: department.clone() }
            }
            Self::CloseWhistle { whistle } => {
                Command::CloseWhistle { whistle: *whistle, note: String::new() }
            }
        }
    }
}

/// What is remarked with a step.
fn remark(step: LoopStep) -> &'static str {
    match step.name {
        "dispose" => "已清理整改",
        "feedback" => "现场照片已上传",
        "check" => "核查合格",
        "return" => "不属本单位职责范围",
        "rework" => "现场未清理到位",
        "refuse" => "与已受理案件重复",
        "decline" => "未达立案标准",
        "void" => "经核实现场无此问题",
        "special" => "权属争议，已列入专项整治",
        _ => "",
    }
}

fn leave(case: CaseId, step: LoopStep, department: &DepartmentCode) -> Command {
    match step.asks_department() {
        true => step.take_for(case, department.clone()),
        false => step.take_with(case, remark(step)),
    }
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
