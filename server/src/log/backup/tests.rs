//! Backups and what is made of them: whole, then only the news; damage anywhere is said and never called good.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::conformance::{command, event};
use super::super::container::Section;
use super::super::sqlite::SqliteLog;
use super::super::{
    Blob, CommandRow, EventRow, Group, Log, PersonRow, Subject, check, each_event, restore, seal,
};
use super::*;

mod past;
mod leftovers;

const NOW_MS: i64 = 1_795_226_400_000;

/// A data folder with a log that grows.
struct Source {
    dir: tempfile::TempDir,
    log: SqliteLog,
    seq: u64,
}

impl Source {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(dir.path(), false, None).unwrap();
        for name in ["access.db", "positions.db"] {
            let conn = Connection::open(dir.path().join(name)).unwrap();
            conn.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(20000));").unwrap();
        }
        Self { dir, log, seq: 0 }
    }

    /// Appends `count` events, each with its command, person and blob.
    fn grow(&mut self, count: u64) {
        for _ in 0..count {
            self.seq += 1;
            let seq = self.seq;
            let key = seal::new_key();
            let person = PersonRow {
                no: 0,
                case: seq,
                sealed: seal::seal(&key, seq, &format!("张{seq}")),
                key: Some(key),
            };
            let mut command = command(0, "周", seq, seq);
            command.key[..8].copy_from_slice(&seq.to_le_bytes());
            let blobs =
                if seq.is_multiple_of(10) { vec![Blob::of(vec![seq as u8; 100])] } else { Vec::new() };
            let group = Group {
                events: vec![event(seq)],
                commands: vec![command],
                blobs,
                persons: vec![person],
                ..Group::default()
            };
            self.log.append(&group).unwrap();
        }
    }

    fn backup(&self, folder: &Path) -> Result<Made, BackupError> {
        backup(self.dir.path(), folder, NOW_MS)
    }
}

fn rows(log: &dyn Read) -> (Vec<EventRow>, Vec<CommandRow>, Vec<PersonRow>, Vec<Blob>) {
    let (mut stand, mut all) = (Stand::default(), (vec![], vec![], vec![], vec![]));
    loop {
        let group = log.since(stand, 1_000).unwrap();
        if group.is_empty() {
            return all;
        }
        stand = stand.after(&group);
        all.0.extend(group.events);
        all.1.extend(group.commands);
        all.2.extend(group.persons);
        all.3.extend(group.blobs);
    }
}

/// Restores into a new folder and opens what came of it.
fn restored(folder: &Path) -> (tempfile::TempDir, SqliteLog) {
    let to = tempfile::tempdir().unwrap();
    restore::restore(folder, to.path()).unwrap();
    let log = SqliteLog::open(to.path(), false, None).unwrap();
    (to, log)
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join(SEGMENTS)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.extension().unwrap() == "segment").collect();
    found.sort();
    found
}

#[test]
fn the_first_backup_is_whole_the_next_one_the_news_and_both_restore_to_the_same_rows() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(60);
    let made = source.backup(folder.path()).unwrap();
    assert!(made.first && made.new_events == 60 && made.list.copies.len() == 2, "{made:?}");
    source.grow(15);
    let first = std::fs::read(&segments(folder.path())[0]).unwrap();
    let made = source.backup(folder.path()).unwrap();
    assert_eq!((made.first, made.new_events, made.new_segments, made.list.segments), (false, 15, 1, 2));
    assert_eq!(std::fs::read(&segments(folder.path())[0]).unwrap(), first, "what was sealed does not change");
    let made = source.backup(folder.path()).unwrap();
    assert_eq!((made.new_events, made.new_segments, made.new_bytes), (0, 0, 0), "nothing is new");

    let (to, log) = restored(folder.path());
    assert_eq!(rows(&log), rows(&source.log));
    assert_ne!(log.epoch(), source.log.epoch(), "its numbers will be given again");
    assert_eq!(log.secret(), source.log.secret(), "keyed hashes and imported rows are known again");
    assert_eq!(check::check(&log).unwrap().problems, Vec::<String>::new());
    assert_eq!(log.remembered("周", &rows(&log).1[70].key).unwrap().unwrap().first, 71);
    let conn = Connection::open(to.path().join("access.db")).unwrap();
    assert!(conn.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap() > 0);
    assert!(matches!(restore::restore(folder.path(), to.path()), Err(BackupError::Leftovers { .. })));
}

#[test]
fn erasing_a_person_reaches_the_backup_and_breaks_nothing() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(20);
    source.backup(folder.path()).unwrap();
    source.log.erase(7).unwrap();
    source.grow(5);
    let made = source.backup(folder.path()).unwrap();
    assert_eq!(made.list.erased, 1);
    for number in 1..=2 {
        let sealed = segment::peek(&segment::path_of(&folder.path().join(SEGMENTS), number)).unwrap();
        let keys = segment::keys(&folder.path().join(SEGMENTS), &sealed).unwrap();
        assert!(!keys.iter().any(|(case, _)| *case == 7), "segment {number} still has the key");
    }
    let (_to, log) = restored(folder.path());
    assert_eq!(log.person(7).unwrap().unwrap().key, None);
    let person = log.person(8).unwrap().unwrap();
    assert_eq!(seal::open(&person.key.unwrap(), 8, &person.sealed).as_deref(), Some("张8"));
    assert_eq!(
        log.of(Subject::Case(7), u64::MAX, 10).unwrap(),
        source.log.of(Subject::Case(7), u64::MAX, 10).unwrap()
    );
    assert_eq!(check::check(&log).unwrap().problems, Vec::<String>::new());
}

/// A first backup that was killed leaves no list: it is none. The next one goes on behind its whole segments.
#[test]
fn an_unfinished_backup_never_passes_for_one_and_is_gone_on_with() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(30);
    source.backup(folder.path()).unwrap();
    std::fs::remove_file(folder.path().join(LIST)).unwrap();
    std::fs::write(folder.path().join(SEGMENTS).join("00000002.segment.unfinished"), "half a segm").unwrap();
    let to = tempfile::tempdir().unwrap();
    assert!(matches!(restore::restore(folder.path(), to.path()), Err(BackupError::None { .. })));
    assert!(!to.path().join(super::super::sqlite::file::DATABASE).exists());
    source.grow(5);
    let made = source.backup(folder.path()).unwrap();
    assert_eq!((made.list.segments, made.list.head.seq), (2, 35));
    assert_eq!(rows(&restored(folder.path()).1), rows(&source.log));
}

#[test]
fn a_damaged_source_is_no_backup_and_the_one_before_stays() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(30);
    source.backup(folder.path()).unwrap();
    let before = std::fs::read(folder.path().join(LIST)).unwrap();
    source.grow(10);
    let conn = Connection::open(source.dir.path().join(super::super::sqlite::file::DATABASE)).unwrap();
    conn.execute("UPDATE events SET body = '{}' WHERE seq = 35", []).unwrap();
    let error = source.backup(folder.path()).unwrap_err();
    let words = format!("{:#}", anyhow::Error::from(error));
    assert!(words.contains("event 35") && words.contains("checksum"), "{words}");
    conn.execute("DELETE FROM events WHERE seq = 35", []).unwrap();
    let words = format!("{:#}", anyhow::Error::from(source.backup(folder.path()).unwrap_err()));
    assert!(words.contains("event 35 is missing"), "{words}");
    assert_eq!(std::fs::read(folder.path().join(LIST)).unwrap(), before);
    assert_eq!(segments(folder.path()).len(), 1, "nothing half is left");
    assert_eq!(restored(folder.path()).1.head().unwrap().seq, 30, "the backup before is still good");
}

#[test]
fn a_damaged_or_missing_database_beside_the_log_is_no_backup() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(3);
    source.backup(folder.path()).unwrap();
    let path = source.dir.path().join("access.db");
    let whole = std::fs::read(&path).unwrap();
    let mut torn = whole.clone();
    let middle = torn.len() / 2;
    torn[middle..].fill(0xA5);
    std::fs::write(&path, &torn).unwrap();
    let words = source.backup(folder.path()).unwrap_err().to_string();
    assert!(words.contains("access.db"), "{words}");
    std::fs::remove_file(&path).unwrap();
    let words = source.backup(folder.path()).unwrap_err().to_string();
    assert!(words.contains("gone"), "{words}");
    std::fs::write(&path, "").unwrap();
    let copies = read_list(folder.path()).unwrap().unwrap().copies;
    let words = source.backup(folder.path()).unwrap_err().to_string();
    assert!(words.contains("empty"), "{words}");
    assert_eq!(read_list(folder.path()).unwrap().unwrap().copies, copies);
    assert!(copies.iter().all(|copy| folder.path().join(&copy.file).exists()), "the last good copy stays");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(source.dir.path().join("access.db-wal"), "what is left of it").unwrap();
    source.backup(tempfile::tempdir().unwrap().path()).expect_err("nor does a first backup pass it over");
    std::fs::remove_file(source.dir.path().join("access.db-wal")).unwrap();
    std::fs::write(&path, &whole).unwrap();
    source.backup(folder.path()).expect("and with it again there is one");
}

/// Method: every byte of a small segment in turn, every cut of it, and each file taken away.
#[test]
fn a_backup_that_is_damaged_anywhere_is_neither_gone_on_with_nor_restored() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(4);
    source.backup(folder.path()).unwrap();
    let path = segments(folder.path()).pop().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x20;
        std::fs::write(&path, &changed).unwrap();
        assert!(segment::verify(&path, |_| Ok(())).is_err(), "byte {at} changed");
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(segment::verify(&path, |_| Ok(())).is_err(), "cut at {at}");
    }
    assert!(matches!(source.backup(folder.path()), Err(BackupError::Unsound { .. })));
    std::fs::write(&path, &whole).unwrap();
    source.grow(4);
    source.backup(folder.path()).unwrap();
    let refused = |words: &str| {
        let to = tempfile::tempdir().unwrap();
        let error = restore::restore(folder.path(), to.path()).expect_err(words);
        assert!(!to.path().join(super::super::sqlite::file::DATABASE).exists(), "{words}: {error}");
    };
    for (file, words) in [
        (path.clone(), "a segment is gone"),
        (segment::keys_path_of(&folder.path().join(SEGMENTS), 1), "keys are gone"),
        (folder.path().join(&read_list(folder.path()).unwrap().unwrap().copies[0].file), "accounts are gone"),
    ] {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        refused(words);
        std::fs::write(&file, [&bytes[..], b"x"].concat()).unwrap();
        refused("and longer");
        std::fs::write(&file, &bytes).unwrap();
    }
    restored(folder.path());
}

#[test]
fn another_stores_folder_and_a_log_that_lost_events_are_refused() {
    let (mut source, mut other) = (Source::new(), Source::new());
    let folder = tempfile::tempdir().unwrap();
    source.grow(5);
    other.grow(5);
    source.backup(folder.path()).unwrap();
    assert!(matches!(other.backup(folder.path()), Err(BackupError::OtherStore { .. })));
    assert!(matches!(source.backup(source.dir.path()), Err(BackupError::HoldsStore { .. })));
    let conn = Connection::open(source.dir.path().join(super::super::sqlite::file::DATABASE)).unwrap();
    conn.execute("DELETE FROM events WHERE seq > 3", []).unwrap();
    assert!(matches!(source.backup(folder.path()), Err(BackupError::Behind { log: 3, backup: 5, .. })));
}

#[test]
fn snapshots_go_along_and_fit_the_restored_store() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(10);
    let section = Section { name: "open".to_owned(), form: 1, bytes: vec![1; 900] };
    let epoch = source.log.epoch();
    let at = |seq| Container { epoch, seq, sections: vec![section.clone()] };
    shelf::put(source.dir.path(), &at(5), 20_261_121).unwrap();
    shelf::put(source.dir.path(), &at(10), 20_261_122).unwrap();
    assert_eq!(source.backup(folder.path()).unwrap().new_snapshots, 2);
    assert_eq!(source.backup(folder.path()).unwrap().new_snapshots, 0);
    let (to, log) = restored(folder.path());
    let newest = shelf::newest(to.path(), log.epoch(), 10, &[("open", 1)], |container| Ok(container.seq));
    assert_eq!(newest, Some(10));
}

/// Golden: rows in segments are read for as long as there are backups.
#[test]
fn rows_in_segments_keep_their_bytes() {
    let digest = |bytes: Vec<u8>| schema::hex(&Sha256::digest(bytes)[..8]);
    let group = Group {
        events: vec![event(15)],
        commands: vec![command(3, "周", 15, 15)],
        blobs: vec![Blob::of(b"b".to_vec())],
        persons: vec![PersonRow { no: 1, case: 2, sealed: vec![3], key: None }],
        ..Group::default()
    };
    let digests = [
        digest(postcard::to_allocvec(&group.events[0]).unwrap()),
        digest(postcard::to_allocvec(&group.commands[0]).unwrap()),
        digest(postcard::to_allocvec(&group.blobs[0]).unwrap()),
        digest(postcard::to_allocvec(&group.persons[0]).unwrap()),
    ];
    assert_eq!(
        digests,
        ["b6be287cc50c8e00", "a76e17d7cf92216f", "c91ee3bdc08da212", "f88b5e0ecd98818c"],
        "raise the version of segments, and read both"
    );
}

#[test]
fn check_finds_what_is_wrong_and_passes_what_is_sound() {
    let mut source = Source::new();
    source.grow(40);
    let found = check::check(&source.log).unwrap();
    assert_eq!((found.events, found.commands, found.persons, found.blobs), (40, 40, 40, 4));
    assert_eq!(found.problems, Vec::<String>::new());
    let mut read = 0;
    each_event::<LogError>(&source.log, 0, |_| {
        read += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(read, 40);
    let path = source.dir.path().join(super::super::sqlite::file::DATABASE);
    for (change, words) in [
        ("UPDATE commands SET last_seq = 99 WHERE no = 3", "key 3"),
        ("UPDATE commands SET first_seq = 9, last_seq = 3 WHERE no = 4", "key 4"),
        ("UPDATE persons SET sealed = x'0102' WHERE case_id = 9", "case 9"),
        ("DELETE FROM events WHERE seq = 20", "event 20"),
        ("UPDATE blobs SET bytes = x'00' WHERE no = 2", "blob 2"),
        ("UPDATE events SET actor = 'x' WHERE seq = 30", "event 30"),
    ] {
        Connection::open(&path).unwrap().execute(change, []).unwrap();
        let problems = check::check(&source.log).unwrap().problems;
        assert!(problems.iter().any(|problem| problem.contains(words)), "{change}: {problems:?}");
    }
}
