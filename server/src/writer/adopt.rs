//! Adopting a policy or a list of cameras: through the one writer, after the commands before it and before those behind it.

use std::sync::Arc;
use std::sync::mpsc::TrySendError;

use domain::adoption::{CameraCounts, Changed, ListHash, PolicyHash};
use domain::event::{By, Event, PolicyEvent};
use domain::policy::Policy;
use domain::rejection::Rejection;
use domain::state::replan::ToReplan;
use tokio::sync::oneshot;

use super::group::{Failed, Loop, Written};
use super::store::Pending;
use super::{Request, WriteError, Writer};
use crate::clock;
use crate::log::Blob;
use crate::stored::cameras::Sealed;
use crate::world::World;

/// What became of a policy that was to be adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adoption {
    /// Version in force; as before where the policy was in force already.
    pub version: u64,
    pub hash: PolicyHash,
    /// Its event; none where nothing changed.
    pub seq: Option<u64>,
    pub changed: Changed,
    /// What follows by events of its own, in bites between the city's commands.
    pub to_replan: ToReplan,
}

/// What became of a list of cameras that was to be adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListAdoption {
    /// Version in force; as before where the list was in force already.
    pub version: u64,
    pub hash: ListHash,
    /// Its event; none where nothing changed.
    pub seq: Option<u64>,
}

/// On its way to the writer, with the body it is kept as and whom to answer.
pub(crate) enum Adopt {
    Policy {
        by: By,
        policy: Arc<Policy>,
        body: Blob,
        /// The version it was held against, where it was.
        upon: Option<u64>,
        answer: Answer<Adoption>,
    },
    Cameras {
        by: By,
        counts: CameraCounts,
        body: Sealed,
        /// As for a policy.
        upon: Option<u64>,
        answer: Answer<ListAdoption>,
    },
}

type Answer<T> = oneshot::Sender<Result<T, WriteError>>;

impl<W: World> Writer<W> {
    /// Adopts a policy that was held against the version `upon`: it is in force when this returns, and running clocks follow
    /// it. The one that is in force already changes nothing; refused where another one has come into force since, against which
    /// nobody has held it.
    pub async fn adopt(&self, by: By, policy: Policy, upon: u64) -> Result<Adoption, WriteError> {
        let answer = self.ask_to_adopt(by, policy, Some(upon))?;
        answer.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// As [`Self::adopt`], upon whatever is in force where no version is named, for threads without an async runtime.
    pub fn adopt_blocking(&self, by: By, policy: Policy, upon: Option<u64>) -> Result<Adoption, WriteError> {
        let answer = self.ask_to_adopt(by, policy, upon)?;
        answer.blocking_recv().unwrap_or(Err(WriteError::Stopped))
    }

    /// Adopts a list of cameras: the log names it when this returns. The one that is in force already changes nothing. For
    /// threads without an async runtime.
    pub fn adopt_cameras_blocking(
        &self,
        by: By,
        body: Sealed,
        counts: CameraCounts,
        upon: Option<u64>,
    ) -> Result<ListAdoption, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Adopt::Cameras { by, counts, body, upon, answer })?;
        answered.blocking_recv().unwrap_or(Err(WriteError::Stopped))
    }

    fn ask_to_adopt(
        &self,
        by: By,
        policy: Policy,
        upon: Option<u64>,
    ) -> Result<oneshot::Receiver<Result<Adoption, WriteError>>, WriteError> {
        // Megabytes for a city with its grids: made here, and not while commands wait.
        let (body, _) = crate::stored::policy::body(&policy);
        let (answer, answered) = oneshot::channel();
        self.ask(Adopt::Policy { by, policy: Arc::new(policy), body, upon, answer })?;
        Ok(answered)
    }

    fn ask(&self, adopt: Adopt) -> Result<(), WriteError> {
        self.shared.inbox.try_send(Request::Adopt(adopt)).map_err(|error| match error {
            TrySendError::Full(_) => WriteError::Busy,
            TrySendError::Disconnected(_) => WriteError::Stopped,
        })
    }
}

impl<W: World> Loop<W> {
    pub(super) fn adopt(&mut self, adopt: Adopt) {
        // An error of sending means that nobody waits for the answer any more; asking again tells it.
        match adopt {
            Adopt::Policy { by, policy, body, upon, answer } => {
                let adopted = self.adopted(&by, policy, body, upon);
                if let Ok(Adoption { version, hash, seq: Some(_), to_replan, .. }) = &adopted {
                    let ToReplan { clocks, cases, whistles } = *to_replan;
                    tracing::info!(by = by.name, version, %hash, clocks, cases, whistles, "policy adopted");
                }
                let _ = answer.send(adopted);
            }
            Adopt::Cameras { by, counts, body, upon, answer } => {
                let adopted = self.cameras_adopted(&by, counts, body, upon);
                if let Ok(ListAdoption { version, hash, seq: Some(_) }) = &adopted {
                    let CameraCounts { cameras, new, gone, readdressed, moved, renamed } = counts;
                    tracing::info!(by = by.name, version, %hash, cameras, new, gone, readdressed, moved, renamed, "camera list adopted");
                }
                let _ = answer.send(adopted);
            }
        }
    }

    fn adopted(
        &mut self,
        by: &By,
        policy: Arc<Policy>,
        body: Blob,
        upon: Option<u64>,
    ) -> Result<Adoption, WriteError> {
        self.expect_room()?;
        let hash = PolicyHash(body.hash);
        let event = self.state.adopting(policy, hash, upon).map_err(WriteError::Refused)?;
        let (mut seq, mut changed) = (None, Changed::default());
        if let Some(event) = event {
            if let Event::Policy(PolicyEvent::Adopted(adopted)) = &event {
                changed = adopted.changed;
            }
            seq = Some(self.write_with(event, by, body)?);
        }
        let version = self.state.in_force().version;
        Ok(Adoption { version, hash, seq, changed, to_replan: self.state.to_replan() })
    }

    fn cameras_adopted(
        &mut self,
        by: &By,
        counts: CameraCounts,
        body: Sealed,
        upon: Option<u64>,
    ) -> Result<ListAdoption, WriteError> {
        self.expect_room()?;
        let hash = body.hash();
        let event = self.state.adopting_cameras(hash, counts, upon).map_err(WriteError::Refused)?;
        let seq = match event {
            Some(event) => Some(self.write_with(event, by, body.into_blob())?),
            None => {
                // Whoever adopts the list again may do so because its body was lost or damaged.
                let mut pending = Pending::default();
                pending.blob(body.into_blob());
                let now = self.now();
                self.store.append(pending, now).map_err(|error| self.not_stored(Failed(error)))?;
                None
            }
        };
        let version = self.state.cameras().map_or(0, |list| list.version);
        Ok(ListAdoption { version, hash, seq })
    }

    /// Makes an event durable as a group of its own, together with the body it names; gives its number.
    fn write_with(&mut self, event: Event, by: &By, body: Blob) -> Result<u64, WriteError> {
        let (began, now) = (clock::instant(), self.now());
        if !now.given.is_possible() {
            return Err(WriteError::Refused(Rejection::ClockOff));
        }
        let mut written = Written::default();
        written.pending.blob(body);
        self.happened(event, by, now.given, &mut written);
        let seq = self.state.seq;
        let Written { pending, mut committed } = written;
        match self.store.append(pending, now) {
            Ok(()) => self.committed(began, &mut committed),
            Err(error) => return Err(self.not_stored(Failed(error))),
        }
        Ok(seq)
    }
}
