//! Which periods are held in memory; the store has the others. What should not be here: counting.

use super::{Measure, Period};
use crate::moment::Date;

/// Days kept per dimension: today and yesterday. Older days are read from the store.
const DAYS_KEPT: i64 = 2;
/// Days whose hours are kept for the city's curve: the last four same weekdays and tomorrow's first of them.
const HOURS_KEPT_DAYS: i64 = 29;
/// Months kept: a year and the month before it, so that year-on-year needs no store.
const MONTHS_KEPT: i32 = 13;

/// Whether a period is held in memory when `today` is the present day. Future periods are held: clocks differ.
pub(super) fn keeps(measure: Measure, period: Period, today: Date) -> bool {
    let age = |date: Date| today.days() - date.days();
    match period {
        Period::Now | Period::Ever => true,
        Period::Month(month) => {
            let (year, this_month, _) = today.parts();
            let months = |year: i32, month: i32| year * 12 + month;
            months(year, i32::from(this_month)) - months(month / 100, month % 100) < MONTHS_KEPT
        }
        Period::Day(date) => age(date) < DAYS_KEPT,
        // Only what the wall compares with the same weekday is worth the room.
        Period::Hour(date, _) if matches!(measure, Measure::Filed | Measure::Closed | Measure::At(_)) => {
            age(date) < HOURS_KEPT_DAYS
        }
        Period::Hour(date, _) => age(date) < DAYS_KEPT,
    }
}
