//! The table against a screen that decodes its frames, and the size of a position while people walk.

use domain::code::InspectorCode;
use domain::moment::UtcMillis;
use domain::place::Point;
use domain::position::{Cell, CellView, Frame, Grid, position_hash};
use domain::scope::Scope;
use domain::wire::Part;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use super::table::Table;
use super::{Accepts, Fix, FixError, check};
use crate::clock::Clock;

mod cells;
mod clock;
mod full;

const START: UtcMillis = UtcMillis(1_795_226_400_000);
const CELL_E6: i32 = 100_000;

fn fix(number: usize, lat: f64, lon: f64, fixed: UtcMillis) -> Fix {
    Fix {
        inspector: InspectorCode::new(format!("jd-{number}")).unwrap(),
        place: Point::from_degrees(lat, lon).unwrap(),
        fixed,
        speed_mps: None,
        heading_deg: None,
        accuracy_m: None,
        source: String::new(),
    }
}

fn report(table: &mut Table, fix: &Fix) {
    let index = table.enter(&fix.inspector, fix.place, fix.fixed).unwrap();
    table.take(index, fix, UtcMillis(i64::MAX));
}

/// A screen that follows all cells from packed frames.
#[derive(Default)]
struct Screen {
    cells: HashMap<Cell, CellView>,
    version: u64,
    /// What its reader sees; none for everything.
    part: Option<Part>,
}

impl Screen {
    fn seeing(area: &str) -> Self {
        let scope = Scope::area(area.parse().unwrap());
        Self { part: Some(Part::Own(Some(Arc::new(scope)))), ..Self::default() }
    }

    /// Applies what the table has for it; returns bytes and entries received.
    fn follow(&mut self, table: &mut Table, now: UtcMillis) -> (usize, usize) {
        let (mut bytes, mut entries) = (0, 0);
        if table.is_from_before(self.part.as_ref(), None, self.version) {
            (self.version, self.cells) = (0, HashMap::new());
        }
        for packed in table.frames(self.part.as_ref(), None, self.version, now) {
            let frame = Frame::decode(&packed[1..]).unwrap();
            bytes += packed.len();
            entries += frame.entries.len();
            assert!(self.cells.entry(frame.cell).or_default().apply(&frame), "{frame:?} does not fit");
        }
        self.version = table.version();
        (bytes, entries)
    }

    fn assert_agrees(&self, table: &mut Table) {
        let (_, cells) = table.hashes(self.part.as_ref());
        for (cell, _, hash) in &cells {
            assert_eq!(self.cells.get(cell).map_or(0, CellView::hash), *hash, "cell {cell:?}");
        }
        let known = |cell: &Cell| cells.iter().any(|(one, ..)| one == cell);
        assert!(self.cells.iter().all(|(cell, view)| known(cell) || view.hash() == 0));
    }
}

/// Method: 10,000 people walk as inspectors do, 1.2 m/s with a fix every 5 s, headings that drift, GPS noise of a
/// metre, clocks up to a second late; 2,000 fixes a second, four ticks a second.
#[test]
fn a_walking_position_takes_at_most_five_bytes() {
    let mut table = Table::new(CELL_E6);
    let mut seed = 7u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / f64::from(1u32 << 31)
    };
    let mut walkers: Vec<(f64, f64, f64)> = (0..10_000)
        .map(|_| (25.0 + random() * 0.2, 102.6 + random() * 0.25, random() * std::f64::consts::TAU))
        .collect();
    for (number, (lat, lon, _)) in walkers.iter().enumerate() {
        report(&mut table, &fix(number, *lat, *lon, START));
    }
    table.tick(START);
    let mut screen = Screen::default();
    screen.follow(&mut table, START);
    let (mut bytes, mut entries) = (0, 0);
    for tick in 1..=80u32 {
        let now = START.plus(i64::from(tick) * 250);
        for (number, walker) in walkers.iter_mut().enumerate().skip(tick as usize % 20).step_by(20) {
            walker.2 += random() - 0.5;
            walker.0 += 6.0 * walker.2.cos() / 111_320.0 + (random() - 0.5) / 111_320.0;
            walker.1 += 6.0 * walker.2.sin() / 100_900.0 + (random() - 0.5) / 100_900.0;
            report(&mut table, &fix(number, walker.0, walker.1, now.plus(-(random() * 1_000.0) as i64)));
        }
        table.tick(now);
        let (tick_bytes, tick_entries) = screen.follow(&mut table, now);
        bytes += tick_bytes;
        entries += tick_entries;
    }
    screen.assert_agrees(&mut table);
    let each = bytes as f64 / entries as f64;
    assert!(entries > 39_000 && each <= 5.0, "{entries} positions took {each:.2} bytes each");
}

#[derive(Debug, Clone)]
enum Move {
    Report(usize, i32, i32, i64),
    Tick,
    Follow(usize),
    Lose(usize),
    Forget,
    /// Somebody works in another area from the next look on.
    Work(usize, usize),
}

/// Where people work, in the order of [`Move::Work`].
const WORK: [&[&str]; 4] = [&[], &["n", "c"], &["s", "c"], &["s2", "s", "c"]];

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => (0..12usize, 0..4_000i32, 0..4_000i32, -30i64..2).prop_map(|(n, y, x, t)| Move::Report(n, y, x, t)),
        3 => Just(Move::Tick),
        3 => (0..3usize).prop_map(Move::Follow),
        1 => (0..3usize).prop_map(Move::Lose),
        1 => Just(Move::Forget),
        2 => (0..12usize, 0..WORK.len()).prop_map(|(number, area)| Move::Work(number, area)),
    ];
    prop::collection::vec(one, 1..200)
}

fn screens_area(part: Option<&Part>, area: &str) -> bool {
    part == Screen::seeing(area).part.as_ref()
}

proptest! {
    /// Method: people jump about over a few cells, screens follow now and then, lose everything, or fall further
    /// behind than the ring; at the end each agrees with the table, by frames and by rows. Two of them see a part: those
    /// who work there, wherever on the map they stand, while people come to work elsewhere.
    #[test]
    fn every_screen_ends_up_with_the_table(moves in moves()) {
        let mut table = Table::new(CELL_E6);
        let mut now = START;
        let work: Arc<Mutex<HashMap<InspectorCode, usize>>> = Arc::default();
        let works = work.clone();
        table.set_works_in(Arc::new(move |code| {
            let place = works.lock().unwrap().get(code).copied().unwrap_or(code.as_str().len() % 4);
            Some(WORK[place].iter().map(|area| area.parse().unwrap()).collect())
        }));
        let mut screens = [Screen::default(), Screen::seeing("s"), Screen::seeing("n")];
        let mut rows: BTreeMap<u32, Point> = BTreeMap::new();
        let mut rows_at = 0;
        for one in moves {
            match one {
                Move::Report(number, y, x, late) => {
                    let (lat, lon) = (25.0 + f64::from(y) / 1e4, 102.6 + f64::from(x) / 1e4);
                    report(&mut table, &fix(number, lat, lon, now.plus(late * 1_000)));
                }
                Move::Tick => {
                    now = now.plus(250);
                    table.tick(now);
                }
                Move::Follow(screen) => {
                    screens[screen].follow(&mut table, now);
                    screens[screen].assert_agrees(&mut table);
                }
                Move::Lose(screen) => {
                    let part = screens[screen].part.clone();
                    screens[screen] = Screen { part, ..Screen::default() };
                }
                Move::Work(number, area) => {
                    let code = InspectorCode::new(format!("jd-{number}")).unwrap();
                    work.lock().unwrap().insert(code, area);
                }
                Move::Forget => drop(table.forget(now.plus(-20_000), now)),
            }
            let changed = table.rows(None, None, rows_at);
            for row in changed.rows {
                match row.place {
                    Some(place) => drop(rows.insert(row.index, place)),
                    None => drop(rows.remove(&row.index)),
                }
            }
            rows_at = changed.to;
        }
        table.tick(now.plus(250));
        table.forget(UtcMillis(0), now);
        for screen in &mut screens {
            screen.follow(&mut table, now);
            screen.assert_agrees(&mut table);
            let part = screen.part.as_ref();
            let who: Vec<u64> = table.who().bite(None, usize::MAX, part).rows.iter().map(|row| row.0).collect();
            let seen = table.rows(part, None, 0).rows;
            prop_assert_eq!(&who, &seen.iter().map(|row| u64::from(row.index)).collect::<Vec<_>>());
            let place = |row: &domain::wire::PositionRow| Grid::from(row.place.unwrap());
            let all = seen.iter().fold(0, |hash, row| hash ^ position_hash(row.index, place(row)));
            prop_assert_eq!(table.hashes(part).0, all);
            let theirs = |row: &domain::wire::PositionRow| {
                let known = work.lock().unwrap().get(&row.inspector).copied();
                WORK[known.unwrap_or(row.inspector.as_str().len() % 4)].to_vec()
            };
            let area = match part { None => None, Some(_) if screens_area(part, "s") => Some("s"), Some(_) => Some("n") };
            prop_assert!(seen.iter().all(|row| area.is_none_or(|area| theirs(row).contains(&area))));
        }
        let last = table.rows(None, None, 0);
        let all: BTreeMap<u32, Point> =
            last.rows.into_iter().filter_map(|row| Some((row.index, row.place?))).collect();
        for row in table.rows(None, None, rows_at).rows {
            match row.place {
                Some(place) => drop(rows.insert(row.index, place)),
                None => drop(rows.remove(&row.index)),
            }
        }
        prop_assert_eq!(rows, all);
    }
}

#[test]
fn a_late_fix_does_not_move_anyone() {
    let mut table = Table::new(CELL_E6);
    report(&mut table, &fix(1, 25.05, 102.72, START));
    report(&mut table, &fix(1, 25.99, 102.99, START.plus(-1)));
    table.tick(START);
    assert_eq!(table.newest(0).unwrap().place, Point::from_degrees(25.05, 102.72));
}

#[test]
fn impossible_fixes_are_refused_by_field() {
    let accepts = Accepts {
        bounds: Some(domain::place::Bounds { south: 24.0, west: 102.0, north: 26.0, east: 104.0 }),
        clock_skew_seconds: 300,
    };
    let good = fix(1, 25.0, 102.7, START);
    let refused = |fix: Fix| check(&fix, &accepts, 31, START.into()).unwrap_err();
    assert_eq!(check(&good, &accepts, 31, START.into()), Ok(()));
    assert_eq!(refused(Fix { fixed: START.plus(301_000), ..good.clone() }), FixError::Future(301));
    assert_eq!(refused(Fix { fixed: START.plus(-32 * 86_400_000), ..good.clone() }), FixError::TooOld(31));
    assert_eq!(refused(fix(1, 40.7, -74.0, START)), FixError::OutsideBounds);
    assert!(matches!(refused(Fix { speed_mps: Some(f32::NAN), ..good.clone() }), FixError::Speed(_)));
    assert_eq!(refused(Fix { heading_deg: Some(361.0), ..good.clone() }), FixError::Heading(361.0));
    assert_eq!(refused(Fix { accuracy_m: Some(-1.0), ..good.clone() }), FixError::Accuracy(-1.0));
    assert!(matches!(refused(Fix { source: "x".repeat(129), ..good.clone() }), FixError::Source(_)));
    for at in [i64::MIN, i64::MIN + 1, -1_000_000_000_000_000, 0] {
        assert_eq!(refused(Fix { fixed: UtcMillis(at), ..good.clone() }), FixError::TooOld(31), "{at}");
    }
    assert!(matches!(refused(Fix { fixed: UtcMillis(i64::MAX), ..good }), FixError::Future(_)));
}

#[tokio::test]
async fn newest_positions_and_tracks_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let accepts = Accepts { bounds: None, clock_skew_seconds: 300 };
    let settings = super::Settings { tick_ms: 20, fix_interval_ms: 0, ..super::Settings::default() };
    let now = Clock::machine().now();
    let code = InspectorCode::new("jd-1").unwrap();
    let all = (now.plus(-60_000), now.plus(60_000));
    for round in 0..3i64 {
        let positions =
            super::Positions::open(Some(dir.path()), settings.clone(), accepts, Clock::machine()).unwrap();
        let known = positions.track(&code, all.0, all.1, 1_000).unwrap();
        assert_eq!(known.len(), usize::try_from(round).unwrap() * 2);
        if round > 0 {
            // Screens and lists learn of the restored ones at the first tick.
            while positions.newest(None, 10).is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            let place = positions.newest(None, 10)[0].place.unwrap();
            assert_eq!(place, Point::from_degrees(25.0 + 0.001 * (round - 1) as f64, 102.7).unwrap());
        }
        let fixes = [
            fix(1, 24.9, 102.7, now.plus(round * 10 - 1)),
            fix(1, 25.0 + 0.001 * round as f64, 102.7, now.plus(round * 10)),
        ];
        assert!(positions.report(&fixes).iter().all(Result::is_ok));
        let written = usize::try_from(round + 1).unwrap() * 2;
        for _ in 0..1_000 {
            if positions.track(&code, all.0, all.1, 1_000).unwrap().len() == written {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        drop(positions);
        // SQLite removes its log when the last connection is closed.
        let open = dir.path().join("positions.db-wal");
        for _ in 0..1_000 {
            if !open.exists() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(!open.exists(), "the tracks are closed");
    }
}

/// A server whose clock was an hour ahead and is set right: positions taken meanwhile must not hide what comes now.
#[test]
fn a_position_from_a_clock_set_back_does_not_stand_in_the_way() {
    let mut table = Table::new(CELL_E6);
    let ahead = START.plus(3_600_000);
    report(&mut table, &fix(1, 25.0, 102.7, ahead));
    let now = fix(1, 25.1, 102.7, START);
    let late = START.plus(300_000);
    table.take(0, &now, ahead);
    assert_eq!(
        table.people()[0].place,
        fix(1, 25.0, 102.7, ahead).place,
        "an older fix belongs to the track"
    );
    table.take(0, &now, late);
    assert_eq!((table.people()[0].place, table.people()[0].fixed), (now.place, START));
    // Versions go on although the clock does not.
    table.tick(ahead);
    let before = table.version();
    report(&mut table, &fix(1, 25.2, 102.7, START.plus(1_000)));
    table.tick(START.plus(1_000));
    assert!(table.version() > before);
}

/// Method: nobody looks at a part for so long that it is forgotten, and somebody who stood where it ends comes back.
#[test]
fn whoever_returns_to_a_part_that_was_forgotten_begins_anew() {
    let mut table = Table::new(CELL_E6);
    let works = |code: &InspectorCode| match code.as_str() {
        "jd-1" => Some(["s".parse().unwrap()].into()),
        _ => None,
    };
    table.set_works_in(Arc::new(works));
    report(&mut table, &fix(1, 25.05, 102.72, START));
    table.tick(START);
    let mut screen = Screen::seeing("s");
    screen.follow(&mut table, START);
    // Somebody who works elsewhere moves: versions go on, and the part stays as it was.
    report(&mut table, &fix(2, 25.05, 102.72, START.plus(250)));
    table.tick(START.plus(250));
    screen.follow(&mut table, START);
    for _ in 0..3 {
        table.forget(UtcMillis(0), START);
    }
    screen.follow(&mut table, START);
    report(&mut table, &fix(1, 25.06, 102.73, START.plus(1_000)));
    table.tick(START.plus(1_000));
    screen.follow(&mut table, START.plus(1_000));
    screen.assert_agrees(&mut table);
}
