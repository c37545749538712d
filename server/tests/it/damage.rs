//! Bad folders and bad files: each is refused with words that name the path and what to do, and nothing is changed.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use domain::case::Step;
use server::check::check;
use server::folder::{DATABASE, StoreError};
use server::writer::WriteError;
use server::writer::store::{Options, Store};

use crate::city::{self, TestClock, envelope, report_case, send, start, start_with};

/// A store with some cases, cleanly closed.
fn filled(dir: &Path) {
    let (writer, _) = start(dir, &TestClock::new(), Box::new(()));
    let commands = (0..300).map(|_| envelope(report_case())).collect();
    writer.send_many_blocking(commands).into_iter().for_each(|outcome| drop(outcome.unwrap()));
    writer.stop();
}

fn open(dir: &Path) -> Result<(), StoreError> {
    Store::open(dir, &city::policy()).map(drop)
}

fn bytes(dir: &Path) -> Vec<u8> {
    std::fs::read(dir.join(DATABASE)).unwrap()
}

/// The store is refused in words that name the file and hold `words`, and the file stays as it is.
fn refused(dir: &Path, words: &str) -> StoreError {
    let before = bytes(dir);
    let error = open(dir).expect_err("this store must be refused");
    let text = error.chain();
    assert!(text.contains(words), "{text:?} says {words:?}");
    assert!(text.contains(&dir.display().to_string()), "{text:?} names the folder");
    assert_eq!(bytes(dir), before, "the file was not touched");
    error
}

#[test]
fn foreign_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE);
    std::fs::write(&path, "a shopping list\n".repeat(500)).unwrap();
    assert!(matches!(refused(dir.path(), "not a gridhall store"), StoreError::Foreign { .. }));
    std::fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE events(seq INTEGER PRIMARY KEY)").unwrap();
    other.close().unwrap();
    assert!(matches!(refused(dir.path(), "--data-dir"), StoreError::Foreign { .. }));
}

#[test]
fn store_of_a_newer_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
    conn.pragma_update(None, "journal_mode", "DELETE").unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    conn.close().unwrap();
    assert!(matches!(refused(dir.path(), "format 99"), StoreError::Newer { is: 99, .. }));
}

/// Method: the file is cut at every page boundary and in the middle of every page.
#[test]
fn file_cut_anywhere_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let whole = bytes(dir.path());
    for cut in (0..whole.len()).step_by(2_048) {
        std::fs::write(dir.path().join(DATABASE), &whole[..cut]).unwrap();
        assert!(matches!(refused(dir.path(), "damaged"), StoreError::Damaged { .. }), "cut at byte {cut}");
    }
    std::fs::write(dir.path().join(DATABASE), &whole).unwrap();
    open(dir.path()).expect("the whole file opens again");
}

/// Method: each page in turn is overwritten, whole and by half as a torn write leaves it. Opening must refuse it, or
/// `check` must find it; a refused file is not touched.
#[test]
fn torn_page_is_refused_or_found_by_check() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let whole = bytes(dir.path());
    let mut refusals = 0;
    for page in 1..whole.len() / 4_096 {
        for from in [0, 2_048] {
            let mut torn = whole.clone();
            let lost = &mut torn[page * 4_096 + from..(page + 1) * 4_096];
            // Half a page may hold nothing, as in a table without rows.
            if lost.iter().all(|byte| *byte == 0) {
                continue;
            }
            lost.fill(0xA5);
            std::fs::write(dir.path().join(DATABASE), &torn).unwrap();
            match check(dir.path(), &city::policy()) {
                Err(_) => {}
                Ok(report) => assert!(!report.is_sound(), "page {page} from byte {from} goes unnoticed"),
            }
            match open(dir.path()) {
                Ok(()) => {}
                Err(StoreError::Damaged { .. } | StoreError::Event { .. } | StoreError::Sql { .. }) => {
                    refusals += 1;
                    assert_eq!(bytes(dir.path()), torn, "the file was not touched");
                }
                Err(other) => panic!("page {page}: {other:?}"),
            }
            // A store that opened may have written; begin the next page from the same file.
            for left in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(dir.path().join(format!("{DATABASE}{left}")));
            }
        }
    }
    assert!(refusals > whole.len() / 4_096, "most torn pages are seen at the start: {refusals}");
}

#[test]
fn changed_byte_in_an_event_is_found() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    std::fs::remove_dir_all(dir.path().join("snapshots")).unwrap();
    // SQLite itself is used to change one word, so that the file is sound in every other respect.
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
    let changed =
        conn.execute("UPDATE events SET body = replace(body, '缺失', '完好') WHERE seq = 150", []).unwrap();
    assert_eq!(changed, 1);
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    conn.close().unwrap();
    refused(dir.path(), "checksum");
}

#[test]
fn lost_database_beside_its_snapshots_is_not_replaced_by_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    std::fs::remove_file(dir.path().join(DATABASE)).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(error.to_string().contains("gone"), "{error}");
    assert!(!dir.path().join(DATABASE).exists());
}

#[test]
fn damaged_snapshot_is_passed_over_and_named_by_check() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let (_, before) = Store::open(dir.path(), &city::policy()).unwrap();
    let snapshot = std::fs::read_dir(dir.path().join("snapshots")).unwrap().next().unwrap().unwrap().path();
    let mut file = std::fs::read(&snapshot).unwrap();
    let middle = file.len() / 2;
    file[middle] ^= 1;
    std::fs::write(&snapshot, &file).unwrap();
    let report = check(dir.path(), &city::policy()).unwrap();
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert!(report.problems[0].contains("checksum"), "{:?}", report.problems);
    let (_, after) = Store::open(dir.path(), &city::policy()).unwrap();
    assert_eq!(before, after);
}

/// Method: the newest snapshot is what a later version would have written: a section in a newer form, or one nobody knows.
#[test]
fn a_snapshot_from_the_future_is_passed_over_and_left_alone() {
    use server::log::container::{Container, Section};
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let (store, before) = Store::open(dir.path(), &city::policy()).unwrap();
    drop(store);
    let kept = server::log::shelf::list(dir.path()).pop().unwrap();
    let known = server::stored::state::known(&server::stored::state::SECTIONS);
    let now = Container::decode(&std::fs::read(&kept.path).unwrap(), &known).unwrap();
    for newer in [true, false] {
        let mut later = now.clone();
        if newer {
            later.sections[0].form = 99;
        } else {
            later.sections.push(Section { name: "weather".to_owned(), form: 1, bytes: b"fine".to_vec() });
        }
        let bytes = later.encode();
        std::fs::write(&kept.path, &bytes).unwrap();
        let (store, after) = Store::open(dir.path(), &city::policy()).unwrap();
        drop(store);
        assert_eq!(before, after, "the log tells it all");
        assert_eq!(std::fs::read(&kept.path).unwrap(), bytes, "the later version will find it as it was");
    }
}

#[test]
fn second_process_on_the_same_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, _) = start(dir.path(), &TestClock::new(), Box::new(()));
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&dir.path().display().to_string()));
    send(&writer, report_case()).expect("the first goes on");
    writer.stop();
    open(dir.path()).expect("free again");
}

const READ_ONLY_DIR: &str = "GRIDHALL_READ_ONLY_DIR";

/// Not a test of its own: opens a store as an account that may not write.
#[test]
#[ignore = "run by the read-only test as its child"]
fn read_only_child() {
    let dir = PathBuf::from(std::env::var(READ_ONLY_DIR).expect("the parent names a folder"));
    let error = open(&dir).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains(&dir.display().to_string()));
    assert!(error.to_string().contains("write access"));
}

/// Method: the test binary starts itself; as root, which may write anywhere, under the account `nobody`.
#[test]
fn read_only_folder_is_refused() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("store");
    filled(&folder);
    let before = bytes(&folder);
    // Where `nobody` can reach it: the folder of the build may be closed.
    let copy = dir.path().join("child");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        std::fs::set_permissions(entry.unwrap().path(), std::fs::Permissions::from_mode(0o444)).unwrap();
    }
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut child = Process::new(&copy);
    child.args(["damage::read_only_child", "--exact", "--ignored"]).env(READ_ONLY_DIR, &folder);
    if root {
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(bytes(&folder), before);
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Method: SQLite is given a limit of pages, which it reports as a full disk, and cases are sent until it is reached.
#[test]
fn full_disk_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let options = Options { pages_max: Some(120), ..Options::default() };
    let (writer, reader) = start_with(dir.path(), &clock, Box::new(()), options);
    let mut taken = Vec::new();
    let refusal = loop {
        let group: Vec<_> = (0..20).map(|_| envelope(report_case())).collect();
        let mut outcomes = writer.send_many_blocking(group.clone());
        if let Err(error) = &outcomes[0] {
            assert!(outcomes.iter().all(|outcome| outcome.as_ref() == Err(error)), "all or nothing");
            break error.clone();
        }
        taken.extend(group.into_iter().zip(outcomes.drain(..).map(Result::unwrap)));
        assert!(taken.len() < 10_000, "120 pages are full at some time");
    };
    assert!(matches!(&refusal, WriteError::NotStored(why) if why.contains("disk is full")), "{refusal:?}");
    assert!(!taken.is_empty());
    // A single case may still fit; then there is no room for that either, and what was taken is there.
    loop {
        let single = envelope(report_case());
        match writer.send_many_blocking(vec![single.clone()]).pop().unwrap() {
            Ok(answer) => taken.push((single, answer)),
            Err(WriteError::NotStored(_)) => break,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(matches!(send(&writer, report_case()), Err(WriteError::NotStored(_))), "and stays refused");
    assert!(writer.is_full());
    assert_eq!(reader.head().unwrap(), taken.last().unwrap().1.last_seq);
    writer.stop();

    let (writer, reader) = start(dir.path(), &clock, Box::new(()));
    for (sent, answer) in &taken {
        let again = writer.send_many_blocking(vec![sent.clone()]).pop().unwrap().unwrap();
        assert!(again.replayed && again.first_seq == answer.first_seq);
    }
    let next = send(&writer, report_case()).expect("there is room again");
    assert_eq!(next.first_seq, reader.head().unwrap());
    let case = next.case.unwrap();
    send(&writer, Step::ACCEPT.take(case)).unwrap();
    writer.stop();
    assert_eq!(check(dir.path(), &city::policy()).unwrap().problems, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_full_disk_is_not_ready() {
    let served = super::http::served().await;
    let mut hall = served.running.hall.clone();
    let ready = |hall: &server::http::Hall| server::http::health::ready(axum::extract::State(hall.clone()));
    assert_eq!(ready(&hall).await.0.as_u16(), 200);
    let dir = tempfile::tempdir().unwrap();
    let options = Options { pages_max: Some(120), ..Options::default() };
    let writer = start_with(dir.path(), &TestClock::new(), Box::new(()), options).0;
    hall.writer = server::writer::pen::Pen::Live(writer.clone());
    tokio::task::spawn_blocking(move || while send(&writer, report_case()).is_ok() {}).await.unwrap();
    let (status, words) = ready(&hall).await;
    assert_eq!(status.as_u16(), 503);
    assert!(words.contains("disk is full"), "{words}");
    hall.writer.stop();
    served.running.stop().await.unwrap();
}

fn gridhall(dir: &Path, arguments: &[&str]) -> Process {
    let mut process = Process::new(env!("CARGO_BIN_EXE_gridhall"));
    // No folder of the caller's settings.
    process.current_dir(dir).arg("--data-dir").arg(dir).args(arguments);
    process.stdin(std::process::Stdio::null());
    process
}

/// A night's backup of a damaged store must not be found out on the day it is needed.
#[test]
fn a_copy_that_is_not_sound_is_no_backup() {
    for damage in ["events", "access.db", "positions.db"] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        for name in ["access.db", "positions.db"] {
            let conn = rusqlite::Connection::open(dir.path().join(name)).unwrap();
            conn.execute_batch("CREATE TABLE t(a TEXT NOT NULL); INSERT INTO t VALUES('x')").unwrap();
        }
        if damage == "events" {
            let conn = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
            conn.execute("DELETE FROM events WHERE seq = 7", []).unwrap();
        } else {
            // The page of the table.
            let file = std::fs::OpenOptions::new().write(true).open(dir.path().join(damage)).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, &[0x5a; 100], 4_096).unwrap();
        }
        let outside = tempfile::tempdir().unwrap();
        let to = outside.path().join("backup");
        let made = gridhall(dir.path(), &["backup", to.to_str().unwrap()]).output().unwrap();
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(!made.status.success(), "{damage}: {}", String::from_utf8_lossy(&made.stdout));
        assert!(said.contains("damaged") || said.contains("not sound"), "{damage}: {said}");
        assert!(!to.join("backup.json").exists(), "{damage}: it is called a backup");
        let data = outside.path().join("data");
        let restored =
            gridhall(dir.path(), &["restore", to.to_str().unwrap(), data.to_str().unwrap()]).output();
        let said = String::from_utf8_lossy(&restored.unwrap().stderr).into_owned();
        assert!(said.contains("no finished backup"), "{damage}: {said}");
        assert!(!data.join(DATABASE).exists(), "{damage}");
    }
}

/// Method: a backup of a growing store is killed at every moment of it, into a folder that holds a backup already and into new
/// ones. What is called a backup then restores to a sound store with everything it tells of.
#[test]
fn a_backup_killed_half_way_does_not_pass_for_one() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    for name in ["access.db", "positions.db"] {
        let conn = rusqlite::Connection::open(dir.path().join(name)).unwrap();
        conn.execute_batch("CREATE TABLE t(a TEXT)").unwrap();
    }
    let outside = tempfile::tempdir().unwrap();
    // How long one takes on this machine, as loaded as it is now; kills are spread over that and a little beyond.
    let began = std::time::Instant::now();
    let kept = outside.path().join("kept");
    assert!(gridhall(dir.path(), &["backup", kept.to_str().unwrap()]).output().unwrap().status.success());
    let took = began.elapsed();
    let (mut whole, mut killed) = (0, 0);
    let rounds = if crate::long::is_long() { 100 } else { 24u32 };
    for round in 0..rounds {
        if round % 4 == 0 {
            filled(dir.path());
        }
        let to = outside.path().join(if round % 2 == 0 { "kept".to_owned() } else { format!("new-{round}") });
        let mut process = gridhall(dir.path(), &["backup", to.to_str().unwrap()]);
        let mut child = process.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(took * (round * 7 % rounds) * 5 / (rounds * 4));
        let _ = child.kill();
        killed += u32::from(!child.wait().unwrap().success());
        let data = outside.path().join("data");
        match server::log::restore::restore(&to, &data) {
            Ok(restored) => {
                whole += 1;
                let report = check(&data, &city::policy()).unwrap();
                assert!(report.is_sound() && report.unproved.len() == 1, "{}", report.table());
                open(&data).unwrap();
                let report = check(&data, &city::policy()).unwrap();
                assert!(report.is_sound() && report.missing.is_empty(), "{}", report.table());
                assert_eq!(report.events, restored.events);
                std::fs::remove_dir_all(&data).unwrap();
            }
            Err(server::log::backup::BackupError::None { .. }) => {}
            Err(other) => panic!("round {round}: {other:?}"),
        }
    }
    assert!(killed > 0 && whole > 0, "some were killed ({killed}), some were whole ({whole})");
    // What they left is in nobody's way.
    let to = outside.path().join("kept");
    let made = server::log::backup::backup(dir.path(), &to, 0).unwrap();
    assert_eq!(made.list.head.seq, check(dir.path(), &city::policy()).unwrap().head);
}
