//! Views that are built behind a running hall: from the newest months down, killed, without room, of an older version.

use super::*;

/// A city with some months of history, each with a state to begin from.
pub(super) fn city_with_history(months: u64) -> City {
    let mut city = City::new();
    for month in 0..months {
        (0..120).for_each(|n| city.one_more(month * 120 + n));
        city.mark();
    }
    city
}

pub(super) fn finish(work: &mut Work) {
    while work.round().unwrap() {}
}

#[test]
fn a_build_goes_from_the_newest_month_down_and_ends_equal_to_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(4);
    let settings = city.settings(dir.path());
    let (mut work, progress) = city.started(settings);
    assert!(!city.lists.reaches_all());
    assert_eq!(
        city.lists.count(&Scope::All, &CaseFilter::default()).unwrap(),
        None,
        "no total rather than a wrong one"
    );
    assert_eq!(progress.load().doing, Doing::Building);
    work.round().unwrap();
    let first: Vec<u64> = std::mem::take(&mut *city.log.read.lock().unwrap());
    let marks = city.log.marks().unwrap();
    assert!(first.iter().all(|seq| *seq > marks[1]), "the newest month first, and nothing else for it");
    let newest = city.lists.cases(&Scope::All, &CaseFilter::default(), None, 20).unwrap().items;
    assert_eq!(newest[0].id, *city.cases.keys().next_back().unwrap());
    // The hall goes on meanwhile.
    (480..500).for_each(|n| city.one_more(n));
    finish(&mut work);
    assert!(progress.load().is_whole() && city.lists.reaches_all());
    city.lists_are_right();
}

#[test]
fn a_killed_build_loses_one_piece_at_most_and_ends_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(4);
    for rounds in [1, 1, 2] {
        let settings = city.settings(dir.path());
        let (mut work, _) = city.started(settings);
        let before = work.layout().covered().events(city.state.seq);
        (0..rounds).for_each(|_| assert!(work.round().unwrap()));
        assert!(work.layout().covered().events(city.state.seq) > before);
        // Nothing is told to it: the process is gone.
        drop(work);
        (0..10).for_each(|n| city.one_more(1_000 + n));
    }
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    city.lists_are_right();
}

/// What was closed between the last writing and a crash is in the lists from the first answer on.
#[test]
fn a_start_after_a_crash_catches_up_before_it_answers() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(1);
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    drop(work);
    (0..30).for_each(|n| city.one_more(500 + n));
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    work.catch_up().unwrap();
    city.lists_are_right();
}

#[test]
fn a_build_without_room_says_so_and_goes_on_when_there_is_some() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    let settings = city.settings(dir.path());
    let (mut work, progress) = city.started(settings);
    work.round().unwrap();
    work.layout().leave_room(2);
    let newest = city.lists.cases(&Scope::All, &CaseFilter::default(), None, 20).unwrap().items;
    let error = loop {
        match work.round() {
            Ok(more) => assert!(more, "there is not room for all of it"),
            Err(error) => break error,
        }
    };
    assert!(error.is_full() && error.to_string().contains("free some space"), "{error}");
    work.tell(&error);
    assert_eq!(progress.load().doing, Doing::NoRoom);
    assert_eq!(bytes_of(work.layout().path(), "-wal"), 0, "what was written in vain is given back");
    assert!(progress.load().words().contains("no room"));
    assert_eq!(city.lists.cases(&Scope::All, &CaseFilter::default(), None, 20).unwrap().items, newest);
    work.layout().leave_room(100_000);
    finish(&mut work);
    assert!(progress.load().is_whole());
    city.lists_are_right();
}

pub(super) fn bytes_of(path: &Path, ending: &str) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    std::fs::metadata(name).map_or(0, |meta| meta.len())
}

#[test]
fn views_of_the_version_before_serve_until_the_new_ones_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    // Some are in no run yet, as in every store that is stopped.
    (0..20).for_each(|n| city.one_more(600 + n));
    work.absorb(true).unwrap();
    assert!(!city.lists.present().load().recent.is_empty());
    drop(work);

    let mut settings = city.settings(dir.path());
    settings.belongs.version += 1;
    settings.reads_older = vec![sql::VERSION];
    let (mut work, progress) = city.started(settings);
    city.lists_are_right();
    for n in 0..90 {
        city.one_more(700 + n);
        if n % 60 == 0 {
            work.round().unwrap();
            city.lists_are_right();
        }
    }
    let older = dir.path().join(crate::views::file::name(sql::VERSION));
    assert!(older.exists());
    assert_eq!(progress.load().serving_older, Some(sql::VERSION));
    finish(&mut work);
    city.lists_are_right();
    assert!(!older.exists());
    assert_eq!(progress.load().serving_older, None);
    (0..60).for_each(|n| city.one_more(800 + n));
    finish(&mut work);
    city.lists_are_right();
}

/// Closed while an older version serves, and the process killed: nothing of it is missing from the new one or in it twice.
#[test]
fn a_start_while_an_older_version_serves_loses_nothing_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    (0..20).for_each(|n| city.one_more(600 + n));
    work.absorb(true).unwrap();
    drop(work);
    let next = |city: &City| {
        let mut settings = city.settings(dir.path());
        settings.belongs.version += 1;
        settings.reads_older = vec![sql::VERSION];
        settings
    };
    for start in 0..3 {
        let settings = next(&city);
        let (mut work, _) = city.started(settings);
        (0..70).for_each(|n| city.one_more(700 + 100 * start + n));
        work.round().unwrap();
        let filter = CaseFilter { open: Some(false), ..CaseFilter::default() };
        let wanted = city.cases.values().filter(|case| !case.is_open()).count();
        let (mut found, mut cursor) = (0, None);
        loop {
            let page = city.lists.cases(&Scope::All, &filter, cursor.as_ref(), 1_000).unwrap();
            found += page.items.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, wanted, "start {start}");
        drop(work);
    }
    // The last events are in no views at all.
    (0..5).for_each(|n| city.one_more(1_100 + n));
    let settings = next(&city);
    let (mut work, progress) = city.started(settings);
    assert_eq!(progress.load().serving_older, Some(sql::VERSION), "the new ones are far from whole");
    finish(&mut work);
    assert_eq!(progress.load().serving_older, None);
    city.lists_are_right();
}

/// Rows of version 1 were the domain's own types as JSON, without a mark of their form.
fn as_version_1(dir: &Path, city: &City) {
    let file = dir.join(crate::views::file::name(sql::VERSION));
    let conn = rusqlite::Connection::open(&file).unwrap();
    let put = |table: &str, id: u64, mut body: Vec<u8>| {
        let crc = crc32fast::hash(&body);
        body.extend_from_slice(&crc.to_le_bytes());
        let sql = format!("UPDATE {table} SET body = ?2 WHERE id = ?1");
        conn.execute(&sql, rusqlite::params![id as i64, body]).unwrap()
    };
    let rows = city.cases.values().map(|case| put("cases", case.id.0, serde_json::to_vec(&**case).unwrap()));
    assert!(rows.sum::<usize>() > 100);
    for whistle in city.whistles.values() {
        put("whistles", whistle.id.0, serde_json::to_vec(whistle).unwrap());
    }
    conn.execute_batch("PRAGMA user_version = 1; PRAGMA journal_mode = DELETE;").unwrap();
    drop(conn);
    std::fs::rename(file, dir.join(crate::views::file::name(1))).unwrap();
}

#[test]
fn views_of_the_first_version_serve_until_those_of_this_one_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    drop(work);
    as_version_1(dir.path(), &city);
    let settings = city.settings(dir.path());
    let (mut work, progress) = city.started(settings);
    assert_eq!(progress.load().serving_older, Some(1));
    city.lists_are_right();
    finish(&mut work);
    city.lists_are_right();
    assert_eq!(progress.load().serving_older, None);
    assert_eq!(crate::views::file::versions(dir.path()), [sql::VERSION]);
}

/// A store whose states are all far back, as one of before has it: the newest closings are laid out first all the same, and
/// nothing before them is read for it.
#[test]
fn the_newest_months_come_first_without_a_kept_state_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    city.log.states.lock().unwrap().retain(|mark, _| *mark == 0);
    let mut settings = city.settings(dir.path());
    (settings.replay_events, settings.stretch_events) = (30, 100);
    let (mut work, progress) = city.started(settings);
    let head = city.state.seq;
    assert!(work.round().unwrap());
    let first: Vec<u64> = std::mem::take(&mut *city.log.read.lock().unwrap());
    assert!(!first.is_empty() && first.iter().all(|seq| *seq > head - 100), "{first:?}");
    assert_eq!(work.layout().covered().gap(head), Some((0, head - 100)));
    let newest = city.lists.cases(&Scope::All, &CaseFilter::default(), None, 20).unwrap().items;
    assert_eq!(newest[0].id, *city.cases.keys().next_back().unwrap());
    // Killed here, and gone on with.
    drop(work);
    let mut settings = city.settings(dir.path());
    (settings.replay_events, settings.stretch_events) = (30, 100);
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    assert!(progress.load().events > 0 && city.lists.reaches_all());
    city.lists_are_right();
    drop(work);
    assert_eq!(differences(&city, dir.path()), [""; 0]);
}

#[test]
fn damage_that_a_reader_finds_is_laid_out_anew_and_nothing_wrong_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(2);
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    (0..20).for_each(|n| city.one_more(900 + n));
    let conn = rusqlite::Connection::open(work.layout().path()).unwrap();
    conn.execute_batch("UPDATE pieces SET body = zeroblob(length(body));").unwrap();
    drop(conn);
    let answer = city.lists.cases(
        &Scope::All,
        &CaseFilter { has_place: Some(true), ..CaseFilter::default() },
        None,
        20,
    );
    assert!(matches!(answer, Err(ListError::Views(error)) if error.is_damaged()));
    work.start_over().unwrap();
    finish(&mut work);
    city.lists_are_right();
}

/// What the check says about a store's views; none of it when they are as the log makes them.
fn differences(city: &City, dir: &Path) -> Vec<String> {
    let report = crate::views::check::check(dir, city.belongs(), &city.log).unwrap().unwrap();
    assert!(report.runs > 0 || !report.differences.is_empty());
    report.differences
}

#[test]
fn the_check_compares_views_with_the_log_and_finds_every_harm() {
    let dir = tempfile::tempdir().unwrap();
    let mut city = city_with_history(3);
    let settings = city.settings(dir.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    (0..15).for_each(|n| city.one_more(900 + n));
    finish(&mut work);
    let file = work.layout().path().to_owned();
    drop(work);
    assert_eq!(differences(&city, dir.path()), [""; 0]);

    let sound = std::fs::read(&file).unwrap();
    for (harm, words) in [
        ("DELETE FROM cases WHERE id = 20", "and has no row"),
        ("DELETE FROM whistles", "whistle call"),
        ("DELETE FROM tail WHERE id = (SELECT max(id) FROM tail)", "the log closed"),
        ("UPDATE cases SET body = zeroblob(9) WHERE id = 20", "not what was written"),
        (
            "UPDATE cases SET body = (SELECT body FROM cases WHERE id = 5) WHERE id = 8",
            "not what its rows make",
        ),
    ] {
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(&format!("PRAGMA journal_mode = DELETE; {harm};")).unwrap();
        drop(conn);
        let found = differences(&city, dir.path());
        assert!(found.iter().any(|difference| difference.contains(words)), "{harm}: {found:?}");
        std::fs::write(&file, &sound).unwrap();
    }
    assert_eq!(differences(&city, dir.path()), [""; 0]);
}

#[test]
fn a_history_at_hand_is_laid_out_as_a_build_would() {
    let (built, filled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut city = city_with_history(3);
    let settings = city.settings(built.path());
    let (mut work, _) = city.started(settings);
    finish(&mut work);
    let mut state = city.log.state_at(0).unwrap().unwrap();
    let mut filler = crate::views::fill::Filler::open(filled.path(), city.belongs(), 0).unwrap();
    for recorded in city.log.events.lock().unwrap().iter() {
        let changes = state.apply(recorded);
        filler.note(recorded.seq, changes).unwrap();
    }
    filler.finish(state.seq).unwrap();
    drop(filler);
    assert_eq!(differences(&city, filled.path()), [""; 0]);
    let settings = city.settings(filled.path());
    let (work, progress) = city.started(settings);
    assert!(progress.load().is_whole(), "nothing is left to build");
    assert_eq!(work.layout().covered().events(state.seq), state.seq);
    city.lists_are_right();
}
