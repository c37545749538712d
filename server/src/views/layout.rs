//! Writing the views: closed cases are laid down as they come, gathered into runs, small runs into larger ones.
//!
//! What should be here: what is written in which transaction. What should not: when (`builder`), questions (`scan`).
//! A run appears by one row at the end of its writing; what a killed process left without that row is overwritten.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::case::Case;
use domain::code::CaseId;
use domain::whistle::Whistle;
use rusqlite::{Connection, TransactionBehavior, params};

use super::covered::Covered;
use super::file::{self, Belongs, Opened, Run, ViewsError};
use super::pack::Bits;
use super::reserve::{Reserve, Wanted};
use super::run::{Encoded, RunBuilder};
use super::{pace::Pace, sql, whistles};

mod merge;

/// Bytes written between two commits of a long job.
const COMMIT_BYTES: usize = 4 << 20;

/// Most bytes of bodies laid down in one transaction.
pub const LAY_DOWN_BYTES: usize = COMMIT_BYTES;

/// What a bite of a build laid down.
#[derive(Debug, Default)]
pub struct LaidDown {
    pub ids: Vec<CaseId>,
    /// Those that were there before: closed twice within the stretch, or laid down by an attempt that was killed.
    pub again: BTreeSet<CaseId>,
}

/// Views just opened.
#[derive(Debug)]
pub struct Begun {
    pub layout: Layout,
    /// Closed cases that are in no run yet.
    pub tail: Vec<Arc<Case>>,
    /// Why an earlier file was thrown away.
    pub discarded: Option<String>,
}

/// The one writer of the views' file.
#[derive(Debug)]
pub struct Layout {
    conn: Connection,
    path: PathBuf,
    belongs: Belongs,
    covered: Covered,
    runs: Vec<Arc<Run>>,
    /// Runs that others have taken the place of, while somebody may still read them.
    leaving: Vec<Arc<Run>>,
    reserve: Reserve,
}

impl Layout {
    /// Opens the file, or makes a new one.
    pub fn open(dir: &Path, belongs: Belongs, head: u64) -> Result<Begun, ViewsError> {
        let Opened { conn, runs, covered, tail, discarded } = file::open(dir, belongs, head)?;
        let path = dir.join(file::name(belongs.version));
        let layout =
            Self { conn, path, belongs, covered, runs, leaving: Vec::new(), reserve: Reserve::none() };
        Ok(Begun { layout, tail, discarded })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn covered(&self) -> &Covered {
        &self.covered
    }

    #[must_use]
    pub fn runs(&self) -> &[Arc<Run>] {
        &self.runs
    }

    /// Nothing is laid down from now on that would take room from the reserve.
    #[must_use]
    pub fn keeping_free(mut self, reserve: Reserve) -> Self {
        self.reserve = reserve;
        self
    }

    /// Asked before anything is laid down that takes more room than a few pages.
    pub(super) fn expect_room(&self, wanted: Wanted) -> Result<(), ViewsError> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        if self.reserve.allows(wanted, dir) { Ok(()) } else { Err(self.reserved()) }
    }

    pub(super) fn reserved(&self) -> ViewsError {
        ViewsError::Reserved { path: self.path.clone(), mib: self.reserve.mib() }
    }

    /// Folds the write-ahead log in and gives its room back, as far as the disk has room for what is folded in.
    pub(super) fn give_back(&self) {
        let folded = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = folded {
            tracing::warn!(%error, file = %self.path.display(), "write-ahead log of the views not given back");
        }
    }

    /// Closes the file: nothing is laid out, and nothing can be, until it is opened again.
    pub(super) fn close(&mut self) -> Result<(), ViewsError> {
        self.conn = Connection::open_in_memory().map_err(self.failed("close"))?;
        (self.covered, self.runs, self.leaving) = (Covered::default(), Vec::new(), Vec::new());
        Ok(())
    }

    /// As if the disk had room for so many pages more.
    #[cfg(test)]
    pub(crate) fn leave_room(&self, pages: u32) {
        let now: u32 = self.conn.pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number");
        let most = now.saturating_add(pages);
        self.conn.pragma_update_and_check(None, "max_page_count", most, |_| Ok(())).expect("a limit");
    }

    fn failed<'a>(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> ViewsError + use<'a> {
        let path = self.path.clone();
        move |source| ViewsError::sql(&path, doing, source)
    }

    /// Lays down what was closed within a stretch of the log, in one transaction with the stretch itself.
    pub fn append(
        &mut self,
        cases: &[Arc<Case>],
        whistles: &[Arc<Whistle>],
        (low, high): (u64, u64),
    ) -> Result<(), ViewsError> {
        if !cases.is_empty() || !whistles.is_empty() {
            self.expect_room(Wanted::Latest)?;
        }
        let mut replaced = Vec::new();
        for case in cases {
            // Almost every case is closed once: one look says so.
            if file::body(&self.conn, &self.path, case.id)?.is_some() {
                replaced.extend(self.row_of(case.id)?);
            }
        }
        let failed = self.failed("lay down closed cases in");
        let transaction =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let write = |conn: &Connection| -> rusqlite::Result<Covered> {
            for case in cases {
                put_case(conn, case)?;
                conn.prepare_cached(sql::TAIL_PUT)?.execute([case.id.0 as i64])?;
            }
            put_whistles(conn, whistles)?;
            put_gone(conn, &replaced)?;
            self.covered.write(conn, low, high)
        };
        let covered = write(&transaction).map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
        self.covered = covered;
        self.mark_gone(&replaced);
        Ok(())
    }

    /// Lays down closed cases of an older stretch without saying that it is whole: for a build, which says so at its end.
    /// A case that was closed again later is left out: its newer row stands already.
    pub fn lay_down(&mut self, cases: &[Case], whistles: &[Arc<Whistle>]) -> Result<LaidDown, ViewsError> {
        self.expect_room(Wanted::Bulk)?;
        let failed = self.failed("lay down closed cases in");
        let mut done = LaidDown::default();
        let transaction =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        for case in cases {
            if let Some(present) = file::body(&transaction, &self.path, case.id)? {
                if present.version > case.version {
                    continue;
                }
                done.again.insert(case.id);
            }
            put_case(&transaction, case).map_err(&failed)?;
            done.ids.push(case.id);
        }
        put_whistles(&transaction, whistles).map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
        Ok(done)
    }

    /// Says that a stretch of the log is laid out whole.
    pub fn cover(&mut self, low: u64, high: u64) -> Result<(), ViewsError> {
        self.append(&[], &[], (low, high))
    }

    /// Makes a run of closed cases that were laid down, given by their ids in order; `covers` is the stretch that is
    /// whole with it, in the same transaction. Those of `again` may stand in a run of an earlier attempt.
    pub fn seal(
        &mut self,
        ids: &[CaseId],
        again: &BTreeSet<CaseId>,
        covers: Option<(u64, u64)>,
        pace: &mut Pace,
    ) -> Result<(), ViewsError> {
        let mut rest = ids;
        while !rest.is_empty() {
            let mut replaced = Vec::new();
            let mut builder = RunBuilder::new(self.belongs.offset);
            let mut taken = 0;
            while taken < rest.len() && !builder.is_full() {
                let id = rest[taken];
                let case = file::body(&self.conn, &self.path, id)?;
                let case =
                    case.ok_or_else(|| ViewsError::damaged(&self.path, format!("case {id} is gone")))?;
                builder.push(&case);
                if again.contains(&id) {
                    replaced.extend(self.row_of(id)?);
                }
                taken += 1;
                if taken % 1_024 == 0 {
                    pace.breathe();
                }
            }
            let encoded = builder.finish(self.next_no());
            let (sealed, left) = rest.split_at(taken);
            rest = left;
            self.write_run(encoded, sealed, &replaced, &[], covers.filter(|_| left.is_empty()), pace)?;
        }
        if let (true, Some((low, high))) = (ids.is_empty(), covers) {
            self.cover(low, high)?;
        }
        Ok(())
    }

    fn next_no(&self) -> u32 {
        let present = self.runs.iter().chain(&self.leaving).map(|run| run.head.no);
        present.max().map_or(0, |last| last + 1)
    }

    /// Writes the pieces of a run bite by bite, and at the end what makes them count.
    fn write_run(
        &mut self,
        encoded: Encoded,
        sealed: &[CaseId],
        replaced: &[(u32, usize)],
        instead_of: &[Arc<Run>],
        covers: Option<(u64, u64)>,
        pace: &mut Pace,
    ) -> Result<(), ViewsError> {
        let no = encoded.head.no;
        self.forget_pieces(no, pace)?;
        let failed = self.failed("write a run of");
        let mut pieces = encoded.pieces.iter().peekable();
        let mut grams = encoded.grams.iter().peekable();
        while pieces.peek().is_some() || grams.peek().is_some() {
            self.expect_room(Wanted::Bulk)?;
            let transaction =
                self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
            let mut bytes = 0;
            while bytes < COMMIT_BYTES {
                if let Some((key, body)) = pieces.next() {
                    transaction
                        .prepare_cached(sql::PIECE_PUT)
                        .and_then(|mut put| put.execute(params![key, body]))
                        .map_err(&failed)?;
                    bytes += body.len();
                } else if let Some((gram, list)) = grams.next() {
                    transaction
                        .prepare_cached(sql::GRAM_PUT)
                        .and_then(|mut put| put.execute(params![no, gram, list]))
                        .map_err(&failed)?;
                    bytes += list.len() + 16;
                } else {
                    break;
                }
            }
            transaction.commit().map_err(&failed)?;
            pace.breathe();
        }
        let head = postcard::to_allocvec(&encoded.head).expect("a head has sized collections only");
        let transaction =
            self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
        let finish = |conn: &Connection| -> rusqlite::Result<Covered> {
            conn.prepare_cached(sql::RUN_PUT)?.execute(params![no, crc32fast::hash(&head), head])?;
            for id in sealed {
                conn.prepare_cached(sql::TAIL_DROP)?.execute([id.0 as i64])?;
            }
            put_gone(conn, replaced)?;
            for run in instead_of {
                let (from, to) = file::gone_keys(run.head.no);
                conn.prepare_cached(sql::RUN_DROP)?.execute([run.head.no])?;
                conn.prepare_cached(sql::GONE_DROP)?.execute([from, to])?;
            }
            covers.map_or_else(|| Ok(self.covered.clone()), |(low, high)| self.covered.write(conn, low, high))
        };
        let covered = finish(&transaction).map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
        self.covered = covered;
        self.mark_gone(replaced);
        let (left, stayed) =
            std::mem::take(&mut self.runs).into_iter().partition(|run| instead_of.contains(run));
        self.runs = stayed;
        self.leaving.extend::<Vec<_>>(left);
        self.runs.push(Arc::new(Run::new(encoded.head, None)));
        Ok(())
    }

    /// Removes what runs left behind that nobody reads any more.
    pub fn sweep(&mut self, pace: &mut Pace) -> Result<(), ViewsError> {
        let (unread, read): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.leaving).into_iter().partition(|run| Arc::strong_count(run) == 1);
        self.leaving = read;
        for run in &unread {
            self.forget_pieces(run.head.no, pace)?;
        }
        Ok(())
    }

    /// Removes the pieces of a run, a few at a time: freeing gigabytes at once would hold everybody up.
    fn forget_pieces(&mut self, no: u32, pace: &mut Pace) -> Result<(), ViewsError> {
        let failed = self.failed("remove old runs from");
        let (from, to) = (i64::from(no) << 24, (i64::from(no) + 1) << 24);
        loop {
            let pieces =
                self.conn.prepare_cached(sql::PIECES_DROP).and_then(|mut drop| drop.execute([from, to]));
            let grams = self.conn.prepare_cached(sql::GRAMS_DROP).and_then(|mut drop| drop.execute([no]));
            if pieces.map_err(&failed)? + grams.map_err(&failed)? == 0 {
                return Ok(());
            }
            pace.breathe();
        }
    }

    fn mark_gone(&mut self, rows: &[(u32, usize)]) {
        for (no, row) in rows {
            let Some(run) = self.runs.iter_mut().find(|run| run.head.no == *no) else { continue };
            let mut gone = run.gone.clone().unwrap_or_else(|| Bits::new(run.head.rows as usize));
            gone.set(*row);
            *run = Arc::new(Run::new(run.head.clone(), Some(gone)));
        }
    }
}

/// Writes the row of a case; returns its bytes.
fn put_case(conn: &Connection, case: &Case) -> rusqlite::Result<usize> {
    let body = file::packed(case);
    conn.prepare_cached(sql::CASE_PUT)?.execute(params![case.id.0 as i64, case.number, body])?;
    Ok(body.len() + case.number.len())
}

fn put_whistles(conn: &Connection, all: &[Arc<Whistle>]) -> rusqlite::Result<()> {
    for whistle in all {
        let facts = whistles::facts(whistle);
        let id = whistle.id.0 as i64;
        conn.prepare_cached(sql::WHISTLE_PUT)?.execute(params![id, facts, file::packed(whistle.as_ref())])?;
    }
    Ok(())
}

fn put_gone(conn: &Connection, rows: &[(u32, usize)]) -> rusqlite::Result<()> {
    for (no, row) in rows {
        conn.prepare_cached(sql::GONE_PUT)?.execute([file::gone_keys(*no).0 + *row as i64])?;
    }
    Ok(())
}
