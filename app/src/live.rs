//! The one connection: the browser's socket, timers and requests under the client half that all of the hall shares.
//!
//! What should be here: dialling, and doing what `domain::feed` says. What should not: the parts below, what is painted (`board`).

mod ask;
mod health;
mod socket;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::feed::{Act, Follower, retry_ms};
use domain::scope::Scope;
use domain::wire::{KIND_POSITIONS, ServerMessage, Topic};
use domain::world::WorldKind;
use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use crate::board::Board;
use crate::hall::{Hall, monotonic_ms};
use crate::once::effect;
use crate::session::{Session, use_session};
use crate::world;
pub use health::{Health, Link, Why};
use socket::{End, Socket};

const WATCH_EVERY_MS: u32 = 250;
/// A page without its first connection says so after this, and why.
const SAY_ABSENT_AFTER_MS: u64 = 2_500;
/// A question whether the server is there is given up after this.
const ANSWER_WITHIN_MS: u32 = 5_000;

/// What a screen follows, of the city or of the part its reader sees. Positions come last: answers come in order, so that the first of them say that everything
/// before was answered.
pub const TOPICS: [Topic; 7] =
    [Topic::TALLY, Topic::OVERDUE, Topic::OPEN, Topic::WHISTLE, Topic::WHO, Topic::CASE, Topic::POSITIONS];

type PositionSink = Box<dyn Fn(&[u8])>;

struct Inner {
    board: Board,
    hall: Hall,
    health: Health,
    socket: RefCell<Option<Socket>>,
    positions: RefCell<Vec<PositionSink>>,
    attempts: Cell<u32>,
    /// Since when it is tried, and why it has not come, as far as known.
    opened_ms: u64,
    why: Cell<Why>,
    /// Counted on with each question whether the server is there, and when its answer is no longer waited for.
    question: Cell<u32>,
    closed: Cell<bool>,
    on_time: Box<dyn Fn()>,
}

/// The live connection of one page; clones share it.
#[derive(Clone)]
pub struct Live(Rc<Inner>);

impl Live {
    /// Connects and stays connected until `close`. `on_time` runs after each (re)connection and each heartbeat.
    pub fn open(board: Board, hall: Hall, on_time: impl Fn() + 'static) -> Self {
        let health = Health {
            link: RwSignal::new(Link::Connecting),
            divergences: RwSignal::new(None),
            age_ms: RwSignal::new(0),
            degraded: RwSignal::new(0),
            breaking: RwSignal::default(),
        };
        let live = Self(Rc::new(Inner {
            board,
            hall,
            health,
            socket: RefCell::default(),
            positions: RefCell::default(),
            attempts: Cell::new(0),
            opened_ms: now_ms(),
            why: Cell::new(Why::Unknown),
            question: Cell::new(0),
            closed: Cell::new(false),
            on_time: Box::new(on_time),
        }));
        live.begin();
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

    /// Gives every packed position frame (without the kind byte) to `sink`.
    pub fn on_positions(&self, sink: impl Fn(&[u8]) + 'static) {
        self.0.positions.borrow_mut().push(Box::new(sink));
    }

    /// A frame did not follow on what the screen holds.
    pub fn ask_positions_anew(&self) {
        self.tell(|follower, _| follower.positions_anew());
    }

    /// Connects as soon as it is known who looks: what is followed is what they see. The page asks that anyway; when its
    /// question stays without an answer, it is asked here.
    fn begin(&self) {
        let (live, signed) = (self.clone(), use_session());
        let live = SendWrapper::new(live);
        let late = live.clone();
        let begun = StoredValue::new(false);
        effect(move || {
            let session = signed.get();
            if begun.get_value() || session == Session::Asking {
                return;
            }
            begun.set_value(true);
            match session {
                Session::SignedIn(session) => live.follow(&session.scope),
                Session::SignedOut | Session::Asking => live.ask_whether_there(),
            }
        });
        Timeout::new(ANSWER_WITHIN_MS, move || {
            if begun.try_get_value() == Some(false) {
                begun.set_value(true);
                late.ask_whether_there();
            }
        })
        .forget();
    }

    fn follow(&self, scope: &Scope) {
        for act in self.0.board.follow(scope) {
            if let Act::Changed(kind) = act {
                self.0.board.repaint(kind);
            }
        }
        self.connect();
    }

    fn connect(&self) {
        self.0.board.tell(|follower| follower.dialled(now_ms()));
        let (opened, heard, ended) = (self.clone(), self.clone(), self.clone());
        let socket = Socket::open(
            move || opened.tell(Follower::connected),
            move |bytes| heard.hear(&bytes),
            move |end| ended.end(end),
        );
        match socket {
            Ok(socket) => drop(self.0.socket.replace(Some(socket))),
            Err(_) => self.lose(),
        }
    }

    /// Tells the follower something, and does what it then asks for.
    fn tell(&self, input: impl FnOnce(&mut Follower, u64)) {
        if self.0.closed.get() {
            return;
        }
        for act in self.0.board.tell(|follower| input(follower, now_ms())) {
            match act {
                Act::Say(message) => {
                    if let Some(socket) = self.0.socket.borrow().as_ref() {
                        socket.send(&message);
                    }
                }
                Act::Fetch(topic) => self.fetch(topic),
                Act::Changed(kind) => self.0.board.repaint(kind),
                Act::GiveUp => self.lose(),
                Act::Breaking(told) => self.0.health.breaking.set(told),
                Act::Refused { topic, code, words } => {
                    leptos::logging::warn!("the server refused {topic:?}: {code}: {words}");
                }
            }
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
            let silence = now_ms().saturating_sub(live.0.board.follows(Follower::heard_ms));
            let shown = (silence as u32).saturating_add(50) / 100 * 100;
            if shown.abs_diff(live.0.health.age_ms.get_untracked()) >= 500 {
                live.0.health.age_ms.set(shown);
            }
            live.say_whether_absent();
            live.tell(Follower::passed);
        }));
    }

    fn say_whether_absent(&self) {
        let (health, late) = (self.0.health, now_ms() - self.0.opened_ms > SAY_ABSENT_AFTER_MS);
        let never = matches!(health.link.get_untracked(), Link::Connecting | Link::Absent(_));
        if never && late {
            change(health.link, Link::Absent(self.0.why.get()));
        }
    }

    fn end(&self, end: End) {
        match end {
            End::Lost => self.lose(),
            // Whether somebody else has signed in here, or the page must be left, the server knows.
            End::SignedOut => {
                self.let_go();
                self.ask_whether_there();
            }
        }
    }

    /// The connection has ended or gone silent: say so, then try again.
    fn lose(&self) {
        if !self.0.closed.get() {
            self.let_go();
            self.retry();
        }
    }

    fn let_go(&self) {
        self.0.socket.replace(None);
        self.tell(|follower, _| follower.lost());
        if matches!(self.0.health.link.get_untracked(), Link::Live) {
            self.0.health.link.set(Link::Lost { since: self.0.hall.present() });
        }
    }

    /// Connects again after a wait. The second time on, the server is asked first whether it is there: a browser holds
    /// sockets to a host back for seconds once several have failed, and a session may have ended meanwhile.
    fn retry(&self) {
        let attempt = self.0.attempts.get();
        self.0.attempts.set(attempt.saturating_add(1));
        let live = self.clone();
        // A server of another protocol will say the same in a second, and a world that is gone hardly ever comes back.
        let is_gone = matches!(self.0.health.link.get_untracked(), Link::Gone { .. });
        let patience = if is_gone || self.0.why.get() == Why::OtherProtocol { 20 } else { 1 };
        Timeout::new(patience * retry_ms(attempt, js_sys::Math::random()), move || {
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
        ask::session(move |answer| {
            if !asked.settle(question) {
                return;
            }
            asked.learn(match answer {
                ask::Session::Open(_) => Why::NoSocket,
                ask::Session::SignedOut => Why::Unknown,
                ask::Session::Gone => Why::Unknown,
                ask::Session::NoAnswer => Why::ServerAway,
            });
            match answer {
                ask::Session::Open(scope) => asked.follow(&scope),
                ask::Session::SignedOut => {
                    asked.0.health.link.set(Link::SignedOut);
                    asked.retry();
                }
                ask::Session::Gone => {
                    let link = asked.0.health.link;
                    let since = match link.get_untracked() {
                        Link::Lost { since } | Link::Gone { since } => since,
                        Link::Connecting | Link::Absent(_) | Link::Live | Link::SignedOut => {
                            asked.0.hall.present()
                        }
                    };
                    change(link, Link::Gone { since });
                    asked.retry();
                }
                ask::Session::NoAnswer => asked.retry(),
            }
        });
        Timeout::new(ANSWER_WITHIN_MS, move || {
            if late.settle(question) {
                late.learn(Why::ServerAway);
                late.retry();
            }
        })
        .forget();
    }

    /// What the server said of its protocol stands until a connection succeeds.
    fn learn(&self, why: Why) {
        if self.0.why.get() != Why::OtherProtocol {
            self.0.why.set(why);
        }
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
        match bytes.split_first() {
            Some((&KIND_POSITIONS, frame)) => {
                self.tell(Follower::heard_positions);
                self.0.positions.borrow().iter().for_each(|sink| sink(frame));
            }
            Some((_, message)) => match postcard::from_bytes::<ServerMessage>(message) {
                Ok(message) => self.act_on(message),
                Err(error) => {
                    leptos::logging::warn!("message from the server not understood: {error}");
                    self.tell(|follower, _| follower.misheard());
                    self.look_whether_outdated();
                }
            },
            None => {}
        }
    }

    fn act_on(&self, message: ServerMessage) {
        let board = self.0.board;
        let welcome = matches!(message, ServerMessage::Welcome { .. });
        let says_time = welcome || matches!(message, ServerMessage::Heartbeat { .. });
        let refused = matches!(message, ServerMessage::Refused { .. });
        self.tell(|follower, now_ms| follower.hear(message, now_ms));
        if welcome || refused {
            self.look_whether_outdated();
        }
        if !says_time {
            return;
        }
        if let Some((server_ms, pace_milli)) = board.follows(Follower::server_time) {
            self.0.hall.set_server_time(server_ms, pace_milli);
            // Pictures are of the machine's time; a hall of another world goes by a time of its own.
            if world::kind() == WorldKind::Live {
                crate::player::server_time(server_ms);
            }
        }
        let health = self.0.health;
        change(health.degraded, board.follows(Follower::degraded));
        change(health.divergences, board.follows(Follower::divergences));
        if welcome && board.follows(Follower::is_welcomed) {
            self.0.attempts.set(0);
            self.0.why.set(Why::Unknown);
            health.link.set(Link::Live);
        }
        (self.0.on_time)();
    }

    /// Tells the page's supervisor (`scripts/start.ts`) whether the server has other pages than this one.
    fn look_whether_outdated(&self) {
        let board = self.0.board;
        if board.follows(Follower::is_of_other_protocol) {
            self.0.why.set(Why::OtherProtocol);
        }
        if let Some(root) = document().document_element() {
            // Without a supervisor the page stays as it is, and its link says what is wrong.
            let _ = match board.follows(Follower::is_outdated) {
                true => root.set_attribute("data-outdated", ""),
                false => root.remove_attribute("data-outdated"),
            };
        }
    }

    fn fetch(&self, topic: Topic) {
        let live = self.clone();
        ask::snapshot(topic.clone(), move |snapshot| {
            let snapshot = snapshot
                .inspect_err(|error| leptos::logging::warn!("snapshot of {topic} not taken: {error}"))
                .ok();
            let random = js_sys::Math::random();
            live.tell(|follower, now_ms| follower.fetched(&topic, snapshot, now_ms, random));
        });
    }
}

fn now_ms() -> u64 {
    monotonic_ms() as u64
}

fn change<T: PartialEq + Copy + Send + Sync + 'static>(signal: RwSignal<T>, to: T) {
    if signal.get_untracked() != to {
        signal.set(to);
    }
}
