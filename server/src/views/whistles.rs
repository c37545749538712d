//! Closed whistle calls, newest first: few beside cases, so they are walked by number and judged by a line of facts.
//!
//! What should be here: from that line to a yes or no. What should not: open ones.

use domain::code::WhistleId;
use domain::moment::{UtcMillis, UtcOffset};
use domain::scope::Scope;
use domain::whistle::Whistle;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

use super::file::{ViewsError, unpack};
use super::run::joined;
use super::sql;
use crate::lists::WhistleFilter;

/// The line of facts of a call.
#[must_use]
pub fn facts(whistle: &Whistle) -> String {
    let path = joined(whistle.area_path.iter().map(domain::code::AreaCode::as_str));
    let called = joined(whistle.called.iter().map(|called| called.department.as_str()));
    format!("{}\n{}\n{path}\n{called}", whistle.call.level.key(), whistle.raised.0)
}

/// Whether a call may be one of those asked for, judged by its line.
fn admits(facts: &str, filter: &WhistleFilter, scope: &Scope, offset: UtcOffset) -> bool {
    let mut lines = facts.split('\n');
    let (level, raised) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let (path, called) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let raised = UtcMillis(raised.parse().unwrap_or(0)).local(offset).date;
    let lies_in = |wanted: &str| path.split('|').any(|area| area == wanted);
    let in_scope = match scope {
        Scope::All => true,
        Scope::Within { areas, departments } => {
            areas.iter().any(|area| lies_in(area.as_str()))
                || departments.iter().any(|own| called.split('|').any(|called| called == own.as_str()))
        }
    };
    in_scope
        && filter.level.is_none_or(|wanted| wanted.key() == level)
        && filter.area.as_ref().is_none_or(|area| lies_in(area.as_str()))
        && filter.raised.is_none_or(|days| (days.from..=days.to).contains(&raised))
}

/// Up to `limit` calls below a number that `wanted` lets through, and where the time was over first, the number above
/// which every call has been looked at.
pub fn newest(
    (conn, path): (&Connection, &Path),
    (filter, scope, offset): (&WhistleFilter, &Scope, UtcOffset),
    below: u64,
    limit: usize,
    is_over: &dyn Fn() -> bool,
) -> Result<(Vec<Whistle>, Option<u64>), ViewsError> {
    let failed = |source| ViewsError::sql(path, "list the whistle calls of", source);
    let mut statement = conn.prepare_cached(sql::WHISTLES_BEFORE).map_err(failed)?;
    let mut rows = statement.query([i64::try_from(below).unwrap_or(i64::MAX)]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let id: i64 = row.get(0).map_err(failed)?;
        if found.len() >= limit {
            break;
        }
        let facts = row.get_ref(1).map_err(failed)?.as_str().unwrap_or_default();
        if admits(facts, filter, scope, offset) {
            let body = row.get_ref(2).map_err(failed)?.as_blob().unwrap_or_default();
            found.push(unpack(path, format_args!("whistle call {id}"), body)?);
        }
        if is_over() {
            return Ok((found, Some(id as u64)));
        }
    }
    Ok((found, None))
}

/// One closed call.
pub fn one(conn: &Connection, path: &Path, id: WhistleId) -> Result<Option<Whistle>, ViewsError> {
    let failed = |source| ViewsError::sql(path, "read a whistle call of", source);
    let mut statement = conn.prepare_cached(sql::WHISTLE_BODY).map_err(failed)?;
    let body: Option<Vec<u8>> =
        statement.query_row([id.0 as i64], |row| row.get(0)).optional().map_err(failed)?;
    body.map(|body| unpack(path, format_args!("whistle call {id}"), &body)).transpose()
}
