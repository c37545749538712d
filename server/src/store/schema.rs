//! The tables of lists that stand in the log's file since its first format, until views take their place.

use std::path::Path;

use rusqlite::Connection;

use super::StoreError;
use crate::log::sqlite::schema;

/// Days are numbers such as 20261121. `stage`, `level`: the place in the domain's list. `phase`: 0 no clock runs, 1
/// running, 2 nearing, 3 overdue. `due`: milliseconds UTC, the largest number where no clock runs.
pub(super) const LISTS: &str = "
CREATE TABLE IF NOT EXISTS cases(
  id INTEGER PRIMARY KEY,
  number TEXT NOT NULL,
  class TEXT NOT NULL,
  source TEXT NOT NULL,
  address TEXT NOT NULL,
  has_place INTEGER NOT NULL,
  reported_day INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  phase INTEGER NOT NULL,
  due INTEGER NOT NULL,
  open INTEGER NOT NULL,
  filed_day INTEGER,
  dispatched_day INTEGER,
  closed_day INTEGER,
  dispatched_late INTEGER NOT NULL,
  department TEXT,
  claimed_by TEXT,
  version INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS cases_due ON cases(due, id) WHERE open = 1;
CREATE INDEX IF NOT EXISTS cases_reported ON cases(reported_day, id);
CREATE INDEX IF NOT EXISTS cases_filed ON cases(filed_day, id) WHERE filed_day IS NOT NULL;
CREATE INDEX IF NOT EXISTS cases_closed ON cases(closed_day, id) WHERE closed_day IS NOT NULL;
CREATE TABLE IF NOT EXISTS case_areas(area TEXT NOT NULL, case_id INTEGER NOT NULL, PRIMARY KEY(area, case_id)) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS whistles(
  id INTEGER PRIMARY KEY,
  level INTEGER NOT NULL,
  open INTEGER NOT NULL,
  raised_day INTEGER NOT NULL,
  area_path TEXT NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS whistles_open ON whistles(id) WHERE open = 1;
";

pub(super) fn meta(conn: &Connection, path: &Path, name: &str) -> Result<Option<String>, StoreError> {
    Ok(schema::meta(conn, path, name)?)
}

pub(super) fn set_meta(conn: &Connection, path: &Path, name: &str, value: &str) -> Result<(), StoreError> {
    Ok(schema::set_meta(conn, path, name, value)?)
}
