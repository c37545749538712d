//! Runs that become one, and where a case stands in a run.
//!
//! What should be here: which runs, which rows. What should not: how a run is written.

use std::sync::Arc;

use domain::code::CaseId;
use rusqlite::OptionalExtension;

use super::Layout;
use crate::views::file::{self, Run, ViewsError};
use crate::views::pace::Pace;
use crate::views::pack::{self, CHUNK_ROWS};
use crate::views::run::{CaseColumn, Piece, RUN_ROWS_MAX, RunBuilder, piece_key};
use crate::views::sql;

/// Small runs of one month after which they become one.
const SMALL_RUNS_MAX: usize = 8;
/// A run is small below this.
const SMALL_ROWS: u32 = 32_768;

impl Layout {
    /// Makes one run of small ones of a month, where there are enough of them, or the month is over. Returns whether
    /// something was done.
    pub fn merge(&mut self, month_now: i32, pace: &mut Pace) -> Result<bool, ViewsError> {
        let mut months: Vec<i32> = self.runs.iter().map(|run| run.head.month).collect();
        months.sort_unstable();
        months.dedup();
        for month in months.into_iter().rev() {
            let of_month = self.runs.iter().filter(|run| run.head.month == month);
            let small: Vec<Arc<Run>> = of_month.filter(|run| run.head.rows < SMALL_ROWS).cloned().collect();
            let mut rows = 0;
            let fitting: Vec<Arc<Run>> = small
                .into_iter()
                .take_while(|run| {
                    rows += run.head.rows as usize;
                    rows <= RUN_ROWS_MAX
                })
                .collect();
            let enough = fitting.len() >= SMALL_RUNS_MAX || (month < month_now && fitting.len() > 1);
            if enough {
                self.merge_these(&fitting, pace)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn merge_these(&mut self, runs: &[Arc<Run>], pace: &mut Pace) -> Result<(), ViewsError> {
        let mut ids = Vec::new();
        for run in runs {
            let all = self.ids(run)?;
            let gone = |row: usize| run.gone.as_ref().is_some_and(|gone| gone.has(row));
            ids.extend(
                all.into_iter().enumerate().filter(|(row, _)| !gone(*row)).map(|(_, id)| CaseId(id as u64)),
            );
        }
        ids.sort_unstable();
        let mut builder = RunBuilder::new(self.belongs.offset);
        for (at, id) in ids.iter().enumerate() {
            let case = file::body(&self.conn, &self.path, *id)?;
            builder.push(&case.ok_or_else(|| ViewsError::damaged(&self.path, format!("case {id} is gone")))?);
            if at % 1_024 == 0 {
                pace.breathe();
            }
        }
        let encoded = builder.finish(self.next_no());
        self.write_run(encoded, &[], &[], runs, None, pace)
    }

    /// The ids of a run in the order of its rows.
    fn ids(&self, run: &Run) -> Result<Vec<i64>, ViewsError> {
        let mut all = Vec::with_capacity(run.head.rows as usize);
        for chunk in 0..run.head.cases.len() {
            all.extend(self.chunk_ids(run, chunk)?);
        }
        Ok(all)
    }

    fn chunk_ids(&self, run: &Run, chunk: usize) -> Result<Vec<i64>, ViewsError> {
        let failed = self.failed("read a run of");
        let rows = run.head.cases[chunk].rows as usize;
        let head = &run.head.cases[chunk].columns[CaseColumn::Id as usize];
        let mut bytes = Vec::new();
        if head.width > 0 {
            let key = piece_key(run.head.no, Piece::Case(CaseColumn::Id), chunk);
            let mut statement = self.conn.prepare_cached(sql::PIECE).map_err(&failed)?;
            bytes =
                statement.query_row([key], |row| row.get(0)).optional().map_err(&failed)?.unwrap_or_default();
        }
        let mut ids = Vec::new();
        pack::unpack(head, rows, &bytes, &mut ids)
            .map_err(|error| ViewsError::damaged(&self.path, format!("run {}: {error}", run.head.no)))?;
        Ok(ids)
    }

    /// Where a case that was closed before stands: it is replaced by what closes it again.
    pub(super) fn row_of(&self, id: CaseId) -> Result<Option<(u32, usize)>, ViewsError> {
        let wanted = id.0 as i64;
        for run in self.runs.iter().rev() {
            let (first, last) = run.head.ids();
            if !(first..=last).contains(&wanted) {
                continue;
            }
            for (chunk, head) in run.head.cases.iter().enumerate() {
                if !head.columns[CaseColumn::Id as usize].may_lie_within(wanted, wanted) {
                    continue;
                }
                if let Ok(at) = self.chunk_ids(run, chunk)?.binary_search(&wanted) {
                    let row = chunk * CHUNK_ROWS + at;
                    if run.gone.as_ref().is_none_or(|gone| !gone.has(row)) {
                        return Ok(Some((run.head.no, row)));
                    }
                }
            }
        }
        Ok(None)
    }
}
