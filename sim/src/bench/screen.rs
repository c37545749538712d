//! A screen without a browser: follows the feed, notices a lost server and comes back, as `app::live` does it.
//!
//! What should be here: the protocol's client with what it holds. What should not: how many there are, what is measured.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::feed::{Applied, ById, Held, Lines, Rows, retry_ms};
use domain::tally::Tally;
use domain::whistle::Whistle;
use domain::wire::{ClientMessage, Hex64, Incoming, OverdueRow, Payload, ServerMessage, Snapshot, Topic};
use futures_util::{SinkExt, StreamExt};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::door::{Door, Socket};

/// Deltas of keyed topics a second that a screen asks for.
const KEYED_HZ: u8 = 2;

/// What all screens of a measurement have seen together.
#[derive(Debug, Default)]
pub struct Seen {
    pub bytes: AtomicU64,
    pub snapshots: AtomicU64,
    /// Events that did not follow on the one before.
    pub gaps: AtomicU64,
    pub divergences: AtomicU64,
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

pub struct Screen {
    door: Arc<Door>,
    seen: Arc<Seen>,
    stand: Arc<Mutex<Stand>>,
    tally: Held<Tally>,
    overdue: Held<ById<OverdueRow>>,
    whistle: Held<ById<Whistle>>,
    case: Held<Lines>,
    /// Head of the log when this connection was welcomed, while something is still missing.
    missing: Option<u64>,
    positions: bool,
    agreed: BTreeMap<Topic, bool>,
}

/// Why a connection ended: the server has gone.
struct Lost;

impl Screen {
    pub fn new(door: Arc<Door>, seen: Arc<Seen>) -> (Self, Arc<Mutex<Stand>>) {
        let stand = Arc::new(Mutex::new(Stand::default()));
        let screen = Self {
            door,
            seen,
            stand: stand.clone(),
            tally: Held::default(),
            overdue: Held::default(),
            whistle: Held::default(),
            case: Held::default(),
            missing: None,
            positions: false,
            agreed: BTreeMap::new(),
        };
        (screen, stand)
    }

    /// Follows until the task is ended.
    pub async fn follow(mut self) {
        let mut attempt = 0;
        loop {
            if let Ok(mut socket) = self.door.screen(&[]).await {
                let welcomed = self.connection(&mut socket).await;
                attempt = if welcomed { 0 } else { attempt };
            }
            self.set(|stand| (stand.whole, stand.agreed) = (None, 0));
            tokio::time::sleep(Duration::from_millis(u64::from(retry_ms(attempt, rand::random())))).await;
            attempt += 1;
        }
    }

    /// One connection until it is lost; whether the server welcomed it.
    async fn connection(&mut self, socket: &mut Socket) -> bool {
        let mut fetching: JoinSet<anyhow::Result<Snapshot>> = JoinSet::new();
        let mut welcomed = false;
        self.agreed.clear();
        loop {
            let outcome = tokio::select! {
                Some(fetched) = fetching.join_next() => match fetched {
                    Ok(Ok(snapshot)) => self.start_from(&snapshot, socket).await,
                    // The server went away meanwhile; the socket says so too.
                    Ok(Err(_)) | Err(_) => Err(Lost),
                },
                message = socket.next() => match message {
                    Some(Ok(message)) => {
                        self.seen.bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
                        self.hear(&message, socket, &mut fetching, &mut welcomed).await
                    }
                    Some(Err(_)) | None => Err(Lost),
                },
            };
            if outcome.is_err() {
                return welcomed;
            }
            self.look_whether_whole(fetching.is_empty());
        }
    }

    async fn hear(
        &mut self,
        message: &Message,
        socket: &mut Socket,
        fetching: &mut JoinSet<anyhow::Result<Snapshot>>,
        welcomed: &mut bool,
    ) -> Result<(), Lost> {
        let Message::Binary(bytes) = message else { return Ok(()) };
        let message = match Incoming::from_bytes(bytes) {
            Ok(Incoming::Message(message)) => message,
            Ok(Incoming::Positions(_)) => {
                self.positions = true;
                return Ok(());
            }
            Err(_) => return Err(Lost),
        };
        match &message {
            ServerMessage::Welcome { head, .. } => {
                *welcomed = true;
                (self.missing, self.positions) = (Some(*head), false);
                for topic in [Topic::Tally, Topic::Overdue, Topic::Whistle, Topic::Case(None)] {
                    match self.place(&topic) {
                        Some(place) => self.say(socket, topic, Some(place), Some(KEYED_HZ)).await?,
                        None => self.fetch(topic, fetching),
                    }
                }
                // Last: answers come in order, so that the first positions say that everything before was answered.
                self.say(socket, Topic::Positions, None, None).await?;
            }
            ServerMessage::Resync { topic, .. } => self.fetch(topic.clone(), fetching),
            ServerMessage::Delta { .. } | ServerMessage::Heartbeat { .. } => {
                self.apply(&message, fetching);
            }
            ServerMessage::Refused { .. } => return Err(Lost),
        }
        Ok(())
    }

    fn apply(&mut self, message: &ServerMessage, fetching: &mut JoinSet<anyhow::Result<Snapshot>>) {
        if let ServerMessage::Delta { topic: Topic::Case(None), payload: Payload::Case(lines), from, .. } =
            message
            && self.case.epoch.is_some()
        {
            let numbers = lines.iter().map(|line| line.seq);
            let follows = numbers.zip(from + 1..).all(|(is, expected)| is == expected);
            self.seen.gaps.fetch_add(u64::from(!follows), Ordering::Relaxed);
        }
        let outcomes = [
            (Topic::Tally, self.tally.apply(&Topic::Tally, message)),
            (Topic::Overdue, self.overdue.apply(&Topic::Overdue, message)),
            (Topic::Whistle, self.whistle.apply(&Topic::Whistle, message)),
            (Topic::Case(None), self.case.apply(&Topic::Case(None), message)),
        ];
        for (topic, outcome) in outcomes {
            match outcome {
                Applied::Advanced | Applied::Ignored => {}
                Applied::Gap => drop(self.seen.gaps.fetch_add(1, Ordering::Relaxed)),
                Applied::Diverged => {
                    self.seen.divergences.fetch_add(1, Ordering::Relaxed);
                    self.agreed.insert(topic.clone(), false);
                    self.fetch(topic, fetching);
                }
                Applied::StartAnew => self.fetch(topic, fetching),
            }
        }
        if let ServerMessage::Heartbeat { hashes, .. } = message {
            for (topic, version, hash) in hashes {
                if self.hash_at(topic, *version) == Some(hash.0) {
                    self.agreed.insert(topic.clone(), true);
                }
            }
            let agreed = self.agreed.values().filter(|agreed| **agreed).count();
            self.set(|stand| stand.agreed = agreed);
        }
    }

    /// The own hash of a keyed topic, when it stands at `version`.
    fn hash_at(&self, topic: &Topic, version: u64) -> Option<u64> {
        fn of<T: Rows>(held: &Held<T>, version: u64) -> Option<u64> {
            (held.version == version && held.epoch.is_some()).then(|| held.rows.hash())?
        }
        match topic {
            Topic::Tally => of(&self.tally, version),
            Topic::Overdue => of(&self.overdue, version),
            Topic::Whistle => of(&self.whistle, version),
            Topic::Case(_) | Topic::Positions | Topic::Position(_) => None,
        }
    }

    fn place(&self, topic: &Topic) -> Option<(Hex64, u64)> {
        let (epoch, version) = match topic {
            Topic::Tally => (self.tally.epoch, self.tally.version),
            Topic::Overdue => (self.overdue.epoch, self.overdue.version),
            Topic::Whistle => (self.whistle.epoch, self.whistle.version),
            Topic::Case(_) => (self.case.epoch, self.case.version),
            Topic::Positions | Topic::Position(_) => (None, 0),
        };
        Some((epoch?, version))
    }

    fn fetch(&self, topic: Topic, fetching: &mut JoinSet<anyhow::Result<Snapshot>>) {
        self.seen.snapshots.fetch_add(1, Ordering::Relaxed);
        let door = self.door.clone();
        fetching.spawn(async move { door.snapshot(&topic).await });
    }

    async fn start_from(&mut self, snapshot: &Snapshot, socket: &mut Socket) -> Result<(), Lost> {
        let taken = match snapshot.topic {
            Topic::Tally => self.tally.start(snapshot),
            Topic::Overdue => self.overdue.start(snapshot),
            Topic::Whistle => self.whistle.start(snapshot),
            Topic::Case(_) => self.case.start(snapshot),
            Topic::Positions | Topic::Position(_) => false,
        };
        if !taken {
            return Err(Lost);
        }
        let place = self.place(&snapshot.topic);
        self.say(socket, snapshot.topic.clone(), place, Some(KEYED_HZ)).await
    }

    async fn say(
        &self,
        socket: &mut Socket,
        topic: Topic,
        place: Option<(Hex64, u64)>,
        hz: Option<u8>,
    ) -> Result<(), Lost> {
        let max_hz = hz.filter(|_| matches!(topic, Topic::Tally | Topic::Overdue | Topic::Whistle));
        let (epoch, from) = place.unzip();
        let message = ClientMessage::Subscribe { topic, epoch, from, max_hz };
        socket.send(Message::binary(message.to_bytes())).await.map_err(|_| Lost)
    }

    /// A screen is whole once nothing is on its way and it has every event the log held when it was welcomed.
    fn look_whether_whole(&mut self, fetched: bool) {
        let event = self.case.version;
        let reached = fetched && self.positions && self.missing.is_some_and(|head| event >= head);
        if reached {
            self.missing = None;
        }
        self.set(|stand| {
            stand.event = event;
            if reached {
                stand.whole = Some(Instant::now());
            }
        });
    }

    fn set(&self, change: impl FnOnce(&mut Stand)) {
        change(&mut self.stand.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}
