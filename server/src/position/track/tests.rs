//! Tracks over clocks that jump, numbers that are given again, and files of the first version.

use std::sync::mpsc::channel;

use domain::place::Point;

use super::super::Step;
use super::*;

/// Noon, UTC.
const START: UtcMillis = UtcMillis(1_795_262_400_000);
const MINUTE: Duration = Duration::from_secs(60);

fn code(text: &str) -> InspectorCode {
    InspectorCode::new(text).unwrap()
}

fn step(index: u32, fixed: UtcMillis) -> Step {
    let place = Point::from_degrees(25.0, 102.7).unwrap();
    Step { index, place, fixed, moving: false, heading_deg: 0.0 }
}

fn batch(at: UtcMillis, monotonic: Duration, steps: Vec<Step>) -> Batch {
    Batch { at, monotonic, latest: at.plus(300_000), steps, new: Vec::new() }
}

/// Runs a file through batches, to its end.
fn run(path: &Path, batches: Vec<Batch>) {
    let (sender, receiver) = channel();
    let (tracks, _) = Tracks::open(path, 31, Open::default()).unwrap();
    batches.into_iter().for_each(|batch| sender.send(batch).unwrap());
    drop(sender);
    tracks.run(&receiver);
}

fn known(path: &Path) -> Vec<Known> {
    Tracks::open(path, 31, Open::default()).unwrap().1
}

fn all(path: &Path, who: &str) -> Vec<UtcMillis> {
    let points = sealed(path, &code(who), UtcMillis(0), UtcMillis(i64::MAX / 2), usize::MAX).unwrap();
    points.into_iter().map(|point| point.fixed).collect()
}

fn count(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn sealing_keeps_its_pace_whichever_way_the_wall_clock_is_set() {
    for jump in [DAY_MS, -DAY_MS] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("positions.db");
        let (sender, receiver) = channel();
        let open = Open::default();
        let (tracks, _) = Tracks::open(&path, 31, open.clone()).unwrap();
        let thread = std::thread::spawn(move || tracks.run(&receiver));
        // A clock that is a day off for the first ten minutes.
        for minute in 0..40u32 {
            let wall = START.plus(i64::from(minute) * 60_000 + if minute < 10 { jump } else { 0 });
            let mut batch =
                batch(wall, MINUTE * minute, vec![step(0, START.plus(i64::from(minute) * 60_000))]);
            if minute == 0 {
                batch.new = vec![(0, code("a"))];
            }
            sender.send(batch).unwrap();
        }
        let began = std::time::Instant::now();
        while all(&path, "a").len() < 31 {
            assert!(began.elapsed() < Duration::from_secs(20), "sealed twice in forty minutes");
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(sender);
        thread.join().unwrap();
        assert_eq!(all(&path, "a").len(), 40);
        assert!(lock(&open).is_empty());
    }
}

#[test]
fn chunks_are_cut_at_the_quarters_of_an_hour_and_stand_in_the_table_of_their_day() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("positions.db");
    let midnight = START.plus(DAY_MS / 2);
    let fixed: Vec<UtcMillis> = (-20..20).map(|minute| midnight.plus(minute * 60_000)).collect();
    let steps = fixed.iter().map(|fixed| step(0, *fixed)).collect();
    run(&path, vec![Batch { new: vec![(0, code("a"))], ..batch(midnight, MINUTE, steps) }]);
    assert_eq!(all(&path, "a"), fixed);
    let day = midnight.0 / DAY_MS;
    for (table, chunks) in [(table(day - 1), 2), (table(day), 2)] {
        assert_eq!(count(&path, &format!("SELECT count(*) FROM {table}")), chunks, "{table}");
    }
    // A late one makes a further part of its quarter, and is read in order.
    run(&path, vec![batch(midnight, MINUTE * 2, vec![step(0, midnight.plus(-61_000))])]);
    let read = all(&path, "a");
    assert!(read.is_sorted() && read.len() == 41);
    // In pages: each whole up to its last point.
    let mut paged = Vec::new();
    let mut from = UtcMillis(0);
    loop {
        let page = sealed(&path, &code("a"), from, midnight.plus(DAY_MS), 7).unwrap();
        let Some(last) = page.iter().take(7).next_back() else { break };
        from = last.fixed.plus(1);
        paged.extend(page.into_iter().take(7).map(|point| point.fixed));
    }
    assert_eq!(paged, read);
}

#[test]
fn a_late_fix_does_not_put_anyone_into_the_past_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("positions.db");
    let newest = |expected: UtcMillis| {
        assert_eq!(known(&path)[0].newest.as_ref().map(|point| point.fixed), Some(expected));
    };
    run(&path, vec![Batch { new: vec![(0, code("a"))], ..batch(START, MINUTE, vec![step(0, START)]) }]);
    newest(START);
    run(&path, vec![batch(START.plus(60_000), MINUTE * 2, vec![step(0, START.plus(-DAY_MS))])]);
    newest(START);
    // What a clock that was ahead has left there does not stay for ever.
    run(&path, vec![batch(START.plus(5 * DAY_MS), MINUTE * 3, vec![step(0, START.plus(5 * DAY_MS))])]);
    run(&path, vec![batch(START.plus(120_000), MINUTE * 4, vec![step(0, START.plus(120_000))])]);
    newest(START.plus(120_000));
}

#[test]
fn a_number_given_to_another_takes_no_track_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("positions.db");
    let at = |minutes: i64| START.plus(minutes * 60_000);
    let batches =
        [(0, "before", true), (20, "before", false), (21, "after", true)].map(|(minutes, who, is_new)| {
            let new = if is_new { vec![(0, code(who))] } else { Vec::new() };
            Batch { new, ..batch(at(minutes), MINUTE * minutes as u32, vec![step(0, at(minutes))]) }
        });
    run(&path, batches.into());
    assert_eq!(known(&path).iter().map(|person| person.code.as_str()).collect::<Vec<_>>(), ["after"]);
    assert_eq!(all(&path, "after"), [at(21)]);
    assert_eq!(all(&path, "before"), [at(0), at(20)], "it stays that person's");
}

/// Six weeks of tracks of somebody, a point an hour, as they stand after six weeks.
fn six_weeks(path: &Path) {
    let conn = {
        let (tracks, _) = Tracks::open(path, 31, Open::default()).unwrap();
        tracks.conn
    };
    for hour in -42 * 24..0 {
        let point = step(0, START.plus(hour * 3_600_000)).point();
        put_chunks(&conn, &code("a"), &[point]).unwrap();
    }
}

/// Quarters of an hour with fixes of the phones' own time.
fn quarters(from: UtcMillis, monotonic: &mut Duration, hours: u32, ahead_ms: i64) -> Vec<Batch> {
    (0..hours * 4)
        .map(|quarter| {
            *monotonic += MINUTE * 15;
            let real = from.plus(i64::from(quarter) * 900_000);
            batch(real.plus(ahead_ms), *monotonic, vec![step(0, real)])
        })
        .collect()
}

#[test]
fn a_clock_that_jumps_days_either_way_deletes_no_track() {
    for jump in [31, 32, 400, -31, -400] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("positions.db");
        six_weeks(&path);
        let before = all(&path, "a").len();
        let mut monotonic = MINUTE;
        let mut batches = quarters(START, &mut monotonic, 2, 0);
        batches[0].new = vec![(0, code("a"))];
        // For seconds; and then for two days, in which the phones know better.
        batches.extend(quarters(START.plus(2 * 3_600_000), &mut monotonic, 1, jump * DAY_MS));
        batches.extend(quarters(START.plus(3 * 3_600_000), &mut monotonic, 1, 0));
        batches.extend(quarters(START.plus(4 * 3_600_000), &mut monotonic, 48, jump * DAY_MS));
        let more = batches.len();
        run(&path, batches);
        assert_eq!(all(&path, "a").len(), before + more, "{jump} days");
    }
}

#[test]
fn what_is_older_than_is_kept_goes_a_day_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("positions.db");
    six_weeks(&path);
    let mut monotonic = MINUTE;
    let mut batches = quarters(START, &mut monotonic, 40, 0);
    batches[0].new = vec![(0, code("a"))];
    run(&path, batches);
    let oldest = all(&path, "a")[0];
    assert!(
        oldest > START.plus(-41 * DAY_MS) && oldest < START.plus(-39 * DAY_MS),
        "two days at most: {oldest:?}"
    );
    // Over restarts of the process it goes on until only what is kept is left.
    for day in 2..16 {
        let mut monotonic = MINUTE;
        run(&path, quarters(START.plus(day * DAY_MS - 8 * 3_600_000), &mut monotonic, 24, 0));
    }
    let oldest = all(&path, "a")[0];
    let end = START.plus(15 * DAY_MS + 16 * 3_600_000);
    let kept = end.since(oldest) / DAY_MS;
    assert!((31..=32).contains(&kept), "{kept} days are kept");
}

/// A file as the first version left it: sealed and unsealed steps by number.
fn of_the_first_version(path: &Path) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA user_version=1;
         CREATE TABLE inspectors (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, newest BLOB);
         CREATE TABLE ticks (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, bytes BLOB NOT NULL);
         CREATE TABLE chunks (inspector INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
             bytes BLOB NOT NULL);
         CREATE INDEX chunks_by_time ON chunks (inspector, start_ms);
         CREATE INDEX chunks_by_end ON chunks (end_ms);",
    )
    .unwrap();
    let packed = |steps: &[(u32, i64)]| {
        let mut before = (0, 0, 0);
        let rows: Vec<(u32, i64, i32, i32, u8)> = steps
            .iter()
            .map(|(index, ms)| {
                let at = (START.0 + ms, 25_000_000, 102_700_000);
                let row = (*index, at.0 - before.0, at.1 - before.1, at.2 - before.2, 3 << 1 | 1);
                before = at;
                row
            })
            .collect();
        postcard::to_extend(&rows, Vec::new()).unwrap()
    };
    for (id, who) in [(0, "a"), (1, "b")] {
        conn.execute(
            "INSERT INTO inspectors VALUES (?1, ?2, ?3)",
            params![id, who, packed(&[(id, -60_000)])],
        )
        .unwrap();
        let steps = [(id, -120_000), (id, -60_000)];
        conn.execute(
            "INSERT INTO chunks VALUES (?1, ?2, ?3, ?4)",
            params![id, START.0 - 120_000, START.0 - 60_000, packed(&steps)],
        )
        .unwrap();
    }
    conn.execute(
        "INSERT INTO ticks (at_ms, bytes) VALUES (?1, ?2)",
        params![START.0, packed(&[(1, 0), (0, 5), (1, 9)])],
    )
    .unwrap();
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date_and_its_tracks_stay_their_owners() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("positions.db");
    of_the_first_version(&path);
    let people = known(&path);
    let newest: Vec<_> = people
        .iter()
        .map(|person| (person.code.as_str(), person.newest.as_ref().unwrap().fixed.since(START)))
        .collect();
    assert_eq!(newest, [("a", 5), ("b", 9)]);
    let since = |who: &str| all(&path, who).iter().map(|fixed| fixed.since(START)).collect::<Vec<_>>();
    assert_eq!(since("a"), [-120_000, -60_000, 5]);
    assert_eq!(since("b"), [-120_000, -60_000, 0, 9]);
    // A number goes to somebody else: the old chunks do not go with it.
    run(
        &path,
        vec![Batch { new: vec![(0, code("c"))], ..batch(START, MINUTE, vec![step(0, START.plus(60_000))]) }],
    );
    assert_eq!(since("a"), [-120_000, -60_000, 5]);
    assert_eq!(since("c"), [60_000]);
    assert_eq!(count(&path, "PRAGMA user_version"), 2);
    // And one day their time is over.
    let conn = Connection::open(&path).unwrap();
    assert!(first::let_go(&conn, START.plus(DAY_MS)).unwrap());
    assert!(!first::let_go(&conn, START.plus(DAY_MS)).unwrap());
    assert_eq!(since("a"), [5]);
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("positions.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 3").unwrap();
    let error = Tracks::open(&path, 31, Open::default()).unwrap_err();
    assert!(matches!(error, TrackError::Newer { found: 3, .. }), "{error}");
}

fn waited(what: &str, mut is: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What was taken before anybody knew is in the track in the end, in its order: a number goes to somebody else meanwhile.
#[test]
fn what_the_disk_had_no_room_for_is_written_when_there_is_some() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("positions.db");
    let (sender, receiver) = channel();
    let (tracks, _) = Tracks::open(&path, 31, Open::default()).unwrap();
    let trouble = tracks.trouble();
    let disk = Connection::open(&path).unwrap();
    disk.busy_timeout(Duration::from_secs(5)).unwrap();
    disk.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON flushes BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    .unwrap();
    let thread = std::thread::spawn(move || tracks.run(&receiver));
    let at = |minutes: i64| START.plus(minutes * 60_000);
    for (minute, who) in [(0, "before"), (1, ""), (2, "after")] {
        let new = if who.is_empty() { Vec::new() } else { vec![(0, code(who))] };
        let steps = vec![step(0, at(minute))];
        sender.send(Batch { new, ..batch(at(minute), MINUTE * minute as u32, steps) }).unwrap();
    }
    waited("trouble is told", || trouble.is_there());
    assert_eq!(trouble.why().as_deref(), Some("no room"));
    assert_eq!(count(&path, "SELECT count(*) FROM flushes"), 0);
    disk.execute_batch("DROP TRIGGER full").unwrap();
    waited("nobody else sends anything, and it is written", || !trouble.is_there());
    drop(sender);
    thread.join().unwrap();
    assert_eq!(all(&path, "before"), [at(0), at(1)]);
    assert_eq!(all(&path, "after"), [at(2)]);
}
