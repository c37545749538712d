//! Replay: what the hall answers of the past is what it answered then, and nothing of it changes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use domain::case::Step;
use domain::code::{CaseId, WhistleId};
use domain::command::Command;
use domain::moment::{MINUTE_MS, UtcMillis};
use domain::policy::Policy;
use domain::role::Role;
use domain::whistle::{WhistleCall, WhistleLevel};
use serde_json::{Value, json};
use server::clock::Clock;
use server::config::Config;
use server::hall::{Forms, Hall, Opening, Rooms};
use server::log::Read;
use server::log::sqlite::SqliteReader;
use server::serve::Running;
use server::world::Live;
use server::writer::pen::Pen;
use server::writer::store::Store;
use tower::ServiceExt;

use crate::city::{self, AREAS, CLASSES, DEPARTMENTS, SOURCES, START, TestClock};

mod bounds;
mod day;
mod laid_out;
mod screens;

/// A hall by a clock that a test sets, behind its own router, beside a server whose accounts it shares.
pub struct Past {
    pub hall: Hall,
    pub router: Router,
    pub clock: TestClock,
    pub admin: String,
    pub dir: tempfile::TempDir,
    served: Running,
    _served_dir: tempfile::TempDir,
}

impl Past {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// As [`Self::new`], with settings of its own.
    pub async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let served_dir = tempfile::tempdir().unwrap();
        let served = crate::http::start(served_dir.path()).await;
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
        let hall = opened(&served.hall, dir.path(), &clock, set);
        let router = server::http::router(&hall);
        let admin = token(&hall, "leader", Role::Supervisor).await;
        let past = Self { hall, router, clock, admin, dir, served, _served_dir: served_dir };
        past.until("everything is laid out", || past.hall.lists.reaches_all()).await;
        past
    }

    pub async fn until(&self, what: &str, is: impl Fn() -> bool) {
        let began = Instant::now();
        while !is() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn send(&self, command: Command) -> Option<server::writer::Answer> {
        let Pen::Live(writer) = &self.hall.writer else { panic!("the hall that goes on is written in") };
        writer.send(city::envelope(command)).await.ok()
    }

    /// Time passes, and what falls due is recorded.
    pub async fn pass(&self, ms: i64) {
        self.clock.pass(ms);
        self.send(Command::PassDeadlines).await;
    }

    pub async fn ask(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.map(|body| body.to_string()).unwrap_or_default()))
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(&self.admin, "GET", path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn order(&self, from: UtcMillis, to: UtcMillis, at: Option<UtcMillis>) -> (u16, Value) {
        let order = json!({ "from": from, "to": to, "at": at });
        self.ask(&self.admin, "POST", "/api/v1/replays", Some(order)).await
    }

    pub async fn drive(&self, base: &str, wish: Value) -> (u16, Value) {
        self.ask(&self.admin, "POST", &format!("{base}/api/v1/world/clock"), Some(wish)).await
    }

    pub async fn stop(self) {
        self.hall.worlds.close_all();
        let (pen, lists) = (self.hall.writer.clone(), self.hall.lists.clone());
        tokio::task::spawn_blocking(move || {
            pen.stop();
            lists.stop();
        })
        .await
        .unwrap();
        self.served.stop().await.unwrap();
    }
}

pub async fn token(hall: &Hall, name: &str, role: Role) -> String {
    hall.access.make_token(name, role, UtcMillis(0)).await.unwrap().expose().to_owned()
}

/// A hall in a folder of its own, by the test's clock.
fn opened(home: &Hall, dir: &Path, clock: &TestClock, set: impl FnOnce(&mut Config)) -> Hall {
    let mut config = (*home.config).clone();
    config.store.dir = dir.to_owned();
    config.server.clock_confirm_minutes = 0;
    set(&mut config);
    let (store, state) = Store::open(dir, &policy()).unwrap();
    let clock = Clock::from(clock.reading());
    let (follow, forms) = (Vec::new(), Forms { full_speed: true, ..Forms::default() });
    let opening =
        Opening { config: &config, store, state, clock: clock.clone(), follow, beside: Vec::new(), forms };
    let Rooms { writer, reader, lists, mirror, hub, positions, files } =
        Rooms::<Live>::open(opening).unwrap();
    let (config, writer) = (Arc::new(config), Pen::Live(writer));
    let worlds = server::world::Worlds::default();
    Hall { config, writer, reader, lists, mirror, hub, positions, files, clock, worlds, ..home.clone() }
}

pub fn policy() -> Policy {
    let mut policy = city::policy();
    policy.utc_offset_minutes.0 = 480;
    policy.check().unwrap();
    policy
}

/// Everything the store of a folder holds.
pub fn everything(dir: &Path) -> String {
    let log = SqliteReader::open(dir).unwrap();
    let mut stand = Default::default();
    let mut all = String::new();
    loop {
        let group = log.since(stand, 1_000).unwrap();
        let next = server::log::Stand::after(stand, &group);
        if next == stand {
            return all;
        }
        all.push_str(&format!("{group:?}\n"));
        stand = next;
    }
}

/// Work of a day, by chance: always the same.
pub struct Day(u64);

impl Day {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn pick(&mut self, of: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % of
    }

    /// A case on its whole way round, from wherever it is.
    pub fn through(&mut self, reported: u64) -> Vec<Command> {
        let case = CaseId(1 + self.pick(reported.max(1) as usize) as u64);
        let department = DEPARTMENTS[self.pick(3)].parse().unwrap();
        let mut way = vec![Step::ACCEPT.take(case), Step::FILE.take(case)];
        way.push(Step::DISPATCH.take_for(case, department));
        way.extend([Step::DISPOSE, Step::FEEDBACK, Step::CHECK, Step::CLOSE].map(|step| step.take(case)));
        way
    }

    /// Something that somebody does; what does not fit is refused.
    pub fn command(&mut self, reported: u64, raised: u64) -> Command {
        let case = CaseId(1 + self.pick(reported.max(1) as usize) as u64);
        let whistle = WhistleId(1 + self.pick(raised.max(1) as usize) as u64);
        let department = DEPARTMENTS[self.pick(3)].parse().unwrap();
        match self.pick(16) {
            0..=2 => {
                let (area, class) = (AREAS[1 + self.pick(4)], CLASSES[self.pick(3)]);
                Command::ReportCase { report: city::report(area, class, SOURCES[self.pick(2)]), at: None }
            }
            3 | 4 => Step::ACCEPT.take(case),
            5 | 6 => Step::FILE.take(case),
            7 | 8 => Step::DISPATCH.take_for(case, department),
            9 => Step::DISPOSE.take(case),
            10 => Step::FEEDBACK.take(case),
            11 => Step::CHECK.take(case),
            12 => Step::CLOSE.take(case),
            13 => Command::NoteCase { case, text: format!("备注 {}", self.pick(1_000)) },
            14 => Command::RaiseWhistle {
                call: WhistleCall {
                    level: WhistleLevel::Street,
                    area: AREAS[2].parse().unwrap(),
                    title: format!("积水 {}", self.pick(1_000)),
                    case: Some(case),
                    called: vec![department],
                },
            },
            _ => Command::CloseWhistle { whistle, note: String::new() },
        }
    }
}

/// What screens and desks ask, of everything a hall shows.
pub fn questions(reported: u64) -> Vec<String> {
    let mut questions: Vec<String> = [
        "tally",
        "overdue",
        "overdue?phase=nearing",
        "cases?open=true&sort=due&limit=500",
        "cases?open=false&limit=500&count=true",
        "cases?limit=500&count=true&text=%E6%8B%93%E4%B8%9C",
        "cases?counted=filed&on=2026-11-21&count=true",
        "cases?dispatched_late=true&count=true",
        "whistles",
        "whistles?open=true",
        "events?limit=500",
        "catalogue",
    ]
    .map(|path| format!("/api/v1/{path}"))
    .to_vec();
    for case in BTreeSet::from([1, reported / 2, reported, reported + 1]) {
        questions.push(format!("/api/v1/cases/{case}"));
        questions.push(format!("/api/v1/events?case={case}"));
    }
    questions.push("/api/v1/whistles/1".to_owned());
    questions
}

/// The moment a test begins, and minutes after it.
pub fn minute(minutes: i64) -> UtcMillis {
    START.plus(minutes * MINUTE_MS)
}
