//! An older database copied back beside newer snapshots: what they know is lost to this log, and nobody takes it for the log's own
//! when it has come as far. And what a start tells of the newest past.

use std::path::Path;
use std::sync::{Arc, Mutex};

use domain::catalogue::{Entry, Name, Source};
use domain::command::Command;
use domain::state::State;
use server::check::check;
use server::folder::DATABASE;
use server::log::shelf;
use server::writer::store::{Options, Store};
use server::writer::{Committed, Publisher};

use crate::city::{self, TestClock, envelope, report, report_case, start, start_with};

/// Copies the files of a data folder and of its snapshots as they stand.
fn copy(from: &Path, to: &Path) {
    for folder in ["", "snapshots"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for entry in std::fs::read_dir(from.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, to.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
}

fn report_many(dir: &Path, count: usize, command: impl Fn() -> Command) {
    let (writer, _) = start(dir, &TestClock::new(), Box::new(()));
    let commands = (0..count).map(|_| envelope(command())).collect();
    writer.send_many_blocking(commands).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    writer.stop();
}

/// A store at some event with the snapshots of a future it does not have; the events of both heads.
fn set_back(dir: &Path) -> (u64, u64) {
    let (older, newer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    report_many(older.path(), 26, report_case);
    copy(older.path(), newer.path());
    report_many(newer.path(), 14, report_case);
    copy(older.path(), dir);
    let _ = std::fs::remove_dir_all(dir.join("snapshots"));
    std::fs::create_dir(dir.join("snapshots")).unwrap();
    for kept in shelf::list(newer.path()) {
        std::fs::copy(&kept.path, dir.join("snapshots").join(kept.path.file_name().unwrap())).unwrap();
    }
    let head = |dir: &Path| check(dir, &city::policy()).unwrap().head;
    (head(older.path()), head(newer.path()))
}

/// Method: the log goes on past the lost snapshot with other cases, and its folder is copied while the server runs, as a kill leaves
/// it. What opens on the copy is what the events alone make.
#[test]
fn snapshots_of_a_lost_future_are_set_aside_and_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (head, lost) = set_back(dir.path());
    assert!(lost > head);
    let found = check(dir.path(), &city::policy()).unwrap();
    let named =
        |problem: &String| problem.contains("ahead of the log") && problem.contains(&head.to_string());
    assert!(found.problems.iter().any(named), "{}", found.table());

    let newest = shelf::list(dir.path()).pop().unwrap();
    let bytes = std::fs::read(&newest.path).unwrap();
    let (writer, _) = start(dir.path(), &TestClock::new(), Box::new(()));
    let said = writer.keeping().expect("whoever asks whether the hall is well hears of it");
    assert!(said.contains(&format!("event {head}")) && said.contains(&format!("up to {lost}")), "{said}");
    let aside =
        dir.path().join("snapshots").join(format!("{}.ahead-of-{head}", shelf::name(newest.seq, newest.day)));
    assert_eq!(std::fs::read(&aside).unwrap(), bytes, "nothing is lost");

    let other = || Command::ReportCase {
        report: report(city::AREAS[3], city::CLASSES[1], city::SOURCES[1]),
        at: None,
    };
    let commands = (0..40).map(|_| envelope(other())).collect();
    writer.send_many_blocking(commands).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    let (killed, events) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy(dir.path(), killed.path());
    copy(dir.path(), events.path());
    std::fs::remove_dir_all(events.path().join("snapshots")).unwrap();
    let (_, by_itself) = Store::open(killed.path(), &city::policy()).unwrap();
    let (_, by_events) = Store::open(events.path(), &city::policy()).unwrap();
    assert!(by_events.seq > lost);
    assert_eq!(by_itself, by_events, "every acknowledged case is there, and every count is its own");
    writer.stop();
    let found = check(dir.path(), &city::policy()).unwrap();
    assert!(found.is_sound(), "{}", found.table());
    let (writer, _) = start(dir.path(), &TestClock::new(), Box::new(()));
    assert_eq!(writer.keeping(), None, "said once, until the next start");
    writer.stop();
    assert!(aside.exists() && dir.path().join(DATABASE).exists());
}

/// Whoever only reads a folder believes them no more, and changes nothing in it.
#[test]
fn whoever_only_reads_neither_believes_them_nor_moves_them() {
    let dir = tempfile::tempdir().unwrap();
    let (head, _) = set_back(dir.path());
    let before = shelf::list(dir.path());
    let state = server::events::standing(dir.path(), &city::policy()).unwrap().unwrap();
    assert_eq!(state.seq, head);
    assert_eq!(shelf::list(dir.path()), before);
}

/// What the publisher is told of the newest events: the event before them, and how many there are.
#[derive(Clone, Default)]
struct Newest(Arc<Mutex<Option<(u64, usize)>>>);

impl Publisher for Newest {
    fn start(&mut self, _: u64, state: &State, newest: Option<server::events::Newest>) {
        if let Some(newest) = &newest {
            assert_eq!(newest.before.seq + newest.events.len() as u64, state.seq, "they lead to the state");
        }
        *self.0.lock().unwrap() = newest.map(|newest| (newest.before.seq, newest.events.len()));
    }

    fn publish(&mut self, _: &State, _: &[Committed]) {}
}

/// The newest events of the folder as a power cut leaves it: its database alone.
fn newest(dir: &Path, newest_max: u64) -> Option<(u64, usize)> {
    let (left, told) = (tempfile::tempdir().unwrap(), Newest::default());
    std::fs::copy(dir.join(DATABASE), left.path().join(DATABASE)).unwrap();
    let options = Options { newest_max, ..Options::default() };
    let (writer, _) = start_with(left.path(), &TestClock::new(), Box::new(told.clone()), options);
    writer.stop();
    let told = told.0.lock().unwrap();
    *told
}

/// However long the log is that a start reads, so many of its events are kept in memory for the feed, and none where they say
/// which area belongs to which topic.
#[test]
fn a_start_tells_the_newest_events_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    report_many(dir.path(), 12, report_case);
    let head = check(dir.path(), &city::policy()).unwrap().head;
    assert_eq!(newest(dir.path(), 3), Some((head - 3, 3)));
    assert_eq!(newest(dir.path(), 1_000), Some((0, usize::try_from(head).unwrap())));
    assert_eq!(newest(dir.path(), 0), None);
    let entry = Entry::Source(Source {
        code: "drone".parse().unwrap(),
        name: Name { zh: "无人机".to_owned(), en: String::new() },
        retired: false,
    });
    report_many(dir.path(), 1, || Command::DefineCatalogue { entries: vec![entry.clone()] });
    report_many(dir.path(), 2, report_case);
    assert_eq!(newest(dir.path(), 1_000), None, "a code was defined among them");
    assert!(newest(dir.path(), 2).is_some_and(|(_, events)| events == 2), "before them");
}
