//! The hall's clock is set: forward by hours, back by days, again and again. Nothing fires twice, no number is given
//! twice, the log goes on in order, and today is today.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::case::{Stage, Step};
use domain::clock::Alarm;
use domain::event::{DeadlineEvent, Event, HallEvent, Recorded};
use domain::moment::{DAY_MS, Date, HOUR_MS, UtcOffset};
use domain::rejection::Rejection;
use domain::tally::{Count, Dimension, Measure, Period, TallyKey};
use server::events::Reader;
use server::writer::{WriteError, Writer};

use crate::city::{self, TestClock};

pub fn log(reader: &Reader) -> Vec<Recorded> {
    let all = reader.events_after(0, 10_000).unwrap();
    all.into_iter().map(|(recorded, _)| recorded).collect()
}

/// Waits until the log has an event of which `wanted` is true; the timer is a thread of its own.
pub fn until(reader: &Reader, what: &str, wanted: impl Fn(&Event) -> bool) -> usize {
    let began = Instant::now();
    loop {
        let found = log(reader).iter().filter(|recorded| wanted(&recorded.event)).count();
        if found > 0 {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what} is not recorded");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn today(clock: &TestClock) -> Date {
    clock.now().local(UtcOffset(480)).date
}

pub fn turned_to(reader: &Reader, date: Date, times: usize) {
    let began = Instant::now();
    let turned = |recorded: &Recorded| matches!(recorded.event, Event::Hall(HallEvent::DayTurned { date: to }) if to == date);
    while log(reader).iter().filter(|recorded| turned(recorded)).count() < times {
        assert!(began.elapsed() < Duration::from_secs(20), "the day does not turn to {date:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn number_of(writer: &Writer) -> String {
    city::send(writer, city::report_case()).unwrap().number.unwrap()
}

#[test]
fn a_clock_set_forward_and_back_fires_once_and_numbers_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    let first = today(&clock);
    turned_to(&reader, first, 1);
    let mut numbers = vec![number_of(&writer), number_of(&writer)];
    let case = city::send(&writer, city::report_case()).unwrap().case.unwrap();
    for command in [Step::ACCEPT.take(case), Step::FILE.take(case)] {
        city::send(&writer, command).unwrap();
    }
    // Forward beyond the dispatch limit: what has become due fires at once.
    clock.pass(5 * HOUR_MS);
    let passed = |event: &Event| matches!(event, Event::Deadline(DeadlineEvent { alarm: Alarm::Due, .. }));
    until(&reader, "the passed deadline", passed);
    // Back before it, and forward again: it has fired.
    clock.pass(-5 * HOUR_MS);
    numbers.push(number_of(&writer));
    clock.pass(5 * HOUR_MS);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(until(&reader, "the passed deadline", passed), 1, "a deadline fires once");
    // Three days ahead by mistake, then set right; and the day comes again by itself.
    for round in 1..=2 {
        clock.pass(3 * DAY_MS);
        turned_to(&reader, today(&clock), round);
        numbers.extend([number_of(&writer), number_of(&writer)]);
        clock.pass(-3 * DAY_MS);
        turned_to(&reader, first, round + 1);
        numbers.extend([number_of(&writer), number_of(&writer)]);
    }
    let different: BTreeSet<&String> = numbers.iter().collect();
    assert_eq!(different.len(), numbers.len(), "{numbers:?}");
    let seqs: Vec<u64> = log(&reader).iter().map(|recorded| recorded.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    assert_eq!(until(&reader, "the passed deadline", passed), 1);
    writer.stop();
    // A restart makes the same state of the log as it was in memory, whichever way the days turned.
    let (writer, _) = city::start(dir.path(), &clock, Box::new(()));
    let next = number_of(&writer);
    assert!(!numbers.contains(&next), "{next} in {numbers:?}");
    writer.stop();
}

/// The clock turned back while the server was stopped.
#[test]
fn a_start_on_an_earlier_day_turns_the_day_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    let first = today(&clock);
    turned_to(&reader, first, 1);
    clock.pass(3 * DAY_MS);
    turned_to(&reader, today(&clock), 1);
    writer.stop();
    clock.pass(-3 * DAY_MS);
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    turned_to(&reader, first, 2);
    writer.stop();
}

pub fn file(writer: &Writer) {
    let case = city::send(writer, city::report_case()).unwrap().case.unwrap();
    for command in [Step::ACCEPT.take(case), Step::FILE.take(case)] {
        city::send(writer, command).unwrap();
    }
}

/// Method: cases are filed before, while and after the clock is ahead by days and by a year, over two wrong midnights;
/// at every turn what is kept in memory is held against the oracle, and in the end against what a restart makes of it.
#[test]
fn what_was_counted_before_a_clock_was_ahead_is_counted_after() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    let first = today(&clock);
    turned_to(&reader, first, 1);
    file(&writer);
    // A case of yesterday and one of last year, from another system.
    for days in [1, 300] {
        city::send(&writer, city::take_over(Stage::Dispose, clock.now().plus(-days * DAY_MS), None)).unwrap();
    }
    let mut turns = 1;
    for ahead in [1, 10, 400] {
        clock.pass(ahead * DAY_MS);
        turned_to(&reader, today(&clock), 1);
        file(&writer);
        // Old cases are taken over meanwhile, too.
        city::send(&writer, city::take_over(Stage::Dispose, clock.now().plus(-ahead * DAY_MS), None))
            .unwrap();
        clock.pass(DAY_MS);
        turned_to(&reader, today(&clock), 1);
        clock.pass(-(ahead + 1) * DAY_MS);
        turns += 1;
        turned_to(&reader, first, turns);
        file(&writer);
    }
    let recount = reader.recount().unwrap();
    writer.stop();
    assert_eq!(recount.today, first);
    let (store, state) = server::writer::store::Store::open_with(
        dir.path(),
        &city::policy(),
        server::writer::store::Options::default(),
    )
    .unwrap();
    drop(store);
    let cells: std::collections::BTreeMap<TallyKey, Count> =
        state.tally.iter().map(|(key, count)| (key.clone(), count)).collect();
    assert_eq!(cells, recount.cells);
    let filed = TallyKey { measure: Measure::Filed, dimension: Dimension::City, period: Period::Day(first) };
    assert_eq!(
        state.tally.get(&filed).cases,
        4,
        "one before, three after; of what was taken over nobody knows when"
    );
    let report = server::check::check(dir.path(), &city::policy()).unwrap();
    assert!(report.is_sound(), "{}", report.table());
}

/// After a day too far ahead, cases are counted for today again.
#[test]
fn today_is_counted_after_a_clock_was_ahead_by_days() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let policy = city::policy();
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    let first = today(&clock);
    turned_to(&reader, first, 1);
    clock.pass(10 * DAY_MS);
    turned_to(&reader, today(&clock), 1);
    clock.pass(-10 * DAY_MS);
    turned_to(&reader, first, 2);
    for _ in 0..3 {
        let case = city::send(&writer, city::report_case()).unwrap().case.unwrap();
        for command in [Step::ACCEPT.take(case), Step::FILE.take(case)] {
            city::send(&writer, command).unwrap();
        }
    }
    writer.stop();
    let (store, state) = server::writer::store::Store::open_with(
        dir.path(),
        &policy,
        server::writer::store::Options::default(),
    )
    .unwrap();
    let filed = TallyKey { measure: Measure::Filed, dimension: Dimension::City, period: Period::Day(first) };
    assert_eq!(state.tally.get(&filed).cases, 3);
    assert_eq!(state.today, first);
    drop(store);
}

/// Three hundred years: beyond 2199.
const BEYOND_MS: i64 = 300 * 366 * DAY_MS;

/// Method: a running limit, the clock set beyond 2199 before and after a restart, an operator's word for it, then set right.
#[test]
fn by_a_clock_beyond_2199_nothing_is_overdue_and_the_hall_goes_on_by_the_time_it_knew() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    file(&writer);
    clock.pass(BEYOND_MS);
    writer.believe_clock();
    city::send(&writer, city::report_case()).unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    file(&writer);
    writer.stop();
    let (writer, _) = city::start(dir.path(), &clock, Box::new(()));
    file(&writer);
    std::thread::sleep(Duration::from_millis(700));
    clock.pass(-BEYOND_MS);
    file(&writer);
    writer.stop();
    let all = log(&reader);
    let late: Vec<&Recorded> = all.iter().filter(|one| one.at.since(city::START) > HOUR_MS).collect();
    assert!(late.is_empty(), "{late:?}");
    let deadlines = all.iter().filter(|one| matches!(one.event, Event::Deadline(_))).count();
    let turned =
        all.iter().filter(|one| matches!(one.event, Event::Hall(HallEvent::DayTurned { .. }))).count();
    assert_eq!((deadlines, turned), (0, 1));
}

/// A first start by such a clock knows no other time.
#[test]
fn a_new_hall_by_a_clock_beyond_2199_refuses_in_words_until_it_is_set_right() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    clock.pass(BEYOND_MS);
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    let refused = city::send(&writer, city::report_case()).unwrap_err();
    assert_eq!(refused, WriteError::Refused(Rejection::ClockOff));
    assert_eq!(log(&reader), []);
    clock.pass(-BEYOND_MS);
    file(&writer);
    writer.stop();
}
