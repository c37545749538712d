//! Policies in the log: what a store begins with, what adopting another one does, and that the log alone makes the state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::case::{CaseEvent, Stage, Step};
use domain::clock::calendar::DayKind;
use domain::clock::{Alarm, Clock, Counts, Limit, LimitKind, Subject, Unit};
use domain::code::CaseId;
use domain::command::Command;
use domain::event::{By, Event, PolicyEvent, Recorded};
use domain::moment::{DAY_MS, Date, HOUR_MS, MINUTE_MS, UtcMillis};
use domain::policy::Policy;
use domain::rejection::Rejection;
use domain::state::State;
use domain::tally::{Count, TallyKey};
use server::check::recounted;
use server::events::Newest;
use server::events::Reader;
use server::writer::store::Store;
use server::writer::{Committed, Publisher, WriteError, Writer, spawn_with};

use crate::city::{self, CLASSES, DEPARTMENTS, TestClock, report, send};

/// As the other tests have it, with classes whose disposal takes working days.
pub fn policy() -> Policy {
    let mut policy = city::policy();
    policy.utc_offset_minutes.0 = 480;
    policy.dispatch_limit = Limit::new(4, LimitKind::WORK_HOUR);
    policy.classes[0].disposal_limit = Some(Limit::new(3, LimitKind::WORK_DAY));
    policy.classes[1].disposal_limit = Some(Limit::new(2, LimitKind::WORK_DAY));
    policy.check().unwrap();
    policy
}

fn without_class(nth: usize) -> Policy {
    let mut policy = policy();
    policy.classes.remove(nth);
    policy
}

pub fn open(dir: &Path, policy: &Policy) -> (Store, State) {
    Store::open(dir, policy).unwrap()
}

pub fn start(dir: &Path, clock: &TestClock, publisher: Box<dyn Publisher>) -> (Writer, Reader) {
    let (store, state) = open(dir, &policy());
    let reader = store.reader();
    (spawn_with(store, state, publisher, clock.reading()), reader)
}

pub fn by() -> By {
    By::named("周敏")
}

/// The state as the first event and all after it make it: nothing that was kept on the way is used.
pub fn from_the_first_event(dir: &Path) -> State {
    let alone = tempfile::tempdir().unwrap();
    let file = server::folder::DATABASE;
    std::fs::copy(dir.join(file), alone.path().join(file)).unwrap();
    open(alone.path(), &policy()).1
}

fn all(reader: &Reader) -> Vec<Recorded> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let page = reader.events_after(after, 5_000).unwrap();
        let Some((last, _)) = page.last() else { return all };
        after = last.seq;
        all.extend(page.into_iter().map(|(recorded, _)| recorded));
    }
}

/// Waits until the timer has replanned everything: the same policy again says how much is left.
pub fn settled(writer: &Writer, policy: &Policy) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let left = writer.adopt_blocking(by(), policy.clone(), None).unwrap();
        assert_eq!(left.seq, None, "it is in force already");
        if left.to_replan.is_nothing() {
            return;
        }
        assert!(Instant::now() < deadline, "{left:?} is still to be replanned");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn sound(dir: &Path) {
    let report = recounted(dir, &policy()).unwrap();
    assert!(report.is_sound(), "{}", report.table());
}

#[test]
fn a_store_follows_its_log_and_not_the_file_of_a_later_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), &policy()));
    let mut other = without_class(0);
    other.whistle_response_minutes = 99;
    let (store, state) = open(dir.path(), &other);
    assert_eq!(**state.policy(), policy());
    assert!(state.catalogue.classes.contains_key(&CLASSES[0].parse().unwrap()));
    assert_eq!(*store.genesis().policy, policy());
    drop(store);
    sound(dir.path());
}

/// Codes of an earlier policy stood in snapshots as if events had defined them; from the log they were gone.
#[test]
fn after_two_adoptions_and_a_retired_code_the_log_and_its_snapshots_make_the_same_state() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    let new = |class: &str| Command::ReportCase {
        report: report(city::AREAS[4], class, city::SOURCES[0]),
        at: None,
    };
    send(&writer, new(CLASSES[1])).unwrap();
    let first = writer.adopt_blocking(by(), without_class(1), None).unwrap();
    assert_eq!((first.version, first.changed.retired, first.changed.added), (1, 1, 0));
    let mut second = without_class(1);
    second.classes[1].name.zh = "井盖".to_owned();
    let second = writer.adopt_blocking(by(), second, None).unwrap();
    assert_eq!((second.version, second.changed.retired, second.changed.altered), (2, 0, 1));
    let refused = send(&writer, new(CLASSES[1])).unwrap_err();
    let retired = Rejection::RetiredCode { field: "class".to_owned(), code: CLASSES[1].to_owned() };
    assert_eq!(refused, WriteError::Refused(retired));
    let events = all(&reader);
    let adopted = |recorded: &&Recorded| matches!(recorded.event, Event::Policy(PolicyEvent::Adopted(_)));
    assert_eq!(events.iter().filter(adopted).count(), 2);
    let json = serde_json::to_string(events.iter().rfind(adopted).unwrap()).unwrap();
    assert!(json.contains(r#""policy_adopted":{"version":2,"hash":""#) && json.len() < 1_000, "{json}");
    writer.stop();
    let (store, from_snapshot) = open(dir.path(), &policy());
    drop(store);
    assert_eq!(from_the_first_event(dir.path()), from_snapshot);
    assert_eq!((from_snapshot.in_force().version, from_snapshot.cases.len()), (2, 1));
    sound(dir.path());
}

#[test]
fn a_refused_policy_and_one_that_is_in_force_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = start(dir.path(), &TestClock::new(), Box::new(()));
    let mut other = policy();
    other.utc_offset_minutes.0 = 60;
    let refused = writer.adopt_blocking(by(), other, None).unwrap_err();
    assert!(matches!(refused, WriteError::Refused(Rejection::PolicyRefused { .. })), "{refused}");
    assert_eq!(writer.adopt_blocking(by(), policy(), None).unwrap().seq, None);
    writer.stop();
    assert!(all(&reader).iter().all(|recorded| !matches!(recorded.event, Event::Policy(_))));
}

/// New Year 2027 as a paper of the State Council may have it: three days off, and two of the weekend worked.
fn new_year() -> Policy {
    let mut policy = policy();
    for (day, kind) in [
        ("2027-01-01", DayKind::Off),
        ("2026-12-31", DayKind::Off),
        ("2027-01-04", DayKind::Off),
        ("2026-12-26", DayKind::Work),
        ("2027-01-09", DayKind::Work),
    ] {
        policy.calendar.exceptions.insert(day.parse().unwrap(), kind);
    }
    policy
}

/// When a limit runs out, counted minute by minute and not as the calendar counts.
fn counted(policy: &Policy, clock: &Clock) -> UtcMillis {
    let limit = clock.limit.unwrap();
    let minutes = match (limit.unit, limit.counts) {
        (Unit::Minute, _) => 1,
        (Unit::Hour, _) => 60,
        (Unit::Day, Counts::Through) => 24 * 60,
        (Unit::Day, Counts::Working) => i64::from(policy.calendar.work_day_minutes),
    };
    let (mut left, mut at) = (i64::from(limit.amount) * minutes, clock.started.0);
    while left > 0 {
        let local = at + i64::from(policy.utc_offset_minutes.0) * MINUTE_MS;
        let (day, minute) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS) / MINUTE_MS);
        // 1970-01-01 was a Thursday.
        let weekday = u8::try_from((day + 3).rem_euclid(7)).unwrap();
        let works = match policy.calendar.exceptions.get(&Date::from_days(day)) {
            Some(kind) => *kind == DayKind::Work,
            None => policy.calendar.weekdays.contains(&weekday),
        };
        let office = policy
            .calendar
            .spans
            .iter()
            .any(|span| i64::from(span.from) <= minute && minute < i64::from(span.to));
        left -= i64::from(limit.counts == Counts::Through || (works && office));
        at += MINUTE_MS;
    }
    UtcMillis(at)
}

/// Sends cases on their way until told to stop: some stay at dispatch, some at disposal.
fn traffic(writer: &Writer, stop: &AtomicBool, most: usize) -> usize {
    let mut sent = 0;
    while !stop.load(Ordering::SeqCst) && sent < most {
        let class = CLASSES[sent % CLASSES.len()];
        let command =
            Command::ReportCase { report: report(city::AREAS[4], class, city::SOURCES[0]), at: None };
        let case = send(writer, command).unwrap().case.unwrap();
        for step in [Step::ACCEPT, Step::FILE, Step::DISPATCH, Step::DISPOSE]
            .into_iter()
            .take([2, 3, 2, 3, 4][sent / 3 % 5])
        {
            send(writer, step.take_for(case, DEPARTMENTS[0].parse().unwrap())).unwrap();
        }
        sent += 1;
    }
    sent
}

/// For each clock as its events say it: when it is due, and which alarms it has given for which due time.
#[derive(Default)]
struct Clocks {
    due: BTreeMap<(CaseId, String), UtcMillis>,
    passed: BTreeMap<(CaseId, String), Vec<UtcMillis>>,
}

fn clocks(events: &[Recorded]) -> Clocks {
    let mut clocks = Clocks::default();
    for recorded in events {
        match &recorded.event {
            Event::Case(id, CaseEvent::Stepped(stepped)) => {
                // What it stops will not pass any more.
                for of in stepped.step.stops {
                    clocks.due.remove(&(*id, of.key()));
                }
                clocks.due.extend(stepped.started.iter().map(|clock| ((*id, clock.of.key()), clock.due)));
            }
            Event::Case(id, CaseEvent::Replanned { clocks: anew, .. }) => {
                for clock in anew {
                    let was = clocks.due.insert((*id, clock.of.key()), clock.due);
                    assert_eq!(was, Some(clock.was), "the event says what it was");
                }
            }
            Event::Deadline(event) if event.alarm == Alarm::Due => {
                let Subject::Case(id) = event.subject else { continue };
                let key = (id, event.of.key());
                assert_eq!(
                    clocks.due.get(&key),
                    Some(&event.due),
                    "nothing passes by another policy's due time"
                );
                assert!(recorded.at >= event.due);
                clocks.passed.entry(key).or_default().push(event.due);
            }
            Event::Case(..) | Event::Deadline(_) | Event::Whistle(..) | Event::Policy(_) | Event::Hall(_) => {
            }
        }
    }
    clocks
}

/// Wednesday 2026-12-30 16:00 in China: limits of half a working day and more run into the New Year.
const EVE: UtcMillis = UtcMillis(1_798_617_600_000);

#[test]
fn a_calendar_across_new_year_adopted_under_load_moves_every_due_time_and_each_passes_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    clock.pass(EVE.0 - clock.now().0);
    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    assert_eq!(traffic(&writer, &AtomicBool::new(false), 800), 800);
    let stop = Arc::new(AtomicBool::new(false));
    let sending = {
        let (writer, stop) = (writer.clone(), stop.clone());
        std::thread::spawn(move || traffic(&writer, &stop, usize::MAX))
    };
    std::thread::sleep(Duration::from_millis(50));
    let adoption = writer.adopt_blocking(by(), new_year(), None).unwrap();
    assert!(adoption.to_replan.clocks > 500, "more than a batch: {adoption:?}");
    settled(&writer, &new_year());
    std::thread::sleep(Duration::from_millis(50));
    stop.store(true, Ordering::SeqCst);
    assert!(sending.join().unwrap() > 0, "commands went on");
    // Over every due time, hour by hour, as the timer would see them.
    for _ in 0..24 * 14 {
        clock.pass(HOUR_MS);
        send(&writer, Command::PassDeadlines).unwrap();
    }
    while send(&writer, Command::PassDeadlines).is_ok_and(|answer| answer.last_seq >= answer.first_seq) {}
    writer.stop();
    let (store, state) = open(dir.path(), &policy());
    drop(store);
    let mut running = BTreeSet::new();
    for case in state.cases.values() {
        for clock in case.running() {
            assert_eq!(clock.due, counted(&new_year(), clock), "{} of case {}", clock.of.key(), case.id);
            running.insert((case.id, clock.of.key()));
        }
    }
    let told = clocks(&all(&reader));
    assert!(running.len() > 400);
    assert_eq!(told.due.keys().cloned().collect::<BTreeSet<_>>(), running);
    for (key, due) in &told.due {
        assert_eq!(
            told.passed.get(key),
            Some(&vec![*due]),
            "{key:?} passes once, at the due time that holds"
        );
    }
    assert_eq!(told.passed.len(), running.len(), "nothing that was stopped in time has passed");
    assert_eq!(from_the_first_event(dir.path()), state);
    sound(dir.path());
    let cells: BTreeMap<TallyKey, Count> =
        state.tally.iter().map(|(key, count)| (key.clone(), count)).collect();
    assert_eq!(reader.recount().unwrap().cells, cells);
}

/// Copies the store as the disk has it at the moment an adoption is durable, before anything follows from it.
struct Killed {
    dir: PathBuf,
    copy: PathBuf,
    done: Arc<Mutex<Option<u64>>>,
}

impl Publisher for Killed {
    fn start(&mut self, _: u64, _: &State, _: Option<Newest>) {}

    fn publish(&mut self, state: &State, committed: &[Committed]) {
        let adopted = |one: &Committed| matches!(one.recorded.event, Event::Policy(PolicyEvent::Adopted(_)));
        if committed.iter().any(adopted) {
            for name in [server::folder::DATABASE.to_owned(), format!("{}-wal", server::folder::DATABASE)] {
                std::fs::copy(self.dir.join(&name), self.copy.join(&name)).unwrap();
            }
            *self.done.lock().unwrap() = Some(state.seq);
        }
    }
}

#[test]
fn a_hall_that_is_killed_between_an_adoption_and_its_replanning_goes_on_with_it_at_the_next_start() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = TestClock::new();
    clock.pass(EVE.0 - clock.now().0);
    let done = Arc::new(Mutex::new(None));
    let killed = Killed { dir: dir.path().into(), copy: copy.path().into(), done: done.clone() };
    let (writer, _) = start(dir.path(), &clock, Box::new(killed));
    traffic(&writer, &AtomicBool::new(false), 90);
    writer.adopt_blocking(by(), new_year(), None).unwrap();
    writer.stop();
    let seq = done.lock().unwrap().expect("the adoption was published");
    // The old due times have passed meanwhile, the new ones have not all.
    clock.pass(3 * DAY_MS);
    let (store, state) = open(copy.path(), &policy());
    assert_eq!((state.seq, state.in_force().version), (seq, 1));
    assert!(state.has_stale());
    let reader = store.reader();
    let writer = spawn_with(store, state, Box::new(()), clock.reading());
    settled(&writer, &new_year());
    send(&writer, Command::PassDeadlines).unwrap();
    writer.stop();
    let (store, state) = open(copy.path(), &policy());
    drop(store);
    for case in state.cases.values() {
        for clock in case.running() {
            assert_eq!(clock.due, counted(&new_year(), clock));
        }
    }
    let told = clocks(&all(&reader));
    for (key, due) in told.due.iter().filter(|(_, due)| **due <= clock.now()) {
        assert_eq!(told.passed.get(key), Some(&vec![*due]));
    }
    assert!(state.cases.values().any(|case| case.stage == Stage::Dispose));
    sound(copy.path());
}
