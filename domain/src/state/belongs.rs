//! Whether a command is a department's own business: whoever acts for one department acts for no other.

use super::State;
use crate::case::Power;
use crate::code::{CaseId, DepartmentCode};
use crate::command::Command;
use crate::rejection::Rejection;

impl State {
    /// Refuses what somebody who acts for `own` alone would do in another's place. What is unknown is left to `decide`.
    pub(super) fn check_department(&self, command: &Command, own: &DepartmentCode) -> Result<(), Rejection> {
        match command {
            Command::RespondToWhistle { department, .. } => is_own(own, Some(department)),
            Command::Step(take) => match take.step.power {
                Power::Department => self.check_own_case(take.case, own),
                // Not a department's at all.
                Power::Supervision | Power::Dispatch => Ok(()),
            },
            Command::ClaimCase { case }
            | Command::NoteCase { case, .. }
            | Command::AttachFile { case, .. } => self.check_own_case(*case, own),
            // Anyone may report; the rest is not a department's at all.
            Command::ReportCase { .. }
            | Command::TakeOverCase { .. }
            | Command::RaiseWhistle { .. }
            | Command::CloseWhistle { .. }
            | Command::DefineCatalogue { .. }
            | Command::PassDeadlines => Ok(()),
        }
    }

    fn check_own_case(&self, case: CaseId, own: &DepartmentCode) -> Result<(), Rejection> {
        self.cases.get(&case).map_or(Ok(()), |case| is_own(own, case.department.as_ref()))
    }
}

fn is_own(own: &DepartmentCode, other: Option<&DepartmentCode>) -> Result<(), Rejection> {
    if other == Some(own) {
        return Ok(());
    }
    Err(Rejection::OtherDepartment { own: own.to_string(), other: other.map(ToString::to_string) })
}
