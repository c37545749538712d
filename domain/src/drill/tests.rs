//! A drill's rules, and how the real city breaks through.

use super::breaking::{Answered, Breaking, BreakingRows, ROWS_MAX, RealCase, breaks_through};
use super::*;
use crate::audience::Audience;
use crate::case::{Priority, Step};
use crate::command::Command;
use crate::moment::MINUTE_MS;
use crate::scope::Scope;
use crate::state::tests::{Desk, START, report};
use crate::text::TextError;
use crate::whistle::{WhistleCall, WhistleLevel};

const AT: UtcMillis = UtcMillis(1_781_486_400_000);

fn director() -> Asker<'static> {
    Asker { name: "导演", roles: &[Role::Supervisor] }
}

fn case_after(after_s: u32) -> Inject {
    Inject { after_s, what: Happening::Case(report("530102", "E01")) }
}

fn call() -> WhistleCall {
    WhistleCall {
        level: WhistleLevel::Street,
        area: "530102".parse().unwrap(),
        title: "积水".to_owned(),
        case: None,
        called: vec!["urban".parse().unwrap()],
    }
}

fn prepared(injects: Vec<Inject>) -> Prepared {
    Prepared {
        id: DrillId(7),
        title: "防汛演练".to_owned(),
        director: "导演".to_owned(),
        roles: vec![Role::Supervisor],
        at: AT,
        injects,
    }
}

impl Drill {
    /// Asks at a time of its own clock, and takes what comes of it.
    fn asked(&mut self, ask: &Ask, asker: &Asker<'_>, clock: UtcMillis) -> Result<bool, DrillRefusal> {
        let event = self.decide(ask, asker, &[], (clock, AT))?;
        event.iter().for_each(|event| self.apply(event));
        Ok(event.is_some())
    }

    fn paced(&mut self, milli: u32, clock: UtcMillis) -> bool {
        self.asked(&Ask::Pace(milli), &director(), clock).unwrap()
    }

    fn entered(&mut self, inject: u16, clock: UtcMillis) {
        self.apply(&DrillEvent::Injected { inject, clock, became: Became::Entered { number: None } });
    }
}

#[test]
fn an_id_has_one_spelling() {
    assert_eq!("drill-00ab12ff".parse(), Ok(DrillId(0x00ab_12ff)));
    assert_eq!(DrillId(0x00ab_12ff).to_string(), "drill-00ab12ff");
    for other in [
        "drill-ab12ff",
        "drill-00AB12FF",
        "drill-+0ab12ff",
        "replay-00ab12ff",
        "drill-00ab12ff/..",
        "drill-",
        "",
    ] {
        assert_eq!(other.parse::<DrillId>(), Err(()), "{other}");
    }
}

#[test]
fn a_drill_is_started_paused_let_go_on_and_stopped() {
    let mut drill = Drill::new(prepared(Vec::new()));
    assert_eq!((drill.stage, drill.pace, drill.started), (DrillStage::Prepared, Pace::STANDS, None));
    assert!(!drill.paced(0, AT), "it stands already");
    assert_eq!(drill.stage, DrillStage::Prepared);
    assert!(drill.paced(1_000, AT));
    assert_eq!((drill.stage, drill.started), (DrillStage::Running, Some(AT)));
    assert!(drill.paced(8_000, AT.plus(MINUTE_MS)) && !drill.paced(8_000, AT.plus(MINUTE_MS)));
    assert!(drill.paced(0, AT.plus(2 * MINUTE_MS)));
    assert_eq!((drill.stage, drill.started), (DrillStage::Paused, Some(AT)), "it was started once");
    assert!(drill.paced(1_000, AT.plus(2 * MINUTE_MS)));
    assert!(drill.asked(&Ask::Stop { leaving: Vec::new() }, &director(), AT.plus(3 * MINUTE_MS)).unwrap());
    assert_eq!((drill.stage, drill.pace), (DrillStage::Stopped, Pace::STANDS));
    for ask in [Ask::Pace(1_000), Ask::Enter, Ask::Stop { leaving: Vec::new() }] {
        let title = "防汛演练".to_owned();
        assert_eq!(drill.asked(&ask, &director(), AT), Err(DrillRefusal::IsStopped { title }), "{ask:?}");
    }
}

#[test]
fn a_pace_is_none_or_from_once_to_eight_times() {
    for good in [0, 1_000, 1_500, 8_000] {
        assert_eq!(Pace::from_milli(good).map(Pace::milli), Some(good));
    }
    let mut drill = Drill::new(prepared(Vec::new()));
    for milli in [1, 999, 8_001, 60_000, u32::MAX] {
        assert_eq!(drill.asked(&Ask::Pace(milli), &director(), AT), Err(DrillRefusal::Pace { milli }));
    }
    assert_eq!(drill.stage, DrillStage::Prepared);
}

#[test]
fn a_drill_obeys_who_prepared_it_and_the_administrator() {
    let mut drill = Drill::new(prepared(Vec::new()));
    let stranger = Asker { name: "周敏", roles: &[Role::Supervisor, Role::Viewer] };
    for ask in [Ask::Pace(1_000), Ask::Enter, Ask::Stop { leaving: Vec::new() }] {
        let refused = DrillRefusal::NotItsDirector { director: "导演".to_owned() };
        assert_eq!(drill.asked(&ask, &stranger, AT), Err(refused));
    }
    let admin = Asker { name: "admin", roles: &[Role::Admin] };
    assert_eq!(drill.asked(&Ask::Pace(1_000), &admin, AT), Ok(true));
}

#[test]
fn what_is_to_happen_comes_due_by_the_drills_own_clock_and_once() {
    let mut drill = Drill::new(prepared(vec![case_after(600), case_after(60), case_after(60)]));
    let late = AT.plus(i64::from(AFTER_S_MAX) * SECOND_MS);
    assert_eq!((drill.due(late), drill.next_due()), (Vec::new(), None), "before the start there is no time");
    drill.paced(1_000, AT.plus(MINUTE_MS));
    let minute = |minutes: i64| AT.plus((1 + minutes) * MINUTE_MS);
    assert_eq!(drill.next_due(), Some(minute(1)));
    assert_eq!(drill.due(minute(1).plus(-1)), [0u16; 0]);
    assert_eq!(drill.due(minute(1)), [1, 2]);
    assert_eq!(drill.due(minute(10)), [1, 2, 0], "in the order of their times");
    drill.entered(1, minute(1));
    assert_eq!(drill.due(minute(1)), [2]);
    drill.paced(0, minute(2));
    assert_eq!((drill.due(minute(20)), drill.next_due()), (Vec::new(), None), "it stands");
    drill.paced(4_000, minute(2));
    drill.entered(2, minute(2));
    assert_eq!(drill.next_due(), Some(minute(10)));
    drill.entered(0, minute(10));
    assert_eq!(drill.next_due(), None);
}

#[test]
fn a_drill_that_ran_comes_back_standing_and_says_so() {
    let mut drill = Drill::new(prepared(Vec::new()));
    assert_eq!(drill.come_back(AT, AT), None, "it was not started");
    drill.paced(2_000, AT);
    let known = AT.plus(5 * MINUTE_MS);
    let event = drill.come_back(known, AT).unwrap();
    drill.apply(&event);
    assert_eq!((drill.stage, drill.pace, drill.clock), (DrillStage::Paused, Pace::STANDS, known));
    assert!(drill.came_back && drill.come_back(known, AT).is_none());
    drill.paced(1_000, known);
    assert!(!drill.came_back && drill.started == Some(AT), "somebody has let it go on");
    assert_eq!(
        drill.come_back(AT, AT),
        Some(DrillEvent::CameBack { clock: known, at: AT }),
        "time never goes back"
    );
}

#[test]
fn what_cannot_be_prepared_is_named() {
    let check = |change: &dyn Fn(&mut Prepared)| {
        let mut prepared = prepared(vec![case_after(0)]);
        change(&mut prepared);
        prepared.check().map_err(|refusal| (refusal.code(), refusal.field().unwrap_or_default()))
    };
    assert_eq!(check(&|_| {}), Ok(()));
    assert_eq!(check(&|prepared| prepared.injects = vec![case_after(AFTER_S_MAX); INJECTS_MAX]), Ok(()));
    let of = |code, field: &str| Err((code, field.to_owned()));
    for title in ["", "  ", "防汛\u{7}", "防汛\n演练", "\u{202E}汛防", &"汛".repeat(101)] {
        assert_eq!(
            check(&|prepared| prepared.title = title.to_owned()),
            of("drill_title", "title"),
            "{title:?}"
        );
    }
    assert_eq!(
        check(&|prepared| prepared.injects = vec![case_after(0); INJECTS_MAX + 1]),
        of("too_many_injects", "injects")
    );
    assert_eq!(
        check(&|prepared| prepared.injects.push(case_after(AFTER_S_MAX + 1))),
        of("inject_too_late", "injects[1].after_s")
    );
    let about = WhistleCall { case: Some(CaseId(1)), ..call() };
    let about = Inject { after_s: 1, what: Happening::Whistle(about) };
    assert_eq!(
        check(&|prepared| prepared.injects.push(about.clone())),
        of("inject_names_case", "injects[1].what.case")
    );
    let real = crate::case::Report { reporter: Some("王某".to_owned()), ..report("530102", "E01") };
    let real = Inject { after_s: 1, what: Happening::Case(real) };
    assert_eq!(
        check(&|prepared| prepared.injects.push(real.clone())),
        of("of_real_people", "injects[1].what.reporter")
    );
}

#[test]
fn every_refusal_has_words_in_both_languages() {
    let all = [
        DrillRefusal::Title(TextError::Empty),
        DrillRefusal::NotItsDirector { director: "导演".to_owned() },
        DrillRefusal::IsStopped { title: "防汛".to_owned() },
        DrillRefusal::Pace { milli: 5 },
        DrillRefusal::TooManyInjects { are: 51 },
        DrillRefusal::TooLate { index: 0, after_s: 86_401 },
        DrillRefusal::OfRealPeople { index: None, field: "reporter" },
        DrillRefusal::NamesCase { index: 0 },
        DrillRefusal::Inject { index: 0, rejection: Box::new(crate::rejection::Rejection::KeyReused) },
        DrillRefusal::TooManyOpen,
        DrillRefusal::TooManyKept,
        DrillRefusal::Unanswered { cases: vec![CaseId(4), CaseId(5)] },
    ];
    for refusal in &all {
        assert!(refusal.words(Language::Zh).chars().any(|c| c > '\u{3000}'), "{refusal:?}");
        let english = refusal.words(Language::En);
        let said = english.replace("导演", "").replace("防汛", "");
        assert!(said.chars().all(|c| c < '\u{3000}'), "{english}");
    }
    let codes: std::collections::BTreeSet<_> = all.iter().map(DrillRefusal::code).collect();
    assert_eq!(codes.len(), all.len());
    assert_eq!(all[11].words(Language::Zh), "真实一级案件 4、5尚无人应答；确认后方可结束演练");
}

#[test]
fn the_list_is_for_who_leads_the_drill_alone() {
    let mut drill =
        Drill::new(prepared(vec![case_after(60), Inject { after_s: 90, what: Happening::Whistle(call()) }]));
    drill.apply(&DrillEvent::Injected {
        inject: 0,
        clock: AT,
        became: Became::Entered { number: Some("20260615-00001".to_owned()) },
    });
    let told = answer::DrillAnswer::of(&drill, AT, true);
    let entered = answer::InjectBecame::Entered(Some("20260615-00001".to_owned()));
    assert_eq!(told.base, "/world/drill-00000007");
    assert_eq!((told.injects[0].title.as_str(), &told.injects[0].became), ("北京路", &entered));
    assert_eq!((told.injects[1].is_whistle, &told.injects[1].became), (true, &answer::InjectBecame::Waiting));
    assert_eq!(answer::DrillAnswer::of(&drill, AT, false).injects, []);
}

/// What the golden bytes of the feed hold.
pub(crate) fn told() -> BreakingRows {
    let row = RealCase {
        case: CaseId(9),
        number: "20261121-00009".into(),
        class: "E01-10".parse().unwrap(),
        area: "530103".parse().unwrap(),
        address: "北京路".into(),
        reported: UtcMillis(1_000),
        answered: Some(Answered { by: "周敏".into(), at: UtcMillis(2_000) }),
    };
    BreakingRows { unanswered: 1, rows: vec![row] }
}

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
