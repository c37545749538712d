//! What must be true after a kill: of the store, of its views, of its backups.

use std::path::Path;
use std::time::{Duration, Instant};

use domain::code::CaseId;
use domain::command::Command;
use domain::event::By;
use serde::{Deserialize, Serialize};
use server::clock::Clock;
use server::events::Reader;
use server::log::backup::read_list;
use server::log::restore::restore;
use server::stored::policy::Genesis;
use server::views::from_log::LogSource;
use server::views::{Belongs, file, sql};
use server::writer::store::{Options, Store};
use server::writer::{self, Envelope};
use uuid::Uuid;

use super::child::with_views;
use crate::city;
use crate::random::cells;

/// A command with the answer its sender got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    pub key: Uuid,
    pub command: Command,
    pub first_seq: u64,
    pub last_seq: u64,
    pub case: Option<CaseId>,
}

pub fn options() -> Options {
    Options { snapshot_every: 400, ..Options::default() }
}

pub fn belongs(epoch: u64) -> Belongs {
    Belongs { epoch, offset: city::policy().utc_offset_minutes, version: sql::VERSION }
}

pub fn source(reader: &Reader, epoch: u64) -> LogSource {
    LogSource::new(reader.clone(), epoch, Genesis::of(&city::policy()))
}

/// Opens the store and holds it against everything acknowledged on it, up to event `until`. Gives its epoch.
pub fn verify(dir: &Path, acknowledged: &[Acknowledged], until: u64) -> u64 {
    let policy = city::policy();
    let (store, state) = Store::open_with(dir, &policy, options()).expect("the store opens after kill -9");
    let epoch = store.epoch();
    let reader = store.reader();
    assert_eq!(reader.recount().unwrap().cells, cells(&state), "tallies equal their recount");
    let head = state.seq;
    let writer = writer::spawn_with(store, state, Box::new(()), Clock::machine());
    let known: Vec<&Acknowledged> = acknowledged.iter().filter(|done| done.last_seq <= until).collect();
    let again = known.iter().map(|done| Envelope {
        world: server::world::Live,
        key: done.key,
        by: By::named("tester"),
        department: None,
        scope: domain::scope::Scope::All,
        seen: None,
        command: done.command.clone(),
    });
    for (done, outcome) in known.iter().zip(writer.send_many_blocking(again.collect())) {
        let answer = outcome.unwrap_or_else(|error| panic!("{done:?} was acknowledged, now: {error}"));
        assert!(answer.replayed, "{done:?} was acknowledged and lost");
        assert_eq!(
            (answer.first_seq, answer.last_seq, answer.case),
            (done.first_seq, done.last_seq, done.case)
        );
        assert!(done.last_seq <= head);
    }
    writer.stop();
    let report = server::check::check(dir, &policy).unwrap();
    // What a killed build left says nothing that the log does not say, or is thrown away at the next start.
    if !report.problems.is_empty() && report.problems.iter().all(|problem| problem.starts_with("views: ")) {
        let discarded = file::open(dir, belongs(epoch), head).unwrap().discarded;
        assert!(discarded.is_some(), "trusted all the same: {:?}", report.problems);
    } else {
        assert_eq!(report.problems, Vec::<String>::new());
    }
    epoch
}

/// Lets a last build come to its end: every closing of the log is then laid out as it was.
pub fn views_come_to_their_end(dir: &Path) {
    let (writer, lists) = with_views(dir);
    let deadline = Instant::now() + Duration::from_secs(120);
    while !lists.progress().unwrap().is_whole() {
        assert!(Instant::now() < deadline, "{}", lists.progress().unwrap().words());
        std::thread::sleep(Duration::from_millis(5));
    }
    writer.stop();
    lists.stop();
    let report = server::check::check(dir, &city::policy()).unwrap();
    assert!(report.is_sound() && report.laid_out.is_some_and(|laid| laid.cases > 0), "{}", report.table());
}

/// What is called a backup restores whole and has every command acknowledged by then. Whether there is one.
pub fn backup_is_sound_or_none(backup: &Path, acknowledged: &[Acknowledged]) -> bool {
    let Some(list) = read_list(backup).expect("a killed backup leaves no torn list") else { return false };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let restored = restore(backup, &data).expect("what is called a backup can be restored");
    assert_eq!(restored.events, list.head.seq);
    verify(&data, acknowledged, list.head.seq);
    true
}
