//! A case's clock as the desk shows it: lamp, countdown in the limit's own unit, share used. Pure.

use domain::answer::PolicyFigures;
use domain::clock::{Counts, Limit, LimitKind, Unit};
use domain::moment::{DAY_MS, HOUR_MS, MINUTE_MS, UtcMillis};
use domain::wire::{CaseLine, OpenCase};

use crate::mark::Mark;
use crate::text;
use crate::words::{Language, say};

/// Shape, then word, then colour; in the order of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lamp {
    Over,
    Soon,
    OnTime,
    /// No clock runs in this stage.
    NoClock,
}

impl Lamp {
    pub const ALL: [Self; 4] = [Self::Over, Self::Soon, Self::OnTime, Self::NoClock];

    pub fn mark(self) -> Mark {
        match self {
            Self::Over => Mark::Over,
            Self::Soon => Mark::Near,
            Self::OnTime => Mark::Inside,
            Self::NoClock => Mark::Waiting,
        }
    }

    pub fn word(self, language: Language) -> String {
        match self {
            Self::Over => say!(language, desk.lamp_over),
            Self::Soon => say!(language, desk.lamp_soon),
            Self::OnTime => say!(language, desk.lamp_ok),
            Self::NoClock => say!(language, desk.lamp_none),
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Soon => "soon",
            Self::OnTime => "ok",
            Self::NoClock => "none",
        }
    }
}

/// The clock that runs in a case now, whether the list or the feed brought it.
#[derive(Debug, Clone, Copy)]
pub struct Running {
    started: UtcMillis,
    due: Option<UtcMillis>,
    limit: Option<Limit>,
}

impl From<&CaseLine> for Running {
    fn from(case: &CaseLine) -> Self {
        Self { started: case.started.unwrap_or(case.stage_since), due: case.due, limit: case.limit }
    }
}

impl From<&OpenCase> for Running {
    fn from(case: &OpenCase) -> Self {
        Self { started: case.started.unwrap_or(case.stage_since), due: case.due, limit: case.limit }
    }
}

/// The lamp of a case at `now`.
pub fn lamp(case: impl Into<Running>, now: UtcMillis, policy: &PolicyFigures) -> Lamp {
    let clock = case.into();
    let Some(due) = clock.due else { return Lamp::NoClock };
    if now >= due {
        return Lamp::Over;
    }
    let used = share(clock, now, policy) * 100.0;
    if used >= f64::from(policy.lamp_yellow_percent) { Lamp::Soon } else { Lamp::OnTime }
}

/// Share of the limit used, 0 to 1.
pub fn share(case: impl Into<Running>, now: UtcMillis, policy: &PolicyFigures) -> f64 {
    let Running { started, due: Some(due), limit } = case.into() else { return 0.0 };
    policy.calendar.used_share(started, due, limit, now, policy.utc_offset_minutes)
}

pub fn unit(case: &CaseLine) -> LimitKind {
    LimitKind::of(case.limit)
}

/// The countdown's words, such as `2小时10分` or `超 8分`; none without a due time.
pub fn countdown(
    language: Language,
    case: &CaseLine,
    now: UtcMillis,
    policy: &PolicyFigures,
) -> Option<String> {
    let clock = text::countdown(case.due?, case.limit, now, &policy.calendar, policy.utc_offset_minutes);
    let (hours, minutes) = clock.digits.split_once(':').unwrap_or(("0", "0"));
    let words = spelled(language, clock.days.unwrap_or(0), hours.parse().ok()?, minutes.parse().ok()?);
    Some(if clock.late { say!(language, desk.over, words = words) } else { words })
}

/// What a due time beyond the days the calendar knows is called (暂定): it may still move. None where it holds.
pub fn may_move(language: Language, case: &CaseLine) -> Option<String> {
    (case.provisional && case.due.is_some()).then(|| say!(language, desk.provisional_due))
}

/// A span of counted time; days are 24 hours for clocks that run on and working days for others.
pub fn span(language: Language, ms: i64, unit: LimitKind, policy: &PolicyFigures) -> String {
    let day = match (unit.unit, unit.counts) {
        (Unit::Day, Counts::Through) => DAY_MS,
        (Unit::Day, Counts::Working) => i64::from(policy.calendar.work_day_minutes.max(1)) * MINUTE_MS,
        (Unit::Minute | Unit::Hour, Counts::Through | Counts::Working) => i64::MAX,
    };
    spelled(language, ms / day, ms % day / HOUR_MS, ms % day / MINUTE_MS % 60)
}

fn spelled(language: Language, days: i64, hours: i64, minutes: i64) -> String {
    let parts = match language {
        Language::Zh => ["日", "小时", "分"],
        Language::En => [" d ", " h ", " min"],
    };
    let mut words = String::new();
    if days > 0 {
        words += &format!("{days}{}", parts[0]);
    }
    if days > 0 && hours == 0 && minutes == 0 {
        // A whole number of days needs no zeros.
    } else if hours > 0 || days > 0 {
        words += &format!("{hours}{}{minutes:02}{}", parts[1], parts[2]);
    } else {
        words += &format!("{minutes}{}", parts[2]);
    }
    words.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::case::{Priority, Stage};
    use domain::clock::Phase;
    use domain::code::CaseId;

    /// A case that waits for dispatch until `due`.
    fn waiting(due: Option<UtcMillis>, provisional: bool) -> CaseLine {
        CaseLine {
            id: CaseId(1),
            number: "20261121-00001".to_owned(),
            class: "E01-10".parse().unwrap(),
            condition: None,
            area_path: Vec::new(),
            address: String::new(),
            place: None,
            priority: Priority::Ordinary,
            stage: Stage::Dispatch,
            stage_since: UtcMillis(0),
            reported: UtcMillis(0),
            closed: None,
            started: Some(UtcMillis(0)),
            due,
            limit: None,
            phase: Phase::Running,
            provisional,
            claimed_by: None,
            department: None,
            round: 1,
            version: 1,
        }
    }

    /// The open case, the card and the wall said it, and the list where the decision is made did not.
    #[test]
    fn a_due_time_beyond_the_calendar_is_called_provisional_and_no_other() {
        let due = Some(UtcMillis(5));
        let words = |due, provisional| {
            [Language::Zh, Language::En].map(|language| may_move(language, &waiting(due, provisional)))
        };
        assert_eq!(words(due, true), [Some("暂定".to_owned()), Some("provisional".to_owned())]);
        assert_eq!(words(due, false), [None, None]);
        assert_eq!(words(None, true), [None, None], "where nothing is due nothing moves");
    }

    #[test]
    fn spans_read_in_both_languages() {
        assert_eq!(spelled(Language::Zh, 0, 2, 10), "2小时10分");
        assert_eq!(spelled(Language::Zh, 0, 0, 4), "4分");
        assert_eq!(spelled(Language::Zh, 1, 0, 5), "1日0小时05分");
        assert_eq!([spelled(Language::Zh, 2, 0, 0), spelled(Language::En, 2, 0, 0)], ["2日", "2 d"]);
        assert_eq!(spelled(Language::En, 1, 3, 5), "1 d 3 h 05 min");
    }
}
