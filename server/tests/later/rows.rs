//! Rows that only the build to come has. What should not be here: what is tested with them (`later.rs`).

use domain::case::request::Part;
use domain::case::step::{Disposer, Leads, Note, Power, Row};
use domain::case::{Closing, Stage};
use domain::clock::ClockOf;
use domain::tally::Measure;

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

/// 销案, 退办, 重办, 重限, 暂停, 重启: of kinds that stop, start, lead back, stay and close otherwise than those of today.
pub static LATER: [Row; 6] = [
    Row {
        name: "drop",
        event: "case_dropped",
        command: "drop_case",
        from: &Stage::ALL,
        to: Leads::Closes(Closing::Void),
        counts: &[Measure::Closed],
        happened: ["销案", "Dropped"],
        act: ["销案", "Drop"],
        ..BARE
    },
    // No measure of today counts a disposal that is late: that of a late dispatch stands for it.
    Row {
        name: "hand_back",
        event: "case_handed_back",
        command: "hand_back_case",
        from: &[Stage::Dispose],
        to: Leads::Back(Stage::Dispatch),
        power: Power::Department,
        stops: &[ClockOf::Disposal],
        starts: &[ClockOf::Dispatch],
        counts_late: &[Measure::DispatchedLate],
        department: Disposer::Cleared,
        happened: ["退办", "Handed back"],
        act: ["退办", "Hand back"],
        ..BARE
    },
    Row {
        name: "redo",
        event: "case_redone",
        command: "redo_case",
        from: &[Stage::Check],
        to: Leads::Back(Stage::Dispose),
        starts: &[ClockOf::Disposal],
        happened: ["重办", "Redone"],
        act: ["重办", "Redo"],
        ..BARE
    },
    Row {
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
    },
    Row {
        name: "halt",
        event: "disposal_halted",
        command: "halt_disposal",
        from: &[Stage::Dispose],
        power: Power::Dispatch,
        stops: &[ClockOf::Disposal],
        happened: ["暂停", "Halted"],
        act: ["暂停", "Halt"],
        ..BARE
    },
    Row {
        name: "begin_anew",
        event: "disposal_begun_anew",
        command: "begin_disposal_anew",
        from: &[Stage::Dispose],
        power: Power::Dispatch,
        stops: &[ClockOf::Disposal],
        starts: &[ClockOf::Disposal],
        note: Note::May,
        happened: ["重启", "Begun anew"],
        act: ["重启", "Begin anew"],
        ..BARE
    },
];
