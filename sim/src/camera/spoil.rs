//! Pictures with wrong bytes in them, for the faults `damaged` and `undecodable`.

use std::borrow::Cow;

use bytes::Bytes;

use super::fault::{Fault, FaultSet};
use super::nal::{AccessUnit, Codec, NalKind, kind};

/// Under `Damaged` one picture in so many is wrong.
const DAMAGED_EVERY: u64 = 3;
/// Bytes of a slice left alone: its header, so that a decoder gets as far as the picture itself.
const HEADER: usize = 48;

/// The NAL units of the `number`-th picture, spoiled as the faults in force ask for.
pub fn nals(unit: &AccessUnit, faults: FaultSet, number: u64) -> Cow<'_, [Bytes]> {
    let codec = unit.parameters.codec;
    let spoil: fn(Codec, &mut [u8]) = if faults.has(Fault::Undecodable) {
        break_header
    } else if faults.has(Fault::Damaged) && number.is_multiple_of(DAMAGED_EVERY) {
        damage
    } else {
        return Cow::Borrowed(&unit.nals);
    };
    let spoiled = unit.nals.iter().map(|nal| match kind(codec, nal) {
        NalKind::KeySlice | NalKind::Slice => {
            let mut bytes = nal.to_vec();
            spoil(codec, &mut bytes);
            bytes.into()
        }
        NalKind::Vps | NalKind::Sps | NalKind::Pps | NalKind::Sei | NalKind::Other => nal.clone(),
    });
    Cow::Owned(spoiled.collect())
}

/// Turns over bits of the coded picture.
fn damage(_: Codec, nal: &mut [u8]) {
    nal.iter_mut().skip(HEADER).step_by(7).for_each(|byte| *byte ^= 0xa5);
}

/// Still the first slice of a picture, but with a number beyond all limits as its next field.
fn break_header(codec: Codec, nal: &mut [u8]) {
    let at = match codec {
        Codec::H264 => 1,
        Codec::H265 => 2,
    };
    let header = nal.iter_mut().skip(at).zip([0x80, 0x00, 0x80]);
    header.for_each(|(byte, wrong)| *byte = wrong);
}
