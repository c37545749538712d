//! Whether views say what the log says: every closing of a replay against its row, and every run against its rows.
//!
//! What should be here: comparing. What should not: mending; views that differ are thrown away and laid out anew.

use std::path::Path;

use domain::case::Case;
use domain::code::CaseId;
use domain::event::Recorded;
use domain::state::Changes;
use domain::whistle::Whistle;
use rusqlite::Connection;

use super::file::{self, Belongs, Frozen, Run, ViewsError};
use super::pack;
use super::pool::{Pool, Written};
use super::run::{CaseColumn, Piece, RunBuilder, piece_key};
use super::source::Source;
use super::{sql, whistles};

/// Events of one page of the log.
const PAGE_EVENTS: usize = 2_000;
/// Differences said at most: one is enough to throw the views away.
const DIFFERENCES_MAX: usize = 50;

/// What was compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Report {
    /// Closings of cases and calls, and events they are among.
    pub cases: u64,
    pub whistles: u64,
    pub events: u64,
    /// Runs whose columns were made anew from their rows.
    pub runs: u64,
    /// In words; none when the views are as the log makes them.
    pub differences: Vec<String>,
}

impl Report {
    fn differ(&mut self, what: String) {
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(what);
        }
    }
}

/// Views held against a replay of the log that somebody else drives: told of every event in order.
pub struct Against {
    views: Frozen,
    report: Report,
    /// What cannot be read differs from everything: said once.
    unreadable: bool,
}

impl Against {
    /// Opens the views in `dir` and makes the columns of every run anew from its rows; none where there are no views of
    /// this version. A server may lay out more meanwhile. `Err` of the inner result says why they are not to be trusted.
    pub fn open(
        dir: &Path,
        belongs: Belongs,
        written: Written,
    ) -> Result<Option<Result<Self, String>>, ViewsError> {
        if !dir.join(file::name(belongs.version)).exists() {
            return Ok(None);
        }
        // How far the log has come is asked afterwards: a server goes on.
        let views = match file::open_frozen(dir, belongs, u64::MAX, written) {
            Ok(views) => views,
            Err(ViewsError::Damaged { what, .. }) => return Ok(Some(Err(what))),
            Err(error) => return Err(error),
        };
        let mut against = Self { views, report: Report::default(), unreadable: false };
        let runs = against.views.runs.clone();
        for run in &runs {
            against.read(|views, conn, report| run_is_its_rows(conn, &views.pool, belongs, run, report))?;
        }
        Ok(Some(Ok(against)))
    }

    /// The last event they claim to know.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.views.covered.newest()
    }

    /// Events laid out, of those up to `head`.
    #[must_use]
    pub fn events(&self, head: u64) -> u64 {
        self.views.covered.events(head)
    }

    /// What the replay made of an event: a closing within what is laid out must be there as it was, or later.
    pub fn note(&mut self, recorded: &Recorded, changes: &Changes) -> Result<(), ViewsError> {
        self.report.events += 1;
        if self.unreadable || !self.views.covered.has(recorded.seq) {
            return Ok(());
        }
        if let Some(case) = changes.case.as_ref().filter(|case| !case.is_open()) {
            // One that is closed again is the same row.
            let closings = case.steps.iter().filter(|taken| taken.step.closes()).count();
            self.report.cases += u64::from(closings <= 1);
            self.read(|views, conn, report| case_is_there(conn, &views.pool, case, report))?;
        }
        if let Some(whistle) = changes.whistle.as_ref().filter(|whistle| whistle.closed.is_some()) {
            self.report.whistles += 1;
            self.read(|views, conn, report| whistle_is_there(conn, &views.pool, whistle, report))?;
        }
        Ok(())
    }

    /// The end of the log.
    pub fn finish(mut self) -> Report {
        let covered = &self.views.covered;
        let whole = covered.gap(covered.newest()).is_none();
        let gone = |run: &Run| run.gone.as_ref().map_or(0, pack::Bits::count);
        let rows: u64 = self.views.runs.iter().map(|run| u64::from(run.head.rows) - gone(run)).sum();
        let present = rows + self.views.tail.len() as u64;
        if whole && self.report.differences.is_empty() && present != self.report.cases {
            let cases = self.report.cases;
            self.report.differ(format!("{present} closed cases are laid out, and the log closed {cases}"));
        }
        self.report
    }

    fn read(
        &mut self,
        read: impl FnOnce(&Frozen, &Connection, &mut Report) -> Result<(), ViewsError>,
    ) -> Result<(), ViewsError> {
        let Self { views, report, .. } = self;
        match views.pool.with(|conn| read(views, conn, report)) {
            Ok(()) => Ok(()),
            Err(ViewsError::Damaged { what, .. }) => {
                self.unreadable = true;
                self.report.differ(what);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for Against {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Against").field("report", &self.report).finish_non_exhaustive()
    }
}

/// Compares the views in `dir` with a replay of the log; none where there are no views of this version.
pub fn check(dir: &Path, belongs: Belongs, source: &dyn Source) -> Result<Option<Report>, ViewsError> {
    let mut against = match Against::open(dir, belongs, Written::Meanwhile)? {
        Some(Ok(against)) => against,
        Some(Err(what)) => return Ok(Some(Report { differences: vec![what], ..Report::default() })),
        None => return Ok(None),
    };
    let state = source.state_at(0)?;
    let mut state = state.ok_or_else(|| ViewsError::Log("no state to begin from".to_owned()))?;
    loop {
        let page = source.read(state.seq, PAGE_EVENTS)?;
        if page.is_empty() {
            return Ok(Some(against.finish()));
        }
        for recorded in &page {
            let changes = state.apply(recorded);
            against.note(recorded, &changes)?;
        }
    }
}

/// Makes the columns of a run anew from its rows: heads and checksums must be the same.
fn run_is_its_rows(
    conn: &Connection,
    pool: &Pool,
    belongs: Belongs,
    run: &Run,
    report: &mut Report,
) -> Result<(), ViewsError> {
    report.runs += 1;
    let said = match difference(conn, pool, belongs, run) {
        Ok(None) => return Ok(()),
        Ok(Some(what)) => what,
        Err(ViewsError::Damaged { what, .. }) => what,
        Err(error) => return Err(error),
    };
    // A server may have made one run of several meanwhile, or have closed a case again.
    if file::is_present(conn, pool.path(), run)? {
        return Err(ViewsError::damaged(pool.path(), said));
    }
    report.runs -= 1;
    Ok(())
}

/// What differs between a run and its rows, in words.
fn difference(
    conn: &Connection,
    pool: &Pool,
    belongs: Belongs,
    run: &Run,
) -> Result<Option<String>, ViewsError> {
    let mut builder = RunBuilder::new(belongs.offset);
    for chunk in 0..run.head.cases.len() {
        for (at, id) in ids(conn, pool, run, chunk)?.into_iter().enumerate() {
            let row = chunk * pack::CHUNK_ROWS + at;
            if run.gone.as_ref().is_some_and(|gone| gone.has(row)) {
                // Its row was replaced by a later closing, and the columns cannot be compared.
                return Ok(None);
            }
            let Some(case) = file::body(conn, pool.path(), CaseId(id as u64))? else {
                return Ok(Some(format!("case {id} stands in run {} and has no row", run.head.no)));
            };
            builder.push(&case);
        }
    }
    let same = builder.finish(run.head.no).head == run.head;
    Ok((!same).then(|| format!("run {} is not what its rows make", run.head.no)))
}

fn ids(conn: &Connection, pool: &Pool, run: &Run, chunk: usize) -> Result<Vec<i64>, ViewsError> {
    let head = &run.head.cases[chunk];
    let column = &head.columns[CaseColumn::Id as usize];
    let mut bytes = Vec::new();
    if column.width > 0 {
        let failed = |source| ViewsError::sql(pool.path(), "read a run of", source);
        let mut statement = conn.prepare_cached(sql::PIECE).map_err(failed)?;
        let key = piece_key(run.head.no, Piece::Case(CaseColumn::Id), chunk);
        bytes = statement.query_row([key], |row| row.get(0)).map_err(failed)?;
    }
    let mut ids = Vec::new();
    pack::unpack(column, head.rows as usize, &bytes, &mut ids)
        .map_err(|error| ViewsError::damaged(pool.path(), format!("run {}: {error}", run.head.no)))?;
    Ok(ids)
}

fn case_is_there(conn: &Connection, pool: &Pool, case: &Case, report: &mut Report) -> Result<(), ViewsError> {
    match file::body(conn, pool.path(), case.id)? {
        None => report.differ(format!("case {} was closed and is not laid out", case.id)),
        Some(row) if row.version < case.version || (row.version == case.version && row != *case) => {
            report.differ(format!("case {} is laid out as it was not closed", case.id));
        }
        Some(_) => {}
    }
    Ok(())
}

fn whistle_is_there(
    conn: &Connection,
    pool: &Pool,
    whistle: &Whistle,
    report: &mut Report,
) -> Result<(), ViewsError> {
    if whistles::one(conn, pool.path(), whistle.id)?.as_ref() != Some(whistle) {
        report.differ(format!("whistle call {} is not laid out as it was closed", whistle.id));
    }
    Ok(())
}
