//! In whose hands a command lies: nobody acts on what they may not see, and on one case nobody judges what they sent
//! (监管分离).
//!
//! What should not be here: which command a role allows (`role`), what a department's own business is (`belongs`).

use super::State;
use crate::case::Power;
use crate::code::{AreaCode, CaseId, WhistleId};
use crate::command::Command;
use crate::event::By;
use crate::rejection::Rejection;
use crate::role::Role;
use crate::scope::Scope;

impl State {
    /// Refuses what lies beyond the sender's scope, in the words for what is not there. What is unknown is left to
    /// `decide`.
    pub fn check_scope(&self, command: &Command, scope: &Scope) -> Result<(), Rejection> {
        if scope.is_all() {
            return Ok(());
        }
        match command {
            Command::Step(take) => self.check_sees(take.case, scope),
            Command::ClaimCase { case } | Command::NoteCase { case, .. } => self.check_sees(*case, scope),
            Command::RespondToWhistle { whistle, .. } | Command::CloseWhistle { whistle, .. } => {
                self.check_hears(*whistle, scope)
            }
            Command::ReportCase { report, .. } | Command::TakeOverCase { report, .. } => {
                self.check_place("area", &report.area, scope)
            }
            Command::RaiseWhistle { call } => self.check_place("area", &call.area, scope),
            // Codes are the whole city's.
            Command::DefineCatalogue { .. } => Err(Rejection::OutOfScope { field: None }),
            Command::PassDeadlines => Ok(()),
        }
    }

    fn check_sees(&self, case: CaseId, scope: &Scope) -> Result<(), Rejection> {
        match self.cases.get(&case) {
            Some(known) if !scope.admits_case(known) => Err(Rejection::UnknownCase { case }),
            Some(_) | None => Ok(()),
        }
    }

    fn check_hears(&self, whistle: WhistleId, scope: &Scope) -> Result<(), Rejection> {
        match self.whistles.get(&whistle) {
            Some(known) if !scope.admits_whistle(known) => Err(Rejection::UnknownWhistle { whistle }),
            Some(_) | None => Ok(()),
        }
    }

    /// Whoever sees areas brings things in there; whoever sees departments alone reports from anywhere.
    fn check_place(&self, field: &'static str, area: &AreaCode, scope: &Scope) -> Result<(), Rejection> {
        let bound = match scope {
            Scope::All => false,
            Scope::Within { areas, .. } => !areas.is_empty(),
        };
        let path = self.catalogue.path(area);
        if bound && !path.is_empty() && !scope.admits_area(&path) {
            return Err(Rejection::OutOfScope { field: Some(field) });
        }
        Ok(())
    }

    /// Refuses a step of supervision by the person who has dispatched the case, unless the policy lets both powers be in
    /// one hand. A machine speaks for many people, and of the server's own steps there is nobody to ask.
    pub fn check_hands(&self, command: &Command, by: &By) -> Result<(), Rejection> {
        let Command::Step(take) = command else { return Ok(()) };
        let person = !by.roles.is_empty() && !by.roles.contains(&Role::Machine);
        if take.step.power != Power::Supervision || !person || self.policy().powers_together.is_some() {
            return Ok(());
        }
        let Some(case) = self.cases.get(&take.case) else { return Ok(()) };
        let dispatched = |taken: &&crate::case::Taken| taken.step.power == Power::Dispatch;
        match case.steps.iter().rev().find(dispatched) {
            Some(taken) if taken.by == by.name => Err(Rejection::OwnDispatch { case: case.id }),
            Some(_) | None => Ok(()),
        }
    }
}
