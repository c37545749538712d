//! Countdowns in the limit's own unit: a limit in working hours never shows wall-clock time.

use domain::clock::{Counts, Limit, LimitKind, Unit, WorkCalendar};
use domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, UtcMillis, UtcOffset};

use super::when::hour_minute;
use crate::words::{Language, say};

/// What stands on a clock: whole units first, then hours and minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countdown {
    pub late: bool,
    /// Whole working or urgent days, for limits in days.
    pub days: Option<i64>,
    /// `2:22`, hours and minutes.
    pub digits: String,
    /// The unit whose time this is.
    pub unit: LimitKind,
}

/// Time left until `due`, or passed since, counted as the limit counts. A clock without a limit (taken over from
/// another system) runs on.
pub fn countdown(
    due: UtcMillis,
    limit: Option<Limit>,
    now: UtcMillis,
    calendar: &WorkCalendar,
    offset: UtcOffset,
) -> Countdown {
    let unit = LimitKind::of(limit);
    let late = now >= due;
    let ms = if late {
        calendar.elapsed_ms(due, now, unit.counts, offset)
    } else {
        // The last minute is shown as 0:01, never as a zero that is not yet due.
        calendar.elapsed_ms(now, due, unit.counts, offset) + MINUTE_MS - 1
    };
    let day_ms = match (unit.unit, unit.counts) {
        (Unit::Minute | Unit::Hour, Counts::Through | Counts::Working) => None,
        (Unit::Day, Counts::Through) => Some(DAY_MS),
        (Unit::Day, Counts::Working) => Some(i64::from(calendar.work_day_minutes.max(1)) * MINUTE_MS),
    };
    let days = day_ms.map(|day_ms| ms / day_ms).filter(|days| *days > 0);
    let rest = day_ms.map_or(ms, |day_ms| ms % day_ms);
    Countdown { late, days, digits: hours_minutes(rest), unit }
}

/// A short clock in minutes and seconds that runs on, as for whistle responses: `27:54`, from an hour on `1:02:08`.
pub fn in_minutes(due: UtcMillis, now: UtcMillis) -> (bool, String) {
    let late = now >= due;
    let seconds =
        if late { now.since(due) / SECOND_MS } else { (due.since(now) + SECOND_MS - 1) / SECOND_MS };
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let digits = if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    };
    (late, digits)
}

/// Why a working-time clock stands still now: when the office opens again. None while it runs.
pub fn why_still(
    language: Language,
    unit: LimitKind,
    now: UtcMillis,
    calendar: &WorkCalendar,
    offset: UtcOffset,
) -> Option<String> {
    if unit.runs_on() || calendar.is_running(now, offset) {
        return None;
    }
    let resumes = calendar.resumes_at(now, offset)?;
    let days = resumes.local(offset).date.days() - now.local(offset).date.days();
    let time = hour_minute(resumes, offset);
    Some(match days {
        0 => say!(language, common.resumes_today, time = time),
        1 => say!(language, common.resumes_tomorrow, time = time),
        _ => {
            let date = super::when::short_date(language, resumes.local(offset).date);
            say!(language, common.resumes_on, date = date, time = time)
        }
    })
}

fn hours_minutes(ms: i64) -> String {
    format!("{}:{:02}", ms / HOUR_MS, ms / MINUTE_MS % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::moment::{Date, Local};

    const OFFSET: UtcOffset = UtcOffset(480);

    fn at(day: u8, hour: i64, minute: i64) -> UtcMillis {
        let date = Date::new(2021, 3, day).unwrap();
        Local { date, ms_of_day: hour * HOUR_MS + minute * MINUTE_MS }.utc(OFFSET)
    }

    fn left(due: UtcMillis, amount: u32, unit: LimitKind, now: UtcMillis) -> (bool, Option<i64>, String) {
        let shown = countdown(due, Some(Limit::new(amount, unit)), now, &WorkCalendar::default(), OFFSET);
        (shown.late, shown.days, shown.digits)
    }

    /// Wednesday 31 March 2021: due at 11:00, now 14:32. The noon break does not count.
    #[test]
    fn a_working_hour_clock_leaves_the_noon_break_out() {
        let late = left(at(31, 11, 0), 4, LimitKind::WORK_HOUR, at(31, 14, 32));
        assert_eq!(late, (true, None, "1:32".to_owned()));
        let urgent = left(at(31, 11, 0), 4, LimitKind::URGENT_HOUR, at(31, 14, 32));
        assert_eq!(urgent, (true, None, "3:32".to_owned()));
    }

    #[test]
    fn days_are_working_days_and_the_rest_is_hours() {
        let shown = left(at(31, 17, 0), 5, LimitKind::WORK_DAY, at(30, 16, 0));
        assert_eq!(shown, (false, Some(1), "1:00".to_owned()));
        let shown = left(at(31, 17, 0), 1, LimitKind::URGENT_DAY, at(30, 18, 0));
        assert_eq!(shown, (false, None, "23:00".to_owned()));
    }

    #[test]
    fn the_last_minute_is_not_zero_and_the_due_instant_is_late() {
        let due = at(31, 11, 0);
        assert_eq!(left(due, 1, LimitKind::URGENT_HOUR, due.plus(-1)), (false, None, "0:01".to_owned()));
        assert_eq!(left(due, 1, LimitKind::URGENT_HOUR, due), (true, None, "0:00".to_owned()));
    }

    #[test]
    fn whistle_clocks_count_seconds() {
        let due = at(31, 11, 0);
        assert_eq!(in_minutes(due, due.plus(-172_000)), (false, "2:52".to_owned()));
        assert_eq!(in_minutes(due, due.plus(128_400)), (true, "2:08".to_owned()));
        assert_eq!(in_minutes(due, due.plus(3_728_000)), (true, "1:02:08".to_owned()));
    }

    #[test]
    fn a_clock_that_stands_still_says_when_the_office_opens() {
        let calendar = WorkCalendar::default();
        let still = |now| why_still(Language::Zh, LimitKind::WORK_HOUR, now, &calendar, OFFSET);
        assert_eq!(still(at(31, 12, 30)).unwrap(), "停表，14:00 起算");
        assert_eq!(still(at(31, 18, 30)).unwrap(), "停表，明日 08:00 起算");
        assert_eq!(still(at(31, 9, 0)), None);
        assert_eq!(why_still(Language::En, LimitKind::URGENT_HOUR, at(31, 12, 30), &calendar, OFFSET), None);
    }

    #[test]
    fn half_of_four_working_hours_is_used_at_noon() {
        let limit = Some(Limit::new(4, LimitKind::WORK_HOUR));
        let due = at(31, 16, 0);
        let share = WorkCalendar::default().used_share(at(31, 10, 0), due, limit, at(31, 13, 0), OFFSET);
        assert!((share - 0.5).abs() < 1e-9);
    }
}
