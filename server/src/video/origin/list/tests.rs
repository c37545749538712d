//! Lists as they come from the field: good rows taken, bad ones named.

use super::*;
use crate::video::origin::file::{Format, ListFile};
use std::path::Path;

fn said(refusals: &[Refusal]) -> Vec<String> {
    refusals.iter().map(ToString::to_string).collect()
}

#[test]
fn a_toml_list_is_taken_with_positions_directions_and_accounts() {
    let text = r#"
[[camera]]
code = "PD-0001"
name = "世纪大道东"
lat = 31.2301
lon = 121.5207
bearing = 90
view_deg = 60
owner = "公安"
main = "rtsp://admin:secret99@10.0.0.1/main"
sub = "rtsp://admin:secret99@10.0.0.1/sub"

[[camera]]
code = "PD-0002"
main = "rtsp://10.0.0.2:8554/ch1"
username = "viewer"
password = "pa#ss"
session_id_policy = "use-first"
"#;
    let (registry, refusals) = from_toml(text).unwrap();
    assert_eq!(said(&refusals), Vec::<String>::new());
    let first = registry.get("PD-0001").unwrap();
    assert_eq!(first.camera.name, "世纪大道东");
    assert_eq!(first.camera.bearing_deg, Some(90.0));
    assert!(first.camera.has_sub);
    let second = registry.get("PD-0002").unwrap();
    assert_eq!((second.camera.view_deg, second.camera.place, second.camera.has_sub), (360.0, None, false));
    let Origin::Rtsp(channel) = &second.origin;
    assert_eq!(channel.main.credentials().unwrap().reveal().password, "pa#ss");
    let shown = format!("{registry:?}");
    assert!(!shown.contains("secret99") && !shown.contains("pa#ss") && !shown.contains("/main"), "{shown}");
}

#[test]
fn bad_rows_are_named_by_line_field_and_expectation_and_good_rows_go_on() {
    let text = r#"[[camera]]
code = "A"
main = "rtsp://10.0.0.1/a"

[[camera]]
code = "A"
main = "rtsp://10.0.0.2/a"

[[camera]]
code = "B C"
lat = 91
lon = 121
bearing = "east"
main = "http://u:topsecret@10.0.0.3/b"
transport = "udp"
colour = "red"

[[camera]]
code = "D"
main = "rtsp://10.0.0.4/d"
password = "topsecret"

[[camera]]
code = "E"
main = "rtsp://10.0.0.5/e"
"#;
    let (registry, refusals) = from_toml(text).unwrap();
    assert_eq!(registry.page(None, 10).map(|c| c.camera.code.as_str()).collect::<Vec<_>>(), ["A", "E"]);
    let said = said(&refusals);
    let expected = [
        "line 5: code: expected a code used once; line 1 has it already, found \"A\"",
        "line 16: colour: expected one of code, name",
        "line 10: code: expected a camera code (contains ' '",
        "line 11: lat: expected a number from -90 to 90",
        "line 13: bearing: expected a number from 0 to 360",
        "line 14: main: expected the rtsp scheme (no rtsps, http or onvif)",
        "line 15: transport: expected tcp",
        "line 18: username: expected a user name beside the password",
    ];
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said} / {expected}");
    }
    assert!(!said.concat().contains("topsecret"));
}

#[test]
fn a_csv_list_has_the_same_columns_and_the_same_refusals() {
    let text = "\u{feff}code,name,lat,lon,datum,main,sub,username,password\r\n\
        1001,\"东门, 一号\",31.2,121.5,wgs84,rtsp://10.0.0.1/1,rtsp://10.0.0.1/2,u,p\r\n\
        1002,x,31.2,,wgs84,rtsp://10.0.0.1/1,,,\r\n\
        1003,x,31.2\r\n\
        1001,again,,,,rtsp://10.0.0.9/1,,,\r\n\
        1004,gcj,31.2304,121.4737,gcj02,rtsp://10.0.0.1/1,,,\r\n";
    let (registry, refusals) = from_csv(text.as_bytes()).unwrap();
    assert_eq!(
        said(&refusals),
        [
            "line 3: lon: expected a longitude beside the latitude",
            "line 4: row: expected 9 columns, found \"3\"",
            "line 5: code: expected a code used once; line 2 has it already, found \"1001\"",
        ]
    );
    assert_eq!(registry.len(), 2);
    assert_eq!(registry.get("1001").unwrap().camera.name, "东门, 一号");
    let moved = registry.get("1004").unwrap().camera.place.unwrap();
    let shift = moved.distance_m(Point::from_degrees(31.2304, 121.4737).unwrap());
    assert!((300.0..800.0).contains(&shift), "GCJ-02 is off by some hundred metres here: {shift}");
}

#[test]
fn a_list_that_cannot_be_read_says_where() {
    assert!(matches!(from_csv(b"name,main\n"), Err(ListError::Column { column: "code" })));
    let Err(ListError::Toml { line: 3, .. }) = from_toml("[[camera]]\ncode = \"A\"\nmain = \n") else {
        panic!("line 3 has no value");
    };
    assert!(matches!(
        crate::video::origin::file::load(Path::new("/nonexistent.toml")),
        Err(ListError::Read { .. })
    ));
}

/// Method: broken quoting swallows lines in CSV; whatever is left must still be answered, and nothing may panic.
#[test]
fn broken_quoting_costs_rows_but_not_the_list() {
    let text = b"code,main\nA,rtsp://h/1\nB,\"rtsp://h/2\nC,rtsp://h/3\n";
    let (registry, refusals) = from_csv(text).unwrap();
    assert_eq!(registry.len(), 1);
    assert_eq!(refusals.len(), 1, "{refusals:?}");
}

#[test]
fn thousands_of_rows_are_read_in_one_go() {
    let mut text = String::from("code,lat,lon,bearing,main\n");
    for i in 0..3_600 {
        text.push_str(&format!("C{i},31.{i:04},121.5,{},rtsp://10.0.{}.{}/1\n", i % 360, i / 250, i % 250));
    }
    let (registry, refusals) = from_csv(text.as_bytes()).unwrap();
    assert_eq!((registry.len(), refusals.len()), (3_600, 0));
    let near = registry.near(Point::from_degrees(31.1, 121.5).unwrap(), 500.0, 5);
    assert_eq!(near.len(), 5);
    assert!(near[0].sees);
}

/// As Excel saves a list in a Chinese office.
#[test]
fn a_list_in_gbk_is_read_like_one_in_utf8() {
    let text = "code,name,main\r\n1,东门 一号,rtsp://10.0.0.1/1\r\n2,西门,http://10.0.0.2/1\r\n";
    let list = |bytes: Vec<u8>| ListFile { format: Format::Csv, bytes }.rows().unwrap();
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let (registry, refusals) = list(gbk.into_owned());
    assert_eq!(registry.get("1").unwrap().camera.name, "东门 一号");
    assert_eq!(said(&refusals), said(&list(text.into()).1));
}

/// With a count of lines from the start for each field this takes hours.
#[test]
fn a_long_toml_list_names_the_line_of_its_last_row() {
    let mut text = String::new();
    for i in 0..20_000 {
        text.push_str(&format!(
            "[[camera]]\ncode = \"C{i}\"\nlat = 31.2\nlon = 121.5\nmain = \"rtsp://10.0.0.1/{i}\"\n"
        ));
    }
    text.push_str("[[camera]]\ncode = \"last\"\nmain = \"http://10.0.0.1/1\"\n");
    let (registry, refusals) = from_toml(&text).unwrap();
    assert_eq!((registry.len(), refusals.len()), (20_000, 1));
    assert_eq!((refusals[0].line, refusals[0].field.as_str()), (100_003, "main"));
}

#[test]
fn a_name_that_turns_the_direction_of_writing_is_refused() {
    for name in ["东门\u{202E}7", "\u{200B}"] {
        let text = format!("[[camera]]\ncode = \"A\"\nname = \"{name}\"\nmain = \"rtsp://10.0.0.1/a\"\n");
        let (registry, refusals) = from_toml(&text).unwrap();
        assert_eq!(registry.len(), 0);
        assert!(
            said(&refusals)[0].starts_with("line 1: name: expected at most 128 visible characters")
                || said(&refusals)[0].starts_with("line 3: name: expected at most 128 visible characters"),
            "{refusals:?}"
        );
    }
}

/// A list whose columns had slipped printed the camera's password, on the terminal and to the screen.
#[test]
fn no_refusal_repeats_a_secret_whichever_column_it_stands_in() {
    let address = "rtsp://admin:sEcret1@127.0.0.1/a";
    let columns = [
        "code",
        "name",
        "lat",
        "lon",
        "datum",
        "bearing",
        "view_deg",
        "owner",
        "area",
        "transport",
        "teardown",
    ];
    for column in columns {
        for value in [address, "sEcret1", "admin:sEcret1@127.0.0.1"] {
            for main in ["rtsp://admin:sEcret1@127.0.0.1/a", "", "sEcret1"] {
                let rest = if column == "code" { "name" } else { "code" };
                let text = format!("{rest},main,username,{column}\nA,{main},,{value}\n");
                let text =
                    if column == "code" { text } else { text.replacen("main,username", "main,sub", 1) };
                let all = format!("{:?}", from_csv(text.as_bytes()).map(|(_, refusals)| refusals));
                assert!(!all.contains("sEcret1"), "{column}={value:?} main={main:?}: {all}");
            }
        }
    }
    let (_, refusals) =
        from_csv(format!("code,main,{address}\nA,rtsp://127.0.0.1/a,1\n").as_bytes()).unwrap();
    assert!(!format!("{refusals:?}").contains("sEcret1"), "{refusals:?}");
    for column in ["name", "owner"] {
        let text = format!("code,main,{column}\nA,rtsp://127.0.0.1/a,{address}\n");
        let (registry, refusals) = from_csv(text.as_bytes()).unwrap();
        assert!(registry.get("A").is_none() && refusals.len() == 1, "{refusals:?}");
        assert_eq!((refusals[0].field.as_str(), refusals[0].found.as_deref()), (column, None));
    }
}
