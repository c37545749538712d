//! Whether a JPEG is whole, and how it is coded, by its marks alone: a decoder paints what is missing grey and says nothing.

/// What the marks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// It comes in several passes, which a decoder holds all at once.
    pub progressive: bool,
}

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// Follows the marks from the first to the end of the image. None where they break off before it. What comes behind (phones put
/// films there) is no matter.
#[must_use]
pub fn marks(bytes: &[u8]) -> Option<Marks> {
    let mut at = bytes.starts_with(&[0xFF, 0xD8]).then_some(2)?;
    let mut frame = None;
    loop {
        while *bytes.get(at)? != 0xFF {
            at += 1;
        }
        let mark = *bytes.get(at + 1)?;
        match mark {
            // Filling, a coded 0xFF, restarts: none of them has a length.
            0xFF => at += 1,
            0x00 | 0x01 | 0xD0..=0xD7 => at += 2,
            END_OF_IMAGE => return frame,
            // Another picture within one is none of ours.
            0xD8 => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
                if length < 2 {
                    return None;
                }
                // All kinds of frames but the tables that have numbers among them.
                if matches!(mark, 0xC0..=0xCF) && !matches!(mark, 0xC4 | 0xC8 | 0xCC) {
                    frame = Some(Marks { progressive: mark != 0xC0 && mark != 0xC1 });
                }
                at += 2 + length;
                if mark == START_OF_SCAN && frame.is_none() {
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 14] = [0xFF, 0xD8, 0xFF, 0xC0, 0, 4, 8, 1, 0xFF, 0xDA, 0, 3, 1, 9];

    #[test]
    fn a_picture_that_breaks_off_is_not_whole_wherever_it_does() {
        let mut whole = HEAD.to_vec();
        whole.extend([7, 0xFF, 0, 0xFF, 0xD0, 1, 0xFF, 0xD9]);
        assert_eq!(marks(&whole), Some(Marks { progressive: false }));
        for cut in 0..whole.len() {
            assert_eq!(marks(&whole[..cut]), None, "cut at {cut}");
        }
        whole.extend(b"a film behind it");
        assert!(marks(&whole).is_some());
        whole[3] = 0xC2;
        assert_eq!(marks(&whole), Some(Marks { progressive: true }));
    }

    #[test]
    fn the_end_of_a_small_picture_within_is_not_the_end() {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xD9];
        bytes.extend(&HEAD[2..]);
        bytes.extend([1, 2, 3]);
        assert_eq!(marks(&bytes), None);
        bytes.extend([0xFF, 0xD9]);
        assert!(marks(&bytes).is_some());
    }
}
