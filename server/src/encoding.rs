//! Text of files as offices save them: UTF-8, or GB18030 (国标码; GBK and GB 2312 are parts of it), as Excel writes CSV in China.
//!
//! A file is one or the other, and its first line that is not plain ASCII decides: a Chinese line in UTF-8 is as good as never
//! one in GB18030, nor the other way round. Later lines that are not what the file is stay as they are, to be refused by
//! who reads them.

use encoding_rs::GB18030;

/// Turns the lines of one file into UTF-8, in their order.
#[derive(Debug, Default)]
pub struct Lines {
    is: Option<Encoding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Gb18030,
}

impl Lines {
    /// The next line, with or without its end.
    #[must_use]
    pub fn next(&mut self, line: Vec<u8>) -> Vec<u8> {
        if line.is_ascii() {
            return line;
        }
        let is = self.is.or_else(|| {
            let chinese = || is_gb18030(&line).then_some(Encoding::Gb18030);
            std::str::from_utf8(&line).map_or_else(|_| chinese(), |_| Some(Encoding::Utf8))
        });
        self.is = is;
        match is {
            Some(Encoding::Gb18030) => decoded(&line).unwrap_or(line),
            Some(Encoding::Utf8) | None => line,
        }
    }
}

/// All lines of a text.
#[must_use]
pub fn to_utf8(text: &[u8]) -> Vec<u8> {
    let mut lines = Lines::default();
    // Within a character of GB18030 no byte is a line's end.
    text.split_inclusive(|byte| *byte == b'\n').flat_map(|line| lines.next(line.to_vec())).collect()
}

fn decoded(line: &[u8]) -> Option<Vec<u8>> {
    let text = GB18030.decode_without_bom_handling_and_without_replacement(line)?;
    Some(text.into_owned().into_bytes())
}

/// Whether it can be GB18030 and holds a character of everyday Chinese, both of whose bytes lie beyond ASCII. Letters with
/// accents, as Western code pages write them, stand alone among ASCII.
fn is_gb18030(line: &[u8]) -> bool {
    let everyday = line.windows(2).any(|pair| pair.iter().all(|byte| (0xA1..=0xFE).contains(byte)));
    everyday && decoded(line).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gb(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn a_file_is_what_its_first_line_beyond_ascii_is() {
        let text = "code,name\r\n1,东门\r\n2,镕\u{3400}𠀀\r\n";
        assert_eq!(to_utf8(text.as_bytes()), text.as_bytes());
        assert_eq!(to_utf8(&gb(text)), text.as_bytes());
        let mixed = [b"1,".as_slice(), "东".as_bytes(), b"\n2,", &gb("西门"), b"\n"].concat();
        assert_eq!(to_utf8(&mixed), mixed, "a line of another kind stays, to be refused");
        let other = [&gb("1,东门\n")[..], b"2,\xff\n"].concat();
        assert_eq!(to_utf8(&other), ["1,东门\n".as_bytes(), b"2,\xff\n"].concat());
    }

    #[test]
    fn letters_with_accents_are_not_taken_for_chinese() {
        for latin in [&b"Qu\xe9bec"[..], b"caf\xe9 x", b"\xfcber", b"na\xefve"] {
            assert_eq!(to_utf8(latin), latin);
        }
    }
}
