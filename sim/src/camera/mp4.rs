//! A video file as a looped camera: H.264 or H.265, with AAC when it has some.
//!
//! FFmpeg reads the samples; the parameter sets stand in the file's sample description, which its safe
//! interface does not show, so that one box is looked up here.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ffmpeg::codec::Id;
use ffmpeg::media::Type;
use ffmpeg_next as ffmpeg;

use super::aac::AudioTrack;
use super::clip::Clip;
use super::nal::{AccessUnit, Codec, Parameters, sort, split_lengths};

/// Larger files are refused: the loop is kept in memory.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Why a file cannot be a camera.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileError {
    #[error("cannot read `{path}`: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("`{path}` has no H.264 or H.265 track")]
    NoVideo { path: PathBuf },
    #[error("`{path}` is no MP4 file with parameter sets in its sample description")]
    NoParameters { path: PathBuf },
    #[error("`{path}` is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge { path: PathBuf },
}

/// Reads the whole file into a loop.
pub fn open(path: &Path) -> Result<Clip, FileError> {
    let read = |reason: String| FileError::Read { path: path.to_owned(), reason };
    let size = fs::metadata(path).map_err(|error| read(error.to_string()))?.len();
    if size > FILE_BYTES_MAX {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    let bytes = fs::read(path).map_err(|error| read(error.to_string()))?;
    let mut input = ffmpeg::format::input(path).map_err(|error| read(error.to_string()))?;
    let video =
        input.streams().best(Type::Video).ok_or_else(|| FileError::NoVideo { path: path.to_owned() })?;
    let known = [(Id::H264, Codec::H264), (Id::HEVC, Codec::H265)];
    let codec = known.into_iter().find(|(id, _)| *id == video.parameters().id());
    let (_, codec) = codec.ok_or_else(|| FileError::NoVideo { path: path.to_owned() })?;
    let description =
        Description::find(&bytes, codec).ok_or_else(|| FileError::NoParameters { path: path.to_owned() })?;
    let (video_index, base) = (video.index(), video.time_base());
    let audio_index = input.streams().best(Type::Audio).filter(|track| track.parameters().id() == Id::AAC);
    let audio_index = audio_index.map(|track| track.index());
    let parameters = Arc::new(description.parameters);
    let to_90k = |ticks: i64| ticks * 90_000 * i64::from(base.numerator()) / i64::from(base.denominator());
    let mut pictures: Vec<(i64, AccessUnit)> = Vec::new();
    let mut frames: Vec<Bytes> = Vec::new();
    let mut end_90k = 0;
    for (stream, packet) in input.packets() {
        let Some(data) = packet.data() else { continue };
        if stream.index() == video_index {
            let sorted = sort(codec, split_lengths(data, description.length_bytes).into_iter());
            let dts = packet.dts().or(packet.pts()).unwrap_or(0);
            let (dts_90k, pts_90k) = (to_90k(dts), to_90k(packet.pts().unwrap_or(dts)));
            end_90k = end_90k.max(dts_90k + to_90k(packet.duration().max(1)));
            let parameters = Arc::clone(&parameters);
            pictures.push((dts_90k, AccessUnit { pts_90k, key: sorted.key, nals: sorted.nals, parameters }));
        } else if Some(stream.index()) == audio_index {
            frames.push(Bytes::copy_from_slice(data));
        }
    }
    let first = pictures.iter().position(|(_, unit)| unit.key);
    let first = first.ok_or_else(|| FileError::NoVideo { path: path.to_owned() })?;
    pictures.drain(..first);
    let zero_90k = pictures.first().map_or(0, |(dts, _)| *dts);
    let after = |dts_90k: i64| Duration::from_micros((dts_90k - zero_90k).max(0) as u64 * 100 / 9);
    let units = pictures.into_iter().map(|(dts_90k, mut unit)| {
        unit.pts_90k -= zero_90k;
        (after(dts_90k), Arc::new(unit))
    });
    let units = units.collect();
    let audio =
        description.audio.filter(|_| !frames.is_empty()).map(|config| Arc::new(track(config, frames)));
    Ok(Clip { parameters, units, duration: after(end_90k), audio })
}

/// Rate and channels as the AudioSpecificConfig says.
fn track(config: Vec<u8>, frames: Vec<Bytes>) -> AudioTrack {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ];
    let at = |index: usize| config.get(index).copied().unwrap_or(0);
    let rate = usize::from((at(0) & 7) << 1 | at(1) >> 7);
    let rate = RATES.get(rate).copied().unwrap_or(48_000);
    AudioTrack { rate, channels: (at(1) >> 3 & 15).max(1), config, frames }
}

/// What the sample description says.
struct Description {
    parameters: Parameters,
    /// Bytes of the length before each NAL unit.
    length_bytes: usize,
    /// AudioSpecificConfig.
    audio: Option<Vec<u8>>,
}

impl Description {
    fn find(file: &[u8], codec: Codec) -> Option<Self> {
        let mut description = Self { parameters: Parameters::empty(codec), length_bytes: 4, audio: None };
        description.walk(file, 0);
        description.parameters.complete().then_some(description)
    }

    /// Goes through the boxes of `bytes` and into those that lead to a sample description.
    fn walk(&mut self, mut bytes: &[u8], depth: u32) {
        // moov/trak/mdia/minf/stbl/stsd/entry/configuration
        if depth > 8 {
            return;
        }
        while let Some((kind, body, rest)) = next_box(bytes) {
            let codec = self.parameters.codec;
            match (kind, codec) {
                (b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl", _) => self.walk(body, depth + 1),
                (b"stsd", _) => self.walk(body.get(8..).unwrap_or_default(), depth + 1),
                (b"avc1" | b"avc3", Codec::H264) | (b"hvc1" | b"hev1", Codec::H265) => {
                    self.walk(body.get(78..).unwrap_or_default(), depth + 1);
                }
                (b"mp4a", _) => self.walk(body.get(28..).unwrap_or_default(), depth + 1),
                (b"avcC", Codec::H264) => drop(self.avc(body)),
                (b"hvcC", Codec::H265) => drop(self.hevc(body)),
                (b"esds", _) => self.audio = self.audio.take().or_else(|| audio_config(body)),
                _ => {}
            }
            bytes = rest;
        }
    }

    /// AVCDecoderConfigurationRecord of ISO/IEC 14496-15.
    fn avc(&mut self, record: &[u8]) -> Option<()> {
        self.length_bytes = usize::from(record.get(4)? & 3) + 1;
        let mut rest = record.get(5..)?;
        for mask in [0x1f, 0xff] {
            let (&count, after) = rest.split_first()?;
            rest = self.sets(after, usize::from(count & mask))?;
        }
        Some(())
    }

    /// HEVCDecoderConfigurationRecord of ISO/IEC 14496-15.
    fn hevc(&mut self, record: &[u8]) -> Option<()> {
        self.length_bytes = usize::from(record.get(21)? & 3) + 1;
        let arrays = *record.get(22)?;
        let mut rest = record.get(23..)?;
        for _ in 0..arrays {
            let count = usize::from(u16::from_be_bytes([*rest.get(1)?, *rest.get(2)?]));
            rest = self.sets(rest.get(3..)?, count)?;
        }
        Some(())
    }

    fn sets<'a>(&mut self, mut rest: &'a [u8], count: usize) -> Option<&'a [u8]> {
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
            let (nal, after) = rest.get(2..)?.split_at_checked(length)?;
            self.parameters.take(nal);
            rest = after;
        }
        Some(rest)
    }
}

/// Kind, body and what follows of the first box.
fn next_box(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (body, length) = match u32::from_be_bytes(*size) {
        0 => (rest, rest.len()),
        1 => {
            let (size, rest) = rest.split_first_chunk::<8>()?;
            (rest, usize::try_from(u64::from_be_bytes(*size)).ok()?.checked_sub(16)?)
        }
        size => (rest, usize::try_from(size).ok()?.checked_sub(8)?),
    };
    let (body, rest) = body.split_at_checked(length)?;
    Some((kind, body, rest))
}

/// The decoder-specific part of an elementary stream descriptor (tags 3, 4, 5 within each other).
fn audio_config(body: &[u8]) -> Option<Vec<u8>> {
    let mut rest = body.get(4..)?;
    loop {
        let (&tag, mut after) = rest.split_first()?;
        let mut length = 0usize;
        loop {
            let (&byte, next) = after.split_first()?;
            after = next;
            length = length << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
        rest = match tag {
            3 => after.get(3..)?,
            4 => after.get(13..)?,
            5 => return after.get(..length).map(<[u8]>::to_vec),
            _ => after.get(length..)?,
        };
    }
}
