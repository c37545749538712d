//! Making a run: codes as they come, columns, pairs of characters.
//!
//! What should be here: from cases to columns. What should not: files.

use std::collections::HashMap;

use domain::case::Case;
use domain::moment::UtcOffset;

use super::{
    CaseColumn, Chunk, Dictionary, Encoded, Kind, Piece, RUN_ROWS_MAX, RUN_STEPS_MAX, RunHead, StepColumn,
    joined, number_parts, piece_key,
};
use crate::views::grams::Grams;
use crate::views::pack::{self, CHUNK_ROWS};
use crate::views::steps;

/// Gathers the codes of one kind as they come.
#[derive(Debug, Default)]
struct Interner {
    codes: HashMap<String, u32>,
    texts: Vec<String>,
    cases: Vec<u32>,
}

impl Interner {
    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.texts.len() as u32;
        self.codes.insert(text.to_owned(), code);
        self.texts.push(text.to_owned());
        self.cases.push(0);
        code
    }

    /// The dictionary in order, and for each code as it came its place there.
    fn finish(self) -> (Dictionary, Vec<i64>) {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_unstable_by(|one, other| self.texts[*one].cmp(&self.texts[*other]));
        let mut places = vec![0; order.len()];
        for (place, came) in order.iter().enumerate() {
            places[*came] = place as i64;
        }
        let texts = order.iter().map(|came| self.texts[*came].clone()).collect();
        let cases = order.iter().map(|came| self.cases[*came]).collect();
        (Dictionary { texts, cases }, places)
    }
}

/// Makes a run of cases that are given in the order of their ids.
#[derive(Debug)]
pub struct RunBuilder {
    offset: UtcOffset,
    interners: [Interner; Kind::COUNT],
    cases: Vec<Vec<i64>>,
    steps: Vec<Vec<i64>>,
    grams: Grams,
    month: i32,
}

impl RunBuilder {
    #[must_use]
    pub fn new(offset: UtcOffset) -> Self {
        Self {
            offset,
            interners: std::array::from_fn(|_| Interner::default()),
            cases: vec![Vec::new(); CaseColumn::ALL.len()],
            steps: vec![Vec::new(); StepColumn::ALL.len()],
            grams: Grams::default(),
            month: 0,
        }
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.cases[CaseColumn::Id as usize].len()
    }

    /// Whether no more cases fit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows() >= RUN_ROWS_MAX || self.steps[0].len() >= RUN_STEPS_MAX
    }

    pub fn push(&mut self, case: &Case) {
        let row = self.rows();
        let closed = case.closed.unwrap_or(case.stage_since).local(self.offset).date;
        self.month = self.month.max(closed.number() / 100);
        let path = joined(case.area_path.iter().map(domain::code::AreaCode::as_str));
        let number = number_parts(&case.number);
        for column in CaseColumn::ALL {
            let value = match column {
                CaseColumn::Id => case.id.0 as i64,
                CaseColumn::Path => self.coded(Kind::Path, &path),
                CaseColumn::Class => self.coded(Kind::Class, case.report.class.as_str()),
                CaseColumn::Source => self.coded(Kind::Source, case.report.source.as_str()),
                CaseColumn::Department => {
                    let department = case.department.as_ref();
                    self.coded(Kind::Department, department.map_or("", domain::code::DepartmentCode::as_str))
                }
                CaseColumn::Claimed => self.coded(Kind::Claimed, case.claimed_by.as_deref().unwrap_or("")),
                CaseColumn::Stage => case.stage as i64,
                CaseColumn::Reported => case.reported.local(self.offset).date.days(),
                CaseColumn::Late => i64::from(steps::dispatched_late(case)),
                CaseColumn::HasPlace => i64::from(case.report.place.is_some()),
                CaseColumn::NumberDay => number.map_or(-1, |(day, _)| day),
                CaseColumn::NumberRun => number.map_or(0, |(_, run)| run),
            };
            self.cases[*column as usize].push(value);
        }
        self.push_steps(case, row as i64);
        self.grams.add(row as u32, &case.report.address);
        if number.is_none() {
            self.grams.add(row as u32, &case.number);
        }
    }

    fn push_steps(&mut self, case: &Case, row: i64) {
        for step in steps::of(case) {
            let path = joined(step.area_path.iter().map(domain::code::AreaCode::as_str));
            for column in StepColumn::ALL {
                let value = match column {
                    StepColumn::Step => self.code(Kind::Step, step.step),
                    StepColumn::At => step.at.0,
                    StepColumn::Row => row,
                    StepColumn::Path => self.code(Kind::Path, &path),
                    StepColumn::Class => self.code(Kind::Class, step.class.as_str()),
                    StepColumn::Source => self.code(Kind::Source, step.source.as_str()),
                    StepColumn::Department => {
                        let department = step.department.map_or("", domain::code::DepartmentCode::as_str);
                        self.code(Kind::Department, department)
                    }
                    StepColumn::Level => step.level as i64,
                    StepColumn::Late => i64::from(step.late),
                    StepColumn::Round => i64::from(step.round),
                    StepColumn::Weight => i64::from(step.weight),
                    StepColumn::Seq => step.seq as i64,
                };
                self.steps[*column as usize].push(value);
            }
        }
    }

    fn code(&mut self, kind: Kind, text: &str) -> i64 {
        i64::from(self.interners[kind as usize].code(text))
    }

    fn coded(&mut self, kind: Kind, text: &str) -> i64 {
        let interner = &mut self.interners[kind as usize];
        let code = interner.code(text);
        interner.cases[code as usize] += 1;
        i64::from(code)
    }

    /// The run under its number.
    #[must_use]
    pub fn finish(mut self, no: u32) -> Encoded {
        let rows = self.rows() as u32;
        let finished = self.interners.map(Interner::finish);
        let place = |column: &mut Vec<i64>, kind: Option<Kind>| {
            if let Some(kind) = kind {
                column.iter_mut().for_each(|code| *code = finished[kind as usize].1[*code as usize]);
            }
        };
        for column in CaseColumn::ALL {
            place(&mut self.cases[*column as usize], column.kind());
        }
        for column in StepColumn::ALL {
            place(&mut self.steps[*column as usize], column.kind());
        }
        sort_steps(&mut self.steps);
        let mut pieces = Vec::new();
        let case_kinds: Vec<bool> = CaseColumn::ALL.iter().map(|column| column.kind().is_some()).collect();
        let step_kinds: Vec<bool> = StepColumn::ALL.iter().map(|column| column.kind().is_some()).collect();
        let cases = chunks(
            &self.cases,
            &case_kinds,
            |at, chunk| piece_key(no, Piece::Case(CaseColumn::ALL[at]), chunk),
            &mut pieces,
        );
        let steps = chunks(
            &self.steps,
            &step_kinds,
            |at, chunk| piece_key(no, Piece::Step(StepColumn::ALL[at]), chunk),
            &mut pieces,
        );
        let dictionaries = finished.into_iter().map(|(dictionary, _)| dictionary).collect();
        let head = RunHead { no, month: self.month, rows, dictionaries, cases, steps };
        Encoded { head, pieces, grams: self.grams.finish() }
    }
}

/// Steps by kind and time, so that those of a day lie together.
fn sort_steps(columns: &mut [Vec<i64>]) {
    let key = |row: usize| (columns[StepColumn::Step as usize][row], columns[StepColumn::At as usize][row]);
    let mut order: Vec<usize> = (0..columns[0].len()).collect();
    order.sort_by_key(|row| key(*row));
    for column in columns {
        *column = order.iter().map(|row| column[*row]).collect();
    }
}

fn chunks(
    columns: &[Vec<i64>],
    coded: &[bool],
    key: impl Fn(usize, usize) -> i64,
    pieces: &mut Vec<(i64, Vec<u8>)>,
) -> Vec<Chunk> {
    let rows = columns[0].len();
    let mut made = Vec::new();
    for (chunk, from) in (0..rows).step_by(CHUNK_ROWS).enumerate() {
        let to = (from + CHUNK_ROWS).min(rows);
        let mut heads = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            let (head, bytes) = pack::pack(&column[from..to], coded[at]);
            if !bytes.is_empty() {
                pieces.push((key(at, chunk), bytes));
            }
            heads.push(head);
        }
        made.push(Chunk { rows: (to - from) as u32, columns: heads });
    }
    made
}
