//! A run: up to 65,536 closed cases, written once. Rows of cases by id, rows of their steps by step and time, a
//! dictionary for every kind of code, and what tells without reading that a chunk has nothing.
//!
//! Columns stand apart, so that a question reads those it asks about and no other: two bytes a case for most. What
//! should not be here: files, questions.

use std::collections::BTreeMap;

use domain::moment::{UtcMillis, UtcOffset};
use serde::{Deserialize, Serialize};

use super::pack::{CHUNK_ROWS, ColumnHead};

mod make;

pub use make::RunBuilder;

/// Cases of one run at most: row numbers fit two bytes, and merging one takes some tens of megabytes.
pub const RUN_ROWS_MAX: usize = 65_536;
/// Rows of steps after which a run takes no more cases: its chunks must fit the key of a piece.
pub const RUN_STEPS_MAX: usize = 4_000_000;

/// Kinds of codes that have a dictionary in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The areas of a case, finest first, joined by `|`.
    Path,
    Class,
    Source,
    /// Empty where there is none.
    Department,
    /// Who had it in hand; empty where nobody.
    Claimed,
    Step,
}

impl Kind {
    pub const COUNT: usize = 6;
}

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident { $($(#[$one:meta])* $column:ident $(of $kind:ident)?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$one])* $column),* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$column),*];

            /// The dictionary its numbers are codes of.
            #[must_use]
            pub fn kind(self) -> Option<Kind> {
                match self {
                    $(Self::$column => columns!(@kind $($kind)?)),*
                }
            }
        }
    };
    (@kind $kind:ident) => { Some(Kind::$kind) };
    (@kind) => { None };
}

columns! {
    /// What is known of a case without reading it.
    CaseColumn {
        Id,
        Path of Path,
        Class of Class,
        Source of Source,
        Department of Department,
        Claimed of Claimed,
        Stage,
        /// Local day of the report, as days since 1970.
        Reported,
        /// Whether it was ever dispatched after its limit.
        Late,
        HasPlace,
        /// Day within its number, as days since 1970; −1 where the number has another form.
        NumberDay,
        /// Running number within the day.
        NumberRun,
    }
}

columns! {
    /// What is known of a step.
    StepColumn {
        Step of Step,
        At,
        /// The case's row within the run.
        Row,
        Path of Path,
        Class of Class,
        Source of Source,
        Department of Department,
        Level,
        Late,
        Round,
        Weight,
        Seq,
    }
}

/// Codes of one kind, in the order of their texts, and how many cases have each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dictionary {
    pub texts: Vec<String>,
    pub cases: Vec<u32>,
}

impl Dictionary {
    #[must_use]
    pub fn code(&self, text: &str) -> Option<usize> {
        self.texts.binary_search_by(|known| known.as_str().cmp(text)).ok()
    }
}

/// One chunk: its rows, and each column in the order of the enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    pub rows: u32,
    pub columns: Vec<ColumnHead>,
}

/// The least and the greatest value of a column over a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(i64, i64);

impl Span {
    #[must_use]
    pub fn of(chunks: &[Chunk], column: usize) -> Self {
        chunks
            .iter()
            .map(|chunk| &chunk.columns[column])
            .fold(Self(i64::MAX, i64::MIN), |span, head| Self(span.0.min(head.min), span.1.max(head.max)))
    }

    /// Whether a value from `low` to `high` may occur.
    #[must_use]
    pub fn meets(self, low: i64, high: i64) -> bool {
        self.0 <= high && self.1 >= low
    }
}

/// Everything about a run that stays in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHead {
    pub no: u32,
    /// Local month of the last closing as 202611.
    pub month: i32,
    pub rows: u32,
    pub dictionaries: Vec<Dictionary>,
    pub cases: Vec<Chunk>,
    pub steps: Vec<Chunk>,
}

impl RunHead {
    #[must_use]
    pub fn dictionary(&self, kind: Kind) -> &Dictionary {
        &self.dictionaries[kind as usize]
    }

    /// Whether the head has the shape that reading takes for granted.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let rows = |chunks: &[Chunk]| chunks.iter().map(|chunk| chunk.rows as usize).sum::<usize>();
        let shaped = |chunks: &[Chunk], columns: usize| {
            chunks.iter().all(|chunk| chunk.columns.len() == columns && chunk.rows as usize <= CHUNK_ROWS)
        };
        self.dictionaries.len() == Kind::COUNT
            && self.dictionaries.iter().all(|one| one.texts.len() == one.cases.len())
            && rows(&self.cases) == self.rows as usize
            && self.rows as usize <= RUN_ROWS_MAX
            && shaped(&self.cases, CaseColumn::ALL.len())
            && shaped(&self.steps, StepColumn::ALL.len())
            // Only the last chunk may be short: a row's chunk is found by division.
            && self.cases.iter().rev().skip(1).all(|chunk| chunk.rows as usize == CHUNK_ROWS)
    }

    /// Smallest and largest id of the run.
    #[must_use]
    pub fn ids(&self) -> (i64, i64) {
        let head = |chunk: &Chunk| (chunk.columns[0].min, chunk.columns[0].max);
        let first = self.cases.first().map_or((i64::MAX, i64::MIN), head);
        let last = self.cases.last().map_or((i64::MAX, i64::MIN), head);
        (first.0, last.1)
    }
}

/// Which rows a piece of a column belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Case(CaseColumn),
    Step(StepColumn),
}

/// The key of a piece: run, kind of rows, chunk, column.
#[must_use]
pub fn piece_key(run: u32, piece: Piece, chunk: usize) -> i64 {
    let (kind, column) = match piece {
        Piece::Case(column) => (0, column as i64),
        Piece::Step(column) => (1, column as i64),
    };
    (i64::from(run) << 24) | (kind << 23) | ((chunk as i64) << 8) | column
}

/// A run ready to be written.
#[derive(Debug)]
pub struct Encoded {
    pub head: RunHead,
    pub pieces: Vec<(i64, Vec<u8>)>,
    /// Pairs of characters with the rows whose text has them.
    pub grams: Vec<(i64, Vec<u8>)>,
}

/// The key of a way of areas in the dictionary.
pub fn joined<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    codes.collect::<Vec<_>>().join("|")
}

/// Day (as days since 1970) and running number of a case's number such as `20261121-00042`; none where it has another
/// form.
#[must_use]
pub fn number_parts(number: &str) -> Option<(i64, i64)> {
    let (day, run) = number.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if day.len() != 8 || run.len() < 5 || run.len() > 9 || !digits(day) || !digits(run) {
        return None;
    }
    let value: i64 = run.parse().ok()?;
    // A running number is padded to five digits and no further.
    if run.len() > 5 && run.starts_with('0') {
        return None;
    }
    let parsed: domain::moment::Days = day.parse().ok()?;
    Some((parsed.from.days(), value))
}

/// A running number as it stands in a case's number.
#[must_use]
pub fn running(number: i64) -> String {
    format!("{number:05}")
}

/// Rows by month, for reports of what a build has done.
#[must_use]
pub fn months(heads: &[&RunHead]) -> BTreeMap<i32, u64> {
    let mut rows = BTreeMap::new();
    for head in heads {
        *rows.entry(head.month).or_insert(0) += u64::from(head.rows);
    }
    rows
}

/// The instants a local day from `from` to `to` (days since 1970) begins and ends at, both included.
#[must_use]
pub fn instants(from: domain::moment::Date, to: domain::moment::Date, offset: UtcOffset) -> (i64, i64) {
    let start = |days: i64| {
        UtcMillis(days * domain::moment::DAY_MS).plus(-i64::from(offset.0) * domain::moment::MINUTE_MS)
    };
    (start(from.days()).0, start(to.days() + 1).0 - 1)
}
