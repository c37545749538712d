//! The oracle: every tally cell counted anew from the stored events, by SQL alone.
//!
//! It shares no code with the deltas in `domain::state`; where the two differ one of them is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use domain::moment::{Date, UtcOffset};
use domain::tally::TallyKey;
use rusqlite::{Connection, named_params};

use super::{StoreError, natural};

/// Tally cells as the events alone give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recount {
    /// Sequence number the cells hold for.
    pub seq: u64,
    /// The local day as the log knows it; decides which days and months are kept.
    pub today: Date,
    pub cells: BTreeMap<TallyKey, i64>,
}

/// What happened to each case, from the events.
const CASES: &str = "
CREATE TEMP TABLE counted AS
WITH entered AS (
  SELECT case_id AS id, at, name, body FROM events WHERE name IN ('case_reported', 'case_taken_over')
),
step AS (
  SELECT case_id AS id,
    max(CASE name WHEN 'case_accepted' THEN 1 WHEN 'case_filed' THEN 2 WHEN 'case_dispatched' THEN 3
      WHEN 'disposal_finished' THEN 4 WHEN 'feedback_given' THEN 5 WHEN 'check_passed' THEN 6 END) AS stage,
    max(CASE name WHEN 'case_filed' THEN at END) AS filed,
    max(CASE name WHEN 'case_dispatched' THEN at END) AS dispatched,
    max(CASE name WHEN 'case_closed' THEN at END) AS closed,
    max(CASE name WHEN 'case_filed' THEN body ->> '$.dispatch_clock.due_ms' END) AS dispatch_due,
    max(name = 'deadline_nearing' AND body ->> '$.of' = 'dispatch') AS dispatch_nearing,
    max(name = 'deadline_passed' AND body ->> '$.of' = 'dispatch') AS dispatch_overdue,
    max(name = 'deadline_passed' AND body ->> '$.of' = 'disposal') AS disposal_overdue
  FROM events WHERE case_id IS NOT NULL AND whistle_id IS NULL GROUP BY case_id
)
SELECT entered.id,
  entered.body -> '$.area_path' AS area_path,
  entered.body ->> '$.report.source' AS source,
  entered.body ->> '$.report.class' AS class,
  coalesce(entered.body ->> '$.seen_ms', entered.body ->> '$.opened_ms') AS seen,
  entered.name = 'case_taken_over' AS taken_over,
  CASE entered.body ->> '$.stage' WHEN 'accept' THEN 0 WHEN 'file' THEN 1 WHEN 'dispatch' THEN 2
    WHEN 'dispose' THEN 3 WHEN 'feedback' THEN 4 WHEN 'check' THEN 5 WHEN 'close' THEN 6 ELSE 0 END
    AS stage_before,
  entered.body ->> '$.closed_ms' AS closed_before,
  step.stage AS stage_after, step.filed, step.dispatched, step.closed,
  coalesce(step.dispatch_due, entered.body ->> '$.dispatch_clock.due_ms') AS dispatch_due,
  step.dispatch_nearing, step.dispatch_overdue, step.disposal_overdue
FROM entered JOIN step USING (id);

CREATE TEMP TABLE standing AS
SELECT id, CASE WHEN closed_before IS NOT NULL THEN 6 ELSE max(stage_before, coalesce(stage_after, 0)) END AS stage,
  closed_before IS NULL AND closed IS NULL AS open, dispatch_nearing, dispatch_overdue, disposal_overdue
FROM counted;

CREATE TEMP TABLE dimension AS
SELECT id, 'city' AS dimension FROM counted
UNION ALL SELECT id, 'source:' || source FROM counted
UNION ALL SELECT id, 'class:' || class FROM counted
UNION ALL SELECT counted.id, 'area:' || area.value FROM counted, json_each(counted.area_path) AS area;
CREATE INDEX temp.dimension_id ON dimension(id);
";

/// Instants that count in a period: one row per measure, case and time.
const FLOWS: &str = "
CREATE TEMP TABLE flow AS
WITH passed AS (SELECT *, CASE WHEN closed_before IS NOT NULL THEN 6 ELSE stage_before END AS came FROM counted)
SELECT 'reported' AS measure, id, seen AS at FROM passed
UNION ALL SELECT 'filed', id, CASE WHEN came > 1 THEN seen ELSE filed END FROM passed
  WHERE came > 1 OR filed IS NOT NULL
UNION ALL SELECT 'dispatched', id, CASE WHEN came > 2 THEN seen ELSE dispatched END FROM passed
  WHERE came > 2 OR dispatched IS NOT NULL
UNION ALL SELECT 'closed', id, coalesce(closed_before, closed) FROM passed
  WHERE closed_before IS NOT NULL OR closed IS NOT NULL
UNION ALL SELECT 'dispatched_late', id, dispatched FROM passed WHERE dispatched > dispatch_due;
";

/// Whistles, their areas and who is late.
const WHISTLES: &str = "
CREATE TEMP TABLE raised AS
SELECT whistle_id AS id, at, body -> '$.area_path' AS area_path,
  EXISTS (SELECT 1 FROM events c WHERE c.whistle_id = e.whistle_id AND c.name = 'whistle_closed') AS closed
FROM events e WHERE name = 'whistle_raised';

CREATE TEMP TABLE late AS
SELECT p.whistle_id AS id, p.body ->> '$.department' AS department FROM events p
WHERE p.name = 'deadline_passed' AND p.whistle_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM events a WHERE a.whistle_id = p.whistle_id AND a.name = 'whistle_answered'
    AND a.body ->> '$.department' = p.body ->> '$.department');

CREATE TEMP TABLE whistle_dimension AS
SELECT id, 'city' AS dimension FROM raised
UNION ALL SELECT raised.id, 'area:' || area.value FROM raised, json_each(raised.area_path) AS area;
";

/// All cells as `measure|dimension|period` with their counts. Local time is UTC plus a fixed offset; days and months
/// are kept as the tally keeps them: two days, thirteen months, 29 days of the hours in which cases are filed or closed.
const CELLS: &str = "
WITH timed AS (
  SELECT measure, dimension, (at + :offset_ms) / 1000.0 AS local FROM flow JOIN dimension USING (id)
  UNION ALL SELECT 'whistle_raised', dimension, (at + :offset_ms) / 1000.0
    FROM raised JOIN whistle_dimension USING (id)
),
dated AS (
  SELECT measure, dimension, date(local, 'unixepoch') AS day, strftime('%Y%m%d', local, 'unixepoch') AS compact,
    strftime('%Y%m', local, 'unixepoch') AS month, strftime('%H', local, 'unixepoch') AS hour FROM timed
),
kept AS (
  SELECT *,
    day > date(:today, '-2 days') AS day_kept,
    day > date(:today, CASE WHEN measure IN ('filed', 'closed') THEN '-29 days' ELSE '-2 days' END) AS hour_kept,
    (CAST(substr(:today, 1, 4) AS INTEGER) * 12 + CAST(substr(:today, 6, 2) AS INTEGER))
      - (CAST(substr(month, 1, 4) AS INTEGER) * 12 + CAST(substr(month, 5, 2) AS INTEGER)) < 13 AS month_kept
  FROM dated
)
SELECT measure || '|' || dimension || '|ever' AS cell, count(*) AS number FROM kept GROUP BY cell
UNION ALL SELECT measure || '|' || dimension || '|month:' || month AS cell, count(*) FROM kept
  WHERE month_kept GROUP BY cell
UNION ALL SELECT measure || '|' || dimension || '|day:' || compact AS cell, count(*) FROM kept
  WHERE day_kept GROUP BY cell
UNION ALL SELECT measure || '|city|hour:' || compact || 'T' || hour AS cell, count(*) FROM kept
  WHERE hour_kept AND dimension = 'city' GROUP BY cell
UNION ALL SELECT 'open|' || dimension || '|now' AS cell, count(*) FROM standing JOIN dimension USING (id)
  WHERE open GROUP BY cell
UNION ALL SELECT CASE stage WHEN 0 THEN 'at_accept' WHEN 1 THEN 'at_file' WHEN 2 THEN 'at_dispatch'
    WHEN 3 THEN 'at_dispose' WHEN 4 THEN 'at_feedback' WHEN 5 THEN 'at_check' ELSE 'at_close' END
    || '|' || dimension || '|now' AS cell, count(*) FROM standing JOIN dimension USING (id) WHERE open GROUP BY cell
UNION ALL SELECT 'overdue_dispatch|' || dimension || '|now' AS cell, count(*)
  FROM standing JOIN dimension USING (id) WHERE open AND stage = 2 AND dispatch_overdue GROUP BY cell
UNION ALL SELECT 'nearing_dispatch|' || dimension || '|now' AS cell, count(*)
  FROM standing JOIN dimension USING (id)
  WHERE open AND stage = 2 AND dispatch_nearing AND NOT dispatch_overdue GROUP BY cell
UNION ALL SELECT 'overdue_disposal|' || dimension || '|now' AS cell, count(*)
  FROM standing JOIN dimension USING (id) WHERE open AND stage = 3 AND disposal_overdue GROUP BY cell
UNION ALL SELECT 'whistle_open|' || dimension || '|now' AS cell, count(*)
  FROM raised JOIN whistle_dimension USING (id) WHERE NOT closed GROUP BY cell
UNION ALL SELECT 'whistle_late|' || dimension || '|now' AS cell, count(*)
  FROM late JOIN raised USING (id) JOIN whistle_dimension USING (id) WHERE NOT closed GROUP BY cell
";

const DROP: &str = "
DROP TABLE IF EXISTS temp.counted; DROP TABLE IF EXISTS temp.standing; DROP TABLE IF EXISTS temp.dimension;
DROP TABLE IF EXISTS temp.flow; DROP TABLE IF EXISTS temp.raised; DROP TABLE IF EXISTS temp.late;
DROP TABLE IF EXISTS temp.whistle_dimension;
";

/// Counts everything within the caller's transaction.
pub(super) fn recount(conn: &Connection, path: &Path, offset: UtcOffset) -> Result<Recount, StoreError> {
    let failed = |source| StoreError::sql(path, "recount", source);
    // Temporary tables are not part of the store, but `query_only` forbids them as well.
    conn.execute_batch("PRAGMA query_only = OFF").map_err(failed)?;
    let counted = recount_in(conn, path, offset);
    let dropped = conn.execute_batch(DROP).and_then(|()| conn.execute_batch("PRAGMA query_only = ON"));
    dropped.map_err(failed)?;
    counted
}

fn recount_in(conn: &Connection, path: &Path, offset: UtcOffset) -> Result<Recount, StoreError> {
    let failed = |source| StoreError::sql(path, "recount", source);
    conn.execute_batch(DROP).map_err(failed)?;
    for part in [CASES, FLOWS, WHISTLES] {
        conn.execute_batch(part).map_err(failed)?;
    }
    let seq: i64 =
        conn.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0)).map_err(failed)?;
    let today: String = conn
        .query_row(
            // The last one and not the latest day: a clock that was ahead has been set right since.
            "SELECT coalesce((SELECT body ->> '$.date' FROM events WHERE name = 'day_turned'
               ORDER BY seq DESC LIMIT 1), '1970-01-01')",
            [],
            |row| row.get(0),
        )
        .map_err(failed)?;
    let mut statement = conn.prepare(CELLS).map_err(failed)?;
    let offset_ms = i64::from(offset.0) * 60_000;
    let mut rows =
        statement.query(named_params! {":offset_ms": offset_ms, ":today": today}).map_err(failed)?;
    let mut cells = BTreeMap::new();
    let damaged = |what: String| StoreError::Damaged { path: path.to_owned(), what };
    while let Some(row) = rows.next().map_err(failed)? {
        let cell: String = row.get(0).map_err(failed)?;
        let key =
            cell.parse().map_err(|error| damaged(format!("counted a cell that has no key: {error}")))?;
        cells.insert(key, row.get(1).map_err(failed)?);
    }
    let today = today.parse().map_err(|_| damaged(format!("`{today}` is not a day")))?;
    Ok(Recount { seq: natural(seq), today, cells })
}
