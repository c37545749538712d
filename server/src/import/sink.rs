//! Where commands of an import go: a store opened for it alone, or a running server.

use domain::command::Command;
use domain::event::{By, Door};
use domain::rejection::Language;
use uuid::Uuid;

use super::remote::Remote;
use super::{ImportError, Target};
use crate::clock::Clock;
use crate::world::Live;
use crate::writer::store::Store;
use crate::writer::{self, Envelope, WriteError, Writer};

/// Actor of cases taken from a file into a store.
const ACTOR: &str = "import";

/// What became of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    Taken,
    Unchanged,
    Refused { field: String, code: String, reason: String },
}

pub enum Sink {
    Store(Writer, Uuid),
    Server(Remote, Uuid),
}

impl Sink {
    pub fn open(target: &Target<'_>) -> Result<Self, ImportError> {
        match target {
            Target::Store { dir, policy } => {
                let (store, state) = Store::open(dir, policy)?;
                let namespace = store.import_namespace();
                let writer = writer::spawn_untimed(store, state, Box::new(()), Clock::machine());
                Ok(Self::Store(writer, namespace))
            }
            Target::Server { url, token } => {
                let mut remote = Remote::new(url, token)?;
                let namespace = remote.namespace()?;
                Ok(Self::Server(remote, namespace))
            }
        }
    }

    /// What the keys of rows are made with: only whoever may import into this store knows it.
    pub fn namespace(&self) -> Uuid {
        match self {
            Self::Store(_, namespace) | Self::Server(_, namespace) => *namespace,
        }
    }

    /// Sends commands and answers for each, in order.
    pub fn send(&mut self, commands: Vec<(Uuid, Command)>) -> Result<Vec<Answered>, ImportError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Store(writer, _) => to_store(writer, commands),
            Self::Server(remote, _) => remote.send(&commands),
        }
    }

    /// Ends cleanly; a store is left with a snapshot.
    pub fn close(self) {
        match self {
            Self::Store(writer, _) => writer.stop(),
            Self::Server(..) => {}
        }
    }
}

pub(super) fn refused(field: &str, code: &str, reason: String) -> Answered {
    let reason = if code == "key_reused" {
        "was imported before with other values or through another mapping; nothing was changed".to_owned()
    } else {
        reason
    };
    Answered::Refused { field: field.to_owned(), code: code.to_owned(), reason }
}

fn to_store(writer: &Writer, commands: Vec<(Uuid, Command)>) -> Result<Vec<Answered>, ImportError> {
    let by = By { name: ACTOR.to_owned(), roles: Vec::new(), door: Door::Import };
    let envelopes: Vec<Envelope> = commands
        .into_iter()
        .map(|(key, command)| Envelope {
            world: Live,
            key,
            by: by.clone(),
            department: None,
            scope: domain::scope::Scope::All,
            seen: None,
            command,
        })
        .collect();
    let mut answered = Vec::with_capacity(envelopes.len());
    for outcome in writer.send_many_blocking(envelopes) {
        answered.push(match outcome {
            Ok(answer) if answer.replayed => Answered::Unchanged,
            Ok(_) => Answered::Taken,
            Err(WriteError::Refused(rejection)) => {
                refused(rejection.field().unwrap_or(""), rejection.code(), rejection.words(Language::En))
            }
            Err(
                error @ (WriteError::ClockDoubted(_)
                | WriteError::Busy
                | WriteError::Past
                | WriteError::Stopped
                | WriteError::NotStored(_)),
            ) => refused("", "not_stored", error.to_string()),
        });
    }
    Ok(answered)
}
