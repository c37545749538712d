//! What another policy changes, and what it may not change, beside open cases and calls.

use super::State;
use super::tests::{Desk, START, name, report};
use crate::case::{CaseEvent, Step};
use crate::catalogue::{Area, AreaLevel, Class, ClassKind};
use crate::clock::calendar::{DayKind, furthest_reach};
use crate::clock::{Limit, LimitKind};
use crate::code::{CaseId, ClassCode};
use crate::command::{Command, TakeStep};
use crate::event::Event;
use crate::moment::UtcOffset;
use crate::policy::change::Kind;
use crate::policy::{Before, Change, Policy, Refusal};
use crate::rejection::Language;
use crate::whistle::{WhistleCall, WhistleEvent, WhistleLevel};

/// A hall in which the dispatch limit counts working time, with `open` cases waiting for dispatch.
fn waiting(open: u64) -> Desk {
    let mut desk = Desk::new();
    desk.policy.dispatch_limit = Limit::new(2, LimitKind::WORK_DAY);
    let known = [("2026-05-01", DayKind::Off), ("2026-05-09", DayKind::Work)];
    for (date, kind) in known {
        desk.policy.calendar.add(date.parse().unwrap(), kind).unwrap();
    }
    desk.state = State::new(&desk.policy);
    for case in 1..=open {
        let class = if case % 3 == 0 { "P01" } else { "E01" };
        desk.send(Command::ReportCase { report: report("530102001", class), at: None }).unwrap();
        for step in [Step::ACCEPT, Step::FILE] {
            desk.send(Command::Step(TakeStep {
                step,
                case: CaseId(case),
                note: String::new(),
                department: None,
                limit: None,
            }))
            .unwrap();
        }
    }
    desk
}

fn street_calls(area: &str) -> Command {
    let (area, called) = (area.parse().unwrap(), vec!["urban".parse().unwrap()]);
    let title = "夜市占道".to_owned();
    Command::RaiseWhistle {
        call: WhistleCall { level: WhistleLevel::Street, area, title, case: None, called },
    }
}

fn change(desk: &Desk, edit: impl FnOnce(&mut Policy)) -> Change {
    let mut after = desk.policy.clone();
    edit(&mut after);
    Change::between(before(desk), &after)
}

pub(super) fn refused(desk: &Desk, edit: impl FnOnce(&mut Policy)) -> Vec<Refusal> {
    let mut after = desk.policy.clone();
    edit(&mut after);
    after.refusals(&before(desk))
}

fn before(
    desk: &Desk,
) -> Before<
    '_,
    impl Iterator<Item = &crate::case::Case> + Clone,
    impl Iterator<Item = &crate::whistle::Whistle> + Clone,
> {
    Before {
        policy: &desk.policy,
        catalogue: &desk.state.catalogue,
        cases: desk.state.cases.values(),
        whistles: desk.state.whistles.values(),
        today: START.local(UtcOffset(480)).date,
    }
}

fn words(change: &Change) -> [String; 2] {
    [Language::Zh, Language::En].map(|language| change.said(language))
}

#[test]
fn the_policy_in_force_changes_nothing() {
    let desk = waiting(3);
    let same = change(&desk, |_| {});
    assert_eq!(words(&same), ["与现行规则一致，没有变更", "nothing changes: it is the policy in force"]);
    assert_eq!(refused(&desk, |_| {}), []);
}

#[test]
fn a_new_holiday_moves_the_limits_that_run_over_it() {
    let desk = waiting(14);
    // Filed on Monday morning with two working days: due on Wednesday, or on Thursday with a holiday between.
    let holiday = change(&desk, |policy| {
        policy.calendar.add("2026-06-16".parse().unwrap(), DayKind::Off).unwrap();
    });
    assert_eq!((holiday.limits_moved, holiday.limits_settled, holiday.cases_moved), (14, 0, 0));
    assert_eq!(
        words(&holiday),
        [
            "14 个运行中的时限改期；1 个日期新列为节假日或调休日（2026-06-16）",
            "14 running limits move; 1 holiday or make-up day is added (2026-06-16)"
        ]
    );
    let later = change(&desk, |policy| {
        policy.calendar.add("2026-10-01".parse().unwrap(), DayKind::Off).unwrap();
    });
    assert_eq!(later.limits_moved, 0);
}

/// The figures a dry run says are those of what then happens.
#[test]
fn as_many_limits_and_cases_move_as_were_said() {
    let mut desk = waiting(9);
    for area in ["530102001", "530102001", "530103"] {
        desk.send(street_calls(area)).unwrap();
    }
    let mut after = desk.policy.clone();
    after.calendar.add("2026-06-16".parse().unwrap(), DayKind::Off).unwrap();
    after.areas[3].parent = "530103".parse().ok();
    let said = Change::between(before(&desk), &after);
    assert!(desk.adopt(&after).unwrap());
    desk.send(Command::PassDeadlines).unwrap();
    let (mut limits, mut cases, mut whistles) = (0, 0, 0);
    for recorded in &desk.log {
        if let Event::Case(_, CaseEvent::Replanned { clocks, .. }) = &recorded.event {
            limits += clocks.iter().filter(|clock| clock.was != clock.due).count() as u64;
        }
        cases += u64::from(matches!(recorded.event, Event::Case(_, CaseEvent::Moved { .. })));
        whistles += u64::from(matches!(recorded.event, Event::Whistle(_, WhistleEvent::Moved { .. })));
    }
    assert_eq!((limits, cases, whistles), (9, 9, 2));
    assert_eq!((said.limits_moved, said.cases_moved, said.whistles_moved), (limits, cases, whistles));
    let sentences = [Language::Zh, Language::En].map(|language| said.words(language)[2].clone());
    assert_eq!(sentences, ["2 个未销吹哨改属其他区域", "2 open whistle calls come to lie in other areas"]);
    desk.policy = after.clone();
    assert_eq!(change(&desk, |_| {}).limits_moved, 0, "and then it is the policy in force");
}

#[test]
fn what_is_retired_is_said_with_the_cases_that_have_it() {
    let mut desk = waiting(7);
    let retire = |policy: &mut Policy| policy.classes[0].retired = true;
    let mut one = change(&desk, retire);
    let said = "1 class is retired and stays readable on 5 open cases and on closed ones (E01)";
    assert_eq!(words(&one)[1], said, "nobody has counted the closed ones");
    one.count_closed(|kind, codes| {
        assert_eq!((kind, codes.iter().copied().collect::<Vec<_>>()), (Kind::Class, vec!["E01"]));
        Some(307)
    });
    assert_eq!(words(&one)[1], "1 class is retired and stays readable on 312 cases (E01)");
    let mut both = change(&desk, |policy| policy.classes.iter_mut().for_each(|class| class.retired = true));
    assert_eq!(words(&both)[0], "2 个小类停用，7 件在办案件及已结案件上仍可查看（E01、P01）");
    both.count_closed(|_, _| Some(0));
    assert_eq!(
        words(&both),
        [
            "2 个小类停用，7 件案件上仍可查看（E01、P01）",
            "2 classes are retired and stay readable on 7 cases (E01, P01)"
        ]
    );
    // A code that nothing open has may simply be left out: it is retired as well.
    let mut left_out = change(&desk, |policy| policy.departments.retain(|one| one.code.as_str() != "fire"));
    left_out.count_closed(|_, _| Some(1));
    assert_eq!(words(&left_out)[1], "1 department is retired and stays readable on 1 case (fire)");
    // In use again.
    desk.policy.classes[0].retired = true;
    desk.state.catalogue = desk.policy.catalogue();
    let again = change(&desk, |policy| policy.classes[0].retired = false);
    assert_eq!(words(&again)[1], "1 class is in use again (E01)");
}

#[test]
fn codes_that_are_new_renamed_moved_or_have_another_limit_are_each_said() {
    let desk = waiting(2);
    let much = change(&desk, |policy| {
        policy.areas.push(Area {
            code: "530103001".parse().unwrap(),
            level: AreaLevel::Street,
            parent: "530103".parse().ok(),
            name: name("east"),
            short: None,
            retired: false,
        });
        policy.areas[3].parent = "530103".parse().ok();
        policy.areas[1].name = name("renamed");
        policy.classes[0].disposal_limit = None;
        policy.dispatch_limit = Limit::new(1, LimitKind::WORK_HOUR);
        policy.powers_together = Some("two seats".into());
    });
    assert_eq!(much.limits_moved, 0, "a limit that runs stays what it was");
    assert_eq!(much.cases_moved, 2);
    assert_eq!(
        words(&much)[1],
        "2 open cases come to lie in other areas; 1 area is new (530103001); 1 area is renamed (530102); 1 area lies in \
         another area (530102001); 1 class has another limit or mark (E01); dispatch_limit: 2 work days → 1 work h; \
         powers_together: none → two seats"
    );
    assert!(words(&much)[0].contains("dispatch_limit：2 工作日 → 1 工作时"));
}

#[test]
fn a_code_that_is_in_use_is_not_left_out() {
    let mut desk = waiting(4);
    let call = WhistleCall {
        level: WhistleLevel::Street,
        area: "530102001".parse().unwrap(),
        title: "井盖".into(),
        case: None,
        called: vec!["fire".parse().unwrap()],
    };
    desk.send(Command::RaiseWhistle { call }).unwrap();
    let classes = refused(&desk, |policy| policy.classes.clear());
    assert_eq!(
        classes.iter().map(|refusal| refusal.words(Language::En)).collect::<Vec<_>>(),
        [
            "classes: `E01` is left out and 3 open cases have it; to retire it keep its entry with `retired = true`",
            "classes: `P01` is left out and 1 open case has it; to retire it keep its entry with `retired = true`"
        ]
    );
    let called = refused(&desk, |policy| policy.departments.clear());
    let [Refusal::InUse { kind: Kind::Department, code, cases: 0, whistles: 1 }] = &called[..] else {
        panic!("{called:?}");
    };
    assert_eq!(code, "fire");
    // An area that a case lies in, though not the finest.
    let above = refused(&desk, |policy| {
        policy.areas.retain(|area| area.code.as_str() != "530102");
    });
    assert!(matches!(&above[..], [Refusal::InUse { kind: Kind::Area, cases: 4, .. }]), "{above:?}");
    assert!(above[0].words(Language::Zh).contains("4 件在办案件、1 个进行中的哨仍在使用"));
    assert_eq!(refused(&desk, |policy| policy.classes.iter_mut().for_each(|class| class.retired = true)), []);
}

#[test]
fn what_was_told_for_certain_stays_certain_and_the_offset_stays() {
    let desk = waiting(2);
    let none = refused(&desk, |policy| policy.calendar.exceptions.clear());
    assert!(matches!(none[..], [Refusal::Forgotten { .. }]), "{none:?}");
    assert!(none[0].words(Language::En).contains("known up to 2026-12-28"));
    let due = desk.state.cases.values().flat_map(|case| case.running()).map(|clock| clock.due).max().unwrap();
    let needed = due.local(UtcOffset(480)).date;
    let before = needed.plus_days(-1);
    let short = refused(&desk, |policy| policy.calendar.reaches_to = Some(before));
    assert_eq!(short, [Refusal::Reach { wanted: before, needed, limits: 2 }]);
    let words = short[0].words(Language::En);
    assert!(words.contains("2 running limits were told for certain"), "{words}");
    assert_eq!(refused(&desk, |policy| policy.calendar.reaches_to = Some(needed)), []);
    assert_eq!(refused(&desk, |policy| policy.calendar.reaches_to = "2027-12-28".parse().ok()), []);
    let offset = refused(&desk, |policy| policy.utc_offset_minutes = UtcOffset(540));
    assert_eq!(offset, [Refusal::Offset { is: 480, wanted: 540 }]);
}

/// A year mistyped, stated or in one holiday, is refused; one that got into the log all the same is taken back.
#[test]
fn a_calendar_known_too_far_is_refused_and_can_be_taken_back() {
    let mut desk = waiting(2);
    let furthest = furthest_reach(START.local(UtcOffset(480)).date);
    let ahead = |edit: fn(&mut Policy)| refused(&desk, edit);
    let stated = ahead(|policy| policy.calendar.reaches_to = "2062-12-28".parse().ok());
    assert!(matches!(stated[..], [Refusal::Ahead { .. }]), "{stated:?}");
    assert!(stated[0].words(Language::En).contains("known up to 2062-12-28"), "{stated:?}");
    assert!(stated[0].words(Language::Zh).contains(&format!("最远只可至 {furthest}")), "{stated:?}");
    let single = ahead(|policy| {
        policy.calendar.exceptions.insert("2062-01-01".parse().unwrap(), DayKind::Off);
    });
    assert!(matches!(single[..], [Refusal::Ahead { .. }]), "{single:?}");
    assert_eq!(refused(&desk, |policy| policy.calendar.reaches_to = Some(furthest)), []);

    let good = desk.policy.clone();
    desk.policy.calendar.reaches_to = "2062-12-28".parse().ok();
    assert_eq!(good.refusals(&before(&desk)), [], "back to what was in force before the slip");
    desk.policy.calendar.exceptions.clear();
    let unstated = refused(&desk, |policy| policy.calendar.reaches_to = None);
    assert_eq!(unstated, [], "no holiday is forgotten where none was known");
    let change = Change::between(before(&desk), &good);
    assert!(words(&change)[1].contains("known up to 2026-12-28 only"), "{:?}", words(&change));
}

#[test]
fn a_code_keeps_what_it_is() {
    let desk = waiting(1);
    let kind = refused(&desk, |policy| policy.classes[1].kind = ClassKind::Part);
    assert!(
        kind[0].words(Language::En).contains("`P01` is of the kind event and never becomes part"),
        "{kind:?}"
    );
    let level = refused(&desk, |policy| policy.areas[3].level = AreaLevel::Community);
    assert!(level[0].words(Language::Zh).contains("“530102001”的层级不得由街道改为社区"), "{level:?}");
    let condition = refused(&desk, |policy| policy.conditions[0].class = ClassCode::new("P01").unwrap());
    assert!(condition[0].words(Language::En).contains("belongs to class `E01` and never to `P01`"));
}

#[test]
fn a_due_time_beyond_the_calendar_is_provisional_until_the_paper_is_in() {
    let mut desk = Desk::new();
    desk.policy.dispatch_limit = Limit::new(2, LimitKind::WORK_DAY);
    desk.policy.calendar.reaches_to = "2026-06-16".parse().ok();
    desk.state = State::new(&desk.policy);
    desk.send(Command::ReportCase { report: report("530102001", "E01"), at: None }).unwrap();
    for step in [Step::ACCEPT, Step::FILE] {
        let (case, note) = (CaseId(1), String::new());
        desk.send(Command::Step(TakeStep { step, case, note, department: None, limit: None })).unwrap();
    }
    let clock = desk.last_case.leading_clock().unwrap();
    assert!(clock.provisional && clock.due > START);
    assert!(crate::wire::CaseLine::from(&desk.last_case).provisional);
    let paper = change(&desk, |policy| policy.calendar.reaches_to = "2026-12-28".parse().ok());
    assert_eq!((paper.limits_moved, paper.limits_settled), (0, 1));
    assert_eq!(
        words(&paper),
        [
            "1 个暂定的到期时间已确定；工作日历已知至 2026-12-28",
            "1 due time is no longer provisional; the calendar is known up to 2026-12-28"
        ]
    );
}

#[test]
fn a_long_list_is_counted_and_not_spelt_out() {
    let desk = waiting(0);
    let many = change(&desk, |policy| {
        policy.classes.extend((0..500).map(|n| Class {
            code: ClassCode::new(format!("X{n:03}")).unwrap(),
            kind: ClassKind::Part,
            name: name("new"),
            key: false,
            main: None,
            base_weight: None,
            disposal_limit: None,
            short: None,
            retired: false,
        }));
    });
    let [classes] = &many.codes[..] else { panic!("{many:?}") };
    assert_eq!((classes.added.count, classes.added.codes.len()), (500, 100));
    assert_eq!(words(&many)[1], "500 classes are new (X000, X001, X002, X003, X004, …)");
}
