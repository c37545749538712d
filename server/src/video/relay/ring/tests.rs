//! The ring's rules as examples and as properties over random pushes and readers.

use super::*;
use crate::video::relay::frame::Codec;
use proptest::prelude::*;

const SKIP: Lag = Lag::Skip(Duration::from_secs(1));

fn ms(ms: i64) -> Duration {
    Duration::from_millis(ms.try_into().unwrap())
}

fn configuration(id: u64) -> Arc<Configuration> {
    Arc::new(Configuration {
        id,
        codec: Codec::H264,
        codec_string: "avc1.4d401f".into(),
        width: 640,
        height: 360,
        record: Bytes::new(),
        parameter_sets: Bytes::new(),
    })
}

fn ring() -> Ring {
    Ring::new(Limits { bytes: 1_000, age: ms(12_000) })
}

fn push(ring: &mut Ring, configuration: &Arc<Configuration>, at_ms: i64, key: bool, bytes: usize) {
    ring.push(picture(configuration, at_ms, key, bytes));
}

fn picture(configuration: &Arc<Configuration>, at_ms: i64, key: bool, bytes: usize) -> Picture {
    Picture {
        configuration: Arc::clone(configuration),
        pts_us: at_ms * 1_000,
        dts_us: at_ms * 1_000,
        duration_us: 40_000,
        arrived: Stamp { wall_us: 0, steady: ms(at_ms) },
        key,
        discontinuity: false,
        payload: Bytes::from(vec![0; bytes]),
    }
}

/// Everything the viewer can get now, as words: `c1` configuration, `k0` key, `d1` delta, `+` catch-up, `!` after a gap.
fn drain(ring: &Ring, cursor: &mut Cursor, now_ms: i64) -> String {
    let mut words = Vec::new();
    loop {
        words.push(match ring.next(cursor, ms(now_ms)) {
            Next::Configuration(configuration) => format!("c{}", configuration.id),
            Next::Frame { frame, catch_up, gap } => format!(
                "{}{}{}{}",
                if frame.key { "k" } else { "d" },
                frame.number,
                if catch_up { "+" } else { "" },
                if gap { "!" } else { "" }
            ),
            Next::Skipped(frames) => format!("skipped{frames}"),
            Next::Wait => return words.join(" "),
        });
    }
}

#[test]
fn who_joins_gets_the_last_group_at_once_and_paints_its_newest_picture() {
    let (mut ring, c) = (ring(), configuration(1));
    for (i, key) in [true, false, true, false, false].into_iter().enumerate() {
        push(&mut ring, &c, 40 * i64::try_from(i).unwrap(), key, 10);
    }
    let mut cursor = ring.join(SKIP);
    assert_eq!(drain(&ring, &mut cursor, 200), "c1 k2+ d3+ d4");
    push(&mut ring, &c, 200, false, 10);
    assert_eq!(drain(&ring, &mut cursor, 200), "d5");
}

#[test]
fn who_joins_an_empty_ring_waits_for_the_first_key_frame() {
    let (mut ring, c) = (ring(), configuration(1));
    let mut cursor = ring.join(SKIP);
    assert_eq!(drain(&ring, &mut cursor, 0), "");
    push(&mut ring, &c, 0, true, 10);
    push(&mut ring, &c, 40, false, 10);
    assert_eq!(drain(&ring, &mut cursor, 40), "c1 k0+ d1");
}

#[test]
fn a_viewer_behind_the_limit_jumps_to_the_newest_key_frame_and_is_told() {
    let (mut ring, c) = (ring(), configuration(1));
    push(&mut ring, &c, 0, true, 10);
    let mut cursor = ring.join(SKIP);
    assert_eq!(drain(&ring, &mut cursor, 0), "c1 k0");
    for i in 1..=30 {
        push(&mut ring, &c, i * 40, i == 25, 10);
    }
    assert_eq!(drain(&ring, &mut cursor, 1_200), "skipped24 k25+! d26+ d27+ d28+ d29+ d30");
}

#[test]
fn a_recorder_takes_every_frame_that_is_held_however_late() {
    let (mut ring, c) = (ring(), configuration(1));
    push(&mut ring, &c, 0, true, 10);
    let (mut viewer, mut recorder) = (ring.join(SKIP), ring.join(Lag::Keep));
    assert_eq!(
        (drain(&ring, &mut viewer, 0), drain(&ring, &mut recorder, 0)),
        ("c1 k0".into(), "c1 k0".into())
    );
    for i in 1..=5 {
        push(&mut ring, &c, i * 40, i == 4, 10);
    }
    assert_eq!(drain(&ring, &mut viewer, 1_500), "skipped3 k4+! d5");
    assert_eq!(drain(&ring, &mut recorder, 9_000), "d1 d2 d3 k4 d5");
    for i in 6..=30 {
        push(&mut ring, &c, i * 40, i % 5 == 0, 90);
    }
    assert_eq!(drain(&ring, &mut recorder, 9_000), "skipped19 k25+! d26+ d27+ d28+ d29+ k30");
}

/// Method: the server has run for hours when somebody sets its wall clock: forward by an hour, back by a day, to 1970.
#[test]
fn nobody_is_late_because_somebody_set_the_clock() {
    let (mut ring, c) = (ring(), configuration(1));
    let mut cursor = ring.join(SKIP);
    let start_ms = 7_200_000;
    let walls_us = [0, 3_600_000_000, -86_400_000_000, 0, 7_200_000_000];
    for (n, wall_us) in (0i64..).zip(walls_us) {
        let at_ms = start_ms + 40 * n;
        let arrived = Stamp { wall_us, steady: ms(at_ms) };
        ring.push(Picture { arrived, ..picture(&c, at_ms, n % 2 == 0, 10) });
        let expected = ["c1 k0", "d1", "k2", "d3", "k4"][usize::try_from(n).unwrap()];
        assert_eq!(drain(&ring, &mut cursor, at_ms + 10), expected);
    }
    for n in 5i64..8 {
        let arrived = Stamp { wall_us: 0, steady: ms(start_ms + 40 * n) };
        ring.push(Picture { arrived, ..picture(&c, start_ms + 40 * n, n == 7, 10) });
    }
    assert_eq!(drain(&ring, &mut cursor, start_ms + 320), "d5 d6 k7");
}

#[test]
fn a_viewer_slightly_behind_misses_nothing() {
    let (mut ring, c) = (ring(), configuration(1));
    push(&mut ring, &c, 0, true, 10);
    let mut cursor = ring.join(SKIP);
    drain(&ring, &mut cursor, 0);
    for i in 1..=5 {
        push(&mut ring, &c, i * 40, i == 3, 10);
    }
    assert_eq!(drain(&ring, &mut cursor, 900), "d1 d2 k3 d4 d5");
}

#[test]
fn a_viewer_whose_place_is_gone_waits_for_a_key_frame() {
    let (mut ring, c) = (ring(), configuration(1));
    push(&mut ring, &c, 0, true, 400);
    let mut cursor = ring.join(SKIP);
    drain(&ring, &mut cursor, 0);
    for i in 1..=6 {
        push(&mut ring, &c, i * 40, false, 400);
    }
    assert_eq!(drain(&ring, &mut cursor, 240), "", "deltas after a gap are withheld");
    push(&mut ring, &c, 280, true, 400);
    assert_eq!(drain(&ring, &mut cursor, 280), "skipped6 k7!");
}

#[test]
fn a_group_that_outgrew_the_limits_still_gives_a_joining_viewer_its_key_frame() {
    let (mut ring, c) = (ring(), configuration(1));
    push(&mut ring, &c, 0, true, 400);
    for i in 1..=6 {
        push(&mut ring, &c, i * 40, false, 400);
    }
    let mut cursor = ring.join(SKIP);
    assert_eq!(drain(&ring, &mut cursor, 240), "c1 k0");
    push(&mut ring, &c, 280, false, 400);
    assert_eq!(drain(&ring, &mut cursor, 280), "", "the still once, and no delta after it");
    push(&mut ring, &c, 320, true, 400);
    assert_eq!(drain(&ring, &mut cursor, 320), "k8!");
}

#[test]
fn a_new_session_starts_with_its_configuration_and_nothing_of_the_old_one() {
    let (mut ring, c) = (ring(), configuration(1));
    push(&mut ring, &c, 0, true, 10);
    let mut cursor = ring.join(SKIP);
    drain(&ring, &mut cursor, 0);
    push(&mut ring, &c, 40, false, 10);
    ring.clear();
    let mut late = ring.join(SKIP);
    assert_eq!(drain(&ring, &mut late, 3_000), "");
    push(&mut ring, &configuration(2), 3_000, true, 10);
    assert_eq!(drain(&ring, &mut cursor, 3_000), "skipped1 c2 k2!");
    assert_eq!(drain(&ring, &mut late, 3_000), "c2 k2");
}

proptest! {
    /// Method: push random pictures with random readers in between, some slow, some joining late, and follow each
    /// reader's stream as a decoder would: a delta is only allowed straight after its predecessor.
    #[test]
    fn no_reader_ever_gets_a_delta_after_a_gap(
        steps in prop::collection::vec((0i64..400, prop::bool::weighted(0.15), 1usize..300, 0usize..4, any::<bool>()), 1..120),
    ) {
        let mut ring = ring();
        let c = configuration(1);
        // The source's own rule: a stream starts with a key frame.
        push(&mut ring, &c, 0, true, 50);
        let mut now = 0;
        let mut readers: Vec<(Cursor, Option<u64>, bool)> = Vec::new();
        for (pause, key, bytes, reads, joins) in steps {
            now += pause;
            push(&mut ring, &c, now, key, bytes);
            prop_assert!(ring.bytes() <= 1_000 || ring.frames.len() == 1);
            if joins && readers.len() < 8 {
                readers.push((ring.join(SKIP), None, false));
            }
            for (index, (cursor, last, configured)) in readers.iter_mut().enumerate() {
                for _ in 0..reads * index {
                    match ring.next(cursor, ms(now)) {
                        Next::Configuration(_) => *configured = true,
                        Next::Frame { frame, .. } => {
                            prop_assert!(*configured);
                            prop_assert!(frame.key || Some(frame.number) == last.map(|l| l + 1), "{:?} after {last:?}", frame.number);
                            prop_assert!(last.is_none_or(|l| frame.number > l), "a frame twice or backwards");
                            *last = Some(frame.number);
                        }
                        Next::Skipped(frames) => prop_assert!(frames > 0),
                        Next::Wait => break,
                    }
                }
            }
        }
    }

    /// A reader that always reads to the end loses nothing, whatever the sizes.
    #[test]
    fn a_prompt_reader_gets_every_frame(
        steps in prop::collection::vec((1i64..400, prop::bool::weighted(0.1), 1usize..900), 1..100),
    ) {
        let mut ring = ring();
        let c = configuration(1);
        let mut now = 0;
        push(&mut ring, &c, now, true, 10);
        let mut cursor = ring.join(SKIP);
        let mut seen = 0;
        for (pause, key, bytes) in steps {
            loop {
                match ring.next(&mut cursor, ms(now)) {
                    Next::Configuration(_) => {}
                    Next::Frame { .. } => seen += 1,
                    Next::Skipped(frames) => prop_assert!(false, "skipped {frames}"),
                    Next::Wait => break,
                }
            }
            prop_assert_eq!(seen, ring.next_number);
            now += pause;
            push(&mut ring, &c, now, key, bytes);
        }
    }
}
