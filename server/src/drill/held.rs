//! One open drill: its record, its clock, the door to its hall's writer. What it does, its record has first.
//!
//! What should be here: one decision after another, each on the disk before it holds. What should not: which drills there are
//! (`drill`), the rules (`domain::drill`).

use std::sync::{Arc, Mutex};

use domain::code::CaseId;
use domain::drill::answer::DrillAnswer;
use domain::drill::{Ask, Asker, Became, Drill, DrillEvent, DrillRefusal, Happening};
use domain::moment::UtcMillis;
use domain::scope::Scope;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::breaking::Heard;
use super::journal::{Journal, JournalError};
use super::stands::Stands;
use crate::access::Actor;
use crate::clock::{Clock, Driver};
use crate::lists::Lists;
use crate::lock::lock;
use crate::world::Exercise;
use crate::writer::{Answer, Envelope, WriteError, Writer};

/// Why a director's ask is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    #[error(transparent)]
    Refused(#[from] DrillRefusal),
    #[error("the drill's record cannot be written; nothing was changed")]
    Record(#[from] JournalError),
    #[error("the drill's hall cannot be opened")]
    Hall(#[source] anyhow::Error),
    #[error("the server is stopping")]
    Stopping,
}

/// Why something does not happen in a drill.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    #[error(transparent)]
    Drill(#[from] DrillError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Of what an open drill consists.
pub(super) struct Parts {
    pub journal: Journal,
    pub drill: Drill,
    pub clock: Clock,
    pub driver: Driver,
    /// What the live hall goes by.
    pub live: Clock,
    pub writer: Writer<Exercise>,
    pub lists: Lists,
    pub heard: Heard,
    pub stands: Stands,
}

/// An open drill.
pub struct Held {
    record: Mutex<Record>,
    pub(super) clock: Clock,
    driver: Driver,
    live: Clock,
    writer: Writer<Exercise>,
    lists: Lists,
    heard: Heard,
    stands: Mutex<Stands>,
    /// Rung when the drill was asked something that may change what comes next.
    pub(super) changed: Notify,
    /// It is over, or the process ends.
    pub(super) over: CancellationToken,
}

struct Record {
    journal: Journal,
    drill: Drill,
}

impl Record {
    fn take(&mut self, event: &DrillEvent) -> Result<(), JournalError> {
        self.journal.append(event)?;
        self.drill.apply(event);
        Ok(())
    }
}

impl Held {
    pub(super) fn new(parts: Parts, over: CancellationToken) -> Self {
        let Parts { journal, drill, clock, driver, live, writer, lists, heard, stands } = parts;
        Self {
            record: Mutex::new(Record { journal, drill }),
            clock,
            driver,
            live,
            writer,
            lists,
            heard,
            stands: Mutex::new(stands),
            changed: Notify::new(),
            over,
        }
    }

    /// By its own clock.
    #[must_use]
    pub fn now(&self) -> UtcMillis {
        self.clock.now()
    }

    /// The drill as it stands.
    pub(super) fn drill<T>(&self, read: impl FnOnce(&Drill) -> T) -> T {
        read(&lock(&self.record).drill)
    }

    /// As somebody is told of it.
    #[must_use]
    pub fn told(&self, actor: &Actor) -> DrillAnswer {
        self.drill(|drill| DrillAnswer::of(drill, self.clock.now(), drill.is_led_by(&asker(actor))))
    }

    /// Carries out what a director asks, once it is on the disk; whether anything was to be done.
    pub(super) async fn ask(self: &Arc<Self>, ask: Ask, actor: &Actor) -> Result<bool, DrillError> {
        let (held, actor) = (self.clone(), actor.clone());
        let asked = tokio::task::spawn_blocking(move || held.ask_blocking(&ask, &actor));
        let done = asked.await.map_err(|_| DrillError::Stopping)??;
        self.changed.notify_one();
        Ok(done)
    }

    fn ask_blocking(&self, ask: &Ask, actor: &Actor) -> Result<bool, DrillError> {
        let unanswered: Vec<CaseId> = self.heard.now().unanswered(&Scope::All);
        let mut record = lock(&self.record);
        let times = (self.clock.now(), self.live.now());
        let Some(event) = record.drill.decide(ask, &asker(actor), &unanswered, times)? else {
            return Ok(false);
        };
        record.take(&event)?;
        // Within the lock: nobody sees a drill that runs by a clock that stands.
        self.driver.set_pace_milli(record.drill.pace.milli());
        tracing::info!(drill = %record.drill.prepared.id, by = actor.name, stage = ?record.drill.stage,
            pace_milli = record.drill.pace.milli(), "drill");
        Ok(true)
    }

    /// What happens by hand: the director enters it, whatever their own roles allow in the city.
    pub async fn enter(
        self: &Arc<Self>,
        what: &Happening,
        key: Uuid,
        actor: &Actor,
    ) -> Result<Answer, EnterError> {
        self.ask(Ask::Enter, actor).await?;
        let of_real_people = |field| DrillError::Refused(DrillRefusal::OfRealPeople { index: None, field });
        what.check().map_err(of_real_people)?;
        let envelope = Envelope {
            world: Exercise,
            key,
            by: actor.recorded(),
            department: None,
            scope: actor.scope.clone(),
            seen: None,
            command: what.command(),
        };
        Ok(self.writer.send(envelope).await?)
    }

    /// Number `inject` of the list happens, unless the drill has been paused or ended meanwhile.
    pub(super) async fn inject(self: &Arc<Self>, inject: u16) -> Result<(), EnterError> {
        let clock = self.clock.now();
        let what = self.drill(|drill| {
            let is_due = drill.due(clock).contains(&inject);
            is_due.then(|| drill.prepared.injects.get(usize::from(inject)).cloned()).flatten()
        });
        let Some(what) = what else { return Ok(()) };
        let envelope = self.drill(|drill| super::injector::envelope(&drill.prepared, inject, &what.what));
        let became = match self.writer.send(envelope).await {
            Ok(answer) => Became::Entered { number: answer.number },
            Err(WriteError::Refused(rejection)) => {
                tracing::warn!(inject, %rejection, "the drill's rules refuse what was to happen");
                Became::Refused { code: rejection.code().to_owned() }
            }
            Err(error) => return Err(error.into()),
        };
        let held = self.clone();
        let event = DrillEvent::Injected { inject, clock, became };
        let taken = tokio::task::spawn_blocking(move || lock(&held.record).take(&event));
        Ok(taken.await.map_err(|_| DrillError::Stopping)?.map_err(DrillError::Record)?)
    }

    /// A drill that ran when the server ended stands, and says so; whether it did. Before anybody can reach it.
    pub(super) fn come_back(&self) -> Result<bool, JournalError> {
        let mut record = lock(&self.record);
        let event = record.drill.come_back(self.clock.now(), self.live.now());
        event.as_ref().map_or(Ok(()), |event| record.take(event))?;
        Ok(event.is_some())
    }

    /// Puts on the disk where its clock stands. Blocks.
    pub(super) fn note_clock(&self) {
        // Read within the lock: what is written last is the latest.
        let mut stands = lock(&self.stands);
        stands.write(self.clock.now());
    }

    /// Lets go of the drill's hall. Blocks until everything it has is on the disk.
    pub(super) fn close(&self) {
        self.over.cancel();
        self.note_clock();
        self.writer.stop();
        self.lists.stop();
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.drill(|drill| f.debug_tuple("Held").field(&drill.prepared.id).field(&drill.stage).finish())
    }
}

/// Who asks.
#[must_use]
pub fn asker(actor: &Actor) -> Asker<'_> {
    Asker { name: &actor.name, roles: &actor.roles }
}
