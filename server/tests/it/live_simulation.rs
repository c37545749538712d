//! Hub and screens as pure code under a network that loses, doubles, swaps and cuts: every screen converges.

use domain::case::Step;
use domain::command::Command;
use domain::event::{By, Recorded};
use domain::feed::{Applied, ById, Held, Lines, Rows};
use domain::moment::UtcMillis;
use domain::policy::Policy;
use domain::state::{State, decide};
use domain::tally::Tally;
use domain::whistle::{Whistle, WhistleCall, WhistleLevel};
use domain::wire::{Hex64, OverdueRow, ResyncReason, ServerMessage, Snapshot, Topic};
use proptest::prelude::*;
use server::live::board::{self, Board, line, lines_payload};
use std::collections::VecDeque;
use std::sync::Arc;

use crate::city;

const EPOCH: u64 = 0x5eed;
const SCREENS: usize = 3;

/// The store, the rules and the board.
struct Server {
    policy: Policy,
    state: State,
    board: Board,
    log: Vec<Recorded>,
    now: UtcMillis,
}

impl Server {
    fn new() -> Self {
        let policy = city::policy();
        let state = State::new(&policy);
        let board = Board::start(EPOCH, &state);
        Self { policy, state, board, log: Vec::new(), now: city::START }
    }

    /// One commit of several commands; refused ones change nothing.
    fn commit(&mut self, commands: &[Command]) {
        let mut committed = Vec::new();
        for command in commands {
            let events = decide(&self.state, command, &self.policy, self.now).unwrap_or_default();
            for event in events {
                let seq = self.state.seq + 1;
                let recorded = Recorded { seq, at: self.now, by: By::named("sim"), event };
                let changes = self.state.apply(&recorded);
                self.log.push(recorded.clone());
                committed.push((recorded, changes));
            }
        }
        self.board.commit(&self.state, committed.iter().map(|(recorded, changes)| (recorded, changes)));
    }

    /// What a connection sends to a subscriber that stands at `from`; a read of the store stands in for the catch-up.
    fn next(&self, topic: &Topic, from: u64, rows: usize) -> Option<(u64, ServerMessage)> {
        let head = self.board.heads().of(topic);
        if from >= head {
            return None;
        }
        let (to, payload) = match self.board.step(topic, from, head) {
            board::Step::Payload { to, payload } => (to, payload),
            board::Step::Store => {
                let lines = self.log.iter().skip(from as usize).take(rows.max(1));
                let lines: Vec<_> = lines.map(|recorded| Arc::new(line(recorded, None))).collect();
                (lines.last()?.seq, lines_payload(&lines, None))
            }
            board::Step::TooFarBehind => {
                let reason = ResyncReason::TooFarBehind;
                return Some((u64::MAX, ServerMessage::Resync { topic: topic.clone(), reason }));
            }
        };
        let (topic, epoch) = (topic.clone(), Hex64(EPOCH));
        Some((to, ServerMessage::Delta { topic, epoch, from, to, payload }))
    }

    fn snapshot(&self, topic: &Topic) -> Snapshot {
        let (version, payload) = self.board.all(topic).unwrap();
        Snapshot { topic: topic.clone(), epoch: Hex64(EPOCH), version, server_ms: self.now, payload }
    }
}

/// One topic on one screen, with its half of the connection.
struct Follower<T> {
    topic: Topic,
    held: Held<T>,
    /// Server's cursor; none before the subscription.
    cursor: Option<u64>,
    wire: VecDeque<ServerMessage>,
    /// Sequence numbers of the log received, in order.
    seqs: Vec<u64>,
}

impl<T: Rows> Follower<T> {
    fn new(topic: Topic) -> Self {
        Self { topic, held: Held::default(), cursor: None, wire: VecDeque::new(), seqs: Vec::new() }
    }

    fn cut(&mut self) {
        self.cursor = None;
        self.wire.clear();
    }

    fn subscribe(&mut self, server: &Server) {
        self.wire.clear();
        if self.held.epoch.is_none() {
            let snapshot = server.snapshot(&self.topic);
            self.seqs = (1..=snapshot.version).collect();
            assert!(self.held.start(&snapshot));
        }
        self.cursor = Some(self.held.version);
    }

    fn serve(&mut self, server: &Server) {
        let Some(cursor) = self.cursor else { return self.subscribe(server) };
        if let Some((to, message)) = server.next(&self.topic, cursor, 3) {
            self.cursor = Some(to);
            self.wire.push_back(message);
        }
    }

    fn deliver(&mut self, server: &Server, message: &ServerMessage) {
        match self.held.apply(&self.topic, message) {
            Applied::Advanced => {
                if let ServerMessage::Delta { payload: domain::wire::Payload::Case(lines), .. } = message {
                    self.seqs.extend(lines.iter().map(|line| line.seq));
                }
            }
            Applied::Ignored => {}
            Applied::Gap => self.subscribe(server),
            Applied::StartAnew | Applied::Diverged => {
                self.held = Held::default();
                self.subscribe(server);
            }
        }
    }

    fn act(&mut self, server: &Server, act: Act) {
        match act {
            Act::Serve => self.serve(server),
            Act::Deliver => {
                if let Some(message) = self.wire.pop_front() {
                    self.deliver(server, &message);
                }
            }
            Act::Double => {
                if let Some(message) = self.wire.front().cloned() {
                    self.deliver(server, &message);
                }
            }
            Act::Lose => drop(self.wire.pop_front()),
            Act::Swap => {
                if self.wire.len() >= 2 {
                    self.wire.swap(0, 1);
                }
            }
            Act::Cut => self.cut(),
        }
    }

    /// Lets everything arrive on a new connection.
    fn settle(&mut self, server: &Server) {
        self.cut();
        self.subscribe(server);
        for _ in 0..10_000 {
            self.serve(server);
            let Some(message) = self.wire.pop_front() else { return };
            self.deliver(server, &message);
        }
        panic!("{} does not settle", self.topic);
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Serve,
    Deliver,
    Double,
    Lose,
    Swap,
    Cut,
}

#[derive(Debug, Clone)]
enum Happening {
    Commit(Vec<Command>),
    Pass(i64),
    Restart,
    Screen(usize, Act),
}

fn command() -> impl Strategy<Value = Command> {
    use domain::code::{CaseId, WhistleId};
    let case = (1u64..12).prop_map(CaseId);
    let department = (0usize..3).prop_map(|index| city::DEPARTMENTS[index].parse().unwrap());
    let whistle = (1u64..4).prop_map(WhistleId);
    let report = (0usize..5, 0usize..3, 0usize..2).prop_map(|(area, class, source)| Command::ReportCase {
        report: city::report(city::AREAS[area], city::CLASSES[class], city::SOURCES[source]),
        at: None,
    });
    let raise = (0usize..5, 1usize..3).prop_map(|(area, count)| Command::RaiseWhistle {
        call: WhistleCall {
            level: WhistleLevel::Street,
            area: city::AREAS[area].parse().unwrap(),
            title: "积水".to_owned(),
            case: None,
            called: city::DEPARTMENTS[..count].iter().map(|code| code.parse().unwrap()).collect(),
        },
    });
    prop_oneof![
        4 => report,
        1 => raise,
        2 => case.clone().prop_map(|case| Step::ACCEPT.take(case)),
        3 => case.clone().prop_map(|case| Step::FILE.take(case)),
        2 => (case.clone(), department.clone())
            .prop_map(|(case, department)| Step::DISPATCH.take_for(case, department)),
        1 => case.clone().prop_map(|case| Command::ClaimCase { case }),
        1 => case.prop_map(|case| Command::NoteCase { case, text: "在路上".to_owned() }),
        1 => (whistle.clone(), department)
            .prop_map(|(whistle, department)| Command::RespondToWhistle { whistle, department }),
        1 => whistle.prop_map(|whistle| Command::CloseWhistle { whistle, note: String::new() }),
        2 => Just(Command::PassDeadlines),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let act = prop_oneof![
        6 => Just(Act::Serve),
        6 => Just(Act::Deliver),
        1 => Just(Act::Double),
        1 => Just(Act::Lose),
        1 => Just(Act::Swap),
        1 => Just(Act::Cut),
    ];
    let one = prop_oneof![
        4 => prop::collection::vec(command(), 1..8).prop_map(Happening::Commit),
        1 => (0i64..20_000_000).prop_map(Happening::Pass),
        1 => Just(Happening::Restart),
        12 => (0..SCREENS, act).prop_map(|(screen, act)| Happening::Screen(screen, act)),
    ];
    prop::collection::vec(one, 1..120)
}

struct Screen {
    tally: Follower<Tally>,
    overdue: Follower<ById<OverdueRow>>,
    whistle: Follower<ById<Whistle>>,
    case: Follower<Lines>,
}

impl Screen {
    fn new() -> Self {
        Self {
            tally: Follower::new(Topic::Tally),
            overdue: Follower::new(Topic::Overdue),
            whistle: Follower::new(Topic::Whistle),
            case: Follower::new(Topic::Case(None)),
        }
    }
}

proptest! {
    /// Method: commits, time, restarts and every kind of network fault in any order; then one clean connection. Each
    /// screen's hash must be the board's, and its log must have every event once and in order.
    #[test]
    fn every_screen_converges(happenings in happenings()) {
        let mut server = Server::new();
        let mut screens: Vec<Screen> = (0..SCREENS).map(|_| Screen::new()).collect();
        for happening in happenings {
            match happening {
                Happening::Commit(commands) => server.commit(&commands),
                Happening::Pass(ms) => server.now = server.now.plus(ms),
                Happening::Restart => {
                    server.board = Board::start(EPOCH, &server.state);
                    for screen in &mut screens {
                        screen.tally.cut();
                        screen.overdue.cut();
                        screen.whistle.cut();
                        screen.case.cut();
                    }
                }
                Happening::Screen(index, act) => {
                    let screen = &mut screens[index];
                    screen.tally.act(&server, act);
                    screen.overdue.act(&server, act);
                    screen.whistle.act(&server, act);
                    screen.case.act(&server, act);
                }
            }
        }
        let [tally, overdue, whistle] = server.board.hashes().map(|(.., hash)| hash);
        for screen in &mut screens {
            screen.tally.settle(&server);
            screen.overdue.settle(&server);
            screen.whistle.settle(&server);
            screen.case.settle(&server);
            prop_assert_eq!(screen.tally.held.rows.hash(), Some(tally));
            prop_assert_eq!(screen.overdue.held.rows.hash(), Some(overdue));
            prop_assert_eq!(screen.whistle.held.rows.hash(), Some(whistle));
            let all: Vec<u64> = (1..=server.state.seq).collect();
            prop_assert_eq!(&screen.case.seqs, &all);
            let overdue_cases: Vec<u64> = server
                .state
                .cases
                .values()
                .filter(|case| OverdueRow::of(case).is_some())
                .map(|case| case.id.0)
                .collect();
            prop_assert_eq!(screen.overdue.held.rows.keys().copied().collect::<Vec<_>>(), overdue_cases);
            for (key, value) in screen.tally.held.rows.iter() {
                prop_assert_eq!(server.state.tally.get(key), value);
            }
        }
    }
}
