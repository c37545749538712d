//! A video file as a camera: a short MP4 is written here, then looped.

use std::path::Path;

use ffmpeg::codec::encoder;
use ffmpeg::format::Pixel;
use ffmpeg_next as ffmpeg;
use sim::camera::{CameraSpec, Codec};

use crate::client::{Decoder, one, pull};

/// Writes `pictures` of a moving grey ramp at 10 a second, key frames each five, with FFmpeg's muxer.
/// Closed groups: retina does not take a CRA picture for a start, and a loop starts at any of its key frames.
fn write_mp4(path: &Path, codec: Codec, pictures: i64) {
    let name = match codec {
        Codec::H264 => "libx264",
        Codec::H265 => "libx265",
    };
    let codec = encoder::find_by_name(name).unwrap();
    let mut output = ffmpeg::format::output(path).unwrap();
    let mut video = ffmpeg::codec::Context::new_with_codec(codec).encoder().video().unwrap();
    video.set_width(160);
    video.set_height(90);
    video.set_format(Pixel::YUV420P);
    video.set_time_base((1, 10));
    video.set_frame_rate(Some((10, 1)));
    video.set_gop(5);
    video.set_flags(ffmpeg::codec::Flags::GLOBAL_HEADER);
    let mut options = ffmpeg::Dictionary::new();
    options.set("preset", "ultrafast");
    options.set("x265-params", "log-level=error:keyint=5:min-keyint=5:open-gop=0");
    let mut encoder = video.open_with(options).unwrap();
    let mut stream = output.add_stream(codec).unwrap();
    stream.set_parameters(&encoder);
    output.write_header().unwrap();
    let base = output.stream(0).unwrap().time_base();
    let mut packet = ffmpeg::Packet::empty();
    for index in 0..=pictures {
        if index == pictures {
            encoder.send_eof().unwrap();
        } else {
            let mut frame = ffmpeg::frame::Video::new(Pixel::YUV420P, 160, 90);
            frame.set_pts(Some(index));
            frame
                .data_mut(0)
                .iter_mut()
                .enumerate()
                .for_each(|(n, luma)| *luma = (n as i64 + index * 4) as u8);
            (1..3).for_each(|plane| frame.data_mut(plane).fill(128));
            encoder.send_frame(&frame).unwrap();
        }
        while encoder.receive_packet(&mut packet).is_ok() {
            packet.set_stream(0);
            packet.set_duration(1);
            packet.rescale_ts((1, 10), base);
            packet.write_interleaved(&mut output).unwrap();
        }
    }
    output.write_trailer().unwrap();
}

/// Method: loop a file of 1.5 s for 4 s; timestamps go up by one picture's time across the seams, and all decodes.
#[tokio::test(flavor = "multi_thread")]
async fn a_looped_file_keeps_one_timeline() {
    let folder = tempfile::tempdir().unwrap();
    for codec in [Codec::H264, Codec::H265] {
        let path = folder.path().join(format!("{codec:?}.mp4"));
        write_mp4(&path, codec, 15);
        let (simulator, handle) = one(CameraSpec::file("V1", &path)).await;
        let mut pull = pull(&simulator, &handle).await;
        assert_eq!(pull.described_size, Some((160, 90)));
        let frames = pull.frames(40).await;
        assert!(frames[0].is_random_access_point());
        let mut times: Vec<i64> = frames.iter().map(|frame| frame.timestamp().elapsed()).collect();
        times.sort_unstable();
        times.truncate(35);
        assert!(
            times.windows(2).all(|pair| (8_990..=9_010).contains(&(pair[1] - pair[0]))),
            "{codec:?} {times:?}"
        );
        let mut decoder = Decoder::new(codec);
        let pictures: usize = frames.iter().map(|frame| decoder.decode(frame.data()).len()).sum();
        assert!(pictures >= 30, "{codec:?}: {pictures} of 40 decoded");
    }
}

#[tokio::test]
async fn a_file_that_is_no_video_is_refused_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.mp4");
    for content in ["", "this is no video", "\0\0\0\u{10}ftypisom"] {
        std::fs::write(&path, content).unwrap();
        let addr = "127.0.0.1:0".parse().unwrap();
        let simulator =
            sim::camera::Simulator::start(addr, vec![CameraSpec::file("V1", &path)]).await.unwrap();
        let refused = sim::chain(&simulator.prepare().await.unwrap_err());
        assert!(refused.contains("V1") && refused.contains("no.mp4"), "{refused}");
    }
}
