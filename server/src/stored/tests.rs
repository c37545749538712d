//! Golden tests of form 1: one line per event, as the first version wrote it. A line here may never change.
//! Its steps' names are those of that version.

use domain::case::history::{History, KnownStep};
use domain::case::{CaseEvent, External, Priority, Report, Stage, Step, Stepped};
use domain::catalogue::{
    Area, AreaLevel, Class, ClassKind, Condition, Department, Entry, Milestone, Name, Source,
};
use domain::clock::{Alarm, Clock, ClockOf, Counts, Limit, LimitKind, Phase, Subject, Unit};
use domain::code::{AreaCode, CaseId, DepartmentCode, WhistleId};
use domain::event::{By, DeadlineEvent, Door, Event, HallEvent, PolicyEvent, Recorded};
use domain::moment::{Date, UtcMillis};
use domain::place::Point;
use domain::role::Role;
use domain::whistle::{WhistleCall, WhistleEvent, WhistleLevel};

use super::policy::NoBodies;
use super::{StoredError, decode, person, row};

use crate::log::EventRow;

mod second;
mod format;

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

fn clock(of: ClockOf) -> Clock {
    Clock {
        of,
        limit: Some(Limit::new(4, LimitKind::WORK_HOUR)),
        started: UtcMillis(1_000),
        nearing: UtcMillis(2_000),
        due: UtcMillis(3_000),
        stopped: None,
        paused: Vec::new(),
        extended: 0,
        phase: Phase::Running,
        provisional: false,
        planned: 0,
    }
}

fn of_case(event: CaseEvent) -> Event {
    Event::Case(CASE, event)
}

fn step(step: Step, note: &str, started: Vec<Clock>) -> Event {
    let department = (step == Step::DISPATCH).then(department);
    of_case(CaseEvent::Stepped(Stepped { step, note: note.to_owned(), department, started }))
}

fn name() -> Name {
    Name { zh: "名".to_owned(), en: "Name".to_owned() }
}

/// The row of the first version is read as this event, and says nothing of roles and doors.
fn golden(event: &Event, json: &str) {
    golden_named(event, event.name(), json);
}

fn golden_named(event: &Event, name: &str, json: &str) {
    assert_eq!(&decode(1, name, json, &NoBodies).unwrap(), event);
    let row = EventRow {
        seq: 5,
        at: 9,
        actor: "li".to_owned(),
        roles: String::new(),
        door: String::new(),
        key: vec![7; 16],
        name: name.to_owned(),
        form: 1,
        case: None,
        whistle: None,
        line: None,
        body: json.to_owned(),
        crc: 0,
        chain: None,
    };
    let recorded = super::recorded(&row, &NoBodies).unwrap();
    let mut event = event.clone();
    person::take(&mut event);
    assert_eq!((recorded.by, recorded.event), (By::named("li"), event), "and says nobody's name");
}

#[test]
fn case_reported() {
    let area_path = vec![area("530103001"), area("5301")];
    let number = "20261121-00042".to_owned();
    let event = of_case(CaseEvent::Reported { number, report: report(), area_path, seen: UtcMillis(500) });
    let json = format!(
        r#"{{"case":7,"number":"20261121-00042","report":{REPORT_JSON},"area_path":["530103001","5301"],"seen_ms":500}}"#
    );
    golden(&event, &json);
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
    let open = History::since(UtcMillis(1), Stage::Dispatch);
    let json = format!(
        r#"{{"case":7,"number":"20261121-00043","report":{BARE_JSON},"area_path":["5301"],"opened_ms":1,"stage":"dispatch","closed_ms":null,"due_ms":null,"dispatch_clock":{CLOCK_JSON}}}"#
    );
    golden(&taken(open, vec![clock(ClockOf::Dispatch)]), &json);
    let closed = History {
        opened: UtcMillis(1),
        stage: Stage::Close,
        closed: Some(UtcMillis(9)),
        due: Some(UtcMillis(8)),
        steps: Vec::new(),
    };
    let json = format!(
        r#"{{"case":7,"number":"20261121-00043","report":{BARE_JSON},"area_path":["5301"],"opened_ms":1,"stage":"close","closed_ms":9,"due_ms":8,"dispatch_clock":null}}"#
    );
    golden(&taken(closed, Vec::new()), &json);
    let disposed = History { due: Some(UtcMillis(8)), ..History::since(UtcMillis(1), Stage::Dispose) };
    let json = format!(
        r#"{{"case":7,"number":"20261121-00043","report":{BARE_JSON},"area_path":["5301"],"opened_ms":1,"stage":"dispose","closed_ms":null,"due_ms":8,"dispatch_clock":null}}"#
    );
    golden(&taken(disposed, vec![Clock::known(UtcMillis(1), UtcMillis(8))]), &json);
}

#[test]
fn case_accepted() {
    golden(&step(Step::ACCEPT, "", Vec::new()), r#"{"case":7}"#);
}

#[test]
fn case_claimed() {
    golden(&of_case(CaseEvent::Claimed), r#"{"case":7}"#);
}

#[test]
fn case_filed() {
    let event = step(Step::FILE, "", vec![clock(ClockOf::Dispatch)]);
    golden(&event, &format!(r#"{{"case":7,"dispatch_clock":{CLOCK_JSON}}}"#));
}

#[test]
fn case_dispatched() {
    let disposal = Clock { limit: None, phase: Phase::Overdue, ..clock(ClockOf::Disposal) };
    let event = step(Step::DISPATCH, "", vec![disposal]);
    golden(
        &event,
        r#"{"case":7,"department":"shuiwu","disposal_clock":{"started_ms":1000,"nearing_ms":2000,"due_ms":3000,"limit":null,"phase":"overdue"}}"#,
    );
}

#[test]
fn notes_of_a_case() {
    let json = r#"{"case":7,"note":"已清运\n两车"}"#;
    let note = "已清运\n两车";
    for (taken, name) in [
        (Step::DISPOSE, "disposal_finished"),
        (Step::FEEDBACK, "feedback_given"),
        (Step::CHECK, "check_passed"),
        (Step::CLOSE, "case_closed"),
    ] {
        golden_named(&step(taken, note, Vec::new()), name, json);
    }
    golden(&of_case(CaseEvent::Noted { text: note.to_owned() }), json);
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
    let raised = WhistleEvent::Raised { call, area_path, due: UtcMillis(1_800_000) };
    let event = Event::Whistle(WhistleId(3), raised);
    golden(
        &event,
        r#"{"whistle":3,"level":"street","area":"530103001","title":"夜市占道","case":7,"called":["shuiwu","jiaojing"],"area_path":["530103001","5301"],"due_ms":1800000}"#,
    );
}

#[test]
fn whistle_answered() {
    let event = Event::Whistle(WhistleId(3), WhistleEvent::Answered { department: department() });
    golden(&event, r#"{"whistle":3,"department":"shuiwu"}"#);
}

#[test]
fn whistle_closed() {
    let event = Event::Whistle(WhistleId(3), WhistleEvent::Closed { note: "了结".to_owned() });
    golden(&event, r#"{"whistle":3,"note":"了结"}"#);
}

#[test]
fn catalogue_defined() {
    let limit = Some(Limit::new(2, LimitKind::URGENT_DAY));
    let entries = vec![
        Entry::Area(Area {
            code: area("5301"),
            level: AreaLevel::City,
            parent: None,
            name: name(),
            short: None,
            retired: false,
        }),
        Entry::Area(Area {
            code: area("530103"),
            level: AreaLevel::District,
            parent: Some(area("5301")),
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
            disposal_limit: limit,
            short: None,
            retired: false,
        }),
        Entry::Source(Source { code: "hotline".parse().unwrap(), name: name(), retired: false }),
        Entry::Department(Department { code: department(), name: name(), short: None, retired: false }),
    ];
    golden(
        &Event::Policy(PolicyEvent::Defined { entries }),
        r#"{"entries":[{"kind":"area","code":"5301","level":"city","parent":null,"zh":"名","en":"Name"},{"kind":"area","code":"530103","level":"district","parent":"5301","zh":"名","en":"Name"},{"kind":"class","code":"P03-07","class_kind":"part","zh":"名","en":"Name","key":true,"disposal_limit":{"amount":2,"unit":"urgent_day"}},{"kind":"source","code":"hotline","zh":"名","en":"Name"},{"kind":"department","code":"shuiwu","zh":"名","en":"Name"}]}"#,
    );
}

#[test]
fn deadlines() {
    let event =
        |alarm, of, subject| Event::Deadline(DeadlineEvent { alarm, of, subject, due: UtcMillis(3_000) });
    let case = || Subject::Case(CASE);
    let dispatch = r#"{"of":"dispatch","case":7,"due_ms":3000}"#;
    golden(&event(Alarm::Nearing, ClockOf::Dispatch, case()), dispatch);
    golden(&event(Alarm::Due, ClockOf::Dispatch, case()), dispatch);
    golden(&event(Alarm::Due, ClockOf::Disposal, case()), r#"{"of":"disposal","case":7,"due_ms":3000}"#);
    let called = Subject::Whistle(WhistleId(3), department());
    golden(
        &event(Alarm::Due, ClockOf::Response, called),
        r#"{"of":"response","whistle":3,"department":"shuiwu","due_ms":3000}"#,
    );
}

#[test]
fn day_turned() {
    let date = Date::new(2026, 11, 21).unwrap();
    golden(&Event::Hall(HallEvent::DayTurned { date }), r#"{"date":"2026-11-21"}"#);
}

#[test]
fn what_this_version_does_not_know_is_named() {
    let words = |form, name: &str, body: &str| decode(form, name, body, &NoBodies).unwrap_err().to_string();
    assert!(words(3, "case_accepted", r#"{"case":7}"#).contains("form 3"));
    for form in [1, 2] {
        assert!(words(form, "case_lost", "{}").contains("`case_lost`"));
        assert!(words(form, "deadline_passed", r#"{"of":"lunch","due_ms":1}"#).contains("`lunch`"));
        assert!(matches!(
            decode(form, "case_accepted", r#"{"case":-1}"#, &NoBodies),
            Err(StoredError::Json(_))
        ));
    }
}
