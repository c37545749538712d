//! Store and writer together: answers, keys, restarts, what happened.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use domain::answer::CaseAnswer;
use domain::case::{Stage, Step};
use domain::code::CaseId;
use domain::command::Command;
use domain::event::Recorded;
use domain::moment::{HOUR_MS, MINUTE_MS};
use domain::rejection::Rejection;
use domain::scope::Scope;
use domain::state::State;
use server::check::check;
use server::events::Newest;
use server::events::{Reader, Timeline};
use server::lists::{CaseFilter, Lists, PhaseFilter};
use server::writer::store::Store;
use server::writer::{Committed, Publisher, WriteError, spawn_with};

use crate::city::{self, Listing, TestClock, envelope, report_case, send, start};

#[test]
fn answered_case_is_there_after_a_restart_and_its_key_answers_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    let first = envelope(report_case());
    let answer = writer.send_many_blocking(vec![first.clone()]).pop().unwrap().unwrap();
    assert!(!answer.replayed);
    assert_eq!(answer.number.as_deref(), Some("20261121-00001"));
    let id = answer.case.unwrap();
    send(&writer, Step::ACCEPT.take(id)).unwrap();
    assert_eq!(reader.timeline(id, None, 500).unwrap().events.len(), 2);
    let before = reader.case(id).unwrap().unwrap();
    writer.stop();
    assert_eq!(send(&writer, report_case()), Err(WriteError::Stopped));

    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    assert_eq!(reader.case(id).unwrap().unwrap(), before);
    let again = writer.send_many_blocking(vec![first.clone()]).pop().unwrap().unwrap();
    assert!(again.replayed);
    assert_eq!(
        (again.first_seq, again.last_seq, again.case, &again.number),
        (answer.first_seq, answer.last_seq, answer.case, &answer.number)
    );
    let other = server::writer::Envelope { command: Command::ClaimCase { case: id }, ..first };
    let refused = writer.send_many_blocking(vec![other]).pop().unwrap();
    assert_eq!(refused, Err(WriteError::Refused(Rejection::KeyReused)));
    let recount = reader.recount().unwrap();
    writer.stop();
    let (_, state) = server::writer::store::Store::open(dir.path(), &city::policy()).unwrap();
    let cells: std::collections::BTreeMap<_, _> =
        state.tally.iter().map(|(key, value)| (key.clone(), value)).collect();
    assert_eq!(recount.cells, cells);
}

/// Keeps every event it was told of.
struct Heard(Arc<Mutex<Vec<Recorded>>>);

impl Publisher for Heard {
    fn start(&mut self, _: u64, _: &State, _: Option<Newest>) {}

    fn publish(&mut self, _: &State, committed: &[Committed]) {
        self.0.lock().unwrap().extend(committed.iter().map(|event| event.recorded.clone()));
    }
}

/// The log as every engine must keep it: append, read from, head.
#[test]
fn log_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (writer, reader) = start(dir.path(), &clock, Box::new(Heard(heard.clone())));
    // The timer's first word; after it only what is sent here is recorded.
    wait_for(&reader, "day_turned", 1);
    for _ in 0..25 {
        let group = (0..7).map(|_| envelope(report_case())).collect();
        writer.send_many_blocking(group).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    }
    let head = reader.head().unwrap();
    let all: Vec<Recorded> =
        reader.events_after(0, 10_000).unwrap().into_iter().map(|(event, _)| event).collect();
    assert_eq!(head, all.len() as u64);
    assert!(all.iter().zip(1..).all(|(event, seq)| event.seq == seq), "from 1, without gaps");
    assert_eq!(all, *heard.lock().unwrap(), "what was published is what is kept, in the same order");
    for from in [0, 1, head - 1, head, head + 5] {
        let tail = reader.events_after(from, 10_000).unwrap();
        assert_eq!(tail.len() as u64, head.saturating_sub(from));
        assert!(tail.iter().all(|(event, _)| event.seq > from));
    }
    assert_eq!(reader.events_after(3, 4).unwrap().len(), 4);
    let epoch_before = check(dir.path(), &city::policy()).unwrap().epoch;
    writer.stop();
    assert_eq!(check(dir.path(), &city::policy()).unwrap().epoch, epoch_before);
}

#[test]
fn refused_command_leaves_nothing_and_its_key_may_be_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = start(dir.path(), &TestClock::new(), Box::new(()));
    let case = send(&writer, report_case()).unwrap().case.unwrap();
    let jump = envelope(Step::FILE.take(case));
    let refused = writer.send_many_blocking(vec![jump.clone()]).pop().unwrap();
    assert!(matches!(refused, Err(WriteError::Refused(Rejection::WrongStage { .. }))), "{refused:?}");
    assert_eq!(reader.timeline(case, None, 500).unwrap().events.len(), 1);
    send(&writer, Step::ACCEPT.take(case)).unwrap();
    assert!(!writer.send_many_blocking(vec![jump]).pop().unwrap().unwrap().replayed);
    writer.stop();
}

/// One group: commands see what those before them did, and the same key twice is one case.
#[test]
fn rows_of_a_batch_are_answered_each_on_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = start(dir.path(), &TestClock::new(), Box::new(()));
    let first = envelope(report_case());
    let case = CaseId(1);
    let batch = vec![
        first.clone(),
        envelope(Step::ACCEPT.take(case)),
        envelope(Step::ACCEPT.take(case)),
        first,
        envelope(Step::FILE.take(case)),
    ];
    let answers = writer.send_many_blocking(batch);
    let done: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, true, false, true, true]);
    let again = answers[3].as_ref().unwrap();
    assert!(again.replayed);
    assert_eq!(again.number, answers[0].as_ref().unwrap().number);
    assert_eq!(reader.timeline(case, None, 500).unwrap().events.len(), 3);
    writer.stop();
}

/// Waits until `count` events of that name are kept; ten seconds at most.
fn wait_for(reader: &Reader, name: &str, count: usize) {
    let found = || {
        let events = reader.events_after(0, 10_000).unwrap();
        events.iter().filter(|(event, _)| event.event.name() == name).count()
    };
    for _ in 0..1_000 {
        if found() >= count {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{name} was recorded {} times, not {count}", found());
}

#[test]
fn deadlines_fire_once_in_order_and_never_again_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let lists = city::lists();
    let (writer, reader) = start(dir.path(), &clock, Box::new(Listing(lists.clone())));
    for id in 1..=3u64 {
        let case = CaseId(id);
        let steps = [report_case(), Step::ACCEPT.take(case), Step::FILE.take(case)];
        let group = steps.map(envelope).to_vec();
        writer.send_many_blocking(group).into_iter().for_each(|outcome| drop(outcome.unwrap()));
        clock.pass(MINUTE_MS);
    }
    clock.pass(200 * MINUTE_MS);
    assert_eq!(overdue(&lists), 0);
    clock.pass(9 * MINUTE_MS);
    wait_for(&reader, "deadline_nearing", 2);
    writer.stop();

    // The clock jumps over every deadline and midnight while the hall is closed.
    clock.pass(20 * HOUR_MS);
    let (writer, reader) = start(dir.path(), &clock, Box::new(Listing(lists.clone())));
    wait_for(&reader, "deadline_passed", 3);
    writer.stop();
    assert_eq!(overdue(&lists), 3);
    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    std::thread::sleep(std::time::Duration::from_millis(700));
    let names: Vec<(&str, Option<CaseId>)> = reader
        .events_after(0, 10_000)
        .unwrap()
        .iter()
        .filter(|(event, _)| event.event.name().starts_with("deadline"))
        .map(|(event, _)| (event.event.name(), event.event.case()))
        .collect();
    let once = |name, case| (name, Some(CaseId(case)));
    assert_eq!(
        names,
        [
            once("deadline_nearing", 1),
            once("deadline_nearing", 2),
            once("deadline_nearing", 3),
            once("deadline_passed", 1),
            once("deadline_passed", 2),
            once("deadline_passed", 3),
        ]
    );
    wait_for(&reader, "day_turned", 2);
    writer.stop();
}

fn overdue(lists: &Lists) -> u64 {
    let overdue = CaseFilter { phase: Some(PhaseFilter::Overdue), ..CaseFilter::default() };
    lists.count(&Scope::All, &overdue).unwrap().unwrap()
}

/// Ten thousand notes on a case must not hide what happened to it since.
#[test]
fn the_newest_of_a_case_are_the_ones_that_are_read() {
    let dir = tempfile::tempdir().unwrap();
    // A store of before has such cases; the policy lets a case get fewer by now.
    let policy = domain::policy::Policy { notes_per_case: u16::MAX, ..city::policy() };
    let (store, state) = Store::open(dir.path(), &policy).unwrap();
    let reader = store.reader();
    let writer = spawn_with(store, state, Box::new(()), TestClock::new().reading());
    let case = send(&writer, report_case()).unwrap().case.unwrap();
    send(&writer, Step::ACCEPT.take(case)).unwrap();
    let note = |index: u32| envelope(Command::NoteCase { case, text: format!("note {index}") });
    for from in (0..11_000).step_by(500) {
        let notes = (from..from + 500).map(note).collect();
        writer.send_many_blocking(notes).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    }
    let last = send(&writer, Step::FILE.take(case)).unwrap().last_seq;
    let newest = reader.timeline(case, None, 500).unwrap();
    assert_eq!(newest.events.len(), 500);
    assert_eq!(newest.events.last().map(|event| event.seq), Some(last));
    assert!(newest.events.is_sorted_by_key(|event| event.seq));
    let steps = reader.case(case).unwrap().unwrap().steps;
    let steps: Vec<&str> = steps.iter().map(|taken| taken.step.name).collect();
    assert_eq!(steps, ["accept", "file"], "the way of the case is whole");
    // And on to the first, without a gap.
    let (mut seqs, mut page) = (Vec::new(), newest);
    loop {
        seqs.splice(0..0, page.events.iter().map(|event| event.seq));
        let Some(before) = page.older else { break };
        page = reader.timeline(case, Some(before), 500).unwrap();
    }
    let all: BTreeSet<u64> = seqs.iter().copied().collect();
    assert_eq!((all.len(), seqs.len()), (11_003, 11_003));
    // A page that is open keeps what was read of the past when something new happens, without a gap or a double.
    let answer = |before, limit| {
        let Timeline { events, older } = reader.timeline(case, before, limit).unwrap();
        CaseAnswer::of(reader.case(case).unwrap().unwrap(), events, older)
    };
    let mut held = answer(None, 200);
    held.add_older(answer(held.older, 200));
    send(&writer, Command::NoteCase { case, text: "new".to_owned() }).unwrap();
    held.renew(answer(None, 200));
    let whole = answer(None, 401);
    assert_eq!(held.timeline, whole.timeline);
    assert_eq!((held.older, &held.lines), (whole.older, &whole.lines));
    // So much happened that the two do not touch: the newest alone.
    for from in (0..400).step_by(200) {
        let notes = (from..from + 200).map(note).collect();
        writer.send_many_blocking(notes).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    }
    held.renew(answer(None, 200));
    assert_eq!(held, answer(None, 200));
    writer.stop();
}

/// A token that sees a part learnt which rows the whole city had imported, and took their keys before they came.
#[test]
fn who_sees_a_part_learns_nothing_of_what_others_have_imported() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    let namespace = reader.import_namespace().unwrap();
    let row = |id: &str, area: &str, address: &str| {
        let Command::TakeOverCase { mut report, history } = city::take_over(Stage::Accept, clock.now(), None)
        else {
            unreachable!()
        };
        report.external = Some(domain::case::External { system: "sysA".to_owned(), id: id.to_owned() });
        (report.area, report.address) = (area.parse().unwrap(), address.to_owned());
        let key = server::stored::command::import_key(&namespace, "sysA", id);
        server::writer::Envelope { key, ..city::envelope(Command::TakeOverCase { report, history }) }
    };
    let [own, other] = [city::AREAS[3], city::AREAS[4]];
    let whole = |id, area, address| writer.send_many_blocking(vec![row(id, area, address)]).pop().unwrap();
    let part = |id, area, address| {
        let sent = row(id, area, address);
        let scope = domain::scope::Scope::area(own.parse().unwrap());
        let sent = server::writer::Envelope { scope, by: domain::event::By::named("m102"), ..sent };
        writer.send_many_blocking(vec![sent]).pop().unwrap()
    };
    assert!(!whole("500", other, "a").unwrap().replayed);
    // What lies elsewhere is refused alike, known or not, same or not.
    let unknown = part("501", other, "a").unwrap_err();
    assert_eq!(unknown, WriteError::Refused(Rejection::OutOfScope { field: Some("area") }));
    assert_eq!(part("500", other, "a").unwrap_err(), unknown);
    assert_eq!(part("500", other, "b").unwrap_err(), unknown);
    // Its own are its own: known again, and no other's.
    assert!(!part("500", own, "a").unwrap().replayed);
    assert!(part("500", own, "a").unwrap().replayed);
    assert_eq!(part("500", own, "b").unwrap_err(), WriteError::Refused(Rejection::KeyReused));
    assert!(!part("600", own, "a").unwrap().replayed);
    assert!(!whole("600", other, "a").unwrap().replayed, "the row itself is taken");
    // The very row, in its own area, is the same whoever took it over first; as before it had keys of its own.
    assert!(!whole("700", own, "a").unwrap().replayed);
    assert!(part("700", own, "a").unwrap().replayed);
    writer.stop();
}
