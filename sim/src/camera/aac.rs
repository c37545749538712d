//! Sound beside the picture: a soft chime each second, coded as AAC-LC, looped without a seam in time.

use bytes::Bytes;
use ffmpeg::codec::{Context, Id, encoder};
use ffmpeg::format::Sample;
use ffmpeg::format::sample::Type;
use ffmpeg::util::frame::audio::Audio as Frame;
use ffmpeg::{ChannelLayout, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::encode::EncodeError;

/// Samples in one AAC-LC frame.
pub const FRAME_SAMPLES: usize = 1_024;
const RATE: u32 = 16_000;
/// Index of 16 kHz in the table of ISO/IEC 14496-3.
const RATE_INDEX: u8 = 8;
/// Frames of the chime's loop, about ten seconds.
const FRAMES: usize = 156;

/// A looped track of AAC frames.
#[derive(Debug, Clone)]
pub struct AudioTrack {
    /// Samples a second.
    pub rate: u32,
    pub channels: u8,
    /// AudioSpecificConfig of ISO/IEC 14496-3.
    pub config: Vec<u8>,
    /// Frames of `FRAME_SAMPLES` samples, no ADTS headers.
    pub frames: Vec<Bytes>,
}

impl AudioTrack {
    /// Codes the chime.
    pub fn chime() -> Result<Self, EncodeError> {
        ffmpeg::util::log::set_level(ffmpeg::util::log::Level::Error);
        let codec = encoder::find(Id::AAC).ok_or(EncodeError::NoEncoder("aac"))?;
        let mut audio = Context::new_with_codec(codec).encoder().audio().map_err(EncodeError::Audio)?;
        audio.set_rate(RATE as i32);
        audio.set_format(Sample::F32(Type::Planar));
        audio.set_channel_layout(ChannelLayout::MONO);
        audio.set_time_base(Rational::new(1, RATE as i32));
        audio.set_bit_rate(32_000);
        let mut encoder = audio.open_as(codec).map_err(EncodeError::Audio)?;
        let mut frames = Vec::new();
        let mut packet = Packet::empty();
        for index in 0..FRAMES {
            let mut frame = Frame::new(Sample::F32(Type::Planar), FRAME_SAMPLES, ChannelLayout::MONO);
            frame.set_rate(RATE);
            frame.set_pts(Some((index * FRAME_SAMPLES) as i64));
            for (n, sample) in frame.plane_mut::<f32>(0).iter_mut().enumerate() {
                *sample = chime_at(index * FRAME_SAMPLES + n);
            }
            encoder.send_frame(&frame).map_err(EncodeError::Audio)?;
            while encoder.receive_packet(&mut packet).is_ok() {
                frames.extend(packet.data().map(Bytes::copy_from_slice));
            }
        }
        Ok(Self { rate: RATE, channels: 1, config: config(RATE_INDEX, 1), frames })
    }
}

/// AudioSpecificConfig of AAC-LC: object type 2 in five bits, rate index in four, channels in four.
fn config(rate_index: u8, channels: u8) -> Vec<u8> {
    vec![2 << 3 | rate_index >> 1, rate_index << 7 | channels << 3]
}

/// A 660 Hz tone that dies away within each second.
fn chime_at(sample: usize) -> f32 {
    let second = (sample % RATE as usize) as f32 / RATE as f32;
    0.2 * (-6.0 * second).exp() * (second * 660.0 * std::f32::consts::TAU).sin()
}
