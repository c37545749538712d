//! What the hub holds together: who waits for whom, what is kept, what an area sees. Sockets are tested from outside.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use bytes::Bytes;
use domain::audience::Audience;
use domain::code::AreaCode;
use domain::place::Point;
use domain::position::{CellView, Frame};
use domain::scope::Scope;
use domain::wire::{Events, Kind, Part, Payload, Topic};

use super::digest::{Cell, Digest};
use super::frames::{Format, Frames, Next};
use super::topics::{self, Rows, Topics};
use super::{Build, Handed, Hub, Limits};
use crate::clock::Clock;
use crate::lock::lock;
use crate::position::{Accepts, Positions, Settings, Step};
use crate::versioned::{Placed, TooFarBehind, Versioned};

/// Long enough for a busy machine; every wait ends with what it waits for.
const PATIENCE: Duration = Duration::from_secs(30);

fn area(code: &str) -> AreaCode {
    AreaCode::new(code).unwrap()
}

/// A value that lies in areas.
#[derive(Debug, Clone, PartialEq)]
struct Lying(u64, Vec<AreaCode>);

impl Placed for Lying {
    fn areas(&self) -> &[AreaCode] {
        &self.1
    }
}

fn hub() -> (Hub, super::HubPublisher) {
    let accepts = Accepts { bounds: None, clock_skew_seconds: 300 };
    let positions = Positions::open(None, Settings::default(), accepts, Clock::machine()).unwrap();
    Hub::new(Limits::default(), positions, Build::default(), Clock::machine())
}

/// The line of event `seq`, about a case in this street.
fn line_in(seq: u64, street: &str) -> Arc<domain::wire::EventLine> {
    let case = serde_json::json!({
        "id": seq, "number": "1", "class": "c", "condition": null, "area_path": [street, "530102"], "address": "",
        "place": null, "priority": "ordinary", "stage": "accept", "stage_since": 0, "reported": 0, "closed": null,
        "started": null, "due": null, "limit": null, "phase": "running", "claimed_by": null, "department": null,
        "version": seq,
    });
    let line = serde_json::json!({
        "seq": seq, "at": 0, "actor": "", "name": "case_reported", "case": case, "whistle": null,
        "department": null, "note": "",
    });
    Arc::new(serde_json::from_value(line).unwrap())
}

/// Method: a reader stands still with the topics in its hand; the writer publishes, and is done at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reader_holds_the_writer() {
    let (hub, publisher) = hub();
    let reading = hub.topics();
    let (done, waits) = mpsc::channel();
    let writer = std::thread::spawn(move || {
        for seq in 1..=1_000 {
            let lines = vec![line_in(seq, "530102001")];
            publisher.hand(Handed::Commit(Digest { lines, ..Digest::default() }));
        }
        done.send(()).unwrap();
    });
    assert_eq!(waits.recv_timeout(PATIENCE), Ok(()), "the writer waits for a reader");
    drop(reading);
    writer.join().unwrap();
    assert_eq!(hub.topics().seq(), 1_000);
}

/// Method: a runtime that never gets to its pacer; the writer hands over on and on.
#[tokio::test]
async fn what_nobody_looks_at_does_not_pile_up() {
    let (hub, publisher) = hub();
    for seq in 1..=10_000 {
        let lines = vec![line_in(seq, "530102001")];
        publisher.hand(Handed::Commit(Digest { lines, ..Digest::default() }));
        assert!(lock(&hub.0.inbox).len() <= super::WAITING_DIGESTS);
    }
    assert_eq!(hub.topics().seq(), 10_000);
}

/// Method: one frame takes its time; another is wanted meanwhile, and the slow one a second time.
#[test]
fn a_slow_frame_holds_up_nobody_but_those_who_need_it() {
    let frames = Arc::new(Frames::default());
    let (made, begun, go_on) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)), mpsc::channel::<()>());
    let slow_key = (Topic::CASE, Format::Json, 1, 2);
    let slow = {
        let (frames, made, begun, key) = (frames.clone(), made.clone(), begun.clone(), slow_key.clone());
        let wait = go_on.1;
        std::thread::spawn(move || {
            frames.made_once(key, || {
                begun.wait();
                wait.recv().unwrap();
                made.fetch_add(1, Ordering::SeqCst);
                Next::Delta { to: 2, delta: Bytes::from_static(b"slow") }
            })
        })
    };
    begun.wait();
    let (told, other) = mpsc::channel();
    let quick = frames.clone();
    let asking = std::thread::spawn(move || {
        let next = quick.made_once((Topic::TALLY, Format::Binary, 1, 2), || Next::Idle);
        told.send(matches!(next, Next::Idle)).unwrap();
    });
    assert_eq!(other.recv_timeout(PATIENCE), Ok(true), "another topic waits");
    go_on.0.send(()).unwrap();
    asking.join().unwrap();
    slow.join().unwrap();
    let again = frames.made_once(slow_key, || panic!("it is made once"));
    assert!(matches!(again, Next::Delta { to: 2, .. }) && made.load(Ordering::SeqCst) == 1);
}

#[test]
fn lines_fill_a_frame_by_their_bytes_and_the_largest_still_fits() {
    let lines: Vec<_> = (1..=100)
        .map(|seq| {
            let mut line = line_in(seq, "530102001").as_ref().clone();
            line.note = "路".repeat(1_365);
            Arc::new(line)
        })
        .collect();
    for format in [Format::Binary, Format::Json] {
        let (mut from, mut frames) = (0, 0);
        while from < 100 {
            let rest = lines[from as usize..].to_vec();
            let rows = Rows::Lines { since: from, lines: rest };
            let Next::Delta { to, delta } = super::frames::delta(format, &Topic::CASE, from, 100, rows)
            else {
                panic!("lines always fit");
            };
            assert!(to > from && delta.len() <= super::frames::MESSAGE_BYTES_MAX);
            (from, frames) = (to, frames + 1);
        }
        assert!((3..20).contains(&frames), "{frames} frames");
    }
}

#[test]
fn a_row_that_moves_leaves_a_word_in_its_old_area_and_comes_into_its_new_one() {
    let (north, south, city) = (area("n"), area("s"), area("c"));
    let hash = |rows: &Versioned<u64, Lying>, area: &AreaCode| rows.hash(Some(&Part::Area(area.clone())));
    let at = |value, place: &AreaCode| Some(Lying(value, vec![place.clone(), city.clone()]));
    let mut rows = Versioned::start(10, [(1u64, 5, at(1, &north).unwrap(), 0xa)]);
    assert_eq!((hash(&rows, &north), hash(&rows, &south)), ((10, 0xa), (10, 0)));
    rows.set(1, 11, at(2, &south), 0xb);
    rows.set(2, 12, at(3, &north), 0xc);
    let since = |rows: &Versioned<u64, Lying>, area: &AreaCode, from| {
        rows.since(from, 99, 99, Some(&Part::Area(area.clone())))
    };
    let told = |stretch: crate::versioned::Stretch<u64, Lying>| -> Vec<(u64, bool)> {
        stretch.rows.into_iter().map(|(key, _, value)| (key, value.is_some())).collect()
    };
    assert_eq!(told(since(&rows, &north, 10).unwrap()), [(1, false), (2, true)]);
    assert_eq!(told(since(&rows, &south, 10).unwrap()), [(1, true)]);
    assert_eq!(told(since(&rows, &city, 10).unwrap()), [(1, true), (2, true)]);
    assert_eq!(
        (hash(&rows, &north), hash(&rows, &south), hash(&rows, &city).1),
        ((12, 0xc), (11, 0xb), 0xb ^ 0xc)
    );
    // Gone for good: told where it was, and not where it never was.
    rows.set(1, 13, None, 0);
    assert_eq!(told(since(&rows, &south, 12).unwrap()), [(1, false)]);
    assert_eq!(told(since(&rows, &area("w"), 10).unwrap()), []);
    assert_eq!(since(&rows, &north, 9), Err(TooFarBehind));
    assert_eq!(rows.head(Some(&Part::Area(south))).get(), 13);
}

/// Method: any changes; each area's hash and rows are those of a fresh copy, and a client of it that hears every stretch
/// holds the same.
#[test]
fn every_areas_topic_equals_a_recount() {
    let areas = ["a", "b", "c"].map(area);
    let own = Scope::of(["a", "c"].map(area).into(), BTreeSet::new()).unwrap();
    let parts: Vec<Part> =
        areas.iter().cloned().map(Part::Area).chain([Part::Own(Some(Arc::new(own)))]).collect();
    let mut state = 17u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut rows: Versioned<u64, Lying> = Versioned::start(0, []);
    let mut clients = vec![(0u64, std::collections::BTreeMap::new()); parts.len()];
    let _followed: Vec<_> = parts.iter().map(|part| rows.head(Some(part))).collect();
    for version in 1..=4_000u64 {
        let (key, place) = (random(40), random(4) as usize);
        let value = areas.get(place).map(|area| Lying(version, vec![area.clone()]));
        rows.set(key, version, value, version.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for (part, (at, held)) in parts.iter().zip(&mut clients) {
            if random(7) == 0 {
                let stretch = rows.since(*at, version, 1 + random(5) as usize, Some(part)).unwrap();
                *at = stretch.to;
                for (key, version, value) in stretch.rows {
                    match value {
                        Some(value) => drop(held.insert(key, (version, value))),
                        None => drop(held.remove(&key)),
                    }
                }
            }
        }
    }
    for (part, (at, held)) in parts.iter().zip(&mut clients) {
        for (key, version, value) in rows.since(*at, 4_000, usize::MAX, Some(part)).unwrap().rows {
            match value {
                Some(value) => drop(held.insert(key, (version, value))),
                None => drop(held.remove(&key)),
            }
        }
        let all = rows.bite(None, usize::MAX, Some(part)).rows;
        let fresh: std::collections::BTreeMap<_, _> =
            all.into_iter().map(|(key, version, value)| (key, (version, value))).collect();
        assert_eq!(*held, fresh);
        let hash =
            fresh.values().fold(0, |hash, (version, _)| hash ^ version.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        assert_eq!(rows.hash(Some(part)).1, hash);
        assert_eq!(rows.hash(Some(part)).0, rows.head(Some(part)).get());
    }
}

#[test]
fn a_quiet_streets_ticker_starts_with_its_own_last_lines_however_busy_the_city_is() {
    let mut topics = Topics::empty();
    for seq in 1..=3_000 {
        topics.recent.push(line_in(seq, if seq % 1_000 == 0 { "530102001" } else { "530102002" }));
    }
    let seqs = |code: Option<&str>| {
        let topic = Topic { part: code.map(|code| Part::Area(area(code))), ..Topic::CASE };
        let Some((rows, None)) = topics.bite(&topic, None) else { panic!("no lines") };
        let Payload::Case(Events { since, lines }) = super::frames::payload(rows, Audience::Desk) else {
            panic!("not lines")
        };
        (since, lines.iter().map(|line| line.seq).collect::<Vec<u64>>())
    };
    assert_eq!(seqs(Some("530102001")), (0, vec![1_000, 2_000, 3_000]));
    let (since, busy) = seqs(Some("530102002"));
    assert_eq!((since, busy.len(), busy.last()), (busy[0] - 1, super::topics::LINES_AT_FIRST, Some(&2_999)));
    assert_eq!(seqs(None).0, 2_900);
}

#[test]
fn a_quiet_areas_log_is_not_behind_for_what_happens_elsewhere() {
    let mut topics = Topics::empty();
    topics.recent.push(line_in(1, "530102001"));
    let quiet = Topic::within(Kind::Case, area("530102001"));
    for seq in 2..=200 {
        topics.recent.push(line_in(seq, "530102002"));
    }
    assert_eq!(topics.head(&quiet).unwrap().get(), 1);
    let topics::Step::Rows { to: 200, rows } = topics.step(&quiet, 1, 200) else {
        panic!("the lines are held")
    };
    assert!(rows.is_empty());
}

/// Method: a copy is taken in bites while the topic changes between them; it must be what the topic is at its version.
#[test]
fn a_copy_taken_in_bites_under_changes_is_the_topic_at_its_version() {
    let key =
        |at: u64| Arc::new(format!("open|class:c{at:05}|now").parse::<domain::tally::TallyKey>().unwrap());
    let change = |topics: &mut Topics, seq: u64, at: u64, cases: i64| {
        let value = domain::tally::Count { cases, base: cases };
        let cell = Cell { value, areas: Arc::from([]) };
        let (cells, lines) = (vec![(seq, key(at), cell)], vec![line_in(seq, "x")]);
        topics.take(Digest { cells, lines, ..Digest::default() });
    };
    let mut topics = Topics::empty();
    (1..=5_000).for_each(|seq| change(&mut topics, seq, seq, 1));
    let (mut rows, mut onward) = topics.bite(&Topic::TALLY, None).unwrap();
    let mut seq = 5_000;
    while let Some(at) = onward {
        // One that has been copied goes, one that has not changes, a new one comes.
        for (at, value) in [(3, 0), (4_999, 7), (6_000 + seq, 1)] {
            seq += 1;
            change(&mut topics, seq, at, value);
        }
        let (more, next) = topics.bite(&Topic::TALLY, Some(&at)).unwrap();
        rows.append(more);
        onward = next;
    }
    let topics::Step::Rows { rows: late, .. } = topics.step(&Topic::TALLY, 5_000, seq) else {
        panic!("all is known")
    };
    rows.append(late);
    let Payload::Tally(cells) = super::frames::payload(rows.settled(), Audience::Desk) else {
        panic!("not tallies")
    };
    let hash = cells.iter().fold(0, |hash, (key, value)| hash ^ domain::wire::tally_hash(key, *value));
    assert_eq!(Some(hash), topics.hash(&Topic::TALLY).map(|(_, hash)| hash));
    assert!(seq > 5_000 && cells.iter().all(|(_, value)| !value.is_zero()));
}

/// Method: two inspectors stand in one cell and work in different areas; each topic's hash in a heartbeat is that of whoever its
/// reader sees, and the frames of that part give the same one.
#[tokio::test]
async fn a_parts_heartbeat_has_the_hashes_of_the_part_and_of_nobody_beyond_it() {
    let (hub, publisher) = hub();
    publisher.hand(Handed::Start(Box::new(Topics::empty())));
    let (place, at) = (Point::from_degrees(25.04, 102.7).unwrap(), hub.0.clock.now());
    hub.0.positions.set_works_in(Arc::new(|code| Some([area(code.as_str())].into())));
    let cell = hub.0.positions.with(|table| {
        for code in ["n", "s"] {
            let index = table.enter(&code.parse().unwrap(), place, at).unwrap();
            table.put(&Step { index, place, fixed: at, moving: false, heading_deg: 0.0 });
        }
        table.tick(at);
        table.hashes(None).1[0].0
    });
    let part = |code| Some(Part::Own(Some(Arc::new(Scope::area(area(code))))));
    let parts = [None, part("n"), part("s")];
    let kinds = [Kind::Position(cell), Kind::Positions, Kind::Who];
    let of = |kind| parts.clone().map(|part| Topic { kind, part, audience: Audience::Desk });
    let _followed = hub.0.sets.of(kinds.into_iter().flat_map(of).collect());
    let beat = super::pacer::beat_of(&hub, 0);
    for kind in kinds {
        let [city, north, south] = of(kind).map(|topic| beat.topics[&topic].1.unwrap());
        assert_eq!(north ^ south, city, "{kind:?}");
        assert!(north != south && north != city && south != city, "{kind:?}: {north:x} {south:x} {city:x}");
    }
    for part in parts {
        let frames = hub.0.positions.with(|table| table.frames(part.as_ref(), Some(cell), 0, at));
        let mut view = CellView::default();
        frames.iter().for_each(|frame| assert!(view.apply(&Frame::decode(&frame[1..]).unwrap())));
        let topic = Topic { kind: Kind::Position(cell), part, audience: Audience::Desk };
        assert_eq!(beat.topics[&topic].1, Some(view.hash()), "{topic:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_word_for_the_build_is_read_beside_the_site() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Build::of(dir.path().to_owned()).word(), "");
    std::fs::write(dir.path().join("build.txt"), "a1b2c3\n").unwrap();
    assert_eq!(Build::of(dir.path().to_owned()).word(), "a1b2c3");
    assert_eq!(lock(&hub().0.0.inbox).len(), 0);
}

#[test]
fn what_a_reader_of_a_part_is_told_to_follow_is_a_topic() {
    let kinds =
        [Kind::Tally, Kind::Who, Kind::Positions, Kind::Position(domain::position::Cell { x: 1027, y: 250 })];
    for kind in kinds {
        let topic = Topic::of(kind);
        let (code, said) = topics::Admission::OutOfScope.refusal(&topic).unwrap();
        let advised = said.rsplit_once("follow ").unwrap().1;
        let own: Topic = advised.parse().unwrap_or_else(|error| panic!("{topic}: {error}"));
        assert_eq!((code, own.part), ("out_of_scope", Some(Part::Own(None))), "{advised}");
    }
}

/// A generated client refuses a topic that the description of the API does not know.
#[test]
fn the_description_of_the_api_knows_every_topic() {
    let names = |areas: bool| -> Vec<&str> {
        let plain =
            Kind::NAMED.into_iter().filter(|kind| *kind != Kind::Positions && kind.has_areas() == areas);
        plain.map(Kind::name).collect()
    };
    let (areas, others) = (names(true).join("|"), names(false).join("|"));
    let position = Kind::Positions.name();
    let pattern = format!(
        r"^(({areas})(/([A-Za-z0-9._-]{{1,64}}|@own))?|{others}(/@own)?|{position}(/(-?\d{{1,4}}_-?\d{{1,4}}|@own))?)$"
    );
    let written = serde_json::to_string(&pattern).unwrap();
    assert!(crate::http::openapi::description().contains(&written), "no pattern is {pattern}");
}
