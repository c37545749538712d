//! NAL units: splitting byte streams, telling kinds apart, and what a parameter set says of itself.
//!
//! What should not be here: RTP (`rtp`), SDP text (`sdp`), files (`mp4`).

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How pictures are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    H264,
    H265,
}

/// What a NAL unit is for, as far as a camera must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NalKind {
    Vps,
    Sps,
    Pps,
    /// A slice of a picture where decoding may start (IDR; for H.265 also BLA and CRA).
    KeySlice,
    Slice,
    Sei,
    /// Delimiters, fillers, ends of sequence: not sent.
    Other,
}

/// Kind of one NAL unit, by its header.
pub fn kind(codec: Codec, nal: &[u8]) -> NalKind {
    let Some(&first) = nal.first() else { return NalKind::Other };
    match codec {
        Codec::H264 => match first & 0x1f {
            7 => NalKind::Sps,
            8 => NalKind::Pps,
            5 => NalKind::KeySlice,
            1..=4 => NalKind::Slice,
            6 => NalKind::Sei,
            _ => NalKind::Other,
        },
        Codec::H265 => match (first >> 1) & 0x3f {
            32 => NalKind::Vps,
            33 => NalKind::Sps,
            34 => NalKind::Pps,
            16..=21 => NalKind::KeySlice,
            0..=9 => NalKind::Slice,
            39 | 40 => NalKind::Sei,
            _ => NalKind::Other,
        },
    }
}

/// Parameter sets of one coded sequence, without start codes or lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    pub codec: Codec,
    pub vps: Vec<Bytes>,
    pub sps: Vec<Bytes>,
    pub pps: Vec<Bytes>,
}

impl Parameters {
    pub fn empty(codec: Codec) -> Self {
        Self { codec, vps: Vec::new(), sps: Vec::new(), pps: Vec::new() }
    }

    /// Whether a decoder could start with these.
    pub fn complete(&self) -> bool {
        let vps = match self.codec {
            Codec::H264 => true,
            Codec::H265 => !self.vps.is_empty(),
        };
        vps && !self.sps.is_empty() && !self.pps.is_empty()
    }

    pub fn nals(&self) -> impl Iterator<Item = &Bytes> {
        self.vps.iter().chain(&self.sps).chain(&self.pps)
    }

    /// Puts a parameter set where it belongs; anything else is not taken.
    pub fn take(&mut self, nal: &[u8]) -> bool {
        let list = match kind(self.codec, nal) {
            NalKind::Vps => &mut self.vps,
            NalKind::Sps => &mut self.sps,
            NalKind::Pps => &mut self.pps,
            NalKind::KeySlice | NalKind::Slice | NalKind::Sei | NalKind::Other => return false,
        };
        if !list.iter().any(|known| known == nal) {
            list.push(Bytes::copy_from_slice(nal));
        }
        true
    }
}

/// One picture as it is sent: slices and SEI, parameter sets kept beside them.
#[derive(Debug, Clone)]
pub struct AccessUnit {
    /// Presentation time, 90 kHz, zero where the source says.
    pub pts_90k: i64,
    /// Whether decoding may start here.
    pub key: bool,
    pub nals: Vec<Bytes>,
    /// The sets this picture needs, sent in band before key frames.
    pub parameters: Arc<Parameters>,
}

/// Parts of one coded picture: what goes into an access unit, and any parameter sets found on the way.
pub struct Sorted {
    pub nals: Vec<Bytes>,
    pub key: bool,
    pub parameters: Parameters,
}

/// Sorts the NAL units of one picture.
pub fn sort<'a>(codec: Codec, nals: impl Iterator<Item = &'a [u8]>) -> Sorted {
    let mut sorted = Sorted { nals: Vec::new(), key: false, parameters: Parameters::empty(codec) };
    for nal in nals {
        match kind(codec, nal) {
            NalKind::Vps | NalKind::Sps | NalKind::Pps => {
                sorted.parameters.take(nal);
            }
            NalKind::KeySlice => {
                sorted.key = true;
                sorted.nals.push(Bytes::copy_from_slice(nal));
            }
            NalKind::Slice | NalKind::Sei => sorted.nals.push(Bytes::copy_from_slice(nal)),
            NalKind::Other => {}
        }
    }
    sorted
}

/// NAL units of an Annex B byte stream, start codes and trailing zeros removed.
pub fn split_annex_b(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= stream.len() {
        if stream[at..at + 3] == [0, 0, 1] {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let nal = &stream[start + 3..end];
            let padding = nal.iter().rev().take_while(|&&byte| byte == 0).count();
            &nal[..nal.len() - padding]
        })
        .filter(|nal| !nal.is_empty())
        .collect()
}

/// NAL units of an MP4 sample, each after its big-endian length of `length_bytes` bytes.
/// A length that passes the sample's end closes the list.
pub fn split_lengths(mut sample: &[u8], length_bytes: usize) -> Vec<&[u8]> {
    let mut nals = Vec::new();
    while sample.len() > length_bytes {
        let (length, rest) = sample.split_at(length_bytes);
        let length = length.iter().fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
        let Some((nal, rest)) = rest.split_at_checked(length) else { break };
        if !nal.is_empty() {
            nals.push(nal);
        }
        sample = rest;
    }
    nals
}

/// An access unit without a picture, as some cameras send: SEI (user data unregistered, 16 bytes of name and
/// a few of text) and filler. SEI alone would be taken for the beginning of the picture after it.
pub fn no_picture(codec: Codec) -> [Bytes; 2] {
    const PAYLOAD: &[u8; 24] = b"gridhall-sim-sei simulat";
    const FILLER: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0x80];
    let (sei, filler): (&[u8], &[u8]) = match codec {
        Codec::H264 => (&[0x06], &[0x0c]),
        Codec::H265 => (&[39 << 1, 0x01], &[38 << 1, 0x01]),
    };
    let sei = [sei, &[5, PAYLOAD.len() as u8], PAYLOAD, &[0x80]].concat();
    [Bytes::from(sei), Bytes::from([filler, FILLER].concat())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annex_b_is_split_at_both_start_codes_and_padding_is_dropped() {
        let stream = [0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3, 0, 0];
        assert_eq!(split_annex_b(&stream), [&[0x67, 1][..], &[0x68, 2], &[0x65, 3]]);
        assert!(split_annex_b(&[1, 2, 3]).is_empty());
    }

    #[test]
    fn a_sample_cut_short_keeps_its_complete_units() {
        let sample = [0, 0, 0, 2, 0x65, 9, 0, 0, 0, 9, 1];
        assert_eq!(split_lengths(&sample, 4), [&[0x65, 9][..]]);
        assert_eq!(split_lengths(&[0, 1, 7, 0, 0], 2), [&[7][..]]);
    }

    #[test]
    fn cra_and_bla_count_as_key_pictures() {
        for nal_type in 16..=21u8 {
            assert_eq!(kind(Codec::H265, &[nal_type << 1, 1]), NalKind::KeySlice);
        }
        for codec in [Codec::H264, Codec::H265] {
            let [sei, filler] = no_picture(codec);
            assert_eq!((kind(codec, &sei), kind(codec, &filler)), (NalKind::Sei, NalKind::Other));
        }
        assert_eq!(kind(Codec::H264, &[]), NalKind::Other);
    }
}
