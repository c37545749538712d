//! A table that is full: who gives way, and who comes in all the same.

use super::*;

/// Method: a machine makes up as many inspectors as the table takes. Nobody else is let in until a day later, when
/// those who kept silent give way, longest unheard first, and those who spoke stay.
#[test]
fn a_full_table_gives_the_numbers_of_the_silent_to_others() {
    let mut table = Table::new(CELL_E6);
    let many = crate::position::table::INSPECTORS_MAX;
    for number in 0..many {
        report(&mut table, &fix(number, 25.0, 102.7, START.plus(number as i64)));
    }
    let enter = |table: &mut Table, number: usize, now: UtcMillis| {
        let fix = fix(number, 25.1, 102.8, now);
        table
            .enter(&fix.inspector, fix.place, fix.fixed)
            .map(|index| table.take(index, &fix, UtcMillis(i64::MAX)).index)
    };
    table.tick(START);
    table.forget(START.plus(-1), START);
    assert_eq!(enter(&mut table, many, START), None, "everyone was heard a moment ago");
    let later = START.plus(25 * 3_600_000);
    assert_eq!(enter(&mut table, 0, later), Some(0), "the first speaks again");
    table.tick(later);
    let mut screen = Screen::default();
    screen.follow(&mut table, later);
    table.forget(later.plus(-24 * 3_600_000), later);
    assert_eq!(enter(&mut table, 2, later), Some(2), "and the third, after it was listed");
    assert_eq!(enter(&mut table, many, later), Some(1));
    assert_eq!(enter(&mut table, many + 1, later), Some(3));
    assert_eq!(table.index(&InspectorCode::new("jd-1").unwrap()), None);
    table.tick(later);
    screen.follow(&mut table, later);
    screen.assert_agrees(&mut table);
    assert_eq!(table.newest(1).unwrap().inspector.as_str(), format!("jd-{many}"));
}

/// Method: a machine makes up codes until the table takes no more of them. Whoever has a token comes in all the same.
#[test]
fn made_up_codes_keep_nobody_out_who_is_known() {
    let mut table = Table::new(CELL_E6);
    let known = InspectorCode::new("known").unwrap();
    let mine = known.clone();
    table.set_works_in(Arc::new(move |code| (*code == mine).then(|| Arc::from([]))));
    let place = Point::from_degrees(25.0, 102.7).unwrap();
    let made_up = |number: usize| InspectorCode::new(format!("made-up-{number}")).unwrap();
    let taken = (0..).take_while(|number| table.enter(&made_up(*number), place, START).is_some()).count();
    assert_eq!(taken, crate::position::table::INSPECTORS_MAX - crate::position::table::KEPT_FOR_KNOWN);
    assert_eq!(table.enter(&known, place, START), Some(u32::try_from(taken).unwrap()));
    assert_eq!(table.enter(&made_up(taken), place, START), None);
}

/// Method: a flood of made-up codes that takes every number it can get, while the known are silent for a day, over and over:
/// more often than it takes to use up the places kept for them, had each absence cost them one.
#[test]
fn a_flood_never_takes_the_places_of_the_known_who_were_silent_for_a_day() {
    let mut table = Table::new(CELL_E6);
    table.set_works_in(Arc::new(|code| code.as_str().starts_with("jd-").then(|| Arc::from([]))));
    let day = 25 * 3_600_000;
    let forgetting = 24 * 3_600_000;
    // Half of the places that are kept: after two absences they would be used up.
    let known = crate::position::table::KEPT_FOR_KNOWN / 2;
    let mut made_up = 0;
    for absence in 0..4 {
        let now = START.plus(absence * day);
        for number in 0..known {
            let back = fix(number, 25.0, 102.7, now);
            let index = table.enter(&back.inspector, back.place, now);
            let index = index.unwrap_or_else(|| panic!("jd-{number} is kept out after absence {absence}"));
            table.take(index, &back, UtcMillis(i64::MAX));
        }
        table.tick(now);
        // A day later, in which everybody was silent.
        let later = now.plus(day - 1);
        table.forget(later.plus(-forgetting), later);
        let mut taken = 0;
        loop {
            let code = InspectorCode::new(format!("made-up-{made_up}")).unwrap();
            let Some(index) = table.enter(&code, fix(0, 25.2, 102.9, later).place, later) else { break };
            table.take(index, &Fix { inspector: code, ..fix(0, 25.2, 102.9, later) }, UtcMillis(i64::MAX));
            (made_up, taken) = (made_up + 1, taken + 1);
        }
        assert_eq!(taken, crate::position::table::INSPECTORS_MAX - crate::position::table::KEPT_FOR_KNOWN);
        table.tick(later);
        // They go silent as well, so that their numbers are free for the next flood.
        table.forget(later.plus(1), later.plus(1));
    }
}
