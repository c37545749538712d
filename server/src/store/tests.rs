//! Golden bytes of what is stored in the domain's own shape. When one of these fails, the domain's types have changed:
//! raise the version named beside it, so that older files are passed over or written anew, and take the new digest.

use domain::case::{CaseEvent, Priority, Report, Step, Stepped};
use domain::clock::{Clock, ClockOf, Phase};
use domain::code::{CaseId, WhistleId};
use domain::event::{By, Event, HallEvent, Recorded};
use domain::moment::{Date, UtcMillis};
use domain::place::Point;
use domain::policy::Policy;
use domain::state::{Changes, State};
use domain::whistle::{WhistleCall, WhistleEvent, WhistleLevel};
use sha2::{Digest, Sha256};

use super::projection;

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
classes = [{ code = "E01-10", kind = "event", name = { zh = "暴露垃圾" }, disposal_limit = { amount = 2, unit = "work_hour" } }]
sources = [{ code = "hotline", name = { zh = "热线" } }]
departments = [{ code = "shuiwu", name = { zh = "水务局" } }]
"#;
    toml::from_str(text).unwrap()
}

/// A state with one case at disposal, one open whistle, and what the last event of each changed.
fn state() -> (State, Changes, Changes) {
    let policy = policy();
    let mut state = State::new(&policy);
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
    let start = UtcMillis(1_795_226_400_000);
    let case = CaseId(1);
    let clock = |of, hours: i64| Clock {
        of,
        started: start,
        nearing: start,
        due: start.plus(hours * 3_600_000),
        limit: Some(policy.dispatch_limit),
        stopped: None,
        paused: Vec::new(),
        phase: Phase::Running,
        provisional: false,
        planned: 0,
    };
    let call = WhistleCall {
        level: WhistleLevel::District,
        area: "5301".parse().unwrap(),
        title: "占道".to_owned(),
        case: Some(case),
        called: vec!["shuiwu".parse().unwrap()],
    };
    let step = |step, department, started| {
        Event::Case(case, CaseEvent::Stepped(Stepped { step, note: String::new(), department, started }))
    };
    let entered = CaseEvent::Reported {
        number: "20261121-00001".to_owned(),
        report,
        area_path: area_path.clone(),
        seen: start,
    };
    let raised = WhistleEvent::Raised { call, area_path, due: start.plus(1_800_000) };
    let shuiwu = Some("shuiwu".parse().unwrap());
    let events = [
        Event::Hall(HallEvent::DayTurned { date: Date::new(2026, 11, 21).unwrap() }),
        Event::Case(case, entered),
        step(Step::ACCEPT, None, Vec::new()),
        step(Step::FILE, None, vec![clock(ClockOf::Dispatch, 4)]),
        step(Step::DISPATCH, shuiwu, vec![clock(ClockOf::Disposal, 8)]),
        Event::Whistle(WhistleId(1), raised),
    ];
    let mut changes = Vec::new();
    for (event, seq) in events.into_iter().zip(1..) {
        changes.push(state.apply(&Recorded { seq, at: start, by: By::named("tester"), event }));
    }
    let whistle = changes.pop().unwrap();
    (state, changes.pop().unwrap(), whistle)
}

fn digest<T: serde::Serialize>(of: &T) -> String {
    let digest = Sha256::digest(postcard::to_allocvec(of).unwrap());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// [`projection::PROJECTION`]
#[test]
fn bodies_keep_their_bytes() {
    let (_, case, whistle) = state();
    let digests = (digest(&case.case.unwrap()), digest(&whistle.whistle.unwrap()));
    assert_eq!(
        (projection::PROJECTION, digests.0.as_str(), digests.1.as_str()),
        (2, "45f2f2de36d7cb20", "1dfde6bf015bdd64")
    );
}
