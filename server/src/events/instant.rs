//! From an instant to its place in the log, and what a stretch of it holds: for whoever shows the past again.
//!
//! An instant's place is found by halving on the events' times, never by walking: the log keeps no index by time.

use std::path::Path;

use domain::event::Event;
use domain::moment::UtcMillis;
use domain::state::State;

use super::{Newest, Reader, genesis, replay};
use crate::folder::StoreError;
use crate::log::{LogError, READ_ROWS_MAX, Read};
use crate::stored::state::SECTIONS;

/// Name of the event by which another policy comes into force.
const ADOPTED: &str = "policy_adopted";

/// What lies between two places of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// Events that should be there and are not.
    pub missing: u64,
    /// Adoptions of a policy (规则启用): each event with its time.
    pub adopted: Vec<(u64, UtcMillis)>,
}

/// The last place of those after `after` up to `head` whose time is not after `instant`; `after` where there is none. What was committed together has
/// one time, so that it is never torn apart. Times hardly ever go back; where they do, because a clock was set back and believed, an
/// instant that was passed twice is found at one of its two places.
fn halved<E>(
    (after, head): (u64, u64),
    instant: UtcMillis,
    mut time_of: impl FnMut(u64) -> Result<UtcMillis, E>,
) -> Result<u64, E> {
    let (mut before, mut beyond) = (after, head + 1);
    while beyond - before > 1 {
        let middle = before + (beyond - before) / 2;
        if time_of(middle)? <= instant {
            before = middle;
        } else {
            beyond = middle;
        }
    }
    Ok(before)
}

fn time_of(log: &dyn Read, seq: u64) -> Result<UtcMillis, StoreError> {
    let rows = log.read(seq - 1, 1)?;
    let Some(row) = rows.first() else { return Err(missing_event(Path::new("the log"), seq).into()) };
    row.follows(seq - 1)?;
    Ok(UtcMillis(row.at))
}

impl Reader {
    /// The last event at or before an instant; 0 where the log begins later.
    pub fn last_at(&self, instant: UtcMillis) -> Result<u64, StoreError> {
        self.with(|log| halved((0, log.head()?.seq), instant, |seq| time_of(log, seq)))
    }

    /// The places of the borders of `slices` equally long slices from one instant to another, both ends with them: what lies
    /// between two is as many events. No event is read for it but those the halving looks at.
    pub fn places(&self, from: UtcMillis, to: UtcMillis, slices: u32) -> Result<Vec<u64>, StoreError> {
        self.with(|log| {
            let head = log.head()?.seq;
            let first = halved((0, head), from, |seq| time_of(log, seq))?;
            let last = halved((first, head), to, |seq| time_of(log, seq))?;
            let mut places = vec![first];
            for slice in 1..slices {
                let border = from.plus(to.since(from) * i64::from(slice) / i64::from(slices));
                let before = places.last().copied().unwrap_or(first);
                places.push(halved((before, last), border, |seq| time_of(log, seq))?);
            }
            places.push(last);
            Ok(places)
        })
    }

    /// The times of the first and the last event; none of an empty log.
    pub fn ends(&self) -> Result<Option<(UtcMillis, UtcMillis)>, StoreError> {
        self.with(|log| match log.head()?.seq {
            0 => Ok(None),
            head => Ok(Some((time_of(log, 1)?, time_of(log, head)?))),
        })
    }

    /// Looks through the events after `after` up to `upto`, without reading them.
    pub fn stretch(&self, after: u64, upto: u64) -> Result<Stretch, StoreError> {
        self.with(|log| {
            let within = log.within(ADOPTED, after, upto)?;
            let missing = upto.saturating_sub(after).saturating_sub(within.events);
            let adopted = within.named.into_iter().map(|(seq, at)| (seq, UtcMillis(at))).collect();
            Ok(Stretch { missing, adopted })
        })
    }

    /// The state after event `seq`, from the nearest kept one before it, and the events that led to it, at most `newest_max` of them:
    /// as a start has them. What an older version counted differently is counted anew from where nothing is a guess.
    pub fn state_at(&self, seq: u64, newest_max: u64) -> Result<(State, Option<Newest>), StoreError> {
        self.with(|log| {
            let dir = self.dir();
            let missing = || LogError::Missing { place: dir.to_owned() };
            let genesis = genesis::read(log, dir)?.ok_or_else(missing)?;
            let newest_from = seq.saturating_sub(newest_max);
            let beginning = replay::start(log, dir, &genesis, newest_from, &SECTIONS)?;
            let mut state = if beginning.counts_are_guessed {
                replay::exact_start(log, dir, &genesis, newest_from, &SECTIONS)
            } else {
                beginning.state
            };
            let bodies: &dyn Read = log;
            let (mut newest, mut lie_elsewhere) = (None::<Newest>, false);
            while state.seq < seq {
                let left = usize::try_from(seq - state.seq).unwrap_or(usize::MAX);
                let rows = log.read(state.seq, left.min(READ_ROWS_MAX))?;
                if rows.is_empty() {
                    return Err(missing_event(self.path(), state.seq + 1).into());
                }
                for row in &rows {
                    row.follows(state.seq)?;
                    let recorded = replay::recorded(row, self.path(), &bodies)?;
                    if state.seq >= newest_from {
                        lie_elsewhere |= matches!(recorded.event, Event::Policy(_));
                        let begin = || Newest { before: state.clone(), events: Vec::new() };
                        newest.get_or_insert_with(begin).events.push(recorded.clone());
                    }
                    state.apply(&recorded);
                }
            }
            Ok((state, newest.filter(|_| !lie_elsewhere)))
        })
    }
}

fn missing_event(place: &Path, seq: u64) -> LogError {
    LogError::damaged(place, format!("event {seq} is missing"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// The place found among these times, and how many were looked at.
    fn place(times: &[i64], instant: i64) -> (u64, u32) {
        let mut looked = 0;
        let found = halved((0, times.len() as u64), UtcMillis(instant), |seq| {
            looked += 1;
            Ok::<_, Infallible>(UtcMillis(times[seq as usize - 1]))
        });
        (found.unwrap(), looked)
    }

    #[test]
    fn an_instant_is_after_everything_of_its_own_time_and_before_the_next() {
        let times = [10, 20, 20, 20, 30];
        for (instant, seq) in [(9, 0), (10, 1), (19, 1), (20, 4), (29, 4), (30, 5), (i64::MAX, 5)] {
            assert_eq!(place(&times, instant).0, seq, "{instant}");
        }
        assert_eq!(place(&[], 5), (0, 0), "an empty log has no place");
        assert_eq!(place(&[20; 7], 19).0, 0);
        assert_eq!(place(&[20; 7], 20).0, 7, "one commit is not torn apart");
    }

    #[test]
    fn seventy_million_events_take_thirty_looks() {
        let mut looked = 0;
        let found = halved((0, 70_000_000), UtcMillis(41_234_567), |seq| {
            looked += 1;
            Ok::<_, Infallible>(UtcMillis(seq as i64))
        });
        assert_eq!(found.unwrap(), 41_234_567);
        assert!(looked <= 30, "{looked}");
    }

    #[test]
    fn where_a_clock_was_set_back_the_place_is_one_the_instant_was_at() {
        let times = [10, 20, 30, 40, 15, 25, 35, 45];
        for instant in [12, 18, 28, 38] {
            let (seq, _) = place(&times, instant);
            let at = |seq: u64| times[seq as usize - 1];
            assert!(at(seq) <= instant && at(seq + 1) > instant, "{instant}: {seq}");
        }
    }
}
