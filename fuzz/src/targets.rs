//! Every decoder of bytes from outside, each behind one plain function: nothing may panic, and what is accepted must
//! mean something. `cargo fuzz` drives them for as long as one likes, the server's tests for a moment.

use std::sync::LazyLock;

use domain::clock::Counts;
use domain::feed::Follower;
use domain::policy::Policy;
use domain::position::{CellView, Frame};
use domain::wire::{ClientMessage, Incoming, Snapshot, Topic};
use server::config::PolicyFile;
use server::http::osmand;
use server::import::mapping::Mapping;
use server::import::records::Records;
use server::import::row::Rows;
use server::tables::Reading;
use server::video::origin::list;
use server::video::page::message::FromPage;

/// One target.
pub type Target = fn(&[u8]);

/// Name and function of every target.
pub const ALL: [(&str, Target); 10] = [
    ("client_message", client_message),
    ("client_json", client_json),
    ("server_message", server_message),
    ("position_frame", position_frame),
    ("phone_report", phone_report),
    ("csv_rows", csv_rows),
    ("class_table", class_table),
    ("camera_toml", camera_toml),
    ("camera_csv", camera_csv),
    ("video_message", video_message),
];

/// What a screen says in binary.
pub fn client_message(bytes: &[u8]) {
    if let Ok(message) = ClientMessage::from_bytes(bytes) {
        assert_eq!(ClientMessage::from_bytes(&message.to_bytes()).ok(), Some(message));
    }
}

/// What an integrator says in JSON: hello, subscribe and the rest.
pub fn client_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(message) = serde_json::from_str::<ClientMessage>(text) {
        let again = serde_json::to_string(&message).expect("a message has a JSON form");
        assert_eq!(serde_json::from_str(&again).ok(), Some(message));
    }
}

/// What a screen reads: it must survive a broken server too, as far as its client half goes.
pub fn server_message(bytes: &[u8]) {
    let mut follower = Follower::new([Topic::TALLY, Topic::OPEN, Topic::CASE], "");
    follower.connected(0);
    if let Ok(Incoming::Message(message)) = Incoming::from_bytes(bytes) {
        follower.hear(message, 1);
    }
    if let Ok(snapshot) = Snapshot::from_bytes(bytes) {
        follower.fetched(&snapshot.topic.clone(), Some(snapshot), 2, 0.5);
    }
    while follower.next_act().is_some() {}
    let _ = follower.is_whole();
}

/// A packed frame of positions. One that is read can be packed and read again, and applied or refused.
pub fn position_frame(bytes: &[u8]) {
    let Ok(frame) = Frame::decode(bytes) else { return };
    let mut view = CellView::default();
    view.apply(&Frame { from: 0, ..frame.clone() });
    let _ = (view.hash(), view.apply(&frame));
    // There is more than one way to write a frame that says the same; we write one.
    let (mut packed, mut again) = (Vec::new(), Vec::new());
    frame.encode(&mut packed);
    Frame::decode(&packed).expect("what we pack can be read").encode(&mut again);
    assert_eq!(packed, again);
}

/// A phone's report as query, form and JSON.
pub fn phone_report(bytes: &[u8]) {
    let query = std::str::from_utf8(bytes).ok();
    let reports = [
        osmand::decode(query, None, &[]),
        osmand::decode(None, Some("application/x-www-form-urlencoded"), bytes),
        osmand::decode(None, Some("application/json"), bytes),
    ];
    for report in reports {
        match report {
            Ok(osmand::Report { said: Ok(said), .. }) => {
                let known = [said.speed_mps, said.heading_deg, said.accuracy_m];
                assert!(known.into_iter().flatten().all(|value| value >= 0.0), "{said:?}");
            }
            Ok(osmand::Report { said: Err(problem), .. }) | Err(problem) => {
                assert!((400..500).contains(&problem.status) && problem.title.len() < 1_000)
            }
        }
    }
}

/// A table of cases: records from bytes, commands from records. Fields are made as many as the header has.
pub fn csv_rows(bytes: &[u8]) {
    let text = include_str!("../../config/mappings/nyc311.toml");
    let mapping = Mapping::parse("nyc311", text).expect("the shipped mapping is sound");
    let header: Vec<String> = mapping.columns.all().map(str::to_owned).collect();
    let mut rows = Rows::new(&mapping, &header, Default::default());
    let mut records = Records::new(bytes, b',');
    let mut line = 0;
    while let Some(record) = records.read().expect("memory can be read") {
        assert!(record.line > line, "lines go on");
        line = record.line;
        if let Ok(mut fields) = record.fields {
            fields.resize(header.len(), String::new());
            let _ = (rows.id_of(&fields), rows.read(&fields), rows.take_entries());
        }
    }
}

/// A table of classes and limits, in CSV or as a workbook: what is taken of it leaves a policy that holds.
pub fn class_table(bytes: &[u8]) {
    static POLICY: LazyLock<Policy> =
        LazyLock::new(|| PolicyFile::default().load().expect("the built-in policy is sound"));
    let mut reading = Reading::new(&POLICY, Counts::Working);
    reading.bytes("table", bytes);
    let candidate = reading.finish().lay(&POLICY, true);
    assert_eq!(candidate.check(), Ok(()));
    assert!(candidate.policy.classes.len() >= POLICY.classes.len(), "nothing is left out");
}

/// A camera list in TOML.
pub fn camera_toml(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = list::from_toml(text);
    }
}

/// A camera list in CSV.
pub fn camera_csv(bytes: &[u8]) {
    let _ = list::from_csv(bytes);
}

/// What a page says on the video socket.
pub fn video_message(bytes: &[u8]) {
    let _ = serde_json::from_slice::<FromPage>(bytes);
}
