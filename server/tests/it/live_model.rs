//! The server of the simulation: store, rules, topics, and its half of each connection, as pure code.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use domain::audience::Audience;
use domain::command::Command;
use domain::event::{By, Recorded};
use domain::feed::EVENTS_BACK;
use domain::moment::UtcMillis;
use domain::scope::Scope;
use domain::state::{State, decide};
use domain::wire::{
    ClientMessage, Delta, Hex64, Kind, PROTOCOL, Part, Payload, ResyncReason, ServerMessage, Snapshot, Topic,
};
use server::events::Newest;
use server::live::digest::{Digester, line};
use server::live::frames;
use server::live::topics::{Rows, Step, Topics};

use crate::city;

/// What one of the readers sees: a community's cases, and a department's wherever they lie.
pub fn own() -> Scope {
    let (area, department) = (city::AREAS[3].parse().unwrap(), city::DEPARTMENTS[1].parse().unwrap());
    Scope::of([area].into(), [department].into()).unwrap()
}

/// Rows as they are read; a cell's version is that of its last change, which a start from the state does not know.
fn values(rows: Rows) -> Rows {
    match rows {
        Rows::Tally(rows) => Rows::Tally(rows.into_iter().map(|(key, _, cell)| (key, 0, cell)).collect()),
        rows @ (Rows::Overdue(_) | Rows::Open(_) | Rows::Whistle(_) | Rows::Who(_) | Rows::Lines { .. }) => {
            rows
        }
    }
}

/// The store, the rules and the topics.
pub struct Server {
    /// Of the reader who follows their own part.
    pub scope: Arc<Scope>,
    pub state: State,
    pub topics: Topics,
    digester: Digester,
    log: Vec<Recorded>,
    pub now: UtcMillis,
    pub epoch: u64,
}

impl Server {
    pub fn new(epoch: u64) -> Self {
        let state = State::new(&city::policy());
        let mut digester = Digester::default();
        let topics = Topics::start(epoch, &state, &mut digester);
        Self { scope: Arc::new(own()), state, topics, digester, log: Vec::new(), now: city::START, epoch }
    }

    /// The process ends and begins again with what it had stored.
    /// Up to `newest` events are read again on the way, as after a snapshot that was before them.
    pub fn restart(&mut self, newest: usize) {
        let kept = self.log.len().saturating_sub(newest);
        let mut state = State::new(&city::policy());
        for recorded in &self.log[..kept] {
            state.apply(recorded);
        }
        let newest = Newest { before: state, events: self.log[kept..].to_vec() };
        self.topics = match newest.events.is_empty() {
            true => Topics::start(self.epoch, &self.state, &mut self.digester),
            false => Topics::resumed(self.epoch, newest, &mut self.digester),
        };
        self.assert_topics_are_the_states();
    }

    /// Every row of every topic is there, of the city, of an area and of a reader's own part, as a start from the state has it.
    fn assert_topics_are_the_states(&mut self) {
        let fresh = Topics::start(self.epoch, &self.state, &mut Digester::default());
        let area: domain::code::AreaCode = city::AREAS[2].parse().unwrap();
        for part in [None, Some(Part::Area(area)), Some(Part::Own(Some(self.scope.clone())))] {
            for kind in [Kind::Tally, Kind::Overdue, Kind::Open, Kind::Whistle] {
                let topic = Topic { kind, part: part.clone(), ..Topic::TALLY };
                let (there, wanted) = (self.topics.bite(&topic, None), fresh.bite(&topic, None));
                assert_eq!(
                    there.map(|(rows, _)| values(rows)),
                    wanted.map(|(rows, _)| values(rows)),
                    "{topic}"
                );
                assert_eq!(
                    self.topics.hash(&topic).map(|hash| hash.1),
                    fresh.hash(&topic).map(|hash| hash.1),
                    "{topic}"
                );
            }
        }
    }

    /// One commit of several commands; refused ones change nothing.
    pub fn commit(&mut self, commands: &[Command]) {
        let mut committed = Vec::new();
        for command in commands {
            let events = decide(&self.state, command, self.now).unwrap_or_default();
            for event in events {
                let seq = self.state.seq + 1;
                let recorded = Recorded { seq, at: self.now, by: By::named("sim"), event };
                let changes = self.state.apply(&recorded);
                self.log.push(recorded.clone());
                committed.push((recorded, changes));
            }
        }
        let committed = committed.iter().map(|(recorded, changes)| (recorded, changes));
        let digest = self.digester.digest(&self.state, committed);
        self.topics.take(digest);
    }

    /// The next rows for a subscriber; a read of the log stands in for the catch-up.
    fn next(&mut self, topic: &Topic, told: u64) -> Result<Option<(u64, Payload)>, ResyncReason> {
        let (head, seq) = (self.topics.head(topic).expect("counted by events").get(), self.topics.seq());
        if told >= head {
            return Ok(None);
        }
        match self.topics.step(topic, told, seq) {
            Step::Rows { rows, .. } if rows.is_empty() => Ok(None),
            Step::Rows { to, rows } => Ok(Some((to, frames::payload(rows, Audience::Desk)))),
            Step::Log if self.log.is_empty() => {
                // What lies between is further back than anybody is led through.
                let since = self.topics.recent.floor().max(seq - EVENTS_BACK);
                let Step::Rows { to, rows: Rows::Lines { lines, .. } } = self.topics.step(topic, since, seq)
                else {
                    panic!("the newest lines are held")
                };
                Ok(Some((to, frames::payload(Rows::Lines { since, lines }, Audience::Desk))))
            }
            Step::Log => {
                let lines = self.log.iter().skip(told as usize).take(3);
                let lines: Vec<_> = lines
                    .map(|recorded| {
                        let case = recorded.event.case().and_then(|id| self.state.cases.get(&id));
                        Arc::new(line(recorded, case))
                    })
                    .collect();
                let to = lines.last().map_or(seq, |line| line.seq);
                let part = topic.part.as_ref();
                let lines =
                    lines.into_iter().filter(|line| server::live::recent::is_in(line, part)).collect();
                Ok(Some((to, frames::payload(Rows::Lines { since: told, lines }, Audience::Desk))))
            }
            Step::TooFarBehind => Err(ResyncReason::TooFarBehind),
        }
    }

    pub fn snapshot(&mut self, topic: &Topic) -> Snapshot {
        let (mut rows, mut onward) = self.topics.bite(topic, None).unwrap();
        while let Some(at) = onward {
            let (more, next) = self.topics.bite(topic, Some(&at)).unwrap();
            rows.append(more);
            onward = next;
        }
        let version = match topic.kind {
            Kind::Case => self.topics.seq(),
            _ => self.topics.head(topic).unwrap().get(),
        };
        let (topic, epoch, payload) =
            (topic.clone(), Hex64(self.epoch), frames::payload(rows.settled(), Audience::Desk));
        Snapshot { topic, epoch, version, server_ms: self.now, payload }
    }
}

/// One subscription on the server's side.
struct Cursor {
    told: u64,
    whole: bool,
    owed: bool,
}

/// One connection.
#[derive(Default)]
pub struct Line {
    cursors: BTreeMap<Topic, Cursor>,
    pub up: VecDeque<ClientMessage>,
    pub down: VecDeque<ServerMessage>,
}

impl Line {
    /// Takes one message of the client, as a server does.
    pub fn hear(&mut self, server: &Server) {
        let Some(message) = self.up.pop_front() else { return };
        match message.as_read_by(&server.scope, Audience::Desk) {
            ClientMessage::Hello { protocol, .. } => assert_eq!(protocol, PROTOCOL),
            ClientMessage::Subscribe { topic, epoch, from, .. } => {
                let reason = match (epoch, from) {
                    (Some(epoch), _) if epoch.0 != server.epoch => Some(ResyncReason::OtherEpoch),
                    (_, Some(from)) if from > server.topics.seq() => Some(ResyncReason::AheadOfStore),
                    _ => None,
                };
                match reason {
                    Some(reason) => {
                        self.cursors.remove(&topic);
                        self.down.push_back(ServerMessage::Resync { topic, reason });
                    }
                    None => {
                        let cursor = Cursor { told: from.unwrap_or(0), whole: from.is_none(), owed: true };
                        self.cursors.insert(topic, cursor);
                    }
                }
            }
            ClientMessage::Unsubscribe { topic } => drop(self.cursors.remove(&topic)),
            ClientMessage::Diverged { topic, .. } => panic!("{topic} differs"),
        }
    }

    /// One wave.
    pub fn wave(&mut self, server: &mut Server) {
        let (mut deltas, mut ended) = (Vec::new(), Vec::new());
        for (topic, cursor) in &mut self.cursors {
            let next = match cursor.whole {
                true => {
                    let snapshot = server.snapshot(topic);
                    Ok(Some((snapshot.version, snapshot.payload)))
                }
                false => server.next(topic, cursor.told),
            };
            let from = if cursor.whole { 0 } else { cursor.told };
            let (to, payload) = match next {
                Ok(Some(next)) => next,
                Ok(None) if cursor.owed => (server.topics.seq().max(cursor.told), nothing(topic.kind, from)),
                Ok(None) => continue,
                Err(reason) => {
                    ended.push((topic.clone(), reason));
                    continue;
                }
            };
            let owed = cursor.owed && to < server.topics.seq();
            *cursor = Cursor { told: to, whole: false, owed };
            deltas.push(Delta { topic: topic.clone(), from, to, payload });
        }
        if !deltas.is_empty() {
            self.down.push_back(ServerMessage::Deltas { epoch: Hex64(server.epoch), deltas });
        }
        for (topic, reason) in ended {
            self.cursors.remove(&topic);
            self.down.push_back(ServerMessage::Resync { topic, reason });
        }
    }

    pub fn beat(&mut self, server: &mut Server) {
        let topics: Vec<Topic> = self.cursors.keys().cloned().collect();
        let heads = topics.iter().map(|topic| (topic.clone(), server.topics.head(topic).unwrap().get()));
        let heads: Vec<_> = heads.collect();
        let hashes = topics.into_iter().filter_map(|topic| {
            let (version, hash) = server.topics.hash(&topic)?;
            Some((topic, version, Hex64(hash)))
        });
        let (server_ms, head, hashes) = (server.now, server.topics.seq(), hashes.collect());
        self.down.push_back(ServerMessage::Heartbeat {
            server_ms,
            head,
            heads,
            hashes,
            degraded: 0,
            policy: 0,
            pace_milli: 1_000,
        });
    }
}

fn nothing(kind: Kind, from: u64) -> Payload {
    match kind {
        Kind::Tally => Payload::Tally(Vec::new()),
        Kind::Overdue => Payload::Overdue(Vec::new()),
        Kind::Open => Payload::Open(domain::wire::OpenRows::default()),
        Kind::Whistle => Payload::Whistle(Vec::new()),
        _ => Payload::Case(domain::wire::Events { since: from, lines: Vec::new() }),
    }
}
