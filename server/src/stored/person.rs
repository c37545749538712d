//! Who reported a case: taken out of the event before it is stored, sealed apart from it.

use domain::case::{CaseEvent, Report};
use domain::command::Command;
use domain::event::Event;

use crate::log::PersonRow;
use crate::log::seal::{self, Secret};
use crate::log::sqlite::moving;

/// Takes out of an event who reported the case.
pub fn take(event: &mut Event) -> Option<String> {
    report_of(event)?.reporter.take()
}

fn report_of(event: &mut Event) -> Option<&mut Report> {
    match event {
        Event::Case(_, CaseEvent::Reported { report, .. } | CaseEvent::TakenOver { report, .. }) => {
            Some(report)
        }
        Event::Case(
            _,
            CaseEvent::Stepped(_)
            | CaseEvent::Claimed
            | CaseEvent::Noted { .. }
            | CaseEvent::FileAttached(_)
            | CaseEvent::Replanned { .. }
            | CaseEvent::Moved { .. },
        )
        | Event::Whistle(..)
        | Event::Deadline(_)
        | Event::Policy(_)
        | Event::Hall(_) => None,
    }
}

/// The words, sealed by a key of their own.
#[must_use]
pub fn sealed(case: u64, reporter: &str) -> PersonRow {
    let key = seal::new_key();
    PersonRow { no: 0, case, sealed: seal::seal(&key, case, reporter), key: Some(key) }
}

/// What stands in the event instead.
#[must_use]
pub fn mark(secret: &Secret, reporter: &str) -> String {
    moving::mark(secret, reporter)
}

/// The words again; none once they have been erased.
#[must_use]
pub fn opened(row: &PersonRow) -> Option<String> {
    seal::open(row.key.as_ref()?, row.case, &row.sealed)
}

/// Version of the fingerprint below. 1 was the plain digest, from which a telephone number could have been guessed.
pub const FINGERPRINT_FORM: i64 = 2;

/// What identifies the content of a command: the digest of its stored form, keyed so that nothing can be guessed from it.
#[must_use]
pub fn fingerprint(secret: &Secret, form: i64, command: &Command) -> Option<[u8; 16]> {
    let plain = plain_fingerprint(command);
    match form {
        1 => Some(plain),
        FINGERPRINT_FORM => Some(moving::keyed_fingerprint(secret, &plain)),
        _ => None,
    }
}

fn plain_fingerprint(command: &Command) -> [u8; 16] {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(super::command::encode(command));
    let mut start = [0; 16];
    start.copy_from_slice(&digest[..16]);
    start
}
