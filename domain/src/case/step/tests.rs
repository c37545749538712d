//! Every row of the table holds together, whatever rows it has.

use super::*;

/// What must be true of any row.
fn check(rows: &'static [Row]) -> Result<(), String> {
    for row in rows {
        let wrong = |what: &str| Err(format!("{}: {what}", row.name));
        if row.to == Some(row.from) {
            return wrong("leads to where it comes from");
        }
        if row.to.is_some_and(|to| to as usize > row.from as usize + 1) {
            return wrong("jumps a stage");
        }
        let named = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if ![row.name, row.event, row.command].into_iter().all(named) {
            return wrong("has a name that is no key");
        }
        if [row.happened, row.act].as_flattened().iter().any(|word| word.trim().is_empty()) {
            return wrong("lacks a word");
        }
        if !row.counts_late.is_empty() && row.stops.is_empty() {
            return wrong("counts what is late and stops no clock");
        }
        let starts = |of| rows.iter().any(|other| other.starts.contains(of));
        if !row.stops.iter().all(starts) {
            return wrong("stops a clock that no step starts");
        }
        let states = row.counts.iter().chain(row.counts_late);
        if states.into_iter().any(|measure| matches!(measure, Measure::Open | Measure::At(_))) {
            return wrong("counts a state as what happened");
        }
        if row.asks.limit && !row.starts.contains(&ClockOf::Disposal) {
            return wrong("asks for a limit and starts no disposal");
        }
        let alike = |same: &dyn Fn(&Row) -> bool| rows.iter().filter(|other| same(other)).count() > 1;
        if alike(&|other| other.name == row.name)
            || alike(&|other| other.event == row.event)
            || alike(&|other| other.command == row.command)
        {
            return wrong("shares a name with another");
        }
    }
    let leads_on = |row: &Row| row.to.is_none_or(|to| to > row.from);
    let left = |stage: &Stage| rows.iter().any(|row| row.from == *stage && leads_on(row));
    match Stage::ALL.into_iter().find(|stage| !left(stage)) {
        Some(stage) => Err(format!("{}: no step leads on", stage.key())),
        None => Ok(()),
    }
}

#[test]
fn the_table_holds_together() {
    assert_eq!(check(&STEPS), Ok(()));
}

#[test]
fn a_row_that_does_not_fit_is_found() {
    let changed = |change: &dyn Fn(&mut Vec<Row>)| {
        let copy = |row: &Row| Row { ..*row };
        let mut rows: Vec<Row> = STEPS.iter().map(copy).collect();
        change(&mut rows);
        check(Box::leak(rows.into_boxed_slice())).unwrap_err()
    };
    assert!(changed(&|rows| rows[2].to = Some(Stage::Dispatch)).contains("where it comes from"));
    assert!(changed(&|rows| rows[2].to = Some(Stage::Check)).contains("jumps"));
    assert!(changed(&|rows| rows[2].act = ["派遣", ""]).contains("lacks a word"));
    assert!(changed(&|rows| rows[3].event = "case_filed").contains("shares a name"));
    assert!(changed(&|rows| rows[1].starts = &[]).contains("no step starts"));
    assert!(changed(&|rows| rows[0].counts = &[Measure::Open]).contains("a state"));
    assert!(changed(&|rows| rows.truncate(6)).contains("close: no step leads on"));
    assert!(changed(&|rows| rows[2].command = "Dispatch").contains("no key"));
}

#[test]
fn every_step_is_found_by_each_of_its_names() {
    for step in Step::all() {
        assert_eq!(Step::named(step.name), Some(step));
        assert_eq!(Step::of_event(step.event), Some(step));
        assert_eq!(Step::of_command(step.command), Some(step));
        assert_eq!(Step::out_of(step.from), Some(step));
    }
}
