//! Files of the first version: chunks by number, without a form. They are brought up to date in one small transaction; the
//! chunks themselves stay where they are, readable, until their time is over.

use domain::code::InspectorCode;
use domain::moment::UtcMillis;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

use super::super::TrackPoint;
use super::{form, put_chunks};

/// Old chunks deleted at one time.
const ROWS_MAX: u32 = 50_000;

/// Keeps who had which number, so that old chunks stay theirs; moves what was not sealed into chunks of today.
pub fn bring_up(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.execute_batch(
        "ALTER TABLE chunks RENAME TO first_chunks;
         CREATE TABLE first_numbers (code TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
         INSERT INTO first_numbers SELECT code, id FROM inspectors;
         ALTER TABLE inspectors ADD COLUMN newest_ms INTEGER;",
    )?;
    let mut open: BTreeMap<u32, Vec<TrackPoint>> = BTreeMap::new();
    let mut ticks = conn.prepare("SELECT bytes FROM ticks ORDER BY id")?;
    let mut rows = ticks.query([])?;
    while let Some(row) = rows.next()? {
        for (index, point) in form::unpack_first(&row.get::<_, Vec<u8>>(0)?) {
            open.entry(index).or_default().push(point);
        }
    }
    drop(rows);
    let mut inspectors = conn.prepare("SELECT id, code, newest FROM inspectors")?;
    let people = inspectors
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<Vec<(u32, String, Option<Vec<u8>>)>, _>>()?;
    for (id, code, newest) in people {
        let mut points = open.remove(&id).unwrap_or_default();
        points.sort_by_key(|point| point.fixed);
        if let Ok(code) = InspectorCode::new(code) {
            put_chunks(conn, &code, &points)?;
        }
        let newest = newest.and_then(|bytes| form::unpack_first(&bytes).pop()).map(|(_, point)| point);
        let newest = newest.into_iter().chain(points.pop()).max_by_key(|point| point.fixed);
        let (at, bytes) = newest.map(|point| (point.fixed.0, form::pack(&[point]))).unzip();
        conn.prepare_cached("UPDATE inspectors SET newest_ms = ?2, newest = ?3 WHERE id = ?1")?
            .execute(params![id, at, bytes])?;
    }
    conn.execute_batch("DROP TABLE ticks")
}

fn are_there(conn: &Connection) -> Result<bool, rusqlite::Error> {
    conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'first_chunks'")?.exists([])
}

/// One inspector's points between two times, in no order.
pub fn read(
    conn: &Connection,
    code: &InspectorCode,
    from: UtcMillis,
    to: UtcMillis,
) -> Result<Vec<TrackPoint>, rusqlite::Error> {
    if !are_there(conn)? {
        return Ok(Vec::new());
    }
    let mut chunks = conn.prepare_cached(
        "SELECT bytes FROM first_chunks
         WHERE inspector = (SELECT id FROM first_numbers WHERE code = ?1) AND start_ms <= ?3 AND end_ms >= ?2",
    )?;
    let chunks = chunks
        .query_map(params![code.as_str(), from.0, to.0], |row| row.get::<_, Vec<u8>>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let points = chunks.iter().flat_map(|bytes| form::unpack_first(bytes)).map(|(_, point)| point);
    Ok(points.filter(|point| (from..=to).contains(&point.fixed)).collect())
}

/// Deletes some of what is older; with the last of it, its tables. Whether anything went.
pub fn let_go(conn: &Connection, before: UtcMillis) -> Result<bool, rusqlite::Error> {
    if !are_there(conn)? {
        return Ok(false);
    }
    let went = conn.execute(
        "DELETE FROM first_chunks WHERE rowid IN
         (SELECT rowid FROM first_chunks WHERE end_ms < ?1 ORDER BY end_ms LIMIT ?2)",
        params![before.0, ROWS_MAX],
    )?;
    if conn.query_row("SELECT count(*) FROM (SELECT 1 FROM first_chunks LIMIT 1)", [], |row| {
        row.get::<_, u32>(0)
    })? == 0
    {
        conn.execute_batch("DROP TABLE first_chunks; DROP TABLE first_numbers;")?;
    }
    Ok(went > 0)
}
