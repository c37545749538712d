//! A keeper that fails must not leave a hall behind that looks alive.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::clock::instant;
use crate::log::seal::Secret;
use crate::log::sqlite::SqliteLog;
use crate::log::{CommandRow, EventRow, Group, Hash, Log, PersonRow, Stand, Subject};

/// What is wrong with the disk or the programme.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// A mistake in the code.
    Panic,
    /// `fsync` has failed: nobody knows what the disk has.
    Sync,
    /// There is no room.
    Full,
}

/// A log whose folding in fails.
struct Faulty {
    log: Box<dyn Read>,
    fault: Fault,
}

impl Read for Faulty {
    fn epoch(&self) -> u64 {
        self.log.epoch()
    }

    fn head(&self) -> Result<Stand, LogError> {
        self.log.head()
    }

    fn read(&self, after: u64, limit: usize) -> Result<Vec<EventRow>, LogError> {
        self.log.read(after, limit)
    }

    fn of(&self, subject: Subject, before: u64, limit: usize) -> Result<Vec<EventRow>, LogError> {
        self.log.of(subject, before, limit)
    }

    fn since(&self, stand: Stand, limit: usize) -> Result<Group, LogError> {
        self.log.since(stand, limit)
    }

    fn remembered(&self, actor: &str, key: &[u8; 16]) -> Result<Option<CommandRow>, LogError> {
        self.log.remembered(actor, key)
    }

    fn blob(&self, hash: &Hash) -> Result<Option<Vec<u8>>, LogError> {
        self.log.blob(hash)
    }

    fn person(&self, case: u64) -> Result<Option<PersonRow>, LogError> {
        self.log.person(case)
    }

    fn believed(&self) -> Result<Option<i64>, LogError> {
        self.log.believed()
    }

    fn secret(&self) -> Secret {
        self.log.secret()
    }

    fn tend(&self) -> Result<(), LogError> {
        let place = PathBuf::from("gridhall.db");
        match self.fault {
            Fault::Panic => panic!("planted"),
            Fault::Full => Err(LogError::Full { place }),
            Fault::Sync => {
                let source = Box::new(std::io::Error::other("planted"));
                Err(LogError::Engine { place, doing: "fold the write-ahead log into", source })
            }
        }
    }
}

const POLICY: &str = r#"
stated_source = "test"
centre = { zh = "中心" }
dispatch_limit = { amount = 4, unit = "urgent_hour" }
disposal_limit = { amount = 1, unit = "work_day" }
whistle_response_minutes = 30
forecast_minutes = 30
lamp_yellow_percent = 80
position_stale_seconds = 60
clock_skew_seconds = 300
backdate_days = 30
areas = [{ code = "5301", level = "city", name = { zh = "昆明市" } }]
classes = [{ code = "E01-10", kind = "event", name = { zh = "暴露垃圾" } }]
sources = [{ code = "hotline", name = { zh = "热线" } }]
departments = [{ code = "shuiwu", name = { zh = "水务局" } }]
"#;

const FAULT: &str = "GRIDHALL_KEEPER_FAULT";

/// Not a test of its own: a hall's keeper with a fault, in a process that may end.
#[test]
#[ignore = "run by the tests of the keeper as their child"]
fn child() {
    let said = std::env::var(FAULT).expect("the parent names a fault");
    let faults = [Fault::Panic, Fault::Sync, Fault::Full];
    let fault = faults.into_iter().find(|fault| format!("{fault:?}") == said).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let log = SqliteLog::open(dir.path(), false, None).unwrap().reader().unwrap();
    let log = Box::new(Faulty { log, fault });
    let policy: domain::policy::Policy = toml::from_str(POLICY).unwrap();
    let keeper = Keeper::start(dir.path(), log, &Genesis::of(&policy), &Options::default(), false).unwrap();
    let began = instant();
    for seq in 1.. {
        // A day on which a snapshot is due at each look: that those succeed hides nothing.
        keeper.note_head(seq, 20_261_121);
        if keeper.health.problem().is_some() {
            keeper.stop();
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "nobody notices");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ends(fault: Fault) -> std::process::ExitStatus {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["writer::store::keeper::tests::child", "--exact", "--ignored"])
        .env(FAULT, format!("{fault:?}"));
    child.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
}

const SIGABRT: i32 = 6;

#[test]
fn a_keeper_that_panics_takes_the_process_with_it() {
    assert_eq!(ends(Fault::Panic).signal(), Some(SIGABRT));
}

#[test]
fn a_log_that_cannot_be_synced_ends_the_process() {
    assert_eq!(ends(Fault::Sync).signal(), Some(SIGABRT));
}

#[test]
fn a_full_disk_is_said_and_waited_out() {
    assert!(ends(Fault::Full).success());
}
