//! What a stretch of the log holds, looked through without its bodies: for whoever wants to know before reading it.

use rusqlite::Connection;

use super::SqliteReader;
use super::rows::{int, natural};
use crate::log::LogError;

/// Events looked through in one read: no read of the log may outlive a second, however long the stretch is.
const BITE: u64 = 100_000;

/// What a stretch holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Within {
    /// How many events there are; fewer than the stretch has numbers where some are missing.
    pub events: u64,
    /// Number and time (milliseconds UTC) of those with the name asked for.
    pub named: Vec<(u64, i64)>,
}

impl SqliteReader {
    /// Looks through the events after `after` up to `upto`. In bites, each a read of its own.
    pub fn within(&self, name: &str, after: u64, upto: u64) -> Result<Within, LogError> {
        let mut within = Within::default();
        let mut from = after;
        while from < upto {
            let to = upto.min(from + BITE);
            // One walk: most of what it takes is to come by the rows at all.
            let bite = |conn: &Connection| -> rusqlite::Result<(u64, Vec<(u64, i64)>)> {
                let sql = "SELECT count(*), json_group_array(json_array(seq, at)) FILTER (WHERE name = ?3) \
                     FROM events WHERE seq > ?1 AND seq <= ?2";
                let mut looking = conn.prepare_cached(sql)?;
                let (events, named): (i64, String) = looking
                    .query_row(rusqlite::params![int(from), int(to), name], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?;
                let named = serde_json::from_str(&named).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into())
                })?;
                Ok((natural(events), named))
            };
            let (events, mut named) =
                bite(&self.db.conn).map_err(self.db.failed("look through a stretch of"))?;
            within.events += events;
            within.named.append(&mut named);
            from = to;
        }
        Ok(within)
    }
}
