//! Who writes in a hall, whichever world it shows: what a door holds that does not know the world by its type.
//!
//! The one place where an order that came through a hall's own door becomes an envelope of that hall's world. What should not be
//! here: who may order what (`access`, `http`).

use domain::code::DepartmentCode;
use domain::command::Command;
use domain::event::By;
use domain::policy::Policy;
use domain::scope::Scope;
use uuid::Uuid;

use super::{Adoption, Envelope, Outcome, WriteError, Writer};
use crate::world::{Exercise, Live, World};

/// A command at the door of a hall, before the hall's world is put to it. The fields are those of an [`Envelope`].
#[derive(Debug, Clone)]
pub struct Order {
    pub key: Uuid,
    pub by: By,
    pub department: Option<DepartmentCode>,
    pub scope: Scope,
    pub seen: Option<u64>,
    pub command: Command,
}

impl Order {
    fn within<W: World>(self) -> Envelope<W> {
        let Self { key, by, department, scope, seen, command } = self;
        Envelope { world: W::default(), key, by, department, scope, seen, command }
    }
}

/// Who writes in a hall.
#[derive(Clone)]
pub enum Pen {
    Live(Writer<Live>),
    Exercise(Writer<Exercise>),
    /// The past: nothing is written.
    Nobody,
}

impl Pen {
    /// Sends many; each is answered on its own, in order.
    pub async fn send_many(&self, orders: Vec<Order>) -> Vec<Outcome> {
        match self {
            Self::Live(writer) => writer.send_many(orders.into_iter().map(Order::within).collect()).await,
            Self::Exercise(writer) => writer.send_many(orders.into_iter().map(Order::within).collect()).await,
            Self::Nobody => orders.iter().map(|_| Err(WriteError::Past)).collect(),
        }
    }

    /// Sends one command and waits until it is durable or refused.
    pub async fn send(&self, order: Order) -> Outcome {
        self.send_many(vec![order]).await.pop().unwrap_or(Err(WriteError::Stopped))
    }

    /// As [`Writer::adopt`].
    pub async fn adopt(&self, by: By, policy: Policy, upon: u64) -> Result<Adoption, WriteError> {
        match self {
            Self::Live(writer) => writer.adopt(by, policy, upon).await,
            Self::Exercise(writer) => writer.adopt(by, policy, upon).await,
            Self::Nobody => Err(WriteError::Past),
        }
    }

    /// As [`Writer::is_full`].
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Live(writer) => writer.is_full(),
            Self::Exercise(writer) => writer.is_full(),
            Self::Nobody => false,
        }
    }

    /// As [`Writer::keeping`].
    #[must_use]
    pub fn keeping(&self) -> Option<String> {
        match self {
            Self::Live(writer) => writer.keeping(),
            Self::Exercise(writer) => writer.keeping(),
            Self::Nobody => None,
        }
    }

    /// As [`Writer::doubted_clock`].
    #[must_use]
    pub fn doubted_clock(&self) -> Option<i64> {
        match self {
            Self::Live(writer) => writer.doubted_clock(),
            Self::Exercise(writer) => writer.doubted_clock(),
            Self::Nobody => None,
        }
    }

    /// As [`Writer::believe_clock`].
    pub fn believe_clock(&self) {
        match self {
            Self::Live(writer) => writer.believe_clock(),
            Self::Exercise(writer) => writer.believe_clock(),
            Self::Nobody => {}
        }
    }

    /// As [`Writer::stop`].
    pub fn stop(&self) {
        match self {
            Self::Live(writer) => writer.stop(),
            Self::Exercise(writer) => writer.stop(),
            Self::Nobody => {}
        }
    }
}
