//! The one connection: connect, follow each topic, notice silence, come back by itself.
//!
//! What should be here: what to say to the server and when. What should not: the socket itself (`live/socket.rs`),
//! taking snapshots (`live/snapshot.rs`), what the messages mean for the screen (`board`).

mod socket;
mod snapshot;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use domain::feed::retry_ms;
use domain::moment::UtcMillis;
use domain::wire::{ClientMessage, Hex64, KIND_POSITIONS, PROTOCOL, ResyncReason, ServerMessage, Topic};
use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;

use crate::board::Board;
use crate::hall::{Hall, monotonic_ms};
use socket::Socket;

/// Heartbeats come each second: after this silence the connection is called lost, so that the words stand on the
/// screen within three seconds.
const SILENCE_MS: f64 = 2_500.0;
const WATCH_EVERY_MS: u32 = 250;
/// A connection that does not open is given up after this.
const OPEN_WITHIN_MS: f64 = 5_000.0;
/// Events asked for before the present, so that the log strip and the alarm rate start filled.
const EVENTS_BACK: u64 = 1_500;
/// Tally and board deltas a second; the board repaints more slowly anyway.
const KEYED_HZ: u8 = 2;

/// What can be said about the connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Link {
    /// The first connection is on its way.
    Connecting,
    Live,
    /// Since when, on the hall's clock.
    Lost {
        since: UtcMillis,
    },
    /// The server wants a sign-in.
    SignedOut,
}

/// The connection's health as screens show it.
#[derive(Clone, Copy)]
pub struct Health {
    pub link: RwSignal<Link>,
    /// How often the state here differed from the server's and was taken anew.
    pub divergences: RwSignal<u32>,
    /// Milliseconds since the server was last heard.
    pub age_ms: RwSignal<u32>,
    /// 0 normal; 1–3 positions are thinned out.
    pub degraded: RwSignal<u8>,
}

type PositionSink = Box<dyn Fn(&[u8])>;

/// Where a topic stands on this screen.
#[derive(Clone, Copy)]
enum Stand {
    /// A snapshot is on its way.
    Fetching,
    At {
        epoch: Hex64,
        version: u64,
    },
}

struct Inner {
    board: Board,
    hall: Hall,
    health: Health,
    topics: Vec<Topic>,
    stands: RefCell<BTreeMap<Topic, Stand>>,
    socket: RefCell<Option<Socket>>,
    positions: RefCell<Vec<PositionSink>>,
    welcomed: Cell<bool>,
    heard_ms: Cell<f64>,
    attempts: Cell<u32>,
    /// Counted on with each question whether the server is there, and when its answer is no longer waited for.
    question: Cell<u32>,
    epoch: Cell<Option<Hex64>>,
    closed: Cell<bool>,
    on_welcome: Box<dyn Fn()>,
}

/// The live connection of one page; clones share it.
#[derive(Clone)]
pub struct Live(Rc<Inner>);

impl Live {
    /// Connects and stays connected until `close`. `on_welcome` runs after each (re)connection.
    pub fn open(board: Board, hall: Hall, topics: Vec<Topic>, on_welcome: impl Fn() + 'static) -> Self {
        let health = Health {
            link: RwSignal::new(Link::Connecting),
            divergences: RwSignal::new(0),
            age_ms: RwSignal::new(0),
            degraded: RwSignal::new(0),
        };
        let live = Self(Rc::new(Inner {
            board,
            hall,
            health,
            topics,
            stands: RefCell::default(),
            socket: RefCell::default(),
            positions: RefCell::default(),
            welcomed: Cell::new(false),
            heard_ms: Cell::new(monotonic_ms()),
            attempts: Cell::new(0),
            question: Cell::new(0),
            epoch: Cell::new(None),
            closed: Cell::new(false),
            on_welcome: Box::new(on_welcome),
        }));
        live.connect();
        live.watch();
        live
    }

    pub fn health(&self) -> Health {
        self.0.health
    }

    /// Ends the connection for good, when its page is left.
    pub fn close(&self) {
        self.0.closed.set(true);
        self.0.socket.replace(None);
        self.0.positions.borrow_mut().clear();
    }

    /// Gives every packed position frame (without the kind byte) to `sink`, and subscribes to them.
    pub fn on_positions(&self, sink: impl Fn(&[u8]) + 'static) {
        self.0.positions.borrow_mut().push(Box::new(sink));
        if self.0.welcomed.get() {
            self.subscribe(&Topic::Positions, None);
        }
    }

    /// A frame did not follow on what the screen holds.
    pub fn ask_positions_anew(&self) {
        self.say(&ClientMessage::Unsubscribe { topic: Topic::Positions });
        self.subscribe(&Topic::Positions, None);
    }

    fn connect(&self) {
        self.0.welcomed.set(false);
        self.0.heard_ms.set(monotonic_ms());
        let (opened, heard, ended) = (self.clone(), self.clone(), self.clone());
        let socket = Socket::open(
            move || opened.say(&ClientMessage::Hello { protocol: PROTOCOL }),
            move |bytes| heard.hear(&bytes),
            move || ended.lose(),
        );
        match socket {
            Ok(socket) => drop(self.0.socket.replace(Some(socket))),
            Err(_) => self.lose(),
        }
    }

    /// One timer looks for silence and writes the data's age.
    fn watch(&self) {
        let live = self.clone();
        let watch: Rc<RefCell<Option<Interval>>> = Rc::default();
        let own = watch.clone();
        *watch.borrow_mut() = Some(Interval::new(WATCH_EVERY_MS, move || {
            if live.0.closed.get() {
                // Dropping the interval from within itself is allowed once its callback has returned.
                let own = own.clone();
                Timeout::new(0, move || drop(own.borrow_mut().take())).forget();
                return;
            }
            let silence = monotonic_ms() - live.0.heard_ms.get();
            let limit = if live.0.welcomed.get() { SILENCE_MS } else { OPEN_WITHIN_MS };
            let shown = (silence / 100.0).round() as u32 * 100;
            if shown.abs_diff(live.0.health.age_ms.get_untracked()) >= 500 {
                live.0.health.age_ms.set(shown);
            }
            if silence > limit && live.0.socket.borrow().is_some() {
                live.lose();
            }
        }));
    }

    /// The connection has ended or gone silent: say so, then try again.
    fn lose(&self) {
        if self.0.closed.get() {
            return;
        }
        self.0.socket.replace(None);
        self.0.welcomed.set(false);
        if matches!(self.0.health.link.get_untracked(), Link::Live) {
            self.0.health.link.set(Link::Lost { since: self.0.hall.present() });
        }
        self.retry();
    }

    /// Connects again after a wait. The second time on, the server is asked first whether it is there: a browser holds
    /// sockets to a host back for seconds once several have failed, and a session may have ended meanwhile.
    fn retry(&self) {
        let attempt = self.0.attempts.get();
        self.0.attempts.set(attempt.saturating_add(1));
        let live = self.clone();
        Timeout::new(retry_ms(attempt, js_sys::Math::random()), move || {
            if live.0.closed.get() || live.0.socket.borrow().is_some() {
                return;
            }
            if attempt == 0 { live.connect() } else { live.ask_whether_there() }
        })
        .forget();
    }

    fn ask_whether_there(&self) {
        let question = self.0.question.get().wrapping_add(1);
        self.0.question.set(question);
        let (asked, late) = (self.clone(), self.clone());
        snapshot::ask_session(move |answer| {
            if !asked.settle(question) {
                return;
            }
            match answer {
                snapshot::Session::Open => asked.connect(),
                snapshot::Session::SignedOut => {
                    asked.0.health.link.set(Link::SignedOut);
                    asked.retry();
                }
                snapshot::Session::NoAnswer => asked.retry(),
            }
        });
        Timeout::new(OPEN_WITHIN_MS as u32, move || {
            if late.settle(question) {
                late.retry();
            }
        })
        .forget();
    }

    /// Whether this question was still open and the page still wants its answer; it is closed then.
    fn settle(&self, question: u32) -> bool {
        let open = self.0.question.get() == question && !self.0.closed.get();
        if open {
            self.0.question.set(question.wrapping_add(1));
        }
        open
    }

    fn hear(&self, bytes: &[u8]) {
        self.0.heard_ms.set(monotonic_ms());
        match bytes.split_first() {
            Some((&KIND_POSITIONS, frame)) => {
                self.0.positions.borrow().iter().for_each(|sink| sink(frame));
            }
            Some((_, message)) => match postcard::from_bytes::<ServerMessage>(message) {
                Ok(message) => self.act_on(message),
                Err(error) => leptos::logging::warn!("message from the server not understood: {error}"),
            },
            None => {}
        }
    }

    fn act_on(&self, message: ServerMessage) {
        match message {
            ServerMessage::Welcome { epoch, server_ms, .. } => self.welcome(epoch, server_ms),
            ServerMessage::Delta { topic, epoch, from, to, payload } => {
                self.delta(topic, epoch, from, to, payload);
            }
            ServerMessage::Heartbeat { server_ms, hashes, degraded, .. } => {
                self.0.hall.set_server_time(server_ms);
                self.0.health.degraded.set(degraded);
                hashes.into_iter().for_each(|(topic, version, hash)| self.compare(&topic, version, hash.0));
            }
            ServerMessage::Resync { topic, reason } => {
                if reason == ResyncReason::OtherEpoch {
                    self.0.board.forget_cases();
                }
                self.fetch(&topic);
            }
            ServerMessage::Refused { topic, code, words } => {
                leptos::logging::warn!("the server refused {topic:?}: {code}: {words}");
            }
        }
    }

    fn welcome(&self, epoch: Hex64, server_ms: UtcMillis) {
        self.0.welcomed.set(true);
        self.0.attempts.set(0);
        self.0.hall.set_server_time(server_ms);
        self.0.health.link.set(Link::Live);
        if self.0.epoch.replace(Some(epoch)).is_some_and(|held| held != epoch) {
            self.0.stands.borrow_mut().clear();
            self.0.board.forget_cases();
        }
        for topic in &self.0.topics {
            let stand = self.0.stands.borrow().get(topic).copied();
            match stand {
                Some(Stand::At { epoch, version }) => self.subscribe(topic, Some((epoch, version))),
                Some(Stand::Fetching) | None => self.fetch(topic),
            }
        }
        if !self.0.positions.borrow().is_empty() {
            self.subscribe(&Topic::Positions, None);
        }
        (self.0.on_welcome)();
    }

    fn delta(&self, topic: Topic, epoch: Hex64, from: u64, to: u64, payload: domain::wire::Payload) {
        let stand = self.0.stands.borrow().get(&topic).copied();
        match stand {
            Some(Stand::At { epoch: held, version }) if held == epoch && version == from => {
                self.0.stands.borrow_mut().insert(topic, Stand::At { epoch, version: to });
                self.0.board.apply(payload);
            }
            // Already here, or a snapshot will bring it.
            Some(Stand::At { epoch: held, version }) if held == epoch && to <= version => {}
            Some(Stand::Fetching) | None => {}
            Some(Stand::At { epoch, version }) => self.subscribe(&topic, Some((epoch, version))),
        }
    }

    /// The server's hash of a topic at a version against ours.
    fn compare(&self, topic: &Topic, version: u64, hash: u64) {
        let stand = self.0.stands.borrow().get(topic).copied();
        let here = matches!(stand, Some(Stand::At { version: at, .. }) if at == version);
        if here && self.0.board.hash(topic).is_some_and(|held| held != hash) {
            leptos::logging::warn!("state of {topic} differs from the server's at {version}; taken anew");
            self.0.health.divergences.update(|count| *count += 1);
            self.fetch(topic);
        }
    }

    /// Takes a topic's snapshot, then follows it from there.
    fn fetch(&self, topic: &Topic) {
        if let Topic::Positions | Topic::Position(_) = topic {
            return self.subscribe(topic, None);
        }
        self.0.stands.borrow_mut().insert(topic.clone(), Stand::Fetching);
        let (live, topic) = (self.clone(), topic.clone());
        snapshot::take(topic.clone(), move |snapshot| {
            if live.0.closed.get() {
                return;
            }
            match snapshot {
                Ok(snapshot) => live.start_from(snapshot),
                Err(error) => {
                    leptos::logging::warn!("snapshot of {topic} not taken: {error}");
                    live.0.stands.borrow_mut().remove(&topic);
                    let again = live.clone();
                    Timeout::new(retry_ms(2, js_sys::Math::random()), move || {
                        let waits = !again.0.stands.borrow().contains_key(&topic);
                        if waits && again.0.welcomed.get() && !again.0.closed.get() {
                            again.fetch(&topic);
                        }
                    })
                    .forget();
                }
            }
        });
    }

    fn start_from(&self, snapshot: domain::wire::Snapshot) {
        let (topic, epoch) = (snapshot.topic, snapshot.epoch);
        // Events are followed from a little before the present.
        let version = match &topic {
            Topic::Case(_) => snapshot.version.saturating_sub(EVENTS_BACK),
            Topic::Tally | Topic::Overdue | Topic::Whistle | Topic::Positions | Topic::Position(_) => {
                snapshot.version
            }
        };
        self.0.board.replace(&topic, snapshot.payload);
        self.0.stands.borrow_mut().insert(topic.clone(), Stand::At { epoch, version });
        if self.0.welcomed.get() {
            self.subscribe(&topic, Some((epoch, version)));
        }
    }

    fn subscribe(&self, topic: &Topic, stand: Option<(Hex64, u64)>) {
        let max_hz = match topic {
            Topic::Tally | Topic::Overdue | Topic::Whistle => Some(KEYED_HZ),
            Topic::Case(_) | Topic::Positions | Topic::Position(_) => None,
        };
        self.say(&ClientMessage::Subscribe {
            topic: topic.clone(),
            epoch: stand.map(|(epoch, _)| epoch),
            from: stand.map(|(_, version)| version),
            max_hz,
        });
    }

    fn say(&self, message: &ClientMessage) {
        if let Some(socket) = self.0.socket.borrow().as_ref() {
            socket.send(message);
        }
    }
}
