//! Golden tests of form 2: one line per event. A line here may never change; a new form gets lines of its own.

use std::sync::Arc;

use domain::adoption::{Adopted, CameraCounts, CamerasAdopted, Changed, ListHash};
use domain::case::event::Replanned;
use domain::case::request::Part;
use domain::file::{AttachedFile, FileHash, FileKind, Media};
use domain::place::Point;
use domain::policy::Policy;

use super::*;
use crate::stored::policy::{self, Bodies};

const CLOCK_JSON: &str = r#"{"of":"dispatch","started_ms":1000,"nearing_ms":2000,"due_ms":3000,"limit":{"amount":4,"unit":"hour","counts":"working"}}"#;

/// The event is stored as exactly this and read back as itself, with who did it beside it.
fn golden(event: &Event, json: &str) {
    golden_marked(event, None, json);
}

fn golden_marked(event: &Event, mark: Option<&str>, json: &str) {
    let by = By { name: "李强".to_owned(), roles: vec![Role::Dispatcher, Role::Admin], door: Door::Desk };
    let mut recorded = Recorded { seq: 5, at: UtcMillis(9), by, event: event.clone() };
    assert_eq!(person::take(&mut recorded.event).is_some(), mark.is_some());
    let row = row(&recorded, None, mark);
    assert_eq!(row.body, json, "{}", event.name());
    assert_eq!((row.roles.as_str(), row.door.as_str(), row.form), ("dispatcher,admin", "desk", 2));
    assert_eq!(super::super::recorded(&row, &NoBodies).unwrap(), recorded);
}

#[test]
fn case_reported() {
    let area_path = vec![area("530103001"), area("5301")];
    let number = "20261121-00042".to_owned();
    let json = format!(
        r#"{{"case":7,"number":"20261121-00042","report":{REPORT_JSON},"area_path":["530103001","5301"],"seen_ms":500}}"#
    );
    let reported = CaseEvent::Reported { number, report: report(), area_path, seen: UtcMillis(500) };
    let json = json.replace(r#""reporter":"张三""#, r#""reporter":null,"reporter_mark":"0011""#);
    golden_marked(&of_case(reported), Some("0011"), &json);
}

#[test]
fn case_taken_over() {
    let taken = |history, started| {
        of_case(CaseEvent::TakenOver {
            number: "20261121-00043".to_owned(),
            report: bare(),
            area_path: vec![area("5301")],
            history,
            started,
        })
    };
    let open = History {
        steps: vec![KnownStep { step: Step::FILE, at: UtcMillis(2) }],
        ..History::since(UtcMillis(1), Stage::Dispatch)
    };
    let json = format!(
        r#"{{"case":7,"number":"20261121-00043","report":{BARE_JSON},"area_path":["5301"],"opened_ms":1,"stage":"dispatch","steps":[{{"step":"file","at_ms":2}}],"started":[{CLOCK_JSON}]}}"#
    );
    golden(&taken(open, vec![clock(ClockOf::Dispatch)]), &json);
    let closed = History {
        closed: Some(UtcMillis(9)),
        due: Some(UtcMillis(8)),
        ..History::since(UtcMillis(1), Stage::Close)
    };
    let json = format!(
        r#"{{"case":7,"number":"20261121-00043","report":{BARE_JSON},"area_path":["5301"],"opened_ms":1,"stage":"close","closed_ms":9,"due_ms":8}}"#
    );
    golden(&taken(closed, Vec::new()), &json);
}

#[test]
fn steps_claims_and_notes() {
    golden(&step(Step::ACCEPT, "", Vec::new()), r#"{"case":7}"#);
    golden(
        &step(Step::FILE, "", vec![clock(ClockOf::Dispatch)]),
        &format!(r#"{{"case":7,"started":[{CLOCK_JSON}]}}"#),
    );
    let minutes = Limit::new(15, LimitKind { unit: Unit::Minute, counts: Counts::Through });
    let part = Clock { limit: Some(minutes), ..clock(ClockOf::Milestone(1)) };
    let whole = Clock { limit: None, provisional: true, planned: 4, ..clock(ClockOf::Disposal) };
    golden(
        &step(Step::DISPATCH, "", vec![part, whole]),
        r#"{"case":7,"department":"shuiwu","started":[{"of":"milestone_1","started_ms":1000,"nearing_ms":2000,"due_ms":3000,"limit":{"amount":15,"unit":"minute","counts":"through"}},{"of":"disposal","started_ms":1000,"nearing_ms":2000,"due_ms":3000,"provisional":true,"planned":4}]}"#,
    );
    for taken in [Step::DISPOSE, Step::FEEDBACK, Step::CHECK, Step::CLOSE] {
        golden(&step(taken, "已清运\n两车", Vec::new()), r#"{"case":7,"note":"已清运\n两车"}"#);
    }
    let side_paths = &domain::case::STEPS[8..];
    for row in side_paths.iter().filter(|row| row.closes()) {
        golden(&step(Step(row), "重复上报", Vec::new()), r#"{"case":7,"note":"重复上报"}"#);
    }
    golden(
        &step(Step::RETURN, "不属本单位", vec![clock(ClockOf::Dispatch)]),
        &format!(r#"{{"case":7,"note":"不属本单位","started":[{CLOCK_JSON}]}}"#),
    );
    let anew = Clock { limit: None, ..clock(ClockOf::Disposal) };
    golden(
        &step(Step::REWORK, "未清净", vec![anew]),
        r#"{"case":7,"note":"未清净","started":[{"of":"disposal","started_ms":1000,"nearing_ms":2000,"due_ms":3000}]}"#,
    );
    for row in side_paths.iter().filter(|row| row.part != Part::None) {
        golden(&step(Step(row), "等配件", Vec::new()), r#"{"case":7,"note":"等配件"}"#);
    }
    let year = Limit::new(365, LimitKind::URGENT_DAY);
    golden(
        &step(Step::GRANT_SUSPENSION, "", vec![Clock { limit: Some(year), ..clock(ClockOf::Suspension) }]),
        r#"{"case":7,"started":[{"of":"suspension","started_ms":1000,"nearing_ms":2000,"due_ms":3000,"limit":{"amount":365,"unit":"day","counts":"through"}}]}"#,
    );
    golden(&of_case(CaseEvent::Claimed), r#"{"case":7}"#);
    golden(&of_case(CaseEvent::Noted { text: "催办".to_owned() }), r#"{"case":7,"text":"催办"}"#);
}

#[test]
fn whistles() {
    let call = WhistleCall {
        level: WhistleLevel::Street,
        area: area("530103001"),
        title: "夜市占道".to_owned(),
        case: None,
        called: vec![department(), "jiaojing".parse().unwrap()],
    };
    let of = |event| Event::Whistle(WhistleId(3), event);
    let area_path = vec![area("530103001"), area("5301")];
    golden(
        &of(WhistleEvent::Raised { call, area_path, due: UtcMillis(1_800_000) }),
        r#"{"whistle":3,"level":"street","area":"530103001","title":"夜市占道","called":["shuiwu","jiaojing"],"area_path":["530103001","5301"],"due_ms":1800000}"#,
    );
    golden(
        &of(WhistleEvent::Answered { department: department() }),
        r#"{"whistle":3,"department":"shuiwu"}"#,
    );
    golden(&of(WhistleEvent::Closed { note: "了结".to_owned() }), r#"{"whistle":3,"note":"了结"}"#);
    let area_path = vec![area("530103001"), area("5302")];
    golden(&of(WhistleEvent::Moved { area_path }), r#"{"whistle":3,"area_path":["530103001","5302"]}"#);
}

#[test]
fn catalogue_defined() {
    let part = |zh: &str, amount| Milestone {
        name: Name { zh: zh.to_owned(), en: String::new() },
        limit: Limit::new(amount, LimitKind::URGENT_HOUR),
    };
    let entries = vec![
        Entry::Area(Area {
            code: area("5301"),
            level: AreaLevel::City,
            parent: None,
            name: name(),
            short: None,
            retired: false,
        }),
        Entry::Class(Class {
            code: "P03-07".parse().unwrap(),
            kind: ClassKind::Part,
            name: name(),
            key: true,
            main: None,
            base_weight: None,
            disposal_limit: Some(Limit::new(2, LimitKind::URGENT_DAY)),
            short: None,
            retired: true,
        }),
        Entry::Condition(Condition {
            code: "P03-07.1".parse().unwrap(),
            class: "P03-07".parse().unwrap(),
            name: name(),
            milestones: vec![part("制止", 2), part("恢复", 6)],
            close_condition: Some(name()),
            retired: false,
        }),
    ];
    golden(
        &Event::Policy(PolicyEvent::Defined { entries }),
        r#"{"entries":[{"kind":"area","code":"5301","level":"city","parent":null,"zh":"名","en":"Name"},{"kind":"class","code":"P03-07","class_kind":"part","zh":"名","en":"Name","key":true,"disposal_limit":{"amount":2,"unit":"day","counts":"through"},"retired":true},{"kind":"condition","code":"P03-07.1","class":"P03-07","zh":"名","en":"Name","milestones":[{"zh":"制止","en":"","limit":{"amount":2,"unit":"hour","counts":"through"}},{"zh":"恢复","en":"","limit":{"amount":6,"unit":"hour","counts":"through"}}],"close_zh":"名","close_en":"Name"}]}"#,
    );
}

#[test]
fn catalogue_defined_with_main_class_and_weight() {
    let entries = vec![Entry::Class(Class {
        code: "P03-07".parse().unwrap(),
        kind: ClassKind::Part,
        name: name(),
        main: Some(name()),
        short: None,
        key: false,
        base_weight: Some(3),
        disposal_limit: None,
        retired: false,
    })];
    golden(
        &Event::Policy(PolicyEvent::Defined { entries }),
        r#"{"entries":[{"kind":"class","code":"P03-07","class_kind":"part","zh":"名","en":"Name","key":false,"disposal_limit":null,"main_zh":"名","main_en":"Name","base_weight":3}]}"#,
    );
}

#[test]
fn catalogue_defined_with_short_names() {
    let short = |zh: &str, en: &str| Some(Name { zh: zh.to_owned(), en: en.to_owned() });
    let entries = vec![
        Entry::Area(Area {
            code: area("530112"),
            level: AreaLevel::District,
            parent: Some(area("5301")),
            name: name(),
            short: short("西山", "Xishan"),
            retired: false,
        }),
        Entry::Class(Class {
            code: "P03-07".parse().unwrap(),
            kind: ClassKind::Part,
            name: name(),
            short: short("路灯", ""),
            key: false,
            main: None,
            base_weight: None,
            disposal_limit: None,
            retired: false,
        }),
        Entry::Department(Department {
            code: department(),
            name: name(),
            short: short("水务", ""),
            retired: false,
        }),
    ];
    golden(
        &Event::Policy(PolicyEvent::Defined { entries }),
        r#"{"entries":[{"kind":"area","code":"530112","level":"district","parent":"5301","zh":"名","en":"Name","short_zh":"西山","short_en":"Xishan"},{"kind":"class","code":"P03-07","class_kind":"part","zh":"名","en":"Name","key":false,"disposal_limit":null,"short_zh":"路灯","short_en":""},{"kind":"department","code":"shuiwu","zh":"名","en":"Name","short_zh":"水务","short_en":""}]}"#,
    );
}

#[test]
fn deadlines_and_days() {
    let event =
        |alarm, of, subject| Event::Deadline(DeadlineEvent { alarm, of, subject, due: UtcMillis(3_000) });
    let case = || Subject::Case(CASE);
    golden(&event(Alarm::Nearing, ClockOf::Dispatch, case()), r#"{"of":"dispatch","case":7,"due_ms":3000}"#);
    golden(
        &event(Alarm::Due, ClockOf::Milestone(2), case()),
        r#"{"of":"milestone_2","case":7,"due_ms":3000}"#,
    );
    let called = Subject::Whistle(WhistleId(3), department());
    golden(
        &event(Alarm::Due, ClockOf::Response, called),
        r#"{"of":"response","whistle":3,"department":"shuiwu","due_ms":3000}"#,
    );
    let date = Date::new(2026, 11, 21).unwrap();
    golden(&Event::Hall(HallEvent::DayTurned { date }), r#"{"date":"2026-11-21"}"#);
}

#[test]
fn a_step_s_event_is_stored_under_the_word_of_its_row() {
    let words: Vec<&str> = domain::case::STEPS.iter().map(|row| row.event).collect();
    assert_eq!(
        words,
        [
            "case_accepted",
            "case_filed",
            "case_dispatched",
            "disposal_finished",
            "feedback_given",
            "check_passed",
            "case_closed",
            "case_returned",
            "check_failed",
            "case_refused",
            "filing_declined",
            "case_voided",
            "closing_forced",
            "case_closed_specially",
            "case_closed_as_faulty",
            "extension_asked",
            "extension_granted",
            "extension_refused",
            "suspension_asked",
            "suspension_granted",
            "suspension_refused",
            "disposal_resumed"
        ]
    );
}

#[test]
fn case_replanned() {
    let anew = |of, phase, provisional| Replanned {
        of,
        was: UtcMillis(1),
        nearing: UtcMillis(2),
        due: UtcMillis(3),
        phase,
        provisional,
    };
    let clocks = vec![
        anew(ClockOf::Milestone(1), Phase::Nearing, true),
        anew(ClockOf::Disposal, Phase::Running, false),
    ];
    let json = r#"{"case":7,"planned":2,"replanned":[{"of":"milestone_1","was_ms":1,"nearing_ms":2,"due_ms":3,"phase":"nearing","provisional":true},{"of":"disposal","was_ms":1,"nearing_ms":2,"due_ms":3,"phase":"running"}]}"#;
    golden(&of_case(CaseEvent::Replanned { planned: 2, clocks }), json);
}

#[test]
fn file_attached() {
    let photo = AttachedFile {
        hash: FileHash([0xab; 32]),
        name: "井盖 1.jpg".to_owned(),
        kind: FileKind::PhotoBefore,
        media: Media::Jpeg,
        bytes: 812_345,
        taken: Some(UtcMillis(1_795_226_400_000)),
        place: Point::from_e6(25_040_000, 102_720_000),
    };
    let hash = photo.hash;
    let json = format!(
        r#"{{"case":7,"hash":"{hash}","name":"井盖 1.jpg","kind":"photo_before","media":"jpeg","bytes":812345,"taken_ms":1795226400000,"lat_e6":25040000,"lon_e6":102720000}}"#
    );
    golden(&of_case(CaseEvent::FileAttached(photo.clone())), &json);
    for (kind, media, words) in [
        (FileKind::PhotoAfter, Media::Jpeg, r#""photo_after","media":"jpeg""#),
        (FileKind::Document, Media::Pdf, r#""document","media":"pdf""#),
        (FileKind::Document, Media::Docx, r#""document","media":"docx""#),
        (FileKind::Document, Media::Xlsx, r#""document","media":"xlsx""#),
    ] {
        let bare = AttachedFile { kind, media, taken: None, place: None, ..photo.clone() };
        let json =
            format!(r#"{{"case":7,"hash":"{hash}","name":"井盖 1.jpg","kind":{words},"bytes":812345}}"#);
        golden(&of_case(CaseEvent::FileAttached(bare)), &json);
    }
    let shouted = json.replace("abab", "ABAB");
    let error = decode(2, "file_attached", &shouted, &NoBodies).unwrap_err().to_string();
    assert!(error.contains("`hash`"), "{error}");
}

#[test]
fn case_moved() {
    let area_path = vec![area("530103001"), area("5301")];
    let json = r#"{"case":7,"area_path":["530103001","5301"]}"#;
    golden(&of_case(CaseEvent::Moved { area_path }), json);
}

/// The body is found by its hash; without it the event cannot be read, and says so.
#[test]
fn policy_adopted() {
    struct One(crate::log::Blob);
    impl Bodies for One {
        fn body(&self, hash: &crate::log::Hash) -> Result<Option<Vec<u8>>, crate::log::LogError> {
            Ok((*hash == self.0.hash).then(|| self.0.bytes.clone()))
        }
    }
    let policy: Policy = toml::from_str(include_str!("../../../../config/policy.toml")).unwrap();
    let (body, hash) = policy::body(&policy);
    let changed = Changed { added: 1, altered: 2, retired: 3, calendar: true, figures: false };
    let adopted = Adopted { version: 4, hash, changed, policy: Arc::new(policy) };
    let event = Event::Policy(PolicyEvent::Adopted(adopted));
    let json =
        format!(r#"{{"version":4,"hash":"{hash}","added":1,"altered":2,"retired":3,"calendar":true}}"#);
    let recorded = Recorded { seq: 5, at: UtcMillis(9), by: By::timer(), event };
    let row = row(&recorded, None, None);
    assert_eq!((row.name.as_str(), row.body.as_str()), ("policy_adopted", json.as_str()));
    assert_eq!(super::super::recorded(&row, &One(body)).unwrap(), recorded);
    let error = super::super::recorded(&row, &NoBodies).unwrap_err().to_string();
    assert!(error.contains(&hash.to_string()), "{error}");
}

/// What the list holds is nowhere in the event: neither in the row nor in what readers of the API get.
#[test]
fn cameras_adopted() {
    let counts = CameraCounts { cameras: 6, new: 1, gone: 2, readdressed: 3, moved: 4, renamed: 5 };
    let hash = ListHash([0xab; 32]);
    let json = format!(
        r#"{{"version":3,"hash":"{hash}","cameras":6,"new":1,"gone":2,"readdressed":3,"moved":4,"renamed":5}}"#
    );
    golden(&Event::Hall(HallEvent::CamerasAdopted(CamerasAdopted { version: 3, hash, counts })), &json);
    let cut = json.replace("abab", "xyxy");
    let error = decode(2, "cameras_adopted", &cut, &NoBodies).unwrap_err().to_string();
    assert!(error.contains("`hash`"), "{error}");
}
