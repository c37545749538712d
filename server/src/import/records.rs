//! From bytes to records: one at a time, each with its line, and with one broken record not taking the rest with it.
//!
//! The csv crate parses a record; finding where a record ends is done here, because a quote that is never closed
//! would otherwise swallow the file.

use std::io::BufRead;

use crate::encoding;

/// Longest record; one with the longest fields a case may have stays far below.
const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Lines a quoted field may run over before its quote counts as forgotten.
const RECORD_LINES_MAX: usize = 200;

/// Some programs put it before UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One record or what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// Line of the file on which it starts, from 1.
    pub line: u64,
    pub fields: Result<Vec<String>, Broken>,
    /// Begins with UTF-16's byte order mark.
    pub utf16: bool,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error(
        "a quoted field that begins here is not closed; expected a quote before the next comma or line end"
    )]
    Unclosed,
    #[error(
        "a closing quote is followed by {0:?}; expected a comma or the line end, and `\"\"` for a quote within a field"
    )]
    AfterQuote(char),
    #[error("longer than 262,144 bytes")]
    TooLong,
    #[error("field {field} is not UTF-8{}", if *.gbk { "; it looks like GBK (GB18030), but the file began in UTF-8: save all of it as one of the two" } else { "" })]
    Encoding { field: usize, gbk: bool },
}

impl Broken {
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unclosed | Self::AfterQuote(_) => "broken_quoting",
            Self::TooLong => "too_long",
            Self::Encoding { .. } => "wrong_encoding",
        }
    }
}

/// Where a record's bytes end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    Whole,
    /// The line ends within quotes.
    Open,
    AfterQuote(char),
}

pub struct Records<R> {
    input: R,
    delimiter: u8,
    encoding: encoding::Lines,
    /// Number of the next line to take.
    line: u64,
    /// Lines read ahead and given back.
    ahead: std::collections::VecDeque<Vec<u8>>,
    /// Set after the end of the file.
    ended: bool,
}

impl<R: BufRead> Records<R> {
    pub fn new(input: R, delimiter: u8) -> Self {
        Self {
            input,
            delimiter,
            encoding: encoding::Lines::default(),
            line: 1,
            ahead: std::collections::VecDeque::new(),
            ended: false,
        }
    }

    /// The delimiter for the records to come: it is known once the header has chosen a mapping.
    pub fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// The next record; none at the end.
    pub fn read(&mut self) -> std::io::Result<Option<Record>> {
        loop {
            let line = self.line;
            let Some(mut first) = self.take()? else { return Ok(None) };
            if line == 1 && first.starts_with(BYTE_ORDER_MARK) {
                first.drain(..BYTE_ORDER_MARK.len());
            }
            if first.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                continue;
            }
            let utf16 = first.starts_with(&[0xFF, 0xFE]) || first.starts_with(&[0xFE, 0xFF]);
            return Ok(Some(Record { line, fields: self.record(first)?, utf16 }));
        }
    }

    fn record(&mut self, mut bytes: Vec<u8>) -> std::io::Result<Result<Vec<String>, Broken>> {
        let mut borrowed: Vec<Vec<u8>> = Vec::new();
        let broken = loop {
            if bytes.len() > RECORD_BYTES_MAX {
                break if borrowed.is_empty() { Broken::TooLong } else { Broken::Unclosed };
            }
            match scan(&bytes, self.delimiter) {
                Scan::Whole => return Ok(self.parse(&bytes)),
                Scan::AfterQuote(found) => {
                    break if borrowed.is_empty() { Broken::AfterQuote(found) } else { Broken::Unclosed };
                }
                Scan::Open if borrowed.len() >= RECORD_LINES_MAX => break Broken::Unclosed,
                Scan::Open => match self.take()? {
                    None => break Broken::Unclosed,
                    Some(next) => {
                        bytes.extend_from_slice(&next);
                        borrowed.push(next);
                    }
                },
            }
        };
        // Only the line with the broken quote is lost: those after it are read again on their own.
        self.line -= borrowed.len() as u64;
        for line in borrowed.into_iter().rev() {
            self.ahead.push_front(line);
        }
        Ok(Err(broken))
    }

    /// The next line with its end, which is CR, LF or both, at most a little longer than a record may be.
    fn take(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        if let Some(line) = self.ahead.pop_front() {
            self.line += 1;
            return Ok(Some(line));
        }
        if self.ended {
            return Ok(None);
        }
        let mut line = Vec::new();
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                self.ended = true;
                break;
            }
            let end = available.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let is_return = end.is_some_and(|end| available[end] == b'\r');
            let used = end.map_or(available.len(), |end| end + 1);
            if line.len() <= RECORD_BYTES_MAX {
                line.extend_from_slice(&available[..used]);
            }
            self.input.consume(used);
            // Old Macs end a line with CR alone; with an LF behind it the two are one end.
            if is_return && self.input.fill_buf()?.first() == Some(&b'\n') {
                line.push(b'\n');
                self.input.consume(1);
            }
            if end.is_some() {
                break;
            }
        }
        if line.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        Ok(Some(self.encoding.next(line)))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Vec<String>, Broken> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        // Reading from memory into bytes has nothing to fail at; an empty record is the worst that comes out.
        let _ = reader.read_byte_record(&mut record);
        let text = |(index, field): (usize, &[u8])| {
            String::from_utf8(field.to_vec())
                .map_err(|_| Broken::Encoding { field: index + 1, gbk: looks_like_gbk(field) })
        };
        record.iter().enumerate().map(text).collect()
    }
}

/// Walks a record by the rules of RFC 4180.
fn scan(bytes: &[u8], delimiter: u8) -> Scan {
    #[derive(Clone, Copy)]
    enum At {
        FieldStart,
        Plain,
        Quoted,
        QuoteInQuoted,
    }
    let mut at = At::FieldStart;
    for (index, byte) in bytes.iter().copied().enumerate() {
        let ends_field = byte == delimiter || matches!(byte, b'\r' | b'\n');
        at = match at {
            At::FieldStart if byte == b'"' => At::Quoted,
            At::FieldStart | At::Plain if ends_field => At::FieldStart,
            At::FieldStart | At::Plain => At::Plain,
            At::Quoted if byte == b'"' => At::QuoteInQuoted,
            At::Quoted => At::Quoted,
            At::QuoteInQuoted if byte == b'"' => At::Quoted,
            At::QuoteInQuoted if ends_field => At::FieldStart,
            At::QuoteInQuoted => {
                let rest = String::from_utf8_lossy(&bytes[index..bytes.len().min(index + 4)]).into_owned();
                return Scan::AfterQuote(rest.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        };
    }
    match at {
        At::Quoted => Scan::Open,
        At::FieldStart | At::Plain | At::QuoteInQuoted => Scan::Whole,
    }
}

/// Whether bytes outside ASCII come in pairs as GBK writes them.
#[must_use]
pub fn looks_like_gbk(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut pairs = 0;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (0..=0x7F, _) => tail,
            (0x81..=0xFE, [0x40..=0x7E | 0x80..=0xFE, after @ ..]) => {
                pairs += 1;
                after
            }
            _ => return false,
        };
    }
    pairs > 0
}
