//! Screens that were away for a long time: right again, whatever has happened meanwhile.

use std::sync::Arc;

use domain::case::CaseEvent;
use domain::event::{By, Event, Recorded};
use domain::feed::EVENTS_KEPT;
use domain::moment::UtcMillis;
use domain::tally::Count;
use server::live::digest::{CaseChange, Digest};
use server::live::topics::Topics;

use crate::city;
use crate::live_model::Server;
use crate::live_simulation::Screen;

/// A city of `open` cases in which every event takes one of them on; every tenth closes it for a new one. Straight into
/// the topics: rules and store have tests of their own.
struct Synthetic {
    topics: Topics,
    pattern: domain::case::Case,
    first_open: u64,
    next_case: u64,
    seq: u64,
}

impl Synthetic {
    fn new(open: u64) -> Self {
        let mut server = Server::new(7);
        server.commit(&[city::report_case()]);
        let pattern = server.state.cases.values().next().unwrap().clone();
        let seq = server.state.seq;
        let mut city = Self { topics: server.topics, pattern, first_open: 1, next_case: 2, seq };
        (1..open).for_each(|_| city.report());
        city
    }

    fn step(&mut self, id: u64, closed: bool) {
        self.seq += 1;
        let mut case = self.pattern.clone();
        (case.id, case.version) = (domain::code::CaseId(id), self.seq);
        case.closed = closed.then_some(UtcMillis(self.seq as i64));
        let at = UtcMillis(self.seq as i64);
        let event = Event::Case(case.id, CaseEvent::Claimed);
        let recorded = Recorded { seq: self.seq, at, by: By::named("sim"), event };
        let line = domain::wire::EventLine::of(&recorded, Some(&case));
        let key: domain::tally::TallyKey = format!("open|area:{}|ever", 1_000 + id % 700).parse().unwrap();
        let areas = Arc::from(case.area_path.as_slice());
        let cell = server::live::digest::Cell { value: Count { cases: self.seq as i64, base: 1 }, areas };
        self.topics.take(Digest {
            cells: vec![(self.seq, Arc::new(key), cell)],
            cases: vec![CaseChange::of(&case, self.seq)],
            lines: vec![Arc::new(line)],
            ..Digest::default()
        });
    }

    fn report(&mut self) {
        self.step(self.next_case, false);
        self.next_case += 1;
    }

    fn pass(&mut self, events: u64) {
        for event in 0..events {
            match event % 10 {
                8 => {
                    self.step(self.first_open, true);
                    self.first_open += 1;
                }
                9 => self.report(),
                other => {
                    self.step(self.first_open + (event + other) % (self.next_case - self.first_open), false)
                }
            }
        }
    }
}

/// Method: a wall and a street's screen are whole, are cut, and come back after that many events. No row may be left of
/// what has been closed meanwhile, all hashes must agree, and the log must say what it leaves out.
fn away_for(events: u64) {
    let mut city = Synthetic::new(2_000);
    let mut server = Server::new(7);
    std::mem::swap(&mut server.topics, &mut city.topics);
    let mut screens = [None, Some(city::AREAS[2])].map(Screen::new);
    for screen in &mut screens {
        screen.settle(&mut server);
        assert_eq!(screen.follower.held().open.len(), 2_000);
        screen.cut();
    }
    let before = server.topics.seq();
    std::mem::swap(&mut server.topics, &mut city.topics);
    city.pass(events);
    std::mem::swap(&mut server.topics, &mut city.topics);
    for (screen, is_wall) in screens.iter_mut().zip([true, false]) {
        screen.settle(&mut server);
        let held = screen.follower.held();
        for topic in &screen.topics {
            assert_eq!(held.hash(topic.kind), server.topics.hash(topic).map(|(_, hash)| hash), "{topic}");
        }
        let open: Vec<u64> = held.open.ids().collect();
        assert_eq!(open, (city.first_open..city.next_case).collect::<Vec<_>>());
        assert_eq!(screen.follower.counts().divergences, 0);
        let lines: Vec<u64> = held.events.iter().map(|event| event.seq).collect();
        let last = before + events;
        assert_eq!(lines, (lines[0]..=last).collect::<Vec<_>>(), "without a gap up to the last");
        assert!(lines.len() <= EVENTS_KEPT && lines.len() > 1_000, "{} lines", lines.len());
        if is_wall {
            assert_eq!(screen.follower.counts().events_left_out, lines[0] - 1 - before);
        }
    }
}

#[test]
fn a_screen_away_for_ten_thousand_events_is_right_again() {
    away_for(10_001);
}

#[test]
fn a_screen_away_for_a_million_events_is_right_again() {
    away_for(1_000_000);
}
