//! Defects found in fielded systems (`reference/domain.md` §2.8), each as a test that fails on the mistake as it is described there. Those
//! of parts this hall does not have, the scores of positions, are tested for their arithmetic alone.

use super::change_tests::refused;
use super::request_tests::{asked, disposing};
use super::tests::{Desk, report};
use super::*;
use crate::case::Step;
use crate::clock::calendar::DayKind;
use crate::clock::{ClockOf, Counts, Limit, LimitKind};
use crate::command::Command;
use crate::moment::{HOUR_MS, MINUTE_MS};
use crate::policy::Refusal;
use crate::tally::Ratio;

const CASE: CaseId = CaseId(1);
const CHINA: UtcOffset = UtcOffset(480);

/// An instant of the hall's own time, on the hour or at minutes after it.
fn at(date: &str, hour: i64, minute: i64) -> UtcMillis {
    let date: Date = date.parse().unwrap();
    date.midnight(CHINA).plus(hour * HOUR_MS + minute * MINUTE_MS)
}

/// A case in 处置 since `began` by the offices' hours, 8–12 and 14–18.
fn since(began: UtcMillis, limit: Limit) -> Desk {
    let mut desk = Desk::new();
    desk.policy.calendar.exceptions = [("2026-01-01", DayKind::Off), ("2026-01-02", DayKind::Off)]
        .into_iter()
        .chain([("2026-01-03", DayKind::Off), ("2026-01-04", DayKind::Work)])
        .map(|(day, kind)| (day.parse().unwrap(), kind))
        .collect();
    (desk.now, desk.state) = (began, State::new(&desk.policy));
    desk.log.clear();
    desk.send(Command::PassDeadlines).unwrap();
    disposing(desk, Some(limit))
}

fn due(desk: &Desk) -> UtcMillis {
    desk.state.cases[&CASE].clock(ClockOf::Disposal).unwrap().due
}

/// 1: the countdown was shown in hours of the wall clock, though the limit ran in working hours.
#[test]
fn what_is_left_of_a_limit_in_working_hours_is_told_in_working_hours() {
    // A Friday.
    let began = at("2025-12-12", 17, 0);
    let desk = since(began, Limit::new(4, LimitKind::WORK_HOUR));
    assert_eq!(due(&desk), at("2025-12-15", 11, 0));
    let left = |now| desk.policy.calendar.elapsed_ms(now, due(&desk), Counts::Working, CHINA) / HOUR_MS;
    assert_eq!((left(began), left(at("2025-12-13", 10, 0)), left(at("2025-12-15", 8, 0))), (4, 3, 3));
}

/// 2: the table of holidays held this year's alone, so that due times beyond 31 December were wrong.
#[test]
fn a_limit_over_new_year_knows_the_holidays_and_make_up_days_of_both_years() {
    // A Wednesday; the next working hours are those of Sunday, 4 January.
    let desk = since(at("2025-12-31", 16, 0), Limit::new(4, LimitKind::WORK_HOUR));
    assert_eq!(due(&desk), at("2026-01-04", 10, 0));
}

/// 3: a span that began within the lunch break and ended before the afternoon was negative, and wrapped to 1,380 minutes.
#[test]
fn nothing_counts_between_two_moments_of_the_lunch_break() {
    let (one, half_past_one) = (at("2025-12-10", 13, 0), at("2025-12-10", 13, 30));
    let mut desk = since(one, Limit::new(1, LimitKind::WORK_HOUR));
    assert_eq!(desk.policy.calendar.elapsed_ms(one, half_past_one, Counts::Working, CHINA), 0);
    assert_eq!(due(&desk), at("2025-12-10", 15, 0));
    // Nor does a suspension within it move anything.
    asked(&mut desk, "ask_suspension", "suspend");
    desk.pass(30 * MINUTE_MS);
    desk.send(Step::RESUME.take(CASE)).unwrap();
    assert_eq!(due(&desk), at("2025-12-10", 15, 0));
}

/// 4: both branches said that the dispatch was right, so that none was ever counted as wrong.
#[test]
fn a_dispatch_that_was_wrong_is_counted_as_wrong_and_one_that_was_right_is_not() {
    let mut desk = since(at("2025-12-10", 9, 0), Limit::new(4, LimitKind::WORK_HOUR));
    let wrong =
        |desk: &Desk| (desk.city(Measure::Dispatched, desk.day()), desk.city(Measure::Returned, desk.day()));
    assert_eq!(wrong(&desk), (1, 0));
    desk.send(Step::RETURN.take_with(CASE, "不属本单位")).unwrap();
    assert_eq!(wrong(&desk), (1, 1));
    desk.send(Step::DISPATCH.take_for(CASE, "fire".parse().unwrap())).unwrap();
    desk.send(Step::DISPOSE.take(CASE)).unwrap();
    assert_eq!(wrong(&desk), (2, 1));
}

/// 5: a division to two decimals before the factor of a hundred made 0 % and 33 % of 0.33 % and 33.33 %.
#[test]
fn a_rate_is_divided_once_and_not_rounded_on_the_way() {
    let percent = |numerator, denominator| Ratio { numerator, denominator }.percent().unwrap();
    assert!((percent(1, 300) - 0.333_333).abs() < 1e-5 && (percent(1, 3) - 33.333_333).abs() < 1e-5);
    // The bulletin's own.
    assert!((percent(218_596, 220_876) - 98.967_746).abs() < 1e-5);
}

/// 6: resumed across a break, a suspension shifted the due time by hours of the wall clock.
#[test]
fn a_suspension_over_a_weekend_leaves_what_was_left_in_working_hours() {
    // Friday from 15:00, suspended at 17:00 with two of four hours left, resumed on Monday at 9:00.
    let mut desk = since(at("2025-12-12", 15, 0), Limit::new(4, LimitKind::WORK_HOUR));
    desk.pass(2 * HOUR_MS);
    asked(&mut desk, "ask_suspension", "suspend");
    desk.pass(at("2025-12-15", 9, 0).since(desk.now));
    desk.send(Step::RESUME.take(CASE)).unwrap();
    assert_eq!(due(&desk), at("2025-12-15", 11, 0));
}

/// 7: importing the standard anew deleted classes that cases still had.
#[test]
fn a_class_that_an_open_case_has_is_neither_left_out_nor_lost_by_defining_it_anew() {
    let mut desk = since(at("2025-12-10", 9, 0), Limit::new(4, LimitKind::WORK_HOUR));
    let mut policy = desk.policy.clone();
    policy.classes.retain(|class| class.code.as_str() != "E01");
    let refused = refused(&desk, |after| after.classes.clone_from(&policy.classes));
    assert!(
        refused
            .iter()
            .any(|refusal| matches!(refusal, Refusal::InUse { code, cases: 1, .. } if code == "E01")),
        "{refused:?}"
    );
    let entries = policy.classes.iter().cloned().map(crate::catalogue::Entry::Class).collect();
    desk.send(Command::DefineCatalogue { entries }).unwrap();
    let class = &desk.state.cases[&CASE].report.class;
    assert!(desk.state.catalogue.classes.contains_key(class));
    assert_eq!(report("5301", "E01").class, *class);
}
