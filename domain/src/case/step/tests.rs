//! Every row of the table holds together, whatever rows it has; and rows of kinds that no step of today is.

use super::*;

const BARE: Row = Row {
    name: "",
    event: "",
    command: "",
    from: &[],
    to: Leads::Stays,
    power: Power::Supervision,
    stops: &[],
    starts: &[],
    counts: &[],
    counts_late: &[],
    department: Disposer::Kept,
    often: None,
    part: Part::None,
    note: Note::Must,
    limit: false,
    happened: ["", ""],
    act: ["", ""],
};

/// 重限: the case stays where it is, by another limit from now on.
pub(crate) static RESET: Row = Row {
    name: "reset",
    event: "disposal_reset",
    command: "reset_disposal",
    from: &[Stage::Dispose],
    power: Power::Dispatch,
    stops: &[ClockOf::Disposal],
    starts: &[ClockOf::Disposal],
    limit: true,
    happened: ["重限", "Reset"],
    act: ["重定时限", "Reset"],
    ..BARE
};

/// 销案: closed from wherever it is.
pub(crate) static DROP: Row = Row {
    name: "drop",
    event: "case_dropped",
    command: "drop_case",
    from: &Stage::ALL,
    to: Leads::Closes(Closing::Void),
    counts: &[Measure::Closed],
    happened: ["销案", "Dropped"],
    act: ["销案", "Drop"],
    ..BARE
};

fn copies<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<Row> {
    rows.into_iter().map(|row| Row { ..*row }).collect()
}

/// What must be true of any row.
fn check(rows: &'static [Row]) -> Result<(), String> {
    for row in rows {
        let wrong = |what: &str| Err(format!("{}: {what}", row.name));
        if row.from.is_empty() || row.from.windows(2).any(|two| two[0] >= two[1]) {
            return wrong("says its stages twice, out of their order, or none");
        }
        match row.to {
            Leads::On(to) if row.from.iter().any(|from| *from as usize + 1 != to as usize) => {
                return wrong("jumps a stage");
            }
            Leads::Back(to) if row.from.iter().any(|from| to >= *from) => {
                return wrong("goes back to where it has not been");
            }
            Leads::On(_) | Leads::Back(_) | Leads::Stays | Leads::Closes(_) => {}
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
        let own = |stage: &Stage| rows.iter().find(|other| other.does_work_of(*stage))?.stops.first();
        if row.leads_back() && row.from.iter().filter_map(own).any(|of| !row.stops.contains(of)) {
            return wrong("leaves a stage whose clock runs on");
        }
        let starts = |of| rows.iter().any(|other| other.starts.contains(of));
        if !row.stops.iter().all(starts) {
            return wrong("stops a clock that no step starts");
        }
        let states = row.counts.iter().chain(row.counts_late);
        if states.into_iter().any(|measure| matches!(measure, Measure::Open | Measure::At(_))) {
            return wrong("counts a state as what happened");
        }
        let both = |measure| rows.iter().any(|other| other.counts.contains(measure));
        if row.counts_late.iter().any(both) {
            return wrong("counts only what is late by a measure that counts all");
        }
        if row.often.is_some() && row.closes() {
            return wrong("closes, which comes once, and is bounded besides");
        }
        if row.leads_back() && row.often.is_none() {
            return wrong("lets a case go round for ever");
        }
        if row.part != Part::None && row.to != Leads::Stays {
            return wrong("answers a request and leaves the stage it waits in");
        }
        if row.limit && !row.starts.contains(&ClockOf::Disposal) {
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
    for stage in Stage::ALL {
        match rows.iter().filter(|row| row.does_work_of(stage)).count() {
            0 => return Err(format!("{}: no step leads on", stage.key())),
            1 => {}
            _ => return Err(format!("{}: two steps do its work", stage.key())),
        }
    }
    Ok(())
}

#[test]
fn the_table_holds_together() {
    assert_eq!(check(&STEPS), Ok(()));
}

/// What other rows do not notice: a limit put off, closing from anywhere, in whatever order they stand.
#[test]
fn steps_of_other_kinds_hold_together_with_those_of_today() {
    let mut rows = copies([&DROP, &RESET].into_iter().chain(&STEPS));
    assert_eq!(check(Box::leak(rows.into_boxed_slice())), Ok(()));
    rows = copies(STEPS[7..].iter().chain([&DROP, &RESET]));
    assert!(rows.iter().all(|row| Stage::ALL.into_iter().all(|stage| !row.does_work_of(stage))));
}

#[test]
fn a_row_that_does_not_fit_is_found() {
    let changed = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut rows = copies(&STEPS);
        change(&mut rows);
        check(Box::leak(rows.into_boxed_slice())).unwrap_err()
    };
    assert!(changed(&|rows| rows[2].to = Leads::Back(Stage::Dispatch)).contains("has not been"));
    assert!(changed(&|rows| rows[2].to = Leads::On(Stage::Check)).contains("jumps"));
    assert!(changed(&|rows| rows[2].from = &[]).contains("none"));
    assert!(changed(&|rows| rows[2].from = &[Stage::Dispatch, Stage::Dispatch]).contains("twice"));
    assert!(changed(&|rows| rows[3].counts_late = &[Measure::Dispatched]).contains("that counts all"));
    assert!(changed(&|rows| rows[7].stops = &[]).contains("runs on"));
    assert!(changed(&|rows| rows[8].often = None).contains("for ever"));
    assert!(changed(&|rows| rows[6].often = Some(Often::Returns)).contains("comes once"));
    let again = Row { name: "again", event: "again", command: "again", ..STEPS[6] };
    assert!(changed(&|rows| rows.push(Row { ..again })).contains("two steps do its work"));
    assert!(changed(&|rows| rows[2].act = ["派遣", ""]).contains("lacks a word"));
    assert!(changed(&|rows| rows[3].event = "case_filed").contains("shares a name"));
    assert!(changed(&|rows| (rows[1].starts, rows[7].starts) = (&[], &[])).contains("no step starts"));
    assert!(changed(&|rows| rows[0].counts = &[Measure::Open]).contains("a state"));
    assert!(changed(&|rows| rows.retain(|row| row.name != "close")).contains("close: no step leads on"));
    assert!(changed(&|rows| rows[2].command = "Dispatch").contains("no key"));
}

#[test]
fn every_step_is_found_by_each_of_its_names() {
    for step in Step::all() {
        assert_eq!(Step::named(step.name), Some(step));
        assert_eq!(Step::of_event(step.event), Some(step));
        assert_eq!(Step::of_command(step.command), Some(step));
    }
}

#[test]
fn every_stage_has_the_step_that_does_its_work_and_what_else_may_be_taken_there() {
    for (stage, row) in Stage::ALL.into_iter().zip(&STEPS) {
        assert_eq!(Step::out_of(stage), Some(Step(row)));
        assert!(Step::beside(stage).all(|step| step.0 != row));
    }
}
