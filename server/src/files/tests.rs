//! The room of files without a door: what lies there while somebody waits for an event, and how much.

use std::sync::Arc;

use domain::file::Media;
use domain::moment::UtcOffset;

use super::*;

const CASE: CaseId = CaseId(7);

fn room(dir: &Path, quota_mib: u32, free: Option<u64>) -> Files {
    let settings = Settings { quota_mib, ..Settings::default() };
    let reserve = Reserve::by(8, Arc::new(move |_: &Path| free));
    Files::open(dir, settings, reserve, &Reader::new(dir, UtcOffset(480))).unwrap()
}

fn made(says: &str) -> Made {
    let bytes = says.as_bytes().to_vec();
    let hash = FileHash(<sha2::Sha256 as sha2::Digest>::digest(&bytes).into());
    Made { hash, media: Media::Pdf, bytes, small: Some(b"small".to_vec()), taken: None, place: None }
}

fn marks(dir: &Path) -> usize {
    std::fs::read_dir(named::folder(dir).join(pending::FOLDER)).unwrap().count()
}

#[test]
fn a_file_stays_when_one_of_those_that_wait_for_it_is_recorded_and_goes_when_none_is() {
    let dir = tempfile::tempdir().unwrap();
    let files = room(dir.path(), 1, None);
    let file = made("a");
    let path = files.path_of(&file.hash);
    let (one, other) = (files.put(&file, CASE).unwrap(), files.put(&file, CASE).unwrap());
    assert_eq!((marks(dir.path()), files.used()), (2, 1), "the same bytes count once");
    drop(one);
    assert!(path.exists(), "the other waits for it");
    drop(other);
    assert!(!path.exists() && !files.small_of(&file.hash).exists());
    assert_eq!((marks(dir.path()), files.used()), (0, 0));

    let (one, other) = (files.put(&file, CASE).unwrap(), files.put(&file, CASE).unwrap());
    one.recorded();
    assert_eq!(
        marks(dir.path()),
        2,
        "a start after a crash learns from the one's mark what the other's case does not know"
    );
    drop(other);
    assert!(path.exists(), "an event names it");
    drop(files.put(&file, CASE).unwrap());
    assert!(path.exists(), "it was there before");
    assert_eq!((marks(dir.path()), files.used()), (0, 1));
}

#[test]
fn a_file_of_which_nobody_knows_stays_with_its_mark() {
    let dir = tempfile::tempdir().unwrap();
    let files = room(dir.path(), 1, None);
    let file = made("a");
    let mut one = files.put(&file, CASE).unwrap();
    one.sent();
    drop(one);
    drop(files.put(&file, CASE).unwrap());
    assert!(files.path_of(&file.hash).exists());
    assert_eq!(marks(dir.path()), 1, "the next start asks");
}

#[test]
fn what_lies_there_is_counted_at_a_start_and_beyond_the_quota_or_the_reserve_nothing_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    room(dir.path(), 1, None).put(&made(&"x".repeat(1 << 19)), CASE).unwrap().recorded();
    let files = room(dir.path(), 1, Some(9 << 20));
    assert_eq!(files.used(), 1 << 19);
    assert_eq!(files.has_room(1 << 19), Ok(()));
    let most = 1 << 20;
    assert_eq!(files.has_room((1 << 19) + 1), Err(Refusal::Quota { most }));
    assert_eq!(files.put(&made(&"y".repeat(600_000)), CASE).unwrap_err(), Refusal::Quota { most });
    let nearly_full = room(dir.path(), 1, Some(7 << 20));
    assert_eq!(nearly_full.put(&made("z"), CASE).unwrap_err(), Refusal::NoRoom);
    assert_eq!(marks(dir.path()), 0);
}

#[tokio::test]
async fn what_is_on_its_way_is_gone_when_nobody_holds_it_and_when_it_is_too_large() {
    let dir = tempfile::tempdir().unwrap();
    let files = room(dir.path(), 1_000, None);
    let mut sent = files.receive("phone").unwrap();
    assert_eq!(sent.whole().await, Err(Refusal::Empty));
    sent.take(&vec![7; 1 << 20]).await.unwrap();
    sent.whole().await.unwrap();
    let path = sent.path().to_owned();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 1 << 20);
    let most = files.settings().file_bytes();
    assert_eq!(sent.take(&vec![7; 20 << 20]).await, Err(Refusal::TooLarge { most }));
    drop(sent);
    assert!(!path.exists());
    std::fs::write(&path, "left by a server that was killed").unwrap();
    let _files = room(dir.path(), 1_000, None);
    assert!(!path.exists());
}
