//! Columns of whole numbers, packed: a base, a width, and a few bytes a row.
//!
//! What should be here: how numbers and sets of rows are laid out. What should not: what the numbers mean.

use serde::{Deserialize, Serialize};

/// Rows of one chunk. A page of a list reads one or two chunks of the columns it asks about: 16 KiB each at most for
/// what has codes, dates or ids close together.
pub const CHUNK_ROWS: usize = 8_192;
const WORD_BITS: usize = 64;

/// What is known of a packed column without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnHead {
    /// Smallest value.
    pub min: i64,
    /// Largest value.
    pub max: i64,
    /// Bytes a row: 0 (all values are `min`), 1, 2, 4 or 8.
    pub width: u8,
    pub crc: u32,
    /// Values that occur, where they are few and small: codes of a dictionary. Bit n is value n.
    pub present: Vec<u64>,
}

/// Values up to this get a set of those present: 256 bytes a column and chunk.
const PRESENT_MAX: i64 = 2_048;

/// Packs a column; a column of one value has no bytes.
#[must_use]
pub fn pack(values: &[i64], with_present: bool) -> (ColumnHead, Vec<u8>) {
    let min = values.iter().copied().min().unwrap_or(0);
    let max = values.iter().copied().max().unwrap_or(0);
    let span = max.wrapping_sub(min) as u64;
    let width: u8 = match span {
        0 => 0,
        0x1..=0xFF => 1,
        0x100..=0xFFFF => 2,
        0x1_0000..=0xFFFF_FFFF => 4,
        0x1_0000_0000.. => 8,
    };
    let mut bytes = Vec::with_capacity(values.len() * usize::from(width));
    for value in values {
        let offset = (value.wrapping_sub(min) as u64).to_le_bytes();
        bytes.extend_from_slice(&offset[..usize::from(width)]);
    }
    let mut present = Vec::new();
    if with_present && min >= 0 && max < PRESENT_MAX {
        let mut set = Bits::new(max as usize + 1);
        values.iter().for_each(|value| set.set(*value as usize));
        present = set.words;
    }
    (ColumnHead { min, max, width, crc: crc32fast::hash(&bytes), present }, bytes)
}

/// Why a column cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    #[error("a piece of a column does not agree with its checksum")]
    Checksum,
    #[error("a piece of a column has {is} bytes where {expected} belong")]
    Length { is: usize, expected: usize },
}

/// Reads a packed column into `values`, which keeps its memory from one chunk to the next.
pub fn unpack(head: &ColumnHead, rows: usize, bytes: &[u8], values: &mut Vec<i64>) -> Result<(), PackError> {
    values.clear();
    let width = usize::from(head.width);
    let expected = rows * width;
    if bytes.len() != expected {
        return Err(PackError::Length { is: bytes.len(), expected });
    }
    if crc32fast::hash(bytes) != head.crc {
        return Err(PackError::Checksum);
    }
    let base = head.min;
    match width {
        0 => values.resize(rows, base),
        1 => values.extend(bytes.iter().map(|byte| base.wrapping_add(i64::from(*byte)))),
        2 => values.extend(
            bytes.as_chunks::<2>().0.iter().map(|two| base.wrapping_add(i64::from(u16::from_le_bytes(*two)))),
        ),
        4 => values.extend(
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|four| base.wrapping_add(i64::from(u32::from_le_bytes(*four)))),
        ),
        _ => values.extend(
            bytes.as_chunks::<8>().0.iter().map(|eight| base.wrapping_add(u64::from_le_bytes(*eight) as i64)),
        ),
    }
    Ok(())
}

impl ColumnHead {
    /// Whether a value from `low` to `high` may occur.
    #[must_use]
    pub fn may_lie_within(&self, low: i64, high: i64) -> bool {
        self.min <= high && self.max >= low
    }

    /// Whether every value lies from `low` to `high`.
    #[must_use]
    pub fn lies_within(&self, low: i64, high: i64) -> bool {
        self.min >= low && self.max <= high
    }

    /// Whether one of the codes in `set` may occur.
    #[must_use]
    pub fn may_hold(&self, set: &Bits) -> bool {
        if !self.present.is_empty() {
            return self.present.iter().zip(&set.words).any(|(have, want)| have & want != 0);
        }
        let (low, high) = (self.min.max(0) as usize, self.max.max(0) as usize);
        (low..=high.min(set.len().saturating_sub(1))).any(|code| set.has(code))
    }
}

/// A set of small numbers: codes of a dictionary, or rows of a chunk or run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// None of the numbers below `len`.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD_BITS)], len }
    }

    /// All numbers below `len`.
    #[must_use]
    pub fn full(len: usize) -> Self {
        let mut bits = Self { words: vec![u64::MAX; len.div_ceil(WORD_BITS)], len };
        if !len.is_multiple_of(WORD_BITS)
            && let Some(last) = bits.words.last_mut()
        {
            *last = (1 << (len % WORD_BITS)) - 1;
        }
        bits
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn set(&mut self, number: usize) {
        if number < self.len {
            self.words[number / WORD_BITS] |= 1 << (number % WORD_BITS);
        }
    }

    pub fn clear(&mut self, number: usize) {
        if number < self.len {
            self.words[number / WORD_BITS] &= !(1 << (number % WORD_BITS));
        }
    }

    #[must_use]
    pub fn has(&self, number: usize) -> bool {
        number < self.len && self.words[number / WORD_BITS] & (1 << (number % WORD_BITS)) != 0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Keeps what is in `other` too, which is as long.
    pub fn keep(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Adds what is in `other`, which is as long.
    pub fn add(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// The numbers from `from` on that belong to one chunk, as a set of their own. `from` is the start of a chunk.
    #[must_use]
    pub fn slice(&self, from: usize, len: usize) -> Self {
        debug_assert_eq!(from % WORD_BITS, 0, "chunks begin at whole words");
        let words = self.words.iter().skip(from / WORD_BITS).take(len.div_ceil(WORD_BITS));
        Self { words: words.copied().collect(), len }
    }

    /// The largest number in the set below `end`.
    #[must_use]
    pub fn last_below(&self, end: usize) -> Option<usize> {
        let end = end.min(self.len);
        let mut at = end.div_ceil(WORD_BITS);
        while at > 0 {
            at -= 1;
            let mut word = self.words[at];
            let beyond = end.saturating_sub(at * WORD_BITS);
            if beyond < WORD_BITS {
                word &= (1 << beyond) - 1;
            }
            if word != 0 {
                return Some(at * WORD_BITS + WORD_BITS - 1 - word.leading_zeros() as usize);
            }
        }
        None
    }

    /// The numbers in the set, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    at * WORD_BITS + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(values in proptest::collection::vec(any::<i64>(), 0..300), small in any::<bool>()) {
            let values: Vec<i64> = if small { values.iter().map(|value| value.rem_euclid(700)).collect() } else { values };
            let (head, bytes) = pack(&values, true);
            let mut read = Vec::new();
            unpack(&head, values.len(), &bytes, &mut read).unwrap();
            prop_assert_eq!(&read, &values);
            prop_assert!(values.iter().all(|value| head.may_lie_within(*value, *value)));
            prop_assert!(values.is_empty() || head.lies_within(head.min, head.max));
            for value in values.iter().filter(|_| small) {
                let mut wanted = Bits::new(700);
                wanted.set(*value as usize);
                prop_assert!(head.may_hold(&wanted));
            }
        }

        #[test]
        fn sets_count_what_they_hold(numbers in proptest::collection::btree_set(0_usize..500, 0..80), end in 0_usize..520) {
            let mut bits = Bits::new(500);
            numbers.iter().for_each(|number| bits.set(*number));
            prop_assert_eq!(bits.count(), numbers.len() as u64);
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), numbers.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(bits.last_below(end), numbers.range(..end).next_back().copied());
            let sliced: Vec<usize> = bits.slice(128, 64).iter().collect();
            let expected: Vec<usize> = numbers.range(128..192).map(|number| number - 128).collect();
            prop_assert_eq!(sliced, expected);
        }
    }

    #[test]
    fn one_value_takes_no_bytes_and_few_take_one() {
        assert_eq!(pack(&[7; 100], false).1.len(), 0);
        assert_eq!(pack(&[1_000_000, 1_000_200], false).1.len(), 2);
        assert_eq!(Bits::full(70).count(), 70);
    }

    #[test]
    fn a_changed_byte_and_a_missing_one_are_noticed() {
        let (head, mut bytes) = pack(&[1, 2, 300], false);
        bytes[1] ^= 1;
        let mut values = Vec::new();
        assert_eq!(unpack(&head, 3, &bytes, &mut values), Err(PackError::Checksum));
        assert_eq!(unpack(&head, 3, &bytes[1..], &mut values), Err(PackError::Length { is: 5, expected: 6 }));
    }

    #[test]
    fn codes_that_do_not_occur_are_known_without_reading() {
        let (head, _) = pack(&[3, 900, 3], true);
        let mut absent = Bits::new(1_000);
        absent.set(500);
        assert!(!head.may_hold(&absent));
        absent.set(900);
        assert!(head.may_hold(&absent));
    }
}
