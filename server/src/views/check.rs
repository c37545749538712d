//! Whether views say what the log says: every closing of a replay against its row, and every run against its rows.
//!
//! What should be here: comparing, in memory that does not grow with the history. What should not: mending; views that
//! differ are thrown away and laid out anew.

use std::path::Path;

use domain::case::Case;
use domain::state::State;
use domain::whistle::Whistle;
use rusqlite::Connection;

use super::file::{self, Belongs, Run, ViewsError};
use super::pack;
use super::pool::Pool;
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

/// Compares the views in `dir` with a replay of the log; none where there are no views of this version.
pub fn check(dir: &Path, belongs: Belongs, source: &dyn Source) -> Result<Option<Report>, ViewsError> {
    if !dir.join(file::name(belongs.version)).exists() {
        return Ok(None);
    }
    let mut report = Report::default();
    let views = match file::open_frozen(dir, belongs, source.head()?) {
        Ok(views) => views,
        Err(ViewsError::Damaged { what, .. }) => {
            report.differ(what);
            return Ok(Some(report));
        }
        Err(error) => return Err(error),
    };
    let tail: std::collections::BTreeSet<u64> = views.tail.iter().map(|case| case.id.0).collect();
    let rows: u64 = views
        .runs
        .iter()
        .map(|run| u64::from(run.head.rows) - run.gone.as_ref().map_or(0, pack::Bits::count))
        .sum();
    let replayed = views.pool.with(|conn| {
        for run in &views.runs {
            run_is_its_rows(conn, &views.pool, belongs, run, &mut report)?;
        }
        replay(conn, &views.pool, &views.covered, source, &mut report)
    });
    match replayed {
        Ok(()) => {}
        // What cannot be read differs from everything.
        Err(ViewsError::Damaged { what, .. }) => report.differ(what),
        Err(error) => return Err(error),
    }
    let whole = views.covered.gap(views.covered.newest()).is_none();
    let present = rows + tail.len() as u64;
    if whole && report.differences.is_empty() && present != report.cases {
        report.differ(format!("{present} closed cases are laid out, and the log closed {}", report.cases));
    }
    Ok(Some(report))
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
    let mut builder = RunBuilder::new(belongs.offset);
    for chunk in 0..run.head.cases.len() {
        for (at, id) in ids(conn, pool, run, chunk)?.into_iter().enumerate() {
            let row = chunk * pack::CHUNK_ROWS + at;
            if run.gone.as_ref().is_some_and(|gone| gone.has(row)) {
                // Its row was replaced by a later closing, and the columns cannot be compared.
                return Ok(());
            }
            let Some(case) = file::body(conn, pool.path(), domain::code::CaseId(id as u64))? else {
                report.differ(format!("case {id} stands in run {} and has no row", run.head.no));
                return Ok(());
            };
            builder.push(&case);
        }
    }
    let made = builder.finish(run.head.no);
    if made.head != run.head {
        report.differ(format!("run {} is not what its rows make", run.head.no));
    }
    Ok(())
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

/// Follows the log from its first event: each closing within what is laid out must be there as it was, or later.
fn replay(
    conn: &Connection,
    pool: &Pool,
    covered: &super::covered::Covered,
    source: &dyn Source,
    report: &mut Report,
) -> Result<(), ViewsError> {
    let start = source.marks()?.into_iter().rfind(|mark| *mark == 0).unwrap_or(0);
    let mut state: State =
        source.state_at(start)?.ok_or_else(|| ViewsError::Log("no state to begin from".to_owned()))?;
    let mut opened_again = std::collections::BTreeSet::new();
    loop {
        let page = source.read(state.seq, PAGE_EVENTS)?;
        if page.is_empty() {
            break;
        }
        for recorded in &page {
            report.events += 1;
            let changes = state.apply(recorded);
            if !covered.has(recorded.seq) {
                continue;
            }
            if let Some(case) = changes.case.filter(|case| !case.is_open()) {
                if opened_again.insert(case.id) {
                    report.cases += 1;
                }
                case_is_there(conn, pool, &case, report)?;
            }
            if let Some(whistle) = changes.whistle.filter(|whistle| whistle.closed.is_some()) {
                report.whistles += 1;
                whistle_is_there(conn, pool, &whistle, report)?;
            }
        }
        // Only cases that are open may be closed again.
        opened_again.retain(|id| state.cases.contains_key(id));
    }
    Ok(())
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
