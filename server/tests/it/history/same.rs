//! What makes a history writes what the product writes: the same deeds given to the hall's own writer leave the same rows,
//! the same state and the same views.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::moment::UtcMillis;
use domain::scope::Scope;
use domain::state::State;
use server::log::container::Section;
use server::log::sqlite::SqliteReader;
use server::log::{CommandRow, EventRow, Group, PersonRow, READ_ROWS_MAX, Read, Stand, shelf};
use server::stored::policy::Genesis;
use server::stored::{person, state};
use server::views::from_log::LogSource;
use server::views::{Belongs, check, sql};
use server::writer::store::{Options, Store};
use server::writer::{self, Envelope};
use sim::city::years::Span;
use uuid::Uuid;

use super::life::{Done, Life};
use super::rows::key;
use super::{UNTIL, fill, policy};

const SPAN: Span =
    Span { seed: 3, cases: 150, days: 9, until: UNTIL, offset: domain::moment::UtcOffset(480) };

/// The same deeds through the writer, each at its own time.
fn write(dir: &Path) {
    let policy = policy();
    let (store, state) = Store::open_with(dir, &policy, Options::default()).unwrap();
    let mut life = Life::new(policy.clone(), SPAN).unwrap();
    let mut done = life.next().unwrap();
    let now = Arc::new(AtomicI64::new(done.as_ref().unwrap().at.0));
    let asked = now.clone();
    let clock: Box<dyn Fn() -> UtcMillis + Send + Sync> =
        Box::new(move || UtcMillis(asked.load(Ordering::SeqCst)));
    let writer = writer::spawn_with(store, state, Box::new(()), clock);
    while let Some(Done { at, by, command, happened }) = done {
        now.store(at.0, Ordering::SeqCst);
        let key = Uuid::from_bytes(key(happened[0].recorded.seq, at));
        let envelope = Envelope {
            world: server::world::Live,
            key,
            by,
            department: None,
            scope: Scope::All,
            seen: None,
            command,
        };
        let outcome = writer.send_many_blocking(vec![envelope]).pop().unwrap();
        outcome.unwrap_or_else(|error| panic!("at {at:?}: {error}"));
        done = life.next().unwrap();
    }
    writer.stop();
}

/// Everything in a log.
fn rows(dir: &Path) -> Group {
    let log = SqliteReader::open(dir).unwrap();
    let (mut stand, mut all) = (Stand::default(), Group::default());
    loop {
        let page = log.since(stand, READ_ROWS_MAX).unwrap();
        if page.is_empty() {
            return all;
        }
        stand = stand.after(&page);
        all.events.extend(page.events);
        all.commands.extend(page.commands);
        all.persons.extend(page.persons);
        all.blobs.extend(page.blobs);
    }
}

/// A row without what every store has of its own: marks and fingerprints are made with its secret.
fn of_any_store(mut row: EventRow) -> EventRow {
    if row.name == "case_reported" {
        let mut body: serde_json::Value = serde_json::from_str(&row.body).unwrap();
        let report = &mut body["report"];
        if let Some(mark) = report["reporter_mark"].as_str() {
            report["reporter_mark"] = mark.len().into();
        }
        (row.body, row.crc) = (body.to_string(), 0);
    }
    row
}

/// The timer gives its commands keys of its own.
fn command_of_any_store(row: CommandRow) -> CommandRow {
    let key = if row.actor == "system" { [0; 16] } else { row.key };
    CommandRow { fingerprint: [0; 16], key, ..row }
}

fn told(person: &PersonRow) -> (u64, u64, Option<String>) {
    (person.no, person.case, person::opened(person))
}

/// The newest snapshot.
fn kept(dir: &Path) -> (u64, Vec<Section>, State) {
    let kept = shelf::list(dir).pop().unwrap();
    let log = SqliteReader::open(dir).unwrap();
    let (epoch, genesis, bodies) = (log.epoch(), Genesis::of(&policy()), &log as &dyn Read);
    let policies = state::Policies { genesis: &genesis, bodies: &bodies };
    let known = state::known(&state::SECTIONS);
    let container = shelf::open(&kept.path, epoch, kept.seq, &known).unwrap();
    let loaded = state::decode(&container, &state::SECTIONS, policies).unwrap();
    (kept.seq, container.sections, loaded.state)
}

#[test]
fn a_history_that_is_made_is_what_the_halls_own_writer_writes() {
    let (made, written) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let policy = policy();
    fill::fill(made.path(), &policy, SPAN, |_| {}).unwrap();
    write(written.path());
    let (ours, theirs) = (rows(made.path()), rows(written.path()));
    assert!(ours.events.len() > 1_000, "{} events", ours.events.len());
    for (one, other) in ours.events.iter().zip(&theirs.events) {
        assert_eq!(of_any_store(one.clone()), of_any_store(other.clone()));
    }
    assert_eq!(ours.events.len(), theirs.events.len());
    let commands =
        |group: &Group| group.commands.iter().cloned().map(command_of_any_store).collect::<Vec<_>>();
    assert_eq!(commands(&ours), commands(&theirs));
    let persons = |group: &Group| group.persons.iter().map(told).collect::<Vec<_>>();
    assert_eq!(persons(&ours), persons(&theirs));
    assert!(persons(&ours).iter().any(|(_, _, name)| name.is_some()));
    assert_eq!(ours.blobs, theirs.blobs);
    assert_eq!(kept(made.path()), kept(written.path()));
    let epoch = SqliteReader::open(made.path()).unwrap().epoch();
    let belongs = Belongs { epoch, offset: SPAN.offset, version: sql::VERSION };
    let (store, _) = Store::open(made.path(), &policy).unwrap();
    let source = LogSource::new(store.reader(), epoch, Genesis::of(&policy));
    let report = check::check(made.path(), belongs, &source).unwrap().expect("there are views");
    assert_eq!(report.differences, Vec::<String>::new());
    assert!(report.cases > 50 && report.runs > 0, "{report:?}");
}
