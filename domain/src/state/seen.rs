//! Whether a command, or an adoption, was decided on what is still so.

use super::State;
use crate::adoption::Took;
use crate::code::CaseId;
use crate::command::Command;
use crate::rejection::{Adoptable, AdoptedSince, MovedOn, Rejection};

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

    /// Refuses an adoption that was held against another version than the one in force, `is`.
    pub(super) fn expect_upon(
        &self,
        what: Adoptable,
        upon: Option<u64>,
        is: u64,
        took: Option<&Took>,
    ) -> Result<(), Rejection> {
        let Some(upon) = upon.filter(|upon| *upon != is) else { return Ok(()) };
        let since = AdoptedSince { what, upon, is, took: took.cloned(), offset: self.offset };
        Err(Rejection::AdoptedSince(Box::new(since)))
    }
}

/// The case whose standing decides whether the command makes sense.
fn decided_on(command: &Command) -> Option<CaseId> {
    match command {
        Command::Step(take) => Some(take.case),
        Command::ClaimCase { case } => Some(*case),
        Command::NoteCase { .. }
        | Command::AttachFile { .. }
        | Command::ReportCase { .. }
        | Command::TakeOverCase { .. }
        | Command::RaiseWhistle { .. }
        | Command::RespondToWhistle { .. }
        | Command::CloseWhistle { .. }
        | Command::DefineCatalogue { .. }
        | Command::PassDeadlines => None,
    }
}
