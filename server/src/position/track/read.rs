//! Reading sealed tracks, beside the thread that writes.

use domain::code::InspectorCode;
use domain::moment::{DAY_MS, UtcMillis};
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

use super::super::TrackPoint;
use super::{TrackError, days, first, form, mark, table};

/// One inspector's sealed points between two times, oldest first, at least `limit` of them where there are as many: what is
/// given is whole up to its last point. Opens the file anew: called rarely, on a thread that may wait.
pub fn sealed(
    path: &Path,
    code: &InspectorCode,
    from: UtcMillis,
    to: UtcMillis,
    limit: usize,
) -> Result<Vec<TrackPoint>, TrackError> {
    let failed = |doing| move |source| TrackError::Sql { path: path.to_owned(), doing, source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed("open"))?;
    read(&conn, code, from, to, limit).map_err(failed("read a track of"))
}

fn read(
    conn: &Connection,
    code: &InspectorCode,
    from: UtcMillis,
    to: UtcMillis,
    limit: usize,
) -> Result<Vec<TrackPoint>, rusqlite::Error> {
    // One state of the file for all tables.
    conn.execute_batch("BEGIN")?;
    let mut points = first::read(conn, code, from, to)?;
    points.sort_by_key(|point| point.fixed);
    // Up to where everything is read.
    let mut whole_to = to;
    let (first_day, last_day) = (from.0.div_euclid(DAY_MS), to.0.div_euclid(DAY_MS));
    'days: for day in days(conn)?.into_iter().filter(|day| (first_day..=last_day).contains(day)) {
        let mut chunks = conn.prepare(&format!(
            "SELECT mark, bytes FROM {} WHERE code = ?1 AND mark BETWEEN ?2 AND ?3 ORDER BY mark",
            table(day)
        ))?;
        let mut rows = chunks.query(params![code.as_str(), mark(from), to.0])?;
        let mut last = i64::MIN;
        while let Some(row) = rows.next()? {
            let at: i64 = row.get(0)?;
            if at != last && points.iter().filter(|point| point.fixed.0 < at).count() >= limit {
                whole_to = UtcMillis(at - 1);
                break 'days;
            }
            last = at;
            let Some(more) = form::unpack(&row.get::<_, Vec<u8>>(1)?) else {
                tracing::warn!(day, "a chunk of a track is of another form; it is passed over");
                continue;
            };
            points.extend(more.into_iter().filter(|point| (from..=to).contains(&point.fixed)));
        }
    }
    points.retain(|point| point.fixed <= whole_to);
    points.sort_by_key(|point| point.fixed);
    Ok(points)
}
