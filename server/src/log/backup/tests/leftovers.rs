//! Restoring where something lies already: refused and left alone, or what a killed restore left and nobody misses.

use super::*;
use crate::log::sqlite::file;

/// A backup of a small store.
fn backed_up() -> (Source, tempfile::TempDir) {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(12);
    source.backup(folder.path()).unwrap();
    (source, folder)
}

/// Method: each file a store may have left in its folder, alone; what SQLite keeps beside a database is played into it.
#[test]
fn a_folder_with_anything_of_a_store_in_it_is_refused_by_name_and_left_alone() {
    let (_source, folder) = backed_up();
    for left in [
        "gridhall.db",
        "gridhall.db-wal",
        "gridhall.db-shm",
        "gridhall.db-journal",
        "access.db",
        "access.db-wal",
        "access.db-shm",
        "positions.db",
        "positions.db-wal",
        "views-1.db",
        "views-2.db-wal",
        "backup.json",
        "snapshots/00000000000000000040-20261121.state",
        "snapshots/00000000000000000040.snapshot",
    ] {
        let to = tempfile::tempdir().unwrap();
        let path = to.path().join(left);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "the last of its kind").unwrap();
        let error = restore::restore(folder.path(), to.path()).expect_err(left);
        assert!(matches!(error, BackupError::Leftovers { .. }), "{left}: {error:?}");
        let (words, name) = (error.to_string(), left.split_inclusive('/').next().unwrap());
        assert!(words.contains(name) && words.contains("new folder"), "{words}");
        assert_eq!(std::fs::read(&path).unwrap(), b"the last of its kind");
        let entries = std::fs::read_dir(to.path()).unwrap().count();
        assert_eq!(entries, 1, "{left}: nothing came beside it");
    }
}

/// What is not of a store is nobody's business, nor is what a killed restore left.
#[test]
fn what_a_killed_restore_left_and_foreign_files_are_in_nobodys_way() {
    let (source, folder) = backed_up();
    let to = tempfile::tempdir().unwrap();
    std::fs::write(to.path().join("gridhall.lock"), "").unwrap();
    std::fs::write(to.path().join("read me.txt"), "of the operator").unwrap();
    std::fs::create_dir(to.path().join("snapshots")).unwrap();
    let half = to.path().join("restore.unfinished");
    std::fs::create_dir_all(half.join("snapshots")).unwrap();
    for name in
        [file::DATABASE, "gridhall.db-wal", "access.db", "snapshots/00000000000000000099-20261121.state"]
    {
        std::fs::write(half.join(name), "half").unwrap();
    }
    restore::restore(folder.path(), to.path()).unwrap();
    let log = SqliteLog::open(to.path(), false, None).unwrap();
    assert_eq!(rows(&log), rows(&source.log));
    assert!(!half.exists() && shelf::list(to.path()).is_empty());
    assert_eq!(std::fs::read(to.path().join("read me.txt")).unwrap(), b"of the operator");
}

/// One that fails leaves nothing of itself, so that the next needs no tidying.
#[test]
fn a_restore_that_fails_leaves_the_folder_as_it_was() {
    let (source, folder) = backed_up();
    let copy = folder.path().join(&read_list(folder.path()).unwrap().unwrap().copies[1].file);
    let whole = std::fs::read(&copy).unwrap();
    std::fs::write(&copy, "torn").unwrap();
    let to = tempfile::tempdir().unwrap();
    restore::restore(folder.path(), to.path()).unwrap_err();
    assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 0);
    std::fs::write(&copy, whole).unwrap();
    restore::restore(folder.path(), to.path()).unwrap();
    assert_eq!(rows(&SqliteLog::open(to.path(), false, None).unwrap()), rows(&source.log));
}

/// Method: a list that somebody wrote, with the right hash of a file that is there.
#[test]
fn a_list_that_names_anything_else_writes_nowhere() {
    let (_source, folder) = backed_up();
    let mut list = read_list(folder.path()).unwrap().unwrap();
    list.copies[0].name = "../elsewhere.db".to_owned();
    std::fs::write(folder.path().join(LIST), serde_json::to_vec(&list).unwrap()).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let to = outside.path().join("data");
    let error = restore::restore(folder.path(), &to).unwrap_err();
    assert!(matches!(error, BackupError::Unsound { .. }), "{error:?}");
    assert!(!outside.path().join("elsewhere.db").exists() && !to.join("elsewhere.db").exists());
}

/// A backup that was killed before its list leaves segments and snapshots of events that the list does not name: the restored log
/// ends before them and gives their numbers to others.
#[test]
fn snapshots_beyond_the_end_of_the_list_are_not_restored() {
    let (mut source, folder) = backed_up();
    let list = std::fs::read(folder.path().join(LIST)).unwrap();
    source.grow(8);
    let section = Section { name: "open".to_owned(), form: 1, bytes: vec![1; 900] };
    for seq in [10, 20] {
        let container = Container { epoch: source.log.epoch(), seq, sections: vec![section.clone()] };
        shelf::put(source.dir.path(), &container, 20_261_121).unwrap();
    }
    source.backup(folder.path()).unwrap();
    std::fs::write(folder.path().join(LIST), list).unwrap();
    let to = tempfile::tempdir().unwrap();
    // The copies of then are gone with the list that named them; only what follows them matters here.
    let mut then = read_list(folder.path()).unwrap().unwrap();
    then.copies.clear();
    std::fs::write(folder.path().join(LIST), serde_json::to_vec(&then).unwrap()).unwrap();
    assert_eq!(restore::restore(folder.path(), to.path()).unwrap().snapshots, 1);
    let kept: Vec<u64> = shelf::list(to.path()).iter().map(|kept| kept.seq).collect();
    assert_eq!(kept, [10], "event 20 is not in this log");
}
