//! The limit of the log on this machine: the rows it wrote, inserted by SQLite alone into the same tables in the same
//! groups, each group synced.
//!
//! What should be here: reading the rows back, inserting them, time. What should not: anything of the product but its
//! file; a table is known by the column that places its rows in the order of events.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

/// Columns that hold the number of a row's (first) event.
const PLACES: [&str; 3] = ["seq", "first_seq", "first"];
/// Events that are inserted at most; their rows are held in memory.
const EVENTS_MAX: u64 = 150_000;
/// Pages of the write-ahead log after which it is folded in, as in the store: 64 MiB.
const WAL_PAGES: u32 = 16_384;

/// A table of the log with its rows in order.
struct Table {
    insert: String,
    rows: Vec<(u64, Vec<Value>)>,
    /// The first row that is not inserted yet.
    next: usize,
}

/// Events a second. `groups`: how many events each commit held, from the first event on.
pub fn events_per_second(file: &Path, folder: &Path, groups: &[u64]) -> anyhow::Result<f64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let log = Connection::open_with_flags(file, flags).context("cannot open the measured log")?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let raw = Connection::open(folder.join("raw.db")).context("cannot make a bare database")?;
    let pages: u32 = log.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    raw.execute_batch(&format!(
        "PRAGMA page_size = {pages}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA wal_autocheckpoint = {WAL_PAGES}; PRAGMA cache_size = -65536;"
    ))?;
    let mut tables = tables(&log, &raw)?;
    ensure!(tables.len() >= 2, "the log has {} tables of events and commands", tables.len());
    let began = Instant::now();
    let mut last = 0;
    for group in groups {
        if last + group > EVENTS_MAX {
            break;
        }
        last += group;
        raw.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for table in &mut tables {
            table.insert_up_to(&raw, last)?;
        }
        raw.prepare_cached("COMMIT")?.execute([])?;
    }
    ensure!(last > 0, "the first group already holds more than {EVENTS_MAX} events");
    Ok(last as f64 / began.elapsed().as_secs_f64())
}

/// The log's tables, made anew in `raw` with their indexes, and their rows.
fn tables(log: &Connection, raw: &Connection) -> anyhow::Result<Vec<Table>> {
    let mut tables = Vec::new();
    let mut found = log.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    for name in found.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        let statement = log.prepare(&format!("SELECT * FROM {name} LIMIT 0"))?;
        let columns: Vec<&str> = statement.column_names().collect();
        let Some(place) = PLACES.into_iter().find(|place| columns.contains(place)) else { continue };
        let marks = vec!["?"; columns.len()].join(",");
        let made = "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL ORDER BY type DESC";
        for sql in log.prepare(made)?.query_map([&name], |row| row.get::<_, String>(0))? {
            raw.execute_batch(&sql?).with_context(|| format!("cannot make the table {name}"))?;
        }
        let rows = rows(log, &name, place, columns.len())?;
        tables.push(Table { insert: format!("INSERT INTO {name} VALUES({marks})"), rows, next: 0 });
    }
    Ok(tables)
}

fn rows(log: &Connection, name: &str, place: &str, columns: usize) -> anyhow::Result<Vec<(u64, Vec<Value>)>> {
    let sql = format!("SELECT {place}, * FROM {name} WHERE {place} <= {EVENTS_MAX} ORDER BY {place}");
    let mut statement = log.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let values: rusqlite::Result<Vec<Value>> = (1..=columns).map(|at| row.get(at)).collect();
        Ok((u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0), values?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Table {
    fn insert_up_to(&mut self, raw: &Connection, last: u64) -> anyhow::Result<()> {
        let mut insert = raw.prepare_cached(&self.insert)?;
        while let Some((_, values)) = self.rows.get(self.next).filter(|(place, _)| *place <= last) {
            insert.execute(rusqlite::params_from_iter(values))?;
            self.next += 1;
        }
        Ok(())
    }
}
