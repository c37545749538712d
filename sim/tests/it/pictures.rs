//! Sound streams: first frame, parameters, groups of pictures, the clock in the picture, sound, many viewers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use retina::codec::{CodecItem, ParametersRef};
use sim::camera::{CameraSpec, Codec, Fault, Profile, strip};

use crate::client::{Bare, Decoder, Pull, one, pull};

#[tokio::test(flavor = "multi_thread")]
async fn drawn_cameras_of_both_codecs_start_at_a_key_frame_that_decodes() {
    for codec in [Codec::H264, Codec::H265] {
        for spec in [CameraSpec::live("C1", 1), CameraSpec::looped("C1", 1)] {
            let (simulator, handle) = one(spec.with_codec(codec)).await;
            let mut pull = pull(&simulator, &handle).await;
            assert_eq!(pull.described_size, Some((640, 360)));
            let mut decoder = Decoder::new(codec);
            let frames = pull.frames(20).await;
            assert!(frames[0].is_random_access_point());
            let pictures: usize = frames.iter().map(|frame| decoder.decode(frame.data()).len()).sum();
            assert!(pictures >= 17, "{codec:?}: {pictures} of 20 decoded");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_pictures_last_two_seconds_and_five_on_request() {
    let check = async |fault: Option<Fault>, pictures: usize| {
        let mut spec = CameraSpec::looped("C1", 1);
        spec.faults.extend(fault);
        let (simulator, handle) = one(spec).await;
        let frames = pull(&simulator, &handle).await.frames(pictures + 1).await;
        let keys: Vec<usize> =
            frames.iter().enumerate().filter(|(_, f)| f.is_random_access_point()).map(|(n, _)| n).collect();
        assert_eq!(keys, [0, pictures], "{fault:?}");
    };
    tokio::join!(check(None, 30), check(Some(Fault::LongGop), 75));
}

/// Method: decode pictures of a live camera, read the strip from their luma at full and at half size, and hold it
/// against this machine's clock. Reading 20 in a row shows that compression does not touch it.
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_in_the_picture_is_the_capture_time() {
    let (simulator, handle) = one(CameraSpec::live("C1", 2)).await;
    for profile in [Profile::Main, Profile::Sub] {
        let mut pull = Pull::open(&simulator.url(&handle.spec().code, profile), None).await.unwrap();
        let mut decoder = Decoder::new(Codec::H264);
        let mut before = 0;
        for _ in 0..20 {
            let frame = pull.frame().await.unwrap();
            let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
            for picture in decoder.decode(frame.data()) {
                let (width, height) = (picture.width() as usize, picture.height() as usize);
                let (luma, stride) = (picture.data(0), picture.stride(0));
                let shown =
                    strip::read(width, height, |x, y| luma[y * stride + x]).expect("the strip is readable");
                let half = strip::read(width / 2, height / 2, |x, y| {
                    let at = |x: usize, y: usize| u32::from(luma[y * stride + x]);
                    let sum = at(2 * x, 2 * y)
                        + at(2 * x + 1, 2 * y)
                        + at(2 * x, 2 * y + 1)
                        + at(2 * x + 1, 2 * y + 1);
                    (sum / 4) as u8
                });
                assert_eq!(half, Some(shown), "the strip reads at half size");
                assert!(shown > before && shown <= now_ms, "{before} < {shown} <= {now_ms}");
                assert!(now_ms - shown < 5_000, "{} ms old", now_ms - shown);
                before = shown;
            }
        }
        assert!(before > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_stands_beside_the_picture_and_keeps_time() {
    let (simulator, handle) = one(CameraSpec::live("C1", 1).with_fault(Fault::Audio)).await;
    let mut pull = pull(&simulator, &handle).await;
    let (mut sounds, mut pictures) = (Vec::new(), Vec::new());
    while sounds.len() < 40 {
        match pull.item().await.unwrap() {
            CodecItem::AudioFrame(frame) => {
                assert!(!frame.data().is_empty());
                sounds.push(frame.timestamp().elapsed());
            }
            CodecItem::VideoFrame(frame) => pictures.push(frame.timestamp().elapsed()),
            _ => {}
        }
    }
    assert!(sounds.windows(2).all(|pair| pair[1] - pair[0] == 1_024), "{sounds:?}");
    // 40 frames of 64 ms are 2.56 s. The pictures beside them span as much, however many a busy machine leaves out.
    let span = (pictures[pictures.len() - 1] - pictures[0]) as f64 / 90_000.0;
    assert!((1.5..=4.0).contains(&span), "pictures of {span} s beside sounds of 2.56 s");
    assert!((8..=60).contains(&pictures.len()), "{} pictures beside 40 sounds", pictures.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aac_track_says_its_rate_in_the_sdp() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1).with_fault(Fault::Audio)).await;
    let url = simulator.url(&handle.spec().code, Profile::Sub).parse().unwrap();
    let session =
        retina::client::Session::describe(url, retina::client::SessionOptions::default()).await.unwrap();
    let Some(ParametersRef::Audio(audio)) = session.streams()[1].parameters() else {
        panic!("no sound described")
    };
    assert_eq!((audio.clock_rate(), audio.channels().get()), (16_000, 1));
}

/// A viewer that never reads fills its own socket and no other's; once it reads again it goes on at a key frame.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_does_not_read_holds_up_nobody() {
    let mut spec = CameraSpec::looped("C1", 1);
    spec.sub.kbps = Some(8_000);
    let (simulator, handle) = one(spec).await;
    let url = simulator.url(&handle.spec().code, Profile::Sub);
    let mut stuck = Bare::connect(&simulator).await;
    stuck.play(&url).await;
    let mut reading = pull(&simulator, &handle).await;
    let started = std::time::Instant::now();
    reading.frames(120).await;
    let took = started.elapsed();
    // Whoever waited for the stuck one would wait for its write to be given up, after twenty seconds.
    assert!(took < Duration::from_secs(16), "120 pictures took {took:?} instead of 8 s");
    let counted = handle.counts();
    assert_eq!(counted.playing, 2);
    stuck.bytes_within(Duration::from_secs(3)).await.expect("still connected");
    assert!(handle.counts().skips >= 1, "the late viewer was moved on: {:?}", handle.counts());
}
