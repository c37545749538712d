//! Appending: a group of commands goes to the log at once.

use std::collections::HashMap;

use domain::code::{CaseId, WhistleId};
use domain::command::Command;
use domain::event::Recorded;
use domain::moment::{DAY_MS, UtcMillis};
use domain::state::State;
use uuid::Uuid;

use super::Store;
use crate::clock::Now;
use crate::folder::StoreError;
use crate::log::{Blob, CommandRow, Group, Subject};
use crate::stored::answer::{self, About};
use crate::stored::command::import_key;
use crate::stored::{self, person};

/// What an idempotency key of an actor stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    pub first_seq: u64,
    /// Below `first_seq` when the command changed nothing.
    pub last_seq: u64,
    pub about: About,
    /// It was given to this very command.
    pub is_same: bool,
}

/// A group on its way: what was decided, and is not durable yet.
#[derive(Debug, Default)]
pub struct Pending {
    group: Group,
    /// Places in `group.commands`.
    keys: HashMap<(Uuid, String), usize>,
}

impl Pending {
    /// Nothing has to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.group.is_empty()
    }

    /// Takes an event in that has been applied. `reporter` was taken out of it before.
    pub fn event(
        &mut self,
        store: &Store,
        recorded: &Recorded,
        reporter: Option<&str>,
        line: Option<&domain::case::Case>,
    ) {
        let mark = reporter.map(|reporter| person::mark(&store.log.secret(), reporter));
        let row = stored::row(recorded, line.map(stored::line), mark.as_deref());
        if let (Some(reporter), Some(case)) = (reporter, row.case) {
            self.group.persons.push(person::sealed(case, reporter));
        }
        self.group.events.push(row);
    }

    /// Puts bytes beside the events that name them.
    pub fn blob(&mut self, blob: Blob) {
        self.group.blobs.push(blob);
    }

    /// Remembers what a key stands for.
    pub fn command(&mut self, command: CommandRow) {
        self.keys.insert((Uuid::from_bytes(command.key), command.actor.clone()), self.group.commands.len());
        self.group.commands.push(command);
    }
}

/// The key that imports gave a row before the store's secret was in it.
fn former_key(command: &Command) -> Option<Uuid> {
    let Command::TakeOverCase { report, .. } = command else { return None };
    let external = report.external.as_ref()?;
    Some(import_key(&Uuid::NAMESPACE_OID, &external.system, &external.id))
}

/// Keys that end in one transaction; the writer stands still for it.
const FORGET_BITE: usize = 1_000;

/// Whose the keys of imported rows are: the same row is the same, whoever sends it and sees everything. Who sees a part has keys
/// of their own, or they would tell what others have imported, and could be taken before them.
const IMPORTS: &str = "import";

/// A command as it was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub actor: &'a str,
    pub key: Uuid,
    pub command: &'a Command,
    /// Who sends it sees the whole city.
    pub sees_all: bool,
}

impl Store {
    /// Whether its key is that of an imported row, which holds the store's secret.
    fn is_import(&self, sent: Sent<'_>) -> bool {
        let Command::TakeOverCase { report, .. } = sent.command else { return false };
        let Some(external) = &report.external else { return false };
        sent.key == import_key(&self.import_namespace(), &external.system, &external.id)
    }

    /// Whose key it is: the sender's; of an imported row that of all imports.
    fn owner<'a>(&self, sent: Sent<'a>) -> &'a str {
        if sent.sees_all && self.is_import(sent) { IMPORTS } else { sent.actor }
    }

    /// What the key of this actor stands for, in the group on its way or in the log.
    pub(crate) fn remembered(
        &self,
        pending: &Pending,
        sent: Sent<'_>,
    ) -> Result<Option<Remembered>, StoreError> {
        let (owner, Sent { actor, key, command, .. }) = (self.owner(sent), sent);
        if let Some(at) = pending.keys.get(&(key, owner.to_owned())) {
            return self.known(pending.group.commands[*at].clone(), command).map(Some);
        }
        let mut found = self.log.remembered(owner, key.as_bytes())?;
        if let (None, true, Some(former)) = (&found, self.is_import(sent), former_key(command)) {
            found = self.log.remembered(actor, former.as_bytes())?;
            if found.is_none() && sent.sees_all {
                found = self.log.remembered(IMPORTS, former.as_bytes())?;
            }
        }
        if found.is_none() && !sent.sees_all && self.is_import(sent) {
            return self.once_of_all(sent);
        }
        found.map(|found| self.known(found, command)).transpose()
    }

    /// An imported row of a sender who sees a part, among the keys of all imports: there it was before such a sender had keys of
    /// their own. What another one has imported is found in nothing but the very row.
    fn once_of_all(&self, sent: Sent<'_>) -> Result<Option<Remembered>, StoreError> {
        let keys = [Some(sent.key), former_key(sent.command)];
        for key in keys.into_iter().flatten() {
            let Some(row) = self.log.remembered(IMPORTS, key.as_bytes())? else { continue };
            let known = self.known(row, sent.command)?;
            let first = self.log.read(known.first_seq.saturating_sub(1), 1)?.pop();
            if known.is_same || first.is_some_and(|event| event.actor == sent.actor) {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    fn known(&self, row: CommandRow, command: &Command) -> Result<Remembered, StoreError> {
        let fingerprint = person::fingerprint(&self.log.secret(), row.form, command);
        let about = match answer::decode(&row.answer) {
            Some(about) => about,
            None => self.about(row.first, row.last)?,
        };
        let is_same = fingerprint == Some(row.fingerprint);
        Ok(Remembered { first_seq: row.first, last_seq: row.last, about, is_same })
    }

    /// The answer of a key of the first format, from its events.
    fn about(&self, first: u64, last: u64) -> Result<About, StoreError> {
        if last < first {
            return Ok(About::default());
        }
        let Some(row) = self.log.read(first - 1, 1)?.pop() else { return Ok(About::default()) };
        let number = match row.case {
            Some(case) => self.number_of(case)?,
            None => None,
        };
        Ok(About { case: row.case.map(CaseId), whistle: row.whistle.map(WhistleId), number })
    }

    /// The number of a case, from the first of its events.
    fn number_of(&self, case: u64) -> Result<Option<String>, StoreError> {
        let mut before = u64::MAX;
        loop {
            let page = self.log.of(Subject::Case(case), before, crate::log::READ_ROWS_MAX)?;
            let Some(oldest) = page.last() else { return Ok(None) };
            if let Some(line) = page.iter().find_map(|row| row.line.as_ref()) {
                return Ok(Some(line.number.clone()));
            }
            if let Some(number) =
                stored::number(oldest).map_err(|source| self.unreadable(oldest.seq, source))?
            {
                return Ok(Some(number));
            }
            before = oldest.seq;
        }
    }

    fn unreadable(&self, seq: u64, source: stored::StoredError) -> StoreError {
        StoreError::Event { path: self.database(), seq, source }
    }

    /// The row that remembers a command and its answer.
    pub(crate) fn command_row(
        &self,
        sent: Sent<'_>,
        at: UtcMillis,
        (first, last): (u64, u64),
        about: &About,
    ) -> CommandRow {
        let form = person::FINGERPRINT_FORM;
        let fingerprint = person::fingerprint(&self.log.secret(), form, sent.command);
        CommandRow {
            no: 0,
            at: at.0,
            actor: self.owner(sent).to_owned(),
            key: sent.key.into_bytes(),
            fingerprint: fingerprint.unwrap_or_default(),
            form,
            first,
            last,
            answer: answer::encode(about),
            lasting: self.is_import(sent),
        }
    }

    /// Makes the group durable: all of it, or nothing of it happened. Which time was believed `now` is kept with it; an
    /// empty group is written where the time was doubted and no longer is.
    pub(crate) fn append(&mut self, pending: Pending, now: Now) -> Result<(), StoreError> {
        let believed = now.instead();
        if pending.is_empty() && (believed.is_some() || self.believed.is_none()) {
            return Ok(());
        }
        self.log.append(&Group { believed: believed.map(|at| at.0), ..pending.group })?;
        self.believed = believed;
        Ok(())
    }

    /// Whether there is room again, tried by a write that changes nothing else.
    pub(crate) fn has_room(&mut self) -> bool {
        self.log.has_room()
    }

    /// Lets a bite of the keys end that are older than they are kept for; gives how many.
    pub(crate) fn forget(&mut self, now: UtcMillis) -> Result<usize, StoreError> {
        let Some(days) = self.options.keys_kept_days else { return Ok(0) };
        let kept_ms = i64::from(days) * DAY_MS;
        Ok(self.log.forget(now.plus(-kept_ms).0, FORGET_BITE)?)
    }

    /// Tells the keeper how far the log has come.
    pub(crate) fn note_head(&self, state: &State) {
        if let Some(keeper) = &self.keeper {
            keeper.note_head(state.seq, super::day_of(state));
        }
    }

    #[must_use]
    pub fn options(&self) -> &super::Options {
        &self.options
    }
}
