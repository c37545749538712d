//! Tables of lists that stood in the log's file before views took their place: emptied a bite at a time, then dropped.
//!
//! Dropping gigabytes at once would hold the writer up for all of them, so that a running hall takes some rows out, lets
//! the writer commit, and goes on. Nothing reads the tables any more. A version that did believes them only where `meta`
//! says how far they reach: that goes first, and it would make them anew.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::file::{self, failed};
use crate::log::LogError;

/// Rows of one bite: with their indexes some hundred pages.
const BITE: usize = 200;

/// The tables, each with the statement that takes a bite of it.
const TABLES: [(&str, &str); 3] = [
    (
        "case_areas",
        "DELETE FROM case_areas WHERE (area, case_id) IN
           (SELECT area, case_id FROM case_areas ORDER BY area, case_id LIMIT ?1)",
    ),
    ("cases", "DELETE FROM cases WHERE id IN (SELECT id FROM cases ORDER BY id LIMIT ?1)"),
    ("whistles", "DELETE FROM whistles WHERE id IN (SELECT id FROM whistles ORDER BY id LIMIT ?1)"),
];

/// One connection of its own that empties them.
pub struct Leaving {
    conn: Connection,
    path: PathBuf,
}

impl Leaving {
    /// None when there are none, which is so for every store made by this version.
    pub fn open(dir: &Path) -> Result<Option<Self>, LogError> {
        let path = dir.join(file::DATABASE);
        let conn = file::open_for_writing(&path, None)?;
        if first(&conn).map_err(|source| failed(&path, "read", source))?.is_none() {
            return Ok(None);
        }
        file::settle(&conn, &path)?;
        Ok(Some(Self { conn, path }))
    }

    /// Takes one bite; false when nothing was left.
    pub fn bite(&mut self) -> Result<bool, LogError> {
        let failed = |source| failed(&self.path, "take old lists out of", source);
        let transaction =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let more = bite(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(more)
    }
}

/// The first of the tables that is there.
fn first(conn: &Connection) -> rusqlite::Result<Option<(&'static str, &'static str)>> {
    for (table, bite) in TABLES {
        let there = conn
            .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?
            .exists([table])?;
        if there {
            return Ok(Some((table, bite)));
        }
    }
    Ok(None)
}

fn bite(conn: &Connection) -> rusqlite::Result<bool> {
    let Some((table, bite)) = first(conn)? else { return Ok(false) };
    conn.execute("DELETE FROM meta WHERE name IN ('projection', 'lists_seq')", [])?;
    let gone = conn.prepare_cached(bite)?.execute([BITE as i64])?;
    if gone == 0 {
        conn.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::sqlite::SqliteLog;
    use crate::log::{Log, Read};

    /// The tables as they were, with so many cases.
    fn with_old_lists(dir: &Path, cases: usize) -> Connection {
        drop(SqliteLog::open(dir, false, None).unwrap());
        let conn = Connection::open(dir.join(file::DATABASE)).unwrap();
        conn.execute_batch(
            "CREATE TABLE cases(id INTEGER PRIMARY KEY, reported_day INTEGER NOT NULL, body BLOB NOT NULL);
             CREATE INDEX cases_reported ON cases(reported_day, id);
             CREATE TABLE case_areas(area TEXT NOT NULL, case_id INTEGER NOT NULL, PRIMARY KEY(area, case_id)) WITHOUT ROWID;
             CREATE TABLE whistles(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
             INSERT INTO whistles VALUES(1, zeroblob(100));
             INSERT INTO meta VALUES('projection', '2 480'), ('lists_seq', '7');",
        )
        .unwrap();
        let mut case = conn.prepare("INSERT INTO cases VALUES(?1, 20261121, ?2)").unwrap();
        let mut area = conn.prepare("INSERT INTO case_areas VALUES('530102', ?1), ('5301', ?1)").unwrap();
        for id in 0..cases as i64 {
            case.execute(rusqlite::params![id, format!("赵大爷 {id}").into_bytes()]).unwrap();
            area.execute([id]).unwrap();
        }
        drop((case, area));
        conn
    }

    fn rows(conn: &Connection, table: &str) -> i64 {
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn old_lists_go_in_bites_while_others_write_and_leave_nothing_of_their_words() {
        let dir = tempfile::tempdir().unwrap();
        let cases = 1_000;
        let conn = with_old_lists(dir.path(), cases);
        let mut log = SqliteLog::open(dir.path(), true, None).unwrap();
        let mut leaving = Leaving::open(dir.path()).unwrap().expect("there are old lists");
        assert!(leaving.bite().unwrap());
        assert_eq!(rows(&conn, "case_areas"), (2 * cases - BITE) as i64, "no more than a bite at a time");
        let said = "SELECT count(*) FROM meta WHERE name IN ('projection', 'lists_seq')";
        let said: i64 = conn.query_row(said, [], |row| row.get(0)).unwrap();
        assert_eq!(said, 0, "a version that knew them must not believe what is left");
        // Killed here, and gone on with after the next start.
        drop(leaving);
        let mut leaving = Leaving::open(dir.path()).unwrap().expect("some are left");
        let mut bites = 1;
        while leaving.bite().unwrap() {
            bites += 1;
            assert!(log.has_room(), "the writer has its turn between any two");
        }
        assert!(bites >= 3 * cases / BITE, "{bites}");
        drop(leaving);
        assert!(Leaving::open(dir.path()).unwrap().is_none());
        let tables: i64 = conn
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'case%' OR name = 'whistles'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(tables, 0);
        drop(conn);
        assert_eq!(log.head().unwrap().seq, 0);
        log.close().unwrap();
        drop(log);
        let bytes = std::fs::read(dir.path().join(file::DATABASE)).unwrap();
        assert!(!bytes.windows(9).any(|part| part == "赵大爷".as_bytes()), "rows taken out are overwritten");
    }

    #[test]
    fn a_store_of_this_version_has_no_old_lists() {
        let dir = tempfile::tempdir().unwrap();
        drop(SqliteLog::open(dir.path(), false, None).unwrap());
        assert!(Leaving::open(dir.path()).unwrap().is_none());
    }
}
