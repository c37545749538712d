//! The newest lines of the event log, so that a client which was away for a moment needs no query.
//!
//! Pure. Older lines are read from the store by `live::catchup`.

use domain::code::AreaCode;
use domain::wire::EventLine;
use std::collections::VecDeque;
use std::sync::Arc;

/// Lines held; at about 1 KB each a few MB.
pub const LINES_MAX: usize = 4_096;

/// Consecutive lines ending at the head.
#[derive(Debug, Default)]
pub struct Ring {
    lines: VecDeque<Arc<EventLine>>,
    head: u64,
}

impl Ring {
    /// An empty ring after the event `head`.
    #[must_use]
    pub fn start(head: u64) -> Self {
        Self { lines: VecDeque::new(), head }
    }

    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Sequence number before the first line held: a client that stands there or later is served from here.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.head - self.lines.len() as u64
    }

    /// Adds the next line.
    pub fn push(&mut self, line: Arc<EventLine>) {
        debug_assert_eq!(line.seq, self.head + 1, "lines come in order and once");
        self.head = line.seq;
        self.lines.push_back(line);
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// Puts older lines, read from the store after a restart, before those held. Ignored unless they end where the
    /// ring begins.
    pub fn put_before(&mut self, older: &[Arc<EventLine>]) {
        let floor = self.floor();
        let older = &older[..older.partition_point(|line| line.seq <= floor)];
        if older.last().is_none_or(|line| line.seq != floor) {
            return;
        }
        let room = LINES_MAX.saturating_sub(self.lines.len());
        for line in older.iter().rev().take(room) {
            self.lines.push_front(line.clone());
        }
    }

    /// Lines after `from` up to and including `upto`, at most `lines_max`; none when they are older than the ring.
    #[must_use]
    pub fn since(&self, from: u64, upto: u64, lines_max: usize) -> Option<Vec<Arc<EventLine>>> {
        let skip = usize::try_from(from.checked_sub(self.floor())?).ok()?;
        let count = usize::try_from(upto.saturating_sub(from)).unwrap_or(usize::MAX).min(lines_max);
        Some(self.lines.iter().skip(skip).take(count).cloned().collect())
    }

    /// The newest lines, oldest first.
    #[must_use]
    pub fn newest(&self, count: usize) -> Vec<Arc<EventLine>> {
        self.lines.iter().skip(self.lines.len().saturating_sub(count)).cloned().collect()
    }
}

/// Whether a line belongs to the topic `case/AREA`: it is about a case in that area or below it.
#[must_use]
pub fn lies_in(line: &EventLine, area: &AreaCode) -> bool {
    line.case.as_ref().is_some_and(|case| case.area_path.contains(area))
}
