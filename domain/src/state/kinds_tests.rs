//! Steps of every kind, each known from its row alone: back with a reason, aside, out from anywhere; those of a build to come too.

use super::hands::{Sender, decide_for};
use super::tests::{Desk, recount, report};
use super::*;
use crate::case::step::tests::{DROP, RESET};
use crate::case::{Passed, Stage, Step};
use crate::clock::{ClockOf, Limit, LimitKind};
use crate::code::DepartmentCode;
use crate::command::{Command, TakeStep};
use crate::event::{By, Door};
use crate::moment::HOUR_MS;
use crate::rejection::Rejection;
use crate::role::Role;
use crate::scope::Scope;
use crate::tally::{Dimension, Period};

const CASE: CaseId = CaseId(1);

fn urban() -> DepartmentCode {
    "urban".parse().unwrap()
}

/// A case in 处置 of the department, with a limit of two hours.
fn disposing() -> Desk {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
    for command in [Step::ACCEPT.take(CASE), Step::FILE.take(CASE), Step::DISPATCH.take_for(CASE, urban())] {
        desk.now = desk.now.plus(60_000);
        desk.send(command).unwrap();
    }
    desk
}

fn agrees(desk: &Desk) {
    let city = |key: &&crate::tally::TallyKey| key.dimension == Dimension::City && key.period == Period::Now;
    let kept = desk.state.tally.iter().filter(|(key, _)| city(key));
    let kept: std::collections::BTreeMap<_, _> =
        kept.map(|(key, count)| (key.measure.key(), count)).collect();
    assert_eq!(kept, recount(&desk.state, desk.now));
}

fn by(name: &str, role: Role) -> By {
    By { name: name.into(), roles: vec![role], door: Door::Desk }
}

#[test]
fn a_case_that_is_returned_is_nobodys_and_goes_round_again_with_the_reason() {
    let mut desk = disposing();
    let step = Step::RETURN;
    let dispatched = desk.now;
    for empty in ["", "  "] {
        let refused = desk.send(step.take_with(CASE, empty)).unwrap_err();
        assert_eq!((refused.code(), refused.field()), ("out_of_range", Some("note")));
    }
    let back = step.take_with(CASE, "不属本单位职责");
    // It is the department's own step, and nobody else's.
    let (own, other) = (urban(), "fire".parse().unwrap());
    let (clerk, scope) = (by("城管", Role::Department), Scope::department(urban()));
    let sender = Sender { by: &clerk, department: Some(&other), scope: &Scope::All, seen: None };
    let refused = decide_for(&desk.state, &sender, &back, desk.now).unwrap_err();
    assert!(matches!(refused, Rejection::OtherDepartment { .. }), "{refused:?}");
    desk.pass(3 * HOUR_MS);
    let sender = Sender { department: Some(&own), scope: &scope, ..sender };
    assert!(decide_for(&desk.state, &sender, &back, desk.now).is_ok());
    desk.send(back).unwrap();
    agrees(&desk);
    let case = desk.state.cases[&CASE].clone();
    assert_eq!((case.stage, case.stage_since, case.round), (Stage::Dispatch, desk.now, 2));
    assert_eq!((case.department.clone(), scope.admits_case(&case)), (None, false), "out of its sight");
    let last = case.last_step().unwrap();
    assert_eq!((last.department.clone(), last.late, last.round), (Some(urban()), true, 1));
    let clock = case.leading_clock().unwrap();
    assert_eq!((clock.of, clock.started), (ClockOf::Dispatch, desk.now));
    assert_eq!(desk.city(Measure::Returned, desk.day()), 1, "as its row says");
    assert_eq!(decide_for(&desk.state, &sender, &Command::ClaimCase { case: CASE }, desk.now), {
        Err(Rejection::UnknownCase { case: CASE })
    });
    // 派遣 runs anew and 处置 is still to come: neither has the times of the first round.
    let at = |stage: Stage| case.passed()[stage as usize];
    assert_eq!(at(Stage::File).ended, Some(dispatched.plus(-60_000)));
    assert_eq!(at(Stage::Dispatch), Passed { began: Some(desk.now), ended: None });
    assert_eq!(at(Stage::Dispose), Passed::default());
}

#[test]
fn a_row_has_no_place_for_what_it_does_not_ask() {
    let mut desk = disposing();
    let Command::Step(back) = Step::RETURN.take_with(CASE, "非本单位") else { panic!("a step") };
    desk.send(Command::Step(TakeStep { department: Some("fire".parse().unwrap()), ..back })).unwrap();
    assert_eq!(desk.state.cases[&CASE].department, None);
}

#[test]
fn a_step_aside_leaves_the_case_where_it_waits_since_when_it_did() {
    let mut desk = disposing();
    desk.pass(3 * HOUR_MS);
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 1);
    let before = desk.state.cases[&CASE].clone();
    let Command::Step(more) = Step(&RESET).take_with(CASE, "等配件") else { panic!("a step") };
    let limit = Some(Limit::new(8, LimitKind::URGENT_HOUR));
    desk.send(Command::Step(TakeStep { limit, ..more })).unwrap();
    let case = desk.state.cases[&CASE].clone();
    assert_eq!((case.stage, case.stage_since, case.round), (Stage::Dispose, before.stage_since, 1));
    assert_eq!((&case.department, case.passed()), (&before.department, before.passed()));
    assert_eq!(case.leading_clock().unwrap().due, desk.now.plus(8 * HOUR_MS));
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 0);
    agrees(&desk);
    assert!(matches!(desk.send(Step::DISPATCH.take(CASE)), Err(Rejection::WrongStage { .. })));
}

#[test]
fn a_step_out_from_anywhere_closes_counts_and_stands_in_the_last_stage() {
    for reached in 0..Stage::ALL.len() {
        let mut desk = Desk::new();
        desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
        for step in Step::all().take(reached) {
            desk.send(step.take_for(CASE, urban())).unwrap();
        }
        desk.pass(HOUR_MS);
        desk.send(Step(&DROP).take_with(CASE, "重复上报")).unwrap();
        agrees(&desk);
        let case = &desk.last_case;
        assert_eq!((case.stage, case.closed, case.notes), (Stage::Close, Some(desk.now), 0));
        assert!(desk.state.cases.is_empty() && desk.state.deadlines.is_empty());
        assert_eq!(desk.city(Measure::Closed, desk.day()), 1);
        assert!(case.clocks.iter().all(|clock| !clock.is_running()));
        let passed = case.passed();
        // Of a case without any step it is not known that it began here.
        assert_eq!(passed[reached].ended, (reached > 0).then_some(desk.now), "{reached}");
        assert!(passed[reached + 1..].iter().all(|at| at.began.is_none()));
    }
}

/// What is told of the way after a failed check is the second round's.
#[test]
fn a_stage_gone_back_to_has_the_times_of_the_present_round() {
    let mut desk = disposing();
    for step in [Step::DISPOSE, Step::FEEDBACK, Step::REWORK, Step::DISPOSE] {
        desk.now = desk.now.plus(60_000);
        desk.send(step.take_with(CASE, "未清净")).unwrap();
    }
    let passed = desk.state.cases[&CASE].passed();
    let disposed = Passed { began: Some(desk.now.plus(-60_000)), ended: Some(desk.now) };
    assert_eq!(passed[Stage::Dispose as usize], disposed);
    assert_eq!(passed[Stage::Feedback as usize], Passed { began: Some(desk.now), ended: None });
    assert_eq!(passed[Stage::Check as usize], Passed::default());
}

/// 监管分离 is between who sent the case, in whatever round, and who judges it; a ruling of the same power sends nothing.
#[test]
fn whoever_sent_the_case_in_any_round_judges_nothing_of_it() {
    let mut desk = disposing();
    desk.send(Step(&RESET).take_with(CASE, "等配件")).unwrap();
    let name = |desk: &mut Desk, of: &str| {
        let mut case = desk.state.cases[&CASE].clone();
        case.steps.last_mut().unwrap().by = of.to_owned();
        desk.state.cases.insert(CASE, case);
    };
    name(&mut desk, "准假的");
    desk.send(Step::RETURN.take_with(CASE, "非本单位")).unwrap();
    desk.send(Step::DISPATCH.take_for(CASE, urban())).unwrap();
    name(&mut desk, "再派的");
    for step in [Step::DISPOSE, Step::FEEDBACK] {
        desk.send(step.take(CASE)).unwrap();
    }
    let asked = |who: &str| {
        let by = by(who, Role::Supervisor);
        let sender = Sender { by: &by, department: None, scope: &Scope::All, seen: None };
        decide_for(&desk.state, &sender, &Step::CHECK.take(CASE), desk.now).map(drop)
    };
    let own = Err(Rejection::OwnDispatch { case: CASE });
    assert_eq!((asked("周敏"), asked("再派的"), asked("准假的")), (own.clone(), own, Ok(())));
}
