//! The hall's clock leaps ahead or is set back, and is doubted: nothing is overdue, in time, forgotten or refused for good.

use std::time::Duration;

use domain::case::Step;
use domain::clock::Alarm;
use domain::command::Command;
use domain::event::{DeadlineEvent, Event, HallEvent, Recorded};
use domain::moment::{DAY_MS, HOUR_MS};
use domain::rejection::Rejection;
use domain::tally::{Dimension, Measure, Period, TallyKey};
use server::events::Reader;
use server::import::Target;
use server::writer::{WriteError, Writer};

use crate::city::{self, TestClock};
use crate::clock::{file, log, number_of, today, turned_to, until};
use crate::import::OWN_MAP;

/// A writer that believes a jump ahead after it has stood for so long, and one case that is due in four hours.
fn doubting(dir: &std::path::Path, clock: &TestClock, confirm_after: Duration) -> (Writer, Reader) {
    let policy = city::policy();
    let (store, state) =
        server::writer::store::Store::open_with(dir, &policy, server::writer::store::Options::default())
            .unwrap();
    let reader = store.reader();
    let reading = clock.reading();
    let writer = server::writer::spawn_doubting(store, state, Box::new(()), reading, confirm_after);
    (writer, reader)
}

fn alarms(reader: &Reader) -> usize {
    let alarm = |event: &Event| matches!(event, Event::Deadline(_));
    log(reader).iter().filter(|recorded| alarm(&recorded.event)).count()
}

/// Every running case was declared overdue for good by a clock that was wrong by a month for seconds.
#[test]
fn nothing_is_declared_overdue_by_a_clock_that_is_wrong_for_a_moment() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = doubting(dir.path(), &clock, Duration::from_secs(600));
    let first = today(&clock);
    turned_to(&reader, first, 1);
    file(&writer);
    for (round, days) in (1..).zip([31, 400, 2]) {
        clock.pass(days * DAY_MS);
        // The day follows, and cases go on.
        turned_to(&reader, today(&clock), 1);
        number_of(&writer);
        let ahead = writer.doubted_clock().unwrap_or_default();
        // The test's clock stands, the monotonic one does not.
        assert!((days * DAY_MS - 60_000..=days * DAY_MS).contains(&ahead), "{ahead}");
        clock.pass(-days * DAY_MS);
        turned_to(&reader, first, round + 1);
        assert_eq!(writer.doubted_clock(), None, "right again");
    }
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(alarms(&reader), 0);
    writer.stop();
    // A start with a clock that is ahead of the last event by days.
    clock.pass(31 * DAY_MS);
    let (writer, reader) = doubting(dir.path(), &clock, Duration::from_secs(600));
    turned_to(&reader, today(&clock), 1);
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(alarms(&reader), 0);
    writer.stop();
}

#[test]
fn a_clock_that_stands_or_that_an_operator_believes_lets_the_held_alarms_go_off() {
    for by_hand in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let confirm_after = Duration::from_secs(if by_hand { 600 } else { 3 });
        let (writer, reader) = doubting(dir.path(), &clock, confirm_after);
        turned_to(&reader, today(&clock), 1);
        file(&writer);
        clock.pass(3 * HOUR_MS + 45 * 60_000);
        turned_to(&reader, today(&clock), 1);
        std::thread::sleep(Duration::from_millis(1_000));
        assert_eq!(alarms(&reader), 0, "held");
        if by_hand {
            writer.believe_clock();
        }
        let nearing =
            |event: &Event| matches!(event, Event::Deadline(DeadlineEvent { alarm: Alarm::Nearing, .. }));
        assert_eq!(until(&reader, "the nearing deadline", nearing), 1);
        clock.pass(HOUR_MS / 2);
        let passed =
            |event: &Event| matches!(event, Event::Deadline(DeadlineEvent { alarm: Alarm::Due, .. }));
        assert_eq!(until(&reader, "the passed deadline", passed), 1);
        assert_eq!(writer.doubted_clock(), None);
        writer.stop();
    }
}

fn deadlines_declared(reader: &Reader, alarm: Alarm) -> usize {
    let declared = |event: &Event| matches!(event, Event::Deadline(event) if event.alarm == alarm);
    log(reader).iter().filter(|recorded| declared(&recorded.event)).count()
}

/// What was filed by a clock that was set back by days was overdue for good as soon as it was right, and had the number of a
/// day that was over.
#[test]
fn what_is_filed_while_the_clock_is_set_back_has_the_time_that_goes_on() {
    for days in [10, 9_000] {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let (writer, reader) = doubting(dir.path(), &clock, Duration::from_secs(600));
        let first = today(&clock);
        turned_to(&reader, first, 1);
        number_of(&writer);
        for restart in [false, true] {
            clock.pass(-days * DAY_MS);
            let again = restart.then(|| {
                writer.stop();
                doubting(dir.path(), &clock, Duration::from_secs(600)).0
            });
            let writer = again.as_ref().unwrap_or(&writer);
            file(writer);
            let behind = writer.doubted_clock().unwrap_or_default();
            assert!((-days * DAY_MS - 60_000..=-days * DAY_MS).contains(&behind), "{behind}");
            clock.pass(days * DAY_MS);
            writer.believe_clock();
            file(writer);
            std::thread::sleep(Duration::from_millis(1_200));
            assert_eq!(writer.doubted_clock(), None);
            if restart {
                writer.stop();
            }
        }
        let times: Vec<i64> = log(&reader).iter().map(|recorded| recorded.at.since(city::START)).collect();
        assert!(times.iter().all(|passed| (0..60_000).contains(passed)), "{times:?}");
        assert_eq!(alarms(&reader), 0);
        let turned = |recorded: &Recorded| matches!(recorded.event, Event::Hall(HallEvent::DayTurned { .. }));
        assert_eq!(log(&reader).iter().filter(|recorded| turned(recorded)).count(), 1, "nor another day");
    }
}

/// In a quiet hall, too, and by itself.
#[test]
fn a_clock_that_was_set_back_and_stands_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = doubting(dir.path(), &clock, Duration::from_secs(3));
    turned_to(&reader, today(&clock), 1);
    clock.pass(-10 * DAY_MS);
    std::thread::sleep(Duration::from_millis(1_200));
    assert!(writer.doubted_clock().is_some_and(|ms| ms < 0), "known without a command");
    turned_to(&reader, today(&clock), 1);
    assert_eq!(writer.doubted_clock(), None);
    writer.stop();
}

/// A feeding machine lets go of a report that is refused for good, as one of a right time was by a clock that was wrong.
#[test]
fn no_report_is_refused_for_good_for_its_time_while_the_clock_is_doubted() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, _) = doubting(dir.path(), &clock, Duration::from_secs(600));
    number_of(&writer);
    let Command::ReportCase { report, .. } = city::report_case() else { unreachable!() };
    let report_at = |at| city::send(&writer, Command::ReportCase { report: report.clone(), at: Some(at) });
    clock.pass(20_000 * DAY_MS);
    let refused = report_at(city::START).unwrap_err();
    assert!(matches!(refused, WriteError::ClockDoubted(Rejection::ImpossibleTime { .. })), "{refused}");
    clock.pass(-40_000 * DAY_MS);
    report_at(city::START).unwrap();
    let refused = report_at(clock.now()).unwrap_err();
    assert!(matches!(refused, WriteError::ClockDoubted(Rejection::ImpossibleTime { .. })), "{refused}");
    clock.pass(20_000 * DAY_MS);
    let refused = report_at(city::START.plus(20_000 * DAY_MS)).unwrap_err();
    assert!(matches!(refused, WriteError::Refused(Rejection::ImpossibleTime { .. })), "{refused}");
    writer.stop();
}

/// A key that was given while the clock was set back by years was forgotten with the next day, and the same command made a
/// second case.
#[test]
fn a_key_that_is_given_while_the_clock_is_set_back_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let policy = city::policy();
    let options = server::writer::store::Options { keys_kept_days: Some(400), ..Default::default() };
    let (store, state) = server::writer::store::Store::open_with(dir.path(), &policy, options).unwrap();
    let reader = store.reader();
    let confirm_after = Duration::from_secs(600);
    let writer = server::writer::spawn_doubting(store, state, Box::new(()), clock.reading(), confirm_after);
    turned_to(&reader, today(&clock), 1);
    clock.pass(-26 * 365 * DAY_MS);
    let sent = city::envelope(city::report_case());
    let send = || writer.send_many_blocking(vec![sent.clone()]).pop().unwrap().unwrap();
    assert!(!send().replayed);
    clock.pass((26 * 365 + 1) * DAY_MS);
    writer.believe_clock();
    turned_to(&reader, today(&clock), 1);
    for _ in 0..3 {
        number_of(&writer);
    }
    assert!(send().replayed);
    writer.stop();
}

/// By a clock that was set back a case which had been declared overdue was dispatched in time, for good.
#[test]
fn a_case_that_was_declared_overdue_is_dispatched_late_whatever_the_clock_says_then() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = city::start(dir.path(), &clock, Box::new(()));
    turned_to(&reader, today(&clock), 1);
    let case = city::send(&writer, city::report_case()).unwrap().case.unwrap();
    for command in [Step::ACCEPT.take(case), Step::FILE.take(case)] {
        city::send(&writer, command).unwrap();
    }
    clock.pass(5 * HOUR_MS);
    until(&reader, "the passed deadline", |event| {
        matches!(event, Event::Deadline(DeadlineEvent { alarm: Alarm::Due, .. }))
    });
    assert_eq!(deadlines_declared(&reader, Alarm::Due), 1);
    // Believed at once, as this hall is told to.
    clock.pass(-5 * HOUR_MS - 30 * 60_000);
    city::send(&writer, Step::DISPATCH.take_for(case, city::DEPARTMENTS[0].parse().unwrap())).unwrap();
    writer.stop();
    let recount = reader.recount().unwrap();
    let late =
        TallyKey { measure: Measure::DispatchedLate, dimension: Dimension::City, period: Period::Ever };
    assert_eq!(recount.cells.get(&late).map(|count| count.cases), Some(1), "by the oracle");
    let (_, state) = server::writer::store::Store::open(dir.path(), &city::policy()).unwrap();
    assert_eq!(state.tally.get(&late).cases, 1, "by what is kept");
}

/// Held alarms went off at the first restart: what the doubted clock had written was taken for the time.
#[test]
fn a_restart_in_the_middle_of_a_jump_doubts_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = doubting(dir.path(), &clock, Duration::from_secs(600));
    turned_to(&reader, today(&clock), 1);
    file(&writer);
    clock.pass(31 * DAY_MS);
    turned_to(&reader, today(&clock), 1);
    number_of(&writer);
    for restart in 1..=2 {
        writer_of_a_tool(dir.path(), &clock, &writer);
        let (writer, reader) = doubting(dir.path(), &clock, Duration::from_secs(600));
        number_of(&writer);
        std::thread::sleep(Duration::from_millis(1_200));
        assert_eq!(alarms(&reader), 0, "after restart {restart}");
        assert!(writer.doubted_clock().is_some_and(|ahead_ms| ahead_ms > 30 * DAY_MS));
        writer.stop();
    }
    // An operator's word holds over a restart, whether or not anything happened since.
    let (writer, reader) = doubting(dir.path(), &clock, Duration::from_secs(600));
    writer.believe_clock();
    number_of(&writer);
    until(&reader, "the passed deadline", |event| matches!(event, Event::Deadline(_)));
    writer.stop();
    let (writer, _) = doubting(dir.path(), &clock, Duration::from_secs(600));
    number_of(&writer);
    assert_eq!(writer.doubted_clock(), None);
    writer.stop();
}

/// Stops the hall and changes something in its folder, as a tool does: its one look at the clock proves nothing.
fn writer_of_a_tool(dir: &std::path::Path, clock: &TestClock, hall: &Writer) {
    hall.stop();
    let (store, state) = server::writer::store::Store::open(dir, &city::policy()).unwrap();
    let tool = server::writer::spawn_untimed(store, state, Box::new(()), clock.reading());
    number_of(&tool);
    tool.stop();
}

/// An import told what had become overdue by one look at this machine's clock, for good.
#[test]
fn an_import_fires_no_alarm_by_a_clock_nobody_has_proved() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let clock = TestClock::new();
    clock.pass(server::clock::Clock::machine().now().since(clock.now()) - 31 * DAY_MS);
    let (writer, _) = city::start(&dir, &clock, Box::new(()));
    file(&writer);
    writer.stop();
    let (map, table) = (folder.path().join("map.toml"), folder.path().join("cases.csv"));
    std::fs::write(&map, OWN_MAP).unwrap();
    let rows = "编号;上报时间;小类;环节;纬度;经度;地址;社区\nA-2;2024/11/20 09:30;E02-03;;;;;\n";
    std::fs::write(&table, rows).unwrap();
    let target = Target::Store { dir: &dir, policy: &city::policy() };
    assert_eq!(server::import::cases(&table, Some(&map), &target).unwrap().taken, 1);
    let (store, _) = server::writer::store::Store::open(&dir, &city::policy()).unwrap();
    assert_eq!(alarms(&store.reader()), 0);
    let believed = store.believed().expect("a month has passed by one look");
    assert!(believed.since(clock.now()) < DAY_MS, "the hall's next start doubts it, too");
}
