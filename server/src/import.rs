//! `gridhall import cases`: another system's table, row by row, into a store or a running server.
//!
//! What should be here: the order of work and the summary. What should not: file formats (`records`), meaning of
//! columns (`mapping`, `row`), how commands travel (`sink`). Every row is answered: taken, unchanged, or refused with
//! line, field and reason. A second run changes nothing.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use domain::command::Command;
use domain::policy::Policy;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub mod mapping;
pub mod records;
pub mod row;
mod remote;
mod sink;

#[cfg(test)]
mod tests;

use mapping::Mapping;
use records::{Broken, Records};
use row::{Row, Rows};
use sink::{Answered, Sink};

/// Rows sent at a time; a server takes at most 1,000 commands in one request.
const BATCH_ROWS: usize = 500;
/// Refusals listed one by one; further ones are only counted.
const LISTED_MAX: usize = 10_000;

/// Where the rows go.
pub enum Target<'a> {
    /// A store that no server has open.
    Store { dir: &'a Path, policy: &'a Policy },
    /// A running server, with a machine's token.
    Server { url: &'a str, token: &'a str },
}

/// Why an import cannot begin or go on. Rows sent before are answered for in no summary, but are safe to send again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("cannot read `{path}`")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("mapping `{name}`: {problem}")]
    Mapping { name: String, problem: String },
    #[error(
        "no shipped mapping fits the header of the file; write one (docs/howto/import-cases.md) and name it with --map"
    )]
    NoMapping,
    #[error("`{path}` line {line}: {problem}")]
    Header { path: PathBuf, line: u64, problem: String },
    #[error(transparent)]
    Store(#[from] crate::folder::StoreError),
    #[error("the codes of the table were refused: {0}")]
    Codes(String),
    #[error("server `{url}`: {problem}")]
    Server { url: String, problem: String },
}

/// One refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Line of the file on which the row begins.
    pub line: u64,
    /// The row's id in the other system, where it could be read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Column at fault; empty for the row as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Stable name of the problem.
    pub code: String,
    pub reason: String,
}

/// What became of the rows: `rows = taken + refused + unchanged`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub rows: u64,
    pub taken: u64,
    pub refused: u64,
    pub unchanged: u64,
    /// The refused rows, the first 10,000 of them.
    pub refusals: Vec<Refused>,
}

impl Summary {
    fn refuse(&mut self, refused: Refused) {
        self.refused += 1;
        if self.refusals.len() < LISTED_MAX {
            self.refusals.push(refused);
        }
    }

    /// For people: one line per refused row, then the counts.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        for refused in &self.refusals {
            let field = if refused.field.is_empty() { "-" } else { &refused.field };
            let id = if refused.id.is_empty() { "-" } else { &refused.id };
            text.push_str(&format!(
                "line {:>6}  {id:<12}  {field:<20}  {}: {}\n",
                refused.line, refused.code, refused.reason
            ));
        }
        let unlisted = self.refused - self.refusals.len() as u64;
        if unlisted > 0 {
            text.push_str(&format!("… and {unlisted} more refused rows\n"));
        }
        text.push_str(&format!(
            "rows {}  taken {}  refused {}  unchanged {}\n",
            self.rows, self.taken, self.refused, self.unchanged
        ));
        text
    }
}

/// Imports the cases of a CSV file. Without a mapping the shipped one whose columns the header has is taken.
pub fn cases(file: &Path, map: Option<&Path>, target: &Target<'_>) -> Result<Summary, ImportError> {
    let unread = |source| ImportError::Read { path: file.to_owned(), source };
    let input = BufReader::with_capacity(64 * 1024, File::open(file).map_err(unread)?);
    let mut records = Records::new(input, first_delimiter(map)?);
    let header = header(file, &mut records)?;
    let mapping = Mapping::choose(map, &header)?;
    records.set_delimiter(mapping.delimiter as u8);
    let missing = mapping.missing(&header);
    if !missing.is_empty() {
        let problem = format!("the header lacks {}; mapping {:?} needs them", list(&missing), mapping.name);
        return Err(ImportError::Header { path: file.to_owned(), line: 1, problem });
    }
    let mut sink = Sink::open(target)?;
    let mut run = Run {
        mapping: &mapping,
        rows: Rows::new(&mapping, &header, sink.namespace()),
        summary: Summary::default(),
    };
    let sent = run.all(&mut records, &mut sink).map_err(|error| match error {
        Stop::Read(source) => unread(source),
        Stop::Import(error) => error,
    });
    sink.close();
    sent.map(|()| run.summary)
}

/// A mapping may name another delimiter, which the header is already written with.
fn first_delimiter(map: Option<&Path>) -> Result<u8, ImportError> {
    match map {
        None => Ok(b','),
        Some(_) => Mapping::choose(map, &[]).map(|mapping| mapping.delimiter as u8),
    }
}

fn header(file: &Path, records: &mut Records<BufReader<File>>) -> Result<Vec<String>, ImportError> {
    let wrong = |problem: String| ImportError::Header { path: file.to_owned(), line: 1, problem };
    let first = records.read().map_err(|source| ImportError::Read { path: file.to_owned(), source })?;
    let Some(first) = first else { return Err(wrong("is empty; expected a header".to_owned())) };
    let mut header = match first.fields {
        Ok(fields) => fields,
        Err(Broken::Encoding { .. }) if first.utf16 => {
            return Err(wrong("the file is UTF-16; save it as UTF-8".to_owned()));
        }
        Err(broken) => return Err(wrong(broken.to_string())),
    };
    if first.utf16 {
        return Err(wrong("the file is UTF-16; save it as UTF-8".to_owned()));
    }
    header.iter_mut().for_each(|name| *name = name.trim().to_owned());
    let twice: Vec<String> = (1..header.len())
        .filter(|index| header[..*index].contains(&header[*index]))
        .map(|index| header[index].clone())
        .collect();
    if twice.is_empty() { Ok(header) } else { Err(wrong(format!("columns stand twice: {}", list(&twice)))) }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

enum Stop {
    Read(std::io::Error),
    Import(ImportError),
}

impl From<ImportError> for Stop {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

struct Run<'a> {
    mapping: &'a Mapping,
    rows: Rows<'a>,
    summary: Summary,
}

impl Run<'_> {
    fn all(&mut self, records: &mut Records<BufReader<File>>, sink: &mut Sink) -> Result<(), Stop> {
        let mut batch: Vec<(u64, Row)> = Vec::with_capacity(BATCH_ROWS);
        while let Some(record) = records.read().map_err(Stop::Read)? {
            self.summary.rows += 1;
            let line = record.line;
            let fields = match record.fields {
                Ok(fields) => fields,
                Err(broken) => {
                    let (code, reason) = (broken.code().to_owned(), broken.to_string());
                    let (id, field) = (String::new(), String::new());
                    self.summary.refuse(Refused { line, id, field, code, reason });
                    continue;
                }
            };
            match self.rows.read(&fields) {
                Ok(row) => batch.push((line, row)),
                Err(error) => {
                    let id = self.rows.id_of(&fields);
                    let (field, code) = (error.field, error.code.to_owned());
                    self.summary.refuse(Refused { line, id, field, code, reason: error.reason });
                }
            }
            if batch.len() == BATCH_ROWS {
                self.send(&mut batch, sink)?;
            }
        }
        Ok(self.send(&mut batch, sink)?)
    }

    /// Sends the codes the rows need, then the rows.
    fn send(&mut self, batch: &mut Vec<(u64, Row)>, sink: &mut Sink) -> Result<(), ImportError> {
        let entries = self.rows.take_entries();
        if !entries.is_empty() {
            let define = Command::DefineCatalogue { entries };
            let answers = sink.send(vec![(self.codes_key(&define), define)])?;
            if let Some(Answered::Refused { reason, .. }) = answers.into_iter().next() {
                return Err(ImportError::Codes(reason));
            }
        }
        let (lines, rows): (Vec<u64>, Vec<Row>) = batch.drain(..).unzip();
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let answers = sink.send(rows.into_iter().map(|row| (row.key, row.command)).collect())?;
        for ((line, id), answer) in lines.into_iter().zip(ids).zip(answers) {
            match answer {
                Answered::Taken => self.summary.taken += 1,
                Answered::Unchanged => self.summary.unchanged += 1,
                Answered::Refused { field, code, reason } => {
                    let field = self.column(&field);
                    self.summary.refuse(Refused { line, id, field, code, reason });
                }
            }
        }
        Ok(())
    }

    /// The same codes have the same key, so that a second run changes nothing.
    fn codes_key(&self, define: &Command) -> Uuid {
        let json = serde_json::to_vec(define).expect("commands have only text keys, which always make JSON");
        let mut name = format!("{}\ncatalogue\n", self.mapping.system).into_bytes();
        name.extend_from_slice(&Sha256::digest(&json));
        Uuid::new_v5(&self.rows.namespace, &name)
    }

    /// The file's column for a field of the command.
    fn column(&self, field: &str) -> String {
        let columns = &self.mapping.columns;
        let column = match field {
            "opened" => Some(&columns.opened),
            "closed" => columns.closed.as_ref(),
            "due" => columns.due.as_ref(),
            "class" => Some(&columns.class),
            "source" => columns.source.as_ref(),
            "place" => columns.lat.as_ref(),
            "area" => self.mapping.area.levels.last().map(|level| &level.column),
            "address" => columns.address.first(),
            "description" => columns.description.first(),
            "condition" => columns.condition.as_ref(),
            "reporter" => columns.reporter.as_ref(),
            "key" => Some(&columns.id),
            _ => None,
        };
        column.map_or_else(|| field.to_owned(), Clone::clone)
    }
}
