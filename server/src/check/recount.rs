//! The oracle: every tally cell counted anew from the stored events, by SQL alone.
//!
//! Its counting shares no code with the deltas in `domain::state`; where the two differ one of them is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use domain::case::step::Leads;
use domain::case::{Stage, Step};
use domain::moment::{Date, UtcOffset};
use domain::tally::{Count, TallyKey};
use rusqlite::{Connection, named_params, params};

use crate::events::Reader;
use crate::folder::StoreError;
use crate::log::sqlite::{file, natural};

/// Tally cells as the events alone give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recount {
    /// Sequence number the cells hold for.
    pub seq: u64,
    /// The local day as the log knows it; decides which days and months are kept.
    pub today: Date,
    pub cells: BTreeMap<TallyKey, Count>,
}

/// The stages in their order, and the rows of the table of steps: what a stored step means is data, and the same for
/// everybody who counts. How it is counted is not.
fn step_rows(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "CREATE TEMP TABLE stage(name TEXT, number INTEGER, leading TEXT, step TEXT);
         CREATE TEMP TABLE step_row(name TEXT, event TEXT, to_stage TEXT, closes INTEGER);
         CREATE TEMP TABLE step_stops(event TEXT, of TEXT);
         CREATE TEMP TABLE step_counts(event TEXT, measure TEXT, late INTEGER);",
    )?;
    for stage in Stage::ALL {
        let out = Step::out_of(stage);
        let leading = out.and_then(|step| step.stops.first()).map(|of| of.key());
        let values = params![stage.key(), stage as i64, leading, out.map(|step| step.name)];
        conn.execute("INSERT INTO stage VALUES(?1, ?2, ?3, ?4)", values)?;
    }
    for Step(row) in Step::all() {
        // One that leads nowhere leaves the stage to the step before.
        let to = match row.to {
            Leads::On(stage) | Leads::Back(stage) => Some(stage.key()),
            Leads::Closes(_) => Some(Stage::Close.key()),
            Leads::Stays => None,
        };
        let values = params![row.name, row.event, to, row.closes()];
        conn.execute("INSERT INTO step_row VALUES(?1, ?2, ?3, ?4)", values)?;
        for of in row.stops {
            conn.execute("INSERT INTO step_stops VALUES(?1, ?2)", params![row.event, of.key()])?;
        }
        for (measures, late) in [(row.counts, 0), (row.counts_late, 1)] {
            for measure in measures {
                let values = params![row.event, measure.key(), late];
                conn.execute("INSERT INTO step_counts VALUES(?1, ?2, ?3)", values)?;
            }
        }
    }
    Ok(())
}

/// What happened to each case, from the events. `taken`: every step; `clock`: every start of one and every new due
/// time; `alarm`: what passed, and what had passed by a new due time; `within`: where it lay and lies, from which event until which.
/// Form 1 names its two clocks, form 2 lists them.
const CASES: &str = "
CREATE TEMP TABLE counted AS
SELECT case_id AS id, seq, at,
  body -> '$.area_path' AS area_path,
  body ->> '$.report.source' AS source,
  body ->> '$.report.class' AS class,
  body ->> '$.report.base_count' AS base,
  coalesce(body ->> '$.seen_ms', body ->> '$.opened_ms') AS seen,
  coalesce(body ->> '$.stage', 'accept') AS stage_before,
  body ->> '$.closed_ms' AS closed_before,
  body -> '$.steps' AS steps_before
FROM events WHERE name IN ('case_reported', 'case_taken_over');

CREATE TEMP TABLE taken AS
SELECT case_id AS id, seq, at, events.name AS event, to_stage, closes FROM events JOIN step_row ON step_row.event = events.name;
CREATE INDEX temp.taken_id ON taken(id, seq);

CREATE TEMP TABLE clock AS
SELECT case_id AS id, seq, 'dispatch' AS of, body ->> '$.dispatch_clock.due_ms' AS due FROM events
  WHERE body ->> '$.dispatch_clock.due_ms' IS NOT NULL
UNION ALL SELECT case_id, seq, 'disposal', body ->> '$.disposal_clock.due_ms' FROM events
  WHERE body ->> '$.disposal_clock.due_ms' IS NOT NULL
UNION ALL SELECT case_id, seq, 'disposal', body ->> '$.due_ms' FROM events
  WHERE name = 'case_taken_over' AND form = 1 AND body ->> '$.stage' = 'dispose' AND body ->> '$.due_ms' IS NOT NULL
UNION ALL SELECT case_id, seq, started.value ->> '$.of', started.value ->> '$.due_ms'
  FROM events, json_each(events.body, '$.started') AS started WHERE case_id IS NOT NULL
UNION ALL SELECT case_id, seq, anew.value ->> '$.of', anew.value ->> '$.due_ms'
  FROM events, json_each(events.body, '$.replanned') AS anew WHERE name = 'case_replanned';
CREATE INDEX temp.clock_id ON clock(id, of, seq);

CREATE TEMP TABLE stop AS SELECT id, seq, of FROM taken JOIN step_stops USING (event);
CREATE INDEX temp.stop_id ON stop(id, of, seq);

CREATE TEMP TABLE alarm AS
SELECT case_id AS id, seq, name = 'deadline_passed' AS passed, body ->> '$.of' AS of FROM events
  WHERE name IN ('deadline_nearing', 'deadline_passed') AND case_id IS NOT NULL
UNION ALL SELECT case_id, seq, anew.value ->> '$.phase' = 'overdue', anew.value ->> '$.of'
  FROM events, json_each(events.body, '$.replanned') AS anew
  WHERE name = 'case_replanned' AND anew.value ->> '$.phase' <> 'running';
CREATE INDEX temp.alarm_id ON alarm(id, of, seq);

CREATE TEMP TABLE standing AS
WITH last AS (
  SELECT counted.id, closed_before IS NULL AND NOT EXISTS (
      SELECT 1 FROM taken WHERE taken.id = counted.id AND closes) AS open,
    coalesce((SELECT to_stage FROM taken WHERE taken.id = counted.id AND to_stage IS NOT NULL ORDER BY seq DESC LIMIT 1), stage_before)
      AS stage
  FROM counted
),
leading AS (
  SELECT id, open, stage, leading AS of FROM last LEFT JOIN stage ON stage.name = last.stage
),
since AS (
  SELECT leading.*, (SELECT max(seq) FROM clock WHERE clock.id = leading.id AND clock.of = leading.of
      AND seq >= coalesce((SELECT max(seq) FROM stop WHERE stop.id = leading.id AND stop.of = leading.of), 0)) AS began
  FROM leading
)
SELECT id, open, stage, of,
  EXISTS (SELECT 1 FROM alarm WHERE alarm.id = since.id AND alarm.of = since.of AND seq >= began) AS nearing,
  EXISTS (SELECT 1 FROM alarm WHERE alarm.id = since.id AND alarm.of = since.of AND seq >= began AND passed) AS overdue
FROM since;

CREATE TEMP TABLE lies AS
SELECT id, seq, area_path FROM counted
UNION ALL SELECT case_id, seq, body -> '$.area_path' FROM events WHERE name = 'case_moved';
CREATE INDEX temp.lies_id ON lies(id, seq);

CREATE TEMP TABLE within AS
WITH stretch AS (
  SELECT id, area_path, seq AS from_seq,
    coalesce((SELECT min(later.seq) FROM lies AS later WHERE later.id = lies.id AND later.seq > lies.seq), 1 << 62) AS until_seq
  FROM lies
)
SELECT id, base, 'city' AS dimension, 0 AS from_seq, 1 << 62 AS until_seq FROM counted
UNION ALL SELECT id, base, 'source:' || source, 0, 1 << 62 FROM counted
UNION ALL SELECT id, base, 'class:' || class, 0, 1 << 62 FROM counted
UNION ALL SELECT stretch.id, base, 'area:' || area.value, from_seq, until_seq
  FROM stretch JOIN counted USING (id), json_each(stretch.area_path) AS area;
CREATE INDEX temp.within_id ON within(id);

CREATE TEMP TABLE dimension AS SELECT id, base, dimension FROM within WHERE until_seq = 1 << 62;
CREATE INDEX temp.dimension_id ON dimension(id);
";

/// Instants that count in a period: one row per measure, case and time, where the case lay at its event. A step another system took counts when its time is
/// known; one is late when a clock that it stops, begun last before it and stopped by no step between, had run out, or its alarm had come.
const FLOWS: &str = "
CREATE TEMP TABLE flow AS
SELECT 'reported' AS measure, id, seq, seen AS at FROM counted
UNION ALL SELECT 'closed', id, seq, closed_before FROM counted WHERE closed_before IS NOT NULL
UNION ALL SELECT measure, counted.id, counted.seq, known.value ->> '$.at_ms'
  FROM counted, json_each(counted.steps_before) AS known
  JOIN step_row ON step_row.name = known.value ->> '$.step' JOIN step_counts USING (event) WHERE late = 0
UNION ALL SELECT measure, id, taken.seq, at FROM taken JOIN step_counts USING (event)
  WHERE late = 0 OR EXISTS (
    SELECT 1 FROM step_stops JOIN clock ON clock.of = step_stops.of AND clock.id = taken.id
    WHERE step_stops.event = taken.event AND clock.seq = (
        SELECT max(seq) FROM clock WHERE clock.id = taken.id AND clock.of = step_stops.of AND clock.seq < taken.seq
          AND clock.seq >= coalesce((SELECT max(seq) FROM stop
            WHERE stop.id = taken.id AND stop.of = step_stops.of AND stop.seq < taken.seq), 0))
      AND (at > clock.due OR EXISTS (SELECT 1 FROM alarm WHERE alarm.id = taken.id AND alarm.of = step_stops.of AND passed
        AND alarm.seq >= clock.seq AND alarm.seq < taken.seq)));
";

/// How the number of each stage changed, and when. A case from elsewhere is counted by its known times where they lead
/// through every stage to its own; else since it came here.
const MOVES: &str = "
CREATE TEMP TABLE known AS
SELECT counted.id, base, stage.number, known.value ->> '$.at_ms' AS at
FROM counted, json_each(counted.steps_before) AS known
LEFT JOIN stage ON stage.number = known.key AND stage.step = known.value ->> '$.step';

CREATE TEMP TABLE whole AS
SELECT id, base, seen, closed_before FROM counted
WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.id = counted.id AND number IS NULL)
  AND (SELECT count(*) FROM known WHERE known.id = counted.id) = CASE
    WHEN closed_before IS NULL THEN (SELECT number FROM stage WHERE name = stage_before)
    ELSE (SELECT max(number) FROM stage) END;

CREATE TEMP TABLE stands AS
SELECT id, seq, at, to_stage, closes,
  coalesce((SELECT before.to_stage FROM taken AS before WHERE before.id = taken.id AND before.seq < taken.seq
      AND before.to_stage IS NOT NULL ORDER BY before.seq DESC LIMIT 1), stage_before) AS from_stage, base
FROM taken JOIN (SELECT id, base, stage_before FROM counted) USING (id) WHERE to_stage IS NOT NULL;

CREATE TEMP TABLE moved AS
SELECT 'accept' AS stage, seen AS at, 1 AS delta, base FROM whole
UNION ALL SELECT 'close', closed_before, -1, base FROM whole WHERE closed_before IS NOT NULL
UNION ALL SELECT stage.name, at, CASE WHEN stage.number = known.number THEN -1 ELSE 1 END, base
  FROM known JOIN stage ON stage.number IN (known.number, known.number + 1) WHERE id IN (SELECT id FROM whole)
UNION ALL SELECT stage_before, at, 1, base FROM counted
  WHERE closed_before IS NULL AND id NOT IN (SELECT id FROM whole)
UNION ALL SELECT from_stage, at, -1, base FROM stands WHERE closes OR to_stage <> from_stage
UNION ALL SELECT to_stage, at, 1, base FROM stands WHERE NOT closes AND to_stage <> from_stage;
";

/// Whistles, where they lay and lie, from which event until which, and who is late.
const WHISTLES: &str = "
CREATE TEMP TABLE raised AS
SELECT whistle_id AS id, seq, at, body -> '$.area_path' AS area_path,
  EXISTS (SELECT 1 FROM events c WHERE c.whistle_id = e.whistle_id AND c.name = 'whistle_closed') AS closed
FROM events e WHERE name = 'whistle_raised';

CREATE TEMP TABLE late AS
SELECT p.whistle_id AS id, p.body ->> '$.department' AS department FROM events p
WHERE p.name = 'deadline_passed' AND p.whistle_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM events a WHERE a.whistle_id = p.whistle_id AND a.name = 'whistle_answered'
    AND a.body ->> '$.department' = p.body ->> '$.department');

CREATE TEMP TABLE whistle_lies AS
SELECT id, seq, area_path FROM raised
UNION ALL SELECT whistle_id, seq, body -> '$.area_path' FROM events WHERE name = 'whistle_moved';
CREATE INDEX temp.whistle_lies_id ON whistle_lies(id, seq);

CREATE TEMP TABLE whistle_within AS
SELECT id, 'city' AS dimension, 0 AS from_seq, 1 << 62 AS until_seq FROM raised
UNION ALL SELECT lies.id, 'area:' || area.value, lies.seq,
    coalesce((SELECT min(later.seq) FROM whistle_lies AS later WHERE later.id = lies.id AND later.seq > lies.seq), 1 << 62)
  FROM whistle_lies AS lies, json_each(lies.area_path) AS area;

CREATE TEMP TABLE whistle_dimension AS SELECT id, dimension FROM whistle_within WHERE until_seq = 1 << 62;
";

/// All cells as `measure|dimension|period` with their counts. Local time is UTC plus a fixed offset; days and months
/// are kept as the tally keeps them: two days, thirteen months, 29 days of the hours in which cases are filed or closed, or
/// come to a stage and leave it.
const CELLS: &str = "
WITH timed AS (
  SELECT measure, dimension, base, (at + :offset_ms) / 1000.0 AS local FROM flow JOIN within ON within.id = flow.id AND seq >= from_seq AND seq < until_seq
  UNION ALL SELECT 'whistle_raised', dimension, 0, (at + :offset_ms) / 1000.0
    FROM raised JOIN whistle_within USING (id) WHERE seq >= from_seq AND seq < until_seq
),
dated AS (
  SELECT measure, dimension, base, date(local, 'unixepoch') AS day, strftime('%Y%m%d', local, 'unixepoch') AS compact,
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
SELECT measure || '|' || dimension || '|ever' AS cell, count(*) AS cases, sum(base) AS weight FROM kept GROUP BY cell
UNION ALL SELECT measure || '|' || dimension || '|month:' || month AS cell, count(*), sum(base) FROM kept
  WHERE month_kept GROUP BY cell
UNION ALL SELECT measure || '|' || dimension || '|day:' || compact AS cell, count(*), sum(base) FROM kept
  WHERE day_kept GROUP BY cell
UNION ALL SELECT measure || '|city|hour:' || compact || 'T' || hour AS cell, count(*), sum(base) FROM kept
  WHERE hour_kept AND dimension = 'city' GROUP BY cell
UNION ALL SELECT 'open|' || dimension || '|now' AS cell, count(*), sum(base) FROM standing JOIN dimension USING (id)
  WHERE open GROUP BY cell
UNION ALL SELECT 'at_' || stage || '|' || dimension || '|now' AS cell, count(*), sum(base) FROM standing JOIN dimension USING (id) WHERE open GROUP BY cell
UNION ALL SELECT 'at_' || stage || '|city|hour:' || strftime('%Y%m%dT%H', (at + :offset_ms) / 1000.0, 'unixepoch') AS cell,
    sum(delta) AS more, sum(delta * base) AS heavier FROM moved
  WHERE date((at + :offset_ms) / 1000.0, 'unixepoch') > date(:today, '-29 days')
  GROUP BY cell HAVING more <> 0 OR heavier <> 0
UNION ALL SELECT 'overdue_dispatch|' || dimension || '|now' AS cell, count(*), sum(base)
  FROM standing JOIN dimension USING (id) WHERE open AND of = 'dispatch' AND overdue GROUP BY cell
UNION ALL SELECT 'nearing_dispatch|' || dimension || '|now' AS cell, count(*), sum(base)
  FROM standing JOIN dimension USING (id)
  WHERE open AND of = 'dispatch' AND nearing AND NOT overdue GROUP BY cell
UNION ALL SELECT 'overdue_disposal|' || dimension || '|now' AS cell, count(*), sum(base)
  FROM standing JOIN dimension USING (id) WHERE open AND of = 'disposal' AND overdue GROUP BY cell
UNION ALL SELECT 'whistle_open|' || dimension || '|now' AS cell, count(*), 0
  FROM raised JOIN whistle_dimension USING (id) WHERE NOT closed GROUP BY cell
UNION ALL SELECT 'whistle_late|' || dimension || '|now' AS cell, count(*), 0
  FROM late JOIN raised USING (id) JOIN whistle_dimension USING (id) WHERE NOT closed GROUP BY cell
";

impl Reader {
    /// All tally cells counted anew from the events by SQL, and the sequence number they hold for. Independent of the
    /// deltas that keep the cells in memory: the two must agree.
    pub fn recount(&self) -> Result<Recount, StoreError> {
        recount(self.path(), self.offset())
    }
}

/// Counts everything, within one read on a connection of its own.
pub(super) fn recount(path: &Path, offset: UtcOffset) -> Result<Recount, StoreError> {
    let failed = |source| StoreError::sql(path, "recount", source);
    let conn = file::open_for_reading(path)?;
    // Temporary tables are not part of the store, but `query_only` forbids them as well.
    conn.execute_batch("PRAGMA query_only = OFF; BEGIN").map_err(failed)?;
    let counted = recount_in(&conn, path, offset)?;
    conn.execute_batch("COMMIT").map_err(failed)?;
    Ok(counted)
}

fn recount_in(conn: &Connection, path: &Path, offset: UtcOffset) -> Result<Recount, StoreError> {
    let failed = |source| StoreError::sql(path, "recount", source);
    step_rows(conn).map_err(failed)?;
    for part in [CASES, FLOWS, MOVES, WHISTLES] {
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
        let count = Count { cases: row.get(1).map_err(failed)?, base: row.get(2).map_err(failed)? };
        cells.insert(key, count);
    }
    let today = today.parse().map_err(|_| damaged(format!("`{today}` is not a day")))?;
    Ok(Recount { seq: natural(seq), today, cells })
}
