//! One group of commands, from the inbox to the answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use domain::code::{CaseId, WhistleId};
use domain::command::Command;
use domain::event::{Event, HallEvent, Recorded};
use domain::policy::Policy;
use domain::rejection::Rejection;
use domain::state::{State, decide};
use tokio::sync::oneshot;

use super::{
    Answer, Committed, Condition, Envelope, GROUP_COMMANDS_MAX, Outcome, Publisher, Request, WriteError,
};
use crate::clock::{Now, Watch};
use crate::store::{Fingerprint, Projection, Remembered, Store, StoreError};
use crate::timer::{Ring, Wake};

/// Longest wait for more commands before a commit.
const GATHER_MAX: Duration = Duration::from_millis(2);
/// A pause in arrivals that ends the gathering earlier.
const GATHER_PAUSE: Duration = Duration::from_micros(150);

/// Pause between looks for room on a full disk.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(1);

type Waiting = (Vec<Envelope>, oneshot::Sender<Vec<Outcome>>);

pub(super) struct Loop {
    store: Store,
    state: State,
    policy: Arc<Policy>,
    publisher: Box<dyn Publisher>,
    watch: Watch,
    condition: Arc<Condition>,
    wake: Arc<Wake>,
    /// Commands in the last group: as many are expected again when senders wait for their answers.
    last_group: usize,
}

enum Gathered {
    Group(Vec<Waiting>),
    Stop(Vec<Waiting>),
}

/// The disk failed in the middle of a group; the state in memory may be ahead of it.
struct Failed(StoreError);

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl Loop {
    pub(super) fn new(
        store: Store,
        state: State,
        policy: Arc<Policy>,
        publisher: Box<dyn Publisher>,
        watch: Watch,
        condition: Arc<Condition>,
        wake: Arc<Wake>,
    ) -> Self {
        Self { store, state, policy, publisher, watch, condition, wake, last_group: 0 }
    }

    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        // A writer that has panicked must not leave a server behind that looks alive.
        let _guard = AbortOnPanic;
        self.set_wake();
        loop {
            let (group, stop) = match self.gather(requests) {
                Gathered::Group(group) => (group, false),
                Gathered::Stop(group) => (group, true),
            };
            self.carry_out(group);
            if stop {
                break;
            }
        }
        if let Err(error) = self.store.close(&self.state) {
            // Everything acknowledged is in the log already; only the next start takes longer.
            tracing::warn!(error = error.chain(), "store not closed cleanly");
        }
    }

    /// Waits for a command, then for those that come with it.
    fn gather(&mut self, requests: &Receiver<Request>) -> Gathered {
        let mut group = Vec::new();
        let mut commands = 0;
        match self.first(requests) {
            Ok(Request::Commands(envelopes, answer)) => {
                commands += envelopes.len();
                group.push((envelopes, answer));
            }
            Ok(Request::Stop) | Err(_) => return Gathered::Stop(group),
        }
        let until = Instant::now() + GATHER_MAX;
        while commands < GROUP_COMMANDS_MAX {
            let next = match requests.try_recv() {
                Ok(next) => next,
                Err(TryRecvError::Disconnected) => return Gathered::Stop(group),
                Err(TryRecvError::Empty) if commands >= self.last_group => break,
                Err(TryRecvError::Empty) => {
                    let left = until.saturating_duration_since(Instant::now());
                    match requests.recv_timeout(left.min(GATHER_PAUSE)) {
                        Ok(next) => next,
                        Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => return Gathered::Stop(group),
                    }
                }
            };
            match next {
                Request::Commands(envelopes, answer) => {
                    commands += envelopes.len();
                    group.push((envelopes, answer));
                }
                Request::Stop => return Gathered::Stop(group),
            }
        }
        Gathered::Group(group)
    }

    /// Waits for a command. On a full disk it looks for room meanwhile: a server that is not ready gets no commands
    /// that would make it look.
    fn first(&mut self, requests: &Receiver<Request>) -> Result<Request, RecvError> {
        while self.condition.full.load(Ordering::Relaxed) {
            match requests.recv_timeout(LOOK_FOR_ROOM) {
                Ok(request) => return Ok(request),
                Err(RecvTimeoutError::Disconnected) => return Err(RecvError),
                Err(RecvTimeoutError::Timeout) => {
                    self.still_full();
                }
            }
        }
        requests.recv()
    }

    /// Whether the disk was full and still is.
    fn still_full(&mut self) -> bool {
        let full = self.condition.full.load(Ordering::Relaxed) && !self.store.has_room();
        self.condition.full.store(full, Ordering::Relaxed);
        full
    }

    fn carry_out(&mut self, group: Vec<Waiting>) {
        let commands: usize = group.iter().map(|(envelopes, _)| envelopes.len()).sum();
        if commands == 0 {
            return;
        }
        self.last_group = commands;
        let outcomes = self.outcomes(&group, commands);
        self.condition.waiting.fetch_sub(commands, Ordering::Relaxed);
        let mut outcomes = outcomes.into_iter();
        for (envelopes, answer) in group {
            // An error means that the sender no longer waits; sending again with the same key tells it.
            let _ = answer.send(outcomes.by_ref().take(envelopes.len()).collect());
        }
    }

    /// Carries a group out and publishes it; afterwards it is durable or nothing of it happened.
    fn outcomes(&mut self, group: &[Waiting], commands: usize) -> Vec<Outcome> {
        if self.still_full() {
            let full = StoreError::Full { path: self.store.database() };
            return vec![Err(WriteError::NotStored(full.to_string())); commands];
        }
        let began = Instant::now();
        match self.record(group) {
            Ok((outcomes, committed)) => {
                self.condition.commits.note(began.elapsed());
                metrics::histogram!("gridhall_commit_seconds").record(began.elapsed().as_secs_f64());
                metrics::counter!("gridhall_events_total").increment(committed.len() as u64);
                if !committed.is_empty() {
                    self.publisher.publish(&self.state, &committed);
                    self.store.note_head(self.state.seq);
                    self.set_wake();
                }
                outcomes
            }
            Err(Failed(error)) if error.is_full() => {
                tracing::error!(error = error.chain(), "commands not stored");
                self.condition.full.store(true, Ordering::Relaxed);
                self.start_over();
                vec![Err(WriteError::NotStored(error.to_string())); commands]
            }
            Err(Failed(error)) => abort(&error),
        }
    }

    /// Puts the state back to what the disk has.
    fn start_over(&mut self) {
        let reloaded = self.store.rollback().and_then(|()| self.store.reload(&self.policy));
        match reloaded {
            Ok(state) => self.state = state,
            Err(error) => abort(&error),
        }
    }

    fn record(&mut self, group: &[Waiting]) -> Result<(Vec<Outcome>, Vec<Committed>), Failed> {
        let now = self.now();
        self.store.begin()?;
        let mut written = Written::default();
        let mut outcomes = Vec::new();
        for envelope in group.iter().flat_map(|(envelopes, _)| envelopes) {
            outcomes.push(self.one(envelope, now, &mut written)?);
        }
        if written.anything {
            self.store.project(&written.projection)?;
            self.store.commit()?;
            if let Err(error) = self.store.bound_wal() {
                // The group is durable already: whoever sent it must not hear that it is not.
                tracing::error!(error = error.chain(), "write-ahead log not folded in");
            }
        } else {
            self.store.rollback()?;
        }
        Ok((outcomes, written.committed))
    }

    fn now(&mut self) -> Now {
        let now = self.watch.read(self.condition.believe.swap(false, Ordering::Relaxed));
        let doubted_ms = now.given.since(now.believed);
        self.condition.doubted_ms.store(doubted_ms, Ordering::Relaxed);
        metrics::gauge!("gridhall_clock_doubted_seconds").set(doubted_ms as f64 / 1e3);
        now
    }

    /// The events of a command. While the clock is doubted, which day it is follows the clock, which can be turned back;
    /// alarms go by the time that is believed, because nothing takes them back.
    fn decided(&self, command: &Command, now: Now) -> Result<Vec<Event>, Rejection> {
        let events = decide(&self.state, command, &self.policy, now.given)?;
        if now.believed == now.given || !matches!(command, Command::PassDeadlines) {
            return Ok(events);
        }
        let is_day = |event: &Event| matches!(event, Event::Hall(HallEvent::DayTurned { .. }));
        let alarms = decide(&self.state, command, &self.policy, now.believed)?;
        Ok(events
            .into_iter()
            .filter(is_day)
            .chain(alarms.into_iter().filter(|event| !is_day(event)))
            .collect())
    }

    fn one(&mut self, envelope: &Envelope, now: Now, written: &mut Written) -> Result<Outcome, Failed> {
        let name = envelope.command.name();
        let fingerprint = Fingerprint::of(&envelope.command);
        if let Some(known) = self.store.remembered(&envelope.key)? {
            metrics::counter!("gridhall_commands_total", "command" => name, "outcome" => "replayed")
                .increment(1);
            if known.fingerprint != fingerprint {
                return Ok(Err(WriteError::Refused(Rejection::KeyReused)));
            }
            return Ok(Ok(self.answer_again(known, written)?));
        }
        let own = envelope.department.as_ref();
        let own = own.map_or(Ok(()), |own| self.state.check_department(&envelope.command, own));
        let fresh = own.and_then(|()| self.state.check_seen(&envelope.command, envelope.seen));
        let events = match fresh.and_then(|()| self.decided(&envelope.command, now)) {
            Ok(events) => events,
            Err(rejection) => {
                metrics::counter!("gridhall_commands_total", "command" => name, "outcome" => rejection.code())
                    .increment(1);
                return Ok(Err(WriteError::Refused(rejection)));
            }
        };
        metrics::counter!("gridhall_commands_total", "command" => name, "outcome" => "done").increment(1);
        let first_seq = self.state.seq + 1;
        let (case, whistle) = events.first().map_or((None, None), |event| (event.case(), event.whistle()));
        let nothing = events.is_empty();
        for event in events {
            let seq = self.state.seq + 1;
            let recorded = Recorded { seq, at: now.given, by: envelope.by.clone(), event };
            self.store.append(&envelope.key, &recorded)?;
            let changes = self.state.apply(&recorded);
            written.projection.note(&recorded, &changes);
            written.committed.push(Committed { recorded, changes });
        }
        let last_seq = self.state.seq;
        // The timer asks several times a day with nothing to tell; its keys are never sent again.
        if !(nothing && matches!(envelope.command, Command::PassDeadlines)) {
            self.store.remember(&envelope.key, Remembered { fingerprint, first_seq, last_seq })?;
            written.anything = true;
        }
        let number = self.number(case, written)?;
        Ok(Ok(Answer { first_seq, last_seq, replayed: false, case, whistle, number }))
    }

    fn answer_again(&self, known: Remembered, written: &Written) -> Result<Answer, Failed> {
        let Remembered { first_seq, last_seq, .. } = known;
        let (case, whistle) =
            if last_seq < first_seq { (None, None) } else { self.store.subject_of(first_seq)? };
        let (case, whistle) = (case.map(CaseId), whistle.map(WhistleId));
        let number = self.number(case, written)?;
        Ok(Answer { first_seq, last_seq, replayed: true, case, whistle, number })
    }

    fn number(&self, case: Option<CaseId>, written: &Written) -> Result<Option<String>, Failed> {
        let Some(id) = case else { return Ok(None) };
        let known = written.projection.case(id).or_else(|| self.state.cases.get(&id));
        match known {
            Some(case) => Ok(Some(case.number.clone())),
            None => Ok(self.store.number_of(id.0)?),
        }
    }

    /// Tells the timer when it is needed next: at the first deadline, and when the local day ends.
    fn set_wake(&self) {
        let midnight = self.state.today.plus_days(1).midnight(self.policy.utc_offset_minutes);
        let next = self.state.next_deadline().map_or(midnight, |due| due.min(midnight));
        if self.wake.at.swap(next.0, Ordering::Release) != next.0 {
            // A full bell has rung already.
            let _ = self.wake.bell.try_send(Ring::Changed);
        }
    }
}

#[derive(Default)]
struct Written {
    projection: Projection,
    committed: Vec<Committed>,
    /// Something has to be committed.
    anything: bool,
}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("writer panicked, process stops");
            std::process::abort();
        }
    }
}

/// Ends the process: after a failed write or sync nobody knows what the disk has. A restart reads it.
fn abort(error: &StoreError) -> ! {
    tracing::error!(
        error = error.chain(),
        "store failed, process stops; start it again to read what the disk has"
    );
    std::process::abort();
}
