//! Which case a screen that follows by itself looks at (焦点). Every wall of a hall looks at the same one.

use super::Held;
use crate::case::Priority;
use crate::clock::Phase;
use crate::code::CaseId;
use crate::moment::UtcMillis;
use crate::wire::OpenCase;

/// The case that most needs the room's eyes: overdue before near before running, then priority, then the one due first;
/// the case in focus keeps its place until another is more urgent by priority or phase.
#[must_use]
pub fn focus(held: &Held, before: Option<CaseId>) -> Option<CaseId> {
    let kept = before.and_then(|id| held.open.get(id.0));
    let best = held.open.iter().filter(|case| case.due.is_some()).min_by_key(|case| urgency(case));
    match (kept, best) {
        (Some(kept), Some(best)) if rank(kept) <= rank(best) => Some(kept.id),
        (_, Some(best)) => Some(best.id),
        (kept, None) => kept.map(|case| case.id),
    }
}

/// Smaller is more urgent; ties keep the present focus.
fn rank(case: &OpenCase) -> (u8, Priority) {
    let phase = match case.phase {
        Phase::Overdue => 0,
        Phase::Nearing => 1,
        Phase::Running => 2,
    };
    match case.priority {
        // A first-priority incident outranks every ordinary overdue case.
        Priority::First => (0, case.priority),
        Priority::Second | Priority::Third | Priority::Ordinary => (phase + 1, case.priority),
    }
}

fn urgency(case: &OpenCase) -> ((u8, Priority), Option<UtcMillis>, CaseId) {
    (rank(case), case.due, case.id)
}
