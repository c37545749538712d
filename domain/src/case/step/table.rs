//! The rows of the steps that exist.
//!
//! What should be here: one row a step. What should not: what a row may say (`step`), whether the rows fit each other (its tests).

use super::{Disposer, Leads, Note, Often, Power, Row};
use crate::case::closing::Closing;
use crate::case::request::{Part, Request};
use crate::case::stage::Stage;
use crate::clock::ClockOf;
use crate::tally::measure::Measure;

/// What a row says that says nothing of its own.
const PLAIN: Row = Row {
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
    note: Note::None,
    limit: false,
    happened: ["", ""],
    act: ["", ""],
};

/// The seven steps of the loop, then its side paths.
pub static STEPS: [Row; 22] = [
    Row {
        name: "accept",
        event: "case_accepted",
        command: "accept_case",
        from: &[Stage::Accept],
        to: Leads::On(Stage::File),
        happened: ["受理", "Accept"],
        act: ["受理", "Accept"],
        ..PLAIN
    },
    Row {
        name: "file",
        event: "case_filed",
        command: "file_case",
        from: &[Stage::File],
        to: Leads::On(Stage::Dispatch),
        starts: &[ClockOf::Dispatch],
        counts: &[Measure::Filed],
        happened: ["立案", "Filed"],
        act: ["立案", "File"],
        ..PLAIN
    },
    Row {
        name: "dispatch",
        event: "case_dispatched",
        command: "dispatch_case",
        from: &[Stage::Dispatch],
        to: Leads::On(Stage::Dispose),
        power: Power::Dispatch,
        stops: &[ClockOf::Dispatch],
        starts: &[ClockOf::Disposal],
        counts: &[Measure::Dispatched],
        counts_late: &[Measure::DispatchedLate],
        department: Disposer::Asked,
        limit: true,
        happened: ["派遣", "Sent"],
        act: ["派遣", "Dispatch"],
        ..PLAIN
    },
    Row {
        name: "dispose",
        event: "disposal_finished",
        command: "finish_disposal",
        from: &[Stage::Dispose],
        to: Leads::On(Stage::Feedback),
        power: Power::Department,
        stops: &[ClockOf::Disposal],
        note: Note::May,
        happened: ["处置", "Disposed"],
        act: ["处置完成", "Disposal done"],
        ..PLAIN
    },
    Row {
        name: "feedback",
        event: "feedback_given",
        command: "give_feedback",
        from: &[Stage::Feedback],
        to: Leads::On(Stage::Check),
        power: Power::Department,
        note: Note::May,
        happened: ["反馈", "Feedback"],
        act: ["反馈", "Report back"],
        ..PLAIN
    },
    Row {
        name: "check",
        event: "check_passed",
        command: "pass_check",
        from: &[Stage::Check],
        to: Leads::On(Stage::Close),
        note: Note::May,
        happened: ["核查", "Checked"],
        act: ["核查通过", "Pass check"],
        ..PLAIN
    },
    Row {
        name: "close",
        event: "case_closed",
        command: "close_case",
        from: &[Stage::Close],
        to: Leads::Closes(Closing::Normal),
        counts: &[Measure::Closed],
        note: Note::May,
        happened: ["结案", "Closed"],
        act: ["结案", "Close"],
        ..PLAIN
    },
    // 回退: the department says that it is another's; what it had is over, and the dispatcher's time begins anew.
    Row {
        name: "return",
        event: "case_returned",
        command: "return_case",
        from: &[Stage::Dispose],
        to: Leads::Back(Stage::Dispatch),
        power: Power::Department,
        stops: &[ClockOf::Disposal],
        starts: &[ClockOf::Dispatch],
        counts: &[Measure::Returned],
        department: Disposer::Cleared,
        often: Some(Often::Returns),
        note: Note::Must,
        happened: ["回退", "Returned"],
        act: ["回退", "Return"],
        ..PLAIN
    },
    // 返工: the check failed; the same department has the whole limit once more.
    Row {
        name: "rework",
        event: "check_failed",
        command: "fail_check",
        from: &[Stage::Check],
        to: Leads::Back(Stage::Dispose),
        starts: &[ClockOf::Disposal],
        counts: &[Measure::Reworked],
        often: Some(Often::Reworks),
        note: Note::Must,
        happened: ["返工", "Rework"],
        act: ["返工", "Rework"],
        ..PLAIN
    },
    Row {
        name: "refuse",
        event: "case_refused",
        command: "refuse_case",
        from: &[Stage::Accept],
        to: Leads::Closes(Closing::NotAccepted),
        counts: &[Measure::NotAccepted],
        note: Note::Must,
        happened: ["不予受理", "Refused"],
        act: ["不予受理", "Refuse"],
        ..PLAIN
    },
    Row {
        name: "decline",
        event: "filing_declined",
        command: "decline_filing",
        from: &[Stage::File],
        to: Leads::Closes(Closing::NotFiled),
        counts: &[Measure::NotFiled],
        note: Note::Must,
        happened: ["不予立案", "Not filed"],
        act: ["不予立案", "Do not file"],
        ..PLAIN
    },
    Row {
        name: "void",
        event: "case_voided",
        command: "void_case",
        from: &Stage::ALL,
        to: Leads::Closes(Closing::Void),
        counts: &[Measure::Voided],
        note: Note::Must,
        happened: ["作废", "Voided"],
        act: ["作废", "Void"],
        ..PLAIN
    },
    // 强制结案: while it is still being sent or done; what has been checked ends by its own step.
    Row {
        name: "force",
        event: "closing_forced",
        command: "force_closing",
        from: &[Stage::Dispatch, Stage::Dispose, Stage::Feedback, Stage::Check],
        to: Leads::Closes(Closing::Forced),
        stops: &[ClockOf::Disposal, ClockOf::Dispatch],
        counts: &[Measure::Closed, Measure::ClosedByForce],
        note: Note::Must,
        happened: ["强制结案", "Forced"],
        act: ["强制结案", "Force closing"],
        ..PLAIN
    },
    // 特殊结案: whoever was to do it has seen it, and it cannot be done as the standard has it.
    Row {
        name: "special",
        event: "case_closed_specially",
        command: "close_specially",
        from: &[Stage::Dispose, Stage::Feedback, Stage::Check, Stage::Close],
        to: Leads::Closes(Closing::Special),
        stops: &[ClockOf::Disposal],
        counts: &[Measure::Closed, Measure::ClosedSpecially],
        note: Note::Must,
        happened: ["特殊结案", "Special"],
        act: ["特殊结案", "Special closing"],
        ..PLAIN
    },
    // 差错结案: its check has shown that it should not have been filed or sent as it was.
    Row {
        name: "fault",
        event: "case_closed_as_faulty",
        command: "close_as_faulty",
        from: &[Stage::Check, Stage::Close],
        to: Leads::Closes(Closing::Faulty),
        counts: &[Measure::Closed, Measure::ClosedAsFaulty],
        note: Note::Must,
        happened: ["差错结案", "Faulty"],
        act: ["差错结案", "Close as faulty"],
        ..PLAIN
    },
    // 延期: asked for by whoever is to do it, granted or refused by whoever judges it.
    Row {
        name: "ask_extension",
        event: "extension_asked",
        command: "ask_extension",
        from: &[Stage::Dispose],
        power: Power::Department,
        part: Part::Asks(Request::Extension),
        note: Note::Must,
        happened: ["申请延期", "Ask for time"],
        act: ["申请延期", "Ask for time"],
        ..PLAIN
    },
    Row {
        name: "extend",
        event: "extension_granted",
        command: "grant_extension",
        from: &[Stage::Dispose],
        counts: &[Measure::Extended],
        often: Some(Often::Extensions),
        part: Part::Grants(Request::Extension),
        note: Note::May,
        happened: ["延期", "Extended"],
        act: ["准予延期", "Grant time"],
        ..PLAIN
    },
    Row {
        name: "deny_extension",
        event: "extension_refused",
        command: "refuse_extension",
        from: &[Stage::Dispose],
        part: Part::Refuses(Request::Extension),
        note: Note::Must,
        happened: ["不予延期", "No time"],
        act: ["不予延期", "Refuse time"],
        ..PLAIN
    },
    // 挂账: its clocks stand still until it is resumed, at the latest by itself.
    Row {
        name: "ask_suspension",
        event: "suspension_asked",
        command: "ask_suspension",
        from: &[Stage::Dispose],
        power: Power::Department,
        part: Part::Asks(Request::Suspension),
        note: Note::Must,
        happened: ["申请挂账", "Ask to suspend"],
        act: ["申请挂账", "Ask to suspend"],
        ..PLAIN
    },
    Row {
        name: "suspend",
        event: "suspension_granted",
        command: "grant_suspension",
        from: &[Stage::Dispose],
        starts: &[ClockOf::Suspension],
        counts: &[Measure::Suspended],
        often: Some(Often::Suspensions),
        part: Part::Grants(Request::Suspension),
        note: Note::May,
        happened: ["挂账", "Suspended"],
        act: ["准予挂账", "Suspend"],
        ..PLAIN
    },
    Row {
        name: "deny_suspension",
        event: "suspension_refused",
        command: "refuse_suspension",
        from: &[Stage::Dispose],
        part: Part::Refuses(Request::Suspension),
        note: Note::Must,
        happened: ["不予挂账", "Not suspended"],
        act: ["不予挂账", "Do not suspend"],
        ..PLAIN
    },
    Row {
        name: "resume",
        event: "disposal_resumed",
        command: "resume_disposal",
        from: &[Stage::Dispose],
        power: Power::Department,
        stops: &[ClockOf::Suspension],
        part: Part::Resumes,
        note: Note::May,
        happened: ["恢复", "Resumed"],
        act: ["恢复处置", "Resume"],
        ..PLAIN
    },
];
