//! Extensions and suspensions: who asks and who decides, how often, and due times held against a count minute by minute.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{Desk, report};
use super::*;
use crate::case::request::{Request, Unfit};
use crate::case::{STEPS, Stage, Step};
use crate::clock::calendar::{DayKind, Span};
use crate::clock::{Clock, ClockOf, Counts, Limit, Unit, WorkCalendar};
use crate::code::DepartmentCode;
use crate::command::{Command, TakeStep};
use crate::moment::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::rejection::{Language, Rejection};
use crate::tally::Period;

mod kept;

const CASE: CaseId = CaseId(1);

fn step(name: &str) -> Step {
    Step::named(name).unwrap()
}

fn take(desk: &mut Desk, name: &str) -> Result<(), Rejection> {
    desk.send(step(name).take_with(CASE, "等配件"))
}

/// Asks and grants.
pub(super) fn asked(desk: &mut Desk, ask: &str, grant: &str) {
    take(desk, ask).unwrap();
    take(desk, grant).unwrap();
}

fn urban() -> DepartmentCode {
    "urban".parse().unwrap()
}

/// A case in 处置 since now, by the policy, with a limit of its own.
pub(super) fn disposing(mut desk: Desk, limit: Option<Limit>) -> Desk {
    desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
    for step in [Step::ACCEPT, Step::FILE] {
        desk.send(step.take(CASE)).unwrap();
    }
    let note = String::new();
    let sent = TakeStep { step: Step::DISPATCH, case: CASE, note, department: Some(urban()), limit };
    desk.send(Command::Step(sent)).unwrap();
    desk
}

fn clock(desk: &Desk) -> Clock {
    desk.state.cases[&CASE].clock(ClockOf::Disposal).unwrap().clone()
}

fn unfit(refused: Result<(), Rejection>) -> Unfit {
    match refused {
        Err(Rejection::Unfit { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_extension_is_granted_only_where_it_was_asked_for_and_twice_at_most() {
    let mut desk = disposing(Desk::new(), None);
    let due = clock(&desk).due;
    assert_eq!(unfit(take(&mut desk, "extend")), Unfit::NotAsked);
    for times in 1..=2 {
        take(&mut desk, "ask_extension").unwrap();
        assert_eq!(desk.state.cases[&CASE].pending(), Some(Request::Extension));
        assert_eq!(unfit(take(&mut desk, "ask_extension")), Unfit::Asked);
        assert_eq!(unfit(take(&mut desk, "suspend")), Unfit::NotAsked);
        take(&mut desk, "extend").unwrap();
        assert_eq!((clock(&desk).due, clock(&desk).extended), (due.plus(times * 2 * HOUR_MS), times as u16));
        assert_eq!(desk.city(Measure::Extended, desk.day()), times);
    }
    let act = step("ask_extension").act;
    let full = Err(Rejection::TakenOften { case: CASE, act, most: 2 });
    assert_eq!(take(&mut desk, "ask_extension"), full, "what may not be granted is not asked for");
    // The deadlines are those of the clock as it is.
    let state = desk.state.clone();
    let of_case =
        state.deadlines.iter().filter(|deadline| matches!(deadline.2, crate::clock::Subject::Case(_)));
    assert!(of_case.clone().all(|(at, ..)| *at > due), "{:?}", state.deadlines);
    desk.pass(6 * HOUR_MS + 1);
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 1);
}

#[test]
fn a_refusal_needs_a_reason_and_is_not_counted() {
    let mut desk = disposing(Desk::new(), None);
    let due = clock(&desk).due;
    for _ in 0..5 {
        take(&mut desk, "ask_extension").unwrap();
        let refused = desk.send(step("deny_extension").take(CASE)).unwrap_err();
        assert_eq!((refused.code(), refused.field()), ("out_of_range", Some("note")));
        take(&mut desk, "deny_extension").unwrap();
    }
    assert_eq!((clock(&desk).due, desk.city(Measure::Extended, desk.day())), (due, 0));
    asked(&mut desk, "ask_extension", "extend");
    assert_eq!(clock(&desk).due, due.plus(2 * HOUR_MS));
}

#[test]
fn what_is_overdue_is_neither_extended_nor_suspended() {
    let mut desk = disposing(Desk::new(), None);
    take(&mut desk, "ask_extension").unwrap();
    desk.pass(2 * HOUR_MS + 1);
    let refused = take(&mut desk, "extend");
    assert!(refused.as_ref().unwrap_err().words(Language::Zh).contains("已超时"), "{refused:?}");
    assert_eq!(unfit(refused), Unfit::Overdue);
    assert_eq!(take(&mut desk, "deny_extension"), Ok(()));
    for asked in ["ask_extension", "ask_suspension"] {
        assert_eq!(unfit(take(&mut desk, asked)), Unfit::Overdue);
    }
}

#[test]
fn a_request_ends_with_the_stage_it_was_made_in() {
    let mut desk = disposing(Desk::new(), None);
    take(&mut desk, "ask_extension").unwrap();
    desk.send(Step::DISPOSE.take(CASE)).unwrap();
    desk.send(Step::FEEDBACK.take(CASE)).unwrap();
    take(&mut desk, "rework").unwrap();
    assert_eq!(unfit(take(&mut desk, "extend")), Unfit::NotAsked);
    assert_eq!(take(&mut desk, "ask_extension"), Ok(()));
}

/// Nothing runs while it is suspended, nothing else is done, and what was left is left when it goes on.
#[test]
fn a_suspended_case_waits_without_a_countdown_and_goes_on_with_what_was_left() {
    let mut desk = disposing(Desk::new(), None);
    desk.pass(HOUR_MS);
    asked(&mut desk, "ask_suspension", "suspend");
    let case = desk.state.cases[&CASE].clone();
    assert!(case.is_suspended() && case.leading_clock().is_none());
    assert_eq!(desk.city(Measure::Suspended, desk.day()), 1);
    for row in
        STEPS.iter().filter(|row| row.from.contains(&Stage::Dispose) && !row.closes() && row.name != "resume")
    {
        let command = Step(row).take_with(CASE, "理由");
        assert_eq!(unfit(desk.send(command)), Unfit::Suspended, "{}", row.name);
    }
    desk.pass(40 * DAY_MS);
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 0);
    take(&mut desk, "resume").unwrap();
    assert_eq!(clock(&desk).due, desk.now.plus(HOUR_MS));
    assert_eq!(unfit(take(&mut desk, "resume")), Unfit::NotSuspended);
    let full = Err(Rejection::TakenOften { case: CASE, act: step("ask_suspension").act, most: 1 });
    assert_eq!(take(&mut desk, "ask_suspension"), full);
    desk.pass(HOUR_MS + 1);
    assert_eq!(desk.city(Measure::OverdueDisposal, Period::Now), 1);
}

#[test]
fn a_suspension_ends_by_itself_when_its_time_is_over() {
    let mut desk = disposing(Desk::new(), None);
    let due = clock(&desk).due;
    asked(&mut desk, "ask_suspension", "suspend");
    desk.pass(365 * DAY_MS - 1);
    assert!(desk.state.cases[&CASE].is_suspended());
    desk.pass(1);
    let case = &desk.state.cases[&CASE];
    assert!(!case.is_suspended());
    let last = case.last_step().unwrap();
    assert_eq!((last.step, last.late), (Step::RESUME, false), "a suspension is nobody's lateness");
    assert_eq!(clock(&desk).due, due.plus(365 * DAY_MS));
}

/// Of a disposal that another system began only a due time is known: it is not extended, and a suspension shifts it.
#[test]
fn a_due_time_without_a_limit_is_shifted_and_not_extended() {
    let mut desk = Desk::new();
    let opened = desk.now;
    let due = Some(desk.now.plus(5 * HOUR_MS));
    let history = crate::case::History { due, ..crate::case::History::since(opened, Stage::Dispose) };
    desk.send(Command::TakeOverCase { report: report("530102001", "E01"), history }).unwrap();
    assert_eq!(unfit(take(&mut desk, "ask_extension")), Unfit::NoLimit);
    asked(&mut desk, "ask_suspension", "suspend");
    desk.pass(7 * HOUR_MS);
    take(&mut desk, "resume").unwrap();
    assert_eq!(clock(&desk).due, opened.plus(12 * HOUR_MS));
}

#[test]
fn a_suspended_case_that_is_closed_is_not_late_for_having_waited() {
    let mut desk = disposing(Desk::new(), None);
    asked(&mut desk, "ask_suspension", "suspend");
    desk.pass(30 * DAY_MS);
    take(&mut desk, "special").unwrap();
    assert!(!desk.last_case.last_step().unwrap().late && desk.state.deadlines.is_empty());
}

// ---- The count minute by minute.

/// The State Council's arrangement for 2026, as its paper lists it: a date, and whether it is off.
const PAPER: [(&str, bool); 16] = [
    ("2026-01-01", true),
    ("2026-01-02", true),
    ("2026-01-03", true),
    ("2026-01-04", false),
    ("2026-02-14", false),
    ("2026-02-15", true),
    ("2026-02-16", true),
    ("2026-02-17", true),
    ("2026-02-18", true),
    ("2026-02-19", true),
    ("2026-02-20", true),
    ("2026-02-21", true),
    ("2026-02-22", true),
    ("2026-02-23", true),
    ("2026-02-28", false),
    ("2026-04-04", true),
];

/// 2025-12-24 08:00 in Shanghai, a Wednesday.
const CHRISTMAS: UtcMillis = UtcMillis(1_766_534_400_000);

/// What may happen to a disposal, each some minutes after the one before.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Extend,
    Suspend,
    Resume,
}

/// A clock as the oracle sees it: minutes that count, in whatever office hours, and stretches in which nothing counts.
struct Oracle<'a> {
    calendar: &'a WorkCalendar,
    counts: Counts,
    minutes: i64,
    paused: Vec<(UtcMillis, UtcMillis)>,
}

impl Oracle<'_> {
    fn counts_at(&self, at: UtcMillis) -> bool {
        if self.paused.iter().any(|(from, to)| (*from..*to).contains(&at)) {
            return false;
        }
        let local = at.0 + 8 * HOUR_MS;
        let (day, minute) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS) / MINUTE_MS);
        let works = match self.calendar.exceptions.get(&crate::moment::Date::from_days(day)) {
            Some(DayKind::Work) => true,
            Some(DayKind::Off) => false,
            // 1970-01-01 was a Thursday.
            None => self.calendar.weekdays.contains(&((day + 3).rem_euclid(7) as u8)),
        };
        let open = |span: &Span| (i64::from(span.from)..i64::from(span.to)).contains(&minute);
        self.counts == Counts::Through || (works && self.calendar.spans.iter().any(open))
    }

    fn due(&self, started: UtcMillis) -> UtcMillis {
        let (mut left, mut at) = (self.minutes, started);
        while left > 0 {
            left -= i64::from(self.counts_at(at));
            at = at.plus(MINUTE_MS);
        }
        at
    }
}

fn calendars() -> impl Strategy<Value = WorkCalendar> {
    let spans = prop_oneof![
        Just(vec![Span { from: 480, to: 720 }, Span { from: 840, to: 1_080 }]),
        Just(vec![Span { from: 510, to: 1_050 }]),
        (300..600_u16, 30..200_u16, 30..200_u16, 30..300_u16).prop_map(|(from, one, rest, two)| vec![
            Span { from, to: from + one },
            Span { from: from + one + rest, to: from + one + rest + two },
        ]),
    ];
    let more = proptest::collection::vec((0..90_i64, any::<bool>()), 0..6);
    (spans, more, prop_oneof![Just(vec![0, 1, 2, 3, 4]), Just(vec![0, 1, 2, 3, 4, 5])]).prop_map(
        |(spans, more, weekdays)| {
            let kind = |off| if off { DayKind::Off } else { DayKind::Work };
            let paper = PAPER.into_iter().map(|(day, off)| (day.parse().unwrap(), kind(off)));
            let begins = CHRISTMAS.local(UtcOffset(480)).date;
            let more = more.into_iter().map(|(day, off)| (begins.plus_days(day), kind(off)));
            let exceptions: BTreeMap<_, _> = paper.chain(more).collect();
            let minutes = spans.iter().map(|span| span.to - span.from).sum();
            WorkCalendar { spans, weekdays, work_day_minutes: minutes, exceptions, reaches_to: None }
        },
    )
}

fn limits() -> impl Strategy<Value = Limit> {
    let unit = prop_oneof![Just((Unit::Minute, 600)), Just((Unit::Hour, 40)), Just((Unit::Day, 6))];
    let counts = prop_oneof![Just(Counts::Through), Just(Counts::Working)];
    (unit, counts, 1..600_u32).prop_map(|((unit, most), counts, amount)| Limit {
        amount: 1 + amount % most,
        unit,
        counts,
    })
}

fn turns() -> impl Strategy<Value = Vec<(i64, Turn)>> {
    let turn = prop_oneof![Just(Turn::Extend), Just(Turn::Suspend), Just(Turn::Resume)];
    let minutes = prop_oneof![0..300_i64, 0..12_000_i64];
    proptest::collection::vec((minutes, turn), 1..8)
}

/// The desk of a city with the calendar, some minutes into the last week of the year.
fn city(calendar: WorkCalendar, minutes: i64) -> Desk {
    let mut desk = Desk::new();
    desk.policy.calendar = calendar;
    desk.policy.side_paths.suspensions = 3;
    desk.now = CHRISTMAS.plus(minutes * MINUTE_MS);
    desk.state = State::new(&desk.policy);
    desk.log.clear();
    desk.send(Command::PassDeadlines).unwrap();
    desk
}

proptest! {
    // Each counts some hundred thousand minutes: a quarter as often as others.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    /// Method: a calendar over New Year and Spring Festival with make-up days, a limit in any unit, and extensions and suspensions at
    /// any minute; whatever was granted, the due time is the minute at which the limit has been counted through, minute by minute.
    #[test]
    fn a_due_time_is_the_minute_at_which_its_limit_has_been_counted_through(
        calendar in calendars(),
        limit in limits(),
        begins in 0..20_000_i64,
        played in turns(),
    ) {
        let mut desk = disposing(city(calendar.clone(), begins), Some(limit));
        let unit = match limit.unit {
            Unit::Minute => 1,
            Unit::Hour => 60,
            Unit::Day if limit.counts == Counts::Through => 1_440,
            Unit::Day => i64::from(calendar.work_day_minutes),
        };
        let whole = i64::from(limit.amount) * unit;
        let mut oracle = Oracle { calendar: &calendar, counts: limit.counts, minutes: whole, paused: Vec::new() };
        let started = desk.now;
        let mut since = None;
        prop_assert_eq!(clock(&desk).due, oracle.due(started));
        for (minutes, turn) in played {
            desk.pass(minutes * MINUTE_MS);
            match turn {
                Turn::Extend if take(&mut desk, "ask_extension").is_ok() => {
                    prop_assert_eq!(take(&mut desk, "extend"), Ok(()));
                    oracle.minutes += whole;
                }
                Turn::Suspend if take(&mut desk, "ask_suspension").is_ok() => {
                    prop_assert_eq!(take(&mut desk, "suspend"), Ok(()));
                    since = Some(desk.now);
                }
                Turn::Resume if take(&mut desk, "resume").is_ok() => {
                    oracle.paused.push((since.take().unwrap(), desk.now));
                }
                Turn::Extend | Turn::Suspend | Turn::Resume => {}
            }
            let stands = desk.state.cases[&CASE].is_suspended();
            prop_assert_eq!(stands, since.is_some());
            if !stands {
                let (due, counted) = (clock(&desk).due, oracle.due(started));
                prop_assert_eq!(due, counted, "{} minutes after it is due", due.since(counted) / MINUTE_MS);
                // An alarm has come exactly where the minute has.
                let overdue = desk.city(Measure::OverdueDisposal, Period::Now) == 1;
                prop_assert_eq!(overdue, counted <= desk.now);
            }
        }
        let mut rebuilt = State::new(&desk.policy);
        desk.log.iter().for_each(|recorded| drop(rebuilt.apply(recorded)));
        prop_assert_eq!(&rebuilt, &desk.state);
    }
}
