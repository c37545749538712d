//! Which case a screen that follows by itself looks at (焦点). Every wall of a hall looks at the same one.

use super::Held;
use crate::case::Priority;
use crate::clock::Phase;
use crate::code::CaseId;
use crate::wire::OpenCase;

/// The case that most needs the room's eyes: by its level first (一级 before 二级 …), then by its clock: overdue before nearing before
/// running before none. The case in focus keeps its place until another is more urgent by one of the two; among equals the one due
/// first, then the one that has waited longest. A case without a known limit is in focus as any other: that nobody has set a
/// limit for it makes a first-level incident no calmer.
#[must_use]
pub fn focus(held: &Held, before: Option<CaseId>) -> Option<CaseId> {
    let kept = before.and_then(|id| held.open.get(id.0));
    let best = held
        .open
        .iter()
        .min_by_key(|case| (rank(case), case.due.is_none(), case.due, case.stage_since, case.id))?;
    let stays = kept.filter(|kept| rank(kept) <= rank(best));
    Some(stays.unwrap_or(best).id)
}

/// Smaller is more urgent; ties keep the present focus.
fn rank(case: &OpenCase) -> (Priority, u8) {
    let clock = match (case.due, case.phase) {
        (None, _) => 3,
        (Some(_), Phase::Running) => 2,
        (Some(_), Phase::Nearing) => 1,
        (Some(_), Phase::Overdue) => 0,
    };
    (case.priority, clock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Stage;
    use crate::moment::UtcMillis;
    use crate::wire::Keyed;

    fn case(id: u64, priority: Priority, phase: Phase, due: Option<i64>) -> OpenCase {
        OpenCase {
            id: CaseId(id),
            version: 1,
            area_path: ["530103".parse().unwrap()].into(),
            class: "E01-10".parse().unwrap(),
            department: None,
            claimed_by: None,
            stage: Stage::Dispose,
            stage_since: UtcMillis(id as i64),
            priority,
            phase,
            started: None,
            due: due.map(UtcMillis),
            limit: None,
            provisional: false,
            place: None,
        }
    }

    fn held(cases: &[OpenCase]) -> Held {
        let mut held = Held::default();
        let rows = cases.iter().map(|case| Keyed { id: case.id.0, version: 1, row: Some(case.clone()) });
        held.open.put(rows.collect());
        held
    }

    /// A wall followed small advertisements while two first-level incidents, whose limits nobody had given, stood on its map.
    #[test]
    fn a_first_level_case_without_a_limit_goes_before_an_ordinary_one_that_is_overdue() {
        let ordinary = case(1, Priority::Ordinary, Phase::Overdue, Some(5));
        let first = case(2, Priority::First, Phase::Running, None);
        let third = case(3, Priority::Third, Phase::Running, Some(9));
        let all = held(&[ordinary.clone(), third.clone(), first]);
        assert_eq!(focus(&all, None), Some(CaseId(2)));
        assert_eq!(
            focus(&held(&[ordinary, third]), None),
            Some(CaseId(3)),
            "the level goes before the clock"
        );
    }

    #[test]
    fn within_a_level_the_clock_decides_and_a_case_without_one_comes_last() {
        let stages = [
            case(1, Priority::Second, Phase::Running, None),
            case(2, Priority::Second, Phase::Running, Some(1)),
            case(3, Priority::Second, Phase::Nearing, Some(7)),
            case(4, Priority::Second, Phase::Overdue, Some(6)),
            case(5, Priority::Second, Phase::Overdue, Some(5)),
        ];
        assert_eq!(focus(&held(&stages), None), Some(CaseId(5)), "due first");
        assert_eq!(focus(&held(&stages[..3]), None), Some(CaseId(3)));
        assert_eq!(focus(&held(&stages[..2]), None), Some(CaseId(2)));
        assert_eq!(focus(&held(&stages[..1]), None), Some(CaseId(1)));
        assert_eq!(focus(&held(&[]), Some(CaseId(1))), None);
    }

    #[test]
    fn the_case_in_focus_keeps_its_place_among_equals_and_gives_it_to_a_more_urgent_one() {
        let cases = [
            case(1, Priority::Second, Phase::Overdue, Some(5)),
            case(2, Priority::Second, Phase::Overdue, Some(3)),
            case(3, Priority::Second, Phase::Nearing, Some(9)),
        ];
        assert_eq!(
            focus(&held(&cases), Some(CaseId(1))),
            Some(CaseId(1)),
            "an earlier due time alone moves no room's eyes"
        );
        assert_eq!(focus(&held(&cases), Some(CaseId(3))), Some(CaseId(2)));
        assert_eq!(focus(&held(&cases), Some(CaseId(9))), Some(CaseId(2)), "what it showed is closed");
    }
}
