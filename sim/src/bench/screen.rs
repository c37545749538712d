//! A screen without a browser: follows the feed by the product's own client half, asks what the product's wall asks,
//! notices a lost server and comes back.
//!
//! What should be here: the socket and the requests of one screen. What should not: what the protocol means
//! (`domain::feed`), how many screens there are, what is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::code::CaseId;
use domain::feed::{Act, Follower, focus, retry_ms};
use domain::wire::{ClientMessage, Incoming, Kind, ServerMessage, Snapshot, Topic};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::door::{Door, Socket};

/// What a wall follows, and a desk.
pub const TOPICS: [Topic; 7] = [
    Topic::TALLY,
    Topic::OVERDUE,
    Topic::OPEN,
    Topic::WHISTLE,
    Topic::WHO,
    Topic::CASE,
    // Last: answers come in order, so that the first positions say that everything before was answered.
    Topic::POSITIONS,
];

/// What all screens of a measurement have seen together.
#[derive(Debug, Default)]
pub struct Seen {
    pub bytes: AtomicU64,
    pub snapshots: AtomicU64,
    /// Deltas that did not follow on what was held, and events left out.
    pub gaps: AtomicU64,
    pub divergences: AtomicU64,
    /// Everything asked, once each: method and path, or the topic of a subscription.
    pub asked: Mutex<BTreeSet<String>>,
}

/// What one screen says of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stand {
    /// When it had everything again after it last connected.
    pub whole: Option<Instant>,
    /// Last event it has.
    pub event: u64,
    /// Keyed topics whose hash agreed with the server's since it last connected.
    pub agreed: usize,
}

/// Which of the product's pages a screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Looks at the case that most needs eyes.
    Wall,
    /// Lists the cases of a queue.
    Desk,
}

/// What a page's list asks for when it is opened: the queue of the account's power.
const FIRST_LIST: &str = "/api/v1/cases?limit=200&open=true&sort=due&stage=accept&count=true";

/// What one screen asks within `length`: method and path, or the topic of a subscription.
pub async fn asked_by(door: Arc<Door>, page: Page, length: Duration) -> BTreeSet<String> {
    let seen = Arc::new(Seen::default());
    let (screen, _) = Screen::as_page(page, door, seen.clone());
    // The screen follows until it is dropped, which the end of time does.
    let _ = tokio::time::timeout(length, screen.follow()).await;
    let asked = seen.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    asked.clone()
}

pub struct Screen {
    page: Page,
    door: Arc<Door>,
    seen: Arc<Seen>,
    stand: Arc<Mutex<Stand>>,
    follower: Follower,
    began: Instant,
    agreed: BTreeMap<Topic, bool>,
    /// The case in focus as it was last asked for.
    focus: Option<(CaseId, u64)>,
}

/// Why a connection ended: the server has gone.
struct Lost;

/// An answer of the server to one of a screen's questions.
enum Fetched {
    Snapshot(Topic, Option<Snapshot>),
    /// Read and let go.
    Other,
}

type Fetching = JoinSet<Fetched>;

impl Screen {
    /// A wall.
    pub fn new(door: Arc<Door>, seen: Arc<Seen>) -> (Self, Arc<Mutex<Stand>>) {
        Self::as_page(Page::Wall, door, seen)
    }

    pub fn as_page(page: Page, door: Arc<Door>, seen: Arc<Seen>) -> (Self, Arc<Mutex<Stand>>) {
        let stand = Arc::new(Mutex::new(Stand::default()));
        let screen = Self {
            page,
            door,
            seen,
            stand: stand.clone(),
            follower: Follower::new(TOPICS, ""),
            began: Instant::now(),
            agreed: BTreeMap::new(),
            focus: None,
        };
        (screen, stand)
    }

    /// Follows until the task is ended.
    pub async fn follow(mut self) {
        let mut fetching = Fetching::new();
        self.open_page(&mut fetching);
        let mut attempt = 0;
        loop {
            if let Ok(mut socket) = self.door.socket().await {
                let welcomed = self.connection(&mut socket, &mut fetching).await;
                attempt = if welcomed { 0 } else { attempt };
            }
            self.follower.lost();
            self.set(|stand| (stand.whole, stand.agreed) = (None, 0));
            tokio::time::sleep(Duration::from_millis(u64::from(retry_ms(attempt, rand::random())))).await;
            attempt += 1;
        }
    }

    /// What a page asks when it is opened, beside its own files.
    fn open_page(&mut self, fetching: &mut Fetching) {
        for path in ["/api/v1/session", "/api/v1/catalogue"] {
            self.ask(path.to_owned(), fetching);
        }
        let own = match self.page {
            Page::Wall => "/api/v1/walls",
            Page::Desk => FIRST_LIST,
        };
        self.ask(own.to_owned(), fetching);
        let (door, seen) = (self.door.clone(), self.seen.clone());
        fetching.spawn(async move {
            let map = "/api/v1/map";
            note(&seen, format!("GET {map}"));
            let answer = door.get(map).await.ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
            let layers = answer.and_then(|answer| answer["layers"].as_array().cloned()).unwrap_or_default();
            for layer in layers.iter().filter_map(Value::as_str) {
                note(&seen, format!("GET {layer}"));
                // A layer that is missing leaves a map without it.
                let _ = door.get(layer).await;
            }
            Fetched::Other
        });
    }

    fn ask(&self, path: String, fetching: &mut Fetching) {
        note(&self.seen, format!("GET {path}"));
        let door = self.door.clone();
        fetching.spawn(async move {
            // The screen shows what it has; what counts here is that the server answered.
            let _ = door.get(&path).await;
            Fetched::Other
        });
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// One connection until it is lost; whether the server welcomed it.
    async fn connection(&mut self, socket: &mut Socket, fetching: &mut Fetching) -> bool {
        self.agreed.clear();
        self.follower.connected(self.now_ms());
        let mut welcomed = false;
        let mut ticks = tokio::time::interval(Duration::from_millis(250));
        loop {
            if self.act(socket, fetching).await.is_err() {
                return welcomed;
            }
            self.look_whether_whole();
            tokio::select! {
                Some(fetched) = fetching.join_next() => {
                    if let Ok(Fetched::Snapshot(topic, snapshot)) = fetched {
                        self.follower.fetched(&topic, snapshot, self.now_ms(), rand::random());
                    }
                }
                _ = ticks.tick() => self.follower.passed(self.now_ms()),
                message = socket.next() => match message {
                    Some(Ok(message)) => {
                        self.seen.bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
                        if self.hear(&message).is_err() {
                            return welcomed;
                        }
                        welcomed |= self.follower.is_welcomed();
                    }
                    Some(Err(_)) | None => return welcomed,
                },
            }
        }
    }

    /// Does what the follower asks for.
    async fn act(&mut self, socket: &mut Socket, fetching: &mut Fetching) -> Result<(), Lost> {
        let before = self.follower.counts();
        while let Some(act) = self.follower.next_act() {
            match act {
                Act::Say(message) => {
                    if let ClientMessage::Subscribe { topic, .. } = &message {
                        note(&self.seen, format!("WS {topic}"));
                    }
                    socket.send(Message::binary(message.to_bytes())).await.map_err(|_| Lost)?;
                }
                Act::Fetch(topic) => self.fetch(topic, fetching),
                Act::Changed(Kind::Open) if self.page == Page::Wall => self.look_at_focus(fetching),
                Act::Changed(_) | Act::Breaking(_) => {}
                Act::GiveUp | Act::Refused { .. } => return Err(Lost),
            }
        }
        debug_assert!(before.gaps <= self.follower.counts().gaps, "counts grow");
        Ok(())
    }

    fn fetch(&self, topic: Topic, fetching: &mut Fetching) {
        self.seen.snapshots.fetch_add(1, Ordering::Relaxed);
        note(&self.seen, format!("GET /api/v1/live/snapshot?topic={topic}"));
        let door = self.door.clone();
        fetching.spawn(async move {
            let snapshot = door.snapshot(&topic).await.ok();
            Fetched::Snapshot(topic, snapshot)
        });
    }

    /// The words of the case in focus are asked for when it becomes another or changes, and the cameras beside it.
    fn look_at_focus(&mut self, fetching: &mut Fetching) {
        let held = self.follower.held();
        let shown = focus(held, self.focus.map(|(id, _)| id));
        let case = shown.and_then(|id| held.open.get(id.0));
        let stand = case.map(|case| (case.id, case.version));
        let moved = stand.map(|(id, _)| id) != self.focus.map(|(id, _)| id);
        if let Some((id, _)) = stand.filter(|stand| Some(*stand) != self.focus) {
            let spot = case.and_then(|case| case.place).filter(|_| moved);
            self.ask(format!("/api/v1/cases/{id}?limit=1"), fetching);
            if let Some(spot) = spot {
                let (lat, lon) = (spot.lat(), spot.lon());
                self.ask(format!("/api/v1/cameras?near={lat:.6},{lon:.6}&radius=800&limit=3"), fetching);
            }
        }
        self.focus = stand;
    }

    fn hear(&mut self, message: &Message) -> Result<(), Lost> {
        let Message::Binary(bytes) = message else { return Ok(()) };
        let now_ms = self.now_ms();
        let before = self.follower.counts();
        match Incoming::from_bytes(bytes) {
            Ok(Incoming::Message(message)) => {
                self.compare(&message);
                self.follower.hear(message, now_ms);
            }
            Ok(Incoming::Positions(_)) => self.follower.heard_positions(now_ms),
            Err(_) => return Err(Lost),
        }
        let after = self.follower.counts();
        let gaps = u64::from(after.gaps - before.gaps) + after.events_left_out - before.events_left_out;
        self.seen.gaps.fetch_add(gaps, Ordering::Relaxed);
        let divergences = u64::from(after.divergences - before.divergences);
        self.seen.divergences.fetch_add(divergences, Ordering::Relaxed);
        Ok(())
    }

    /// Notes which topics agree with the server, when a heartbeat says its hashes.
    fn compare(&mut self, message: &ServerMessage) {
        let ServerMessage::Heartbeat { hashes, head, .. } = message else { return };
        for (topic, version, hash) in hashes {
            let Some((_, own)) = self.follower.stand(topic) else { continue };
            let until = if topic.kind.counts_events() { (*head).max(*version) } else { *version };
            if (*version..=until).contains(&own)
                && let Some(held) = self.follower.held().hash(topic.kind)
            {
                self.agreed.insert(topic.clone(), held == hash.0);
            }
        }
        let agreed = self.agreed.values().filter(|agreed| **agreed).count();
        self.set(|stand| stand.agreed = agreed);
    }

    fn look_whether_whole(&mut self) {
        let whole = self.follower.is_whole();
        let event = self.follower.stand(&Topic::CASE).map_or(0, |(_, version)| version);
        self.set(|stand| {
            stand.event = event;
            if whole {
                stand.whole.get_or_insert_with(Instant::now);
            }
        });
    }

    fn set(&self, change: impl FnOnce(&mut Stand)) {
        change(&mut self.stand.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

fn note(seen: &Seen, asked: String) {
    seen.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(asked);
}
