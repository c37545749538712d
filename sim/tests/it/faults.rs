//! Each fault, seen from the outside, and that the camera is sound again when it is lifted.

use std::time::{Duration, Instant};

use sim::camera::{AuthScheme, CameraSpec, Codec, Credentials, Fault, Profile};
use tokio::net::TcpStream;

use crate::client::{Bare, Decoder, Pull, nal_types, one, pull};

#[tokio::test(flavor = "multi_thread")]
async fn late_key_frame_sends_a_whole_group_of_deltas_first() {
    let first_key = async |spec: CameraSpec| {
        let (simulator, handle) = one(spec.with_fault(Fault::LateKeyFrame)).await;
        let frames = pull(&simulator, &handle).await.frames(40).await;
        frames.iter().position(|frame| frame.is_random_access_point()).unwrap()
    };
    let keys = tokio::join!(first_key(CameraSpec::looped("C1", 1)), first_key(CameraSpec::live("C1", 1)));
    assert!((20..=30).contains(&keys.0) && (15..=30).contains(&keys.1), "key after {keys:?} pictures");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_sets_leaves_the_sdp_bare_and_sends_them_in_band() {
    for codec in [Codec::H264, Codec::H265] {
        let spec = CameraSpec::looped("C1", 1).with_codec(codec).with_fault(Fault::NoParameterSets);
        let (simulator, handle) = one(spec).await;
        let mut pull = pull(&simulator, &handle).await;
        assert_eq!(pull.described_size, None);
        assert!(pull.frame().await.unwrap().is_random_access_point());
        assert_eq!(pull.size(), Some((640, 360)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameter_change_changes_the_size_mid_stream() {
    let check = async |spec: CameraSpec| {
        let (simulator, handle) = one(spec.with_fault(Fault::ParameterChange)).await;
        let mut pull = pull(&simulator, &handle).await;
        let mut decoder = Decoder::new(Codec::H264);
        let mut sizes = Vec::new();
        let started = Instant::now();
        while sizes.len() < 3 && started.elapsed() < Duration::from_secs(18) {
            let frame = pull.frame().await.unwrap();
            for picture in decoder.decode(frame.data()) {
                let size = (picture.width(), picture.height());
                if sizes.last() != Some(&size) {
                    sizes.push(size);
                }
            }
        }
        assert_eq!(sizes.len(), 3, "{sizes:?}");
        assert!(sizes.contains(&(640, 360)) && sizes.contains(&(480, 270)), "{sizes:?}");
    };
    tokio::join!(check(CameraSpec::looped("C1", 1)), check(CameraSpec::live("C1", 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn stall_stops_media_but_answers_and_resumes_at_a_key_frame() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1)).await;
    let url = simulator.url("C1", Profile::Sub);
    let mut bare = Bare::connect(&simulator).await;
    let session = bare.play(&url).await;
    let mut pull = pull(&simulator, &handle).await;
    pull.frames(5).await;
    assert!(bare.bytes_within(Duration::from_secs(1)).await.unwrap() > 0);
    handle.set_fault(Fault::Stall);
    bare.bytes_within(Duration::from_millis(300)).await;
    let units = handle.counts().units;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(handle.counts().units, units, "nothing is sent");
    let answer = bare.ask("GET_PARAMETER", &url, &format!("Session: {session}\r\n")).await;
    assert!(answer.starts_with("RTSP/1.0 200"), "{answer}");
    handle.clear_fault(Fault::Stall);
    let mut last = pull.frame().await.unwrap();
    // What was on its way before the stall may still come; after the gap stands a key frame.
    loop {
        let next = pull.frame().await.unwrap();
        if next.timestamp().elapsed() - last.timestamp().elapsed() > 90_000 {
            assert!(next.is_random_access_point());
            break;
        }
        last = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_says_nothing_and_does_not_close() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1)).await;
    let url = simulator.url("C1", Profile::Sub);
    let mut playing = Bare::connect(&simulator).await;
    playing.play(&url).await;
    handle.set_fault(Fault::HalfOpen);
    playing.bytes_within(Duration::from_millis(300)).await.expect("no FIN");
    playing.send("OPTIONS", &url, "").await;
    assert_eq!(playing.bytes_within(Duration::from_secs(2)).await, Some(0), "silent and open");
    let mut new = Bare::connect(&simulator).await;
    new.send("OPTIONS", &url, "").await;
    assert_eq!(new.bytes_within(Duration::from_secs(1)).await, Some(0), "silent and open");
    handle.clear_fault(Fault::HalfOpen);
    assert_eq!(playing.bytes_within(Duration::from_secs(2)).await, None, "closed when lifted");
    assert!(pull(&simulator, &handle).await.frame().await.unwrap().is_random_access_point());
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_asked_for_and_refused_on_request() {
    for scheme in [AuthScheme::Basic, AuthScheme::Digest, AuthScheme::Both] {
        let mut spec = CameraSpec::looped("C1", 1);
        spec.credentials =
            Some(Credentials { username: "admin".to_owned(), password: "a:b c".to_owned(), scheme });
        let (simulator, handle) = one(spec).await;
        let url = simulator.url("C1", Profile::Sub);
        let mut pull = Pull::open(&url, Some(("admin", "a:b c"))).await.unwrap();
        assert!(pull.frame().await.unwrap().is_random_access_point());
        for wrong in [None, Some(("admin", "other")), Some(("other", "a:b c"))] {
            let refused = Pull::open(&url, wrong).await.err().expect("wrong credentials are refused");
            assert!(refused.to_string().contains("401"), "{refused}");
        }
        handle.set_fault(Fault::RefuseCredentials);
        let refused = Pull::open(&url, Some(("admin", "a:b c"))).await.err().expect("all are refused");
        assert!(refused.to_string().contains("401"), "{refused}");
        handle.clear_fault(Fault::RefuseCredentials);
        assert!(Pull::open(&url, Some(("admin", "a:b c"))).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_limit_refuses_the_next_session_and_an_ignored_teardown_keeps_the_slot() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1).with_fault(Fault::SessionLimit(1))).await;
    let url = simulator.url("C1", Profile::Sub);
    let mut first = Bare::connect(&simulator).await;
    let session = first.play(&url).await;
    let refused = Pull::open(&url, None).await.err().expect("one is the limit");
    assert!(refused.to_string().contains("453"), "{refused}");
    let answer = first.ask("TEARDOWN", &url, &format!("Session: {session}\r\n")).await;
    assert!(answer.starts_with("RTSP/1.0 200"), "{answer}");
    wait_until(|| handle.counts().sessions == 0).await;

    handle.set_fault(Fault::TeardownIgnored);
    let mut second = Bare::connect(&simulator).await;
    let session = second.play(&url).await;
    second.send("TEARDOWN", &url, &format!("Session: {session}\r\n")).await;
    assert!(second.bytes_within(Duration::from_secs(1)).await.unwrap() > 1_000, "it plays on");
    drop(second);
    wait_until(|| handle.counts().playing == 0).await;
    assert_eq!(handle.counts().sessions, 1, "the slot is still taken");
    assert!(Pull::open(&url, None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn timestamp_jump_leaps_ahead_and_back() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1).with_fault(Fault::TimestampJump)).await;
    let frames = pull(&simulator, &handle).await.frames(135).await;
    let steps = frames.windows(2).map(|pair| pair[1].timestamp().elapsed() - pair[0].timestamp().elapsed());
    let leaps: Vec<i64> =
        steps.filter(|step| !(0..90_000).contains(step)).map(|step| step / 90_000).collect();
    assert_eq!(leaps.len(), 2, "{leaps:?}");
    assert!((59..=61).contains(&leaps[0]) && (-61..=-59).contains(&leaps[1]), "{leaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b_frames_come_in_decode_order() {
    for codec in [Codec::H264, Codec::H265] {
        let spec = CameraSpec::looped("C1", 1).with_codec(codec).with_fault(Fault::BFrames);
        let (simulator, handle) = one(spec).await;
        let frames = pull(&simulator, &handle).await.frames(31).await;
        let times: Vec<i64> = frames.iter().map(|frame| frame.timestamp().elapsed()).collect();
        assert!(times.windows(2).any(|pair| pair[1] < pair[0]), "{codec:?} {times:?}");
        let mut decoder = Decoder::new(codec);
        let pictures: usize = frames.iter().map(|frame| decoder.decode(frame.data()).len()).sum();
        assert!(pictures >= 24, "{codec:?}: {pictures} of 31 decoded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_no_answer_and_the_camera_recovers() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1).with_fault(Fault::Garbage)).await;
    assert!(Pull::open(&simulator.url("C1", Profile::Sub), None).await.is_err());
    handle.clear_faults();
    assert!(pull(&simulator, &handle).await.frame().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_ssrc_changes_mid_stream() {
    let (simulator, handle) = one(CameraSpec::looped("C1", 1).with_fault(Fault::WrongSsrc)).await;
    let mut pull = pull(&simulator, &handle).await;
    let mut count = 0;
    let refused = loop {
        match pull.frame().await {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
        assert!(count < 200, "retina takes no change of SSRC");
    };
    assert!(count >= 50, "{count} pictures before the change");
    assert!(refused.to_string().to_lowercase().contains("ssrc"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_loris_drips() {
    let (simulator, _handle) = one(CameraSpec::looped("C1", 1).with_fault(Fault::SlowLoris)).await;
    let mut bare = Bare::connect(&simulator).await;
    bare.send("OPTIONS", &simulator.url("C1", Profile::Sub), "").await;
    let count = bare.bytes_within(Duration::from_secs(2)).await.unwrap();
    assert!((5..=25).contains(&count), "{count} bytes in two seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn sei_only_units_stand_before_key_frames() {
    for codec in [Codec::H264, Codec::H265] {
        let spec = CameraSpec::looped("C1", 1).with_codec(codec).with_fault(Fault::SeiOnly);
        let (simulator, handle) = one(spec).await;
        let frames = pull(&simulator, &handle).await.frames(3).await;
        let slices = |types: &[u8]| match codec {
            Codec::H264 => types.iter().any(|kind| (1..=5).contains(kind)),
            Codec::H265 => types.iter().any(|kind| *kind < 32),
        };
        let first = nal_types(codec, frames[0].data());
        assert!(!slices(&first) && !first.is_empty(), "{codec:?} {first:?}");
        assert!(slices(&nal_types(codec, frames[1].data())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cra_only_has_no_idr_and_still_decodes() {
    let (simulator, handle) = one(CameraSpec::live("C1", 1).with_fault(Fault::CraOnly)).await;
    let mut pull = pull(&simulator, &handle).await;
    let mut decoder = Decoder::new(Codec::H265);
    let (mut cras, mut pictures) = (0, 0);
    // retina takes no CRA for a start and strips the sets, so they are put back as the server must.
    let sets = sets_in_band(&simulator).await;
    for frame in pull.frames(62).await {
        let types = nal_types(Codec::H265, frame.data());
        assert!(!types.contains(&19) && !types.contains(&20), "{types:?}");
        cras += types.iter().filter(|kind| **kind == 21).count();
        let picture =
            if types.contains(&21) { [&sets[..], frame.data()].concat() } else { frame.data().to_vec() };
        pictures += decoder.decode(&picture).len();
    }
    assert!(cras >= 2, "{cras} CRA pictures");
    assert!(pictures >= 55, "{pictures} of 62 decoded");
}

/// Parameter sets of the camera in Annex B, from its SDP.
async fn sets_in_band(simulator: &sim::camera::Simulator) -> Vec<u8> {
    use base64::Engine;
    let url = simulator.url("C1", Profile::Sub).parse().unwrap();
    let session =
        retina::client::Session::describe(url, retina::client::SessionOptions::default()).await.unwrap();
    let sdp = String::from_utf8(session.sdp().to_vec()).unwrap();
    let format = sdp.lines().find_map(|line| line.strip_prefix("a=fmtp:96 ")).expect(&sdp);
    let sets = format.split(';').filter_map(|field| field.split_once('=')).flat_map(|(_, set)| {
        let nal = base64::engine::general_purpose::STANDARD.decode(set).unwrap();
        [&[0, 0, 0, 1][..], &nal].concat()
    });
    sets.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn power_goes_and_comes_back_for_one_camera_and_for_the_site() {
    let (simulator, handle) = one(CameraSpec::live("C1", 1)).await;
    let url = simulator.url("C1", Profile::Sub);
    let mut playing = Bare::connect(&simulator).await;
    playing.play(&url).await;
    handle.set_fault(Fault::PoweredOff);
    assert_eq!(playing.bytes_within(Duration::from_secs(2)).await, None, "cut");
    assert!(Pull::open(&url, None).await.is_err());
    handle.clear_fault(Fault::PoweredOff);
    assert!(pull(&simulator, &handle).await.frame().await.unwrap().is_random_access_point());

    let mut playing = Bare::connect(&simulator).await;
    playing.play(&url).await;
    simulator.power_off().await;
    assert_eq!(playing.bytes_within(Duration::from_secs(2)).await, None, "cut");
    assert!(TcpStream::connect(("127.0.0.1", simulator.port())).await.is_err(), "refused");
    simulator.power_on().await.unwrap();
    assert!(pull(&simulator, &handle).await.frame().await.unwrap().is_random_access_point());
}

async fn wait_until(state: impl Fn() -> bool) {
    let started = Instant::now();
    while !state() {
        assert!(started.elapsed() < Duration::from_secs(5), "the state is not reached");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
