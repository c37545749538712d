//! A hall started as a demonstration (演示): on a store of its own kind, with a clock that may be speeded up.
//!
//! What should not be here: setting the clock later (`http::world`), what happens in the city (the simulator's).

use anyhow::{Context, bail};
use domain::clock::calendar::WorkCalendar;
use domain::moment::{DAY_MS, Date, HOUR_MS, Local, MINUTE_MS, UtcMillis, UtcOffset};
use domain::policy::Policy;
use domain::state::State;
use domain::world::{PACE_MAX, PACE_REAL};

use crate::clock::{Clock, Driver};
use crate::writer;
use crate::writer::store::Store;

/// How far back a working day is looked for; calendars without any have no office hours either.
const DAYS_BACK_MAX: i64 = 31;

/// How a demonstration is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demonstration {
    /// Where a new one's time begins, by its policy's clocks; none takes the middle of a morning at the office.
    pub at: Option<Local>,
    /// In thousandths of the pace at which time passes.
    pub pace_milli: u32,
}

impl Demonstration {
    /// As somebody writes it: `at` such as `2026-11-27T10:40`, `speed` 1 to 600.
    pub fn read(at: Option<&str>, speed: f64) -> anyhow::Result<Self> {
        let most = f64::from(PACE_MAX / PACE_REAL);
        anyhow::ensure!((1.0..=most).contains(&speed), "--speed: {speed} is not within 1 to {most}");
        let pace_milli = (speed * f64::from(PACE_REAL)).round() as u32;
        let at =
            at.map(|text| local(text).with_context(|| format!("--at: `{text}` is no time"))).transpose()?;
        Ok(Self { at, pace_milli })
    }

    /// The clock of this demonstration. One that has run before goes on where it stopped: while nobody runs it, its time
    /// stands still, so that no day passes in which nobody worked.
    pub(super) fn clock(self, store: &Store, state: &State, machine: &Clock) -> (Clock, Driver) {
        let policy = state.policy();
        let begins = || self.begins(policy, machine.now());
        let start = writer::last_believed(store, state).unwrap_or_else(begins);
        Clock::driven(start, self.pace_milli)
    }

    fn begins(self, policy: &Policy, now: UtcMillis) -> UtcMillis {
        let offset = policy.utc_offset_minutes;
        self.at.map_or_else(|| office_hour(&policy.calendar, offset, now), |at| at.utc(offset))
    }
}

fn local(text: &str) -> anyhow::Result<Local> {
    let expected = "expected a day and a time of day such as 2026-11-27T10:40";
    let (date, time) = text.split_once(['T', ' ']).context(expected)?;
    let (hour, minute) = time.split_once(':').context(expected)?;
    let date: Date = date.parse().map_err(anyhow::Error::msg)?;
    let (hour, minute): (i64, i64) = (hour.parse().context(expected)?, minute.parse().context(expected)?);
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        bail!("{expected}");
    }
    let at = Local { date, ms_of_day: hour * HOUR_MS + minute * MINUTE_MS };
    if !at.utc(UtcOffset(0)).is_possible() {
        bail!("{date} is not within 1970 to 2199");
    }
    Ok(at)
}

/// Late in the first span of the last working day: a morning that has seen something, with its limits running.
fn office_hour(calendar: &WorkCalendar, offset: UtcOffset, now: UtcMillis) -> UtcMillis {
    let today = now.local(offset).date;
    let back = (0..DAYS_BACK_MAX).map(|days| today.plus_days(-days));
    let day = back.into_iter().find(|day| calendar.is_work_day(*day)).unwrap_or(today);
    let minutes = calendar.spans.first().map_or(10 * 60, |span| {
        let (from, to) = (i64::from(span.from), i64::from(span.to));
        from + (to - from) * 7 / 8
    });
    Local { date: day, ms_of_day: (minutes * MINUTE_MS).min(DAY_MS - MINUTE_MS) }.utc(offset)
}

/// Refuses a demonstration on what a live hall has written, and a live hall on a demonstration's: a store says which it is.
pub(super) fn settle(store: &mut Store, seq: u64, wanted: Option<Demonstration>) -> anyhow::Result<()> {
    let path = store.dir().display().to_string();
    match (wanted, store.is_demonstration()?) {
        (Some(_), true) | (None, false) => Ok(()),
        (Some(_), false) if seq == 0 => Ok(store.make_demonstration()?),
        (Some(_), false) => bail!(
            "`{path}` holds a live hall's data and was not touched: a demonstration needs a folder of its own, choose one with --data-dir"
        ),
        (None, true) => bail!(
            "`{path}` holds a demonstration's data, which never becomes a live hall's: start it with `gridhall serve --demonstration`, or choose \
             another folder with --data-dir"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHINA: UtcOffset = UtcOffset(480);

    fn at(text: &str) -> UtcMillis {
        local(text).unwrap().utc(CHINA)
    }

    #[test]
    fn a_demonstration_begins_in_the_morning_of_a_working_day_whatever_the_machine_says() {
        let calendar = WorkCalendar::default();
        let begins = |now| office_hour(&calendar, CHINA, at(now));
        // A Friday: at night, before and after the office; and the weekend behind it.
        for now in ["2026-11-27T00:00", "2026-11-27T10:00", "2026-11-27T23:59", "2026-11-29T12:00"] {
            assert_eq!(begins(now), at("2026-11-27T11:30"), "at {now}");
        }
        let never = WorkCalendar { weekdays: Vec::new(), spans: Vec::new(), ..calendar };
        assert_eq!(office_hour(&never, CHINA, at("2026-11-29T12:00")), at("2026-11-29T10:00"));
    }

    #[test]
    fn what_is_no_time_or_no_speed_is_refused_in_words() {
        let right = Demonstration::read(Some("2026-11-27T10:40"), 60.0).unwrap();
        assert_eq!((right.pace_milli, right.at.map(Local::hour)), (60_000, Some(10)));
        for (at, speed, words) in [
            (Some("2026-11-31T10:40"), 1.0, "not a day of the calendar"),
            (Some("2026-11-27T24:00"), 1.0, "expected a day and a time of day"),
            (Some("10:40"), 1.0, "expected a day and a time of day"),
            (Some("1969-11-27T10:40"), 1.0, "1970 to 2199"),
            (None, 0.5, "1 to 600"),
            (None, 601.0, "1 to 600"),
            (None, f64::NAN, "1 to 600"),
        ] {
            let error = format!("{:#}", Demonstration::read(at, speed).unwrap_err());
            assert!(error.contains(words), "{at:?} {speed}: {error}");
        }
    }
}
