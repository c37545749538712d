//! A store with a history, written straight into log, snapshots and views: the hall opens on it, counts what a recount
//! counts, lists what a naive look at every case finds, and any past instant is the one that a replay comes by.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use domain::case::Case;
use domain::clock::Phase;
use domain::code::CaseId;
use domain::moment::{UtcMillis, UtcOffset};
use domain::policy::Policy;
use domain::state::State;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use server::config::Config;
use server::log::sqlite::SqliteReader;
use server::log::{READ_ROWS_MAX, Read};
use server::stored;
use server::stored::policy::Genesis;
use sim::city::years::Span;

use crate::http::{Served, served_on};

#[path = "../../examples/history/fill.rs"]
mod fill;
#[path = "../../examples/history/instant.rs"]
mod instant;
#[path = "../../examples/history/life.rs"]
mod life;
mod keeping;
mod same;
mod upgraded;
#[path = "../../examples/history/later.rs"]
mod later;
#[path = "../../examples/history/rows.rs"]
mod rows;
#[path = "../../examples/history/upgrade.rs"]
mod upgrade;

/// 2026-11-21 15:00 in Shanghai.
const UNTIL: UtcMillis = UtcMillis(1_795_244_400_000);
const CASES: u64 = 50_000;
/// Parts of a year, so that there are months behind months and still some hundreds of open cases.
const DAYS: u32 = 100;
/// Questions asked of lists.
const QUESTIONS: u64 = 150;
const PAGE: usize = 100;
/// Rows compared of one question.
const COMPARED: usize = 300;

fn span() -> Span {
    Span { seed: 1, cases: CASES, days: DAYS, until: UNTIL, offset: UtcOffset(480) }
}

fn of_the_demonstration(config: &mut Config) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    config.policy.overlays = vec![demo.join("policy.toml"), demo.join("areas.toml")];
}

fn policy() -> Policy {
    let mut config = Config::default();
    of_the_demonstration(&mut config);
    config.load_policy().unwrap()
}

/// Folds a log as far as it goes, without snapshots and views: the state, and every case as it stands. Gives the states on
/// the way at the events asked for.
fn fold(
    log: &SqliteReader,
    state: &mut State,
    cases: &mut BTreeMap<CaseId, Case>,
    stops: &BTreeSet<u64>,
) -> Vec<State> {
    let mut stood = Vec::new();
    let bodies: &dyn Read = log;
    loop {
        let rows = log.read(state.seq, READ_ROWS_MAX).unwrap();
        if rows.is_empty() {
            return stood;
        }
        for row in &rows {
            let changes = state.apply(&stored::recorded(row, &bodies).unwrap());
            cases.extend(changes.case.map(|case| (case.id, case)));
            if stops.contains(&state.seq) {
                stood.push(state.clone());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hall_with_a_history_counts_lists_and_remembers_as_a_naive_look_does() {
    let (dir, policy) = (tempfile::tempdir().unwrap(), policy());
    let filled = fill::fill(dir.path(), &policy, span(), |_| {}).unwrap();
    assert_eq!(filled.closed + filled.open, CASES);
    assert!((300..3_000).contains(&filled.open), "{filled:?}");
    let hall = served_on(dir, of_the_demonstration).await;
    let log = SqliteReader::open(hall.dir.path()).unwrap();
    settle(&log).await;
    let instants: BTreeSet<u64> = (1..=6).map(|part| filled.events * part / 6).collect();
    let (mut state, mut cases) = (Genesis::of(&policy).state(), BTreeMap::new());
    let stood = fold(&log, &mut state, &mut cases, &instants);
    for (seq, replayed) in instants.iter().zip(&stood) {
        let (rebuilt, events) = instant::at(&log, hall.dir.path(), &policy, *seq).unwrap();
        assert!(rebuilt == *replayed, "the hall of event {seq} is another one");
        assert!(events < 150_000, "{events} events were replayed for event {seq}");
    }
    assert_eq!(cases.len() as u64, CASES);
    let recount = hall.running.hall.reader.recount().unwrap();
    let counted: BTreeMap<_, _> = state.tally.iter().map(|(key, count)| (key.clone(), count)).collect();
    assert!(recount.cells == counted, "the recount differs");
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..QUESTIONS {
        // The hall's clock runs: a limit may have passed since the question before.
        fold(&log, &mut state, &mut cases, &BTreeSet::new());
        let question = Question::any(&mut random, &cases);
        question.compare(&hall, &cases).await;
    }
    hall.running.stop().await.unwrap();
    upgraded::by_a_build_to_come(hall.dir.path());
}

/// Waits until the hall's timer has recorded what passed since the store was made.
async fn settle(log: &SqliteReader) {
    let mut last = 0;
    while log.head().unwrap().seq != last {
        last = log.head().unwrap().seq;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

type Condition = Box<dyn Fn(&Case) -> bool>;

/// Conditions, as they are asked and as anybody would check them.
struct Question {
    asked: Vec<String>,
    holds: Vec<Condition>,
    by_due: bool,
}

impl Question {
    /// One to three conditions that a case there is fulfils.
    fn any(random: &mut StdRng, cases: &BTreeMap<CaseId, Case>) -> Self {
        let like = cases[&CaseId(random.random_range(1..=CASES))].clone();
        let mut question = Self { asked: Vec::new(), holds: Vec::new(), by_due: random.random_bool(0.3) };
        for _ in 0..random.random_range(1..=3) {
            question.add(random, &like);
        }
        // Closed cases have no due time: asked for alone, they stay newest first.
        question.by_due &= !question.asked.contains(&"open=false".to_owned());
        if question.by_due {
            question.put("sort=due".to_owned(), Case::is_open);
        }
        question
    }

    fn put(&mut self, asked: String, holds: impl Fn(&Case) -> bool + 'static) {
        // A field is asked for once.
        let field = asked.split('=').next().unwrap_or_default().to_owned();
        if self.asked.iter().all(|other| other.split('=').next() != Some(field.as_str())) {
            self.asked.push(asked);
            self.holds.push(Box::new(holds));
        }
    }

    #[expect(clippy::too_many_lines, reason = "a list of conditions")]
    fn add(&mut self, random: &mut StdRng, like: &Case) {
        let day = |at: UtcMillis| at.local(UtcOffset(480)).date.to_string();
        let on = |text: String, of: fn(&Case) -> Option<UtcMillis>| {
            move |case: &Case| of(case).is_some_and(|at| day(at).starts_with(&text))
        };
        let cut = if random.random_bool(0.5) { 7 } else { 10 };
        match random.random_range(0..14) {
            0 => {
                let area = like.area_path[random.random_range(0..like.area_path.len())].clone();
                self.put(format!("area={area}"), move |case| case.area_path.contains(&area));
            }
            1 => {
                let class = like.report.class.clone();
                self.put(format!("class={class}"), move |case| case.report.class == class);
            }
            2 => {
                let source = like.report.source.clone();
                self.put(format!("source={source}"), move |case| case.report.source == source);
            }
            3 => {
                if let Some(department) = like.department.clone() {
                    let asked = format!("department={department}");
                    self.put(asked, move |case| case.department.as_ref() == Some(&department));
                }
            }
            4 => {
                let open = random.random_bool(0.5);
                self.put(format!("open={open}"), move |case| case.is_open() == open);
            }
            5 => {
                let text = day(like.reported)[..cut].to_owned();
                self.put(format!("reported={text}"), on(text, |case| Some(case.reported)));
            }
            6 => {
                if let Some(at) = like.filed {
                    let text = day(at)[..cut].to_owned();
                    self.put(format!("filed={text}"), on(text, |case| case.filed));
                }
            }
            7 => {
                if let Some(at) = like.closed {
                    let text = day(at)[..cut].to_owned();
                    self.put(format!("closed={text}"), on(text, |case| case.closed));
                }
            }
            8 => {
                let two: String =
                    like.report.address.chars().skip(random.random_range(0..3)).take(2).collect();
                let percent: String = two.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let wanted = two.clone();
                let found =
                    move |case: &Case| case.report.address.contains(&wanted) || case.number.contains(&wanted);
                self.put(format!("text={percent}"), found);
            }
            9 => {
                let number = like.number.clone();
                self.put(format!("text={number}"), move |case| case.number.contains(&number));
            }
            10 => {
                let claimed = random.random_bool(0.5);
                self.put(format!("claimed={claimed}"), move |case| case.claimed_by.is_some() == claimed);
            }
            11 => {
                let placed = random.random_bool(0.5);
                self.put(format!("has_place={placed}"), move |case| case.report.place.is_some() == placed);
            }
            12 => {
                let stage = like.stage;
                let open = stage != domain::case::Stage::Close;
                let at = move |case: &Case| case.stage == stage && (!open || case.is_open());
                self.put(format!("stage={}", stage.key()), at);
            }
            _ => {
                let is =
                    |case: &Case| case.leading_clock().is_some_and(|clock| clock.phase == Phase::Overdue);
                self.put("phase=overdue".to_owned(), is);
            }
        }
    }

    async fn compare(&self, hall: &Served, cases: &BTreeMap<CaseId, Case>) {
        let mut expected: Vec<&Case> =
            cases.values().rev().filter(|case| self.holds.iter().all(|holds| holds(case))).collect();
        if self.by_due {
            expected
                .sort_by_key(|case| (case.leading_clock().map_or(i64::MAX, |clock| clock.due.0), case.id));
        }
        let expected: Vec<u64> = expected.iter().map(|case| case.id.0).collect();
        let wanted: Vec<u64> = expected.iter().copied().take(COMPARED).collect();
        let asked = self.asked.join("&");
        let mut path = format!("/api/v1/cases?limit={PAGE}&count=true&{asked}");
        let mut got = Vec::new();
        // A page is short when the time for an answer was over first; the next one goes on there.
        while got.len() < COMPARED {
            let answer = hall.get(&path).await.json();
            let items = answer["items"].as_array().unwrap_or_else(|| panic!("{asked}: {answer}"));
            got.extend(items.iter().filter_map(|item| item["id"].as_u64()));
            if let Some(total) = answer["total"].as_u64() {
                assert_eq!(total, expected.len() as u64, "{asked}");
            }
            let Some(next) = answer["next"].as_str() else { break };
            path = format!("/api/v1/cases?limit={PAGE}&{asked}&cursor={next}");
        }
        got.truncate(COMPARED);
        assert_eq!(got, wanted, "{asked}");
    }
}
