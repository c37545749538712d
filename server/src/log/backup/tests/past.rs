//! A store that an older copy went on as: the same epoch, another past. Its backup is told from the one before.

use super::*;

/// Copies the data folder of a source that nobody writes to, with what its log has not folded in yet.
fn copied(source: &Source) -> Source {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(source.dir.path()).unwrap() {
        let from = entry.unwrap().path();
        if from.is_file() {
            std::fs::copy(&from, dir.path().join(from.file_name().unwrap())).unwrap();
        }
    }
    let log = SqliteLog::open(dir.path(), false, None).unwrap();
    Source { dir, log, seq: source.seq }
}

/// Every file of a backup with its bytes.
fn bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Refused with words that say what to do, and not a byte of the backup is changed; a new folder takes the store.
fn refused(source: &Source, folder: &Path, what: &str) {
    let before = bytes(folder);
    let error = source.backup(folder).expect_err(what);
    assert!(matches!(&error, BackupError::OtherPast { what: is, .. } if is == what), "{what}: {error:?}");
    let words = error.to_string();
    assert!(words.contains("name a new folder") && words.contains("nothing was changed"), "{words}");
    assert_eq!(bytes(folder), before, "the backup stays what it was");
    let anew = tempfile::tempdir().unwrap();
    source.backup(anew.path()).unwrap();
    assert_eq!(rows(&restored(anew.path()).1), rows(&source.log));
}

#[test]
fn an_older_copy_that_went_on_is_not_appended_to_the_backup_of_the_future_it_lost() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(26);
    source.backup(folder.path()).unwrap();
    let mut older = copied(&source);
    source.grow(2);
    source.backup(folder.path()).unwrap();
    assert_eq!(older.log.epoch(), source.log.epoch(), "the epoch tells nothing");
    // Persons differ by their keys and so do the bodies of what is said about them; events of a city that lives by the clock may
    // well be the same.
    older.grow(20);
    refused(&older, folder.path(), "person 27");
    source.grow(3);
    source.backup(folder.path()).expect("the store it was made of goes on");
    assert_eq!(rows(&restored(folder.path()).1), rows(&source.log));
}

#[test]
fn another_event_or_key_or_list_at_the_place_of_one_in_the_backup_is_another_past() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(10);
    let mut older = copied(&source);
    let mut other_event = copied(&source);
    let mut other_key = copied(&source);
    let mut other_list = copied(&source);
    let only = |events, commands, blobs| Group { events, commands, blobs, ..Group::default() };
    let at = |actor: &str| EventRow { actor: actor.to_owned(), ..event(11) }.summed();
    let key = |of: u8| CommandRow { key: [of; 16], ..command(0, "周", 11, 11) };
    let list = |of: u8| Blob::of(vec![of; 50]);
    source.log.append(&only(vec![at("周")], vec![key(1)], vec![list(1)])).unwrap();
    source.seq += 1;
    source.backup(folder.path()).unwrap();
    // Growing adds a list with every tenth event only, so that the last of them has one less.
    for (store, group, what) in [
        (&mut other_event, only(vec![at("李")], vec![key(1)], vec![list(1)]), "event 11"),
        (&mut other_key, only(vec![at("周")], vec![key(2)], vec![list(1)]), "key 11"),
        (&mut other_list, only(vec![at("周")], vec![key(1)], vec![list(2)]), "adopted list or policy 2"),
        (&mut older, only(vec![at("周")], vec![key(1)], vec![]), "its newest adopted list or policy"),
    ] {
        store.log.append(&group).unwrap();
        store.seq += 1;
        store.grow(5);
        refused(store, folder.path(), what);
    }
}

/// A key that ended, a person who was erased and a segment without events are no other past; and what the segment before such a
/// one holds is looked at all the same.
#[test]
fn what_a_log_forgets_by_itself_is_no_other_past() {
    let mut source = Source::new();
    let folder = tempfile::tempdir().unwrap();
    source.grow(10);
    let mut older = copied(&source);
    older
        .log
        .append(&Group {
            events: vec![EventRow { actor: "李".to_owned(), ..event(11) }.summed()],
            ..Group::default()
        })
        .unwrap();
    source.log.append(&Group { events: vec![event(11)], ..Group::default() }).unwrap();
    source.backup(folder.path()).unwrap();
    let without_events = Group {
        commands: vec![CommandRow { key: [9; 16], ..command(0, "周", 11, 10) }],
        ..Group::default()
    };
    source.log.append(&without_events).unwrap();
    older.log.append(&without_events).unwrap();
    let made = source.backup(folder.path()).unwrap();
    assert_eq!((made.new_segments, made.new_events), (1, 0), "a segment without events");
    assert!(
        matches!(older.backup(folder.path()), Err(BackupError::OtherPast { what, .. }) if what == "event 11")
    );
    source.log.forget(i64::MAX, 1_000).unwrap();
    source.log.erase(10).unwrap();
    source.seq += 1;
    source.grow(1);
    source.backup(folder.path()).unwrap();
    source.log.forget(i64::MAX, 1_000).unwrap();
    source.log.erase(12).unwrap();
    source.backup(folder.path()).expect("all keys of the last segment have ended, and its person is erased");
}
