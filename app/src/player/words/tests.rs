//! From the facts of a tile to what a person reads, in both languages.

use domain::moment::UtcOffset;
use domain::rejection::Language;
use domain::video::{Facts, Tile};

use super::{Words, state_words};

/// What a tile says at the moment of these facts, as the scripts send them.
fn words(language: Language, facts: &str) -> Words {
    // 2021-03-31 06:02:07 UTC is 14:02:07 in the hall.
    let mut read: Facts = serde_json::from_str(facts).unwrap_or_else(|_| panic!("not read: {facts}"));
    read.now_ms = NOW;
    let mut tile = Tile::default();
    tile.hear(read, 0);
    state_words(language, &tile.decide(0).0, UtcOffset::default())
}

const NOW: i64 = 1_617_170_527_000;

/// Checks bar, title and detail in one language.
fn check(language: Language, facts: &str, expected: [&str; 3]) {
    let words = words(language, facts);
    let over = words.over.map_or((String::new(), String::new()), |over| (over.title, over.detail));
    assert_eq!([words.bar.as_str(), over.0.as_str(), over.1.as_str()], expected, "{facts}");
}

#[test]
fn a_healthy_tile_says_its_delay_in_the_bar_and_nothing_over_the_picture() {
    let live = r#"{"says":{"state":"live"},"painted":true,"delay_ms":240,"picture_ms":1617170527000}"#;
    check(Language::Zh, live, ["实时 0.2 秒", "", ""]);
    check(Language::En, live, ["live 0.2 s", "", ""]);
    check(Language::Zh, r#"{"says":{"state":"live"},"painted":true}"#, ["实时", "", ""]);
}

#[test]
fn a_tile_that_leaves_pictures_out_says_how_many_and_whose_fault_it_is() {
    let slow =
        r#"{"says":{"state":"live"},"painted":true,"delay_ms":130,"sent_per_s":15,"painted_per_s":10}"#;
    check(Language::Zh, slow, ["实时 0.1 秒 · 每秒 10/15 幅 本机慢", "", ""]);
    check(Language::En, slow, ["live 0.1 s · 10/15 pictures/s, slow computer", "", ""]);
    let way = slow.replace("\"sent_per_s\"", "\"held_back_per_s\":5,\"sent_per_s\"");
    check(Language::Zh, &way, ["实时 0.1 秒 · 每秒 10/15 幅 网络慢", "", ""]);
}

#[test]
fn a_late_picture_says_by_how_much() {
    let late = |picture_ms: i64| {
        format!(r#"{{"says":{{"state":"live"}},"painted":true,"standing":true,"picture_ms":{picture_ms}}}"#)
    };
    check(Language::Zh, &late(NOW - 6_000), ["延迟 6 秒", "", ""]);
    check(Language::En, &late(NOW - 400_000), ["delayed 6 min", "", ""]);
}

#[test]
fn waiting_is_counted() {
    let asked = r#"{"asked_ms":1617170524000}"#;
    check(Language::Zh, asked, ["连接中", "正在连接", "已等 3 秒"]);
    check(Language::En, asked, ["connecting", "Connecting", "waited 3 s"]);
}

#[test]
fn a_lost_camera_says_since_when_and_when_it_is_tried_again() {
    let lost = r#"{"says":{"state":"lost","cause":"stalled","since_ms":1617170527000,"retry_at_ms":1617170539000,"reason":"no data for 2 s"},"picture_ms":1617170527000}"#;
    check(Language::Zh, lost, ["末帧 14:02:07", "信号中断", "14:02 起 · 12 秒后重试"]);
    check(Language::En, lost, ["last frame 14:02:07", "Signal lost", "since 14:02 · retry in 12 s"]);
    assert_eq!(words(Language::Zh, lost).tooltip, "画面停止更新 · no data for 2 s");
    let now = r#"{"says":{"state":"lost","since_ms":1617170527000,"retry_at_ms":null}}"#;
    check(Language::Zh, now, ["无画面", "信号中断", "14:02 起 · 正在重试"]);
}

#[test]
fn a_lost_server_or_player_is_not_blamed_on_the_camera() {
    let down = r#"{"down_since_ms":1617170522000,"redial_ms":1617170530000,"picture_ms":1617170527000,"says":{"state":"live"}}"#;
    check(Language::Zh, down, ["末帧 14:02:07", "与服务器断开", "14:02 起 · 3 秒后重试"]);
    let missing = r#"{"engine":"missing","engine_retry_ms":1617170530000}"#;
    check(Language::Zh, missing, ["无画面", "与服务器断开", "3 秒后重试"]);
    let failed = r#"{"engine":"failed","engine_retry_ms":1617170528000}"#;
    check(Language::Zh, failed, ["无画面", "本页播放中断", "1 秒后重试"]);
    check(Language::En, failed, ["no picture", "Player of this page stopped", "retry in 1 s"]);
}

#[test]
fn a_refusal_carries_the_cameras_own_number() {
    let refused = r#"{"says":{"state":"refused","retry_at_ms":1617170587000,"cause":"credentials","reason":"DESCRIBE answered 401 Unauthorized"}}"#;
    check(Language::Zh, refused, ["无画面", "拒绝访问 401", "用户名或密码不符 · 60 秒后重试"]);
    check(
        Language::En,
        refused,
        ["no picture", "Access refused 401", "wrong user name or password · retry in 60 s"],
    );
}

#[test]
fn a_page_full_of_tiles_promises_no_retry() {
    check(Language::Zh, r#"{"full":true}"#, ["无画面", "拒绝访问", "本页画面数已满"]);
}

#[test]
fn stills_and_unknown_codecs_are_named() {
    let stills = r#"{"says":{"state":"key_frames"},"painted":true,"still_every_ms":1000}"#;
    check(Language::Zh, stills, ["关键帧 每 1 秒", "", ""]);
    let budget = r#"{"says":{"state":"unsupported","cause":"transcode_budget"}}"#;
    check(Language::Zh, budget, ["无画面", "编码不支持", "转码路数已满"]);
    let undecodable = r#"{"says":{"state":"lost","cause":"undecodable","retry_at_ms":1617170529000,"since_ms":1617170527000}}"#;
    check(Language::Zh, undecodable, ["无画面", "无法解码", "14:02 起 · 2 秒后重试"]);
    check(
        Language::En,
        r#"{"says":{"state":"gone","cause":"unknown_camera"}}"#,
        ["no picture", "No such camera", "no longer in the registry, or out of your sight"],
    );
}

#[test]
fn a_cause_nobody_knows_yet_is_left_out() {
    let newer = r#"{"says":{"state":"refused","cause":"solar_flare","retry_at_ms":1617170532000}}"#;
    check(Language::Zh, newer, ["无画面", "拒绝访问", "5 秒后重试"]);
}
