//! Adopting a policy: through the one writer, after the commands before it and before those behind it.

use std::sync::Arc;
use std::sync::mpsc::TrySendError;

use domain::adoption::{Changed, PolicyHash};
use domain::event::{By, Event, PolicyEvent};
use domain::policy::Policy;
use domain::state::replan::ToReplan;
use tokio::sync::oneshot;

use super::group::{Failed, Loop, Written};
use super::{Request, WriteError, Writer};
use crate::clock;
use crate::folder::StoreError;
use crate::log::Blob;

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

/// A policy on its way to the writer, with the body it is kept as.
pub(crate) struct Adopt {
    by: By,
    policy: Arc<Policy>,
    body: Blob,
    /// The version it was held against, where it was.
    upon: Option<u64>,
    answer: oneshot::Sender<Result<Adoption, WriteError>>,
}

impl Writer {
    /// Adopts a policy that was held against the version `upon`: it is in force when this returns, and running clocks follow
    /// it. The one that is in force already changes nothing; [`WriteError::Busy`] where another one has come into force
    /// since, against which nobody has held it.
    pub async fn adopt(&self, by: By, policy: Policy, upon: u64) -> Result<Adoption, WriteError> {
        let answer = self.ask_to_adopt(by, policy, Some(upon))?;
        answer.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// As [`Self::adopt`] upon whatever is in force, for threads without an async runtime.
    pub fn adopt_blocking(&self, by: By, policy: Policy) -> Result<Adoption, WriteError> {
        let answer = self.ask_to_adopt(by, policy, None)?;
        answer.blocking_recv().unwrap_or(Err(WriteError::Stopped))
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
        let request = Request::Adopt(Adopt { by, policy: Arc::new(policy), body, upon, answer });
        match self.shared.inbox.try_send(request) {
            Ok(()) => Ok(answered),
            Err(TrySendError::Full(_)) => Err(WriteError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(WriteError::Stopped),
        }
    }
}

impl Loop {
    pub(super) fn adopt(&mut self, adopt: Adopt) {
        let Adopt { by, policy, body, upon, answer } = adopt;
        let adopted = self.adopted(&by, policy, body, upon);
        if let Ok(Adoption { version, hash, seq: Some(_), to_replan, .. }) = &adopted {
            let (clocks, cases) = (to_replan.clocks, to_replan.cases);
            tracing::info!(by = by.name, version, %hash, clocks, cases, "policy adopted");
        }
        // An error means that nobody waits for it any more; asking again tells it.
        let _ = answer.send(adopted);
    }

    fn adopted(
        &mut self,
        by: &By,
        policy: Arc<Policy>,
        body: Blob,
        upon: Option<u64>,
    ) -> Result<Adoption, WriteError> {
        if self.still_full() {
            let full = StoreError::Full { path: self.store.database() };
            return Err(WriteError::NotStored(full.to_string()));
        }
        let hash = PolicyHash(body.hash);
        let event = self.state.adopting(policy, hash).map_err(WriteError::Refused)?;
        if event.is_some() && upon.is_some_and(|upon| upon != self.state.in_force().version) {
            return Err(WriteError::Busy);
        }
        let (mut seq, mut changed) = (None, Changed::default());
        if let Some(event) = event {
            if let Event::Policy(PolicyEvent::Adopted(adopted)) = &event {
                changed = adopted.changed;
            }
            let (began, now) = (clock::instant(), self.now());
            let mut written = Written::default();
            written.pending.blob(body);
            self.happened(event, by, now.given, &mut written);
            seq = Some(self.state.seq);
            let Written { pending, mut committed } = written;
            match self.store.append(pending) {
                Ok(()) => self.committed(began, &mut committed),
                Err(error) => return Err(self.not_stored(Failed(error))),
            }
        }
        let version = self.state.in_force().version;
        Ok(Adoption { version, hash, seq, changed, to_replan: self.state.to_replan() })
    }
}
