//! That files are there again after whatever happens to a server, and in backups.

use server::log::{backup, restore};

use super::*;

fn mark(dir: &Path, hash: &str, case: u64) -> PathBuf {
    files::folder(dir).join("pending").join(format!("{hash}-{case}-0"))
}

/// Method: what a server leaves that was killed between a file's name and its event, and just after its event.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_event_is_cleared_at_the_next_start_and_no_other() {
    let hall = served().await;
    let case = hall.reported().await;
    let line = hall.attach(case, "document", "a.pdf", pdf("a")).await.json();
    let hash = line["hash"].as_str().unwrap().to_owned();
    let Served { running, token, dir } = hall;
    running.stop().await.unwrap();
    let lost = "cd".repeat(32);
    let path = files::path_of(dir.path(), &[0xCD; 32]);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "a file that no event names").unwrap();
    std::fs::write(files::folder(dir.path()).join("incoming").join("half"), "half").unwrap();
    for (hash, case) in [(&hash, case), (&hash, 77), (&lost, case), (&lost, 77)] {
        std::fs::write(mark(dir.path(), hash, case), "").unwrap();
    }
    let hall = Served { running: start(dir.path()).await, token, dir };
    assert_eq!(lying(hall.dir.path()).into_iter().map(|(hash, _)| hash).collect::<Vec<_>>(), [hash]);
    assert_eq!((within(hall.dir.path(), "pending"), within(hall.dir.path(), "incoming")), (0, 0));
    assert_eq!(hall.files(case).await, [line]);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_carry_new_files_alone_and_restore_and_check_say_what_is_missing_or_changed() {
    let hall = served().await;
    let case = hall.reported().await;
    let folder = tempfile::tempdir().unwrap();
    hall.attach(case, "document", "a.pdf", pdf("a")).await;
    let made = backup::backup(hall.dir.path(), folder.path(), 0).unwrap();
    assert_eq!((made.new_files, made.list.files), (1, 1));
    let line = hall.attach(case, "photo_after", "b.jpg", picture(ImageFormat::Jpeg)).await.json();
    let made = backup::backup(hall.dir.path(), folder.path(), 0).unwrap();
    assert_eq!((made.new_files, made.list.files, made.damaged_files.len()), (1, 2, 0));
    assert_eq!(lying(folder.path()).len(), 2);
    hall.running.stop().await.unwrap();

    let to = tempfile::tempdir().unwrap();
    let restored = restore::restore(folder.path(), to.path()).unwrap();
    assert_eq!((restored.files, restored.missing_files, restored.damaged_files.len()), (2, 0, 0));
    let checked = |dir: &Path| server::check::check(dir, &city::policy()).unwrap();
    let report = checked(to.path());
    assert!(report.is_sound() && (report.files, report.unnamed_files) == (2, 0), "{}", report.table());
    let again = restore::restore(folder.path(), to.path()).unwrap_err().to_string();
    assert!(again.contains("files/"), "nothing is written over: {again}");

    // In the data folder: one changed, one gone, one too many.
    let hash = line["hash"].as_str().unwrap();
    let [(first, _), (second, _)] = &lying(to.path())[..] else { panic!("two files") };
    let other = if first == hash { second } else { first };
    let at = |dir: &Path, hash: &str| files::folder(dir).join(&hash[..2]).join(hash);
    std::fs::write(at(to.path(), hash), "not what it was").unwrap();
    std::fs::remove_file(at(to.path(), other)).unwrap();
    let stray = at(to.path(), &"cd".repeat(32));
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::write(stray, "x").unwrap();
    let report = checked(to.path());
    let says = |words: &str, hash: &str| {
        report.problems.iter().filter(|problem| problem.contains(words) && problem.contains(hash)).count()
    };
    assert_eq!((says("have changed", hash), says("is gone", other)), (1, 1), "{}", report.table());
    assert_eq!((report.problems.len(), report.files, report.unnamed_files), (2, 0, 1), "{}", report.table());
    let anew = tempfile::tempdir().unwrap();
    let made = backup::backup(to.path(), anew.path(), 0).unwrap();
    assert_eq!(
        made.damaged_files.len(),
        2,
        "what is not what its name says is in no backup: {}",
        made.words()
    );
    assert!(made.words().contains(hash), "{}", made.words());

    // In the backup.
    std::fs::remove_file(at(folder.path(), other)).unwrap();
    std::fs::write(at(folder.path(), hash), "not what it was").unwrap();
    let to = tempfile::tempdir().unwrap();
    let restored = restore::restore(folder.path(), to.path()).unwrap();
    assert_eq!((restored.files, restored.missing_files), (0, 1), "{}", restored.words());
    assert_eq!(restored.damaged_files, [hash], "{}", restored.words());
    assert!(!checked(to.path()).is_sound(), "its events name files that are not there");
}
