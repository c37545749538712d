//! Rows from SQL and into it: the one place that knows the order of columns.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::file::failed;
use crate::clock;
use crate::log::{
    Blob, CommandRow, EventRow, Hash, Line, LogError, PersonRow, READ_BYTES_MAX, READ_MS_MAX, READ_ROWS_MAX,
};

const EVENT: &str = "seq, at, actor, roles, door, key, name, form, case_id, whistle_id, number, class, areas, \
                     body, crc, chain";
const COMMAND: &str = "no, at, actor, key, fingerprint, form, first_seq, last_seq, answer, lasting";

const INSERT_BLOB: &str = "INSERT INTO blobs VALUES(?1, ?2, ?3) ON CONFLICT(hash) \
                           DO UPDATE SET bytes = excluded.bytes WHERE blobs.bytes IS NOT excluded.bytes";

/// Why a row was not read.
enum Unread {
    Sql(rusqlite::Error),
    Log(LogError),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Reads rows until `limit`, the bytes or the time of one read are spent. The statement ends with it, and with the
/// statement its hold on the write-ahead log.
fn gather<T>(
    conn: &Connection,
    place: &Path,
    sql: &str,
    values: impl Params,
    limit: usize,
    mut row: impl FnMut(&Row<'_>) -> Result<(T, usize), Unread>,
) -> Result<Vec<T>, LogError> {
    let began = clock::instant();
    let limit = limit.clamp(1, READ_ROWS_MAX);
    let mut found = Vec::new();
    let mut bytes = 0;
    let read = || -> Result<(), Unread> {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query(values)?;
        while let Some(next) = rows.next()? {
            let (one, size) = row(next)?;
            found.push(one);
            bytes += size;
            let spent = began.elapsed() >= Duration::from_millis(READ_MS_MAX);
            if found.len() >= limit || bytes >= READ_BYTES_MAX || spent {
                break;
            }
        }
        Ok(())
    };
    match read() {
        Ok(()) => Ok(found),
        Err(Unread::Sql(source)) => Err(failed(place, "read", source)),
        Err(Unread::Log(error)) => Err(error),
    }
}

/// SQLite's integers are signed; sequence numbers and ids stay far below the sign.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn event(row: &Row<'_>, place: &Path) -> Result<(EventRow, usize), Unread> {
    let seq = natural(row.get(0)?);
    let line = match (row.get(10)?, row.get(11)?, row.get(12)?) {
        (Some(number), Some(class), Some(areas)) => Some(Line { number, class, areas }),
        _ => None,
    };
    let read = EventRow {
        seq,
        at: row.get(1)?,
        actor: row.get(2)?,
        roles: row.get(3)?,
        door: row.get(4)?,
        key: row.get(5)?,
        name: row.get(6)?,
        form: row.get(7)?,
        case: row.get::<_, Option<i64>>(8)?.map(natural),
        whistle: row.get::<_, Option<i64>>(9)?.map(natural),
        line,
        body: row.get(13)?,
        crc: row.get(14)?,
        chain: row.get(15)?,
    };
    let bytes = read.body.len() + 200;
    Ok((read.verified(place).map_err(Unread::Log)?, bytes))
}

/// A value of another type than the column's is damage too: SQLite does not say so of itself.
fn sound<T>(
    place: &Path,
    result: Result<(T, usize), Unread>,
    what: impl Fn() -> String,
) -> Result<(T, usize), Unread> {
    result.map_err(|error| {
        let damaged = matches!(
            error,
            Unread::Sql(
                rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::Utf8Error(..),
            )
        );
        if !damaged {
            return error;
        }
        Unread::Log(LogError::damaged(place, format!("{} does not agree with its checksum", what())))
    })
}

pub(super) fn events(
    conn: &Connection,
    place: &Path,
    which: &str,
    values: impl Params,
    limit: usize,
) -> Result<Vec<EventRow>, LogError> {
    let sql = format!("SELECT {EVENT} FROM events WHERE {which}");
    gather(conn, place, &sql, values, limit, |row| {
        let seq: i64 = row.get(0)?;
        sound(place, event(row, place), || format!("event {seq}"))
    })
}

fn command(row: &Row<'_>) -> rusqlite::Result<CommandRow> {
    Ok(CommandRow {
        no: natural(row.get(0)?),
        at: row.get(1)?,
        actor: row.get(2)?,
        key: row.get(3)?,
        fingerprint: row.get(4)?,
        form: row.get(5)?,
        first: natural(row.get(6)?),
        last: natural(row.get(7)?),
        answer: row.get(8)?,
        lasting: row.get(9)?,
    })
}

pub(super) fn commands_after(
    conn: &Connection,
    place: &Path,
    no: u64,
    limit: usize,
) -> Result<Vec<CommandRow>, LogError> {
    let sql = format!("SELECT {COMMAND} FROM commands WHERE no > ?1 ORDER BY no LIMIT ?2");
    gather(conn, place, &sql, params![int(no), int(limit as u64)], limit, |row| {
        let read = command(row).map(|row| {
            let bytes = row.answer.len() + 150;
            (row, bytes)
        });
        sound(place, read.map_err(Unread::Sql), || "a command".to_owned())
    })
}

/// A row without an actor comes from a key of format 1 that changed nothing: it answers to all and has nothing to tell.
pub(super) fn command_of(
    conn: &Connection,
    actor: &str,
    key: &[u8; 16],
) -> rusqlite::Result<Option<CommandRow>> {
    let sql = format!(
        "SELECT {COMMAND} FROM commands WHERE key = ?1 AND actor IN (?2, '') ORDER BY actor DESC LIMIT 1"
    );
    conn.prepare_cached(&sql)?.query_row(params![key.as_slice(), actor], command).optional()
}

/// A key of format 1: one namespace for all then. It answers to the actor of its events alone; one that changed
/// nothing has none, and nothing to tell either.
pub(super) fn old_key(
    conn: &Connection,
    actor: &str,
    key: &[u8; 16],
) -> rusqlite::Result<Option<CommandRow>> {
    let sql = "SELECT keys.fingerprint, first_seq, last_seq, coalesce(at, 0) FROM keys
               LEFT JOIN events ON seq = first_seq AND last_seq >= first_seq
               WHERE keys.key = ?1 AND (last_seq < first_seq OR actor = ?2)";
    conn.prepare_cached(sql)?
        .query_row(params![key.as_slice(), actor], |row| {
            Ok(CommandRow {
                no: 0,
                at: row.get(3)?,
                actor: actor.to_owned(),
                key: *key,
                fingerprint: row.get(0)?,
                form: 1,
                first: natural(row.get(1)?),
                last: natural(row.get(2)?),
                answer: String::new(),
                lasting: true,
            })
        })
        .optional()
}

pub(super) fn blobs_after(
    conn: &Connection,
    place: &Path,
    no: u64,
    limit: usize,
) -> Result<Vec<Blob>, LogError> {
    let sql = "SELECT no, hash, bytes FROM blobs WHERE no > ?1 ORDER BY no LIMIT ?2";
    gather(conn, place, sql, params![int(no), int(limit as u64)], limit, |row| {
        let blob = Blob { no: natural(row.get(0)?), hash: row.get(1)?, bytes: row.get(2)? };
        let bytes = blob.bytes.len() + 100;
        Ok((verified(blob, place).map_err(Unread::Log)?, bytes))
    })
}

/// Refuses a blob whose bytes are not those of its name.
pub(super) fn verified(blob: Blob, place: &Path) -> Result<Blob, LogError> {
    if Blob::of(blob.bytes.clone()).hash == blob.hash {
        Ok(blob)
    } else {
        Err(LogError::damaged(place, format!("blob {} does not agree with its hash", blob.no)))
    }
}

pub(super) fn blob(conn: &Connection, hash: &Hash) -> rusqlite::Result<Option<Blob>> {
    conn.prepare_cached("SELECT no, hash, bytes FROM blobs WHERE hash = ?1")?
        .query_row([hash.as_slice()], |row| {
            Ok(Blob { no: natural(row.get(0)?), hash: row.get(1)?, bytes: row.get(2)? })
        })
        .optional()
}

fn person(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok(PersonRow {
        no: natural(row.get(0)?),
        case: natural(row.get(1)?),
        sealed: row.get(2)?,
        key: row.get(3)?,
    })
}

pub(super) fn persons_after(
    conn: &Connection,
    place: &Path,
    no: u64,
    limit: usize,
) -> Result<Vec<PersonRow>, LogError> {
    let sql = "SELECT no, case_id, sealed, key FROM persons WHERE no > ?1 ORDER BY no LIMIT ?2";
    gather(conn, place, sql, params![int(no), int(limit as u64)], limit, |row| {
        let person = person(row)?;
        let bytes = person.sealed.len() + 100;
        Ok((person, bytes))
    })
}

pub(super) fn person_of(conn: &Connection, case: u64) -> rusqlite::Result<Option<PersonRow>> {
    conn.prepare_cached("SELECT no, case_id, sealed, key FROM persons WHERE case_id = ?1")?
        .query_row([int(case)], person)
        .optional()
}

/// Refuses events that do not follow `head` one by one; gives the last.
pub(super) fn follow(events: &[EventRow], mut head: u64, place: &Path) -> Result<u64, LogError> {
    for row in events {
        if row.seq != head + 1 {
            return Err(LogError::OutOfOrder { place: place.to_owned(), expected: head + 1, is: row.seq });
        }
        head = row.seq;
    }
    Ok(head)
}

pub(super) fn insert_event(conn: &Connection, row: &EventRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO events(seq, at, actor, roles, door, key, name, form, case_id, whistle_id, number, \
               class, areas, body, crc, chain) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
               ?14, ?15, ?16)";
    conn.prepare_cached(sql)?
        .execute(params![
            int(row.seq),
            row.at,
            row.actor,
            row.roles,
            row.door,
            row.key,
            row.name,
            row.form,
            row.case.map(int),
            row.whistle.map(int),
            row.line.as_ref().map(|line| &line.number),
            row.line.as_ref().map(|line| &line.class),
            row.line.as_ref().map(|line| &line.areas),
            row.body,
            row.crc,
            row.chain.as_ref().map(<[u8; 32]>::as_slice),
        ])
        .map(|_| ())
}

/// `no` is kept when it is given: a restored log has the numbers it had.
pub(super) fn insert_command(conn: &Connection, row: &CommandRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO commands VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    conn.prepare_cached(sql)?
        .execute(params![
            given(row.no),
            row.at,
            row.actor,
            row.key.as_slice(),
            row.fingerprint.as_slice(),
            row.form,
            int(row.first),
            int(row.last),
            row.answer,
            row.lasting,
        ])
        .map(|_| ())
}

/// Bytes that are there already are not written twice; bytes that are no more what their name says are mended.
pub(super) fn insert_blob(conn: &Connection, row: &Blob) -> rusqlite::Result<()> {
    conn.prepare_cached(INSERT_BLOB)?
        .execute(params![given(row.no), row.hash.as_slice(), row.bytes])
        .map(|_| ())
}

pub(super) fn insert_person(conn: &Connection, row: &PersonRow) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO persons VALUES(?1, ?2, ?3, ?4)")?
        .execute(params![
            given(row.no),
            int(row.case),
            row.sealed,
            row.key.as_ref().map(<[u8; 32]>::as_slice)
        ])
        .map(|_| ())
}

/// None lets SQLite give the next number.
fn given(no: u64) -> Option<i64> {
    (no > 0).then(|| int(no))
}
