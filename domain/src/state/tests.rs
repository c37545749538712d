//! The loop's rules as properties: whatever is sent in whatever order, nothing breaks and every tally can be counted
//! again from the events alone.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::case::{Report, STEPS, Stage, Step};
use crate::clock::{Alarm, ClockOf};
use crate::code::{AreaCode, DepartmentCode};
use crate::command::{Command, History, KnownStep};
use crate::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::rejection::Rejection;
use crate::tally::{Count, Dimension, Period};
use crate::whistle::{WhistleCall, WhistleLevel};

mod desk;

pub(crate) use desk::{Desk, START, name, report};

/// The steps that do the stages' work, in their order.
fn loop_of(case: CaseId) -> Vec<Command> {
    let steps = Stage::ALL.into_iter().filter_map(Step::out_of);
    steps.map(|step| step.take_for(case, DepartmentCode::new("urban").unwrap())).collect()
}

#[test]
fn a_case_goes_round_the_loop_and_is_counted_at_every_stage() {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
    for (step, stage) in loop_of(CaseId(1)).into_iter().zip(Stage::ALL) {
        assert_eq!(desk.city(Measure::At(stage), Period::Now), 1, "{stage:?}");
        assert_eq!(desk.city(Measure::Open, Period::Now), 1);
        desk.send(step).unwrap();
    }
    assert_eq!(desk.city(Measure::Open, Period::Now), 0);
    assert_eq!(desk.city(Measure::Closed, desk.day()), 1);
    assert!(desk.state.cases.is_empty() && desk.state.deadlines.is_empty());
}

#[test]
fn no_stage_is_jumped() {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102", "E01"), at: None }).unwrap();
    for (at, stage) in Stage::ALL.into_iter().enumerate() {
        for (other, step) in loop_of(CaseId(1)).into_iter().enumerate() {
            if other != at {
                let needs = &Stage::ALL[other..=other];
                assert_eq!(desk.send(step), Err(Rejection::WrongStage { case: CaseId(1), is: stage, needs }));
            }
        }
        desk.send(loop_of(CaseId(1))[at].clone()).unwrap();
    }
    assert_eq!(desk.send(loop_of(CaseId(1))[6].clone()), Err(Rejection::UnknownCase { case: CaseId(1) }));
}

/// One millisecond on each side of the four hours.
#[test]
fn a_dispatch_is_overdue_exactly_when_its_limit_has_run_out() {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102", "E01"), at: None }).unwrap();
    desk.send(Step::ACCEPT.take(CaseId(1))).unwrap();
    desk.send(Step::FILE.take(CaseId(1))).unwrap();
    let filed = desk.now;
    desk.pass(3 * HOUR_MS + 30 * MINUTE_MS - 1);
    assert_eq!(desk.city(Measure::NearingDispatch, Period::Now), 0);
    desk.pass(1);
    assert_eq!(desk.city(Measure::NearingDispatch, Period::Now), 1);
    desk.pass(30 * MINUTE_MS - 1);
    assert_eq!(desk.city(Measure::OverdueDispatch, Period::Now), 0);
    desk.pass(1);
    assert_eq!(desk.now, filed.plus(4 * HOUR_MS));
    assert_eq!(desk.city(Measure::OverdueDispatch, Period::Now), 1);
    assert_eq!(desk.city(Measure::NearingDispatch, Period::Now), 0);
    desk.pass(MINUTE_MS);
    desk.send(loop_of(CaseId(1))[2].clone()).unwrap();
    assert_eq!(desk.city(Measure::OverdueDispatch, Period::Now), 0);
    assert_eq!(desk.city(Measure::DispatchedLate, desk.day()), 1);
}

#[test]
fn a_deadline_is_recorded_once_however_often_the_timer_rings() {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102", "E01"), at: None }).unwrap();
    desk.send(Step::ACCEPT.take(CaseId(1))).unwrap();
    desk.send(Step::FILE.take(CaseId(1))).unwrap();
    desk.pass(5 * HOUR_MS);
    let passed = |desk: &Desk| {
        desk.log
            .iter()
            .filter(
                |recorded| matches!(&recorded.event, Event::Deadline(passed) if passed.alarm == Alarm::Due),
            )
            .count()
    };
    assert_eq!(passed(&desk), 1);
    desk.send(Command::PassDeadlines).unwrap();
    desk.pass(HOUR_MS);
    assert_eq!(passed(&desk), 1);
}

#[test]
fn midnight_starts_today_from_zero_and_keeps_the_month() {
    let mut desk = Desk::new();
    desk.send(Command::ReportCase { report: report("530102", "E01"), at: None }).unwrap();
    desk.send(Step::ACCEPT.take(CaseId(1))).unwrap();
    desk.send(Step::FILE.take(CaseId(1))).unwrap();
    let (monday, month) = (desk.day(), Period::month_of(desk.now.local(UtcOffset(480)).date));
    desk.pass(DAY_MS);
    assert_eq!(desk.city(Measure::Filed, desk.day()), 0);
    assert_eq!(desk.city(Measure::Filed, monday), 1, "yesterday is kept for comparison");
    desk.pass(DAY_MS);
    assert_eq!(desk.city(Measure::Filed, monday), 0, "the day before is read from the store");
    assert_eq!(desk.city(Measure::Filed, month), 1);
}

#[test]
fn a_whistle_stays_open_until_it_is_closed_and_names_who_is_late() {
    let mut desk = Desk::new();
    let called = ["urban", "fire"].map(|code| DepartmentCode::new(code).unwrap()).to_vec();
    let call = WhistleCall {
        level: WhistleLevel::Street,
        area: AreaCode::new("530102001").unwrap(),
        title: "夜市油烟扰民".into(),
        case: None,
        called: called.clone(),
    };
    desk.send(Command::RaiseWhistle { call }).unwrap();
    let whistle = WhistleId(1);
    desk.pass(10 * MINUTE_MS);
    desk.send(Command::RespondToWhistle { whistle, department: called[0].clone() }).unwrap();
    let again = desk.send(Command::RespondToWhistle { whistle, department: called[0].clone() });
    assert!(matches!(again, Err(Rejection::AlreadyResponded { .. })));
    let other = DepartmentCode::new("water").unwrap();
    let stranger = desk.send(Command::RespondToWhistle { whistle, department: other });
    assert!(matches!(stranger, Err(Rejection::NotCalled { .. })));
    desk.pass(20 * MINUTE_MS);
    assert_eq!(desk.city(Measure::WhistleLate, Period::Now), 1);
    desk.send(Command::CloseWhistle { whistle, note: String::new() }).unwrap();
    assert_eq!(desk.city(Measure::WhistleLate, Period::Now), 0);
    assert_eq!(desk.city(Measure::WhistleOpen, Period::Now), 0);
    assert!(desk.state.deadlines.is_empty());
}

#[test]
fn impossible_times_and_unknown_codes_are_refused_with_the_field() {
    let mut desk = Desk::new();
    let field = |result: Result<(), Rejection>| result.unwrap_err().field().map(str::to_owned);
    let future = Some(desk.now.plus(3 * MINUTE_MS));
    let refused = desk.send(Command::ReportCase { report: report("530102", "E01"), at: future });
    assert_eq!(field(refused).as_deref(), Some("at"));
    let old = Some(desk.now.plus(-31 * DAY_MS));
    let refused = desk.send(Command::ReportCase { report: report("530102", "E01"), at: old });
    assert_eq!(field(refused).as_deref(), Some("at"));
    let refused = desk.send(Command::ReportCase { report: report("999999", "E01"), at: None });
    assert_eq!(field(refused).as_deref(), Some("area"));
    let closed = Some(desk.now.plus(-1));
    let history = History { closed, ..History::since(desk.now, Stage::Close) };
    let refused = desk.send(Command::TakeOverCase { report: report("530102", "E01"), history });
    assert_eq!(field(refused).as_deref(), Some("closed"));
    assert!(desk.state.cases.is_empty());
}

/// What the model test may send: `Aside` takes a side path, right or wrong for the case's stage, `Fits` any step but a closing that fits.
#[derive(Debug, Clone)]
enum Move {
    Report { area: usize, class: usize, base: u16 },
    TakeOver { stage: usize, ago_hours: i64, closed: bool, known: usize },
    Step { case: u64 },
    WrongStep { case: u64, step: usize },
    Aside { case: u64, step: usize },
    Fits { case: u64, pick: usize },
    Whistle { level: usize },
    Respond { whistle: u64, department: usize },
    Close { whistle: u64 },
    Pass { minutes: i64 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (0..4_usize, 0..2_usize, 1..4_u16)
            .prop_map(|(area, class, base)| Move::Report { area, class, base }),
        1 => (0..7_usize, 0..60_i64, any::<bool>(), 0..7_usize)
            .prop_map(|(stage, ago_hours, closed, known)| Move::TakeOver { stage, ago_hours, closed, known }),
        9 => (1..12_u64).prop_map(|case| Move::Step { case }),
        1 => (1..12_u64, 0..7_usize).prop_map(|(case, step)| Move::WrongStep { case, step }),
        1 => (1..12_u64, 7..STEPS.len()).prop_map(|(case, step)| Move::Aside { case, step }),
        5 => (1..12_u64, 0..60_usize).prop_map(|(case, pick)| Move::Fits { case, pick }),
        1 => (0..3_usize).prop_map(|level| Move::Whistle { level }),
        1 => (1..4_u64, 0..2_usize).prop_map(|(whistle, department)| Move::Respond { whistle, department }),
        1 => (1..4_u64).prop_map(|whistle| Move::Close { whistle }),
        2 => (1..600_i64).prop_map(|minutes| Move::Pass { minutes }),
    ];
    proptest::collection::vec(one, 1..80)
}

/// One of the steps that fit an open case as it stands, no closing.
fn fitting(desk: &Desk, case: CaseId, pick: usize) -> Option<Command> {
    let is = desk.state.cases.get(&case)?;
    let fits =
        |step: &Step| step.from.contains(&is.stage) && !step.closes() && is.unfit(*step, desk.now).is_none();
    let fitting: Vec<Step> = STEPS.iter().map(Step).filter(fits).collect();
    let step = fitting.get(pick % fitting.len().max(1))?;
    Some(match step.asks_department() {
        true => step.take_for(case, DepartmentCode::new("urban").unwrap()),
        false => step.take_with(case, "理由"),
    })
}

fn play(desk: &mut Desk, made: &Move) {
    const AREAS: [&str; 4] = ["5301", "530102", "530103", "530102001"];
    const DEPARTMENTS: [&str; 2] = ["urban", "fire"];
    let department = |index: usize| DepartmentCode::new(DEPARTMENTS[index]).unwrap();
    // Refusals are part of the play: they must change nothing, which the recount then shows.
    let _ = match made {
        Move::Report { area, class, base } => {
            let condition = (*base == 2).then(|| "E01.1".to_owned());
            let one = report(AREAS[*area], ["E01", "P01"][*class]);
            desk.send(Command::ReportCase {
                report: Report { base_count: *base, condition, ..one },
                at: None,
            })
        }
        Move::TakeOver { stage, ago_hours, closed, known } => {
            let opened = desk.now.plus(-ago_hours * HOUR_MS);
            let closed = closed.then(|| opened.plus(HOUR_MS / 2).min(desk.now));
            let due = (ago_hours % 2 == 0).then(|| opened.plus(20 * HOUR_MS));
            let steps =
                Step::all().take((*known).min(*stage)).map(|step| KnownStep { step, at: opened }).collect();
            let history = History { opened, stage: Stage::ALL[*stage], closed, due, steps };
            desk.send(Command::TakeOverCase { report: report("530103", "P01"), history })
        }
        Move::Step { case } => match desk.state.cases.get(&CaseId(*case)).map(|case| case.stage) {
            Some(stage) => desk.send(loop_of(CaseId(*case))[stage as usize].clone()),
            None => desk.send(Command::ClaimCase { case: CaseId(*case) }),
        },
        Move::WrongStep { case, step } => desk.send(loop_of(CaseId(*case))[*step].clone()),
        Move::Fits { case, pick } => match fitting(desk, CaseId(*case), *pick) {
            Some(command) => desk.send(command),
            None => Ok(()),
        },
        Move::Aside { case, step } => desk.send(Step(&STEPS[*step]).take_with(CaseId(*case), "理由")),
        Move::Whistle { level } => {
            let call = WhistleCall {
                level: WhistleLevel::ALL[*level],
                area: AreaCode::new("530102001").unwrap(),
                title: "雨污管网混接".into(),
                case: None,
                called: vec![department(0), department(1)],
            };
            desk.send(Command::RaiseWhistle { call })
        }
        Move::Respond { whistle, department: index } => desk
            .send(Command::RespondToWhistle { whistle: WhistleId(*whistle), department: department(*index) }),
        Move::Close { whistle } => {
            desk.send(Command::CloseWhistle { whistle: WhistleId(*whistle), note: String::new() })
        }
        Move::Pass { minutes } => {
            desk.pass(minutes * MINUTE_MS);
            Ok(())
        }
    };
}

/// Counts the state measures of the city again from the cases and whistles alone, without any delta.
pub(super) fn recount(state: &State, now: UtcMillis) -> BTreeMap<&'static str, Count> {
    let mut counts: BTreeMap<&'static str, Count> = BTreeMap::new();
    let mut add = |key: &'static str, cases: i64, base: i64| {
        let count = counts.entry(key).or_default();
        *count = Count { cases: count.cases + cases, base: count.base + base };
    };
    for case in state.cases.values() {
        let weight = i64::from(case.report.base_count);
        add("open", 1, weight);
        add(Measure::At(case.stage).key(), 1, weight);
        let of = match case.stage {
            Stage::Dispatch => ClockOf::Dispatch,
            Stage::Dispose => ClockOf::Disposal,
            Stage::Accept | Stage::File | Stage::Feedback | Stage::Check | Stage::Close => continue,
        };
        let Some(clock) = case.clock(of).filter(|clock| clock.stopped.is_none() && !clock.is_paused()) else {
            continue;
        };
        match of {
            ClockOf::Dispatch if clock.due <= now => add("overdue_dispatch", 1, weight),
            ClockOf::Dispatch if clock.nearing <= now => add("nearing_dispatch", 1, weight),
            ClockOf::Disposal if clock.due <= now => add("overdue_disposal", 1, weight),
            ClockOf::Dispatch
            | ClockOf::Disposal
            | ClockOf::Milestone(_)
            | ClockOf::Response
            | ClockOf::Suspension => {}
        }
    }
    for whistle in state.whistles.values() {
        add("whistle_open", 1, 0);
        let late = whistle.called.iter().filter(|called| called.responded.is_none() && whistle.due <= now);
        add("whistle_late", late.count() as i64, 0);
    }
    counts.retain(|_, count| !count.is_zero());
    counts
}

proptest! {
    /// Method: random moves, refused ones among them; after each, every state measure equals a count of what is there
    /// by the clock, and so many as its hours say; every other cell is positive, areas sum to the city, and the log alone rebuilds the same state.
    #[test]
    fn tallies_equal_a_recount_and_the_log_rebuilds_the_state(played in moves()) {
        let mut desk = Desk::new();
        for one in &played {
            play(&mut desk, one);
            // Deadlines of cases taken over late are recorded at the timer's next ring.
            desk.pass(0);
            let now = desk.now;
            let mut kept: BTreeMap<&'static str, Count> = BTreeMap::new();
            let mut moved = [0; 7];
            for (key, value) in desk.state.tally.iter() {
                match (key.measure, key.period) {
                    // By how many a stage grew in an hour, or shrank.
                    (Measure::At(stage), Period::Hour(..)) => moved[stage as usize] += value.cases,
                    _ => prop_assert!(value.cases > 0 && value.base >= 0, "{key} is {value:?}"),
                }
                if key.dimension == Dimension::City && key.period == Period::Now {
                    kept.insert(key.measure.key(), value);
                }
            }
            prop_assert_eq!(&kept, &recount(&desk.state, now));
            prop_assert_eq!(super::side_tests::unbroken(&desk.state), Ok(()));
            // No play reaches further back than hours are kept.
            for stage in Stage::ALL {
                let waits = desk.state.tally.count(Measure::At(stage), Dimension::City, Period::Now);
                prop_assert_eq!(moved[stage as usize], waits, "{:?}", stage);
            }
            let city_area = Dimension::Area(AreaCode::new("5301").unwrap());
            for measure in [Measure::Open, Measure::OverdueDispatch, Measure::WhistleOpen] {
                prop_assert_eq!(
                    desk.state.tally.count(measure, city_area.clone(), Period::Now),
                    desk.state.tally.count(measure, Dimension::City, Period::Now)
                );
            }
        }
        let mut rebuilt = State::new(&desk.policy);
        for recorded in &desk.log {
            rebuilt.apply(recorded);
        }
        prop_assert_eq!(&rebuilt, &desk.state);
        let kept = State::from(Kept::from(rebuilt));
        prop_assert_eq!(&kept, &desk.state, "a snapshot keeps everything");
    }
}
