//! One small question over HTTP to a server on this machine, and its answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// An answer takes milliseconds; longer means that the server is not well.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The answers asked for here are small; metrics are the largest.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Status and body of `GET path`; `address` is `http://HOST:PORT`, an empty token asks as nobody.
pub fn get(address: &str, path: &str, token: &str) -> Result<(u16, String)> {
    let Some(host) = address.strip_prefix("http://") else {
        bail!("`{address}` is not a plain HTTP address");
    };
    let host = host.trim_end_matches('/');
    let asking = || format!("cannot ask {host} for {path}");
    let mut stream = TcpStream::connect(host).with_context(asking)?;
    stream.set_read_timeout(Some(ANSWER_WAIT)).with_context(asking)?;
    stream.set_write_timeout(Some(ANSWER_WAIT)).with_context(asking)?;
    // HTTP/1.0: the answer ends where the connection ends.
    let proof = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let question = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept-Encoding: identity\r\n{proof}\r\n");
    stream.write_all(question.as_bytes()).with_context(asking)?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).with_context(asking)?;
    parse(&String::from_utf8_lossy(&answer)).with_context(asking)
}

fn parse(answer: &str) -> Result<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no end of its head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.context("the answer has no status")?, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body_and_nonsense_is_an_error() {
        assert_eq!(
            parse("HTTP/1.0 503 no\r\nretry-after: 1\r\n\r\nwait\n").unwrap(),
            (503, "wait\n".to_owned())
        );
        assert!(parse("RTSP or so").is_err());
        assert!(get("https://localhost", "/", "").is_err());
    }
}
