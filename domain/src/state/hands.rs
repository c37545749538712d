//! In whose hands a command lies: nobody acts on what they may not see, and on one case nobody judges what they sent
//! (监管分离).
//!
//! What should not be here: which command a role allows (`role`), what a department's own business is (`belongs`).

use super::{State, decide};
use crate::case::Power;
use crate::code::{AreaCode, CaseId, DepartmentCode, WhistleId};
use crate::command::Command;
use crate::event::{By, Event};
use crate::moment::UtcMillis;
use crate::rejection::Rejection;
use crate::role::Role;
use crate::scope::Scope;

/// Who sends a command, how far they may reach, and what they had before their eyes.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub by: &'a By,
    /// The one department they act for, where that is all they may do.
    pub department: Option<&'a DepartmentCode>,
    /// What they may see: nobody acts on more.
    pub scope: &'a Scope,
    /// Version of the case they decided on; none where nobody looked.
    pub seen: Option<u64>,
}

/// Which events a command makes that somebody sends, or why it is refused: first whether they see what it is about, so that no
/// refusal tells of what they do not see; then whose business it is, whether it still fits, and the rules ([`decide`]).
/// Whoever takes commands from people asks here.
pub fn decide_for(
    state: &State,
    sender: &Sender<'_>,
    command: &Command,
    now: UtcMillis,
) -> Result<Vec<Event>, Rejection> {
    state.check_scope(command, sender.scope)?;
    sender.department.map_or(Ok(()), |own| state.check_department(command, own))?;
    state.check_hands(command, sender.by)?;
    state.check_seen(command, sender.seen)?;
    decide(state, command, now)
}

impl State {
    /// Refuses what lies beyond the sender's scope, in the words for what is not there. What is unknown is left to
    /// `decide`.
    pub fn check_scope(&self, command: &Command, scope: &Scope) -> Result<(), Rejection> {
        if scope.is_all() {
            return Ok(());
        }
        match command {
            Command::Step(take) => self.check_sees(take.case, scope),
            Command::ClaimCase { case }
            | Command::NoteCase { case, .. }
            | Command::AttachFile { case, .. } => self.check_sees(*case, scope),
            Command::RespondToWhistle { whistle, .. } | Command::CloseWhistle { whistle, .. } => {
                self.check_hears(*whistle, scope)
            }
            Command::ReportCase { report, .. } | Command::TakeOverCase { report, .. } => {
                self.check_place("area", &report.area, scope)
            }
            Command::RaiseWhistle { call } => {
                call.case.map_or(Ok(()), |case| self.check_sees(case, scope))?;
                self.check_place("area", &call.area, scope)
            }
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
            Scope::Within { areas, departments: _ } => !areas.is_empty(),
        };
        let path = self.catalogue.path(area);
        if bound && !path.is_empty() && !scope.admits_area(&path) {
            return Err(Rejection::OutOfScope { field: Some(field) });
        }
        Ok(())
    }

    /// Refuses a step of supervision by the person who has dispatched the case, unless the policy lets both powers be in
    /// one hand. A machine speaks for many people, and of the server's own steps there is nobody to ask.
    fn check_hands(&self, command: &Command, by: &By) -> Result<(), Rejection> {
        let Command::Step(take) = command else { return Ok(()) };
        let person = !by.roles.is_empty() && !by.roles.contains(&Role::Machine);
        if take.step.power != Power::Supervision || !person || self.policy().powers_together.is_some() {
            return Ok(());
        }
        let Some(case) = self.cases.get(&take.case) else { return Ok(()) };
        // In whatever round; other steps of the same power send nothing.
        if case.steps.iter().any(|taken| taken.step.asks_department() && taken.by == by.name) {
            return Err(Rejection::OwnDispatch { case: case.id });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Desk, report};
    use super::*;
    use crate::case::Step;
    use crate::event::Door;

    const CASE: CaseId = CaseId(1);

    fn asked(desk: &Desk, by: &By, command: &Command) -> Result<(), Rejection> {
        let sender = Sender { by, department: None, scope: &Scope::All, seen: None };
        decide_for(&desk.state, &sender, command, desk.now).map(drop)
    }

    fn by(name: &str, role: Role) -> By {
        By { name: name.into(), roles: vec![role], door: Door::Desk }
    }

    #[test]
    fn whoever_dispatched_a_case_judges_nothing_of_it_unless_the_centre_is_small() {
        let mut desk = Desk::new();
        desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
        let urban = DepartmentCode::new("urban").unwrap();
        // The desk's own hand is 周敏's.
        for command in [
            Step::ACCEPT.take(CASE),
            Step::FILE.take(CASE),
            Step::DISPATCH.take_for(CASE, urban),
            Step::DISPOSE.take(CASE),
            Step::FEEDBACK.take(CASE),
        ] {
            desk.send(command).unwrap();
        }
        let check = Step::CHECK.take(CASE);
        let (own, other) = (by("周敏", Role::Supervisor), by("林立", Role::Supervisor));
        assert_eq!(asked(&desk, &own, &check), Err(Rejection::OwnDispatch { case: CASE }));
        assert_eq!(asked(&desk, &other, &check), Ok(()));
        assert_eq!(asked(&desk, &by("周敏", Role::Machine), &check), Ok(()), "it speaks for many people");
        let mut small = desk.policy.clone();
        small.powers_together = Some("十二人的中心".to_owned());
        desk.adopt(&small).unwrap();
        assert_eq!(asked(&desk, &own, &check), Ok(()));
    }

    #[test]
    fn what_lies_elsewhere_is_refused_in_the_words_for_what_is_not_there() {
        let mut desk = Desk::new();
        desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
        let own = by("林立", Role::Supervisor);
        let elsewhere = Scope::area("530103".parse().unwrap());
        let sender = Sender { by: &own, department: None, scope: &elsewhere, seen: Some(0) };
        let decided = decide_for(&desk.state, &sender, &Step::ACCEPT.take(CASE), desk.now);
        assert_eq!(decided, Err(Rejection::UnknownCase { case: CASE }));
        // Nor does a department hear whose it is.
        let urban = DepartmentCode::new("urban").unwrap();
        let of_urban = Scope::department(urban.clone());
        let sender = Sender { department: Some(&urban), scope: &of_urban, seen: None, ..sender };
        let decided = decide_for(&desk.state, &sender, &Step::DISPOSE.take(CASE), desk.now);
        assert_eq!(decided, Err(Rejection::UnknownCase { case: CASE }));
    }
}
