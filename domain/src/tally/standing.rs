//! How many cases waited in a stage at an earlier time: those that wait now, less those that have come since, more those that
//! have left.
//!
//! What should be here: the hours in which the number of a stage changed, and what follows from them. What should not: which
//! times are worth comparing with, which is a screen's.

use super::{Count, Counted, Dimension, Measure, Period, Tally, TallyKey, keeps};
use crate::case::Stage;
use crate::moment::{Date, HOUR_MS, Local};

impl Tally {
    /// Counts that `delta` more wait in a stage since `at`, in the hour of it: of the city, where it is compared.
    pub fn moved(
        &mut self,
        (stage, delta): (Stage, i64),
        at: Local,
        today: Date,
        of: &Counted,
        changed: &mut Vec<TallyKey>,
    ) {
        let key = hour_of(stage, at);
        if keeps(key.measure, key.period, today) {
            self.add(key, of.times(delta), changed);
        }
    }

    /// The same where `today` does not keep the hour and `horizon` does: for a tally beside the present one.
    pub fn moved_aside(
        &mut self,
        (stage, delta): (Stage, i64),
        at: Local,
        (today, horizon): (Date, Date),
        of: &Counted,
    ) {
        let key = hour_of(stage, at);
        let wanted = !keeps(key.measure, key.period, today) && keeps(key.measure, key.period, horizon);
        if wanted && self.has_room_aside() {
            self.add(key, of.times(delta), &mut Vec::new());
        }
    }

    /// How many waited in each stage at an earlier time; within an hour its changes are taken as spread evenly. None of a day on
    /// which no case moved, or of a time at which no case waited anywhere: the hall had not begun then, or its hours are not
    /// counted here, as those of a part of the city are not.
    #[must_use]
    pub fn stood(&self, then: Local) -> Option<[i64; 7]> {
        let stood = Stage::ALL.map(|stage| {
            let now = self.count(Measure::At(stage), Dimension::City, Period::Now);
            let since = self.hours_from(stage, then.date).fold(0.0, |since, (date, hour, count)| {
                let begins = i64::from(hour) * HOUR_MS;
                let part = match date == then.date {
                    true => (begins + HOUR_MS - then.ms_of_day).clamp(0, HOUR_MS) as f64 / HOUR_MS as f64,
                    false => 1.0,
                };
                since + count.cases as f64 * part
            });
            (now - since.round() as i64).max(0)
        });
        let moved_then = |stage| self.hours_from(stage, then.date).any(|(date, ..)| date == then.date);
        let known = Stage::ALL.into_iter().any(moved_then) && stood.iter().any(|waited| *waited > 0);
        known.then_some(stood)
    }

    /// The hours from a day on in which the number of a stage changed, and by how many.
    fn hours_from(&self, stage: Stage, date: Date) -> impl Iterator<Item = (Date, u8, Count)> {
        let first = TallyKey {
            measure: Measure::At(stage),
            dimension: Dimension::City,
            period: Period::Hour(date, 0),
        };
        self.cells.range(first..).map_while(move |(key, count)| {
            match (key.measure, &key.dimension, key.period) {
                (Measure::At(at), Dimension::City, Period::Hour(date, hour)) if at == stage => {
                    Some((date, hour, *count))
                }
                _ => None,
            }
        })
    }
}

fn hour_of(stage: Stage, at: Local) -> TallyKey {
    TallyKey {
        measure: Measure::At(stage),
        dimension: Dimension::City,
        period: Period::Hour(at.date, at.hour()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u8, hour: i64, minute: i64) -> Local {
        let date = Date::new(2021, 3, day).unwrap();
        Local { date, ms_of_day: hour * HOUR_MS + minute * 60_000 }
    }

    fn counted() -> Counted {
        Counted { areas: Vec::new(), source: None, class: None, base: 1 }
    }

    /// Fifty came on the 24th at eight, twenty of them left on the 25th at ten, one more came today. As many that a share of a day's
    /// changes that is left out would be seen.
    fn tally() -> Tally {
        let (mut tally, of, today) = (Tally::default(), counted(), at(31, 0, 0).date);
        let mut count = |delta, local| {
            tally.moved((Stage::Dispatch, delta), local, today, &of, &mut Vec::new());
            tally.shift(Measure::At(Stage::Dispatch), delta, &of, &mut Vec::new());
        };
        count(50, at(24, 8, 10));
        count(-20, at(25, 10, 40));
        count(1, at(31, 9, 0));
        tally
    }

    #[test]
    fn what_waited_follows_from_what_waits_and_what_has_moved_since() {
        let waited = |local| tally().stood(local).map(|stood| stood[Stage::Dispatch as usize]);
        assert_eq!(waited(at(24, 9, 0)), Some(50));
        assert_eq!(waited(at(24, 23, 59)), Some(50));
        assert_eq!(waited(at(25, 10, 30)), Some(40), "half of the hour's changes by half past");
        assert_eq!(waited(at(25, 11, 0)), Some(30));
        assert_eq!(waited(at(31, 10, 0)), Some(31));
    }

    #[test]
    fn a_day_without_a_change_and_a_time_before_the_first_case_are_not_known() {
        assert_eq!(tally().stood(at(26, 12, 0)), None);
        assert_eq!(tally().stood(at(24, 7, 0)), None);
        assert_eq!(Tally::default().stood(at(24, 9, 0)), None);
    }

    #[test]
    fn hours_that_are_not_kept_are_laid_aside_as_far_as_the_clock_may_go_back() {
        let (of, today) = (counted(), at(31, 0, 0).date);
        let long_ago = Local { date: today.plus_days(-29), ms_of_day: 0 };
        let mut tally = Tally::default();
        tally.moved((Stage::File, 1), long_ago, today, &of, &mut Vec::new());
        assert_eq!(tally, Tally::default());
        tally.moved_aside((Stage::File, 1), long_ago, (today, today), &of);
        assert_eq!(tally, Tally::default());
        tally.moved_aside((Stage::File, 1), long_ago, (today, today.plus_days(-3)), &of);
        assert_eq!(tally.iter().count(), 1);
    }
}
