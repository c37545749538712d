//! Reading beside the writer: cases, timelines, whistles and events, on read-only connections.
//!
//! Every read sees one committed state. Reads block; from async code go through [`Reader::run`].

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::case::Case;
use domain::code::{AreaCode, CaseId, WhistleId};
use domain::event::Recorded;
use domain::moment::UtcOffset;
use domain::tally::{Count, TallyKey};
use domain::whistle::{Whistle, WhistleLevel};
use domain::wire::CaseLine;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, params_from_iter};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::log::READ_ROWS_MAX;
use crate::log::sqlite::{self, file};
use crate::stored::person;

use super::{CaseFilter, CaseSort, Cursor, DATABASE, Page, StoreError, cases, int, natural, recount, replay};

/// Reads at the same time; with two cores more would only wait for each other.
const READS_MAX: usize = 4;
/// Steps of SQLite's machine between two looks at the clock while it counts: some tens of microseconds.
const OPS_BETWEEN_LOOKS: i32 = 1_000;
/// Most rows of one answer.
pub const ROWS_MAX: usize = 1_000;

/// A handle for reading; cheap to clone.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    path: PathBuf,
    offset: UtcOffset,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

/// Which whistles.
#[derive(Debug, Clone, Default)]
pub struct WhistleFilter {
    pub open: Option<bool>,
    pub level: Option<WhistleLevel>,
    /// The area or one below it.
    pub area: Option<AreaCode>,
    pub raised: Option<super::cases::Days>,
}

impl Reader {
    pub(super) fn new(dir: &Path, offset: UtcOffset) -> Self {
        let inner = Inner {
            dir: dir.to_owned(),
            path: dir.join(DATABASE),
            offset,
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(READS_MAX),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Runs a read on a thread that may block, at most [`READS_MAX`] at a time.
    pub async fn run<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    {
        let reader = self.clone();
        let permit = self.inner.permits.acquire().await;
        let _permit = permit.expect("the semaphore is never closed");
        let read = tokio::task::spawn_blocking(move || read(&reader)).await;
        read.expect("reads do not panic, and their threads are not cancelled")
    }

    /// Gives `read` a connection within one transaction.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with_mut(|conn| read(conn))
    }

    fn with_mut<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let inner = &*self.inner;
        let idle = inner.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut conn = match idle {
            Some(conn) => conn,
            None => open(&inner.path)?,
        };
        let failed = |source| StoreError::sql(&inner.path, "read", source);
        conn.execute_batch("BEGIN").map_err(failed)?;
        let result = read(&mut conn);
        conn.execute_batch("COMMIT").map_err(failed)?;
        let mut idle = inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < READS_MAX {
            idle.push(conn);
        }
        result
    }

    /// The last committed sequence number.
    pub fn head(&self) -> Result<u64, StoreError> {
        self.with(|conn| head_in(conn, &self.inner.path))
    }

    /// One case, open or closed.
    pub fn case(&self, id: CaseId) -> Result<Option<Case>, StoreError> {
        self.with(|conn| self.case_in(conn, id))
    }

    pub(super) fn case_in(&self, conn: &Connection, id: CaseId) -> Result<Option<Case>, StoreError> {
        let failed = |source| StoreError::sql(&self.inner.path, "read a case of", source);
        let mut statement = conn.prepare_cached("SELECT body FROM cases WHERE id = ?1").map_err(failed)?;
        let body: Option<Vec<u8>> =
            statement.query_row([int(id.0)], |row| row.get(0)).optional().map_err(failed)?;
        body.map(|body| self.unpack(&body)).transpose()
    }

    fn unpack<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, StoreError> {
        postcard::from_bytes(body).map_err(|error| StoreError::Damaged {
            path: self.inner.path.clone(),
            what: format!("a case or whistle row cannot be read ({error})"),
        })
    }

    /// One page of cases. Start without a cursor, go on with the one of the last page.
    pub fn cases(
        &self,
        filter: &CaseFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<CaseLine>, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX);
        let sort = filter.effective_sort();
        let (sql, values) = cases::query(filter, sort, after, limit + 1)?;
        self.with(|conn| {
            let failed = |source| StoreError::sql(&self.inner.path, "list the cases of", source);
            let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
            let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
            let mut found: Vec<(i64, Case)> = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                let body: Vec<u8> = row.get(1).map_err(failed)?;
                found.push((row.get(0).map_err(failed)?, self.unpack(&body)?));
            }
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(|(due, case)| match sort {
                CaseSort::Newest => Cursor::newest(case.id),
                CaseSort::Due => Cursor::due(*due, case.id),
            });
            Ok(Page { items: found.iter().map(|(_, case)| CaseLine::from(case)).collect(), next })
        })
    }

    /// How many cases the filter finds; none when counting them takes longer than `patience`: somebody waits for the page
    /// beside it, and others for the connection.
    pub fn count(&self, filter: &CaseFilter, patience: Duration) -> Result<Option<u64>, StoreError> {
        let (sql, values) = cases::count_query(filter);
        self.with_mut(|conn| {
            let failed = |source| StoreError::sql(&self.inner.path, "count the cases of", source);
            let began = Instant::now();
            let given_up = move || began.elapsed() >= patience;
            conn.progress_handler(OPS_BETWEEN_LOOKS, Some(given_up)).map_err(failed)?;
            let count = |conn: &Connection| {
                conn.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))
            };
            let counted = count(conn);
            conn.progress_handler(0, None::<fn() -> bool>).map_err(failed)?;
            match counted {
                Ok(number) => Ok(Some(natural(number))),
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(None),
                Err(error) => Err(failed(error)),
            }
        })
    }

    /// The newest `limit` events of a case, or the newest before `before`; the oldest of them first.
    pub fn timeline(&self, id: CaseId, before: Option<u64>, limit: usize) -> Result<Timeline, StoreError> {
        self.newest_of("case_id", id.0, before, limit)
    }

    /// The newest events of a whistle, as [`Self::timeline`].
    pub fn whistle_timeline(
        &self,
        id: WhistleId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Timeline, StoreError> {
        self.newest_of("whistle_id", id.0, before, limit)
    }

    fn newest_of(
        &self,
        column: &str,
        id: u64,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Timeline, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX);
        let before = int(before.unwrap_or(u64::MAX >> 1));
        self.with(|conn| {
            // One more than is given says whether there is more.
            let which = format!("{column} = ?1 AND seq < ?3 ORDER BY seq DESC LIMIT ?2");
            let mut events = self.events_in(conn, &which, [int(id), int(limit as u64 + 1), before])?;
            let is_cut = events.len() > limit;
            events.truncate(limit);
            events.reverse();
            let older = events.first().filter(|_| is_cut).map(|first| first.seq);
            Ok(Timeline { events, older })
        })
    }

    pub(super) fn events_in(
        &self,
        conn: &Connection,
        which: &str,
        values: impl Params,
    ) -> Result<Vec<Recorded>, StoreError> {
        let path = &self.inner.path;
        let rows = sqlite::events_where(conn, path, which, values, READ_ROWS_MAX)?;
        rows.iter().map(|row| replay::recorded(row, path)).collect()
    }

    /// Of the keys of imported rows.
    pub fn import_namespace(&self) -> Result<uuid::Uuid, StoreError> {
        self.with(|conn| Ok(super::import_namespace(&sqlite::schema::secret(conn, &self.inner.path)?)))
    }

    /// Who reported a case; none where nobody was named, or has been erased since.
    pub fn reporter(&self, id: CaseId) -> Result<Option<String>, StoreError> {
        self.with(|conn| {
            let person = sqlite::person_where(conn, &self.inner.path, id.0)?;
            Ok(person.and_then(|person| person::opened(&person)))
        })
    }

    /// Up to `limit` events after `seq`, each with its case as it stands now (not as it stood then: its `version` may
    /// be later than the event).
    pub fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(Recorded, Option<Case>)>, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX * 10);
        self.with(|conn| {
            let events =
                self.events_in(conn, "seq > ?1 ORDER BY seq LIMIT ?2", [int(seq), int(limit as u64)])?;
            let with_case = |recorded: Recorded| {
                let case = recorded.event.case().map(|id| self.case_in(conn, id)).transpose()?.flatten();
                Ok((recorded, case))
            };
            events.into_iter().map(with_case).collect()
        })
    }

    /// One whistle, open or closed.
    pub fn whistle(&self, id: WhistleId) -> Result<Option<Whistle>, StoreError> {
        self.with(|conn| {
            let failed = |source| StoreError::sql(&self.inner.path, "read a whistle of", source);
            let mut statement =
                conn.prepare_cached("SELECT body FROM whistles WHERE id = ?1").map_err(failed)?;
            let body: Option<Vec<u8>> =
                statement.query_row([int(id.0)], |row| row.get(0)).optional().map_err(failed)?;
            body.map(|body| self.unpack(&body)).transpose()
        })
    }

    /// Whistles, newest first.
    pub fn whistles(
        &self,
        filter: &WhistleFilter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<Whistle>, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX);
        let mut clauses = vec!["1".to_owned()];
        let mut values: Vec<Value> = Vec::new();
        let mut put = |clause: &str, value: Value| {
            clauses.push(clause.to_owned());
            values.push(value);
        };
        if let Some(open) = filter.open {
            put("open = ?", Value::Integer(i64::from(open)));
        }
        if let Some(level) = filter.level {
            put("level = ?", Value::Integer(level as i64));
        }
        if let Some(area) = &filter.area {
            put("instr(area_path, ?) > 0", Value::Text(format!("|{area}|")));
        }
        if let Some(raised) = filter.raised {
            put("raised_day >= ?", Value::Integer(i64::from(raised.from.number())));
            put("raised_day <= ?", Value::Integer(i64::from(raised.to.number())));
        }
        if let Some(cursor) = after {
            put("id < ?", Value::Integer(cursor.id()?));
        }
        values.push(Value::Integer(int(limit as u64 + 1)));
        let sql =
            format!("SELECT body FROM whistles WHERE {} ORDER BY id DESC LIMIT ?", clauses.join(" AND "));
        self.with(|conn| {
            let failed = |source| StoreError::sql(&self.inner.path, "list the whistles of", source);
            let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
            let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
            let mut items: Vec<Whistle> = Vec::new();
            while let Some(row) = rows.next().map_err(failed)? {
                let body: Vec<u8> = row.get(0).map_err(failed)?;
                items.push(self.unpack(&body)?);
            }
            let more = items.len() > limit;
            items.truncate(limit);
            let next = items.last().filter(|_| more).map(|whistle| Cursor::newest(CaseId(whistle.id.0)));
            Ok(Page { items, next })
        })
    }

    /// All tally cells counted anew from the events by SQL, and the sequence number they hold for. Independent of the
    /// deltas that keep the cells in memory: the two must agree.
    pub fn recount(&self) -> Result<recount::Recount, StoreError> {
        self.with(|conn| recount::recount(conn, &self.inner.path, self.inner.offset))
    }

    pub(super) fn path(&self) -> &Path {
        &self.inner.path
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }
}

/// A page of what happened to a case or a whistle.
#[derive(Debug, Default)]
pub struct Timeline {
    /// Oldest first.
    pub events: Vec<Recorded>,
    /// There is more before them: events below this number.
    pub older: Option<u64>,
}

/// Tally cells by key.
pub type Cells = std::collections::BTreeMap<TallyKey, Count>;

/// The last sequence number; 0 in an empty log.
pub(super) fn head_in(conn: &Connection, path: &Path) -> Result<u64, StoreError> {
    conn.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |row| row.get(0))
        .map(natural)
        .map_err(|source| StoreError::sql(path, "read the head of", source))
}

/// Opens the file for reading alone.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    Ok(file::open_for_reading(path)?)
}
