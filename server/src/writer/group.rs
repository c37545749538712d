//! One group of commands, from the inbox to the answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use domain::code::CaseId;
use domain::command::Command;
use domain::event::{By, Event, HallEvent, Recorded};
use domain::moment::UtcMillis;
use domain::rejection::Rejection;
use domain::state::{Sender, State, decide, decide_for};
use domain::tally::TallyKey;
use tokio::sync::oneshot;

use super::adopt::Adopt;
use super::store::{Pending, Remembered, Sent, Store};
use super::{
    Answer, Committed, Condition, Envelope, GROUP_COMMANDS_MAX, Outcome, Publisher, Request, WriteError,
};
use crate::clock::{self, Instant, Now, Watch};
use crate::folder::StoreError;
use crate::lasting::Lasting;
use crate::stored::answer::About;
use crate::stored::person;
use crate::timer::{Ring, Wake};
use crate::world::World;

/// Longest wait for more commands before a commit.
const GATHER_MAX: Duration = Duration::from_millis(2);
/// A pause in arrivals that ends the gathering earlier.
const GATHER_PAUSE: Duration = Duration::from_micros(150);

/// Pause between looks for room on a full disk.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(1);

type Waiting<W> = (Vec<Envelope<W>>, oneshot::Sender<Vec<Outcome>>);

pub(super) struct Loop<W: World> {
    pub(super) store: Store,
    pub(super) state: State,
    publisher: Box<dyn Publisher<W>>,
    watch: Watch,
    pub(super) condition: Arc<Condition>,
    wake: Arc<Wake>,
    /// Cells that were counted anew and that nobody has heard of yet.
    pub(super) recounted: Vec<TallyKey>,
    /// Keys are being forgotten that are old at this time.
    forgetting: Option<UtcMillis>,
    /// Groups that the disk had no room for.
    pub(super) trouble: Lasting,
    /// Commands in the last group: as many are expected again when senders wait for their answers.
    last_group: usize,
}

enum Gathered<W> {
    Group(Vec<Waiting<W>>),
    /// A policy or a list of cameras comes after these.
    Adopt(Vec<Waiting<W>>, Adopt),
    Stop(Vec<Waiting<W>>),
}

/// The disk failed in the middle of a group; the state in memory may be ahead of it.
pub(super) struct Failed(pub(super) StoreError);

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl<W: World> Loop<W> {
    pub(super) fn new(
        store: Store,
        state: State,
        publisher: Box<dyn Publisher<W>>,
        watch: Watch,
        condition: Arc<Condition>,
        wake: Arc<Wake>,
    ) -> Self {
        let (recounted, forgetting) = (Vec::new(), None);
        let (trouble, last_group) = (Lasting::default(), 0);
        Self { store, state, publisher, watch, condition, wake, recounted, forgetting, trouble, last_group }
    }

    pub(super) fn run(mut self, requests: &Receiver<Request<W>>) {
        // A writer that has panicked must not leave a server behind that looks alive.
        let _guard = AbortOnPanic;
        self.set_wake();
        loop {
            let (group, adopt, stop) = match self.gather(requests) {
                Gathered::Group(group) => (group, None, false),
                Gathered::Adopt(group, adopt) => (group, Some(adopt), false),
                Gathered::Stop(group) => (group, None, true),
            };
            self.carry_out(group);
            if let Some(adopt) = adopt {
                self.adopt(adopt);
            }
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
    fn gather(&mut self, requests: &Receiver<Request<W>>) -> Gathered<W> {
        let mut group = Vec::new();
        let mut commands = 0;
        match self.first(requests) {
            Ok(Request::Commands(envelopes, answer)) => {
                commands += envelopes.len();
                group.push((envelopes, answer));
            }
            Ok(Request::Adopt(adopt)) => return Gathered::Adopt(group, adopt),
            Ok(Request::Stop) | Err(_) => return Gathered::Stop(group),
        }
        let until = clock::instant() + GATHER_MAX;
        while commands < GROUP_COMMANDS_MAX {
            let next = match requests.try_recv() {
                Ok(next) => next,
                Err(TryRecvError::Disconnected) => return Gathered::Stop(group),
                Err(TryRecvError::Empty) if commands >= self.last_group => break,
                Err(TryRecvError::Empty) => {
                    let left = until.saturating_duration_since(clock::instant());
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
                Request::Adopt(adopt) => return Gathered::Adopt(group, adopt),
                Request::Stop => return Gathered::Stop(group),
            }
        }
        Gathered::Group(group)
    }

    /// Waits for a command. On a full disk it looks for room meanwhile: a server that is not ready gets no commands
    /// that would make it look.
    fn first(&mut self, requests: &Receiver<Request<W>>) -> Result<Request<W>, RecvError> {
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

    fn carry_out(&mut self, group: Vec<Waiting<W>>) {
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
        self.forget();
    }

    /// Lets keys end, a bite after each group since the day turned: nobody waits for all of a day's.
    fn forget(&mut self) {
        let Some(now) = self.forgetting else { return };
        match self.store.forget(now) {
            Ok(0) => self.forgetting = None,
            Ok(_) => {}
            Err(error) if error.is_full() => {
                tracing::warn!(error = error.chain(), "keys not forgotten");
                self.forgetting = None;
            }
            Err(error) => abort(&error),
        }
    }

    /// Carries a group out and publishes it; afterwards it is durable or nothing of it happened.
    fn outcomes(&mut self, group: &[Waiting<W>], commands: usize) -> Vec<Outcome> {
        if let Err(full) = self.expect_room() {
            return vec![Err(full); commands];
        }
        let began = clock::instant();
        match self.record(group) {
            Ok((outcomes, mut committed)) => {
                self.committed(began, &mut committed);
                outcomes
            }
            Err(failed) => vec![Err(self.not_stored(failed)); commands],
        }
    }

    /// What is durable is told to everybody.
    pub(super) fn committed(&mut self, began: Instant, committed: &mut [Committed<W>]) {
        self.condition.commits.note(began.elapsed());
        metrics::histogram!("gridhall_commit_seconds").record(began.elapsed().as_secs_f64());
        metrics::counter!("gridhall_events_total").increment(committed.len() as u64);
        if let Some(last) = committed.last_mut() {
            if let Some(failed) = self.trouble.over() {
                tracing::info!(failed, "commands are stored again");
            }
            last.changes.tally.append(&mut self.recounted);
            self.publisher.publish(&self.state, committed);
            self.store.note_head(&self.state);
            self.set_wake();
        }
    }

    fn record(&mut self, group: &[Waiting<W>]) -> Result<(Vec<Outcome>, Vec<Committed<W>>), Failed> {
        self.take_counts()?;
        let now = self.now();
        let mut written = Written::default();
        let mut outcomes = Vec::new();
        let today = self.state.today;
        for envelope in group.iter().flat_map(|(envelopes, _)| envelopes) {
            outcomes.push(self.one(envelope, now, &mut written)?);
        }
        self.store.append(written.pending, now)?;
        if self.state.today != today {
            // By the time that is believed: nothing brings a key back.
            self.forgetting = Some(now.believed);
        }
        Ok((outcomes, written.committed))
    }

    pub(super) fn now(&mut self) -> Now {
        let now = self.watch.read(self.condition.believe.swap(false, Ordering::Relaxed));
        self.condition.doubted_ms.store(now.doubted_ms, Ordering::Relaxed);
        metrics::gauge!("gridhall_clock_doubted_seconds").set(now.doubted_ms as f64 / 1e3);
        now
    }

    /// The events of a command. While the clock is doubted, which day it is follows the clock, which can be turned back;
    /// alarms go by the time that is believed, because nothing takes them back.
    fn decided(&self, envelope: &Envelope<W>, now: Now) -> Result<Vec<Event>, Rejection> {
        let Envelope { by, department, scope, seen, command, .. } = envelope;
        let sender = Sender { by, department: department.as_ref(), scope, seen: *seen };
        let events = decide_for(&self.state, &sender, command, now.given)?;
        if now.instead().is_none() || !matches!(command, Command::PassDeadlines) {
            return Ok(events);
        }
        let is_day = |event: &Event| matches!(event, Event::Hall(HallEvent::DayTurned { .. }));
        let alarms = decide(&self.state, command, now.believed)?;
        Ok(events
            .into_iter()
            .filter(is_day)
            .chain(alarms.into_iter().filter(|event| !is_day(event)))
            .collect())
    }

    fn one(&mut self, envelope: &Envelope<W>, now: Now, written: &mut Written<W>) -> Result<Outcome, Failed> {
        let Envelope { key, by, command, scope, .. } = envelope;
        let name = command.name();
        let count = |outcome: &'static str| {
            metrics::counter!("gridhall_commands_total", "command" => name, "outcome" => outcome)
                .increment(1);
        };
        // The key of an imported row is no secret of its sender's: what lies beyond their scope is refused before it is looked up,
        // so that what is known there and what is not are refused alike.
        if let (Command::TakeOverCase { .. }, Err(rejection)) =
            (command, self.state.check_scope(command, scope))
        {
            count(rejection.code());
            return Ok(Err(WriteError::Refused(rejection)));
        }
        let sent = Sent { actor: by.name.as_str(), key: *key, command, sees_all: scope.is_all() };
        if let Some(known) = self.store.remembered(&written.pending, sent)? {
            count("replayed");
            if !known.is_same {
                return Ok(Err(WriteError::Refused(Rejection::KeyReused)));
            }
            let Remembered { first_seq, last_seq, about: About { case, whistle, number }, .. } = known;
            return Ok(Ok(Answer { first_seq, last_seq, replayed: true, case, whistle, number }));
        }
        let events = match self.decided(envelope, now) {
            Ok(events) => events,
            Err(rejection) => {
                count(rejection.code());
                // A feeding machine lets go of what is refused for good.
                let may_fit = now.doubted_ms != 0 && matches!(rejection, Rejection::ImpossibleTime { .. });
                let refused = if may_fit { WriteError::ClockDoubted } else { WriteError::Refused };
                return Ok(Err(refused(rejection)));
            }
        };
        count("done");
        let first_seq = self.state.seq + 1;
        let (case, whistle) = events.first().map_or((None, None), |event| (event.case(), event.whistle()));
        let nothing = events.is_empty();
        for event in events {
            self.happened(event, by, now.given, written);
        }
        let last_seq = self.state.seq;
        let about = About { case, whistle, number: case.and_then(|case| self.number(case, written)) };
        // The timer asks several times a day with nothing to tell; its keys are never sent again.
        if !(nothing && matches!(command, Command::PassDeadlines)) {
            written.pending.command(self.store.command_row(sent, now.given, (first_seq, last_seq), &about));
        }
        let About { case, whistle, number } = about;
        Ok(Ok(Answer { first_seq, last_seq, replayed: false, case, whistle, number }))
    }

    /// Applies an event and puts it into the group. Who reported a case goes no further than here.
    pub(super) fn happened(&mut self, mut event: Event, by: &By, now: UtcMillis, written: &mut Written<W>) {
        let reporter = person::take(&mut event);
        let seq = self.state.seq + 1;
        let recorded = Recorded { seq, at: now, by: by.clone(), event };
        let changes = self.state.apply(&recorded);
        let about = recorded.event.case();
        let case = changes.case.as_ref().or_else(|| self.state.cases.get(&about?));
        written.pending.event(&self.store, &recorded, reporter.as_deref(), case);
        written.committed.push(Committed { world: W::default(), recorded, changes });
    }

    fn number(&self, id: CaseId, written: &Written<W>) -> Option<String> {
        // Closed within this group, it is in no state any more.
        let changed = written.committed.iter().rev().find_map(|one| one.changes.case.as_ref());
        let known = self.state.cases.get(&id).or(changed.filter(|case| case.id == id));
        known.map(|case| case.number.clone())
    }

    /// Tells the timer when it is needed next: at the first deadline, and when the local day ends; at once while cases or
    /// calls wait for being replanned.
    fn set_wake(&self) {
        let midnight = self.state.today.plus_days(1).midnight(self.state.policy().utc_offset_minutes);
        let next = match self.state.next_deadline() {
            _ if self.state.has_stale() => UtcMillis(0),
            Some(due) => due.min(midnight),
            None => midnight,
        };
        if self.wake.at.swap(next.0, Ordering::Release) != next.0 {
            // A full bell has rung already.
            let _ = self.wake.bell.try_send(Ring::Changed);
        }
    }
}

pub(super) struct Written<W> {
    pub(super) pending: Pending,
    pub(super) committed: Vec<Committed<W>>,
}

impl<W> Default for Written<W> {
    fn default() -> Self {
        Self { pending: Pending::default(), committed: Vec::new() }
    }
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
pub(super) fn abort(error: &StoreError) -> ! {
    tracing::error!(
        error = error.chain(),
        "store failed, process stops; start it again to read what the disk has"
    );
    std::process::abort();
}
