//! The shared clock of all connections: announces waves of changes, heartbeats and time slots, so that no connection
//! needs a timer of its own.
//!
//! A wave is announced at once when the one before has reached everybody; while the hall is busy, after the time a wave
//! took lately, so that changes gather instead of queueing, and never later than the settings say.

use domain::position::Cell;
use domain::wire::{Kind, Part, Topic};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use super::Inner;
use super::sets::Beat;
use crate::clock;
use crate::position::table::Table;

/// How long a connection waits that may not send yet because of its own ceiling.
const SLOT: Duration = Duration::from_millis(50);
/// A wave has at least this long to reach everybody before the next is announced.
const WAIT_LEAST: Duration = Duration::from_millis(1);
/// Heartbeats between two with state hashes.
const BEATS_PER_HASH: u64 = 10;
/// Map cells whose hashes a heartbeat knows.
const CELLS_HASHED_MAX: usize = 1_024;
/// Heartbeats between two pings. Their answers show that a client takes what it is sent.
const BEATS_PER_PING: u64 = 5;

/// What wakes the pacer.
#[derive(Debug, Default)]
pub struct Pace {
    /// Something was committed or moved.
    pub dirty: Notify,
    /// A connection has something to send that its ceiling forbids right now.
    pub later: Notify,
    /// Connections that take waves.
    pub taking: AtomicUsize,
    /// Those among them that do not take what they were sent: nobody waits for them.
    pub stuck: AtomicUsize,
}

/// A connection counted in one of the pacer's counts, until it is dropped.
pub struct Counted(Arc<Pace>, fn(&Pace) -> &AtomicUsize);

impl Counted {
    pub fn up(pace: &Arc<Pace>, count: fn(&Pace) -> &AtomicUsize) -> Self {
        count(pace).fetch_add(1, Ordering::AcqRel);
        Self(pace.clone(), count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Ordering::AcqRel);
    }
}

/// What all connections see at the same moment: they send up to these versions, so that they share their frames.
#[derive(Debug, Clone, Default)]
pub struct Wave {
    /// Milliseconds since the hub began.
    pub ms: u64,
    /// Last event taken over.
    pub seq: u64,
    /// Last tick with a moved inspector, and last change of who has which number.
    pub position: u64,
    pub who: u64,
    pub beat: Option<Arc<Beat>>,
    drain: Arc<Drain>,
}

/// Counts the connections that have sent what a wave brought them.
#[derive(Debug, Default)]
struct Drain {
    left: AtomicUsize,
    empty: Notify,
}

impl Wave {
    /// This connection has sent its part.
    pub fn sent(&self) {
        let left =
            self.drain.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        if left == Ok(1) {
            self.drain.empty.notify_one();
        }
    }

    /// All versions of it together: where nothing of these has moved, nobody is owed anything new.
    #[must_use]
    pub fn stands(&self) -> [u64; 3] {
        [self.seq, self.position, self.who]
    }

    /// The version a subscriber of a topic is led to.
    #[must_use]
    pub fn upto(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Tally | Kind::Overdue | Kind::Open | Kind::Whistle | Kind::Case => self.seq,
            Kind::Who => self.who,
            Kind::Positions | Kind::Position(_) => self.position,
        }
    }
}

/// How long a wave takes to reach everybody, as measured, and so how long the next one gathers.
#[derive(Debug)]
struct Rhythm {
    took: Duration,
    longest: Duration,
}

impl Rhythm {
    fn new(longest: Duration) -> Self {
        Self { took: Duration::ZERO, longest }
    }

    /// How long the next wave waits for the connections that are still sending this one. A quiet hall has none.
    fn gathers(&self, sending: usize) -> Duration {
        match sending {
            0 => Duration::ZERO,
            _ => self.took.clamp(WAIT_LEAST.min(self.longest), self.longest),
        }
    }

    /// The wave was waited for so long, and has reached everybody or not. Half of what is new: a single slow wave does not
    /// slow the next ten.
    fn learn(&mut self, waited: Duration, reached_all: bool) {
        let took = if reached_all { waited } else { self.longest.min(2 * waited) };
        self.took = (self.took + took) / 2;
    }
}

enum Cause {
    Change,
    Beat,
}

/// Runs until the hub is dropped.
pub(super) async fn run(inner: Weak<Inner>, pace: Arc<Pace>) {
    let Some((heartbeat, longest, mut moved, mut driven)) = inner.upgrade().map(|inner| {
        let ms = |ms: u32| Duration::from_millis(u64::from(ms.max(1)));
        (
            ms(inner.limits.heartbeat_ms),
            ms(inner.limits.coalesce_ms),
            inner.positions.versions(),
            inner.clock.changes(),
        )
    }) else {
        return;
    };
    let began = clock::instant();
    let mut beats = tokio::time::interval(heartbeat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rhythm = Rhythm::new(longest);
    let mut beat = 0;
    loop {
        let cause = tokio::select! {
            biased;
            _ = beats.tick() => Cause::Beat,
            // Screens carry the hall's time on at its pace: they hear of another one at once.
            () = driven.next() => Cause::Beat,
            () = pace.dirty.notified() => Cause::Change,
            changed = moved.changed() => match changed {
                Ok(()) => Cause::Change,
                Err(_) => return,
            },
            () = async {
                pace.later.notified().await;
                tokio::time::sleep(SLOT).await;
            } => Cause::Change,
        };
        let Some(hub) = inner.upgrade() else { return };
        if let Cause::Beat = cause {
            beat += 1;
        }
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Some(drain) = announce(&hub, &pace, cause, beat, ms) else { continue };
        drop(hub);
        let gathers = rhythm.gathers(drain.left.load(Ordering::Acquire));
        if !gathers.is_zero() {
            // Those that are left when the time is over meet the next wave; what lies between goes together.
            let told = clock::instant();
            let reached_all = tokio::time::timeout(gathers, drain.empty.notified()).await.is_ok();
            rhythm.learn(told.elapsed(), reached_all);
        }
        // The runtime is everybody's: connections, commands and the disk's answers come first.
        tokio::task::yield_now().await;
    }
}

/// Tells all connections; gives the count of those that have still to send.
fn announce(hub: &Arc<Inner>, pace: &Pace, cause: Cause, beat: u64, ms: u64) -> Option<Arc<Drain>> {
    if !hub.started.load(Ordering::Acquire) {
        return None;
    }
    let hub = super::Hub(hub.clone());
    let position = *hub.0.positions.versions().borrow();
    let who = hub.0.positions.with(|table| table.who().hash(None).0);
    let beat = match cause {
        Cause::Change => None,
        Cause::Beat => Some(Arc::new(beat_of(&hub, beat))),
    };
    let seq = beat.as_ref().map_or_else(|| hub.topics().seq(), |beat| beat.head);
    let drain = Arc::new(Drain::default());
    let told = drain.clone();
    hub.0.waves.send_modify(move |wave| {
        (wave.ms, wave.seq, wave.position, wave.who) = (ms, seq, position, who);
        wave.beat = beat.or_else(|| wave.beat.take());
        wave.drain = told;
        let (taking, stuck) = (pace.taking.load(Ordering::Acquire), pace.stuck.load(Ordering::Acquire));
        wave.drain.left.store(taking.saturating_sub(stuck), Ordering::Release);
    });
    hub.0.frames.forget_before(seq, position.min(who));
    Some(drain)
}

pub(super) fn beat_of(hub: &super::Hub, number: u64) -> Beat {
    let hashed = number.is_multiple_of(BEATS_PER_HASH);
    let used = hub.0.sets.topics();
    let mut topics = HashMap::with_capacity(used.len());
    let (by_events, others): (Vec<Topic>, Vec<Topic>) =
        used.into_iter().partition(|topic| topic.kind.counts_events());
    let (head, policy) = {
        let mut board = hub.topics();
        for topic in by_events {
            let Some(head) = board.head(&topic) else { continue };
            let hash = board.hash(&topic).filter(|_| hashed).map(|(_, hash)| hash);
            topics.insert(topic, (head.get(), hash));
        }
        (board.seq(), board.policy())
    };
    if !others.is_empty() {
        hub.0.positions.with(|table| {
            let mut parts = HashMap::new();
            for topic in others {
                let told = moved_at(table, &topic, hashed, &mut parts);
                topics.insert(topic, told);
            }
        });
    }
    let (server_ms, pace_milli) = hub.0.clock.course();
    Beat {
        number,
        server_ms,
        pace_milli,
        head,
        topics,
        degraded: hub.0.positions.degraded(),
        policy,
        ping: number.is_multiple_of(BEATS_PER_PING),
    }
}

/// Hash of everybody in a part of the city, and where each of its map cells stands, with its hash.
type PartHashes = (u64, HashMap<Cell, (u64, u64)>);

/// Where a topic of positions or of who they are stands, with its hash: of the topic's own part, and of nobody beyond it.
/// `parts` keeps what has been counted for this beat.
fn moved_at(
    table: &mut Table,
    topic: &Topic,
    hashed: bool,
    parts: &mut HashMap<Option<Part>, PartHashes>,
) -> (u64, Option<u64>) {
    let part = topic.part.as_ref();
    if topic.kind == Kind::Who {
        let (head, hash) = table.who_at(part);
        return (head, hashed.then_some(hash));
    }
    if !hashed {
        return (table.version(), None);
    }
    let (all, cells) = parts.entry(topic.part.clone()).or_insert_with(|| {
        let (all, cells) = table.hashes(part);
        let cells = cells.into_iter().take(CELLS_HASHED_MAX);
        (all, cells.map(|(cell, version, hash)| (cell, (version, hash))).collect())
    });
    match topic.kind {
        Kind::Position(cell) => match cells.get(&cell) {
            Some((version, hash)) => (*version, Some(*hash)),
            None => (table.version(), None),
        },
        Kind::Tally
        | Kind::Overdue
        | Kind::Open
        | Kind::Whistle
        | Kind::Who
        | Kind::Case
        | Kind::Positions => (table.version(), Some(*all)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_millis(12);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A hall whose waves took `took` each for a while.
    fn after(took: Duration) -> Rhythm {
        let mut rhythm = Rhythm::new(LONGEST);
        (0..10).for_each(|_| rhythm.learn(took, true));
        rhythm
    }

    #[test]
    fn a_wave_of_a_quiet_hall_is_told_at_once_however_slow_waves_were() {
        for rhythm in [Rhythm::new(LONGEST), after(ms(1)), after(ms(500))] {
            assert_eq!(rhythm.gathers(0), Duration::ZERO, "{rhythm:?}");
        }
    }

    #[test]
    fn a_busy_hall_gathers_as_long_as_a_wave_took_lately() {
        assert_eq!(Rhythm::new(LONGEST).gathers(1), WAIT_LEAST, "nothing is known of it yet");
        let gathers = after(ms(6)).gathers(400);
        assert!(gathers > ms(5) && gathers <= ms(6), "{gathers:?}");
        assert_eq!(after(Duration::ZERO).gathers(400), WAIT_LEAST, "others get a turn");
    }

    #[test]
    fn nobody_waits_longer_than_the_settings_say() {
        let mut rhythm = after(ms(500));
        assert_eq!(rhythm.gathers(1), LONGEST);
        (0..10).for_each(|_| rhythm.learn(LONGEST, false));
        assert_eq!(rhythm.gathers(1), LONGEST);
        let least = Rhythm::new(Duration::from_micros(200));
        assert_eq!(least.gathers(1), Duration::from_micros(200), "a setting below the least wait holds too");
    }

    #[test]
    fn a_wave_that_does_not_reach_everybody_makes_the_next_wait_longer_and_one_alone_is_soon_forgotten() {
        let mut rhythm = after(ms(2));
        let before = rhythm.gathers(1);
        rhythm.learn(before, false);
        assert!(rhythm.gathers(1) > before);
        (0..4).for_each(|_| rhythm.learn(ms(2), true));
        assert!(rhythm.gathers(1) <= before + ms(1));
    }
}
