//! The store with a history in an operator's hands: checked, backed up and restored in bounded memory, its lists laid out anew in
//! the sight of who asks.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::role::Role;
use serde_json::Value;
use server::access::{Doer, NewToken};
use server::clock::Clock;

use super::{fill, of_the_demonstration, policy, span};
use crate::http::{Served, start_with};

/// How often it is looked at while lists are laid out: a whole layout is another test's.
const LOOKS: u32 = 10;

/// Most memory a command may have, in MiB. A check has 110: the policy, what is open, a snapshot to hold it against, a page of events,
/// SQLite's cache. 50,000 cases held as a whole were 250 more.
const MEBIBYTES_MAX: u64 = 160;

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_checked_backed_up_and_restored_in_bounded_memory_and_its_lists_are_laid_out_in_sight() {
    let (dir, beside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill::fill(dir.path(), &policy(), span(), |_| {}).unwrap();
    let restored = in_bounded_memory(dir.path(), beside.path());
    lists_laid_out_anew(&restored).await;
}

/// Checks the store, backs it up and makes a store of the backup, each in a process of its own.
fn in_bounded_memory(dir: &Path, beside: &Path) -> PathBuf {
    let (folder, restored) = (beside.join("backup"), beside.join("restored"));
    let commands: [&[&Path]; 3] =
        [&["check".as_ref()], &["backup".as_ref(), &folder], &["restore".as_ref(), &folder, &restored]];
    for words in commands {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gridhall"));
        command.arg("--data-dir").arg(dir).args(words).stdout(Stdio::null());
        let mut running = command.spawn().unwrap();
        let mut most = 0;
        let status = loop {
            most = most.max(peak(&running));
            if let Some(status) = running.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let name = words[0].display();
        assert!(status.success(), "{name} ended with {status}");
        assert!((1..=MEBIBYTES_MAX).contains(&most), "{name} took {most} MiB");
    }
    restored
}

/// The most memory a process has had, in MiB; 0 when it has ended.
fn peak(running: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0).div_ceil(1_024)
}

/// A restored store has no lists: until they are there, readiness and every page that reaches closed cases say how far they are.
async fn lists_laid_out_anew(restored: &Path) {
    let running = start_with(restored, of_the_demonstration).await;
    let hall = Served { running, dir: tempfile::tempdir().unwrap(), token: String::new() };
    let access = &hall.running.hall.access;
    let doer = Doer { by: "tests", now: Clock::machine().now() };
    let token = access.make_token_noted(doer, NewToken::wide("asks", Role::Viewer), false).await;
    let hall = Served { token: token.unwrap().expose().to_owned(), ..hall };
    let (mut seen, mut last) = (0, 0);
    while seen < LOOKS && !hall.running.hall.lists.reaches_all() {
        let ready = hall.get("/readyz").await;
        let page = hall.get("/api/v1/cases?open=false&limit=1").await.json();
        let open = hall.get("/api/v1/cases?open=true&limit=1").await.json();
        // Whole between the questions and here: nothing was promised.
        if hall.running.hall.lists.reaches_all() {
            break;
        }
        let percent = page["laid_out_percent"].as_u64().unwrap_or_else(|| panic!("{page}"));
        assert!((last..100).contains(&percent), "{percent} per cent after {last}");
        assert!(ready.status == 200 && ready.text.starts_with("ready; "), "{}", ready.text);
        assert_eq!(open["laid_out_percent"], Value::Null, "open cases come from memory");
        (seen, last) = (seen + 1, percent);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(seen > 0, "nobody saw it being laid out");
    hall.running.stop().await.unwrap();
}
