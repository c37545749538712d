//! Working time (工作时间): which minutes count for limits in working hours and days.
//!
//! Hours and holidays are local policy; the defaults and their source are in `policy`. Rules: `reference/domain.md` §2.5.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::limit::{Counts, Limit, LimitKind, Unit};
use crate::moment::{DAY_MS, Date, HOUR_MS, Local, MINUTE_MS, SECOND_MS, UtcMillis, UtcOffset};
pub use exceptions::ExceptionError;

mod exceptions;

/// A span of the day in minutes after midnight, `from < to <= 1440`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub from: u16,
    pub to: u16,
}

/// What an exceptional date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A holiday, whatever the weekday.
    Off,
    /// A make-up working day (调休), whatever the weekday.
    Work,
}

/// When the office works. Seasons and half days come with a later change of policy; the shape is a list of spans. A policy has one
/// calendar: what runs on through nights and holidays says so in its limit (`clock::limit::Counts`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WorkCalendar {
    /// Working spans of a working day, in order and without overlap.
    pub spans: Vec<Span>,
    /// Working weekdays, 0 = Monday … 6 = Sunday.
    pub weekdays: Vec<u8>,
    /// One 工作日 in minutes of working time.
    pub work_day_minutes: u16,
    /// Holidays and make-up days. A date that is written twice is refused.
    #[serde(default, deserialize_with = "exceptions::read")]
    pub exceptions: BTreeMap<Date, DayKind>,
    /// The last day whose kind is known (已知至). Where it is not stated it follows from the exceptions
    /// ([`WorkCalendar::reach`]). A due time in working time beyond it is provisional (暂定).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaches_to: Option<Date>,
}

impl Default for WorkCalendar {
    fn default() -> Self {
        Self {
            spans: vec![Span { from: 8 * 60, to: 12 * 60 }, Span { from: 14 * 60, to: 18 * 60 }],
            weekdays: vec![0, 1, 2, 3, 4],
            work_day_minutes: 480,
            exceptions: BTreeMap::new(),
            reaches_to: None,
        }
    }
}

/// Longest search for working time: a calendar without any would otherwise never end.
const SEARCH_DAYS_MAX: i64 = 4_000;

/// Once the State Council's paper for a year is in, that year is known up to this day, month and day: what lies behind it
/// belongs to the New Year holiday, which the next year's paper arranges. The earliest day such a paper has moved is
/// 29 December (2007 and 2018).
const PAPER_REACHES_TO: (u8, u8) = (12, 28);

/// Years behind the current one that a calendar may be known for. A paper of the State Council arranges the next year at the
/// latest; two more are for a hall whose clock is behind and for days that a law has fixed. What reaches further is a slip.
pub const REACH_YEARS_MAX: i32 = 3;

/// The last day that anybody can know the kind of, asked on a day.
#[must_use]
pub fn furthest_reach(today: Date) -> Date {
    Date::new(today.parts().0.saturating_add(REACH_YEARS_MAX), 12, 31).unwrap_or(today)
}

impl WorkCalendar {
    /// Says what is wrong with the calendar, if anything.
    pub fn check(&self) -> Result<(), String> {
        let mut end = 0;
        for span in &self.spans {
            let wrong = |what: &str| Err(format!("spans: {}–{} {what}", span.from, span.to));
            if span.to > 1_440 {
                return wrong("leaves the day; minutes count from midnight, 1,440 is the next");
            }
            if span.to <= span.from {
                return wrong("is empty, or runs past midnight; a span ends on the day it begins");
            }
            if span.from < end {
                return wrong("overlaps the one before, or stands before it");
            }
            end = span.to;
        }
        if self.spans.is_empty() || self.weekdays.is_empty() || self.work_day_minutes == 0 {
            return Err("spans, weekdays and work_day_minutes must not be empty".to_owned());
        }
        if let Some(day) = self.weekdays.iter().find(|day| **day > 6) {
            return Err(format!("weekdays: {day} is not 0 (Monday) to 6 (Sunday)"));
        }
        let impossible = |day: &Date| !day.midnight(UtcOffset(0)).is_possible();
        if let Some(day) = self.exceptions.keys().find(|day| impossible(day)) {
            return Err(format!("exceptions: {day} is not within 1970 to 2199"));
        }
        if let Some(day) = self.reaches_to.filter(impossible) {
            return Err(format!("reaches_to: {day} is not within 1970 to 2199"));
        }
        match (self.reaches_to, self.exceptions.last_key_value()) {
            (Some(reach), Some((last, _))) if reach < *last => {
                Err(format!("reaches_to: {reach} lies before {last}, which the exceptions know"))
            }
            _ => Ok(()),
        }
    }

    /// The last day whose kind is known: the one stated, else 28 December of the last exception's year (the paper for
    /// that year is in), or the last exception if it lies behind that. None for a calendar that has neither: it is of
    /// weekdays alone and nothing in it is expected to move.
    #[must_use]
    pub fn reach(&self) -> Option<Date> {
        let of_papers = || {
            let (last, _) = self.exceptions.last_key_value()?;
            let (month, day) = PAPER_REACHES_TO;
            Date::new(last.parts().0, month, day).map(|reach| reach.max(*last))
        };
        self.reaches_to.or_else(of_papers)
    }

    /// Whether a due time may still move: the limit counts working time, and days on its way are not known yet.
    #[must_use]
    pub fn is_provisional(&self, due: UtcMillis, limit: Limit, offset: UtcOffset) -> bool {
        !limit.counts.runs_on() && self.reach().is_some_and(|reach| due.local(offset).date > reach)
    }

    #[must_use]
    pub fn is_work_day(&self, date: Date) -> bool {
        match self.exceptions.get(&date) {
            Some(DayKind::Off) => false,
            Some(DayKind::Work) => true,
            None => self.weekdays.contains(&date.weekday()),
        }
    }

    /// Whether working time is running at `at`.
    #[must_use]
    pub fn is_running(&self, at: UtcMillis, offset: UtcOffset) -> bool {
        let local = at.local(offset);
        self.is_work_day(local.date) && self.spans.iter().any(|span| span_ms(span).contains(&local.ms_of_day))
    }

    /// The next instant at or after `at` when working time runs, if the calendar has any.
    #[must_use]
    pub fn resumes_at(&self, at: UtcMillis, offset: UtcOffset) -> Option<UtcMillis> {
        let local = at.local(offset);
        self.spans_from(local.date).find_map(|(date, span)| {
            let range = span_ms(span);
            if date == local.date && local.ms_of_day >= range.end {
                return None;
            }
            let ms_of_day = if date == local.date { range.start.max(local.ms_of_day) } else { range.start };
            Some(Local { date, ms_of_day }.utc(offset))
        })
    }

    /// The instant when `limit` has run out, started at `start`; none when it cannot be told: the calendar has no
    /// working time, the limit reaches further than anybody searches, or the instant lies beyond the year 2199.
    #[must_use]
    pub fn due(&self, start: UtcMillis, limit: Limit, offset: UtcOffset) -> Option<UtcMillis> {
        self.after(start, self.whole_ms(limit), limit.counts, offset)
    }

    /// A limit as time that counts, in milliseconds.
    #[must_use]
    pub fn whole_ms(&self, limit: Limit) -> i64 {
        let unit_ms = match (limit.unit, limit.counts) {
            (Unit::Minute, Counts::Through | Counts::Working) => MINUTE_MS,
            (Unit::Hour, Counts::Through | Counts::Working) => HOUR_MS,
            (Unit::Day, Counts::Through) => DAY_MS,
            (Unit::Day, Counts::Working) => i64::from(self.work_day_minutes) * MINUTE_MS,
        };
        i64::from(limit.amount).saturating_mul(unit_ms)
    }

    /// The instant when so much time that counts has passed since `start`; none as for [`WorkCalendar::due`].
    #[must_use]
    pub fn after(&self, start: UtcMillis, ms: i64, counts: Counts, offset: UtcOffset) -> Option<UtcMillis> {
        let due = match counts {
            Counts::Through => Some(start.plus(ms)),
            Counts::Working => self.add_working(start, ms, offset),
        };
        due.filter(|due| due.is_possible())
    }

    /// Where a clock would have begun that ran through: its start, or later by what it stood still for (挂账). `whole` is its limit
    /// with its extensions; none where only a due time is known. To the second.
    #[must_use]
    pub fn counted_from(
        &self,
        started: UtcMillis,
        due: UtcMillis,
        whole: Option<Limit>,
        offset: UtcOffset,
    ) -> UtcMillis {
        let Some(limit) = whole else { return started };
        let whole = self.whole_ms(limit);
        let counts_whole = |from| self.elapsed_ms(from, due, limit.counts, offset) >= whole;
        if self.elapsed_ms(started, due, limit.counts, offset) <= whole {
            return started;
        }
        let (mut from, mut behind) = (started, due);
        while behind.since(from) > SECOND_MS {
            let middle = from.plus(behind.since(from) / 2);
            if counts_whole(middle) {
                from = middle;
            } else {
                behind = middle;
            }
        }
        from
    }

    /// How much of a limit is used, 0 to 1, counted as it counts and without what it stood still for (已用占比).
    #[must_use]
    pub fn used_share(
        &self,
        started: UtcMillis,
        due: UtcMillis,
        whole: Option<Limit>,
        now: UtcMillis,
        offset: UtcOffset,
    ) -> f64 {
        let counts = LimitKind::of(whole).counts;
        let from = self.counted_from(started, due, whole, offset);
        let all = self.elapsed_ms(from, due, counts, offset);
        let used = self.elapsed_ms(from, now.min(due), counts, offset);
        if all <= 0 { 1.0 } else { (used as f64 / all as f64).clamp(0.0, 1.0) }
    }

    /// Time that counts between two instants, in milliseconds; negative when `to` is before `from`.
    #[must_use]
    pub fn elapsed_ms(&self, from: UtcMillis, to: UtcMillis, counts: Counts, offset: UtcOffset) -> i64 {
        if to < from {
            return -self.elapsed_ms(to, from, counts, offset);
        }
        if counts.runs_on() {
            return to.since(from);
        }
        let (first, last) = (from.local(offset), to.local(offset));
        let mut total = 0;
        for (date, span) in self.spans_from(first.date) {
            if date > last.date {
                break;
            }
            let range = span_ms(span);
            let start = if date == first.date { range.start.max(first.ms_of_day) } else { range.start };
            let end = if date == last.date { range.end.min(last.ms_of_day) } else { range.end };
            total += (end - start).max(0);
        }
        total
    }

    fn add_working(&self, start: UtcMillis, mut left_ms: i64, offset: UtcOffset) -> Option<UtcMillis> {
        let local = start.local(offset);
        for (date, span) in self.spans_from(local.date) {
            let range = span_ms(span);
            let from = if date == local.date { range.start.max(local.ms_of_day) } else { range.start };
            let available = (range.end - from).max(0);
            if available >= left_ms {
                return Some(Local { date, ms_of_day: from + left_ms }.utc(offset));
            }
            left_ms -= available;
        }
        None
    }

    /// Working spans in order, from the start of `date`.
    fn spans_from(&self, date: Date) -> impl Iterator<Item = (Date, &Span)> {
        (0..SEARCH_DAYS_MAX)
            .map(move |ahead| date.plus_days(ahead))
            .filter(|day| self.is_work_day(*day))
            .flat_map(|day| self.spans.iter().map(move |span| (day, span)))
    }
}

fn span_ms(span: &Span) -> std::ops::Range<i64> {
    i64::from(span.from) * MINUTE_MS..i64::from(span.to) * MINUTE_MS
}

#[cfg(test)]
mod tests;
