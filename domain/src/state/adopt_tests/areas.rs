//! What lies in areas that an adopted policy draws anew: open cases and open whistle calls follow by events of their own.
//!
//! What should not be here: due times, and codes that are retired (the file above).

use super::*;
use crate::code::AreaCode;
use crate::tally::Dimension;
use crate::whistle::{WhistleCall, WhistleEvent, WhistleLevel};

/// A street's call of two departments.
pub(super) fn call(area: &str) -> Command {
    let called = ["urban", "fire"].map(|department| department.parse().unwrap()).into();
    let area = area.parse().unwrap();
    let title = "夜市占道".to_owned();
    Command::RaiseWhistle {
        call: WhistleCall { level: WhistleLevel::Street, area, title, case: None, called },
    }
}

pub(super) fn respond(whistle: WhistleId) -> Command {
    Command::RespondToWhistle { whistle, department: "urban".parse().unwrap() }
}

pub(super) fn close(whistle: WhistleId) -> Command {
    Command::CloseWhistle { whistle, note: String::new() }
}

fn count(desk: &Desk, area: &str, measure: Measure, period: Period) -> i64 {
    desk.state.tally.count(measure, Dimension::Area(area.parse().unwrap()), period)
}

/// What open calls stand for in each area, counted from the calls alone.
pub(super) fn holds(desk: &Desk) {
    for area in AREAS {
        let code: AreaCode = area.parse().unwrap();
        let calls = || desk.state.whistles.values().filter(|call| call.area_path.contains(&code));
        let late = calls().flat_map(Whistle::missing).filter(|called| called.late).count();
        let open = count(desk, area, Measure::WhistleOpen, Period::Now);
        assert_eq!(open, calls().count() as i64, "open in {area}");
        assert_eq!(count(desk, area, Measure::WhistleLate, Period::Now), late as i64, "late in {area}");
    }
}

/// The street lies in the other district.
fn drawn_anew(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.areas[3].parent = Some("530103".parse().unwrap());
    policy
}

#[test]
fn open_cases_move_with_a_street_that_lies_in_another_district() {
    let mut desk = desk();
    let id = desk.at_disposal("W01");
    let district = |desk: &Desk, code: &str, measure| count(desk, code, measure, Period::Ever);
    let now = |desk: &Desk, code: &str, measure| count(desk, code, measure, Period::Now);
    desk.adopt(&drawn_anew(&desk.policy.clone())).unwrap();
    assert_eq!(desk.state.to_replan().cases, 1);
    desk.send(Command::PassDeadlines).unwrap();
    let path: Vec<&str> = desk.state.cases[&id].area_path.iter().map(|code| code.as_str()).collect();
    assert_eq!(path, ["530102001", "530103", "5301"]);
    assert_eq!((now(&desk, "530102", Measure::Open), now(&desk, "530103", Measure::Open)), (0, 1));
    assert_eq!(
        (district(&desk, "530102", Measure::Filed), district(&desk, "530103", Measure::Filed)),
        (1, 0)
    );
    for step in [Step::DISPOSE, Step::FEEDBACK, Step::CHECK, Step::CLOSE] {
        desk.send(step.take_with(id, "清")).unwrap();
    }
    assert_eq!(
        (district(&desk, "530102", Measure::Closed), district(&desk, "530103", Measure::Closed)),
        (0, 1)
    );
    super::holds(&desk);
}

#[test]
fn open_calls_move_with_a_street_that_lies_in_another_district() {
    let mut desk = desk();
    for _ in 0..2 {
        desk.send(call("530102001")).unwrap();
    }
    desk.send(call("530103")).unwrap();
    desk.send(respond(WhistleId(1))).unwrap();
    desk.pass(31 * MINUTE_MS);
    desk.adopt(&drawn_anew(&desk.policy.clone())).unwrap();
    assert_eq!(desk.state.to_replan(), replan::ToReplan { clocks: 0, cases: 0, whistles: 2 });
    // What happens to one before the timer comes happens where it lies now.
    desk.send(close(WhistleId(2))).unwrap();
    let names: Vec<&str> = desk.log.iter().rev().take(2).map(|recorded| recorded.event.name()).collect();
    assert_eq!(names, ["whistle_closed", "whistle_moved"]);
    assert_eq!(desk.state.to_replan().whistles, 1);
    desk.send(Command::PassDeadlines).unwrap();
    assert!(desk.state.to_replan().is_nothing());
    let path: Vec<&str> =
        desk.state.whistles[&WhistleId(1)].area_path.iter().map(|code| code.as_str()).collect();
    assert_eq!(path, ["530102001", "530103", "5301"]);
    let of = |measure, period| ["530102", "530103"].map(|area| count(&desk, area, measure, period));
    assert_eq!(of(Measure::WhistleOpen, Period::Now), [0, 2]);
    assert_eq!(of(Measure::WhistleLate, Period::Now), [0, 3], "one of the first, both of the third");
    assert_eq!(
        of(Measure::WhistleRaised, Period::Ever),
        [2, 1],
        "what was counted stays where it was counted"
    );
    holds(&desk);
    super::holds(&desk);
}

#[test]
fn calls_move_in_bites_behind_the_cases() {
    let mut desk = desk();
    desk.at_disposal("W01");
    for _ in 0..700 {
        desk.send(call("530102001")).unwrap();
    }
    desk.adopt(&drawn_anew(&desk.policy.clone())).unwrap();
    desk.send(Command::PassDeadlines).unwrap();
    let is = |recorded: &&Recorded| matches!(recorded.event, Event::Whistle(_, WhistleEvent::Moved { .. }));
    assert_eq!(desk.log.iter().filter(is).count(), replan::CLOCKS_PER_COMMAND_MAX - 1);
    assert_eq!(desk.state.to_replan(), replan::ToReplan { clocks: 0, cases: 0, whistles: 201 });
    desk.send(Command::PassDeadlines).unwrap();
    assert_eq!(desk.log.iter().filter(is).count(), 700);
    holds(&desk);
    super::holds(&desk);
}
