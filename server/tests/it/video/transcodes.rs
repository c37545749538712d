//! Transcodes and slideshows of cameras whose pictures are damaged, change, or cannot be decoded: named, and back again.

use super::harness::{Hall, Page, Said};
use server::video::Config;
use sim::camera::{CameraSpec, Codec, Fault};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

fn camera(fault: Option<Fault>) -> CameraSpec {
    let mut spec = CameraSpec::looped("cam", 3).with_codec(Codec::H265);
    spec.gop_seconds = 1;
    spec.faults.extend(fault);
    spec
}

async fn watching(mode: &str, fault: Option<Fault>) -> (Hall, Page) {
    let config = Config { undecodable_ms: 1_500, ..Config::default() };
    let hall = Hall::start_with(config, vec![camera(fault)]).await;
    let mut page = hall.page(mode, false).await;
    page.open(1, "cam", "sub", 360).await;
    (hall, page)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_pictures_do_not_end_a_transcode() {
    let (_hall, mut page) = watching("webcodecs", Some(Fault::Damaged)).await;
    page.until_state(1, "live", SOON).await;
    let mut pictures = 0;
    // Six groups of pictures, of which every third picture has wrong bytes.
    page.until("pictures all along", SOON, |said| {
        match said {
            Said::Media(media) if media.kind == 2 => pictures += 1,
            Said::Text(value) if value["state"]["tile"] == 1 => {
                assert!(
                    !["lost", "unsupported"].contains(&value["state"]["state"].as_str().unwrap()),
                    "{value}"
                );
            }
            Said::Media(_) | Said::Text(_) => {}
        }
        (pictures >= 60).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcode_follows_changes_of_size() {
    let (_hall, mut page) = watching("webcodecs", Some(Fault::ParameterChange)).await;
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let (codec, width, height) = page.until_media(1, 1, 1, SOON).await[0].configuration();
        assert!(codec.starts_with("avc1."), "{codec}");
        sizes.push((width, height));
        page.until_media(1, 2, 20, SOON).await;
    }
    assert_eq!(sizes[0], sizes[2]);
    assert_ne!(sizes[0], sizes[1], "{sizes:?}");
}

/// From the first picture on nothing can be decoded; then it can again. Nobody opens the tile anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_decoded_is_named_and_comes_back_by_itself() {
    for (mode, kind, showing) in [("webcodecs", 2, "live"), ("still", 3, "key_frames")] {
        let (hall, mut page) = watching(mode, None).await;
        let cam = hall.cameras.camera("cam").unwrap();
        page.until_state(1, showing, SOON).await;
        page.until_media(1, kind, 2, SOON).await;
        cam.set_fault(Fault::Undecodable);
        let lost = page.until_state(1, "lost", SOON).await;
        assert_eq!(lost["cause"], "undecodable", "{mode}: {lost}");
        if mode == "webcodecs" {
            assert!(lost["retry_at_ms"].is_i64(), "{lost}");
            // It is tried again, to no avail, and says so.
            page.until("a second failure", SOON, |said| match said {
                Said::Text(value) => {
                    (value["state"]["retry_at_ms"].as_i64() > lost["retry_at_ms"].as_i64()).then_some(())
                }
                Said::Media(media) => {
                    panic!("a picture of what cannot be decoded: {} {}", media.kind, media.seq)
                }
            })
            .await;
        }
        cam.clear_fault(Fault::Undecodable);
        let mended = Instant::now();
        page.until_state(1, showing, Duration::from_secs(10)).await;
        page.until_media(1, kind, 2, SOON).await;
        eprintln!("{mode}: back after {:?}", mended.elapsed());
    }
}
