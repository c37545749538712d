//! Encoded messages, made once for all connections that need the same one.
//!
//! What should be here: the two encodings and the cache of frames by topic, format and starting version. What should
//! not: who gets them.

use domain::wire::{Hex64, Payload, ServerMessage, Topic};
use std::collections::HashMap;
use std::sync::Mutex;

use super::board::{Board, Heads, Step};
use super::socket::Framed;
use crate::lock::lock;

/// Largest message sent: what one stalled client may hold. A client that needs more takes a snapshot.
pub const MESSAGE_BYTES_MAX: usize = 200 * 1024;
/// Bytes of frames kept; past that all are forgotten and made again.
const CACHE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How a connection wants its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Binary,
    Json,
}

impl Format {
    /// For metrics.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Json => "json",
        }
    }
}

/// Encodes one message.
#[must_use]
pub fn encode(format: Format, message: &ServerMessage) -> Framed {
    match format {
        Format::Binary => Framed::binary(message.to_bytes()),
        Format::Json => {
            Framed::text(serde_json::to_string(message).expect("every type of the protocol has a JSON form"))
        }
    }
}

/// The next thing to send to a subscriber.
#[derive(Debug, Clone)]
pub enum Next {
    /// Nothing new.
    Idle,
    /// These messages bring it to version `to`.
    Frames { to: u64, messages: Vec<Framed> },
    /// Its lines must be read from the store first.
    Store,
    /// It needs a new snapshot.
    TooFarBehind,
}

/// Frames by topic, format, where they start and where they may end.
#[derive(Debug, Default)]
pub struct Frames {
    cache: Mutex<Cache>,
}

type Key = (Topic, Format, u64, u64);

#[derive(Debug, Default)]
struct Cache {
    frames: HashMap<Key, Next>,
    bytes: usize,
}

impl Frames {
    /// The frame that brings a subscriber of a topic from `from` towards `heads`.
    pub fn next(
        &self,
        board: &Mutex<Board>,
        topic: &Topic,
        format: Format,
        from: u64,
        heads: &Heads,
    ) -> Next {
        let upto = heads.of(topic);
        if from >= upto {
            return Next::Idle;
        }
        self.made_once((topic.clone(), format, from, upto), || {
            let (epoch, step) = {
                let board = lock(board);
                (board.epoch, board.step(topic, from, upto))
            };
            match step {
                Step::Payload { to, payload } => delta(format, topic, epoch, from, to, payload),
                Step::Store => Next::Store,
                Step::TooFarBehind => Next::TooFarBehind,
            }
        })
    }

    /// Makes the frame unless another connection has: the others wait for the first.
    pub fn made_once(&self, key: Key, make: impl FnOnce() -> Next) -> Next {
        let mut cache = lock(&self.cache);
        if let Some(frame) = cache.frames.get(&key) {
            return frame.clone();
        }
        let frame = make();
        if let Next::Frames { messages, .. } = &frame {
            cache.bytes += 200 + messages.iter().map(Framed::len).sum::<usize>();
            metrics::counter!("gridhall_live_frames_encoded_total", "format" => key.1.key()).increment(1);
        }
        if cache.bytes > CACHE_BYTES_MAX || cache.frames.len() > 4_096 {
            cache.frames.clear();
            cache.bytes = 0;
        }
        if !matches!(frame, Next::Store) {
            cache.frames.insert(key, frame.clone());
        }
        frame
    }

    /// Forgets frames that lead to versions below the present ones: nobody stands there any more but stragglers,
    /// who get a longer frame.
    pub fn forget_before(&self, heads: &Heads) {
        let mut cache = lock(&self.cache);
        cache.frames.retain(|(topic, .., upto), _| *upto >= heads.of(topic));
        cache.bytes = cache.frames.values().map(Next::bytes).sum();
    }
}

impl Next {
    fn bytes(&self) -> usize {
        match self {
            Self::Frames { messages, .. } => 200 + messages.iter().map(Framed::len).sum::<usize>(),
            Self::Idle | Self::Store | Self::TooFarBehind => 0,
        }
    }
}

/// One delta as a frame, or the word that it does not fit.
#[must_use]
pub fn delta(format: Format, topic: &Topic, epoch: u64, from: u64, to: u64, payload: Payload) -> Next {
    let message = ServerMessage::Delta { topic: topic.clone(), epoch: Hex64(epoch), from, to, payload };
    let message = encode(format, &message);
    if message.len() > MESSAGE_BYTES_MAX {
        return Next::TooFarBehind;
    }
    Next::Frames { to, messages: vec![message] }
}
