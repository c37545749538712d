//! What a pause, an extension or work done once more leaves as it was: lateness that has happened, and a limit that was set.

use super::*;
use crate::case::Report;
use crate::clock::{LimitKind, Phase};

/// The condition's first part was overdue before the case was suspended, over a weekend too: it is as late afterwards as before.
#[test]
fn a_part_that_was_overdue_before_a_suspension_or_an_extension_stays_so() {
    for (ask, grant, resumes) in [("ask_suspension", "suspend", true), ("ask_extension", "extend", false)] {
        let mut desk = Desk::new();
        let report = Report { condition: Some("E01.1".into()), ..report("530102001", "E01") };
        desk.send(Command::ReportCase { report, at: None }).unwrap();
        for step in [Step::ACCEPT, Step::FILE] {
            desk.send(step.take(CASE)).unwrap();
        }
        desk.send(Step::DISPATCH.take_for(CASE, urban())).unwrap();
        let part = |desk: &Desk| desk.state.cases[&CASE].clock(ClockOf::Milestone(1)).unwrap().clone();
        desk.pass(2 * HOUR_MS);
        let (due, whole) = (part(&desk).due, clock(&desk).due);
        assert_eq!(part(&desk).phase, Phase::Overdue);
        asked(&mut desk, ask, grant);
        if resumes {
            desk.pass(3 * DAY_MS);
            take(&mut desk, "resume").unwrap();
        }
        assert_eq!((part(&desk).due, part(&desk).phase), (due, Phase::Overdue), "{grant}");
        assert!(clock(&desk).due > whole);
        let fell_due =
            |desk: &Desk| desk.log.iter().filter(|told| told.event.name() == "deadline_passed").count();
        let before = fell_due(&desk);
        desk.pass(HOUR_MS);
        assert_eq!(fell_due(&desk), before, "it falls due once");
    }
}

/// 返工: what the dispatcher had set holds once more.
#[test]
fn rework_has_the_limit_that_was_set_before() {
    let set = Limit::new(7, LimitKind::URGENT_HOUR);
    let mut desk = disposing(Desk::new(), Some(set));
    for step in [Step::DISPOSE, Step::FEEDBACK] {
        desk.pass(HOUR_MS);
        desk.send(step.take(CASE)).unwrap();
    }
    take(&mut desk, "rework").unwrap();
    assert_eq!((clock(&desk).limit, clock(&desk).due), (Some(set), desk.now.plus(7 * HOUR_MS)));
}

/// 10 工作日, suspended after one of them for forty days: a tenth is used when it goes on, and a twentieth once it is extended by as much.
#[test]
fn what_a_case_stood_still_for_is_not_used() {
    let mut desk = disposing(Desk::new(), Some(Limit::new(10, LimitKind::WORK_DAY)));
    let share = |desk: &Desk| {
        let line = crate::wire::CaseLine::from(&desk.state.cases[&CASE]);
        let (started, due) = (line.started.unwrap(), line.due.unwrap());
        let policy = &desk.policy;
        policy.calendar.used_share(started, due, line.limit, desk.now, policy.utc_offset_minutes)
    };
    desk.pass(DAY_MS);
    let before = share(&desk);
    assert!((before - 0.1).abs() < 0.001, "{before}");
    asked(&mut desk, "ask_suspension", "suspend");
    desk.pass(40 * DAY_MS);
    take(&mut desk, "resume").unwrap();
    assert!((share(&desk) - before).abs() < 0.001, "{}", share(&desk));
    asked(&mut desk, "ask_extension", "extend");
    assert!((share(&desk) - before / 2.0).abs() < 0.001, "{}", share(&desk));
}
