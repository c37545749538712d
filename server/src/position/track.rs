//! Tracks on disk (轨迹): every accepted fix, in `positions.db`, apart from the case log so that GPS never delays a case.
//!
//! A blob per flush goes to `flushes`; every quarter of an hour by the monotonic clock these become chunks, one for each
//! inspector and quarter of an hour of fix time, in a table a day, which is dropped when its time is over. Chunks belong to
//! an inspector's code, since numbers are given again. Synced lazily (`synchronous=NORMAL`): a power cut may lose the last
//! second. What should not be here: who is where now.

use domain::code::InspectorCode;
use domain::moment::{DAY_MS, MINUTE_MS, UtcMillis};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Step, TrackPoint};
use crate::folder::orphaned;
use crate::lock::lock;

mod error;
mod first;
mod form;
mod keep;
mod read;
mod past;
mod trouble;
#[cfg(test)]
mod tests;

pub use error::TrackError;
use keep::{Agreement, Keep};
pub use past::{moved, stood};
pub use read::sealed;
pub use trouble::Trouble;

/// How often open tracks are sealed, and what of a day one chunk holds.
const SEAL_MS: i64 = 15 * MINUTE_MS;
const SEAL_EVERY: Duration = Duration::from_millis(SEAL_MS as u64);
/// Open points that are sealed before their time: about 100 MB of memory.
const OPEN_MAX: usize = 2_000_000;
/// Pause between attempts to write what could not be written.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Form of the file; a newer one is refused.
const FORM: i64 = 2;

/// Points not sealed yet, by inspector.
pub type Open = Arc<Mutex<HashMap<InspectorCode, Vec<TrackPoint>>>>;

/// What goes to the writing thread.
#[derive(Debug, Default)]
pub struct Batch {
    /// The wall clock.
    pub at: UtcMillis,
    /// The monotonic clock.
    pub monotonic: Duration,
    /// A newest position later than this was taken under a clock that has been set back since.
    pub latest: UtcMillis,
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
    /// Points in `open`.
    open_points: usize,
    /// Who has which number.
    codes: Vec<InspectorCode>,
    sealed: Option<Duration>,
    keep: Keep,
    trouble: Trouble,
}

/// An inspector as the file knows them.
#[derive(Debug)]
pub struct Known {
    pub code: InspectorCode,
    pub newest: Option<TrackPoint>,
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS inspectors (
  id INTEGER PRIMARY KEY, -- number on the feed; given to another when its owner is long unheard
  code TEXT NOT NULL UNIQUE,
  newest_ms INTEGER, -- time of the newest fix; NULL before the first seal
  newest BLOB -- that fix, a chunk of one point
);
CREATE TABLE IF NOT EXISTS flushes (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS agreement (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  agreed_ms INTEGER NOT NULL, -- how long wall and monotonic clock have agreed
  seen_ms INTEGER NOT NULL -- the wall clock then
);
";

impl Tracks {
    /// Opens or makes the file, brings one of the first version up to date, and reads who was where.
    pub fn open(path: &Path, keep_days: u16, open: Open) -> Result<(Self, Vec<Known>), TrackError> {
        if let Some(log) = orphaned(path) {
            return Err(TrackError::Orphaned { path: path.to_owned(), log });
        }
        let failed = |doing| move |source| TrackError::Sql { path: path.to_owned(), doing, source };
        let mut conn = Connection::open(path).map_err(failed("open"))?;
        let found: i64 = conn
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(failed("read the form of"))?;
        if found > FORM {
            return Err(TrackError::Newer { path: path.to_owned(), found });
        }
        conn.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
            .map_err(failed("prepare"))?;
        let made = conn.transaction().and_then(|transaction| {
            transaction.execute_batch(TABLES)?;
            if found == 1 {
                first::bring_up(&transaction)?;
            }
            transaction.execute_batch("PRAGMA user_version = 2")?;
            transaction.commit()
        });
        made.map_err(failed("prepare"))?;
        let agreement = conn
            .query_row("SELECT agreed_ms, seen_ms FROM agreement", [], |row| {
                Ok(Agreement { agreed_ms: row.get(0)?, seen: UtcMillis(row.get(1)?) })
            })
            .optional()
            .map_err(failed("read"))?;
        let keep = Keep::new(keep_days, agreement.unwrap_or_default());
        let path = path.to_owned();
        let (codes, trouble) = (Vec::new(), Trouble::default());
        let mut tracks = Self { path, conn, open, open_points: 0, codes, sealed: None, keep, trouble };
        let known = tracks.restore();
        let known =
            known.map_err(|source| TrackError::Sql { path: tracks.path.clone(), doing: "read", source })?;
        Ok((tracks, known))
    }

    /// Says while nothing can be written.
    #[must_use]
    pub fn trouble(&self) -> Trouble {
        self.trouble.clone()
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
            let newest = newest.and_then(|bytes| form::unpack(&bytes)?.pop());
            let code = InspectorCode::new(code).unwrap_or_else(|_| nobody(known.len()));
            known.push(Known { code, newest });
        }
        let mut flushes = self.conn.prepare("SELECT bytes FROM flushes ORDER BY id")?;
        let mut rows = flushes.query([])?;
        let mut open = lock(&self.open);
        while let Some(row) = rows.next()? {
            for (index, point) in form::unpack_flush(&row.get::<_, Vec<u8>>(0)?).unwrap_or_default() {
                let Some(person) = known.get_mut(index as usize) else { continue };
                if person.newest.as_ref().is_none_or(|newest| newest.fixed <= point.fixed) {
                    person.newest = Some(point.clone());
                }
                open.entry(person.code.clone()).or_default().push(point);
                self.open_points += 1;
            }
        }
        self.codes = known.iter().map(|person| person.code.clone()).collect();
        Ok(known)
    }

    /// Writes batches until the sender is gone, then seals. What cannot be written is kept in its order and tried again: its
    /// senders were told that it is taken. Nobody is told so while there is trouble, so that no more than that waits.
    pub fn run(mut self, batches: &Receiver<Batch>) {
        let mut unwritten: VecDeque<Batch> = VecDeque::new();
        let (mut latest, mut monotonic) = (UtcMillis(i64::MAX), Duration::ZERO);
        loop {
            let next = if unwritten.is_empty() {
                batches.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                batches.recv_timeout(TRY_AGAIN)
            };
            match next {
                Ok(batch) => {
                    (latest, monotonic) = (batch.latest, batch.monotonic);
                    let newest =
                        batch.steps.iter().map(|step| step.fixed).filter(|fixed| *fixed <= latest).max();
                    self.keep.note(batch.at, monotonic, newest);
                    unwritten.push_back(batch);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.write(&mut unwritten) {
                self.tend(monotonic, latest);
            }
        }
        if !self.write(&mut unwritten) {
            let positions: usize = unwritten.iter().map(|batch| batch.steps.len()).sum();
            tracing::error!(positions, path = %self.path.display(), "positions that were taken are in no track");
        }
        self.seal_or_say(latest);
    }

    /// Writes what waits, the oldest first; returns whether all of it is written.
    fn write(&mut self, unwritten: &mut VecDeque<Batch>) -> bool {
        while let Some(batch) = unwritten.pop_front() {
            if let Err(error) = self.append(&batch) {
                unwritten.push_front(batch);
                metrics::counter!("gridhall_position_track_failures_total").increment(1);
                if self.trouble.begin(error.to_string()) {
                    tracing::error!(%error, path = %self.path.display(), "positions not written to the track, and no more are taken; tried again");
                }
                return false;
            }
        }
        if self.trouble.end() {
            tracing::info!(path = %self.path.display(), "positions are written to the track again");
        }
        true
    }

    /// Seals what is due, and lets old days go.
    fn tend(&mut self, monotonic: Duration, latest: UtcMillis) {
        let sealed = *self.sealed.get_or_insert(monotonic);
        if monotonic.saturating_sub(sealed) < SEAL_EVERY && self.open_points < OPEN_MAX {
            return;
        }
        self.sealed = Some(monotonic);
        self.seal_or_say(latest);
        if let Err(error) = self.let_go() {
            tracing::error!(%error, path = %self.path.display(), "old tracks not deleted");
        }
    }

    fn seal_or_say(&mut self, latest: UtcMillis) {
        if let Err(error) = self.seal(latest) {
            tracing::error!(%error, path = %self.path.display(), "tracks not sealed");
        }
    }

    fn append(&mut self, batch: &Batch) -> Result<(), rusqlite::Error> {
        let people = &batch.new;
        let given_again = |(index, code): &(u32, InspectorCode)| {
            self.codes.get(*index as usize).is_some_and(|before| before != code)
        };
        if people.iter().any(given_again) {
            // A flush says numbers: those of the ones before must not be left.
            self.seal(batch.latest)?;
        }
        let transaction = self.conn.transaction()?;
        for (index, code) in people {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO inspectors (id, code) VALUES (?1, ?2)")?
                .execute(params![index, code.as_str()])?;
        }
        if !batch.steps.is_empty() {
            transaction
                .prepare_cached("INSERT INTO flushes (bytes) VALUES (?1)")?
                .execute([form::pack_flush(&batch.steps)])?;
        }
        transaction.commit()?;
        for (index, code) in people {
            let index = *index as usize;
            while self.codes.len() <= index {
                self.codes.push(nobody(self.codes.len()));
            }
            self.codes[index] = code.clone();
        }
        let mut open = lock(&self.open);
        for step in &batch.steps {
            let Some(code) = self.codes.get(step.index as usize) else { continue };
            open.entry(code.clone()).or_default().push(step.point());
            self.open_points += 1;
        }
        Ok(())
    }

    /// Turns the flushes into chunks.
    fn seal(&mut self, latest: UtcMillis) -> Result<(), rusqlite::Error> {
        let open: Vec<(InspectorCode, Vec<TrackPoint>)> =
            lock(&self.open).iter().map(|(code, points)| (code.clone(), points.clone())).collect();
        let transaction = self.conn.transaction()?;
        for (code, mut points) in open {
            points.sort_by_key(|point| point.fixed);
            put_chunks(&transaction, &code, &points)?;
            let Some(newest) = points.last() else { continue };
            // A late fix belongs to the track alone; one of a clock that was ahead does not stand in the way for ever.
            transaction
                .prepare_cached(
                    "UPDATE inspectors SET newest_ms = ?2, newest = ?3
                     WHERE code = ?1 AND (newest_ms IS NULL OR newest_ms <= ?2 OR newest_ms > ?4)",
                )?
                .execute(params![
                    code.as_str(),
                    newest.fixed.0,
                    form::pack(std::slice::from_ref(newest)),
                    latest.0
                ])?;
        }
        transaction.execute("DELETE FROM flushes", [])?;
        let Agreement { agreed_ms, seen } = self.keep.agreement();
        transaction.execute(
            "INSERT OR REPLACE INTO agreement (only, agreed_ms, seen_ms) VALUES (1, ?1, ?2)",
            [agreed_ms, seen.0],
        )?;
        transaction.commit()?;
        lock(&self.open).clear();
        self.open_points = 0;
        Ok(())
    }

    /// Drops the oldest day whose time is over, when the clock has proved itself.
    fn let_go(&mut self) -> Result<(), rusqlite::Error> {
        let Some(before) = self.keep.before() else { return Ok(()) };
        let went = match days(&self.conn)?.into_iter().find(|day| (day + 1) * DAY_MS <= before.0) {
            Some(day) => {
                self.conn.execute_batch(&format!("DROP TABLE {}", table(day)))?;
                tracing::info!(day, "a day of tracks deleted; it is older than positions.keep_days");
                true
            }
            None => first::let_go(&self.conn, before)?,
        };
        if went {
            self.keep.gone();
        }
        Ok(())
    }
}

/// The table of a day, counted from 1970-01-01 UTC.
fn table(day: i64) -> String {
    format!("\"day_{day}\"")
}

/// The days that have a table, oldest first.
fn days(conn: &Connection) -> Result<Vec<i64>, rusqlite::Error> {
    let mut names =
        conn.prepare_cached("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'day_*'")?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut days: Vec<i64> =
        names.iter().filter_map(|name| name.strip_prefix("day_")?.parse().ok()).collect();
    days.sort_unstable();
    Ok(days)
}

/// Puts one person's points, in order of time, into the tables of their days, cut at every quarter of an hour.
fn put_chunks(conn: &Connection, code: &InspectorCode, points: &[TrackPoint]) -> Result<(), rusqlite::Error> {
    let mut by_mark: BTreeMap<i64, Vec<TrackPoint>> = BTreeMap::new();
    for point in points {
        by_mark.entry(mark(point.fixed)).or_default().push(point.clone());
    }
    for (mark, points) in by_mark {
        let table = table(mark.div_euclid(DAY_MS));
        // `mark` is the quarter's first millisecond. Late fixes make a further chunk of the same quarter.
        conn.prepare_cached(&format!(
            "CREATE TABLE IF NOT EXISTS {table} (code TEXT NOT NULL, mark INTEGER NOT NULL, part INTEGER NOT NULL,
             bytes BLOB NOT NULL, PRIMARY KEY (code, mark, part)) WITHOUT ROWID"
        ))?
        .execute([])?;
        conn.prepare_cached(&format!(
            "INSERT INTO {table} (code, mark, part, bytes) SELECT ?1, ?2,
             (SELECT coalesce(max(part), 0) + 1 FROM {table} WHERE code = ?1 AND mark = ?2), ?3"
        ))?
        .execute(params![code.as_str(), mark, form::pack(&points)])?;
    }
    Ok(())
}

/// The first millisecond of the quarter of an hour a fix lies in.
fn mark(at: UtcMillis) -> i64 {
    at.0.div_euclid(SEAL_MS) * SEAL_MS
}

fn nobody(number: usize) -> InspectorCode {
    InspectorCode::new(format!("nobody-{number}")).expect("letters, digits and a hyphen")
}
