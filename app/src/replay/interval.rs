//! What somebody typed as a part of the past, and what it means: a day with two times of it.
//!
//! What should not be here: whether the hall has anything of it (the server says).

use domain::moment::{Date, MINUTE_MS, UtcMillis, UtcOffset};
use domain::route::Past;

use crate::words::{Language, say};

const DAY_MINUTES: i64 = 24 * 60;

/// Why a form is no part of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    NoDay,
    NoTime,
    /// It ends when it begins, or before.
    Order,
}

impl Trouble {
    pub fn words(self, language: Language) -> String {
        match self {
            Self::NoDay => say!(language, replay.no_day),
            Self::NoTime => say!(language, replay.no_time),
            Self::Order => say!(language, replay.wrong_order),
        }
    }
}

/// The fields as they are typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    /// `2026-11-21`
    pub day: String,
    /// `08:00`, also `08:00:30`
    pub from: String,
    /// The same; empty means the end of the day.
    pub to: String,
}

impl Typed {
    /// As it stands in the fields for a part of the past; of one that spans days the last fields stay empty.
    pub fn of(from: UtcMillis, to: UtcMillis, offset: UtcOffset) -> Self {
        let (first, last) = (from.local(offset), to.local(offset));
        let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let to = if last.date == first.date { time(last.ms_of_day / MINUTE_MS) } else { String::new() };
        Self { day: first.date.to_string(), from: time(first.ms_of_day / MINUTE_MS), to }
    }

    /// The interval meant. One that lies in the day of `now` ends now at the latest when no end was typed.
    pub fn past(&self, now: UtcMillis, offset: UtcOffset) -> Result<Past, Trouble> {
        let day: Date = self.day.trim().parse().map_err(|_| Trouble::NoDay)?;
        let at = |ms: i64| day.midnight(offset).plus(ms);
        let from = at(ms_of_day(&self.from).ok_or(Trouble::NoTime)?);
        let to = match self.to.trim() {
            "" if now.local(offset).date == day => now,
            "" => at(DAY_MINUTES * MINUTE_MS),
            typed => at(ms_of_day(typed).ok_or(Trouble::NoTime)?),
        };
        if from >= to {
            return Err(Trouble::Order);
        }
        Ok(Past { from: Some(from), to: Some(to), at: None })
    }
}

/// `08:00` or `08:00:30`, up to `24:00`.
fn ms_of_day(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':').map(|part| {
        let is_number = !part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<i64>().ok())?
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000;
    let is_time = parts.next().is_none() && minutes < 60 && seconds < 60 && ms <= DAY_MINUTES * MINUTE_MS;
    is_time.then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EAST: UtcOffset = UtcOffset(480);
    const HOUR_MS: i64 = 60 * MINUTE_MS;

    fn typed(day: &str, from: &str, to: &str) -> Typed {
        Typed { day: day.to_owned(), from: from.to_owned(), to: to.to_owned() }
    }

    fn midnight() -> UtcMillis {
        Date::new(2026, 11, 21).unwrap().midnight(EAST)
    }

    #[test]
    fn a_day_with_two_times_is_an_interval_in_the_halls_own_zone() {
        let past = typed("2026-11-21", "08:00", " 10:30:15 ").past(UtcMillis(0), EAST).unwrap();
        let meant = [8 * HOUR_MS, 10 * HOUR_MS + 30 * MINUTE_MS + 15_000].map(|ms| Some(midnight().plus(ms)));
        assert_eq!([past.from, past.to, past.at], [meant[0], meant[1], None]);
    }

    #[test]
    fn without_an_end_it_lasts_to_the_end_of_the_day_or_to_now() {
        let day = typed("2026-11-21", "00:00", "");
        assert_eq!(day.past(UtcMillis(0), EAST).unwrap().to, Some(midnight().plus(24 * HOUR_MS)));
        let now = midnight().plus(9 * HOUR_MS);
        assert_eq!(day.past(now, EAST).unwrap().to, Some(now));
        assert_eq!(
            typed("2026-11-21", "09:00", "").past(now, EAST),
            Err(Trouble::Order),
            "it has just begun"
        );
    }

    #[test]
    fn what_is_missing_or_no_time_is_said() {
        for (day, from, to, trouble) in [
            ("", "08:00", "09:00", Trouble::NoDay),
            ("2026-02-30", "08:00", "09:00", Trouble::NoDay),
            ("2026-11-21", "", "09:00", Trouble::NoTime),
            ("2026-11-21", "8", "09:00", Trouble::NoTime),
            ("2026-11-21", "08:60", "09:00", Trouble::NoTime),
            ("2026-11-21", "-1:00", "09:00", Trouble::NoTime),
            ("2026-11-21", "08:00", "24:01", Trouble::NoTime),
            ("2026-11-21", "08:00", "08:00", Trouble::Order),
            ("2026-11-21", "09:00", "08:59", Trouble::Order),
        ] {
            assert_eq!(typed(day, from, to).past(UtcMillis(0), EAST), Err(trouble), "{day} {from} {to}");
            assert_ne!(trouble.words(Language::Zh), trouble.words(Language::En));
        }
    }

    #[test]
    fn an_interval_stands_in_the_fields_as_it_was_typed() {
        let day = typed("2026-11-21", "08:00", "10:30");
        let past = day.past(UtcMillis(0), EAST).unwrap();
        assert_eq!(Typed::of(past.from.unwrap(), past.to.unwrap(), EAST), day);
    }
}
