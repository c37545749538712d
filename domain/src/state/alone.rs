//! One case or one whistle call made of its own events alone (单案重算), whatever else the log holds.
//!
//! What should not be here: where its events come from (the log), more than one of them.

use std::sync::Arc;

use super::State;
use crate::adoption::InForce;
use crate::case::Case;
use crate::catalogue::Name;
use crate::clock::{Limit, LimitKind, WorkCalendar};
use crate::event::Recorded;
use crate::moment::UtcOffset;
use crate::policy::{Policy, SidePaths};
use crate::whistle::Whistle;

/// Takes the events of one case or call in their order and says how it stands after the last of them, closed or not.
#[derive(Debug)]
pub struct Alone {
    state: State,
    case: Option<Case>,
    whistle: Option<Whistle>,
}

impl Alone {
    /// Before the first event.
    #[must_use]
    pub fn new(offset: UtcOffset) -> Self {
        let in_force = InForce::genesis(Arc::new(unruled(offset)));
        Self { state: State::empty(in_force, offset), case: None, whistle: None }
    }

    /// Takes the next event about it; the numbers between belong to others.
    pub fn take(&mut self, recorded: &Recorded) {
        self.state.seq = recorded.seq - 1;
        let changes = self.state.apply(recorded);
        self.case = changes.case.or(self.case.take());
        self.whistle = changes.whistle.or(self.whistle.take());
    }

    #[must_use]
    pub fn case(&self) -> Option<&Case> {
        self.case.as_ref()
    }

    #[must_use]
    pub fn whistle(&self) -> Option<&Whistle> {
        self.whistle.as_ref()
    }

    /// The case, with the deadlines it has running.
    pub(super) fn into_case(self) -> Option<(Case, std::collections::BTreeSet<crate::clock::Deadline>)> {
        Some((self.case?, self.state.deadlines))
    }
}

/// A policy that rules nothing: what has happened is a fact, and no event of one case or call asks a rule.
fn unruled(offset: UtcOffset) -> Policy {
    let hour = Limit::new(1, LimitKind::URGENT_HOUR);
    Policy {
        stated_source: String::new(),
        centre: Name { zh: String::new(), en: String::new() },
        utc_offset_minutes: offset,
        dispatch_limit: hour,
        disposal_limit: hour,
        whistle_response_minutes: 1,
        powers_together: None,
        forecast_minutes: 1,
        lamp_yellow_percent: 1,
        position_stale_seconds: 1,
        clock_skew_seconds: 0,
        backdate_days: 0,
        notes_per_case: 1,
        side_paths: SidePaths::default(),
        files_per_case: 1,
        bounds: None,
        calendar: WorkCalendar::default(),
        areas: Vec::new(),
        classes: Vec::new(),
        sources: Vec::new(),
        departments: Vec::new(),
        conditions: Vec::new(),
        responsibilities: Vec::new(),
    }
}
