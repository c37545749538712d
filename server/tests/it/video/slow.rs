//! Pages that take less than the cameras give.

use super::harness::{Hall, Said};
use server::clock::Clock;
use server::video::Config;
use sim::camera::CameraSpec;
use std::time::Duration;

/// Method: a page with a tiny receive window stops reading while a fat stream goes on. When it reads again it must be told
/// what it missed, go on at a key frame (the harness checks that no delta follows a gap), and be up to date.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_stops_reading_goes_on_at_a_key_frame_and_is_told() {
    let mut spec = CameraSpec::looped("fat", 4);
    spec.gop_seconds = 1;
    spec.main.kbps = Some(12_000);
    let hall = Hall::start(vec![spec]).await;
    let mut page = hall.page("webcodecs", false).await;
    page.open(1, "fat", "main", 1080).await;
    page.until_media(1, 2, 15, Duration::from_secs(10)).await;
    // What the kernel buffers on loopback has to be filled first.
    tokio::time::sleep(Duration::from_secs(9)).await;
    let frames = page
        .until("what was dropped", Duration::from_secs(10), |said| match said {
            Said::Text(value) => value["dropped"]["frames"].as_u64(),
            Said::Media(_) => None,
        })
        .await;
    assert!(frames > 0);
    let next = page.until_media(1, 2, 1, Duration::from_secs(5)).await.remove(0);
    assert!(next.key());
    let behind = page.until_media(1, 2, 20, Duration::from_secs(5)).await.pop().unwrap();
    let late_ms = (Clock::machine().now_us() - behind.ingest_us) / 1_000;
    assert!(late_ms < 3_000, "still {late_ms} ms behind");
}

/// A page that takes nothing at all is let go; the others see nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_page_is_disconnected_and_the_others_go_on() {
    let mut spec = CameraSpec::looped("fat", 4);
    spec.gop_seconds = 1;
    spec.main.kbps = Some(12_000);
    let hall = Hall::start_with(Config { page_stall_ms: 1_000, ..Config::default() }, vec![spec]).await;
    let mut dead = hall.page("webcodecs", false).await;
    let mut alive = hall.page("webcodecs", false).await;
    dead.open(1, "fat", "main", 1080).await;
    alive.open(1, "fat", "main", 1080).await;
    dead.until_media(1, 2, 5, Duration::from_secs(10)).await;
    let frames = alive.until_media(1, 2, 180, Duration::from_secs(20)).await;
    let late_ms = (Clock::machine().now_us() - frames.last().unwrap().ingest_us) / 1_000;
    assert!(late_ms < 3_000, "{late_ms} ms behind because of another page");
    let mut heard = 0;
    while dead.hear(Duration::from_secs(3)).await.is_some() {
        heard += 1;
        assert!(heard < 400, "never disconnected");
    }
}
