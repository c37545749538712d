//! Local days: how they turn, forward and back, and what is counted by day.
//!
//! What should not be here: when a day turns (`decide.rs`), and which periods are kept (`tally`).

use super::{Changes, State};
use crate::case::Stage;
use crate::moment::{Date, UtcMillis};
use crate::tally::{Counted, Measure};

/// Days whose running numbers are remembered.
const NUMBERED_DAYS_MAX: usize = 800;
/// Days turned to that are remembered: a clock that is ahead by whatever it may be loses no count when it is set right
/// before so many midnights have passed.
const TURNS_KEPT: usize = 8;

impl State {
    pub(super) fn turn_day(&mut self, date: Date, changes: &mut Changes) {
        self.today = date;
        self.turns.push(date);
        if self.turns.len() > TURNS_KEPT {
            self.turns.remove(0);
        }
        let horizon = self.horizon();
        self.tally.turn_day(&mut self.aside, date, horizon, &mut changes.tally);
    }

    /// Counts a running number of `day`. The oldest of very many days goes, unless it is this one: a clock that is years
    /// behind must not number every case of its day alike.
    pub(super) fn count_number(&mut self, day: Date) {
        *self.numbers_of_days.entry(day).or_insert(0) += 1;
        if self.numbers_of_days.len() > NUMBERED_DAYS_MAX {
            let oldest = self.numbers_of_days.keys().find(|known| **known != day).copied();
            oldest.and_then(|oldest| self.numbers_of_days.remove(&oldest));
        }
    }

    /// The earliest day the clock may be set back to without a count being lost.
    fn horizon(&self) -> Date {
        self.turns.iter().min().map_or(self.today, |earliest| self.today.min(*earliest))
    }

    pub(super) fn count_flow_of(
        &mut self,
        of: &Counted,
        measure: Measure,
        at: UtcMillis,
        changes: &mut Changes,
    ) {
        self.tally.flow(measure, at, self.today, self.offset, of, &mut changes.tally);
        self.aside.flow_aside(measure, at, (self.today, self.horizon()), self.offset, of);
    }

    /// Counts in its hour that a case came to a stage or left it.
    pub(super) fn count_move_of(
        &mut self,
        of: &Counted,
        (stage, delta): (Stage, i64),
        at: UtcMillis,
        changes: &mut Changes,
    ) {
        let local = at.local(self.offset);
        self.tally.moved((stage, delta), local, self.today, of, &mut changes.tally);
        self.aside.moved_aside((stage, delta), local, (self.today, self.horizon()), of);
    }
}

#[cfg(test)]
mod tests {
    use crate::case::CaseEvent;
    use crate::command::Command;
    use crate::event::Event;
    use crate::moment::DAY_MS;
    use crate::state::tests::{Desk, report};

    /// A dead clock: the oldest of very many days is the one on which cases are numbered now.
    #[test]
    fn a_clock_years_behind_gives_no_number_twice() {
        let mut desk = Desk::new();
        let start = desk.now;
        let mut report_on = |day: i64| {
            desk.now = start.plus(day * DAY_MS);
            desk.send(Command::ReportCase { report: report("530102", "E01"), at: None }).unwrap();
            desk.log.iter().rev().find_map(|recorded| {
                let Event::Case(_, CaseEvent::Reported { number, .. }) = &recorded.event else { return None };
                Some(number.clone())
            })
        };
        for day in 0..800 {
            report_on(day);
        }
        let behind = [report_on(-2_500), report_on(-2_500), report_on(-2_500)];
        let numbers: Vec<&str> =
            behind.iter().flatten().filter_map(|number| number.split('-').nth(1)).collect();
        assert_eq!(numbers, ["00001", "00002", "00003"]);
    }
}
