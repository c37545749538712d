//! What a list is asked for, and whether a case in memory answers to it.
//!
//! What should be here: conditions, order, cursors. What should not: where cases lie.

use std::collections::BTreeSet;

use domain::case::{Case, Stage};
use domain::clock::Phase;
use domain::code::{AreaCode, CaseId, ClassCode, DepartmentCode, SourceCode};
use domain::moment::{Date, Days, UtcMillis, UtcOffset};
use domain::policy::change::Kind as CodeKind;
use domain::scope::Scope;
use domain::whistle::{Whistle, WhistleLevel};
use serde::{Deserialize, Serialize};

use crate::views::grams;
use crate::views::run;
use crate::views::steps::{self, Flow, StepRow};

/// Longest text searched for, in characters.
const TEXT_CHARS_MAX: usize = 100;
/// Due time of a case whose clock does not run: after all others.
const NEVER: i64 = i64::MAX;

/// How far the running clock must have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseFilter {
    Nearing,
    Overdue,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseSort {
    #[default]
    Newest,
    /// Earliest due time of the running clock first, then those without one. Open cases only.
    Due,
}

/// One of several codes of a kind: what those who retire codes ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyOf {
    /// Of the case's areas.
    Areas(BTreeSet<String>),
    Classes(BTreeSet<String>),
    Sources(BTreeSet<String>),
    Departments(BTreeSet<String>),
}

impl AnyOf {
    /// None of filing conditions, which no column of the views holds.
    #[must_use]
    pub fn of(kind: CodeKind, codes: &BTreeSet<&str>) -> Option<Self> {
        let codes = codes.iter().map(|code| (*code).to_owned()).collect();
        match kind {
            CodeKind::Area => Some(Self::Areas(codes)),
            CodeKind::Class => Some(Self::Classes(codes)),
            CodeKind::Source => Some(Self::Sources(codes)),
            CodeKind::Department => Some(Self::Departments(codes)),
            CodeKind::Condition => None,
        }
    }

    fn admits(&self, case: &Case) -> bool {
        match self {
            Self::Areas(codes) => case.area_path.iter().any(|area| codes.contains(area.as_str())),
            Self::Classes(codes) => codes.contains(case.report.class.as_str()),
            Self::Sources(codes) => codes.contains(case.report.source.as_str()),
            Self::Departments(codes) => {
                case.department.as_ref().is_some_and(|department| codes.contains(department.as_str()))
            }
        }
    }
}

/// Which cases. Conditions that are given all hold.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    pub stage: Option<Stage>,
    /// The area or one below it, as the case lies or lay when it was closed.
    pub area: Option<AreaCode>,
    pub class: Option<ClassCode>,
    pub source: Option<SourceCode>,
    pub phase: Option<PhaseFilter>,
    pub open: Option<bool>,
    pub reported: Option<Days>,
    pub filed: Option<Days>,
    pub dispatched: Option<Days>,
    pub closed: Option<Days>,
    /// Dispatched after the limit: on the days of `dispatched` where they are given, else ever.
    pub dispatched_late: Option<bool>,
    /// Counted by a measure on days: what is behind any other number.
    pub counted: Option<(Flow, Days)>,
    /// Part of the number or the address.
    pub text: Option<String>,
    pub department: Option<DepartmentCode>,
    pub claimed_by: Option<String>,
    pub claimed: Option<bool>,
    pub has_place: Option<bool>,
    /// As the case stands, beside a day of a step too.
    pub any_of: Option<AnyOf>,
    pub sort: CaseSort,
}

/// A flow on some days that must have counted a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowOn {
    pub flow: Flow,
    pub days: Days,
    pub late: Option<bool>,
}

impl CaseFilter {
    /// Closed cases have no due time, so they are listed newest first.
    #[must_use]
    pub fn effective_sort(&self) -> CaseSort {
        if self.open == Some(false) { CaseSort::Newest } else { self.sort }
    }

    /// Whether closed cases may be found.
    #[must_use]
    pub fn reaches_closed(&self) -> bool {
        self.open != Some(true)
            && self.phase.is_none()
            && self.effective_sort() == CaseSort::Newest
            && self.stage.is_none_or(|stage| stage == Stage::Close)
    }

    /// Whether open cases may be found.
    #[must_use]
    pub fn reaches_open(&self) -> bool {
        self.open != Some(false)
    }

    /// The text searched for as it is compared; none where it is blank.
    #[must_use]
    pub fn folded_text(&self) -> Option<String> {
        let text = self.text.as_ref()?;
        let folded: String = grams::fold(text).take(TEXT_CHARS_MAX).collect();
        (!folded.trim().is_empty()).then_some(folded)
    }

    /// The steps on days that are asked for.
    #[must_use]
    pub fn flows(&self) -> Vec<FlowOn> {
        let late = self.dispatched_late;
        let counted = self.counted.map(|(flow, days)| FlowOn { flow, days, late: None });
        [
            (Flow::REPORTED, self.reported, None),
            (Flow::FILED, self.filed, None),
            (Flow::DISPATCHED, self.dispatched, late),
            (Flow::CLOSED, self.closed, None),
        ]
        .into_iter()
        .filter_map(|(flow, days, late)| Some(FlowOn { flow, days: days?, late }))
        .chain(counted)
        .map(|on| FlowOn { late: on.flow.is_late().then_some(true).or(on.late), ..on })
        .collect()
    }

    /// What [`Self::dispatched_late`] asks of the case as a whole; none where it belongs to a day.
    #[must_use]
    pub fn ever_late(&self) -> Option<bool> {
        self.dispatched_late.filter(|_| self.dispatched.is_none())
    }
}

/// A filter made ready to be asked of many cases in memory.
#[derive(Debug)]
pub struct Asked<'a> {
    pub filter: &'a CaseFilter,
    pub scope: &'a Scope,
    pub offset: UtcOffset,
    flows: Vec<Wanted>,
    text: Option<String>,
}

/// A step that is asked for, with the first and the last instant of its days.
#[derive(Debug)]
struct Wanted {
    on: FlowOn,
    steps: Vec<&'static str>,
    from: i64,
    to: i64,
}

impl Wanted {
    fn is_at(&self, at: UtcMillis) -> bool {
        (self.from..=self.to).contains(&at.0)
    }
}

impl<'a> Asked<'a> {
    #[must_use]
    pub fn new(filter: &'a CaseFilter, scope: &'a Scope, offset: UtcOffset) -> Self {
        let wanted = |on: FlowOn| {
            let (from, to) = run::instants(on.days.from, on.days.to, offset);
            Wanted { on, steps: on.flow.steps(), from, to }
        };
        let flows = filter.flows().into_iter().map(wanted).collect();
        Self { filter, scope, offset, flows, text: filter.folded_text() }
    }

    /// Whether a case answers to all conditions.
    #[must_use]
    pub fn admits(&self, case: &Case) -> bool {
        let filter = self.filter;
        let open = case.is_open();
        let wants_open = filter.effective_sort() == CaseSort::Due
            || filter.phase.is_some()
            || filter.stage.is_some_and(|stage| stage != Stage::Close);
        filter.open.is_none_or(|wanted| wanted == open)
            && (open || !wants_open)
            && filter.stage.is_none_or(|stage| case.stage == stage)
            && filter.phase.is_none_or(|phase| phase_of(case) == Some(phase))
            && filter
                .department
                .as_ref()
                .is_none_or(|department| case.department.as_ref() == Some(department))
            && filter.claimed_by.as_ref().is_none_or(|name| case.claimed_by.as_ref() == Some(name))
            && filter.claimed.is_none_or(|claimed| case.claimed_by.is_some() == claimed)
            && filter.has_place.is_none_or(|has| case.report.place.is_some() == has)
            && filter.any_of.as_ref().is_none_or(|any_of| any_of.admits(case))
            && self.counted(case)
            && filter.ever_late().is_none_or(|late| steps::dispatched_late(case) == late)
            && self.scope.admits_case(case)
            && self.text.as_ref().is_none_or(|text| {
                grams::holds(&case.number, text) || grams::holds(&case.report.address, text)
            })
    }

    /// Area, class and source: of the steps on days where such are asked for, else of the case.
    fn counted(&self, case: &Case) -> bool {
        if self.flows.is_empty() {
            return self.of_case(case);
        }
        self.flows.iter().all(|wanted| {
            // A case is reported once, and counted then by what it has itself; no step is gone through for that.
            if wanted.on.flow == Flow::REPORTED {
                return wanted.is_at(case.reported) && self.of_case(case);
            }
            steps::of(case).any(|step| self.is_step(wanted, &step))
        })
    }

    fn of_case(&self, case: &Case) -> bool {
        let filter = self.filter;
        filter.area.as_ref().is_none_or(|area| case.area_path.contains(area))
            && filter.class.as_ref().is_none_or(|class| case.report.class == *class)
            && filter.source.as_ref().is_none_or(|source| case.report.source == *source)
    }

    fn is_step(&self, wanted: &Wanted, step: &StepRow<'_>) -> bool {
        let filter = self.filter;
        wanted.is_at(step.at)
            && wanted.steps.contains(&step.step)
            && wanted.on.late.is_none_or(|late| step.late == late)
            && filter.area.as_ref().is_none_or(|area| step.area_path.contains(area))
            && filter.class.as_ref().is_none_or(|class| step.class == class)
            && filter.source.as_ref().is_none_or(|source| step.source == source)
    }
}

fn phase_of(case: &Case) -> Option<PhaseFilter> {
    match case.leading_clock()?.phase {
        Phase::Running => None,
        Phase::Nearing => Some(PhaseFilter::Nearing),
        Phase::Overdue => Some(PhaseFilter::Overdue),
    }
}

/// When the running clock of a case runs out; after all others where none runs.
#[must_use]
pub fn due(case: &Case) -> i64 {
    case.leading_clock().map_or(NEVER, |clock| clock.due.0)
}

/// Which whistles.
#[derive(Debug, Clone, Default)]
pub struct WhistleFilter {
    pub open: Option<bool>,
    pub level: Option<WhistleLevel>,
    /// The area or one below it.
    pub area: Option<AreaCode>,
    pub raised: Option<Days>,
}

impl WhistleFilter {
    #[must_use]
    pub fn admits(&self, whistle: &Whistle, scope: &Scope, offset: UtcOffset) -> bool {
        self.open.is_none_or(|open| whistle.closed.is_none() == open)
            && self.level.is_none_or(|level| whistle.call.level == level)
            && self.area.as_ref().is_none_or(|area| whistle.area_path.contains(area))
            && self
                .raised
                .is_none_or(|days| (days.from..=days.to).contains(&whistle.raised.local(offset).date))
            && scope.admits_whistle(whistle)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; none on the last. A page may be short, even empty, and have a next one: the time for
    /// an answer was over before the list was.
    pub next: Option<Cursor>,
    /// How far back it was searched, where the time was over first: nothing newer was left out.
    pub searched_to: Option<Date>,
}

/// Where the next page begins; opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A cursor that this list did not give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cursor `{0}` was not given by this list; start again without a cursor")]
pub struct WrongCursor(String);

impl Cursor {
    /// Before the case of this id, newest first.
    #[must_use]
    pub fn newest(id: CaseId) -> Self {
        Self(format!("n{}", id.0))
    }

    /// After this due time and case.
    #[must_use]
    pub fn due(due: i64, id: CaseId) -> Self {
        Self(format!("d{due}.{}", id.0))
    }

    fn wrong(&self) -> WrongCursor {
        WrongCursor(self.0.chars().take(40).collect())
    }

    pub fn id(&self) -> Result<u64, WrongCursor> {
        self.0.strip_prefix('n').and_then(|id| id.parse().ok()).ok_or_else(|| self.wrong())
    }

    pub fn due_and_id(&self) -> Result<(i64, u64), WrongCursor> {
        let parts = self.0.strip_prefix('d').and_then(|rest| rest.split_once('.'));
        parts.and_then(|(due, id)| Some((due.parse().ok()?, id.parse().ok()?))).ok_or_else(|| self.wrong())
    }
}
