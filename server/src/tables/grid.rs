//! A table as cells, whatever kind of file it came in (表格单元): rows by their number in the file, each cell a text or what is wrong
//! with it.
//!
//! What should not be here: file formats (`csv`, `xlsx`), and what a column means (`header`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Fault;

/// Rows one sheet may have; the largest published table has some six hundred.
pub const ROWS_MAX: usize = 10_000;
/// Columns that are looked at.
pub const COLUMNS_MAX: u32 = 64;

/// Characters of one cell; the longest published one, a condition with its limits, has a few hundred.
pub const CELL_CHARS_MAX: usize = 5_000;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Shared by the rows of a merged cell.
    Text(Arc<str>),
    /// A number of a workbook, as a person would write it: of a code, Excel has taken its outer zeros away.
    Number(Arc<str>),
    /// Something that cannot be taken for what was meant: a date Excel has made of a code, an error of a formula.
    Wrong(String),
}

impl Cell {
    /// The text of a cell; none where only blanks are.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Option<Self> {
        let text: String = text.into();
        let blank = text.chars().all(|c| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{FEFF}'));
        match text.chars().nth(CELL_CHARS_MAX) {
            _ if blank => None,
            None => Some(Self::Text(text.into())),
            Some(_) => Some(Self::Wrong(format!("has more than {CELL_CHARS_MAX} characters"))),
        }
    }

    /// What stands in it, in characters.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Wrong(_) => None,
        }
    }
}

/// One row: its cells by their column, from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// As the file's own programme numbers it, from 1; of a CSV the line.
    pub number: u64,
    pub cells: BTreeMap<u32, Cell>,
    /// Why the row cannot be read at all.
    pub broken: Option<String>,
}

/// One sheet of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The file's name, without its folders.
    pub file: String,
    /// None for a CSV, which has but one.
    pub name: Option<String>,
    /// Rows in which something stands.
    pub rows: Vec<Row>,
    /// Has more rows than are taken; the number of the first that was not.
    pub cut_at: Option<u64>,
}

impl Sheet {
    /// What is wrong with one of its cells, or with a row where there is no column.
    #[must_use]
    pub fn fault(&self, row: u64, column: Option<u32>, found: &str, problem: impl Into<String>) -> Fault {
        Fault {
            file: self.file.clone(),
            sheet: self.name.clone(),
            row: Some(row),
            column: column.map(letters),
            found: found.to_owned(),
            problem: problem.into(),
        }
    }
}

/// The letters of a column: A, Z, AA.
#[must_use]
pub fn letters(column: u32) -> String {
    let mut rest = column + 1;
    let mut letters = Vec::new();
    while rest > 0 {
        rest -= 1;
        // Always below 26.
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// Lines of a cell as one: nothing between Chinese words, a blank between others. What cannot be seen stays in it, so that it is found:
/// a standard is not mended in silence.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.split(['\r', '\n', '\t']).map(str::trim).filter(|part| !part.is_empty()) {
        let parts_words =
            line.chars().last().is_some_and(|c| c.is_ascii()) && part.starts_with(|c: char| c.is_ascii());
        if parts_words {
            line.push(' ');
        }
        line.push_str(part);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        for (column, is) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
        {
            assert_eq!(letters(column), is);
        }
    }

    #[test]
    fn lines_of_a_cell_become_one() {
        assert_eq!(one_line("缺失\n移位\r\n"), "缺失移位");
        assert_eq!(one_line(" cover\nmissing "), "cover missing");
        assert_eq!(Cell::text(" \u{3000}\n"), None);
    }
}
