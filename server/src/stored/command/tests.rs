//! Golden lines of commands. The first list is what the first version made of them, byte by byte: a line may never
//! change, or every key made before answers that it was used for another command.

use domain::code::CaseId;
use domain::command::Command;
use domain::file::{AttachedFile, FileHash, FileKind, Media};
use domain::moment::UtcMillis;

use super::{encode, fresh_key};

fn read(text: &str) -> Command {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// As the first version wrote them.
const FIRST: [&str; 16] = [
    r#"{"report_case":{"report":{"source":"hotline","class":"P03-07","area":"530103001","condition":"缺失","address":"拓东路 1 号","description":"箅子\"缺失\"","place":{"lat":25.04,"lon":102.72},"priority":"second","base_count":3,"reporter":"张三","external":{"system":"nyc311","id":"39573567"}},"at":1795226400000}}"#,
    r#"{"report_case":{"report":{"source":"inspector","class":"E01-10","area":"5301","condition":null,"address":"","description":"","place":null,"priority":"ordinary","base_count":1,"reporter":null,"external":null},"at":null}}"#,
    r#"{"take_over_case":{"report":{"source":"inspector","class":"E01-10","area":"5301","condition":null,"address":"","description":"","place":null,"priority":"ordinary","base_count":1,"reporter":null,"external":null},"history":{"opened":1,"stage":"dispose","closed":null,"due":8}}}"#,
    r#"{"accept_case":{"case":7}}"#,
    r#"{"file_case":{"case":7}}"#,
    r#"{"dispatch_case":{"case":7,"department":"urban","limit":null}}"#,
    r#"{"dispatch_case":{"case":7,"department":"urban","limit":{"amount":3,"unit":"work_day"}}}"#,
    r#"{"finish_disposal":{"case":7,"note":""}}"#,
    r#"{"give_feedback":{"case":7,"note":"照片"}}"#,
    r#"{"pass_check":{"case":7,"note":""}}"#,
    r#"{"close_case":{"case":7,"note":"合格"}}"#,
    r#"{"claim_case":{"case":7}}"#,
    r#"{"note_case":{"case":7,"text":"催办"}}"#,
    r#"{"raise_whistle":{"call":{"level":"street","area":"530103001","title":"夜市占道","case":null,"called":["urban","fire"]}}}"#,
    r#"{"define_catalogue":{"entries":[{"area":{"code":"5301","level":"city","parent":null,"name":{"zh":"市","en":""}}},{"class":{"code":"N1","kind":"complaint","name":{"zh":"新","en":"New"},"key":true,"disposal_limit":{"amount":2,"unit":"urgent_day"}}},{"source":{"code":"s","name":{"zh":"源","en":""}}},{"department":{"code":"d","name":{"zh":"局","en":""}}}]}}"#,
    r#""pass_deadlines""#,
];

#[test]
fn what_the_first_version_could_say_keeps_its_bytes() {
    for text in FIRST {
        assert_eq!(encode(&read(text)), text);
    }
}

#[test]
fn what_came_later_is_written_where_it_is_used() {
    for text in [
        r#"{"take_over_case":{"report":{"source":"inspector","class":"E01-10","area":"5301","condition":null,"address":"","description":"","place":null,"priority":"ordinary","base_count":1,"reporter":null,"external":null},"history":{"opened":1,"stage":"dispose","closed":null,"due":null,"steps":[{"step":"file","at":2}]}}}"#,
        r#"{"dispatch_case":{"case":7,"department":"urban","limit":{"amount":15,"unit":"minute","counts":"through"}}}"#,
        r#"{"define_catalogue":{"entries":[{"source":{"code":"s","name":{"zh":"源","en":""},"retired":true}}]}}"#,
        r#"{"define_catalogue":{"entries":[{"class":{"code":"N1","kind":"part","name":{"zh":"新","en":""},"key":true,"disposal_limit":null,"main":{"zh":"大类","en":""},"base_weight":3}}]}}"#,
        r#"{"define_catalogue":{"entries":[{"condition":{"code":"N1.1","class":"N1","name":{"zh":"破损","en":""},"milestones":[{"name":{"zh":"制止","en":""},"limit":{"amount":2,"unit":"urgent_hour"}}],"close_condition":null}}]}}"#,
    ] {
        assert_eq!(encode(&read(text)), text);
    }
}

/// Sent again, the same picture is the same command, whatever another build reads out of it.
#[test]
fn a_file_is_told_by_its_bytes_its_name_and_what_it_shows() {
    let file = AttachedFile {
        hash: FileHash([0xab; 32]),
        name: "井盖.jpg".to_owned(),
        kind: FileKind::PhotoAfter,
        media: Media::Jpeg,
        bytes: 9,
        taken: Some(UtcMillis(1)),
        place: None,
    };
    let command = Command::AttachFile { case: CaseId(7), file };
    let digits = "ab".repeat(32);
    let line =
        format!(r#"{{"attach_file":{{"case":7,"hash":"{digits}","name":"井盖.jpg","kind":"photo_after"}}}}"#);
    assert_eq!(encode(&command), line);
    assert!(serde_json::from_str::<Command>(&line).is_err(), "nobody says that a file is there");
}

/// Method: a moment no machine of today shows, to the millisecond.
#[test]
fn a_fresh_key_has_the_time_it_was_given_and_no_two_are_the_same() {
    let now = UtcMillis(4_102_444_800_123);
    let key = fresh_key(now);
    let (seconds, nanos) = key.get_timestamp().unwrap().to_unix();
    assert_eq!((seconds, nanos / 1_000_000), (4_102_444_800, 123));
    assert_ne!(key, fresh_key(now));
}
