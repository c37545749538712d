//! The live feed over real sockets: clients that come, lag, stall, misbehave and come back.

use axum::Router;
use domain::case::{Case, Step};
use domain::code::CaseId;
use domain::command::Command;
use domain::event::Recorded;
use domain::feed::{Applied, ById, Held, Lines, Rows};
use domain::position::{CellView, Frame};
use domain::tally::Tally;
use domain::whistle::{Whistle, WhistleCall, WhistleLevel};
use domain::wire::{ClientMessage, Incoming, OverdueRow, PROTOCOL, Payload, ServerMessage, Snapshot, Topic};
use futures_util::{SinkExt, StreamExt};
use server::live::{History, Hub, Limits};
use server::position::{Accepts, Fix, Positions, Settings};
use server::writer::Writer;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::city::{self, TestClock};

/// Long enough for a busy machine; every wait ends with what it waits for.
const PATIENCE: Duration = Duration::from_secs(60);

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
struct Counted(server::store::Reader, Arc<AtomicUsize>);

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
        let positions = Positions::open(None, settings, accepts).unwrap();
        let (hub, publisher) = Hub::new(limits, positions.clone());
        let (writer, reader) = city::start(dir, &TestClock::new(), Box::new(publisher));
        let reads = Arc::new(AtomicUsize::new(0));
        let history = Arc::new(Counted(reader, reads.clone()));
        let router: Router = server::live::router(hub.clone(), history);
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

    async fn send(&self, command: Command) -> server::writer::Answer {
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

pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    json: bool,
}

impl Client {
    async fn open(address: SocketAddr, json: bool) -> Result<Self, tungstenite::Error> {
        let query = if json { "?format=json" } else { "" };
        let url = format!("ws://{address}/live{query}");
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Self { socket, json })
    }

    /// Connects and greets.
    async fn connect(address: SocketAddr, json: bool) -> Self {
        let mut client = Self::open(address, json).await.unwrap();
        assert!(matches!(client.next().await, Some(Incoming::Message(ServerMessage::Welcome { .. }))));
        client.say(&ClientMessage::Hello { protocol: PROTOCOL }).await;
        client
    }

    async fn say(&mut self, message: &ClientMessage) {
        let message = match self.json {
            true => Message::text(serde_json::to_string(message).unwrap()),
            false => Message::binary(message.to_bytes()),
        };
        self.socket.send(message).await.unwrap();
    }

    async fn subscribe<T>(&mut self, topic: &Topic, held: &Held<T>) {
        let from = held.epoch.map(|_| held.version);
        let topic = topic.clone();
        self.say(&ClientMessage::Subscribe { topic, epoch: held.epoch, from, max_hz: None }).await;
    }

    /// The next message of the protocol; none when the connection has ended.
    async fn next(&mut self) -> Option<Incoming> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message comes");
            match message?.ok()? {
                Message::Text(text) => {
                    return Some(Incoming::Message(serde_json::from_str(&text).unwrap()));
                }
                Message::Binary(bytes) => return Some(Incoming::from_bytes(&bytes).unwrap()),
                Message::Close(_) => return None,
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Reads until the connection closes; the close code, if one came.
    async fn closed_with(&mut self) -> Option<CloseCode> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the connection ends") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

/// All topics as one screen holds them.
#[derive(Default)]
pub struct Screen {
    tally: Held<Tally>,
    overdue: Held<ById<OverdueRow>>,
    whistle: Held<ById<Whistle>>,
    case: Held<Lines>,
    /// Sequence numbers of the log as received.
    seqs: Vec<u64>,
    hashes_seen: usize,
}

impl Screen {
    async fn start(&mut self, hall: &Hall) {
        assert!(self.tally.start(&hall.snapshot(&Topic::Tally).await));
        assert!(self.overdue.start(&hall.snapshot(&Topic::Overdue).await));
        assert!(self.whistle.start(&hall.snapshot(&Topic::Whistle).await));
        assert!(self.case.start(&hall.snapshot(&Topic::Case(None)).await));
        self.seqs = (1..=self.case.version).collect();
    }

    async fn subscribe(&self, client: &mut Client) {
        client.subscribe(&Topic::Tally, &self.tally).await;
        client.subscribe(&Topic::Overdue, &self.overdue).await;
        client.subscribe(&Topic::Whistle, &self.whistle).await;
        client.subscribe(&Topic::Case(None), &self.case).await;
    }

    /// Takes one message; any gap or divergence is an error of the server.
    fn take(&mut self, message: &ServerMessage) {
        let applied = [
            self.tally.apply(&Topic::Tally, message),
            self.overdue.apply(&Topic::Overdue, message),
            self.whistle.apply(&Topic::Whistle, message),
            self.case.apply(&Topic::Case(None), message),
        ];
        let fine = applied.iter().all(|one| matches!(one, Applied::Advanced | Applied::Ignored));
        assert!(fine, "{applied:?} at {message:?}");
        if let ServerMessage::Delta { payload: Payload::Case(lines), .. } = message {
            self.seqs.extend(lines.iter().map(|line| line.seq));
        }
        if let ServerMessage::Heartbeat { hashes, .. } = message {
            let own = [
                (Topic::Tally, self.tally.version),
                (Topic::Overdue, self.overdue.version),
                (Topic::Whistle, self.whistle.version),
            ];
            let compared = own
                .iter()
                .all(|(topic, version)| hashes.iter().any(|(about, at, _)| about == topic && at == version));
            self.hashes_seen += usize::from(compared);
        }
    }

    /// Follows until the log has reached `seq` and all three hashes have been compared there.
    async fn follow_to(&mut self, client: &mut Client, seq: u64) {
        self.hashes_seen = 0;
        while self.case.version < seq || self.hashes_seen == 0 {
            match client.next().await.expect("the connection goes on") {
                Incoming::Message(message) => self.take(&message),
                Incoming::Positions(_) => panic!("positions were not asked for"),
            }
            if self.case.version < seq {
                self.hashes_seen = 0;
            }
        }
    }

    fn assert_complete(&self, seq: u64) {
        assert_eq!(self.seqs, (1..=seq).collect::<Vec<_>>(), "every event once and in order");
    }
}

async fn head_after(hall: &Hall) -> u64 {
    hall.send(city::report_case()).await.last_seq
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_and_the_feed_after_it_leave_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let working = tokio::spawn(work(hall.writer.clone(), 60));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (mut binary, mut json) = (Screen::default(), Screen::default());
    binary.start(&hall).await;
    json.start(&hall).await;
    let mut by_bytes = Client::connect(hall.address, false).await;
    let mut by_text = Client::connect(hall.address, true).await;
    binary.subscribe(&mut by_bytes).await;
    json.subscribe(&mut by_text).await;
    working.await.unwrap();
    let seq = head_after(&hall).await;
    binary.follow_to(&mut by_bytes, seq).await;
    json.follow_to(&mut by_text, seq).await;
    binary.assert_complete(seq);
    json.assert_complete(seq);
    // Both encodings say the same.
    assert_eq!(binary.tally, json.tally);
    assert_eq!(binary.overdue, json.overdue);
    assert_eq!(binary.whistle, json.whistle);
    assert!(!binary.whistle.rows.is_empty());
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cut_a_hundred_times_misses_nothing_and_sees_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let working = tokio::spawn(work(hall.writer.clone(), 120));
    let mut screen = Screen::default();
    screen.start(&hall).await;
    for cut in 0..100 {
        let mut client = Client::connect(hall.address, cut % 2 == 0).await;
        screen.subscribe(&mut client).await;
        for _ in 0..cut % 4 {
            if let Some(Incoming::Message(message)) = client.next().await {
                screen.take(&message);
            }
        }
    }
    working.await.unwrap();
    let seq = head_after(&hall).await;
    let mut client = Client::connect(hall.address, true).await;
    screen.subscribe(&mut client).await;
    screen.follow_to(&mut client, seq).await;
    screen.assert_complete(seq);
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_skips_in_keyed_topics_and_loses_no_event() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let mut screen = Screen::default();
    screen.start(&hall).await;
    let mut client = Client::connect(hall.address, true).await;
    screen.subscribe(&mut client).await;
    // Nothing is read while thousands of events pass.
    work(hall.writer.clone(), 300).await;
    let seq = head_after(&hall).await;
    screen.follow_to(&mut client, seq).await;
    screen.assert_complete(seq);
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_is_closed_and_others_do_not_notice() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { stall_ms: 5_000, ..quick() };
    let hall = Hall::start(dir.path(), limits).await;
    let began = tokio::time::Instant::now();
    let stalled = Client::connect(hall.address, false).await;
    let mut screen = Screen::default();
    screen.start(&hall).await;
    let mut client = Client::connect(hall.address, false).await;
    screen.subscribe(&mut client).await;
    while hall.hub.connections() == 2 {
        assert!(began.elapsed() < Duration::from_secs(60), "a stalled client is closed");
        if let Some(Incoming::Message(message)) = client.next().await {
            screen.take(&message);
        }
    }
    assert!(began.elapsed() > Duration::from_millis(4_500), "not before its time");
    let seq = head_after(&hall).await;
    screen.follow_to(&mut client, seq).await;
    drop(stalled);
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_many_screens_costs_the_store_one_read() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    work(hall.writer.clone(), 20).await;
    let mut screens: Vec<Screen> = Vec::new();
    for _ in 0..40 {
        let mut screen = Screen::default();
        screen.start(&hall).await;
        screens.push(screen);
    }
    // Events that no screen has seen when the server goes.
    work(hall.writer.clone(), 5).await;
    hall.stop().await;
    let hall = Hall::start(dir.path(), quick()).await;
    let seq = head_after(&hall).await;
    for screen in &mut screens {
        // Keyed topics are too far behind after a restart and start from the shared snapshot.
        let case = std::mem::take(&mut screen.case);
        let seqs = std::mem::take(&mut screen.seqs);
        screen.start(&hall).await;
        (screen.case, screen.seqs) = (case, seqs);
        let mut client = Client::connect(hall.address, false).await;
        screen.subscribe(&mut client).await;
        screen.follow_to(&mut client, seq).await;
        screen.assert_complete(seq);
    }
    assert_eq!(hall.reads.load(Ordering::SeqCst), 1, "reads of the store");
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_of_another_store_or_of_the_future_is_sent_back_to_the_snapshot() {
    use domain::wire::{Hex64, ResyncReason};
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let epoch = hall.snapshot(&Topic::Tally).await.epoch;
    let mut client = Client::connect(hall.address, true).await;
    for (claimed, from, expected) in
        [(Hex64(epoch.0 ^ 1), 0, ResyncReason::OtherEpoch), (epoch, 1_000_000, ResyncReason::AheadOfStore)]
    {
        let subscribe = ClientMessage::Subscribe {
            topic: Topic::Tally,
            epoch: Some(claimed),
            from: Some(from),
            max_hz: None,
        };
        client.say(&subscribe).await;
        loop {
            match client.next().await.unwrap() {
                Incoming::Message(ServerMessage::Resync { topic, reason }) => {
                    assert_eq!((topic, reason), (Topic::Tally, expected));
                    break;
                }
                Incoming::Message(ServerMessage::Heartbeat { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    hall.stop().await;
}

async fn refusal(client: &mut Client) -> (String, String) {
    // Heartbeats go on for ever, so the wait as a whole is bounded.
    let asked = tokio::time::timeout(PATIENCE, async {
        loop {
            match client.next().await.expect("an answer") {
                Incoming::Message(ServerMessage::Refused { code, words, .. }) => return (code, words),
                Incoming::Message(_) | Incoming::Positions(_) => {}
            }
        }
    });
    asked.await.expect("a refusal comes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_answered_in_words_and_in_the_end_with_a_closed_door() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), Limits { connections_max: 3, ..quick() }).await;
    let mut client = Client::open(hall.address, true).await.unwrap();
    let tally = Topic::Tally;
    client.subscribe::<Tally>(&tally, &Held::default()).await;
    assert_eq!(refusal(&mut client).await.0, "hello_first");
    for (said, word) in [
        ("{", "EOF"),
        (r#"{"subscribe":{"topic":"cases"}}"#, "not a topic"),
        (r#"{"subscribe":{"topic":"tally","form":3}}"#, "unknown field"),
        (r#"{"hello":{"protocol":"one"}}"#, "invalid type"),
    ] {
        client.socket.send(Message::text(said)).await.unwrap();
        let (code, words) = refusal(&mut client).await;
        assert!(code == "malformed" && words.contains(word), "{said}: {words}");
    }
    client.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(refusal(&mut client).await.1, "expected JSON text");
    for _ in 0..2 {
        client.socket.send(Message::text("[]")).await.unwrap();
    }
    assert_eq!(client.closed_with().await, Some(CloseCode::Policy));

    let mut other = Client::open(hall.address, false).await.unwrap();
    other.say(&ClientMessage::Hello { protocol: PROTOCOL + 1 }).await;
    let (code, words) = refusal(&mut other).await;
    assert!(code == "protocol" && words.contains(&format!("protocol {PROTOCOL}")), "{words}");
    assert_eq!(other.closed_with().await, Some(CloseCode::Policy));

    let mut big = Client::connect(hall.address, true).await;
    big.socket.send(Message::text("x".repeat(17 * 1024))).await.unwrap();
    assert_eq!(big.closed_with().await, Some(CloseCode::Size));

    let mut greedy = Client::connect(hall.address, false).await;
    for x in 0..65 {
        let topic = Topic::Position(domain::position::Cell { x, y: 1 });
        greedy.subscribe::<Tally>(&topic, &Held::default()).await;
    }
    assert_eq!(refusal(&mut greedy).await.0, "too_many_subscriptions");
    // Bursts, because a busy machine may spread one over so many seconds that the pace is kept.
    let mut told = None;
    while told.is_none() {
        for _ in 0..110 {
            greedy.say(&ClientMessage::Unsubscribe { topic: Topic::Tally }).await;
        }
        told = tokio::time::timeout(Duration::from_millis(500), refusal(&mut greedy)).await.ok();
    }
    assert_eq!(told.map(|(code, _)| code).as_deref(), Some("too_many_messages"));
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_the_limit_a_screen_is_told_when_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), Limits { connections_max: 2, ..quick() }).await;
    let first = Client::connect(hall.address, false).await;
    let _second = Client::connect(hall.address, false).await;
    match Client::open(hall.address, false).await.err() {
        Some(tungstenite::Error::Http(answer)) => {
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], "2");
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    let began = tokio::time::Instant::now();
    while Client::open(hall.address, false).await.is_err() {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_known_already_is_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    hall.send(city::report_case()).await;
    let url = format!("http://{}/api/v1/live/snapshot?topic=tally&format=json", hall.address);
    let asked = tokio::task::spawn_blocking(move || {
        let first = ureq::get(&url).call().unwrap();
        let etag = first.headers()["etag"].to_str().unwrap().to_owned();
        let text = first.into_body().read_to_string().unwrap();
        let again = ureq::get(&url).header("if-none-match", &etag).call().unwrap();
        let wrong = ureq::get(&url.replace("tally", "tallies"))
            .config()
            .http_status_as_error(false)
            .build()
            .call()
            .unwrap();
        (text, etag, again.status().as_u16(), wrong.status().as_u16())
    });
    let (text, etag, again, wrong) = asked.await.unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(etag, format!("\"{}:{}\"", snapshot.epoch, snapshot.version));
    assert_eq!((again, wrong), (304, 400));
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_topic_of_an_area_has_only_its_cases_and_a_whole_start_needs_no_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let elsewhere = city::report(city::AREAS[3], city::CLASSES[0], city::SOURCES[0]);
    let mut client = Client::connect(hall.address, true).await;
    let street = Topic::Case(Some(city::AREAS[2].parse().unwrap()));
    client.subscribe::<Lines>(&street, &Held::default()).await;
    client.subscribe::<Tally>(&Topic::Tally, &Held::default()).await;
    hall.send(Command::ReportCase { report: elsewhere, at: None }).await;
    let here = hall.send(city::report_case()).await;
    let (mut lines, mut tally) = (Held::<Lines>::default(), Held::<Tally>::default());
    while lines.version < here.last_seq || tally.rows.iter().count() == 0 {
        if let Some(Incoming::Message(message)) = client.next().await {
            assert_ne!(lines.apply(&street, &message), Applied::Gap);
            assert_ne!(tally.apply(&Topic::Tally, &message), Applied::Gap);
        }
    }
    let cases: Vec<CaseId> =
        lines.rows.0.iter().filter_map(|line| line.case.as_ref()).map(|case| case.id).collect();
    assert_eq!(cases, [here.case.unwrap()]);
    assert!(tally.rows.hash().is_some_and(|hash| hash != 0));
    hall.stop().await;
}

fn fix(number: usize, lat: f64, lon: f64) -> Fix {
    Fix {
        inspector: format!("jd-{number}").parse().unwrap(),
        place: domain::place::Point::from_degrees(lat, lon).unwrap(),
        fixed: server::clock::now(),
        speed_mps: Some(1.2),
        heading_deg: Some(90.0),
        accuracy_m: None,
        source: "test".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inspectors_move_on_both_feeds_and_between_cells() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    hall.positions.report(&[fix(1, 25.05, 102.75), fix(2, 25.05, 102.76)]);
    let mut packed = Client::connect(hall.address, false).await;
    let mut rows = Client::connect(hall.address, true).await;
    packed.subscribe::<Tally>(&Topic::Positions, &Held::default()).await;
    rows.subscribe::<Tally>(&Topic::Positions, &Held::default()).await;
    let mut cells: std::collections::BTreeMap<_, CellView> = std::collections::BTreeMap::new();
    let mut seen = std::collections::BTreeMap::new();
    let mut step = 0;
    while step < 40 {
        step += 1;
        let lon = 102.75 + f64::from(step) * 0.003;
        hall.positions.report(&[fix(1, 25.05, lon)]);
        let mut told = 0;
        while told < 2 {
            tokio::select! {
                message = packed.next() => if let Some(Incoming::Positions(frame)) = message {
                    let frame: Frame = frame;
                    assert!(cells.entry(frame.cell).or_default().apply(&frame), "{frame:?}");
                    told = 2;
                },
                message = rows.next() => if let Some(Incoming::Message(ServerMessage::Delta {
                    payload: Payload::Positions(moved), ..
                })) = message {
                    for row in moved {
                        seen.insert(row.inspector.to_string(), row.place);
                    }
                },
            }
        }
    }
    let began = tokio::time::Instant::now();
    let last = domain::place::Point::from_degrees(25.05, 102.87);
    while seen.get("jd-1") != Some(&last)
        || cells.values().flat_map(|cell| cell.people.values()).all(|seen| seen.at.lon != 10_287_000)
    {
        assert!(began.elapsed() < PATIENCE, "{seen:?} {cells:?}");
        tokio::select! {
            message = packed.next() => if let Some(Incoming::Positions(frame)) = message {
                assert!(cells.entry(frame.cell).or_default().apply(&frame));
            },
            message = rows.next() => if let Some(Incoming::Message(ServerMessage::Delta {
                payload: Payload::Positions(moved), ..
            })) = message {
                for row in moved {
                    seen.insert(row.inspector.to_string(), row.place);
                }
            },
        }
    }
    let people: usize = cells.values().map(|cell| cell.people.len()).sum();
    assert_eq!((people, cells.len()), (2, 2), "one in each cell, nobody twice");
    // The heartbeat's hash over everyone is the hash of what was received.
    let own = cells.values().fold(0, |hash, cell| hash ^ cell.hash());
    loop {
        match packed.next().await.unwrap() {
            Incoming::Message(ServerMessage::Heartbeat { hashes, .. }) if !hashes.is_empty() => {
                let everyone = hashes.iter().find(|(topic, ..)| *topic == Topic::Positions).unwrap();
                assert_eq!(everyone.2.0, own);
                break;
            }
            _ => {}
        }
    }
    hall.stop().await;
}
