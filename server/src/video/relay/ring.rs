//! The last pictures of one stream, and where each viewer stands in them.
//!
//! A viewer holds a cursor, not a queue. Who joins gets the newest group of pictures at once; who falls behind goes on at
//! a key frame, or, where it records, only when the ring itself has gone on. No viewer is ever given a delta whose
//! predecessor it has not been given.

use super::frame::{Configuration, Frame, Stamp};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How much one ring may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub bytes: usize,
    pub age: Duration,
}

/// What a viewer does about being late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// Goes on at a newer key frame when its next frame is older than this: it shows the present.
    Skip(Duration),
    /// Takes every frame the ring still holds, however late: it records.
    Keep,
}

/// A picture before it has a place in the ring.
#[derive(Debug, Clone)]
pub struct Picture {
    pub configuration: Arc<Configuration>,
    pub pts_us: i64,
    pub dts_us: i64,
    pub duration_us: u32,
    pub arrived: Stamp,
    pub key: bool,
    pub discontinuity: bool,
    pub payload: Bytes,
}

/// At most two groups of pictures, contiguous by number.
#[derive(Debug)]
pub struct Ring {
    limits: Limits,
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
    next_number: u64,
    /// Survives when its group has outgrown the limits: a still for who joins then.
    last_key: Option<Arc<Frame>>,
}

/// Where one viewer stands.
#[derive(Debug, Clone)]
pub struct Cursor {
    stand: Stand,
    lag: Lag,
    /// The first frame the viewer was neither given nor told to be without.
    owed: u64,
    /// Frames before this number are the burst of a join: only the last of them is worth painting.
    catch_up_until: u64,
    configuration: Option<u64>,
    /// Has been given any frame.
    given: bool,
    /// Has been in step with the stream; only then can it be too slow.
    started: bool,
    /// The lone key frame it was given.
    still: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Stand {
    /// The frame before this one has been given.
    At(u64),
    /// Nothing but a key frame from this number on may come.
    Key(u64),
}

/// What a viewer gets next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Configuration(Arc<Configuration>),
    Frame {
        frame: Arc<Frame>,
        catch_up: bool,
        /// Frames were left out for this viewer right before this one.
        gap: bool,
    },
    /// It was too slow: this many frames are left out, a key frame follows.
    Skipped(u32),
    Wait,
}

impl Ring {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, frames: VecDeque::new(), bytes: 0, next_number: 0, last_key: None }
    }

    /// Adds a picture. The caller withholds deltas that follow a loss.
    pub fn push(&mut self, picture: Picture) {
        let frame = Arc::new(Frame {
            number: self.next_number,
            configuration: picture.configuration,
            pts_us: picture.pts_us,
            dts_us: picture.dts_us,
            duration_us: picture.duration_us,
            arrived: picture.arrived,
            key: picture.key,
            discontinuity: picture.discontinuity,
            payload: picture.payload,
        });
        self.next_number += 1;
        if frame.key {
            // The group before the one that starts now stays for viewers slightly behind; older ones go.
            let previous = self.last_key.as_ref().map_or(0, |key| key.number);
            self.drop_before(previous);
            self.last_key = Some(Arc::clone(&frame));
        }
        self.bytes += frame.payload.len();
        let oldest = frame.arrived.steady.saturating_sub(self.limits.age);
        self.frames.push_back(frame);
        while self.frames.len() > 1
            && (self.bytes > self.limits.bytes || self.frames[0].arrived.steady < oldest)
        {
            self.pop_front();
        }
    }

    /// Forgets all frames: what comes next has nothing to do with them.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        self.last_key = None;
    }

    /// A cursor for a viewer who has seen nothing yet.
    #[must_use]
    pub fn join(&self, lag: Lag) -> Cursor {
        Cursor {
            stand: Stand::Key(0),
            lag,
            owed: self.next_number,
            catch_up_until: 0,
            configuration: None,
            given: false,
            started: false,
            still: None,
        }
    }

    /// The newest key frame, for snapshots.
    #[must_use]
    pub fn last_key(&self) -> Option<&Arc<Frame>> {
        self.last_key.as_ref()
    }

    /// Bytes of payload held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives `cursor` what comes next at `now`, by the steady clock, and moves it on.
    pub fn next(&self, cursor: &mut Cursor, now: Duration) -> Next {
        if let Stand::At(number) = cursor.stand {
            if number == self.next_number {
                return Next::Wait;
            }
            match self.get(number) {
                Some(frame) if !self.is_too_late(frame, cursor, now) => return give(cursor, frame),
                Some(_) | None => cursor.stand = Stand::Key(number),
            }
        }
        let Stand::Key(from) = cursor.stand else { return Next::Wait };
        let front = self.frames.front().map_or(self.next_number, |frame| frame.number);
        match self.key_for(cursor, from) {
            Some(key) if key.number >= from.max(front) => self.give_key(cursor, key),
            Some(key) if key.number < front && !cursor.started && cursor.still != Some(key.number) => {
                self.give_still(cursor, key)
            }
            Some(_) | None => Next::Wait,
        }
    }

    /// The key frame to go on at: the newest for who shows the present, the first there is for who records.
    fn key_for(&self, cursor: &Cursor, from: u64) -> Option<&Arc<Frame>> {
        let first = || self.frames.iter().find(|frame| frame.key && frame.number >= from);
        match cursor.lag {
            Lag::Skip(_) => self.last_key.as_ref(),
            Lag::Keep => first().or(self.last_key.as_ref()),
        }
    }

    /// Whether a viewer does better to leave `frame` out and go on at a key frame.
    fn is_too_late(&self, frame: &Frame, cursor: &Cursor, now: Duration) -> bool {
        let Lag::Skip(lag) = cursor.lag else { return false };
        let late = now.saturating_sub(frame.arrived.steady);
        if frame.number < cursor.catch_up_until || late <= lag {
            return false;
        }
        let newer_key = self.last_key.as_ref().is_some_and(|key| key.number > frame.number);
        // Without a newer key frame, sending all of it may still catch up; far behind it will not.
        newer_key || (!frame.key && late > 3 * lag)
    }

    /// A key frame to whom nothing else can be given.
    fn give_key(&self, cursor: &mut Cursor, key: &Arc<Frame>) -> Next {
        let skipped = key.number.saturating_sub(cursor.owed);
        cursor.owed = cursor.owed.max(key.number);
        if cursor.started && skipped > 0 {
            return Next::Skipped(u32::try_from(skipped).unwrap_or(u32::MAX));
        }
        cursor.catch_up_until = self.next_number - 1;
        give(cursor, key)
    }

    /// The key frame of a group that has outgrown the limits, to who has just joined: a still until the next one.
    fn give_still(&self, cursor: &mut Cursor, key: &Arc<Frame>) -> Next {
        let next = give(cursor, key);
        if matches!(next, Next::Frame { .. }) {
            cursor.stand = Stand::Key(self.next_number);
            cursor.started = false;
            cursor.still = Some(key.number);
        }
        next
    }

    fn get(&self, number: u64) -> Option<&Arc<Frame>> {
        let front = self.frames.front()?.number;
        self.frames.get(usize::try_from(number.checked_sub(front)?).ok()?)
    }

    fn drop_before(&mut self, number: u64) {
        while self.frames.front().is_some_and(|frame| frame.number < number) {
            self.pop_front();
        }
    }

    fn pop_front(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= frame.payload.len();
        }
    }
}

/// Gives a frame the cursor may have, after its configuration.
fn give(cursor: &mut Cursor, frame: &Arc<Frame>) -> Next {
    if cursor.configuration != Some(frame.configuration.id) {
        cursor.configuration = Some(frame.configuration.id);
        return Next::Configuration(Arc::clone(&frame.configuration));
    }
    let gap = matches!(cursor.stand, Stand::Key(_)) && cursor.given;
    cursor.stand = Stand::At(frame.number + 1);
    cursor.owed = frame.number + 1;
    cursor.given = true;
    cursor.started = true;
    Next::Frame { frame: Arc::clone(frame), catch_up: frame.number < cursor.catch_up_until, gap }
}

#[cfg(test)]
mod tests;
