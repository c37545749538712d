//! Tables of classes, conditions and limits (小类与立案、处置、结案标准) as people keep them, in CSV and XLSX, made into codes of a policy.
//!
//! What should be here: from files to what they say and to every cell that is wrong, all of them at once. What should not: whether a
//! policy may follow the one in force (`adoption`), and how a command line says it (`cli`). Nothing of a class with a wrong cell is taken.

use std::path::Path;

use domain::policy::Policy;
use serde::Serialize;

mod classes;
mod duties;
mod csv;
mod grid;
mod header;
mod lay;
mod xlsx;

#[cfg(test)]
mod tests;

pub use grid::{COLUMNS_MAX, ROWS_MAX};
pub use lay::{Candidate, Laid};

use classes::Classes;
use duties::Duties;
use grid::Sheet;
use header::Header;

/// Bytes one file may have.
pub const FILE_BYTES_MAX: u64 = 16 << 20;
/// What an old workbook (.xls) begins with.
const OLD_EXCEL: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0];
/// What a zip, and so a workbook, begins with.
const ZIP: &[u8] = b"PK";

/// One thing that is wrong, as far as it is known where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    pub file: String,
    /// Of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// As Excel numbers it; of a CSV the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The letters of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What stands there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub found: String,
    /// What is wrong with it, and what was expected.
    pub problem: String,
}

impl Fault {
    /// Of a file as a whole.
    pub fn of_file(file: &str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self { file: file.to_owned(), sheet: None, row: None, column: None, found: String::new(), problem }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        self.sheet.as_ref().map_or(Ok(()), |sheet| write!(f, " sheet {sheet}"))?;
        match (&self.column, self.row) {
            (Some(column), Some(row)) => write!(f, " cell {column}{row}")?,
            (None, Some(row)) => write!(f, " row {row}")?,
            (_, None) => {}
        }
        if self.found.is_empty() {
            return write!(f, ": {}", self.problem);
        }
        write!(f, ": {:?}: {}", self.found, self.problem)
    }
}

/// What files say.
#[derive(Debug, Default)]
pub struct Tables {
    classes: Classes,
    duties: Duties,
    /// Every cell that is wrong, in the order of the files.
    pub faults: Vec<Fault>,
    /// What was passed over, for whoever wonders.
    pub passed_over: Vec<String>,
}

/// Reads tables for a policy, whose codes they may name.
#[derive(Debug)]
pub struct Reading<'a> {
    policy: &'a Policy,
    /// What 天 and 小时 count where nothing else is said.
    plain: domain::clock::Counts,
    tables: Tables,
}

impl<'a> Reading<'a> {
    #[must_use]
    pub fn new(policy: &'a Policy, plain: domain::clock::Counts) -> Self {
        Self { policy, plain, tables: Tables::default() }
    }

    /// Takes one file. What is wrong with it is a fault among the others.
    pub fn file(&mut self, path: &Path) {
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
        match std::fs::metadata(path).map(|meta| meta.len()) {
            Ok(bytes) if bytes > FILE_BYTES_MAX => {
                self.wrong(&name, format!("has {bytes} bytes; at most {FILE_BYTES_MAX} are read"));
            }
            Ok(_) => match std::fs::read(path) {
                Ok(bytes) => self.bytes(&name, &bytes),
                Err(error) => self.wrong(&name, format!("cannot be read: {error}")),
            },
            Err(error) => self.wrong(&name, format!("cannot be read: {error}")),
        }
    }

    /// Takes the bytes of one file.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) {
        if bytes.starts_with(OLD_EXCEL) {
            return self.wrong(name, "is a workbook of an old Excel (.xls); save it as .xlsx or CSV");
        }
        let sheets = match bytes.starts_with(ZIP) {
            true => xlsx::read(name, bytes, &mut self.tables.faults),
            false => csv::read(name, bytes).map(|sheet| vec![sheet]),
        };
        let sheets = match sheets {
            Ok(sheets) => sheets,
            Err(problem) => return self.wrong(name, problem),
        };
        let known = sheets.iter().filter(|sheet| self.sheet(sheet)).count();
        if known == 0 {
            let problem =
                format!("has no table that is known; expected a header with {}", header::expected());
            self.wrong(name, problem);
        }
    }

    /// Whether the sheet is a table of ours.
    fn sheet(&mut self, sheet: &Sheet) -> bool {
        let Some(header) = Header::find(sheet) else {
            if !sheet.rows.is_empty() {
                let name = sheet.name.as_deref().unwrap_or("-");
                self.tables.passed_over.push(format!("{} sheet {name}: no header of a table", sheet.file));
            }
            return false;
        };
        let tables = &mut self.tables;
        tables.passed_over.extend(header.unknown(sheet));
        if let Some(row) = sheet.cut_at {
            let problem = format!("a sheet has at most {ROWS_MAX} rows; nothing from here on was read");
            tables.faults.push(sheet.fault(row, None, "", problem));
        }
        let wrong = header.wrong(sheet);
        if !wrong.is_empty() {
            tables.faults.extend(wrong);
            return true;
        }
        match header.is_duties() {
            true => duties::read(sheet, &header, self.policy, tables),
            false => classes::read(sheet, &header, self.policy, self.plain, tables),
        }
        true
    }

    fn wrong(&mut self, file: &str, problem: impl Into<String>) {
        self.tables.faults.push(Fault::of_file(file, problem));
    }

    #[must_use]
    pub fn finish(self) -> Tables {
        self.tables
    }
}
