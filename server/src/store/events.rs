//! Pages of the event log, for those who read it on from somewhere.

use domain::case::Case;
use domain::code::{AreaCode, CaseId};
use domain::event::Recorded;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::reader::{ROWS_MAX, head_in};
use super::{Reader, StoreError, int};

/// Events looked at for one page: in a city's log those of one community may be far apart.
const LOOKED_AT_MAX: u64 = 20_000;

/// Which events. Both conditions hold when both are given.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    pub case: Option<CaseId>,
    /// About cases in the area or one below it.
    pub area: Option<AreaCode>,
}

/// A stretch of the log.
#[derive(Debug)]
pub struct EventPage {
    /// Each with its case as it stands now.
    pub items: Vec<(Recorded, Option<Case>)>,
    /// Go on after this event; none at the end of the log. A page may be empty and still have a next one.
    pub next: Option<u64>,
    /// Last event of the log.
    pub head: u64,
}

impl Reader {
    /// Events after `after`, in order.
    pub fn events_page(
        &self,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX);
        self.with(|conn| {
            let head = head_in(conn, self.path())?;
            let sparse = filter.area.is_some() && filter.case.is_none();
            let end = if sparse { after.saturating_add(LOOKED_AT_MAX).min(head) } else { head };
            let mut clauses = "seq > ? AND seq <= ?".to_owned();
            let mut values = vec![Value::Integer(int(after)), Value::Integer(int(end))];
            if let Some(case) = filter.case {
                clauses.push_str(" AND case_id = ?");
                values.push(Value::Integer(int(case.0)));
            }
            if let Some(area) = &filter.area {
                let within =
                    " AND EXISTS(SELECT 1 FROM case_areas a WHERE a.area = ? AND a.case_id = events.case_id)";
                clauses.push_str(within);
                values.push(Value::Text(area.to_string()));
            }
            values.push(Value::Integer(int(limit as u64)));
            let which = format!("{clauses} ORDER BY seq LIMIT ?");
            let mut items = Vec::new();
            for recorded in self.events_in(conn, &which, params_from_iter(values))? {
                let case = recorded.event.case().map(|id| self.case_in(conn, id)).transpose()?.flatten();
                items.push((recorded, case));
            }
            let full = items.len() == limit;
            let seen = items.last().filter(|_| full).map_or(end, |(recorded, _)| recorded.seq);
            Ok(EventPage { items, next: (seen < head).then_some(seen), head })
        })
    }
}
