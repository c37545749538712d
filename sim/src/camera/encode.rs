//! Pictures into H.264 or H.265 through FFmpeg (libx264, libx265).
//!
//! What should not be here: what is drawn (`scene`), and who gets the result (`clip`, `live`).

use std::sync::Arc;

use ffmpeg::codec::{Context, encoder};
use ffmpeg::format::Pixel;
use ffmpeg::util::frame::video::Video as Frame;
use ffmpeg::util::picture;
use ffmpeg::{Dictionary, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::canvas::Canvas;
use super::nal::{AccessUnit, Codec, Parameters, sort, split_annex_b};

/// How a picture is coded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Coding {
    pub codec: Codec,
    /// Pixels; even numbers.
    pub width: u32,
    pub height: u32,
    /// Pictures a second.
    pub fps: u32,
    /// Pictures from one key frame to the next.
    pub gop: u32,
    pub b_frames: u32,
    /// Key frames after the first are CRA pictures (H.265 only).
    pub open_gop: bool,
    /// Kilobits a second to aim at; without it, constant quality, which is far less for a calm scene.
    pub kbps: Option<u32>,
}

/// Why a picture could not be coded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EncodeError {
    #[error("this FFmpeg has no encoder `{0}`")]
    NoEncoder(&'static str),
    #[error("cannot open `{encoder}` for {width}x{height}")]
    Open { encoder: &'static str, width: u32, height: u32, source: ffmpeg::Error },
    #[error("cannot encode a picture")]
    Encode(#[source] ffmpeg::Error),
    #[error("cannot encode sound")]
    Audio(#[source] ffmpeg::Error),
    #[error("the encoder gave no parameter sets")]
    NoParameters,
    #[error("the work was cut off")]
    Cancelled,
}

/// An open encoder. Pictures go in one by one; with B-frames they come out later and in decode order.
pub struct Encoder {
    inner: encoder::video::Encoder,
    frame: Frame,
    coding: Coding,
    parameters: Option<Arc<Parameters>>,
}

impl Encoder {
    pub fn open(coding: &Coding) -> Result<Self, EncodeError> {
        ffmpeg::util::log::set_level(ffmpeg::util::log::Level::Error);
        let name = match coding.codec {
            Codec::H264 => "libx264",
            Codec::H265 => "libx265",
        };
        let codec = encoder::find_by_name(name).ok_or(EncodeError::NoEncoder(name))?;
        let failed =
            |source| EncodeError::Open { encoder: name, width: coding.width, height: coding.height, source };
        let mut video = Context::new_with_codec(codec).encoder().video().map_err(failed)?;
        video.set_width(coding.width);
        video.set_height(coding.height);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(Rational::new(1, coding.fps as i32));
        video.set_frame_rate(Some(Rational::new(coding.fps as i32, 1)));
        video.set_gop(coding.gop);
        video.set_max_b_frames(coding.b_frames as usize);
        if let Some(kbps) = coding.kbps {
            video.set_bit_rate(kbps as usize * 1_000);
        }
        let inner = video.open_with(options(coding)).map_err(failed)?;
        let frame = Frame::new(Pixel::YUV420P, coding.width, coding.height);
        Ok(Self { inner, frame, coding: coding.clone(), parameters: None })
    }

    /// Codes one picture, number `index` of the stream; gives what became ready.
    pub fn encode(&mut self, canvas: &Canvas, index: i64, key: bool) -> Result<Vec<AccessUnit>, EncodeError> {
        canvas.copy_to(&mut self.frame);
        self.frame.set_pts(Some(index));
        self.frame.set_kind(if key { picture::Type::I } else { picture::Type::None });
        self.inner.send_frame(&self.frame).map_err(EncodeError::Encode)?;
        self.drain()
    }

    /// No more pictures: gives those still inside.
    pub fn finish(&mut self) -> Result<Vec<AccessUnit>, EncodeError> {
        self.inner.send_eof().map_err(EncodeError::Encode)?;
        self.drain()
    }

    fn drain(&mut self) -> Result<Vec<AccessUnit>, EncodeError> {
        let mut units = Vec::new();
        let mut packet = Packet::empty();
        while self.inner.receive_packet(&mut packet).is_ok() {
            let Some(data) = packet.data() else { continue };
            let sorted = sort(self.coding.codec, split_annex_b(data).into_iter());
            if sorted.parameters.complete() {
                self.parameters = Some(Arc::new(sorted.parameters));
            }
            let parameters = self.parameters.clone().ok_or(EncodeError::NoParameters)?;
            let pts_90k = packet.pts().unwrap_or(0) * 90_000 / i64::from(self.coding.fps);
            units.push(AccessUnit { pts_90k, key: sorted.key, nals: sorted.nals, parameters });
        }
        Ok(units)
    }
}

/// Encoder options: no delay unless B-frames are wanted, one thread, key frames only where asked.
fn options(coding: &Coding) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    let zero_latency = coding.b_frames == 0;
    let rate = coding.kbps.map(|kbps| (kbps, kbps / 2));
    options.set("forced-idr", "1");
    match coding.codec {
        Codec::H264 => {
            options.set("preset", "superfast");
            options.set("profile", "main");
            options.set("threads", "1");
            options.set("sc_threshold", "0");
            options.set("keyint_min", &coding.gop.to_string());
            if zero_latency {
                options.set("tune", "zerolatency");
            }
            match rate {
                Some((kbps, buffer)) => {
                    options.set("maxrate", &format!("{kbps}k"));
                    options.set("bufsize", &format!("{buffer}k"));
                }
                None => options.set("crf", "25"),
            }
        }
        Codec::H265 => {
            options.set("preset", "ultrafast");
            if zero_latency {
                options.set("tune", "zerolatency");
            }
            let open_gop = u8::from(coding.open_gop);
            let mut parameters = format!(
                "log-level=error:pools=none:frame-threads=1:keyint={gop}:min-keyint={gop}:scenecut=0:\
                 open-gop={open_gop}:repeat-headers=1:bframes={b}",
                gop = coding.gop,
                b = coding.b_frames
            );
            match rate {
                Some((kbps, buffer)) => parameters += &format!(":vbv-maxrate={kbps}:vbv-bufsize={buffer}"),
                None => parameters += ":crf=26",
            }
            options.set("x265-params", &parameters);
        }
    }
    options
}
