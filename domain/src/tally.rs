//! Tallies (统计): counts kept exact by signed deltas, one cell per measure, dimension and period.
//!
//! A cell's key has one text form, used in the feed, the API, the store and the state hash:
//! `measure|dimension|period`, for example `closed|area:530102|month:202611`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::code::{AreaCode, ClassCode, SourceCode};
use crate::moment::{Date, Local, UtcMillis, UtcOffset};

mod kept;
pub mod measure;
mod standing;

use kept::keeps;
pub use measure::Measure;

/// What the count is broken down by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Everything in the store.
    City,
    Area(AreaCode),
    Source(SourceCode),
    Class(ClassCode),
}

/// Which time the count covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// A state, not a flow.
    Now,
    /// Since the store began, by the case's own times.
    Ever,
    /// A local month as 202611.
    Month(i32),
    /// A local day.
    Day(Date),
    /// A local hour of a day.
    Hour(Date, u8),
}

impl Period {
    /// The month a date lies in.
    #[must_use]
    pub fn month_of(date: Date) -> Self {
        Self::Month(date.number() / 100)
    }
}

/// The key of one cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TallyKey {
    pub measure: Measure,
    pub dimension: Dimension,
    pub period: Period,
}

impl std::fmt::Display for TallyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.measure.key())?;
        match &self.dimension {
            Dimension::City => f.write_str("|city")?,
            Dimension::Area(code) => write!(f, "|area:{code}")?,
            Dimension::Source(code) => write!(f, "|source:{code}")?,
            Dimension::Class(code) => write!(f, "|class:{code}")?,
        }
        match self.period {
            Period::Now => f.write_str("|now"),
            Period::Ever => f.write_str("|ever"),
            Period::Month(month) => write!(f, "|month:{month}"),
            Period::Day(date) => write!(f, "|day:{}", date.number()),
            Period::Hour(date, hour) => write!(f, "|hour:{}T{hour:02}", date.number()),
        }
    }
}

impl std::str::FromStr for TallyKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a tally key; expected measure|dimension|period");
        let mut parts = text.splitn(3, '|');
        let (Some(measure), Some(dimension), Some(period)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let dimension = match dimension.split_once(':') {
            None if dimension == "city" => Dimension::City,
            Some(("area", code)) => Dimension::Area(code.parse().map_err(|_| wrong())?),
            Some(("source", code)) => Dimension::Source(code.parse().map_err(|_| wrong())?),
            Some(("class", code)) => Dimension::Class(code.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        };
        let measure = Measure::from_key(measure).ok_or_else(wrong)?;
        Ok(Self { measure, dimension, period: parse_period(period).ok_or_else(wrong)? })
    }
}

fn parse_period(text: &str) -> Option<Period> {
    match text.split_once(':') {
        None if text == "now" => Some(Period::Now),
        None if text == "ever" => Some(Period::Ever),
        Some(("month", month)) => month.parse().ok().map(Period::Month),
        Some(("day", day)) => date_from_number(day).map(Period::Day),
        Some(("hour", hour)) => {
            let (day, hour) = hour.split_once('T')?;
            Some(Period::Hour(date_from_number(day)?, hour.parse().ok().filter(|hour| *hour < 24)?))
        }
        _ => None,
    }
}

fn date_from_number(text: &str) -> Option<Date> {
    let number: i32 = text.parse().ok()?;
    Date::new(number / 10_000, u8::try_from(number / 100 % 100).ok()?, u8::try_from(number % 100).ok()?)
}

impl Serialize for TallyKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TallyKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::code::parsed(deserializer)
    }
}

/// What a cell holds: two counts of the same cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Count {
    /// 件: how many.
    pub cases: i64,
    /// 基本案件数: each by its weight. Whistle calls have none.
    pub base: i64,
}

impl Count {
    /// Neither counts anything; such a cell is absent.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    fn plus(self, other: Self) -> Self {
        Self { cases: self.cases + other.cases, base: self.base + other.base }
    }
}

/// What is counted once, and in which dimensions: of a case as it stood at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The area and those it lies in.
    pub areas: Vec<AreaCode>,
    pub source: Option<SourceCode>,
    pub class: Option<ClassCode>,
    /// Its weight in the base count.
    pub base: i64,
}

impl Counted {
    fn times(&self, number: i64) -> Count {
        Count { cases: number, base: number * self.base }
    }

    fn dimensions(&self) -> impl Iterator<Item = Dimension> {
        let areas = self.areas.iter().cloned().map(Dimension::Area);
        let source = self.source.clone().map(Dimension::Source);
        let class = self.class.clone().map(Dimension::Class);
        std::iter::once(Dimension::City).chain(areas).chain(source).chain(class)
    }
}

/// Cells laid aside at most; where a clock is years behind, an import of old cases could make millions.
const ASIDE_MAX: usize = 200_000;

/// All cells; a cell that is zero is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    cells: BTreeMap<TallyKey, Count>,
}

impl Tally {
    /// The cell's value, zero when absent.
    #[must_use]
    pub fn get(&self, key: &TallyKey) -> Count {
        self.cells.get(key).copied().unwrap_or_default()
    }

    /// The cases of a cell by its parts.
    #[must_use]
    pub fn count(&self, measure: Measure, dimension: Dimension, period: Period) -> i64 {
        self.get(&TallyKey { measure, dimension, period }).cases
    }

    /// All cells that are not zero, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&TallyKey, Count)> {
        self.cells.iter().map(|(key, value)| (key, *value))
    }

    /// Sets a cell; zero removes it. For screens, which receive values and not deltas.
    pub fn set(&mut self, key: TallyKey, value: Count) {
        if value.is_zero() {
            self.cells.remove(&key);
        } else {
            self.cells.insert(key, value);
        }
    }

    fn add(&mut self, key: TallyKey, delta: Count, changed: &mut Vec<TallyKey>) {
        changed.push(key.clone());
        match self.cells.entry(key) {
            Entry::Occupied(mut cell) => {
                *cell.get_mut() = cell.get().plus(delta);
                if cell.get().is_zero() {
                    cell.remove();
                }
            }
            Entry::Vacant(cell) => {
                if !delta.is_zero() {
                    cell.insert(delta);
                }
            }
        }
    }

    /// Adds `delta` times what is counted to a state measure in every dimension.
    pub fn shift(&mut self, measure: Measure, delta: i64, of: &Counted, changed: &mut Vec<TallyKey>) {
        for dimension in of.dimensions() {
            self.add(TallyKey { measure, dimension, period: Period::Now }, of.times(delta), changed);
        }
    }

    /// Counts one flow event that happened at `at` in every dimension and kept period.
    pub fn flow(
        &mut self,
        measure: Measure,
        at: UtcMillis,
        today: Date,
        offset: UtcOffset,
        of: &Counted,
        changed: &mut Vec<TallyKey>,
    ) {
        self.flow_in(measure, at.local(offset), of, changed, |period| keeps(measure, period, today));
    }

    /// Counts a flow in the periods that `today` does not keep and `horizon` does: for a tally beside the present one.
    pub fn flow_aside(
        &mut self,
        measure: Measure,
        at: UtcMillis,
        (today, horizon): (Date, Date),
        offset: UtcOffset,
        of: &Counted,
    ) {
        if self.has_room_aside() {
            let wanted = |period| !keeps(measure, period, today) && keeps(measure, period, horizon);
            self.flow_in(measure, at.local(offset), of, &mut Vec::new(), wanted);
        }
    }

    fn has_room_aside(&self) -> bool {
        self.cells.len() < ASIDE_MAX
    }

    fn flow_in(
        &mut self,
        measure: Measure,
        local: Local,
        of: &Counted,
        changed: &mut Vec<TallyKey>,
        wanted: impl Fn(Period) -> bool,
    ) {
        let periods = [Period::Ever, Period::month_of(local.date), Period::Day(local.date)];
        let periods: Vec<Period> = periods.into_iter().filter(|period| wanted(*period)).collect();
        for dimension in of.dimensions() {
            for period in &periods {
                self.add(
                    TallyKey { measure, dimension: dimension.clone(), period: *period },
                    of.times(1),
                    changed,
                );
            }
        }
        // The curve of the day is drawn for the whole city only.
        let hour = Period::Hour(local.date, local.hour());
        if wanted(hour) {
            self.add(TallyKey { measure, dimension: Dimension::City, period: hour }, of.times(1), changed);
        }
    }

    /// Lays the periods that are no longer kept `aside`, and takes back those that are kept again because the day turned
    /// back. What `horizon` does not keep either is gone.
    pub fn turn_day(&mut self, aside: &mut Self, today: Date, horizon: Date, changed: &mut Vec<TallyKey>) {
        let kept = |key: &TallyKey| keeps(key.measure, key.period, today);
        let gone = self.take(|key| !kept(key));
        let back = aside.take(kept);
        changed.extend(gone.keys().chain(back.keys()).cloned());
        self.cells.extend(back);
        aside.cells.extend(gone);
        aside.cells.retain(|key, _| keeps(key.measure, key.period, horizon));
    }

    fn take(&mut self, which: impl Fn(&TallyKey) -> bool) -> BTreeMap<TallyKey, Count> {
        let keys: Vec<TallyKey> = self.cells.keys().filter(|key| which(key)).cloned().collect();
        keys.into_iter().filter_map(|key| self.cells.remove_entry(&key)).collect()
    }
}

/// A rate with what it is made of: every number can defend itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Ratio {
    pub numerator: i64,
    pub denominator: i64,
}

impl Ratio {
    /// The rate in percent; none when there is nothing to divide by.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        (self.denominator != 0).then(|| self.numerator as f64 * 100.0 / self.denominator as f64)
    }
}

/// 结案率 as the bulletin counts it: closed ÷ filed in the period, whatever month the closed cases were filed in
/// (`reference/domain.md` §2.7 D). It may exceed 100 %.
#[must_use]
pub fn closure_rate(tally: &Tally, dimension: &Dimension, period: Period) -> Ratio {
    Ratio {
        numerator: tally.count(Measure::Closed, dimension.clone(), period),
        denominator: tally.count(Measure::Filed, dimension.clone(), period),
    }
}

impl Serialize for Tally {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.cells)
    }
}

impl<'de> Deserialize<'de> for Tally {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { cells: BTreeMap::deserialize(deserializer)? })
    }
}
