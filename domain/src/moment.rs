//! Points in time and civil dates, without a clock and without a time zone database.
//!
//! Everything is stored as UTC; what a hall calls "today" follows from one fixed offset in the policy
//! (China has had no daylight saving since 1991). Reading a clock belongs to `server::clock` and to the browser.

use serde::{Deserialize, Serialize};

mod days;

pub use days::Days;

/// Milliseconds since 1970-01-01 00:00:00 UTC, leap seconds ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct UtcMillis(pub i64);

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl UtcMillis {
    /// 1970-01-01: no hall's records reach back further.
    pub const EARLIEST: Self = Self(0);
    /// 2200-01-01: times from there on are mistakes.
    pub const END: Self = Self(84_006 * DAY_MS);

    /// Whether a time from outside can be meant: from 1970 to 2199.
    #[must_use]
    pub fn is_possible(self) -> bool {
        (Self::EARLIEST..Self::END).contains(&self)
    }

    /// The instant `ms` milliseconds later (earlier when negative), saturating at the ends of time.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`, negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The civil date and time of day at a fixed offset from UTC.
    #[must_use]
    pub fn local(self, offset: UtcOffset) -> Local {
        let shifted = self.0.saturating_add(i64::from(offset.0) * MINUTE_MS);
        Local { date: Date::from_days(shifted.div_euclid(DAY_MS)), ms_of_day: shifted.rem_euclid(DAY_MS) }
    }
}

/// Minutes east of UTC; 480 for China Standard Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct UtcOffset(pub i32);

impl Default for UtcOffset {
    fn default() -> Self {
        Self(480)
    }
}

/// A civil date with the milliseconds passed in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    pub date: Date,
    /// 0 to 86,399,999.
    pub ms_of_day: i64,
}

impl Local {
    #[must_use]
    pub fn hour(self) -> u8 {
        (self.ms_of_day / HOUR_MS) as u8
    }

    #[must_use]
    pub fn minute(self) -> u8 {
        (self.ms_of_day / MINUTE_MS % 60) as u8
    }

    #[must_use]
    pub fn second(self) -> u8 {
        (self.ms_of_day / SECOND_MS % 60) as u8
    }

    /// Back to the instant, at the offset it was made with.
    #[must_use]
    pub fn utc(self, offset: UtcOffset) -> UtcMillis {
        UtcMillis(self.date.days() * DAY_MS).plus(self.ms_of_day).plus(-i64::from(offset.0) * MINUTE_MS)
    }
}

/// A date of the proleptic Gregorian calendar from 0000-01-01 to 9999-12-31, kept as days since 1970-01-01 so that it
/// orders and adds. Arithmetic stops at both ends, so that every date can be written and read again. Serialised as
/// `2026-11-21`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String))]
pub struct Date(i32);

/// 0000-01-01 and 9999-12-31.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

impl Date {
    /// Returns `None` for a day that does not exist, such as 30 February.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..=9999).contains(&year) {
            return None;
        }
        // Days from civil, after Howard Hinnant's published algorithm: the year starts in March.
        let shifted_year = i64::from(year) - i64::from(month <= 2);
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let month_from_march = (i64::from(month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let date = Self((era * 146_097 + day_of_era - 719_468) as i32);
        (date.parts() == (year, month, day)).then_some(date)
    }

    /// The date so many days after 1970-01-01, or the first or last one there is.
    #[must_use]
    pub fn from_days(days: i64) -> Self {
        Self(days.clamp(*DAYS.start(), *DAYS.end()) as i32)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn days(self) -> i64 {
        i64::from(self.0)
    }

    /// Year, month (1–12) and day (1–31).
    #[must_use]
    pub fn parts(self) -> (i32, u8, u8) {
        let shifted = i64::from(self.0) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u8;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year as i32, month, day)
    }

    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self::from_days(i64::from(self.0).saturating_add(days))
    }

    /// 0 = Monday … 6 = Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        (i64::from(self.0) + 3).rem_euclid(7) as u8
    }

    /// The date as the number 20261121.
    #[must_use]
    pub fn number(self) -> i32 {
        let (year, month, day) = self.parts();
        year * 10_000 + i32::from(month) * 100 + i32::from(day)
    }

    /// Midnight at the start of this date.
    #[must_use]
    pub fn midnight(self, offset: UtcOffset) -> UtcMillis {
        Local { date: self, ms_of_day: 0 }.utc(offset)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl std::str::FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().and_then(|part| part.parse::<i32>().ok());
        let (Some(year), Some(month), Some(day)) = (next(), next(), next()) else {
            return Err(format!("`{text}` is not a date; expected year-month-day such as 2026-11-21"));
        };
        u8::try_from(month)
            .ok()
            .zip(u8::try_from(day).ok())
            .and_then(|(month, day)| Self::new(year, month, day))
            .ok_or_else(|| format!("`{text}` is not a day of the calendar"))
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
