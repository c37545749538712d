//! A workbook as sheets: cells as they stand, a formula by the value Excel has kept of it, a merged cell in each of its rows.
//!
//! What should be here: what may be read out of a file that somebody else has made, within bounds. A workbook is a zip, which
//! may unpack to anything: it is unpacked once to nowhere, and counted, before anybody reads it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, SheetType, Xlsx};

use super::Fault;
use super::grid::{COLUMNS_MAX, Cell, ROWS_MAX, Row, Sheet};

/// What a workbook may unpack to; the largest published table unpacks to three million bytes.
const UNPACKED_MAX: u64 = 64 << 20;
/// Files within a workbook.
const PARTS_MAX: usize = 1_000;
const SHEETS_MAX: usize = 32;
/// Merged cells of a sheet: every class and main class of as many rows as are taken. Each is looked for in all of them.
const MERGED_MAX: usize = 10_000;
/// The last number that a cell holds exactly.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads the bytes of one workbook. Sheets that cannot be read are faults of theirs.
pub fn read(file: &str, bytes: &[u8], faults: &mut Vec<Fault>) -> Result<Vec<Sheet>, String> {
    check_unpacked(bytes)?;
    // calamine counts with the addresses of cells as they stand, and panics over one that no sheet has (built so that it
    // does, see the workspace's profiles: a number that went round would name another row).
    let read = std::panic::AssertUnwindSafe(|| unpacked(file, bytes, faults));
    std::panic::catch_unwind(read).unwrap_or_else(|_| {
        Err("is not a workbook that can be read: a cell or merged cell has an address that no sheet has"
            .to_owned())
    })
}

fn unpacked(file: &str, bytes: &[u8], faults: &mut Vec<Fault>) -> Result<Vec<Sheet>, String> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes))
        .map_err(|error| format!("is not a workbook that can be read: {error}"))?;
    // Sheets that are a chart hold no cells.
    let tables = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<String> = tables.map(|sheet| sheet.name.clone()).collect();
    if names.len() > SHEETS_MAX {
        return Err(format!("has {} sheets; at most {SHEETS_MAX} are read", names.len()));
    }
    let mut sheets = Vec::new();
    for name in names {
        match sheet(file, &name, &mut book) {
            Ok(sheet) => sheets.push(sheet),
            Err(error) => faults.push(Fault {
                sheet: Some(name),
                ..Fault::of_file(file, format!("the sheet cannot be read: {error}"))
            }),
        }
    }
    Ok(sheets)
}

/// Unpacks every part to nowhere: what the zip says of their sizes may be a lie.
fn check_unpacked(bytes: &[u8]) -> Result<(), String> {
    let broken = |error: &dyn std::fmt::Display| format!("is not a workbook that can be read: {error}");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if zip.len() > PARTS_MAX {
        return Err(format!("has {} parts; a workbook of at most {PARTS_MAX} is read", zip.len()));
    }
    let mut left = UNPACKED_MAX;
    for index in 0..zip.len() {
        let part = zip.by_index(index).map_err(|error| broken(&error))?;
        let unpacked =
            std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|error| broken(&error))?;
        left = left
            .checked_sub(unpacked)
            .ok_or_else(|| format!("unpacks to more than {UNPACKED_MAX} bytes; nothing of it is read"))?;
    }
    Ok(())
}

fn sheet(file: &str, name: &str, book: &mut Xlsx<Cursor<&[u8]>>) -> Result<Sheet, String> {
    let mut sheet = Sheet { file: file.to_owned(), name: Some(name.to_owned()), ..Sheet::default() };
    let mut rows: BTreeMap<u32, BTreeMap<u32, Cell>> = BTreeMap::new();
    let unread = |error: calamine::XlsxError| error.to_string();
    let mut cells = book.worksheet_cells_reader(name).map_err(unread)?;
    while let Some(found) = cells.next_cell().map_err(unread)? {
        let (row, column) = found.get_position();
        let Some(cell) = cell(found.get_value()).filter(|_| column < COLUMNS_MAX) else { continue };
        if rows.len() == ROWS_MAX && !rows.contains_key(&row) {
            sheet.cut_at = Some(u64::from(row) + 1);
            break;
        }
        rows.entry(row).or_default().insert(column, cell);
    }
    drop(cells);
    let merged = book.merge_cells_by_sheet_name(name).map_err(unread)?;
    if merged.len() > MERGED_MAX {
        return Err(format!("has {} merged cells; at most {MERGED_MAX} are read", merged.len()));
    }
    for merged in merged {
        spread(&mut rows, merged.start, merged.end);
    }
    let row = |(row, cells)| Row { number: u64::from(row) + 1, cells, broken: None };
    sheet.rows = rows.into_iter().map(row).collect();
    Ok(sheet)
}

/// A merged cell stands in each of its rows, and in its first column alone: what a limit says is not the closing condition beside
/// it. Rows in which nothing else stands are none.
fn spread(rows: &mut BTreeMap<u32, BTreeMap<u32, Cell>>, start: (u32, u32), end: (u32, u32)) {
    let Some(cell) = rows.get(&start.0).and_then(|cells| cells.get(&start.1)).cloned() else { return };
    if start.0 >= end.0 {
        return;
    }
    for (_, cells) in rows.range_mut(start.0 + 1..=end.0) {
        cells.entry(start.1).or_insert_with(|| cell.clone());
    }
}

/// What stands in a cell; none where nothing does.
fn cell(value: &DataRef<'_>) -> Option<Cell> {
    match value {
        DataRef::Empty => None,
        DataRef::String(text) => Cell::text(text),
        DataRef::SharedString(text) => Cell::text(*text),
        DataRef::Int(number) => Some(Cell::Number(number.to_string().into())),
        DataRef::Float(number) => Some(Cell::Number(plain(*number).into())),
        DataRef::Bool(is) => Some(Cell::Text(if *is { "是" } else { "否" }.into())),
        DataRef::DateTime(date) if date.is_datetime() => {
            let (year, month, day, ..) = date.to_ymd_hms_milli();
            Some(dated(&format!("{year:04}-{month:02}-{day:02}")))
        }
        DataRef::DateTime(date) => Some(dated(&format!("{} days", date.as_f64()))),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Some(dated(text)),
        DataRef::Error(error) => Some(Cell::Wrong(format!("is the error {error} of a formula"))),
    }
}

fn dated(date: &str) -> Cell {
    Cell::Wrong(format!(
        "is a date or time ({date}), as Excel makes of 1-1 and the like; format the cell as text and type it again"
    ))
}

/// A number as a person would write it: a whole one without a point.
fn plain(number: f64) -> String {
    match number.fract() == 0.0 && number.abs() < WHOLE_MAX {
        true => format!("{number:.0}"),
        false => number.to_string(),
    }
}
