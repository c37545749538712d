//! Looking into one run: its steps, its lists of pairs, its chunks.
//!
//! What should be here: reading columns and cutting rows down. What should not: the order over all runs.

use std::path::Path;

use domain::case::Case;
use domain::code::CaseId;
use rusqlite::OptionalExtension;

use super::{Compiled, Question, Scan};
use crate::views::file::{self, Run, ViewsError};
use crate::views::grams;
use crate::views::pack::CHUNK_ROWS;
use crate::views::pack::{self, Bits, ColumnHead};
use crate::views::question::{StepTest, Test, case_tests, is_asked_of_steps, may_have, step_tests};
use crate::views::run::{CaseColumn, Piece, StepColumn, piece_key};
use crate::views::sql;

impl Scan<'_> {
    /// What is looked for in a run; none when it has nothing.
    pub(super) fn compile(&mut self, run: &Run) -> Result<Option<Compiled>, ViewsError> {
        let Question { filter, scope, offset, last_case, masked: _ } = self.question;
        if !may_have(run, &self.flows, offset) {
            return Ok(None);
        }
        let Some(mut tests) = case_tests(&run.head, filter, scope, &self.flows) else { return Ok(None) };
        if let Ok(last) = i64::try_from(last_case) {
            tests.push(Test::Within(CaseColumn::Id, 0, last));
        }
        // A run none of whose chunks can have a hit is left before its steps and texts are read.
        if !run.head.cases.iter().any(|chunk| tests.iter().all(|test| test.may_hold(&chunk.columns))) {
            return Ok(None);
        }
        let mut rows: Option<Bits> = None;
        let flows = self.flows.clone();
        for flow in flows.iter().filter(|flow| is_asked_of_steps(flow)) {
            let Some(tests) = step_tests(&run.head, filter, flow, offset) else { return Ok(None) };
            let of_flow = self.step_rows(run, &tests)?;
            match &mut rows {
                Some(rows) => rows.keep(&of_flow),
                None => rows = Some(of_flow),
            }
            if rows.as_ref().is_some_and(Bits::is_empty) {
                return Ok(None);
            }
        }
        let (mut text, mut doubtful) = (None, false);
        if let Some(wanted) = self.text.clone() {
            let (candidates, in_doubt) = self.text_rows(run, &wanted)?;
            if candidates.is_empty() && self.number.is_none() {
                return Ok(None);
            }
            (text, doubtful) = (Some(candidates), in_doubt);
        }
        Ok(Some(Compiled { tests, rows, text, doubtful }))
    }

    /// Rows of cases that took a step as asked.
    fn step_rows(&mut self, run: &Run, tests: &[StepTest]) -> Result<Bits, ViewsError> {
        let mut rows = Bits::new(run.head.rows as usize);
        for (chunk, head) in run.head.steps.iter().enumerate() {
            if !tests.iter().all(|test| test.may_hold(&head.columns)) {
                continue;
            }
            let mut hits = Bits::full(head.rows as usize);
            for test in tests {
                let column = match test {
                    StepTest::Codes(column, _) | StepTest::Within(column, ..) => *column,
                };
                let column_head = &head.columns[column as usize];
                let certain = match test {
                    StepTest::Codes(_, set) => {
                        column_head.min == column_head.max && set.has(column_head.min as usize)
                    }
                    StepTest::Within(_, low, high) => column_head.lies_within(*low, *high),
                };
                if certain {
                    continue;
                }
                self.read(run, Piece::Step(column), chunk, column_head, head.rows)?;
                match test {
                    StepTest::Codes(_, set) => cut(&mut hits, &self.column, |code| set.has(code as usize)),
                    StepTest::Within(_, low, high) => {
                        cut(&mut hits, &self.column, |value| (*low..=*high).contains(&value))
                    }
                }
                if hits.is_empty() {
                    break;
                }
            }
            if hits.is_empty() {
                continue;
            }
            self.read(
                run,
                Piece::Step(StepColumn::Row),
                chunk,
                &head.columns[StepColumn::Row as usize],
                head.rows,
            )?;
            hits.iter().for_each(|hit| rows.set(self.column[hit] as usize));
        }
        Ok(rows)
    }

    /// Rows whose text may have what is wanted, and whether that is in doubt.
    fn text_rows(&mut self, run: &Run, wanted: &str) -> Result<(Bits, bool), ViewsError> {
        let all = run.head.rows as usize;
        let pairs = grams::wanted(wanted);
        if pairs.is_empty() {
            let mut rows = Bits::new(all);
            if let Some(character) = wanted.chars().next() {
                self.single(run, character, &mut rows)?;
            }
            return Ok((rows, false));
        }
        let mut rows = Bits::full(all);
        for pair in &pairs {
            let mut of_pair = Bits::new(all);
            let failed = |source| ViewsError::sql(self.path, "search", source);
            let mut statement = self.conn.prepare_cached(sql::GRAM).map_err(failed)?;
            let mut list = statement.query([i64::from(run.head.no), *pair]).map_err(failed)?;
            if let Some(row) = list.next().map_err(failed)? {
                let bytes = row.get_ref(0).map_err(failed)?.as_blob().unwrap_or_default();
                self.cost.pieces += 1;
                self.cost.bytes += bytes.len() as u64;
                read_list(self.path, run, bytes, &mut of_pair)?;
            }
            rows.keep(&of_pair);
            if rows.is_empty() {
                break;
            }
        }
        Ok((rows, wanted.chars().count() > 2))
    }

    /// Rows whose text has a character: those of the pairs that begin with it.
    fn single(&mut self, run: &Run, character: char, rows: &mut Bits) -> Result<(), ViewsError> {
        let failed = |source| ViewsError::sql(self.path, "search", source);
        let (from, to) = grams::beginning_with(character);
        let mut statement = self.conn.prepare_cached(sql::GRAMS_WITHIN).map_err(failed)?;
        let mut lists = statement.query([i64::from(run.head.no), from, to]).map_err(failed)?;
        while let Some(row) = lists.next().map_err(failed)? {
            let bytes = row.get_ref(0).map_err(failed)?.as_blob().unwrap_or_default();
            self.cost.pieces += 1;
            self.cost.bytes += bytes.len() as u64;
            read_list(self.path, run, bytes, rows)?;
        }
        Ok(())
    }

    /// Rows of a chunk that answer to everything, and those of them whose text is still to be read.
    pub(super) fn hits(
        &mut self,
        run: &Run,
        compiled: &Compiled,
        chunk: usize,
    ) -> Result<(Bits, Bits), ViewsError> {
        let head = &run.head.cases[chunk];
        let rows = head.rows as usize;
        let from = chunk * CHUNK_ROWS;
        if !self.may_hold(compiled, &head.columns, chunk) {
            return Ok((Bits::new(rows), Bits::new(rows)));
        }
        let mut hits = compiled.rows.as_ref().map_or_else(|| Bits::full(rows), |all| all.slice(from, rows));
        if let Some(gone) = &run.gone {
            gone.slice(from, rows).iter().for_each(|row| hits.clear(row));
        }
        for test in &compiled.tests {
            if hits.is_empty() {
                break;
            }
            self.cut_by(run, test, chunk, &mut hits)?;
        }
        let mut unsure = Bits::new(rows);
        if let (Some(text), false) = (&compiled.text, hits.is_empty()) {
            let mut sure = self.number_rows(run, chunk)?;
            let candidates = text.slice(from, rows);
            if compiled.doubtful {
                unsure.add(&candidates);
                sure.iter().for_each(|row| unsure.clear(row));
            }
            sure.add(&candidates);
            hits.keep(&sure);
        }
        let ids = &head.columns[CaseColumn::Id as usize];
        let masked = self.question.masked.iter().map(|id| *id as i64);
        let masked: Vec<i64> = masked.filter(|id| ids.may_lie_within(*id, *id)).collect();
        if !masked.is_empty() && !hits.is_empty() {
            let ids = self.ids(run, chunk)?;
            masked.iter().filter_map(|id| ids.binary_search(id).ok()).for_each(|row| hits.clear(row));
        }
        Ok((hits, unsure))
    }

    fn cut_by(&mut self, run: &Run, test: &Test, chunk: usize, hits: &mut Bits) -> Result<(), ViewsError> {
        let head = &run.head.cases[chunk];
        match test {
            Test::Codes(column, set) => {
                self.read(run, Piece::Case(*column), chunk, &head.columns[*column as usize], head.rows)?;
                cut(hits, &self.column, |code| set.has(code as usize));
            }
            Test::Within(column, low, high) => {
                let column_head = &head.columns[*column as usize];
                if !column_head.lies_within(*low, *high) {
                    self.read(run, Piece::Case(*column), chunk, column_head, head.rows)?;
                    cut(hits, &self.column, |value| (*low..=*high).contains(&value));
                }
            }
            Test::Scoped { paths, departments } => {
                let (path, department) = (CaseColumn::Path, CaseColumn::Department);
                self.read(run, Piece::Case(path), chunk, &head.columns[path as usize], head.rows)?;
                let mut within = Bits::full(head.rows as usize);
                cut(&mut within, &self.column, |code| paths.has(code as usize));
                self.read(
                    run,
                    Piece::Case(department),
                    chunk,
                    &head.columns[department as usize],
                    head.rows,
                )?;
                let mut own = Bits::full(head.rows as usize);
                cut(&mut own, &self.column, |code| departments.has(code as usize));
                within.add(&own);
                hits.keep(&within);
            }
        }
        Ok(())
    }

    /// Rows of a chunk whose number holds the text.
    fn number_rows(&mut self, run: &Run, chunk: usize) -> Result<Bits, ViewsError> {
        let head = &run.head.cases[chunk];
        let mut rows = Bits::new(head.rows as usize);
        if !self.number.as_ref().is_some_and(|number| number.may_hold(&head.columns)) {
            return Ok(rows);
        }
        let (day, running) = (CaseColumn::NumberDay, CaseColumn::NumberRun);
        self.read(run, Piece::Case(day), chunk, &head.columns[day as usize], head.rows)?;
        std::mem::swap(&mut self.column, &mut self.other);
        self.read(run, Piece::Case(running), chunk, &head.columns[running as usize], head.rows)?;
        if let Some(number) = &mut self.number {
            for (row, (day, running)) in self.other.iter().zip(&self.column).enumerate() {
                if number.admits(*day, *running) {
                    rows.set(row);
                }
            }
        }
        Ok(rows)
    }

    pub(super) fn ids(&mut self, run: &Run, chunk: usize) -> Result<Vec<i64>, ViewsError> {
        let head = &run.head.cases[chunk];
        self.read(
            run,
            Piece::Case(CaseColumn::Id),
            chunk,
            &head.columns[CaseColumn::Id as usize],
            head.rows,
        )?;
        Ok(self.column.clone())
    }

    /// Reads a column of a chunk into `self.column`.
    fn read(
        &mut self,
        run: &Run,
        piece: Piece,
        chunk: usize,
        head: &ColumnHead,
        rows: u32,
    ) -> Result<(), ViewsError> {
        let broken =
            |error: pack::PackError| ViewsError::damaged(self.path, format!("run {}: {error}", run.head.no));
        if head.width == 0 {
            return pack::unpack(head, rows as usize, &[], &mut self.column).map_err(broken);
        }
        let failed = |source| ViewsError::sql(self.path, "read a run of", source);
        let mut statement = self.conn.prepare_cached(sql::PIECE).map_err(failed)?;
        let key = piece_key(run.head.no, piece, chunk);
        let column = &mut self.column;
        let read = statement
            .query_row([key], |row| {
                let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
                Ok((bytes.len(), pack::unpack(head, rows as usize, bytes, column)))
            })
            .optional()
            .map_err(failed)?;
        let (bytes, unpacked) = read.ok_or_else(|| {
            ViewsError::damaged(self.path, format!("a piece of run {} is gone", run.head.no))
        })?;
        self.cost.pieces += 1;
        self.cost.bytes += bytes as u64;
        unpacked.map_err(broken)
    }

    /// A case by its id; none where its text does not hold what is wanted.
    pub(super) fn case(&mut self, id: CaseId, verify: bool) -> Result<Option<Case>, ViewsError> {
        let case = file::body(self.conn, self.path, id)?;
        let case = case.ok_or_else(|| ViewsError::damaged(self.path, format!("case {id} is gone")))?;
        self.cost.bodies += 1;
        self.cost.bytes += 1_024;
        let text = self.text.as_deref().filter(|_| verify);
        let holds = text
            .is_none_or(|text| grams::holds(&case.report.address, text) || grams::holds(&case.number, text));
        Ok(holds.then_some(case))
    }
}

/// Keeps the hits whose value fits.
fn cut(hits: &mut Bits, column: &[i64], fits: impl Fn(i64) -> bool) {
    let gone: Vec<usize> = hits.iter().filter(|row| !fits(column[*row])).collect();
    gone.into_iter().for_each(|row| hits.clear(row));
}

fn read_list(path: &Path, run: &Run, bytes: &[u8], rows: &mut Bits) -> Result<(), ViewsError> {
    grams::read(bytes, |row| rows.set(row as usize)).ok_or_else(|| {
        ViewsError::damaged(path, format!("a list of run {} is not what was written", run.head.no))
    })
}
