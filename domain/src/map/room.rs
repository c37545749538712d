//! What is taken on the screen: rectangles in a grid, so that asking for a free place does not grow with their number.

use super::rect::Rect;
use super::view::Px;

/// Side of a field of the grid in CSS pixels: about the size of a name.
const FIELD_PX: f64 = 64.0;
/// Fields along a side, whatever the size of the wall.
const FIELDS_MAX: usize = 256;

/// Who takes room. Where no place is free, a word rather lies on what costs less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    /// A mark that tells of a case, a camera or people.
    Mark,
    /// An urgent case, and the map's own words above it: legend, scale, note.
    Fixed,
    Word,
}

impl Taker {
    fn weight(self) -> f64 {
        match self {
            Self::Mark => 1.0,
            Self::Fixed | Self::Word => 4.0,
        }
    }
}

#[derive(Debug)]
pub struct Room {
    screen: Rect,
    columns: usize,
    rows: usize,
    side: f64,
    fields: Vec<Vec<u32>>,
    taken: Vec<(Rect, f64)>,
}

impl Room {
    #[must_use]
    pub fn new(width: f64, height: f64) -> Self {
        let side = FIELD_PX.max(width.max(height) / FIELDS_MAX as f64);
        let count = |length: f64| ((length / side).ceil() as usize).clamp(1, FIELDS_MAX);
        let (columns, rows) = (count(width), count(height));
        let screen = Rect { left: 0.0, top: 0.0, right: width, bottom: height };
        Self { screen, columns, rows, side, fields: vec![Vec::new(); columns * rows], taken: Vec::new() }
    }

    /// Whether a place is on the screen.
    #[must_use]
    pub fn holds(&self, at: Px) -> bool {
        self.screen.holds(at)
    }

    pub fn take(&mut self, rect: Rect, taker: Taker) {
        let index = self.taken.len() as u32;
        self.taken.push((rect, taker.weight()));
        for (column, row) in self.fields_of(&rect) {
            self.fields[row * self.columns + column].push(index);
        }
    }

    /// Area in square pixels that would be covered twice, each weighed by who has it. What lies beyond the screen is free.
    #[must_use]
    pub fn clash(&self, rect: &Rect) -> f64 {
        let mut sum = 0.0;
        for (column, row) in self.fields_of(rect) {
            let here = &self.fields[row * self.columns + column];
            if here.is_empty() {
                continue;
            }
            // Each field answers for its own part alone: what spans several is not counted twice.
            let (left, top) = (column as f64 * self.side, row as f64 * self.side);
            let part = Rect {
                left: rect.left.max(left),
                top: rect.top.max(top),
                right: rect.right.min(left + self.side),
                bottom: rect.bottom.min(top + self.side),
            };
            for index in here {
                let (taken, weight) = &self.taken[*index as usize];
                sum += part.shared(taken) * weight;
            }
        }
        sum
    }

    #[must_use]
    pub fn is_free(&self, rect: &Rect) -> bool {
        self.clash(rect) <= 0.0
    }

    fn fields_of(&self, rect: &Rect) -> impl Iterator<Item = (usize, usize)> + use<> {
        let beyond = |count: usize| count as f64 * self.side;
        let seen = rect.right > 0.0
            && rect.bottom > 0.0
            && rect.left < beyond(self.columns)
            && rect.top < beyond(self.rows);
        let index = |length: f64, count: usize| ((length / self.side).max(0.0) as usize).min(count - 1);
        let columns = index(rect.left, self.columns)..index(rect.right, self.columns) + 1;
        let rows = index(rect.top, self.rows)..index(rect.bottom, self.rows) + 1;
        let rows = if seen { rows } else { 0..0 };
        rows.flat_map(move |row| columns.clone().map(move |column| (column, row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rect() -> impl Strategy<Value = Rect> {
        (-50.0..450.0, -50.0..350.0, 1.0..200.0, 1.0..150.0).prop_map(|(left, top, width, height)| Rect {
            left,
            top,
            right: left + width,
            bottom: top + height,
        })
    }

    proptest! {
        #[test]
        fn the_grid_finds_what_a_list_of_all_finds(taken in prop::collection::vec(rect(), 0..40), asked in rect()) {
            let mut room = Room::new(448.0, 320.0);
            let screen = Rect { left: 0.0, top: 0.0, right: 448.0, bottom: 320.0 };
            let clip = |rect: &Rect| Rect {
                left: rect.left.max(screen.left), top: rect.top.max(screen.top),
                right: rect.right.min(screen.right), bottom: rect.bottom.min(screen.bottom),
            };
            for each in &taken { room.take(*each, Taker::Mark); }
            let all: f64 = taken.iter().map(|each| clip(&asked).shared(each)).sum();
            prop_assert!((room.clash(&asked) - all).abs() < 1e-6, "{} {}", room.clash(&asked), all);
        }
    }
}
