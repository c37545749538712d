//! What an access unit contains, read from its NAL units: our own classification.
//!
//! The RTSP library calls only IDR pictures key frames; H.265 cameras that send CRA or BLA pictures would never start
//! there, and an access unit without a picture would count as one. Both forms of H.26x framing are understood: four-byte
//! lengths (MP4) and start codes (Annex B).

use super::frame::Codec;

/// What one access unit is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Decoding can start here.
    Key,
    /// Needs the pictures before it.
    Delta,
    /// Decoding started at a CRA picture must skip this one: it refers to pictures before that.
    Skipped,
    /// Has no picture (parameter sets, messages).
    Empty,
    /// Lengths do not add up, or the picture's first slice is missing.
    Damaged,
}

/// Classifies an access unit whose NAL units are preceded by four-byte lengths.
#[must_use]
pub fn classify(codec: Codec, unit: &[u8]) -> Unit {
    match codec {
        Codec::H264 => classify_h264(unit),
        Codec::H265 => classify_h265(unit),
        Codec::Jpeg => {
            if unit.starts_with(&[0xff, 0xd8]) {
                Unit::Key
            } else {
                Unit::Damaged
            }
        }
    }
}

fn classify_h264(unit: &[u8]) -> Unit {
    let mut found = Unit::Empty;
    for nal in lengths(unit) {
        let Some((&header, body)) = nal.and_then(<[u8]>::split_first) else { return Unit::Damaged };
        let slice = match header & 0x1f {
            5 => Unit::Key,
            1..=4 => Unit::Delta,
            _ => continue,
        };
        match found {
            // first_mb_in_slice is an Exp-Golomb number; zero is the single bit 1.
            Unit::Empty if body.first().is_none_or(|byte| byte & 0x80 == 0) => return Unit::Damaged,
            Unit::Empty => found = slice,
            Unit::Key if slice == Unit::Delta => found = Unit::Delta,
            Unit::Key | Unit::Delta | Unit::Skipped | Unit::Damaged => {}
        }
    }
    found
}

fn classify_h265(unit: &[u8]) -> Unit {
    let mut found = Unit::Empty;
    for nal in lengths(unit) {
        let Some(nal) = nal.filter(|nal| nal.len() >= 2) else { return Unit::Damaged };
        let slice = match (nal[0] >> 1) & 0x3f {
            // RASL pictures follow a CRA in decoding order and refer to pictures before it.
            8 | 9 => Unit::Skipped,
            16..=21 => Unit::Key,
            0..=31 => Unit::Delta,
            _ => continue,
        };
        // Pictures of another layer do not change what the base layer is.
        if found == Unit::Empty {
            // first_slice_segment_in_pic_flag
            if nal.get(2).is_none_or(|byte| byte & 0x80 == 0) {
                return Unit::Damaged;
            }
            found = slice;
        }
    }
    found
}

/// The NAL units of an access unit with four-byte lengths; `None` once where the lengths do not add up.
pub fn lengths(unit: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = unit;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let nal = rest.split_first_chunk::<4>().and_then(|(length, tail)| {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            (length > 0).then(|| tail.split_at_checked(length)).flatten()
        });
        rest = nal.map_or(&[][..], |(_, tail)| tail);
        Some(nal.map(|(nal, _)| nal))
    })
}

/// The NAL units of an access unit with start codes.
pub fn start_codes(unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = next_start_code(unit, 0).map(|(_, after)| after);
    std::iter::from_fn(move || {
        let start = at?;
        let (end, after) = match next_start_code(unit, start) {
            Some((end, after)) => (end, Some(after)),
            None => (unit.len(), None),
        };
        at = after;
        // Zero bytes before a four-byte start code belong to it, not to the NAL unit.
        let trailing = unit[start..end].iter().rev().take_while(|&&byte| byte == 0).count();
        Some(&unit[start..end - trailing])
    })
    .filter(|nal| !nal.is_empty())
}

fn next_start_code(unit: &[u8], from: usize) -> Option<(usize, usize)> {
    unit.get(from..)?.windows(3).position(|w| w == [0, 0, 1]).map(|at| (from + at, from + at + 3))
}

/// Appends `unit` (four-byte lengths) to `out` with start codes instead.
pub fn append_with_start_codes(unit: &[u8], out: &mut Vec<u8>) {
    for nal in lengths(unit).flatten() {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(nal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(nals: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for nal in nals {
            out.extend_from_slice(&u32::try_from(nal.len()).unwrap().to_be_bytes());
            out.extend_from_slice(nal);
        }
        out
    }

    fn h265(kind: u8, first: bool) -> [u8; 4] {
        [kind << 1, 1, if first { 0x80 } else { 0 }, 0xaa]
    }

    #[test]
    fn h264_pictures_are_told_apart_and_messages_are_no_picture() {
        let sei: &[u8] = &[6, 5, 1, 0x80];
        let idr: &[u8] = &[0x65, 0x88, 0x84];
        let delta: &[u8] = &[0x41, 0x9a, 0x22];
        assert_eq!(classify(Codec::H264, &unit(&[sei, idr])), Unit::Key);
        assert_eq!(classify(Codec::H264, &unit(&[sei, delta])), Unit::Delta);
        assert_eq!(classify(Codec::H264, &unit(&[sei])), Unit::Empty);
        assert_eq!(classify(Codec::H264, &[]), Unit::Empty);
    }

    #[test]
    fn a_picture_whose_first_slice_is_lost_is_damaged() {
        // first_mb_in_slice = 40
        assert_eq!(classify(Codec::H264, &unit(&[&[0x65, 0x05, 0x20]])), Unit::Damaged);
        assert_eq!(classify(Codec::H265, &unit(&[&h265(19, false)])), Unit::Damaged);
    }

    #[test]
    fn every_h265_random_access_picture_is_a_key_frame() {
        for kind in 16..=21 {
            assert_eq!(classify(Codec::H265, &unit(&[&h265(kind, true)])), Unit::Key, "type {kind}");
        }
        for kind in [0, 1, 2, 6, 7, 22, 31] {
            assert_eq!(classify(Codec::H265, &unit(&[&h265(kind, true)])), Unit::Delta, "type {kind}");
        }
        assert_eq!(classify(Codec::H265, &unit(&[&h265(8, true)])), Unit::Skipped);
        assert_eq!(classify(Codec::H265, &unit(&[&[39 << 1, 1, 5]])), Unit::Empty);
    }

    #[test]
    fn lengths_that_do_not_add_up_are_damage() {
        for bad in [&[0, 0, 0][..], &[0, 0, 0, 9, 0x65], &[0, 0, 0, 0], &[0xff, 0xff, 0xff, 0xff, 1]] {
            assert_eq!(classify(Codec::H264, bad), Unit::Damaged, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_classified_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for codec in [Codec::H264, Codec::H265, Codec::Jpeg] {
                let _any_answer_will_do = classify(codec, &bytes);
            }
            start_codes(&bytes).count();
        }

        /// NAL units never contain three zero bytes or end in one; then both framings carry the same units.
        #[test]
        fn framings_carry_the_same_units(nals in prop::collection::vec(prop::collection::vec(1u8..=255, 1..40), 1..6)) {
            let nals: Vec<&[u8]> = nals.iter().map(Vec::as_slice).collect();
            let framed = unit(&nals);
            prop_assert_eq!(lengths(&framed).collect::<Option<Vec<_>>>().unwrap(), nals.clone());
            let mut annex_b = Vec::new();
            append_with_start_codes(&framed, &mut annex_b);
            prop_assert_eq!(start_codes(&annex_b).collect::<Vec<_>>(), nals);
        }
    }
}
