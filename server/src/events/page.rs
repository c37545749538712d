//! Pages of the event log, each event with its case as it stands now: for those who read on from somewhere.
//!
//! The log answers alone. Which area an event is in stands in its row; the cases are made of their own events, each once
//! a page. A page looks at so many events and takes so long at most, whatever is asked.

use std::collections::HashMap;
use std::time::Duration;

use domain::case::Case;
use domain::code::{AreaCode, CaseId};
use domain::event::Recorded;

use super::{ROWS_MAX, Reader, replay};
use crate::clock::{self, Instant};
use crate::folder::StoreError;
use crate::log::{EventRow, READ_ROWS_MAX, Read, Subject};

/// Events looked at for one page: in a city's log those of one community may be far apart.
const LOOKED_AT_MAX: usize = 20_000;
/// Rows of one read.
const ROWS: usize = 1_000;
/// How long one page is made. What is there by then is given, with the place to go on from.
const PAGE_TIME: Duration = Duration::from_millis(250);
/// The same for all screens together that come back after a while away.
const CATCH_UP_TIME: Duration = Duration::from_secs(5);

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
    /// Each with its case as it stands now (not as it stood then: its `version` may be later than the event).
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
        self.with(|log| {
            let head = log.head()?.seq.min(self.last());
            let mut page = Page::new(self, log, filter, (limit, PAGE_TIME));
            let seen = match filter.case {
                Some(case) => page.of_case(case, after, head)?,
                None => page.of_all(after, head)?,
            };
            Ok(EventPage { items: page.items, next: (seen < head).then_some(seen), head })
        })
    }

    /// Up to `limit` events after `seq`, each with its case as it stands now. Fewer where making them takes long.
    pub fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(Recorded, Option<Case>)>, StoreError> {
        let limit = limit.clamp(1, ROWS_MAX * 10);
        let filter = EventFilter::default();
        self.with(|log| {
            let head = log.head()?.seq.min(self.last());
            let mut page = Page::new(self, log, &filter, (limit, CATCH_UP_TIME));
            page.of_all(seq, head)?;
            Ok(page.items)
        })
    }
}

/// A page on its way.
struct Page<'a> {
    reader: &'a Reader,
    log: &'a dyn Read,
    /// As it stands in rows: `|code|`.
    area: Option<String>,
    limit: usize,
    began: Instant,
    patience: Duration,
    /// Each case once.
    cases: HashMap<u64, Option<Case>>,
    items: Vec<(Recorded, Option<Case>)>,
}

impl<'a> Page<'a> {
    fn new(
        reader: &'a Reader,
        log: &'a dyn Read,
        filter: &EventFilter,
        (limit, patience): (usize, Duration),
    ) -> Self {
        Self {
            reader,
            log,
            area: filter.area.as_ref().map(|area| format!("|{area}|")),
            limit,
            began: clock::instant(),
            patience,
            cases: HashMap::new(),
            items: Vec::new(),
        }
    }

    /// Looks at every event after `after`; gives the last one looked at.
    fn of_all(&mut self, after: u64, head: u64) -> Result<u64, StoreError> {
        let (mut seen, mut looked) = (after, 0);
        while seen < head {
            let rows = self.log.read(seen, ROWS.min(head.saturating_sub(seen) as usize))?;
            if rows.is_empty() {
                return Ok(head);
            }
            for row in &rows {
                row.follows(seen)?;
                self.look_at(row)?;
                (seen, looked) = (row.seq, looked + 1);
                let is_over = looked == LOOKED_AT_MAX || self.began.elapsed() >= self.patience;
                if self.items.len() == self.limit || is_over {
                    return Ok(seen);
                }
            }
        }
        Ok(head.max(after))
    }

    /// Looks at the events of one case; gives the last event of the log up to which there is no more of it.
    fn of_case(&mut self, id: CaseId, after: u64, head: u64) -> Result<u64, StoreError> {
        let rows = replay::rows_of(self.log, Subject::Case(id.0), head)?;
        for row in rows.iter().filter(|row| row.seq > after) {
            self.look_at(row)?;
            if self.items.len() == self.limit {
                return Ok(row.seq);
            }
        }
        Ok(head.max(after))
    }

    /// Takes an event in where it is one of those asked for.
    fn look_at(&mut self, row: &EventRow) -> Result<(), StoreError> {
        let lies_there = |areas: &str| self.area.as_ref().is_none_or(|area| areas.contains(area.as_str()));
        let known = row.line.as_ref().map(|line| lies_there(&line.areas));
        if known == Some(false) || (self.area.is_some() && row.case.is_none()) {
            return Ok(());
        }
        let bodies: &dyn Read = self.log;
        let recorded = replay::recorded(row, self.reader.path(), &bodies)?;
        let case = row.case.map(|case| self.case_now(case)).transpose()?.flatten();
        // Rows of the first format do not say where their case lies.
        let lies_there = |case: &Case| {
            let area = self.area.as_ref().map(|area| area.trim_matches('|'));
            area.is_none_or(|area| case.area_path.iter().any(|code| code.as_str() == area))
        };
        if known.is_some() || self.area.is_none() || case.as_ref().is_some_and(lies_there) {
            self.items.push((recorded, case));
        }
        Ok(())
    }

    fn case_now(&mut self, id: u64) -> Result<Option<Case>, StoreError> {
        if let Some(known) = self.cases.get(&id) {
            return Ok(known.clone());
        }
        let (all, offset) = ((Subject::Case(id), self.reader.last()), self.reader.offset());
        let case = replay::alone(self.log, self.reader.path(), all, offset)?.case().cloned();
        self.cases.insert(id, case.clone());
        Ok(case)
    }
}

const _: () = assert!(ROWS <= READ_ROWS_MAX, "a read gives what is asked for, where there is room");
