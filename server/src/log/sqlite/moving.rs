//! Moving persons out of the events of format 1, in bites, while the hall serves.
//!
//! A bite is one small transaction: the bodies without the person's words, the sealed persons, and how far it came. A
//! kill leaves whole bites, and the next start goes on behind the last one. What is moved does not change what an event
//! means: whoever reads events takes the words out of an unmoved body as well.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::Value;

use super::file::{self, failed};
use super::rows::{self, int, natural};
use super::schema::{self, MOVED_TO};
use crate::log::seal::{self, Secret};
use crate::log::{EventRow, LogError, PersonRow};

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
        if schema::format(&conn, &path)? < schema::FORMAT || moved_to(&conn, &path)?.is_none() {
            return Ok(None);
        }
        file::settle(&conn, &path)?;
        let secret = schema::secret(&conn, &path)?;
        Ok(Some(Self { conn, path, secret }))
    }

    /// Moves one bite; false when that was the last. `also` is called within the transaction with the cases whose
    /// persons were moved: whatever else of format 1 holds their words is cleared with them.
    pub fn bite(
        &mut self,
        also: impl FnOnce(&Connection, &[u64]) -> rusqlite::Result<()>,
    ) -> Result<bool, LogError> {
        let failed = |source| failed(&self.path, "move persons in", source);
        let transaction =
            self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
        let Some(after) = moved_to(&transaction, &self.path)? else { return Ok(false) };
        let which =
            "seq > ?1 AND name IN ('case_reported', 'case_taken_over') AND form = 1 ORDER BY seq LIMIT ?2";
        let page =
            rows::events(&transaction, &self.path, which, params![int(after), int(BITE as u64)], BITE)?;
        let last = page.last().map(|row| row.seq);
        let mut cases = Vec::new();
        for row in page {
            let Some(case) = row.case else { continue };
            let Some((body, reporter)) = without_reporter(&row.body, &self.secret) else { continue };
            let key = seal::new_key();
            let sealed = seal::seal(&key, case, &reporter);
            rows::insert_person(&transaction, &PersonRow { no: 0, case, sealed, key: Some(key) })
                .map_err(failed)?;
            let row = EventRow { body, ..row }.summed();
            transaction
                .prepare_cached("UPDATE events SET body = ?2, crc = ?3 WHERE seq = ?1")
                .and_then(|mut update| update.execute(params![int(row.seq), row.body, row.crc]))
                .map_err(failed)?;
            cases.push(case);
        }
        also(&transaction, &cases).map_err(failed)?;
        match last {
            Some(last) => schema::set_meta(&transaction, &self.path, MOVED_TO, &last.to_string())?,
            None => {
                let done = transaction.execute("DELETE FROM meta WHERE name = ?1", [MOVED_TO]);
                done.map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)?;
        Ok(last.is_some())
    }
}

/// How far the moving has come; none when it is done or was never needed.
pub(crate) fn moved_to(conn: &Connection, path: &Path) -> Result<Option<u64>, LogError> {
    let text = schema::meta(conn, path, MOVED_TO)?;
    Ok(text.map(|text| natural(text.parse().unwrap_or(0))))
}

/// The body of form 1 without its reporter, and who that was; none where nobody was named.
fn without_reporter(body: &str, secret: &Secret) -> Option<(String, String)> {
    let mut value: Value = serde_json::from_str(body).ok()?;
    let report = value.get_mut("report")?.as_object_mut()?;
    let Value::String(reporter) = report.insert("reporter".to_owned(), Value::Null)? else { return None };
    report.insert("reporter_mark".to_owned(), Value::String(mark(secret, &reporter)));
    Some((value.to_string(), reporter))
}
