//! The day as a strip under the countdown: office hours plain, breaks hatched, used time filled, time left outlined.
//! Whoever adds up the blocks gets the countdown. Pure geometry; drawn by `due`.

use domain::answer::PolicyFigures;
use domain::clock::{LimitKind, WorkCalendar};
use domain::moment::{Date, HOUR_MS, Local, MINUTE_MS, UtcMillis, UtcOffset};

/// Days drawn at most; of a longer limit the last ones.
const DAYS_MAX: usize = 6;

/// A stretch of time.
pub type Stretch = (UtcMillis, UtcMillis);

/// The strip's axis: stretches side by side, nights between them left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    pub pieces: Vec<Stretch>,
    /// When the clock runs within the pieces.
    pub open: Vec<Stretch>,
    pub used: Vec<Stretch>,
    pub left: Vec<Stretch>,
    pub late: Vec<Stretch>,
    /// When the lamp turns to 临期.
    pub soon: Option<UtcMillis>,
    /// The beginning of the limit lies before the axis.
    pub cut: bool,
}

impl Strip {
    pub fn of(
        started: UtcMillis,
        due: UtcMillis,
        unit: LimitKind,
        now: UtcMillis,
        policy: &PolicyFigures,
    ) -> Self {
        let end = due.max(now);
        let (pieces, open, cut) = match unit.runs_on() {
            true => continuous(started, end),
            false => office(started, end, &policy.calendar, policy.utc_offset_minutes),
        };
        let within = |from: UtcMillis, to: UtcMillis| -> Vec<Stretch> {
            let cut = open.iter().map(|(start, stop)| ((*start).max(from), (*stop).min(to)));
            cut.filter(|(start, stop)| start < stop).collect()
        };
        let used = within(started, now.min(due));
        let left = within(now.max(started), due);
        let late = within(due, now);
        let soon = if cut { None } else { soon(&within(started, due), policy.lamp_yellow_percent) };
        Self { used, left, late, soon, cut, pieces, open }
    }

    /// Place of an instant on the axis, 0 to 1. Instants in a night left out lie on its seam.
    pub fn at(&self, at: UtcMillis) -> f64 {
        let whole: i64 = self.pieces.iter().map(|(from, to)| to.since(*from)).sum();
        let before: i64 = self.pieces.iter().map(|(from, to)| at.min(*to).since(*from).max(0)).sum();
        if whole <= 0 { 0.0 } else { before as f64 / whole as f64 }
    }

    /// Hatched: inside a piece, but the clock stands.
    pub fn breaks(&self) -> Vec<Stretch> {
        let mut breaks = Vec::new();
        for (from, to) in &self.pieces {
            let mut last = *from;
            for (start, stop) in self.open.iter().filter(|(start, stop)| start >= from && stop <= to) {
                if *start > last {
                    breaks.push((last, *start));
                }
                last = *stop;
            }
            if last < *to {
                breaks.push((last, *to));
            }
        }
        breaks
    }
}

fn continuous(started: UtcMillis, end: UtcMillis) -> (Vec<Stretch>, Vec<Stretch>, bool) {
    let (from, to) = (started.0.div_euclid(HOUR_MS) * HOUR_MS, -(-end.0).div_euclid(HOUR_MS) * HOUR_MS);
    let whole = vec![(UtcMillis(from), UtcMillis(to.max(from + HOUR_MS)))];
    (whole.clone(), whole, false)
}

fn office(
    started: UtcMillis,
    end: UtcMillis,
    calendar: &WorkCalendar,
    offset: UtcOffset,
) -> (Vec<Stretch>, Vec<Stretch>, bool) {
    let (first, last) = (started.local(offset).date.days(), end.local(offset).date.days());
    let days = (first..=last).rev().map(Date::from_days).filter(|date| calendar.is_work_day(*date));
    let mut days: Vec<Date> = days.take(DAYS_MAX + 1).collect();
    if days.is_empty() {
        // Started and looked at on days off: the next working day is where it goes on.
        let next = calendar.resumes_at(end, offset).unwrap_or(end);
        days.push(next.local(offset).date);
    }
    let cut = days.len() > DAYS_MAX;
    days.truncate(DAYS_MAX);
    days.reverse();
    let at = |date: Date, minute: u16| Local { date, ms_of_day: i64::from(minute) * MINUTE_MS }.utc(offset);
    let open: Vec<Stretch> = days
        .iter()
        .flat_map(|date| calendar.spans.iter().map(move |span| (at(*date, span.from), at(*date, span.to))))
        .collect();
    let day =
        |date: &Date| Some((at(*date, calendar.spans.first()?.from), at(*date, calendar.spans.last()?.to)));
    (days.iter().filter_map(day).collect(), open, cut)
}

/// When `percent` of the counted stretches have passed.
fn soon(counted: &[Stretch], percent: u8) -> Option<UtcMillis> {
    let whole: i64 = counted.iter().map(|(from, to)| to.since(*from)).sum();
    let mut rest = whole * i64::from(percent) / 100;
    for (from, to) in counted {
        let length = to.since(*from);
        if rest <= length {
            return Some(from.plus(rest));
        }
        rest -= length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::Limit;
    use domain::moment::DAY_MS;

    const OFFSET: UtcOffset = UtcOffset(480);

    fn policy() -> PolicyFigures {
        let limit = Limit::new(4, LimitKind::WORK_HOUR);
        PolicyFigures {
            stated_source: String::new(),
            utc_offset_minutes: OFFSET,
            dispatch_limit: limit,
            disposal_limit: limit,
            whistle_response_minutes: 30,
            powers_together: None,
            forecast_minutes: 30,
            lamp_yellow_percent: 80,
            position_stale_seconds: 120,
            bounds: None,
            calendar: WorkCalendar::default(),
        }
    }

    /// Wednesday 31 March 2021 and the hours after it.
    fn at(hour: i64, minute: i64) -> UtcMillis {
        let date = Date::new(2021, 3, 31).unwrap();
        Local { date, ms_of_day: 0 }.utc(OFFSET).plus(hour * HOUR_MS + minute * MINUTE_MS)
    }

    fn sum(stretches: &[Stretch]) -> i64 {
        stretches.iter().map(|(from, to)| to.since(*from)).sum::<i64>() / MINUTE_MS
    }

    /// The picture of the reference: filed at 10:10, four working hours, looked at during the lunch break.
    #[test]
    fn blocks_add_up_to_the_limit() {
        let strip = Strip::of(at(10, 10), at(16, 10), LimitKind::WORK_HOUR, at(12, 26), &policy());
        assert_eq!([sum(&strip.used), sum(&strip.left), sum(&strip.late)], [110, 130, 0]);
        assert_eq!(strip.soon, Some(at(15, 22)));
        assert_eq!(strip.breaks(), [(at(12, 0), at(14, 0))]);
        assert!((strip.at(at(13, 0)) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn nights_are_left_out_and_overdue_time_is_counted_in_the_unit() {
        let strip = Strip::of(at(17, 0), at(24 + 11, 0), LimitKind::WORK_HOUR, at(24 + 15, 0), &policy());
        assert_eq!(strip.pieces.len(), 2);
        assert_eq!([sum(&strip.used), sum(&strip.left), sum(&strip.late)], [240, 0, 120]);
        let urgent = Strip::of(at(10, 10), at(14, 10), LimitKind::URGENT_HOUR, at(11, 10), &policy());
        assert_eq!([sum(&urgent.used), sum(&urgent.left)], [60, 180]);
        assert!(urgent.breaks().is_empty());
    }

    #[test]
    fn a_long_limit_keeps_its_last_days() {
        let start = at(9, 0);
        let strip =
            Strip::of(start, start.plus(20 * DAY_MS), LimitKind::WORK_DAY, start.plus(DAY_MS), &policy());
        assert!(strip.cut && strip.pieces.len() == DAYS_MAX && strip.soon.is_none());
    }
}
