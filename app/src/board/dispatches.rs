//! Counts of dispatches that are overdue or about to be: all from one topic at one time, so that no two of them can
//! contradict each other. Pure.

use domain::clock::Phase;
use domain::code::AreaCode;
use domain::moment::UtcMillis;
use domain::wire::OverdueRow;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dispatches {
    pub late: usize,
    /// Late ones that nobody has taken.
    pub unclaimed: usize,
    pub nearing: usize,
}

impl Dispatches {
    pub fn of<'a>(
        rows: impl Iterator<Item = &'a OverdueRow>,
        area: Option<&AreaCode>,
        now: UtcMillis,
    ) -> Self {
        let mut counts = Self::default();
        for row in rows.filter(|row| area.is_none_or(|area| row.area_path.contains(area))) {
            match is_late(row, now) {
                true => {
                    counts.late += 1;
                    counts.unclaimed += usize::from(row.claimed_by.is_none());
                }
                false => counts.nearing += 1,
            }
        }
        counts
    }
}

/// A row whose time runs out before the server has said so counts as its countdown reads.
pub fn is_late(row: &OverdueRow, now: UtcMillis) -> bool {
    row.phase == Phase::Overdue || row.due <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::case::Priority;
    use domain::code::{CaseId, ClassCode};

    fn row(id: u64, area: &str, due: i64, claimed: bool) -> OverdueRow {
        OverdueRow {
            case: CaseId(id),
            number: String::new(),
            class: ClassCode::new("c").unwrap(),
            condition: None,
            area_path: vec![AreaCode::new(area).unwrap()],
            address: String::new(),
            place: None,
            priority: Priority::Ordinary,
            started: UtcMillis(0),
            due: UtcMillis(due),
            limit: None,
            phase: Phase::Nearing,
            provisional: false,
            claimed_by: claimed.then(String::new),
        }
    }

    #[test]
    fn a_row_is_late_or_near_and_never_both() {
        let rows =
            [row(1, "a", 10, false), row(2, "a", 20, true), row(3, "b", 30, false), row(4, "b", 40, false)];
        let all = Dispatches::of(rows.iter(), None, UtcMillis(20));
        assert_eq!(all, Dispatches { late: 2, unclaimed: 1, nearing: 2 });
        let area = AreaCode::new("b").unwrap();
        let one = Dispatches::of(rows.iter(), Some(&area), UtcMillis(30));
        assert_eq!(one, Dispatches { late: 1, unclaimed: 1, nearing: 1 });
    }
}
