//! A plan as rows of eight numbers, bottom first. `scripts/map/marks.ts` reads them:
//!
//! | kind | x | y | half | a | b | ref | n |
//! |---|---|---|---|---|---|---|---|
//! | 0 square, 1 circle of people | | | | late | – | its number | how many |
//! | 2 ring, 3 spot | | | | – | – | – | – |
//! | 4 cone | | | | aim in degrees | width | – | picture |
//! | 5 camera | | | | its digit | direction beyond the edge | row told | picture |
//! | 6 person | | | | late | direction beyond the edge | row told | – |
//! | 7 urgent case | | | | priority | – | its number | how many |
//! | 8 line | from | from | to x | to y | of the incident | – | – |
//! | 9 word | | | size | turn | priority | its text | style + 16 × align |
//!
//! A direction that is not is `NaN`; a word that stands character under character has a turn of 9.

use domain::map::Plan;
use domain::map::item::{Align, Line, Mark, Placed, Run, Seen, Style, Word};

type Row = [f32; 8];

/// A turn that no word has: character under character.
const DOWN: f64 = 9.0;

pub fn of(plan: &Plan) -> Vec<f32> {
    let lines = plan.lines.iter().map(line);
    let marks = plan.marks.iter().enumerate().map(mark);
    let words = plan.words.iter().enumerate().map(word);
    lines.chain(marks).chain(words).flatten().collect()
}

fn line(line: &Line) -> Row {
    let of = f32::from(u8::from(line.incident));
    [8.0, line.from.x as f32, line.from.y as f32, line.to.x as f32, line.to.y as f32, of, 0.0, 0.0]
}

fn mark((number, placed): (usize, &Placed)) -> Row {
    let number = number as f32;
    let late = |late: bool| f32::from(u8::from(late));
    let beyond = |beyond: Option<f64>| beyond.map_or(f32::NAN, |beyond| beyond as f32);
    let [kind, a, b, named, count] = match &placed.mark {
        Mark::Square { members } => [0.0, 0.0, 0.0, number, members.len() as f32],
        Mark::Group { members, late: of } => [1.0, late(*of), 0.0, number, members.len() as f32],
        Mark::Ring => [2.0, 0.0, 0.0, 0.0, 0.0],
        Mark::Target => [3.0, 0.0, 0.0, 0.0, 0.0],
        Mark::Cone { aim_deg, view_deg, state } => {
            [4.0, *aim_deg as f32, *view_deg as f32, 0.0, seen(*state)]
        }
        Mark::Camera { row, number, state, beyond: at } => {
            [5.0, *number as f32, beyond(*at), *row as f32, seen(*state)]
        }
        Mark::Person { row, late: of, beyond: at } => [6.0, late(*of), beyond(*at), *row as f32, 0.0],
        Mark::Urgent { priority, members } => [7.0, f32::from(*priority), 0.0, number, members.len() as f32],
    };
    [kind, placed.at.x as f32, placed.at.y as f32, placed.half as f32, a, b, named, count]
}

fn seen(state: Seen) -> f32 {
    match state {
        Seen::Idle => 0.0,
        Seen::Shown => 1.0,
        Seen::Lost => 2.0,
    }
}

fn word((number, word): (usize, &Word)) -> Row {
    let turn = match word.run {
        Run::Level => 0.0,
        Run::Along(turn) => turn,
        Run::Down => DOWN,
    };
    let align = match word.align {
        Align::Left => 0,
        Align::Centre => 1,
        Align::Right => 2,
    };
    let priority = match word.style {
        Style::Times(priority) => f32::from(priority),
        Style::District
        | Style::Count
        | Style::Late
        | Style::Street
        | Style::Road
        | Style::Lake
        | Style::Title
        | Style::Note
        | Style::Name
        | Style::LateName => 0.0,
    };
    let set = f32::from(style(word.style) + 16 * align);
    [9.0, word.at.x as f32, word.at.y as f32, word.size as f32, turn as f32, priority, number as f32, set]
}

/// The number of a style, by which the script knows its font and colour.
pub fn style(style: Style) -> u8 {
    match style {
        Style::District => 0,
        Style::Count => 1,
        Style::Late => 2,
        Style::Street => 3,
        Style::Road => 4,
        Style::Lake => 5,
        Style::Times(_) => 6,
        Style::Title => 7,
        Style::Note => 8,
        Style::Name => 9,
        Style::LateName => 10,
    }
}

pub fn members(mark: &Mark) -> &[u32] {
    match mark {
        Mark::Square { members } | Mark::Group { members, .. } | Mark::Urgent { members, .. } => members,
        Mark::Ring | Mark::Target | Mark::Cone { .. } | Mark::Camera { .. } | Mark::Person { .. } => &[],
    }
}
