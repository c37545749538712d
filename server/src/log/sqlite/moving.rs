//! Moving rows of format 1 to where format 2 has them, in bites, while the hall serves: persons out of the events, and
//! keys to the commands.
//!
//! A bite is one small transaction: what it moved, and how far it came. A kill leaves whole bites, and the next start
//! goes on behind the last one. What is moved does not change what an event or a key means: whoever reads events takes
//! the words out of an unmoved body as well, and keys are found in both places.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};
use serde_json::Value;

use super::file::{self, failed};
use super::rows::{self, int, natural};
use super::schema::{self, MOVED_TO};
use crate::log::seal::{self, Secret};
use crate::log::{CommandRow, EventRow, LogError, PersonRow};

/// Events of one bite; with a sync each, some tens of thousands a second.
const BITE: usize = 500;

/// What of the hash stands in an event: enough that two reporters do not share one.
const MARK_BYTES: usize = 16;

/// The keyed hash that stands in events instead of who reported.
#[must_use]
pub fn mark(secret: &Secret, reporter: &str) -> String {
    schema::hex(&secret.mark("reporter", reporter)[..MARK_BYTES])
}

/// One connection of its own that moves persons.
pub struct Mover {
    conn: Connection,
    path: std::path::PathBuf,
    secret: Secret,
}

impl Mover {
    /// None when nothing is left to move.
    pub fn open(dir: &Path) -> Result<Option<Self>, LogError> {
        let path = dir.join(file::DATABASE);
        let conn = file::open_for_writing(&path, None)?;
        if schema::format(&conn, &path)? < schema::FORMAT || !is_moving(&conn, &path)? {
            return Ok(None);
        }
        file::settle(&conn, &path)?;
        let secret = schema::secret(&conn, &path)?;
        Ok(Some(Self { conn, path, secret }))
    }

    /// Moves one bite; false when nothing was left. `also` is called within the transaction with the cases whose persons
    /// were moved: whatever else of format 1 holds their words is cleared with them.
    pub fn bite(
        &mut self,
        also: impl FnOnce(&Connection, &[u64]) -> rusqlite::Result<()>,
    ) -> Result<bool, LogError> {
        let failed = |source| failed(&self.path, "move rows of", source);
        let transaction =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let more = match stage(&transaction, &self.path)? {
            Stage::Persons(after) => {
                let cases = persons(&transaction, &self.path, &self.secret, after)?;
                also(&transaction, &cases).map_err(failed)?;
                true
            }
            Stage::Keys => keys(&transaction, &self.secret).map_err(failed)?,
            Stage::Done => false,
        };
        transaction.commit().map_err(failed)?;
        Ok(more)
    }
}

/// Moves the persons of the next events; gives their cases.
fn persons(conn: &Connection, path: &Path, secret: &Secret, after: u64) -> Result<Vec<u64>, LogError> {
    let failed = |source| failed(path, "move persons in", source);
    let which =
        "seq > ?1 AND name IN ('case_reported', 'case_taken_over') AND form = 1 ORDER BY seq LIMIT ?2";
    let page = rows::events(conn, path, which, params![int(after), BITE as i64], BITE)?;
    let stand = page.last().map_or_else(|| KEYS.to_owned(), |row| row.seq.to_string());
    schema::set_meta(conn, path, MOVED_TO, &stand)?;
    let mut cases = Vec::new();
    for row in page {
        let Some(case) = row.case else { continue };
        let Some((body, reporter)) = without_reporter(&row.body, secret) else { continue };
        let key = seal::new_key();
        let sealed = seal::seal(&key, case, &reporter);
        rows::insert_person(conn, &PersonRow { no: 0, case, sealed, key: Some(key) }).map_err(failed)?;
        let row = EventRow { body, ..row }.summed();
        conn.prepare_cached("UPDATE events SET body = ?2, crc = ?3 WHERE seq = ?1")
            .and_then(|mut update| update.execute(params![int(row.seq), row.body, row.crc]))
            .map_err(failed)?;
        cases.push(case);
    }
    Ok(cases)
}

/// How far the moving has come.
enum Stage {
    /// Events up to this one have been looked at.
    Persons(u64),
    Keys,
    Done,
}

/// What stands in `meta` while keys are moved.
const KEYS: &str = "keys";

fn stage(conn: &Connection, path: &Path) -> Result<Stage, LogError> {
    Ok(match schema::meta(conn, path, MOVED_TO)? {
        None => Stage::Done,
        Some(text) if text == KEYS => Stage::Keys,
        Some(text) => Stage::Persons(text.parse().unwrap_or(0)),
    })
}

pub(super) fn is_moving(conn: &Connection, path: &Path) -> Result<bool, LogError> {
    Ok(!matches!(stage(conn, path)?, Stage::Done))
}

/// The fingerprint of a command with the store's secret in it: of the plain digest of format 1, so that moved keys and
/// new ones are compared alike.
#[must_use]
pub fn keyed_fingerprint(secret: &Secret, plain: &[u8; 16]) -> [u8; 16] {
    let mut keyed = [0; 16];
    keyed.copy_from_slice(&secret.mark("command", &schema::hex(plain))[..16]);
    keyed
}

/// Version of such a fingerprint.
const KEYED_FORM: i64 = 2;

const SOME_KEYS: &str = "
SELECT k.key, k.fingerprint, k.first_seq, k.last_seq, coalesce(e.at, 0), coalesce(e.actor, ''), e.seq IS NULL
FROM (SELECT * FROM keys ORDER BY key LIMIT ?1) k
LEFT JOIN events e ON e.seq = k.first_seq AND k.last_seq >= k.first_seq";

/// Moves the next keys. Those that were imported, and those that changed nothing, are kept for ever.
fn keys(conn: &Connection, secret: &Secret) -> rusqlite::Result<bool> {
    let read = |row: &rusqlite::Row<'_>| {
        let (key, plain): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(1)?);
        let imported = key[6] >> 4 == 5;
        Ok(CommandRow {
            no: 0,
            at: row.get(4)?,
            actor: row.get(5)?,
            key,
            fingerprint: keyed_fingerprint(secret, &plain),
            form: KEYED_FORM,
            first: natural(row.get(2)?),
            last: natural(row.get(3)?),
            answer: String::new(),
            lasting: imported || row.get(6)?,
        })
    };
    let page: Vec<CommandRow> =
        conn.prepare_cached(SOME_KEYS)?.query_map([BITE as i64], read)?.collect::<rusqlite::Result<_>>()?;
    for row in &page {
        rows::insert_command(conn, row)?;
        conn.prepare_cached("DELETE FROM keys WHERE key = ?1")?.execute([row.key.as_slice()])?;
    }
    if page.is_empty() {
        conn.execute("DELETE FROM meta WHERE name = ?1", [MOVED_TO])?;
    }
    Ok(!page.is_empty())
}

/// The body of form 1 without its reporter, and who that was; none where nobody was named.
fn without_reporter(body: &str, secret: &Secret) -> Option<(String, String)> {
    let mut value: Value = serde_json::from_str(body).ok()?;
    let report = value.get_mut("report")?.as_object_mut()?;
    let Value::String(reporter) = report.insert("reporter".to_owned(), Value::Null)? else { return None };
    report.insert("reporter_mark".to_owned(), Value::String(mark(secret, &reporter)));
    Some((value.to_string(), reporter))
}
