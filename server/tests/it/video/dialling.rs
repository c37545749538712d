//! Many cameras at one address: a tour through a recorder with few sessions, and a wall that opens all at once.

use super::harness::{Hall, Said};
use serde_json::json;
use server::video::Config;
use sim::camera::{CameraSpec, Codec};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);

fn recorder(channels: u16) -> Vec<CameraSpec> {
    (0..channels).map(|n| CameraSpec::looped(&format!("ch-{n}"), 1)).collect()
}

/// Method: a tour (轮巡) shows one camera after the other of a recorder that gives three sessions. Streams linger for 15 s,
/// so from the fourth on a session has to be handed on; none of the tiles may hear that the host is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tour_through_a_recorder_never_waits_for_streams_nobody_watches() {
    let hall = Hall::start_with(Config { sessions_per_host: 3, ..Config::default() }, recorder(8)).await;
    let mut page = hall.page("webcodecs", false).await;
    for n in 0..8 {
        page.open(n, &format!("ch-{n}"), "sub", 360).await;
        let live = page
            .until("live or lost", SOON, |said| match said {
                Said::Text(value)
                    if value["state"]["tile"] == n && value["state"]["state"] != "connecting" =>
                {
                    Some(value["state"]["state"].clone())
                }
                Said::Text(_) | Said::Media(_) => None,
            })
            .await;
        assert_eq!(live, "live", "camera {n} of the tour");
        page.say(json!({"close": {"tile": n}})).await;
    }
    // Those that linger are the last ones: who was idle for longest went first.
    assert!(hall.video.open_streams() <= 3, "{} streams hold three sessions", hall.video.open_streams());
    page.open(40, "ch-7", "sub", 360).await;
    page.until_media(40, 2, 1, SOON).await;
    assert_eq!(hall.cameras.camera("ch-7").unwrap().counts().described, 1, "the newest was left alone");
}

/// Another form of a stream that nobody watches holds no session either, though its codec lingers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcode_nobody_watches_gives_its_cameras_session_up() {
    let cameras = recorder(2).into_iter().map(|spec| spec.with_codec(Codec::H265)).collect();
    let hall = Hall::start_with(Config { sessions_per_host: 1, ..Config::default() }, cameras).await;
    let mut page = hall.page("webcodecs", false).await;
    for n in [0, 1, 0] {
        page.open(n, &format!("ch-{n}"), "sub", 360).await;
        page.until_media(n, 2, 5, SOON).await;
        page.say(json!({"close": {"tile": n}})).await;
    }
}

/// A watched stream is never handed on: the host is full, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_stream_keeps_its_session_and_the_next_hears_that_the_host_is_full() {
    let hall = Hall::start_with(Config { sessions_per_host: 1, ..Config::default() }, recorder(2)).await;
    let mut page = hall.page("webcodecs", false).await;
    page.open(0, "ch-0", "sub", 360).await;
    page.until_media(0, 2, 1, SOON).await;
    page.open(1, "ch-1", "sub", 360).await;
    let lost = page.until_state(1, "lost", SOON).await;
    assert_eq!(lost["cause"], "host_limit");
    page.until_media(0, 2, 10, SOON).await;
}

/// Method: fifty tiles opened in one breath; the time from there to each tile's first picture. With a burst of 13 dials,
/// then one each 20 ms, the turns alone take 740 ms.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_cameras_opened_at_once_wait_for_no_turns() {
    let paced = all_shown_after(Config { dials_burst: 13, ..Config::default() }).await;
    assert!(paced >= Duration::from_millis(700), "without room for all, turns are kept: {paced:?}");
    let at_once = all_shown_after(Config::default()).await;
    assert!(at_once < Duration::from_millis(500), "the last of fifty after {at_once:?}");
}

async fn all_shown_after(config: Config) -> Duration {
    let hall = Hall::start_with(config, recorder(50)).await;
    let mut page = hall.page("webcodecs", false).await;
    let start = Instant::now();
    for n in 0..50 {
        page.open(n, &format!("ch-{n}"), "sub", 360).await;
    }
    let mut seen = BTreeSet::new();
    page.until("a picture in each tile", SOON, |said| {
        if let Said::Media(media) = said
            && media.kind == 2
        {
            seen.insert(media.tile);
        }
        (seen.len() == 50).then_some(())
    })
    .await;
    start.elapsed()
}
