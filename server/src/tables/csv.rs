//! A CSV as a sheet: UTF-8 with or without its mark, or GB18030 as Excel saves it in a Chinese office.
//!
//! What should not be here: how records end and which encoding a file has (`import::records`, `encoding`).

use super::grid::{COLUMNS_MAX, Cell, ROWS_MAX, Row, Sheet};
use crate::import::records::Records;

/// Characters that part columns.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Lines that are looked at for the delimiter.
const SNIFFED: usize = 20;

/// Reads the bytes of one file, or says what is wrong with all of it.
pub fn read(file: &str, bytes: &[u8]) -> Result<Sheet, String> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err("is UTF-16; save it as UTF-8".to_owned());
    }
    let mut sheet = Sheet { file: file.to_owned(), ..Sheet::default() };
    let mut records = Records::new(bytes, delimiter(bytes));
    loop {
        let record = records.read().map_err(|error| error.to_string())?;
        let Some(record) = record else { return Ok(sheet) };
        let mut row = Row { number: record.line, ..Row::default() };
        match record.fields {
            Ok(fields) => {
                let cells = fields.into_iter().zip(0..COLUMNS_MAX);
                row.cells = cells.filter_map(|(text, column)| Some((column, Cell::text(text)?))).collect();
            }
            Err(broken) => row.broken = Some(broken.to_string()),
        }
        if row.cells.is_empty() && row.broken.is_none() {
            continue;
        }
        if sheet.rows.len() == ROWS_MAX {
            sheet.cut_at = Some(row.number);
            return Ok(sheet);
        }
        sheet.rows.push(row);
    }
}

/// The one that stands most often in the first lines, where titles stand and the header.
fn delimiter(bytes: &[u8]) -> u8 {
    let end = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .nth(SNIFFED)
        .map_or(bytes.len(), |(at, _)| at);
    let count = |delimiter: &u8| bytes[..end].iter().filter(|byte| *byte == delimiter).count();
    // The first of several that stand as often.
    let most = DELIMITERS.iter().rev().max_by_key(|delimiter| count(delimiter));
    most.copied().unwrap_or(b',')
}
