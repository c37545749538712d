//! The client half by examples. That it converges with the real topics under every network fault is proved in the
//! server's simulation.

use super::*;
use crate::moment::UtcMillis;
use crate::tally::{Count, TallyKey};
use crate::wire::{
    ClientMessage, Delta, Events, Hex64, Keyed, Kind, PROTOCOL, Payload, ResyncReason, ServerMessage,
    Snapshot, Topic, keyed_hash, tally_hash,
};

const EPOCH: Hex64 = Hex64(5);

fn welcome(epoch: Hex64, head: u64, build: &str) -> ServerMessage {
    ServerMessage::Welcome {
        protocol: PROTOCOL,
        epoch,
        head,
        server_ms: UtcMillis(1_000),
        heartbeat_ms: 1_000,
        cell_e6: 100_000,
        build: build.into(),
        pace_milli: 1_000,
    }
}

fn count(cases: i64) -> Count {
    Count { cases, base: 2 * cases }
}

fn cell(cases: i64) -> Payload {
    Payload::Tally(vec![(key(), count(cases))])
}

fn key() -> TallyKey {
    "open|city|now".parse().unwrap()
}

fn snapshot(version: u64, payload: Payload) -> Option<Snapshot> {
    Some(Snapshot { topic: Topic::TALLY, epoch: EPOCH, version, server_ms: UtcMillis(1_000), payload })
}

fn deltas(from: u64, to: u64, payload: Payload) -> ServerMessage {
    let delta = Delta { topic: Topic::TALLY, from, to, payload };
    ServerMessage::Deltas { epoch: EPOCH, deltas: vec![delta] }
}

fn acts(follower: &mut Follower) -> Vec<Act> {
    std::iter::from_fn(|| follower.next_act()).collect()
}

/// A follower of the tallies that stands at version 10.
fn at_ten() -> Follower {
    let mut follower = Follower::new([Topic::TALLY], "b1");
    follower.connected(0);
    follower.hear(welcome(EPOCH, 10, "b1"), 0);
    assert!(acts(&mut follower).contains(&Act::Fetch(Topic::TALLY)));
    follower.fetched(&Topic::TALLY, snapshot(10, cell(3)), 0, 0.5);
    let said = acts(&mut follower);
    assert!(matches!(
        said[..],
        [Act::Changed(Kind::Tally), Act::Say(ClientMessage::Subscribe { from: Some(10), .. })]
    ));
    follower
}

fn said(act: &Act) -> Option<u64> {
    if let Act::Say(ClientMessage::Subscribe { from, .. }) = act { *from } else { None }
}

#[test]
fn a_topic_is_whole_once_its_subscription_is_answered() {
    let mut follower = at_ten();
    assert!(!follower.is_whole() && follower.knows(Kind::Tally));
    follower.hear(deltas(10, 10, Payload::Tally(Vec::new())), 1);
    assert!(follower.is_whole());
    follower.lost();
    assert!(!follower.is_whole() && follower.knows(Kind::Tally));
}

#[test]
fn a_delta_is_applied_where_it_follows_ignored_where_it_is_known_and_asked_for_where_one_is_missing() {
    let mut follower = at_ten();
    follower.hear(deltas(10, 12, cell(4)), 1);
    follower.hear(deltas(10, 12, cell(9)), 1);
    assert_eq!(follower.held().tally.get(&key()), count(4));
    acts(&mut follower);
    follower.hear(deltas(15, 16, cell(7)), 1);
    assert_eq!(follower.counts().gaps, 1);
    assert_eq!(acts(&mut follower).iter().find_map(said), Some(12));
    follower.hear(deltas(0, 20, cell(8)), 1);
    assert_eq!(
        (follower.held().tally.get(&key()), follower.stand(&Topic::TALLY)),
        (count(8), Some((EPOCH, 20)))
    );
}

#[test]
fn the_hash_of_a_changed_cell_is_the_hash_of_its_last_value() {
    let mut follower = at_ten();
    for (version, value) in [(11, 0), (12, 7)] {
        follower.hear(deltas(version - 1, version, cell(value)), 1);
    }
    assert_eq!(follower.held().hash(Kind::Tally), Some(tally_hash(&key(), count(7))));
    let mut rows: Rows<u8> = Rows::default();
    rows.put(vec![Keyed { id: 1, version: 5, row: Some(1) }, Keyed { id: 2, version: 6, row: Some(2) }]);
    rows.put(vec![Keyed { id: 1, version: 7, row: None }, Keyed { id: 9, version: 7, row: None }]);
    assert_eq!((rows.hash(), rows.iter().copied().collect::<Vec<u8>>()), (keyed_hash(2, 6), vec![2]));
}

/// Whoever was away gets the version with the first heartbeat, and whoever sees a part, to whom no line of an adoption comes, too.
#[test]
fn names_of_another_policy_than_the_heartbeat_says_are_wanted_whatever_lines_were_missed() {
    let beat = |policy| ServerMessage::Heartbeat {
        server_ms: UtcMillis(2_000),
        head: 10,
        heads: Vec::new(),
        hashes: Vec::new(),
        degraded: 0,
        policy,
        pace_milli: 1_000,
    };
    let mut follower = at_ten();
    assert!(follower.wants_names(None) && !follower.wants_names(Some(0)), "nothing is told yet");
    follower.hear(beat(1), 1);
    assert!(follower.wants_names(Some(0)) && !follower.wants_names(Some(1)));
    follower.lost();
    assert!(!follower.wants_names(Some(1)), "what is known stays on the screen");
    follower.hear(beat(3), 2);
    assert!(follower.wants_names(Some(1)) && !follower.wants_names(Some(3)));
}

#[test]
fn a_hash_that_differs_is_said_counted_and_the_topic_taken_anew() {
    let heartbeat = |version, head, hash| ServerMessage::Heartbeat {
        server_ms: UtcMillis(2_000),
        head,
        heads: vec![(Topic::TALLY, version)],
        hashes: vec![(Topic::TALLY, version, Hex64(hash))],
        degraded: 0,
        policy: 0,
        pace_milli: 1_000,
    };
    let right = tally_hash(&key(), count(3));
    let mut follower = at_ten();
    // It holds from the version of the last change up to the head; elsewhere it says nothing.
    for (version, head, hash) in [(8, 10, right), (8, 9, 1), (11, 12, 1)] {
        follower.hear(heartbeat(version, head, hash), 1);
        assert_eq!(follower.counts().divergences, 0);
    }
    follower.hear(heartbeat(8, 30, 1), 1);
    let acts = acts(&mut follower);
    assert_eq!(follower.counts().divergences, 1);
    assert!(acts.contains(&Act::Say(ClientMessage::Diverged { topic: Topic::TALLY, version: 10 })));
    assert!(acts.contains(&Act::Fetch(Topic::TALLY)));
    // The server's own word for it comes later and asks for nothing twice.
    follower.hear(ServerMessage::Resync { topic: Topic::TALLY, reason: ResyncReason::Diverged }, 1);
    assert_eq!(follower.next_act(), None);
}

#[test]
fn another_store_leaves_nothing_of_the_first() {
    let mut follower = at_ten();
    follower.lost();
    follower.connected(5);
    follower.hear(welcome(Hex64(6), 3, "b1"), 5);
    assert!(follower.held().tally.iter().next().is_none() && !follower.knows(Kind::Tally));
    assert!(acts(&mut follower).contains(&Act::Fetch(Topic::TALLY)));
}

#[test]
fn a_snapshot_that_cannot_be_had_is_asked_for_again_after_a_moment() {
    let mut follower = Follower::new([Topic::TALLY], "");
    follower.connected(0);
    follower.hear(welcome(EPOCH, 10, ""), 0);
    acts(&mut follower);
    let mut now_ms = 100;
    for misses in 0..10 {
        follower.fetched(&Topic::TALLY, None, now_ms, 0.5);
        let wait = u64::from(snapshot_retry_ms(misses, 0.5));
        follower.heard_positions(now_ms + wait - 1);
        follower.passed(now_ms + wait - 1);
        assert_eq!(follower.next_act(), None, "after {misses} misses");
        now_ms += wait;
        follower.passed(now_ms);
        assert_eq!(follower.next_act(), Some(Act::Fetch(Topic::TALLY)));
    }
    // A new connection, perhaps to another process, does not wait for that.
    follower.fetched(&Topic::TALLY, None, now_ms, 0.5);
    follower.hear(welcome(EPOCH, 10, ""), now_ms);
    assert_eq!(follower.next_act(), Some(Act::Fetch(Topic::TALLY)));
}

#[test]
fn snapshots_are_asked_for_again_ever_more_slowly_within_bounds() {
    assert!(snapshot_retry_ms(0, 0.0) == 250 && snapshot_retry_ms(0, 1.0) == 1_000);
    assert!(snapshot_retry_ms(3, 0.0) == 2_000 && snapshot_retry_ms(255, 1.0) == 15_000);
}

#[test]
fn silence_is_noticed_before_three_seconds_are_over_and_once() {
    let mut follower = at_ten();
    follower.passed(2_400);
    assert_eq!(follower.next_act(), None);
    for now_ms in [2_600, 2_900] {
        follower.passed(now_ms);
    }
    assert_eq!(acts(&mut follower), [Act::GiveUp]);
}

#[test]
fn a_screen_that_was_away_for_long_asks_for_the_newest_lines_and_says_what_it_leaves_out() {
    let lines = |from: u64, since: u64, to: u64| {
        let payload = Payload::Case(Events { since, lines: Vec::new() });
        let delta = Delta { topic: Topic::CASE, from, to, payload };
        ServerMessage::Deltas { epoch: EPOCH, deltas: vec![delta] }
    };
    let mut follower = Follower::new([Topic::CASE], "");
    follower.connected(0);
    follower.hear(welcome(EPOCH, 5_000, ""), 0);
    assert_eq!(acts(&mut follower).iter().find_map(said), Some(3_500));
    follower.hear(lines(3_500, 3_500, 5_000), 0);
    follower.lost();
    follower.connected(1);
    follower.hear(welcome(EPOCH, 15_001, ""), 1);
    assert_eq!(acts(&mut follower).iter().find_map(said), Some(13_501));
    assert_eq!(follower.counts().events_left_out, 8_501);
    // The server may leave out as well, and says so.
    follower.hear(lines(13_501, 14_000, 15_001), 1);
    assert_eq!((follower.counts().events_left_out, follower.is_whole()), (9_000, true));
}

#[test]
fn a_page_of_another_build_or_protocol_is_outdated() {
    let mut follower = Follower::new([], "b1");
    for (build, outdated) in [("b1", false), ("", false), ("b2", true)] {
        follower.hear(welcome(EPOCH, 1, build), 0);
        assert_eq!(follower.is_outdated(), outdated, "{build}");
    }
    let (topic, words) = (None, "reload the page".to_owned());
    follower.hear(welcome(EPOCH, 1, "b1"), 0);
    follower.hear(ServerMessage::Refused { topic, code: "protocol".into(), words }, 0);
    assert!(follower.is_outdated());
}

#[test]
fn a_server_of_another_protocol_is_not_followed() {
    let mut follower = Follower::new([Topic::TALLY], "b1");
    follower.connected(0);
    acts(&mut follower);
    let ServerMessage::Welcome { epoch, head, server_ms, heartbeat_ms, cell_e6, build, pace_milli, .. } =
        welcome(EPOCH, 1, "b1")
    else {
        unreachable!("it is a welcome")
    };
    let protocol = PROTOCOL + 1;
    let other =
        ServerMessage::Welcome { protocol, epoch, head, server_ms, heartbeat_ms, cell_e6, build, pace_milli };
    follower.hear(other, 1);
    assert!(follower.is_outdated() && follower.is_of_other_protocol() && !follower.is_welcomed());
    assert_eq!(acts(&mut follower), [], "it asks for no snapshot");
    follower.hear(welcome(EPOCH, 1, "b1"), 2);
    assert!(follower.is_welcomed() && !follower.is_of_other_protocol());
    follower.misheard();
    assert!(!follower.is_of_other_protocol(), "one message that cannot be read is no other protocol");
    follower.lost();
    follower.misheard();
    assert!(follower.is_of_other_protocol());
}

#[test]
fn nothing_agrees_before_it_was_compared() {
    let mut follower = at_ten();
    assert_eq!(follower.divergences(), None);
    let heartbeat = |hash| ServerMessage::Heartbeat {
        server_ms: UtcMillis(2_000),
        head: 10,
        heads: vec![(Topic::TALLY, 10)],
        hashes: vec![(Topic::TALLY, 10, Hex64(hash))],
        degraded: 0,
        policy: 0,
        pace_milli: 1_000,
    };
    follower.hear(heartbeat(tally_hash(&key(), count(3))), 1);
    assert_eq!(follower.divergences(), Some(0));
    follower.hear(heartbeat(1), 2);
    assert_eq!(follower.divergences(), Some(1));
}

#[test]
fn a_topic_that_is_refused_is_left_and_holds_nothing_up() {
    let mut follower = at_ten();
    let (topic, words) = (Some(Topic::TALLY), "not within what this account may read".to_owned());
    follower.hear(ServerMessage::Refused { topic, code: "out_of_scope".into(), words }, 0);
    assert!(matches!(acts(&mut follower)[..], [Act::Refused { .. }]));
    assert!(follower.is_whole());
}

#[test]
fn retries_stay_between_a_quarter_and_a_whole_second() {
    for attempt in 0..40 {
        assert!(retry_ms(attempt, 0.0) == 250 && retry_ms(attempt, 0.999_999) <= 1_000);
    }
    assert!(retry_ms(0, 0.999) <= 500 && retry_ms(9, 0.999) > 990);
}
