//! A hall of the tests: a store, its writer and its live feed on a port of their own, and work for all topics.
//!
//! What should not be here: what a screen does with the feed (`live_screen`), tests.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use domain::case::{Case, Step};
use domain::command::Command;
use domain::event::Recorded;
use domain::whistle::{WhistleCall, WhistleLevel};
use domain::wire::{Snapshot, Topic};
use server::clock::Clock;
use server::live::{Build, History, Hub, Limits};
use server::position::{Accepts, Positions, Settings};
use server::publish::{Listeners, Mirror};
use server::writer::Writer;
use tokio::net::TcpStream;

use crate::city::{self, TestClock};

/// Long enough for a busy machine; every wait ends with what it waits for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A store, its writer and its feed on a port of their own.
pub struct Hall {
    pub writer: Writer,
    pub hub: Hub,
    pub positions: Positions,
    pub address: SocketAddr,
    pub reads: Arc<AtomicUsize>,
    serving: tokio::task::JoinHandle<()>,
}

/// The store's log, with its reads counted.
struct Counted(server::events::Reader, Arc<AtomicUsize>);

impl History for Counted {
    fn events_after(&self, seq: u64, limit: usize) -> Result<Vec<(Recorded, Option<Case>)>, String> {
        self.1.fetch_add(1, Ordering::SeqCst);
        History::events_after(&self.0, seq, limit)
    }
}

pub fn quick() -> Limits {
    Limits { heartbeat_ms: 100, ..Limits::default() }
}

impl Hall {
    pub async fn start(dir: &Path, limits: Limits) -> Self {
        let settings = Settings { tick_ms: 50, ..Settings::default() };
        let accepts = Accepts { bounds: None, clock_skew_seconds: 300 };
        let positions = Positions::open(None, settings, accepts, Clock::machine()).unwrap();
        let (hub, publisher) = Hub::new(limits, positions.clone(), Build::default(), Clock::machine());
        // As the hall hands it on.
        let (lists, mirror) = (city::lists(), Mirror::default());
        let listeners = Listeners { hub: publisher, lists, mirror, follow: Vec::new(), beside: Vec::new() };
        let (writer, reader) = city::start(dir, &TestClock::new(), Box::new(listeners));
        let reads = Arc::new(AtomicUsize::new(0));
        let history = Arc::new(Counted(reader, reads.clone()));
        let feed: Router = server::live::router(hub.clone(), history);
        // The same feed for somebody who may read one area.
        let mut router = feed.clone().layer(axum::Extension(domain::scope::Scope::All));
        for area in city::AREAS {
            let scope = domain::scope::Scope::area(area.parse().unwrap());
            router = router.nest(&format!("/{area}"), feed.clone().layer(axum::Extension(scope)));
        }
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream: &mut TcpStream| {
            server::serve::tune::tune(&socket2::SockRef::from(&*stream));
        });
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        while !hub.started() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { writer, hub, positions, address, reads, serving }
    }

    /// Stops like a process that ends: sockets close, the store is released.
    pub async fn stop(self) {
        self.serving.abort();
        let writer = self.writer.clone();
        tokio::task::spawn_blocking(move || writer.stop()).await.unwrap();
    }

    pub async fn snapshot(&self, topic: &Topic) -> Snapshot {
        let url = format!("http://{}/api/v1/live/snapshot?topic={topic}", self.address);
        let body = tokio::task::spawn_blocking(move || {
            ureq::get(&url).call().unwrap().into_body().read_to_vec().unwrap()
        });
        Snapshot::from_bytes(&body.await.unwrap()).unwrap()
    }

    /// The status of a topic's snapshot for somebody whose scope is one area.
    pub async fn snapshot_as(&self, topic: &Topic, area: &str) -> u16 {
        let url = format!("http://{}/{area}/api/v1/live/snapshot?topic={topic}", self.address);
        let asked = tokio::task::spawn_blocking(move || {
            let asked = ureq::get(&url).config().http_status_as_error(false).build().call();
            asked.unwrap().status().as_u16()
        });
        asked.await.unwrap()
    }

    pub async fn send(&self, command: Command) -> server::writer::Answer {
        self.writer.send(city::envelope(command)).await.unwrap()
    }
}

/// A case on its way, a whistle now and then: work for all topics.
pub async fn work(writer: Writer, rounds: usize) {
    let mut raised = None;
    for round in 0..rounds {
        let answer = writer.send(city::envelope(city::report_case())).await.unwrap();
        let case = answer.case.unwrap();
        let mut commands = vec![Step::ACCEPT.take(case), Step::FILE.take(case)];
        if round % 3 == 0 {
            let call = WhistleCall {
                level: WhistleLevel::Street,
                area: city::AREAS[2].parse().unwrap(),
                title: "积水".to_owned(),
                case: Some(case),
                called: vec![city::DEPARTMENTS[0].parse().unwrap()],
            };
            commands.push(Command::RaiseWhistle { call });
        }
        commands.push(Command::NoteCase { case, text: format!("note {round}") });
        for command in commands {
            let answer = writer.send(city::envelope(command)).await.unwrap();
            raised = answer.whistle.or(raised);
        }
        if let Some(whistle) = raised.filter(|_| round % 6 == 1) {
            let close = Command::CloseWhistle { whistle, note: String::new() };
            writer.send(city::envelope(close)).await.unwrap();
        }
    }
}

pub async fn head_after(hall: &Hall) -> u64 {
    hall.send(city::report_case()).await.last_seq
}
