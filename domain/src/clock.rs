//! A clock (时限): how long something may take, since when, until when, and how far it has run.
//!
//! What should be here: the shape of a clock and what may be known from it alone. What should not: when one starts or
//! stops (`case::step`), how the rules pass it (`state`), how office hours count (`clock::calendar`).

use serde::{Deserialize, Serialize};

use crate::code::{CaseId, DepartmentCode, WhistleId};
use crate::moment::{UtcMillis, UtcOffset};

pub mod calendar;
pub mod limit;
pub mod spoken;

pub use calendar::WorkCalendar;
pub use limit::{Counts, Limit, LimitKind, Unit};

/// How far a clock has run, as the log has recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    #[default]
    Running,
    /// Within the forecast window before the due time.
    Nearing,
    /// The due time passed while the work was still to be done.
    Overdue,
}

/// What a clock measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockOf {
    /// 派遣时限: from filing to dispatch.
    Dispatch,
    /// 处置时限: from dispatch until the disposal is done.
    Disposal,
    /// 分段时限: one of the earlier milestones within the disposal, such as 制止 before 恢复; counted from 1.
    Milestone(u8),
    /// 报到时限 of one called department.
    Response,
    /// 挂账期限: how long a disposal may stand still, until it goes on by itself. Nobody's work is measured by it.
    Suspension,
}

impl ClockOf {
    /// The name in keys, files and the feed.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Dispatch => "dispatch".to_owned(),
            Self::Disposal => "disposal".to_owned(),
            Self::Milestone(number) => format!("milestone_{number}"),
            Self::Response => "response".to_owned(),
            Self::Suspension => "suspension".to_owned(),
        }
    }

    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        match key {
            "dispatch" => Some(Self::Dispatch),
            "disposal" => Some(Self::Disposal),
            "response" => Some(Self::Response),
            "suspension" => Some(Self::Suspension),
            other => other.strip_prefix("milestone_")?.parse().ok().map(Self::Milestone),
        }
    }
}

/// In the binary form the first milestone has this number, the second the next.
const FIRST_MILESTONE: u8 = 16;

impl Serialize for ClockOf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&self.key());
        }
        serializer.serialize_u8(match self {
            Self::Dispatch => 0,
            Self::Disposal => 1,
            Self::Response => 2,
            Self::Suspension => 3,
            Self::Milestone(number) => FIRST_MILESTONE.saturating_add(number.saturating_sub(1)),
        })
    }
}

impl<'de> Deserialize<'de> for ClockOf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong =
            |what: &dyn std::fmt::Display| serde::de::Error::custom(format_args!("{what} is not a clock"));
        if deserializer.is_human_readable() {
            let key = String::deserialize(deserializer)?;
            return Self::from_key(&key).ok_or_else(|| wrong(&key));
        }
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Dispatch),
            1 => Ok(Self::Disposal),
            2 => Ok(Self::Response),
            3 => Ok(Self::Suspension),
            number => match number.checked_sub(FIRST_MILESTONE) {
                Some(before) => Ok(Self::Milestone(before + 1)),
                None => Err(wrong(&number)),
            },
        }
    }
}

/// A stretch in which a clock stood still; it has no end while it still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pause {
    pub from: UtcMillis,
    pub to: Option<UtcMillis>,
}

/// One clock of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Clock {
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub of: ClockOf,
    /// None where only the due time is known, as for cases taken over from another system.
    pub limit: Option<Limit>,
    pub started: UtcMillis,
    /// When the forecast window begins.
    pub nearing: UtcMillis,
    pub due: UtcMillis,
    /// When the work was done; it runs while there is none.
    pub stopped: Option<UtcMillis>,
    /// Stretches in which it stood still.
    pub paused: Vec<Pause>,
    /// How often its limit was given once more (延期).
    #[serde(default)]
    pub extended: u16,
    pub phase: Phase,
    /// The due time lies beyond the days the calendar knows, and may still move.
    pub provisional: bool,
    /// Version of the policy that planned it; 0 is the one the store began with.
    pub planned: u64,
}

impl Clock {
    /// A clock of a disposal of which another system has said nothing but when it is due.
    #[must_use]
    pub fn known(started: UtcMillis, due: UtcMillis) -> Self {
        Self {
            of: ClockOf::Disposal,
            limit: None,
            started,
            nearing: due,
            due,
            stopped: None,
            paused: Vec::new(),
            extended: 0,
            phase: Phase::Running,
            provisional: false,
            planned: 0,
        }
    }

    #[must_use]
    pub fn is_running(&self) -> bool {
        self.stopped.is_none()
    }

    /// Whether it stands still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.paused.last().is_some_and(|pause| pause.to.is_none())
    }

    /// Whether the work was done after the due time. What was declared overdue stays so, whatever a clock said that was set back
    /// since. What stands still, and what it may stand still for, make nobody late.
    #[must_use]
    pub fn was_late(&self) -> bool {
        let measures = !self.is_paused() && self.of != ClockOf::Suspension;
        self.stopped.is_some_and(|at| self.phase == Phase::Overdue || (measures && at > self.due))
    }

    /// Its limit with its extensions: what runs out when it does, in the limit's own unit.
    #[must_use]
    pub fn whole(&self) -> Option<Limit> {
        let times = 1 + u32::from(self.extended);
        self.limit.map(|limit| Limit { amount: limit.amount.saturating_mul(times), ..limit })
    }

    /// When it runs out by a calendar: its limit, once more for each extension, counted from its start in the limit's own unit
    /// and without the stretches in which it stood still. None while it stands still with time left, and where only a due time is known.
    #[must_use]
    pub fn due_by(&self, calendar: &WorkCalendar, offset: UtcOffset) -> Option<UtcMillis> {
        let limit = self.limit?;
        let mut left = calendar.whole_ms(limit).saturating_mul(1 + i64::from(self.extended));
        let mut from = self.started;
        for pause in &self.paused {
            let counted = calendar.elapsed_ms(from, pause.from, limit.counts, offset);
            if counted >= left {
                // It had run out before it stood still, and no pause makes that undone.
                break;
            }
            left -= counted;
            from = pause.to?;
        }
        calendar.after(from, left, limit.counts, offset)
    }

    /// What is still to happen to it: the forecast and the due time, as far as they are not recorded yet.
    pub fn alarms(&self) -> impl Iterator<Item = (UtcMillis, Alarm)> + use<> {
        let running = self.is_running() && !self.is_paused();
        let nearing = (running && self.phase == Phase::Running).then_some((self.nearing, Alarm::Nearing));
        let due = (running && self.phase != Phase::Overdue).then_some((self.due, Alarm::Due));
        nearing.into_iter().chain(due)
    }
}

/// Whether a deadline is about to pass or has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    Nearing,
    Due,
}

impl Alarm {
    /// How far the clock has run when this has happened.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Nearing => Phase::Nearing,
            Self::Due => Phase::Overdue,
        }
    }
}

/// Whose clock it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Case(CaseId),
    /// One department called by a whistle.
    Whistle(WhistleId, DepartmentCode),
}

/// One entry of the ordered set of deadlines: when, what happens then, whose, and which of its clocks.
pub type Deadline = (UtcMillis, Alarm, Subject, ClockOf);
