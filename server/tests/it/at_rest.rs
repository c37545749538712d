//! What only asks in a stopped hall's folder, and what is refused there, leaves the folder as it is, to the byte.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use server::config::Config;
use server::folder::DATABASE;
use server::writer::spawn_with;
use server::writer::store::Store;

use crate::adopt_doors::{command, next};
use crate::city::TestClock;
use crate::earlier::first_store;
use crate::http::{Served, served};

type Bytes = BTreeMap<PathBuf, Vec<u8>>;

/// Every file below a folder with its bytes, empty folders too.
fn bytes(folder: &Path) -> Bytes {
    let mut found = Bytes::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes(&path));
            found.insert(path, Vec::new());
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

/// Lists and policies, those that are taken and those that are refused.
struct Files {
    _folder: tempfile::TempDir,
    list: PathBuf,
    bad_list: PathBuf,
    policy: PathBuf,
    bad_policy: PathBuf,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let list = "code,main\nK1,rtsp://10.1.2.3/1\n";
        let other_offset = next().replacen("utc_offset_minutes = 480", "utc_offset_minutes = 540", 1);
        Self {
            list: written("list.csv", list),
            bad_list: written("bad.csv", &list.replacen("rtsp:", "http:", 1)),
            policy: written("next.toml", &next()),
            bad_policy: written("other.toml", &other_offset),
            _folder: folder,
        }
    }

    /// Each question and each refusal, and what the command says to it.
    async fn ask_all(&self, data: &Path) -> Vec<(&'static str, Result<String, String>)> {
        let asks: [(&str, Vec<&OsStr>); 5] = [
            ("list", vec!["cameras".as_ref(), "adopt".as_ref(), self.list.as_ref(), "--dry-run".as_ref()]),
            ("bad list", vec!["cameras".as_ref(), "adopt".as_ref(), self.bad_list.as_ref()]),
            ("policy", vec!["policy".as_ref(), "adopt".as_ref(), self.policy.as_ref(), "--dry-run".as_ref()]),
            ("bad policy", vec!["policy".as_ref(), "adopt".as_ref(), self.bad_policy.as_ref()]),
            ("show", vec!["policy".as_ref(), "show".as_ref()]),
        ];
        let mut said = Vec::new();
        for (what, mut ask) in asks {
            ask.extend([OsStr::new("--data-dir"), data.as_os_str()]);
            let before = bytes(data);
            said.push((what, command(&ask).await));
            let after = bytes(data);
            let names = |bytes: &Bytes| bytes.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&after), names(&before), "{said:?}");
            for (path, bytes) in &after {
                assert!(before[path] == *bytes, "{} is another: {said:?}", path.display());
            }
        }
        said
    }
}

/// In a folder that this version can read each question is answered, and each refusal is one.
fn answered(said: &[(&str, Result<String, String>)]) {
    for (what, said) in said {
        match *what {
            "list" | "policy" => {
                assert!(said.as_ref().unwrap().ends_with("dry run: nothing was changed\n"), "{said:?}")
            }
            "show" => assert!(said.as_ref().unwrap().starts_with("# version 0"), "{said:?}"),
            "bad list" => assert!(said.as_ref().unwrap_err().contains("1 row is refused"), "{said:?}"),
            _ => assert!(said.as_ref().unwrap_err().contains("480 never becomes 540"), "{said:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_hall_is_as_it_was_after_every_question_and_every_refusal() {
    let Served { running, dir, .. } = served().await;
    running.stop().await.unwrap();
    // What the process still closes beside the store must not be taken for a change.
    let open = ["access.db-wal", "access.db-shm", "positions.db-wal", "positions.db-shm"];
    while open.iter().any(|name| dir.path().join(name).exists()) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    answered(&Files::new().ask_all(dir.path()).await);
    // As a copy has it: without the files that SQLite keeps beside a database.
    for path in bytes(dir.path()).into_keys() {
        if path.extension().is_some_and(|ending| ending == "db-wal" || ending == "db-shm") {
            std::fs::remove_file(path).unwrap();
        }
    }
    answered(&Files::new().ask_all(dir.path()).await);
}

/// Method: the files of a store that is being written, copied before anything was folded in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_hall_left_in_its_write_ahead_log_is_seen_and_left_there() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let policy = Config::default().load_policy().unwrap();
    let (store, state) = Store::open(dir.path(), &policy).unwrap();
    let writer = spawn_with(store, state, Box::new(()), TestClock::new().reading());
    let adopted = tokio::task::spawn_blocking({
        let mut next: domain::policy::Policy = toml::from_str(&next()).unwrap();
        next.stated_source = "adopted before the kill".to_owned();
        let writer = writer.clone();
        move || writer.adopt_blocking(domain::event::By::named("周敏"), next, None)
    });
    assert_eq!(adopted.await.unwrap().unwrap().version, 1);
    for ending in ["", "-wal", "-shm"] {
        let name = format!("{DATABASE}{ending}");
        std::fs::copy(dir.path().join(&name), killed.path().join(&name)).unwrap();
    }
    assert!(std::fs::metadata(killed.path().join(format!("{DATABASE}-wal"))).unwrap().len() > 0);
    let said = Files::new().ask_all(killed.path()).await;
    let shown = said[4].1.as_ref().unwrap();
    assert!(shown.starts_with("# version 1") && shown.contains("adopted before the kill"), "{shown}");
    tokio::task::spawn_blocking(move || writer.stop()).await.unwrap();
}

/// The policy of the settings must not become the one it begins with because somebody asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_a_policy_of_its_own_gets_none_by_a_question() {
    let dir = tempfile::tempdir().unwrap();
    let (store, state) = Store::open(dir.path(), &Config::default().load_policy().unwrap()).unwrap();
    store.close(&state).unwrap();
    let conn = rusqlite::Connection::open(dir.path().join(DATABASE)).unwrap();
    assert_eq!(conn.execute("DELETE FROM blobs", []).unwrap(), 1);
    conn.close().unwrap();
    answered(&Files::new().ask_all(dir.path()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_the_first_format_is_not_brought_to_this_one_by_a_question() {
    let dir = first_store();
    for (what, said) in Files::new().ask_all(dir.path()).await {
        let refused = said.unwrap_err();
        assert!(refused.contains("must be opened by `gridhall serve` once"), "{what}: {refused}");
    }
}
