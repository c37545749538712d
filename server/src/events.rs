//! Reading the log beside the writer: what happened, and how one case or call stands by its own events.
//!
//! Nothing here asks anything derived: the log answers alone, while views are built and without them. Reads block; from
//! async code go through [`Reader::run`].

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use domain::answer::files::FileLine;
use domain::case::{Case, CaseEvent};
use domain::code::{CaseId, WhistleId};
use domain::event::{Door, Event, Recorded};
use domain::moment::UtcOffset;
use domain::policy::Policy;
use domain::state::{Alone, State};
use domain::whistle::Whistle;

use crate::folder::{DATABASE, StoreError};
use crate::lock::lock;
use crate::log::sqlite::SqliteReader;
use crate::log::{Hash, LogError, Read, Subject};
use crate::stored;
use crate::stored::command::import_namespace;
use crate::stored::person;
use crate::stored::policy::{Bodies, NoBodies};
use crate::turn::{self, Reading, Turns};

pub(crate) mod genesis;
mod page;
pub(crate) mod replay;
mod instant;

pub use instant::Stretch;
pub use page::{EventFilter, EventPage};
pub use replay::Newest;

/// The state as the log in `dir` makes it, read beside its server or without one; nothing is written. None where there is no
/// store, or one that no server of this version has opened yet. `file` is what a new store would begin with.
pub fn standing(dir: &Path, file: &Policy) -> Result<Option<State>, StoreError> {
    let log = match SqliteReader::open(dir) {
        Ok(log) => log,
        Err(LogError::Missing { .. } | LogError::Older { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let genesis = genesis::read_or(&log, dir, file)?;
    replay::load(&log, dir, &genesis, &stored::state::SECTIONS).map(Some)
}

/// Handles of the log kept for the next read: as many as read at the same time.
const HANDLES_MAX: usize = turn::DESK_MAX + turn::LONG_MAX;
/// Most rows of one answer.
pub const ROWS_MAX: usize = 1_000;

/// A handle for reading; cheap to clone.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Inner>,
    /// The last event it knows of, where it reads the past: it rises as the past goes on.
    ceiling: Option<Arc<AtomicU64>>,
}

struct Inner {
    dir: PathBuf,
    path: PathBuf,
    offset: UtcOffset,
    idle: Mutex<Vec<SqliteReader>>,
    turns: Turns,
}

impl Reader {
    #[must_use]
    pub fn new(dir: &Path, offset: UtcOffset) -> Self {
        let inner = Inner {
            dir: dir.to_owned(),
            path: dir.join(DATABASE),
            offset,
            idle: Mutex::new(Vec::new()),
            turns: Turns::default(),
        };
        Self { inner: Arc::new(inner), ceiling: None }
    }

    /// The same log, as if nothing had happened after the event that `ceiling` holds.
    #[must_use]
    pub fn until(&self, ceiling: Arc<AtomicU64>) -> Self {
        Self { inner: self.inner.clone(), ceiling: Some(ceiling) }
    }

    /// The last event that is told of.
    fn last(&self) -> u64 {
        self.ceiling.as_ref().map_or(u64::MAX, |ceiling| ceiling.load(Ordering::Acquire))
    }

    /// Runs a read on a thread that may block, when it is its turn.
    pub async fn run<T, F>(&self, reading: Reading, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    {
        let reader = self.clone();
        let _turn = self.inner.turns.take(reading).await.ok_or(StoreError::Busy)?;
        let read = tokio::task::spawn_blocking(move || read(&reader)).await;
        read.expect("reads do not panic, and their threads are not cancelled")
    }

    /// Gives `read` a handle of the log. Rows never change, so that several reads on it fit together.
    fn with<T>(&self, read: impl FnOnce(&SqliteReader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let inner = &*self.inner;
        let idle = lock(&inner.idle).pop();
        let log = match idle {
            Some(log) => log,
            None => SqliteReader::open(&inner.dir)?,
        };
        let result = read(&log);
        let mut idle = lock(&inner.idle);
        if idle.len() < HANDLES_MAX {
            idle.push(log);
        }
        result
    }

    /// The last committed sequence number.
    pub fn head(&self) -> Result<u64, StoreError> {
        self.with(|log| Ok(log.head()?.seq.min(self.last())))
    }

    /// Whether somebody has acted whom an account or a token let in. Where nobody has, every event is looked at.
    pub fn somebody_was_let_in(&self) -> Result<bool, StoreError> {
        self.with(|log| {
            for door in Door::ALL.into_iter().filter(|door| door.needs_proof()) {
                if log.came_through(door.key())? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// One case, open or closed, as its own events make it: the same with views and without.
    pub fn case(&self, id: CaseId) -> Result<Option<Case>, StoreError> {
        Ok(self.alone(Subject::Case(id.0), u64::MAX)?.case().cloned())
    }

    /// One whistle call, open or closed, as its own events make it.
    pub fn whistle(&self, id: WhistleId) -> Result<Option<Whistle>, StoreError> {
        Ok(self.alone(Subject::Whistle(id.0), u64::MAX)?.whistle().cloned())
    }

    /// What its own events up to `until` make of a case or call.
    pub(crate) fn alone(&self, subject: Subject, until: u64) -> Result<Alone, StoreError> {
        let until = until.min(self.last());
        self.with(|log| replay::alone(log, self.path(), (subject, until), self.offset()))
    }

    /// The newest `limit` events of a case, or the newest before `before`; the oldest of them first.
    pub fn timeline(&self, id: CaseId, before: Option<u64>, limit: usize) -> Result<Timeline, StoreError> {
        self.newest_of(Subject::Case(id.0), before, limit)
    }

    /// The newest events of a whistle, as [`Self::timeline`].
    pub fn whistle_timeline(
        &self,
        id: WhistleId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Timeline, StoreError> {
        self.newest_of(Subject::Whistle(id.0), before, limit)
    }

    fn newest_of(&self, subject: Subject, before: Option<u64>, limit: usize) -> Result<Timeline, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX);
        let mut before = before.unwrap_or(u64::MAX).min(self.last().saturating_add(1));
        self.with(|log| {
            let mut events = Vec::new();
            // One more than is given says whether there is more. A read may end before it has all that was asked for.
            while events.len() <= limit {
                let page = log.of(subject, before, limit + 1 - events.len())?;
                let Some(oldest) = page.last() else { break };
                before = oldest.seq;
                for row in &page {
                    events.push(replay::recorded(row, self.path(), &NoBodies)?);
                }
            }
            let is_cut = events.len() > limit;
            events.truncate(limit);
            events.reverse();
            let older = events.first().filter(|_| is_cut).map(|first| first.seq);
            Ok(Timeline { events, older })
        })
    }

    /// Up to `limit` events after `seq`, in order and without a gap.
    pub(crate) fn page(&self, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.with(|log| {
            let bodies: &dyn Read = log;
            let mut stand = after;
            let mut page = Vec::new();
            for row in log.read(after, limit)?.into_iter().take_while(|row| row.seq <= self.last()) {
                row.follows(stand)?;
                stand = row.seq;
                page.push(replay::recorded(&row, self.path(), &bodies)?);
            }
            Ok(page)
        })
    }

    /// Of the keys of imported rows.
    pub fn import_namespace(&self) -> Result<uuid::Uuid, StoreError> {
        self.with(|log| Ok(import_namespace(&log.secret())))
    }

    /// Who reported a case; none where nobody was named, or has been erased since.
    pub fn reporter(&self, id: CaseId) -> Result<Option<String>, StoreError> {
        self.with(|log| Ok(log.person(id.0)?.and_then(|person| person::opened(&person))))
    }

    /// The files of a case, the oldest first.
    pub fn files(&self, id: CaseId) -> Result<Vec<FileLine>, StoreError> {
        let mut before = self.last().saturating_add(1);
        self.with(|log| {
            let mut files = Vec::new();
            loop {
                let page = log.of(Subject::Case(id.0), before, ROWS_MAX)?;
                let Some(oldest) = page.last() else { break };
                before = oldest.seq;
                for row in &page {
                    if row.name == CaseEvent::FILE_ATTACHED {
                        files.extend(file_line(replay::recorded(row, self.path(), &NoBodies)?));
                    }
                }
            }
            files.reverse();
            Ok(files)
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.inner.path
    }

    pub(crate) fn offset(&self) -> UtcOffset {
        self.inner.offset
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }
}

fn file_line(recorded: Recorded) -> Option<FileLine> {
    let Recorded { seq, at, by, event: Event::Case(_, CaseEvent::FileAttached(file)) } = recorded else {
        return None;
    };
    Some(FileLine { seq, at, by: by.name, file })
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("dir", &self.inner.dir).finish_non_exhaustive()
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

impl Bodies for Reader {
    fn body(&self, hash: &Hash) -> Result<Option<Vec<u8>>, LogError> {
        let unread = |error: StoreError| LogError::damaged(self.path(), error.chain());
        self.with(|log| Ok(log.blob(hash)?)).map_err(unread)
    }
}
