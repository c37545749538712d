//! The log under a writer: backups of a running store, keys, and who reported.

use domain::command::Command;
use domain::event::By;
use domain::rejection::Rejection;
use server::check::check;
use server::log::backup::backup;
use server::log::restore::restore;
use server::writer::store::Store;
use server::writer::{Envelope, WriteError};

use crate::city::{self, TestClock, envelope, report_case, start};

#[test]
fn backup_of_a_running_store_is_whole_and_what_is_restored_has_an_epoch_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let to = tempfile::tempdir().unwrap();
    let (folder, restored) = (to.path().join("backup"), to.path().join("data"));
    let clock = TestClock::new();
    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    let load = {
        let writer = writer.clone();
        std::thread::spawn(move || {
            for _ in 0..100 {
                let group = (0..10).map(|_| envelope(report_case())).collect();
                writer.send_many_blocking(group).into_iter().for_each(|outcome| drop(outcome.unwrap()));
            }
        })
    };
    let first = backup(dir.path(), &folder, 0).unwrap();
    load.join().unwrap();
    let second = backup(dir.path(), &folder, 0).unwrap();
    assert_eq!(second.new_events, second.list.head.seq - first.list.head.seq, "only what is new");
    assert_eq!(second.list.head.seq, reader.head().unwrap());
    let made = restore(&folder, &restored).unwrap();
    assert_ne!(made.epoch, check(dir.path(), &city::policy()).unwrap().epoch);
    let (store, state) = Store::open(&restored, &city::policy()).unwrap();
    assert_eq!(state.seq, second.list.head.seq);
    drop(store);
    let report = server::check::recounted(&restored, &city::policy()).unwrap();
    assert!(report.is_sound() && report.tally_cells > Some(0), "{}", report.table());
    writer.stop();
}

/// Another's key neither blocks nor tells anything; a case's key is answered from the log alone.
#[test]
fn a_key_belongs_to_its_sender() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _) = start(dir.path(), &TestClock::new(), Box::new(()));
    let sent = |key, name: &str, command| {
        let by = By::named(name);
        let envelope = Envelope { key, by, ..envelope(command) };
        writer.send_many_blocking(vec![envelope]).pop().unwrap()
    };
    let key = uuid::Uuid::now_v7();
    let mine = sent(key, "热线", report_case()).unwrap();
    let theirs = sent(key, "手机", report_case()).unwrap();
    assert!(!theirs.replayed && theirs.case != mine.case, "the same key of another is another key");
    let again = sent(key, "热线", report_case()).unwrap();
    assert!(again.replayed && (again.case, again.number) == (mine.case, mine.number));
    let other = sent(key, "热线", Command::ClaimCase { case: mine.case.unwrap() });
    assert_eq!(other, Err(WriteError::Refused(Rejection::KeyReused)));
    writer.stop();
}

/// Who reported is in no file in the clear, and is there for the case's page until it is erased.
#[test]
fn who_reported_is_sealed_apart_from_the_events() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = start(dir.path(), &TestClock::new(), Box::new(()));
    let mut command = report_case();
    let Command::ReportCase { report, .. } = &mut command else { panic!("a report") };
    report.reporter = Some("赵大爷 13987654321".to_owned());
    let first = envelope(command);
    let answer = writer.send_many_blocking(vec![first.clone()]).pop().unwrap().unwrap();
    let case = answer.case.unwrap();
    assert_eq!(reader.reporter(case).unwrap().as_deref(), Some("赵大爷 13987654321"));
    assert_eq!(reader.case(case).unwrap().unwrap().report.reporter, None);
    writer.stop();
    let mut files = vec![dir.path().join(server::folder::DATABASE)];
    files.extend(std::fs::read_dir(dir.path().join("snapshots")).unwrap().map(|entry| entry.unwrap().path()));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(11).any(|part| part == b"13987654321"), "{}", file.display());
    }
    let mut log = server::log::sqlite::SqliteLog::open(dir.path(), true, None).unwrap();
    server::log::Log::erase(&mut log, case.0).unwrap();
    drop(log);
    let (writer, reader) = start(dir.path(), &TestClock::new(), Box::new(()));
    assert_eq!(reader.reporter(case).unwrap(), None);
    let again = writer.send_many_blocking(vec![first]).pop().unwrap().unwrap();
    assert!(again.replayed, "and its key is answered as before");
    writer.stop();
    assert_eq!(check(dir.path(), &city::policy()).unwrap().problems, Vec::<String>::new());
}
