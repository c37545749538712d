//! Cells that are given back, and what those are told who saw somebody in them.

use super::*;

/// Places can be made up. What was seen of them goes from every screen, of the city and of a part, and the table keeps
/// nothing of it.
#[test]
fn cells_that_nobody_has_been_in_for_long_are_given_back() {
    for part in [None, Screen::seeing("n").part] {
        let mut table = Table::new(CELL_E6);
        table.set_works_in(Arc::new(|_| Some(WORK[1].iter().map(|area| area.parse().unwrap()).collect())));
        for number in 0..300 {
            report(&mut table, &fix(number, 20.0 + number as f64 / 10.0, 102.7, START));
        }
        table.tick(START);
        let screen = || Screen { part: part.clone(), ..Screen::default() };
        let (mut follows, mut sleeps) = (screen(), screen());
        follows.follow(&mut table, START);
        sleeps.follow(&mut table, START);
        let part = part.as_ref();
        let cells = |table: &mut Table| table.hashes(part).1.len();
        assert_eq!(cells(&mut table), 300);
        let made_up = Cell::of(Point::from_degrees(30.0, 102.7).unwrap(), CELL_E6);
        let hours = |hours: i64| START.plus(hours * 3_600_000);
        report(&mut table, &fix(7, 25.0, 102.7, hours(24)));
        table.tick(hours(24));
        table.forget(hours(20), hours(24));
        follows.follow(&mut table, hours(24));
        assert_eq!(cells(&mut table), 300, "whoever follows is told of those who left");
        table.forget(hours(20), hours(26));
        assert_eq!(cells(&mut table), 1, "the cell of the one who is still there");
        follows.follow(&mut table, hours(26));
        follows.assert_agrees(&mut table);
        assert_eq!(follows.cells.values().filter(|cell| cell.hash() != 0).count(), 1);
        assert!(!table.is_from_before(part, None, follows.version));
        // Whoever slept through it stands before what was given back: all start anew, one cell is told that it is empty,
        // once.
        assert!(table.is_from_before(part, None, sleeps.version));
        assert!(!table.is_from_before(part, Some(made_up), sleeps.version));
        let told = table.frames(part, Some(made_up), sleeps.version, hours(26));
        let frame = Frame::decode(&told[0][1..]).unwrap();
        assert!(sleeps.cells.get_mut(&made_up).unwrap().apply(&frame));
        assert_eq!((told.len(), sleeps.cells[&made_up].hash()), (1, 0));
        let rows = table.rows(part, Some(made_up), sleeps.version);
        assert_eq!((rows.from, rows.rows.len()), (0, 0), "rows say so too");
        assert!(table.frames(part, Some(made_up), frame.to, hours(26)).is_empty());
        assert_eq!(table.rows(part, Some(made_up), frame.to).from, frame.to);
    }
}
