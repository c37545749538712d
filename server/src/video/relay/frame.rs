//! Frames, what a decoder needs to know before them, and the header each one travels under.

use crate::clock::Clock;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// How pictures are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    H264,
    H265,
    Jpeg,
}

impl Codec {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Codec::H264 => "h264",
            Codec::H265 => "h265",
            Codec::Jpeg => "jpeg",
        }
    }
}

/// What a decoder needs before the frames that refer to it. A new one starts with every session with the camera and with
/// every change of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Never used twice in one process.
    pub id: u64,
    pub codec: Codec,
    /// RFC 6381, for example `avc1.4d401f`; empty for JPEG.
    pub codec_string: String,
    pub width: u16,
    pub height: u16,
    /// The decoder configuration record: avcC or hvcC.
    pub record: Bytes,
    /// The parameter sets with start codes, for decoders fed with Annex B.
    pub parameter_sets: Bytes,
}

impl Configuration {
    /// A number for a new configuration.
    pub fn next_id() -> u64 {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

/// One moment by two clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Server wall clock in microseconds since 1970: what pages and people compare. It may be set.
    pub wall_us: i64,
    /// Since the server started, by a clock nobody sets: what lateness and age are measured by.
    pub steady: Duration,
}

impl Stamp {
    /// The present.
    #[must_use]
    pub fn of(clock: &Clock) -> Self {
        Self { wall_us: clock.now_us(), steady: clock.monotonic() }
    }

    /// The moment this long before.
    #[must_use]
    pub fn before(self, ago: Duration) -> Self {
        let ago_us = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
        Self { wall_us: self.wall_us.saturating_sub(ago_us), steady: self.steady.saturating_sub(ago) }
    }
}

/// One access unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Counted without gaps within one ring.
    pub number: u64,
    pub configuration: Arc<Configuration>,
    /// When it is shown, microseconds from the start of its configuration.
    pub pts_us: i64,
    /// When it is decoded; rises with every frame of a configuration.
    pub dts_us: i64,
    /// How long it is shown, as far as the frames before tell.
    pub duration_us: u32,
    /// When it had arrived completely.
    pub arrived: Stamp,
    pub key: bool,
    /// Something was lost or left out before it.
    pub discontinuity: bool,
    /// NAL units with four-byte lengths, or a JPEG file.
    pub payload: Bytes,
}

/// What a binary message to the page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Configuration = 1,
    Frame = 2,
    Still = 3,
    Init = 4,
    Fragment = 5,
}

/// Bytes before the payload of every binary message.
pub const HEADER_BYTES: usize = 24;

pub const FLAG_KEY: u8 = 1;
pub const FLAG_CATCH_UP: u8 = 2;
pub const FLAG_DISCONTINUITY: u8 = 4;

/// The head of a binary message; layout in `docs/video-protocol.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub tile: u16,
    pub seq: u32,
    pub pts_us: i64,
    pub ingest_us: i64,
    pub flags: u8,
}

impl Header {
    /// Starts a message with room for `more` bytes.
    #[must_use]
    pub fn begin(self, more: usize) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER_BYTES + more);
        message.push(self.kind as u8);
        message.extend_from_slice(&self.tile.to_le_bytes());
        message.extend_from_slice(&self.seq.to_le_bytes());
        message.extend_from_slice(&self.pts_us.to_le_bytes());
        message.extend_from_slice(&self.ingest_us.to_le_bytes());
        message.push(self.flags);
        message
    }
}

/// The payload of a configuration message.
#[must_use]
pub fn configuration_payload(configuration: &Configuration) -> Vec<u8> {
    let mut payload = Vec::with_capacity(configuration.record.len() + 64);
    push_short_text(&mut payload, &configuration.codec_string);
    payload.extend_from_slice(&configuration.width.to_le_bytes());
    payload.extend_from_slice(&configuration.height.to_le_bytes());
    payload.extend_from_slice(&configuration.record);
    payload
}

/// Appends a length byte and at most 255 bytes of text.
pub fn push_short_text(out: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_laid_out_as_the_protocol_page_says() {
        let header = Header {
            kind: Kind::Frame,
            tile: 0x0102,
            seq: 7,
            pts_us: -1,
            ingest_us: 0x0102_0304_0506_0708,
            flags: FLAG_KEY | FLAG_DISCONTINUITY,
        };
        let message = header.begin(0);
        assert_eq!(
            message,
            [2, 2, 1, 7, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 8, 7, 6, 5, 4, 3, 2, 1, 5]
        );
        assert_eq!(message.len(), HEADER_BYTES);
    }

    #[test]
    fn a_configuration_names_codec_size_and_record() {
        let configuration = Configuration {
            id: 1,
            codec: Codec::H264,
            codec_string: "avc1.4d401f".into(),
            width: 1280,
            height: 720,
            record: Bytes::from_static(&[1, 2, 3]),
            parameter_sets: Bytes::new(),
        };
        let payload = configuration_payload(&configuration);
        assert_eq!(payload[0], 11);
        assert_eq!(&payload[1..12], b"avc1.4d401f");
        assert_eq!(&payload[12..], [0, 5, 0xd0, 2, 1, 2, 3]);
    }
}
