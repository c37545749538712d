//! Every decoder of bytes from outside against any bytes, and against real messages with bytes changed. The same
//! functions are the targets of `cargo fuzz`, which runs for longer (CONTRIBUTING.md).

use domain::position::{Cell, Entry, Frame, Grid};
use domain::wire::{ClientMessage, PROTOCOL, Topic};
use proptest::prelude::*;

#[path = "../../../fuzz/src/targets.rs"]
mod targets;

/// One real message or file for each decoder.
fn real() -> Vec<Vec<u8>> {
    let subscribe = ClientMessage::Subscribe {
        topic: Topic::TALLY,
        epoch: Some(domain::wire::Hex64(7)),
        from: Some(1_000_000),
        max_hz: Some(2),
    };
    let here = |index, lat, lon, age_seconds| {
        let delta = Grid { lat, lon };
        Entry::Here { index, absolute: index == 1, delta, moving: true, heading: 3, age_seconds }
    };
    let entries = vec![here(1, 250_406, 1_027_123, 2), Entry::Gone { index: 5 }, here(900, -3, 4, 700)];
    let tick = domain::moment::UtcMillis(1_795_226_400_000);
    let mut frame = Vec::new();
    Frame { cell: Cell { x: 1_027, y: 250 }, from: 7, to: 9, tick, entries }.encode(&mut frame);
    vec![
        frame,
        subscribe.to_bytes(),
        serde_json::to_vec(&subscribe).unwrap(),
        serde_json::to_vec(&ClientMessage::Hello { protocol: PROTOCOL, build: "a1b2".to_owned() }).unwrap(),
        b"id=J0007&lat=25.04&lon=102.71&timestamp=1795234290&speed=2.0&bearing=90&batt=80".to_vec(),
        br#"{"device_id":"J0007","location":{"timestamp":"2026-11-21T04:11:30Z","coords":{"latitude":25,"longitude":102}}}"#
            .to_vec(),
        b"1,\"03/14/2026 01:02:03 AM\",Noise,\"a \"\"quoted\"\" word\",x\r\n2,3,4\n\"open,5\n6,7\n".to_vec(),
        "类型,小类代码,小类,立案条件,处置时限\n部件,P1,井,缺,2天\n,,,破,\"1时,5天\"\n".as_bytes().to_vec(),
        b"[[camera]]\ncode = \"C1\"\nname = \"x\"\nlat = 25.0\nlon = 102.0\nmain = \"rtsp://u:p@10.0.0.1/1\"\n".to_vec(),
        b"code,name,lat,lon,main\nC1,x,25.0,102.0,rtsp://u:p@10.0.0.1:554/1\nC1,y,91,0,http://x\n".to_vec(),
        br#"{"open":{"tile":1,"camera":"C1","profile":"auto","height":360}}"#.to_vec(),
    ]
}

fn all_take(bytes: &[u8]) {
    targets::ALL.iter().for_each(|(_, target)| target(bytes));
}

#[test]
fn decoders_survive_real_messages_with_bytes_changed() {
    for message in real() {
        all_take(&message);
        for at in 0..message.len() {
            all_take(&message[..at]);
            for byte in [0, b'"', b',', b'\n', b'9', 0x7f, 0x80, 0xff, message[at] ^ 1] {
                let mut changed = message.clone();
                changed[at] = byte;
                all_take(&changed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoders_survive_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2_048)) {
        all_take(&bytes);
    }

    #[test]
    fn decoders_survive_any_text(text in "\\PC{0,300}", separators in "[,;\"\n\r=&{}\\[\\]:0-9a-z.-]{0,300}") {
        all_take(text.as_bytes());
        all_take(separators.as_bytes());
    }
}
