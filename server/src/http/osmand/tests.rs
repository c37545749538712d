//! The three forms, and what is wrong with one.

use super::*;

const PHONE: &str = r#"{"location":{"extras":{},"mock":true,"coords":{"speed_accuracy":-1,"speed":-1,
    "longitude":102.7123,"floor":null,"latitude":25.0406,"accuracy":5,"altitude":0,"heading":-1},
    "is_moving":false,"age":188,"odometer":0,"event":"motionchange","battery":{"level":-1,"is_charging":false},
    "activity":{"type":"unknown","confidence":100},"timestamp":"2026-11-21T04:11:30.579Z"},"device_id":"658765"}"#;

#[test]
fn query_form_and_json_say_the_same() {
    let query =
        "id=658765&lat=25.0406&lon=102.7123&timestamp=1795234290579&speed=-1&bearing=&accuracy=5&batt=87";
    let json = decode(None, Some("application/json"), PHONE.as_bytes()).unwrap();
    let said = json.said.clone().unwrap();
    assert_eq!(said.fixed, Some(UtcMillis(1_795_234_290_579)));
    assert_eq!((said.speed_mps, said.heading_deg, said.accuracy_m), (None, None, Some(5.0)));
    assert_eq!(decode(Some(query), None, b"").unwrap(), json);
    let kind = Some("application/x-www-form-urlencoded");
    assert_eq!(decode(None, kind, query.as_bytes()).unwrap(), json);
    // Whatever type the app states.
    assert_eq!(decode(Some(""), Some("text/plain"), PHONE.as_bytes()).unwrap(), json);
    let moving = PHONE.replace("\"speed\":-1", "\"speed\":1.5").replace("\"heading\":-1", "\"heading\":270");
    let moving = decode(None, None, moving.as_bytes()).unwrap().said.unwrap();
    assert_eq!((moving.speed_mps, moving.heading_deg), (Some(1.5), Some(270.0)));
}

#[test]
fn what_is_wrong_is_named_by_its_field() {
    let json =
        |from: &str, to: &str| decode(None, Some("application/json"), PHONE.replace(from, to).as_bytes());
    let form = |query: &str| decode(Some(query), None, b"");
    // A person must mend it, at the phone.
    for (outcome, field) in [
        (form("lat=25&lon=102"), "id"),
        (form("id=&lat=25&lon=102"), "id"),
        (form("id=a&lon=102"), "lat"),
        (form("id=a&lat=25"), "lon"),
        (form(&"a".repeat(5_000)), "id"),
        (decode(None, None, b""), "id"),
        (decode(None, None, &[0xff, 0xfe]), "body"),
    ] {
        assert_eq!(outcome.unwrap_err().field.as_deref(), Some(field));
    }
    // Can never be a position, whoever mends the phone; the next one can.
    for (outcome, field) in [
        (form("id=a&lat=25&lon=1O2"), "lon"),
        (form("id=a&lat=NaN&lon=102"), "lat"),
        (form("id=a&lat=91&lon=102"), "lat"),
        (form("id=a&lat=25&lon=181"), "lon"),
        (form("id=a&lat=25&lon=102&speed=fast"), "speed"),
        (form("id=a&lat=25&lon=102&heading=north"), "heading"),
        (form("id=a&lat=25&lon=102&timestamp=now"), "timestamp"),
        (json("25.0406", "\"north\""), "location.coords.latitude"),
        (json("25.0406", "null"), "location.coords.latitude"),
        (json("25.0406", "95"), "location.coords.latitude"),
        (json("102.7123", "-190"), "location.coords.longitude"),
        (json("2026-11-21T04:11:30.579Z", "yesterday"), "location.timestamp"),
    ] {
        assert_eq!(outcome.unwrap().said.unwrap_err().field.as_deref(), Some(field));
    }
    let title = json("device_id", "id").unwrap_err().title;
    assert!(title.contains("device_id"), "{title}");
    assert!(decode(None, Some("application/json"), b"").is_err());
}
