//! Random commands: a restart changes nothing, and every tally equals its recount from the events.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use domain::case::{STEPS, Stage, Step};
use domain::catalogue::{Class, ClassKind, Entry, Name};
use domain::code::{CaseId, WhistleId};
use domain::command::{Command, KnownStep};
use domain::moment::{DAY_MS, Days, HOUR_MS, MINUTE_MS};
use domain::scope::Scope;
use domain::state::State;
use domain::tally::{Count, Dimension, Measure, Period, TallyKey};
use domain::whistle::{WhistleCall, WhistleLevel};
use proptest::prelude::*;
use server::events::Newest;
use server::lists::{CaseFilter, PhaseFilter};
use server::views::steps::Flow;
use server::writer::store::{Options, Store};
use server::writer::{Committed, Publisher};

use crate::city::{self, AREAS, CLASSES, DEPARTMENTS, SOURCES, TestClock, envelope};

/// Keeps the newest state it was told of.
pub struct Mirror(pub Arc<Mutex<Option<State>>>);

impl Publisher for Mirror {
    fn start(&mut self, _: u64, state: &State, _: Option<Newest>) {
        *self.0.lock().unwrap() = Some(state.clone());
    }

    fn publish(&mut self, state: &State, committed: &[Committed]) {
        assert_eq!(committed.last().map(|last| last.recorded.seq), Some(state.seq));
        *self.0.lock().unwrap() = Some(state.clone());
    }
}

/// One step of a random day. Numbers pick among what there is.
#[derive(Debug, Clone)]
enum Move {
    Report {
        area: usize,
        class: usize,
        source: usize,
        placed: bool,
        hours_ago: i64,
    },
    TakeOver {
        stage: usize,
        hours_ago: i64,
        closed: bool,
        due_in_hours: Option<i64>,
        known: usize,
    },
    /// The next step of the loop for one of the cases, right or wrong for its stage.
    Step {
        case: u64,
        to: usize,
    },
    Claim {
        case: u64,
    },
    Note {
        case: u64,
    },
    Raise {
        area: usize,
        called: usize,
        case: Option<u64>,
    },
    Respond {
        whistle: u64,
        department: usize,
    },
    CloseWhistle {
        whistle: u64,
    },
    Define {
        class: u8,
    },
    Pass {
        minutes: i64,
    },
}

fn one() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..5usize, 0..3usize, 0..2usize, any::<bool>(), 0..72i64)
            .prop_map(|(area, class, source, placed, hours_ago)| Move::Report { area, class, source, placed, hours_ago }),
        2 => (0..7usize, 0..1_000i64, any::<bool>(), proptest::option::of(-10..10i64), 0..6usize)
            .prop_map(|(stage, hours_ago, closed, due_in_hours, known)| {
                Move::TakeOver { stage, hours_ago, closed, due_in_hours, known }
            }),
        12 => (1..12u64, 0..7usize).prop_map(|(case, to)| Move::Step { case, to }),
        5 => (1..12u64, 7..STEPS.len()).prop_map(|(case, to)| Move::Step { case, to }),
        1 => (1..12u64).prop_map(|case| Move::Claim { case }),
        1 => (1..12u64).prop_map(|case| Move::Note { case }),
        1 => (0..5usize, 1..4usize, proptest::option::of(1..6u64))
            .prop_map(|(area, called, case)| Move::Raise { area, called, case }),
        1 => (1..4u64, 0..3usize).prop_map(|(whistle, department)| Move::Respond { whistle, department }),
        1 => (1..4u64).prop_map(|whistle| Move::CloseWhistle { whistle }),
        1 => (0..3u8).prop_map(|class| Move::Define { class }),
        3 => (1..2_000i64).prop_map(|minutes| Move::Pass { minutes }),
    ]
}

fn command(step: &Move, clock: &TestClock) -> Command {
    let now = clock.now();
    match step {
        Move::Report { area, class, source, placed, hours_ago } => {
            let mut report = city::report(AREAS[*area], CLASSES[*class], SOURCES[*source]);
            report.place = report.place.filter(|_| *placed);
            report.base_count = 1 + *class as u16;
            Command::ReportCase { report, at: Some(now.plus(-hours_ago * HOUR_MS)) }
        }
        Move::TakeOver { stage, hours_ago, closed, due_in_hours, known } => {
            let opened = now.plus(-hours_ago * HOUR_MS);
            let taken = city::take_over(Stage::ALL[*stage], opened, closed.then(|| opened.plus(MINUTE_MS)));
            match taken {
                Command::TakeOverCase { report, mut history } => {
                    history.due = due_in_hours.map(|hours| now.plus(hours * HOUR_MS));
                    let taken = Stage::ALL.into_iter().filter_map(Step::out_of).take((*known).min(*stage));
                    history.steps = taken.map(|step| KnownStep { step, at: opened }).collect();
                    Command::TakeOverCase { report, history }
                }
                other => other,
            }
        }
        Move::Step { case, to } => {
            let step = Step::all().nth(*to).unwrap();
            match step.asks_department() {
                true => step.take_for(CaseId(*case), DEPARTMENTS[0].parse().unwrap()),
                false => step.take_with(CaseId(*case), "理由"),
            }
        }
        Move::Claim { case } => Command::ClaimCase { case: CaseId(*case) },
        Move::Note { case } => Command::NoteCase { case: CaseId(*case), text: "看过".to_owned() },
        Move::Raise { area, called, case } => Command::RaiseWhistle {
            call: WhistleCall {
                level: WhistleLevel::Street,
                area: AREAS[*area].parse().unwrap(),
                title: "夜市占道".to_owned(),
                case: case.map(CaseId),
                called: DEPARTMENTS[..*called].iter().map(|code| code.parse().unwrap()).collect(),
            },
        },
        Move::Respond { whistle, department } => Command::RespondToWhistle {
            whistle: WhistleId(*whistle),
            department: DEPARTMENTS[*department].parse().unwrap(),
        },
        Move::CloseWhistle { whistle } => {
            Command::CloseWhistle { whistle: WhistleId(*whistle), note: String::new() }
        }
        Move::Define { class } => {
            let name = Name { zh: "新".to_owned(), en: String::new() };
            let code = format!("N{class}").parse().unwrap();
            let class = Class {
                code,
                kind: ClassKind::Event,
                name,
                key: false,
                main: None,
                base_weight: None,
                disposal_limit: None,
                short: None,
                retired: false,
            };
            Command::DefineCatalogue { entries: vec![Entry::Class(class)] }
        }
        Move::Pass { minutes } => {
            clock.pass(minutes * MINUTE_MS);
            Command::PassDeadlines
        }
    }
}

pub fn cells(state: &State) -> BTreeMap<TallyKey, Count> {
    state.tally.iter().map(|(key, value)| (key.clone(), value)).collect()
}

/// The state after a start from the newest snapshot, and after one from the events alone.
fn both_starts(dir: &Path) -> (State, State) {
    let policy = city::policy();
    let (store, from_snapshot) = Store::open(dir, &policy).unwrap();
    drop(store);
    std::fs::remove_dir_all(dir.join("snapshots")).unwrap();
    let (store, from_events) = Store::open(dir, &policy).unwrap();
    drop(store);
    (from_snapshot, from_events)
}

/// The list behind a cell of a tally: rows of steps in the views and in memory; none for what has no list.
fn behind(key: &TallyKey) -> Option<CaseFilter> {
    let mut filter = CaseFilter::default();
    match &key.dimension {
        Dimension::City => {}
        Dimension::Area(code) => filter.area = Some(code.clone()),
        Dimension::Source(code) => filter.source = Some(code.clone()),
        Dimension::Class(code) => filter.class = Some(code.clone()),
    }
    let days = match &key.period {
        Period::Month(month) => Days::month(*month),
        Period::Day(date) => Some(Days::day(*date)),
        Period::Now => None,
        Period::Ever | Period::Hour(..) => return None,
    };
    match key.measure {
        Measure::Reported => filter.reported = days,
        Measure::Filed => filter.filed = days,
        Measure::Dispatched => filter.dispatched = days,
        Measure::DispatchedLate => (filter.dispatched, filter.dispatched_late) = (days, Some(true)),
        Measure::Closed => filter.closed = days,
        Measure::Returned
        | Measure::Reworked
        | Measure::NotAccepted
        | Measure::NotFiled
        | Measure::Voided
        | Measure::ClosedByForce
        | Measure::ClosedSpecially
        | Measure::ClosedAsFaulty
        | Measure::Extended
        | Measure::Suspended => {
            filter.counted = days.map(|days| (Flow::named(key.measure.key()).unwrap(), days));
        }
        Measure::Open => filter.open = Some(true),
        Measure::At(stage) => (filter.stage, filter.open) = (Some(stage), Some(true)),
        Measure::OverdueDispatch => {
            (filter.stage, filter.phase) = (Some(Stage::Dispatch), Some(PhaseFilter::Overdue));
        }
        Measure::NearingDispatch => {
            (filter.stage, filter.phase) = (Some(Stage::Dispatch), Some(PhaseFilter::Nearing));
        }
        Measure::OverdueDisposal => {
            (filter.stage, filter.phase) = (Some(Stage::Dispose), Some(PhaseFilter::Overdue));
        }
        Measure::WhistleRaised | Measure::WhistleOpen | Measure::WhistleLate => return None,
    }
    Some(filter)
}

proptest! {
    // Each writes a store and reads it three times: an eighth as often as others.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 8,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    /// Method: random commands, many of them wrong for their case, in groups of eight; then a clean stop. The state
    /// the writer published last must come back from the snapshot and from the events alone, its tallies must equal
    /// the SQL recount, so must the lists behind them once closed cases are laid out, and `check` must find nothing.
    #[test]
    fn restart_changes_nothing_and_tallies_equal_their_recount(
        steps in proptest::collection::vec(one(), 20..160)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let mirror = Arc::new(Mutex::new(None));
        let options = Options { snapshot_every: 30, ..Options::default() };
        let (writer, reader) =
            city::start_with(dir.path(), &clock, Box::new(Mirror(mirror.clone())), options);
        for group in steps.chunks(8) {
            let envelopes = group.iter().map(|step| envelope(command(step, &clock))).collect();
            writer.send_many_blocking(envelopes);
        }
        // The last day has to turn, too, whenever the timer last looked.
        clock.pass(DAY_MS);
        writer.send_many_blocking(vec![envelope(Command::PassDeadlines)]);
        writer.stop();
        let last = mirror.lock().unwrap().take().unwrap();
        let recount = reader.recount().unwrap();
        prop_assert_eq!(recount.seq, last.seq);
        prop_assert_eq!(recount.today, last.today);
        prop_assert_eq!(&recount.cells, &cells(&last));
        let report = server::check::check(dir.path(), &city::policy()).unwrap();
        prop_assert_eq!((&report.problems, report.laid_out), (&Vec::<String>::new(), None));
        let lists = city::laid_out(dir.path(), &city::policy());
        for (key, count) in &recount.cells {
            let Some(filter) = behind(key) else { continue };
            let listed = lists.count(&Scope::All, &filter).unwrap();
            let (listed, counted) = (listed.unwrap() as i64, count.cases);
            // A case that goes round is counted each time, and listed once.
            let again = [Measure::Dispatched, Measure::DispatchedLate, Measure::Returned, Measure::Reworked, Measure::Extended, Measure::Suspended];
            let fits = if again.contains(&key.measure) { listed <= counted } else { listed == counted };
            prop_assert!(fits && listed > 0, "the list behind {}: {} of {}", key, listed, counted);
        }
        lists.stop();
        let report = server::check::check(dir.path(), &city::policy()).unwrap();
        prop_assert_eq!((&report.problems, &report.unproved), (&Vec::<String>::new(), &Vec::new()));
        let ever = |measure: &str| recount.cells.get(&format!("{measure}|city|ever").parse().unwrap());
        let ended = ["closed", "not_accepted", "not_filed", "voided"];
        let ended: i64 = ended.into_iter().filter_map(ever).map(|count| count.cases).sum();
        prop_assert_eq!(report.laid_out.map(|laid_out| laid_out.cases as i64), Some(ended));
        let (from_snapshot, from_events) = both_starts(dir.path());
        prop_assert_eq!(&from_snapshot, &last);
        prop_assert_eq!(&from_events, &last);
    }
}
