//! The newest lines of the event log, so that a client which was away for a moment needs no query.
//!
//! Pure. Older lines are read from the log by `live::catchup`.

use domain::code::AreaCode;
use domain::wire::EventLine;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::versioned::Head;

/// Lines held; at about 1 KB each a few MB.
pub const LINES_MAX: usize = 4_096;

/// Consecutive lines ending at the head.
#[derive(Debug, Default)]
pub struct Recent {
    lines: VecDeque<Arc<EventLine>>,
    head: Head,
    /// Last line of each area that has had one.
    areas: HashMap<AreaCode, Head>,
    began: u64,
}

impl Recent {
    /// Nothing yet after the event `head`.
    #[must_use]
    pub fn start(head: u64) -> Self {
        Self { lines: VecDeque::new(), head: Head::at(head), areas: HashMap::new(), began: head }
    }

    /// Last event of the log.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.head.get()
    }

    /// Last line of everything or of one area. Of an area without a line since the start nothing is known: it may have
    /// had one until then.
    pub fn head(&mut self, area: Option<&AreaCode>) -> Head {
        let Some(code) = area else { return self.head.clone() };
        self.areas.entry(code.clone()).or_insert_with(|| Head::at(self.began)).clone()
    }

    /// Sequence number before the first line held: a client that stands there or later is served from here.
    #[must_use]
    pub fn floor(&self) -> u64 {
        self.seq() - self.lines.len() as u64
    }

    /// Adds the next line.
    pub fn push(&mut self, line: Arc<EventLine>) {
        debug_assert_eq!(line.seq, self.seq() + 1, "lines come in order and once");
        self.head.raise(line.seq);
        for code in line.case.iter().flat_map(|case| &case.area_path) {
            match self.areas.get(code) {
                Some(head) => head.raise(line.seq),
                None => drop(self.areas.insert(code.clone(), Head::at(line.seq))),
            }
        }
        self.lines.push_back(line);
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// Puts older lines, read from the log after a restart, before those held. Ignored unless they end where these
    /// begin.
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

    /// Lines after `from` up to and including `upto`, at most `lines_max`, and the event they reach; none when they are
    /// older than those held.
    #[must_use]
    pub fn since(
        &self,
        from: u64,
        upto: u64,
        lines_max: usize,
        area: Option<&AreaCode>,
    ) -> Option<(u64, Vec<Arc<EventLine>>)> {
        let skip = usize::try_from(from.checked_sub(self.floor())?).ok()?;
        let mut lines = Vec::new();
        let between = self.lines.iter().skip(skip).take_while(|line| line.seq <= upto);
        for line in between.filter(|line| is_in(line, area)) {
            if lines.len() == lines_max {
                let to = lines.last().map_or(from, |line: &Arc<EventLine>| line.seq);
                return Some((to, lines));
            }
            lines.push(line.clone());
        }
        Some((upto.max(from), lines))
    }

    /// The newest lines of everything or of one area, oldest first, and the event after which they are every one: a
    /// street's ticker shows its own last lines, however busy the rest of the city is. They are looked for in all that is
    /// held, so nothing is kept twice.
    #[must_use]
    pub fn newest(&self, count: usize, area: Option<&AreaCode>) -> (u64, Vec<Arc<EventLine>>) {
        let mut lines: Vec<_> =
            self.lines.iter().rev().filter(|line| is_in(line, area)).take(count).cloned().collect();
        lines.reverse();
        let first = lines.first().filter(|_| lines.len() == count);
        (first.map_or(self.floor(), |line| line.seq - 1), lines)
    }
}

/// Whether a line belongs to the topic `case/AREA`: it is about a case in that area or below it.
#[must_use]
pub fn is_in(line: &EventLine, area: Option<&AreaCode>) -> bool {
    area.is_none_or(|area| line.case.as_ref().is_some_and(|case| case.area_path.contains(area)))
}
