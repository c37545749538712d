//! The newest lines of the event log, so that a client which was away for a moment needs no query.
//!
//! Pure. Older lines are read from the log by `live::catchup`.

use domain::code::AreaCode;
use domain::scope::Scope;
use domain::wire::{EventLine, Part};
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
    /// Of the parts of readers that are no area, as long as somebody follows them.
    own: HashMap<Arc<Scope>, Head>,
    began: u64,
}

impl Recent {
    /// Nothing yet after the event `head`.
    #[must_use]
    pub fn start(head: u64) -> Self {
        Self {
            lines: VecDeque::new(),
            head: Head::at(head),
            areas: HashMap::new(),
            own: HashMap::new(),
            began: head,
        }
    }

    /// Last event of the log.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.head.get()
    }

    /// Last line of everything or of a part. Of an area without a line since the start nothing is known: it may have had
    /// one until then; and so of a reader's own part from when somebody follows it.
    pub fn head(&mut self, part: Option<&Part>) -> Head {
        match part {
            None => self.head.clone(),
            Some(Part::Area(code)) => {
                self.areas.entry(code.clone()).or_insert_with(|| Head::at(self.began)).clone()
            }
            Some(Part::Own(Some(scope))) => {
                if !self.own.contains_key(scope) {
                    self.own.retain(|_, head| head.is_followed());
                }
                let seq = self.head.get();
                self.own.entry(scope.clone()).or_insert_with(|| Head::at(seq)).clone()
            }
            Some(Part::Own(None)) => Head::at(self.began),
        }
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
        for (_, head) in self.own.iter().filter(|(scope, _)| is_within(&line, scope)) {
            head.raise(line.seq);
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
        part: Option<&Part>,
    ) -> Option<(u64, Vec<Arc<EventLine>>)> {
        let skip = usize::try_from(from.checked_sub(self.floor())?).ok()?;
        let mut lines = Vec::new();
        let between = self.lines.iter().skip(skip).take_while(|line| line.seq <= upto);
        for line in between.filter(|line| is_in(line, part)) {
            if lines.len() == lines_max {
                let to = lines.last().map_or(from, |line: &Arc<EventLine>| line.seq);
                return Some((to, lines));
            }
            lines.push(line.clone());
        }
        Some((upto.max(from), lines))
    }

    /// The newest lines of everything or of a part, oldest first, and the event after which they are every one: a
    /// street's ticker shows its own last lines, however busy the rest of the city is. They are looked for in all that is
    /// held, so nothing is kept twice.
    #[must_use]
    pub fn newest(&self, count: usize, part: Option<&Part>) -> (u64, Vec<Arc<EventLine>>) {
        let mut lines: Vec<_> =
            self.lines.iter().rev().filter(|line| is_in(line, part)).take(count).cloned().collect();
        lines.reverse();
        let first = lines.first().filter(|_| lines.len() == count);
        (first.map_or(self.floor(), |line| line.seq - 1), lines)
    }
}

/// Whether a line belongs to the topic `case/AREA`: it is about a case in that area or below it; or to a reader's own.
#[must_use]
pub fn is_in(line: &EventLine, part: Option<&Part>) -> bool {
    match part {
        None => true,
        Some(Part::Area(area)) => line.case.as_ref().is_some_and(|case| case.area_path.contains(area)),
        Some(Part::Own(scope)) => scope.as_ref().is_some_and(|scope| is_within(line, scope)),
    }
}

fn is_within(line: &EventLine, scope: &Scope) -> bool {
    line.case.as_ref().is_some_and(|case| scope.admits(&case.area_path, &case.department))
}
