//! Encoded deltas, each made once for all connections that need the same one, and without a lock that anybody waits for.
//!
//! What should be here: the two encodings, how much fits, and the cache by topic, format and versions. What should not:
//! who gets them, what is new (`topics`).

use bytes::Bytes;
use domain::audience::Audience;
use domain::tally::{Count, TallyKey};
use domain::wire::{Delta, EventLine, Events, Keyed, OpenRows, Payload, ServerMessage, Topic};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::socket::Framed;
use super::topics::Rows;
use crate::lock::lock;

/// Largest message sent: what one stalled client may hold. A client that needs more takes a snapshot.
pub const MESSAGE_BYTES_MAX: usize = 200 * 1024;
/// A delta is closed when it has this many bytes: the largest line or row still fits after it, so that lines never are
/// too long for a frame, whatever people write.
const DELTA_BYTES: usize = 64 * 1024;
/// Bytes of deltas kept, and how many; past that they are made without being kept.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;
const CACHE_ENTRIES_MAX: usize = 16_384;

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

    /// For metrics too. The counters are looked up once: thousands of screens are sent something each second.
    pub fn count_sent(self, messages: u64, bytes: u64) {
        static BINARY: OnceLock<[metrics::Counter; 2]> = OnceLock::new();
        static JSON: OnceLock<[metrics::Counter; 2]> = OnceLock::new();
        let counters = match self {
            Self::Binary => &BINARY,
            Self::Json => &JSON,
        };
        let [sent, written] = counters.get_or_init(|| {
            let sent = metrics::counter!("gridhall_live_frames_total", "format" => self.key());
            [sent, metrics::counter!("gridhall_live_bytes_total", "format" => self.key())]
        });
        sent.increment(messages);
        written.increment(bytes);
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
    /// This delta brings it to version `to`.
    Delta { to: u64, delta: Bytes },
    /// These packed position frames bring it to version `to`.
    Packed { to: u64, frames: Vec<Framed> },
    /// Its lines must be read from the log first.
    Log,
    /// It needs a new snapshot.
    TooFarBehind,
}

impl Next {
    fn bytes(&self) -> usize {
        match self {
            Self::Delta { delta, .. } => 200 + delta.len(),
            Self::Packed { frames, .. } => 200 + frames.iter().map(Framed::len).sum::<usize>(),
            Self::Idle | Self::Log | Self::TooFarBehind => 0,
        }
    }
}

/// Topic, format, where a delta starts and where it may end.
pub type Key = (Topic, Format, u64, u64);

/// Deltas by what they are.
#[derive(Debug, Default)]
pub struct Frames {
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    made: HashMap<Key, Arc<OnceLock<Next>>>,
    bytes: usize,
}

impl Frames {
    /// Makes it unless another connection has. Whoever needs the same waits for the first; nobody else does.
    pub fn made_once(&self, key: Key, make: impl FnOnce() -> Next) -> Next {
        let format = key.1;
        let place = {
            let mut cache = lock(&self.cache);
            match cache.made.get(&key) {
                Some(place) => Some(place.clone()),
                None if cache.bytes < CACHE_BYTES_MAX && cache.made.len() < CACHE_ENTRIES_MAX => {
                    Some(cache.made.entry(key).or_default().clone())
                }
                None => None,
            }
        };
        let mut fresh = 0;
        let make = || {
            let next = make();
            fresh = next.bytes();
            if fresh > 0 {
                metrics::counter!("gridhall_live_frames_encoded_total", "format" => format.key())
                    .increment(1);
            }
            next
        };
        let Some(place) = place else {
            metrics::counter!("gridhall_live_frames_not_kept_total").increment(1);
            return make();
        };
        let next = place.get_or_init(make).clone();
        if fresh > 0 {
            lock(&self.cache).bytes += fresh;
        }
        next
    }

    /// Forgets deltas that lead to versions below the present ones: nobody is led there any more. Positions and their
    /// numbers count by `ticks`, all else by `seq`.
    pub fn forget_before(&self, seq: u64, ticks: u64) {
        let mut cache = lock(&self.cache);
        cache
            .made
            .retain(|(topic, _, _, upto), _| *upto >= if topic.kind.counts_events() { seq } else { ticks });
        cache.bytes = cache.made.values().filter_map(|place| place.get().map(Next::bytes)).sum();
    }
}

/// Rows as one delta, as far as they fit; or the word that not even the first do.
#[must_use]
pub fn delta(format: Format, topic: &Topic, from: u64, to: u64, rows: Rows) -> Next {
    let (to, payload) = fitted(format, to, rows, topic.audience);
    encoded(format, &Delta { topic: topic.clone(), from, to, payload })
}

/// One delta as it is.
#[must_use]
pub fn encoded(format: Format, delta: &Delta) -> Next {
    let bytes = match format {
        Format::Binary => delta.to_part(),
        Format::Json => serde_json::to_vec(delta).expect("every type of the protocol has a JSON form"),
    };
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Next::TooFarBehind;
    }
    Next::Delta { to: delta.to, delta: bytes.into() }
}

/// All rows as they travel in a snapshot, as far as they are for its readers.
#[must_use]
pub fn payload(rows: Rows, audience: Audience) -> Payload {
    match rows {
        Rows::Tally(rows) => Payload::Tally(rows.into_iter().map(|row| cell(row).1).collect()),
        Rows::Overdue(rows) => Payload::Overdue(rows.into_iter().map(|row| keyed(row).1).collect()),
        Rows::Whistle(rows) => Payload::Whistle(rows.into_iter().map(|row| keyed(row).1).collect()),
        Rows::Who(rows) => Payload::Who(rows.into_iter().map(|row| keyed(row).1).collect()),
        Rows::Open(rows) => {
            let rows = rows.iter().map(|(id, version, case)| (*id, *version, case.as_deref()));
            Payload::Open(OpenRows::pack(rows))
        }
        Rows::Lines { since, lines } => {
            let lines = lines.iter().map(|line| shown(line, audience)).collect();
            Payload::Case(Events { since, lines })
        }
    }
}

/// The rows that fit a delta, and the version it then reaches.
fn fitted(format: Format, to: u64, rows: Rows, audience: Audience) -> (u64, Payload) {
    match rows {
        Rows::Tally(rows) => {
            let (to, rows) = fit(rows.into_iter().map(cell), to, |cell| size(format, cell));
            (to, Payload::Tally(rows))
        }
        Rows::Overdue(rows) => {
            let (to, rows) = fit(rows.into_iter().map(keyed), to, |row| size(format, row));
            (to, Payload::Overdue(rows))
        }
        Rows::Whistle(rows) => {
            let (to, rows) = fit(rows.into_iter().map(keyed), to, |row| size(format, row));
            (to, Payload::Whistle(rows))
        }
        Rows::Who(rows) => {
            let (to, rows) = fit(rows.into_iter().map(keyed), to, |row| size(format, row));
            (to, Payload::Who(rows))
        }
        Rows::Open(rows) => {
            // In JSON a row's fields have names.
            let each = match format {
                Format::Binary => 1,
                Format::Json => 4,
            };
            let rows = rows.into_iter().map(|row| (row.1, row));
            let weigh = |(_, _, case): &(u64, u64, Option<Arc<domain::wire::OpenCase>>)| {
                each * case.as_ref().map_or(16, |case| case.weight())
            };
            let (to, rows) = fit(rows, to, weigh);
            (to, payload(Rows::Open(rows), audience))
        }
        Rows::Lines { since, lines } => {
            let lines = lines.iter().map(|line| (line.seq, shown(line, audience)));
            let (to, lines) = fit(lines, to, |line| size(format, line));
            (to, Payload::Case(Events { since, lines }))
        }
    }
}

fn shown(line: &EventLine, audience: Audience) -> EventLine {
    audience.show(line.clone()).into_inner()
}

fn cell<K: std::ops::Deref<Target = TallyKey>>(
    (key, version, cell): (K, u64, Option<super::digest::Cell>),
) -> (u64, (TallyKey, Count)) {
    (version, ((*key).clone(), cell.map(|cell| cell.value).unwrap_or_default()))
}

fn keyed<T: Clone>((id, version, row): (u64, u64, Option<Arc<T>>)) -> (u64, Keyed<T>) {
    (version, Keyed { id, version, row: row.map(|row| row.as_ref().clone()) })
}

/// Takes rows in order of version until they have [`DELTA_BYTES`]; a delta ends between two versions. With the version
/// it reaches: `to` when all fit.
fn fit<T>(rows: impl Iterator<Item = (u64, T)>, to: u64, weigh: impl Fn(&T) -> usize) -> (u64, Vec<T>) {
    let (mut taken, mut bytes, mut last) = (Vec::new(), 0, None);
    for (version, row) in rows {
        if bytes >= DELTA_BYTES
            && let Some(last) = last.filter(|last| *last != version)
        {
            return (last, taken);
        }
        bytes += weigh(&row);
        last = Some(version);
        taken.push(row);
    }
    (to, taken)
}

/// How long a row is in its encoding.
fn size(format: Format, row: &impl Serialize) -> usize {
    match format {
        Format::Binary => postcard::experimental::serialized_size(row).unwrap_or(DELTA_BYTES),
        Format::Json => {
            let mut length = Length(0);
            serde_json::to_writer(&mut length, row).map_or(DELTA_BYTES, |()| length.0 + 1)
        }
    }
}

/// Counts what is written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
