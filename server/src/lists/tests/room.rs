//! Views on a disk that is nearly full: the log goes first.

use std::sync::atomic::{AtomicU64, Ordering};

use super::built::{bytes_of, city_with_history, finish};
use super::*;
use crate::views::reserve::Reserve;
use crate::views::work::NOT_ENOUGH_AFTER;

/// Files of views that this process has open although they are removed: their room is not given back.
fn removed_and_held(dir: &Path) -> Vec<String> {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let open = open.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    let of_dir = open.filter(|file| file.starts_with(dir)).map(|file| file.display().to_string());
    of_dir.filter(|file| file.ends_with("(deleted)")).collect()
}

/// A disk whose free MiB the test says, beside a log that the test says is refused.
fn on_a_small_disk(settings: &mut Settings, mib: u32) -> (Arc<AtomicU64>, Arc<AtomicBool>) {
    let (free, refused) = (Arc::new(AtomicU64::new(u64::MAX >> 20)), Arc::new(AtomicBool::new(false)));
    let (said, is) = (free.clone(), refused.clone());
    settings.reserve = Reserve::by(mib, Arc::new(move |_: &Path| Some(said.load(Ordering::Relaxed) << 20)));
    settings.refused = Box::new(move || is.load(Ordering::Relaxed));
    (free, refused)
}

#[test]
fn a_build_leaves_the_log_its_reserve_and_goes_on_when_there_is_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    let mut settings = city.settings(dir.path());
    let (free, _) = on_a_small_disk(&mut settings, 64);
    let (mut work, progress) = city.started(settings);
    work.round().unwrap();
    free.store(63, Ordering::Relaxed);
    let error = work.round().unwrap_err();
    assert!(error.to_string().contains("less than 64 MiB are free"), "{error}");
    work.tell(&error);
    assert_eq!(progress.load().doing, Doing::Reserved { mib: 64 });
    assert!(progress.load().words().contains("kept for the event log"), "{}", progress.load().words());
    let laid_out = work.layout().covered().events(city.state.seq);
    (0..30).for_each(|n| city.one_more(900 + n));
    // What is closed meanwhile is laid down, as long as a quarter is left; nothing older is.
    work.round().unwrap_err();
    assert!(work.layout().covered().events(city.state.seq) > laid_out);
    free.store(15, Ordering::Relaxed);
    (0..30).for_each(|n| city.one_more(950 + n));
    let bytes = bytes_of(work.layout().path(), "");
    work.round().unwrap_err();
    assert_eq!(bytes_of(work.layout().path(), ""), bytes);
    let newest = city.lists.cases(&Scope::All, &CaseFilter::default(), None, 20).unwrap().items;
    assert_eq!(newest[0].id, *city.cases.keys().next_back().unwrap(), "memory has it");
    free.store(64, Ordering::Relaxed);
    finish(&mut work);
    assert!(progress.load().is_whole());
    city.lists_are_right();
    // Nothing is missing: runs become larger when there is room.
    free.store(63, Ordering::Relaxed);
    (0..60).for_each(|n| city.one_more(1_000 + n));
    work.round().unwrap();
    assert!(progress.load().is_whole());
    city.lists_are_right();
}

#[test]
fn views_that_are_not_whole_make_way_for_a_log_that_is_refused_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(4);
    let mut settings = city.settings(dir.path());
    let (free, refused) = on_a_small_disk(&mut settings, 64);
    let (mut work, progress) = city.started(settings);
    work.round().unwrap();
    let path = work.layout().path().to_owned();
    // A reader keeps a connection.
    city.lists.cases(&Scope::All, &CaseFilter::default(), None, 20).unwrap();
    let now = crate::clock::instant();
    free.store(0, Ordering::Relaxed);
    refused.store(true, Ordering::Relaxed);
    work.make_way(now);
    assert_eq!((bytes_of(&path, "-wal"), path.exists()), (0, true), "first what costs nothing");
    work.make_way(now + NOT_ENOUGH_AFTER);
    assert!(!path.exists());
    assert_eq!(removed_and_held(dir.path()), [""; 0]);
    assert!(!city.lists.reaches_all());
    let error = work.round().unwrap_err();
    work.tell(&error);
    assert_eq!((progress.load().doing.clone(), progress.load().percent()), (Doing::Reserved { mib: 64 }, 0));
    // The hall goes on, and so do its lists.
    (0..20).for_each(|n| city.one_more(900 + n));
    let newest = city.lists.cases(&Scope::All, &CaseFilter::default(), None, 20).unwrap().items;
    assert_eq!(newest[0].id, *city.cases.keys().next_back().unwrap());
    refused.store(false, Ordering::Relaxed);
    work.make_way(now + NOT_ENOUGH_AFTER);
    work.round().unwrap_err();
    assert!(!path.exists(), "there is room for the log, and no more");
    free.store(64, Ordering::Relaxed);
    finish(&mut work);
    assert!(progress.load().is_whole());
    city.lists_are_right();

    refused.store(true, Ordering::Relaxed);
    work.make_way(now);
    work.make_way(now + NOT_ENOUGH_AFTER);
    assert!(path.exists(), "whole views stay");
    city.lists_are_right();
}

/// What an older version serves is no part of what makes way.
#[test]
fn views_of_the_version_before_serve_on_where_new_ones_make_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    drop(work);
    let mut settings = city.settings(dir.path());
    settings.belongs.version += 1;
    settings.reads_older = vec![sql::VERSION];
    let (_, refused) = on_a_small_disk(&mut settings, 64);
    let (mut work, progress) = city.started(settings);
    work.round().unwrap();
    let now = crate::clock::instant();
    refused.store(true, Ordering::Relaxed);
    work.make_way(now);
    work.make_way(now + NOT_ENOUGH_AFTER);
    assert!(!work.layout().path().exists());
    city.lists_are_right();
    refused.store(false, Ordering::Relaxed);
    work.make_way(now);
    finish(&mut work);
    city.lists_are_right();
    assert_eq!(progress.load().serving_older, None);
}
