//! A hall without a store for tests: its policy, a report, and a desk that decides, records and applies.

use crate::case::{Case, Priority, Report};
use crate::catalogue::{Area, AreaLevel, Class, ClassKind, Condition, Department, Milestone, Name, Source};
use crate::clock::{Limit, LimitKind, WorkCalendar};
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use crate::command::Command;
use crate::event::{By, Recorded};
use crate::moment::{UtcMillis, UtcOffset};
use crate::policy::{Policy, SidePaths};
use crate::rejection::Rejection;
use crate::state::{State, decide, steps};
use crate::tally::{Dimension, Measure, Period};

pub(crate) const START: UtcMillis = UtcMillis(1_781_486_400_000); // 2026-06-15 09:20 in Shanghai, a Monday.

pub(crate) fn name(text: &str) -> Name {
    Name { zh: text.into(), en: text.into() }
}

fn policy() -> Policy {
    let area = |code: &str, level, parent: Option<&str>| Area {
        code: AreaCode::new(code).unwrap(),
        level,
        parent: parent.map(|code| AreaCode::new(code).unwrap()),
        name: name(code),
        short: None,
        retired: false,
    };
    let class = |code: &str| Class {
        code: ClassCode::new(code).unwrap(),
        kind: ClassKind::Event,
        name: name(code),
        key: false,
        main: None,
        base_weight: None,
        disposal_limit: Some(Limit::new(2, LimitKind::URGENT_HOUR)),
        short: None,
        retired: false,
    };
    let department = |code: &str| Department {
        code: DepartmentCode::new(code).unwrap(),
        name: name(code),
        short: None,
        retired: false,
    };
    let milestone =
        |hours| Milestone { name: name("part"), limit: Limit::new(hours, LimitKind::URGENT_HOUR) };
    Policy {
        stated_source: "tests".into(),
        centre: name("centre"),
        utc_offset_minutes: UtcOffset(480),
        dispatch_limit: Limit::new(4, LimitKind::URGENT_HOUR),
        disposal_limit: Limit::new(1, LimitKind::WORK_DAY),
        whistle_response_minutes: 30,
        powers_together: None,
        forecast_minutes: 30,
        lamp_yellow_percent: 80,
        position_stale_seconds: 120,
        clock_skew_seconds: 120,
        backdate_days: 30,
        notes_per_case: 3,
        side_paths: SidePaths { returns: 2, reworks: 1, ..SidePaths::default() },
        files_per_case: 3,
        bounds: None,
        calendar: WorkCalendar::default(),
        areas: vec![
            area("5301", AreaLevel::City, None),
            area("530102", AreaLevel::District, Some("5301")),
            area("530103", AreaLevel::District, Some("5301")),
            area("530102001", AreaLevel::Street, Some("530102")),
        ],
        classes: vec![class("E01"), class("P01")],
        sources: vec![Source {
            code: SourceCode::new("hotline").unwrap(),
            name: name("hotline"),
            retired: false,
        }],
        departments: vec![department("urban"), department("fire")],
        responsibilities: Vec::new(),
        conditions: vec![Condition {
            code: "E01.1".parse().unwrap(),
            class: ClassCode::new("E01").unwrap(),
            name: name("burst"),
            milestones: vec![milestone(1), milestone(6)],
            close_condition: None,
            retired: false,
        }],
    }
}

pub(crate) fn report(area: &str, class: &str) -> Report {
    Report {
        source: SourceCode::new("hotline").unwrap(),
        class: ClassCode::new(class).unwrap(),
        area: AreaCode::new(area).unwrap(),
        condition: None,
        address: "北京路".into(),
        description: String::new(),
        place: None,
        priority: Priority::Ordinary,
        base_count: 1,
        reporter: None,
        external: None,
    }
}

/// A hall without a store: decides, records, applies.
pub(crate) struct Desk {
    pub(crate) policy: Policy,
    pub(crate) state: State,
    pub(crate) log: Vec<Recorded>,
    pub(crate) now: UtcMillis,
    /// The case that changed last, open or closed.
    pub(crate) last_case: Case,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let policy = policy();
        let last_case = steps::reported(CaseId(0), "", &report("5301", "E01"), &[], START);
        let state = State::new(&policy);
        let mut desk = Self { state, policy, log: Vec::new(), now: START, last_case };
        desk.send(Command::PassDeadlines).unwrap();
        desk
    }

    pub(crate) fn send(&mut self, command: Command) -> Result<(), Rejection> {
        let events = decide(&self.state, &command, self.now)?;
        for event in events {
            let recorded = Recorded { seq: self.state.seq + 1, at: self.now, by: By::named("周敏"), event };
            let changes = self.state.apply(&recorded);
            if let Some(case) = changes.case {
                self.last_case = case;
            }
            self.log.push(recorded);
        }
        Ok(())
    }

    /// Lets time pass as the timer would: every deadline is recorded at its own moment.
    pub(crate) fn pass(&mut self, ms: i64) {
        let until = self.now.plus(ms);
        while let Some(next) = self.state.next_deadline().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.send(Command::PassDeadlines).unwrap();
        }
        self.now = until;
        self.send(Command::PassDeadlines).unwrap();
        // What was replanned by that may be due already: as the timer does, ask until there is nothing.
        while self.state.next_deadline().is_some_and(|next| next <= until) {
            self.send(Command::PassDeadlines).unwrap();
        }
    }

    pub(crate) fn city(&self, measure: Measure, period: Period) -> i64 {
        self.state.tally.count(measure, Dimension::City, period)
    }

    pub(crate) fn day(&self) -> Period {
        Period::Day(self.now.local(UtcOffset(480)).date)
    }
}
