//! What happened as rows of a log, by the stored forms of the product.
//!
//! What should be here: rows. What should not: what happens (`life`), where rows are written (`fill`).

use anyhow::Context;
use domain::code::{CaseId, WhistleId};
use domain::moment::{DAY_MS, UtcMillis};
use server::log::seal::Secret;
use server::log::{CommandRow, EventRow, Group};
use server::stored::{self, answer, person};
use sha2::{Digest, Sha256};

use super::life::{Done, Happened};

/// How long keys are kept.
const KEYS_DAYS: i64 = 31;

/// Makes rows for one log.
#[derive(Debug)]
pub struct Rows {
    secret: Secret,
    /// Keys of commands before this have ended, as a policy that ends them leaves a store.
    keys_from: UtcMillis,
}

impl Rows {
    /// `secret` is that of the log the rows are for, `until` its last moment.
    pub fn new(secret: Secret, until: UtcMillis) -> Self {
        Self { secret, keys_from: until.plus(-KEYS_DAYS * DAY_MS) }
    }

    /// Adds the rows of a command to its group.
    pub fn put(&self, done: &Done, group: &mut Group) -> anyhow::Result<()> {
        let first = group.events.len();
        for Happened { recorded, reporter, line, .. } in &done.happened {
            let mark = reporter.as_ref().map(|reporter| person::mark(&self.secret, reporter));
            group.events.push(stored::row(recorded, line.clone(), mark.as_deref()));
            let sealed = recorded.event.case().zip(reporter.as_ref());
            group.persons.extend(sealed.map(|(case, name)| person::sealed(case.0, name)));
        }
        if done.at >= self.keys_from {
            let command = self.command(done, &group.events[first..])?;
            group.commands.push(command);
        }
        Ok(())
    }

    /// The command's own row. Its key is made of its place in the log, so that the same seed gives the same keys.
    fn command(&self, done: &Done, events: &[EventRow]) -> anyhow::Result<CommandRow> {
        let (first, last) = events.first().zip(events.last()).context("a command made no event")?;
        let form = person::FINGERPRINT_FORM;
        let fingerprint = person::fingerprint(&self.secret, form, &done.command);
        let fingerprint = fingerprint.context("the present form has no fingerprint")?;
        let about = answer::About {
            case: first.case.map(CaseId),
            whistle: first.whistle.map(WhistleId),
            number: first.line.as_ref().map(|line| line.number.clone()),
        };
        Ok(CommandRow {
            no: 0,
            at: done.at.0,
            actor: done.by.name.clone(),
            key: key(first.seq, done.at),
            fingerprint,
            form,
            first: first.seq,
            last: last.seq,
            answer: answer::encode(&about),
            lasting: false,
        })
    }
}

/// The key of the command that begins with an event. The first six bytes are the time, as in a key of version 7: the
/// newest stand together.
pub fn key(first: u64, at: UtcMillis) -> [u8; 16] {
    let digest = Sha256::digest(first.to_be_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key[..6].copy_from_slice(&at.0.to_be_bytes()[2..]);
    key
}
