//! A small city for tests: policy, commands, a writer with a clock that tests set.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::case::{Report, Stage};
use domain::command::{Command, History};
use domain::event::By;
use domain::moment::UtcMillis;
use domain::policy::Policy;
use domain::scope::Scope;
use domain::state::State;
use server::clock::Clock;
use server::events::Newest;
use server::lists::{CaseFilter, Lists};
use server::stored::policy::Genesis;
use server::views::from_log::LogSource;
use server::views::{Belongs, Builder, Settings};
use server::writer::store::{Options, Store};
use server::writer::{Answer, Committed, Envelope, Publisher, WriteError, Writer, spawn_with};
use uuid::Uuid;

/// Saturday 2026-11-21 10:00:00 in China.
pub const START: UtcMillis = UtcMillis(1_795_226_400_000);

pub const AREAS: [&str; 5] = ["5301", "530103", "530103001", "530103002", "530103001001"];
pub const CLASSES: [&str; 3] = ["E01-10", "E02-03", "P03-07"];
pub const SOURCES: [&str; 2] = ["inspector", "hotline"];
pub const DEPARTMENTS: [&str; 3] = ["chengguan", "shuiwu", "jiaojing"];

pub fn policy() -> Policy {
    let text = r#"
stated_source = "test"
centre = { zh = "测试中心", en = "Test centre" }
dispatch_limit = { amount = 4, unit = "urgent_hour" }
disposal_limit = { amount = 1, unit = "urgent_day" }
whistle_response_minutes = 30
forecast_minutes = 30
lamp_yellow_percent = 80
position_stale_seconds = 60
clock_skew_seconds = 300
backdate_days = 400
areas = [
  { code = "5301", level = "city", name = { zh = "昆明市" } },
  { code = "530103", level = "district", parent = "5301", name = { zh = "盘龙区" } },
  { code = "530103001", level = "street", parent = "530103", name = { zh = "拓东街道" } },
  { code = "530103002", level = "street", parent = "530103", name = { zh = "鼓楼街道" } },
  { code = "530103001001", level = "community", parent = "530103001", name = { zh = "尚义社区" } },
]
classes = [
  { code = "E01-10", kind = "event", name = { zh = "暴露垃圾" } },
  { code = "E02-03", kind = "event", name = { zh = "占道经营" } },
  { code = "P03-07", kind = "part", name = { zh = "雨水箅子" }, disposal_limit = { amount = 2, unit = "work_hour" } },
]
sources = [
  { code = "inspector", name = { zh = "监督员" } },
  { code = "hotline", name = { zh = "热线" } },
]
departments = [
  { code = "chengguan", name = { zh = "城管局" } },
  { code = "shuiwu", name = { zh = "水务局" } },
  { code = "jiaojing", name = { zh = "交警" } },
]
"#;
    let policy: Policy = toml::from_str(text).expect("the test's policy is a policy");
    policy.check().expect("the test's policy is sound");
    policy
}

pub fn report(area: &str, class: &str, source: &str) -> Report {
    Report {
        source: source.parse().unwrap(),
        class: class.parse().unwrap(),
        area: area.parse().unwrap(),
        condition: None,
        address: "拓东路 1 号".to_owned(),
        description: "箅子缺失".to_owned(),
        place: domain::place::Point::from_degrees(25.04, 102.72),
        priority: domain::case::Priority::Ordinary,
        base_count: 1,
        reporter: None,
        external: None,
    }
}

pub fn report_case() -> Command {
    Command::ReportCase { report: report(AREAS[4], CLASSES[0], SOURCES[0]), at: None }
}

pub fn take_over(stage: Stage, opened: UtcMillis, closed: Option<UtcMillis>) -> Command {
    let history = History { closed, ..History::since(opened, stage) };
    Command::TakeOverCase { report: report(AREAS[3], CLASSES[1], SOURCES[1]), history }
}

pub fn envelope(command: Command) -> Envelope {
    Envelope {
        world: server::world::Live,
        key: Uuid::now_v7(),
        by: By::named("tester"),
        department: None,
        scope: domain::scope::Scope::All,
        seen: None,
        command,
    }
}

/// A clock that stands until it is set.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START.0)))
    }

    pub fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn now(&self) -> UtcMillis {
        UtcMillis(self.0.load(Ordering::SeqCst))
    }

    pub fn reading(&self) -> Box<dyn Fn() -> UtcMillis + Send + Sync> {
        let at = self.0.clone();
        Box::new(move || UtcMillis(at.load(Ordering::SeqCst)))
    }
}

/// Opens the store in `dir` and starts a writer with the test's clock.
pub fn start(
    dir: &Path,
    clock: &TestClock,
    publisher: Box<dyn Publisher>,
) -> (Writer, server::events::Reader) {
    start_with(dir, clock, publisher, Options::default())
}

pub fn start_with(
    dir: &Path,
    clock: &TestClock,
    publisher: Box<dyn Publisher>,
    options: Options,
) -> (Writer, server::events::Reader) {
    let policy = policy();
    let (store, state) = Store::open_with(dir, &policy, options).expect("the store opens");
    let reader = store.reader();
    (spawn_with(store, state, publisher, clock.reading()), reader)
}

/// Lists that hear of every commit, as the hall's do.
pub struct Listing(pub Lists);

impl Publisher for Listing {
    fn start(&mut self, _: u64, state: &State, _: Option<Newest>) {
        self.0.start(state);
    }

    fn publish(&mut self, _: &State, committed: &[Committed]) {
        self.0.publish(committed);
    }
}

/// Lists without a word of the past.
pub fn lists() -> Lists {
    Lists::new(policy().utc_offset_minutes)
}

/// Lists over a store that is stopped, with views in its folder laid out whole from its log in small pieces.
pub fn laid_out(dir: &Path, policy: &Policy) -> Lists {
    let (store, state) = Store::open(dir, policy).unwrap();
    let (reader, epoch, offset) = (store.reader(), store.epoch(), policy.utc_offset_minutes);
    drop(store);
    let lists = Lists::new(offset);
    lists.start(&state);
    let belongs = Belongs { epoch, offset, version: server::views::sql::VERSION };
    let source = Box::new(LogSource::new(reader, epoch, Genesis::of(policy)));
    let mut settings = Settings::new(dir.to_owned(), belongs, source, Arc::new(|| None), Clock::machine());
    (settings.full_speed, settings.seal_cases, settings.piece_cases) = (true, 8, 5);
    lists.serve(Builder::start(settings, lists.present()).unwrap());
    let began = std::time::Instant::now();
    while !lists.reaches_all() {
        assert!(began.elapsed().as_secs() < 60, "{:?}", lists.progress());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    lists
}

/// How many cases a store has that answer to a filter.
pub fn counted(dir: &Path, policy: &Policy, filter: &CaseFilter) -> Option<u64> {
    laid_out(dir, policy).count(&Scope::All, filter).unwrap()
}

pub fn send(writer: &Writer, command: Command) -> Result<Answer, WriteError> {
    writer.send_many_blocking(vec![envelope(command)]).pop().expect("one answer per command")
}
