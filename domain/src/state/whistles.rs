//! `apply` for whistle calls (吹哨): raised, answered, closed, and what they stand for in the tallies.

use super::{Alarm, Changes, State};
use crate::command::{DeadlineOf, Event, Recorded};
use crate::tally::{Counted, Measure};
use crate::whistle::{Called, Whistle};

impl State {
    pub(super) fn apply_whistle(&mut self, recorded: &Recorded, changes: &mut Changes) {
        match &recorded.event {
            Event::WhistleRaised { whistle: id, call, area_path, due } => {
                let called = call.called.iter().cloned();
                let called =
                    called.map(|department| Called { department, responded: None, late: false }).collect();
                let whistle = Whistle {
                    id: *id,
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
                    self.deadlines.insert((*due, Alarm::Due, DeadlineOf::Response(*id, department.clone())));
                }
                let of = counted_whistle(&whistle);
                self.count_flow_of(&of, Measure::WhistleRaised, recorded.at, changes);
                self.tally.shift(Measure::WhistleOpen, 1, &of, &mut changes.tally);
                self.keep_whistle(whistle, recorded.seq, changes);
            }
            Event::WhistleAnswered { whistle: id, department } => {
                let Some(mut whistle) = self.whistles.remove(id) else { return };
                self.deadlines.remove(&(
                    whistle.due,
                    Alarm::Due,
                    DeadlineOf::Response(*id, department.clone()),
                ));
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
            Event::WhistleClosed { whistle: id, .. } => {
                let Some(mut whistle) = self.whistles.remove(id) else { return };
                for called in whistle.missing() {
                    let of = DeadlineOf::Response(*id, called.department.clone());
                    self.deadlines.remove(&(whistle.due, Alarm::Due, of));
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
            _ => unreachable!("only called for whistle events"),
        }
    }

    pub(super) fn keep_whistle(&mut self, mut whistle: Whistle, seq: u64, changes: &mut Changes) {
        whistle.version = seq;
        changes.whistle = Some(whistle.clone());
        if whistle.closed.is_none() {
            self.whistles.insert(whistle.id, whistle);
        }
    }
}

pub(super) fn counted_whistle(whistle: &Whistle) -> Counted<'_> {
    Counted { areas: &whistle.area_path, source: None, class: None }
}
