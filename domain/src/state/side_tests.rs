//! The side paths of the loop that lead elsewhere: who, how often, which clocks stop and start, what is counted, and how a case ends.

use super::tests::{Desk, recount, report};
use super::*;
use crate::case::step::Row;
use crate::case::{Closing, Power, STEPS, Stage, Step};
use crate::clock::ClockOf;
use crate::code::DepartmentCode;
use crate::command::Command;
use crate::moment::{HOUR_MS, MINUTE_MS};
use crate::rejection::{Language, Rejection};
use crate::tally::{Dimension, Period, closure_rate};

const CASE: CaseId = CaseId(1);

fn urban() -> DepartmentCode {
    "urban".parse().unwrap()
}

fn row(name: &str) -> &'static Row {
    STEPS.iter().find(|row| row.name == name).unwrap()
}

/// A case that waits in the stage, by the stages' own steps a minute apart.
fn waiting(stage: Stage) -> Desk {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
    walk(&mut desk, stage);
    desk
}

fn walk(desk: &mut Desk, to: Stage) {
    while let Some(step) = desk.state.cases.get(&CASE).filter(|case| case.stage != to) {
        let step = Step::out_of(step.stage).unwrap();
        desk.pass(MINUTE_MS);
        desk.send(step.take_for(CASE, urban())).unwrap();
    }
}

fn aside(desk: &mut Desk, step: Step) -> Result<(), Rejection> {
    desk.send(step.take_with(CASE, "理由"))
}

fn agrees(desk: &Desk) {
    let city = |key: &&TallyKey| key.dimension == Dimension::City && key.period == Period::Now;
    let kept = desk.state.tally.iter().filter(|(key, _)| city(key));
    let kept: std::collections::BTreeMap<_, _> =
        kept.map(|(key, count)| (key.measure.key(), count)).collect();
    assert_eq!(kept, recount(&desk.state, desk.now));
}

#[test]
fn every_side_path_states_its_reason_and_is_whose_it_is() {
    let of = |power: Power| {
        let side = STEPS[7..15].iter().filter(|row| row.power == power);
        side.map(|row| row.name).collect::<Vec<_>>()
    };
    assert_eq!(of(Power::Department), ["return"]);
    assert_eq!(of(Power::Dispatch), [""; 0]);
    for row in &STEPS[7..15] {
        let mut desk = waiting(row.from[0]);
        let refused = desk.send(Step(row).take(CASE)).unwrap_err();
        assert_eq!((refused.code(), refused.field()), ("out_of_range", Some("note")), "{}", row.name);
        assert_eq!(aside(&mut desk, Step(row)), Ok(()), "{}", row.name);
        agrees(&desk);
    }
}

#[test]
fn a_return_stops_the_disposal_and_gives_the_dispatcher_the_whole_time_once_more() {
    let mut desk = waiting(Stage::Dispose);
    desk.pass(HOUR_MS);
    aside(&mut desk, Step::RETURN).unwrap();
    let case = &desk.state.cases[&CASE];
    assert_eq!((case.stage, &case.department, case.round), (Stage::Dispatch, &None, 2));
    let running: Vec<ClockOf> = case.running().map(|clock| clock.of).collect();
    assert_eq!(running, [ClockOf::Dispatch]);
    let clock = case.leading_clock().unwrap();
    assert_eq!((clock.started, clock.due), (desk.now, desk.now.plus(4 * HOUR_MS)));
    assert_eq!((desk.city(Measure::Returned, desk.day()), desk.city(Measure::Reworked, desk.day())), (1, 0));
    desk.pass(4 * HOUR_MS + 1);
    assert_eq!(desk.city(Measure::OverdueDispatch, Period::Now), 1);
    agrees(&desk);
}

#[test]
fn a_failed_check_leaves_the_case_with_its_department_and_gives_it_the_whole_limit() {
    let mut desk = waiting(Stage::Check);
    desk.pass(HOUR_MS);
    aside(&mut desk, Step::REWORK).unwrap();
    let case = &desk.state.cases[&CASE];
    assert_eq!((case.stage, case.department.clone(), case.round), (Stage::Dispose, Some(urban()), 2));
    let clock = case.leading_clock().unwrap();
    assert_eq!((clock.of, clock.due), (ClockOf::Disposal, desk.now.plus(2 * HOUR_MS)));
    assert_eq!((desk.city(Measure::Returned, desk.day()), desk.city(Measure::Reworked, desk.day())), (0, 1));
}

/// The desk's policy lets a case be returned twice and fail its check once; the words say so and nothing has changed.
#[test]
fn a_side_path_is_taken_as_often_as_the_policy_says_and_no_more() {
    for (step, back, most) in [(Step::RETURN, Stage::Dispose, 2), (Step::REWORK, Stage::Check, 1)] {
        let mut desk = waiting(back);
        for _ in 0..most {
            aside(&mut desk, step).unwrap();
            walk(&mut desk, back);
        }
        let before = desk.state.clone();
        let refused = aside(&mut desk, step).unwrap_err();
        assert_eq!(refused, Rejection::TakenOften { case: CASE, act: step.act, most });
        assert_eq!((refused.code(), refused.field()), ("taken_often", Some("case")));
        let words = refused.words(Language::Zh);
        assert!(words.contains(step.act[0]) && words.contains(&format!("{most} 次")), "{words}");
        assert_eq!(desk.state, before);
        // A city that takes it otherwise says so, and it holds from then on.
        let mut policy = desk.policy.clone();
        policy.side_paths.returns += 1;
        policy.side_paths.reworks += 1;
        desk.adopt(&policy).unwrap();
        assert_eq!(aside(&mut desk, step), Ok(()));
    }
}

/// Ends a case by a step from every stage it may be taken in; how it ended.
fn ended(name: &str) -> Vec<Option<Closing>> {
    let row = row(name);
    let end = |stage: &Stage| {
        let mut desk = waiting(*stage);
        aside(&mut desk, Step(row)).unwrap();
        assert!(desk.state.cases.is_empty() && desk.state.deadlines.is_empty(), "{name} from {stage:?}");
        assert!(desk.last_case.clocks.iter().all(|clock| !clock.is_running()));
        for measure in row.counts {
            assert_eq!(desk.city(*measure, desk.day()), 1, "{name} from {stage:?}");
        }
        agrees(&desk);
        desk.last_case.closing()
    };
    row.from.iter().map(end).collect()
}

#[test]
fn a_closed_case_knows_how_it_was_closed() {
    assert_eq!(ended("refuse"), [Some(Closing::NotAccepted)]);
    assert_eq!(ended("decline"), [Some(Closing::NotFiled)]);
    assert_eq!(ended("void"), [Some(Closing::Void); 7]);
    assert_eq!(ended("force"), [Some(Closing::Forced); 4]);
    assert_eq!(ended("special"), [Some(Closing::Special); 4]);
    assert_eq!(ended("fault"), [Some(Closing::Faulty); 2]);
    assert_eq!(ended("close"), [Some(Closing::Normal)]);
    let open = waiting(Stage::Close);
    assert_eq!(open.last_case.closing(), None);
}

/// In time is decided by the disposal (按期处置) and not by the day of the closing; late in one round is late.
#[test]
fn a_case_is_closed_late_when_a_disposal_of_it_was() {
    let mut desk = waiting(Stage::Dispose);
    desk.pass(2 * HOUR_MS + 1);
    walk(&mut desk, Stage::Check);
    aside(&mut desk, Step::REWORK).unwrap();
    walk(&mut desk, Stage::Close);
    desk.send(Step::CLOSE.take(CASE)).unwrap();
    assert_eq!(desk.last_case.closing(), Some(Closing::Overdue));
    // The days a finished disposal waits for its check are nobody's lateness.
    let mut desk = waiting(Stage::Check);
    desk.pass(100 * HOUR_MS);
    walk(&mut desk, Stage::Close);
    desk.send(Step::CLOSE.take(CASE)).unwrap();
    assert_eq!(desk.last_case.closing(), Some(Closing::Normal));
}

#[test]
fn what_was_no_case_is_in_no_closing_rate() {
    for (name, closed) in [("void", 0), ("special", 1), ("fault", 1), ("force", 1)] {
        let mut desk = waiting(Stage::Check);
        aside(&mut desk, Step(row(name))).unwrap();
        let rate = closure_rate(&desk.state.tally, &Dimension::City, desk.day());
        assert_eq!((rate.numerator, rate.denominator), (closed, 1), "{name}");
    }
}

/// What is true of every open case, whatever was sent in whatever order.
pub(super) fn unbroken(state: &State) -> Result<(), String> {
    for case in state.cases.values() {
        let wrong = |what: &str| Err(format!("{what}: {case:?}"));
        let fits = |of: ClockOf| match of {
            ClockOf::Dispatch => case.stage == Stage::Dispatch,
            ClockOf::Disposal | ClockOf::Milestone(_) | ClockOf::Suspension => case.stage == Stage::Dispose,
            ClockOf::Response => false,
        };
        let running: Vec<ClockOf> = case.running().map(|clock| clock.of).collect();
        if !running.iter().all(|of| fits(*of)) {
            return wrong("a clock runs on in another stage");
        }
        if running.iter().enumerate().any(|(at, of)| running[..at].contains(of)) {
            return wrong("two clocks measure the same");
        }
        let mut of_disposal = case.running().filter(|clock| clock.of != ClockOf::Suspension);
        if of_disposal.any(|clock| clock.is_paused() != case.is_suspended()) {
            return wrong("some of its clocks stand still, or none of a suspended one");
        }
        if case.pending().is_some() && case.stage != Stage::Dispose {
            return wrong("a request outlives its stage");
        }
        let back = case.steps.iter().filter(|taken| taken.step.leads_back()).count();
        if usize::from(case.round) != back + 1 {
            return wrong("its rounds are not those it went");
        }
        let most = |row: &Row| row.often.map(|often| usize::from(state.policy().side_paths.most(often)));
        if STEPS.iter().any(|row| most(row).is_some_and(|most| case.times(Step(row)) > most)) {
            return wrong("took a side path more often than it may");
        }
        if case.closing().is_some() {
            return wrong("is open and closed");
        }
    }
    Ok(())
}
