//! A tile over its facts: examples of each state, and what must hold whatever the scripts, server and network do.

use proptest::prelude::*;

use super::*;
use crate::stream::{Cause, State};

/// Some morning; the caller's clock began at 0.
const NOW: i64 = 1_617_170_527_000;

fn says(state: State) -> Option<Says> {
    Some(Says { state: Some(state), since_ms: NOW - 60_000, ..Says::default() })
}

/// A healthy tile a minute after it was opened.
fn healthy() -> Facts {
    let picture_ms = Some(NOW - 40);
    Facts {
        now_ms: NOW,
        asked_ms: NOW - 60_000,
        says: says(State::Live),
        painted: true,
        picture_ms,
        ..Facts::default()
    }
}

/// What holds `after_ms` after these facts came.
fn after(facts: Facts, after_ms: u64) -> (Told, Rule) {
    let mut tile = Tile::default();
    tile.hear(facts, 5_000);
    tile.decide(5_000 + after_ms)
}

fn shown(facts: Facts, after_ms: u64) -> Shown {
    after(facts, after_ms).0.shown
}

#[test]
fn before_anything_is_known_a_tile_connects_and_nobody_is_told_to_do_anything() {
    let (told, rule) = Tile::default().decide(60_000);
    assert_eq!((told.shown, rule), (Shown::Connecting { waited_s: 0 }, Rule::default()));
    let first = after(Facts { now_ms: NOW, asked_ms: NOW, ..Facts::default() }, 0).1;
    assert_ne!(first, Rule::default(), "the first facts are answered: a stored picture is wanted");
}

#[test]
fn a_healthy_tile_is_live_with_its_delay_in_tenths() {
    assert_eq!(shown(healthy(), 0), Shown::Live { delay_ms: None });
    let with = |delay_ms| shown(Facts { delay_ms: Some(delay_ms), ..healthy() }, 900_000);
    assert_eq!([with(3), with(249), with(251)], [100, 200, 300].map(|ms| Shown::Live { delay_ms: Some(ms) }));
}

#[test]
fn a_stream_that_is_live_for_the_server_is_live_for_nobody_before_a_picture_is_painted() {
    let waiting = Facts { painted: false, picture_ms: None, ..healthy() };
    let (told, rule) = after(waiting, 3_000);
    assert_eq!(told.shown, Shown::Connecting { waited_s: 63 });
    assert!(rule.show && rule.snapshot, "what comes is painted, and a stored picture stands meanwhile");
}

#[test]
fn a_camera_that_comes_back_is_waited_for_since_it_came_back() {
    let mut back = Facts { painted: false, ..healthy() };
    back.asked_ms = NOW - 10_000_000;
    let (told, rule) = after(back, 0);
    assert_eq!(told.shown, Shown::Connecting { waited_s: 60 });
    assert!(!rule.snapshot, "its own last picture stands there");
}

#[test]
fn an_old_picture_is_delayed_and_its_age_goes_on_without_news() {
    let late = Facts { standing: true, picture_ms: Some(NOW - 1_600), ..healthy() };
    assert_eq!(shown(late.clone(), 0), Shown::Delayed { delay_s: 2 });
    assert_eq!(shown(late.clone(), 30_000), Shown::Delayed { delay_s: 32 });
    assert_eq!(after(late, 0).1.standing_after_ms, 1_000, "live again only when it is clearly younger");
    assert_eq!(after(healthy(), 0).1.standing_after_ms, 1_500);
}

#[test]
fn stills_may_be_seconds_old() {
    let stills = Facts { says: says(State::KeyFrames), still_every_ms: Some(1_980), ..healthy() };
    assert_eq!(shown(stills.clone(), 0), Shown::KeyFrames { interval_s: Some(2) });
    assert_eq!(after(stills.clone(), 0).1.standing_after_ms, 5_000);
    let old = Facts { standing: true, picture_ms: Some(NOW - 7_000), ..stills };
    assert_eq!(shown(old, 0), Shown::Delayed { delay_s: 7 });
}

#[test]
fn the_server_calls_a_stream_delayed_and_the_scripts_are_asked_by_how_much() {
    let facts = Facts { says: says(State::Delayed), ..healthy() };
    let (told, rule) = after(facts.clone(), 0);
    assert_eq!((told.shown, rule.standing_after_ms), (Shown::Delayed { delay_s: 1 }, 0));
    let aged = Facts { standing: true, picture_ms: Some(NOW - 4_000), ..facts };
    assert_eq!(shown(aged, 0), Shown::Delayed { delay_s: 4 });
}

#[test]
fn a_lost_server_is_said_after_four_seconds_with_its_own_retry() {
    let down = Facts { down_since_ms: Some(NOW), redial_ms: Some(NOW + 6_200), ..healthy() };
    assert_eq!(shown(down.clone(), 3_900).state(), State::Live);
    let (told, rule) = after(down, 4_100);
    assert_eq!(told.shown, Shown::Lost { since_ms: Some(NOW) });
    assert_eq!((told.why, told.retry_s), (Some(Why::Link), Some(3)));
    assert!(!rule.show);
}

#[test]
fn after_a_reconnect_the_last_picture_stands_for_three_seconds() {
    let again = Facts { says: None, asked_ms: NOW, ..healthy() };
    assert_eq!(shown(again.clone(), 2_900).state(), State::Live);
    let (told, rule) = after(again, 3_100);
    assert_eq!((told.shown, rule.show), (Shown::Connecting { waited_s: 3 }, false));
}

#[test]
fn what_the_server_says_of_a_stream_is_told_with_cause_and_retry() {
    let mut facts = healthy();
    facts.says = Some(Says {
        state: Some(State::Refused),
        since_ms: NOW,
        retry_at_ms: Some(NOW + 60_000),
        cause: Some(Cause::Credentials),
        reason: Some("401".into()),
    });
    let (told, rule) = after(facts, 1_500);
    assert_eq!((told.shown, told.retry_s, told.reason), (Shown::Refused {}, Some(59), Some("401".into())));
    assert_eq!((told.why, rule.show), (Some(Why::Stream(Cause::Credentials)), false));
}

#[test]
fn a_page_without_its_player_says_whose_fault_that_is() {
    let failed = Facts { engine: Engine::Failed, engine_retry_ms: Some(NOW + 500), ..healthy() };
    let (told, _) = after(failed.clone(), 0);
    assert_eq!((told.why, told.retry_s, told.shown.state()), (Some(Why::Engine), Some(1), State::Lost));
    let missing = Facts { engine: Engine::Missing, ..failed };
    assert_eq!(after(missing, 0).0.why, Some(Why::Link));
    let full = Facts { full: true, ..Facts::default() };
    assert_eq!(after(full, 0).0.why, Some(Why::TileLimit));
    let codec = Facts { unplayable: Some("hvc1".into()), ..healthy() };
    assert_eq!(shown(codec, 0), Shown::Unsupported {});
}

#[test]
fn pictures_left_out_are_said_with_how_many_and_by_whom() {
    let with = |sent, painted, held| {
        let counts = Facts {
            sent_per_s: Some(sent),
            painted_per_s: Some(painted),
            held_back_per_s: Some(held),
            ..healthy()
        };
        after(counts, 0).0.left
    };
    assert_eq!(with(15, 15, 0), None);
    assert_eq!(with(25, 23, 0), None, "less than a tenth is nobody's business");
    let computer = Left { shown_per_s: 10, sent_per_s: 15, by: LeftBy::Computer };
    assert_eq!(with(15, 10, 0), Some(computer));
    assert_eq!(with(15, 10, 2), Some(computer));
    assert_eq!(with(15, 10, 4), Some(Left { by: LeftBy::Way, ..computer }));
    assert_eq!(with(0, 0, 0), None);
}

#[test]
fn the_servers_message_is_read_as_the_protocol_page_writes_it_and_newer_words_are_left_out() {
    // As `server::video::page::message` tests it.
    let text = r#"{"tile":1,"profile":"sub","state":"lost","since_ms":5,"retry_at_ms":9,"cause":"stalled","reason":"no picture for 2.0 s"}"#;
    let read: Says = serde_json::from_str(text).unwrap();
    let reason = Some("no picture for 2.0 s".to_owned());
    let (state, cause) = (Some(State::Lost), Some(Cause::Stalled));
    assert_eq!(read, Says { state, since_ms: 5, retry_at_ms: Some(9), cause, reason });
    let newer: Says =
        serde_json::from_str(r#"{"state":"smeared","since_ms":5,"cause":"solar_flare"}"#).unwrap();
    assert_eq!((newer.state, newer.cause), (None, None));
    let facts = Facts { says: Some(newer), ..healthy() };
    assert_eq!(shown(facts, 0).state(), State::Connecting, "no picture is claimed on a word nobody knows");
}

fn state() -> impl Strategy<Value = State> {
    use State::{Connecting, Delayed, Gone, KeyFrames, Live, Lost, Refused, Unsupported};
    proptest::sample::select(vec![Connecting, Live, Delayed, Lost, Refused, Unsupported, KeyFrames, Gone])
}

fn instant() -> impl Strategy<Value = i64> {
    prop_oneof![NOW - 20_000..NOW + 20_000, any::<i64>()]
}

fn facts() -> impl Strategy<Value = Facts> {
    let engine =
        proptest::sample::select(vec![Engine::Running, Engine::Running, Engine::Missing, Engine::Failed]);
    let says =
        proptest::option::of((proptest::option::of(state()), instant(), proptest::option::of(instant())));
    let times = (instant(), instant(), proptest::option::of(instant()), proptest::option::of(instant()));
    let flags = any::<(bool, bool, bool, bool)>();
    let counts = any::<(Option<u32>, Option<u32>, Option<u32>, Option<u32>, Option<u32>)>();
    (engine, says, times, flags, counts).prop_map(|(engine, says, times, flags, counts)| Facts {
        now_ms: times.0,
        engine,
        engine_retry_ms: times.3,
        asked_ms: times.1,
        down_since_ms: times.2,
        redial_ms: times.3,
        full: flags.0 && flags.1,
        refusal: (flags.2 && flags.3).then(String::new),
        unplayable: (flags.0 && flags.3).then(String::new),
        says: says.map(|(state, since_ms, retry_at_ms)| Says {
            state,
            since_ms,
            retry_at_ms,
            ..Says::default()
        }),
        picture_ms: times.2,
        painted: flags.1,
        standing: flags.3,
        delay_ms: counts.0,
        still_every_ms: counts.1,
        sent_per_s: counts.2,
        painted_per_s: counts.3,
        held_back_per_s: counts.4,
    })
}

fn has_pictures(state: State) -> bool {
    matches!(state, State::Live | State::Delayed | State::KeyFrames)
}

/// A page's scripts in small: they obey the rule and report, as `scripts/` has them.
struct Page {
    tile: Tile,
    facts: Facts,
    rule: Rule,
    now_ms: i64,
}

/// What may happen to a page.
#[derive(Debug, Clone)]
enum Happens {
    Says(State),
    Picture,
    Down,
    Up,
    Passes(u16),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => state().prop_map(Happens::Says),
        4 => Just(Happens::Picture),
        1 => Just(Happens::Down),
        1 => Just(Happens::Up),
        3 => (0_u16..6_000).prop_map(Happens::Passes),
    ]
}

impl Page {
    fn new() -> Self {
        let facts = Facts { now_ms: NOW, asked_ms: NOW, ..Facts::default() };
        Self { tile: Tile::default(), facts, rule: Rule::default(), now_ms: NOW }
    }

    fn happen(&mut self, what: &Happens) -> Told {
        let facts = &mut self.facts;
        let up = facts.down_since_ms.is_none();
        match what {
            Happens::Says(state) if up => {
                facts.says = Some(Says { state: Some(*state), since_ms: self.now_ms, ..Says::default() });
            }
            Happens::Picture if up => {
                facts.picture_ms = Some(self.now_ms);
                facts.painted |= self.rule.show;
            }
            Happens::Down if up => facts.down_since_ms = Some(self.now_ms),
            Happens::Up => {
                facts.down_since_ms = None;
                facts.asked_ms = self.now_ms;
                facts.says = None;
            }
            Happens::Passes(ms) => self.now_ms += i64::from(*ms),
            Happens::Says(_) | Happens::Picture | Happens::Down => {}
        }
        // Twice: what a rule changes is reported, and decided on again.
        self.report();
        self.report()
    }

    fn report(&mut self) -> Told {
        let age_ms = self.facts.picture_ms.map_or(0, |picture_ms| self.now_ms - picture_ms);
        self.facts.standing = age_ms > i64::from(self.rule.standing_after_ms);
        self.facts.now_ms = self.now_ms;
        let now_ms = u64::try_from(self.now_ms).unwrap();
        self.tile.hear(self.facts.clone(), now_ms);
        let (told, rule) = self.tile.decide(now_ms);
        self.facts.painted &= rule.show;
        self.rule = rule;
        told
    }
}

proptest! {
    #[test]
    fn a_state_of_pictures_is_told_only_where_one_is_painted_and_shown(facts in facts(), after_ms in any::<u32>()) {
        let painted = facts.painted && facts.engine == Engine::Running && !facts.full;
        let (told, rule) = after(facts, u64::from(after_ms));
        let pictures = has_pictures(told.shown.state());
        prop_assert!(!pictures || painted, "{told:?} without a painted picture");
        prop_assert!(!pictures || rule.show, "{told:?} over a hidden picture");
        prop_assert!(pictures || told.left.is_none(), "nothing is left out of what is not shown");
        prop_assert!(!rule.snapshot || told.shown.state() == State::Connecting);
        let covered = matches!(told.shown.state(), State::Lost | State::Refused | State::Unsupported | State::Gone);
        prop_assert!(!(covered && rule.show), "{told:?} over a moving picture");
    }

    #[test]
    fn waits_only_grow_and_retries_only_come_nearer(facts in facts(), first in 0_u64..100_000, more in 0_u64..100_000) {
        let (one, _) = after(facts.clone(), first);
        let (two, _) = after(facts, first + more);
        if let (Some(before), Some(later)) = (one.retry_s, two.retry_s) && one.why == two.why {
            prop_assert!(later <= before);
        }
        if let (Shown::Connecting { waited_s: before }, Shown::Connecting { waited_s: later }) = (one.shown, two.shown) {
            prop_assert!(later >= before);
        }
    }

    #[test]
    fn whatever_has_happened_a_camera_that_plays_again_is_live_again(past in proptest::collection::vec(happens(), 0..40)) {
        let mut page = Page::new();
        for what in &past {
            page.happen(what);
        }
        page.happen(&Happens::Up);
        page.happen(&Happens::Says(State::Live));
        let told = page.happen(&Happens::Picture);
        prop_assert_eq!(told.shown.state(), State::Live);
        page.happen(&Happens::Passes(300));
        prop_assert_eq!(page.happen(&Happens::Picture).shown.state(), State::Live);
    }

    #[test]
    fn a_page_left_alone_never_keeps_claiming_a_live_picture(past in proptest::collection::vec(happens(), 0..40)) {
        let mut page = Page::new();
        for what in &past {
            page.happen(what);
        }
        let state = page.happen(&Happens::Passes(6_000)).shown.state();
        prop_assert!(!matches!(state, State::Live | State::KeyFrames), "{state:?} though nothing has come for six seconds");
    }
}
