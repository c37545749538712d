//! A store written by the first version is opened, read whole, and told from one of this version.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::case::{Stage, Step};
use domain::clock::ClockOf;
use domain::code::CaseId;
use domain::command::Command;
use domain::event::{By, Door};
use domain::policy::Policy;
use domain::state::{Kept, State};
use domain::tally::{Count, TallyKey};
use server::check::check;
use server::events::Newest;
use server::folder::DATABASE;
use server::writer::store::Store;
use server::writer::{Committed, Envelope, Publisher, Writer, spawn_with};
use uuid::Uuid;

use crate::city::TestClock;
use crate::random::cells;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-1").join(name)
}

fn unpacked(name: &str) -> Vec<u8> {
    let packed = std::fs::File::open(fixture(&format!("{name}.gz"))).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

fn policy() -> Policy {
    toml::from_str(&std::fs::read_to_string(fixture("policy.toml")).unwrap()).unwrap()
}

/// The store as the first version left it.
pub fn first_store() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(DATABASE), unpacked("gridhall.db")).unwrap();
    let snapshots = dir.path().join("snapshots");
    std::fs::create_dir(&snapshots).unwrap();
    let snapshot = "00000000000000000063.snapshot";
    std::fs::write(snapshots.join(snapshot), unpacked(snapshot)).unwrap();
    dir
}

/// Format of the file by its first bytes, as every version reads it before SQLite may touch it.
fn format(dir: &Path) -> u32 {
    let bytes = std::fs::read(dir.join(DATABASE)).unwrap();
    u32::from_be_bytes(bytes[60..64].try_into().unwrap())
}

#[test]
fn a_store_of_the_first_version_opens_and_counts_as_its_events_say() {
    let dir = first_store();
    assert_eq!(format(dir.path()), 1);
    // From the first event on: what its snapshot is worth is another question.
    std::fs::remove_dir_all(dir.path().join("snapshots")).unwrap();
    let (store, state) = Store::open(dir.path(), &policy()).unwrap();
    let recount = store.reader().recount().unwrap();
    let cells: BTreeMap<TallyKey, Count> =
        state.tally.iter().map(|(key, count)| (key.clone(), count)).collect();
    assert_eq!(recount.cells, cells);
    assert_eq!((state.seq, state.cases.len(), state.whistles.len()), (63, 10, 1));
    let counted = |key: &str| state.tally.get(&key.parse().unwrap());
    assert_eq!(counted("reported|city|ever"), Count { cases: 13, base: 1 + 2 + 3 + 7 * 2 + 4 + 1 + 1 });
    assert_eq!(counted("dispatched_late|city|ever").cases, 3);
    // Five were filed here; of those taken over nobody says when.
    assert_eq!(counted("filed|city|ever").cases, 5);
    assert_eq!(counted("overdue_disposal|city|now").cases, 1);
    let seventh = &state.cases[&CaseId(7)];
    let clock = seventh.leading_clock().unwrap();
    assert_eq!((seventh.stage, clock.of, clock.limit), (Stage::Dispose, ClockOf::Disposal, None));
    let third: Vec<&str> = state.cases[&CaseId(3)].steps.iter().map(|taken| taken.step.name).collect();
    assert_eq!(third, ["accept", "file", "dispatch", "dispose"]);
    let first = store.reader().timeline(CaseId(1), None, 100).unwrap().events;
    let reporter = By { name: "周敏".to_owned(), roles: Vec::new(), door: Door::Unknown };
    assert_eq!(first[0].by, reporter, "what was not recorded is not made up");
    drop(store);
    let report = check(dir.path(), &policy()).unwrap();
    assert!(report.is_sound(), "{}", report.table());
}

/// Every command of the first version, sent again under its own key by its own sender, is answered as the first time: a
/// field that a command has gained since is no other command.
#[test]
fn keys_of_the_first_version_answer_as_the_first_time() {
    let dir = first_store();
    let (store, state) = Store::open(dir.path(), &policy()).unwrap();
    let clock = TestClock::new();
    let writer = spawn_with(store, state, Box::new(()), clock.reading());
    let lines = String::from_utf8(unpacked("commands.jsonl")).unwrap();
    let mut again = 0;
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let answered = &line["answer"];
        if answered.is_null() {
            continue;
        }
        let envelope = Envelope {
            world: server::world::Live,
            key: serde_json::from_value(line["key"].clone()).unwrap(),
            by: By::named(line["actor"].as_str().unwrap()),
            department: None,
            scope: domain::scope::Scope::All,
            seen: None,
            command: serde_json::from_value(line["command"].clone()).unwrap(),
        };
        let answer = writer.send_many_blocking(vec![envelope]).pop().unwrap().unwrap();
        assert!(answer.replayed, "{line}");
        let answer = serde_json::to_value(answer).unwrap();
        for field in ["first_seq", "last_seq", "case", "whistle", "number"] {
            assert_eq!(answer[field], answered[field], "{field} of {line}");
        }
        again += 1;
    }
    assert_eq!(again, 47);
    writer.stop();
}

/// The first event in a new form would be unreadable to the version before: it must say that the store is newer, and it
/// judges by the file alone while the event still stands in the write-ahead log.
#[test]
fn a_file_with_events_of_this_version_says_so_before_the_first_of_them() {
    let dir = first_store();
    let (store, state) = Store::open(dir.path(), &policy()).unwrap();
    assert_eq!(format(dir.path()), 2, "raised when it is opened for writing");
    let clock = TestClock::new();
    let writer = spawn_with(store, state, Box::new(()), clock.reading());
    let key = Uuid::now_v7();
    let by = By { name: "李强".to_owned(), roles: vec![domain::role::Role::Dispatcher], door: Door::Desk };
    let command: Command = Step::DISPOSE.take_with(CaseId(6), "清");
    let envelope = Envelope {
        world: server::world::Live,
        key,
        by: by.clone(),
        department: None,
        scope: domain::scope::Scope::All,
        seen: None,
        command,
    };
    writer.send_many_blocking(vec![envelope]).pop().unwrap().unwrap();
    writer.stop();
    let (store, state) = Store::open(dir.path(), &policy()).unwrap();
    let reader = store.reader();
    assert_eq!(state.cases[&CaseId(6)].stage, Stage::Feedback);
    let timeline = reader.timeline(CaseId(6), None, 100).unwrap().events;
    assert_eq!(timeline.last().unwrap().by, by, "name, roles and door are kept");
    drop(store);
    let report = check(dir.path(), &policy()).unwrap();
    assert!(report.is_sound(), "old and new forms in one log: {}", report.table());
}

type Cells = BTreeMap<TallyKey, Count>;

/// The states and the changed cells a publisher hears of, as REST and screens hold them.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Option<(State, Cells)>>>);

impl Publisher for Heard {
    fn start(&mut self, _: u64, state: &State, _: Option<Newest>) {
        *self.0.lock().unwrap() = Some((state.clone(), cells(state)));
    }

    fn publish(&mut self, state: &State, committed: &[Committed]) {
        let mut heard = self.0.lock().unwrap();
        let (last, cells) = heard.as_mut().unwrap();
        for key in committed.iter().flat_map(|one| &one.changes.tally) {
            match state.tally.get(key) {
                Count { cases: 0, base: 0 } => drop(cells.remove(key)),
                value => drop(cells.insert(key.clone(), value)),
            }
        }
        last.clone_from(state);
    }
}

fn report_one(writer: &Writer) {
    let Command::ReportCase { mut report, .. } = crate::city::report_case() else { panic!("a report") };
    let known = policy().catalogue();
    report.area = known.area_order[0].clone();
    report.class = known.classes.keys().next().unwrap().clone();
    report.source = known.sources.keys().next().unwrap().clone();
    let envelope = crate::city::envelope(Command::ReportCase { report, at: None });
    writer.send_many_blocking(vec![envelope]).pop().unwrap().unwrap();
}

/// The snapshot the first version left saves the first start the whole log. It knows cases and calls; the second figure of
/// counts is a guess that a replay in the background replaces, beside commands, and every screen hears of it.
#[test]
fn what_the_first_version_kept_is_begun_from_and_its_counts_become_exact() {
    let (dir, replayed) = (first_store(), first_store());
    std::fs::remove_dir_all(replayed.path().join("snapshots")).unwrap();
    let (_, whole) = Store::open(replayed.path(), &policy()).unwrap();
    let (store, state) = Store::open(dir.path(), &policy()).unwrap();
    assert_ne!(state.tally, whole.tally, "the fixture has cases that weigh more than one");
    let (begun, same) = (Kept::from(state.clone()), Kept::from(whole.clone()));
    assert_eq!(begun.cases, same.cases);
    assert_eq!(begun.whistles, same.whistles);
    assert_eq!(begun.deadlines, same.deadlines);
    assert_eq!((begun.turns, begun.numbers_of_days), (same.turns, same.numbers_of_days));
    let mut exact = state.clone();
    assert_eq!(
        exact.take_counts(whole.clone()).differs,
        [""; 0],
        "all but the counts is the state of a replay"
    );
    assert_eq!(exact, whole);

    let (heard, clock, reader) = (Heard::default(), TestClock::new(), store.reader());
    let writer = spawn_with(store, state, Box::new(heard.clone()), clock.reading());
    let deadline = Instant::now() + Duration::from_secs(60);
    while writer.keeping().is_some() {
        assert!(writer.keeping().unwrap().contains("counted anew"), "{:?}", writer.keeping());
        assert!(Instant::now() < deadline, "{:?}", writer.keeping());
        report_one(&writer);
        std::thread::sleep(Duration::from_millis(10));
    }
    report_one(&writer);
    let (last, shown) = heard.0.lock().unwrap().clone().unwrap();
    assert_eq!(cells(&last), reader.recount().unwrap().cells);
    assert_eq!(shown, cells(&last), "nobody is left with a guess");
    while !server::log::shelf::former(dir.path()).is_empty() {
        assert!(Instant::now() < deadline, "it holds persons' words, and nobody needs it any more");
        std::thread::sleep(Duration::from_millis(10));
    }
    writer.stop();
    let report = server::check::recounted(dir.path(), &policy()).unwrap();
    assert!(report.is_sound() && report.snapshots > 0, "{}", report.table());
}

/// The policy's file may be another one with the first start of this version: the log begins with it, so it holds, whether a
/// snapshot of before is begun from or not.
#[test]
fn a_policy_changed_with_the_upgrade_holds_from_the_first_start_on() {
    let mut changed = policy();
    let mut class = changed.classes[0].clone();
    class.code = "Z99".parse().unwrap();
    changed.classes[0].name.zh.push('新');
    changed.classes.push(class.clone());
    let (dir, replayed) = (first_store(), first_store());
    std::fs::remove_dir_all(replayed.path().join("snapshots")).unwrap();
    let (_, whole) = Store::open(replayed.path(), &changed).unwrap();
    let (_store, mut state) = Store::open(dir.path(), &changed).unwrap();
    assert_eq!(state.catalogue.classes.get(&class.code), Some(&class));
    assert_eq!(state.catalogue, whole.catalogue);
    assert_eq!(state.take_counts(whole).differs, [""; 0]);
}

/// The policy of the upgrade may have areas elsewhere, or codes that an event of the log has defined otherwise: what follows from it
/// is found anew at every start, and no difference between a state and its log.
#[test]
fn a_store_upgraded_under_another_policy_is_what_a_replay_of_its_log_makes() {
    let mut elsewhere = policy();
    elsewhere.areas.iter_mut().for_each(|area| area.parent = None);
    for other in [elsewhere, server::config::Config::default().load_policy().unwrap()] {
        let dir = first_store();
        let (store, state) = Store::open(dir.path(), &other).unwrap();
        let clock = TestClock::new();
        let writer = spawn_with(store, state, Box::new(()), clock.reading());
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Some(problem) = writer.keeping() {
            assert!(problem.contains("counted anew"), "{problem}");
            assert!(Instant::now() < deadline, "{problem}");
            // The writer takes what is counted with the next command, whatever becomes of that.
            let unknown = crate::city::envelope(Step::ACCEPT.take_with(CaseId(9_999), ""));
            let _ = writer.send_many_blocking(vec![unknown]);
            std::thread::sleep(Duration::from_millis(10));
        }
        writer.stop();
        let (store, kept) = Store::open(dir.path(), &other).unwrap();
        drop(store);
        let report = check(dir.path(), &other).unwrap();
        assert!(report.is_sound() && report.snapshots > 0, "{}", report.table());
        std::fs::remove_dir_all(dir.path().join("snapshots")).unwrap();
        let (_store, replayed) = Store::open(dir.path(), &other).unwrap();
        assert_eq!(kept.differs(&replayed), [""; 0]);
    }
}

/// A hall that is stopped before its counts are exact keeps no guess as if it were known.
#[test]
fn a_guess_is_never_kept_as_a_snapshot_of_this_version() {
    let dir = first_store();
    for _ in 0..5 {
        let (store, state) = Store::open(dir.path(), &policy()).unwrap();
        let clock = TestClock::new();
        let writer = spawn_with(store, state, Box::new(()), clock.reading());
        report_one(&writer);
        writer.stop();
        let report = server::check::recounted(dir.path(), &policy()).unwrap();
        assert!(report.is_sound(), "{}", report.table());
    }
}

/// The start reads the tail alone: damage long before the snapshot does not even meet it.
#[test]
fn the_first_start_of_this_version_costs_the_tail_only() {
    let spoilt = |with_snapshot: bool| {
        let dir = first_store();
        let conn = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
        let closed = "SELECT min(seq) FROM events WHERE case_id IN (SELECT case_id FROM events WHERE name = 'case_closed')";
        let changed = conn.execute(&format!("UPDATE events SET body = 'x' WHERE seq = ({closed})"), []);
        assert_eq!(changed.unwrap(), 1);
        conn.close().unwrap();
        if !with_snapshot {
            std::fs::remove_dir_all(dir.path().join("snapshots")).unwrap();
        }
        Store::open(dir.path(), &policy()).map(|(_, state)| state.seq)
    };
    assert!(spoilt(false).unwrap_err().to_string().contains("event"), "a replay does meet it");
    assert_eq!(spoilt(true).unwrap(), 63);
}
