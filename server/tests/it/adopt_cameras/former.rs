//! Lists that a version before kept as files beside the log: taken over, warned of, left out of backups.

use super::*;

/// As a version before this kept adopted lists: in the clear, the last of them named by a note.
pub(super) fn kept_before(data: &Path, lists: &[&[&str]]) {
    let folder = data.join("cameras");
    std::fs::create_dir_all(&folder).unwrap();
    for one in lists {
        std::fs::write(folder.join(format!("{}.csv", list(one).hash())), list(one).bytes).unwrap();
    }
    let newest = list(lists.last().unwrap()).hash();
    let note = json!({"sha256": newest, "format": "csv", "by": "周敏", "at_ms": 7});
    std::fs::write(folder.join("adopted.json"), note.to_string()).unwrap();
}

/// The version before kept the list as a file in the data folder, in the clear.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_was_kept_as_a_file_is_taken_over_at_the_first_start_and_the_file_is_gone() {
    let (settings, data) = (Settings::new(), tempfile::tempdir().unwrap());
    kept_before(data.path(), &[&["K0"], &["K1", "K2"]]);
    let older = format!("{}.csv", list(&["K0"]).hash());
    let folder = data.path().join("cameras");
    let left = || {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };

    let first = settings.start(data.path()).await;
    assert_eq!(codes(&first), ["K1", "K2"], "it holds before the file in the settings, as it did");
    let taken = adoptions(&first);
    assert_eq!((taken.len(), taken[0].1.counts.cameras, taken[0].1.counts.new), (1, 2, 2));
    assert_eq!(taken[0].0, By::named("周敏"), "what was not recorded is not made up");
    assert_eq!(left(), std::slice::from_ref(&older), "an older list is the operator's to delete");
    first.stop().await.unwrap();
    assert_eq!(in_the_clear(data.path()), [folder.join(&older)]);

    // Killed after the event and before the files were removed: the next start goes on.
    kept_before(data.path(), &[&["K0"], &["K1", "K2"]]);
    let second = settings.start(data.path()).await;
    assert_eq!((codes(&second), adoptions(&second).len()), (vec!["K1".to_owned(), "K2".to_owned()], 1));
    assert_eq!(left(), std::slice::from_ref(&older));
    second.stop().await.unwrap();

    std::fs::remove_file(folder.join(&older)).unwrap();
    settings.start(data.path()).await.stop().await.unwrap();
    assert!(!folder.exists());
    let found = recounted(data.path(), &Config::default().load_policy().unwrap()).unwrap();
    assert!(found.is_sound(), "{}", found.table());
}

/// What `gridhall` says on standard error when it does this.
async fn warned(arguments: [&OsStr; 5]) -> String {
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_gridhall"));
    process.args(arguments).env_remove("RUST_LOG");
    let output = tokio::task::spawn_blocking(move || process.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(HIDDEN.iter().all(|word| !said.contains(word)), "{said}");
    said
}

/// A list that lies beside the log is in no backup, and one that lies in the folder of a restore is of no backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_backup_leaves_out_and_a_restore_finds_before_it_is_said() {
    let hall = served_with(|_| {}).await;
    let Served { running, dir, .. } = hall;
    running.stop().await.unwrap();
    let folders: Vec<tempfile::TempDir> = (0..6).map(|_| tempfile::tempdir().unwrap()).collect();
    let [backup, named_backup, empty, restored, named, unnamed] = &folders[..] else { unreachable!() };
    let data: &OsStr = "--data-dir".as_ref();
    let back_up = async |to: &tempfile::TempDir| {
        warned(["backup".as_ref(), to.path().as_ref(), data, dir.path().as_ref(), "--json".as_ref()]).await
    };
    let restore = async |from: &tempfile::TempDir, to: &tempfile::TempDir| {
        warned(["restore".as_ref(), from.path().as_ref(), to.path().as_ref(), data, dir.path().as_ref()])
            .await
    };
    kept_before(dir.path(), &[&["K1"]]);
    let said = back_up(backup).await;
    assert!(said.contains("is not in this backup") && said.contains("start the server once"), "{said}");
    assert_eq!(restore(backup, empty).await.matches("cameras").count(), 0, "nothing was there before");
    kept_before(restored.path(), &[&["K9"]]);
    let said = restore(backup, restored).await;
    assert!(said.contains("the next start takes the list in that folder into service"), "{said}");
    std::fs::create_dir_all(unnamed.path().join("cameras")).unwrap();
    assert!(!restore(backup, unnamed).await.contains("cameras"), "an empty folder is nobody's list");

    // Taken over by a start, it is in the backup, and whatever lies where that is restored is not read.
    start_with(dir.path(), |_| {}).await.stop().await.unwrap();
    assert!(!back_up(named_backup).await.contains("is not in this backup"));
    kept_before(named.path(), &[&["K9"]]);
    let said = restore(named_backup, named).await;
    assert!(said.contains("are not read; delete them"), "{said}");
    let running = start_with(named.path(), |_| {}).await;
    assert_eq!(codes(&running), ["K1"]);
    running.stop().await.unwrap();
}

/// Method: lists of before without the note that names the newest, as whoever goes back to the file leaves them.
#[test]
fn lists_in_the_clear_of_which_none_holds_are_counted_and_warned_of_too() {
    let data = tempfile::tempdir().unwrap();
    kept_before(data.path(), &[&["K0"], &["K1"]]);
    std::fs::remove_file(data.path().join("cameras/adopted.json")).unwrap();
    let (store, state) = Store::open(data.path(), &Config::default().load_policy().unwrap()).unwrap();
    let (secret, reader) = (store.secret(), store.reader());
    let writer = spawn_with(store, state, Box::new(()), TestClock::new().reading());
    assert_eq!(InLog::new(writer.clone(), secret, None).settle(None, &reader, data.path()), 2);
    assert_eq!(in_the_clear(data.path()).len(), 2, "they are the operator's to delete");
    writer.stop();
}
