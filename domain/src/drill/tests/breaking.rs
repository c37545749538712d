//! How the real city breaks through to those in a drill.

use super::super::breaking::{Answered, Breaking, BreakingRows, Kept, ROWS_MAX, breaks_through};
use super::*;
use crate::audience::Audience;
use crate::case::{Priority, Step};
use crate::command::Command;
use crate::scope::Scope;
use crate::state::tests::{Desk, START};

/// A live hall, and what those in a drill hear of it.
struct Live {
    desk: Desk,
    breaking: Breaking,
    taken: usize,
}

impl Live {
    fn new() -> Self {
        let desk = Desk::new();
        Self { breaking: Breaking::of(&desk.state), taken: desk.log.len(), desk }
    }

    /// Sends a command; whether those in a drill hear of something new.
    fn send(&mut self, command: Command) -> bool {
        self.desk.send(command).unwrap();
        let case = self.desk.last_case.clone();
        let news = self.desk.log[self.taken..].to_vec();
        self.taken = self.desk.log.len();
        // Every one is taken, not only those before the first that is heard.
        news.iter().filter(|recorded| self.breaking.take(recorded, &case)).count() > 0
    }

    fn report(&mut self, priority: Priority) -> bool {
        let report = crate::case::Report { priority, ..report("530102001", "E01") };
        self.send(Command::ReportCase { report, at: None })
    }

    fn told(&self) -> Vec<(u64, bool)> {
        let rows = self.breaking.rows(&Scope::All, true).rows;
        rows.iter().map(|row| (row.case.0, row.answered.is_some())).collect()
    }
}

#[test]
fn a_real_case_of_the_first_level_breaks_through_and_no_other() {
    let mut live = Live::new();
    for (priority, heard) in [
        (Priority::Second, false),
        (Priority::First, true),
        (Priority::Third, false),
        (Priority::Ordinary, false),
    ] {
        assert_eq!(live.report(priority), heard, "{priority:?}");
    }
    assert_eq!(live.told(), [(2, false)]);
    assert!(!live.send(Command::ClaimCase { case: CaseId(1) }), "of the second level");
    let row = &live.breaking.rows(&Scope::All, true).rows[0];
    assert_eq!((row.area.as_str(), row.address.as_str(), row.reported), ("530102001", "北京路", START));
}

#[test]
fn it_is_answered_by_whoever_takes_it_in_hand_notes_it_or_takes_a_step() {
    let case = CaseId(1);
    let answers = [
        Command::ClaimCase { case },
        Command::NoteCase { case, text: "已派人".to_owned() },
        Step::ACCEPT.take(case),
    ];
    for command in answers {
        let mut live = Live::new();
        assert!(live.report(Priority::First));
        assert_eq!(live.breaking.unanswered(&Scope::All), [case]);
        live.desk.pass(MINUTE_MS);
        live.taken = live.desk.log.len();
        assert!(live.send(command.clone()), "{command:?}");
        assert_eq!(live.breaking.unanswered(&Scope::All), []);
        let told = live.breaking.rows(&Scope::All, true);
        let by = Answered { by: "周敏".to_owned(), at: START.plus(MINUTE_MS) };
        assert_eq!((told.unanswered, &told.rows[0].answered), (0, &Some(by)));
    }
}

#[test]
fn a_hall_that_opens_tells_of_what_nobody_has_answered() {
    let mut live = Live::new();
    live.report(Priority::First);
    live.report(Priority::First);
    live.report(Priority::Second);
    live.send(Command::ClaimCase { case: CaseId(1) });
    let opened = Breaking::of(&live.desk.state);
    assert_eq!(opened.unanswered(&Scope::All), [CaseId(2)]);
    assert!(breaks_through(&live.desk.state.cases[&CaseId(1)]), "answered, but still open");
}

#[test]
fn a_drill_hears_the_answers_since_it_was_prepared_and_those_it_heard_before() {
    let mut live = Live::new();
    live.report(Priority::First);
    live.send(Command::ClaimCase { case: CaseId(1) });
    let at = live.breaking.rows(&Scope::All, true).rows[0].answered.clone().unwrap().at;
    let rows = |heard: &Breaking| heard.rows(&Scope::All, true).rows.len();
    assert_eq!(rows(&live.breaking.since(at.plus(1), &[])), 0, "it was over before");
    let heard = live.breaking.since(at, &[]);
    assert_eq!(rows(&heard), 1);
    let kept: Vec<Kept> = heard.answered().cloned().collect();
    let restarted = Breaking::of(&live.desk.state);
    assert_eq!(rows(&restarted), 0, "a hall that opens remembers none");
    assert_eq!(restarted.since(at, &kept).rows(&Scope::All, true), heard.rows(&Scope::All, true));
}

#[test]
fn somebody_hears_of_what_lies_within_their_scope_and_a_wall_names_nobody() {
    let mut live = Live::new();
    live.report(Priority::First);
    live.send(Command::ClaimCase { case: CaseId(1) });
    live.report(Priority::First);
    let here = Scope::area("530102".parse().unwrap());
    let elsewhere = Scope::area("530103".parse().unwrap());
    assert_eq!(live.breaking.rows(&here, true).unanswered, 1);
    assert_eq!(live.breaking.rows(&elsewhere, true), BreakingRows::default());
    assert_eq!(live.breaking.unanswered(&elsewhere), []);
    let by = |names| live.breaking.rows(&Scope::All, names).rows[1].answered.clone().unwrap().by;
    assert_eq!((by(Audience::Desk.names()), by(Audience::Wall.names())), ("周敏".to_owned(), String::new()));
}

#[test]
fn many_at_once_are_counted_and_the_newest_told() {
    let mut live = Live::new();
    for _ in 0..ROWS_MAX + 3 {
        live.desk.now = live.desk.now.plus(SECOND_MS);
        live.report(Priority::First);
    }
    let told = live.breaking.rows(&Scope::All, true);
    assert_eq!((told.unanswered as usize, told.rows.len()), (ROWS_MAX + 3, ROWS_MAX));
    assert_eq!(told.rows[0].case, CaseId(ROWS_MAX as u64 + 3));
    for case in 1..=ROWS_MAX as u64 + 3 {
        live.send(Command::ClaimCase { case: CaseId(case) });
    }
    assert_eq!(live.told().len(), ROWS_MAX, "of those that were answered, the last are remembered");
}

#[test]
fn a_drill_does_not_end_over_a_real_case_that_nobody_has_answered() {
    let drill = Drill::new(prepared(Vec::new()));
    let stop = |leaving: &[u64], unanswered: &[u64]| {
        let ids = |ids: &[u64]| ids.iter().copied().map(CaseId).collect::<Vec<_>>();
        drill.decide(&Ask::Stop { leaving: ids(leaving) }, &director(), &ids(unanswered), (AT, AT))
    };
    assert!(stop(&[], &[]).is_ok());
    assert_eq!(stop(&[], &[4]), Err(DrillRefusal::Unanswered { cases: vec![CaseId(4)] }));
    // One that came since is not among those that were known.
    assert_eq!(stop(&[4], &[4, 9]), Err(DrillRefusal::Unanswered { cases: vec![CaseId(9)] }));
    let Ok(Some(DrillEvent::Stopped { leaving, .. })) = stop(&[4, 9, 11], &[4, 9]) else { panic!() };
    assert_eq!(leaving, [CaseId(4), CaseId(9)], "what was really left");
}
