//! The live feed over real sockets: what is said on a connection that holds, what is refused on it, and what each topic carries.
//!
//! What should not be here: screens that lag (`live_lag`), halls that go and come back (`live_back`), the hall itself (`live_hall`).

use std::time::Duration;

use domain::command::Command;
use domain::position::{CellView, Frame};
use domain::wire::{
    ClientMessage, Incoming, Kind, PROTOCOL, Payload, ResyncReason, ServerMessage, Snapshot, Topic,
};
use futures_util::SinkExt;
use server::clock::Clock;
use server::live::Limits;
use server::position::Fix;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::city;
use crate::live_hall::{Hall, PATIENCE, head_after, quick, work};
use crate::live_screen::{Client, Screen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_and_the_feed_after_it_leave_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let working = tokio::spawn(work(hall.writer.clone(), 60));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (mut binary, mut json) = (Screen::new(), Screen::new());
    let mut by_bytes = binary.connect(&hall, false).await;
    let mut by_text = json.connect(&hall, true).await;
    working.await.unwrap();
    let seq = head_after(&hall).await;
    binary.follow_to(&hall, &mut by_bytes, seq).await;
    json.follow_to(&hall, &mut by_text, seq).await;
    binary.assert_complete(seq);
    json.assert_complete(seq);
    // Both encodings say the same.
    assert_eq!(binary.follower.held(), json.follower.held());
    assert!(!binary.follower.held().whistles.is_empty() && !binary.follower.held().open.is_empty());
    assert!(binary.follower.is_whole() && json.follower.is_whole());
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_of_another_store_or_of_the_future_is_sent_back_to_the_snapshot() {
    use domain::wire::Hex64;
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let epoch = hall.snapshot(&Topic::TALLY).await.epoch;
    let mut client = Client::connect(hall.address, true).await;
    for (claimed, from, expected) in
        [(Hex64(epoch.0 ^ 1), 0, ResyncReason::OtherEpoch), (epoch, 1_000_000, ResyncReason::AheadOfStore)]
    {
        let subscribe = ClientMessage::Subscribe {
            topic: Topic::TALLY,
            epoch: Some(claimed),
            from: Some(from),
            max_hz: None,
        };
        client.say(&subscribe).await;
        loop {
            match client.next().await.unwrap() {
                Incoming::Message(ServerMessage::Resync { topic, reason }) => {
                    assert_eq!((topic, reason), (Topic::TALLY, expected));
                    break;
                }
                Incoming::Message(ServerMessage::Heartbeat { .. }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    hall.stop().await;
}

async fn refusal(client: &mut Client) -> (String, String) {
    // Heartbeats go on for ever, so the wait as a whole is bounded.
    let asked = tokio::time::timeout(PATIENCE, async {
        loop {
            match client.next().await.expect("an answer") {
                Incoming::Message(ServerMessage::Refused { code, words, .. }) => return (code, words),
                Incoming::Message(_) | Incoming::Positions(_) => {}
            }
        }
    });
    asked.await.expect("a refusal comes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_answered_in_words_and_in_the_end_with_a_closed_door() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), Limits { connections_max: 3, ..quick() }).await;
    let mut client = Client::open(hall.address, true).await.unwrap();
    client.subscribe(&Topic::TALLY).await;
    assert_eq!(refusal(&mut client).await.0, "hello_first");
    for (said, word) in [
        ("{", "EOF"),
        (r#"{"subscribe":{"topic":"cases"}}"#, "not a topic"),
        (r#"{"subscribe":{"topic":"tally","form":3}}"#, "unknown field"),
        (r#"{"hello":{"protocol":"one"}}"#, "invalid type"),
    ] {
        client.socket.send(Message::text(said)).await.unwrap();
        let (code, words) = refusal(&mut client).await;
        assert!(code == "malformed" && words.contains(word), "{said}: {words}");
    }
    client.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(refusal(&mut client).await.1, "expected JSON text");
    for _ in 0..2 {
        client.socket.send(Message::text("[]")).await.unwrap();
    }
    assert_eq!(client.closed_with().await, Some(CloseCode::Policy));

    let mut other = Client::open(hall.address, false).await.unwrap();
    other.say(&ClientMessage::Hello { protocol: PROTOCOL + 1, build: String::new() }).await;
    let (code, words) = refusal(&mut other).await;
    assert!(code == "protocol" && words.contains(&format!("protocol {PROTOCOL}")), "{words}");
    assert_eq!(other.closed_with().await, Some(CloseCode::Policy));
    // What a page of protocol 1 says, byte by byte and as text.
    for (json, hello) in
        [(false, Message::binary(vec![1, 0, 1])), (true, Message::text(r#"{"hello":{"protocol":1}}"#))]
    {
        let mut old = Client::open(hall.address, json).await.unwrap();
        old.socket.send(hello).await.unwrap();
        let (code, words) = refusal(&mut old).await;
        assert!(code == "protocol" && words.contains("the client 1; reload the page"), "{words}");
        assert_eq!(old.closed_with().await, Some(CloseCode::Policy));
    }

    let mut big = Client::connect(hall.address, true).await;
    big.socket.send(Message::text("x".repeat(17 * 1024))).await.unwrap();
    assert_eq!(big.closed_with().await, Some(CloseCode::Size));

    let mut greedy = Client::connect(hall.address, false).await;
    for x in 0..65 {
        greedy.subscribe(&Topic::of(Kind::Position(domain::position::Cell { x, y: 1 }))).await;
    }
    assert_eq!(refusal(&mut greedy).await.0, "too_many_subscriptions");
    // Bursts, because a busy machine may spread one over so many seconds that the pace is kept.
    let mut told = None;
    while told.is_none() {
        for _ in 0..110 {
            greedy.say(&ClientMessage::Unsubscribe { topic: Topic::TALLY }).await;
        }
        told = tokio::time::timeout(Duration::from_millis(500), refusal(&mut greedy)).await.ok();
    }
    assert_eq!(told.map(|(code, _)| code).as_deref(), Some("too_many_messages"));
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_the_limit_a_screen_is_told_when_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), Limits { connections_max: 2, ..quick() }).await;
    let first = Client::connect(hall.address, false).await;
    let _second = Client::connect(hall.address, false).await;
    match Client::open(hall.address, false).await.err() {
        Some(tungstenite::Error::Http(answer)) => {
            assert_eq!(answer.status(), 503);
            assert_eq!(answer.headers()["retry-after"], "2");
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    let began = tokio::time::Instant::now();
    while Client::open(hall.address, false).await.is_err() {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_known_already_is_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    hall.send(city::report_case()).await;
    let url = format!("http://{}/api/v1/live/snapshot?topic=tally&format=json", hall.address);
    let asked = tokio::task::spawn_blocking(move || {
        let first = ureq::get(&url).call().unwrap();
        let etag = first.headers()["etag"].to_str().unwrap().to_owned();
        let text = first.into_body().read_to_string().unwrap();
        let again = ureq::get(&url).header("if-none-match", &etag).call().unwrap();
        let wrong = ureq::get(&url.replace("tally", "tallies"))
            .config()
            .http_status_as_error(false)
            .build()
            .call()
            .unwrap();
        (text, etag, again.status().as_u16(), wrong.status().as_u16())
    });
    let (text, etag, again, wrong) = asked.await.unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    assert_eq!(etag, format!("\"{}:{}\"", snapshot.epoch, snapshot.version));
    assert_eq!((again, wrong), (304, 400));
    hall.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_topic_of_an_area_has_only_its_cases_and_a_whole_start_needs_no_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let elsewhere = city::report(city::AREAS[3], city::CLASSES[0], city::SOURCES[0]);
    let mut client = Client::connect(hall.address, true).await;
    let street = Topic::within(Kind::Case, city::AREAS[2].parse().unwrap());
    client.subscribe(&street).await;
    client.subscribe(&Topic::TALLY).await;
    hall.send(Command::ReportCase { report: elsewhere, at: None }).await;
    let here = hall.send(city::report_case()).await;
    let (mut stand, mut cases, mut cells) = (0, Vec::new(), 0);
    while stand < here.last_seq || cells == 0 {
        let Some(Incoming::Message(ServerMessage::Deltas { deltas, .. })) = client.next().await else {
            continue;
        };
        for delta in deltas {
            match delta.payload {
                Payload::Case(events) => {
                    assert!(delta.topic == street && delta.from == stand, "{} at {stand}", delta.from);
                    stand = delta.to;
                    cases.extend(events.lines.into_iter().filter_map(|line| line.case).map(|case| case.id));
                }
                Payload::Tally(changed) => cells += changed.len(),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(cases, [here.case.unwrap()]);
    hall.stop().await;
}

/// Method: a screen of a street, one of the district and one of the city follow the same work; then a scope that has the
/// street alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streets_screen_has_its_street_with_hashes_of_its_own_and_a_street_account_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let kinds = [Kind::Tally, Kind::Overdue, Kind::Open, Kind::Whistle, Kind::Case];
    let of = |area: &str| kinds.map(|kind| Topic::within(kind, area.parse().unwrap()));
    let mut street = Screen::following(of(city::AREAS[2]));
    let mut other = Screen::following(of(city::AREAS[3]));
    let mut at_street = street.connect(&hall, false).await;
    let mut at_other = other.connect(&hall, true).await;
    work(hall.writer.clone(), 12).await;
    for _ in 0..3 {
        let elsewhere = city::report(city::AREAS[3], city::CLASSES[0], city::SOURCES[0]);
        hall.send(Command::ReportCase { report: elsewhere, at: None }).await;
    }
    for (screen, client) in [(&mut street, &mut at_street), (&mut other, &mut at_other)] {
        while screen.agreed.len() < 4 || !screen.follower.is_whole() {
            screen.step(&hall, client).await;
        }
    }
    let held = street.follower.held();
    assert_eq!((held.open.len(), other.follower.held().open.len()), (12, 3));
    assert!(held.open.iter().all(|case| case.area_path.contains(&city::AREAS[2].parse().unwrap())));
    assert_eq!(held.tally.iter().filter(|(key, _)| key.to_string().starts_with("open|")).count(), 1);
    let refused = hall.snapshot_as(&of(city::AREAS[3])[2], city::AREAS[2]).await;
    let given = hall.snapshot_as(&of(city::AREAS[2])[2], city::AREAS[2]).await;
    let city_wide = hall.snapshot_as(&Topic::OPEN, city::AREAS[2]).await;
    let nowhere = hall.snapshot_as(&of("5309")[2], city::AREAS[2]).await;
    assert_eq!([refused, given, city_wide, nowhere], [403, 200, 403, 404]);
    let mut scoped = Client::open_as(hall.address, city::AREAS[2]).await;
    for (topic, code) in [
        (Topic::CASE, Some("out_of_scope")),
        (of(city::AREAS[3])[4].clone(), Some("out_of_scope")),
        (of("5309")[0].clone(), Some("no_such_area")),
        (of(city::AREAS[4])[2].clone(), None),
    ] {
        scoped.subscribe(&topic).await;
        match code {
            Some(code) => assert_eq!(refusal(&mut scoped).await.0, code, "{topic}"),
            None => {
                while !matches!(scoped.next().await, Some(Incoming::Message(ServerMessage::Deltas { .. }))) {}
            }
        }
    }
    hall.stop().await;
}

fn fix(number: usize, lat: f64, lon: f64) -> Fix {
    Fix {
        inspector: format!("jd-{number}").parse().unwrap(),
        place: domain::place::Point::from_degrees(lat, lon).unwrap(),
        fixed: Clock::machine().now(),
        speed_mps: Some(1.2),
        heading_deg: Some(90.0),
        accuracy_m: None,
        source: "test".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inspectors_move_on_both_feeds_and_between_cells() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    hall.positions.report(&[fix(1, 25.05, 102.75), fix(2, 25.05, 102.76)]);
    let mut packed = Client::connect(hall.address, false).await;
    let mut rows = Client::connect(hall.address, true).await;
    packed.subscribe(&Topic::POSITIONS).await;
    rows.subscribe(&Topic::POSITIONS).await;
    let mut screen = Screen::following([Topic::WHO, Topic::POSITIONS]);
    let mut at_screen = screen.connect(&hall, false).await;
    let mut cells: std::collections::BTreeMap<_, CellView> = std::collections::BTreeMap::new();
    let mut seen = std::collections::BTreeMap::new();
    let mut step = 0;
    while step < 40 {
        step += 1;
        let lon = 102.75 + f64::from(step) * 0.003;
        hall.positions.report(&[fix(1, 25.05, lon)]);
        let mut told = 0;
        while told < 2 {
            tokio::select! {
                message = packed.next() => if let Some(Incoming::Positions(frame)) = message {
                    let frame: Frame = frame;
                    assert!(cells.entry(frame.cell).or_default().apply(&frame), "{frame:?}");
                    told = 2;
                },
                message = rows.next() => see(message, &mut seen),
            }
        }
    }
    let began = tokio::time::Instant::now();
    let last = domain::place::Point::from_degrees(25.05, 102.87);
    while seen.get("jd-1") != Some(&last)
        || cells.values().flat_map(|cell| cell.people.values()).all(|seen| seen.at.lon != 10_287_000)
    {
        assert!(began.elapsed() < PATIENCE, "{seen:?} {cells:?}");
        tokio::select! {
            message = packed.next() => if let Some(Incoming::Positions(frame)) = message {
                assert!(cells.entry(frame.cell).or_default().apply(&frame));
            },
            message = rows.next() => see(message, &mut seen),
        }
    }
    let people: usize = cells.values().map(|cell| cell.people.len()).sum();
    assert_eq!((people, cells.len()), (2, 2), "one in each cell, nobody twice");
    // The heartbeat's hash over everyone is the hash of what was received.
    let own = cells.values().fold(0, |hash, cell| hash ^ cell.hash());
    loop {
        match packed.next().await.unwrap() {
            Incoming::Message(ServerMessage::Heartbeat { hashes, .. }) if !hashes.is_empty() => {
                let everyone = hashes.iter().find(|(topic, ..)| *topic == Topic::POSITIONS).unwrap();
                assert_eq!(everyone.2.0, own);
                break;
            }
            _ => {}
        }
    }
    // Everyone's number has a name, and the hash says so.
    while screen.agreed.is_empty() || !screen.follower.is_whole() || screen.follower.held().who.len() < 2 {
        screen.step(&hall, &mut at_screen).await;
    }
    let named: Vec<String> = screen.follower.held().who.iter().map(|who| who.code.to_string()).collect();
    assert_eq!(named, ["jd-1", "jd-2"]);
    hall.stop().await;
}

fn see(
    message: Option<Incoming>,
    seen: &mut std::collections::BTreeMap<String, Option<domain::place::Point>>,
) {
    if let Some(Incoming::Message(ServerMessage::Deltas { deltas, .. })) = message {
        for delta in deltas {
            if let Payload::Positions(moved) = delta.payload {
                seen.extend(moved.into_iter().map(|row| (row.inspector.to_string(), row.place)));
            }
        }
    }
}

/// Notes as long as they may be, more of them than a frame has lines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_notes_reach_every_screen_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let hall = Hall::start(dir.path(), quick()).await;
    let mut screen = Screen::new();
    let mut client = screen.connect(&hall, false).await;
    while !screen.follower.is_whole() {
        screen.step(&hall, &mut client).await;
    }
    let case = hall.send(city::report_case()).await.case.unwrap();
    let text = "路".repeat(1_300);
    let notes = (0..150).map(|_| city::envelope(Command::NoteCase { case, text: text.clone() })).collect();
    let seq = hall.writer.send_many(notes).await.into_iter().map(|answer| answer.unwrap().last_seq).max();
    screen.follow_to(&hall, &mut client, seq.unwrap()).await;
    screen.assert_complete(seq.unwrap());
    assert_eq!((screen.follower.counts().resyncs, screen.follower.counts().events_left_out), (0, 0));
    hall.stop().await;
}
