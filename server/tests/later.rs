//! A build to come with steps of kinds that none of today is: store, recount, check, lists and views know each from its row alone.
//!
//! What should not be here: steps of today (`it/random.rs`). A binary of its own, since the table of steps is a process's.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Once;
use std::sync::{Arc, Mutex};

use domain::case::step::as_a_later_build;
use domain::case::{Stage, Step};
use domain::clock::{ClockOf, Limit, LimitKind};
use domain::code::CaseId;
use domain::command::{Command, TakeStep};
use domain::moment::{DAY_MS, Days, HOUR_MS, MINUTE_MS};
use domain::scope::Scope;
use domain::state::State;
use domain::tally::{Dimension, Measure, Period, TallyKey};
use server::events::Newest;
use server::lists::{CaseFilter, Lists};
use server::views::steps::Flow;
use server::writer::{Committed, Publisher, Writer};

// The other binary uses all of it.
#[allow(dead_code)]
#[path = "it/city.rs"]
mod city;

use city::TestClock;

#[path = "later/rows.rs"]
mod rows;

fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| assert!(as_a_later_build(&rows::LATER)));
}

/// Tells lists of every commit, and keeps the newest state.
struct Heard(Lists, Arc<Mutex<Option<State>>>);

impl Publisher for Heard {
    fn start(&mut self, _: u64, state: &State, _: Option<Newest>) {
        self.0.start(state);
        *self.1.lock().unwrap() = Some(state.clone());
    }

    fn publish(&mut self, state: &State, committed: &[Committed]) {
        self.0.publish(committed);
        *self.1.lock().unwrap() = Some(state.clone());
    }
}

struct Hall {
    dir: tempfile::TempDir,
    clock: TestClock,
    lists: Lists,
    newest: Arc<Mutex<Option<State>>>,
    writer: Writer,
    reader: server::events::Reader,
}

impl Hall {
    fn new() -> Self {
        begin();
        let (dir, clock, lists) = (tempfile::tempdir().unwrap(), TestClock::new(), city::lists());
        let newest = Arc::new(Mutex::new(None));
        let heard = Heard(lists.clone(), newest.clone());
        let (writer, reader) = city::start(dir.path(), &clock, Box::new(heard));
        Self { dir, clock, lists, newest, writer, reader }
    }

    fn state(&self) -> State {
        self.newest.lock().unwrap().clone().unwrap()
    }

    fn pass(&self, ms: i64) {
        self.clock.pass(ms);
        city::send(&self.writer, Command::PassDeadlines).unwrap();
    }

    /// Takes a step by its name; whether it was taken.
    fn take(&self, name: &str, case: u64) -> bool {
        let step = Step::named(name).unwrap();
        city::send(&self.writer, full(step, CaseId(case))).is_ok()
    }

    /// Steps that fit the case as it stands.
    fn fitting(&self, case: u64) -> Vec<Step> {
        let state = self.state();
        let Some(case) = state.cases.get(&CaseId(case)) else { return Vec::new() };
        let fits =
            |step: &Step| step.from.contains(&case.stage) && case.unfit(*step, self.clock.now()).is_none();
        Step::all().filter(fits).collect()
    }

    /// Walks a new case on by the steps of today.
    fn case_with(&self, steps: &[&str]) -> u64 {
        city::send(&self.writer, city::report_case()).unwrap();
        let case = self.state().cases.keys().max().unwrap().0;
        for step in steps {
            assert!(self.take(step, case), "{step}");
        }
        case
    }

    /// Everything that is counted, three times: by the deltas, by SQL, by the lists behind it; open and laid out.
    fn agrees(self) -> BTreeMap<TallyKey, i64> {
        let state = self.state();
        self.writer.stop();
        let kept: BTreeMap<TallyKey, _> =
            state.tally.iter().map(|(key, count)| (key.clone(), count)).collect();
        assert_eq!(self.reader.recount().unwrap().cells, kept);
        let report = server::check::check(self.dir.path(), &city::policy()).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        let laid_out = city::laid_out(self.dir.path(), &city::policy());
        for (key, count) in &kept {
            let Some(filter) = behind(key) else { continue };
            let [open, closed] = [&self.lists, &laid_out].map(|lists| listed(lists, &filter));
            assert_eq!(open, closed, "{key}");
            // A case that goes round is counted for each round, and listed once.
            let again = [
                Measure::Dispatched,
                Measure::DispatchedLate,
                Measure::Returned,
                Measure::Reworked,
                Measure::Extended,
                Measure::Suspended,
            ];
            let once = !again.contains(&key.measure);
            let (listed, counted) = (closed.len() as i64, count.cases);
            assert!(if once { listed == counted } else { listed <= counted }, "{key}: {closed:?}, {counted}");
            assert!(listed > 0, "nothing is behind {key}");
        }
        laid_out.stop();
        let report = server::check::check(self.dir.path(), &city::policy()).unwrap();
        assert_eq!((report.problems, report.unproved.len()), (Vec::new(), 0));
        assert_eq!(restarted(self.dir.path()), state);
        kept.into_iter().map(|(key, count)| (key, count.cases)).collect()
    }
}

fn restarted(dir: &Path) -> State {
    std::fs::remove_dir_all(dir.join("snapshots")).unwrap();
    server::writer::store::Store::open(dir, &city::policy()).unwrap().1
}

/// The step with all it asks for.
fn full(step: Step, case: CaseId) -> Command {
    let note = if step.note.is_asked() { "理由".to_owned() } else { String::new() };
    let department = step.asks_department().then(|| city::DEPARTMENTS[0].parse().unwrap());
    let limit = step.0.limit.then(|| Limit::new(3, LimitKind::URGENT_HOUR));
    Command::Step(TakeStep { step, case, note, department, limit })
}

fn behind(key: &TallyKey) -> Option<CaseFilter> {
    let days = match &key.period {
        Period::Month(month) => Days::month(*month)?,
        Period::Day(date) => Days::day(*date),
        Period::Now | Period::Ever | Period::Hour(..) => return None,
    };
    let counted = Some((Flow::named(key.measure.key()).ok()?, days));
    let mut filter = CaseFilter { counted, ..CaseFilter::default() };
    match &key.dimension {
        Dimension::City => {}
        Dimension::Area(code) => filter.area = Some(code.clone()),
        Dimension::Source(code) => filter.source = Some(code.clone()),
        Dimension::Class(code) => filter.class = Some(code.clone()),
    }
    Some(filter)
}

fn listed(lists: &Lists, filter: &CaseFilter) -> Vec<u64> {
    let page = lists.cases(&Scope::All, filter, None, 500).unwrap();
    page.items.iter().map(|case| case.id.0).collect()
}

const DISPOSING: [&str; 3] = ["accept", "file", "dispatch"];

#[test]
fn a_late_return_is_counted_by_its_own_clock_and_listed_and_the_case_is_nobodys() {
    let hall = Hall::new();
    let (late, in_time) = (hall.case_with(&DISPOSING), hall.case_with(&DISPOSING));
    assert!(hall.take("hand_back", in_time));
    hall.pass(4 * HOUR_MS);
    assert!(hall.take("hand_back", late) && !hall.take("hand_back", late));
    let state = hall.state();
    for case in [late, in_time].map(|id| &state.cases[&CaseId(id)]) {
        assert_eq!((case.stage, case.round, &case.department), (Stage::Dispatch, 2, &None));
    }
    let today = Some((Flow::DISPATCHED_LATE, "2026-11-21".parse().unwrap()));
    let behind = CaseFilter { counted: today, ..CaseFilter::default() };
    assert_eq!(listed(&hall.lists, &behind), [late]);
    let cells = hall.agrees();
    assert_eq!(cells[&"dispatched_late|city|ever".parse().unwrap()], 1);
}

#[test]
fn a_case_closed_from_anywhere_is_closed_in_number_and_list() {
    let hall = Hall::new();
    let all: Vec<&str> = Stage::ALL.map(|stage| Step::out_of(stage).unwrap().0.name).to_vec();
    let voided: Vec<u64> = (0..7).map(|reached| hall.case_with(&all[..reached])).collect();
    assert!(voided.iter().all(|case| hall.take("drop", *case)));
    let closed = hall.case_with(&all);
    let mut all: Vec<u64> = voided.into_iter().chain([closed]).rev().collect();
    let today = Some("2026-11-21".parse().unwrap());
    let filters = [
        CaseFilter { closed: today, ..CaseFilter::default() },
        CaseFilter { stage: Some(Stage::Close), ..CaseFilter::default() },
        CaseFilter { open: Some(false), ..CaseFilter::default() },
    ];
    all.sort_unstable_by(|one, other| other.cmp(one));
    filters.iter().for_each(|filter| assert_eq!(listed(&hall.lists, filter), all));
    let dir = hall.dir.path().to_owned();
    let Hall { writer, dir: _kept, .. } = hall;
    writer.stop();
    let laid_out = city::laid_out(&dir, &city::policy());
    filters.iter().for_each(|filter| assert_eq!(listed(&laid_out, filter), all));
}

/// While 处置 is suspended nothing of it runs out; what had run out before is no more, and counts anew from the resumption.
#[test]
fn a_step_aside_stops_and_starts_clocks_where_the_case_waits() {
    let hall = Hall::new();
    let case = hall.case_with(&DISPOSING);
    let overdue =
        |hall: &Hall| hall.state().tally.count(Measure::OverdueDisposal, Dimension::City, Period::Now);
    assert!(hall.take("reset", case));
    hall.pass(4 * HOUR_MS);
    assert_eq!(overdue(&hall), 1);
    let since = hall.state().cases[&CaseId(case)].stage_since;
    assert!(hall.take("halt", case));
    hall.pass(30 * HOUR_MS);
    let key: TallyKey = "overdue_disposal|city|now".parse().unwrap();
    assert_eq!((overdue(&hall), hall.reader.recount().unwrap().cells.get(&key)), (0, None));
    assert!(hall.take("begin_anew", case));
    hall.pass(HOUR_MS);
    assert!(hall.take("hand_back", case), "no disposal has run out since it was resumed");
    assert_eq!(since, city::START);
    let cells = hall.agrees();
    assert!(!cells.contains_key(&"dispatched_late|city|ever".parse().unwrap()));
}

/// What is asked for and granted is known after a restart, and a year later the disposal goes on with what was left of it.
#[test]
fn a_suspension_ends_by_itself_and_is_counted_once() {
    let hall = Hall::new();
    let (one, other) = (hall.case_with(&DISPOSING), hall.case_with(&DISPOSING));
    for (ask, grant) in [("ask_extension", "extend"), ("ask_suspension", "suspend")] {
        assert!(hall.take(ask, one) && hall.take(grant, one), "{grant}");
    }
    assert!(hall.take("ask_extension", other) && !hall.take("suspend", other));
    let clock = |hall: &Hall| hall.state().cases[&CaseId(one)].clock(ClockOf::Disposal).unwrap().clone();
    let due = clock(&hall).due;
    hall.pass(364 * DAY_MS);
    assert!(hall.state().cases[&CaseId(one)].is_suspended() && !hall.take("dispose", one));
    hall.pass(DAY_MS);
    assert!(!hall.state().cases[&CaseId(one)].is_suspended());
    let limit = clock(&hall).limit.unwrap();
    assert!(limit.counts.runs_on(), "so that it is shifted by as many days: {limit:?}");
    assert_eq!((clock(&hall).due, clock(&hall).extended), (due.plus(365 * DAY_MS), 1));
    let cells = hall.agrees();
    for counted in ["extended|city|ever", "suspended|city|ever", "overdue_disposal|city|now"] {
        assert_eq!(cells[&counted.parse().unwrap()], 1, "{counted}");
    }
}

/// Method: whatever step comes to a small generator's mind, right or wrong for its case, and time between.
#[test]
fn whatever_is_sent_in_whatever_order_counts_recount_and_lists_agree() {
    for seed in 1..=3_u64 {
        let hall = Hall::new();
        let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut next = |below: u64| {
            mixed = mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (mixed >> 33) % below
        };
        let all: Vec<Step> = Step::all().collect();
        let mut taken = BTreeMap::<&str, u32>::new();
        for _ in 0..2_500 {
            // One that ended is followed by another.
            let open: Vec<u64> = hall.state().cases.keys().map(|case| case.0).collect();
            if open.len() < 24 {
                hall.case_with(&[]);
                continue;
            }
            let case = open[next(24) as usize];
            // Most fit: what is asked of a case is seldom answered by chance.
            let fitting: Vec<Step> = match next(4) {
                0 => all.clone(),
                _ => hall.fitting(case),
            };
            let step = fitting[next(fitting.len() as u64) as usize];
            // Seldom: most cases would be gone before they went round.
            if step.closes() && next(40) > 0 {
                continue;
            }
            if hall.take(step.0.name, case) {
                *taken.entry(step.0.name).or_default() += 1;
            }
            if next(15) == 0 {
                hall.pass(next(120) as i64 * MINUTE_MS);
            }
        }
        let missing: Vec<&Step> = all.iter().filter(|step| !taken.contains_key(step.0.name)).collect();
        assert!(missing.len() < 4, "{missing:?} never came, {taken:?}");
        hall.agrees();
    }
}

/// A city's simulated past is taken over: the way from stage to stage, and no step that leads elsewhere.
#[test]
fn the_past_of_the_demonstration_goes_by_the_stages_own_steps() {
    begin();
    let schematic = sim::schematic::Schematic::build().unwrap();
    let mut planner = sim::city::cases::Planner::new(&schematic, 3);
    let policy = city::policy();
    let rules = sim::city::past::Rules {
        offset: policy.utc_offset_minutes,
        dispatch_limit: policy.dispatch_limit,
        calendar: policy.calendar,
    };
    let extent = sim::city::past::Extent {
        cases_a_day: sim::city::figures::CASES_PER_DAY,
        weeks: 0,
        every_day: false,
    };
    let past = sim::city::past::before(&mut planner, &rules, city::START, extent);
    assert!(past.iter().any(|case| case.stage.is_none()));
    for case in past {
        let Command::TakeOverCase { history, .. } = case.command else { panic!("{:?}", case.command) };
        let way = Stage::ALL.into_iter().filter_map(Step::out_of).take(history.steps.len());
        assert!(history.steps.iter().map(|known| known.step).eq(way), "{history:?}");
        assert_eq!(history.steps.len(), case.stage.map_or(6, |stage| stage as usize));
    }
}
