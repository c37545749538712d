//! Text search by pairs of neighbouring characters, without positions: two characters such as 盘龙 are found by one
//! look, longer texts by cutting lists and reading the rows that are left.
//!
//! What should be here: from text to pairs, lists of rows. What should not: which text of a case is searched.

use std::collections::HashMap;

/// Bits of a character within a pair.
const CHARACTER_BITS: u32 = 21;

/// How text is compared: letters of the Latin alphabet without their case, as before.
pub fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().map(|character| character.to_ascii_lowercase())
}

/// Whether `text` holds `wanted`, which is folded already.
#[must_use]
pub fn holds(text: &str, wanted: &str) -> bool {
    // Folding changes no byte but letters of ASCII, and no character begins within another one.
    wanted.is_empty()
        || text.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn pair(first: char, second: char) -> i64 {
    (i64::from(u32::from(first)) << CHARACTER_BITS) | i64::from(u32::from(second))
}

/// The pairs beginning with a character, from and to, the end excluded.
#[must_use]
pub fn beginning_with(character: char) -> (i64, i64) {
    (pair(character, '\0'), pair(character, '\0') + (1 << CHARACTER_BITS))
}

/// The pairs of a text; every text ends in a pair of its last character with nothing, so that single characters are
/// found by their beginning.
pub fn pairs(text: &str) -> impl Iterator<Item = i64> + '_ {
    let ends = fold(text).skip(1).chain(std::iter::once('\0'));
    fold(text).zip(ends).map(|(first, second)| pair(first, second))
}

/// The pairs a text that is searched for must have: those within it.
#[must_use]
pub fn wanted(text: &str) -> Vec<i64> {
    let mut wanted: Vec<i64> = pairs(text).collect();
    wanted.pop();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// Lists of rows while a run is made.
#[derive(Debug, Default)]
pub struct Grams {
    lists: HashMap<i64, List>,
}

#[derive(Debug, Default)]
struct List {
    last: Option<u32>,
    bytes: Vec<u8>,
}

impl Grams {
    /// Notes the pairs of a row's text; rows come in order.
    pub fn add(&mut self, row: u32, text: &str) {
        for pair in pairs(text) {
            let list = self.lists.entry(pair).or_default();
            if list.last == Some(row) {
                continue;
            }
            let step = row - list.last.map_or(0, |last| last + 1);
            write_varint(step, &mut list.bytes);
            list.last = Some(row);
        }
    }

    /// All lists in the order of their pairs, each followed by its checksum.
    #[must_use]
    pub fn finish(self) -> Vec<(i64, Vec<u8>)> {
        let mut lists: Vec<(i64, Vec<u8>)> = self
            .lists
            .into_iter()
            .map(|(pair, mut list)| {
                let crc = crc32fast::hash(&list.bytes);
                list.bytes.extend_from_slice(&crc.to_le_bytes());
                (pair, list.bytes)
            })
            .collect();
        lists.sort_unstable_by_key(|(pair, _)| *pair);
        lists
    }
}

fn write_varint(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push((number as u8 & 0x7F) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Calls `row` for every row of a list; none when the list is not what was written.
#[must_use]
pub fn read(list: &[u8], mut row: impl FnMut(u32)) -> Option<()> {
    let (bytes, crc) = list.split_last_chunk::<4>()?;
    if crc32fast::hash(bytes) != u32::from_le_bytes(*crc) {
        return None;
    }
    let mut next = 0_u32;
    let mut at = bytes.iter();
    while at.as_slice() != [] as [u8; 0] {
        let (mut step, mut shift) = (0_u32, 0);
        loop {
            let byte = *at.next()?;
            step |= u32::from(byte & 0x7F).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let this = next.checked_add(step)?;
        row(this);
        next = this.checked_add(1)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_characters_are_one_pair_and_one_character_begins_some() {
        assert_eq!(wanted("盘龙").len(), 1);
        assert_eq!(wanted("盘龙区").len(), 2);
        assert!(wanted("盘").is_empty());
        let (from, to) = beginning_with('区');
        assert!(pairs("盘龙区").any(|pair| (from..to).contains(&pair)), "the last character counts too");
        assert!(!pairs("盘龙").any(|pair| (from..to).contains(&pair)));
    }

    #[test]
    fn a_text_holds_a_part_whatever_the_case_of_its_latin_letters() {
        for (text, wanted, is) in [
            ("人民东路 12号Ａ座 Block B", "block b", true),
            ("人民东路", "民东", true),
            ("人民东路", "东民", false),
            ("É", "é", false),
            ("", "a", false),
            ("", "", true),
        ] {
            assert_eq!(holds(text, wanted), is, "{wanted} in {text}");
        }
    }

    #[test]
    fn lists_give_back_the_rows_once_and_in_order() {
        let mut grams = Grams::default();
        let texts = ["人民东路人民", "北京路", "人民西路", "", "People's Road"];
        texts.iter().enumerate().for_each(|(row, text)| grams.add(row as u32 * 300, text));
        let lists = grams.finish();
        let rows_of = |text: &str| {
            let wanted = wanted(text)[0];
            let list = &lists.iter().find(|(pair, _)| *pair == wanted).unwrap().1;
            let mut rows = Vec::new();
            read(list, |row| rows.push(row)).unwrap();
            rows
        };
        assert_eq!(rows_of("人民"), [0, 600]);
        assert_eq!(rows_of("pE"), [1_200]);
    }

    #[test]
    fn a_damaged_list_is_not_believed() {
        let mut grams = Grams::default();
        grams.add(3, "盘龙");
        let mut list = grams.finish().remove(0).1;
        list[0] ^= 1;
        assert_eq!(read(&list, |_| {}), None);
        assert_eq!(read(&[1, 2], |_| {}), None);
    }
}
