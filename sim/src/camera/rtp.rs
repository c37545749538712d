//! RTP and RTCP as bytes: packets of H.264, H.265 and AAC, framed for RTSP's interleaved channels.
//!
//! What should not be here: when something is sent (`playback`), and to whom (`session`).

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::nal::Codec;

/// Largest RTP payload. Over TCP any size up to 64 KiB would do; cameras keep to a network packet.
const PAYLOAD_MAX: usize = 1_400;
/// Seconds from 1900 (NTP) to 1970 (Unix).
const NTP_TO_UNIX_S: u64 = 2_208_988_800;

/// One outgoing RTP stream: its identity and where it stands.
#[derive(Debug, Clone)]
pub struct RtpStream {
    /// Interleaved channel of RTP; RTCP goes on the next.
    pub channel: u8,
    pub ssrc: u32,
    pub payload_type: u8,
    /// Number of the next packet.
    pub sequence: u16,
    packets: u32,
    octets: u32,
}

impl RtpStream {
    pub fn new(channel: u8, ssrc: u32, payload_type: u8, sequence: u16) -> Self {
        Self { channel, ssrc, payload_type, sequence, packets: 0, octets: 0 }
    }

    /// Appends the packets of one video access unit; the last one carries the marker.
    pub fn video<'a>(
        &mut self,
        out: &mut Vec<u8>,
        codec: Codec,
        timestamp: u32,
        nals: impl Iterator<Item = &'a Bytes>,
    ) {
        let mut nals = nals.peekable();
        while let Some(nal) = nals.next() {
            let last = nals.peek().is_none();
            if nal.len() <= PAYLOAD_MAX {
                self.packet(out, timestamp, last, &[nal]);
            } else {
                self.fragments(out, codec, timestamp, last, nal);
            }
        }
    }

    /// FU-A of RFC 6184 §5.8, FU of RFC 7798 §4.4.3.
    fn fragments(&mut self, out: &mut Vec<u8>, codec: Codec, timestamp: u32, last: bool, nal: &Bytes) {
        let (header, kind, body) = match codec {
            Codec::H264 => ([nal[0] & 0xe0 | 28, 0], nal[0] & 0x1f, &nal[1..]),
            Codec::H265 => ([nal[0] & 0x81 | 49 << 1, nal[1]], nal[0] >> 1 & 0x3f, &nal[2..]),
        };
        let header = match codec {
            Codec::H264 => &header[..1],
            Codec::H265 => &header[..],
        };
        let mut chunks = body.chunks(PAYLOAD_MAX - 3).peekable();
        let mut start = 0x80;
        while let Some(chunk) = chunks.next() {
            let end = chunks.peek().is_none();
            let fu = [start | u8::from(end) << 6 | kind];
            self.packet(out, timestamp, last && end, &[header, &fu, chunk]);
            start = 0;
        }
    }

    /// One AAC frame as RFC 3640 AAC-hbr: one 16-bit header of size and index.
    pub fn aac(&mut self, out: &mut Vec<u8>, timestamp: u32, frame: &[u8]) {
        // 13 bits of size: an AAC-LC frame has at most 768 bytes a channel.
        let size = ((frame.len() as u16) << 3).to_be_bytes();
        self.packet(out, timestamp, true, &[&[0, 16], &size, frame]);
    }

    fn packet(&mut self, out: &mut Vec<u8>, timestamp: u32, marker: bool, parts: &[&[u8]]) {
        let payload: usize = parts.iter().map(|part| part.len()).sum();
        out.extend([b'$', self.channel]);
        out.extend(((payload + 12) as u16).to_be_bytes());
        out.extend([0x80, u8::from(marker) << 7 | self.payload_type]);
        out.extend(self.sequence.to_be_bytes());
        out.extend(timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        parts.iter().for_each(|part| out.extend_from_slice(part));
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload as u32);
    }

    /// Appends a sender report with a CNAME: at `wall`, the stream's clock showed `timestamp`.
    pub fn sender_report(&self, out: &mut Vec<u8>, wall: SystemTime, timestamp: u32) {
        const CNAME: &[u8; 12] = b"gridhall-sim";
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = (since.as_secs() + NTP_TO_UNIX_S) as u32;
        let fraction = ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000) as u32;
        // Report: 7 words. Description: header, SSRC, item of 2 + 12 bytes, two bytes of ending.
        let description_words = 1 + 4;
        out.extend([b'$', self.channel + 1]);
        out.extend((28u16 + 4 * (1 + description_words)).to_be_bytes());
        out.extend([0x80, 200, 0, 6]);
        for word in [self.ssrc, seconds, fraction, timestamp, self.packets, self.octets] {
            out.extend(word.to_be_bytes());
        }
        out.extend([0x81, 202]);
        out.extend(description_words.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend([1, CNAME.len() as u8]);
        out.extend(CNAME);
        out.extend([0, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the interleaved frames apart: (channel, packet).
    fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
        let mut frames = Vec::new();
        while let [b'$', channel, high, low, rest @ ..] = bytes {
            let (packet, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            frames.push((*channel, packet));
            bytes = rest;
        }
        assert!(bytes.is_empty());
        frames
    }

    /// Method: fragment a unit of each length around the limit and put it together again as RFC 6184 and
    /// RFC 7798 say; the unit must come back whole, with the marker on the very last packet only.
    #[test]
    fn fragments_put_together_again_give_the_unit() {
        for codec in [Codec::H264, Codec::H265] {
            for length in [2, 1_399, 1_400, 1_401, 2_795, 2_800, 10_000] {
                let mut nal: Vec<u8> = (0..length).map(|n| n as u8).collect();
                nal[..2].copy_from_slice(match codec {
                    Codec::H264 => &[0x65, 7],
                    Codec::H265 => &[19 << 1, 1],
                });
                let nal = Bytes::from(nal);
                let mut out = Vec::new();
                RtpStream::new(2, 7, 96, u16::MAX).video(&mut out, codec, 5, [&nal].into_iter());
                let packets = frames(&out);
                let mut rebuilt = Vec::new();
                for (n, (channel, packet)) in packets.iter().enumerate() {
                    assert_eq!(*channel, 2);
                    assert_eq!(packet[2..4], u16::MAX.wrapping_add(n as u16).to_be_bytes());
                    assert_eq!(packet[1] >> 7 == 1, n + 1 == packets.len(), "marker at {n}");
                    let payload = &packet[12..];
                    match (codec, payload[0]) {
                        (Codec::H264, 0x7c) => {
                            assert_eq!(payload[1] >> 7 == 1, n == 0);
                            assert_eq!(payload[1] >> 6 & 1 == 1, n + 1 == packets.len());
                            if n == 0 {
                                rebuilt.push(payload[0] & 0xe0 | payload[1] & 0x1f);
                            }
                            rebuilt.extend(&payload[2..]);
                        }
                        (Codec::H265, 98) => {
                            if n == 0 {
                                rebuilt.extend([(payload[2] & 0x3f) << 1, payload[1]]);
                            }
                            rebuilt.extend(&payload[3..]);
                        }
                        (Codec::H264 | Codec::H265, _) => rebuilt.extend(payload),
                    }
                }
                assert_eq!(rebuilt, nal, "{codec:?} {length}");
            }
        }
    }

    #[test]
    fn a_sender_report_says_its_own_length_and_time() {
        let mut out = Vec::new();
        let wall = UNIX_EPOCH + std::time::Duration::from_millis(1_500);
        RtpStream::new(0, 9, 96, 0).sender_report(&mut out, wall, 77);
        let frames = frames(&out);
        let (channel, report) = frames[0];
        assert_eq!((frames.len(), channel, report.len() % 4), (1, 1, 0));
        assert_eq!(report[8..12], (NTP_TO_UNIX_S as u32 + 1).to_be_bytes());
        assert_eq!(report[12..16], 0x8000_0000u32.to_be_bytes());
        assert_eq!(report[16..20], 77u32.to_be_bytes());
        let description = &report[28..];
        assert_eq!(
            description.len(),
            4 * (1 + usize::from(u16::from_be_bytes([description[2], description[3]])))
        );
    }
}
