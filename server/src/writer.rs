//! The one writer: a thread that takes commands in groups and runs decide → append → apply → commit → publish → answer.
//!
//! What should be here: order, grouping, the answers. What should not: rules (`domain`), SQL (`log`), who may send
//! what (`access`). A command is answered after its events are on the disk, never before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::code::{CaseId, DepartmentCode, WhistleId};
use domain::command::Command;
use domain::event::{By, Recorded};
use domain::moment::UtcMillis;
use domain::rejection::Rejection;
use domain::scope::Scope;
use domain::state::{Changes, State};
use serde::Serialize;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::clock::{Clock, Watch};
use crate::events::Newest;
use crate::lock::lock;
use crate::timer::{Door, Timer, Wake};
use crate::views::pace::CommitTimes;
use crate::world::{Live, World};

mod adopt;
mod group;
mod room;
mod counts;
pub mod store;
pub mod pen;

pub use adopt::{Adoption, ListAdoption};
use store::Store;

/// Commands one commit may hold; at 200 bytes an event a sync takes as long for 512 as for one.
pub const GROUP_COMMANDS_MAX: usize = 512;
/// Commands that may wait. At 15,000 a second this is half a second; past that the sender is told to come back.
const WAITING_COMMANDS_MAX: usize = 8_192;

/// A command with who sends it and under which key.
#[derive(Debug, Clone)]
pub struct Envelope<W = Live> {
    /// In which world it is meant: only a writer of that world takes it.
    pub world: W,
    /// Made by the sender (UUIDv7); sending again under the same key answers as the first time.
    pub key: Uuid,
    pub by: By,
    /// The one department the actor acts for, where that is all it may do.
    pub department: Option<DepartmentCode>,
    /// What the actor may see: nobody acts on more.
    pub scope: Scope,
    /// Version of the case the sender had before their eyes when they decided; none where nobody looked.
    pub seen: Option<u64>,
    pub command: Command,
}

/// What became of a command. Its events are durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Answer {
    /// Sequence numbers of its events; `last_seq` is below `first_seq` when it changed nothing.
    pub first_seq: u64,
    pub last_seq: u64,
    /// The key was known: this is the answer of the first time.
    pub replayed: bool,
    pub case: Option<CaseId>,
    pub whistle: Option<WhistleId>,
    /// The case's number as read out on the floor.
    pub number: Option<String>,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("{0}")]
    Refused(Rejection),
    /// A time does not fit, but the clock it was held against is doubted: not for good.
    #[error("the server's clock is doubted: {0}")]
    ClockDoubted(Rejection),
    #[error("too many commands are waiting; try again in a second")]
    Busy,
    #[error("this is the past: nothing is changed there")]
    Past,
    #[error("the server is stopping")]
    Stopped,
    /// Nothing was changed.
    #[error("not stored: {0}")]
    NotStored(String),
}

/// An event that is durable, and what it changed.
#[derive(Debug, Clone)]
pub struct Committed<W = Live> {
    /// In which world it happened: only who shows that world takes it.
    pub world: W,
    pub recorded: Recorded,
    pub changes: Changes,
}

/// Who is told of committed events. Called on the writer's thread before the answers are given: fast, never blocking.
pub trait Publisher<W: World = Live>: Send {
    /// Called once, before the first command, with the events that led to the state, where the store has just read them.
    fn start(&mut self, epoch: u64, state: &State, newest: Option<Newest>);
    fn publish(&mut self, state: &State, committed: &[Committed<W>]);
}

/// Nobody is told: for imports and tools.
impl<W: World> Publisher<W> for () {
    fn start(&mut self, _: u64, _: &State, _: Option<Newest>) {}
    fn publish(&mut self, _: &State, _: &[Committed<W>]) {}
}

pub(crate) type Outcome = Result<Answer, WriteError>;

pub(crate) enum Request<W> {
    Commands(Vec<Envelope<W>>, oneshot::Sender<Vec<Outcome>>),
    Adopt(adopt::Adopt),
    Stop,
}

/// How the writer does, for everyone outside its thread.
#[derive(Default)]
pub(crate) struct Condition {
    /// Commands that wait.
    waiting: AtomicUsize,
    /// The disk had no room at the last attempt.
    full: AtomicBool,
    /// How far the wall clock is ahead of what is believed, in milliseconds, negative where it is behind; 0 when it is believed.
    doubted_ms: AtomicI64,
    /// An operator has said that the clock is right.
    believe: AtomicBool,
    /// How long the last commits took.
    commits: CommitTimes,
}

pub(crate) struct Shared<W> {
    inbox: SyncSender<Request<W>>,
    condition: Arc<Condition>,
    health: Arc<store::Health>,
    threads: std::sync::Mutex<Option<Threads>>,
}

pub(crate) struct Threads {
    writer: JoinHandle<()>,
    timer: Option<Timer>,
}

/// The door to the writer of a hall in one world; cheap to clone. It takes what is meant for that world and nothing else.
pub struct Writer<W = Live> {
    shared: Arc<Shared<W>>,
}

impl<W> Clone for Writer<W> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<W: World> Writer<W> {
    /// Whether commands are refused because the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.shared.condition.full.load(Ordering::Relaxed)
    }

    /// [`Self::is_full`] for those who can make room; holds the writer up in nothing.
    pub fn fullness(&self) -> impl Fn() -> bool + Send + use<W> {
        let condition = self.shared.condition.clone();
        move || condition.full.load(Ordering::Relaxed)
    }

    /// How far the wall clock has leapt without being believed yet, in milliseconds: positive where it is ahead, alarms are held
    /// meanwhile; negative where it was set back, the hall goes on without it.
    #[must_use]
    pub fn doubted_clock(&self) -> Option<i64> {
        Some(self.shared.condition.doubted_ms.load(Ordering::Relaxed)).filter(|ms| *ms != 0)
    }

    /// An operator says that the clock is right as it stands.
    pub fn believe_clock(&self) {
        self.shared.condition.believe.store(true, Ordering::Relaxed);
    }

    /// What is wrong with the keeping of the store; none while all is well.
    #[must_use]
    pub fn keeping(&self) -> Option<String> {
        self.shared.health.problem()
    }

    pub(crate) fn of(shared: Arc<Shared<W>>) -> Self {
        Self { shared }
    }

    /// How long its last commits took: who writes beside it asks before going on.
    #[must_use]
    pub fn commit_times(&self) -> CommitTimes {
        self.shared.condition.commits.clone()
    }

    /// Sends one command and waits until it is durable or refused.
    pub async fn send(&self, envelope: Envelope<W>) -> Outcome {
        self.send_group(vec![envelope]).await.pop().unwrap_or(Err(WriteError::Stopped))
    }

    /// Sends many; each is answered on its own, in order.
    pub async fn send_many(&self, mut envelopes: Vec<Envelope<W>>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(envelopes.len());
        while !envelopes.is_empty() {
            let rest = envelopes.split_off(envelopes.len().min(GROUP_COMMANDS_MAX));
            outcomes.append(&mut self.send_group(std::mem::replace(&mut envelopes, rest)).await);
        }
        outcomes
    }

    async fn send_group(&self, envelopes: Vec<Envelope<W>>) -> Vec<Outcome> {
        let count = envelopes.len();
        match self.enqueue(envelopes) {
            Ok(answers) => answers.await.unwrap_or_else(|_| vec![Err(WriteError::Stopped); count]),
            Err(error) => vec![Err(error); count],
        }
    }

    /// For threads without an async runtime.
    pub fn send_many_blocking(&self, mut envelopes: Vec<Envelope<W>>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(envelopes.len());
        while !envelopes.is_empty() {
            let rest = envelopes.split_off(envelopes.len().min(GROUP_COMMANDS_MAX));
            let group = std::mem::replace(&mut envelopes, rest);
            let count = group.len();
            let mut answered = match self.enqueue(group) {
                Ok(answers) => {
                    answers.blocking_recv().unwrap_or_else(|_| vec![Err(WriteError::Stopped); count])
                }
                Err(error) => vec![Err(error); count],
            };
            outcomes.append(&mut answered);
        }
        outcomes
    }

    fn enqueue(&self, envelopes: Vec<Envelope<W>>) -> Result<oneshot::Receiver<Vec<Outcome>>, WriteError> {
        let count = envelopes.len();
        let waiting = &self.shared.condition.waiting;
        if waiting.fetch_add(count, Ordering::Relaxed) + count > WAITING_COMMANDS_MAX {
            waiting.fetch_sub(count, Ordering::Relaxed);
            metrics::counter!("gridhall_writer_busy_total").increment(count as u64);
            return Err(WriteError::Busy);
        }
        let (answer, answers) = oneshot::channel();
        match self.shared.inbox.try_send(Request::Commands(envelopes, answer)) {
            Ok(()) => Ok(answers),
            Err(error) => {
                waiting.fetch_sub(count, Ordering::Relaxed);
                Err(match error {
                    TrySendError::Full(_) => WriteError::Busy,
                    TrySendError::Disconnected(_) => WriteError::Stopped,
                })
            }
        }
    }

    /// Finishes what is waiting, writes a snapshot and closes the store. Blocks; later commands are answered
    /// `Stopped`.
    pub fn stop(&self) {
        let threads = lock(&self.shared.threads).take();
        let Some(threads) = threads else { return };
        if let Some(timer) = threads.timer {
            timer.stop();
        }
        // An error means that the thread has already ended.
        let _ = self.shared.inbox.send(Request::Stop);
        let _ = threads.writer.join();
    }
}

/// Starts the writer of the city's hall and its deadline timer, which go by `clock`. On return the publisher knows the whole state, so that
/// nobody can be answered from an empty one.
#[must_use]
pub fn spawn_with(
    store: Store,
    state: State,
    publisher: Box<dyn Publisher>,
    clock: impl Into<Clock>,
) -> Writer {
    spawn_doubting(store, state, publisher, clock, Duration::ZERO)
}

/// As [`spawn_with`], without a timer and without belief in a jump: for a tool that changes a stopped hall. What has passed since it
/// stopped is for the hall's own next start to tell, by a clock it has looked at for a while.
#[must_use]
pub fn spawn_untimed(
    store: Store,
    state: State,
    publisher: Box<dyn Publisher>,
    clock: impl Into<Clock>,
) -> Writer {
    start(store, state, publisher, clock.into(), None)
}

/// As [`spawn_with`], in any world; a clock that leaps ahead or back by more than an hour is believed once it has stood for `confirm_after`.
/// Meanwhile alarms go by the time that is believed, since nothing takes them back. At a start the leap is from the last time
/// that was believed.
#[must_use]
pub fn spawn_doubting<W: World>(
    store: Store,
    state: State,
    publisher: Box<dyn Publisher<W>>,
    clock: impl Into<Clock>,
    confirm_after: Duration,
) -> Writer<W> {
    start(store, state, publisher, clock.into(), Some(confirm_after))
}

/// `confirm_after`: none for a tool, which has no timer either.
fn start<W: World>(
    mut store: Store,
    state: State,
    mut publisher: Box<dyn Publisher<W>>,
    clock: Clock,
    confirm_after: Option<Duration>,
) -> Writer<W> {
    let newest = store.take_newest();
    publisher.start(store.epoch(), &state, newest);
    let (inbox, requests) = sync_channel(WAITING_COMMANDS_MAX);
    let (bell, rings) = sync_channel(1);
    let wake = Arc::new(Wake { at: AtomicI64::new(i64::MIN), bell });
    let condition = Arc::new(Condition::default());
    let health = store.health();
    let last = last_believed(&store, &state);
    last.into_iter().for_each(|last| clock.knew(last, false));
    let watch = Watch::new(clock.clone(), last, confirm_after);
    let group = group::Loop::new(store, state, publisher, watch, condition.clone(), wake.clone());
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || group.run(&requests))
        .expect("a thread can be started at the start of the process");
    let shared = Arc::new(Shared { inbox, condition, health, threads: std::sync::Mutex::new(None) });
    let writer = Writer { shared };
    let door = Door(Arc::downgrade(&writer.shared));
    let timer = confirm_after.map(|_| Timer::start(door, wake, rings, clock));
    *lock(&writer.shared.threads) = Some(Threads { writer: thread, timer });
    writer
}

/// Which time was believed last: that of the newest event, unless it was doubted; none in an empty log. What cannot be read
/// proves nothing.
pub(crate) fn last_believed(store: &Store, state: &State) -> Option<UtcMillis> {
    if let Some(believed) = store.believed() {
        return Some(believed);
    }
    let read = store.reader().events_after(state.seq.checked_sub(1)?, 1).ok()?;
    read.first().map(|(recorded, _)| recorded.at)
}
