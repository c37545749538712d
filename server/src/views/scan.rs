//! Asking the runs: newest cases first over all of them, and how many there are.
//!
//! What should be here: which chunks are read and in which order. What should not: what conditions mean (`question`),
//! cases in memory. Work is counted, and an answer that costs too much or takes too long stops where it is and says so.

use std::collections::BinaryHeap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use domain::case::Case;
use domain::code::CaseId;
use domain::moment::{Date, UtcOffset};
use domain::scope::Scope;
use rusqlite::Connection;

use super::file::{Run, ViewsError};
use super::pack::{Bits, CHUNK_ROWS, ColumnHead};
use super::question::{NumberPart, Test};
use super::run::CaseColumn;
use crate::lists::{CaseFilter, FlowOn};

mod look;

/// What a search has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Pieces of columns and lists.
    pub pieces: u64,
    /// Whole cases.
    pub bodies: u64,
    pub bytes: u64,
}

/// Bytes one answer may read: some tens of milliseconds of a core.
pub const BYTES_MAX: u64 = 48 << 20;

/// When a search stops.
pub struct Budget<'a> {
    pub bytes_max: u64,
    /// Whether the time is over.
    pub is_over: &'a dyn Fn() -> bool,
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub filter: &'a CaseFilter,
    pub scope: &'a Scope,
    pub offset: UtcOffset,
    /// Cases in memory that stand in runs as well, in order: memory has the newer word.
    pub masked: &'a [u64],
    /// Cases with a larger id are not looked for.
    pub last_case: u64,
}

/// Cases found, newest first.
#[derive(Debug, Default)]
pub struct Found {
    pub cases: Vec<Case>,
    /// Where the search stopped early: every case above this id has been looked at.
    pub searched: Option<Searched>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Searched {
    pub below: u64,
    /// Day of the reports around there.
    pub day: Date,
}

/// One search over a set of runs.
pub struct Scan<'a> {
    conn: &'a Connection,
    path: &'a Path,
    question: Question<'a>,
    budget: Budget<'a>,
    flows: Vec<FlowOn>,
    text: Option<String>,
    number: Option<NumberPart>,
    pub cost: Cost,
    column: Vec<i64>,
    other: Vec<i64>,
}

/// What is looked for in one run.
struct Compiled {
    tests: Vec<Test>,
    /// Rows whose steps fit; none where no steps are asked for.
    rows: Option<Bits>,
    /// Rows that may have the text.
    text: Option<Bits>,
    /// Those rows may have its pairs of characters in another order.
    doubtful: bool,
}

/// One run on the way from its newest case to its oldest.
struct Walk {
    run: Arc<Run>,
    compiled: Option<Compiled>,
    /// The chunk looked at, or to be looked at next.
    chunk: usize,
    /// Ids of the chunk's rows, once it was looked at and has hits.
    ids: Vec<i64>,
    hits: Bits,
    /// Hits whose text must be read before they count.
    unsure: Bits,
}

/// What a walk can give next: a case, or a chunk that may have cases up to this id.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    id: i64,
    /// A case that was found goes before a chunk of the same bound.
    found: Option<usize>,
    walk: usize,
}

impl<'a> Scan<'a> {
    #[must_use]
    pub fn new(conn: &'a Connection, path: &'a Path, question: Question<'a>, budget: Budget<'a>) -> Self {
        let text = question.filter.folded_text();
        Self {
            conn,
            path,
            question,
            budget,
            flows: question.filter.flows(),
            number: text.as_deref().and_then(NumberPart::new),
            text,
            cost: Cost::default(),
            column: Vec::new(),
            other: Vec::new(),
        }
    }

    fn is_over(&self) -> bool {
        self.cost.bytes >= self.budget.bytes_max || (self.budget.is_over)()
    }

    /// Up to `limit` cases with ids of a range, which memory has no answers beyond.
    pub fn newest(&mut self, runs: &[Arc<Run>], ids: Range<u64>, limit: usize) -> Result<Found, ViewsError> {
        let [above, below] = [ids.start, ids.end].map(|id| i64::try_from(id).unwrap_or(i64::MAX));
        let mut found = Found::default();
        let mut walks: Vec<Walk> = Vec::new();
        let mut heap = BinaryHeap::new();
        for run in runs.iter().filter(|run| run.head.ids().0 < below) {
            heap.push(Next { id: run.head.ids().1.min(below - 1), found: None, walk: walks.len() });
            walks.push(Walk::new(run.clone()));
        }
        while let Some(next) = heap.pop() {
            if found.cases.len() >= limit || next.id < above {
                break;
            }
            let walk = &mut walks[next.walk];
            if let Some(row) = next.found {
                if let Some(case) = self.case(CaseId(next.id as u64), walk.unsure.has(row))? {
                    found.cases.push(case);
                }
                heap.extend(self.further(walk, next.walk, Some(row), below)?);
                continue;
            }
            // Something is looked at in any case, or asking on would never come further.
            if next.id + 1 < below && self.is_over() {
                found.searched = Some(Searched { below: next.id as u64 + 1, day: walk.day() });
                break;
            }
            heap.extend(self.look(walk, next.walk, below)?);
        }
        Ok(found)
    }

    /// How many cases there are; none when counting costs too much.
    pub fn count(&mut self, runs: &[Arc<Run>]) -> Result<Option<u64>, ViewsError> {
        let mut total = 0;
        for run in runs {
            if self.is_over() {
                return Ok(None);
            }
            let Some(compiled) = self.compile(run)? else { continue };
            if let Some(known) = self.known_count(run, &compiled) {
                total += known;
                continue;
            }
            for chunk in 0..run.head.cases.len() {
                if self.is_over() {
                    return Ok(None);
                }
                let (hits, unsure) = self.hits(run, &compiled, chunk)?;
                if hits.is_empty() {
                    continue;
                }
                total += hits.count();
                let mut sure = unsure;
                sure.keep(&hits);
                if sure.is_empty() {
                    continue;
                }
                let ids = self.ids(run, chunk)?;
                for row in sure.iter() {
                    if self.is_over() {
                        return Ok(None);
                    }
                    if self.case(CaseId(ids[row] as u64), true)?.is_none() {
                        total -= 1;
                    }
                }
            }
        }
        Ok(Some(total))
    }

    /// What the run's head alone says: all its cases, or those of one code.
    fn known_count(&self, run: &Run, compiled: &Compiled) -> Option<u64> {
        let (first, last) = run.head.ids();
        let touched = self.question.masked.iter().any(|id| (first..=last).contains(&(*id as i64)));
        if touched || run.gone.is_some() || compiled.rows.is_some() || self.text.is_some() {
            return None;
        }
        match compiled.tests.as_slice() {
            [] => Some(u64::from(run.head.rows)),
            [Test::Codes(column, set)] => {
                let counts = &run.head.dictionary(column.kind()?).cases;
                Some(set.iter().map(|code| u64::from(counts[code])).sum())
            }
            _ => None,
        }
    }

    /// Looks at the walk's next chunk that may have something.
    fn look(&mut self, walk: &mut Walk, at: usize, below: i64) -> Result<Option<Next>, ViewsError> {
        if walk.compiled.is_none() {
            let Some(compiled) = self.compile(&walk.run)? else { return Ok(None) };
            walk.compiled = Some(compiled);
        }
        let Some(compiled) = &walk.compiled else { return Ok(None) };
        let ids = walk.run.head.cases[walk.chunk].columns[CaseColumn::Id as usize].min;
        if ids < below {
            let (hits, unsure) = self.hits(&walk.run, compiled, walk.chunk)?;
            if !hits.is_empty() {
                walk.ids = self.ids(&walk.run, walk.chunk)?;
                walk.hits = hits;
                walk.unsure = unsure;
                let end = walk.ids.partition_point(|id| *id < below);
                return self.further(walk, at, Some(end), below);
            }
        }
        walk.hits = Bits::default();
        self.further(walk, at, None, below)
    }

    /// What the walk has next: the hit before `row`, else a chunk further down.
    fn further(
        &mut self,
        walk: &mut Walk,
        at: usize,
        row: Option<usize>,
        below: i64,
    ) -> Result<Option<Next>, ViewsError> {
        if let Some(row) = row.and_then(|row| walk.hits.last_below(row)) {
            return Ok(Some(Next { id: walk.ids[row], found: Some(row), walk: at }));
        }
        let Some(compiled) = &walk.compiled else { return Ok(None) };
        while walk.chunk > 0 {
            walk.chunk -= 1;
            let columns = &walk.run.head.cases[walk.chunk].columns;
            if self.may_hold(compiled, columns, walk.chunk) {
                let bound = columns[CaseColumn::Id as usize].max.min(below - 1);
                return Ok(Some(Next { id: bound, found: None, walk: at }));
            }
        }
        Ok(None)
    }

    /// Whether a chunk may have hits, judged without reading it.
    fn may_hold(&self, compiled: &Compiled, columns: &[ColumnHead], chunk: usize) -> bool {
        let from = chunk * CHUNK_ROWS;
        let has = |rows: &Bits| !rows.slice(from, CHUNK_ROWS.min(rows.len() - from)).is_empty();
        compiled.tests.iter().all(|test| test.may_hold(columns))
            && compiled.rows.as_ref().is_none_or(has)
            && compiled.text.as_ref().is_none_or(|text| {
                has(text) || self.number.as_ref().is_some_and(|number| number.may_hold(columns))
            })
    }
}

impl Walk {
    fn new(run: Arc<Run>) -> Self {
        let chunk = run.head.cases.len().saturating_sub(1);
        Self { run, compiled: None, chunk, ids: Vec::new(), hits: Bits::default(), unsure: Bits::default() }
    }

    /// The newest day of the reports in the chunk to be looked at.
    fn day(&self) -> Date {
        Date::from_days(self.run.head.cases[self.chunk].columns[CaseColumn::Reported as usize].max)
    }
}
