//! Golden tests of the stored forms: one line per event. A line here may never change; a new form gets lines of its
//! own.

use domain::calendar::{Limit, LimitUnit};
use domain::case::{Clock, External, Phase, Priority, Report, Stage};
use domain::catalogue::{Area, AreaLevel, Class, ClassKind, Department, Entry, Name, Source};
use domain::code::{AreaCode, CaseId, DepartmentCode, WhistleId};
use domain::command::{DeadlineOf, Event, History};
use domain::moment::{Date, UtcMillis};
use domain::place::Point;
use domain::whistle::{WhistleCall, WhistleLevel};

use super::{FORM, StoredError, decode, encode};

const CASE: CaseId = CaseId(7);
const REPORT_JSON: &str = r#"{"source":"hotline","class":"P03-07","area":"530103001","condition":"缺失","address":"拓东路 1 号","description":"箅子\"缺失\"","lat_e6":25040000,"lon_e6":102720000,"priority":"second","base_count":3,"reporter":"张三","external_system":"nyc311","external_id":"39573567"}"#;
const BARE_JSON: &str = r#"{"source":"inspector","class":"E01-10","area":"5301","condition":null,"address":"","description":"","lat_e6":null,"lon_e6":null,"priority":"ordinary","base_count":1,"reporter":null,"external_system":null,"external_id":null}"#;
const CLOCK_JSON: &str = r#"{"started_ms":1000,"nearing_ms":2000,"due_ms":3000,"limit":{"amount":4,"unit":"work_hour"},"phase":"running"}"#;

fn report() -> Report {
    Report {
        source: "hotline".parse().unwrap(),
        class: "P03-07".parse().unwrap(),
        area: area("530103001"),
        condition: Some("缺失".to_owned()),
        address: "拓东路 1 号".to_owned(),
        description: "箅子\"缺失\"".to_owned(),
        place: Point::from_e6(25_040_000, 102_720_000),
        priority: Priority::Second,
        base_count: 3,
        reporter: Some("张三".to_owned()),
        external: Some(External { system: "nyc311".to_owned(), id: "39573567".to_owned() }),
    }
}

fn bare() -> Report {
    Report {
        source: "inspector".parse().unwrap(),
        class: "E01-10".parse().unwrap(),
        area: area("5301"),
        condition: None,
        address: String::new(),
        description: String::new(),
        place: None,
        priority: Priority::Ordinary,
        base_count: 1,
        reporter: None,
        external: None,
    }
}

fn area(code: &str) -> AreaCode {
    code.parse().unwrap()
}

fn department() -> DepartmentCode {
    "shuiwu".parse().unwrap()
}

fn clock() -> Clock {
    Clock {
        started: UtcMillis(1_000),
        nearing: UtcMillis(2_000),
        due: UtcMillis(3_000),
        limit: Some(Limit { amount: 4, unit: LimitUnit::WorkHour }),
        phase: Phase::Running,
    }
}

fn name() -> Name {
    Name { zh: "名".to_owned(), en: "Name".to_owned() }
}

/// The event is stored as exactly this, and read back as itself.
fn golden(event: &Event, json: &str) {
    assert_eq!(encode(event), json, "{}", event.name());
    assert_eq!(&decode(FORM, event.name(), json).unwrap(), event);
}

#[test]
fn case_reported() {
    let area_path = vec![area("530103001"), area("5301")];
    let number = "20261121-00042".to_owned();
    let event = Event::CaseReported { case: CASE, number, report: report(), area_path, seen: UtcMillis(500) };
    let json = format!(
        r#"{{"case":7,"number":"20261121-00042","report":{REPORT_JSON},"area_path":["530103001","5301"],"seen_ms":500}}"#
    );
    golden(&event, &json);
}

#[test]
fn case_taken_over() {
    let taken = |history, dispatch_clock| Event::CaseTakenOver {
        case: CASE,
        number: "20261121-00043".to_owned(),
        report: bare(),
        area_path: vec![area("5301")],
        history,
        dispatch_clock,
    };
    let open = History { opened: UtcMillis(1), stage: Stage::Dispatch, closed: None, due: None };
    let json = format!(
        r#"{{"case":7,"number":"20261121-00043","report":{BARE_JSON},"area_path":["5301"],"opened_ms":1,"stage":"dispatch","closed_ms":null,"due_ms":null,"dispatch_clock":{CLOCK_JSON}}}"#
    );
    golden(&taken(open, Some(clock())), &json);
    let closed = History {
        opened: UtcMillis(1),
        stage: Stage::Close,
        closed: Some(UtcMillis(9)),
        due: Some(UtcMillis(8)),
    };
    let json = format!(
        r#"{{"case":7,"number":"20261121-00043","report":{BARE_JSON},"area_path":["5301"],"opened_ms":1,"stage":"close","closed_ms":9,"due_ms":8,"dispatch_clock":null}}"#
    );
    golden(&taken(closed, None), &json);
}

#[test]
fn case_accepted() {
    golden(&Event::CaseAccepted { case: CASE }, r#"{"case":7}"#);
}

#[test]
fn case_claimed() {
    golden(&Event::CaseClaimed { case: CASE }, r#"{"case":7}"#);
}

#[test]
fn case_filed() {
    let event = Event::CaseFiled { case: CASE, dispatch_clock: clock() };
    golden(&event, &format!(r#"{{"case":7,"dispatch_clock":{CLOCK_JSON}}}"#));
}

#[test]
fn case_dispatched() {
    let disposal_clock = Clock { limit: None, phase: Phase::Overdue, ..clock() };
    let event = Event::CaseDispatched { case: CASE, department: department(), disposal_clock };
    golden(
        &event,
        r#"{"case":7,"department":"shuiwu","disposal_clock":{"started_ms":1000,"nearing_ms":2000,"due_ms":3000,"limit":null,"phase":"overdue"}}"#,
    );
}

#[test]
fn notes_of_a_case() {
    let json = r#"{"case":7,"note":"已清运\n两车"}"#;
    let note = || "已清运\n两车".to_owned();
    golden(&Event::DisposalFinished { case: CASE, note: note() }, json);
    golden(&Event::FeedbackGiven { case: CASE, note: note() }, json);
    golden(&Event::CheckPassed { case: CASE, note: note() }, json);
    golden(&Event::CaseClosed { case: CASE, note: note() }, json);
    golden(&Event::CaseNoted { case: CASE, text: note() }, json);
}

#[test]
fn whistle_raised() {
    let call = WhistleCall {
        level: WhistleLevel::Street,
        area: area("530103001"),
        title: "夜市占道".to_owned(),
        case: Some(CASE),
        called: vec![department(), "jiaojing".parse().unwrap()],
    };
    let area_path = vec![area("530103001"), area("5301")];
    let event = Event::WhistleRaised { whistle: WhistleId(3), call, area_path, due: UtcMillis(1_800_000) };
    golden(
        &event,
        r#"{"whistle":3,"level":"street","area":"530103001","title":"夜市占道","case":7,"called":["shuiwu","jiaojing"],"area_path":["530103001","5301"],"due_ms":1800000}"#,
    );
}

#[test]
fn whistle_answered() {
    let event = Event::WhistleAnswered { whistle: WhistleId(3), department: department() };
    golden(&event, r#"{"whistle":3,"department":"shuiwu"}"#);
}

#[test]
fn whistle_closed() {
    let event = Event::WhistleClosed { whistle: WhistleId(3), note: "了结".to_owned() };
    golden(&event, r#"{"whistle":3,"note":"了结"}"#);
}

#[test]
fn catalogue_defined() {
    let limit = Some(Limit { amount: 2, unit: LimitUnit::UrgentDay });
    let entries = vec![
        Entry::Area(Area { code: area("5301"), level: AreaLevel::City, parent: None, name: name() }),
        Entry::Area(Area {
            code: area("530103"),
            level: AreaLevel::District,
            parent: Some(area("5301")),
            name: name(),
        }),
        Entry::Class(Class {
            code: "P03-07".parse().unwrap(),
            kind: ClassKind::Part,
            name: name(),
            key: true,
            disposal_limit: limit,
        }),
        Entry::Source(Source { code: "hotline".parse().unwrap(), name: name() }),
        Entry::Department(Department { code: department(), name: name() }),
    ];
    golden(
        &Event::CatalogueDefined { entries },
        r#"{"entries":[{"kind":"area","code":"5301","level":"city","parent":null,"zh":"名","en":"Name"},{"kind":"area","code":"530103","level":"district","parent":"5301","zh":"名","en":"Name"},{"kind":"class","code":"P03-07","class_kind":"part","zh":"名","en":"Name","key":true,"disposal_limit":{"amount":2,"unit":"urgent_day"}},{"kind":"source","code":"hotline","zh":"名","en":"Name"},{"kind":"department","code":"shuiwu","zh":"名","en":"Name"}]}"#,
    );
}

#[test]
fn deadlines() {
    let due = UtcMillis(3_000);
    let dispatch = r#"{"of":"dispatch","case":7,"due_ms":3000}"#;
    golden(&Event::DeadlineNearing { of: DeadlineOf::Dispatch(CASE), due }, dispatch);
    golden(&Event::DeadlinePassed { of: DeadlineOf::Dispatch(CASE), due }, dispatch);
    let disposal = Event::DeadlinePassed { of: DeadlineOf::Disposal(CASE), due };
    golden(&disposal, r#"{"of":"disposal","case":7,"due_ms":3000}"#);
    let response = DeadlineOf::Response(WhistleId(3), department());
    golden(
        &Event::DeadlinePassed { of: response, due },
        r#"{"of":"response","whistle":3,"department":"shuiwu","due_ms":3000}"#,
    );
}

#[test]
fn day_turned() {
    golden(&Event::DayTurned { date: Date::new(2026, 11, 21).unwrap() }, r#"{"date":"2026-11-21"}"#);
}

#[test]
fn what_this_version_does_not_know_is_named() {
    let words = |form, name: &str, body: &str| decode(form, name, body).unwrap_err().to_string();
    assert!(words(2, "case_accepted", r#"{"case":7}"#).contains("form 2"));
    assert!(words(FORM, "case_lost", "{}").contains("`case_lost`"));
    assert!(words(FORM, "deadline_passed", r#"{"of":"lunch","due_ms":1}"#).contains("`lunch`"));
    assert!(matches!(decode(FORM, "case_accepted", r#"{"case":-1}"#), Err(StoredError::Json(_))));
}
