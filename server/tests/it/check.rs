//! What `gridhall check` proves of a snapshot, and that it says what it does not.

use std::path::Path;

use server::check::{Report, check};
use server::log::container::Container;
use server::log::shelf;
use server::stored::state::{SECTIONS, known};

use crate::city::{self, TestClock, report_case, send, start};

/// A stopped store with open cases; its newest snapshot is at its last event.
fn filled(dir: &Path) {
    let (writer, _) = start(dir, &TestClock::new(), Box::new(()));
    for _ in 0..3 {
        send(&writer, report_case()).unwrap();
    }
    writer.stop();
}

/// Writes the newest snapshot anew, with a change.
fn rewritten(dir: &Path, change: impl FnOnce(&mut Container)) {
    let kept = shelf::list(dir).pop().unwrap();
    let mut container = Container::decode(&std::fs::read(&kept.path).unwrap(), &known(&SECTIONS)).unwrap();
    change(&mut container);
    std::fs::write(&kept.path, container.encode()).unwrap();
}

fn checked(dir: &Path) -> Report {
    check(dir, &city::policy()).unwrap()
}

fn of_before(report: &Report) -> usize {
    report.unproved.iter().filter(|what| what.contains("in 1 snapshot of an earlier version")).count()
}

/// Method: the newest snapshot as a version before wrote it, with cases in their first form; then one cell of its tally changed
/// as well, and then a case left out.
#[test]
fn a_snapshot_of_before_is_held_against_the_events_in_all_it_does_not_guess() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let report = checked(dir.path());
    assert!(report.is_sound() && report.snapshots > 0 && of_before(&report) == 0, "{}", report.table());

    let section = |container: &mut Container, name: &str| {
        container.sections.iter().position(|section| section.name == name).unwrap()
    };
    rewritten(dir.path(), |container| {
        let cases = section(container, "cases");
        container.sections[cases].form = 1;
    });
    let report = checked(dir.path());
    assert!(report.is_sound() && of_before(&report) == 1, "{}", report.table());

    let whole = std::fs::read(&shelf::list(dir.path()).pop().unwrap().path).unwrap();
    rewritten(dir.path(), |container| {
        let tally = section(container, "tally");
        let text = String::from_utf8(container.sections[tally].bytes.clone()).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let (cell, _) = first.rsplit_once(' ').unwrap();
        container.sections[tally].bytes = format!("{cell} 999\n{rest}").into_bytes();
    });
    let report = checked(dir.path());
    assert!(report.problems.concat().contains("differs from its events (tally)"), "{}", report.table());

    std::fs::write(&shelf::list(dir.path()).pop().unwrap().path, whole).unwrap();
    rewritten(dir.path(), |container| {
        let cases = section(container, "cases");
        let text = String::from_utf8(container.sections[cases].bytes.clone()).unwrap();
        let (_, rest) = text.split_once('\n').unwrap();
        container.sections[cases].bytes = rest.as_bytes().to_vec();
    });
    let report = checked(dir.path());
    assert!(report.problems.concat().contains("(open cases and deadlines)"), "{}", report.table());
}

/// Method: what SQLite keeps beside a file cannot be made, as in a folder that is mounted to be read. The accounts stand for every
/// file that a server writes.
#[test]
fn a_folder_that_may_not_be_written_is_checked_or_said_to_be_out_of_reach() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    drop(city::laid_out(dir.path(), &city::policy()));
    let accounts = rusqlite::Connection::open(dir.path().join("access.db")).unwrap();
    accounts.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE accounts (name TEXT);").unwrap();
    accounts.close().unwrap();
    let views = server::views::file::name(server::views::sql::VERSION);
    for file in ["access.db", &views] {
        let index = dir.path().join(format!("{file}-shm"));
        assert!(!index.exists(), "{file} is at rest");
        std::os::unix::fs::symlink("nowhere/at/all", index).unwrap();
    }
    let report = checked(dir.path());
    assert!(report.is_sound() && report.laid_out.is_some(), "{}", report.table());
    assert!(!report.table().contains("may not be written"), "{}", report.table());

    // Beside a server it would be a guess.
    let lock = std::fs::File::options().write(true).open(dir.path().join("gridhall.lock")).unwrap();
    lock.lock().unwrap();
    let report = checked(dir.path());
    let said = |what: &str| {
        report.unproved.iter().any(|said| said.starts_with(what) && said.contains("may not be written"))
    };
    assert!(said("pages of access.db") && said("lists of closed cases"), "{}", report.table());
    assert!(report.is_sound(), "{}", report.table());
}
