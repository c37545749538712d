//! What only the engine in a file must do: upgrades, moving, refusals, and a write-ahead log that stays small.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::Connection;
use serde_json::Value;

use super::moving::{self, Mover};
use super::{SqliteLog, SqliteReader, file, schema};
use crate::log::conformance::event;
use crate::log::{EventRow, Group, Log, LogError, Read, Subject, each_event, seal};

/// A file of `server/tests/fixtures`, unpacked.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A folder with the store that format 1 left.
fn old_store() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(file::DATABASE), fixture("format-1.db.gz")).unwrap();
    dir
}

/// What was acknowledged by the store of format 1: key, actor, first and last event.
fn acknowledged() -> Vec<Value> {
    let text = String::from_utf8(fixture("format-1.commands.jsonl.gz")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all(log: &dyn Read) -> Vec<EventRow> {
    let mut rows = Vec::new();
    each_event::<LogError>(log, 0, |row| {
        rows.push(row.clone());
        Ok(())
    })
    .unwrap();
    rows
}

fn key(line: &Value) -> [u8; 16] {
    uuid::Uuid::parse_str(line["key"].as_str().unwrap()).unwrap().into_bytes()
}

#[test]
fn a_store_of_format_1_opens_whole_and_its_keys_answer_their_own_actors() {
    let dir = old_store();
    let mut log = SqliteLog::open(dir.path(), false, None).unwrap();
    let head = log.head().unwrap().seq;
    assert_eq!(all(&log).len() as u64, head);
    assert_eq!(log.head().unwrap().command, 0);
    old_keys_answer(&log);
    let mut mover = Mover::open(dir.path()).unwrap().unwrap();
    while mover.bite(|_, _| Ok(())).unwrap() {
        old_keys_answer(&log);
    }
    assert!(log.head().unwrap().command > 200, "they are commands now");
    log.append(&Group { events: vec![event(head + 1)], ..Group::default() }).unwrap();
    assert_eq!(log.of(Subject::Case(event(head + 1).case.unwrap()), u64::MAX, 1).unwrap()[0].seq, head + 1);
    drop((log, mover));
    let log = SqliteLog::open(dir.path(), false, None).unwrap();
    assert!(!log.db.old_keys, "and their old table is gone");
    old_keys_answer(&log);
}

fn old_keys_answer(log: &SqliteLog) {
    let lines = acknowledged();
    assert!(lines.len() > 200, "{}", lines.len());
    for line in &lines {
        let (actor, answer) = (line["actor"].as_str().unwrap(), &line["answer"]);
        let found = log.remembered(actor, &key(line)).unwrap();
        // The timer's words that changed nothing were never kept.
        let Some(found) = found else {
            assert_eq!(line["command"], "pass_deadlines");
            continue;
        };
        assert_eq!(
            (Some(found.first), Some(found.last)),
            (answer["first_seq"].as_u64(), answer["last_seq"].as_u64())
        );
        assert!(found.form == 1 || found.form == 2, "plain in its old place, keyed in the new one");
        if found.last >= found.first {
            assert_eq!(log.remembered("somebody else", &key(line)).unwrap(), None, "{line}");
        }
    }
}

#[test]
fn an_upgraded_file_says_so_in_its_first_page_and_a_newer_one_is_refused_untouched() {
    let dir = old_store();
    let path = dir.path().join(file::DATABASE);
    assert_eq!(file::probe(dir.path(), false).unwrap(), file::Found::Store(1));
    assert!(matches!(SqliteReader::open(dir.path()), Err(LogError::Older { is: 1, .. })));
    drop(SqliteLog::open(dir.path(), false, None).unwrap());
    let bytes = std::fs::read(&path).unwrap();
    let version = u32::from_be_bytes(bytes[60..64].try_into().unwrap());
    assert_eq!(version, schema::FORMAT, "an older programme reads these bytes and touches nothing");
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", schema::FORMAT + 1).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(conn);
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(SqliteLog::open(dir.path(), false, None), Err(LogError::Newer { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// Method: the newer version stands in the write-ahead log alone, where the file's first bytes do not show it.
#[test]
fn a_newer_version_in_the_write_ahead_log_is_refused_too() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteLog::open(dir.path(), false, None).unwrap());
    let conn = file::open_for_writing(&dir.path().join(file::DATABASE), None).unwrap();
    conn.pragma_update(None, "user_version", schema::FORMAT + 1).unwrap();
    assert_eq!(file::probe(dir.path(), false).unwrap(), file::Found::Store(schema::FORMAT));
    assert!(matches!(SqliteLog::open(dir.path(), false, None), Err(LogError::Newer { .. })));
}

/// A kill between two bites, and in the middle of one, leaves a store that goes on where it was.
#[test]
fn persons_of_format_1_are_moved_in_bites_and_nothing_else_changes() {
    let dir = old_store();
    let log = SqliteLog::open(dir.path(), false, None).unwrap();
    let before = all(&log);
    let named: Vec<(u64, String)> = before
        .iter()
        .filter_map(|row| {
            let body: Value = serde_json::from_str(&row.body).unwrap();
            Some((row.case?, body["report"]["reporter"].as_str()?.to_owned()))
        })
        .collect();
    assert!(named.len() > 40, "{}", named.len());
    let mut mover = Mover::open(dir.path()).unwrap().expect("there is something to move");
    let cut = mover.bite(|_, _| Err(rusqlite::Error::QueryReturnedNoRows));
    assert!(cut.is_err());
    assert_eq!(all(&log), before, "a bite that does not come to its end leaves nothing");
    drop(mover);
    let mut mover = Mover::open(dir.path()).unwrap().unwrap();
    let mut seen = Vec::new();
    while mover
        .bite(|_, cases| {
            seen.extend_from_slice(cases);
            Ok(())
        })
        .unwrap()
    {}
    assert_eq!(seen, named.iter().map(|(case, _)| *case).collect::<Vec<_>>());
    assert!(Mover::open(dir.path()).unwrap().is_none(), "once is enough");
    for (case, reporter) in &named {
        let person = log.person(*case).unwrap().unwrap();
        assert_eq!(seal::open(&person.key.unwrap(), *case, &person.sealed).as_ref(), Some(reporter));
    }
    let after = all(&log);
    for (old, new) in before.iter().zip(&after) {
        let (mut was, is): (Value, Value) =
            (serde_json::from_str(&old.body).unwrap(), serde_json::from_str(&new.body).unwrap());
        if let Some(reporter) = was["report"]["reporter"].as_str().map(str::to_owned) {
            was["report"]["reporter"] = Value::Null;
            was["report"]["reporter_mark"] = Value::String(moving::mark(&log.secret(), &reporter));
        }
        assert_eq!(was, is, "event {}", old.seq);
        assert_eq!(
            (old.seq, old.at, &old.actor, &old.key, &old.name),
            (new.seq, new.at, &new.actor, &new.key, &new.name)
        );
    }
    drop((log, mover));
    let bytes = std::fs::read(dir.path().join(file::DATABASE)).unwrap();
    let still = named.iter().filter(|(_, name)| {
        let conn = Connection::open(dir.path().join(file::DATABASE)).unwrap();
        let sql = "SELECT count(*) FROM events WHERE instr(body, ?1) > 0";
        conn.query_row(sql, [name], |row| row.get::<_, i64>(0)).unwrap() > 0
    });
    assert_eq!(still.count(), 0, "no event holds a name ({} bytes)", bytes.len());
}

/// Method: half a gigabyte of events is written while four readers go over everything page by page, as a view's build,
/// a backup and two curious people would, without a pause.
#[test]
fn the_write_ahead_log_stays_small_whatever_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = SqliteLog::open(dir.path(), false, None).unwrap();
    let wal = file::beside(&dir.path().join(file::DATABASE), "-wal");
    let (done, pages) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut largest = 0;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let reader = log.reader().unwrap();
            let (done, pages) = (&done, &pages);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let mut stand = 0;
                    while let Some(last) = reader.read(stand, 200).unwrap().last() {
                        stand = last.seq;
                        pages.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let body = "x".repeat(60_000);
        for group in 0..250 {
            let events = (1..=20).map(|n| EventRow { body: body.clone(), ..event(group * 20 + n) }.summed());
            log.append(&Group { events: events.collect(), ..Group::default() }).unwrap();
            largest = std::fs::metadata(&wal).map_or(0, |meta| meta.len()).max(largest);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(pages.load(Ordering::Relaxed) > 100, "the readers did read");
    assert!(largest > 32 << 20, "the log was loaded: {largest}");
    assert!(largest < 128 << 20, "the write-ahead log grew to {largest} bytes");
}

/// Method: a hundred megabytes of reports of format 1 are moved as the keeper moves them, bite by bite with the log folded
/// in after each, while two readers go over everything page by page.
#[test]
fn the_write_ahead_log_stays_small_while_rows_of_format_1_are_moved() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = SqliteLog::open(dir.path(), false, None).unwrap();
    let words = "x".repeat(20_000);
    for group in 0..100 {
        let events = (1..=50).map(|n| {
            let seq = group * 50 + n;
            let body = format!(r#"{{"case":{seq},"report":{{"reporter":"周敏","description":"{words}"}}}}"#);
            let (form, name) = (1, "case_reported".to_owned());
            EventRow { form, name, case: Some(seq), body, ..event(seq) }.summed()
        });
        log.append(&Group { events: events.collect(), ..Group::default() }).unwrap();
    }
    let path = dir.path().join(file::DATABASE);
    schema::set_meta(&log.db.conn, &path, schema::MOVED_TO, "0").unwrap();
    log.db.conn.execute_batch(OLD_KEYS).unwrap();
    log.close().unwrap();
    let (done, tending) = (AtomicBool::new(false), log.reader().unwrap());
    let (mut largest, mut bites) = (0, 0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (reader, done) = (log.reader().unwrap(), &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let mut stand = 0;
                    while let Some(last) = reader.read(stand, 200).unwrap().last() {
                        stand = last.seq;
                    }
                }
            });
        }
        let mut mover = Mover::open(dir.path()).unwrap().unwrap();
        while mover.bite(|_, _| Ok(())).unwrap() {
            bites += 1;
            largest =
                std::fs::metadata(file::beside(&path, "-wal")).map_or(0, |meta| meta.len()).max(largest);
            tending.tend().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(bites >= 10 && largest > 4 << 20, "rows were moved: {bites} bites, {largest} bytes");
    assert!(largest < 128 << 20, "the write-ahead log grew to {largest} bytes");
}

/// The table of keys as format 1 had it.
const OLD_KEYS: &str = "CREATE TABLE keys(key BLOB PRIMARY KEY, fingerprint BLOB NOT NULL, first_seq INTEGER NOT NULL, \
                        last_seq INTEGER NOT NULL) WITHOUT ROWID;";

#[test]
fn a_changed_byte_in_any_column_is_damage() {
    let changes = [
        "at = at + 1",
        "actor = 'x'",
        "roles = 'x'",
        "door = 'x'",
        "key = x'00'",
        "name = 'x'",
        "form = 9",
        "case_id = 99",
        "whistle_id = 99",
        "number = 'x'",
        "class = 'x'",
        "areas = 'x'",
        "number = NULL",
        "body = 'x'",
        "body = x'FF'",
        "crc = crc + 1",
    ];
    for change in changes {
        let dir = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(dir.path(), false, None).unwrap();
        log.append(&Group { events: vec![event(1)], ..Group::default() }).unwrap();
        let conn = Connection::open(dir.path().join(file::DATABASE)).unwrap();
        assert_eq!(conn.execute(&format!("UPDATE events SET {change}"), []).unwrap(), 1);
        let error = log.read(0, 10).expect_err(change);
        assert!(matches!(error, LogError::Damaged { .. }), "{change}: {error}");
        assert!(error.to_string().contains("event 1"), "{change}: {error}");
    }
}
