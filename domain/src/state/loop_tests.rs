//! The loop as its rows have it: a row that is not in the table goes the same way, and what happened meanwhile is told.

use super::tests::{Desk, recount, report};
use super::*;
use crate::case::{Report, Stage, Step};
use crate::clock::{ClockOf, LimitKind};
use crate::code::DepartmentCode;
use crate::command::{Command, History, KnownStep};
use crate::file::{AttachedFile, FileHash, FileKind, Media};
use crate::moment::{HOUR_MS, MINUTE_MS};
use crate::rejection::Rejection;
use crate::role::Role;
use crate::tally::{Count, Dimension, Period};

const CASE: CaseId = CaseId(1);

fn filed(class: &str, change: impl FnOnce(&mut Report)) -> Desk {
    let mut desk = Desk::new();
    let mut one = report("530102001", class);
    change(&mut one);
    desk.send(Command::ReportCase { report: one, at: None }).unwrap();
    for step in [Step::ACCEPT, Step::FILE] {
        desk.send(step.take(CASE)).unwrap();
    }
    desk
}

fn dispatch() -> Command {
    Step::DISPATCH.take_for(CASE, DepartmentCode::new("urban").unwrap())
}

fn kept(state: &State) -> std::collections::BTreeMap<&'static str, Count> {
    let now =
        state.tally.iter().filter(|(key, _)| key.dimension == Dimension::City && key.period == Period::Now);
    now.map(|(key, count)| (key.measure.key(), count)).collect()
}

/// Deciding, applying, powers, clocks, counts and rounds know the step from its row alone.
#[test]
fn a_row_is_all_that_a_new_step_needs() {
    let mut desk = filed("E01", |report| report.base_count = 3);
    let rework = Step::REWORK.take_with(CASE, "未清干净");
    assert!(Role::Supervisor.may(&rework) && !Role::Department.may(&rework));
    assert!(matches!(desk.send(rework.clone()), Err(Rejection::WrongStage { needs: [Stage::Check], .. })));
    desk.send(dispatch()).unwrap();
    for step in [Step::DISPOSE, Step::FEEDBACK] {
        desk.pass(HOUR_MS);
        desk.send(step.take(CASE)).unwrap();
    }
    desk.send(rework).unwrap();
    let case = desk.state.cases[&CASE].clone();
    assert_eq!((case.stage, case.round), (Stage::Dispose, 2));
    assert_eq!(desk.log.last().unwrap().event.name(), "check_failed");
    let clock = case.leading_clock().unwrap();
    assert_eq!((clock.of, clock.started), (ClockOf::Disposal, desk.now));
    assert_eq!(desk.state.deadlines.len(), 2, "its forecast and its due time");
    assert_eq!(kept(&desk.state), recount(&desk.state, desk.now));
    desk.pass(3 * HOUR_MS);
    assert_eq!(kept(&desk.state), recount(&desk.state, desk.now));
    assert_eq!(kept(&desk.state)["overdue_disposal"], Count { cases: 1, base: 3 });
    for step in [Step::DISPOSE, Step::FEEDBACK, Step::CHECK, Step::CLOSE] {
        desk.send(step.take(CASE)).unwrap();
    }
    let steps: Vec<(&str, u16, bool)> =
        desk.last_case.steps.iter().map(|taken| (taken.step.name, taken.round, taken.late)).collect();
    assert_eq!(
        steps,
        [
            ("accept", 1, false),
            ("file", 1, false),
            ("dispatch", 1, false),
            ("dispose", 1, false),
            ("feedback", 1, false),
            ("rework", 1, false),
            ("dispose", 2, true),
            ("feedback", 2, false),
            ("check", 2, false),
            ("close", 2, false),
        ]
    );
    assert!(desk.state.deadlines.is_empty());
}

/// Command before condition before class before policy; a condition with parts starts a clock for each.
#[test]
fn the_disposal_limit_comes_from_the_nearest_rule_that_has_one() {
    let hours = |desk: &Desk, of| {
        let case = &desk.state.cases[&CASE];
        case.clock(of).map(|clock| clock.due.since(clock.started) / HOUR_MS)
    };
    let mut desk = filed("E01", |report| report.condition = Some("E01.1".to_owned()));
    desk.send(dispatch()).unwrap();
    assert_eq!(hours(&desk, ClockOf::Disposal), Some(6));
    assert_eq!(hours(&desk, ClockOf::Milestone(1)), Some(1));
    // The part is told when it passes, and ends with the whole.
    desk.pass(2 * HOUR_MS);
    let passed = desk.log.iter().filter(|recorded| match &recorded.event {
        Event::Deadline(event) => event.of == ClockOf::Milestone(1),
        Event::Case(..) | Event::Whistle(..) | Event::Policy(_) | Event::Hall(_) => false,
    });
    assert_eq!(passed.count(), 2, "near, then passed");
    desk.send(Step::DISPOSE.take(CASE)).unwrap();
    assert!(desk.state.deadlines.is_empty());

    let mut desk = filed("E01", |report| report.condition = Some("破损 >25 cm²".to_owned()));
    desk.send(dispatch()).unwrap();
    assert_eq!(hours(&desk, ClockOf::Disposal), Some(2), "words are no condition: the class's");

    let mut desk = filed("P01", |report| report.condition = Some("E01.1".to_owned()));
    desk.send(dispatch()).unwrap();
    assert_eq!(hours(&desk, ClockOf::Disposal), Some(2), "another class's condition is none");

    let mut desk = filed("E01", |report| report.condition = Some("E01.1".to_owned()));
    let Command::Step(take) = dispatch() else { panic!("a step") };
    let limit = Some(crate::clock::Limit::new(3, LimitKind::URGENT_HOUR));
    desk.send(Command::Step(crate::command::TakeStep { limit, ..take })).unwrap();
    assert_eq!((hours(&desk, ClockOf::Disposal), hours(&desk, ClockOf::Milestone(1))), (Some(3), None));
}

/// Ten thousand working days: further than anybody searches. It was taken, and never overdue.
#[test]
fn a_limit_whose_end_cannot_be_told_is_refused() {
    let mut desk = filed("E01", |_| {});
    let Command::Step(take) = dispatch() else { panic!("a step") };
    let limit = Some(crate::clock::Limit::new(10_000, LimitKind::WORK_DAY));
    let refused = desk.send(Command::Step(crate::command::TakeStep { limit, ..take })).unwrap_err();
    assert_eq!((refused.code(), refused.field()), ("out_of_range", Some("limit")));
    desk.policy.disposal_limit = crate::clock::Limit::new(10_000, LimitKind::WORK_DAY);
    assert!(desk.policy.check().unwrap_err().contains("disposal_limit"));
}

/// Enter, pressed for 派遣 just after another seat had dispatched, must not finish the disposal.
#[test]
fn a_step_decided_on_what_is_no_more_is_refused_and_says_what_happened() {
    let mut desk = filed("E01", |_| {});
    let seen = desk.state.cases[&CASE].version;
    desk.now = desk.now.plus(MINUTE_MS);
    desk.send(dispatch()).unwrap();
    let at = desk.now;
    desk.now = desk.now.plus(MINUTE_MS);
    for command in [dispatch(), Step::DISPOSE.take(CASE), Command::ClaimCase { case: CASE }] {
        let refused = desk.state.check_seen(&command, Some(seen)).unwrap_err();
        let Rejection::MovedOn(moved) = refused else { panic!("{refused}") };
        assert_eq!(
            (moved.step, moved.at, moved.stage, moved.seen),
            (Step::DISPATCH, at, Stage::Dispose, seen)
        );
        assert_eq!((moved.by.as_str(), moved.is), ("周敏", desk.state.cases[&CASE].version));
    }
    // What was seen afterwards, or by nobody, is another matter; and a note is always welcome.
    let is = desk.state.cases[&CASE].version;
    assert_eq!(desk.state.check_seen(&Step::DISPOSE.take(CASE), Some(is)), Ok(()));
    assert_eq!(desk.state.check_seen(&Step::DISPOSE.take(CASE), None), Ok(()));
    let note = Command::NoteCase { case: CASE, text: "x".to_owned() };
    assert_eq!(desk.state.check_seen(&note, Some(seen)), Ok(()));
}

#[test]
fn what_is_no_step_leaves_the_decision_what_it_was() {
    let mut desk = filed("E01", |_| {});
    let seen = desk.state.cases[&CASE].version;
    desk.send(Command::NoteCase { case: CASE, text: "催办".to_owned() }).unwrap();
    desk.send(Command::ClaimCase { case: CASE }).unwrap();
    desk.pass(5 * HOUR_MS);
    assert!(desk.state.cases[&CASE].version > seen, "a note, a claim and two alarms");
    assert_eq!(desk.state.check_seen(&dispatch(), Some(seen)), Ok(()));
}

/// Eleven thousand notes hid what happened to a case, and everybody who looked at it read them.
#[test]
fn an_open_case_gets_as_many_notes_as_the_policy_lets_it_and_goes_on_its_way() {
    let note = || Command::NoteCase { case: CASE, text: "催办".to_owned() };
    let mut desk = filed("E01", |_| {});
    let most = desk.policy.notes_per_case;
    (0..most).for_each(|_| desk.send(note()).unwrap());
    let before = desk.state.clone();
    let full = desk.send(note()).unwrap_err();
    assert_eq!(full, Rejection::NotesFull { case: CASE, most });
    assert_eq!((full.code(), full.field()), ("notes_full", Some("case")));
    assert!(full.words(crate::rejection::Language::Zh).contains("备注已满 3 条"));
    assert_eq!(desk.state, before, "nothing has happened");
    // Folded from its own events the case knows how many it has; its steps are not held up, and are no notes.
    let of_it = desk.log.iter().filter(|recorded| recorded.event.case() == Some(CASE)).cloned();
    assert_eq!(desk.state.folded(of_it).unwrap().0, desk.state.cases[&CASE]);
    assert_eq!(desk.state.cases[&CASE].notes, u32::from(most));
    desk.send(Command::ClaimCase { case: CASE }).unwrap();
    desk.send(dispatch()).unwrap();
    [Step::DISPOSE, Step::FEEDBACK, Step::CHECK, Step::CLOSE]
        .into_iter()
        .for_each(|step| desk.send(step.take(CASE)).unwrap());
    // A closed case is laid out as its row says, whoever has written the row.
    assert_eq!((desk.last_case.closed.is_some(), desk.last_case.notes), (true, 0));
}

/// A case that comes in at 处置 was filed and dispatched, but nobody says when: it is in no month's count.
#[test]
fn what_is_unknown_of_a_case_that_is_taken_over_is_not_counted() {
    let ever = |desk: &Desk, measure| desk.state.tally.count(measure, Dimension::City, Period::Ever);
    let mut desk = Desk::new();
    let opened = desk.now.plus(-40 * HOUR_MS);
    let unknown = History::since(opened, Stage::Dispose);
    let take_over = |desk: &mut Desk, history| {
        desk.send(Command::TakeOverCase { report: report("530102", "E01"), history })
    };
    take_over(&mut desk, unknown.clone()).unwrap();
    assert_eq!((ever(&desk, Measure::Reported), ever(&desk, Measure::Filed)), (1, 0));
    let at = |hours: i64| opened.plus(hours * HOUR_MS);
    let steps =
        vec![KnownStep { step: Step::FILE, at: at(1) }, KnownStep { step: Step::DISPATCH, at: at(5) }];
    take_over(&mut desk, History { steps: steps.clone(), ..unknown.clone() }).unwrap();
    assert_eq!((ever(&desk, Measure::Filed), ever(&desk, Measure::Dispatched)), (1, 1));
    let case = &desk.state.cases[&CaseId(2)];
    assert_eq!((case.filed, case.dispatched, case.stage_since), (Some(at(1)), Some(at(5)), at(5)));
    let refused = |desk: &mut Desk, steps: Vec<KnownStep>, stage| {
        let history = History { steps, stage, ..unknown.clone() };
        take_over(desk, history).unwrap_err().field().map(str::to_owned)
    };
    let backwards = steps.iter().rev().copied().collect();
    for (steps, stage) in [
        (steps.clone(), Stage::Dispatch),
        (backwards, Stage::Dispose),
        (vec![KnownStep { step: Step::FILE, at: at(-1) }], Stage::Dispose),
        (vec![KnownStep { step: Step::FILE, at: at(100) }], Stage::Dispose),
    ] {
        assert_eq!(refused(&mut desk, steps, stage).as_deref(), Some("steps"));
    }
}

/// Codes that were retired stay with the cases that have them.
#[test]
fn a_retired_code_is_refused_for_what_is_new() {
    let mut desk = filed("E01", |_| {});
    let mut class = desk.state.catalogue.classes[&"E01".parse().unwrap()].clone();
    class.retired = true;
    let mut department = desk.state.catalogue.departments[&DepartmentCode::new("fire").unwrap()].clone();
    department.retired = true;
    let entries =
        vec![crate::catalogue::Entry::Class(class), crate::catalogue::Entry::Department(department)];
    desk.send(Command::DefineCatalogue { entries }).unwrap();
    let refused = desk.send(Command::ReportCase { report: report("530102", "E01"), at: None }).unwrap_err();
    assert_eq!((refused.code(), refused.field()), ("retired_code", Some("class")));
    let fire = Step::DISPATCH.take_for(CASE, DepartmentCode::new("fire").unwrap());
    assert_eq!(desk.send(fire).unwrap_err().code(), "retired_code");
    desk.send(dispatch()).unwrap();
    let history = History::since(desk.now, Stage::File);
    desk.send(Command::TakeOverCase { report: report("530102", "E01"), history }).unwrap();
}

/// A case that moves to another area is counted there, and taken back where it was counted.
#[test]
fn a_change_of_dimensions_leaves_no_phantom_behind() {
    let mut desk = filed("E01", |_| {});
    let before: Vec<TallyKey> = desk.state.tally.iter().map(|(key, _)| key.clone()).collect();
    let mut changes = Changes::default();
    desk.state.change(CASE, desk.state.seq, &mut changes, |case| {
        case.area_path = vec!["530103".parse().unwrap(), "5301".parse().unwrap()];
        Vec::new()
    });
    let now = |key: &&TallyKey| key.period == Period::Now;
    for key in before.iter().filter(now) {
        let gone = match &key.dimension {
            Dimension::Area(area) => area.as_str().starts_with("530102"),
            Dimension::City | Dimension::Source(_) | Dimension::Class(_) => false,
        };
        assert_eq!(desk.state.tally.get(key).is_zero(), gone, "{key}");
    }
    let moved: TallyKey = "open|area:530103|now".parse().unwrap();
    assert_eq!(desk.state.tally.get(&moved).cases, 1);
}

/// What stands on screens of each stage after the case went round: what it went back behind is to come again.
#[test]
fn a_stage_that_a_case_went_back_behind_has_not_been_passed() {
    let mut desk = filed("E01", |_| {});
    let filed = desk.now;
    desk.pass(HOUR_MS);
    desk.send(dispatch()).unwrap();
    let sent = desk.now;
    for step in [Step::DISPOSE, Step::FEEDBACK] {
        desk.pass(HOUR_MS);
        desk.send(step.take(CASE)).unwrap();
    }
    let times = |desk: &Desk, stage: Stage| {
        let passed = desk.state.cases.get(&CASE).unwrap_or(&desk.last_case).passed()[stage as usize];
        (passed.began, passed.ended)
    };
    assert_eq!(times(&desk, Stage::Dispose), (Some(sent), Some(sent.plus(HOUR_MS))));
    assert_eq!(times(&desk, Stage::Check), (Some(desk.now), None));
    desk.pass(HOUR_MS);
    desk.send(Step::REWORK.take_with(CASE, "未清干净")).unwrap();
    let back = desk.now;
    assert_eq!(times(&desk, Stage::Dispatch), (Some(filed), Some(sent)), "before it, nothing is forgotten");
    assert_eq!(times(&desk, Stage::Dispose), (Some(back), None), "it runs now, from when the case came back");
    for stage in [Stage::Feedback, Stage::Check, Stage::Close] {
        assert_eq!(times(&desk, stage), (None, None), "{} is to come", stage.key());
    }
    let mut began = back;
    for step in [Step::DISPOSE, Step::FEEDBACK, Step::CHECK, Step::CLOSE] {
        desk.pass(HOUR_MS);
        desk.send(step.take(CASE)).unwrap();
        assert_eq!(times(&desk, step.from[0]), (Some(began), Some(desk.now)), "the second round");
        began = desk.now;
    }
}

#[test]
fn an_open_case_gets_as_many_files_as_the_policy_lets_it() {
    let attach = |name: &str, kind, media| {
        let file = AttachedFile {
            hash: FileHash([7; 32]),
            name: name.to_owned(),
            kind,
            media,
            bytes: 9,
            taken: None,
            place: None,
        };
        Command::AttachFile { case: CASE, file }
    };
    let photo = || attach("井盖.jpg", FileKind::PhotoAfter, Media::Jpeg);
    let mut desk = filed("E01", |_| {});
    for (wrong, field) in [
        (attach("报告.pdf", FileKind::PhotoAfter, Media::Pdf), "kind"),
        (attach("", FileKind::PhotoAfter, Media::Jpeg), "name"),
        (attach("gpj\u{202E}.exe", FileKind::Document, Media::Pdf), "name"),
    ] {
        assert_eq!(desk.send(wrong).unwrap_err().field(), Some(field));
    }
    let most = desk.policy.files_per_case;
    (0..most).for_each(|_| desk.send(photo()).unwrap());
    let full = desk.send(photo()).unwrap_err();
    assert_eq!((full.code(), full), ("files_full", Rejection::FilesFull { case: CASE, most }));
    let of_it = desk.log.iter().filter(|recorded| recorded.event.case() == Some(CASE)).cloned();
    assert_eq!(desk.state.folded(of_it).unwrap().0, desk.state.cases[&CASE]);
    let seen = desk.state.cases[&CASE].steps[0].seq;
    assert_eq!(desk.state.check_seen(&photo(), Some(seen)), Ok(()), "a photo makes no decision void");
    let other = Command::AttachFile { case: CaseId(99), file: file_of(photo()) };
    assert_eq!(desk.send(other).unwrap_err(), Rejection::UnknownCase { case: CaseId(99) });
}

fn file_of(command: Command) -> AttachedFile {
    let Command::AttachFile { file, .. } = command else { panic!("{command:?}") };
    file
}
