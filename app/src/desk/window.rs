//! Which rows of the list are drawn: those on the screen and some around them, so that a list of thousands weighs what a screen
//! shows of it.
//!
//! What should be here: the arithmetic. What should not: what is measured, and the rows (`list`).

/// Up to so many rows all are drawn.
pub const ALL_MAX: usize = 60;
/// Rows drawn beyond either edge, so that a turn of the wheel meets drawn ones.
const AROUND: usize = 12;
/// The window moves by so many rows at once, and so not at each turn of the wheel.
const STEP: usize = 8;

/// What is on the screen of the list, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub top_px: f64,
    pub height_px: f64,
    pub row_px: f64,
    /// The heading of a group.
    pub head_px: f64,
}

/// The rows drawn of each group: the first, and the one after the last.
pub fn drawn(groups: &[usize], seen: Seen) -> Vec<(usize, usize)> {
    if groups.iter().sum::<usize>() <= ALL_MAX {
        return groups.iter().map(|count| (0, *count)).collect();
    }
    let row_px = seen.row_px.max(1.0);
    let mut rows_top_px = 0.0;
    let of_group = |count: &usize| {
        rows_top_px += seen.head_px;
        let from = (seen.top_px - rows_top_px) / row_px;
        let to = (seen.top_px + seen.height_px - rows_top_px) / row_px;
        rows_top_px += *count as f64 * row_px;
        // What lies above the group is none of its rows: casting takes it as nought.
        let from = (from.floor() as usize).saturating_sub(AROUND) / STEP * STEP;
        let to = ((to.ceil() + AROUND as f64) as usize).next_multiple_of(STEP).min(*count);
        (from.min(to), to)
    };
    groups.iter().map(of_group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Seen = Seen { top_px: 0.0, height_px: 680.0, row_px: 34.0, head_px: 28.0 };

    #[test]
    fn a_short_list_is_drawn_whole_wherever_it_stands() {
        assert_eq!(drawn(&[20, 40], Seen { top_px: 9_000.0, ..SEEN }), [(0, 20), (0, 40)]);
        assert!(drawn(&[], SEEN).is_empty());
    }

    #[test]
    fn what_is_on_the_screen_is_drawn_at_every_place_of_a_long_list_and_little_else() {
        let groups = [3, 250, 0, 347];
        let height = groups.iter().map(|count| 28.0 + *count as f64 * 34.0).sum::<f64>();
        for top_px in (0..height as usize).step_by(17) {
            let seen = Seen { top_px: top_px as f64, ..SEEN };
            let windows = drawn(&groups, seen);
            let mut top = 0.0;
            for (count, (from, to)) in groups.iter().zip(&windows) {
                top += 28.0;
                for row in 0..*count {
                    let (above, below) = (top + row as f64 * 34.0, top + (row + 1) as f64 * 34.0);
                    let on_screen = below > seen.top_px && above < seen.top_px + seen.height_px;
                    assert!(!on_screen || (*from..*to).contains(&row), "row {row} at {top_px}");
                }
                assert!(from <= to && to <= count);
                top += *count as f64 * 34.0;
            }
            let all: usize = windows.iter().map(|(from, to)| to - from).sum();
            assert!(all <= ALL_MAX + 20, "{all} rows at {top_px}");
        }
    }

    #[test]
    fn the_window_rests_while_the_wheel_turns_by_less_than_its_step() {
        let at = |top_px| drawn(&[600], Seen { top_px, ..SEEN });
        let moves = (0..2_000).filter(|px| at(f64::from(*px)) != at(f64::from(px + 1))).count();
        assert!((1..=16).contains(&moves), "{moves} in 2,000 px");
    }
}
