//! Pages that cannot play what the camera sends: MP4 fragments, shared transcodes, slideshows, snapshots.

use super::harness::{Hall, get};
use server::video::Config;
use sim::camera::{CameraSpec, Codec};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(40);

fn h265(code: &str) -> CameraSpec {
    let mut spec = CameraSpec::looped(code, 3).with_codec(Codec::H265);
    spec.gop_seconds = 1;
    spec
}

/// Method: what a page appends is written to a file and read by FFmpeg's own prober, which shares no code with us.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mp4_fragments_are_read_by_an_independent_reader() {
    for codec in [Codec::H264, Codec::H265] {
        let spec = CameraSpec::looped("cam", 3).with_codec(codec);
        let hall = Hall::start(vec![spec]).await;
        let mut page = hall.page("mse", true).await;
        page.open(1, "cam", "sub", 360).await;
        let init = page.until_media(1, 4, 1, SOON).await.remove(0);
        let mime_length = usize::from(init.payload[0]);
        let mime = String::from_utf8(init.payload[1..=mime_length].to_vec()).unwrap();
        assert!(mime.starts_with("video/mp4; codecs=\""), "{mime}");
        let mut file = init.payload[mime_length + 1..].to_vec();
        for fragment in page.until_media(1, 5, 40, SOON).await {
            file.extend_from_slice(&fragment.payload);
        }
        let probe = probe(&file);
        let name = if codec == Codec::H264 { "h264" } else { "hevc" };
        assert_eq!(probe.lines().next(), Some(format!("{name},640,360,40").as_str()), "{probe}");
    }
}

fn probe(file: &[u8]) -> String {
    let mut child = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-show_entries"])
        .args(["stream=codec_name,width,height,nb_read_packets", "-of", "csv=p=0", "-i", "pipe:0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ffprobe is installed with FFmpeg");
    child.stdin.take().unwrap().write_all(file).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h265_reaches_pages_without_it_as_one_shared_h264_stream() {
    let hall =
        Hall::start_with(Config { transcodes_max: 1, ..Config::default() }, vec![h265("a"), h265("b")]).await;
    let mut first = hall.page("webcodecs", false).await;
    let mut second = hall.page("webcodecs", false).await;
    first.open(1, "a", "sub", 360).await;
    let (codec, width, height) = first.until_media(1, 1, 1, SOON).await[0].configuration();
    assert!(codec.starts_with("avc1."), "{codec}");
    assert_eq!((width, height), (640, 360));
    let frames = first.until_media(1, 2, 30, SOON).await;
    assert!(frames[0].key() && frames.windows(2).all(|pair| pair[0].pts_us < pair[1].pts_us));

    // The same camera shares the one transcode; another camera finds the budget used and shows key frames.
    second.open(1, "a", "sub", 360).await;
    second.until_media(1, 2, 10, SOON).await;
    second.open(2, "b", "sub", 360).await;
    let state = second.until_state(2, "key_frames", SOON).await;
    assert_eq!(state["cause"], "transcode_budget", "{state}");
    second.until_media(2, 3, 2, SOON).await;
    // One session for all of them. On a loaded machine the camera may have been late once and dialled again.
    let asked = Instant::now();
    while hall.cameras.camera("a").unwrap().counts().sessions != 1 {
        assert!(asked.elapsed() < SOON, "{:?}", hall.cameras.camera("a").unwrap().counts());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_plays_nothing_gets_pictures() {
    let mut spec = CameraSpec::looped("cam", 3);
    spec.gop_seconds = 1;
    let hall = Hall::start(vec![spec]).await;
    let mut page = hall.page("still", false).await;
    page.open(1, "cam", "auto", 360).await;
    page.until_state(1, "key_frames", SOON).await;
    let stills = page.until_media(1, 3, 3, SOON).await;
    assert!(stills.windows(2).all(|pair| pair[0].ingest_us < pair[1].ingest_us));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_come_from_any_camera_and_from_a_dead_one_the_reason() {
    let mut dead = CameraSpec::looped("dead", 3);
    dead.faults.push(sim::camera::Fault::PoweredOff);
    let hall = Hall::start(vec![CameraSpec::looped("h264", 3), h265("h265"), dead]).await;
    for code in ["h264", "h265"] {
        let (status, kind, body) = get(hall.addr, &format!("/api/v1/cameras/{code}/snapshot.jpg")).await;
        assert_eq!((status, kind.as_str()), (200, "image/jpeg"), "{}", String::from_utf8_lossy(&body));
        assert!(body.starts_with(&[0xff, 0xd8]) && body.ends_with(&[0xff, 0xd9]));
        let (_, _, again) = get(hall.addr, &format!("/api/v1/cameras/{code}/snapshot.jpg")).await;
        assert_eq!(body, again, "served again while it is fresh");
    }
    let (status, kind, body) = get(hall.addr, "/api/v1/cameras/dead/snapshot.jpg").await;
    assert_eq!(
        (status, kind.as_str()),
        (503, "application/problem+json"),
        "{}",
        String::from_utf8_lossy(&body)
    );
}
