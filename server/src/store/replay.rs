//! Reading the log from the front: rows to events, and the state from snapshot and tail.

use std::path::Path;

use domain::event::Recorded;
use domain::policy::Policy;
use domain::state::State;
use rusqlite::{Connection, Row};

use super::{DATABASE, StoreError, append, int, natural, snapshot, stored};

/// Columns of an event in the order [`recorded`] reads them.
pub(super) const COLUMNS: &str = "seq, at, actor, key, form, name, body, crc";

/// One row as an event, with its checksum verified.
pub(super) fn recorded(row: &Row<'_>, path: &Path) -> Result<Recorded, StoreError> {
    let failed = |source| StoreError::sql(path, "read an event of", source);
    let seq: i64 = row.get(0).map_err(failed)?;
    let at: i64 = row.get(1).map_err(failed)?;
    let text = |column: usize| row.get_ref(column).map_err(failed).map(|value| value.as_str().ok());
    let key = row.get_ref(3).map_err(failed)?.as_blob().ok();
    let form: i64 = row.get(4).map_err(failed)?;
    let kept: i64 = row.get(7).map_err(failed)?;
    let (Some(actor), Some(key), Some(name), Some(body)) = (text(2)?, key, text(5)?, text(6)?) else {
        return Err(damaged(path, seq));
    };
    if i64::from(append::crc(natural(seq), at, actor, key, name, body)) != kept {
        return Err(damaged(path, seq));
    }
    stored::recorded(natural(seq), at, actor, (form, name, body)).map_err(|source| StoreError::Event {
        path: path.to_owned(),
        seq,
        source,
    })
}

fn damaged(path: &Path, seq: i64) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        what: format!("event {seq} does not agree with its checksum"),
    }
}

/// Calls `f` with every event after `after`, in order; a gap is damage.
pub(super) fn each(
    conn: &Connection,
    path: &Path,
    after: u64,
    mut f: impl FnMut(Recorded) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |source| StoreError::sql(path, "read the events of", source);
    let sql = format!("SELECT {COLUMNS} FROM events WHERE seq > ?1 ORDER BY seq");
    let mut statement = conn.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([int(after)]).map_err(failed)?;
    let mut expected = after + 1;
    while let Some(row) = rows.next().map_err(failed)? {
        let event = recorded(row, path)?;
        if event.seq != expected {
            let what = format!("event {expected} is missing; event {} follows", event.seq);
            return Err(StoreError::Damaged { path: path.to_owned(), what });
        }
        expected += 1;
        f(event)?;
    }
    Ok(())
}

/// Calls `f` with up to `limit` events after `after`, in order; a gap is damage.
pub(super) fn page(
    conn: &Connection,
    path: &Path,
    after: u64,
    limit: usize,
    mut f: impl FnMut(Recorded),
) -> Result<(), StoreError> {
    let failed = |source| StoreError::sql(path, "read the events of", source);
    let sql = format!("SELECT {COLUMNS} FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([int(after), int(limit as u64)]).map_err(failed)?;
    let mut expected = after + 1;
    while let Some(row) = rows.next().map_err(failed)? {
        let event = recorded(row, path)?;
        if event.seq != expected {
            let what = format!("event {expected} is missing; event {} follows", event.seq);
            return Err(StoreError::Damaged { path: path.to_owned(), what });
        }
        expected += 1;
        f(event);
    }
    Ok(())
}

/// The last sequence number; 0 in an empty log.
pub(super) fn head(conn: &Connection, path: &Path) -> Result<u64, StoreError> {
    conn.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0))
        .map(natural)
        .map_err(|source| StoreError::sql(path, "read the head of", source))
}

/// The state from the newest usable snapshot and the events after it, with the policy's present codes.
pub(super) fn load(conn: &Connection, dir: &Path, epoch: u64, policy: &Policy) -> Result<State, StoreError> {
    let path = dir.join(DATABASE);
    let head = head(conn, &path)?;
    let mut state =
        snapshot::newest(dir, epoch, policy.utc_offset_minutes, head).unwrap_or_else(|| State::new(policy));
    let from = state.seq;
    each(conn, &path, from, |recorded| {
        state.apply(&recorded);
        Ok(())
    })?;
    state.adopt(policy);
    tracing::debug!(snapshot = from, head, "state rebuilt");
    Ok(state)
}
