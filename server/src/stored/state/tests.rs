//! Golden lines of what a snapshot keeps, and what becomes of a snapshot that an earlier build has written.

use domain::adoption::{CameraCounts, ListHash};
use domain::case::{CaseEvent, Priority, Report, Step, Stepped};
use domain::clock::Subject;
use domain::clock::{Alarm, Clock, ClockOf, Counts, Limit, Phase, Unit};
use domain::code::{CaseId, WhistleId};
use domain::event::{By, DeadlineEvent, Event, HallEvent, Recorded};
use domain::moment::{Date, UtcMillis};
use domain::place::Point;
use domain::policy::Policy;
use domain::whistle::{WhistleCall, WhistleEvent, WhistleLevel};

use super::*;
use crate::stored::policy::NoBodies;

const START: UtcMillis = UtcMillis(1_795_226_400_000);

fn policy() -> Policy {
    let text = r#"
stated_source = "test"
centre = { zh = "中心" }
dispatch_limit = { amount = 4, unit = "urgent_hour" }
disposal_limit = { amount = 1, unit = "work_day" }
whistle_response_minutes = 30
forecast_minutes = 30
lamp_yellow_percent = 80
position_stale_seconds = 60
clock_skew_seconds = 300
backdate_days = 30
areas = [{ code = "5301", level = "city", name = { zh = "昆明市" } }]
classes = [{ code = "E01-10", kind = "event", name = { zh = "暴露垃圾" } }]
sources = [{ code = "hotline", name = { zh = "热线" } }]
departments = [{ code = "shuiwu", name = { zh = "水务局" } }]
"#;
    toml::from_str(text).unwrap()
}

fn clock(of: ClockOf, hours: i64) -> Clock {
    Clock {
        of,
        limit: Some(Limit { amount: 4, unit: Unit::Hour, counts: Counts::Through }),
        started: START,
        nearing: START.plus(hours * 3_000_000),
        due: START.plus(hours * 3_600_000),
        stopped: None,
        paused: Vec::new(),
        extended: 0,
        phase: Phase::Running,
        provisional: false,
        planned: 0,
    }
}

fn stepped(step: Step, started: Vec<Clock>) -> CaseEvent {
    let department = (step == Step::DISPATCH).then(|| "shuiwu".parse().unwrap());
    CaseEvent::Stepped(Stepped { step, note: String::new(), department, started })
}

/// A day with one case at disposal whose clock is nearing its end, and one open whistle.
fn events() -> Vec<Recorded> {
    let area_path = vec!["5301".parse().unwrap()];
    let report = Report {
        source: "hotline".parse().unwrap(),
        class: "E01-10".parse().unwrap(),
        area: "5301".parse().unwrap(),
        condition: Some("大量".to_owned()),
        address: "拓东路".to_owned(),
        description: "无".to_owned(),
        place: Point::from_e6(25_040_000, 102_720_000),
        priority: Priority::First,
        base_count: 2,
        reporter: None,
        external: None,
    };
    let case = CaseId(1);
    let call = WhistleCall {
        level: WhistleLevel::District,
        area: "5301".parse().unwrap(),
        title: "占道".to_owned(),
        case: Some(case),
        called: vec!["shuiwu".parse().unwrap()],
    };
    let nearing = DeadlineEvent {
        alarm: Alarm::Nearing,
        of: ClockOf::Disposal,
        subject: Subject::Case(case),
        due: START.plus(8 * 3_600_000),
    };
    let number = "20261121-00001".to_owned();
    let events = [
        Event::Hall(HallEvent::DayTurned { date: Date::new(2026, 11, 21).unwrap() }),
        Event::Case(case, CaseEvent::Reported { number, report, area_path: area_path.clone(), seen: START }),
        Event::Case(case, stepped(Step::ACCEPT, Vec::new())),
        Event::Case(case, stepped(Step::FILE, vec![clock(ClockOf::Dispatch, 4)])),
        Event::Case(case, stepped(Step::DISPATCH, vec![clock(ClockOf::Disposal, 8)])),
        Event::Case(case, CaseEvent::Claimed),
        Event::Whistle(WhistleId(1), WhistleEvent::Raised { call, area_path, due: START.plus(1_800_000) }),
        Event::Deadline(nearing),
    ];
    let by = By::named("tester");
    events
        .into_iter()
        .zip(1..)
        .map(|(event, seq)| Recorded { seq, at: START, by: by.clone(), event })
        .collect()
}

fn state() -> State {
    let mut state = State::new(&policy());
    for recorded in events() {
        state.apply(&recorded);
    }
    state
}

/// The state of a container whose policy is the one its log began with.
fn read_back(container: &Container, sections: &[Known]) -> Result<Loaded, Unusable> {
    let genesis = Genesis::of(&policy());
    decode(container, sections, Policies { genesis: &genesis, bodies: &NoBodies })
}

/// The events of a case as the log gives them.
fn of_case(id: CaseId) -> Result<Vec<Recorded>, ()> {
    Ok(events().into_iter().filter(|recorded| recorded.event.case() == Some(id)).collect())
}

fn text<'a>(container: &'a Container, name: &str) -> &'a str {
    std::str::from_utf8(&container.section(name).unwrap().bytes).unwrap()
}

#[test]
fn a_state_comes_back_as_it_was() {
    let container = encode(7, &state());
    let bytes = container.encode();
    let read = Container::decode(&bytes, &known(&SECTIONS)).unwrap();
    let loaded = read_back(&read, &SECTIONS).unwrap();
    assert_eq!(loaded.guessed, Guessed::default());
    assert_eq!(loaded.state, state());
}

/// Golden: a line here may never change. A field that is added has a default, raises the form of its section, and when that
/// default is a guess its `exact` too.
#[test]
fn sections_keep_their_lines() {
    let container = encode(7, &state());
    assert_eq!(text(&container, COUNTS), GOLDEN_COUNTS);
    assert_eq!(text(&container, CASES), GOLDEN_CASES);
    assert_eq!(text(&container, WHISTLES), GOLDEN_WHISTLES);
    assert_eq!(text(&container, DEADLINES), GOLDEN_DEADLINES);
    assert_eq!(text(&container, CATALOGUE).lines().next().unwrap(), GOLDEN_AREA);
    assert_eq!(text(&container, POLICY), "{\"version\":0}\n");
    assert_eq!(text(&container, CAMERAS), "", "none was adopted");
    assert!(text(&container, TALLY).contains("\nopen|area:5301|now 1 2\n"), "{}", text(&container, TALLY));
    let forms: Vec<u32> = SECTIONS.iter().map(|known| known.form).collect();
    assert_eq!(forms, [1, 2, 3, 1, 2, 2, 1, 2, 1]);
}

const GOLDEN_COUNTS: &str = concat!(
    r#"{"seq":8,"today":"2026-11-21","offset_minutes":480,"last_case":1,"last_whistle":1,"numbers_of_days":{"2026-11-21":1},"turns":["2026-11-21"]}"#,
    "\n",
);
const GOLDEN_CASES: &str = concat!(
    r#"{"id":1,"number":"20261121-00001","report":{"source":"hotline","class":"E01-10","area":"5301","condition":"大量","address":"拓东路","description":"无","lat_e6":25040000,"lon_e6":102720000,"priority":"first","base_count":2,"reporter":null,"external_system":null,"external_id":null},"area_path":["5301"],"stage":"dispose","reported_ms":1795226400000,"stage_since_ms":1795226400000,"filed_ms":1795226400000,"dispatched_ms":1795226400000,"clocks":[{"began":{"of":"dispatch","started_ms":1795226400000,"nearing_ms":1795238400000,"due_ms":1795240800000,"limit":{"amount":4,"unit":"hour","counts":"through"}},"phase":"running","stopped_ms":1795226400000},{"began":{"of":"disposal","started_ms":1795226400000,"nearing_ms":1795250400000,"due_ms":1795255200000,"limit":{"amount":4,"unit":"hour","counts":"through"}},"phase":"nearing"}],"steps":[{"step":"accept","at_ms":1795226400000,"by":"tester","round":1,"seq":3},{"step":"file","at_ms":1795226400000,"by":"tester","round":1,"seq":4},{"step":"dispatch","at_ms":1795226400000,"by":"tester","department":"shuiwu","round":1,"seq":5}],"round":1,"department":"shuiwu","claimed_by":"tester","version":8}"#,
    "\n",
);
const GOLDEN_WHISTLES: &str = concat!(
    r#"{"id":1,"level":"district","area":"5301","title":"占道","case":1,"area_path":["5301"],"raised_ms":1795226400000,"due_ms":1795228200000,"called":[{"department":"shuiwu"}],"version":7}"#,
    "\n",
);
const GOLDEN_DEADLINES: &str = concat!(
    r#"{"at_ms":1795228200000,"alarm":"due","of":"response","whistle":1,"department":"shuiwu"}"#,
    "\n",
    r#"{"at_ms":1795255200000,"alarm":"due","of":"disposal","case":1}"#,
    "\n",
);
const GOLDEN_AREA: &str =
    r#"{"kind":"area","code":"5301","level":"city","parent":null,"zh":"昆明市","en":""}"#;

/// As a build has it that added a field to cases whose default is a guess.
fn sections_with_a_guess() -> [Known; SECTIONS.len()] {
    SECTIONS.map(|known| match known.name {
        CASES => Known { form: known.form + 1, exact: known.form + 1, ..known },
        _ => known,
    })
}

/// Method: the stored rows lose what a later build added, as if an earlier one had written them, and that is not what the
/// default says.
#[test]
fn a_default_that_is_a_guess_costs_folding_the_open_cases_and_no_replay() {
    let mut container = encode(7, &state());
    let cases = container.sections.iter_mut().find(|section| section.name == CASES).unwrap();
    let mut row: serde_json::Value = serde_json::from_slice(&cases.bytes).unwrap();
    row.as_object_mut().unwrap().remove("claimed_by").expect("the added field");
    cases.bytes = format!("{row}\n").into_bytes();
    let sections = sections_with_a_guess();
    let loaded = read_back(&container, &sections).unwrap();
    assert_eq!(loaded.guessed, Guessed { cases: true, ..Guessed::default() });
    assert_ne!(loaded.state, state(), "the default is wrong for the open case");
    assert_eq!(refolded(loaded, of_case).unwrap(), state(), "its own events put it right");
    let exact = read_back(&container, &SECTIONS).unwrap();
    assert_ne!(refolded(exact, of_case).unwrap(), state(), "without the word it would stay wrong");
}

#[test]
fn an_added_field_is_skipped_by_nobody_and_a_newer_form_is_passed_over() {
    let mut container = encode(7, &state());
    let cases = container.sections.iter_mut().find(|section| section.name == CASES).unwrap();
    cases.form += 1;
    let newer = Unusable::Newer { name: CASES.to_owned(), form: cases.form };
    let bytes = container.encode();
    assert_eq!(Container::decode(&bytes, &known(&SECTIONS)).unwrap_err(), newer);
    let read = Container::decode(&bytes, &known(&sections_with_a_guess())).unwrap();
    assert_eq!(read_back(&read, &sections_with_a_guess()).unwrap().guessed, Guessed::default());
}

#[test]
fn a_guess_that_no_case_tells_asks_for_a_replay() {
    let sections = SECTIONS.map(|known| match known.name {
        TALLY => Known { form: 3, exact: 3, ..known },
        _ => known,
    });
    let loaded = read_back(&encode(7, &state()), &sections).unwrap();
    assert_eq!(loaded.guessed, Guessed { tally: true, ..Guessed::default() });
}

#[test]
fn rows_that_are_no_rows_are_named() {
    for name in [COUNTS, CATALOGUE, CASES, WHISTLES, TALLY, DEADLINES] {
        let mut container = encode(7, &state());
        let section = container.sections.iter_mut().find(|section| section.name == name).unwrap();
        section.bytes = b"{\"what\":1}\n".to_vec();
        let error = read_back(&container, &SECTIONS).unwrap_err();
        assert!(matches!(&error, Unusable::Unreadable { name: said, .. } if said == name), "{name}: {error}");
        container.sections.retain(|section| section.name != name);
        assert_eq!(read_back(&container, &SECTIONS).unwrap_err(), Unusable::Lacks(name.to_owned()));
    }
}

/// As a build wrote it that did not count notes: in form 1, without the field.
#[test]
fn open_cases_of_a_build_that_did_not_count_notes_are_counted_from_their_own_events() {
    let mut noted = events();
    let (seq, event) = (noted.len() as u64 + 1, CaseEvent::Noted { text: "催办".to_owned() });
    let (event, by) = (Event::Case(CaseId(1), event), By::named("tester"));
    noted.push(Recorded { seq, at: START, by, event });
    let mut now = State::new(&policy());
    noted.iter().for_each(|recorded| drop(now.apply(recorded)));
    assert_eq!(now.cases[&CaseId(1)].notes, 1);

    let mut container = encode(7, &now);
    assert_eq!(read_back(&container, &SECTIONS).unwrap().state, now, "this build keeps the count");
    let cases = container.sections.iter_mut().find(|section| section.name == CASES).unwrap();
    let row = String::from_utf8(cases.bytes.clone()).unwrap();
    assert!(row.contains(r#""notes":1,"#), "{row}");
    (cases.form, cases.bytes) = (1, row.replace(r#""notes":1,"#, "").into_bytes());
    let loaded = read_back(&container, &SECTIONS).unwrap();
    assert_eq!(loaded.guessed, Guessed { cases: true, ..Guessed::default() });
    assert_eq!(loaded.state.cases[&CaseId(1)].notes, 0, "the default is a guess");
    let of_it = |id: CaseId| -> Result<Vec<Recorded>, ()> {
        Ok(noted.iter().filter(|one| one.event.case() == Some(id)).cloned().collect())
    };
    assert_eq!(refolded(loaded, of_it).unwrap(), now);
}

#[test]
fn the_list_of_cameras_in_force_comes_back_and_a_snapshot_of_before_has_none() {
    let mut now = state();
    let (hash, counts) =
        (ListHash([0xab; 32]), CameraCounts { cameras: 2, new: 2, ..CameraCounts::default() });
    let event = now.adopting_cameras(hash, counts, None).unwrap().unwrap();
    now.apply(&Recorded { seq: now.seq + 1, at: START, by: By::named("zhou"), event });
    let mut container = encode(7, &now);
    let line = format!("{{\"version\":1,\"hash\":\"{hash}\",\"by\":\"zhou\",\"at_ms\":{}}}\n", START.0);
    assert_eq!(text(&container, CAMERAS), line);
    let read = Container::decode(&container.encode(), &known(&SECTIONS)).unwrap();
    assert_eq!(read_back(&read, &SECTIONS).unwrap().state, now);
    container.sections.retain(|section| section.name != CAMERAS);
    let before = read_back(&container, &SECTIONS).unwrap();
    assert_eq!((before.state.cameras(), before.guessed), (None, Guessed::default()));
}
