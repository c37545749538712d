//! The WebSocket under one connection. Frames are made once for everyone and written straight to the connection: the
//! library's own buffer would hold a copy of each, and keep the room of the largest for as long as the client stays.
//!
//! What should be here: the handshake, framing, writing, and whether the connection takes what is written. What should
//! not: what is sent (`frames`) and when (`connection`).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::problem::Problem;

/// Parts of frames handed to the system in one call.
const SLICES_MAX: usize = 32;
/// Bytes read at once, and kept by every connection.
const READ_BYTES: usize = 4 * 1024;
/// The head of a frame from a server, which masks nothing.
const HEAD_BYTES_MAX: usize = 10;
/// Answers to pings and the word of closing: all that the library writes itself.
const LIBRARY_BYTES: usize = 1024;

/// One message ready to be written: its frame's head and the parts of its body, shared by all connections that need
/// them.
#[derive(Debug, Clone)]
pub struct Framed {
    head: Bytes,
    body: Vec<Bytes>,
}

impl Framed {
    #[must_use]
    pub fn text(text: String) -> Self {
        Self::new(OpCode::Data(Data::Text), vec![text.into()])
    }

    #[must_use]
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::new(OpCode::Data(Data::Binary), vec![bytes.into()])
    }

    #[must_use]
    pub fn ping() -> Self {
        Self::new(OpCode::Control(Control::Ping), Vec::new())
    }

    /// A binary message whose first bytes are this connection's own and whose rest is shared.
    #[must_use]
    pub fn binary_after(own: &[u8], shared: Bytes) -> Self {
        Self::build(OpCode::Data(Data::Binary), own, vec![shared])
    }

    /// A binary message made of shared parts.
    #[must_use]
    pub fn binary_of(parts: Vec<Bytes>) -> Self {
        Self::new(OpCode::Data(Data::Binary), parts)
    }

    /// A text made of shared parts.
    #[must_use]
    pub fn text_of(parts: Vec<Bytes>) -> Self {
        Self::new(OpCode::Data(Data::Text), parts)
    }

    fn new(opcode: OpCode, body: Vec<Bytes>) -> Self {
        Self::build(opcode, &[], body)
    }

    fn build(opcode: OpCode, own: &[u8], body: Vec<Bytes>) -> Self {
        let head = FrameHeader { opcode, ..FrameHeader::default() };
        let mut bytes = Vec::with_capacity(HEAD_BYTES_MAX + own.len());
        let length = own.len() + body.iter().map(Bytes::len).sum::<usize>();
        head.format(length as u64, &mut bytes).expect("writing to memory does not fail");
        bytes.extend_from_slice(own);
        Self { head: bytes.into(), body }
    }

    /// Bytes of the body, without what is one connection's own.
    #[must_use]
    pub fn len(&self) -> usize {
        self.body.iter().map(Bytes::len).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Answers the handshake and runs `converse` with the socket; or says what is wrong with it.
pub fn accept<F>(
    mut request: Request,
    message_bytes_max: usize,
    converse: impl FnOnce(Socket) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send,
{
    let answer = match create_response_with_body(&request, Body::empty) {
        Ok(answer) => answer,
        Err(error) => return Problem::no_websocket(&error.to_string()),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => converse(Socket::over(upgraded, message_bytes_max).await).await,
            Err(error) => tracing::debug!(%error, "a client left during the handshake"),
        }
    });
    answer
}

/// One open WebSocket.
pub struct Socket {
    inner: WebSocketStream<TokioIo<Upgraded>>,
    /// Heads and bodies the connection has not taken yet.
    unsent: VecDeque<Bytes>,
    /// The connection took nothing when it was last asked: what was written before fills its buffer.
    full: bool,
    /// It has taken bytes since, so the other end has read some.
    relieved: bool,
}

impl Socket {
    async fn over(upgraded: Upgraded, message_bytes_max: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(LIBRARY_BYTES)
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max));
        let upgraded = TokioIo::new(upgraded);
        let inner = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await;
        Self { inner, unsent: VecDeque::new(), full: false, relieved: false }
    }

    /// The next message. Only while nothing is unsent: the library answers pings, and must not do so within a frame.
    pub async fn recv(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        debug_assert!(self.unsent.is_empty(), "reading waits for writing");
        self.inner.next().await
    }

    /// Takes a message over; [`Socket::flush`] writes it.
    pub fn queue(&mut self, message: &Framed) {
        self.unsent.push_back(message.head.clone());
        self.unsent.extend(message.body.iter().filter(|part| !part.is_empty()).cloned());
    }

    /// Writes what is unsent. May be dropped and called again: what was not written stays.
    pub async fn flush(&mut self) -> Result<(), tungstenite::Error> {
        // First what the library wants to say: nothing, or an answer to a ping.
        self.inner.flush().await?;
        while !self.unsent.is_empty() {
            let written = poll_fn(|context| self.poll_write(context)).await?;
            self.advance(written);
        }
        // Room for many frames, after a long time away, is given back.
        self.unsent = VecDeque::new();
        Ok(())
    }

    /// Whether the connection has taken bytes after it was full, since this was asked last.
    pub fn was_relieved(&mut self) -> bool {
        std::mem::take(&mut self.relieved)
    }

    /// Writes what is unsent and says goodbye.
    pub async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), tungstenite::Error> {
        self.flush().await?;
        self.inner.close(Some(CloseFrame { code: code.into(), reason: reason.into() })).await
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let mut count = 0;
        for (slice, part) in slices.iter_mut().zip(&self.unsent) {
            *slice = IoSlice::new(part);
            count += 1;
        }
        let connection = Pin::new(self.inner.get_mut());
        let polled = connection.poll_write_vectored(context, &slices[..count]);
        if polled.is_pending() {
            self.full = true;
        }
        let written = ready!(polled)?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.relieved |= std::mem::take(&mut self.full);
        Poll::Ready(Ok(written))
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(part) = self.unsent.front_mut() {
            if part.len() > written {
                bytes::Buf::advance(part, written);
                return;
            }
            written -= part.len();
            self.unsent.pop_front();
        }
    }
}
