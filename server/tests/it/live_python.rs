//! The feed followed by a program nobody here wrote the socket of: Python with `websockets`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::city;
use crate::live_hall::{Hall, quick, work};

/// A Python with the library: `GRIDHALL_PYTHON`, or Debian's own with its package `python3-websockets`, which
/// `cargo xtask setup` installs.
fn python() -> PathBuf {
    let python =
        std::env::var_os("GRIDHALL_PYTHON").map_or_else(|| PathBuf::from("/usr/bin/python3"), PathBuf::from);
    let ran = Command::new(&python).args(["-c", "import websockets"]).output();
    assert!(
        ran.is_ok_and(|ran| ran.status.success()),
        "{} has no `websockets`: `cargo xtask setup` installs it, GRIDHALL_PYTHON names another Python",
        python.display()
    );
    python
}

/// Method: a Python program follows four topics as JSON while commands run, is cut off 100 times without a goodbye,
/// resumes, and compares its hashes with the heartbeat's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_client_cut_off_a_hundred_times_has_every_event_once_and_agrees() {
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    std::fs::create_dir(&store).unwrap();
    let hall = Hall::start(&store, quick()).await;
    let until = dir.path().join("until");
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/testdata/live_client.py");
    let (address, file) = (hall.address.to_string(), until.clone());
    let following = tokio::task::spawn_blocking(move || {
        Command::new(python).arg(client).args([address.as_str(), "100"]).arg(file).output().unwrap()
    });
    // Load for as long as the client is being cut: it writes the file once it has been cut often enough.
    let cut = dir.path().join("until.cut");
    let began = tokio::time::Instant::now();
    while !cut.exists() {
        assert!(began.elapsed() < Duration::from_secs(300), "the client is cut 100 times");
        assert!(!following.is_finished(), "{:?}", following.await);
        work(hall.writer.clone(), 6).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let last = hall.writer.send(city::envelope(city::report_case())).await.unwrap().last_seq;
    std::fs::write(&until, last.to_string()).unwrap();
    let ran =
        tokio::time::timeout(Duration::from_secs(120), following).await.expect("the client ends").unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(seen["faults"], serde_json::json!([]), "{seen}");
    assert_eq!((&seen["cuts"], &seen["whole"]), (&100.into(), &true.into()), "{seen}");
    assert!(seen["events"].as_u64() > Some(50) && seen["hashes"].as_u64() >= Some(3), "{seen}");
    hall.stop().await;
}
