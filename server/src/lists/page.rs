//! One page: what memory has and what the views have, joined in order.
//!
//! What should be here: the order, the cursor, the end of a page. What should not: waiting, who asks.

use std::ops::Range;
use std::sync::Arc;

use domain::case::Case;
use domain::code::{CaseId, WhistleId};
use domain::moment::UtcOffset;
use domain::scope::Scope;
use domain::whistle::Whistle;

use super::ListError;
use super::filter::{Asked, CaseSort, Cursor, Page, WhistleFilter, due};
use super::past::Ceiling;
use super::stand::Stand;
use crate::views::file::body;
use crate::views::scan::{BYTES_MAX, Budget, Found, Question, Scan};
use crate::views::sql;
use crate::views::{ViewsError, whistles as closed_whistles};

pub(super) fn cases(
    stand: &Stand,
    asked: &Asked<'_>,
    after: Option<&Cursor>,
    limit: usize,
    is_over: &dyn Fn() -> bool,
) -> Result<Page<Arc<Case>>, ListError> {
    match asked.filter.effective_sort() {
        CaseSort::Due => by_due(stand, asked, after, limit),
        CaseSort::Newest => newest(stand, asked, after, limit, is_over),
    }
}

/// Open cases by due time: memory has them all.
fn by_due(
    stand: &Stand,
    asked: &Asked<'_>,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Arc<Case>>, ListError> {
    let after = after.map(Cursor::due_and_id).transpose()?;
    let key = |case: &Case| (due(case), case.id.0);
    let beyond = |case: &Case| after.is_none_or(|after| key(case) > after);
    let mut found: Vec<&Arc<Case>> =
        stand.open.iter().filter(|case| beyond(case) && asked.admits(case)).collect();
    found.sort_unstable_by_key(|case| key(case));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|case| Cursor::due(due(case), case.id));
    Ok(Page { items: found.into_iter().cloned().collect(), next, searched_to: None })
}

fn newest(
    stand: &Stand,
    asked: &Asked<'_>,
    after: Option<&Cursor>,
    limit: usize,
    is_over: &dyn Fn() -> bool,
) -> Result<Page<Arc<Case>>, ListError> {
    let below = after.map(Cursor::id).transpose()?.unwrap_or(u64::MAX);
    let mut found = in_memory(stand, asked, below);
    found.sort_unstable_by_key(|case| std::cmp::Reverse(case.id));
    found.truncate(limit + 1);
    let mut found: Vec<Arc<Case>> = found.into_iter().cloned().collect();
    let mut searched = None;
    if asked.filter.reaches_closed() {
        // Where memory fills the page, runs below its end need no look.
        let above = found.get(limit).map_or(0, |case| case.id.0);
        let below = below.min(stand.ceiling.last_case.saturating_add(1));
        let closed = in_runs(stand, asked, above..below, limit + 1, is_over)?;
        found.extend(closed.cases.into_iter().map(Arc::new));
        found.sort_unstable_by_key(|case| std::cmp::Reverse(case.id));
        searched = closed.searched;
        if let Some(searched) = searched {
            found.retain(|case| case.id.0 >= searched.below);
        }
    }
    if found.len() > limit {
        found.truncate(limit);
        let next = found.last().map(|case| Cursor::newest(case.id));
        return Ok(Page { items: found, next, searched_to: None });
    }
    Ok(Page {
        items: found,
        next: searched.map(|searched| Cursor::newest(CaseId(searched.below))),
        searched_to: searched.map(|searched| searched.day),
    })
}

fn in_memory<'a>(stand: &'a Stand, asked: &Asked<'_>, below: u64) -> Vec<&'a Arc<Case>> {
    let mut found = Vec::new();
    if asked.filter.reaches_open() {
        found.extend(stand.open.iter().filter(|case| case.id.0 < below && asked.admits(case)));
    }
    if asked.filter.reaches_closed() {
        found.extend(stand.recent.iter().filter(|case| case.id.0 < below && asked.admits(case)));
    }
    found
}

fn in_runs(
    stand: &Stand,
    asked: &Asked<'_>,
    ids: Range<u64>,
    limit: usize,
    is_over: &dyn Fn() -> bool,
) -> Result<Found, ViewsError> {
    ask(stand, asked, is_over, |scan| scan.newest(&stand.runs, ids, limit)).map(Option::unwrap_or_default)
}

fn ask<T>(
    stand: &Stand,
    asked: &Asked<'_>,
    is_over: &dyn Fn() -> bool,
    ask: impl FnOnce(&mut Scan<'_>) -> Result<T, ViewsError>,
) -> Result<Option<T>, ViewsError> {
    let Some(pool) = &stand.pool else { return Ok(None) };
    let masked: Vec<u64> = stand.masked.iter().copied().collect();
    let question = Question {
        filter: asked.filter,
        scope: asked.scope,
        offset: asked.offset,
        masked: &masked,
        last_case: stand.ceiling.last_case,
    };
    pool.with(|conn| {
        let mut scan = Scan::new(conn, pool.path(), question, Budget { bytes_max: BYTES_MAX, is_over });
        let answer = ask(&mut scan)?;
        metrics::histogram!("gridhall_list_bytes").record(scan.cost.bytes as f64);
        Ok(Some(answer))
    })
}

pub(super) fn count(
    stand: &Stand,
    asked: &Asked<'_>,
    is_over: &dyn Fn() -> bool,
) -> Result<Option<u64>, ListError> {
    let in_memory = match asked.filter.effective_sort() {
        CaseSort::Due => stand.open.iter().filter(|case| asked.admits(case)).count(),
        CaseSort::Newest => in_memory(stand, asked, u64::MAX).len(),
    };
    if !asked.filter.reaches_closed() {
        return Ok(Some(in_memory as u64));
    }
    if !stand.whole {
        // What is not laid out yet cannot be counted.
        return Ok(None);
    }
    let closed = ask(stand, asked, is_over, |scan| scan.count(&stand.runs))?;
    Ok(closed.unwrap_or(Some(0)).map(|closed| closed + in_memory as u64))
}

pub(super) fn case(stand: &Stand, id: CaseId) -> Result<Option<Arc<Case>>, ListError> {
    if let Some(case) = stand.open.get(id).or_else(|| stand.recent.get(id)) {
        return Ok(Some(case.clone()));
    }
    let Some(pool) = stand.pool.as_ref().filter(|_| id.0 <= stand.ceiling.last_case) else { return Ok(None) };
    Ok(pool.with(|conn| body(conn, pool.path(), id))?.map(Arc::new))
}

pub(super) fn whistles(
    stand: &Stand,
    (filter, scope, offset): (&WhistleFilter, &Scope, UtcOffset),
    after: Option<&Cursor>,
    limit: usize,
    is_over: &dyn Fn() -> bool,
) -> Result<Page<Whistle>, ListError> {
    let below = after.map(Cursor::id).transpose()?.unwrap_or(u64::MAX);
    let in_memory = stand.whistles.values().chain(stand.recent.whistles.iter());
    let mut found: Vec<Whistle> = in_memory
        .filter(|whistle| whistle.id.0 < below && filter.admits(whistle, scope, offset))
        .map(|whistle| Whistle::clone(whistle))
        .collect();
    let mut searched = None;
    if let (Some(pool), true) = (&stand.pool, filter.open != Some(true)) {
        let asked = (filter, scope, offset);
        let below = below.min(stand.ceiling.last_whistle.saturating_add(1));
        let (closed, stopped) =
            pool.with(|conn| closed_whistles::newest((conn, pool.path()), asked, below, limit + 1, is_over))?;
        // What memory has may be laid down already, and memory has the word of it: in the past of one that was open still.
        let in_memory = stand.whistles.values().chain(stand.recent.whistles.iter());
        let known: std::collections::BTreeSet<WhistleId> = in_memory.map(|whistle| whistle.id).collect();
        found.extend(closed.into_iter().filter(|whistle| !known.contains(&whistle.id)));
        searched = stopped;
    }
    found.sort_unstable_by_key(|whistle| std::cmp::Reverse(whistle.id));
    found.retain(|whistle| searched.is_none_or(|below| whistle.id.0 >= below));
    if found.len() > limit {
        found.truncate(limit);
        searched = found.last().map(|whistle| whistle.id.0);
    }
    Ok(Page { items: found, next: searched.map(|below| Cursor::newest(CaseId(below))), searched_to: None })
}

pub(super) fn whistle(stand: &Stand, id: WhistleId) -> Result<Option<Whistle>, ListError> {
    let recent = stand.recent.whistles.iter().rev().find(|whistle| whistle.id == id);
    if let Some(whistle) = stand.whistles.get(&id).or(recent) {
        return Ok(Some(Whistle::clone(whistle)));
    }
    let Some(pool) = stand.pool.as_ref().filter(|_| id.0 <= stand.ceiling.last_whistle) else {
        return Ok(None);
    };
    Ok(pool.with(|conn| closed_whistles::one(conn, pool.path(), id))?)
}

/// The newest case of a number, whoever may see it.
pub(super) fn of_number(stand: &Stand, number: &str) -> Result<Option<CaseId>, ListError> {
    let in_memory = stand.open.iter().chain(stand.recent.iter());
    if let Some(case) = in_memory.filter(|case| case.number == number).max_by_key(|case| case.id) {
        return Ok(Some(case.id));
    }
    let Some(pool) = &stand.pool else { return Ok(None) };
    let found = pool.with(|conn| {
        let failed = |source| ViewsError::sql(pool.path(), "look up a number in", source);
        let mut statement = conn.prepare_cached(sql::CASE_OF_NUMBER).map_err(failed)?;
        let mut rows = statement.query([number]).map_err(failed)?;
        let row = rows.next().map_err(failed)?;
        row.map(|row| row.get::<_, i64>(0)).transpose().map_err(failed)
    })?;
    let known_by_then = |id: &CaseId| id.0 <= stand.ceiling.last_case && !stand.masked.contains(&id.0);
    let is_past = stand.ceiling != Ceiling::default();
    Ok(found.map(|id| CaseId(id as u64)).filter(|id| !is_past || known_by_then(id)))
}
