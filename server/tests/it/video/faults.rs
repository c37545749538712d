//! Cameras that misbehave: each fault is played through or named, and the picture is back within 5 s of the camera's return.

use super::harness::{Hall, Page, Said};
use crate::long::bound;
use serde_json::Value;
use sim::camera::{CameraSpec, Codec, Credentials, Fault};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(40);

/// What the hall promises after a camera's return.
fn recovery() -> Duration {
    bound(Duration::from_secs(5))
}

/// … and until it says that a camera has stalled.
fn seen_within() -> Duration {
    bound(Duration::from_secs(3))
}

fn camera(fault: Option<Fault>) -> CameraSpec {
    let mut spec = CameraSpec::looped("cam", 2);
    spec.gop_seconds = 1;
    spec.faults.extend(fault);
    spec
}

async fn watching(spec: CameraSpec) -> (Hall, Page) {
    let hall = Hall::start(vec![spec]).await;
    let mut page = hall.page("webcodecs", true).await;
    page.open(1, "cam", "sub", 360).await;
    (hall, page)
}

/// Waits for `state`, mends the camera, and waits for live pictures; says how long the second took.
async fn recover(hall: &Hall, page: &mut Page, fault: Fault, state: &str) -> (Value, Duration) {
    let said = page.until_state(1, state, SOON).await;
    hall.cameras.camera("cam").unwrap().clear_fault(fault);
    let mended = Instant::now();
    page.until_state(1, "live", recovery()).await;
    page.until_media(1, 2, 5, recovery()).await;
    (said, mended.elapsed())
}

/// Faults a viewer should not notice, but for the wait for a key frame; all at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_stream_are_played_through() {
    let faults = [
        Fault::LateKeyFrame,
        Fault::NoParameterSets,
        Fault::TimestampJump,
        Fault::BFrames,
        Fault::Audio,
        Fault::LongGop,
        Fault::SeiOnly,
    ];
    let mut plays = tokio::task::JoinSet::new();
    for fault in faults {
        plays.spawn(async move {
            let (_hall, mut page) = watching(camera(Some(fault))).await;
            page.until_state(1, "live", SOON).await;
            // Six seconds: past the four after which clocks jump.
            let frames = page.until_media(1, 2, 90, SOON).await;
            let rises = frames.windows(2).filter(|pair| pair[1].pts_us > pair[0].pts_us).count();
            let reordered = fault == Fault::BFrames;
            assert!((rises == 89) != reordered, "{fault}: {rises} of 89 rise");
            let largest = frames.windows(2).map(|pair| pair[1].pts_us - pair[0].pts_us).max().unwrap();
            assert!(largest < 1_000_000, "{fault}: a leap of {largest} µs");
        });
    }
    while let Some(played) = plays.join_next().await {
        played.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_size_sends_a_new_configuration_and_a_key_frame() {
    let (_hall, mut page) = watching(camera(Some(Fault::ParameterChange))).await;
    let before = page.until_media(1, 1, 1, SOON).await[0].configuration();
    page.until_media(1, 2, 10, SOON).await;
    let after = page.until_media(1, 1, 1, SOON).await[0].configuration();
    assert_ne!((before.1, before.2), (after.1, after.2));
    page.until_media(1, 2, 10, SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h265_with_cra_pictures_only_is_played() {
    let spec = camera(Some(Fault::CraOnly)).with_codec(Codec::H265);
    let (_hall, mut page) = watching(spec).await;
    let configuration = page.until_media(1, 1, 1, SOON).await.remove(0);
    assert!(configuration.configuration().0.starts_with("hvc1."));
    page.until_media(1, 2, 60, SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_is_seen_within_three_seconds_and_mended_within_five() {
    for fault in [Fault::Stall, Fault::HalfOpen] {
        let (hall, mut page) = watching(camera(None)).await;
        page.until_state(1, "live", SOON).await;
        page.until_media(1, 2, 20, SOON).await;
        hall.cameras.camera("cam").unwrap().set_fault(fault);
        let stalled = Instant::now();
        page.until_state(1, "delayed", seen_within()).await;
        let lost = page.until_state(1, "lost", seen_within()).await;
        let seen = stalled.elapsed();
        assert!(seen < seen_within(), "{fault} seen after {seen:?}");
        assert_eq!(lost["cause"], "stalled");
        let (_, took) = recover(&hall, &mut page, fault, "lost").await;
        eprintln!("{fault}: lost after {seen:?}, back after {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_and_network_cuts_are_mended_within_five_seconds() {
    let (hall, mut page) = watching(camera(None)).await;
    page.until_state(1, "live", SOON).await;
    hall.cameras.camera("cam").unwrap().cut();
    page.until_state(1, "lost", SOON).await;
    page.until_state(1, "live", recovery()).await;

    hall.cameras.camera("cam").unwrap().set_fault(Fault::PoweredOff);
    let (_, took) = recover(&hall, &mut page, Fault::PoweredOff, "lost").await;
    eprintln!("powered off: back after {took:?}");

    hall.cameras.power_off().await;
    let lost = page.until_state(1, "lost", SOON).await;
    assert!(lost["retry_at_ms"].is_i64() || lost["retry_at_ms"].is_null());
    tokio::time::sleep(Duration::from_secs(6)).await;
    hall.cameras.power_on().await.unwrap();
    let back = Instant::now();
    page.until_state(1, "live", recovery()).await;
    eprintln!("site without power for 6 s: back after {:?}", back.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_are_named_and_not_repeated_soon() {
    let mut spec = camera(Some(Fault::RefuseCredentials));
    spec.credentials = Some(Credentials {
        username: "viewer".into(),
        password: "hunter22".into(),
        scheme: sim::camera::AuthScheme::Digest,
    });
    let (hall, mut page) = watching(spec).await;
    let refused = page.until_state(1, "refused", SOON).await;
    assert_eq!(refused["cause"], "credentials", "{refused}");
    let pause = refused["retry_at_ms"].as_i64().unwrap() - refused["since_ms"].as_i64().unwrap();
    assert!((45_000..=75_000).contains(&pause), "{pause} ms");
    assert!(!refused.to_string().contains("hunter22") && !refused.to_string().contains("rtsp"), "{refused}");
    // The account is right after all. Nobody tries it of his own accord: cameras lock accounts.
    hall.cameras.camera("cam").unwrap().clear_faults();
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(hall.cameras.camera("cam").unwrap().counts().described, 0);
    // Whoever opens the camera again gets a new attempt.
    page.open(1, "cam", "sub", 360).await;
    page.until_state(1, "live", SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_without_a_free_session_says_so_and_is_tried_again() {
    let (hall, mut page) = watching(camera(Some(Fault::SessionLimit(0)))).await;
    let (refused, took) = recover(&hall, &mut page, Fault::SessionLimit(0), "refused").await;
    assert_eq!(refused["cause"], "session_limit", "{refused}");
    eprintln!("session limit lifted: back after {took:?}");
}

/// A camera with one slot, cut off: our own old session is in the way until it is torn down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_old_session_does_not_lock_us_out() {
    let (hall, mut page) = watching(camera(Some(Fault::SessionLimit(1)))).await;
    page.until_state(1, "live", SOON).await;
    hall.cameras.camera("cam").unwrap().set_fault(Fault::Stall);
    recover(&hall, &mut page, Fault::Stall, "lost").await;
}

/// A camera with one slot that ignores TEARDOWN: it says so until it gives the old session up by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ignored_teardown_is_named_until_the_camera_forgets_the_session() {
    let spec = camera(Some(Fault::SessionLimit(1))).with_fault(Fault::TeardownIgnored);
    let (hall, mut page) = watching(spec).await;
    page.until_state(1, "live", SOON).await;
    let cam = hall.cameras.camera("cam").unwrap();
    cam.set_fault(Fault::Stall);
    page.until_state(1, "lost", SOON).await;
    cam.clear_fault(Fault::Stall);
    let refused = page.until_state(1, "refused", SOON).await;
    assert_eq!(refused["cause"], "session_limit", "{refused}");
    // It holds the session for fifteen seconds after the connection, which waits for the answer that does not come.
    let asked = Instant::now();
    while cam.counts().sessions > 0 && cam.counts().played == 1 {
        assert!(asked.elapsed() < Duration::from_secs(90), "{:?}", cam.counts());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let free = Instant::now();
    page.until_state(1, "live", recovery()).await;
    eprintln!("old session forgotten after {:?}, back {:?} later", free - asked, free.elapsed());
    page.until_media(1, 2, 5, recovery()).await;
}

/// One session in all: whoever asks for the other stream is shown the one that plays, and not turned away by our own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_with_one_session_shows_it_in_every_size() {
    let (hall, mut page) = watching(camera(Some(Fault::SessionLimit(1)))).await;
    page.until_state(1, "live", SOON).await;
    let mut other = hall.page("webcodecs", true).await;
    other.open(1, "cam", "main", 1080).await;
    let live = other.until_state(1, "live", SOON).await;
    assert_eq!(live["profile"], "sub", "{live}");
    other.until_media(1, 2, 10, SOON).await;
    // As the desk does it: the small tile is closed, a large one is opened, the small one's session still lingers.
    page.say(serde_json::json!({ "close": { "tile": 1 } })).await;
    page.open(2, "cam", "main", 1080).await;
    page.until_state(2, "live", SOON).await;
    page.until_media(2, 2, 10, SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_and_dripping_answers_are_named_and_mended() {
    for (fault, causes) in
        [(Fault::Garbage, &["protocol", "closed"][..]), (Fault::SlowLoris, &["no_answer"][..])]
    {
        let (hall, mut page) = watching(camera(Some(fault))).await;
        let (lost, took) = recover(&hall, &mut page, fault, "lost").await;
        assert!(causes.contains(&lost["cause"].as_str().unwrap()), "{fault}: {lost}");
        eprintln!("{fault}: back after {took:?}");
    }
}

/// The wrong SSRC ends the session each time it changes; each time the picture comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changing_ssrc_costs_a_moment_and_not_the_stream() {
    let (_hall, mut page) = watching(camera(Some(Fault::WrongSsrc))).await;
    page.until_state(1, "live", SOON).await;
    let mut frames = 0;
    page.until("pictures on", SOON, |said| {
        if let Said::Media(media) = said
            && media.kind == 2
        {
            frames += 1;
        }
        (frames >= 120).then_some(())
    })
    .await;
}
