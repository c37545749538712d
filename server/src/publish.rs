//! The fan-out of what is committed: to the live hub, to the lists, and to a copy of tallies and catalogue for REST.
//!
//! What should be here: who hears of a group, in which order. What should not: questions. Nobody who reads can hold the
//! writer: it leaves values behind and goes on.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use arc_swap::ArcSwap;
use domain::adoption::InForce;
use domain::catalogue::Catalogue;
use domain::code::{AreaCode, ClassCode, SourceCode};
use domain::event::{Event, PolicyEvent};
use domain::moment::Date;
use domain::policy::Policy;
use domain::state::State;
use domain::tally::{Count, Dimension, Measure, Period, TallyKey};

use crate::events::Newest;
use crate::lists::Lists;
use crate::live::HubPublisher;
use crate::lock::lock;
use crate::world::{Live, World};
use crate::writer::{Committed, Publisher};

/// Who goes by the policy in force outside the rules: it is told of the one the store opens with, and of each adopted.
pub type Follow = Box<dyn Fn(&Policy) + Send>;

/// Tells the live hub, the lists and the mirror of every commit, and of another policy whoever goes by it.
pub struct Listeners<W: World = Live> {
    pub hub: HubPublisher<W>,
    pub lists: Lists,
    pub mirror: Mirror,
    pub follow: Vec<Follow>,
    /// Who is told as well, when everybody who shows it has been.
    pub beside: Vec<Box<dyn Publisher<W>>>,
}

impl<W: World> Listeners<W> {
    fn tell(&self, policy: &Policy) {
        self.follow.iter().for_each(|follow| follow(policy));
    }
}

impl<W: World> Publisher<W> for Listeners<W> {
    fn start(&mut self, epoch: u64, state: &State, newest: Option<Newest>) {
        self.tell(state.policy());
        self.lists.start(state);
        self.mirror.start(epoch, state);
        self.hub.start(epoch, state, newest);
        self.beside.iter_mut().for_each(|also| also.start(epoch, state, None));
    }

    fn publish(&mut self, state: &State, committed: &[Committed<W>]) {
        let adopted =
            |one: &Committed<W>| matches!(one.recorded.event, Event::Policy(PolicyEvent::Adopted(_)));
        if committed.iter().any(adopted) {
            self.tell(state.policy());
        }
        // Lists first: a screen that hears of an event may ask for its case at once.
        self.lists.publish(committed);
        self.mirror.publish(state, committed);
        self.hub.publish(state, committed);
        self.beside.iter_mut().for_each(|also| also.publish(state, committed));
    }
}

/// What REST answers from without asking the store.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub epoch: u64,
    pub seq: u64,
    pub today: Option<Date>,
    pub catalogue: Arc<Catalogue>,
    /// The policy in force; none before the store is open.
    pub policy: Option<InForce>,
}

/// Groups of changed cells that may wait before the writer takes them over itself, where nobody reads.
const WAITING_GROUPS: usize = 64;

/// A copy of catalogue and tallies; cheap to clone.
#[derive(Clone)]
pub struct Mirror {
    view: Arc<ArcSwap<View>>,
    cells: Arc<Cells>,
}

/// The cells as readers have them, and what they have not taken over yet. The writer only sends: a reader who copies
/// everything holds other readers up, and never the city's commands.
struct Cells {
    send: Mutex<Sender<Group>>,
    waiting: AtomicUsize,
    kept: Mutex<Kept>,
}

struct Kept {
    seq: u64,
    cells: BTreeMap<TallyKey, Count>,
    news: Receiver<Group>,
}

/// What a group of commands changed. With `anew`, everything there is.
struct Group {
    seq: u64,
    cells: Vec<(TallyKey, Count)>,
    anew: bool,
}

impl Default for Mirror {
    fn default() -> Self {
        let (send, news) = channel();
        let kept = Kept { seq: 0, cells: BTreeMap::new(), news };
        let cells = Cells { send: Mutex::new(send), waiting: AtomicUsize::new(0), kept: Mutex::new(kept) };
        Self { view: Arc::default(), cells: Arc::new(cells) }
    }
}

impl Mirror {
    /// Reads the view as it stands; nobody waits meanwhile.
    pub fn read<T>(&self, read: impl FnOnce(&View) -> T) -> T {
        read(&self.view.load())
    }

    /// Asks the cells, exact at the sequence number given with them. Other readers wait meanwhile, the writer does not:
    /// from async code go through a thread that may block.
    pub fn tally<T>(&self, ask: impl FnOnce(&Counts<'_>) -> T) -> T {
        let mut kept = lock(&self.cells.kept);
        self.cells.take_over(&mut kept);
        ask(&Counts { seq: kept.seq, cells: &kept.cells })
    }

    fn start(&self, epoch: u64, state: &State) {
        self.view.store(Arc::new(View {
            epoch,
            seq: state.seq,
            today: Some(state.today),
            catalogue: Arc::new(state.catalogue.clone()),
            policy: Some(state.in_force().clone()),
        }));
        let cells = state.tally.iter().map(|(key, value)| (key.clone(), value)).collect();
        self.cells.send(Group { seq: state.seq, cells, anew: true });
    }

    fn publish<W>(&self, state: &State, committed: &[Committed<W>]) {
        let changed = committed.iter().flat_map(|one| &one.changes.tally);
        let cells = changed.map(|key| (key.clone(), state.tally.get(key))).collect();
        self.cells.send(Group { seq: state.seq, cells, anew: false });
        let before = self.view.load();
        let defined = |one: &Committed<W>| matches!(one.recorded.event, Event::Policy(_));
        let catalogue = if committed.iter().any(defined) {
            Arc::new(state.catalogue.clone())
        } else {
            before.catalogue.clone()
        };
        let policy = Some(state.in_force().clone());
        let view = View { epoch: before.epoch, seq: state.seq, today: Some(state.today), catalogue, policy };
        self.view.store(Arc::new(view));
    }
}

impl Cells {
    fn send(&self, group: Group) {
        // The receiver lives as long as the sender; only the writer's thread takes this lock.
        let _ = lock(&self.send).send(group);
        if self.waiting.fetch_add(1, Ordering::AcqRel) < WAITING_GROUPS {
            return;
        }
        match self.kept.try_lock() {
            Ok(mut kept) => self.take_over(&mut kept),
            Err(TryLockError::Poisoned(kept)) => self.take_over(&mut kept.into_inner()),
            // A reader is at it and has taken over all but the last of it.
            Err(TryLockError::WouldBlock) => {}
        }
    }

    fn take_over(&self, kept: &mut MutexGuard<'_, Kept>) {
        let Kept { seq, cells, news } = &mut **kept;
        while let Ok(group) = news.try_recv() {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            *seq = group.seq;
            if group.anew {
                cells.clear();
            }
            for (key, value) in group.cells {
                match value {
                    gone if gone.is_zero() => drop(cells.remove(&key)),
                    value => drop(cells.insert(key, value)),
                }
            }
        }
    }
}

/// Cells as they stand at one sequence number.
pub struct Counts<'a> {
    pub seq: u64,
    cells: &'a BTreeMap<TallyKey, Count>,
}

/// Which dimensions: all, a kind of them, or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimensions {
    All,
    City,
    Areas,
    Sources,
    Classes,
    One(Dimension),
}

impl Dimensions {
    /// What a text asks for: a kind, or `kind:CODE`; none where it is no dimension.
    #[must_use]
    pub fn asked(text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(Self::All) };
        Some(match text.split_once(':') {
            None => match text {
                "city" => Self::City,
                "area" => Self::Areas,
                "source" => Self::Sources,
                "class" => Self::Classes,
                _ => return None,
            },
            Some(("area", code)) => Self::One(Dimension::Area(AreaCode::new(code).ok()?)),
            Some(("source", code)) => Self::One(Dimension::Source(SourceCode::new(code).ok()?)),
            Some(("class", code)) => Self::One(Dimension::Class(ClassCode::new(code).ok()?)),
            Some(_) => return None,
        })
    }
}

impl Counts<'_> {
    /// One cell; zero where it is absent.
    #[must_use]
    pub fn get(&self, key: &TallyKey) -> Count {
        self.cells.get(key).copied().unwrap_or_default()
    }

    /// The cells of a measure in some dimensions, found by their keys: what is not asked for costs nothing.
    pub fn of(&self, measure: Measure, dimensions: &Dimensions) -> impl Iterator<Item = (&TallyKey, Count)> {
        let key = |dimension| TallyKey { measure, dimension, period: Period::Now };
        // The smallest code there is begins with the smallest character a code may have.
        let first = match dimensions {
            Dimensions::All | Dimensions::City => Dimension::City,
            Dimensions::Areas => AreaCode::new("-").map_or(Dimension::City, Dimension::Area),
            Dimensions::Sources => SourceCode::new("-").map_or(Dimension::City, Dimension::Source),
            Dimensions::Classes => ClassCode::new("-").map_or(Dimension::City, Dimension::Class),
            Dimensions::One(one) => one.clone(),
        };
        let dimensions = dimensions.clone();
        let wanted = move |key: &TallyKey| {
            key.measure == measure
                && match (&dimensions, &key.dimension) {
                    (Dimensions::All, _)
                    | (Dimensions::City, Dimension::City)
                    | (Dimensions::Areas, Dimension::Area(_))
                    | (Dimensions::Sources, Dimension::Source(_))
                    | (Dimensions::Classes, Dimension::Class(_)) => true,
                    (Dimensions::One(one), dimension) => one == dimension,
                    (
                        Dimensions::City | Dimensions::Areas | Dimensions::Sources | Dimensions::Classes,
                        Dimension::City | Dimension::Area(_) | Dimension::Source(_) | Dimension::Class(_),
                    ) => false,
                }
        };
        let from = (Bound::Included(key(first)), Bound::Unbounded);
        self.cells.range(from).take_while(move |(key, _)| wanted(key)).map(|(key, value)| (key, *value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn cells(seq: u64, keys: &[(&str, i64)]) -> Group {
        let count = |cases: i64| Count { cases, base: 2 * cases };
        let cells = keys.iter().map(|(key, value)| (key.parse().unwrap(), count(*value))).collect();
        Group { seq, cells, anew: false }
    }

    fn texts<'a>(found: impl Iterator<Item = (&'a TallyKey, Count)>) -> Vec<String> {
        found.map(|(key, value)| format!("{key}={}", value.cases)).collect()
    }

    #[test]
    fn what_is_asked_for_is_found_by_its_key() {
        let mirror = Mirror::default();
        mirror.cells.send(cells(
            7,
            &[
                ("filed|city|now", 1),
                ("filed|area:5301|day:20261121", 2),
                ("filed|area:-|now", 3),
                ("filed|source:hotline|ever", 4),
                ("filed|class:E01|month:202611", 5),
                ("closed|area:5301|ever", 6),
                ("open|city|now", 7),
            ],
        ));
        mirror.cells.send(cells(8, &[("filed|city|now", 0), ("open|city|now", 9)]));
        mirror.tally(|counts| {
            assert_eq!(counts.seq, 8);
            let filed = |dimensions| texts(counts.of(Measure::Filed, &dimensions));
            assert_eq!(filed(Dimensions::City), [""; 0]);
            assert_eq!(filed(Dimensions::Areas), ["filed|area:-|now=3", "filed|area:5301|day:20261121=2"]);
            assert_eq!(filed(Dimensions::Sources), ["filed|source:hotline|ever=4"]);
            assert_eq!(filed(Dimensions::Classes), ["filed|class:E01|month:202611=5"]);
            let area = Dimension::Area(AreaCode::new("5301").unwrap());
            assert_eq!(filed(Dimensions::One(area)), ["filed|area:5301|day:20261121=2"]);
            assert_eq!(filed(Dimensions::All).len(), 4);
            assert_eq!(counts.get(&"open|city|now".parse().unwrap()), Count { cases: 9, base: 18 });
        });
    }

    /// A viewer who asks for everything in a loop must not stop the city's commands.
    #[test]
    fn a_reader_who_holds_the_tallies_never_holds_the_writer() {
        let mirror = Mirror::default();
        let (reading, is_reading) = channel();
        let (let_go, go) = channel::<()>();
        let reader = {
            let mirror = mirror.clone();
            std::thread::spawn(move || {
                mirror.tally(|counts| {
                    reading.send(counts.seq).unwrap();
                    go.recv_timeout(Duration::from_secs(20)).unwrap();
                });
            })
        };
        is_reading.recv().unwrap();
        let began = Instant::now();
        (1..=1_000).for_each(|seq| mirror.cells.send(cells(seq, &[("open|city|now", seq as i64)])));
        assert!(began.elapsed() < Duration::from_secs(5));
        let_go.send(()).unwrap();
        reader.join().unwrap();
        mirror.tally(|counts| {
            assert_eq!((counts.seq, counts.get(&"open|city|now".parse().unwrap()).cases), (1_000, 1_000));
        });
    }

    #[test]
    fn what_nobody_reads_does_not_pile_up() {
        let mirror = Mirror::default();
        (1..=10_000).for_each(|seq| mirror.cells.send(cells(seq, &[("open|city|now", 1)])));
        assert!(mirror.cells.waiting.load(Ordering::Relaxed) <= WAITING_GROUPS);
    }
}
