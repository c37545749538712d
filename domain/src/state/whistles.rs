//! `apply` for whistle calls (吹哨): raised, answered, moved, closed, and what they stand for in the tallies.

use super::{Changes, State, replan};
use crate::clock::{Alarm, ClockOf, Deadline, Subject};
use crate::code::{AreaCode, DepartmentCode, WhistleId};
use crate::event::Recorded;
use crate::moment::UtcMillis;
use crate::tally::{Counted, Measure};
use crate::whistle::{Called, Whistle, WhistleEvent};

/// When a called department must have responded.
fn response(whistle: WhistleId, department: &DepartmentCode, due: UtcMillis) -> Deadline {
    (due, Alarm::Due, Subject::Whistle(whistle, department.clone()), ClockOf::Response)
}

impl State {
    pub(super) fn apply_whistle(
        &mut self,
        id: WhistleId,
        event: &WhistleEvent,
        recorded: &Recorded,
        changes: &mut Changes,
    ) {
        match event {
            WhistleEvent::Raised { call, area_path, due } => {
                let called = call.called.iter().cloned();
                let called =
                    called.map(|department| Called { department, responded: None, late: false }).collect();
                let whistle = Whistle {
                    id,
                    call: call.clone(),
                    area_path: area_path.clone(),
                    raised: recorded.at,
                    due: *due,
                    called,
                    closed: None,
                    version: recorded.seq,
                };
                self.last_whistle = self.last_whistle.max(id.0);
                for department in &call.called {
                    self.deadlines.insert(response(id, department, *due));
                }
                let of = counted_whistle(&whistle);
                self.count_flow_of(&of, Measure::WhistleRaised, recorded.at, changes);
                self.tally.shift(Measure::WhistleOpen, 1, &of, &mut changes.tally);
                self.keep_whistle(whistle, recorded.seq, changes);
            }
            WhistleEvent::Answered { department } => {
                let Some(mut whistle) = self.whistles.remove(&id) else { return };
                self.deadlines.remove(&response(id, department, whistle.due));
                let called = whistle.called.iter_mut().find(|called| called.department == *department);
                let was_late = called.is_some_and(|called| {
                    called.responded = Some(recorded.at);
                    called.late
                });
                if was_late {
                    self.tally.shift(
                        Measure::WhistleLate,
                        -1,
                        &counted_whistle(&whistle),
                        &mut changes.tally,
                    );
                }
                self.keep_whistle(whistle, recorded.seq, changes);
            }
            WhistleEvent::Moved { area_path } => self.move_whistle(id, area_path, recorded.seq, changes),
            WhistleEvent::Closed { .. } => {
                let Some(mut whistle) = self.whistles.remove(&id) else { return };
                for called in whistle.missing() {
                    self.deadlines.remove(&response(id, &called.department, whistle.due));
                }
                let still_late = whistle.missing().filter(|called| called.late).count() as i64;
                let of = counted_whistle(&whistle);
                if still_late > 0 {
                    self.tally.shift(Measure::WhistleLate, -still_late, &of, &mut changes.tally);
                }
                self.tally.shift(Measure::WhistleOpen, -1, &of, &mut changes.tally);
                whistle.closed = Some(recorded.at);
                self.keep_whistle(whistle, recorded.seq, changes);
            }
        }
    }

    /// A called department has not responded in time.
    pub(super) fn miss_response(
        &mut self,
        id: WhistleId,
        department: &DepartmentCode,
        due: UtcMillis,
        changes: &mut Changes,
    ) {
        self.deadlines.remove(&response(id, department, due));
        let Some(mut whistle) = self.whistles.remove(&id) else { return };
        if let Some(called) = whistle.called.iter_mut().find(|called| called.department == *department) {
            called.late = true;
            self.tally.shift(Measure::WhistleLate, 1, &counted_whistle(&whistle), &mut changes.tally);
        }
        self.keep_whistle(whistle, self.seq, changes);
    }

    /// A call lies in other areas now, and what it stands for is counted there. That it was raised stays where it was counted.
    fn move_whistle(&mut self, id: WhistleId, area_path: &[AreaCode], seq: u64, changes: &mut Changes) {
        let Some(mut whistle) = self.whistles.remove(&id) else { return };
        let late = whistle.missing().filter(|called| called.late).count() as i64;
        let was = counted_whistle(&whistle);
        whistle.area_path = area_path.to_vec();
        for (of, sign) in [(was, -1), (counted_whistle(&whistle), 1)] {
            self.tally.shift(Measure::WhistleOpen, sign, &of, &mut changes.tally);
            if late > 0 {
                self.tally.shift(Measure::WhistleLate, sign * late, &of, &mut changes.tally);
            }
        }
        self.keep_whistle(whistle, seq, changes);
    }

    fn keep_whistle(&mut self, mut whistle: Whistle, seq: u64, changes: &mut Changes) {
        whistle.version = seq;
        changes.whistle = Some(whistle.clone());
        self.stale_whistles.remove(&whistle.id);
        if whistle.closed.is_none() {
            if replan::is_call_elsewhere(self, &whistle) {
                self.stale_whistles.insert(whistle.id);
            }
            self.whistles.insert(whistle.id, whistle);
        }
    }
}

fn counted_whistle(whistle: &Whistle) -> Counted {
    Counted { areas: whistle.area_path.clone(), source: None, class: None, base: 0 }
}
