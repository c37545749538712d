//! Accounts that were lost beside a log: a start says so and makes none anew, and what is left of them stays where it is.

use std::path::Path;
use std::time::{Duration, Instant};

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::json;
use server::access::{self, Access};
use server::config::Config;
use server::serve::{self, Running};

use crate::city::{self, TestClock, report_case, send};
use crate::http::{Served, report, served, start};

async fn try_start(dir: &Path) -> anyhow::Result<Running> {
    let mut config = Config::default();
    config.store.dir = dir.to_owned();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    serve::start(config).await
}

/// Refused in words that tell it from a first start and say what to do.
async fn refused(dir: &Path, how: &str) -> String {
    let error = match try_start(dir).await {
        Ok(running) => {
            running.stop().await.unwrap();
            panic!("{how}: taken for a first start");
        }
        Err(error) => format!("{error:#}"),
    };
    assert!(error.contains("access.db") && error.contains("copy of the folder"), "{how}: {error}");
    error
}

/// Waits until whoever had the accounts open has put everything into the one file.
async fn closed(dir: &Path) {
    let began = Instant::now();
    while dir.join("access.db-wal").exists() {
        assert!(began.elapsed() < Duration::from_secs(10), "the accounts are closed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The folder of a hall that had an event, and a machine's token; stopped, with everything in the one file.
async fn stopped() -> (tempfile::TempDir, String) {
    let hall = served().await;
    let taken = hall.post("/api/v1/commands", &json!({ "command": report("530102") })).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let Served { running, token, dir } = hall;
    running.stop().await.unwrap();
    closed(dir.path()).await;
    (dir, token)
}

/// Method: each way to lose the accounts of a hall that has events, also together with everything else that tells of a server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_accounts_beside_a_log_are_no_first_start() {
    let (folder, token) = stopped().await;
    let dir = folder.path();
    let (file, first) = (dir.join("access.db"), dir.join("bootstrap-admin.txt"));
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&first).unwrap();

    std::fs::remove_file(&file).unwrap();
    let said = refused(dir, "gone").await;
    assert!(said.contains("no first start") && said.contains("account add"), "{said}");
    assert!(!file.exists() && !first.exists(), "nothing was made");
    std::fs::write(&file, "").unwrap();
    refused(dir, "emptied").await;
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0, "nothing was written");
    std::fs::remove_file(&file).unwrap();
    drop(Access::open(dir, access::Config::default()).unwrap());
    refused(dir, "made by a command that asked for tokens").await;
    closed(dir).await;
    std::fs::remove_file(&file).unwrap();
    let positions = std::fs::read(dir.join("positions.db")).unwrap();
    std::fs::remove_file(dir.join("positions.db")).unwrap();
    refused(dir, "only the log is left").await;
    assert!(!file.exists() && !first.exists());

    std::fs::write(&file, whole).unwrap();
    std::fs::write(dir.join("positions.db"), positions).unwrap();
    let hall = Served { running: start(dir).await, token, dir: tempfile::tempdir().unwrap() };
    assert_eq!(hall.get("/api/v1/session").await.status, 200, "who could come in before can");
    hall.running.stop().await.unwrap();
    assert!(!first.exists());
}

/// The other way about: everything is there but the log and its snapshots. An empty hall would look ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_log_beside_the_rest_of_a_hall_is_no_first_start() {
    let (folder, _) = stopped().await;
    let dir = folder.path();
    for name in ["gridhall.db", "gridhall.db-wal", "gridhall.db-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
    let _ = std::fs::remove_dir_all(dir.join("snapshots"));
    let error = match try_start(dir).await {
        Ok(_) => panic!("an empty hall started"),
        Err(error) => format!("{error:#}"),
    };
    assert!(error.contains("gone") && error.contains("restore the newest backup"), "{error}");
    assert!(!dir.join("gridhall.db").exists(), "nothing was made");
}

/// The way on without a backup is a word of its own: an account that somebody makes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_copy_begins_anew_by_making_an_account() {
    let (folder, _) = stopped().await;
    let dir = folder.path();
    std::fs::remove_file(dir.join("access.db")).unwrap();
    refused(dir, "gone").await;
    let access = Access::open(dir, access::Config::default()).unwrap();
    access.put_account("zhou", "correct horse battery", &[Role::Admin], None, UtcMillis(0)).await.unwrap();
    drop(access);
    start(dir).await.stop().await.unwrap();
}

/// What was last written to an emptied database lies in its write-ahead log, which SQLite throws away when it opens the file.
/// Method: the files of a running hall, as a kill leaves them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_of_an_emptied_database_is_never_thrown_away() {
    let hall = served().await;
    let killed = tempfile::tempdir().unwrap();
    for name in ["access.db", "positions.db"] {
        let log = killed.path().join(format!("{name}-wal"));
        std::fs::copy(hall.dir.path().join(format!("{name}-wal")), &log).unwrap();
        std::fs::write(killed.path().join(name), "").unwrap();
        let bytes = std::fs::read(&log).unwrap();
        assert!(!bytes.is_empty());
        let error = match try_start(killed.path()).await {
            Ok(_) => panic!("{name}: begun anew over what is left"),
            Err(error) => format!("{error:#}"),
        };
        assert!(
            error.contains(name) && error.contains("-wal") && error.contains("copy of the folder"),
            "{error}"
        );
        assert_eq!(std::fs::read(&log).unwrap(), bytes);
        std::fs::remove_file(log).unwrap();
    }
    hall.running.stop().await.unwrap();
}

/// Events that were imported before anybody was let in are no trace of lost accounts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_only_imported_has_its_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let import = move || {
        let (writer, _) = city::start(&path, &TestClock::new(), Box::new(()));
        send(&writer, report_case()).unwrap();
        writer.stop();
    };
    tokio::task::spawn_blocking(import).await.unwrap();
    start(dir.path()).await.stop().await.unwrap();
    assert!(dir.path().join("bootstrap-admin.txt").exists());
}
