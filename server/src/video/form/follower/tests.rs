//! A transcode whose codec fails at each way it can: by an error, a panic, and by never answering.

use super::transcoding::{Output, run};
use super::*;
use crate::clock::Clock;
use crate::video::config::Config;
use crate::video::form::rendition;
use crate::video::form::transcode::CodecError;
use crate::video::origin::list;
use crate::video::relay::frame::Frame;
use crate::video::relay::status::Cause;
use crate::video::relay::stream::{Key, Profile};
use sim::camera::{CameraSpec, Codec, Fault, Simulator};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc;

static RUNS: AtomicU32 = AtomicU32::new(0);

/// Fails in another way each time, then works.
fn failing(
    mut queue: mpsc::Receiver<Arc<Frame>>,
    output: &Output,
    height_max: u32,
) -> Result<(), CodecError> {
    match RUNS.fetch_add(1, Ordering::AcqRel) {
        0 => {
            queue.blocking_recv();
            Err(CodecError::Failed { doing: "encode", source: ffmpeg_next::Error::InvalidData })
        }
        1 => panic!("a codec that panics"),
        2 => {
            while queue.blocking_recv().is_some() {}
            Ok(())
        }
        3 => Ok(()),
        _ => run(queue, output, height_max),
    }
}

/// Method: the follower of a real stream gets a thread that fails in four ways in turn; what its viewer is told is
/// written down, and at the end pictures come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcode_that_fails_says_so_and_is_started_anew() {
    let spec = CameraSpec::looped("cam", 1).with_codec(Codec::H265);
    let cameras = Simulator::start("127.0.0.1:0".parse().unwrap(), vec![spec]).await.unwrap();
    cameras.prepare().await.unwrap();
    let (registry, _) = list::from_toml(&sim::camera::registry::to_toml(&cameras).unwrap()).unwrap();
    let config = Config { undecodable_ms: 1_000, ..Config::default() };
    let switchboard = Switchboard::new(config, registry, Clock::machine());
    let camera = Arc::clone(switchboard.registry().get("cam").unwrap());
    let key = Key { code: camera.camera.code.clone(), profile: Profile::Sub, rendition: Rendition::H264 };
    let wake = Arc::<Wake>::default();
    let mut follower = None;
    let mut viewer = switchboard.feeds.watch(key, switchboard.reader(Arc::clone(&wake), 0), |held| {
        follower = Some(Follower::new(&switchboard, &camera, held));
    });
    tokio::spawn(follower.unwrap().transcode(failing));

    let mut reasons = Vec::new();
    let by = tokio::time::Instant::now() + Duration::from_secs(40);
    while viewer.feed().last_key().is_none() {
        if let Some(status) = viewer.status_news()
            && let (Some(cause), Some(reason), Some(_)) = (status.cause, status.reason, status.retry_at_ms)
        {
            assert_eq!((status.state, cause), (State::Lost, Cause::Undecodable));
            reasons.push(reason);
        }
        wake.take();
        tokio::time::timeout_at(by, wake.heard()).await.expect("pictures in the end");
    }
    let expected = ["encode", "panicked", "no picture could be decoded", "ended"];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    assert!(reasons.iter().zip(expected).all(|(said, expected)| said.contains(expected)), "{reasons:?}");
    while viewer.feed().status().state != State::Live {
        assert!(tokio::time::Instant::now() < by, "{:?}", viewer.feed().status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    switchboard.shutdown().await;
}

static HANGS: AtomicU32 = AtomicU32::new(0);

fn never_returns(mut queue: mpsc::Receiver<Arc<Frame>>, _: &Output, _: u32) -> Result<(), CodecError> {
    queue.blocking_recv();
    HANGS.fetch_add(1, Ordering::AcqRel);
    loop {
        std::thread::park();
    }
}

/// Method: a runtime of its own, as the server has one, ends while the codec hangs.
#[test]
fn a_codec_that_never_returns_does_not_keep_the_server_from_stopping() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let spec = CameraSpec::looped("cam", 1).with_codec(Codec::H265);
        let cameras = Simulator::start("127.0.0.1:0".parse().unwrap(), vec![spec]).await.unwrap();
        cameras.prepare().await.unwrap();
        let (registry, _) = list::from_toml(&sim::camera::registry::to_toml(&cameras).unwrap()).unwrap();
        let switchboard = Switchboard::new(Config::default(), registry, Clock::machine());
        let camera = Arc::clone(switchboard.registry().get("cam").unwrap());
        let key = Key { code: camera.camera.code.clone(), profile: Profile::Sub, rendition: Rendition::H264 };
        let reader = switchboard.reader(Arc::default(), 0);
        let _viewer = switchboard.feeds.watch(key, reader, |held| {
            tokio::spawn(Follower::new(&switchboard, &camera, held).transcode(never_returns));
        });
        let by = crate::clock::instant() + Duration::from_secs(30);
        while HANGS.load(Ordering::Acquire) == 0 {
            assert!(crate::clock::instant() < by, "the codec was given nothing");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        switchboard.shutdown().await;
    });
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(runtime);
        let _nobody_listens = ended.send(());
    });
    end.recv_timeout(Duration::from_secs(10)).expect("stopping waits for no codec");
}

/// Method: one place for a codec, and a camera nobody can decode has it first. A sound camera beside it gets the place
/// while the other waits to try again, keeps it, and gives it back when it is no longer watched.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_cannot_be_decoded_leaves_the_place_to_one_that_can() {
    let mut broken = CameraSpec::looped("broken", 1).with_codec(Codec::H265);
    broken.faults.extend([Fault::Undecodable]);
    let mut sound = CameraSpec::looped("sound", 2).with_codec(Codec::H265);
    (broken.gop_seconds, sound.gop_seconds) = (1, 1);
    let cameras = Simulator::start("127.0.0.1:0".parse().unwrap(), vec![broken, sound]).await.unwrap();
    cameras.prepare().await.unwrap();
    let (registry, _) = list::from_toml(&sim::camera::registry::to_toml(&cameras).unwrap()).unwrap();
    let config =
        Config { undecodable_ms: 1_000, transcodes_max: 1, transcode_linger_ms: 100, ..Config::default() };
    let switchboard = Switchboard::new(config, registry, Clock::machine());
    let watch = |code: &str| {
        let (registry, wake) = (switchboard.registry(), Arc::<Wake>::default());
        rendition::watch(&switchboard, registry.get(code).unwrap(), Profile::Sub, Rendition::H264, wake, 0)
    };
    let by = crate::clock::instant() + Duration::from_secs(60);
    let until = async |what: &str, is: &dyn Fn() -> bool| {
        while !is() {
            assert!(crate::clock::instant() < by, "{what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (form, broken) = watch("broken");
    assert_eq!(form, Rendition::H264);
    until("the camera fails", &|| broken.feed().status().retry_at_ms.is_some()).await;
    until("its place is free", &|| rendition::transcode_is_free(&switchboard)).await;
    let (form, sound) = watch("sound");
    assert_eq!(form, Rendition::H264, "the place is free while the other waits");
    until("the sound one plays", &|| sound.feed().last_key().is_some()).await;
    // Longer than the longest pause: the other one comes by and finds no place.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(sound.feed().status().state, State::Live);
    assert_eq!(broken.feed().status().cause, Some(Cause::Undecodable));
    drop(sound);
    cameras.camera("broken").unwrap().clear_fault(Fault::Undecodable);
    until("the mended one plays", &|| broken.feed().last_key().is_some()).await;
    switchboard.shutdown().await;
}
