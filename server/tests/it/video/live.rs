//! The ordinary day: cameras come up, pages join late, share streams, change sizes and leave.

use super::harness::{Hall, Page, Said, get, get_json};
use serde_json::json;
use server::video::Config;
use sim::camera::{CameraSpec, Fault};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const SOON: Duration = Duration::from_secs(10);

fn looped(code: &str) -> CameraSpec {
    CameraSpec::looped(code, 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tile_gets_state_configuration_and_frames_from_a_key_frame_on() {
    let hall = Hall::start(vec![looped("cam-1")]).await;
    let mut page = hall.page("webcodecs", false).await;
    page.open(7, "cam-1", "sub", 360).await;
    page.until_state(7, "connecting", SOON).await;
    let configuration = page.until_media(7, 1, 1, SOON).await.remove(0);
    let (codec, width, height) = configuration.configuration();
    assert!(codec.starts_with("avc1."), "{codec}");
    assert_eq!((width, height), (640, 360));
    let frames = page.until_media(7, 2, 30, SOON).await;
    assert!(frames[0].key());
    assert!(frames.windows(2).all(|pair| pair[0].ingest_us <= pair[1].ingest_us));
    let span_us = frames[29].pts_us - frames[9].pts_us;
    assert!((1_200_000..1_450_000).contains(&span_us), "20 frames at 15 fps took {span_us} µs");
    let (status, health) = get_json(hall.addr, "/api/v1/cameras/cam-1/health").await;
    assert_eq!(status, 200);
    let sub = &health["streams"][1];
    assert_eq!((&sub["status"]["state"], &sub["viewers"]), (&json!("live"), &json!(1)), "{health}");
    assert!(!health.to_string().contains("rtsp"), "{health}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_a_live_camera_starts_at_once_and_shares_the_upstream() {
    let mut slow_keys = looped("cam-1");
    slow_keys.gop_seconds = 5;
    let hall = Hall::start(vec![slow_keys]).await;
    let mut first = hall.page("webcodecs", false).await;
    first.open(1, "cam-1", "sub", 360).await;
    first.until_media(1, 2, 20, SOON).await;

    let mut second = hall.page("webcodecs", false).await;
    let asked = std::time::Instant::now();
    second.open(1, "cam-1", "sub", 360).await;
    let burst = second.until_media(1, 2, 15, SOON).await;
    assert!(asked.elapsed() < Duration::from_millis(2_500), "waited for a key frame: {:?}", asked.elapsed());
    assert!(burst[0].key() && burst[..10].iter().all(super::harness::Media::catch_up));
    let counts = hall.cameras.camera("cam-1").unwrap().counts();
    assert_eq!((counts.described, counts.playing), (1, 1), "one upstream whatever the viewers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_lingers_for_who_comes_back_and_is_torn_down_after() {
    let config = Config { linger_ms: 1_000, ..Config::default() };
    let hall = Hall::start_with(config, vec![looped("cam-1")]).await;
    let mut page = hall.page("webcodecs", false).await;
    page.open(1, "cam-1", "sub", 360).await;
    page.until_media(1, 2, 5, SOON).await;
    page.say(json!({"pause": {"tile": 1}})).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(hall.cameras.camera("cam-1").unwrap().counts().playing, 1);
    page.say(json!({"resume": {"tile": 1}})).await;
    let frames = page.until_media(1, 2, 20, SOON).await;
    assert!(frames[0].key());
    page.say(json!({"close": {"tile": 1}})).await;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let counts = hall.cameras.camera("cam-1").unwrap().counts();
        if (counts.playing, counts.sessions, hall.video.open_streams()) == (0, 0, 0) {
            assert_eq!(counts.described, 1, "coming back did not dial again");
            return;
        }
    }
    panic!("still open: {:?}", hall.cameras.camera("cam-1").unwrap().counts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_growing_tile_changes_to_the_main_stream_without_a_gap() {
    // A key frame has just gone by at each start: the main stream has no picture for almost two seconds.
    let slow = CameraSpec { faults: vec![Fault::LateKeyFrame], ..looped("cam-1") };
    let hall = Hall::start(vec![slow]).await;
    let mut page = hall.page("webcodecs", false).await;
    page.open(1, "cam-1", "auto", 360).await;
    page.until_media(1, 2, 10, SOON).await;
    page.say(json!({"resize": {"tile": 1, "height": 1080}})).await;
    let mut subs_while_switching = 0;
    let main = page
        .until("the main stream", SOON, |said| match said {
            Said::Media(media) if media.kind == 1 => Some(media.configuration()),
            Said::Media(media) if media.kind == 2 => {
                subs_while_switching += 1;
                None
            }
            Said::Media(_) | Said::Text(_) => None,
        })
        .await;
    assert_eq!((main.1, main.2), (1280, 720));
    assert!(subs_while_switching > 0, "the old stream goes on until the new one has a picture");
    let state = page.until_state(1, "live", SOON).await;
    assert_eq!(state["profile"], "main");
    page.until_media(1, 2, 10, SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_camera_is_gone_and_the_other_tiles_go_on() {
    let hall = Hall::start(vec![looped("cam-1")]).await;
    let mut page = hall.page("webcodecs", false).await;
    page.open(1, "nobody", "auto", 360).await;
    let gone = page.until_state(1, "gone", SOON).await;
    assert_eq!(gone["cause"], "unknown_camera");
    page.open(2, "cam-1", "sub", 360).await;
    page.until_media(2, 2, 5, SOON).await;
}

/// What a page may not say ends its conversation with 1008 and the reason; limits are answered and the page goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_break_the_protocol_are_told_and_closed() {
    let hall =
        Hall::start_with(Config { tiles_per_page: 1, ..Config::default() }, vec![looped("cam-1")]).await;
    let first_words = [
        (json!({"open": {"tile": 1, "camera": "cam-1", "profile": "sub", "height": 1}}), "hello_first"),
        (json!({"hello": {"version": 2, "mode": "mse", "h265": true}}), "version"),
        (json!({"hello": {"version": 1, "mode": "mse", "h265": true, "extra": 1}}), "bad_message"),
    ];
    for (words, code) in first_words {
        let mut page = Page::connect_silent(hall.addr).await;
        page.say(words).await;
        let Some(Said::Text(error)) = page.hear(SOON).await else { panic!("no answer") };
        assert_eq!(error["error"]["code"], code);
        assert_eq!(page.closed_with().await, Some(1008));
    }
    let mut page = hall.page("webcodecs", false).await;
    page.open(1, "cam-1", "sub", 360).await;
    page.open(2, "cam-1", "sub", 360).await;
    page.until("too many tiles", SOON, |said| match said {
        Said::Text(value) => (value["error"]["code"] == "too_many_tiles").then_some(()),
        Said::Media(_) => None,
    })
    .await;
    page.until_media(1, 2, 5, SOON).await;
    page.send_raw(Message::Text("x".repeat(20_000).into())).await;
    assert_eq!(page.closed_with().await, Some(1008));
}

/// Method: pages of one actor, whose share is three cameras. What one gives back, another gets; a tile that changes its
/// camera needs no second place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_actor_opens_no_more_cameras_than_its_share_on_all_pages() {
    let config = Config { tiles_per_actor: 3, ..Config::default() };
    let hall = Hall::start_with(config, (0..5).map(|n| looped(&format!("cam-{n}"))).collect()).await;
    let (mut first, mut second) = (hall.page("webcodecs", false).await, hall.page("webcodecs", false).await);
    for tile in [1, 2] {
        first.open(tile, &format!("cam-{tile}"), "sub", 360).await;
        first.until_state(tile, "live", SOON).await;
    }
    second.open(1, "cam-3", "sub", 360).await;
    second.until_state(1, "live", SOON).await;
    second.open(2, "cam-4", "sub", 360).await;
    let refused = |said: &Said| match said {
        Said::Text(value) => (value["error"]["code"] == "too_many_tiles").then(|| value.to_string()),
        Said::Media(_) => None,
    };
    let words = second.until("a refusal", SOON, refused).await;
    assert!(words.contains("3 cameras are open on all pages"), "{words}");
    let (status, _, body) = get(hall.addr, "/api/v1/cameras/cam-0/snapshot.jpg").await;
    assert_eq!(status, 503, "{}", String::from_utf8_lossy(&body));
    first.open(2, "cam-0", "sub", 360).await;
    first.until_state(2, "live", SOON).await;
    first.say(json!({"close": {"tile": 1}})).await;
    // What the server reads from two pages has no order.
    tokio::time::sleep(Duration::from_millis(200)).await;
    second.open(2, "cam-4", "sub", 360).await;
    second.until_state(2, "live", SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_single_streams_are_given_while_they_are_open_and_hold_no_address() {
    let config = Config { linger_ms: 200, ..Config::default() };
    let hall = Hall::start_with(config, vec![looped("cam-1"), looped("cam-2")]).await;
    let figures = async |query: &str| {
        let (status, kind, body) = get(hall.addr, &format!("/metrics/cameras{query}")).await;
        assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4"));
        String::from_utf8(body).unwrap()
    };
    let mut page = hall.page("webcodecs", false).await;
    page.open(1, "cam-1", "sub", 360).await;
    page.open(2, "cam-2", "sub", 360).await;
    page.until_media(1, 2, 5, SOON).await;
    page.until_media(2, 2, 5, SOON).await;
    let all = figures("").await;
    let viewers = r#"gridhall_stream_viewers{camera="cam-1",profile="sub",state="live"} 1"#;
    assert!(all.contains(viewers) && all.contains("cam-2"), "{all}");
    assert!(!all.contains("rtsp") && !all.contains("127.0.0.1"), "{all}");
    let asked = figures("?cameras=cam-2,cam-3").await;
    assert!(!asked.contains("cam-1") && asked.contains("cam-2"), "{asked}");
    page.say(json!({"close": {"tile": 1}})).await;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if !figures("").await.contains("cam-1") {
            return;
        }
    }
    panic!("a closed stream is still there: {}", figures("").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_are_listed_in_pages_and_by_distance_without_their_addresses() {
    let specs = (0..5).map(|i| looped(&format!("cam-{i}"))).collect();
    let hall = Hall::start(specs).await;
    let (status, page) = get_json(hall.addr, "/api/v1/cameras?limit=3").await;
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 3));
    let (_, rest) =
        get_json(hall.addr, &format!("/api/v1/cameras?limit=3&cursor={}", page["next"].as_str().unwrap()))
            .await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    assert!(rest["next"].is_null());

    let (_, one) = get_json(hall.addr, "/api/v1/cameras/cam-3").await;
    let (lat, lon) = (one["place"]["lat"].as_f64().unwrap(), one["place"]["lon"].as_f64().unwrap());
    let (_, near) = get_json(hall.addr, &format!("/api/v1/cameras?near={lat},{lon}&radius=5000")).await;
    assert_eq!(near["items"][0]["code"], "cam-3");
    assert!(near["items"][0]["distance_m"].as_f64().unwrap() < 1.0);
    assert!(!near.to_string().contains("rtsp") && !near.to_string().contains("127.0.0.1"));

    for (path, status) in [
        ("/api/v1/cameras/none", 404),
        ("/api/v1/cameras?limit=0", 400),
        ("/api/v1/cameras?near=91,0", 400),
        ("/api/v1/cameras?near=1,1&radius=-1", 400),
        ("/api/v1/cameras?nearby=1", 400),
    ] {
        let (answered, kind, body) = get(hall.addr, path).await;
        assert_eq!(
            (answered, kind.as_str()),
            (status, "application/problem+json"),
            "{path} {}",
            String::from_utf8_lossy(&body)
        );
    }
}
