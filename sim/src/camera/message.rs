//! RTSP messages on one connection: requests in, bounded and cut out of the byte stream; answers out.
//!
//! What should not be here: what a method means (`session`).

use std::fmt::Write;
use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;

/// Longest request, head and body. Players send well under 2 KiB.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// One request, names as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub url: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Path of the URL, without scheme, host or query.
    pub fn path(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        path.split('?').next().unwrap_or(path)
    }
}

/// Why no further request can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read from the client")]
    Io(#[from] io::Error),
    #[error("client closed the connection")]
    Closed,
    #[error("request is longer than {REQUEST_BYTES_MAX} bytes")]
    TooLong,
    #[error("not an RTSP request: {0}")]
    Malformed(&'static str),
}

/// Reads requests, passing over the client's RTCP on interleaved channels.
pub struct Reader {
    half: OwnedReadHalf,
    buffer: BytesMut,
}

impl Reader {
    pub fn new(half: OwnedReadHalf) -> Self {
        Self { half, buffer: BytesMut::new() }
    }

    /// The next request. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Request, ReadError> {
        loop {
            if let Some(request) = take_request(&mut self.buffer)? {
                return Ok(request);
            }
            if self.buffer.len() > REQUEST_BYTES_MAX {
                return Err(ReadError::TooLong);
            }
            if self.half.read_buf(&mut self.buffer).await? == 0 {
                return Err(ReadError::Closed);
            }
        }
    }
}

/// Cuts the first whole request out of `buffer`, dropping interleaved data and empty lines before it.
fn take_request(buffer: &mut BytesMut) -> Result<Option<Request>, ReadError> {
    loop {
        match buffer[..] {
            [b'$', _, high, low, ..] => {
                let length = 4 + usize::from(u16::from_be_bytes([high, low]));
                if buffer.len() < length {
                    return Ok(None);
                }
                buffer.advance(length);
            }
            [b'\r' | b'\n', ..] => buffer.advance(1),
            [] | [b'$', ..] => return Ok(None),
            [_, ..] => break,
        }
    }
    let Some(head_length) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    if head_length > REQUEST_BYTES_MAX {
        return Err(ReadError::TooLong);
    }
    let request = parse_head(&buffer[..head_length])?;
    let body_length = match request.header("Content-Length") {
        Some(text) => text.parse().map_err(|_| ReadError::Malformed("Content-Length is no number"))?,
        None => 0usize,
    };
    if body_length > REQUEST_BYTES_MAX {
        return Err(ReadError::TooLong);
    }
    if buffer.len() < head_length + 4 + body_length {
        return Ok(None);
    }
    buffer.advance(head_length + 4 + body_length);
    Ok(Some(request))
}

fn parse_head(head: &[u8]) -> Result<Request, ReadError> {
    let head = std::str::from_utf8(head).map_err(|_| ReadError::Malformed("head is not UTF-8"))?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(url), Some("RTSP/1.0"), None) =
        (first.next(), first.next(), first.next(), first.next())
    else {
        return Err(ReadError::Malformed("first line is not `METHOD URL RTSP/1.0`"));
    };
    let headers = lines
        .map(|line| {
            line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect::<Option<Vec<_>>>()
        .ok_or(ReadError::Malformed("header line without a colon"))?;
    Ok(Request { method: method.to_owned(), url: url.to_owned(), headers })
}

/// An answer in the making.
#[derive(Debug, Clone)]
pub struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub fn new(status: &'static str) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub fn ok() -> Self {
        Self::new("200 OK")
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, kind: &'static str, body: String) -> Self {
        self.body = body;
        self.with("Content-Type", kind)
    }

    /// The bytes, numbered as the request was.
    pub fn encode(&self, request: &Request) -> Vec<u8> {
        let mut text = format!("RTSP/1.0 {}\r\n", self.status);
        if let Some(number) = request.header("CSeq") {
            let _ = write!(text, "CSeq: {number}\r\n");
        }
        text += "Server: Gridhall camera simulator\r\n";
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            let _ = write!(text, "Content-Length: {}\r\n", self.body.len());
        }
        text += "\r\n";
        text += &self.body;
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"\r\n$\x01\x00\x03abcSETUP rtsp://h:1/cam/C1/sub/track0?x=1 RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 2\r\n\r\nhi$\x00\x00\x00";

    /// Method: cut the stream at every byte. Before the end of the body there is no request, after it there is
    /// exactly one, and the interleaved frame behind it is passed over.
    #[test]
    fn a_request_cut_at_any_byte_waits_for_the_rest() {
        let complete = WHOLE.len() - 4;
        for cut in 0..=WHOLE.len() {
            let mut buffer = BytesMut::from(&WHOLE[..cut]);
            let request = take_request(&mut buffer).unwrap();
            assert_eq!(request.is_some(), cut >= complete, "cut at {cut}");
            if let Some(request) = request {
                assert_eq!((request.method.as_str(), request.path()), ("SETUP", "/cam/C1/sub/track0"));
                assert_eq!(request.header("cseq"), Some("3"));
            }
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for wrong in ["GET / HTTP/1.1\r\n\r\n", "OPTIONS *\r\n\r\n", "A b RTSP/1.0\r\nnocolon\r\n\r\n"] {
            let refused = take_request(&mut BytesMut::from(wrong.as_bytes()));
            assert!(matches!(refused, Err(ReadError::Malformed(_))), "{wrong:?}");
        }
    }
}
