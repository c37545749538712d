//! From what the player says to what a person reads, in both languages.

use domain::moment::UtcOffset;
use domain::rejection::Language;

use super::{Told, state_words};

fn parse(event: &str) -> Option<Told> {
    Told::of(serde_json::from_str(event).ok()?)
}

/// Reads an event as the player sends it and checks bar, title and detail in one language.
fn check(language: Language, event: &str, expected: [&str; 3]) {
    let told = parse(event).unwrap_or_else(|| panic!("not read: {event}"));
    let words = state_words(language, &told, UtcOffset::default());
    let over = words.over.map_or((String::new(), String::new()), |over| (over.title, over.detail));
    assert_eq!([words.bar.as_str(), over.0.as_str(), over.1.as_str()], expected, "{event}");
}

// 2021-03-31 06:02:07 UTC is 14:02:07 in the hall.
const LOST: &str = r#"{"state":"lost","cause":"stalled","since_ms":1617170527000,"retry_s":12,"reason":"no data for 2 s","profile":"sub","frame_ms":1617170527000}"#;

#[test]
fn a_healthy_tile_says_its_delay_in_the_bar_and_nothing_over_the_picture() {
    let live = r#"{"state":"live","delay_ms":240,"profile":"sub","frame_ms":1617170527000}"#;
    check(Language::Zh, live, ["实时 0.2 秒", "", ""]);
    check(Language::En, live, ["live 0.2 s", "", ""]);
    check(
        Language::Zh,
        r#"{"state":"live","delay_ms":null,"profile":null,"frame_ms":null}"#,
        ["实时", "", ""],
    );
}

#[test]
fn a_late_picture_says_by_how_much() {
    check(
        Language::Zh,
        r#"{"state":"delayed","delay_s":6,"profile":"sub","frame_ms":1}"#,
        ["延迟 6 秒", "", ""],
    );
    check(Language::En, r#"{"state":"delayed","delay_s":400}"#, ["delayed 6 min", "", ""]);
}

#[test]
fn waiting_is_counted() {
    let event = r#"{"state":"connecting","waited_s":3,"profile":null,"frame_ms":null}"#;
    check(Language::Zh, event, ["连接中", "正在连接", "已等 3 秒"]);
    check(Language::En, event, ["connecting", "Connecting", "waited 3 s"]);
}

#[test]
fn a_lost_camera_says_since_when_and_when_it_is_tried_again() {
    check(Language::Zh, LOST, ["末帧 14:02:07", "信号中断", "14:02 起 · 12 秒后重试"]);
    check(Language::En, LOST, ["last frame 14:02:07", "Signal lost", "since 14:02 · retry in 12 s"]);
    let now = r#"{"state":"lost","since_ms":1617170527000,"retry_s":null,"frame_ms":null}"#;
    check(Language::Zh, now, ["无画面", "信号中断", "14:02 起 · 正在重试"]);
}

#[test]
fn a_lost_server_is_not_blamed_on_the_camera() {
    let event =
        r#"{"state":"lost","cause":"link","since_ms":1617170527000,"retry_s":3,"frame_ms":1617170527000}"#;
    check(Language::Zh, event, ["末帧 14:02:07", "与服务器断开", "14:02 起 · 3 秒后重试"]);
}

#[test]
fn a_refusal_carries_the_cameras_own_number() {
    let event = r#"{"state":"refused","since_ms":1,"retry_s":60,"cause":"credentials","reason":"DESCRIBE answered 401 Unauthorized"}"#;
    check(Language::Zh, event, ["无画面", "拒绝访问 401", "用户名或密码不符 · 60 秒后重试"]);
    check(
        Language::En,
        event,
        ["no picture", "Access refused 401", "wrong user name or password · retry in 60 s"],
    );
}

#[test]
fn a_page_full_of_tiles_promises_no_retry() {
    check(
        Language::Zh,
        r#"{"state":"refused","cause":"tile_limit"}"#,
        ["无画面", "拒绝访问", "本页画面数已满"],
    );
}

#[test]
fn stills_and_unknown_codecs_are_named() {
    check(Language::Zh, r#"{"state":"key_frames","interval_s":1}"#, ["关键帧 每 1 秒", "", ""]);
    check(
        Language::Zh,
        r#"{"state":"unsupported","cause":"transcode_budget","retry_s":null}"#,
        ["无画面", "编码不支持", "转码路数已满"],
    );
    check(
        Language::Zh,
        r#"{"state":"lost","cause":"undecodable","retry_s":2}"#,
        ["无画面", "无法解码", "2 秒后重试"],
    );
    check(
        Language::En,
        r#"{"state":"gone","cause":"unknown_camera"}"#,
        ["no picture", "No such camera", "no longer in the registry, or out of your sight"],
    );
}

#[test]
fn a_cause_nobody_knows_yet_is_left_out() {
    check(
        Language::Zh,
        r#"{"state":"refused","cause":"solar_flare","retry_s":5}"#,
        ["无画面", "拒绝访问", "5 秒后重试"],
    );
}

#[test]
fn what_is_not_the_players_is_not_read() {
    assert_eq!(parse("{}"), None);
    assert_eq!(parse(r#"{"state":"smeared"}"#), None);
}
