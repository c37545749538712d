//! Everybody's sealed points of a stretch of time, read beside the thread that writes.
//!
//! Person by person through the key of a day's table: a stretch is a part of a day, and no whole day is walked through. What was
//! written before tables had a form (`first`) is too old for it. What should not be here: one person's track (`read`).

use domain::code::InspectorCode;
use domain::moment::{DAY_MS, UtcMillis};
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

use super::super::TrackPoint;
use super::{TrackError, days, form, mark, table};

fn opened(path: &Path) -> Result<Connection, TrackError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|source| TrackError::Sql {
        path: path.to_owned(),
        doing: "open",
        source,
    })
}

/// Everybody's last point from `from` to `at`.
pub fn stood(
    path: &Path,
    from: UtcMillis,
    at: UtcMillis,
) -> Result<Vec<(InspectorCode, TrackPoint)>, TrackError> {
    let conn = opened(path)?;
    let read = || -> rusqlite::Result<Vec<(InspectorCode, TrackPoint)>> {
        let mut stood = Vec::new();
        let tables = tables(&conn, from, at)?;
        for code in codes(&conn)? {
            'days: for day in tables.iter().rev() {
                // Newest first: the quarter that holds the last point is mostly the first one looked at.
                let mut chunks = conn.prepare_cached(&format!(
                    "SELECT bytes FROM {} WHERE code = ?1 AND mark BETWEEN ?2 AND ?3 ORDER BY mark DESC, part DESC",
                    table(*day)
                ))?;
                let mut rows = chunks.query(params![code.as_str(), mark(from), at.0])?;
                while let Some(row) = rows.next()? {
                    let points = form::unpack(&row.get::<_, Vec<u8>>(0)?).unwrap_or_default();
                    let last = points.into_iter().filter(|point| (from..=at).contains(&point.fixed));
                    if let Some(point) = last.max_by_key(|point| point.fixed) {
                        stood.push((code.clone(), point));
                        break 'days;
                    }
                }
            }
        }
        Ok(stood)
    };
    read().map_err(|source| TrackError::Sql {
        path: path.to_owned(),
        doing: "read who stood where in",
        source,
    })
}

/// Hands on everybody's points from `from` to `to`, each person's in order.
pub fn moved(
    path: &Path,
    from: UtcMillis,
    to: UtcMillis,
    take: &mut dyn FnMut((InspectorCode, TrackPoint)),
) -> Result<(), TrackError> {
    let conn = opened(path)?;
    let mut read = || -> rusqlite::Result<()> {
        let tables = tables(&conn, from, to)?;
        for code in codes(&conn)? {
            for day in &tables {
                let mut chunks = conn.prepare_cached(&format!(
                    "SELECT bytes FROM {} WHERE code = ?1 AND mark BETWEEN ?2 AND ?3 ORDER BY mark",
                    table(*day)
                ))?;
                let mut rows = chunks.query(params![code.as_str(), mark(from), to.0])?;
                while let Some(row) = rows.next()? {
                    let points = form::unpack(&row.get::<_, Vec<u8>>(0)?).unwrap_or_default();
                    let within = points.into_iter().filter(|point| (from..=to).contains(&point.fixed));
                    within.for_each(|point| take((code.clone(), point)));
                }
            }
        }
        Ok(())
    };
    read().map_err(|source| TrackError::Sql { path: path.to_owned(), doing: "read who moved in", source })
}

/// Days of a stretch that have a table, oldest first.
fn tables(conn: &Connection, from: UtcMillis, to: UtcMillis) -> rusqlite::Result<Vec<i64>> {
    let (first, last) = (from.0.div_euclid(DAY_MS), to.0.div_euclid(DAY_MS));
    Ok(days(conn)?.into_iter().filter(|day| (first..=last).contains(day)).collect())
}

/// Everybody who has ever had a number.
fn codes(conn: &Connection) -> rusqlite::Result<Vec<InspectorCode>> {
    let mut codes = conn.prepare_cached("SELECT code FROM inspectors ORDER BY id")?;
    let codes = codes.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(codes.into_iter().filter_map(|code| InspectorCode::new(code).ok()).collect())
}
