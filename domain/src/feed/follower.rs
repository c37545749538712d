//! The state machine: told what happens on the connection, it says what to do next.
//!
//! What should be here: subscribing, resuming, comparing hashes, noticing silence. What should not: when to dial again
//! (`retry_ms`), which is the owner of the socket's affair.

use std::collections::{BTreeSet, VecDeque};

use super::stand::{Act, Counts, Following, Stand};
use super::{EVENTS_BACK, EVENTS_KEPT, Held, snapshot_retry_ms};
use crate::moment::UtcMillis;
use crate::scope::Scope;
use crate::wire::{
    ClientMessage, Delta, Hex64, Kind, PROTOCOL, Payload, ResyncReason, ServerMessage, Snapshot, Topic,
};

/// Heartbeats come each second: after this silence the connection is lost, so that the words stand on the screen within
/// three seconds.
const SILENCE_MS: u64 = 2_500;
/// A connection that brings no welcome is given up after this.
const WELCOME_WITHIN_MS: u64 = 5_000;
/// Deltas a second of keyed topics: digits that a person reads change more slowly anyway.
const KEYED_HZ: u8 = 2;

/// Follows a set of topics.
#[derive(Debug)]
pub struct Follower {
    pub(super) held: Held,
    pub(super) topics: Vec<Following>,
    pub(super) build: String,
    acts: VecDeque<Act>,
    pub(super) counts: Counts,
    epoch: Option<Hex64>,
    /// Last event of the log when this connection was welcomed; none while there is no connection.
    pub(super) welcomed_at: Option<u64>,
    pub(super) heard_ms: u64,
    connected: bool,
    /// The hall's clock as last heard, and its pace in thousandths.
    pub(super) server_time: Option<(UtcMillis, u32)>,
    pub(super) degraded: u8,
    pub(super) policy: Option<u64>,
    pub(super) server_build: Option<String>,
    pub(super) other_protocol: bool,
    /// The server's hash of something was held against ours.
    pub(super) compared: bool,
}

impl Follower {
    /// Follows `topics`, one of a kind, as this build of the screens; empty where there is none.
    #[must_use]
    pub fn new(topics: impl IntoIterator<Item = Topic>, build: &str) -> Self {
        Self {
            held: Held::default(),
            topics: topics.into_iter().map(Following::of).collect(),
            build: build.to_owned(),
            acts: VecDeque::new(),
            counts: Counts::default(),
            epoch: None,
            welcomed_at: None,
            heard_ms: 0,
            connected: false,
            server_time: None,
            degraded: 0,
            policy: None,
            server_build: None,
            other_protocol: false,
            compared: false,
        }
    }

    /// Follows, from the next connection on, what somebody sees of the hall who sees this much. What is followed already
    /// stays as it stands.
    pub fn follow(&mut self, scope: &Scope) {
        let topics: Vec<Topic> =
            self.topics.iter().map(|one| Topic::seen_with(scope, one.topic.kind)).collect();
        self.held.summed = match scope {
            Scope::All => BTreeSet::new(),
            Scope::Within { areas, departments: _ } => areas.clone(),
        };
        let mut before = std::mem::take(&mut self.topics);
        for topic in topics {
            let kept = before.iter().position(|one| one.topic == topic);
            let kind = topic.kind;
            self.topics.push(kept.map_or_else(|| Following::of(topic), |at| before.swap_remove(at)));
            if kept.is_none() {
                self.held.clear(kind);
                self.acts.push_back(Act::Changed(kind));
            }
        }
    }

    /// The next thing to do; none when everything has been done.
    pub fn next_act(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    /// The socket is open.
    pub fn connected(&mut self, now_ms: u64) {
        self.connected = true;
        self.heard_ms = now_ms;
        self.say(ClientMessage::Hello { protocol: PROTOCOL, build: self.build.clone() });
    }

    /// The socket has been dialled: silence counts from here.
    pub fn dialled(&mut self, now_ms: u64) {
        self.connected = true;
        self.heard_ms = now_ms;
    }

    /// The connection has ended.
    pub fn lost(&mut self) {
        self.connected = false;
        self.welcomed_at = None;
        for one in &mut self.topics {
            (one.answered, one.beats_behind) = (false, 0);
            // Where positions stood means nothing to another process.
            if !one.topic.kind.counts_events() && one.topic.kind != Kind::Who {
                one.stand = Stand::Unknown;
            }
        }
    }

    /// Time has passed.
    pub fn passed(&mut self, now_ms: u64) {
        let limit = if self.is_welcomed() { SILENCE_MS } else { WELCOME_WITHIN_MS };
        if self.connected && now_ms.saturating_sub(self.heard_ms) > limit {
            self.connected = false;
            self.acts.push_back(Act::GiveUp);
        }
        for at in 0..self.topics.len() {
            if matches!(self.topics[at].stand, Stand::FetchAt(due) if due <= now_ms) {
                self.fetch(at);
            }
        }
    }

    /// The server has said something.
    pub fn hear(&mut self, message: ServerMessage, now_ms: u64) {
        self.heard_ms = now_ms;
        match message {
            ServerMessage::Welcome { protocol, epoch, head, server_ms, build, pace_milli, .. } => {
                self.server_time = Some((server_ms, pace_milli));
                self.other_protocol = protocol != PROTOCOL;
                self.server_build = Some(build);
                // What follows would be read wrongly.
                if !self.other_protocol {
                    self.welcome(epoch, head);
                }
            }
            ServerMessage::Deltas { epoch, deltas } => {
                deltas.into_iter().for_each(|delta| self.delta(epoch, delta));
            }
            ServerMessage::Heartbeat { server_ms, head, heads, hashes, degraded, policy, pace_milli } => {
                self.server_time = Some((server_ms, pace_milli));
                self.degraded = degraded;
                self.policy = Some(policy);
                heads.iter().for_each(|(topic, version)| self.look_whether_behind(topic, *version));
                hashes.iter().for_each(|(topic, version, hash)| self.compare(topic, *version, head, hash.0));
            }
            ServerMessage::Resync { topic, reason } => self.resync(&topic, reason),
            ServerMessage::Refused { topic, code, words } => {
                if let Some(one) = topic.as_ref().and_then(|topic| self.find(topic)) {
                    self.topics[one].stand = Stand::Refused;
                }
                self.other_protocol |= code == "protocol";
                self.acts.push_back(Act::Refused { topic, code, words });
            }
            ServerMessage::Breaking(rows) => self.acts.push_back(Act::Breaking(rows)),
        }
    }

    /// The server has said something that this page cannot read: before a welcome it speaks otherwise.
    pub fn misheard(&mut self) {
        self.other_protocol |= !self.is_welcomed();
    }

    /// A packed position frame has come. The owner applies it; one that does not follow needs
    /// [`Follower::positions_anew`].
    pub fn heard_positions(&mut self, now_ms: u64) {
        self.heard_ms = now_ms;
        for one in &mut self.topics {
            if matches!(one.topic.kind, Kind::Positions | Kind::Position(_)) {
                (one.answered, one.known) = (true, true);
            }
        }
    }

    /// Asks for all positions anew.
    pub fn positions_anew(&mut self) {
        for at in 0..self.topics.len() {
            if matches!(self.topics[at].topic.kind, Kind::Positions | Kind::Position(_)) {
                self.say(ClientMessage::Unsubscribe { topic: self.topics[at].topic.clone() });
                self.begin(at);
            }
        }
    }

    /// A snapshot has come, or could not be had; `random` is within 0 to 1.
    pub fn fetched(&mut self, topic: &Topic, snapshot: Option<Snapshot>, now_ms: u64, random: f64) {
        let Some(at) = self.find(topic).filter(|at| self.topics[*at].stand == Stand::Fetching) else {
            return;
        };
        let again = Stand::FetchAt(now_ms + u64::from(snapshot_retry_ms(self.topics[at].misses, random)));
        self.topics[at].misses = self.topics[at].misses.saturating_add(1);
        let Some(snapshot) = snapshot.filter(|snapshot| snapshot.topic == *topic) else {
            self.topics[at].stand = again;
            return;
        };
        self.held.clear(topic.kind);
        if !self.held.put(snapshot.payload) {
            self.topics[at].stand = again;
            return;
        }
        (self.topics[at].known, self.topics[at].misses) = (true, 0);
        self.topics[at].stand = Stand::At { epoch: snapshot.epoch, version: snapshot.version };
        self.acts.push_back(Act::Changed(topic.kind));
        if self.is_welcomed() {
            self.subscribe(at);
        }
    }

    pub(super) fn find(&self, topic: &Topic) -> Option<usize> {
        self.topics.iter().position(|one| one.topic == *topic)
    }

    fn welcome(&mut self, epoch: Hex64, head: u64) {
        self.welcomed_at = Some(head);
        if self.epoch.replace(epoch).is_some_and(|held| held != epoch) {
            // Another store: nothing that is held is about it.
            for at in 0..self.topics.len() {
                let kind = self.topics[at].topic.kind;
                self.held.clear(kind);
                (self.topics[at].stand, self.topics[at].known) = (Stand::Unknown, false);
                self.acts.push_back(Act::Changed(kind));
            }
        }
        for at in 0..self.topics.len() {
            self.topics[at].answered = false;
            match self.topics[at].stand {
                Stand::At { version, .. } if self.is_long_gone(at, version, head) => {
                    let from = head.saturating_sub(EVENTS_BACK);
                    self.leave_out(version, from);
                    self.topics[at].stand = Stand::At { epoch, version: from };
                    self.subscribe(at);
                }
                Stand::At { .. } => self.subscribe(at),
                Stand::Fetching => {}
                // Whoever refused the snapshot may have been another process.
                Stand::FetchAt(_) | Stand::Unknown | Stand::Refused => self.begin(at),
            }
        }
    }

    /// Whether more lines lie between than are kept. Of an area the server alone knows.
    fn is_long_gone(&self, at: usize, version: u64, head: u64) -> bool {
        let topic = &self.topics[at].topic;
        topic.kind == Kind::Case && topic.part.is_none() && head.saturating_sub(version) > EVENTS_KEPT as u64
    }

    fn leave_out(&mut self, from: u64, since: u64) {
        self.counts.events_left_out += since.saturating_sub(from);
        self.held.clear(Kind::Case);
        self.acts.push_back(Act::Changed(Kind::Case));
    }

    /// Begins with a topic of which nothing is held.
    fn begin(&mut self, at: usize) {
        let topic = &self.topics[at].topic;
        match (topic.kind, &topic.part) {
            (Kind::Tally | Kind::Overdue | Kind::Open | Kind::Whistle | Kind::Who, _) => self.fetch(at),
            (Kind::Case, None) => {
                if let (Some(epoch), Some(head)) = (self.epoch, self.welcomed_at) {
                    self.held.clear(Kind::Case);
                    let version = head.saturating_sub(EVENTS_BACK);
                    self.topics[at].stand = Stand::At { epoch, version };
                    self.subscribe(at);
                }
            }
            (Kind::Case, Some(_)) | (Kind::Positions | Kind::Position(_), _) => {
                self.topics[at].stand = Stand::Unknown;
                self.subscribe(at);
            }
        }
    }

    pub(super) fn fetch(&mut self, at: usize) {
        self.topics[at].stand = Stand::Fetching;
        self.acts.push_back(Act::Fetch(self.topics[at].topic.clone()));
    }

    /// Follows from where the topic stands, or from nothing.
    pub(super) fn subscribe(&mut self, at: usize) {
        let one = &mut self.topics[at];
        (one.answered, one.beats_behind) = (false, 0);
        let stand = match one.stand {
            Stand::At { epoch, version } => Some((epoch, version)),
            Stand::Unknown | Stand::Fetching | Stand::FetchAt(_) | Stand::Refused => None,
        };
        let max_hz = match one.topic.kind {
            Kind::Tally | Kind::Overdue | Kind::Open | Kind::Whistle | Kind::Who => Some(KEYED_HZ),
            Kind::Case | Kind::Positions | Kind::Position(_) => None,
        };
        let (epoch, from) = stand.unzip();
        let topic = one.topic.clone();
        self.say(ClientMessage::Subscribe { topic, epoch, from, max_hz });
    }

    pub(super) fn say(&mut self, message: ClientMessage) {
        self.acts.push_back(Act::Say(message));
    }

    fn delta(&mut self, epoch: Hex64, delta: Delta) {
        let Some(at) = self.find(&delta.topic) else { return };
        let Delta { topic, from, to, payload } = delta;
        match self.topics[at].stand {
            // A snapshot will bring it.
            Stand::Fetching | Stand::FetchAt(_) | Stand::Refused => {}
            Stand::Unknown if from == 0 => self.take(at, true, epoch, 0, to, payload),
            // The answer where there is nothing to send.
            Stand::Unknown => self.answered(at),
            Stand::At { epoch: held, .. } if held != epoch => self.resync(&topic, ResyncReason::OtherEpoch),
            Stand::At { version, .. } if to == version => self.answered(at),
            Stand::At { version, .. } if to < version => {}
            Stand::At { version, .. } if from == version => self.take(at, false, epoch, from, to, payload),
            Stand::At { .. } if from == 0 => self.take(at, true, epoch, 0, to, payload),
            Stand::At { .. } => {
                self.counts.gaps += 1;
                self.subscribe(at);
            }
        }
    }

    /// Nothing is missing: what is held, be it nothing, is known.
    fn answered(&mut self, at: usize) {
        let one = &mut self.topics[at];
        one.answered = true;
        if !std::mem::replace(&mut one.known, true) {
            self.acts.push_back(Act::Changed(one.topic.kind));
        }
    }

    fn take(&mut self, at: usize, whole: bool, epoch: Hex64, from: u64, to: u64, payload: Payload) {
        let kind = self.topics[at].topic.kind;
        if whole {
            self.held.clear(kind);
        }
        if let Payload::Case(events) = &payload
            && events.since > from
            && !whole
        {
            self.leave_out(from, events.since);
        }
        if !self.held.put(payload) {
            self.counts.divergences += 1;
            return self.fetch(at);
        }
        let one = &mut self.topics[at];
        one.stand = Stand::At { epoch, version: to };
        (one.answered, one.known, one.beats_behind) = (true, true, 0);
        self.acts.push_back(Act::Changed(kind));
    }

    fn resync(&mut self, topic: &Topic, reason: ResyncReason) {
        let Some(at) = self.find(topic) else { return };
        if matches!(self.topics[at].stand, Stand::Fetching | Stand::FetchAt(_)) {
            return;
        }
        self.counts.resyncs += 1;
        self.topics[at].answered = false;
        match reason {
            // What is held is about another store.
            ResyncReason::OtherEpoch | ResyncReason::AheadOfStore => {
                self.held.clear(topic.kind);
                self.topics[at].known = false;
                self.acts.push_back(Act::Changed(topic.kind));
            }
            ResyncReason::TooFarBehind | ResyncReason::Diverged => {}
        }
        self.begin(at);
    }
}
