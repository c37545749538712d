//! What a broken or hostile machine sends: times from anywhere, circles of areas, texts that flood or deceive.

use proptest::prelude::*;

use super::tests::{Desk, name, recount, report};
use super::*;
use crate::case::{CaseEvent, External, Report, Stage};
use crate::catalogue::{Area, AreaLevel, Class, ClassKind, ENTRIES_MAX, Entry, Source};
use crate::code::{AreaCode, ClassCode, SourceCode};
use crate::command::{Command, History};
use crate::event::{By, PolicyEvent};
use crate::moment::{DAY_MS, HOUR_MS};
use crate::place::{Bounds, Point};
use crate::rejection::Rejection;
use crate::tally::{Dimension, Period};
use crate::whistle::{WhistleCall, WhistleLevel};

fn field_of(result: Result<(), Rejection>) -> (&'static str, String) {
    let rejection = result.expect_err("must be refused");
    (rejection.code(), rejection.field().unwrap_or("").to_owned())
}

fn area(code: &str, level: AreaLevel, parent: &str) -> Entry {
    let parent = AreaCode::new(parent).ok();
    Entry::Area(Area {
        code: AreaCode::new(code).unwrap(),
        level,
        parent,
        name: name(code),
        short: None,
        retired: false,
    })
}

fn define(desk: &mut Desk, entries: Vec<Entry>) -> Result<(), Rejection> {
    desk.send(Command::DefineCatalogue { entries })
}

fn take_over(desk: &mut Desk, history: History) -> Result<(), Rejection> {
    desk.send(Command::TakeOverCase { report: report("530102", "E01"), history })
}

#[test]
fn times_beyond_the_possible_are_refused_by_field() {
    let mut desk = Desk::new();
    let good = History::since(desk.now.plus(-DAY_MS), Stage::Dispose);
    let year_0 = UtcMillis(-62_167_219_200_000);
    let far =
        [i64::MIN, -1_000_000_000_000_000_000, -1_000_000_000_000_000, year_0.0, -1, i64::MAX].map(UtcMillis);
    for at in far {
        let refused = |desk: &mut Desk, history| field_of(take_over(desk, history));
        assert_eq!(
            refused(&mut desk, History { opened: at, ..good.clone() }),
            ("impossible_time", "opened".into()),
            "{at:?}"
        );
        let closed = History { closed: Some(at), ..good.clone() };
        assert_eq!(refused(&mut desk, closed), ("impossible_time", "closed".into()), "{at:?}");
        let due = History { due: Some(at), ..good.clone() };
        assert_eq!(refused(&mut desk, due), ("impossible_time", "due".into()), "{at:?}");
        let seen = desk.send(Command::ReportCase { report: report("530102", "E01"), at: Some(at) });
        assert_eq!(field_of(seen), ("impossible_time", "at".into()), "{at:?}");
    }
    assert_eq!(
        field_of(take_over(&mut desk, History { due: Some(UtcMillis::END), ..good.clone() })).1,
        "due"
    );
    assert_eq!(UtcMillis::END.local(UtcOffset(0)).date.to_string(), "2200-01-01");
    for edge in [UtcMillis::EARLIEST, desk.now] {
        let due = Some(UtcMillis::END.plus(-1));
        take_over(&mut desk, History { opened: edge, due, ..good.clone() }).unwrap();
    }
}

#[test]
fn areas_in_a_circle_are_refused() {
    use AreaLevel::{Community, District, Grid, Street};
    let mut desk = Desk::new();
    define(&mut desk, vec![area("X1", District, "5301"), area("X2", Street, "X1")]).unwrap();
    for (entry, why) in [
        (area("X1", District, "X2"), "a circle of two"),
        (area("X1", Community, "X2"), "a circle of two, with levels that fit upwards"),
        (area("X1", Grid, "X1"), "itself"),
        (area("X3", Street, "X2"), "beside its parent's level"),
        (area("X3", District, "X2"), "above its parent's level"),
        (area("X1", Street, "530103"), "no longer above the street in it"),
    ] {
        assert_eq!(field_of(define(&mut desk, vec![entry])), ("out_of_range", "parent".into()), "{why}");
    }
    let both = vec![area("Y1", Street, "X1"), area("Y2", Community, "Y1"), area("Y1", Grid, "Y2")];
    assert_eq!(field_of(define(&mut desk, both)), ("out_of_range", "parent".into()), "within one command");
    assert_eq!(field_of(define(&mut desk, vec![area("Z", Street, "W")])), ("unknown_code", "parent".into()));
    // A district moves with what lies in it, and levels may be left out.
    define(&mut desk, vec![area("X2", Street, "530103"), area("X9", Grid, "5301")]).unwrap();
    desk.send(Command::ReportCase { report: report("X2", "E01"), at: None }).unwrap();
    assert_eq!(desk.state.cases[&CaseId(1)].area_path.len(), 3);
}

/// A log from before the check may hold a circle: a report in it has each area once, and the circle can be opened.
#[test]
fn a_circle_in_an_old_log_does_no_harm() {
    let mut desk = Desk::new();
    let circle = vec![area("X1", AreaLevel::District, "X2"), area("X2", AreaLevel::Street, "X1")];
    let event = Event::Policy(PolicyEvent::Defined { entries: circle });
    let recorded = Recorded { seq: desk.state.seq + 1, at: desk.now, by: By::named("old"), event };
    desk.state.apply(&recorded);
    desk.send(Command::ReportCase { report: report("X2", "E01"), at: None }).unwrap();
    let path: Vec<&str> = desk.state.cases[&CaseId(1)].area_path.iter().map(AreaCode::as_str).collect();
    assert_eq!(path, ["X2", "X1"]);
    define(&mut desk, vec![area("X1", AreaLevel::District, "5301")]).unwrap();
    assert_eq!(desk.state.catalogue.path(&AreaCode::new("X2").unwrap()).len(), 3);
}

#[test]
fn a_catalogue_has_an_end_and_readable_names() {
    let mut desk = Desk::new();
    let source = |code: String, name| {
        Entry::Source(Source { code: SourceCode::new(code).unwrap(), name, retired: false })
    };
    for bad in ["", "\u{200B}", "a\u{202E}b", "a\nb", &"x".repeat(301)] {
        let entry = source("s".into(), name(bad));
        assert_eq!(field_of(define(&mut desk, vec![entry])), ("out_of_range", "name".into()), "{bad:?}");
    }
    let limit = Some(crate::clock::Limit::new(0, crate::clock::LimitKind::URGENT_HOUR));
    let code = ClassCode::new("E99").unwrap();
    let class = Class {
        code,
        kind: ClassKind::Event,
        name: name("class"),
        key: false,
        main: None,
        base_weight: None,
        disposal_limit: limit,
        short: None,
        retired: false,
    };
    assert_eq!(field_of(define(&mut desk, vec![Entry::Class(class)])).1, "limit");
    let mut rounds = (0..ENTRIES_MAX / 10_000).map(|round| {
        let entries = (0..10_000).map(|one| source(format!("s{round}-{one}"), name("n"))).collect();
        define(&mut desk, entries)
    });
    assert!(rounds.by_ref().take(ENTRIES_MAX / 10_000 - 1).all(|round| round.is_ok()));
    assert_eq!(field_of(rounds.next().unwrap()), ("out_of_range", "entries".into()));
}

#[test]
fn texts_of_machines_are_bounded_field_by_field() {
    let mut desk = Desk::new();
    let external = |system: &str, id: &str| Some(External { system: system.into(), id: id.into() });
    let (flood, one) = ("x".repeat(3_900_000), report("530102", "E01"));
    let case = |change: &dyn Fn(&mut Report)| {
        let mut report = one.clone();
        change(&mut report);
        report
    };
    for text in [flood.as_str(), "a\0b", "a\u{2066}b", "\u{200B}\u{200D}"] {
        for (field, report) in [
            ("external.system", case(&|report| report.external = external(text, "1"))),
            ("external.id", case(&|report| report.external = external("nyc", text))),
            ("description", case(&|report| report.description = text.into())),
            ("address", case(&|report| report.address = text.into())),
            ("condition", case(&|report| report.condition = Some(text.into()))),
            ("reporter", case(&|report| report.reporter = Some(text.into()))),
        ] {
            let history = History::since(desk.now, Stage::File);
            let taken_over = desk.send(Command::TakeOverCase { report: report.clone(), history });
            assert_eq!(field_of(taken_over), ("out_of_range", field.into()));
            let reported = desk.send(Command::ReportCase { report, at: None });
            assert_eq!(field_of(reported), ("out_of_range", field.into()));
        }
        desk.send(Command::ReportCase { report: one.clone(), at: None }).unwrap();
        let case = *desk.state.cases.keys().next_back().unwrap();
        assert_eq!(field_of(desk.send(Command::NoteCase { case, text: text.into() })).1, "text");
        let call = WhistleCall {
            level: WhistleLevel::Street,
            area: AreaCode::new("530102").unwrap(),
            title: text.into(),
            case: None,
            called: vec![crate::code::DepartmentCode::new("urban").unwrap()],
        };
        assert_eq!(field_of(desk.send(Command::RaiseWhistle { call })).1, "title");
    }
    let empty = case(&|report| report.external = external("", "1"));
    assert_eq!(field_of(desk.send(Command::ReportCase { report: empty, at: None })).1, "external.system");
}

#[test]
fn off_the_map_a_report_is_refused_and_a_taken_over_case_loses_its_position() {
    let mut desk = Desk::new();
    let bounds = Some(Bounds { south: 24.0, west: 102.0, north: 26.0, east: 103.0 });
    desk.adopt(&crate::policy::Policy { bounds, ..desk.policy.clone() }).unwrap();
    let mut new_york = report("530102", "E01");
    new_york.place = Point::from_degrees(40.7, -74.0);
    let refused = desk.send(Command::ReportCase { report: new_york.clone(), at: None });
    assert_eq!(field_of(refused), ("out_of_range", "place".into()));
    let history = History::since(desk.now, Stage::File);
    desk.send(Command::TakeOverCase { report: new_york, history: history.clone() }).unwrap();
    let mut kunming = report("530102", "E01");
    kunming.place = Point::from_degrees(25.0, 102.7);
    desk.send(Command::TakeOverCase { report: kunming.clone(), history }).unwrap();
    let places: Vec<_> = desk.state.cases.values().map(|case| case.report.place).collect();
    assert_eq!(places, [None, kunming.place]);
}

/// Times near the edges of what is possible and of what a number holds, and any other.
fn time() -> impl Strategy<Value = i64> {
    let near = |at: i64| (-2_i64..=2).prop_map(move |by| at.saturating_add(by));
    prop_oneof![
        any::<i64>(),
        near(i64::MIN),
        near(i64::MAX),
        near(0),
        near(UtcMillis::END.0),
        (-100_i64..100).prop_map(|hours| super::tests::START.0 + hours * HOUR_MS),
        0..UtcMillis::END.0,
    ]
}

proptest! {
    // Cheap, and the times are many: twice as often as others.
    #![proptest_config(ProptestConfig { cases: 2 * ProptestConfig::default().cases, ..ProptestConfig::default() })]

    /// Method: cases are reported and taken over with any number in any of their times, then time passes; whatever was
    /// taken, tallies equal a recount, the log rebuilds the state, and a snapshot of it can be read.
    #[test]
    fn no_time_whatever_breaks_the_count(
        times in proptest::collection::vec((time(), time(), time(), 0..7_usize, 0..8_u8), 1..12),
        minutes in 0..100_000_i64,
    ) {
        let mut desk = Desk::new();
        for (opened, closed, due, stage, which) in times {
            let some = |bit: u8, at: i64| (which & bit != 0).then_some(UtcMillis(at));
            let history = History {
                opened: UtcMillis(opened),
                stage: Stage::ALL[stage],
                closed: some(1, closed),
                due: some(2, due),
                steps: Vec::new(),
            };
            let _ = take_over(&mut desk, history);
            let _ = desk.send(Command::ReportCase { report: report("530103", "P01"), at: some(4, opened) });
        }
        desk.pass(minutes * 60_000);
        let mut kept = std::collections::BTreeMap::new();
        for (key, value) in desk.state.tally.iter() {
            prop_assert!(value.cases > 0, "{key} is {value:?}");
            if key.dimension == Dimension::City && key.period == Period::Now {
                kept.insert(key.measure.key(), value);
            }
        }
        prop_assert_eq!(&kept, &recount(&desk.state, desk.now));
        let mut rebuilt = State::new(&desk.policy);
        for recorded in &desk.log {
            rebuilt.apply(recorded);
        }
        prop_assert_eq!(&rebuilt, &desk.state);
        let kept = State::from(Kept::from(rebuilt));
        prop_assert_eq!(&kept, &desk.state, "a snapshot can be read");
    }

    /// Method: an event of an old log with any times is applied as it stands; nothing panics and its snapshot can be read.
    #[test]
    fn an_old_log_with_any_times_can_be_replayed(opened in time(), closed in time(), due in time(), open in any::<bool>()) {
        let mut desk = Desk::new();
        let history = History {
            opened: UtcMillis(opened),
            stage: Stage::Dispose,
            closed: (!open).then_some(UtcMillis(closed)),
            due: Some(UtcMillis(due)),
            steps: Vec::new(),
        };
        let entered = CaseEvent::TakenOver {
            number: "1".into(),
            report: report("530102", "E01"),
            area_path: vec![AreaCode::new("530102").unwrap()],
            history,
            started: vec![crate::clock::Clock::known(UtcMillis(opened), UtcMillis(due))],
        };
        let event = Event::Case(CaseId(1), entered);
        desk.state.apply(&Recorded { seq: desk.state.seq + 1, at: desk.now, by: By::named("old"), event });
        desk.pass(HOUR_MS);
        let kept = State::from(Kept::from(desk.state.clone()));
        prop_assert_eq!(&kept, &desk.state);
    }
}
