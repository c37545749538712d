//! The only file that knows FFmpeg: H.265 into H.264, and single pictures into JPEG.
//!
//! What should not be here: who needs it, how many may run, and threads (`rendition.rs`, `photo.rs`).

use crate::video::relay::frame::{Codec, Configuration, Frame, Stamp};
use crate::video::relay::nal;
use bytes::Bytes;
use ffmpeg::codec::{Context, Flags, Id, decoder, encoder};
use ffmpeg::format::Pixel;
use ffmpeg::software::scaling;
use ffmpeg::util::frame::video::Video as Picture;
use ffmpeg::{Dictionary, Packet, Rational};
use ffmpeg_next as ffmpeg;
use std::collections::VecDeque;
use std::sync::Arc;

/// Pictures between key frames of a transcode.
const GOP: u32 = 50;
/// Pictures in flight inside decoder and encoder, at most.
const IN_FLIGHT_MAX: usize = 64;
const MICROSECONDS: i32 = 1_000_000;

/// What could not be done with a picture.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CodecError {
    #[error("this FFmpeg has no {0}")]
    Missing(&'static str),
    #[error("cannot open {what}")]
    Open { what: &'static str, source: ffmpeg::Error },
    #[error("cannot {doing} a picture")]
    Failed { doing: &'static str, source: ffmpeg::Error },
    #[error("no picture came out of the frame")]
    Nothing,
}

fn failed(doing: &'static str) -> impl Fn(ffmpeg::Error) -> CodecError {
    move |source| CodecError::Failed { doing, source }
}

fn open_decoder(codec: Codec) -> Result<decoder::Video, CodecError> {
    ffmpeg::util::log::set_level(ffmpeg::util::log::Level::Fatal);
    let (id, what) = match codec {
        Codec::H264 => (Id::H264, "the H.264 decoder"),
        Codec::H265 => (Id::HEVC, "the H.265 decoder"),
        Codec::Jpeg => (Id::MJPEG, "the JPEG decoder"),
    };
    let codec = decoder::find(id).ok_or(CodecError::Missing(what))?;
    let mut context = Context::new_with_codec(codec);
    context.set_flags(Flags::LOW_DELAY);
    // One thread: frame threads would hold pictures back.
    context.set_threading(ffmpeg::codec::threading::Config::count(1));
    let mut context = context.decoder();
    context.set_packet_time_base(Rational::new(1, MICROSECONDS));
    context
        .open_as(codec)
        .and_then(ffmpeg::codec::decoder::Opened::video)
        .map_err(|source| CodecError::Open { what, source })
}

/// The frame as a decoder without side information takes it.
fn packet(frame: &Frame) -> Packet {
    let mut bytes = Vec::with_capacity(frame.payload.len() + frame.configuration.parameter_sets.len() + 64);
    match frame.configuration.codec {
        Codec::H264 | Codec::H265 => {
            if frame.key {
                bytes.extend_from_slice(&frame.configuration.parameter_sets);
            }
            nal::append_with_start_codes(&frame.payload, &mut bytes);
        }
        Codec::Jpeg => bytes.extend_from_slice(&frame.payload),
    }
    let mut packet = Packet::copy(&bytes);
    packet.set_pts(Some(frame.pts_us));
    packet.set_dts(Some(frame.dts_us));
    packet
}

/// Changes size and pixel format; remakes itself when the input changes.
struct Scaler {
    inner: Option<((Pixel, u32, u32), scaling::Context)>,
    format: Pixel,
    size: (u32, u32),
}

impl Scaler {
    fn new(format: Pixel, size: (u32, u32)) -> Self {
        Self { inner: None, format, size }
    }

    fn run(&mut self, input: &Picture) -> Result<Picture, CodecError> {
        let shape = (input.format(), input.width(), input.height());
        if self.inner.as_ref().is_none_or(|(known, _)| *known != shape) {
            let (format, (width, height)) = (self.format, self.size);
            let flags = scaling::Flags::FAST_BILINEAR;
            let context = scaling::Context::get(shape.0, shape.1, shape.2, format, width, height, flags)
                .map_err(|source| CodecError::Open { what: "the scaler", source })?;
            self.inner = Some((shape, context));
        }
        let Some((_, context)) = &mut self.inner else { return Err(CodecError::Missing("scaler")) };
        let mut output = Picture::empty();
        context.run(input, &mut output).map_err(failed("scale"))?;
        Ok(output)
    }
}

/// The largest even size within the limits that keeps the shape.
fn fit(width: u32, height: u32, width_max: u32, height_max: u32) -> (u32, u32) {
    let even = |n: u32| (n & !1).max(2);
    let (mut w, mut h) = (width.max(1), height.max(1));
    if h > height_max {
        (w, h) = (w * height_max / h, height_max);
    }
    if w > width_max {
        (w, h) = (width_max, h * width_max / w);
    }
    (even(w), even(h))
}

/// One access unit out of a transcode.
#[derive(Debug)]
pub struct Coded {
    pub configuration: Arc<Configuration>,
    pub pts_us: i64,
    pub arrived: Stamp,
    pub key: bool,
    pub payload: Bytes,
}

/// Turns one stream into H.264. Blocking; belongs on a thread of its own.
pub struct Transcoder {
    decoder: decoder::Video,
    scaler: Scaler,
    encoder: encoder::video::Encoder,
    size: (u32, u32),
    arrivals: VecDeque<(i64, Stamp)>,
    last_pts_us: i64,
    configuration: Option<Arc<Configuration>>,
}

impl Transcoder {
    pub fn new(input: &Configuration, height_max: u32) -> Result<Self, CodecError> {
        let size = fit(u32::from(input.width), u32::from(input.height), 4_096, height_max);
        let what = "the H.264 encoder";
        let codec = encoder::find_by_name("libx264").ok_or(CodecError::Missing("libx264"))?;
        let opening = |source| CodecError::Open { what, source };
        let mut video = Context::new_with_codec(codec).encoder().video().map_err(opening)?;
        video.set_width(size.0);
        video.set_height(size.1);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(Rational::new(1, MICROSECONDS));
        video.set_frame_rate(Some(Rational::new(25, 1)));
        video.set_gop(GOP);
        video.set_max_b_frames(0);
        let mut options = Dictionary::new();
        for (name, value) in [
            ("preset", "superfast"),
            ("tune", "zerolatency"),
            ("profile", "main"),
            ("threads", "1"),
            ("crf", "25"),
            ("maxrate", "4M"),
            ("bufsize", "4M"),
            ("sc_threshold", "0"),
        ] {
            options.set(name, value);
        }
        Ok(Self {
            decoder: open_decoder(input.codec)?,
            scaler: Scaler::new(Pixel::YUV420P, size),
            encoder: video.open_with(options).map_err(opening)?,
            size,
            arrivals: VecDeque::new(),
            last_pts_us: i64::MIN,
            configuration: None,
        })
    }

    /// Takes the next frame; gives what became ready, in the order of showing.
    pub fn take(&mut self, frame: &Frame) -> Result<Vec<Coded>, CodecError> {
        if self.arrivals.len() >= IN_FLIGHT_MAX {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back((frame.pts_us, frame.arrived));
        // A broken frame costs its picture, not the stream.
        if let Err(error) = self.decoder.send_packet(&packet(frame)) {
            crate::video::meters::undecodable();
            tracing::debug!(%error, "frame not decoded");
        }
        let mut coded = Vec::new();
        let mut picture = Picture::empty();
        while self.decoder.receive_frame(&mut picture).is_ok() {
            let mut scaled = match self.scaler.run(&picture) {
                Ok(scaled) => scaled,
                Err(error) => {
                    crate::video::meters::undecodable();
                    tracing::debug!(%error, "picture not scaled");
                    continue;
                }
            };
            let pts_us = picture.timestamp().unwrap_or(frame.pts_us);
            // The encoder refuses times that do not rise.
            if pts_us <= self.last_pts_us {
                continue;
            }
            self.last_pts_us = pts_us;
            scaled.set_pts(Some(pts_us));
            self.encoder.send_frame(&scaled).map_err(failed("encode"))?;
            self.drain(&mut coded);
        }
        Ok(coded)
    }

    fn drain(&mut self, coded: &mut Vec<Coded>) {
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            let (Some(data), Some(pts_us)) = (packet.data(), packet.pts()) else { continue };
            let mut payload = Vec::with_capacity(data.len() + 16);
            let mut sets = (None, None);
            for unit in nal::start_codes(data) {
                match unit[0] & 0x1f {
                    7 => sets.0 = Some(unit),
                    8 => sets.1 = Some(unit),
                    1..=5 => {
                        payload.extend_from_slice(&u32::try_from(unit.len()).unwrap_or(0).to_be_bytes());
                        payload.extend_from_slice(unit);
                    }
                    _ => {}
                }
            }
            if let (None, (Some(sps), Some(pps))) = (&self.configuration, sets) {
                self.configuration = avc_configuration(sps, pps, self.size).map(Arc::new);
            }
            let Some(configuration) = self.configuration.clone().filter(|_| !payload.is_empty()) else {
                continue;
            };
            while self.arrivals.front().is_some_and(|(pts, _)| *pts < pts_us) && self.arrivals.len() > 1 {
                self.arrivals.pop_front();
            }
            let arrived = self.arrivals.front().map_or_else(Stamp::default, |(_, arrived)| *arrived);
            coded.push(Coded {
                configuration,
                pts_us,
                arrived,
                key: packet.is_key(),
                payload: payload.into(),
            });
        }
    }
}

/// The configuration of an H.264 stream from its parameter sets (ISO/IEC 14496-15, 5.3.3.1).
fn avc_configuration(sps: &[u8], pps: &[u8], size: (u32, u32)) -> Option<Configuration> {
    let [profile, compatibility, level] = *sps.get(1..4)? else { return None };
    let mut record = vec![1, profile, compatibility, level, 0xff, 0xe1];
    record.extend_from_slice(&u16::try_from(sps.len()).ok()?.to_be_bytes());
    record.extend_from_slice(sps);
    record.push(1);
    record.extend_from_slice(&u16::try_from(pps.len()).ok()?.to_be_bytes());
    record.extend_from_slice(pps);
    let mut parameter_sets = Vec::new();
    for set in [sps, pps] {
        parameter_sets.extend_from_slice(&[0, 0, 0, 1]);
        parameter_sets.extend_from_slice(set);
    }
    Some(Configuration {
        id: Configuration::next_id(),
        codec: Codec::H264,
        codec_string: format!("avc1.{profile:02x}{compatibility:02x}{level:02x}"),
        width: u16::try_from(size.0).ok()?,
        height: u16::try_from(size.1).ok()?,
        record: record.into(),
        parameter_sets: parameter_sets.into(),
    })
}

/// A key frame as a JPEG file of at most `width_max` pixels in width. Blocking.
pub fn jpeg(frame: &Frame, width_max: u32) -> Result<Bytes, CodecError> {
    let mut decoder = open_decoder(frame.configuration.codec)?;
    decoder.send_packet(&packet(frame)).map_err(failed("decode"))?;
    decoder.send_eof().map_err(failed("decode"))?;
    let mut picture = Picture::empty();
    decoder.receive_frame(&mut picture).map_err(|_| CodecError::Nothing)?;
    let size = fit(picture.width(), picture.height(), width_max, 8_192);
    let mut scaled = Scaler::new(Pixel::YUVJ420P, size).run(&picture)?;
    scaled.set_pts(Some(0));

    let what = "the JPEG encoder";
    let codec = encoder::find(Id::MJPEG).ok_or(CodecError::Missing(what))?;
    let opening = |source| CodecError::Open { what, source };
    let mut video = Context::new_with_codec(codec).encoder().video().map_err(opening)?;
    video.set_width(size.0);
    video.set_height(size.1);
    video.set_format(Pixel::YUVJ420P);
    video.set_time_base(Rational::new(1, 25));
    video.set_qmin(3);
    video.set_qmax(6);
    let mut encoder = video.open().map_err(opening)?;
    encoder.send_frame(&scaled).map_err(failed("encode"))?;
    encoder.send_eof().map_err(failed("encode"))?;
    let mut packet = Packet::empty();
    encoder.receive_packet(&mut packet).map_err(failed("encode"))?;
    packet.data().map(Bytes::copy_from_slice).ok_or(CodecError::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_even_and_within_the_limits() {
        assert_eq!(fit(1920, 1080, 640, 8_192), (640, 360));
        assert_eq!(fit(2560, 1440, 4_096, 720), (1280, 720));
        assert_eq!(fit(639, 361, 4_096, 720), (638, 360));
        assert_eq!(fit(0, 0, 640, 720), (2, 2));
    }
}
