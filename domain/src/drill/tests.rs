//! A drill's rules, and how the real city breaks through (`breaking`).

use super::breaking::{Answered, BreakingRows, RealCase};
use super::*;
use crate::moment::MINUTE_MS;
use crate::state::tests::report;
use crate::text::TextError;
use crate::whistle::{WhistleCall, WhistleLevel};

mod breaking;

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
