//! The binary encoding: a kind byte, then postcard or a packed position frame. JSON is left to the callers, who have
//! a JSON library.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ClientMessage, Hex64, KIND_MESSAGE, KIND_POSITIONS, PROTOCOL, ServerMessage, Snapshot};
use crate::position::{DecodeError, Frame};

/// One binary message from the server.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    Message(ServerMessage),
    Positions(Frame),
}

/// Why bytes are not a message of this protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableError {
    #[error("message is empty; expected a kind byte")]
    Empty,
    #[error("message has kind {0}; expected 1 (message) or 2 (positions)")]
    Kind(u8),
    #[error("message cannot be decoded as postcard")]
    Malformed,
    #[error("{0} bytes follow after the message")]
    Trailing(usize),
    #[error(transparent)]
    Positions(#[from] DecodeError),
}

impl ServerMessage {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }
}

impl ClientMessage {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads one message. The greeting of another protocol is read as far as its number, so that its sender can be told
    /// in words.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnreadableError> {
        match bytes {
            [KIND_MESSAGE, 0, protocol, ..] if *protocol != PROTOCOL => {
                Ok(Self::Hello { protocol: *protocol, build: String::new() })
            }
            _ => decode(bytes),
        }
    }
}

/// The beginning of a binary [`ServerMessage::Deltas`]: the encodings of `count` deltas follow. Each is made once for
/// all connections, and each connection has the set that it needs.
#[must_use]
pub fn deltas_head(epoch: Hex64, count: usize) -> Vec<u8> {
    let empty = encode(&ServerMessage::Deltas { epoch, deltas: Vec::new() });
    let without_count = empty[..empty.len() - 1].to_vec();
    postcard::to_extend(&count, without_count).expect("a Vec grows, and a number has a postcard form")
}

impl super::Delta {
    /// The encoding without a kind byte, a part of [`ServerMessage::Deltas`].
    #[must_use]
    pub fn to_part(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("a Vec grows, and every type of the protocol has a postcard form")
    }
}

impl Snapshot {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnreadableError> {
        decode(bytes)
    }
}

impl Incoming {
    /// Reads one binary message from the server.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnreadableError> {
        match bytes.split_first() {
            None => Err(UnreadableError::Empty),
            Some((&KIND_POSITIONS, frame)) => Ok(Self::Positions(Frame::decode(frame)?)),
            Some(_) => decode(bytes).map(Self::Message),
        }
    }
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![KIND_MESSAGE])
        .expect("a Vec grows, and every type of the protocol has a postcard form")
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, UnreadableError> {
    let (&kind, body) = bytes.split_first().ok_or(UnreadableError::Empty)?;
    if kind != KIND_MESSAGE {
        return Err(UnreadableError::Kind(kind));
    }
    let (value, rest) = postcard::take_from_bytes(body).map_err(|_| UnreadableError::Malformed)?;
    if rest.is_empty() { Ok(value) } else { Err(UnreadableError::Trailing(rest.len())) }
}
