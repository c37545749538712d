//! Whether a command was decided on what is still so.

use super::State;
use crate::code::CaseId;
use crate::command::Command;
use crate::rejection::{MovedOn, Rejection};

impl State {
    /// Refuses a step or a claim of a case that has taken a step since `seen`, the version the sender had before their eyes.
    ///
    /// Only a step makes such a decision void: it changes which step is next, and for whom. Notes, claims, whistle calls and
    /// deadlines that pass raise the version as well and leave the decision what it was: a note that arrives while
    /// somebody presses Enter must not cost them a second look. Without a version nothing is checked, as machines
    /// and imports want it. A closed case and a whistle call that has ended are refused by `decide`.
    pub(super) fn check_seen(&self, command: &Command, seen: Option<u64>) -> Result<(), Rejection> {
        let Some((seen, case)) = seen.zip(decided_on(command)) else { return Ok(()) };
        let Some(case) = self.cases.get(&case) else { return Ok(()) };
        let Some(last) = case.last_step().filter(|last| last.seq > seen) else { return Ok(()) };
        Err(Rejection::MovedOn(Box::new(MovedOn {
            case: case.id,
            number: case.number.clone(),
            seen,
            is: case.version,
            stage: case.stage,
            step: last.step,
            by: last.by.clone(),
            at: last.at,
            offset: self.offset,
        })))
    }
}

/// The case whose standing decides whether the command makes sense.
fn decided_on(command: &Command) -> Option<CaseId> {
    match command {
        Command::Step(take) => Some(take.case),
        Command::ClaimCase { case } => Some(*case),
        Command::NoteCase { .. }
        | Command::ReportCase { .. }
        | Command::TakeOverCase { .. }
        | Command::RaiseWhistle { .. }
        | Command::RespondToWhistle { .. }
        | Command::CloseWhistle { .. }
        | Command::DefineCatalogue { .. }
        | Command::PassDeadlines => None,
    }
}
