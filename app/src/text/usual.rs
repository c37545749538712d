//! What the present is held against: the same weekdays of the last weeks at this time of day, or else yesterday.
//!
//! What should be here: which days those are, and where a count lies among them. What should not: what a day had by then
//! (`curve.rs` for flows, `domain::tally` for what waited), how it is drawn.

use domain::case::Stage;
use domain::moment::Local;
use domain::tally::Tally;

use crate::order;

/// The same weekdays that are looked at, and how many of them must have data before they are the reference.
const WEEKS: i32 = 4;
const WEEKS_MIN: usize = 3;

/// What today is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    Nothing,
    /// The day before: all there is in a store's first weeks.
    Yesterday,
    /// The last same weekdays that have data, so many.
    Weekdays(usize),
}

/// The days that are held against, by what `day` knows of one so many days back; none when it has no data.
pub fn held_against<T>(day: impl Fn(i32) -> Option<T>) -> (Vec<T>, Against) {
    let weekdays: Vec<T> = (1..=WEEKS).filter_map(|week| day(week * 7)).collect();
    if weekdays.len() >= WEEKS_MIN {
        let against = Against::Weekdays(weekdays.len());
        return (weekdays, against);
    }
    match day(1) {
        Some(yesterday) => (vec![yesterday], Against::Yesterday),
        None => (Vec::new(), Against::Nothing),
    }
}

/// Where today's count lies among the days it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// The middle of those days at this time of day.
    pub middle: i64,
    pub low: i64,
    pub high: i64,
}

impl Usual {
    /// None of no days.
    pub fn of(counts: Vec<i64>) -> Option<Self> {
        let (low, high) = (counts.iter().copied().min()?, counts.iter().copied().max()?);
        Some(Self { middle: median(counts)?, low, high })
    }
}

/// What waited in each stage at this time of the days held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Waited {
    days: Vec<[i64; 7]>,
    pub against: Against,
}

impl Waited {
    pub fn of(tally: &Tally, now: Local) -> Self {
        let day = |back: i32| tally.stood(Local { date: now.date.plus_days((-back).into()), ..now });
        let (days, against) = held_against(day);
        Self { days, against }
    }

    /// None without such a day.
    pub fn usual(&self, stage: Stage) -> Option<Usual> {
        Usual::of(self.days.iter().map(|day| day[stage as usize]).collect())
    }

    /// 积压: more than on any of several same weekdays, by over twice what chance alone moves a count by (its root).
    pub fn piles_up(&self, stage: Stage, count: i64) -> bool {
        let several = matches!(self.against, Against::Weekdays(_));
        self.usual(stage).filter(|_| several).is_some_and(|usual| {
            let more = count - usual.high;
            more > 0 && more * more > 4 * (usual.high + 1)
        })
    }
}

/// A count as a share of a bar in whose middle the usual stands: twice the usual fills it, and whatever is more.
pub fn on_usual(count: i64, usual: i64) -> f64 {
    match (count, usual) {
        (..=0, _) => 0.0,
        (_, ..=0) => 100.0,
        (count, usual) => (count as f64 / usual as f64 * 50.0).min(100.0),
    }
}

/// The middle value; of an even number the mean of the middle two.
pub fn median(mut values: Vec<i64>) -> Option<i64> {
    order::sort_by_key(&mut values, |value| *value);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let even = values.len().is_multiple_of(2);
    Some(if even { (values[middle - 1] + upper + 1).div_euclid(2) } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::moment::{Date, HOUR_MS};
    use domain::tally::{Count, Dimension, Measure, Period, TallyKey};

    /// Dispatches that waited at 9:30 of days so many back, and those that wait now: each day's own came at eight and left at
    /// ten. The store began with two on the first day.
    fn waited(days: &[(i32, i64)], now: i64) -> Waited {
        let date = Date::new(2021, 3, 31).unwrap();
        let mut tally = Tally::default();
        let mut set = |period, cases| {
            let key = TallyKey { measure: Measure::At(Stage::Dispatch), dimension: Dimension::City, period };
            tally.set(key, Count { cases, base: 0 });
        };
        for (back, count) in days {
            let date = date.plus_days((-back).into());
            set(Period::Hour(date, 8), *count);
            set(Period::Hour(date, 10), -count);
        }
        set(Period::Hour(date, 8), now);
        set(Period::Now, now);
        Waited::of(&tally, Local { date, ms_of_day: 19 * HOUR_MS / 2 })
    }

    #[test]
    fn a_stage_is_held_against_what_waited_at_this_time_of_the_same_weekdays() {
        let four = waited(&[(1, 5), (7, 100), (14, 80), (21, 300), (28, 90)], 120);
        assert_eq!(four.against, Against::Weekdays(4));
        assert_eq!(four.usual(Stage::Dispatch), Some(Usual { middle: 95, low: 80, high: 300 }));
        assert_eq!(four.usual(Stage::Check), Some(Usual { middle: 0, low: 0, high: 0 }));
    }

    #[test]
    fn what_is_not_known_is_no_usual_and_never_the_present() {
        let young = waited(&[(1, 5), (7, 100)], 120);
        assert_eq!(
            (young.against, young.usual(Stage::Dispatch).map(|usual| usual.middle)),
            (Against::Yesterday, Some(5))
        );
        let fresh = waited(&[], 120);
        assert_eq!((fresh.against, fresh.usual(Stage::Dispatch)), (Against::Nothing, None));
        assert!(!fresh.piles_up(Stage::Dispatch, 1_000));
    }

    #[test]
    fn it_piles_up_beyond_every_one_of_those_days_and_beyond_chance() {
        let weeks = waited(&[(7, 100), (14, 80), (21, 99)], 120);
        let piles = |count| weeks.piles_up(Stage::Dispatch, count);
        assert_eq!([99, 101, 120, 121].map(piles), [false, false, false, true]);
        assert!(!weeks.piles_up(Stage::Check, 2) && weeks.piles_up(Stage::Check, 3));
        assert!(!waited(&[(1, 5)], 9).piles_up(Stage::Dispatch, 900), "one day is no band");
    }

    #[test]
    fn a_bar_has_the_usual_in_its_middle() {
        assert_eq!(
            [(95, 95), (190, 95), (900, 95), (0, 95), (0, 0), (3, 0)]
                .map(|(count, usual)| on_usual(count, usual)),
            [50.0, 100.0, 100.0, 0.0, 0.0, 100.0]
        );
    }
}
