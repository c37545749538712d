//! Orders to a world's clock: one on its way at a time, and of what is wished meanwhile only the newest.
//!
//! What should be here: what is sent next. What should not: buttons, and what a clock accepts (the server).

use domain::world::{SetClock, WorldAnswer};
use leptos::prelude::*;

use crate::api::ApiError;
use crate::ask::Asker;
use crate::submit::Submit;

/// Wishes on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Line {
    busy: bool,
    next: Option<SetClock>,
}

impl Line {
    /// What is to be sent now.
    fn wish(&mut self, wish: SetClock) -> Option<SetClock> {
        if self.busy {
            self.next = Some(after(self.next, wish));
            return None;
        }
        self.busy = true;
        Some(wish)
    }

    /// An answer has come: what is to be sent now.
    fn answered(&mut self) -> Option<SetClock> {
        let next = self.next.take();
        self.busy = next.is_some();
        next
    }
}

/// Two wishes as one: of each thing the newer.
fn after(held: Option<SetClock>, wish: SetClock) -> SetClock {
    let held = held.unwrap_or_default();
    SetClock { pace_milli: wish.pace_milli.or(held.pace_milli), at: wish.at.or(held.at) }
}

/// Sends orders to the clock of this page's world.
#[derive(Clone, Copy)]
pub struct Orders {
    line: StoredValue<Line>,
    sent: Submit,
    asks: Asker,
    /// What the world last said of itself.
    pub world: RwSignal<Option<WorldAnswer>>,
    pub problem: RwSignal<Option<ApiError>>,
}

impl Orders {
    pub fn new() -> Self {
        Self {
            line: StoredValue::new(Line::default()),
            sent: Submit::new(),
            asks: Asker::new(),
            world: RwSignal::new(None),
            problem: RwSignal::new(None),
        }
    }

    /// Asks what world this is.
    pub fn look(self) {
        self.asks.ask("/api/v1/world".to_owned(), move |answer| self.hear(answer));
    }

    pub fn wish(self, wish: SetClock) {
        if let Some(now) = self.line.try_update_value(|line| line.wish(wish)).flatten() {
            self.send(now);
        }
    }

    fn send(self, wish: SetClock) {
        self.sent.post("/api/v1/world/clock", &wish, move |answer| {
            self.hear(answer);
            if let Some(next) = self.line.try_update_value(Line::answered).flatten() {
                self.send(next);
            }
        });
    }

    fn hear(self, answer: Result<WorldAnswer, ApiError>) {
        match answer {
            Ok(world) => {
                self.problem.set(None);
                self.world.set(Some(world));
            }
            Err(error) => self.problem.set(Some(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::moment::UtcMillis;

    use super::*;

    fn at(ms: i64) -> SetClock {
        SetClock { at: Some(UtcMillis(ms)), pace_milli: None }
    }

    fn pace(milli: u32) -> SetClock {
        SetClock { at: None, pace_milli: Some(milli) }
    }

    #[test]
    fn of_what_is_wished_while_one_is_on_its_way_the_newest_of_each_thing_is_sent_and_nothing_twice() {
        let mut line = Line::default();
        assert_eq!(line.wish(at(1)), Some(at(1)));
        assert_eq!([line.wish(at(2)), line.wish(pace(0)), line.wish(at(3))], [None, None, None]);
        let both = SetClock { at: Some(UtcMillis(3)), pace_milli: Some(0) };
        assert_eq!(line.answered(), Some(both));
        assert_eq!(line.answered(), None);
        assert_eq!(line.wish(pace(60_000)), Some(pace(60_000)), "the line is free again");
    }
}
