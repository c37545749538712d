//! Golden bytes of every message, and decoders against anything.
//!
//! A golden line that changes means that a screen of the version before cannot read the feed: raise `PROTOCOL`.

use proptest::prelude::*;

use super::*;
use crate::case::{Priority, Stage};
use crate::clock::{ClockOf, Phase};
use crate::code::{CaseId, WhistleId};
use crate::place::Point;
use crate::position::{Cell, Entry, Frame, Grid};
use crate::tally::Count;
use crate::whistle::{Called, WhistleCall, WhistleLevel};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn delta(topic: Topic, payload: Payload) -> ServerMessage {
    let deltas = vec![Delta { topic, from: 7, to: 9, payload }];
    ServerMessage::Deltas { epoch: Hex64(0xabcd), deltas }
}

fn open_case() -> OpenCase {
    OpenCase {
        id: CaseId(42),
        version: 9,
        area_path: ["530103001", "530103", "5301"].map(|code| code.parse().unwrap()).into(),
        class: "E01-10".parse().unwrap(),
        department: Some("shuiwu".parse().unwrap()),
        claimed_by: Some("li".into()),
        stage: Stage::Dispose,
        stage_since: UtcMillis(1_000),
        priority: Priority::First,
        phase: Phase::Nearing,
        started: Some(UtcMillis(1_000)),
        due: Some(UtcMillis(2_000)),
        limit: None,
        provisional: false,
        place: Point::from_e6(25_040_000, 102_720_000),
    }
}

fn open_rows() -> OpenRows {
    let other = OpenCase { id: CaseId(43), claimed_by: None, department: None, ..open_case() };
    OpenRows::pack([(42, 9, Some(&open_case())), (43, 9, Some(&other)), (7, 8, None)])
}

fn who() -> Vec<Keyed<WhoRow>> {
    let row = WhoRow { code: "jd-4".parse().unwrap(), name: None };
    vec![Keyed { id: 4, version: 9, row: Some(row) }, Keyed { id: 5, version: 9, row: None }]
}

fn row() -> OverdueRow {
    OverdueRow {
        case: CaseId(42),
        number: "20261121-00042".into(),
        class: "E01-10".parse().unwrap(),
        condition: None,
        area_path: vec!["530103".parse().unwrap()],
        address: "拓东路".into(),
        place: Point::from_e6(25_040_000, 102_720_000),
        priority: Priority::First,
        started: UtcMillis(1_000),
        due: UtcMillis(2_000),
        limit: None,
        phase: Phase::Overdue,
        provisional: true,
        claimed_by: Some("li".into()),
    }
}

fn whistle() -> Whistle {
    Whistle {
        id: WhistleId(3),
        call: WhistleCall {
            level: WhistleLevel::Street,
            area: "530103001".parse().unwrap(),
            title: "积水".into(),
            case: None,
            called: vec!["shuiwu".parse().unwrap()],
        },
        area_path: vec!["530103001".parse().unwrap()],
        raised: UtcMillis(1_000),
        due: UtcMillis(2_000),
        called: vec![Called {
            department: "shuiwu".parse().unwrap(),
            responded: Some(UtcMillis(1_500)),
            late: false,
        }],
        closed: None,
        version: 9,
    }
}

fn line() -> EventLine {
    EventLine {
        seq: 9,
        at: UtcMillis(1_000),
        actor: "li".into(),
        name: "case_filed".into(),
        case: Some(CaseLine {
            id: CaseId(42),
            number: "20261121-00042".into(),
            class: "E01-10".parse().unwrap(),
            condition: None,
            area_path: vec!["530103".parse().unwrap()],
            address: String::new(),
            place: None,
            priority: Priority::Ordinary,
            stage: Stage::Dispatch,
            stage_since: UtcMillis(1_000),
            reported: UtcMillis(900),
            closed: None,
            started: Some(UtcMillis(1_000)),
            due: Some(UtcMillis(2_000)),
            limit: None,
            phase: Phase::Running,
            provisional: false,
            claimed_by: None,
            department: None,
            round: 2,
            version: 9,
        }),
        whistle: None,
        department: None,
        note: String::new(),
        of: Some(ClockOf::Dispatch),
        due: Some(UtcMillis(2_000)),
        was: Some(UtcMillis(1_500)),
    }
}

fn server_messages() -> Vec<ServerMessage> {
    vec![
        ServerMessage::Welcome {
            protocol: PROTOCOL,
            epoch: Hex64(0xabcd),
            head: 9,
            server_ms: UtcMillis(1_000),
            heartbeat_ms: 1_000,
            cell_e6: 100_000,
            build: "a1b2".into(),
            pace_milli: 1_000,
        },
        delta(
            Topic::TALLY,
            Payload::Tally(vec![("open|city|now".parse().unwrap(), Count { cases: 5, base: 9 })]),
        ),
        delta(Topic::OVERDUE, Payload::Overdue(vec![Keyed { id: 42, version: 9, row: Some(row()) }])),
        delta(Topic::OVERDUE, Payload::Overdue(vec![Keyed { id: 42, version: 9, row: None }])),
        delta(Topic::WHISTLE, Payload::Whistle(vec![Keyed { id: 3, version: 9, row: Some(whistle()) }])),
        delta(
            Topic::within(Kind::Case, "530103".parse().unwrap()),
            Payload::Case(Events { since: 7, lines: vec![line()] }),
        ),
        delta(
            Topic::within(Kind::Case, "530103".parse().unwrap()),
            Payload::Case(Events { since: 7, lines: vec![line()] }),
        ),
        delta(
            Topic::of(Kind::Position(Cell { x: 1_027, y: 250 })),
            Payload::Positions(vec![PositionRow {
                index: 4,
                inspector: "jd-4".parse().unwrap(),
                place: None,
                fixed: UtcMillis(1_000),
                moving: true,
                heading_deg: 22.5,
            }]),
        ),
        delta(Topic::within(Kind::Open, "530103".parse().unwrap()), Payload::Open(open_rows())),
        delta(Topic::WHO, Payload::Who(who())),
        ServerMessage::Heartbeat {
            server_ms: UtcMillis(1_000),
            head: 9,
            heads: vec![(Topic::TALLY, 9)],
            hashes: vec![(Topic::TALLY, 9, Hex64(0xff))],
            degraded: 1,
            policy: 3,
            pace_milli: 60_000,
        },
        ServerMessage::Resync { topic: Topic::TALLY, reason: ResyncReason::Diverged },
        ServerMessage::Refused { topic: None, code: "malformed".into(), words: "no".into() },
        ServerMessage::Breaking(crate::drill::tests::told()),
    ]
}

fn client_messages() -> Vec<ClientMessage> {
    vec![
        ClientMessage::Hello { protocol: PROTOCOL, build: "a1b2".into() },
        ClientMessage::Subscribe {
            topic: Topic::CASE,
            epoch: Some(Hex64(0xabcd)),
            from: Some(7),
            max_hz: Some(4),
        },
        ClientMessage::Unsubscribe { topic: Topic::POSITIONS },
        ClientMessage::Diverged { topic: Topic::TALLY, version: 9 },
    ]
}

#[test]
fn golden_bytes_of_protocol_three() {
    let server = server_messages().into_iter().map(|message| hex(&message.to_bytes()));
    let client = client_messages().into_iter().map(|message| hex(&message.to_bytes()));
    let frame = Frame {
        cell: Cell { x: 1_027, y: 250 },
        from: 3,
        to: 4,
        tick: UtcMillis(1_000),
        entries: vec![
            Entry::Here {
                index: 1,
                absolute: true,
                delta: Grid { lat: 2_504_000, lon: 10_272_000 },
                moving: true,
                heading: 3,
                age_seconds: 0,
            },
            Entry::Here {
                index: 130,
                absolute: false,
                delta: Grid { lat: -3, lon: 4 },
                moving: false,
                heading: 0,
                age_seconds: 9,
            },
            Entry::Gone { index: 131 },
        ],
    };
    let mut packed = vec![KIND_POSITIONS];
    frame.encode(&mut packed);
    assert_eq!(Incoming::from_bytes(&packed).unwrap(), Incoming::Positions(frame));
    let all: Vec<String> = server.chain(client).chain([hex(&packed)]).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn golden_json_of_protocol_three() {
    let server = server_messages().into_iter().map(|message| serde_json::to_string(&message).unwrap());
    let client = client_messages().into_iter().map(|message| serde_json::to_string(&message).unwrap());
    let all: Vec<String> = server.chain(client).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn every_message_reads_back_in_both_encodings() {
    for message in server_messages() {
        assert_eq!(Incoming::from_bytes(&message.to_bytes()).unwrap(), Incoming::Message(message.clone()));
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<ServerMessage>(&text).unwrap(), message);
        if let ServerMessage::Deltas { epoch, mut deltas } = message {
            let Delta { topic, to, payload, .. } = deltas.remove(0);
            let snapshot = Snapshot { topic, epoch, version: to, server_ms: UtcMillis(5), payload };
            assert_eq!(Snapshot::from_bytes(&snapshot.to_bytes()).unwrap(), snapshot);
        }
    }
    for message in client_messages() {
        assert_eq!(ClientMessage::from_bytes(&message.to_bytes()).unwrap(), message);
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<ClientMessage>(&text).unwrap(), message);
    }
}

#[test]
fn a_message_cut_anywhere_is_refused() {
    for message in server_messages() {
        let bytes = message.to_bytes();
        for cut in 0..bytes.len() {
            assert!(Incoming::from_bytes(&bytes[..cut]).is_err(), "{message:?} cut at {cut}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Incoming::from_bytes(&longer), Err(UnreadableError::Trailing(1)));
    }
}

#[test]
fn deltas_encoded_one_by_one_make_the_message_that_holds_them() {
    for count in [0, 1, 3, 200] {
        let part = Delta { topic: Topic::OPEN, from: 7, to: 9, payload: Payload::Open(open_rows()) };
        let parts = vec![part.clone(); count];
        let whole = ServerMessage::Deltas { epoch: Hex64(0xabcd), deltas: parts };
        let mut composed = deltas_head(Hex64(0xabcd), count);
        (0..count).for_each(|_| composed.extend(part.to_part()));
        assert_eq!(composed, whole.to_bytes());
    }
}

#[test]
fn an_open_case_takes_64_bytes_and_its_words_once() {
    // As large as a city's cases get: 8 million of them, 70 million events, every clock and code there.
    let limit = serde_json::from_str(r#"{"amount":10000,"unit":"work_day"}"#).unwrap();
    let case = OpenCase {
        id: CaseId(8_000_000),
        stage_since: UtcMillis(1_795_226_400_000),
        started: Some(UtcMillis(1_795_226_400_000)),
        due: Some(UtcMillis(1_895_226_400_000)),
        limit: Some(limit),
        place: Point::from_e6(-89_040_000, 179_720_000),
        ..open_case()
    };
    let many =
        |count: u64| OpenRows::pack((0..count).map(|more| (8_000_000 + more, 70_000_000, Some(&case))));
    let bytes = |rows: &OpenRows| postcard::to_allocvec(rows).unwrap().len();
    let each = (bytes(&many(20_100)) - bytes(&many(20_000))) / 100;
    // Words of a large city need three bytes for their places, four times a row.
    assert!(each + 4 * 2 <= ROW_BYTES_MAX, "{each} bytes");
    assert_eq!(many(9).words.len(), 6);
    assert!(bytes(&many(1)) <= case.weight());
    let whole = many(9).unpack().unwrap();
    assert!(whole.iter().all(|row| row.row.as_ref().is_some_and(|row| row.area_path == case.area_path)));
}

#[test]
fn rows_that_name_no_word_are_refused_and_words_that_lead_in_a_circle_end() {
    let mut rows = open_rows();
    rows.rows[0].row.as_mut().unwrap().class = 99;
    assert_eq!(rows.unpack(), Err(OpenRowsError::NoWord(99)));
    let mut rows = open_rows();
    rows.words[0].above = Some(2);
    let path = &rows.unpack().unwrap()[0].row.as_ref().unwrap().area_path.clone();
    assert_eq!(path.len(), 3);
    rows.words[0].text = "not a code".into();
    assert_eq!(rows.unpack(), Err(OpenRowsError::NotACode(0)));
}

#[test]
fn a_greeting_of_another_protocol_is_read_as_far_as_its_number() {
    let read = ClientMessage::from_bytes(&[KIND_MESSAGE, 0, 1]).unwrap();
    assert_eq!(read, ClientMessage::Hello { protocol: 1, build: String::new() });
    assert_eq!(ClientMessage::from_bytes(&[KIND_MESSAGE, 0, PROTOCOL]), Err(UnreadableError::Malformed));
}

#[test]
fn the_state_hash_is_what_the_protocol_page_says() {
    assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    let key: TallyKey = "open|city|now".parse().unwrap();
    assert_eq!(tally_hash(&key, Count { cases: 5, base: 9 }), fnv1a(b"open|city|now=5/9"));
    assert_eq!(tally_hash(&key, Count::default()), 0);
    assert_eq!(keyed_hash(42, 9), fnv1a(b"42=9"));
}

proptest! {
    /// Method: any bytes; a decoder may refuse but not panic, and what it accepts reads the same again.
    #[test]
    fn decoders_take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0u8..4) {
        let bytes = [&[kind], bytes.as_slice()].concat();
        if let Ok(Incoming::Message(message)) = Incoming::from_bytes(&bytes) {
            // As bytes, because a heading may be no number and then differs from itself.
            let again = Incoming::from_bytes(&message.to_bytes()).unwrap();
            prop_assert!(matches!(again, Incoming::Message(again) if again.to_bytes() == message.to_bytes()));
        }
        if let Ok(message) = ClientMessage::from_bytes(&bytes) {
            prop_assert_eq!(ClientMessage::from_bytes(&message.to_bytes()).unwrap(), message);
        }
        if let Ok(Snapshot { payload: Payload::Open(rows), .. }) = Snapshot::from_bytes(&bytes) {
            let _ = rows.unpack();
        }
        let _ = Snapshot::from_bytes(&bytes);
    }

    /// Method: a good message with one byte changed, as a faulty link or a curious person makes it.
    #[test]
    fn decoders_take_damaged_messages(which in 0usize..12, at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = server_messages()[which].to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(Incoming::Message(message)) = Incoming::from_bytes(&bytes) {
            prop_assert!(message.to_bytes().len() <= bytes.len() * 8);
        }
    }

    #[test]
    fn topics_read_back(
        text in "(tally|overdue|open|whistle|who|case|position|[a-z]{1,8})(/[0-9_-]{0,9})?",
    ) {
        if let Ok(topic) = text.parse::<Topic>() {
            prop_assert_eq!(topic.to_string().parse::<Topic>().unwrap(), topic);
        }
    }
}

/// Method: the match stops the build at a new kind, whose place is then looked up.
#[test]
fn every_kind_of_one_word_is_named() {
    let place = |kind: Kind| match kind {
        Kind::Tally => 0,
        Kind::Overdue => 1,
        Kind::Open => 2,
        Kind::Whistle => 3,
        Kind::Who => 4,
        Kind::Case => 5,
        // A cell's topic is read by the name of all positions.
        Kind::Positions | Kind::Position(_) => 6,
    };
    assert_eq!(Kind::NAMED.map(place), [0, 1, 2, 3, 4, 5, 6]);
}
