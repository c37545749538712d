//! Counts of dispatches that are overdue or about to be: all from one topic at one time, so that no two of them can
//! contradict each other. They are counted once a second, whoever asks. Pure.

use std::collections::BTreeMap;

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
    fn count(&mut self, row: &OverdueRow, is_late: bool) {
        self.late += usize::from(is_late);
        self.unclaimed += usize::from(is_late && row.claimed_by.is_none());
        self.nearing += usize::from(!is_late);
    }
}

/// Those of everywhere and of each area, as one pass over the rows found them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByArea {
    all: Dispatches,
    areas: BTreeMap<AreaCode, Dispatches>,
}

impl ByArea {
    pub fn of<'a>(rows: impl Iterator<Item = &'a OverdueRow>, now: UtcMillis) -> Self {
        let mut counts = Self::default();
        for row in rows {
            let is_late = is_late(row, now);
            counts.all.count(row, is_late);
            for area in &row.area_path {
                counts.areas.entry(area.clone()).or_default().count(row, is_late);
            }
        }
        counts
    }

    pub fn within(&self, area: Option<&AreaCode>) -> Dispatches {
        match area {
            None => self.all,
            Some(area) => self.areas.get(area).copied().unwrap_or_default(),
        }
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
        let all = ByArea::of(rows.iter(), UtcMillis(20)).within(None);
        assert_eq!(all, Dispatches { late: 2, unclaimed: 1, nearing: 2 });
        let area = AreaCode::new("b").unwrap();
        let one = ByArea::of(rows.iter(), UtcMillis(30)).within(Some(&area));
        assert_eq!(one, Dispatches { late: 1, unclaimed: 1, nearing: 1 });
    }
}
