//! Fragmented MP4 for pages without WebCodecs: an init segment for a configuration, one fragment for each frame.
//!
//! Boxes as in ISO/IEC 14496-12 and -15, and only those a live video track needs. The movie has no duration, which keeps
//! browsers from buffering ahead.

use crate::video::relay::frame::{Codec, Configuration, Frame, push_short_text};

/// Ticks a second.
const TIMESCALE: i64 = 90_000;
const TRACK: u32 = 1;
/// Sample depends on no other / on others and is not a sync sample (ISO/IEC 14496-12, 8.8.3.1).
const SYNC_SAMPLE: u32 = 0x0200_0000;
const DELTA_SAMPLE: u32 = 0x0101_0000;

/// The payload of an init message: MIME type, then `ftyp` and `moov`. None for pictures MP4 is no use for.
#[must_use]
pub fn init_payload(configuration: &Configuration) -> Option<Vec<u8>> {
    let (entry, record) = match configuration.codec {
        Codec::H264 => (b"avc1", b"avcC"),
        Codec::H265 => (b"hvc1", b"hvcC"),
        Codec::Jpeg => return None,
    };
    let mut out = Vec::with_capacity(1_024);
    push_short_text(&mut out, &format!("video/mp4; codecs=\"{}\"", configuration.codec_string));
    boxed(&mut out, b"ftyp", |out| out.extend_from_slice(b"iso6\0\0\0\x01iso6mp41"));
    boxed(&mut out, b"moov", |out| {
        full(out, b"mvhd", 0, 0, movie_header);
        boxed(out, b"trak", |out| {
            full(out, b"tkhd", 0, 3, |out| track_header(out, configuration));
            boxed(out, b"mdia", |out| {
                full(out, b"mdhd", 0, 0, |out| {
                    u32s(out, &[0, 0, 90_000, 0]);
                    // Language "und".
                    out.extend_from_slice(&[0x55, 0xc4, 0, 0]);
                });
                full(out, b"hdlr", 0, 0, |out| {
                    out.extend_from_slice(b"\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0\0")
                });
                boxed(out, b"minf", |out| {
                    full(out, b"vmhd", 0, 1, |out| u32s(out, &[0, 0]));
                    boxed(out, b"dinf", |out| {
                        full(out, b"dref", 0, 0, |out| {
                            u32s(out, &[1]);
                            full(out, b"url ", 0, 1, |_| {});
                        });
                    });
                    boxed(out, b"stbl", |out| sample_table(out, configuration, entry, record));
                });
            });
        });
        boxed(out, b"mvex", |out| full(out, b"trex", 0, 0, |out| u32s(out, &[TRACK, 1, 0, 0, 0])));
    });
    Some(out)
}

fn movie_header(out: &mut Vec<u8>) {
    u32s(out, &[0, 0, 90_000, 0, 0x0001_0000, 0x0100_0000, 0, 0]);
    unity_matrix(out);
    u32s(out, &[0, 0, 0, 0, 0, 0, TRACK + 1]);
}

fn track_header(out: &mut Vec<u8>, configuration: &Configuration) {
    u32s(out, &[0, 0, TRACK, 0, 0, 0, 0, 0, 0]);
    unity_matrix(out);
    u32s(out, &[u32::from(configuration.width) << 16, u32::from(configuration.height) << 16]);
}

fn sample_table(out: &mut Vec<u8>, configuration: &Configuration, entry: &[u8; 4], record: &[u8; 4]) {
    full(out, b"stsd", 0, 0, |out| {
        u32s(out, &[1]);
        boxed(out, entry, |out| {
            out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
            out.extend_from_slice(&[0; 16]);
            out.extend_from_slice(&configuration.width.to_be_bytes());
            out.extend_from_slice(&configuration.height.to_be_bytes());
            // 72 dpi each way, one frame a sample, no compressor name, 24 bits.
            u32s(out, &[0x0048_0000, 0x0048_0000, 0]);
            out.extend_from_slice(&[0, 1]);
            out.extend_from_slice(&[0; 32]);
            out.extend_from_slice(&[0, 24, 0xff, 0xff]);
            boxed(out, record, |out| out.extend_from_slice(&configuration.record));
        });
    });
    for name in [b"stts", b"stsc", b"stco"] {
        full(out, name, 0, 0, |out| u32s(out, &[0]));
    }
    full(out, b"stsz", 0, 0, |out| u32s(out, &[0, 0]));
}

/// One viewer's decoding times without holes. A source buffer takes a step of more than twice the last duration for a new
/// beginning and throws everything away up to the next key frame (Media Source Extensions, coded frame processing); a
/// camera of ten pictures a second, or one that leaves a picture out, would stand still that long. Where nothing was
/// sent, no media time passes.
#[derive(Debug, Default)]
pub struct Pace {
    last: Option<(i64, i64)>,
    shift_us: i64,
}

impl Pace {
    /// How far the frame has to be put back.
    pub fn shift_us(&mut self, frame: &Frame) -> i64 {
        let mut decode_us = frame.dts_us - self.shift_us;
        if let Some((last_us, duration_us)) = self.last {
            let latest_us = last_us + duration_us + duration_us / 2;
            if decode_us > latest_us {
                self.shift_us += decode_us - latest_us;
                decode_us = latest_us;
            }
        }
        self.last = Some((decode_us, i64::from(frame.duration_us)));
        self.shift_us
    }
}

/// Appends what comes before one frame, `moof` and the head of `mdat`, `shift_us` before its own times; the frame's bytes
/// follow as they are.
pub fn append_fragment_head(frame: &Frame, shift_us: i64, out: &mut Vec<u8>) {
    let start = out.len();
    let decode = ticks((frame.dts_us - shift_us).max(0));
    let offset = i32::try_from(ticks(frame.pts_us - shift_us) - decode).unwrap_or(0);
    let duration = u32::try_from(ticks(i64::from(frame.duration_us))).unwrap_or(3_600).max(1);
    let size = u32::try_from(frame.payload.len()).unwrap_or(u32::MAX);
    let flags = if frame.key { SYNC_SAMPLE } else { DELTA_SAMPLE };
    let mut data_offset_at = 0;
    boxed(out, b"moof", |out| {
        let sequence = u32::try_from(frame.number & 0x7fff_ffff).unwrap_or(0) + 1;
        full(out, b"mfhd", 0, 0, |out| u32s(out, &[sequence]));
        boxed(out, b"traf", |out| {
            // default-base-is-moof
            full(out, b"tfhd", 0, 0x02_0000, |out| u32s(out, &[TRACK]));
            full(out, b"tfdt", 1, 0, |out| out.extend_from_slice(&decode.to_be_bytes()));
            // data offset; duration, size, flags and composition offset of the one sample
            full(out, b"trun", 1, 0x0f01, |out| {
                u32s(out, &[1]);
                data_offset_at = out.len();
                u32s(out, &[0, duration, size, flags]);
                out.extend_from_slice(&offset.to_be_bytes());
            });
        });
    });
    let data_offset = u32::try_from(out.len() - start + 8).unwrap_or(0);
    out[data_offset_at..data_offset_at + 4].copy_from_slice(&data_offset.to_be_bytes());
    u32s(out, &[size.saturating_add(8)]);
    out.extend_from_slice(b"mdat");
}

/// Bytes a fragment has before its frame.
pub const FRAGMENT_OVERHEAD: usize = 128;

fn ticks(us: i64) -> i64 {
    // Wide enough for a session of years.
    i64::try_from(i128::from(us) * i128::from(TIMESCALE) / 1_000_000).unwrap_or(0)
}

fn boxed(out: &mut Vec<u8>, name: &[u8; 4], content: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(name);
    content(out);
    let size = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

fn full(out: &mut Vec<u8>, name: &[u8; 4], version: u8, flags: u32, content: impl FnOnce(&mut Vec<u8>)) {
    boxed(out, name, |out| {
        u32s(out, &[u32::from(version) << 24 | flags]);
        content(out);
    });
}

fn u32s(out: &mut Vec<u8>, numbers: &[u32]) {
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn unity_matrix(out: &mut Vec<u8>) {
    u32s(out, &[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::relay::frame::Stamp;
    use bytes::Bytes;
    use std::sync::Arc;

    fn configuration() -> Configuration {
        Configuration {
            id: 1,
            codec: Codec::H264,
            codec_string: "avc1.4d401f".into(),
            width: 640,
            height: 360,
            record: Bytes::from_static(&[1, 0x4d, 0x40, 0x1f, 0xff]),
            parameter_sets: Bytes::new(),
        }
    }

    /// Reads boxes back independently of how they are written: names with nesting, by size alone.
    fn outline(mut bytes: &[u8]) -> String {
        let mut words = Vec::new();
        while !bytes.is_empty() {
            let size = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            let name = std::str::from_utf8(&bytes[4..8]).unwrap();
            let inner = match name {
                "moov" | "trak" | "mdia" | "minf" | "stbl" | "mvex" | "moof" | "traf" => {
                    format!("({})", outline(&bytes[8..size]))
                }
                _ => String::new(),
            };
            words.push(format!("{name}{inner}"));
            bytes = &bytes[size..];
        }
        words.join(" ")
    }

    #[test]
    fn an_init_segment_nests_the_boxes_of_one_video_track() {
        let payload = init_payload(&configuration()).unwrap();
        let (mime, boxes) = payload[1..].split_at(usize::from(payload[0]));
        assert_eq!(mime, br#"video/mp4; codecs="avc1.4d401f""#);
        assert_eq!(
            outline(boxes),
            "ftyp moov(mvhd trak(tkhd mdia(mdhd hdlr minf(vmhd dinf stbl(stsd stts stsc stco stsz)))) mvex(trex))"
        );
        assert!(init_payload(&Configuration { codec: Codec::Jpeg, ..configuration() }).is_none());
    }

    fn frame(pts_us: i64, dts_us: i64, duration_us: u32) -> Frame {
        Frame {
            number: 41,
            configuration: Arc::new(configuration()),
            pts_us,
            dts_us,
            duration_us,
            arrived: Stamp::default(),
            key: false,
            discontinuity: false,
            payload: Bytes::from_static(b"picture"),
        }
    }

    #[test]
    fn no_step_is_so_long_that_a_source_buffer_starts_anew() {
        // Ten pictures a second whose interval is still being learned, then a second without any.
        let frames = [(0, 40), (100, 55), (200, 66), (1_200, 66), (1_300, 100)];
        let mut pace = Pace::default();
        let steps = frames.map(|(at_ms, duration_ms)| {
            let frame = frame(at_ms * 1_000, at_ms * 1_000, duration_ms * 1_000);
            ((frame.dts_us - pace.shift_us(&frame)) / 1_000, i64::from(duration_ms))
        });
        assert!(steps.windows(2).all(|s| s[1].0 > s[0].0 && s[1].0 - s[0].0 < 2 * s[0].1), "{steps:?}");
        let mut steady = Pace::default();
        assert!((0..50).all(|n| steady.shift_us(&frame(n * 66_667, n * 66_667, 60_000)) == 0));
    }

    #[test]
    fn a_fragment_points_at_its_data_and_keeps_both_times() {
        let frame = frame(2_000_000, 2_080_000, 40_000);
        let mut out = vec![0xee; 24];
        append_fragment_head(&frame, 0, &mut out);
        out.extend_from_slice(&frame.payload);
        let boxes = &out[24..];
        assert_eq!(outline(boxes), "moof(mfhd traf(tfhd tfdt trun)) mdat");
        let u32_at = |at: usize| u32::from_be_bytes(boxes[at..at + 4].try_into().unwrap());
        let find = |name: &[u8]| boxes.windows(4).position(|w| w == name).unwrap();
        let tfdt = find(b"tfdt");
        assert_eq!(u64::from_be_bytes(boxes[tfdt + 8..tfdt + 16].try_into().unwrap()), 187_200);
        let trun = find(b"trun");
        let data_offset = u32_at(trun + 12) as usize;
        assert_eq!(&boxes[data_offset..], b"picture");
        assert_eq!((u32_at(trun + 16), u32_at(trun + 20), u32_at(trun + 24)), (3_600, 7, DELTA_SAMPLE));
        assert_eq!(u32_at(trun + 28).cast_signed(), -7_200, "shown before its decoding slot");
        assert!(boxes.len() <= 7 + FRAGMENT_OVERHEAD);
    }
}
