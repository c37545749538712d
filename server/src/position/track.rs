//! Tracks on disk: every accepted fix, in `positions.db`, apart from the case log so that GPS never delays a case.
//!
//! A blob per flush goes to `ticks`; every quarter of an hour these are sealed into one chunk per inspector. Synced
//! lazily (`synchronous=NORMAL`): a power cut may lose the last second. What should not be here: who is where now.

use domain::code::InspectorCode;
use domain::moment::{DAY_MS, MINUTE_MS, UtcMillis};
use domain::place::Point;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use super::table::Step;

/// How often open tracks are sealed.
const SEAL_MS: i64 = 15 * MINUTE_MS;
/// Form of the file; a newer one is refused.
const FORM: i64 = 1;

/// Why tracks cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    #[error("track store `{path}`: cannot {doing}")]
    Sql { path: PathBuf, doing: &'static str, source: rusqlite::Error },
    #[error("track store `{path}` has form {found}; this program reads form {FORM}")]
    Newer { path: PathBuf, found: i64 },
    #[error("track store: cannot start its thread")]
    Thread(#[source] std::io::Error),
}

/// Steps not sealed yet, by inspector.
pub type Open = Arc<Mutex<HashMap<u32, Vec<Step>>>>;

/// What goes to the writing thread.
#[derive(Debug, Default)]
pub struct Batch {
    pub at: UtcMillis,
    pub steps: Vec<Step>,
    /// Inspectors seen for the first time, or again after their number was given to another.
    pub new: Vec<(u32, InspectorCode)>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.new.is_empty()
    }
}

/// The file and its thread's state.
#[derive(Debug)]
pub struct Tracks {
    path: PathBuf,
    conn: Connection,
    open: Open,
    sealed_ms: i64,
    keep_days: u16,
}

/// An inspector as the file knows them.
#[derive(Debug)]
pub struct Known {
    pub code: InspectorCode,
    pub newest: Option<Step>,
}

impl Tracks {
    /// Opens or makes the file and reads who was where.
    pub fn open(path: &Path, keep_days: u16, open: Open) -> Result<(Self, Vec<Known>), TrackError> {
        let failed = |doing| move |source| TrackError::Sql { path: path.to_owned(), doing, source };
        let conn = Connection::open(path).map_err(failed("open"))?;
        let found: i64 = conn
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(failed("read the form of"))?;
        if found > FORM {
            return Err(TrackError::Newer { path: path.to_owned(), found });
        }
        conn.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA user_version=1;
             CREATE TABLE IF NOT EXISTS inspectors (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,
                 newest BLOB);
             CREATE TABLE IF NOT EXISTS ticks (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
                 bytes BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS chunks (inspector INTEGER NOT NULL, start_ms INTEGER NOT NULL,
                 end_ms INTEGER NOT NULL, bytes BLOB NOT NULL);
             CREATE INDEX IF NOT EXISTS chunks_by_time ON chunks (inspector, start_ms);
             CREATE INDEX IF NOT EXISTS chunks_by_end ON chunks (end_ms);",
        )
        .map_err(failed("prepare"))?;
        let mut tracks = Self { path: path.to_owned(), conn, open, sealed_ms: 0, keep_days };
        let known = tracks.restore().map_err(failed("read"))?;
        Ok((tracks, known))
    }

    fn restore(&mut self) -> Result<Vec<Known>, rusqlite::Error> {
        let mut known = Vec::new();
        let mut inspectors = self.conn.prepare("SELECT id, code, newest FROM inspectors ORDER BY id")?;
        let mut rows = inspectors.query([])?;
        while let Some(row) = rows.next()? {
            let (id, code, newest): (u32, String, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // A number without a readable code stays taken, by nobody.
            while known.len() < (id as usize).min(super::table::INSPECTORS_MAX) {
                known.push(Known { code: nobody(known.len()), newest: None });
            }
            let newest = newest.and_then(|bytes| unpack(&bytes).pop());
            let code = InspectorCode::new(code).unwrap_or_else(|_| nobody(known.len()));
            known.push(Known { code, newest });
        }
        let mut ticks = self.conn.prepare("SELECT bytes FROM ticks ORDER BY id")?;
        let mut rows = ticks.query([])?;
        let mut open = super::lock(&self.open);
        while let Some(row) = rows.next()? {
            for step in unpack(&row.get::<_, Vec<u8>>(0)?) {
                let Some(person) = known.get_mut(step.index as usize) else { continue };
                if person.newest.as_ref().is_none_or(|newest| newest.fixed <= step.fixed) {
                    person.newest = Some(step.clone());
                }
                open.entry(step.index).or_default().push(step);
            }
        }
        Ok(known)
    }

    /// Writes batches until the sender is gone, then seals.
    pub fn run(mut self, batches: &Receiver<Batch>) {
        // People whose number is taken and not yet on disk. Without their row, the number would go to somebody else
        // after a restart, and with it the track.
        let mut unwritten: Vec<(u32, InspectorCode)> = Vec::new();
        while let Ok(mut batch) = batches.recv() {
            let at = batch.at;
            unwritten.append(&mut batch.new);
            if let Err(error) = self.append(&unwritten, batch) {
                metrics::counter!("gridhall_position_track_failures_total").increment(1);
                tracing::error!(%error, path = %self.path.display(), "positions not written to the track");
            } else {
                unwritten.clear();
            }
            if self.sealed_ms == 0 {
                self.sealed_ms = at.0;
            }
            if at.0 - self.sealed_ms >= SEAL_MS {
                self.sealed_ms = at.0;
                self.seal_or_say(at);
            }
        }
        self.seal_or_say(UtcMillis(self.sealed_ms));
    }

    fn seal_or_say(&mut self, at: UtcMillis) {
        if let Err(error) = self.seal(at) {
            tracing::error!(%error, path = %self.path.display(), "tracks not sealed");
        }
    }

    fn append(&mut self, people: &[(u32, InspectorCode)], batch: Batch) -> Result<(), rusqlite::Error> {
        let reused = self.reused(people)?;
        if !reused.is_empty() {
            // Nothing of those who had the numbers may be left among the ticks.
            self.seal(batch.at)?;
        }
        let transaction = self.conn.transaction()?;
        for index in reused {
            transaction.prepare_cached("DELETE FROM chunks WHERE inspector = ?1")?.execute([index])?;
            transaction.prepare_cached("DELETE FROM inspectors WHERE id = ?1")?.execute([index])?;
        }
        for (index, code) in people {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO inspectors (id, code) VALUES (?1, ?2)")?
                .execute(params![index, code.as_str()])?;
        }
        if !batch.steps.is_empty() {
            transaction
                .prepare_cached("INSERT INTO ticks (at_ms, bytes) VALUES (?1, ?2)")?
                .execute(params![batch.at.0, pack(&batch.steps)])?;
        }
        transaction.commit()?;
        let mut open = super::lock(&self.open);
        for step in batch.steps {
            open.entry(step.index).or_default().push(step);
        }
        Ok(())
    }

    /// Numbers that were somebody else's.
    fn reused(&self, new: &[(u32, InspectorCode)]) -> Result<Vec<u32>, rusqlite::Error> {
        let mut known =
            self.conn.prepare_cached("SELECT count(*) FROM inspectors WHERE id = ?1 AND code <> ?2")?;
        let mut reused = Vec::new();
        for (index, code) in new {
            if known.query_row(params![index, code.as_str()], |row| row.get::<_, u32>(0))? > 0 {
                reused.push(*index);
            }
        }
        Ok(reused)
    }

    /// Turns the ticks into one chunk per inspector and drops what is older than is kept.
    fn seal(&mut self, at: UtcMillis) -> Result<(), rusqlite::Error> {
        let open: Vec<(u32, Vec<Step>)> =
            super::lock(&self.open).iter().map(|(index, steps)| (*index, steps.clone())).collect();
        let transaction = self.conn.transaction()?;
        for (index, steps) in &open {
            let mut sorted = steps.clone();
            sorted.sort_by_key(|step| step.fixed);
            let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { continue };
            transaction
                .prepare_cached(
                    "INSERT INTO chunks (inspector, start_ms, end_ms, bytes) VALUES (?1,?2,?3,?4)",
                )?
                .execute(params![index, first.fixed.0, last.fixed.0, pack(&sorted)])?;
            transaction
                .prepare_cached("UPDATE inspectors SET newest = ?2 WHERE id = ?1")?
                .execute(params![index, pack(std::slice::from_ref(last))])?;
        }
        transaction.execute("DELETE FROM ticks", [])?;
        transaction
            .execute("DELETE FROM chunks WHERE end_ms < ?1", [at.0 - i64::from(self.keep_days) * DAY_MS])?;
        transaction.commit()?;
        super::lock(&self.open).clear();
        Ok(())
    }
}

/// One inspector's sealed steps between two times. Opens the file anew: called rarely, on a thread that may wait.
pub fn sealed(path: &Path, index: u32, from: UtcMillis, to: UtcMillis) -> Result<Vec<Step>, TrackError> {
    let failed = |doing| move |source| TrackError::Sql { path: path.to_owned(), doing, source };
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed("open"))?;
    let mut statement = conn
        .prepare(
            "SELECT bytes FROM chunks WHERE inspector = ?1 AND start_ms <= ?3 AND end_ms >= ?2
             ORDER BY start_ms",
        )
        .map_err(failed("read a track of"))?;
    let chunks = statement
        .query_map(params![index, from.0, to.0], |row| row.get::<_, Vec<u8>>(0))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(failed("read a track of"))?;
    let steps = chunks.iter().flat_map(|bytes| unpack(bytes)).collect::<Vec<_>>();
    Ok(steps.into_iter().filter(|step| (from..=to).contains(&step.fixed)).collect())
}

fn nobody(number: usize) -> InspectorCode {
    InspectorCode::new(format!("nobody-{number}")).expect("letters, digits and a hyphen")
}

/// Steps as numbers: index, then differences from the step before.
fn pack(steps: &[Step]) -> Vec<u8> {
    type Row = (u32, i64, i32, i32, u8);
    let mut before = (0i64, 0i32, 0i32);
    let rows: Vec<Row> = steps
        .iter()
        .map(|step| {
            let at = (step.fixed.0, step.place.lat_e6(), step.place.lon_e6());
            let heading = ((step.heading_deg / 360.0 * 128.0).round() as i64).rem_euclid(128) as u8;
            let row = (
                step.index,
                at.0 - before.0,
                at.1.wrapping_sub(before.1),
                at.2.wrapping_sub(before.2),
                heading << 1 | u8::from(step.moving),
            );
            before = at;
            row
        })
        .collect();
    postcard::to_extend(&rows, Vec::new()).expect("numbers have a postcard form and a Vec grows")
}

/// The reverse; unreadable bytes are no steps.
fn unpack(bytes: &[u8]) -> Vec<Step> {
    let rows: Vec<(u32, i64, i32, i32, u8)> = postcard::from_bytes(bytes).unwrap_or_default();
    let mut at = (0i64, 0i32, 0i32);
    let mut steps = Vec::with_capacity(rows.len());
    for (index, time, lat, lon, flags) in rows {
        at = (at.0.wrapping_add(time), at.1.wrapping_add(lat), at.2.wrapping_add(lon));
        let Some(place) = Point::from_e6(at.1, at.2) else { continue };
        let heading_deg = f32::from(flags >> 1) * 360.0 / 128.0;
        steps.push(Step { index, place, fixed: UtcMillis(at.0), moving: flags & 1 != 0, heading_deg });
    }
    steps
}
