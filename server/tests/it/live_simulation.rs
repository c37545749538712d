//! Topics and screens as pure code under a network that loses, doubles, swaps and cuts, with restarts and other stores:
//! every screen converges. The screens run the product's own client half.

use std::collections::VecDeque;

use domain::audience::Audience;
use domain::command::Command;
use domain::feed::{Act, Follower};
use domain::scope::Scope;
use domain::tally::{Dimension, TallyKey};
use domain::wire::{Hex64, Kind, OpenCase, OverdueRow, PROTOCOL, Part, ServerMessage, Snapshot, Topic};
use proptest::prelude::*;

use crate::city;
use crate::live_commands::command;
use crate::live_model::{Line, Server, own};

const SCREENS: usize = 3;
/// Topics of a screen of the whole city, or of one area.
const KINDS: [Kind; 5] = [Kind::Tally, Kind::Overdue, Kind::Open, Kind::Whistle, Kind::Case];

/// One screen with its connection.
pub struct Screen {
    pub follower: Follower,
    pub topics: Vec<Topic>,
    line: Option<Line>,
    fetching: VecDeque<Topic>,
    now_ms: u64,
}

impl Screen {
    pub fn new(area: Option<&str>) -> Self {
        Self::seeing(&area.map_or(Scope::All, |area| Scope::area(area.parse().unwrap())))
    }

    fn seeing(scope: &Scope) -> Self {
        let mut follower = Follower::new(KINDS.map(Topic::of), "test");
        follower.follow(scope);
        let topics = KINDS.map(|kind| Topic::seen_with(scope, kind)).to_vec();
        while follower.next_act().is_some() {}
        Self { follower, topics, line: None, fetching: VecDeque::new(), now_ms: 0 }
    }

    pub fn cut(&mut self) {
        self.line = None;
        self.follower.lost();
        self.settle_acts();
    }

    fn connect(&mut self, server: &Server) {
        self.line = Some(Line::default());
        self.follower.connected(self.now_ms);
        let welcome = ServerMessage::Welcome {
            protocol: PROTOCOL,
            pace_milli: 1_000,
            epoch: Hex64(server.epoch),
            head: server.topics.seq(),
            server_ms: server.now,
            heartbeat_ms: 1_000,
            cell_e6: 100_000,
            build: "test".to_owned(),
        };
        self.follower.hear(welcome, self.now_ms);
        self.settle_acts();
    }

    fn settle_acts(&mut self) {
        while let Some(act) = self.follower.next_act() {
            match act {
                Act::Say(message) => {
                    if let Some(line) = &mut self.line {
                        line.up.push_back(message);
                    }
                }
                Act::Fetch(topic) => self.fetching.push_back(topic),
                Act::Changed(_) | Act::Breaking(_) => {}
                Act::GiveUp => {
                    self.line = None;
                    self.follower.lost();
                }
                Act::Refused { words, .. } => panic!("{words}"),
            }
        }
    }

    /// As it comes off the wire, where nobody's scope is named.
    fn hear(&mut self, message: ServerMessage) {
        let message = postcard::from_bytes(&message.to_bytes()[1..]).unwrap();
        self.follower.hear(message, self.now_ms);
        self.settle_acts();
    }

    fn act(&mut self, server: &mut Server, act: Doing) {
        let Some(line) = &mut self.line else { return self.connect(server) };
        match act {
            Doing::Hear => line.hear(server),
            Doing::Wave => line.wave(server),
            Doing::Beat => line.beat(server),
            Doing::Deliver => {
                if let Some(message) = line.down.pop_front() {
                    self.hear(message);
                }
            }
            Doing::Double => {
                if let Some(message) = line.down.front().cloned() {
                    self.hear(message);
                }
            }
            Doing::Lose => drop(line.down.pop_front()),
            Doing::Swap => {
                if line.down.len() >= 2 {
                    line.down.swap(0, 1);
                }
            }
            Doing::Cut => self.cut(),
            Doing::Fetched => self.fetched(server, true),
            Doing::FetchFails => self.fetched(server, false),
            Doing::Pass => {
                self.now_ms += 700;
                self.follower.passed(self.now_ms);
                self.settle_acts();
            }
        }
    }

    fn fetched(&mut self, server: &mut Server, there: bool) {
        if let Some(topic) = self.fetching.pop_front() {
            let read = topic.clone().as_read_by(&server.scope, Audience::Desk);
            let snapshot = there.then(|| Snapshot { topic: topic.clone(), ..server.snapshot(&read) });
            self.follower.fetched(&topic, snapshot, self.now_ms, 0.5);
            self.settle_acts();
        }
    }

    /// Lets everything arrive on a new connection, with hashes compared at the end.
    pub fn settle(&mut self, server: &mut Server) {
        self.cut();
        for round in 0..10_000 {
            for doing in [Doing::Fetched, Doing::Hear, Doing::Wave, Doing::Deliver] {
                self.act(server, doing);
            }
            if round % 50 == 0 {
                self.act(server, Doing::Pass);
                self.act(server, Doing::Beat);
            }
            let idle = self.line.as_ref().is_some_and(|line| line.up.is_empty() && line.down.is_empty());
            if idle && self.fetching.is_empty() && self.follower.is_whole() {
                self.act(server, Doing::Beat);
                self.act(server, Doing::Deliver);
                return;
            }
        }
        panic!("a screen does not settle: {:?}", self.follower);
    }

    /// What is held equals what the server has.
    fn assert_right(&self, server: &Server) {
        let held = self.follower.held();
        assert_eq!(self.follower.counts().divergences, 0);
        for topic in &self.topics {
            let topic = &topic.clone().as_read_by(&server.scope, Audience::Desk);
            let theirs = server.topics.hash(topic).map(|(_, hash)| hash);
            assert_eq!(held.hash(topic.kind), theirs, "{topic}");
            assert!(self.follower.knows(topic.kind));
        }
        let part = self.topics[0].part.as_ref();
        let here = |case: &&domain::case::Case| match part {
            None => true,
            Some(Part::Area(area)) => case.area_path.contains(area),
            Some(Part::Own(_)) => server.scope.admits_case(case),
        };
        let cases = || server.state.cases.values().filter(here);
        let open: Vec<OpenCase> = cases().filter_map(OpenCase::of).collect();
        assert_eq!(held.open.iter().cloned().collect::<Vec<_>>(), open);
        let overdue: Vec<OverdueRow> = cases().filter_map(OverdueRow::of).collect();
        assert_eq!(held.overdue.iter().cloned().collect::<Vec<_>>(), overdue);
        for (key, value) in held.tally.iter() {
            // A part's screen counts as its city what it sees of it.
            let counted = match (part, &key.dimension) {
                (Some(Part::Area(area)), Dimension::City) => Dimension::Area(area.clone()),
                (Some(Part::Own(_)), Dimension::City) => Dimension::Area(city::AREAS[3].parse().unwrap()),
                (_, dimension) => dimension.clone(),
            };
            let counted = TallyKey { dimension: counted, ..key.clone() };
            assert_eq!(server.state.tally.get(&counted), value, "{key}");
        }
        let seqs: Vec<u64> = held.events.iter().map(|event| event.seq).collect();
        let expected: Vec<u64> = match part {
            None => (seqs.first().copied().unwrap_or(1)..=server.state.seq).collect(),
            Some(_) => {
                let mut sorted = seqs.clone();
                sorted.sort_unstable();
                sorted.dedup();
                sorted
            }
        };
        assert_eq!(seqs, expected, "every event once and in order");
        assert!(part.is_some() || server.state.seq == 0 || !seqs.is_empty());
    }
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    Hear,
    Wave,
    Beat,
    Deliver,
    Double,
    Lose,
    Swap,
    Cut,
    Fetched,
    FetchFails,
    Pass,
}

#[derive(Debug, Clone)]
enum Happening {
    Commit(Vec<Command>),
    Pass(i64),
    /// With so many newest events read again.
    Restart(usize),
    /// Another store stands where this one was.
    Exchange,
    Screen(usize, Doing),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let doing = prop_oneof![
        6 => Just(Doing::Hear),
        6 => Just(Doing::Wave),
        2 => Just(Doing::Beat),
        9 => Just(Doing::Deliver),
        1 => Just(Doing::Double),
        1 => Just(Doing::Lose),
        1 => Just(Doing::Swap),
        1 => Just(Doing::Cut),
        5 => Just(Doing::Fetched),
        1 => Just(Doing::FetchFails),
        1 => Just(Doing::Pass),
    ];
    let one = prop_oneof![
        16 => prop::collection::vec(command(), 1..8).prop_map(Happening::Commit),
        4 => (0i64..20_000_000).prop_map(Happening::Pass),
        3 => (0usize..40).prop_map(Happening::Restart),
        1 => Just(Happening::Exchange),
        60 => (0..SCREENS, doing).prop_map(|(screen, doing)| Happening::Screen(screen, doing)),
    ];
    prop::collection::vec(one, 1..200)
}

proptest! {
    /// Method: commits, time, restarts, other stores and every kind of network fault in any order; then one clean
    /// connection. Each screen's hashes and rows must be the server's, of the city, of an area and of a reader's own part, and its log must have
    /// every event once and in order. Nothing may have diverged on the way.
    #[test]
    fn every_screen_converges(happenings in happenings()) {
        let mut server = Server::new(1);
        let mut screens = [Screen::new(None), Screen::seeing(&own()), Screen::new(Some(city::AREAS[2]))];
        for happening in happenings {
            match happening {
                Happening::Commit(commands) => server.commit(&commands),
                Happening::Pass(ms) => server.now = server.now.plus(ms),
                Happening::Restart(newest) => {
                    server.restart(newest);
                    screens.iter_mut().for_each(Screen::cut);
                }
                Happening::Exchange => {
                    server = Server::new(server.epoch + 1);
                    screens.iter_mut().for_each(Screen::cut);
                }
                Happening::Screen(index, doing) => screens[index].act(&mut server, doing),
            }
        }
        for screen in &mut screens {
            screen.settle(&mut server);
            screen.assert_right(&server);
        }
    }
}
