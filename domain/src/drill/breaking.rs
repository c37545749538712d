//! How the real city breaks through to those in a drill (实战穿透): a case of the first level is heard there too, until
//! somebody has answered it.
//!
//! It is answered in the live hall, by its own doors and whoever may there: somebody takes it in hand, writes a note or takes
//! a step. What should not be here: how it travels (`wire`), and anything of the drill.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::{Case, Priority};
use crate::code::{AreaCode, CaseId, ClassCode, DepartmentCode};
use crate::event::{Event, Recorded};
use crate::moment::UtcMillis;
use crate::scope::Scope;
use crate::state::State;

/// Rows one screen is told: more real cases of the first level at once end every drill anyway, and are counted.
pub const ROWS_MAX: usize = 20;
/// Answered ones that are remembered, so that a screen can show what became of them.
const ANSWERED_MAX: usize = 20;

/// A real case, as those in a drill hear of it: what a wall shows of a case, and nothing people wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RealCase {
    pub case: CaseId,
    /// Number read out on the floor.
    pub number: String,
    pub class: ClassCode,
    pub area: AreaCode,
    pub address: String,
    /// When it was reported, by the live hall's clock.
    pub reported: UtcMillis,
    /// None while nobody has answered it.
    #[serde(default)]
    pub answered: Option<Answered>,
}

/// Who answered a real case, and when by the live hall's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Answered {
    /// Empty before a wall.
    pub by: String,
    pub at: UtcMillis,
}

/// What somebody is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BreakingRows {
    /// How many wait for an answer, told or not.
    pub unanswered: u32,
    /// Those that wait first, the newest first; then those that were answered, the newest answer first.
    pub rows: Vec<RealCase>,
}

/// Whether a case breaks through: it is of the first level and still open.
#[must_use]
pub fn breaks_through(case: &Case) -> bool {
    case.report.priority == Priority::First && case.is_open()
}

/// Whether somebody has it in hand: it was claimed, noted, or has taken a step, here or in the system it came from.
#[must_use]
pub fn is_answered(case: &Case) -> bool {
    case.claimed_by.is_some() || case.notes > 0 || case.files > 0 || !case.steps.is_empty()
}

/// A real case with what decides who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub row: RealCase,
    pub area_path: Vec<AreaCode>,
    pub department: Option<DepartmentCode>,
}

/// The real cases of the first level, as they stand. It is the live hall's; drills only look at it.
#[derive(Debug, Clone, Default)]
pub struct Breaking {
    waiting: BTreeMap<CaseId, Kept>,
    answered: BTreeMap<CaseId, Kept>,
}

impl Breaking {
    /// As a live hall opens: what waits for an answer in it.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let waits = |case: &&Case| breaks_through(case) && !is_answered(case);
        let waiting = state.cases.values().filter(waits).map(|case| (case.id, kept(case))).collect();
        Self { waiting, answered: BTreeMap::new() }
    }

    /// Takes an event of the live hall with the case as it stands after it; whether something changed.
    pub fn take(&mut self, recorded: &Recorded, case: &Case) -> bool {
        let Event::Case(..) = recorded.event else { return false };
        let before = self.waiting.remove(&case.id);
        if breaks_through(case) && !is_answered(case) {
            let now = kept(case);
            let is_news =
                before.is_none_or(|before| before.row != now.row || before.area_path != now.area_path);
            self.waiting.insert(case.id, now);
            return is_news;
        }
        let Some(mut kept) = before else { return false };
        kept.row.answered = Some(Answered { by: recorded.by.name.clone(), at: recorded.at });
        kept.department.clone_from(&case.department);
        self.answered.insert(case.id, kept);
        self.forget_the_oldest();
        true
    }

    fn forget_the_oldest(&mut self) {
        while self.answered.len() > ANSWERED_MAX {
            let oldest =
                self.answered.values().min_by_key(|kept| answered_at(kept)).map(|kept| kept.row.case);
            oldest.and_then(|case| self.answered.remove(&case));
        }
    }

    /// The same as one drill hears of it: of the answers those given since it was prepared, and those it has heard `before`, which the
    /// city's hall does not remember over its own end.
    #[must_use]
    pub fn since(&self, prepared: UtcMillis, before: &[Kept]) -> Self {
        let own = self.answered.values().filter(|kept| answered_at(kept) >= Some(prepared));
        let still_answered = before.iter().filter(|kept| !self.waiting.contains_key(&kept.row.case));
        let answered = still_answered.chain(own).map(|kept| (kept.row.case, kept.clone())).collect();
        let mut heard = Self { waiting: self.waiting.clone(), answered };
        heard.forget_the_oldest();
        heard
    }

    /// Those that were answered, in the order of their cases.
    pub fn answered(&self) -> impl Iterator<Item = &Kept> {
        self.answered.values()
    }

    /// Those that wait and lie within the scope.
    #[must_use]
    pub fn unanswered(&self, scope: &Scope) -> Vec<CaseId> {
        self.waiting.values().filter(|kept| kept.is_within(scope)).map(|kept| kept.row.case).collect()
    }

    /// What somebody of this scope is told. `names`: they may read who answered.
    #[must_use]
    pub fn rows(&self, scope: &Scope, names: bool) -> BreakingRows {
        let mut waiting: Vec<&Kept> = self.waiting.values().filter(|kept| kept.is_within(scope)).collect();
        waiting.sort_by_key(|kept| std::cmp::Reverse((kept.row.reported, kept.row.case)));
        let mut answered: Vec<&Kept> = self.answered.values().filter(|kept| kept.is_within(scope)).collect();
        answered.sort_by_key(|kept| std::cmp::Reverse((answered_at(kept), kept.row.case)));
        let unanswered = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let mut rows: Vec<RealCase> =
            waiting.into_iter().chain(answered).take(ROWS_MAX).map(|kept| kept.row.clone()).collect();
        if !names {
            rows.iter_mut().filter_map(|row| row.answered.as_mut()).for_each(|answered| answered.by.clear());
        }
        BreakingRows { unanswered, rows }
    }
}

impl Kept {
    fn is_within(&self, scope: &Scope) -> bool {
        scope.admits(&self.area_path, &self.department)
    }
}

fn answered_at(kept: &Kept) -> Option<UtcMillis> {
    kept.row.answered.as_ref().map(|answered| answered.at)
}

fn kept(case: &Case) -> Kept {
    let row = RealCase {
        case: case.id,
        number: case.number.clone(),
        class: case.report.class.clone(),
        area: case.report.area.clone(),
        address: case.report.address.clone(),
        reported: case.reported,
        answered: None,
    };
    Kept { row, area_path: case.area_path.clone(), department: case.department.clone() }
}
